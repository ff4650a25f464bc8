package workflow

import "slices"

// ReadBy tells whether somebody may read what the ticket says: whose matter it is, as
// far as they said it or were told it (Told), and who handles it. Those whose tickets
// were merged into it, and the neighbours who wish the same, see only how it stands.
// (The design's rule 6.)
func (t *Ticket) ReadBy(p Person) bool {
	return t.HandledBy(p) || p.ID != 0 && t.Reporter == p.ID && t.of(p)
}

// HandledBy tells whether somebody may read all that a ticket says: who filed it, who
// handles or handled it or has a part of it, its grid's workers and leader, and the
// committee. Who wished it may still be hidden from them (HidesWho).
func (t *Ticket) HandledBy(p Person) bool {
	return p.ID != 0 && t.of(p) && p.Staff() && (t.FiledBy == p.ID || t.Owner == p.ID || slices.Contains(t.Handlers, p.ID) || t.Hand(p.ID) != nil ||
		WhoGridWorker.Holds(t, By(p)) || WhoCommittee.Holds(t, By(p)))
}

func (t *Ticket) of(p Person) bool {
	return t.Community == "" || p.Community == "" || t.Community == p.Community
}

// Told are all events of a ticket as somebody may read them who does not handle it:
// words, photos and places only of what they said themselves, also as who they were
// before they became staff, of each result, and of what who handled it asked and told
// them while it was their matter.
func Told(events []Event, p PersonID) []Event {
	states, same := oneHuman(events, p)
	out := make([]Event, len(events))
	for i, ev := range events {
		told := ev.toldTo(&states[i], same)
		if !told {
			ev.Text, ev.Media, ev.Place = "", nil, nil
		}
		if ev.Question != nil && (!told || !slices.Contains(same, states[i].Reporter)) {
			q := *ev.Question
			q.Text = ""
			ev.Question = &q
		}
		out[i] = ev
	}
	return out
}

// oneHuman are the IDs by which a ticket knows one human, and the ticket before each of
// its events.
func oneHuman(events []Event, p PersonID) (states []Ticket, same []PersonID) {
	states = make([]Ticket, len(events)+1)
	for i, ev := range events {
		states[i+1] = Apply(states[i], ev)
	}
	same = []PersonID{p}
	for i, ev := range slices.Backward(events) {
		if ev.Type == EvAdopted && slices.Contains(same, ev.Reporter) && !states[i].Waits(ev.Reporter) { // else another person, not another ID
			same = append(same, ev.Follow...)
		}
	}
	return states, same
}

// Said is what one human wrote of a matter themselves, or had filed for them, with the
// photos that came with it and the last place that they gave: nothing of what others
// added to it, whoever they are.
func Said(events []Event, p PersonID) (text string, media []Media, place Place) {
	_, same := oneHuman(events, p)
	var t Ticket
	for i := range events {
		ev := &events[i]
		who := ev.By
		switch ev.Type {
		case EvFiled, EvLeft: // also what somebody filed for them
			who = ev.Reporter
		case EvAnswered, EvSupplemented:
		default:
			continue
		}
		if !slices.Contains(same, who) {
			continue
		}
		t.addText(ev.Text)
		t.Media = append(t.Media, ev.Media...)
		if ev.Place != nil {
			t.Place = *ev.Place
		}
	}
	return t.Text, t.Media, t.Place
}

// toldTo tells whether what an event says is for one of these, by their ID one human.
func (ev *Event) toldTo(before *Ticket, one []PersonID) bool {
	mine := slices.Contains(one, before.Reporter)
	switch ev.Type {
	case EvFiled, EvLeft: // also what somebody filed for them
		return slices.Contains(one, ev.Reporter)
	case EvResolved:
		return true
	case EvAsked, EvNoted, EvVisited, EvMoved:
		return mine || slices.Contains(one, ev.By)
	case EvSupplemented:
		return mine && ev.By != 0 && ev.By == before.Owner || slices.Contains(one, ev.By)
	case EvCancelled:
		return ev.By != before.Reporter || mine
	}
	return slices.Contains(one, ev.By)
}

// WordsOf are what a matter says by some of its events: what was written first and
// what was added to it, and all photos.
func WordsOf(events []Event) (text string, media []Media) {
	var t Ticket
	for _, ev := range events {
		switch ev.Type {
		case EvFiled, EvLeft, EvAnswered, EvSupplemented:
			t.addText(ev.Text)
		}
		if ev.Type != EvAbsorbed {
			media = append(media, ev.Media...)
		}
	}
	return t.Text, media
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

// Hides tells whether somebody may not know another person by a ticket: by a wish its
// owner, who has not agreed, and whoever follows it, wishes the same or took it back,
// who agreed to nothing. Its grid's workers, its leader and the committee may know all,
// and who handles it is known to all.
func (t *Ticket) Hides(who, from Person) bool {
	switch {
	case t.Kind != Wish, who.ID == from.ID, WhoGridWorker.Holds(t, By(from)), WhoCommittee.Holds(t, By(from)):
		return false
	case who.ID == t.Reporter:
		return !t.Named
	}
	return !who.Staff() || t.Involved(who.ID) || slices.Contains(t.Supporters, who.ID)
}

// PlaceTold is where something of a ticket is, as far as it may be told outside the
// staff: down to the building, never the door; of wishes, emergencies and discreet
// categories no nearer than the estate and its grid, since a place and a time can be
// enough to point at a household.
func (t *Taxonomy) PlaceTold(of *Ticket, p Place) Place {
	told := Place{Estate: p.Estate, Building: p.Building, Landmark: p.Landmark, Grid: p.Grid}
	if t.Discreetly(of) {
		told.Building, told.Landmark = 0, ""
	}
	return told
}

// Discreetly tells whether outside the staff nothing may be told of a ticket that
// points at a household: a wish, an emergency, and one of a discreet category.
func (t *Taxonomy) Discreetly(of *Ticket) bool {
	return of.Kind != Incident || of.Severity == Emergency || t.Discreet(of.Category)
}
