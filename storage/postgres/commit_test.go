package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func TestAChangeIsStoredWhole(t *testing.T) {
	s := newStore(t)
	tc := opened(here, 1001)
	ch := desk.Change{
		Community: here, Delivery: said("d1"),
		NewPerson: &workflow.Person{ID: 7, Community: here, OpenID: "o7"},
		Following: &desk.Following{Person: 7, Yes: true},
		Home:      &desk.Home{Person: 7, Place: workflow.Place{Estate: "东园", Building: 3}},
		Talk:      talked(7, 0, `{"step":"\u0000place\n"}`),
		Tickets:   []desk.TicketChange{tc},
		Pushes:    []desk.Push{owed("p1", 8), owed("p2", 9)},
		Media:     []desk.MediaFile{{ID: "m1", Person: 7, WeChatID: "w1", Type: "image", CreatedAt: noon}},
		Attach:    []desk.Attach{{Number: 1001, IDs: []string{"m1"}}},
	}
	ch.Talk.LastMessageAt = noon
	must(t, s.Commit(ctx(t), ch))

	got, err := s.Ticket(ctx(t), here, 1001)
	must(t, err)
	same(t, "ticket", tc.Ticket, got)
	events, err := s.Events(ctx(t), here, 1001)
	must(t, err)
	same(t, "events", tc.Events, events)
	p, ok, err := s.PersonByOpenID(ctx(t), here, "o7")
	must(t, err)
	same(t, "person", workflow.Person{ID: 7, Community: here, OpenID: "o7", Following: true, Home: ch.Home.Place}, p)
	d, ok2, err := s.Delivered(ctx(t), here, "d1")
	must(t, err)
	same(t, "delivery", *ch.Delivery, d)
	if !ok || !ok2 {
		t.Fatal("person or delivery is missing")
	}
	state, version, err := s.Talk(ctx(t), here, 7)
	must(t, err)
	same(t, "talk", string(ch.Talk.State), string(state))
	same(t, "talk's version", int64(1), version)
	m, err := s.Media(ctx(t), here, "m1")
	must(t, err)
	same(t, "media's ticket", int64(1001), m.Number)
	owing, err := s.OwedPushes(ctx(t), here, noon, 9)
	must(t, err)
	same(t, "pushes", []string{"p1", "p2"}, column(owing, func(p desk.Push) string { return p.Key }))

	if _, err := s.Ticket(ctx(t), there, 1001); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Fatalf("the other community sees the ticket: %v", err)
	}
}

