package demo

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pastOf gives a fresh demo its past and the tickets of it, newest first.
func pastOf(t *testing.T, clock clockwork.Clock) (*settings.Settings, *postgres.Store, []workflow.Ticket) {
	t.Helper()
	s, err := settings.Load(configs.Read("defaults.yaml"), "", nil)
	must(t, err)
	s.Postgres, s.Redis = settings.Secret(storetest.Postgres(t)), settings.Secret(storetest.Redis(t))
	s.Data = t.TempDir()
	began := time.Now()
	must(t, Prepare(t.Context(), s, clock, slog.New(slog.DiscardHandler)))
	t.Logf("the past took %s", time.Since(began).Round(time.Millisecond))
	store, err := postgres.Open(t.Context(), s.Postgres.Reveal(), postgres.Options{Clock: clock})
	must(t, err)
	t.Cleanup(store.Close)
	return s, store, allTickets(t, store)
}

func allTickets(t *testing.T, store *postgres.Store) (all []workflow.Ticket) {
	t.Helper()
	for before := int64(0); ; {
		found, err := store.Search(t.Context(), Community, desk.Query{Limit: 100, Before: before})
		must(t, err)
		all = append(all, found.Tickets...)
		if before = found.Next; before == 0 {
			return all
		}
	}
}

// The demo's past is what the machine makes of it: each ticket is its events, the
// weeks have figures, nobody is pushed anything, it comes once, and a new ticket has
// the next number.
func TestTheDemoHasAPast(t *testing.T) {
	clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)) // Thursday
	s, store, all := pastOf(t, clock)
	if len(all) < 100 {
		t.Fatalf("%d tickets", len(all))
	}
	states := map[workflow.State]int{}
	last := int64(0)
	for i, one := range all {
		events, err := store.Events(t.Context(), Community, one.Number)
		must(t, err)
		if again := workflow.Replay(Community, one.Number, events); !reflect.DeepEqual(again, one) {
			t.Fatalf("ticket %d is not what its events make:\n%+v\n%+v", one.Number, one, again)
		}
		if _, due, ok := one.NextDue(); ok && due.Before(clock.Now()) {
			t.Errorf("a clock of ticket %d has not fired: %s", one.Number, due)
		}
		if i > 0 && (one.FiledAt.After(all[i-1].FiledAt) || one.Number > all[i-1].Number) {
			t.Errorf("ticket %d of %s comes before %d", one.Number, one.FiledAt, all[i-1].Number)
		}
		states[one.State]++
		last = max(last, one.Number)
	}
	if states[workflow.Closed] < 60 || states[workflow.Accepted] == 0 || states[workflow.Resolved] == 0 || states[workflow.Cancelled] == 0 {
		t.Errorf("how they stand: %v", states)
	}
	stats, err := store.Stats(t.Context(), clock.Now())
	must(t, err)
	for _, one := range stats {
		if one.OwedPushes+one.ManualPushes+one.DeadLetters > 0 {
			t.Errorf("something is owed for the past: %+v", one)
		}
	}

	shape, err := store.Shape(t.Context(), Community)
	must(t, err)
	week := digest.WeekOf(clock.Now(), shape.Community.Location()).Before()
	made, err := digest.Make(t.Context(), store, shape.Community, shape.Roster, week, clock.Now(), nil)
	must(t, err)
	for what, n := range map[string]int{"incidents": made.Now.Incidents, "wishes": made.Now.Wishes, "resolved": made.Now.Resolved, "messages": made.Now.Messages - 20} {
		if n < 3 {
			t.Errorf("last week has %d %s", n, what)
		}
	}
	ago, err := digest.Make(t.Context(), store, shape.Community, shape.Roster, week.YearAgo(), clock.Now(), nil)
	must(t, err)
	if ago.Now.Incidents < 5 || ago.Now.Resolved < 5 {
		t.Errorf("the same week of last year: %+v", ago.Now)
	}

	must(t, Prepare(t.Context(), s, clock, slog.New(slog.DiscardHandler)))
	if again := allTickets(t, store); len(again) != len(all) {
		t.Errorf("started again it has %d tickets, had %d", len(again), len(all))
	}
	if n, err := store.NextNumber(t.Context(), Community); err != nil || n <= last {
		t.Errorf("after ticket %d comes %d (%v)", last, n, err)
	}
}

