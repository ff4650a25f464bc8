package desk_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jonboulle/clockwork"
	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const community = "test"

const shape = `
code: test
name: 测试社区
estates: [{name: 东院, buildings: 4, households: 100}]
grids: [{code: G01, name: 第一网格, kind: residential, buildings: "东院:1-4"}]
`

type fixture struct {
	*testing.T
	desk     *desk.Desk
	store    *postgres.Store
	drive    *redis.Drive
	clock    *clockwork.FakeClock
	redis    string
	reporter workflow.Person
	worker   workflow.Person
	duty     workflow.Person
}

// begin is a Monday, 09:00 in Asia/Shanghai.
var begin = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

func newFixture(t *testing.T, redisURL string) *fixture {
	t.Helper()
	return newFixtureOn(t, storetest.Postgres(t), redisURL)
}

func newFixtureOn(t *testing.T, url, redisURL string) *fixture {
	t.Helper()
	ctx := t.Context()
	f := &fixture{T: t, clock: clockwork.NewFakeClockAt(begin), redis: redisURL}
	f.must(postgres.Migrate(ctx, url))
	var err error
	f.store, err = postgres.Open(ctx, url, postgres.Options{})
	f.must(err)
	t.Cleanup(f.store.Close)
	f.drive, err = redis.Open(redisURL, redis.Options{})
	f.must(err)
	t.Cleanup(func() { _ = f.drive.Close() })
	doc, err := workflow.ParseCommunity(strings.NewReader(shape))
	f.must(err)
	_, err = f.store.ApplyCommunity(ctx, doc, []byte(shape), "test")
	f.must(err)
	person := func(key string, roles ...workflow.Role) workflow.Person {
		p := workflow.Person{Community: community, Name: key, OpenID: "o-" + key, Roles: roles, Following: true}
		p.ID, err = f.store.UpsertPerson(ctx, key, p)
		f.must(err)
		return p
	}
	f.reporter = person("reporter")
	f.worker = person("worker", workflow.Role{Kind: workflow.RoleWorker, Grid: "G01", FullTime: true})
	f.duty = person("duty", workflow.Role{Kind: workflow.RoleCommittee, Duty: true})
	f.desk = desk.New(desk.Options{Journal: f.store, Drive: f.drive, Clock: f.clock})
	f.must(f.desk.Refresh(ctx))
	return f
}

// What a document of another release says stands as far as this one understands it, and
// one that nobody can read keeps no other community from its desk.
func TestDocumentsOfAnotherRelease(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	for code, text := range map[string]string{
		"newer":  strings.Replace(shape, "code: test", "code: newer\nnot_known_yet: 1\nhotline: none", 1),
		"broken": "code: [",
	} {
		doc, err := workflow.ParseCommunity(strings.NewReader(shape))
		f.must(err)
		doc.Code = code
		_, err = f.store.ApplyCommunity(t.Context(), doc, []byte(text), "test")
		f.must(err)
	}
	for range 8 { // in any order
		d := desk.New(desk.Options{Journal: f.store, Drive: f.drive, Clock: f.clock})
		if err := d.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "broken") || strings.Contains(err.Error(), "newer") {
			t.Errorf("refreshed: %v", err)
		}
		for _, code := range []string{community, "newer"} {
			if s, ok := d.Shape(code); !ok || s.Community.GridOf("东院", 3) != "G01" {
				t.Errorf("%s: %v, %+v", code, ok, s)
			}
		}
		if _, ok := d.Shape("broken"); ok {
			t.Error("what nobody can read was loaded")
		}
	}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) work(fresh bool) *desk.Work {
	f.Helper()
	w, err := f.desk.Begin(community, fresh)
	f.must(err)
	return w
}

// file opens a ticket and commits it.
func (f *fixture) file() workflow.Ticket {
	f.Helper()
	w := f.work(false)
	t, err := w.File(f.Context(), workflow.Command{
		Actor: workflow.By(f.reporter), Text: "3号楼楼道灯不亮", Kind: workflow.Incident, Category: "facilities",
		Severity: workflow.Minor, Place: workflow.Place{Estate: "东院", Building: 3, Grid: "G01"},
	})
	f.must(err)
	f.must(w.Commit(f.Context()))
	return t
}

