package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const community = "bjw-xiqu"

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func open(t *testing.T, url string) *Drive {
	t.Helper()
	d, err := Open(url, Options{})
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// assigned is an open ticket in somebody's hands.
func assigned(number, version int64, owner workflow.PersonID, due time.Time) workflow.Ticket {
	return workflow.Ticket{
		Community: community, Number: number, Version: version, State: workflow.Assigned, Stand: workflow.WithOwner,
		Owner: owner, Due: map[workflow.Clock]time.Time{workflow.ClockResponse: due},
	}
}

func change(tickets ...workflow.Ticket) desk.Change {
	ch := desk.Change{Community: community}
	for _, t := range tickets {
		ch.Tickets = append(ch.Tickets, desk.TicketChange{Ticket: t})
	}
	return ch
}

func loadsOf(t *testing.T, d *Drive) map[workflow.PersonID]int {
	t.Helper()
	loads, ok, err := d.Loads(t.Context(), community)
	must(t, err)
	if !ok {
		t.Fatal("loads are not ready")
	}
	return loads
}

// Every script says what it is, and touches no key but those it is given.
func TestScriptsHaveTheirHeaders(t *testing.T) {
	files, err := fs.Glob(luaFiles, "lua/*.lua")
	must(t, err)
	if len(files) < 6 {
		t.Fatalf("%d scripts found", len(files))
	}
	call := regexp.MustCompile(`redis\.call\('[A-Z]+', *([^,)]+)`)
	for _, f := range files {
		src, err := fs.ReadFile(luaFiles, f)
		must(t, err)
		head, _, _ := strings.Cut(string(src), "\nlocal ")
		for _, want := range []string{"-- KEYS[1]", "-- ARGV[1]", "-- Returns"} {
			if !strings.Contains(head, want) {
				t.Errorf("%s: the header lacks %q", f, want)
			}
		}
		calls := call.FindAllStringSubmatch(string(src), -1)
		if len(calls) == 0 {
			t.Errorf("%s: no call found: the pattern has gone blind", f)
		}
		for _, c := range calls {
			if k := c[1]; !strings.HasPrefix(k, "KEYS[") && k != "key" && k != "p.urgent and KEYS[3] or KEYS[4]" {
				t.Errorf("%s: a call on %q, which is not of KEYS", f, k)
			}
		}
	}
}

func TestKeysOfACommunityShareASlot(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	ch := change(assigned(1001, 1, 7, noon))
	ch.Talk = &desk.Talk{Person: 9, State: json.RawMessage(`{}`), LastMessageAt: noon}
	ch.Pushes = []desk.Push{{Key: "1001:1:assigned:7", Purpose: workflow.TellAssigned}}
	must(t, d.Committed(ctx, ch))
	_, _, _, err := d.Begin(ctx, community, "m:1", time.Minute)
	must(t, err)
	_, err = d.Allow(ctx, community, "x", 1, 1, time.Minute)
	must(t, err)
	var keys []string
	each(t, d, func(ctx context.Context, c redis.Cmdable) error {
		some, err := c.Keys(ctx, "*").Result()
		keys = append(keys, some...)
		return err
	})
	for _, k := range keys {
		if !strings.HasPrefix(k, "wd:{bjw-xiqu}:") {
			t.Errorf("key %q is outside the community's slot", k)
		}
	}
	if len(keys) < 7 {
		t.Errorf("only %d keys: %v", len(keys), keys)
	}
}

func TestLiveStateNeverGoesBack(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	must(t, d.MarkReady(ctx, community))
	must(t, d.Committed(ctx, change(assigned(1001, 3, 7, noon))))
	must(t, d.Committed(ctx, change(assigned(1001, 2, 8, noon.Add(time.Hour))))) // late news
	got, ok, err := d.Live(ctx, community, 1001)
	must(t, err)
	if !ok || got.Version != 3 || got.Owner != 7 {
		t.Fatalf("live = %+v, %v", got, ok)
	}
	if l := loadsOf(t, d); l[7] != 1 || l[8] != 0 {
		t.Errorf("loads %v", l)
	}
	must(t, d.Committed(ctx, change(assigned(1001, 3, 7, noon)))) // twice
	if l := loadsOf(t, d); l[7] != 1 {
		t.Errorf("loads after a repetition %v", l)
	}
	must(t, d.Committed(ctx, change(assigned(1001, 4, 8, noon))))
	if l := loadsOf(t, d); l[7] != 0 || l[8] != 1 {
		t.Errorf("loads after a transfer %v", l)
	}
	resolved := assigned(1001, 5, 8, noon)
	resolved.State = workflow.Resolved // still open, still theirs: the journal counts it too
	must(t, d.Committed(ctx, change(resolved)))
	if l := loadsOf(t, d); l[8] != 1 {
		t.Errorf("loads after the resolution %v", l)
	}
	ended := workflow.Ticket{Community: community, Number: 1001, Version: 6, State: workflow.Closed, Owner: 8}
	must(t, d.Committed(ctx, change(ended)))
	must(t, d.Committed(ctx, change(assigned(1001, 5, 8, noon)))) // late news of an ended ticket
	if _, ok, err := d.Live(ctx, community, 1001); ok || err != nil {
		t.Errorf("an ended ticket lives: %v", err)
	}
	if l := loadsOf(t, d); len(l) != 0 {
		t.Errorf("loads after the end %v", l)
	}
	if n, err := d.FireDue(ctx, community, noon.Add(48*time.Hour), time.Minute, 10); err != nil || n != 0 {
		t.Errorf("an ended ticket has %d deadlines, %v", n, err)
	}
}

func TestForgetSendsReadersToTheRecord(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	must(t, d.MarkReady(ctx, community))
	must(t, d.Committed(ctx, change(assigned(1001, 1, 7, noon))))
	must(t, d.Forget(ctx, community, 1001))
	if _, ok, err := d.Live(ctx, community, 1001); ok || err != nil {
		t.Fatalf("forgotten state is there: %v", err)
	}
	must(t, d.Committed(ctx, change(assigned(1001, 2, 8, noon))))
	if got, ok, _ := d.Live(ctx, community, 1001); !ok || got.Version != 2 {
		t.Error("newer state is not kept after a Forget")
	}
	if l := loadsOf(t, d); l[7] != 0 || l[8] != 1 {
		t.Errorf("loads %v", l)
	}
}

func TestDeadlinesFireOnceAndComeAgain(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	must(t, d.Committed(ctx, change(assigned(1001, 1, 7, noon), assigned(1002, 1, 7, noon.Add(time.Hour)))))
	if n, err := d.FireDue(ctx, community, noon.Add(-time.Millisecond), time.Minute, 10); err != nil || n != 0 {
		t.Fatalf("fired %d early, %v", n, err)
	}
	for i, want := range []int{1, 0} { // a second replica finds nothing
		if n, err := d.FireDue(ctx, community, noon, time.Minute, 10); err != nil || n != want {
			t.Fatalf("call %d fired %d, %v, want %d", i, n, err, want)
		}
	}
	if n, err := d.FireDue(ctx, community, noon.Add(time.Minute), time.Minute, 10); err != nil || n != 1 {
		t.Fatalf("a tick that nobody handled came again %d times, %v", n, err)
	}
	tasks, err := d.Read(ctx, community, "a", 10, 0)
	must(t, err)
	if len(tasks) != 2 || tasks[0].Kind != desk.TaskTick || tasks[0].Key != "1001" {
		t.Fatalf("tasks %+v", tasks)
	}
}

func TestTasksGoToOneAndAreClaimedFromTheDead(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	if tasks, err := d.Read(ctx, community, "a", 10, 0); err != nil || len(tasks) != 0 {
		t.Fatalf("empty queues gave %v, %v", tasks, err)
	}
	must(t, d.Add(ctx, community, desk.Task{Kind: desk.TaskMessage, Key: "m:1", Body: []byte("{\"x\":\"\\u4f60\"}")}, false))
	must(t, d.Add(ctx, community, desk.Task{Kind: desk.TaskPush, Key: "slow"}, false))
	must(t, d.Add(ctx, community, desk.Task{Kind: desk.TaskPush, Key: "fast"}, true))
	got, err := d.Read(ctx, community, "a", 10, 0)
	must(t, err)
	if len(got) != 3 || got[0].Key != "fast" || got[1].Key != "slow" || got[2].Key != "m:1" || string(got[2].Body) != "{\"x\":\"\\u4f60\"}" {
		t.Fatalf("read %+v", got)
	}
	if again, err := d.Read(ctx, community, "b", 10, 0); err != nil || len(again) != 0 {
		t.Fatalf("handed out twice: %v, %v", again, err)
	}
	must(t, d.Finish(ctx, community, got[0]))
	if early, err := d.Claim(ctx, community, "b", time.Hour, 10); err != nil || len(early) != 0 {
		t.Fatalf("claimed from the living: %v, %v", early, err)
	}
	mine, err := d.Mine(ctx, community, "a", 10)
	must(t, err)
	if len(mine) != 2 || mine[0].Key != "slow" || mine[1].Key != "m:1" || string(mine[1].Body) != "{\"x\":\"\\u4f60\"}" {
		t.Fatalf("its own are %+v", mine)
	}
	if others, err := d.Mine(ctx, community, "b", 10); err != nil || len(others) != 0 {
		t.Fatalf("another's own: %v, %v", others, err)
	}
	claimed, err := d.Claim(ctx, community, "b", 0, 10)
	must(t, err)
	if len(claimed) != 2 || claimed[0].Key != "slow" || claimed[0].Deliveries != 3 {
		t.Fatalf("claimed %+v", claimed)
	}
	for _, c := range claimed {
		must(t, d.Finish(ctx, community, c))
	}
	waiting, err := d.Waiting(ctx, community)
	must(t, err)
	for q, n := range waiting {
		if n != 0 {
			t.Errorf("queue %s still holds %d", q, n)
		}
	}
}

func TestDeliveriesAndNonces(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	begin := func() (bool, bool, string) {
		first, done, reply, err := d.Begin(ctx, community, "m:1", time.Minute)
		must(t, err)
		return first, done, reply
	}
	if first, _, _ := begin(); !first {
		t.Error("the first sight is not the first")
	}
	if first, done, _ := begin(); first || done {
		t.Error("a delivery at work looks new or done")
	}
	must(t, d.Done(ctx, community, "m:1", "=收到", time.Minute))
	if first, done, reply := begin(); first || !done || reply != "=收到" {
		t.Errorf("reply %q, first %v, done %v", reply, first, done)
	}
	must(t, d.Undo(ctx, community, "m:1"))
	if first, _, _ := begin(); !first {
		t.Error("undone is not forgotten")
	}
	for i, want := range []struct {
		digest      string
		fresh, same bool
	}{{"a", true, false}, {"a", false, true}, {"b", false, false}} {
		fresh, same, err := d.Nonce(ctx, community, "n", want.digest, time.Minute)
		if err != nil || fresh != want.fresh || same != want.same {
			t.Errorf("nonce %d: fresh %v, same %v, %v", i, fresh, same, err)
		}
	}
}

func TestRateLimitLocksAndToken(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	for i, want := range []bool{true, true, false} {
		if ok, err := d.Allow(ctx, community, "bind:7", 1, 2, time.Hour); err != nil || ok != want {
			t.Errorf("call %d allowed %v, %v", i, ok, err)
		}
	}
	unlock, ok, err := d.Lock(ctx, community, "sweep", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok, err := d.Lock(ctx, community, "sweep", time.Minute); ok || err != nil {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	other, ok, err := d.Lock(ctx, community, "sweep", time.Minute)
	if err != nil || !ok {
		t.Fatalf("not free after unlock: %v", err)
	}
	unlock() // late: the lease is another's now
	if _, ok, _ := d.Lock(ctx, community, "sweep", time.Minute); ok {
		t.Error("a late unlock took another's lease")
	}
	other()

	must(t, d.Tokens().Set(ctx, "wx1", "good", time.Minute))
	must(t, d.Tokens().Drop(ctx, "wx1", "bad")) // another replica has renewed it already
	if got, err := d.Tokens().Get(ctx, "wx1"); err != nil || got != "good" {
		t.Errorf("token %q, %v", got, err)
	}
	must(t, d.Tokens().Drop(ctx, "wx1", "good"))
	if got, err := d.Tokens().Get(ctx, "wx1"); err != nil || got != "" {
		t.Errorf("dropped token %q, %v", got, err)
	}
}

// WeChat: 5 within 48 hours of a message, 3 within a minute of a click.
func TestSendWindow(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	record := desk.Contact{}
	asked := 0
	spend := func(now time.Time) bool {
		t.Helper()
		ok, err := d.Spend(ctx, community, 7, now, func() (desk.Contact, error) { asked++; return record, nil })
		must(t, err)
		return ok
	}
	opened := func(talk desk.Talk) {
		t.Helper()
		talk.Person, talk.State = 7, json.RawMessage(`{}`)
		must(t, d.Committed(ctx, desk.Change{Community: community, Talk: &talk}))
	}
	if spend(noon) {
		t.Error("somebody who never wrote may be written to")
	}
	opened(desk.Talk{Was: 0, LastMessageAt: noon})
	for i := range 5 {
		if !spend(noon.Add(47 * time.Hour)) {
			t.Errorf("message %d of 5 refused", i+1)
		}
	}
	if spend(noon.Add(47 * time.Hour)) {
		t.Error("a sixth message allowed")
	}
	must(t, d.Unspend(ctx, community, 7, noon.Add(47*time.Hour)))
	if !spend(noon.Add(47 * time.Hour)) {
		t.Error("a message given back is gone")
	}
	opened(desk.Talk{Was: 0, LastMessageAt: noon})                     // the same news twice
	opened(desk.Talk{Was: 0, LastMessageAt: noon.Add(-1 * time.Hour)}) // and late news
	if spend(noon.Add(47 * time.Hour)) {
		t.Error("old news opened the window again")
	}
	opened(desk.Talk{Was: 1, LastClickAt: noon.Add(47 * time.Hour)})
	spend(noon.Add(47 * time.Hour))
	must(t, d.Unspend(ctx, community, 7, noon.Add(47*time.Hour))) // the click's, not the message's
	for i, want := range []bool{true, true, true, false} {
		if spend(noon.Add(47*time.Hour)) != want {
			t.Errorf("within a click, the message's used up: message %d allowed %v", i+1, !want)
		}
	}
	opened(desk.Talk{Was: 1, LastClickAt: noon.Add(50 * time.Hour)})
	for i, want := range []bool{true, true, true, false} {
		if spend(noon.Add(50*time.Hour+30*time.Second)) != want {
			t.Errorf("after a click: message %d allowed %v", i+1, !want)
		}
	}
	if spend(noon.Add(50*time.Hour + 2*time.Minute)) {
		t.Error("allowed after the click's minute")
	}
	lose(t, d)
	asked, record = 0, desk.Contact{LastMessageAt: noon, SinceMessage: 4}
	if !spend(noon.Add(time.Hour)) || spend(noon.Add(time.Hour)) || asked != 2 {
		t.Errorf("after a loss the record's count does not hold (asked %d times)", asked)
	}
	record = desk.Contact{LastMessageAt: noon.Add(time.Minute), SinceMessage: 3} // the drive was away when it came
	for i, want := range []bool{true, true, false} {
		if spend(noon.Add(time.Hour)) != want {
			t.Errorf("the record's later message: message %d allowed %v", i+1, !want)
		}
	}
}

// A crowd gets as many connections as it needs at once; when it has gone, few are kept.
func TestTheConnectionsOfACrowdAreGivenBack(t *testing.T) {
	d := open(t, storetest.RedisServer(t).URL())
	const crowd = 2 * mostIdle
	var waiting errgroup.Group
	for range crowd {
		waiting.Go(func() error { return d.c.BLPop(t.Context(), time.Minute, "door").Err() })
	}
	for { // until all wait at the same time
		info, err := d.Info(t.Context(), "clients")
		must(t, err)
		if strings.Contains(info[0], fmt.Sprintf("blocked_clients:%d\r", crowd)) {
			break
		}
	}
	for range crowd {
		must(t, d.c.RPush(t.Context(), "door", "open").Err())
	}
	must(t, waiting.Wait())
	const few = mostIdle / 8 // go-redis counts those that come back at the same moment one by one
	if n := d.c.PoolStats().TotalConns; n > mostIdle+few {
		t.Errorf("%d connections are kept, want at most %d", n, mostIdle+few)
	}
}
