package desk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// narrow is a drive that takes so many tasks, and notes how many it had taken when
// deadlines were fired.
type narrow struct {
	desk.Drive
	takes, added, before int
}

func (n *narrow) Add(ctx context.Context, community string, t desk.Task, urgent bool) error {
	if n.added == n.takes {
		return errors.New("test: full")
	}
	n.added++
	return n.Drive.Add(ctx, community, t, urgent)
}

func (n *narrow) FireDue(ctx context.Context, community string, now time.Time, lease time.Duration, limit int) (int, error) {
	n.before = n.added
	return n.Drive.FireDue(ctx, community, now, lease, limit)
}

// keys are the pushes that are queued now.
func (f *fixture) keys() string {
	f.Helper()
	tasks, err := f.drive.Read(f.Context(), community, "keys", 10_000, 0)
	f.must(err)
	var keys []string
	for _, t := range tasks {
		if t.Kind == desk.TaskPush {
			keys = append(keys, t.Key)
		}
	}
	return strings.Join(keys, " ")
}

// What the drive did not take when its time had come waits on, each once and in order.
func TestWhatWaitsIsNotLost(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	drive := &narrow{Drive: f.drive, takes: 2}
	d := desk.New(desk.Options{Journal: f.store, Drive: drive, Clock: f.clock})
	f.must(d.Refresh(t.Context()))
	for _, key := range strings.Fields("a b c d e") {
		d.Later(community, desk.Task{Kind: desk.TaskPush, Key: key}, begin.Add(time.Minute))
	}
	f.must(d.Fire(t.Context(), community))
	if got := f.keys(); got != "" {
		t.Fatalf("queued before its time: %s", got)
	}
	f.clock.Advance(time.Minute)
	if err := d.Fire(t.Context(), community); err == nil {
		t.Fatal("the drive took more than it takes")
	}
	d.Later(community, desk.Task{Kind: desk.TaskPush, Key: "f"}, f.clock.Now())
	drive.takes = 10
	f.clock.Advance(2 * time.Second) // it has rested
	f.must(d.Fire(t.Context(), community))
	if got := f.keys(); got != "a b c d e f" {
		t.Errorf("queued: %s", got)
	}
}

// Of thousands whose time has come at once a part is queued in a round, after the
// deadlines, and the urgent ones first.
func TestDeadlinesAreNotBehindWhatWaits(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	drive := &narrow{Drive: f.drive, takes: 10_000}
	d := desk.New(desk.Options{Journal: f.store, Drive: drive, Clock: f.clock})
	f.must(d.Refresh(t.Context()))
	const many = 1000
	for i := range many {
		d.Later(community, desk.Task{Kind: desk.TaskPush, Key: fmt.Sprint(i)}, begin)
	}
	d.Later(community, desk.Task{Kind: desk.TaskPush, Key: "urgent", Urgent: true}, begin)
	f.must(d.Fire(t.Context(), community))
	first := strings.Fields(f.keys())
	if drive.before != 0 || len(first) >= many || first[0] != "urgent" || first[1] != "0" {
		t.Errorf("%d were queued before the deadlines, %d in all, first %v", drive.before, len(first), first[:2])
	}
	f.must(d.Fire(t.Context(), community))
	if got := len(first) + len(strings.Fields(f.keys())); drive.before != len(first) || got != many+1 {
		t.Errorf("%d of %d were queued in two rounds", got, many+1)
	}
}