func (f *fixture) stored(number int64) workflow.Ticket {
	f.Helper()
	t, err := f.store.Ticket(f.Context(), community, number)
	f.must(err)
	return t
}

func TestFilingIsOneCommitAndTellsTheDrive(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	f.must(f.drive.MarkReady(t.Context(), community))
	filed := f.file()
	if filed.State != workflow.Assigned || filed.Owner != f.worker.ID || filed.Why != workflow.WhyGrid {
		t.Fatalf("filed: %+v", filed)
	}
	if diff := cmp.Diff(filed, f.stored(filed.Number)); diff != "" {
		t.Errorf("stored is not what was decided:\n%s", diff)
	}
	live, ok, err := f.drive.Live(t.Context(), community, filed.Number)
	if f.must(err); !ok {
		t.Fatal("the drive does not have it")
	}
	if diff := cmp.Diff(filed, live); diff != "" {
		t.Errorf("live is not what was decided:\n%s", diff)
	}
	events, err := f.store.Events(t.Context(), community, filed.Number)
	f.must(err)
	if diff := cmp.Diff(filed, workflow.Replay(community, filed.Number, events)); diff != "" {
		t.Errorf("replaying gives another ticket:\n%s", diff)
	}
	loads, ok, err := f.drive.Loads(t.Context(), community)
	if f.must(err); !ok || loads[f.worker.ID] != 1 {
		t.Errorf("loads %v, %v", loads, ok)
	}
	record, err := f.store.Loads(t.Context(), community)
	if f.must(err); record[f.worker.ID] != 1 {
		t.Errorf("the record counts loads otherwise: %v", record)
	}
	owed, err := f.store.OwedPushes(t.Context(), community, f.clock.Now(), 10)
	f.must(err)
	if len(owed) != 1 || !strings.Contains(owed[0].Key, string(workflow.TellAssigned)) {
		t.Errorf("owed pushes: %v", owed)
	}
}

func TestOfTwoDecisionsOneWins(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	filed := f.file()
	ctx := t.Context()
	first, second := f.work(false), f.work(false)
	_, err := first.Do(ctx, filed.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(f.worker)})
	f.must(err)
	_, err = second.Do(ctx, filed.Number, workflow.Command{Name: workflow.CmdCancel, Actor: workflow.By(f.reporter)})
	f.must(err)
	f.must(first.Commit(ctx))
	if err := second.Commit(ctx); !errors.Is(err, desk.ErrStale) {
		t.Fatalf("the second commit: %v, want ErrStale", err)
	}
	again := f.work(true)
	after, err := again.Do(ctx, filed.Number, workflow.Command{Name: workflow.CmdCancel, Actor: workflow.By(f.reporter)})
	f.must(err)
	f.must(again.Commit(ctx))
	if after.State != workflow.Cancelled || after.AcceptedAt.IsZero() {
		t.Errorf("decided again on what was true before: %+v", after)
	}
}

func TestRefusedWorkChangesNothing(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	filed := f.file()
	w := f.work(false)
	_, err := w.Do(t.Context(), filed.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(f.reporter)})
	if workflow.CodeOf(err) != workflow.CodeNotAllowed {
		t.Fatalf("err = %v", err)
	}
	if diff := cmp.Diff(filed, f.stored(filed.Number)); diff != "" {
		t.Errorf("a refusal changed the ticket:\n%s", diff)
	}
	if _, err := f.desk.Begin("nowhere", false); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("an unknown community: %v", err)
	}
}

func TestClocksFire(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	filed := f.file()
	r := f.desk.NewRunner("a", 2, map[desk.TaskKind]desk.Handler{desk.TaskPush: nothing})
	pump := func() {
		t.Helper()
		_, err := r.Pump(t.Context(), community)
		f.must(err)
	}
	f.clock.Advance(time.Hour - time.Second)
	pump()
	if got := f.stored(filed.Number); len(got.Overdue) != 0 {
		t.Fatalf("fired early: %v", got.Overdue)
	}
	f.clock.Advance(time.Second)
	pump()
	got := f.stored(filed.Number)
	if len(got.Overdue) != 1 || got.Overdue[0] != workflow.ClockResponse {
		t.Fatalf("overdue %v", got.Overdue)
	}
	pump()
	if again := f.stored(filed.Number); again.Version != got.Version {
		t.Errorf("fired twice")
	}
}

