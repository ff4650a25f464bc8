package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// DeadLetter is a task that failed for good, for a person to see. Body may hold a
// resident's words: it is shown to administrators only and never logged.
type DeadLetter struct {
	ID     int64
	Queue  string // the task's kind
	Body   []byte // see Task
	Reason string // the last error
	At     time.Time
}

// letter is what is kept of a task that failed for good: all that its queue needs
// to take it again as it was.
type letter struct {
	Key    string `json:"key"`
	Lane   string `json:"lane,omitempty"`
	Urgent bool   `json:"urgent,omitempty"`
	Body   []byte `json:"body,omitempty"`
}

// Letter is the task as a dead letter's Body.
func (t Task) Letter() []byte {
	b, _ := json.Marshal(letter{t.Key, t.Lane, t.Urgent, t.Body}) // texts and bytes, which never fail
	return b
}

// Task is the task again. A letter of a release before lanes were kept has its key
// and body alone: it is nobody's turn but its own.
func (d DeadLetter) Task() Task {
	t := Task{Kind: TaskKind(d.Queue)}
	var l letter
	if json.Unmarshal(d.Body, &l) == nil && l.Key != "" {
		t.Key, t.Lane, t.Urgent, t.Body = l.Key, l.Lane, l.Urgent, l.Body
		return t
	}
	key, body, _ := bytes.Cut(d.Body, []byte(" "))
	t.Key, t.Body = string(key), body
	return t
}

// Retry queues a task again that failed for good, on the queue and in the lane
// that it had, then forgets the letter: where that fails the task is done twice,
// never not at all, and every task begins by asking the record whether it is done.
// A *workflow.Error with CodeNotFound where there is no such letter.
func (d *Desk) Retry(ctx context.Context, community string, id int64) error {
	l, ok, err := d.journal.DeadLetterByID(ctx, community, id)
	if err != nil {
		return err
	}
	if !ok {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such dead letter")}
	}
	defer d.Tell(ctx, community, AboutFailed)
	return d.retry(ctx, community, l)
}

// GiveUp forgets one letter: nothing more is done about it.
func (d *Desk) GiveUp(ctx context.Context, community string, id int64) error {
	defer d.Tell(ctx, community, AboutFailed)
	return d.journal.RemoveDeadLetter(ctx, community, id)
}

func (d *Desk) retry(ctx context.Context, community string, l DeadLetter) error {
	t := l.Task()
	if err := d.withDrive("retry", func(drive Drive) error { return drive.Add(ctx, community, t, t.Urgent) }); err != nil {
		return fmt.Errorf("desk: retry: %w", err)
	}
	return d.journal.RemoveDeadLetter(ctx, community, l.ID)
}

// mostLetters is how many letters RetryAll and GiveUpAll take at once.
const mostLetters = 1000

// RetryAll retries the newest letters of those from one to another, 1,000 at
// most, the oldest of them first, and tells how many.
func (d *Desk) RetryAll(ctx context.Context, community string, from, until int64) (int, error) {
	return d.ofLetters(ctx, community, from, until, func(l DeadLetter) error { return d.retry(ctx, community, l) })
}

// GiveUpAll forgets letters as RetryAll takes them: nothing more is done about
// them.
func (d *Desk) GiveUpAll(ctx context.Context, community string, from, until int64) (int, error) {
	return d.ofLetters(ctx, community, from, until, func(l DeadLetter) error { return d.journal.RemoveDeadLetter(ctx, community, l.ID) })
}

func (d *Desk) ofLetters(ctx context.Context, community string, from, until int64, do func(DeadLetter) error) (n int, err error) {
	defer d.Tell(ctx, community, AboutFailed)
	all, err := d.journal.DeadLetters(ctx, community, mostLetters)
	if err != nil {
		return 0, err
	}
	for _, l := range slices.Backward(all) {
		if l.ID < from || l.ID > until {
			continue
		}
		if err := do(l); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
