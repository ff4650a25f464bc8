package desk

import (
	"context"

	"github.com/wishdesk/wishdesk/workflow"
)

// Calls are the telephone calls that somebody has to make, oldest first: pushes
// that reached nobody, about what they have, what stands in their grids, or, for
// the committee, about anything. owned are the open tickets that they have. Calls
// to somebody whom they may not know are the grid's workers'.
func (d *Desk) Calls(ctx context.Context, community string, me workflow.Person, owned []workflow.Ticket, limit int) ([]Push, error) {
	f := Manual{All: me.Has(workflow.RoleCommittee), Owner: me.ID, Not: me.ID}
	for i := range owned {
		f.Numbers = append(f.Numbers, owned[i].Number)
	}
	for _, r := range me.Roles {
		if r.Kind == workflow.RoleWorker && r.FullTime {
			f.Grids = append(f.Grids, r.Grid)
		}
	}
	return d.calls(ctx, community, me, f, limit)
}

// AllCalls are the telephone calls that anybody has to make, oldest first, but
// those to me and to somebody whom I may not know.
func (d *Desk) AllCalls(ctx context.Context, community string, me workflow.Person, limit int) ([]Push, error) {
	return d.calls(ctx, community, me, Manual{All: true, Not: me.ID}, limit)
}

func (d *Desk) calls(ctx context.Context, community string, me workflow.Person, f Manual, limit int) ([]Push, error) {
	var out []Push
	for len(out) < limit {
		some, err := d.journal.ManualPushes(ctx, community, f, limit)
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			hides, err := d.hides(ctx, &p, me)
			if err != nil {
				return nil, err
			}
			if !hides {
				out = append(out, p)
			}
		}
		if len(some) < limit {
			return out, nil
		}
		last := some[limit-1]
		f.After, f.AfterKey = last.CreatedAt, last.Key
	}
	return out[:limit], nil
}

// hides tells whether somebody may not know whom a push was for, by the ticket as it
// is now: who agreed to be known may have taken it back.
func (d *Desk) hides(ctx context.Context, p *Push, me workflow.Person) (bool, error) {
	if p.Facts.Kind != workflow.Wish || p.Number == 0 {
		return false, nil
	}
	t, err := d.ticket(ctx, p.Community, p.Number, false)
	if err != nil {
		return true, err
	}
	who, err := d.journal.Person(ctx, p.Community, p.Person)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return true, nil
	}
	return t.Hides(who, me), err
}

// mostCalls bounds the calls about one ticket that end together.
const mostCalls = 100

// Called notes that everybody was telephoned who had to be about a ticket, or
// about another that lives on in it (also). Only who has it, its grid's workers
// and the committee may say so.
func (w *Work) Called(ctx context.Context, t *workflow.Ticket, by workflow.Person, also int64) error {
	actor := workflow.By(by)
	if t.Owner != by.ID && !workflow.WhoGridWorker.Holds(t, actor) && !workflow.WhoCommittee.Holds(t, actor) {
		return &workflow.Error{Code: workflow.CodeNotAllowed, Number: t.Number}
	}
	return w.calledAbout(ctx, by, []int64{t.Number, also}, func(Push) bool { return true })
}

// Phoned takes the verdict of a reporter without WeChat, asked on the telephone by
// somebody who did not do the work. ok is false where the reporter has WeChat:
// then only their own word counts, and nothing changes.
func (w *Work) Phoned(ctx context.Context, number int64, by workflow.Person, verdict workflow.Rating, why string) (t workflow.Ticket, ok bool, err error) {
	if t, err = w.Ticket(ctx, number); err != nil {
		return t, false, err
	}
	r, err := w.desk.journal.Person(ctx, w.Change.Community, t.Reporter)
	if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
		return t, false, err
	}
	if r.Reachable() {
		return t, false, nil
	}
	if t, err = w.Do(ctx, number, workflow.Command{Name: workflow.CmdRate, Actor: workflow.By(by), Rating: verdict, Text: why, Phoned: true}); err != nil {
		return t, false, err
	}
	return t, true, w.calledAbout(ctx, by, []int64{number}, func(p Push) bool { return p.Person == t.Reporter })
}

func (w *Work) calledAbout(ctx context.Context, by workflow.Person, numbers []int64, which func(Push) bool) error {
	manual, err := w.desk.journal.ManualPushes(ctx, w.Change.Community, Manual{Numbers: numbers, Not: by.ID}, mostCalls)
	if err != nil {
		return err
	}
	for _, p := range manual {
		if which(p) {
			w.Change.Ended = append(w.Change.Ended, PushEnd{Key: p.Key, PushOutcome: PushOutcome{Status: PushDone, At: w.Now}})
		}
	}
	return nil
}
