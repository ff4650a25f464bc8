package postgres

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/find"
)

// filed is a new ticket from its first event, whatever was understood of it.
func filed(community string, number int64, at time.Time, ev workflow.Event) desk.TicketChange {
	ev.Seq, ev.At, ev.Type, ev.Actor, ev.To, ev.Level = 1, at, workflow.EvFiled, workflow.ActorPerson, cmp.Or(ev.To, workflow.Received), cmp.Or(ev.Level, 1)
	return desk.TicketChange{Ticket: workflow.Replay(community, number, []workflow.Event{ev}), Events: []workflow.Event{ev}}
}

// then is the ticket after one more event.
func then(tc desk.TicketChange, ev workflow.Event) desk.TicketChange {
	t := tc.Ticket
	ev.Seq, ev.To = t.Version+1, cmp.Or(ev.To, t.State)
	if ev.At.IsZero() {
		ev.At = noon
	}
	return desk.TicketChange{Was: t.Version, Ticket: workflow.Apply(t, ev), Events: []workflow.Event{ev}}
}

func store(t testing.TB, s *Store, tc desk.TicketChange) desk.TicketChange {
	t.Helper()
	must(t, s.Commit(ctx(t), desk.Change{Community: tc.Ticket.Community, Tickets: []desk.TicketChange{tc}}))
	return tc
}

func numbersOfTickets(all []workflow.Ticket) []int64 {
	return column(all, func(t workflow.Ticket) int64 { return t.Number })
}

// searched are all numbers that a query finds, page by page.
func searched(t failer, s *Store, community string, q desk.Query) []int64 {
	t.Helper()
	var out []int64
	for {
		found, err := s.Search(context.Background(), community, q)
		if err != nil {
			t.Fatalf("search %+v: %v", q, err)
		}
		out = append(out, numbersOfTickets(found.Tickets)...)
		if found.Next == 0 {
			return out
		}
		q.Before = found.Next
	}
}