func nothing(context.Context, string, desk.Task) error { return nil }

// All that Redis held is rebuilt from PostgreSQL on its loss.
func TestRebuildAfterALoss(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	filed := f.file()
	ctx := t.Context()
	opt, err := goredis.ParseURL(f.redis)
	f.must(err)
	raw := goredis.NewClient(opt)
	defer raw.Close()
	f.must(raw.FlushDB(ctx).Err())

	var pushed atomic.Int64
	r := f.desk.NewRunner("a", 2, map[desk.TaskKind]desk.Handler{desk.TaskPush: func(context.Context, string, desk.Task) error {
		pushed.Add(1)
		return nil
	}})
	_, err = r.Pump(ctx, community)
	f.must(err)
	live, ok, err := f.drive.Live(ctx, community, filed.Number)
	if f.must(err); !ok || live.Version != filed.Version {
		t.Errorf("live state after the rebuild: %v %+v", ok, live)
	}
	loads, ok, err := f.drive.Loads(ctx, community)
	if f.must(err); !ok || loads[f.worker.ID] != 1 {
		t.Errorf("loads after the rebuild: %v %v", ok, loads)
	}
	if pushed.Load() != 1 {
		t.Errorf("%d pushes queued again, want 1", pushed.Load())
	}
	f.clock.Advance(time.Hour)
	_, err = r.Pump(ctx, community)
	f.must(err)
	if got := f.stored(filed.Number); len(got.Overdue) != 1 {
		t.Errorf("the deadline was lost: %v", got.Overdue)
	}
}

// With Redis gone, messages are taken, and clocks and pushes go on from the
// record.
func TestGoesOnWithoutRedis(t *testing.T) {
	proxy := storetest.Cut(t, storetest.Redis(t))
	f := newFixture(t, proxy.URL())
	proxy.Cut()
	filed := f.file()
	f.clock.Advance(2 * time.Hour)
	pushed := make(chan string, 100)
	r := f.desk.NewRunner("a", 2, map[desk.TaskKind]desk.Handler{desk.TaskPush: func(ctx context.Context, c string, task desk.Task) error {
		_, ok, err := f.store.TakePush(ctx, c, task.Key, f.clock.Now(), time.Minute)
		if ok {
			pushed <- task.Key
		}
		return err
	}})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	defer running.Wait()
	defer stop()
	for i := 0; i < 2; { // assigned, and then overdue to the owner
		select {
		case key := <-pushed:
			if strings.HasSuffix(key, "assigned:"+itoa(f.worker.ID)) || strings.HasSuffix(key, "overdue:"+itoa(f.worker.ID)) {
				i++
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nothing is driven while Redis is away")
		}
	}
	if got := f.stored(filed.Number); len(got.Overdue) == 0 {
		t.Error("no clock fired")
	}
}

// When the record is back, what failed meanwhile is done at once and does not wait
// until it is claimed.
func TestTheRecordComesBack(t *testing.T) {
	proxy := storetest.Cut(t, storetest.Postgres(t))
	f := newFixtureOn(t, proxy.URL(), storetest.Redis(t))
	tried, noted := make(chan bool, 1000), make(chan struct{}, 1000)
	f.desk = desk.New(desk.Options{Journal: f.store, Drive: f.drive, Clock: f.clock, Logger: slog.New(slog.NewTextHandler(signal(noted), nil))})
	f.must(f.desk.Refresh(t.Context()))
	r := f.desk.NewRunner("a", 2, map[desk.TaskKind]desk.Handler{desk.TaskMessage: func(ctx context.Context, _ string, _ desk.Task) error {
		err := f.store.Ping(ctx)
		tried <- err == nil
		return err
	}})
	proxy.Cut()
	f.must(f.drive.Add(t.Context(), community, desk.Task{Kind: desk.TaskMessage, Key: "m:1", Lane: "from:o1"}, false))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	defer running.Wait()
	defer stop()
	soon := time.After(20 * time.Second) // less than it takes until a task is claimed
	next := func() (done bool) {
		select {
		case done = <-tried:
		case <-soon:
			t.Fatal("the task was not tried")
		}
		return done
	}
	if next() {
		t.Fatal("the record answered through a proxy that is cut")
	}
	<-noted
	proxy.Heal()
	f.must(f.drive.Add(t.Context(), community, desk.Task{Kind: desk.TaskMessage, Key: "m:2", Lane: "from:o2"}, false))
	for range 2 {
		if !next() {
			t.Error("a task failed though the record is back")
		}
	}
}

// signal is told of every failed task that was logged.
type signal chan<- struct{}

func (s signal) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "task failed") {
		s <- struct{}{}
	}
	return len(line), nil
}

