package workflow

import "slices"

// ReadBy tells whether somebody may read what the ticket says: whose matter it
// is, who filed it, who handles or handled it or has a part of it, its grid's
// workers and leader, and the committee. Those whose tickets were merged into
// it, and the neighbours who wish the same, see only how it stands. (The
// design's rule 6.)
func (t *Ticket) ReadBy(p Person) bool {
	if p.ID == 0 || t.Community != "" && p.Community != "" && t.Community != p.Community {
		return false
	}
	if t.Reporter == p.ID {
		return true
	}
	return p.Staff() && (t.FiledBy == p.ID || t.Owner == p.ID || slices.Contains(t.Handlers, p.ID) || t.Hand(p.ID) != nil ||
		WhoGridWorker.Holds(t, By(p)) || WhoCommittee.Holds(t, By(p)))
}

// Offers are the commands for which the table has a row of the ticket's state
// and somebody's part, each once: what a page offers them. A guard may still
// refuse one, and then says why.
func Offers(t *Ticket, by Actor) []CommandName {
	var out []CommandName
	for _, row := range Table {
		if slices.Contains(row.From, t.State) && !slices.Contains(out, row.Command) &&
			slices.ContainsFunc(row.Who, func(w Who) bool { return w.Holds(t, by) }) {
			out = append(out, row.Command)
		}
	}
	return out
}

// OpenTo tells whether somebody may claim the wish, or join who has it: what they may
// look at without who wishes.
func (t *Ticket) OpenTo(p Person) bool {
	open := t.Stand == OnWall || t.Kind == Wish && t.State == Accepted
	return open && (p.MayClaim() || p.Has(RoleCommittee))
}

// TellsWho tells whether somebody may know name and telephone of who reported a
// ticket: the committee; who has it or a part of it, where it is an incident or
// the wish's owner has agreed; and while it waits to be filed by hand, the
// grid's workers, who have to ask.
func (t *Ticket) TellsWho(p Person) bool {
	if p.Has(RoleCommittee) {
		return true
	}
	files := t.Stand == InTray && WhoGridWorker.Holds(t, By(p))
	return (t.Owner == p.ID || t.Hand(p.ID) != nil || files) && !t.HidesWho(p)
}

// PlaceTold is where something of a ticket is, as far as it may be told outside the
// staff: down to the building, never the door; of wishes, emergencies and discreet
// categories no nearer than the estate and its grid, since a place and a time can be
// enough to point at a household.
func (t *Taxonomy) PlaceTold(of *Ticket, p Place) Place {
	told := Place{Estate: p.Estate, Building: p.Building, Landmark: p.Landmark, Grid: p.Grid}
	if of.Kind != Incident || of.Severity == Emergency || t.Discreet(of.Category) {
		told.Building, told.Landmark = 0, ""
	}
	return told
}