func TestWhatDoesNotFitIsNotStoredAtAll(t *testing.T) {
	s := newStore(t)
	first := opened(here, 1001)
	must(t, s.Commit(ctx(t), desk.Change{
		Community: here, Delivery: said("d1"), Talk: talked(7, 0, `1`), Tickets: []desk.TicketChange{first},
		NewPerson: &workflow.Person{ID: 7, Community: here, OpenID: "o7"},
	}))
	for name, c := range map[string]struct {
		want error
		make func(*desk.Change)
	}{
		"delivery seen":           {desk.ErrSeen, func(ch *desk.Change) { ch.Delivery = said("d1") }},
		"seen comes before stale": {desk.ErrSeen, func(ch *desk.Change) { ch.Delivery = said("d1"); ch.Talk = talked(7, 5, `2`) }},
		"talk moved on":           {desk.ErrStale, func(ch *desk.Change) { ch.Talk = talked(7, 0, `2`) }},
		"talk not there":          {desk.ErrStale, func(ch *desk.Change) { ch.Talk = talked(8, 3, `2`) }},
		"ticket moved on":         {desk.ErrStale, func(ch *desk.Change) { ch.Tickets = append(ch.Tickets, opened(here, 1001)) }},
		"ticket not there": {desk.ErrStale, func(ch *desk.Change) {
			ch.Tickets = append(ch.Tickets, noted(opened(here, 1005).Ticket, "x"))
		}},
		"openid taken": {desk.ErrStale, func(ch *desk.Change) {
			ch.NewPerson = &workflow.Person{ID: 70, Community: here, OpenID: "o7"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ch := desk.Change{
				Community: here, Delivery: said("other"), Tickets: []desk.TicketChange{opened(here, 1002)},
				Pushes: []desk.Push{owed("p", 8)}, Media: []desk.MediaFile{{ID: "m", CreatedAt: noon}},
			}
			c.make(&ch)
			if err := s.Commit(ctx(t), ch); !errors.Is(err, c.want) {
				t.Fatalf("want %v, got %v", c.want, err)
			}
			for table, want := range map[string]int{"message": 1, "ticket": 1, "event": 1, "push": 0, "media": 0, "person": 1, "talk": 1} {
				if n := count(t, s, "SELECT count(*) FROM "+table); n != want {
					t.Errorf("%s has %d rows, want %d", table, n, want)
				}
			}
		})
	}
	// The same in the other community is another thing.
	must(t, s.Commit(ctx(t), desk.Change{
		Community: there, Delivery: said("d1"), Talk: talked(7, 0, `1`), Tickets: []desk.TicketChange{opened(there, 1001)},
	}))
}

func TestAMalformedChangeIsRefused(t *testing.T) {
	s := newStore(t)
	for name, spoil := range map[string]func(*desk.Change){
		"another community": func(ch *desk.Change) { ch.Tickets[0].Ticket.Community = there },
		"version":           func(ch *desk.Change) { ch.Tickets[0].Ticket.Version = 9 },
		"no events":         func(ch *desk.Change) { ch.Tickets[0].Events = nil },
		"order of events":   func(ch *desk.Change) { ch.Tickets[0].Events[0].Seq = 4 },
		"twice":             func(ch *desk.Change) { ch.Tickets = append(ch.Tickets, opened(here, 1001)) },
	} {
		ch := desk.Change{Community: here, Tickets: []desk.TicketChange{opened(here, 1001)}}
		spoil(&ch)
		if err := s.Commit(ctx(t), ch); !errors.As(err, new(*Error)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := count(t, s, "SELECT count(*) FROM event"); n != 0 {
		t.Errorf("%d events were stored", n)
	}
}

// batchOf commits changes in one batch and gives their answers.
func batchOf(s *Store, changes ...desk.Change) []error {
	batch := make([]*asked[*desk.Change], len(changes))
	for i := range changes {
		batch[i] = &asked[*desk.Change]{ctx: context.Background(), what: &changes[i], answer: make(chan error, 1)}
	}
	s.changes.do(batch)
	answers := make([]error, len(batch))
	for i, a := range batch {
		answers[i] = <-a.answer
	}
	return answers
}

func TestChangesOfOneBatchSeeEachOther(t *testing.T) {
	s := newStore(t)
	first := opened(here, 1001)
	second := noted(first.Ticket, "还有一盏")
	third := noted(second.Ticket, "又一盏")
	one := func(tc desk.TicketChange) desk.Change {
		return desk.Change{Community: here, Tickets: []desk.TicketChange{tc}}
	}
	person := func(id workflow.PersonID) desk.Change {
		return desk.Change{Community: here, NewPerson: &workflow.Person{ID: id, Community: here, OpenID: "o"}, Delivery: said(fmt.Sprint("p", id))}
	}
	click := desk.Change{Community: here, Talk: talked(7, 0, `"a"`)}
	click.Talk.LastClickAt = noon
	got := batchOf(s,
		one(first), one(second), one(noted(first.Ticket, "zu spät")), one(third),
		desk.Change{Community: here, Delivery: said("d")}, desk.Change{Community: here, Delivery: said("d")},
		desk.Change{Community: there, Delivery: said("d")},
		person(7), person(8),
		click, desk.Change{Community: here, Talk: talked(7, 1, `"b"`)}, desk.Change{Community: here, Talk: talked(7, 1, `"c"`)},
		desk.Change{Community: here, Pushes: []desk.Push{owed("p", 7)}}, desk.Change{Community: here, Pushes: []desk.Push{owed("p", 8)}},
	)
	want := []error{nil, nil, desk.ErrStale, nil, nil, desk.ErrSeen, nil, nil, desk.ErrStale, nil, nil, desk.ErrStale, nil, nil}
	for i := range want {
		if !errors.Is(got[i], want[i]) {
			t.Errorf("change %d: want %v, got %v", i, want[i], got[i])
		}
	}
	ticket, err := s.Ticket(ctx(t), here, 1001)
	must(t, err)
	same(t, "ticket", third.Ticket, ticket)
	events, err := s.Events(ctx(t), here, 1001)
	must(t, err)
	same(t, "replayed", ticket, workflow.Replay(here, 1001, events))
	state, version, err := s.Talk(ctx(t), here, 7)
	must(t, err)
	same(t, "talk", `2 "b"`, fmt.Sprint(version, " ", string(state)))
	c, err := s.Contact(ctx(t), here, 7)
	must(t, err)
	same(t, "click", noon, c.LastClickAt)
	p, _, err := s.TakePush(ctx(t), here, "p", noon, 1)
	must(t, err)
	same(t, "the first push stands", workflow.PersonID(7), p.Person)
}

func TestOneBadChangeFailsAlone(t *testing.T) {
	s := newStore(t)
	bad := map[string]desk.Change{
		"no such community": {Community: "nowhere", Tickets: []desk.TicketChange{opened("nowhere", 1001)}, Delivery: said("bad")},
		"state is no JSON":  {Community: here, Talk: talked(7, 0, `{`), Delivery: said("bad")},
		"person ID taken":   {Community: here, NewPerson: &workflow.Person{ID: 1, Community: here, OpenID: "x"}, Delivery: said("bad")},
		"delivery with NUL": {Community: here, Delivery: said("bad\x00")},
		"time out of range": {Community: here, Delivery: said("bad"), Tickets: []desk.TicketChange{opened(here, 1400, func(t *workflow.Ticket) { t.FiledAt = t.FiledAt.AddDate(400000, 0, 0) })}},
	}
	must(t, s.Commit(ctx(t), desk.Change{Community: here, NewPerson: &workflow.Person{ID: 1, Community: here, OpenID: "o1"}}))
	n := int64(1001)
	for name, ch := range bad {
		good := func() desk.Change {
			n++
			return desk.Change{Community: here, Delivery: said(fmt.Sprint(n)), Tickets: []desk.TicketChange{opened(here, n)}}
		}
		got := batchOf(s, good(), ch, good())
		if got[0] != nil || got[2] != nil {
			t.Errorf("%s: the good ones got %v and %v", name, got[0], got[2])
		}
		var e *Error
		if !errors.As(got[1], &e) || strings.Contains(e.Error(), "bad") {
			t.Errorf("%s: got %v", name, got[1])
		}
	}
	if have := count(t, s, "SELECT count(*) FROM message WHERE delivery LIKE 'bad%'"); have != 0 {
		t.Errorf("%d bad changes left a message", have)
	}
	if have := count(t, s, "SELECT count(*) FROM ticket"); have != 2*len(bad) {
		t.Errorf("%d tickets, want %d", have, 2*len(bad))
	}
}

func TestNULsAndBrokenTextAreTaken(t *testing.T) {
	s := newStore(t)
	tc := opened(here, 1001)
	tc.Ticket.Text, tc.Events[0].Text = "a\x00b\\u0000\xff", "a\x00b\\u0000\xff"
	d := said("d")
	d.Text = "a\x00b\\u0000\xff"
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Delivery: d, Tickets: []desk.TicketChange{tc}}))
	got, err := s.Ticket(ctx(t), here, 1001)
	must(t, err)
	same(t, "ticket", "ab\\u0000\uFFFD", got.Text)
	events, err := s.Events(ctx(t), here, 1001)
	must(t, err)
	same(t, "replayed", got, workflow.Replay(here, 1001, events))
	stored, _, err := s.Delivered(ctx(t), here, "d")
	must(t, err)
	same(t, "message", "ab\\u0000\uFFFD", stored.Text)
}

