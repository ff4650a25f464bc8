package workflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var allClocks = []Clock{
	ClockQuestion, ClockResponse, ClockFeedback, ClockResolve, ClockUnclaimed, ClockTray, ClockVisit, ClockReminder, ClockAgain, ClockRemind, ClockRating,
}

// broken is the first rule that the desk's ticket breaks, nil if none.
func broken(d *desk) error {
	t := &d.ticket
	if t.Version != int64(len(d.events)) {
		return fmt.Errorf("version %d after %d events", t.Version, len(d.events))
	}
	if !slices.Contains(states(), t.State) {
		return fmt.Errorf("state %q is not in the table", t.State)
	}
	for i, ev := range d.events {
		if ev.Seq != int64(i+1) || i > 0 && ev.At.Before(d.events[i-1].At) {
			return fmt.Errorf("event %d is out of order", i+1)
		}
	}
	for _, check := range []func(*desk) error{replays, rewordsOnlyAsSaid, waitsVisibly, firesWhenDue, closedRightly} {
		if err := check(d); err != nil {
			return err
		}
	}
	return nil
}

// replays: the record gives the ticket, also after it was written and read.
func replays(d *desk) error {
	if diff := cmp.Diff(d.ticket, Replay(d.ticket.Community, d.ticket.Number, d.events)); diff != "" {
		return fmt.Errorf("replay differs: %s", diff)
	}
	record, err := json.Marshal(d.events)
	if err != nil {
		return err
	}
	var events []Event
	if err := json.Unmarshal(record, &events); err != nil {
		return err
	}
	if diff := cmp.Diff(d.ticket, Replay(d.ticket.Community, d.ticket.Number, events)); diff != "" {
		return fmt.Errorf("replay of the written record differs: %s", diff)
	}
	return nil
}

// rewordsOnlyAsSaid: what a ticket is found by changes by no other events.
func rewordsOnlyAsSaid(d *desk) error {
	t := Ticket{Community: d.ticket.Community, Number: d.ticket.Number}
	for _, ev := range d.events {
		after := Apply(t, ev)
		same := after.Text == t.Text && after.Place == t.Place && after.Kind == t.Kind && after.Category == t.Category &&
			after.Severity == t.Severity && after.Source == t.Source && after.FiledAt.Equal(t.FiledAt)
		if !same && !ev.Type.Rewords() {
			return fmt.Errorf("%s changes what the ticket is found by", ev.Type)
		}
		t = after
	}
	return nil
}

// waitsVisibly: nothing waits unseen.
func waitsVisibly(d *desk) error {
	t := &d.ticket
	clock, _, ok := t.NextDue()
	if !t.State.Open() {
		if ok || len(t.Due) > 0 || t.Question != nil || t.Stand != WithNobody || t.EndedAt.IsZero() {
			return fmt.Errorf("ended but clocks %v, question %v, stand %q, ended at %v", t.Due, t.Question, t.Stand, t.EndedAt)
		}
		return nil
	}
	switch {
	case !ok:
		return errors.New("open without a next deadline")
	case !t.EndedAt.IsZero():
		return errors.New("open but ended")
	case (t.Owner != 0) != (t.Stand == WithOwner):
		return fmt.Errorf("owner %d, stand %q", t.Owner, t.Stand)
	case t.Stand == WithNobody && (t.State != Received || t.Question == nil || t.Question.Topic == TopicWorker):
		return fmt.Errorf("%s: no owner, not on the wall, not in the tray, not asked what or where", t.State)
	case t.Stand == OnWall && (t.Kind != Wish || t.State != Classified):
		return fmt.Errorf("%s %s on the wall", t.State, t.Kind)
	case slices.Contains(withOwner, t.State) && t.Owner == 0:
		return fmt.Errorf("%s without an owner", t.State)
	case t.State == Resolved && (t.Due[ClockRating].IsZero() || clock != ClockRating && clock != ClockRemind):
		return fmt.Errorf("resolved with clocks %v", t.Due)
	case paused(t) && clock != ClockQuestion:
		return fmt.Errorf("a stopped clock %s would fire", clock)
	case paused(t) && t.Severity == Emergency:
		return errors.New("an emergency pauses")
	}
	return nil
}

// firesWhenDue: each clock fires from its moment on and not before; one that
// is stopped or gone never does.
func firesWhenDue(d *desk) error {
	t := d.ticket
	for _, clock := range allClocks {
		tick := Command{Name: CmdTick, Actor: System(), Clock: clock}
		at, running := t.running(clock)
		if !running {
			at = d.now.AddDate(10, 0, 0)
		} else if _, err := Decide(d.c, t, tick, at); err != nil {
			return fmt.Errorf("clock %s is due but: %w", clock, err)
		} else {
			at = at.Add(-1)
		}
		want := CodeNotDue
		if !t.State.Open() {
			want = CodeWrongState
		}
		if _, err := Decide(d.c, t, tick, at); CodeOf(err) != want {
			return fmt.Errorf("clock %s (running %v) at %v: %w, want %s", clock, running, at, err, want)
		}
	}
	return nil
}

// closedRightly: a ticket is closed by the resident's word, or when they had
// the whole time for it since the matter was resolved or they last spoke.
func closedRightly(d *desk) error {
	if d.ticket.State != Closed {
		return nil
	}
	var spoken time.Time
	var ticket Ticket
	for i, ev := range d.events {
		reporter := ticket.Reporter // then: it changes where a resident becomes staff
		ticket = Apply(ticket, ev)
		if ev.Type == EvAdopted || ev.Type == EvReleased || ev.Type == EvThanked { // who is told of it, nothing else
			continue
		}
		if ev.To == Closed && d.events[i-1].To == Closed && ev.Type != EvRated {
			return fmt.Errorf("event %s in a closed ticket", ev.Type)
		}
		switch {
		case ev.To == Closed && ev.Type == EvRated:
			if ev.By != reporter && !ev.Phoned {
				return errors.New("closed by a rating that is not the reporter's")
			}
		case ev.Type == EvClosedAlone:
			if reporter != 0 || len(ticket.Followers) != 0 {
				return errors.New("closed alone although somebody could rate it")
			}
		case ev.To == Closed:
			if ev.Type != EvClosedByTime || ev.At.Sub(spoken) < d.c.Clocks.Rating {
				return fmt.Errorf("closed by %s after %v", ev.Type, ev.At.Sub(spoken))
			}
		case ev.Type == EvResolved, ev.To == Resolved && ticket.Involved(ev.By):
			spoken = ev.At
		}
	}
	return nil
}

// No clocks at all is written differently from no change of the clocks.
func TestEventKeepsEmptyClocks(t *testing.T) {
	for _, due := range []map[Clock]time.Time{nil, {}} {
		record, err := json.Marshal(Event{Due: due})
		if err != nil {
			t.Fatal(err)
		}
		var ev Event
		if err := json.Unmarshal(record, &ev); err != nil || (ev.Due == nil) != (due == nil) {
			t.Errorf("%v is read as %v, %v", due, ev.Due, err)
		}
	}
}