func itoa(p workflow.PersonID) string { return strconv.FormatInt(int64(p), 10) }

// A task that nobody can do becomes a row that a person sees.
func TestDeadLetter(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	ctx := t.Context()
	f.must(f.drive.Add(ctx, community, desk.Task{Kind: "nonsense", Key: "x", Body: []byte("body")}, false))
	r := f.desk.NewRunner("a", 1, nil)
	_, err := r.Pump(ctx, community)
	f.must(err)
	dead, err := f.store.DeadLetters(ctx, community, 10)
	f.must(err)
	if len(dead) != 1 || !strings.Contains(dead[0].Reason, "nonsense") {
		t.Fatalf("dead letters: %+v", dead)
	}
	if n, err := r.Pump(ctx, community); err != nil || n != 0 {
		t.Errorf("the task is still queued: %d, %v", n, err)
	}
	if old := (desk.DeadLetter{Queue: "message", Body: []byte(`m:1 {"a": 1}`)}).Task(); old.Kind != desk.TaskMessage || old.Key != "m:1" || string(old.Body) != `{"a": 1}` {
		t.Errorf("a letter of an older release: %+v", old)
	}
}

// A dead letter goes back to where its task stood: body, lane and urgency. While
// the drive is away it stays a letter.
func TestADeadLetterIsRetried(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	ctx := t.Context()
	f.must(f.drive.Add(ctx, community, desk.Task{Kind: "nonsense", Key: "slow", Body: []byte("body \x00"), Lane: "from:o1"}, false))
	f.must(f.drive.Add(ctx, community, desk.Task{Kind: desk.TaskPush, Key: "fast"}, true))
	r := f.desk.NewRunner("a", 1, nil) // it knows neither
	_, err := r.Pump(ctx, community)
	f.must(err)
	dead, err := f.store.DeadLetters(ctx, community, 10)
	f.must(err)
	if len(dead) != 2 {
		t.Fatalf("dead letters: %+v", dead)
	}
	away, err := redis.Open("redis://127.0.0.1:1/0", redis.Options{})
	f.must(err)
	defer away.Close()
	if n, err := desk.New(desk.Options{Journal: f.store, Drive: away, Clock: f.clock}).RetryAll(ctx, community, 0, dead[0].ID); err == nil || n != 0 {
		t.Errorf("retried without a drive: %d", n)
	}
	if n, err := f.desk.RetryAll(ctx, community, 0, dead[0].ID); err != nil || n != 2 {
		t.Fatalf("retried %d, %v", n, err)
	}
	if err := f.desk.Retry(ctx, community, dead[0].ID); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("retried twice: %v", err)
	}
	tasks, err := f.drive.Read(ctx, community, "b", 10, 0)
	f.must(err)
	if len(tasks) != 2 || !tasks[0].Urgent || tasks[0].Key != "fast" || tasks[1].Urgent || tasks[1].Lane != "from:o1" || string(tasks[1].Body) != "body \x00" {
		t.Errorf("queued again: %+v", tasks)
	}
}

// A panic of one task neither ends the process nor loses the task.
func TestPanicLeavesTheTaskPending(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	ctx := t.Context()
	f.must(f.drive.Add(ctx, community, desk.Task{Kind: desk.TaskPush, Key: "x"}, false))
	r := f.desk.NewRunner("a", 1, map[desk.TaskKind]desk.Handler{desk.TaskPush: func(context.Context, string, desk.Task) error { panic("boom") }})
	_, err := r.Pump(ctx, community)
	f.must(err)
	left, err := f.drive.Claim(ctx, community, "b", 0, 10)
	f.must(err)
	if len(left) != 1 || left[0].Key != "x" {
		t.Fatalf("left: %+v", left)
	}
}

