package workflow

import (
	"maps"
	"slices"
	"time"
)

// running is when a clock fires, and whether it runs at all: a question that
// pauses the ticket stops every clock but its own.
func (t *Ticket) running(c Clock) (time.Time, bool) {
	if !t.State.Open() {
		return time.Time{}, false
	}
	if c == ClockQuestion {
		if t.Question == nil {
			return time.Time{}, false
		}
		return t.Question.Until, true
	}
	if t.Question != nil && t.Question.Pauses {
		return time.Time{}, false
	}
	at, ok := t.Due[c]
	return at, ok
}

// after is the moment when d of the ticket's time has passed since start:
// working time, but never for an emergency.
func after(c *Community, t *Ticket, start time.Time, d time.Duration) time.Time {
	if t.Severity == Emergency {
		return start.Add(d)
	}
	return c.Working.Add(start, d, c.Location()).UTC()
}

// dueAfter is the complete set of clocks that run after the event, nil where
// the event leaves them as they are. t is the ticket before, a after. While a
// question pauses the ticket its time stands still at the asking: what starts
// meanwhile is counted from there, so that the answer moves it on with the
// rest.
func dueAfter(c *Community, t, a *Ticket, ev Event) map[Clock]time.Time {
	due := clocksAfter(c, t, a, ev)
	if due == nil || !a.State.Open() {
		return due
	}
	// The reminder follows the promises. While a question makes them stand
	// still, so does it.
	now := ev.At
	if paused(a) {
		now = a.Question.At
	}
	delete(due, ClockReminder)
	if slices.Contains(withOwner, a.State) {
		if _, at, _, ok := reminder(c, a, due, now); ok {
			due[ClockReminder] = at
		}
	}
	return due
}

func clocksAfter(c *Community, t, a *Ticket, ev Event) map[Clock]time.Time {
	now := ev.At
	due := maps.Clone(t.Due)
	if due == nil {
		due = map[Clock]time.Time{}
	}
	if paused(a) {
		now = a.Question.At
	} else if paused(t) {
		resume(c, t, due, now)
	}
	promise := c.Clocks.For(a.Severity)
	// Something that is overdue is brought up again only while no clock of
	// its own will do so.
	calm := func() {
		if _, running := due[ClockResolve]; running {
			delete(due, ClockAgain)
		}
	}

	switch ev.Type {
	case EvFiled, EvTrayed:
		delete(due, ClockResponse)
		due[ClockTray] = trayBy(c, a, now)
	case EvClassified:
		clear(due)
		if a.wallable() {
			due[ClockUnclaimed] = now.Add(c.Clocks.WishClaimed)
			break
		}
		due[ClockResponse] = after(c, a, a.Since, promise.Response)
		due[ClockResolve] = resolveBy(c, a, a.Since, promise)
		if promise.Feedback > 0 && a.Kind == Incident {
			due[ClockFeedback] = after(c, a, a.Since, promise.Feedback)
		}
	case EvReclassified:
		reclassifiedClocks(c, t, a, due, now, promise)
	case EvPublished:
		clear(due)
		due[ClockUnclaimed] = now.Add(c.Clocks.WishClaimed)
	case EvAssigned, EvTransferred:
		delete(due, ClockTray)
		delete(due, ClockUnclaimed)
		if _, running := due[ClockResponse]; !running {
			due[ClockResponse] = after(c, a, now, promise.Response)
		}
		if _, running := due[ClockResolve]; !running && !slices.Contains(a.Overdue, ClockResolve) && a.Pair == nil {
			due[ClockResolve] = resolveBy(c, a, now, promise)
		}
		calm()
	case EvClaimed:
		clear(due)
		due[ClockResolve] = now.Add(c.Clocks.WishResolve)
	case EvAccepted:
		delete(due, ClockResponse)
		if _, running := due[ClockResolve]; !running {
			due[ClockAgain] = after(c, a, now, c.Clocks.Again)
		}
		calm()
	case EvReturned:
		delete(due, ClockResponse)
		delete(due, ClockVisit)
		if a.Stand == OnWall {
			clear(due)
			due[ClockUnclaimed] = now.Add(c.Clocks.WishClaimed)
		} else {
			due[ClockTray] = trayBy(c, a, now)
		}
	case EvAnswered, EvQuestionLapsed, EvAdvised:
		if a.State == Received {
			due[ClockTray] = trayBy(c, a, now)
		}
	case EvNoted:
		delete(due, ClockFeedback)
		calm()
	case EvPaired, EvVisited:
		delete(due, ClockResolve)
		delete(due, ClockFeedback)
		delete(due, ClockAgain)
		due[ClockVisit] = now.Add(a.Pair.Every)
	case EvReminded, EvLeft: // the next one, if any
	case EvResolved:
		clear(due)
		ratingClocks(c, due, now)
	case EvSupplemented:
		if a.State != Resolved || !a.Involved(ev.By) {
			return nil
		}
		ratingClocks(c, due, now) // the resident spoke: their time to rate begins again
	case EvRatingReminded:
		delete(due, ClockRemind)
	case EvReopened, EvSplit:
		clear(due)
		if a.State == Received {
			due[ClockTray] = trayBy(c, a, now)
			break
		}
		if a.wallable() {
			due[ClockUnclaimed] = now.Add(c.Clocks.WishClaimed)
			break
		}
		due[ClockResponse] = after(c, a, now, promise.Response)
		due[ClockResolve] = resolveBy(c, a, now, promise)
		if promise.Feedback > 0 && a.Kind == Incident {
			due[ClockFeedback] = after(c, a, now, promise.Feedback)
		}
	case EvOverdue, EvBroughtUp:
		delete(due, ev.Clock)
		due[ClockAgain] = after(c, a, now, c.Ladder.next(a, a.Late, a.Rung, c.Clocks.Again))
	default:
		return nil // no clock changes; ended tickets lose theirs in Apply
	}
	return due
}

