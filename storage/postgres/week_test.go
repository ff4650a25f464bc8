package postgres

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// history writes n tickets of a year that ends now, each with a life of its own,
// as the machine would have written them.
func history(t testing.TB, s *Store, n int, now time.Time) {
	t.Helper()
	dice := rand.New(rand.NewPCG(7, 11)) // the same history every time
	step := 365 * 24 * time.Hour / time.Duration(n)
	categories := []workflow.Category{"facilities", "drainage", "sanitation", "parking", "noise"}
	type row struct {
		ticket workflow.Ticket
		events []workflow.Event
	}
	life := func(i int) row {
		tk := workflow.Ticket{Community: here, Number: int64(10_000 + i), State: workflow.Accepted, Kind: workflow.Incident, Category: categories[dice.IntN(len(categories))],
			Severity: workflow.Minor, Text: "楼道灯不亮了,晚上上下楼看不见,老人走着不安全", Reporter: workflow.PersonID(1000 + dice.IntN(5000)), Owner: workflow.PersonID(1 + dice.IntN(3)), Level: 1,
			Place: workflow.Place{Estate: "东园", Building: 1 + dice.IntN(4), Unit: 1 + dice.IntN(4), Room: strconv.Itoa(101 + dice.IntN(400)), Grid: "G1"}, FiledAt: now.Add(-time.Duration(n-i) * step).Truncate(time.Microsecond)}
		if dice.IntN(6) == 0 {
			tk.Kind, tk.Category = workflow.Wish, "elderly"
		}
		var events []workflow.Event
		when := tk.FiledAt
		add := func(ev workflow.EventType, after time.Duration, f func(*workflow.Event)) {
			if when = when.Add(after); when.After(now) {
				return
			}
			e := workflow.Event{Seq: int64(len(events) + 1), At: when, Type: ev}
			if f != nil {
				f(&e)
			}
			events = append(events, e)
		}
		minutes := func(most int) time.Duration { return time.Duration(1+dice.IntN(most)) * time.Minute }
		add(workflow.EvFiled, 0, nil)
		add(workflow.EvClassified, 0, nil)
		add(workflow.EvAssigned, 0, nil)
		for range 1 + dice.IntN(2)*dice.IntN(2) {
			if dice.IntN(8) == 0 {
				add(workflow.EvOverdue, time.Hour, func(e *workflow.Event) { e.Clock = workflow.ClockResponse })
			}
			add(workflow.EvAccepted, minutes(55), nil)
			if dice.IntN(10) == 0 {
				add(workflow.EvOverdue, 48*time.Hour, func(e *workflow.Event) { e.Clock = workflow.ClockResolve })
			}
			add(workflow.EvResolved, minutes(60*40), nil)
			tk.State, tk.ResolvedAt = workflow.Resolved, when
			switch dice.IntN(12) {
			case 0:
				add(workflow.EvReopened, minutes(60*100), func(e *workflow.Event) { e.Rating = workflow.Unsatisfied })
				tk.State = workflow.Assigned
			case 1, 2, 3:
				add(workflow.EvClosedByTime, 72*time.Hour, nil)
				tk.State = workflow.Closed
			default:
				add(workflow.EvRated, minutes(60*60), func(e *workflow.Event) {
					e.Rating = []workflow.Rating{workflow.Satisfied, workflow.Satisfied, workflow.Fair}[dice.IntN(3)]
				})
				tk.State = workflow.Closed
			}
			if tk.State != workflow.Assigned {
				break
			}
		}
		switch dice.IntN(20) {
		case 0:
			add(workflow.EvMerged, 0, nil)
			tk.State = workflow.Merged
		case 1:
			add(workflow.EvCancelled, 0, nil)
			tk.State = workflow.Cancelled
		}
		if when.After(now) { // its last step is still to come
			tk.State = workflow.Accepted
		}
		if !tk.State.Open() {
			tk.EndedAt = when
		}
		tk.Outside, tk.Version = dice.IntN(7) == 0, int64(len(events))
		return row{tk, events}
	}
	for from := 0; from < n; from += 5000 {
		var tickets, events [][]any
		for i := from; i < min(from+5000, n); i++ {
			r := life(i)
			body, err := json.Marshal(r.ticket)
			must(t, err)
			var ended, resolved *time.Time
			if !r.ticket.State.Open() {
				ended = &r.ticket.EndedAt
			}
			if r.ticket.State == workflow.Resolved || r.ticket.State == workflow.Closed {
				resolved = &r.ticket.ResolvedAt
			}
			tickets = append(tickets, []any{here, r.ticket.Number, r.ticket.Version, string(r.ticket.State), "", string(r.ticket.Kind), string(r.ticket.Category), "minor", "G1", int16(1),
				int64(r.ticket.Owner), int64(r.ticket.Reporter), r.ticket.FiledAt, ended, body, r.ticket.Outside, resolved})
			for _, e := range r.events {
				data, err := json.Marshal(e)
				must(t, err)
				events = append(events, []any{here, r.ticket.Number, e.Seq, string(e.Type), e.At, data})
			}
		}
		_, err := s.pool.CopyFrom(ctx(t), pgx.Identifier{"ticket"}, []string{"community", "number", "version", "state", "stand", "kind", "category", "severity", "grid", "level",
			"owner", "reporter", "filed_at", "ended_at", "body", "outside", "resolved_at"}, pgx.CopyFromRows(tickets))
		must(t, err)
		_, err = s.pool.CopyFrom(ctx(t), pgx.Identifier{"event"}, []string{"community", "number", "seq", "type", "at", "body"}, pgx.CopyFromRows(events))
		must(t, err)
	}
	_, err := s.pool.Exec(ctx(t), "ANALYZE ticket, event")
	must(t, err)
}

