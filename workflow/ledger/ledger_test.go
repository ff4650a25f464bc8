package ledger

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
)

// Whatever is booked, in whatever order: nobody is ever below zero, what cannot be
// booked changes nothing, and all accounts together are zero.
func TestNobodyIsBelowZeroAndTheSumIsZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people, all := map[workflow.PersonID]Balance{}, map[Account]int{}
		for range rapid.IntRange(1, 200).Draw(t, "entries") {
			e := Entry{Person: workflow.PersonID(rapid.IntRange(1, 3).Draw(t, "person")), Why: rapid.SampledFrom(append(Whys(), "other")).Draw(t, "why"), Points: rapid.IntRange(-2, 30).Draw(t, "points")}
			was := people[e.Person]
			now, err := was.After(e)
			if err != nil {
				if now != was {
					t.Fatalf("%+v was refused and changed %v to %v", e, was, now)
				}
				continue
			}
			if now.Points < 0 || now.Held < 0 || e.Points <= 0 {
				t.Fatalf("%+v leaves %v", e, now)
			}
			if now.Points-was.Points != e.Gains() {
				t.Fatalf("%+v gains %d, and %v became %v", e, e.Gains(), was, now)
			}
			people[e.Person] = now
			all[e.Gives()] -= e.Points
			all[e.Takes()] += e.Points
		}
		var sum, purses, held int
		for _, n := range all {
			sum += n
		}
		for _, b := range people {
			purses, held = purses+b.Points, held+b.Held
		}
		if sum != 0 || all[Purse] != purses || all[Held] != held || all[Mint] > 0 || all[Spent] < 0 || all[Lapsed] < 0 {
			t.Fatalf("accounts %v, sum %d; people have %d and %d", all, sum, purses, held)
		}
	})
}

// At a year's end exactly what is left of the old points lapses, though the booking
// comes later: what was spent since came from the old ones first.
func TestOldPointsLapse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, fresh := rapid.IntRange(0, 50).Draw(t, "old"), 0
		have, gained := old, 0
		for range rapid.IntRange(0, 20).Draw(t, "moves since") {
			n := rapid.IntRange(1, 20).Draw(t, "n")
			if rapid.Bool().Draw(t, "earned") {
				fresh, have, gained = fresh+n, have+n, gained+n
			} else if n <= have {
				have -= n
				taken := min(n, old)
				old -= taken
				fresh -= n - taken
			}
		}
		if got := Lapsing(have, gained); got != old {
			t.Fatalf("%d lapse, want %d of %d", got, old, have)
		}
	})
}