// paused tells whether a question makes the ticket's clocks stand still.
func paused(t *Ticket) bool { return t.Question != nil && t.Question.Pauses }

// trayBy is when something in the tray is overdue; an emergency has no more
// time there than for being accepted.
func trayBy(c *Community, t *Ticket, now time.Time) time.Time {
	if t.Severity == Emergency {
		return now.Add(min(c.Clocks.Tray, c.Clocks.Emergency.Response))
	}
	return after(c, t, now, c.Clocks.Tray)
}

func resolveBy(c *Community, t *Ticket, start time.Time, p Promise) time.Time {
	if t.Kind == Wish {
		return start.Add(c.Clocks.WishResolve)
	}
	return after(c, t, start, p.Resolve)
}

func ratingClocks(c *Community, due map[Clock]time.Time, now time.Time) {
	if c.Clocks.RatingReminder > 0 {
		remind := c.Quiet.Next(now.Add(c.Clocks.RatingReminder), c.Location()).UTC()
		if remind.Before(now.Add(c.Clocks.Rating)) {
			due[ClockRemind] = remind
		}
	}
	due[ClockRating] = now.Add(c.Clocks.Rating)
}

// reclassifiedClocks follows a new severity or kind: what is still promised
// is counted anew from the start of the matter; what was met or missed stays.
func reclassifiedClocks(c *Community, t, a *Ticket, due map[Clock]time.Time, now time.Time, p Promise) {
	if a.wallable() && a.Owner == 0 {
		if t.Kind != Wish || t.Stand != OnWall {
			clear(due)
			due[ClockUnclaimed] = now.Add(c.Clocks.WishClaimed)
		}
		return
	}
	delete(due, ClockUnclaimed)
	delete(due, ClockTray)
	if _, running := due[ClockResponse]; running {
		due[ClockResponse] = after(c, a, a.Since, p.Response)
	}
	if !slices.Contains(a.Overdue, ClockResolve) && a.Pair == nil {
		due[ClockResolve] = resolveBy(c, a, a.Since, p)
	}
	_, running := due[ClockFeedback]
	delete(due, ClockFeedback)
	owing := running || a.ReportedAt.IsZero() && !slices.Contains(a.Overdue, ClockFeedback)
	if owing && p.Feedback > 0 && a.Kind == Incident {
		due[ClockFeedback] = after(c, a, a.Since, p.Feedback)
	}
}

// resume moves the clocks that a question stopped: each has as much of its
// time left as it had when the question was asked.
func resume(c *Community, t *Ticket, due map[Clock]time.Time, now time.Time) {
	asked := t.Question.At
	for k, at := range due {
		switch {
		case !at.After(asked): // it was overdue already when the question was asked
		case k == ClockUnclaimed, k == ClockVisit, k == ClockResolve && t.Kind == Wish: // never in working time
			due[k] = at.Add(now.Sub(asked))
		default:
			due[k] = after(c, t, now, c.Working.Between(asked, at, c.Location()))
		}
	}
}