// recount counts a week plainly: every event of every ticket, one by one, by
// other code and another way of asking.
func recount(t *testing.T, s *Store, from, until time.Time) map[string]int {
	t.Helper()
	found, err := s.pool.Query(ctx(t), `SELECT t.number, t.state, t.kind, e.type, e.at, coalesce(e.body->>'clock', ''), coalesce(e.body->>'rating', '')
		FROM ticket t JOIN event e USING (community, number) WHERE t.community = $1 ORDER BY t.number, e.seq`, here)
	must(t, err)
	defer found.Close()
	out := map[string]int{}
	in := func(at time.Time) bool { return !at.Before(from) && at.Before(until) }
	var number, last int64
	var state, kind, typ, clock, rating, lastState, verdict string
	var at time.Time
	var answered, settled, answeredWell, solved, isAnswered, isSettled, roundIn, filedIn bool
	var lastKind string
	end := func() {
		switch {
		case last == 0:
		case lastState == "merged" || lastState == "cancelled":
			if filedIn {
				out[lastState]++
			}
		default:
			if answered {
				out["response of"]++
				if answeredWell {
					out["response"]++
				}
			}
			if settled {
				out["resolution of"]++
				if solved && (lastState == "resolved" || lastState == "closed") {
					out["resolution"]++
				}
			}
			if verdict != "" {
				out["satisfaction of"]++
				if verdict != "unsatisfied" {
					out["satisfaction"]++
				}
			}
		}
		if filedIn {
			out[lastKind]++
		}
		answered, settled, answeredWell, solved, verdict, filedIn = false, false, false, false, "", false
	}
	for found.Next() {
		must(t, found.Scan(&number, &state, &kind, &typ, &at, &clock, &rating))
		if number != last {
			end()
			last, lastState, lastKind = number, state, kind
		}
		switch typ {
		case "filed", "reopened", "split":
			isAnswered, isSettled, roundIn = false, false, false
			if typ == "filed" {
				filedIn = in(at)
			} else {
				solved = false // what was resolved before does not stand
			}
			if typ == "reopened" && rating != "" && in(at) {
				verdict = rating
			}
		case "rated":
			if in(at) {
				verdict = rating
			}
		case "accepted", "claimed", "resolved":
			if !isAnswered {
				isAnswered = true
				if in(at) {
					answered, answeredWell = true, true
				}
			}
			if typ == "resolved" {
				if !isSettled {
					isSettled = true
					roundIn = in(at)
					if roundIn {
						settled, solved = true, true
					}
				} else if roundIn { // late, after the promise had run out in the week
					solved = true
				}
			}
		case "overdue":
			if clock == "response" && !isAnswered {
				isAnswered = true
				if in(at) {
					answered, answeredWell = true, false
				}
			}
			if clock == "resolve" && !isSettled {
				isSettled = true
				if roundIn = in(at); roundIn {
					settled, solved = true, false
				}
			}
		}
	}
	must(t, found.Err())
	end()
	return out
}

func figuresOf(f digest.Figures) map[string]int {
	out := map[string]int{}
	for name, n := range map[string]int{
		"incident": f.Incidents, "wish": f.Wishes, "merged": f.Merged, "cancelled": f.Cancelled,
		"response of": f.Response.Of, "response": f.Response.Good, "resolution of": f.Resolution.Of, "resolution": f.Resolution.Good,
		"satisfaction of": f.Satisfaction.Of, "satisfaction": f.Satisfaction.Good,
	} {
		if n != 0 {
			out[name] = n
		}
	}
	return out
}

