package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// here is the community of most tests, there another one.
const (
	here  = "east"
	there = "west"
)

const document1 = `
code: %s
name: 小社区
estates:
  - {name: 东园, buildings: 4}
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-4"}
`

// noon is when the tests' clocks begin.
var noon = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// equal compares what was stored with what was read: empty lists and none are
// the same.
var equal = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(time.Microsecond)}

func ctx(t testing.TB) context.Context {
	c, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return c
}

// newStore gives a store on a fresh database with two communities.
func newStore(t testing.TB) *Store {
	t.Helper()
	return openStore(t, freshURL(t), nil)
}

// freshURL is a migrated database with two communities.
func freshURL(t testing.TB) string {
	t.Helper()
	url := storetest.Postgres(t)
	fill(t, url)
	return url
}

// fill migrates an empty database and enters two communities.
func fill(t testing.TB, url string) {
	t.Helper()
	if err := Migrate(ctx(t), url); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, url, nil)
	for _, code := range []string{here, there} {
		yaml := fmt.Sprintf(document1, code)
		doc, err := workflow.ParseCommunity(strings.NewReader(yaml))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.ApplyCommunity(ctx(t), doc, []byte(yaml), "test"); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
}

func openStore(t testing.TB, url string, adjust func(*pgxpool.Config)) *Store {
	t.Helper()
	s, err := open(ctx(t), url, Options{Clock: clockwork.NewFakeClockAt(noon)}, adjust)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// opened is a new ticket with its first event.
func opened(community string, number int64, change ...func(*workflow.Ticket)) desk.TicketChange {
	ev := workflow.Event{
		Seq: 1, At: noon, Type: workflow.EvFiled, Actor: workflow.ActorPerson, By: 7, To: workflow.Received,
		Text: "灯坏了", Kind: workflow.Incident, Severity: workflow.Minor, Reporter: 7, Level: 1,
		Place: &workflow.Place{Estate: "东园", Building: 3, Grid: "G1"},
		Due:   map[workflow.Clock]time.Time{workflow.ClockTray: noon.Add(time.Hour)},
	}
	t := workflow.Replay(community, number, []workflow.Event{ev})
	for _, f := range change {
		f(&t)
	}
	return desk.TicketChange{Ticket: t, Events: []workflow.Event{ev}}
}

// noted is the ticket one event further.
func noted(t workflow.Ticket, words string) desk.TicketChange {
	ev := workflow.Event{Seq: t.Version + 1, At: noon, Type: workflow.EvSupplemented, Actor: workflow.ActorPerson, By: 7, To: t.State, Text: words}
	return desk.TicketChange{Was: t.Version, Ticket: workflow.Apply(t, ev), Events: []workflow.Event{ev}}
}

// said is a delivery of a message.
func said(id string) *desk.Delivery {
	return &desk.Delivery{ID: id, Person: 7, Type: "text", Text: "灯坏了", Reply: "收到", At: noon}
}

// owed is a push that is due at noon.
func owed(key string, person workflow.PersonID) desk.Push {
	return desk.Push{
		Key: key, Person: person, Number: 1001, Purpose: workflow.TellAssigned, Status: desk.PushOwed,
		Facts: desk.Facts{Number: 1001, Text: "灯坏了"}, NextTry: noon, CreatedAt: noon,
	}
}

func talked(person workflow.PersonID, was int64, state string) *desk.Talk {
	return &desk.Talk{Person: person, Was: was, State: json.RawMessage(state)}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failer is a test, or one case of a property.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func same(t failer, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// count is how many rows a query counts.
func count(t testing.TB, s *Store, sql string, args ...any) (n int) {
	t.Helper()
	must(t, s.pool.QueryRow(ctx(t), sql, args...).Scan(&n))
	return n
}