// A changed community is seen without a restart.
func TestRefreshSeesAChange(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	changed := strings.Replace(shape, "第一网格", "一号网格", 1)
	doc, err := workflow.ParseCommunity(strings.NewReader(changed))
	f.must(err)
	_, err = f.store.ApplyCommunity(t.Context(), doc, []byte(changed), "test")
	f.must(err)
	f.must(f.desk.Refresh(t.Context()))
	s, _ := f.desk.Shape(community)
	if g, _ := s.Community.Grid("G01"); g.Name != "一号网格" {
		t.Errorf("grid %q", g.Name)
	}
}

// A wish is not ended in an incident, nor an incident in a wish: nothing changes.
func TestAWishIsNotMergedIntoAnIncident(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	ctx := t.Context()
	light := f.file()
	w := f.work(false)
	wish, err := w.File(ctx, workflow.Command{
		Actor: workflow.By(f.reporter), Text: "想要一台轮椅", Kind: workflow.Wish, Category: "elderly", Severity: workflow.Minor,
		Place: workflow.Place{Estate: "东院", Building: 3, Grid: "G01"},
	})
	f.must(err)
	f.must(w.Commit(ctx))
	for _, pair := range [][2]int64{{light.Number, wish.Number}, {wish.Number, light.Number}} {
		if _, err := f.work(false).Merge(ctx, pair[0], pair[1], workflow.By(f.duty), ""); workflow.CodeOf(err) != workflow.CodeOtherKind {
			t.Errorf("%d into %d: %v", pair[0], pair[1], err)
		}
	}
	if got := f.stored(light.Number); got.State == workflow.Merged {
		t.Error("the broken light ended in a wish")
	}
}

func TestMergeReachesTheOneThatLives(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	ctx := t.Context()
	a, b, c := f.file(), f.file(), f.file()
	for _, pair := range [][2]int64{{a.Number, b.Number}, {b.Number, c.Number}} {
		w := f.work(false)
		_, err := w.Merge(ctx, pair[0], pair[1], workflow.By(f.duty), "同一件事")
		f.must(err)
		f.must(w.Commit(ctx))
	}
	living, err := f.work(false).Living(ctx, a.Number)
	f.must(err)
	if living.Number != c.Number {
		t.Errorf("%d leads to %d, want %d", a.Number, living.Number, c.Number)
	}
	w := f.work(false)
	if _, err := w.Merge(ctx, c.Number, a.Number, workflow.By(f.duty), ""); workflow.CodeOf(err) != workflow.CodeNeedsTarget {
		t.Errorf("a merge in a circle: %v", err)
	}
}

// A matter that goes on for a neighbour is in a grid of now, also where theirs was
// reported in one that is no more and no building tells the new one.
func TestWithdrawnFromAGridThatIsNoMore(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	ctx := t.Context()
	two := strings.Replace(shape, `1-4"}]`, `1-3"}, {code: G02, name: 第二网格, kind: residential, buildings: "东院:4-4"}]`, 1)
	apply := func(document string) {
		doc, err := workflow.ParseCommunity(strings.NewReader(document))
		f.must(err)
		_, err = f.store.ApplyCommunity(ctx, doc, []byte(document), "test")
		f.must(err)
		f.must(f.desk.Refresh(ctx))
	}
	apply(two)
	first := f.file()
	w := f.work(false)
	_, _, err := w.FileInto(ctx, workflow.Command{
		Actor: workflow.Actor{Kind: workflow.ActorPerson, Person: 4711}, Text: "小广场的灯不亮", Kind: workflow.Incident, Category: "facilities",
		Severity: workflow.Minor, Place: workflow.Place{Landmark: "小广场", Grid: "G02"},
	}, first.Number)
	f.must(err)
	f.must(w.Commit(ctx))
	apply(shape)
	w = f.work(false)
	got, others, err := w.Withdraw(ctx, first.Number, workflow.By(f.reporter), "", nil)
	f.must(err)
	f.must(w.Commit(ctx))
	if others != 1 || got.Reporter != 4711 || got.Text != "小广场的灯不亮" || got.Place != (workflow.Place{Landmark: "小广场", Grid: "G01"}) {
		t.Errorf("%d others: %q of %d at %+v", others, got.Text, got.Reporter, got.Place)
	}
}
