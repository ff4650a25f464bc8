package workflow

import (
	"slices"
	"time"
)

// Unleft is what a matter lacks that its reporter gave to a neighbour before there was
// an event for it (EvLeft): until then EvAdopted did, and the matter still says what
// the other wrote. own is what the neighbour said, and place where. ok is false where
// it lacks nothing.
func Unleft(c *Community, t Ticket, events []Event, own Event, now time.Time) (ev Event, ok bool, err error) {
	var by PersonID
	var state Ticket
	for _, ev := range events {
		before := state
		state = Apply(state, ev)
		switch {
		case ev.Type == EvLeft:
			by = 0
		case ev.Type == EvAdopted && before.Reporter != state.Reporter && before.Waits(ev.Reporter):
			by = before.Reporter
		}
	}
	if by == 0 {
		return ev, false, nil
	}
	place := Place{Estate: t.Place.Estate, Building: t.Place.Building, Landmark: t.Place.Landmark, Grid: t.Place.Grid}
	switch {
	case own.Place != nil && own.Place.Known():
		place = *own.Place
		place.Grid = t.Place.Grid
	case t.Kind == Wish:
		place = Place{Estate: t.Place.Estate, Grid: t.Place.Grid}
	}
	if _, there := c.Grid(place.Grid); !there {
		place.Grid = ""
	}
	was := t.clone() // as it was before, so that the rules can tell what is due after
	was.Reporter, was.Followers = by, append(slices.Clone(t.Followers), t.Reporter)
	ev, err = Decide(c, was, Command{
		Name: CmdLeave, Actor: Actor{Kind: ActorPerson, Person: by}, Reporter: t.Reporter, Text: own.Text, Media: own.Media, Place: place,
	}, now)
	if CodeOf(err) == CodeWrongState { // it is over: nothing is due
		ev, err = Event{
			Seq: t.Version + 1, At: now.UTC(), Type: EvLeft, Actor: ActorPerson, By: by, To: t.State,
			Reporter: t.Reporter, Text: own.Text, Media: own.Media, Place: &place,
		}, nil
	}
	return ev, err == nil, err
}