// roundTrips counts the batches sent to the server.
type roundTrips struct{ n atomic.Int64 }

func (r *roundTrips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	r.n.Add(1)
	return ctx
}
func (r *roundTrips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (r *roundTrips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}
func (r *roundTrips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	r.n.Add(1)
	return ctx
}
func (r *roundTrips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestManyChangesShareOneTransaction(t *testing.T) {
	var trips roundTrips
	s := openStore(t, freshURL(t), func(c *pgxpool.Config) { c.ConnConfig.Tracer = &trips })
	changes := make([]desk.Change, maxBatch)
	for i := range changes {
		n := int64(1001 + i)
		changes[i] = desk.Change{
			Community: here, Delivery: said(fmt.Sprint(n)), Talk: talked(workflow.PersonID(n), 0, `{}`),
			NewPerson: &workflow.Person{ID: workflow.PersonID(n), Community: here, OpenID: fmt.Sprint("o", n)},
			Tickets:   []desk.TicketChange{opened(here, n)}, Pushes: []desk.Push{owed(fmt.Sprint(n), 8)},
		}
	}
	for i, err := range batchOf(s, changes...) {
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	if n := trips.n.Load(); n != 2 {
		t.Errorf("%d changes took %d round trips, want 2", maxBatch, n)
	}
	if n := count(t, s, "SELECT count(DISTINCT xmin::text) FROM (SELECT xmin FROM ticket UNION ALL SELECT xmin FROM message) x"); n != 1 {
		t.Errorf("they took %d transactions", n)
	}
}

func TestWhatArrivesMeanwhileGathers(t *testing.T) {
	s := &together[int]{asked: make(chan *asked[int], 200)}
	for range 199 {
		s.asked <- &asked[int]{}
	}
	if n := len(s.gather(&asked[int]{})); n != maxBatch {
		t.Errorf("the first batch has %d", n)
	}
	if n := len(s.gather(<-s.asked)); n != 200-maxBatch {
		t.Errorf("the second batch has %d", n)
	}
}

// Two replicas and many callers: whatever comes between, each ticket moves
// once for each caller who was told so, a delivery counts once, and nobody
// gets a fault.
func TestReplicasRace(t *testing.T) {
	url := freshURL(t)
	stores := []*Store{openStore(t, url, nil), openStore(t, url, nil)}
	const tickets, callers, rounds = 4, 12, 15
	for n := range int64(tickets) {
		must(t, stores[0].Commit(ctx(t), desk.Change{Community: here, Tickets: []desk.TicketChange{opened(here, 1001+n)}}))
	}
	var moved [tickets]atomic.Int64
	var taken, talks, deliveries atomic.Int64
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			s := stores[c%2]
			for r := range rounds {
				n := rand.IntN(tickets)
				ticket, err := s.Ticket(ctx(t), here, int64(1001+n))
				if err != nil {
					t.Error(err)
					return
				}
				other, err := s.Ticket(ctx(t), here, int64(1001+(n+1)%tickets))
				if err != nil {
					t.Error(err)
					return
				}
				err = s.Commit(ctx(t), desk.Change{Community: here, Tickets: []desk.TicketChange{noted(ticket, "a"), noted(other, "b")}})
				if err == nil {
					moved[n].Add(1)
					moved[(n+1)%tickets].Add(1)
				} else if !errors.Is(err, desk.ErrStale) {
					t.Error(err)
				}
				// A first message, delivered to everybody at once.
				err = s.Commit(ctx(t), desk.Change{
					Community: here, Delivery: said(fmt.Sprint("d", r)), Pushes: []desk.Push{owed(fmt.Sprint("k", r), 1), owed("all", 1)},
				})
				if err == nil {
					deliveries.Add(1)
				} else if !errors.Is(err, desk.ErrSeen) {
					t.Error(err)
				}
				err = s.Commit(ctx(t), desk.Change{
					Community: here, NewPerson: &workflow.Person{ID: workflow.PersonID(1000*c + r + 1), Community: here, OpenID: fmt.Sprint("o", r)},
				})
				if err == nil {
					taken.Add(1)
				} else if !errors.Is(err, desk.ErrStale) {
					t.Error(err)
				}
				err = s.Commit(ctx(t), desk.Change{Community: here, Talk: talked(workflow.PersonID(r+1), 0, `{}`)})
				if err == nil {
					talks.Add(1)
				} else if !errors.Is(err, desk.ErrStale) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for n := range tickets {
		ticket, err := stores[0].Ticket(ctx(t), here, int64(1001+n))
		must(t, err)
		if ticket.Version != 1+moved[n].Load() {
			t.Errorf("ticket %d has version %d after %d moves", n, ticket.Version, moved[n].Load())
		}
		events, err := stores[0].Events(ctx(t), here, ticket.Number)
		must(t, err)
		same(t, "replayed", ticket, workflow.Replay(here, ticket.Number, events))
	}
	for what, n := range map[string]int64{"deliveries": deliveries.Load(), "people": taken.Load(), "talks": talks.Load()} {
		if n != rounds {
			t.Errorf("%d %s were stored, want %d", n, what, rounds)
		}
	}
	if n := count(t, stores[0], "SELECT count(*) FROM push"); n != rounds+1 {
		t.Errorf("%d pushes, want %d", n, rounds+1)
	}
}

func TestACallerMayLeave(t *testing.T) {
	s := newStore(t)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Commit(gone, desk.Change{Community: here, Delivery: said("d")}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	// While the committer is held up by a lock, a caller leaves; the change
	// is stored, and asking again says so.
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Tickets: []desk.TicketChange{opened(here, 1001)}}))
	tx, err := s.pool.Begin(ctx(t))
	must(t, err)
	_, err = tx.Exec(ctx(t), "SELECT 1 FROM ticket FOR UPDATE")
	must(t, err)
	leaving, leave := context.WithCancel(context.Background())
	ch := desk.Change{Community: here, Delivery: said("late"), Tickets: []desk.TicketChange{noted(opened(here, 1001).Ticket, "x")}}
	left := make(chan error)
	go func() { left <- s.Commit(leaving, ch) }()
	for count(t, s, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM ticket t%FOR UPDATE%' AND pid <> pg_backend_pid()") == 0 {
		if ctx(t).Err() != nil {
			t.Fatal("the committer never waited")
		}
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	must(t, tx.Commit(ctx(t)))
	if err := s.Commit(ctx(t), ch); !errors.Is(err, desk.ErrSeen) {
		t.Fatalf("asking again: %v", err)
	}
}

func TestClosedStore(t *testing.T) {
	url := freshURL(t)
	s := openStore(t, url, nil)
	const callers = 40
	answers := make(chan error, callers)
	for i := range callers {
		go func() {
			answers <- s.Commit(ctx(t), desk.Change{Community: here, Delivery: said(fmt.Sprint(i))})
		}()
	}
	stored := 0
	if err := <-answers; err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	stored++
	for range callers - 1 {
		if err := <-answers; err == nil {
			stored++
		} else if !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	again := openStore(t, url, nil)
	if n := count(t, again, "SELECT count(*) FROM message"); n != stored {
		t.Errorf("%d callers were told that it is stored, %d are", stored, n)
	}
	if err := s.Commit(ctx(t), desk.Change{Community: here}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// BenchmarkCommit is intake as it comes from the webhook: a delivery, a talk,
// a ticket, two pushes.
func BenchmarkCommit(b *testing.B) {
	s := newStore(b)
	var n atomic.Int64
	b.SetParallelism(64)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := 1000 + n.Add(1)
			if err := s.Commit(context.Background(), desk.Change{
				Community: here, Delivery: said(fmt.Sprint(i)), Talk: talked(workflow.PersonID(i), 0, `{"step":"place"}`),
				Tickets: []desk.TicketChange{opened(here, i)}, Pushes: []desk.Push{owed(fmt.Sprint(i), 8), owed(fmt.Sprint(i, "b"), 9)},
			}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
