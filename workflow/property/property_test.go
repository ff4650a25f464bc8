package property

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

const cao, qin = workflow.PersonID(2), workflow.PersonID(1) // of the company, of the grid

func community(t interface{ Fatal(...any) }) *workflow.Community {
	c, err := workflow.ParseCommunity(strings.NewReader(`
code: c
name: 某社区
estates: [{name: 东园, buildings: 2, property_contract: true}, {name: 西园, buildings: 4}]
grids: [{code: G1, name: 第一网格, buildings: "东园:1-2, 西园:1-4"}]
property:
  company: 红色物业
  score: {base: 100, answered_late: -1, overdue: -3, unsatisfied: -2, reopened: -4, repeat: -5, repeat_days: 30, praised: 2, patrol_done: 1, patrol_missed: -1}
  patrol: {every: 10, items: [扫楼道, 清杂物]}
`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var roster = workflow.Roster{
	{ID: qin, Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1", FullTime: true}}},
	{ID: cao, Roles: []workflow.Role{{Kind: workflow.RoleProperty, Unit: "红色物业"}}},
}

var november = Month{2026, time.November}

func at(c *workflow.Community, day, hour int) time.Time {
	return time.Date(2026, 11, day, hour, 0, 0, 0, c.Location())
}

// Each thing that is scored is one line with its ticket, while the company has it and
// in the month in which it happened.
func TestWhatALineIsFor(t *testing.T) {
	c := community(t)
	terms, ok := TermsOf(c, roster, nil)
	if !ok {
		t.Fatal("nothing is scored")
	}
	terms.Every = 0
	spot := digest.Spot{Estate: "东园", Building: 1, Category: "sanitation"}
	filed := Moment{Seq: 1, Type: workflow.EvFiled, At: at(c, 3, 9)}
	has := func(who workflow.PersonID) Moment {
		return Moment{Seq: 2, Type: workflow.EvAssigned, At: at(c, 3, 9), Owner: who}
	}
	event := func(day int, typ workflow.EventType) Moment { return Moment{Seq: 3, Type: typ, At: at(c, day, 9)} }
	with := func(m Moment, change func(*Moment)) Moment { change(&m); return m }
	for name, one := range map[string]struct {
		state   workflow.State
		moments []Moment
		before  int // days before the filing that the same trouble was there
		want    string
	}{
		"answered late":      {"", []Moment{filed, has(cao), with(event(4, workflow.EvOverdue), func(m *Moment) { m.Clock = workflow.ClockResponse })}, 0, "answered_late -1"},
		"overdue":            {"", []Moment{filed, has(cao), with(event(4, workflow.EvOverdue), func(m *Moment) { m.Clock = workflow.ClockResolve })}, 0, "overdue -3"},
		"another clock":      {"", []Moment{filed, has(cao), with(event(4, workflow.EvOverdue), func(m *Moment) { m.Clock = workflow.ClockFeedback })}, 0, ""},
		"the grid had it":    {"", []Moment{filed, has(qin), with(event(4, workflow.EvOverdue), func(m *Moment) { m.Clock = workflow.ClockResolve })}, 0, ""},
		"a bad verdict":      {"", []Moment{filed, has(cao), with(event(4, workflow.EvReopened), func(m *Moment) { m.Rating = workflow.Unsatisfied })}, 0, "unsatisfied -2"},
		"a good verdict":     {"", []Moment{filed, has(cao), with(event(4, workflow.EvRated), func(m *Moment) { m.Rating = workflow.Satisfied })}, 0, ""},
		"reopened":           {"", []Moment{filed, has(cao), event(4, workflow.EvReopened)}, 0, "reopened -4"},
		"late after that":    {"", []Moment{filed, has(cao), event(4, workflow.EvReopened), with(event(5, workflow.EvOverdue), func(m *Moment) { m.Clock = workflow.ClockResolve })}, 0, "reopened -4"},
		"praised":            {"", []Moment{filed, has(cao), event(4, workflow.EvThanked)}, 0, "praised 2"},
		"the month after":    {"", []Moment{filed, has(cao), event(31, workflow.EvThanked)}, 0, ""},
		"again":              {"", []Moment{filed, has(cao)}, 30, "repeat -5"},
		"again, long after":  {"", []Moment{filed, has(cao)}, 31, ""},
		"again, of the grid": {"", []Moment{filed, has(qin)}, 10, ""},
		"taken back":         {workflow.Cancelled, []Moment{filed, has(cao)}, 10, ""},
		"joined":             {workflow.Merged, []Moment{filed, has(cao), event(4, workflow.EvReopened)}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := Record{Matters: []Matter{{Number: 1024, State: one.state, Spot: spot, Moments: one.moments}}, Troubles: []digest.Trouble{{Number: 1024, FiledAt: filed.At, Spot: spot}}}
			if one.before > 0 {
				r.Troubles = append(r.Troubles, digest.Trouble{Number: 1001, FiledAt: filed.At.AddDate(0, 0, -one.before), Spot: digest.Spot{Estate: "东园", Building: 1, Grid: "G9", Category: "sanitation"}})
			}
			var got []string
			for _, l := range Count(&terms, november, c.Location(), r, at(c, 30, 24)) {
				if got = append(got, fmt.Sprintf("%s %d", l.Cause, l.Points)); l.Number != 1024 || l.Place.Building != 1 || l.Cause == Repeat && l.Before != 1001 {
					t.Errorf("the line does not say what it is for: %+v", l)
				}
			}
			if strings.Join(got, ", ") != one.want {
				t.Errorf("got %q, want %q", got, one.want)
			}
		})
	}
}

// A building is inspected once in a turn; a turn that has not ended is not missed yet.
func TestTurnsOfInspections(t *testing.T) {
	c := community(t)
	terms, _ := TermsOf(c, roster, nil)
	turns := Turns(november, 10, c.Location())
	if len(turns) != 3 || !turns[2].Until.Equal(at(c, 30, 24)) {
		t.Fatalf("turns: %v", turns)
	}
	if turns := Turns(november, 7, c.Location()); len(turns) != 4 || !turns[3].From.Equal(at(c, 22, 0)) || !turns[3].Until.Equal(at(c, 30, 24)) {
		t.Errorf("the last turn has the days that are left over: %v", turns)
	}
	seen := []workflow.Check{{Item: "扫楼道"}, {Item: "清杂物", Wrong: true}}
	round := func(id string, day, building int, checks []workflow.Check) workflow.Round {
		return workflow.Round{ID: id, At: at(c, day, 9), Place: workflow.Place{Estate: "东园", Building: building}, Checks: checks}
	}
	rounds := []workflow.Round{round("a", 2, 1, seen), round("b", 9, 1, seen), round("c", 12, 2, nil), round("d", 12, 1, seen)}
	var got []string
	for _, l := range Count(&terms, november, c.Location(), Record{Rounds: rounds}, at(c, 20, 12)) {
		got = append(got, fmt.Sprintf("%s %d%s", l.Cause, l.Place.Building, l.Round))
	}
	if want := []string{"patrol_missed 2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	all := append(slices.Clone(rounds), round("e", 3, 2, seen), round("f", 9, 2, seen)) // e is the one that completes the first turn
	if got := Count(&terms, november, c.Location(), Record{Rounds: all}, at(c, 11, 12)); len(got) != 1 || got[0].Cause != PatrolDone || got[0].Points != 1 || got[0].Round != "e" {
		t.Errorf("a turn without a building missed is one line: %+v", got)
	}
	s, ok := Stand(&terms, rounds, at(c, 20, 12), c.Location())
	if !ok || len(s.Due) != 1 || s.Due[0].Building != 2 || len(s.Missed) != 1 || s.Missed[0].Building != 2 || s.All != 2 {
		t.Errorf("how it stands: %+v", s)
	}
}

// A standard that is set in the middle of a month holds from that day on: what was not
// inspected before it, or in the turn in the middle of which it was set, is not missed.
func TestAStandardHoldsFromTheDayItIsSet(t *testing.T) {
	c := community(t)
	seen := []workflow.Check{{Item: "扫楼道"}}
	full := []workflow.Round{
		{ID: "a", At: at(c, 17, 9), Place: workflow.Place{Estate: "东园", Building: 1}, Checks: seen},
		{ID: "b", At: at(c, 18, 9), Place: workflow.Place{Estate: "东园", Building: 2}, Checks: seen},
	}
	for name, one := range map[string]struct {
		since  time.Time
		rounds []workflow.Round
		want   string // for turns of the 1st, 11th and 21st
		missed int    // of the turn before, on the 25th
	}{
		"long ago":                 {time.Time{}, nil, "patrol_missed patrol_missed patrol_missed patrol_missed patrol_missed patrol_missed", 2},
		"as the first turn begins": {at(c, 1, 10), nil, "patrol_missed patrol_missed patrol_missed patrol_missed patrol_missed patrol_missed", 2},
		"in the second":            {at(c, 14, 10), nil, "patrol_missed patrol_missed", 0},
		"and all were inspected":   {at(c, 14, 10), full, "patrol_done patrol_missed patrol_missed", 0},
		"and one was inspected":    {at(c, 14, 10), full[:1], "patrol_missed patrol_missed", 0},
		"in the last":              {at(c, 22, 10), nil, "", 0},
		"in the next month":        {at(c, 30, 30), nil, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.Estates[0].PatrolsSince = one.since.UTC()
			terms, _ := TermsOf(c, roster, nil)
			var got []string
			for _, l := range Count(&terms, november, c.Location(), Record{Rounds: one.rounds}, at(c, 30, 24)) {
				got = append(got, string(l.Cause))
			}
			if strings.Join(got, " ") != one.want {
				t.Errorf("got %v, want %s", got, one.want)
			}
			if s, ok := Stand(&terms, one.rounds, at(c, 25, 9), c.Location()); !ok || len(s.Missed) != one.missed || len(s.Due) != 2 {
				t.Errorf("how it stands: %+v %v", s, ok)
			}
		})
	}
}

// However many buildings are inspected and residents content, a month comes to no more
// than its most; what is taken is taken from that.
func TestAMonthComesToNoMoreThanItsMost(t *testing.T) {
	for name, one := range map[string]struct{ most, praised, late, want, beyond int }{
		"below":    {105, 3, 0, 103, 0},
		"beyond":   {105, 9, 0, 105, 4},
		"made up":  {105, 9, -6, 103, 0},
		"no bound": {0, 9, 0, 109, 0},
	} {
		s := Sheet{Terms: Terms{Score: workflow.ServiceScore{Base: 100, Most: one.most}}, Lines: []Line{{Points: one.praised}, {Points: one.late}}}
		if s.Total() != one.want || s.Beyond() != one.beyond {
			t.Errorf("%s: %d points, %d beyond", name, s.Total(), s.Beyond())
		}
	}
}

// world is a record that changes, as a Source.
type world struct {
	matters    map[int64]*Matter
	troubles   []digest.Trouble
	rounds     []workflow.Round
	closed     []Sheet // newest first
	objections []Objection
}

func (w *world) ServiceMatters(_ context.Context, _ string, _ []workflow.PersonID, from, until time.Time, f func(Matter) error) error {
	for _, m := range w.matters {
		for _, e := range m.Moments {
			if !e.At.Before(from) && e.At.Before(until) {
				if err := f(*m); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

func (w *world) Troubles(_ context.Context, _ string, from, until time.Time) ([]digest.Trouble, error) {
	var out []digest.Trouble
	for _, t := range w.troubles {
		if m := w.matters[t.Number]; m.State != workflow.Merged && !t.FiledAt.Before(from) && t.FiledAt.Before(until) {
			t.Spot = m.Spot
			out = append(out, t)
		}
	}
	return out, nil
}

func (w *world) Inspections(_ context.Context, _ string, from, until time.Time) ([]workflow.Round, error) {
	var out []workflow.Round
	for _, r := range w.rounds {
		if !r.At.Before(from) && r.At.Before(until) {
			out = append(out, r)
		}
	}
	return out, nil
}

func (w *world) ClosedSheet(_ context.Context, _ string, m Month) (Sheet, bool, error) {
	i := slices.IndexFunc(w.closed, func(s Sheet) bool { return s.Month == m })
	if i < 0 {
		return Sheet{}, false, nil
	}
	return w.closed[i], true, nil
}

func (w *world) ClosedSheets(_ context.Context, _ string, limit int) ([]Sheet, error) {
	return w.closed[:min(limit, len(w.closed))], nil
}

func (w *world) Objections(_ context.Context, _ string, since Month) ([]Objection, error) {
	return slices.DeleteFunc(slices.Clone(w.objections), func(o Objection) bool { return o.Month.String() < since.String() }), nil
}

// Whatever becomes known of a closed month, and whatever is objected to, it stays as it
// is; it and its corrections together are what a fresh count without the upheld lines
// is.
func TestAClosedMonthAndItsCorrectionsAreAFreshCount(t *testing.T) {
	c := community(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{matters: map[int64]*Matter{}}
		first := Month{2026, time.June}
		open, next := first, int64(1000)
		now, _ := open.Range(c.Location())
		kept := map[Month]Sheet{}
		add := func() {
			m := &Matter{Number: next, Spot: digest.Spot{Estate: "东园", Building: rapid.IntRange(1, 2).Draw(t, "building"), Category: "sanitation"}, Moments: []Moment{
				{Seq: 1, Type: workflow.EvFiled, At: now},
				{Seq: 2, Type: workflow.EvAssigned, At: now, Owner: rapid.SampledFrom([]workflow.PersonID{cao, cao, qin}).Draw(t, "owner")},
			}}
			w.matters[next] = m
			w.troubles = append(w.troubles, digest.Trouble{Number: next, FiledAt: now, Spot: m.Spot})
			next++
		}
		for range rapid.IntRange(5, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 4*24).Draw(t, "hours")) * time.Hour)
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0, 1:
				add()
			case 2, 3: // something happens to a ticket, perhaps known only later
				if len(w.matters) == 0 {
					continue
				}
				m := w.matters[1000+rapid.Int64Range(0, next-1001).Draw(t, "ticket")]
				m.Moments = append(m.Moments, Moment{
					Seq: int64(len(m.Moments) + 1), At: now.AddDate(0, 0, -rapid.IntRange(0, 20).Draw(t, "late")),
					Type:   rapid.SampledFrom([]workflow.EventType{workflow.EvOverdue, workflow.EvReopened, workflow.EvThanked, workflow.EvRated}).Draw(t, "event"),
					Clock:  rapid.SampledFrom([]workflow.Clock{workflow.ClockResponse, workflow.ClockResolve}).Draw(t, "clock"),
					Rating: rapid.SampledFrom([]workflow.Rating{"", workflow.Unsatisfied}).Draw(t, "rating"),
				})
			case 4: // it was the same as another after all, or elsewhere
				if len(w.matters) == 0 {
					continue
				}
				m := w.matters[1000+rapid.Int64Range(0, next-1001).Draw(t, "ticket")]
				if m.Spot.Building = rapid.IntRange(1, 2).Draw(t, "moved"); rapid.Bool().Draw(t, "joined") {
					m.State = workflow.Merged
				}
			case 5:
				w.rounds = append(w.rounds, workflow.Round{
					ID: fmt.Sprint(len(w.rounds)), At: now, Place: workflow.Place{Estate: "东园", Building: rapid.IntRange(1, 2).Draw(t, "building")}, Checks: []workflow.Check{{Item: "扫楼道"}},
				})
			case 6: // an objection to a line of some month, decided at once
				s, _, err := Make(t.Context(), w, c, roster, rapid.SampledFrom([]Month{open, open.Before()}).Draw(t, "month"), now)
				if err != nil {
					t.Fatal(err)
				}
				own := slices.DeleteFunc(slices.Clone(s.Lines), func(l Line) bool { return l.For != "" })
				if len(own) == 0 {
					continue
				}
				o := Objection{Month: s.Month, Line: rapid.SampledFrom(own).Draw(t, "line").Key, At: now, Outcome: &Outcome{Upheld: rapid.Bool().Draw(t, "upheld"), At: now}}
				if !slices.ContainsFunc(w.objections, func(other Objection) bool { return other.Month == o.Month && other.Line == o.Line }) {
					w.objections = append(w.objections, o)
				}
			case 7:
				s, _, err := Make(t.Context(), w, c, roster, open, now)
				if err != nil {
					t.Fatal(err)
				}
				if s.MayClose(c.Location(), now) {
					s.ClosedBy = 9
					w.closed = slices.Insert(w.closed, 0, s)
					kept[open] = s
					open = open.After()
				}
			}
		}
		// What is closed stays; with what the open month says of it, it is a fresh count.
		made, _, err := Make(t.Context(), w, c, roster, open, now)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range w.closed {
			if again, _, _ := Make(t.Context(), w, c, roster, s.Month, now); !reflect.DeepEqual(again, kept[s.Month]) {
				t.Fatalf("%s was changed after it was closed", s.Month)
			}
			if i >= countedAnew {
				continue // only objections to it are settled
			}
			fresh, err := countFrom(t.Context(), w, c, &s.Terms, s.Month, now)
			if err != nil {
				t.Fatal(err)
			}
			want, gone := map[string]int{}, upheld(w.objections, s.Month)
			for _, l := range fresh {
				if !gone[l.Key] {
					want[l.Key] += l.Points
				}
			}
			have := map[string]int{}
			for _, sheet := range append(slices.Clone(w.closed), made) {
				for _, l := range sheet.Lines {
					switch {
					case sheet.Month == s.Month && l.For == "":
						have[l.Key] += l.Points
					case l.Of == s.Month:
						have[l.For] += l.Points
					}
				}
			}
			for key, n := range have {
				if n != want[key] {
					t.Fatalf("%s: %s comes to %d, a fresh count to %d", s.Month, key, n, want[key])
				}
			}
			for key, n := range want {
				if n != have[key] {
					t.Fatalf("%s: %s comes to %d, a fresh count to %d", s.Month, key, have[key], n)
				}
			}
		}
		keys, own := map[string]bool{}, map[string]int{}
		for _, l := range made.Lines { // what was objected to while the month is open comes to nothing in it
			if l.For == "" || l.Of == open {
				own[cmp.Or(l.For, l.Key)] += l.Points
			}
		}
		for key := range upheld(w.objections, open) {
			if own[key] != 0 {
				t.Fatalf("%s comes to %d in its own month", key, own[key])
			}
		}
		for _, l := range made.Lines {
			if keys[l.Key] {
				t.Fatalf("%s stands twice", l.Key)
			}
			keys[l.Key] = true
		}
	})
}

// A month stays as it was closed however long ago that was.
func TestAMonthOfLongAgoStaysClosed(t *testing.T) {
	c := community(t)
	w := &world{}
	for m := (Month{2020, time.January}); m != november; m = m.After() {
		w.closed = slices.Insert(w.closed, 0, Sheet{Month: m, ClosedBy: 9, Terms: Terms{Company: "红色物业"}})
	}
	s, ok, err := Make(t.Context(), w, c, roster, Month{2020, time.January}, at(c, 3, 9))
	if err != nil || !ok || !s.Closed() {
		t.Errorf("it is open again: %+v %v %v", s, ok, err)
	}
}

// What the company before left behind is not corrected in the months of the next.
func TestANewCompanyAnswersForItsOwnMonths(t *testing.T) {
	c := community(t)
	october := november.Before()
	late := Line{Key: "overdue:1001:3", Cause: Overdue, Points: -3, Number: 1001}
	for company, want := range map[string]int{"红色物业": 3, "前一家物业": 0} {
		w := &world{
			closed:     []Sheet{{Month: october, ClosedBy: 9, Terms: Terms{Company: company, Every: 0}, Lines: []Line{late}}},
			objections: []Objection{{Month: october, Line: late.Key, Outcome: &Outcome{Upheld: true}}},
		}
		s, _, err := Make(t.Context(), w, c, roster, november, at(c, 1, 9))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Total() - s.Terms.Score.Base; got != want || s.After != october {
			t.Errorf("October of %s: %d points in November, want %d: %+v", company, got, want, s.Lines)
		}
	}
}

// Months are closed in their order, once they have ended.
func TestWhenAMonthMayBeClosed(t *testing.T) {
	c := community(t)
	for name, one := range map[string]struct {
		sheet Sheet
		now   time.Time
		want  bool
	}{
		"the first":        {Sheet{Month: november}, at(c, 30, 24), true},
		"not over":         {Sheet{Month: november}, at(c, 30, 23), false},
		"the next":         {Sheet{Month: november, After: november.Before()}, at(c, 30, 24), true},
		"one between them": {Sheet{Month: november, After: november.Before().Before()}, at(c, 30, 24), false},
		"closed":           {Sheet{Month: november, ClosedBy: 9}, at(c, 30, 24), false},
	} {
		if got := one.sheet.MayClose(c.Location(), one.now); got != one.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
