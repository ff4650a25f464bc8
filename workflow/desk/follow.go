package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// followLease is how long one replica may take to have the open tickets
// follow a change of the community.
const followLease = 5 * time.Minute

// followAgain is how long after a change of the community the tickets are
// looked through again and again: meanwhile another replica may still decide
// by the shape before it.
const followAgain = 10 * time.Second

// Follow has the open tickets follow what changed in the community's document
// or staff since they did last: of somebody who plays no part any more the
// tickets are given to others, and a building's tickets go with it to its new
// grid. Of many replicas one does it; it is safe to stop anywhere and to do
// twice. It reports how many tickets changed.
func (d *Desk) Follow(ctx context.Context, community string) (changed int, err error) {
	shape, ok := d.Shape(community)
	if !ok || d.followed(community) >= shape.Version {
		return 0, nil
	}
	done, err := d.journal.Followed(ctx, community)
	if err != nil {
		return 0, err
	}
	if done >= shape.Version {
		d.setFollowed(community, done)
		return 0, nil
	}
	var unlock func()
	err = d.withDrive("follow", func(drive Drive) (err error) {
		unlock, ok, err = drive.Lock(ctx, community, "follow", followLease)
		return err
	})
	if err != nil || !ok {
		return 0, err // with Redis away it waits: the ladder still tells of what is not done
	}
	defer unlock()
	if err := d.leaveOld(ctx, community); err != nil {
		return 0, fmt.Errorf("desk: follow: %w", err)
	}
	var behind []int64
	err = d.journal.OpenTickets(ctx, community, func(t workflow.Ticket) error {
		if len(lagging(shape, &t)) > 0 {
			behind = append(behind, t.Number)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("desk: follow: %w", err)
	}
	for _, number := range behind {
		moved, err := d.followOne(ctx, community, number)
		if err != nil {
			return changed, fmt.Errorf("desk: follow: ticket %d: %w", number, err)
		}
		if moved {
			changed++
		}
	}
	if d.clock.Now().Sub(d.loadedAt(community)) >= followAgain {
		if err := d.journal.FollowedTo(ctx, community, shape.Version); err != nil {
			return changed, err
		}
		d.setFollowed(community, shape.Version)
	}
	if changed > 0 {
		d.log.Info("open tickets followed a change of the community", "community", community, "tickets", changed)
	}
	return changed, nil
}

// leaveOld has those tickets left that their reporters took back before there was an
// event for it, so that no neighbour reads what another wrote.
func (d *Desk) leaveOld(ctx context.Context, community string) error {
	all, err := d.journal.Unleft(ctx, community)
	if err != nil {
		return err
	}
	for _, number := range all {
		err := ErrStale
		for range 5 {
			if err = d.leaveOne(ctx, community, number); !errors.Is(err, ErrStale) {
				break
			}
		}
		if err == nil {
			err = d.journal.WasLeft(ctx, community, number)
		}
		if err != nil {
			return fmt.Errorf("ticket %d, to be left: %w", number, err)
		}
	}
	return nil
}

func (d *Desk) leaveOne(ctx context.Context, community string, number int64) error {
	w, err := d.Begin(community, true)
	if err != nil {
		return err
	}
	dr, err := w.draft(ctx, number)
	if err != nil {
		return err
	}
	events, err := d.journal.Events(ctx, community, number)
	if err != nil {
		return err
	}
	own, ok, err := w.ownIn(ctx, &dr.ticket, []workflow.PersonID{dr.ticket.Reporter})
	if err != nil {
		return err
	}
	var theirs workflow.Event
	if ok {
		theirs.Text, theirs.Media, theirs.Place = own.Text, own.Media, &own.Place
	}
	ev, lacks, err := workflow.Unleft(w.Shape.Community, dr.ticket, events, theirs, w.Now)
	if err != nil || !lacks {
		return err
	}
	dr.ticket = workflow.Apply(dr.ticket, ev)
	dr.events = append(dr.events, ev)
	return w.Commit(ctx)
}

// lagging are the commands that bring a ticket up to the community's shape.
func lagging(shape Shape, t *workflow.Ticket) []workflow.Command {
	var cmds []workflow.Command
	system := workflow.System()
	if grid := t.MovesTo(shape.Community); grid != "" {
		place := t.Place
		place.Grid = grid
		cmds = append(cmds, workflow.Command{Name: workflow.CmdMove, Actor: system, Place: place})
	}
	if t.State == workflow.Resolved {
		return cmds
	}
	for _, p := range t.Helpers() {
		if !shape.Roster.ByID(p).Staff() {
			cmds = append(cmds, workflow.Command{Name: workflow.CmdDecline, Actor: system, To: p, Text: workflow.WhyLeft})
		}
	}
	if t.Owner == 0 {
		return cmds
	}
	owner := shape.Roster.ByID(t.Owner)
	left := !owner.Staff()
	moved := len(cmds) > 0 && cmds[0].Name == workflow.CmdMove && servesOnly(owner, t.Place.Grid)
	switch {
	case left && t.Kind == workflow.Wish && t.State == workflow.Accepted:
		cmds = append(cmds, workflow.Command{Name: workflow.CmdReturn, Actor: system, Text: workflow.WhyLeft})
	case left:
		cmds = append(cmds, workflow.Command{Name: workflow.CmdAssign, Actor: system, Why: workflow.WhyLeft})
	case moved:
		cmds = append(cmds, workflow.Command{Name: workflow.CmdAssign, Actor: system, Why: workflow.WhyMoved})
	}
	return cmds
}

// servesOnly tells whether somebody has the grid's tickets as one of its
// workers, and serves no other that could keep them.
func servesOnly(p workflow.Person, grid string) bool {
	return len(p.Roles) > 0 && !slices.ContainsFunc(p.Roles, func(r workflow.Role) bool {
		return r.Kind != workflow.RoleWorker && r.Kind != workflow.RoleLeader || r.Grid != grid
	})
}

func (d *Desk) followOne(ctx context.Context, community string, number int64) (bool, error) {
	for range 5 {
		w, err := d.Begin(community, true)
		if err != nil {
			return false, err
		}
		t, err := w.Ticket(ctx, number)
		if err != nil {
			return false, err
		}
		cmds := lagging(w.Shape, &t)
		if len(cmds) == 0 || !t.State.Open() {
			return false, nil
		}
		for _, cmd := range cmds {
			if t, err = w.Ticket(ctx, number); err != nil {
				return false, err
			}
			var with workflow.PersonID
			if cmd.Name == workflow.CmdAssign {
				a, ok, _, err := w.Explain(ctx, &t)
				if err != nil {
					return false, err
				}
				with = a.With
				if cmd.To = a.To; !ok { // nobody is there: to be assigned by hand
					cmd = workflow.Command{Name: workflow.CmdReturn, Actor: workflow.System(), Text: cmd.Why}
				}
			}
			if _, err := w.Do(ctx, number, cmd); err != nil {
				return false, err
			}
			if with != 0 {
				if _, err := w.Do(ctx, number, workflow.Command{Name: workflow.CmdCall, Actor: workflow.System(), To: with}); err != nil {
					return false, err
				}
			}
		}
		if err = w.Commit(ctx); err == nil {
			return true, nil
		} else if !errors.Is(err, ErrStale) {
			return false, err
		}
	}
	return false, fmt.Errorf("keeps changing: %w", ErrStale)
}

func (d *Desk) loadedAt(community string) time.Time {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.loaded[community]
}

func (d *Desk) followed(community string) int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.follows[community]
}

func (d *Desk) setFollowed(community string, shape int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.follows[community] = shape
}
