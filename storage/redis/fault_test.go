package redis

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Messages that wait for PostgreSQL live in Redis alone: they survive its end.
func TestMessageTasksSurviveTheServer(t *testing.T) {
	server := storetest.RedisServer(t)
	d := open(t, server.URL())
	ctx := t.Context()
	must(t, d.Add(ctx, community, desk.Task{Kind: desk.TaskMessage, Key: "m:1", Body: []byte("{}")}, false))
	must(t, d.Committed(ctx, change(assigned(1001, 1, 7, noon))))
	server.Kill()
	if err := d.Ping(ctx); err == nil {
		t.Fatal("a dead server answers")
	}
	server.Restart()
	tasks, err := d.Read(ctx, community, "a", 10, 0)
	must(t, err)
	if len(tasks) != 1 || tasks[0].Key != "m:1" {
		t.Fatalf("tasks after the restart: %+v", tasks)
	}
	if _, ok, err := d.Live(ctx, community, 1001); err != nil || !ok {
		t.Errorf("live state after the restart: %v, %v", ok, err)
	}
}

func TestEverythingWorksAfterALoss(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	must(t, d.Restore(ctx, community, []workflow.Ticket{assigned(1001, 3, 7, noon)}))
	must(t, d.RestoreLoads(ctx, community, map[workflow.PersonID]int{7: 1}))
	must(t, d.MarkReady(ctx, community))
	if _, err := d.Read(ctx, community, "a", 10, 0); err != nil { // makes the groups
		t.Fatal(err)
	}
	lose(t, d)
	if ready, err := d.Ready(ctx, community); err != nil || ready {
		t.Fatalf("ready after a loss: %v", err)
	}
	if _, ok, err := d.Loads(ctx, community); ok || err != nil {
		t.Errorf("loads after a loss: %v", err)
	}
	if tasks, err := d.Read(ctx, community, "a", 10, 0); err != nil || len(tasks) != 0 {
		t.Errorf("read after a loss: %v, %v", tasks, err)
	}
	if tasks, err := d.Claim(ctx, community, "a", 0, 10); err != nil || len(tasks) != 0 {
		t.Errorf("claim after a loss: %v, %v", tasks, err)
	}
	must(t, d.Restore(ctx, community, []workflow.Ticket{assigned(1001, 3, 7, noon)}))
	if n, err := d.FireDue(ctx, community, noon, time.Minute, 10); err != nil || n != 1 {
		t.Errorf("deadlines after the rebuild: %d, %v", n, err)
	}
}

// A server that answers nothing must not hold up a resident's answer.
func TestFailsFastWhenRedisHangs(t *testing.T) {
	proxy := storetest.Cut(t, storetest.Redis(t))
	d := open(t, proxy.URL())
	ctx := t.Context()
	must(t, d.Ping(ctx))
	for name, fault := range map[string]func(){"stalled": proxy.Stall, "cut": proxy.Cut} {
		fault()
		failsFast(t, d, name)
		proxy.Heal()
		if err := d.Ping(ctx); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

// failsFast: every call has its error within a second.
func failsFast(t *testing.T, d *Drive, name string) {
	t.Helper()
	ctx := t.Context()
	calls := map[string]func() error{
		"Begin":     func() error { _, _, _, err := d.Begin(ctx, community, "m:9", time.Minute); return err },
		"Committed": func() error { return d.Committed(ctx, change(assigned(1001, 1, 7, noon))) },
		"Add":       func() error { return d.Add(ctx, community, desk.Task{Kind: desk.TaskMessage}, false) },
		"Read":      func() error { _, err := d.Read(ctx, community, "a", 1, 100*time.Millisecond); return err },
		"Spend": func() error {
			_, err := d.Spend(ctx, community, 7, noon, func() (desk.Contact, error) { return desk.Contact{}, nil })
			return err
		},
	}
	for call, f := range calls {
		limit, cancel := context.WithTimeout(ctx, time.Second)
		done := make(chan error, 1)
		go func() { done <- f() }()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%s, %s: no error", name, call)
			}
		case <-limit.Done():
			t.Errorf("%s, %s: hangs", name, call)
		}
		cancel()
	}
}

func TestOpenSaysNothingOfThePassword(t *testing.T) {
	if _, err := Open("redis://:s3cret@host:port/x", Options{}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("Open = %v", err)
	}
}

// What was abandoned is found also behind many tasks that others are at work
// on.
func TestTheAbandonedIsFoundBehindTheBusy(t *testing.T) {
	d := open(t, server(t))
	ctx := t.Context()
	const tasks = 150
	for range tasks {
		must(t, d.Add(ctx, community, desk.Task{Kind: desk.TaskPush, Key: "p"}, false))
	}
	got, err := d.Read(ctx, community, "a", tasks, 0)
	must(t, err)
	if len(got) != tasks {
		t.Fatalf("read %d", len(got))
	}
	last := got[tasks-1]
	const long = time.Hour
	// Its consumer died an hour ago; XCLAIM says so without waiting.
	must(t, d.c.Do(ctx, "XCLAIM", last.Stream, group, "a", 0, last.ID, "IDLE", long.Milliseconds()).Err())
	claimed, err := d.Claim(ctx, community, "b", long, 2)
	must(t, err)
	if len(claimed) != 1 || claimed[0].ID != last.ID {
		t.Errorf("claimed %d tasks", len(claimed))
	}
}

// Every community of a process waits for its tasks on a connection of its own, and
// that leaves others for everything else.
func TestManyCommunitiesWaitForTasks(t *testing.T) {
	d := open(t, server(t))
	ctx, stop := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	many := 10*runtime.GOMAXPROCS(0) + 20 // more than go-redis would have
	for i := range many {
		waiting.Go(func() { _, _ = d.Read(ctx, fmt.Sprint("c", i), "a", 1, 5*time.Second) })
	}
	blocked := func() bool {
		infos, err := d.Info(ctx, "clients")
		must(t, err)
		return strings.Contains(infos[0], fmt.Sprintf("blocked_clients:%d\r", many))
	}
	for limit := time.Now().Add(20 * time.Second); !blocked(); {
		if time.Now().After(limit) {
			t.Fatal("they do not all wait")
		}
	}
	if first, _, _, err := d.Begin(ctx, community, "m:1", time.Minute); err != nil || !first {
		t.Errorf("meanwhile: %v, %v", first, err)
	}
	stop()
	waiting.Wait()
}
