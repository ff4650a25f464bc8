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

// due takes up to most of those whose time has come, the urgent ones first, else in the
// order in which they came.
func (l *later) due(community string, now time.Time, most int) (due []waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, urgent := range []bool{true, false} {
		l.all[community] = slices.DeleteFunc(l.all[community], func(w waiting) bool {
			if len(due) == most || w.at.After(now) || w.task.Urgent != urgent {
				return false
			}
			due = append(due, w)
			return true
		})
	}
	return due
}

// back has those wait on that due gave and that could not be queued.
func (l *later) back(community string, left []waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[community] = append(left, l.all[community]...)
}

// mostQueued is how many tasks whose time has come are queued in a round: of a minute's
// thousands the deadlines' own tasks must not wait for all.
const mostQueued = 10 * batch

// queueLater queues tasks whose time has come. Those that the Drive does not take wait
// for the next round.
func (d *Desk) queueLater(ctx context.Context, drive Drive, community string) error {
	due := d.later.due(community, d.Now(), mostQueued)
	for i, w := range due {
		if err := drive.Add(ctx, community, w.task, w.task.Urgent); err != nil {
			d.later.back(community, due[i:])
			return err
		}
	}
	return nil
}