func TestSearchByWords(t *testing.T) {
	s := newStore(t)
	place := &workflow.Place{Estate: "东园", Building: 3, Unit: 2, Room: "501", Landmark: "老槐树", Grid: "G1"}
	lamp := store(t, s, filed(here, 1001, noon, workflow.Event{Text: "楼道路灯坏了，电话13912345678", Place: place}))
	store(t, s, filed(here, 1002, noon.Add(-40*week), workflow.Event{Text: "ＷｉＦｉ断了；灯\n路灯很亮"}))
	store(t, s, filed(there, 1003, noon, workflow.Event{Text: "路灯坏了"}))
	for words, want := range map[string][]int64{
		"路灯":          {1001, 1002},
		"灯":           {1001, 1002},
		"坏":           {1001},
		"了":           {1001, 1002},
		"路灯 坏了":       {1001},
		"wifi":        {1002},
		"灯路":          nil, // the two signs follow each other only over a line's end
		"东园3号楼":       {1001},
		"3号楼 路灯":      {1001},
		"老槐树":         {1001},
		"501":         nil, // doors are not for looking up
		"13912345678": nil,
		"没有的词":        nil,
		"' & ! :*灯":   {1001, 1002},
	} {
		if got := searched(t, s, here, desk.Query{Words: words}); !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", words, got, want)
		}
	}
	if n := count(t, s, "SELECT count(*) FROM ticket_words WHERE words::text LIKE '%1391234%' OR words::text LIKE '%5678%'"); n != 0 {
		t.Error("a telephone number is in the index")
	}

	// What is added is found, what was corrected is no longer.
	more := store(t, s, then(lamp, workflow.Event{Type: workflow.EvSupplemented, Text: "水管也漏"}))
	store(t, s, then(more, workflow.Event{Type: workflow.EvMoved, Place: &workflow.Place{Estate: "西园", Building: 4, Grid: "G2"}}))
	for words, want := range map[string][]int64{"水管 路灯": {1001}, "东园": nil, "西园4号楼": {1001}} {
		if got := searched(t, s, here, desk.Query{Words: words}); !slices.Equal(got, want) {
			t.Errorf("afterwards %q finds %v, want %v", words, got, want)
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	s := newStore(t)
	for _, q := range []desk.Query{
		{Words: "？？"}, {Words: strings.Repeat("灯 ", 11)}, {Limit: 201}, {Limit: -1}, {Number: -1}, {Before: 77},
		{From: noon, Until: noon}, {Owners: make([]workflow.PersonID, 101)},
	} {
		if _, err := s.Search(ctx(t), here, q); workflow.CodeOf(err) != workflow.CodeInvalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for _, q := range []desk.Query{{}, {Words: "灯"}, {Categories: []workflow.Category{"\x00\xff"}}, {Number: 5}, {Landmark: `'\`}} {
		if found, err := s.Search(ctx(t), here, q); err != nil || len(found.Tickets) != 0 || found.Next != 0 {
			t.Errorf("%+v on an empty record: %+v, %v", q, found, err)
		}
	}
}

// Every combination finds what a plain look at all tickets finds, in its order,
// whatever the size of the page.
func TestSearchFindsWhatAPlainLookFinds(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	states := []workflow.State{workflow.Received, workflow.Assigned, workflow.Resolved, workflow.Closed, workflow.Cancelled}
	var all []workflow.Ticket
	changed := map[int64]time.Time{} // after noon
	for i := range 400 {
		at := noon.Add(-time.Duration(r.IntN(60*24*7)) * time.Hour)
		place := &workflow.Place{Estate: pick("东园", "西'园\\", ""), Building: r.IntN(3), Landmark: pick("", "老槐树"), Grid: pick("G1", "G2", "")}
		tc := filed(pick(here, there), int64(1000+i), at, workflow.Event{
			Text: pick("路灯", "漏水", "灯", "wifi") + pick("", "，", "\n", " ") + pick("坏了", "路灯", "3号", "不亮"),
			Kind: workflow.Kind(pick("incident", "wish")), Category: workflow.Category(pick("noise", "lighting")), Severity: workflow.Severity(pick("minor", "major")),
			Source: workflow.Source(pick("chat", "patrol")), Reporter: workflow.PersonID(r.IntN(3)), Place: place, Level: 1 + r.IntN(3),
		})
		store(t, s, tc)
		if r.IntN(2) == 0 {
			tc = store(t, s, then(tc, workflow.Event{Type: workflow.EvAssigned, Owner: workflow.PersonID(1 + r.IntN(3)), To: workflow.Assigned}))
		}
		if r.IntN(3) == 0 {
			tc = store(t, s, then(tc, workflow.Event{Type: workflow.EvOverdue, Clock: workflow.ClockResponse}))
		}
		if to := states[r.IntN(len(states))]; !to.Open() {
			tc = store(t, s, then(tc, workflow.Event{Type: workflow.EvCancelled, To: to}))
		}
		if r.IntN(3) == 0 { // noted later, and once by a clock that went back
			ev := workflow.Event{Type: workflow.EvNoted, At: noon.Add(time.Duration(r.IntN(100)) * time.Minute)}
			tc = store(t, s, then(tc, ev))
			changed[tc.Ticket.Number] = ev.At
			ev.At = ev.At.Add(-24 * time.Hour)
			tc = store(t, s, then(tc, ev))
		}
		all = append(all, tc.Ticket)
	}
	slices.SortFunc(all, func(a, b workflow.Ticket) int {
		return cmp.Or(b.FiledAt.Compare(a.FiledAt), cmp.Compare(b.Number, a.Number))
	})
	maybe := func(t *rapid.T, what string) bool { return rapid.IntRange(0, 3).Draw(t, what) == 0 }
	rapid.Check(t, func(t *rapid.T) {
		q := desk.Query{Limit: rapid.SampledFrom([]int{1, 3, 50, 200}).Draw(t, "limit")}
		if maybe(t, "words") {
			q.Words = rapid.SampledFrom([]string{"路灯", "灯", "wifi 坏", "3号", "亮", "东园1号楼", "没有"}).Draw(t, "typed")
		}
		if maybe(t, "number") && maybe(t, "indeed") {
			q.Number = int64(rapid.IntRange(999, 1400).Draw(t, "this"))
		}
		if maybe(t, "estate") {
			q.Estate, q.Building = rapid.SampledFrom([]string{"东园", "西'园\\"}).Draw(t, "which"), rapid.IntRange(0, 2).Draw(t, "building")
		}
		if maybe(t, "landmark") {
			q.Landmark = "老槐树"
		}
		if maybe(t, "grids") {
			q.Grids = rapid.SampledFrom([][]string{{"G1"}, {"G2", ""}, {""}}).Draw(t, "grids of")
		}
		if maybe(t, "reporters") {
			q.Reporters = []workflow.PersonID{1, 2}[:rapid.IntRange(1, 2).Draw(t, "how many")]
		}
		if maybe(t, "owners") {
			q.Owners = []workflow.PersonID{3, 2}[:rapid.IntRange(1, 2).Draw(t, "owners of")]
		}
		if maybe(t, "states") {
			q.States = rapid.SliceOfN(rapid.SampledFrom(states), 1, 3).Draw(t, "these")
		}
		if maybe(t, "kind") {
			q.Kind = workflow.Wish
		}
		if maybe(t, "category") {
			q.Categories = []workflow.Category{"noise"}
		}
		if maybe(t, "severity") {
			q.Severity = workflow.Major
		}
		if maybe(t, "source") {
			q.Source = workflow.SourcePatrol
		}
		q.Late = maybe(t, "late")
		if maybe(t, "level") {
			q.Level = rapid.IntRange(1, 3).Draw(t, "least")
		}
		if maybe(t, "changed") {
			q.Changed = noon.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "since")) * time.Minute)
		}
		if maybe(t, "from") {
			q.From = noon.Add(-time.Duration(rapid.IntRange(1, 60*7*24).Draw(t, "hours")) * time.Hour)
		}
		if maybe(t, "until") {
			q.Until = noon.Add(-time.Duration(rapid.IntRange(0, 60*7*24).Draw(t, "hours until")) * time.Hour)
		}
		if !q.From.IsZero() && !q.Until.IsZero() && !q.From.Before(q.Until) {
			q.Until = time.Time{}
		}
		var want []int64
		for _, tc := range all {
			if tc.Community == here && meant(q, tc) && (q.Changed.IsZero() || !changed[tc.Number].Before(q.Changed)) {
				want = append(want, tc.Number)
			}
		}
		if got := searched(t, s, here, q); !slices.Equal(got, want) {
			t.Fatalf("%+v finds %v, want %v", q, got, want)
		}
	})
}

// meant is the plain look: what a query means, without any index.
func meant(q desk.Query, t workflow.Ticket) bool {
	if q.Words != "" {
		w, err := find.Parse(q.Words)
		if err != nil || !w.In(t.Text+"\n"+fmt.Sprintf("%s%d号楼", t.Place.Estate, t.Place.Building)+"\n"+t.Place.Landmark) {
			return false
		}
	}
	any := func(set bool, fits bool) bool { return !set || fits }
	return any(q.Number != 0, t.Number == q.Number) && any(q.Estate != "", t.Place.Estate == q.Estate) && any(q.Building != 0, t.Place.Building == q.Building) &&
		any(q.Landmark != "", t.Place.Landmark == q.Landmark) && any(q.Grids != nil, slices.Contains(q.Grids, t.Place.Grid)) &&
		any(q.Reporters != nil || q.Owners != nil, slices.Contains(q.Reporters, t.Reporter) || slices.Contains(q.Owners, t.Owner)) &&
		any(q.States != nil, slices.Contains(q.States, t.State)) && any(q.Kind != "", t.Kind == q.Kind) && any(q.Categories != nil, slices.Contains(q.Categories, t.Category)) &&
		any(q.Severity != "", t.Severity == q.Severity) && any(q.Source != "", t.Source == q.Source) && any(q.Late, t.IsLate()) && t.Level >= q.Level &&
		any(!q.From.IsZero(), !t.FiledAt.Before(q.From)) && any(!q.Until.IsZero(), t.FiledAt.Before(q.Until))
}

// A search that fits hardly anything stops, and goes on from where it was.
func TestSearchIsBounded(t *testing.T) {
	s := newStore(t)
	const many = mostLooked + 5000
	_, err := s.pool.Exec(ctx(t), `INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, filed_at, ended_at, body)
		SELECT $1, 1000 + i, 1, CASE i WHEN 1 THEN 'cancelled' ELSE 'closed' END, '', 'incident', '', 'minor', 'G1', 1, 0, 7, $2::timestamptz + i * interval '1 second', $2,
			jsonb_build_object('community', $1::text, 'number', 1000 + i, 'state', CASE i WHEN 1 THEN 'cancelled' ELSE 'closed' END) FROM generate_series(1, $3::int) i`, here, noon, many)
	must(t, err)
	q := desk.Query{States: []workflow.State{workflow.Cancelled}}
	first, err := s.Search(ctx(t), here, q)
	must(t, err)
	if len(first.Tickets) != 0 || first.Next == 0 || first.Next > 1000+many-mostLooked+1 {
		t.Fatalf("%d tickets, next %d", len(first.Tickets), first.Next)
	}
	if got := searched(t, s, here, q); !slices.Equal(got, []int64{1001}) {
		t.Errorf("page by page: %v", got)
	}
}

func TestOldTicketsGetTheirWords(t *testing.T) {
	s := newStore(t)
	for i := range int64(openPage + 20) {
		store(t, s, filed(here, 1001+i, noon, workflow.Event{Text: fmt.Sprint("路灯坏了 ", i)}))
	}
	late := store(t, s, filed(there, 1001, noon, workflow.Event{Text: "漏水"}))
	_, err := s.pool.Exec(ctx(t), `DELETE FROM ticket_words; UPDATE community SET worded = 0`, pgx.QueryExecModeSimpleProtocol)
	must(t, err)
	late = store(t, s, then(late, workflow.Event{Type: workflow.EvSupplemented, Text: "更大了"})) // meanwhile
	if got := searched(t, s, here, desk.Query{Words: "路灯"}); len(got) != 0 {
		t.Fatalf("found without an index: %v", got)
	}
	cut, cancel := context.WithCancel(ctx(t))
	cancel()
	if s.wordOld(cut) == nil {
		t.Fatal("a cancelled run says that it is done")
	}
	must(t, s.wordOld(ctx(t)))
	must(t, s.wordOld(ctx(t)))
	if got := searched(t, s, here, desk.Query{Words: "路灯"}); len(got) != openPage+20 {
		t.Errorf("found %d", len(got))
	}
	if got := searched(t, s, there, desk.Query{Words: "漏水 更大"}); !slices.Equal(got, []int64{late.Ticket.Number}) {
		t.Errorf("what changed meanwhile: %v", got)
	}
	if n := count(t, s, "SELECT count(*) FROM community WHERE worded < 9223372036854775807"); n != 0 {
		t.Errorf("%d communities are not done", n)
	}
}

func TestOverdueLongestFirst(t *testing.T) {
	s := newStore(t)
	missed := func(tc desk.TicketChange, after time.Duration, clock workflow.Clock) desk.TicketChange {
		return store(t, s, then(tc, workflow.Event{Type: workflow.EvOverdue, Clock: clock, At: noon.Add(after)}))
	}
	at := func(number int64, grid string) desk.TicketChange {
		return store(t, s, filed(here, number, noon, workflow.Event{Place: &workflow.Place{Grid: grid}}))
	}
	missed(at(1001, "G1"), 3*time.Hour, workflow.ClockResponse)
	b := missed(at(1002, "G2"), time.Hour, workflow.ClockResponse)
	c := missed(at(1003, "G1"), 2*time.Hour, workflow.ClockResponse)
	missed(b, 5*time.Hour, workflow.ClockResolve) // longest all the same
	missed(at(1004, "G1"), time.Hour, workflow.ClockVisit)
	ended := missed(at(1005, "G1"), time.Hour, workflow.ClockResponse)
	store(t, s, then(ended, workflow.Event{Type: workflow.EvCancelled, To: workflow.Cancelled}))
	list := func(grid string, want ...int64) {
		t.Helper()
		got, err := s.Overdue(ctx(t), here, grid, 9)
		must(t, err)
		if !slices.Equal(numbersOfTickets(got), want) {
			t.Errorf("overdue in %q: %v, want %v", grid, numbersOfTickets(got), want)
		}
	}
	list("", 1002, 1003, 1001)
	list("G1", 1003, 1001)
	again := store(t, s, then(c, workflow.Event{Type: workflow.EvReopened, To: workflow.Classified, At: noon.Add(6 * time.Hour)}))
	list("G1", 1001)
	missed(again, 7*time.Hour, workflow.ClockResponse)
	list("G1", 1001, 1003)
}

func TestDayAndHandledAndRounds(t *testing.T) {
	s := newStore(t)
	yesterday := noon.AddDate(0, 0, -1)
	one := store(t, s, filed(here, 1001, noon, workflow.Event{Kind: workflow.Incident, Place: &workflow.Place{Grid: "G1"}}))
	two := store(t, s, filed(here, 1002, yesterday, workflow.Event{Kind: workflow.Incident}))
	old := store(t, s, filed(here, 1003, yesterday, workflow.Event{Place: &workflow.Place{Grid: "G1"}}))
	store(t, s, filed(there, 1004, noon, workflow.Event{}))
	one = store(t, s, then(one, workflow.Event{Type: workflow.EvAssigned, Owner: 8, To: workflow.Assigned}))
	one = store(t, s, then(one, workflow.Event{Type: workflow.EvAccepted, To: workflow.Accepted}))
	one = store(t, s, then(one, workflow.Event{Type: workflow.EvResolved, To: workflow.Resolved}))
	store(t, s, then(one, workflow.Event{Type: workflow.EvRated, Rating: workflow.Satisfied, To: workflow.Closed}))
	two = store(t, s, then(two, workflow.Event{Type: workflow.EvClaimed, Owner: 8, To: workflow.Accepted, At: yesterday}))
	two = store(t, s, then(two, workflow.Event{Type: workflow.EvResolved, To: workflow.Resolved, At: yesterday}))
	store(t, s, then(two, workflow.Event{Type: workflow.EvReopened, To: workflow.Assigned}))
	store(t, s, then(old, workflow.Event{Type: workflow.EvOverdue, Clock: workflow.ClockTray}))

	day, err := s.Day(ctx(t), here, noon, noon.Add(time.Hour))
	must(t, err)
	same(t, "day", desk.Day{
		DayCount: desk.DayCount{
			Filed: 1, Accepted: 1, Resolved: 1, Rated: 1, Reopened: 1, Open: 2, Late: 1,
			States: map[workflow.State]int{workflow.Assigned: 1, workflow.Received: 1}, Stands: map[workflow.Stand]int{workflow.WithNobody: 2},
		},
		Grids: map[string]desk.DayCount{
			"": {Reopened: 1, Open: 1, States: map[workflow.State]int{workflow.Assigned: 1}, Stands: map[workflow.Stand]int{workflow.WithNobody: 1}},
			"G1": {Filed: 1, Accepted: 1, Resolved: 1, Rated: 1, Open: 1, Late: 1,
				States: map[workflow.State]int{workflow.Received: 1}, Stands: map[workflow.Stand]int{workflow.WithNobody: 1}},
		},
	}, day)

	for i := range int64(5) { // of one moment
		three := store(t, s, filed(here, 1010+i, noon, workflow.Event{}))
		store(t, s, then(three, workflow.Event{Type: workflow.EvAssigned, Owner: 8, To: workflow.Assigned}))
	}
	var got []int64
	for before := int64(0); ; before = got[len(got)-1] {
		page, err := s.HandledBy(ctx(t), here, 8, before, 2)
		must(t, err)
		if len(page) == 0 {
			break
		}
		got = append(got, numbersOfTickets(page)...)
	}
	same(t, "handled", []int64{1014, 1013, 1012, 1011, 1010, 1001}, got)

	var rounds []workflow.Round
	for i, grid := range []string{"G1", "G2", "G1", "G3"} {
		rounds = append(rounds, workflow.Round{ID: fmt.Sprint("r", i), Community: here, Kind: workflow.Patrol, By: 8, Place: workflow.Place{Grid: grid}, Text: "看了看", At: noon.Add(time.Duration(i) * time.Hour)})
	}
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Rounds: rounds}))
	since, err := s.RoundsSince(ctx(t), here, []string{"G1", "G2"}, noon.Add(time.Hour), 9)
	must(t, err)
	same(t, "rounds", []workflow.Round{rounds[2], rounds[1]}, since)
}

// residentsSay gives what residents write, from the samples that the desk learns from.
func residentsSay(t testing.TB) func(*rand.Rand) string {
	var all []string
	for _, name := range []string{"everyday", "everyday-b", "incidents-a", "incidents-b", "incidents-c"} {
		data, err := os.ReadFile("../../configs/samples/" + name + ".tsv")
		must(t, err)
		for line := range strings.Lines(string(data)) {
			said, _, _ := strings.Cut(line, "\t")
			all = append(all, said)
		}
	}
	return func(r *rand.Rand) string {
		said := all[r.IntN(len(all))]
		if r.IntN(2) == 0 {
			said = fmt.Sprintf("%d号楼%d单元%s", 1+r.IntN(40), 1+r.IntN(6), said)
		}
		if r.IntN(4) == 0 {
			said += "，" + all[r.IntN(len(all))]
		}
		return said
	}
}

// BenchmarkWordsOfACommit is what intake pays for being found: the same commits
// in turn to a record with the tables and indexes of the search and to one
// without. Its figure is the share of time more.
func BenchmarkWordsOfACommit(b *testing.B) {
	with, without := newStore(b), newStore(b)
	matter, all := residentsSay(b), writes
	defer func() { writes = all }()
	_, err := without.pool.Exec(ctx(b), `DROP TABLE ticket_words; DROP INDEX ticket_handled, ticket_late`, pgx.QueryExecModeSimpleProtocol)
	must(b, err)
	var spent [2]time.Duration
	const callers, each = 64, 20
	n := int64(1000)
	for b.Loop() {
		turns := []*Store{without, with}
		if n%2 == 1 {
			slices.Reverse(turns)
		}
		n++
		for _, s := range turns {
			if writes = all; s == without { // both stores are idle now
				writes = all[:len(all)-1]
			}
			begun := time.Now()
			var callersDone sync.WaitGroup
			for c := range callers {
				callersDone.Go(func() {
					r := rand.New(rand.NewPCG(uint64(n), uint64(c)))
					for i := range each {
						number := n*callers*each + int64(c*each+i)
						at := noon.Add(time.Duration(number) * time.Second)
						tc := filed(here, number, at, workflow.Event{Text: matter(r), Kind: workflow.Incident, Category: "lighting", Severity: workflow.Minor, Reporter: 7,
							Source: workflow.SourceChat, Place: &workflow.Place{Estate: "东园", Building: 1 + r.IntN(40), Grid: "G1"}, Due: map[workflow.Clock]time.Time{workflow.ClockTray: at}})
						classified := then(tc, workflow.Event{Type: workflow.EvClassified, Kind: workflow.Incident, Category: "lighting", Severity: workflow.Minor, Place: &tc.Ticket.Place})
						assigned := then(classified, workflow.Event{Type: workflow.EvAssigned, Owner: 8, To: workflow.Assigned})
						assigned.Was, assigned.Events = 0, slices.Concat(tc.Events, classified.Events, assigned.Events)
						id := fmt.Sprint(number)
						if err := s.Commit(context.Background(), desk.Change{
							Community: here, Delivery: said(id), Talk: talked(workflow.PersonID(number), 0, `{"step":"place"}`),
							Tickets: []desk.TicketChange{assigned}, Pushes: []desk.Push{owed(id, 8), owed(id+"b", 9)},
						}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			callersDone.Wait()
			if s == with {
				spent[1] += time.Since(begun)
			} else {
				spent[0] += time.Since(begun)
			}
		}
	}
	per := float64(b.N * callers * each)
	b.ReportMetric(float64(spent[1]-spent[0])/float64(spent[0]), "more")
	b.ReportMetric(float64(spent[0].Microseconds())/per, "µs/commit-without")
	b.ReportMetric(float64(spent[1].Microseconds())/per, "µs/commit-with")
}

// BenchmarkSearch looks through a record of years; WISHDESK_BENCH_TICKETS says of
// how many tickets (20,000 where it is not set). It also tells how many old tickets
// get their words in a second.
func BenchmarkSearch(b *testing.B) {
	tickets, err := strconv.Atoi(cmp.Or(os.Getenv("WISHDESK_BENCH_TICKETS"), "20000"))
	must(b, err)
	s := newStore(b)
	matter, r := residentsSay(b), rand.New(rand.NewPCG(3, 4))
	c := context.Background()
	const years = 5 * 365 * 24 * time.Hour
	i := 0
	_, err = s.pool.CopyFrom(c, pgx.Identifier{"ticket"}, []string{"community", "number", "version", "state", "stand", "kind", "category", "severity", "grid", "level", "owner", "reporter", "next_due", "filed_at", "ended_at", "body"},
		pgx.CopyFromFunc(func() ([]any, error) {
			if i++; i > tickets {
				return nil, nil
			}
			at := noon.Add(-years + time.Duration(i)*(years/time.Duration(tickets)))
			t := workflow.Ticket{
				Community: here, Number: int64(1000 + i), Version: 1, State: workflow.Closed, Kind: workflow.Incident, Category: workflow.Category(fmt.Sprint("c", r.IntN(30))),
				Severity: workflow.Minor, Text: matter(r), Level: 1, Reporter: workflow.PersonID(r.IntN(5000)), Owner: workflow.PersonID(1 + r.IntN(60)), FiledAt: at, EndedAt: at,
				Place: workflow.Place{Estate: fmt.Sprint("园", r.IntN(6)), Building: 1 + r.IntN(40), Grid: fmt.Sprint("G", r.IntN(12))},
			}
			if r.IntN(200) == 0 {
				t.State = workflow.Cancelled
			}
			ended := &at
			if i > tickets-tickets/100 {
				t.State, t.Stand, ended, t.EndedAt = workflow.Assigned, workflow.WithOwner, nil, time.Time{}
			}
			if i == tickets/7 {
				t.Text = "屋顶上有只孔雀"
			}
			body, err := document(t)
			return []any{here, t.Number, t.Version, string(t.State), string(t.Stand), string(t.Kind), string(t.Category), string(t.Severity), t.Place.Grid, t.Level,
				int64(t.Owner), int64(t.Reporter), nil, at, ended, body}, err
		}))
	must(b, err)
	_, err = s.pool.Exec(c, `UPDATE community SET worded = 0 WHERE code = $1`, here)
	must(b, err)
	begun := time.Now()
	must(b, s.wordOld(c))
	b.Logf("%d old tickets, %.0f worded a second", tickets, float64(tickets)/time.Since(begun).Seconds())
	_, err = s.pool.Exec(c, "ANALYZE")
	must(b, err)
	var sizes string
	must(b, s.pool.QueryRow(c, `SELECT concat_ws(', ', 'ticket ' || pg_size_pretty(pg_table_size('ticket')), 'ticket_words ' || pg_size_pretty(pg_table_size('ticket_words')),
		'its index ' || pg_size_pretty(pg_relation_size('ticket_words_found')))`).Scan(&sizes))
	b.Log(sizes)
	for _, q := range []struct {
		name string
		desk.Query
	}{
		{"nothing", desk.Query{}},
		{"common word", desk.Query{Words: "楼道"}},
		{"one sign", desk.Query{Words: "灯"}},
		{"rare word", desk.Query{Words: "孔雀"}},
		{"no such word", desk.Query{Words: "骆驼"}},
		{"long text", desk.Query{Words: "屋顶上有只孔雀 园"}},
		{"word of an old month", desk.Query{Words: "楼道", From: noon.AddDate(-3, 0, 0), Until: noon.AddDate(-3, 1, 0)}},
		{"word and rare state", desk.Query{Words: "楼道", States: []workflow.State{workflow.Cancelled}}},
		{"word, place, category", desk.Query{Words: "灯", Estate: "园3", Building: 7, Categories: []workflow.Category{"c5"}}},
		{"word, open", desk.Query{Words: "楼道", States: []workflow.State{workflow.Assigned}}},
		{"place", desk.Query{Estate: "园3", Building: 7}},
		{"landmark unknown", desk.Query{Landmark: "老槐树"}},
		{"category and grid", desk.Query{Categories: []workflow.Category{"c5"}, Grids: []string{"G1", "G2"}}},
		{"state that nothing has", desk.Query{States: []workflow.State{workflow.Merged}}},
		{"open of a grid", desk.Query{Grids: []string{"G1"}, States: []workflow.State{workflow.Assigned}}},
		{"person", desk.Query{Reporters: []workflow.PersonID{77}, Owners: []workflow.PersonID{7}}},
		{"person and word", desk.Query{Owners: []workflow.PersonID{7}, Words: "孔雀"}},
		{"late", desk.Query{Late: true}},
	} {
		b.Run(q.name, func(b *testing.B) {
			found := 0
			for b.Loop() {
				page, err := s.Search(c, here, q.Query)
				must(b, err)
				found = len(page.Tickets)
			}
			b.ReportMetric(float64(found), "found")
		})
	}
}

// A record from before there was a search gets words, and since when promises
// are missed; going back leaves what was there.
func TestMigrateARecordFromBeforeTheSearch(t *testing.T) {
	url := freshURL(t)
	down := func() {
		must(t, migrations(ctx(t), url, func(p *goose.Provider) error { _, err := p.DownTo(ctx(t), 7); return err }))
	}
	down()
	s := openStore(t, url, nil)
	missed := noon.Add(3 * time.Hour)
	tc := filed(here, 1001, noon, workflow.Event{Text: "路灯坏了", Place: &workflow.Place{Grid: "G1"}})
	events := tc.Events
	for _, ev := range []workflow.Event{
		{Type: workflow.EvOverdue, Clock: workflow.ClockResponse, At: noon.Add(time.Hour)},
		{Type: workflow.EvReopened, To: workflow.Assigned, At: noon.Add(2 * time.Hour)},
		{Type: workflow.EvOverdue, Clock: workflow.ClockResponse, At: missed},
		{Type: workflow.EvOverdue, Clock: workflow.ClockResolve, At: missed.Add(time.Hour)},
	} {
		tc = then(tc, ev)
		events = append(events, tc.Events...)
	}
	ended := filed(here, 1002, noon, workflow.Event{Text: "路灯亮了", To: workflow.Cancelled}).Ticket
	promised := filed(here, 1003, noon, workflow.Event{Text: "门坏了", To: workflow.Assigned, Due: map[workflow.Clock]time.Time{
		workflow.ClockReminder: noon.Add(time.Minute), workflow.ClockResolve: noon.Add(2 * time.Hour), workflow.ClockResponse: noon.Add(time.Hour),
	}}).Ticket
	for _, old := range []workflow.Ticket{tc.Ticket, ended, promised} {
		body, err := document(old)
		must(t, err)
		_, err = s.pool.Exec(ctx(t), `INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, filed_at, ended_at, body)
			VALUES ($1, $2, $3, $4, '', '', '', '', $5, 1, 0, 0, $6, $7, $8::text::jsonb)`, here, old.Number, old.Version, string(old.State), old.Place.Grid, noon, moment(old.EndedAt), body)
		must(t, err)
	}
	for _, ev := range events {
		body, err := document(ev)
		must(t, err)
		_, err = s.pool.Exec(ctx(t), `INSERT INTO event (community, number, seq, type, at, body) VALUES ($1, 1001, $2, $3, $4, $5::text::jsonb)`, here, ev.Seq, string(ev.Type), ev.At, body)
		must(t, err)
	}
	s.Close()
	must(t, Migrate(ctx(t), url))
	s = openStore(t, url, nil)
	if got := searched(t, s, here, desk.Query{Words: "路灯"}); !slices.Equal(got, []int64{1002, 1001}) {
		t.Errorf("found %v", got)
	}
	if got := searched(t, s, here, desk.Query{Late: true}); !slices.Equal(got, []int64{1001}) {
		t.Errorf("late: %v", got)
	}
	var since time.Time
	must(t, s.pool.QueryRow(ctx(t), "SELECT late_since FROM ticket WHERE number = 1001").Scan(&since))
	same(t, "late since", missed, since)
	for n, want := range map[int64]*time.Time{1001: &missed, 1002: nil, 1003: moment(noon.Add(time.Hour))} {
		var pressing *time.Time
		must(t, s.pool.QueryRow(ctx(t), "SELECT pressing FROM ticket WHERE number = $1", n).Scan(&pressing))
		same(t, "pressing", want, pressing)
	}
	if pending, err := Pending(ctx(t), url); err != nil || len(pending) != 0 {
		t.Errorf("pending %v, %v", pending, err)
	}
	s.Close()
	down()
	must(t, Migrate(ctx(t), url))
}
