package desk

import (
	"context"
	"slices"
	"sync"
	"time"
)

// mostLater bounds how many tasks of a process wait for their time; what is beyond it
// is found by Sweep, more slowly.
const mostLater = 50_000

// later are tasks that wait for a moment: pushes of a minute that is used up, or of the
// night. They are owed in the record all the while, where Sweep finds those of a process
// that died.
type later struct {
	mu  sync.Mutex
	all map[string][]waiting // by community
}

type waiting struct {
	at   time.Time
	task Task
}

// Later queues a task again once its time has come.
func (d *Desk) Later(community string, t Task, at time.Time) {
	d.later.mu.Lock()
	defer d.later.mu.Unlock()
	if len(d.later.all[community]) < mostLater {
		d.later.all[community] = append(d.later.all[community], waiting{at, t})
	}
}

// due takes those whose time has come, in the order in which they came.
func (l *later) due(community string, now time.Time) (due []waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[community] = slices.DeleteFunc(l.all[community], func(w waiting) bool {
		if w.at.After(now) {
			return false
		}
		due = append(due, w)
		return true
	})
	return due
}

// queueLater queues the tasks whose time has come. Where that fails they are found by
// Sweep.
func (d *Desk) queueLater(ctx context.Context, drive Drive, community string) error {
	for _, w := range d.later.due(community, d.Now()) {
		if err := drive.Add(ctx, community, w.task, w.task.Urgent); err != nil {
			return err
		}
	}
	return nil
}