// The same moment gives the same past, in another record too, and where it was cut
// off on the way.
func TestTheDemosPastIsTheSame(t *testing.T) {
	clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)) // Monday 09:00
	tell := func(all []workflow.Ticket) string {
		var b strings.Builder
		for _, one := range all {
			fmt.Fprintln(&b, one.FiledAt, one.State, one.Category, one.Place, one.Owner, one.Text)
		}
		return b.String()
	}
	_, _, first := pastOf(t, clock)

	s, err := settings.Load(configs.Read("defaults.yaml"), "", nil)
	must(t, err)
	s.Postgres, s.Redis = settings.Secret(storetest.Postgres(t)), settings.Secret(storetest.Redis(t))
	s.Data = t.TempDir()
	log := slog.New(slog.DiscardHandler)
	ctx, cut := context.WithCancel(t.Context())
	watch, err := postgres.Open(t.Context(), s.Postgres.Reveal(), postgres.Options{Clock: clock})
	must(t, err)
	defer watch.Close()
	must(t, postgres.Migrate(t.Context(), s.Postgres.Reveal()))
	_, err = Load(t.Context(), s, clock, log)
	must(t, err)
	go func() { // cuts it off as soon as some of it is stored
		defer cut()
		for ctx.Err() == nil {
			if found, err := watch.Search(t.Context(), Community, desk.Query{Limit: 1}); err != nil || len(found.Tickets) > 0 {
				return
			}
		}
	}()
	err = seedPast(ctx, s, clock, log)
	cut()
	clock.Advance(3 * time.Hour)
	must(t, Prepare(t.Context(), s, clock, log))
	if second := allTickets(t, watch); len(second) != len(first) {
		t.Errorf("%d tickets, and %d after it was cut off (%v)", len(first), len(second), err)
	} else if err == nil && tell(second) != tell(first) {
		t.Errorf("two pasts:\n%s\n%s", tell(first), tell(second))
	}
}

// A community in which something has happened keeps its own past.
func TestAnOldDemoKeepsItsPast(t *testing.T) {
	clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC))
	s, err := settings.Load(configs.Read("defaults.yaml"), "", nil)
	must(t, err)
	s.Postgres, s.Redis = settings.Secret(storetest.Postgres(t)), settings.Secret(storetest.Redis(t))
	s.Data = t.TempDir()
	log := slog.New(slog.DiscardHandler)
	must(t, postgres.Migrate(t.Context(), s.Postgres.Reveal()))
	_, err = Load(t.Context(), s, clock, log)
	must(t, err)
	store, err := postgres.Open(t.Context(), s.Postgres.Reveal(), postgres.Options{Clock: clock})
	must(t, err)
	defer store.Close()
	drive, err := redis.Open(s.Redis.Reveal(), redis.Options{})
	must(t, err)
	defer drive.Close()
	d := desk.New(desk.Options{Journal: store, Drive: drive, Clock: clock})
	must(t, d.Refresh(t.Context()))
	_, _, err = d.Enter(t.Context(), Community, desk.Entry{ID: "1", Name: "孙桂兰", Command: workflow.Command{
		Actor: workflow.System(), Text: "楼道灯不亮了", Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor,
		Place: workflow.Place{Estate: "毕家洼西区", Building: 12, Grid: "G01"},
	}})
	must(t, err)
	must(t, Prepare(t.Context(), s, clock, log))
	if all := allTickets(t, store); len(all) != 1 {
		t.Errorf("%d tickets", len(all))
	}
}