func TestEnding(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	for day, want := range map[string]int{"2026-12-01": 0, "2026-12-02": 2026, "2026-12-31": 2026, "2027-01-01": 0} {
		at, err := time.ParseInLocation(time.DateOnly, day, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := Ending(at); got != want {
			t.Errorf("on %s: %d, want %d", day, got, want)
		}
	}
}

var (
	rules  = workflow.Rewards{Wish: 20, Help: 10, Patrol: 5, Report: 3, CodeDays: 7}
	roster = workflow.Roster{
		{ID: 1, Roles: []workflow.Role{{Kind: workflow.RoleVolunteer}}},
		{ID: 2, Roles: []workflow.Role{{Kind: workflow.RoleWorker, FullTime: true}}},
		{ID: 3, Roles: []workflow.Role{{Kind: workflow.RolePartyMember}, {Kind: workflow.RoleCommittee}}},
		{ID: 4, Roles: []workflow.Role{{Kind: workflow.RolePartyMember}}},
		{ID: 5, Roles: []workflow.Role{{Kind: workflow.RolePartner}}},
	}
)

func TestWhoEarnsWhat(t *testing.T) {
	done := func(p workflow.PersonID) workflow.Hand { return workflow.Hand{Person: p, State: workflow.HandDone} }
	closed := workflow.Event{Type: workflow.EvRated, To: workflow.Closed}
	for _, c := range []struct {
		name string
		t    workflow.Ticket
		ev   workflow.Event
		want []string
	}{
		{"a wish by a volunteer", workflow.Ticket{Kind: workflow.Wish, Owner: 1, Reporter: 9}, closed, []string{"wish:7:1"}},
		{"by time too", workflow.Ticket{Kind: workflow.Wish, Owner: 1, Reporter: 9}, workflow.Event{Type: workflow.EvClosedByTime, To: workflow.Closed}, []string{"wish:7:1"}},
		{"with helpers, once each", workflow.Ticket{Kind: workflow.Wish, Owner: 1, Reporter: 9, Hands: []workflow.Hand{done(4), done(4), {Person: 8, State: workflow.HandDeclined}, done(2), done(1), done(9)}}, closed, []string{"wish:7:1", "help:7:4"}},
		{"one's own wish", workflow.Ticket{Kind: workflow.Wish, Owner: 1, Reporter: 1}, closed, nil},
		{"in office", workflow.Ticket{Kind: workflow.Wish, Owner: 3, Reporter: 9}, closed, nil},
		{"for a unit", workflow.Ticket{Kind: workflow.Wish, Owner: 5, Reporter: 9}, closed, nil},
		{"a report", workflow.Ticket{Kind: workflow.Incident, Owner: 2, Reporter: 9}, closed, []string{"report:7:9"}},
		{"a report in office", workflow.Ticket{Kind: workflow.Incident, Owner: 1, Reporter: 2}, closed, nil},
		{"fixed by oneself", workflow.Ticket{Kind: workflow.Incident, Owner: 1, Reporter: 1}, closed, nil},
		{"by nobody", workflow.Ticket{Kind: workflow.Incident, Owner: 2}, closed, nil},
		{"rated badly", workflow.Ticket{Kind: workflow.Wish, Owner: 1, Reporter: 9}, workflow.Event{Type: workflow.EvReopened, To: workflow.Classified}, nil},
		{"thanked", workflow.Ticket{Kind: workflow.Wish, Owner: 1, Reporter: 9}, workflow.Event{Type: workflow.EvThanked, To: workflow.Closed}, nil},
	} {
		c.t.Number, c.t.State = 7, c.ev.To
		var got []string
		for _, e := range Earned(rules, roster, &c.t, &c.ev) {
			got = append(got, e.Cause)
			if !e.Earned() || e.Points != map[Why]int{ForWish: 20, ForHelp: 10, ForReport: 3}[e.Why] {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if free := Earned(workflow.Rewards{}, roster, &c.t, &c.ev); free != nil {
			t.Errorf("%s: without rules: %v", c.name, free)
		}
	}
}

func TestOnePatrolADay(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	at := time.Date(2026, 11, 23, 15, 30, 0, 0, time.UTC)
	one, ok := Patrolled(rules, roster[0], workflow.Round{Kind: workflow.Patrol, By: 1, At: at}, zone)
	next, _ := Patrolled(rules, roster[0], workflow.Round{Kind: workflow.Patrol, By: 1, At: at.Add(time.Hour)}, zone)
	if !ok || one.Cause != "patrol:2026-11-23:1" || one.Points != 5 || next.Cause != "patrol:2026-11-24:1" {
		t.Errorf("%+v, then %+v", one, next)
	}
	for _, r := range []struct {
		by   workflow.Person
		kind workflow.RoundKind
	}{{roster[0], workflow.HomeVisit}, {roster[1], workflow.Patrol}, {roster[3], workflow.Patrol}} {
		if _, ok := Patrolled(rules, r.by, workflow.Round{Kind: r.kind, By: r.by.ID, At: at}, zone); ok {
			t.Errorf("%+v earns by %s", r.by, r.kind)
		}
	}
}

func TestMoney(t *testing.T) {
	for s, want := range map[string]int64{"120": 12000, "120.5": 12050, "¥1,200.05元": 120005, "0.01": 1, "0": 0, "": 0, ".5": 0, "5.": 0, "1.234": 0, "-3": 0, "十块": 0, "99999999999": 0} {
		if got, err := ParseFen(s); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v, want %d", s, got, err, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		fen := rapid.Int64Range(1, MostFen).Draw(t, "fen")
		if got, err := ParseFen(Yuan(fen)); err != nil || got != fen {
			t.Fatalf("%d is %s, which is %d: %v", fen, Yuan(fen), got, err)
		}
	})
}

// A line and the line that strikes it leave nothing, on either side; what stands is
// what the other lines say.
func TestStruckLinesLeaveNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines []Line
		want := map[string]Sum{}
		for i := range rapid.IntRange(0, 30).Draw(t, "lines") {
			l := Line{ID: int64(len(lines) + 1), Item: rapid.SampledFrom([]string{"捐款", "慰问", "活动"}).Draw(t, "item"), Fen: rapid.Int64Range(1, 1_000_000).Draw(t, "fen")}
			if rapid.Bool().Draw(t, "out") {
				l.Fen = -l.Fen
			}
			lines = append(lines, l)
			s := want[l.Item]
			s.Item = l.Item
			if rapid.Bool().Draw(t, "struck") {
				lines = append(lines, Line{ID: int64(i + 1000), Item: l.Item, Fen: -l.Fen, Strikes: l.ID})
			} else if l.Fen > 0 {
				s.In += l.Fen
			} else {
				s.Out -= l.Fen
			}
			want[l.Item] = s
		}
		var in, out int64
		for _, s := range Sums(lines) {
			if s != want[s.Item] {
				t.Fatalf("%+v, want %+v", s, want[s.Item])
			}
			in, out = in+s.In, out+s.Out
		}
		if all := Total(Sums(lines)); all.In != in || all.Out != out {
			t.Fatalf("%+v", all)
		}
	})
}

func TestCodes(t *testing.T) {
	for s, want := range map[string]string{"123456": "123456", "123 456": "123456", "１２３４５６": "123456", "12345": "", "12345a": "", "": ""} {
		if got := ReadCode(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if c := NewCode(); ReadCode(c) != c {
		t.Errorf("%q is no code", c)
	}
}