// A year of tickets: 30,000, or as many as WISHDESK_TEST_TICKETS says (a million
// takes minutes to write). The digest's figures equal a plain recount.
func TestADigestEqualsAPlainRecount(t *testing.T) {
	n := 30_000
	if v := os.Getenv("WISHDESK_TEST_TICKETS"); v != "" {
		var err error
		n, err = strconv.Atoi(v)
		must(t, err)
	}
	s := newStore(t)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	began := time.Now()
	history(t, s, n, now)
	t.Logf("%d tickets written in %s", n, time.Since(began).Round(time.Millisecond))
	shape, err := s.Shape(ctx(t), here)
	must(t, err)
	week := digest.Week{Year: 2026, Number: 46}
	began = time.Now()
	d, err := digest.Make(ctx(t), s, shape.Community, shape.Roster, week, now, nil)
	must(t, err)
	t.Logf("the digest of %s in %s", week, time.Since(began).Round(time.Millisecond))
	for w, f := range map[digest.Week]digest.Figures{week: d.Now, week.Before(): d.Before} {
		from, until := w.Range(shape.Community.Location())
		if want, got := recount(t, s, from, until), figuresOf(f); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the digest says %v, a recount %v", w, got, want)
		}
	}
	if d.Now.Response.Of < n/60 || d.Now.Resolution.Good == d.Now.Resolution.Of || len(d.HotSpots) == 0 || len(d.Findings) == 0 {
		t.Errorf("the history is too thin to show anything: %+v", d.Now)
	}
}

func TestADigestIsKeptAsItWasSent(t *testing.T) {
	s := newStore(t)
	for _, n := range []int{46, 45} {
		d := digest.Digest{Community: here, Week: digest.Week{Year: 2026, Number: n}, MadeAt: noon, Now: digest.Figures{Incidents: n}}
		if ok, err := s.KeepDigest(ctx(t), d); err != nil || !ok {
			t.Fatalf("%v %v", ok, err)
		}
		d.Now.Incidents = 0
		if ok, err := s.KeepDigest(ctx(t), d); err != nil || ok {
			t.Errorf("a digest was sent twice: %v", err)
		}
	}
	got, ok, err := s.SentDigest(ctx(t), here, digest.Week{Year: 2026, Number: 46})
	if err != nil || !ok || got.Now.Incidents != 46 || got.Week.Number != 46 {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	if got, ok, err := s.LastDigest(ctx(t), here, digest.Week{Year: 2026, Number: 46}); err != nil || !ok || got.Week.Number != 45 {
		t.Errorf("the one before: %+v %v %v", got.Week, ok, err)
	}
	if _, ok, err := s.SentDigest(ctx(t), there, got.Week); err != nil || ok {
		t.Errorf("another community's: %v %v", ok, err)
	}
}

func TestHotlineIsCountedOnce(t *testing.T) {
	s := newStore(t)
	put := func(want int, all ...desk.Complaint) {
		t.Helper()
		if n, err := s.PutHotline(ctx(t), here, all); err != nil || n != want {
			t.Errorf("%d new, want %d (%v)", n, want, err)
		}
	}
	put(2, desk.Complaint{Number: "A1", At: noon, Category: "噪音", Grid: "G1"}, desk.Complaint{Number: "A2", At: noon.Add(time.Hour), Category: "停车", Grid: ""})
	put(1, desk.Complaint{Number: "A2", At: noon.Add(time.Hour), Category: "停车", Grid: "G1"}, desk.Complaint{Number: "A3", At: noon.AddDate(0, 0, 14), Category: "停车", Grid: ""})
	if n, known, err := s.Hotline(ctx(t), here, noon, noon.AddDate(0, 0, 7)); err != nil || n != 2 || !known {
		t.Errorf("%d %v %v", n, known, err)
	}
	if n, known, err := s.Hotline(ctx(t), here, noon.AddDate(0, 0, 7), noon.AddDate(0, 0, 14)); err != nil || n != 0 || !known {
		t.Errorf("a week without complaints between others: %d %v %v", n, known, err)
	}
	for _, from := range []time.Time{noon.AddDate(0, 0, -7), noon.AddDate(0, 0, 21)} {
		if _, known, err := s.Hotline(ctx(t), here, from, from.AddDate(0, 0, 7)); err != nil || known {
			t.Errorf("a week before or after all that was entered is known: %v", err)
		}
	}
}
