package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Work is one change in the making. Commands are decided against what it has
// read and what it has decided before; nothing is stored until Commit. A Work
// belongs to one goroutine and is used once.
type Work struct {
	// Change is what Commit stores; callers set its delivery, talk, media and
	// people, the Work its tickets and pushes.
	Change Change
	// Shape is the community as it is for this work, Now its moment.
	Shape Shape
	Now   time.Time

	desk    *Desk
	fresh   bool
	tickets map[int64]*draft
	order   []int64
	loads   map[workflow.PersonID]int
}

type draft struct {
	was    int64
	ticket workflow.Ticket
	events []workflow.Event
}

// Begin starts a work for a community; fresh reads everything from the
// Journal, for a second try after ErrStale. The error is a *workflow.Error
// where the community is not served.
func (d *Desk) Begin(community string, fresh bool) (*Work, error) {
	shape, ok := d.Shape(community)
	if !ok {
		return nil, &workflow.Error{Code: workflow.CodeNotFound, Cause: fmt.Errorf("community %q is not loaded", community)}
	}
	return &Work{
		Change: Change{Community: community}, Shape: shape, Now: d.Now(),
		desk: d, fresh: fresh, tickets: map[int64]*draft{},
	}, nil
}

// Ticket is a ticket as it stands within this work.
func (w *Work) Ticket(ctx context.Context, number int64) (workflow.Ticket, error) {
	t, err := w.draft(ctx, number)
	if err != nil {
		return workflow.Ticket{}, err
	}
	return t.ticket, nil
}

// Living is the ticket that a number leads to: the one it was merged into,
// and on from there. A reply to a merged ticket reaches the one that lives.
func (w *Work) Living(ctx context.Context, number int64) (workflow.Ticket, error) {
	for range 100 {
		t, err := w.Ticket(ctx, number)
		if err != nil || t.State != workflow.Merged {
			return t, err
		}
		number = t.Into
	}
	return workflow.Ticket{}, &workflow.Error{Code: workflow.CodeNotFound, Number: number, Cause: errors.New("merges without an end")}
}

func (w *Work) draft(ctx context.Context, number int64) (*draft, error) {
	if t, ok := w.tickets[number]; ok {
		return t, nil
	}
	t, err := w.desk.ticket(ctx, w.Change.Community, number, w.fresh)
	if err != nil {
		return nil, err
	}
	return w.keep(t, t.Version), nil
}

func (w *Work) keep(t workflow.Ticket, was int64) *draft {
	dr := &draft{was: was, ticket: t}
	w.tickets[t.Number] = dr
	w.order = append(w.order, t.Number)
	return dr
}

// File opens a ticket from a CmdFile and takes it as far as it goes without
// anybody: classified, assigned or on the wall; asked for what is missing
// where cmd.Topic says so; else in the by-hand tray.
func (w *Work) File(ctx context.Context, cmd workflow.Command) (workflow.Ticket, error) {
	number, err := w.desk.journal.NextNumber(ctx, w.Change.Community)
	if err != nil {
		return workflow.Ticket{}, fmt.Errorf("desk: ticket number: %w", err)
	}
	dr := w.keep(workflow.Ticket{Community: w.Change.Community, Number: number}, 0)
	cmd.Name = workflow.CmdFile
	if err := w.decide(dr, cmd); err != nil {
		return workflow.Ticket{}, err
	}
	return dr.ticket, w.settle(ctx, dr, cmd.Topic)
}

// FileDanger files an emergency that somebody reports, and asks where it is if nobody
// knows; what goes on about their own of a moment ago is added to that (see
// workflow.SameDanger).
func (w *Work) FileDanger(ctx context.Context, cmd workflow.Command) (workflow.Ticket, error) {
	own, err := w.desk.journal.Reported(ctx, w.Change.Community, cmd.Reporter, false, mostOwn)
	if err != nil {
		return workflow.Ticket{}, fmt.Errorf("desk: somebody's emergencies: %w", err)
	}
	if t, ok := workflow.SameDanger(&cmd, own, w.Now); ok {
		return w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdSupplement, Actor: cmd.Actor, Text: cmd.Text, Media: cmd.Media})
	}
	t, err := w.File(ctx, cmd)
	if err != nil || t.Place.Known() || t.Question != nil {
		return t, err
	}
	return w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdAsk, Actor: workflow.System(), Topic: workflow.TopicPlace})
}

// mostOwn is how many of somebody's open tickets are looked at.
const mostOwn = 20

// FileFixed files what a worker found and settled on the spot: filed,
// classified, theirs, resolved and closed, all in one.
func (w *Work) FileFixed(ctx context.Context, cmd workflow.Command) (workflow.Ticket, error) {
	number, err := w.desk.journal.NextNumber(ctx, w.Change.Community)
	if err != nil {
		return workflow.Ticket{}, fmt.Errorf("desk: ticket number: %w", err)
	}
	dr := w.keep(workflow.Ticket{Community: w.Change.Community, Number: number}, 0)
	system, by := workflow.System(), cmd.Actor
	cmd.Name = workflow.CmdFile
	classify := cmd
	classify.Name, classify.Actor, classify.Text, classify.Media = workflow.CmdClassify, system, "", nil
	for _, c := range []workflow.Command{
		cmd, classify,
		{Name: workflow.CmdAssign, Actor: system, To: by.Person, Why: workflow.WhyByHand},
		{Name: workflow.CmdAccept, Actor: by},
		{Name: workflow.CmdResolve, Actor: by, Text: cmd.Text},
	} {
		if err := w.decide(dr, c); err != nil {
			return dr.ticket, err
		}
	}
	w.Change.Pushes = slices.DeleteFunc(w.Change.Pushes, func(p Push) bool { // it is over
		return p.Number == number && (p.Person == by.Person || p.Purpose == workflow.TellDanger)
	})
	return dr.ticket, w.settle(ctx, dr, "")
}

// FileFound files what a worker found on a round: settled on the spot; else joined
// to what a resident reported of it before, or for the grid's own to settle. It is
// an incident, and nobody's who would be asked to rate it. same tells whether two
// matters are one; see workflow.Understander.
func (w *Work) FileFound(ctx context.Context, cmd workflow.Command, solved bool, same func(a, b workflow.Matter) bool) (workflow.Ticket, error) {
	if cmd.Kind != workflow.Incident || cmd.Category == "" {
		cmd.Kind, cmd.Category = workflow.Incident, workflow.OtherIncident
	}
	cmd.Reporter, cmd.Topic, cmd.Source = 0, "", workflow.SourcePatrol
	if solved {
		cmd.Source = workflow.SourceFixed
		return w.FileFixed(ctx, cmd)
	}
	if cmd.Severity != workflow.Emergency {
		known, ok, err := w.Known(ctx, workflow.Matter{Category: cmd.Category, Place: cmd.Place, Text: cmd.Text, At: w.Now}, same)
		if err != nil {
			return known, err
		}
		if ok { // a resident was first
			t, err := w.Do(ctx, known.Number, workflow.Command{Name: workflow.CmdSupplement, Actor: cmd.Actor, Text: cmd.Text, Media: cmd.Media})
			if workflow.CodeOf(err) != workflow.CodeNotAllowed { // else it is another grid's: a ticket of its own
				return t, err
			}
		}
	}
	return w.File(ctx, cmd)
}

// FileByHand takes what a person says that a ticket is about, and keeps it for
// the model to learn from. The command is a CmdClassify.
func (w *Work) FileByHand(ctx context.Context, number int64, cmd workflow.Command) (workflow.Ticket, error) {
	t, err := w.Ticket(ctx, number)
	if err != nil {
		return t, err
	}
	cmd.Name = workflow.CmdClassify
	w.Change.Samples = append(w.Change.Samples, Sample{
		Number: number, Text: t.Text, Guess: t.Category, Kind: cmd.Kind, Category: cmd.Category, Severity: cmd.Severity, By: cmd.Actor.Person, At: w.Now,
	})
	return w.Do(ctx, number, cmd)
}

// Withdraw takes a matter back. Where others wait for it too it goes on for them:
// then others is how many, and the first of them has reported it. It says from
// then on what that one wrote in their own ticket, and is where theirs is; of a
// wish that they only wished too, what the wall has shown everybody of it, which
// wall gives. Nobody reads what another wrote.
func (w *Work) Withdraw(ctx context.Context, number int64, by workflow.Actor, reason string, wall func(context.Context, *workflow.Ticket) (string, error)) (t workflow.Ticket, others int, err error) {
	if t, err = w.Ticket(ctx, number); err != nil {
		return t, 0, err
	}
	waiting := slices.Concat(t.Followers, t.Supporters)
	next := slices.IndexFunc(waiting, func(p workflow.PersonID) bool { return p != t.Owner })
	if t.Reporter != by.Person || next < 0 {
		t, err = w.Do(ctx, number, workflow.Command{Name: workflow.CmdCancel, Actor: by, Text: reason})
		return t, 0, err
	}
	leave := workflow.Command{
		Name: workflow.CmdLeave, Actor: by, Reporter: waiting[next],
		Place: workflow.Place{Estate: t.Place.Estate, Building: t.Place.Building, Landmark: t.Place.Landmark, Grid: t.Place.Grid},
	}
	own, ok, err := w.ownIn(ctx, &t, waiting)
	switch {
	case err != nil:
		return t, 0, err
	case ok:
		leave.Reporter, leave.Text, leave.Media = own.Reporter, own.Text, own.Media
		if own.Place.Known() {
			leave.Place = own.Place
		}
		if grid := own.MovesTo(w.Shape.Community); grid != "" {
			leave.Place.Grid = grid
		}
		if _, there := w.Shape.Community.Grid(leave.Place.Grid); !there { // it was removed since
			leave.Place.Grid = t.Place.Grid
		}
	case t.Kind == workflow.Wish:
		leave.Place = workflow.Place{Estate: t.Place.Estate, Grid: t.Place.Grid}
		if leave.Text, err = wall(ctx, &t); err != nil {
			return t, 0, err
		}
	}
	t, err = w.Do(ctx, number, leave)
	return t, len(waiting), err
}

// ownIn is the ticket with which the first of some people came into another, with
// their own words, photos and place alone; ok is false where none of them brought one.
func (w *Work) ownIn(ctx context.Context, t *workflow.Ticket, people []workflow.PersonID) (own workflow.Ticket, ok bool, err error) {
	brought, seen := map[workflow.PersonID]workflow.Ticket{}, map[int64]bool{t.Number: true}
	for todo := slices.Clone(t.Absorbed); len(todo) > 0; todo = todo[1:] {
		if seen[todo[0]] {
			continue
		}
		seen[todo[0]] = true
		other, err := w.Ticket(ctx, todo[0])
		if err != nil {
			return own, false, err
		}
		if _, before := brought[other.Reporter]; !before && other.Reporter != t.Owner {
			brought[other.Reporter] = other
		}
		todo = append(todo, other.Absorbed...)
	}
	for _, p := range people {
		if own, ok = brought[p]; ok {
			err = w.alone(ctx, &own)
			return own, true, err
		}
	}
	return own, false, nil
}

// alone leaves of a ticket what its reporter said of it: not what others added to it,
// nor the door that another named.
func (w *Work) alone(ctx context.Context, t *workflow.Ticket) error {
	events, err := w.desk.journal.Events(ctx, t.Community, t.Number)
	if err != nil {
		return fmt.Errorf("desk: events of ticket %d: %w", t.Number, err)
	}
	text, media, place := workflow.Said(slices.Concat(events, w.tickets[t.Number].events), t.Reporter)
	t.Text, t.Media = text, media
	if !place.Known() { // somebody else found out where it is
		place = workflow.Place{Estate: t.Place.Estate, Building: t.Place.Building, Landmark: t.Place.Landmark, Grid: t.Place.Grid}
	}
	t.Place = place
	return nil
}

// FileInto opens a ticket that tells of a trouble that is known: it ends in
// the known one at once, and its reporter counts as affected. Nobody is pushed
// anything: the reporter hears it in the reply.
func (w *Work) FileInto(ctx context.Context, cmd workflow.Command, known int64) (own, living workflow.Ticket, err error) {
	number, err := w.desk.journal.NextNumber(ctx, w.Change.Community)
	if err != nil {
		return own, living, fmt.Errorf("desk: ticket number: %w", err)
	}
	dr := w.keep(workflow.Ticket{Community: w.Change.Community, Number: number}, 0)
	cmd.Name = workflow.CmdFile
	if err := w.decide(dr, cmd); err != nil {
		return own, living, err
	}
	if living, err = w.Merge(ctx, number, known, workflow.System(), ""); err != nil {
		return own, living, err
	}
	w.Change.Pushes = slices.DeleteFunc(w.Change.Pushes, func(p Push) bool { return p.Number == number })
	return dr.ticket, living, nil
}

// Do gives commands to a ticket, in order, and takes it as far as it goes
// after each. Where one is refused the work must be thrown away.
func (w *Work) Do(ctx context.Context, number int64, cmds ...workflow.Command) (workflow.Ticket, error) {
	dr, err := w.draft(ctx, number)
	if err != nil {
		return workflow.Ticket{}, err
	}
	for _, cmd := range cmds {
		grid, open := dr.ticket.Place.Grid, dr.ticket.State.Open()
		if err := w.decide(dr, cmd); err != nil {
			return dr.ticket, err
		}
		if !open && dr.ticket.State.Open() { // its building may have gone to another grid since
			for _, move := range lagging(w.Shape, &dr.ticket) {
				if move.Name == workflow.CmdMove {
					if err := w.decide(dr, move); err != nil {
						return dr.ticket, err
					}
				}
			}
		}
		if err := w.settle(ctx, dr, cmd.Topic); err != nil {
			return dr.ticket, err
		}
		if (cmd.Name == workflow.CmdClassify || cmd.Name == workflow.CmdLeave) && dr.ticket.Place.Grid != grid {
			if err := w.goesAlong(ctx, dr, grid); err != nil {
				return dr.ticket, err
			}
		}
	}
	return dr.ticket, nil
}

// goesAlong gives a ticket that was found to be in another grid to one of that
// grid's, where who has it serves only the one it was thought to be in.
func (w *Work) goesAlong(ctx context.Context, dr *draft, was string) error {
	t := &dr.ticket
	if t.Owner == 0 || !servesOnly(w.Shape.Roster.ByID(t.Owner), was) {
		return nil
	}
	a, ok, _, err := w.Explain(ctx, t)
	if err != nil || !ok || a.To == t.Owner {
		return err
	}
	return w.decide(dr, workflow.Command{Name: workflow.CmdAssign, Actor: workflow.System(), To: a.To, Why: workflow.WhyMoved})
}

// Merge ends a ticket in another: the one that lives gains its reporter and
// followers, who are told when it is resolved.
func (w *Work) Merge(ctx context.Context, number, into int64, actor workflow.Actor, reason string) (workflow.Ticket, error) {
	living, err := w.Living(ctx, into)
	if err != nil {
		return workflow.Ticket{}, err
	}
	merge := workflow.Command{Name: workflow.CmdMerge, Actor: actor, Into: living.Number, Text: reason}
	if living.Category != "" {
		merge.Kind = living.Kind
	}
	ends, err := w.Do(ctx, number, merge)
	if err != nil {
		return ends, err
	}
	return w.Do(ctx, living.Number, workflow.Command{
		Name: workflow.CmdAbsorb, Actor: workflow.System(), Into: ends.Number, Text: shortWords(ends.Text), Media: ends.Media,
		Follow: slices.Concat([]workflow.PersonID{ends.Reporter}, ends.Followers, ends.Supporters),
	})
}

// shortWords is as much of what somebody wrote as the ticket that theirs ends
// in keeps: who handles it reads it there, and all of it in their own.
func shortWords(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:199]) + "…"
	}
	return s
}

// Split undoes a merge: the ticket lives again by itself, and the one that it
// was merged into no longer tells its people anything.
func (w *Work) Split(ctx context.Context, number int64, actor workflow.Actor, reason string) (workflow.Ticket, error) {
	was, err := w.Ticket(ctx, number)
	if err != nil {
		return was, err
	}
	living, err := w.Living(ctx, number)
	if err != nil {
		return was, err
	}
	split, err := w.Do(ctx, number, workflow.Command{Name: workflow.CmdSplit, Actor: actor, Text: reason})
	if err != nil || living.State == workflow.Cancelled {
		return split, err
	}
	leave := append([]workflow.PersonID{was.Reporter}, was.Followers...)
	for _, n := range living.Absorbed { // who brought another ticket into it stays
		if n == number {
			continue
		}
		other, err := w.Ticket(ctx, n)
		if err != nil {
			return split, err
		}
		leave = slices.DeleteFunc(leave, other.Involved)
	}
	_, err = w.Do(ctx, living.Number, workflow.Command{Name: workflow.CmdRelease, Actor: workflow.System(), Into: number, Follow: leave})
	if workflow.CodeOf(err) == workflow.CodeNeedsTarget {
		err = nil // nobody of it followed
	}
	return split, err
}

// Known is the open ticket that tells of the same trouble as a matter that
// somebody brings now; ok is false where there is none, and for an emergency:
// of those each is looked at.
func (w *Work) Known(ctx context.Context, m workflow.Matter, same func(a, b workflow.Matter) bool) (t workflow.Ticket, ok bool, err error) {
	if !m.Place.Known() || m.Category == "" {
		return t, false, nil
	}
	near, err := w.desk.journal.Near(ctx, w.Change.Community, m.Place, m.Category, m.At.Add(-nearSince), 20)
	if err != nil {
		return t, false, err
	}
	for _, n := range near {
		if n.Severity == workflow.Emergency || n.State == workflow.Resolved || n.State == workflow.Received {
			continue
		}
		first, _, _ := strings.Cut(n.Text, "\n")
		if same(m, workflow.Matter{Category: n.Category, Place: n.Place, Text: first, At: n.FiledAt}) {
			return n, true, nil
		}
	}
	return t, false, nil
}

// nearSince is how far back a known trouble is looked for.
const nearSince = 7 * 24 * time.Hour

// decide lets the machine decide, keeps the event, and notes whom it owes a
// push.
func (w *Work) decide(dr *draft, cmd workflow.Command) error {
	switch cmd.Name {
	case workflow.CmdAssign, workflow.CmdTransfer, workflow.CmdCall:
		cmd.Outside = workflow.LeavesGrid(w.Shape.Roster, &dr.ticket, cmd.To)
	case workflow.CmdClaim:
		cmd.Outside = workflow.LeavesGrid(w.Shape.Roster, &dr.ticket, cmd.Actor.Person)
	}
	ev, err := workflow.Decide(w.Shape.Community, dr.ticket, cmd, w.Now)
	if err != nil {
		return err
	}
	dr.ticket = workflow.Apply(dr.ticket, ev)
	dr.events = append(dr.events, ev)
	for _, n := range workflow.Owed(w.Shape.Roster, &dr.ticket, &ev) {
		w.owe(&dr.ticket, &ev, n)
	}
	return nil
}

// settle runs the steps that need nobody until the ticket waits for somebody.
func (w *Work) settle(ctx context.Context, dr *draft, ask workflow.Topic) error {
	var with workflow.PersonID
	for range 10 {
		step := workflow.Command{Name: workflow.Next(&dr.ticket), Actor: workflow.System()}
		t := &dr.ticket
		switch step.Name {
		case "":
			if with == 0 {
				return nil
			}
			step.Name, step.To, with = workflow.CmdCall, with, 0
		case workflow.CmdClassify:
			step.Kind, step.Category, step.Severity, step.Danger, step.Place = t.Kind, t.Category, t.Severity, t.Danger, t.Place
			if err := w.decide(dr, step); workflow.CodeOf(err) != workflow.CodeInvalid {
				if err != nil {
					return err
				}
				continue
			}
			step = workflow.Command{Name: workflow.CmdToTray, Actor: workflow.System()}
			if ask != "" {
				step.Name, step.Topic, ask = workflow.CmdAsk, ask, ""
			}
		case workflow.CmdAssign:
			load, err := w.load(ctx)
			if err != nil {
				return err
			}
			a, ok := workflow.Assign(w.Shape.Community, w.Shape.Roster, t, load, w.Now)
			if ok {
				step.To, step.Why, with = a.To, a.Why, a.With
			} else {
				step.Name = workflow.CmdToTray
			}
		}
		if err := w.decide(dr, step); err != nil {
			return fmt.Errorf("desk: step %s of ticket %d: %w", step.Name, t.Number, err)
		}
	}
	return fmt.Errorf("desk: ticket %d does not settle", dr.ticket.Number)
}

// load is how many open tickets somebody has.
func (w *Work) load(ctx context.Context) (func(workflow.PersonID) int, error) {
	if w.loads == nil {
		loads, err := w.desk.loads(ctx, w.Change.Community)
		if err != nil {
			return nil, fmt.Errorf("desk: loads: %w", err)
		}
		w.loads = loads
	}
	return func(p workflow.PersonID) int { return w.loads[p] }, nil
}

// Explain tells whom the rules would give a matter now, and which rules were
// read on the way. Nothing changes.
func (w *Work) Explain(ctx context.Context, t *workflow.Ticket) (a workflow.Assignment, ok bool, tried []workflow.Tried, err error) {
	load, err := w.load(ctx)
	if err != nil {
		return a, false, nil, err
	}
	a, ok, tried = workflow.Explain(w.Shape.Community, w.Shape.Roster, t, load, w.Now)
	return a, ok, tried, nil
}

// Owe adds a push that no event of the machine makes (a late reply, praise).
func (w *Work) Owe(key string, person workflow.PersonID, purpose workflow.Purpose, facts Facts) {
	switch {
	case w.Shape.Roster.ByID(person).Staff():
	case person == facts.Reporter:
		facts = facts.Theirs()
	default:
		facts = facts.Veiled()
	}
	p := Push{
		Community: w.Change.Community, Key: key, Person: person, Number: facts.Number, Purpose: purpose,
		Facts: facts, Status: PushOwed, CreatedAt: w.Now,
	}
	p.NextTry = p.Waits(w.Shape.Community, w.Now)
	w.Change.Pushes = append(w.Change.Pushes, p)
}

// maxPhotos is how many pictures go with one push: the five messages that a
// person's own message opens must last.
const maxPhotos = 2

func (w *Work) owe(t *workflow.Ticket, ev *workflow.Event, n workflow.Notice) {
	facts := FactsOf(t)
	facts.Said, facts.Clock, facts.Unit = ev.Text, ev.Clock, ev.Unit
	facts.Days = int(ev.Every / (24 * time.Hour))
	to := w.person(n.Person)
	facts.Anonymous = t.HidesWho(to) || ev.Type == workflow.EvAbsorbed && t.Hides(workflow.Person{}, to)
	facts.Unasked = ev.Type == workflow.EvResolved && ev.Question != nil
	facts.Event, facts.By, facts.Helper, facts.Rung = ev.Type, ev.By, ev.Helper, ev.Rung
	if h := ev.Helper; h != 0 && ev.Type != workflow.EvCalled {
		facts.Part = partOf(t, h)
	}
	if ev.Type == workflow.EvBroughtUp {
		facts.Clock = t.Late
	}
	for _, p := range ev.Points {
		if p.Person == n.Person {
			facts.Points += p.N
		}
	}
	if ev.Rating != "" {
		facts.Rating = ev.Rating
	}
	key := fmt.Sprintf("%d:%d:%s:%d", t.Number, ev.Seq, n.Purpose, n.Person)
	if n.Purpose == workflow.TellResolved || n.Purpose == workflow.TellProgress {
		// Who says at once how it went need not say first that they took it.
		w.Change.Pushes = slices.DeleteFunc(w.Change.Pushes, func(p Push) bool {
			return p.Purpose == workflow.TellAccepted && p.Number == t.Number && p.Person == n.Person
		})
	}
	w.Owe(key, n.Person, n.Purpose, facts)

	photos := ev.Media
	if n.Purpose == workflow.TellAssigned || n.Purpose == workflow.TellCalled || n.Purpose == workflow.TellDanger && n.Person == t.Owner {
		photos = t.Media
	}
	for i, m := range photos {
		if i == maxPhotos {
			break
		}
		if m.Type != "image" || !showsPhotos(n.Purpose) || facts.Anonymous && !w.Shape.Roster.ByID(m.By).Staff() {
			continue
		}
		facts.Media = m.ID
		w.Owe(key+":"+m.ID, n.Person, workflow.TellPhoto, facts)
	}
}

// person is a member of the staff, or somebody of whom only the ID is known.
func (w *Work) person(id workflow.PersonID) workflow.Person {
	if p := w.Shape.Roster.ByID(id); p.ID != 0 {
		return p
	}
	return workflow.Person{ID: id}
}

// partOf is what somebody was last called to do.
func partOf(t *workflow.Ticket, p workflow.PersonID) string {
	part := ""
	for _, h := range t.Hands {
		if h.Person == p {
			part = h.Part
		}
	}
	return part
}

func showsPhotos(p workflow.Purpose) bool {
	return slices.Contains([]workflow.Purpose{
		workflow.TellAssigned, workflow.TellDanger, workflow.TellSupplemented, workflow.TellAnswered,
		workflow.TellResolved, workflow.TellFollowers, workflow.TellProgress, workflow.TellAlso, workflow.TellVisited, workflow.TellPart, workflow.TellCalled,
	}, p)
}

// FactsOf is what words need to know of a ticket.
func FactsOf(t *workflow.Ticket) Facts {
	f := Facts{
		Number: t.Number, Kind: t.Kind, Category: t.Category, Severity: t.Severity, Danger: t.Danger,
		State: t.State, Stand: t.Stand, Place: t.Place, Text: t.Text, Owner: t.Owner, Level: t.Level, Why: t.Why,
		Rating: t.Rating, Into: t.Into, Reporter: t.Reporter,
		ResponseBy: t.Due[workflow.ClockResponse], ResolveBy: t.Due[workflow.ClockResolve],
		Also: len(t.Followers), Support: len(t.Supporters), Source: t.Source,
		Unnamed: t.Kind == workflow.Wish && !t.Named,
	}
	if by, ok := t.Due[workflow.ClockFeedback]; ok && t.Kind == workflow.Incident {
		f.ResolveBy = by // what was promised first: the word within 24 hours
	}
	if by, ok := t.Due[workflow.ClockUnclaimed]; ok {
		f.ResolveBy = by
	}
	return f
}

// Theirs are the facts for whose matter it is: what they wrote first, since others may
// have added to it.
func (f Facts) Theirs() Facts {
	f.Text, _, _ = strings.Cut(f.Text, "\n")
	return f
}

// Veiled are the facts for somebody whose ticket was merged into another's:
// what is done about it, but neither the other's words nor their door.
func (f Facts) Veiled() Facts {
	f.Text, f.Reporter = "", 0
	f.Place = workflow.Place{Estate: f.Place.Estate, Building: f.Place.Building, Landmark: f.Place.Landmark, Grid: f.Place.Grid}
	return f
}

// Commit stores the change and tells the Drive. On ErrStale what the Drive
// had is forgotten: begin again with fresh set. On ErrSeen the delivery's
// first reply stands.
func (w *Work) Commit(ctx context.Context) error {
	w.Change.Tickets = nil
	for _, n := range w.order {
		if dr := w.tickets[n]; len(dr.events) > 0 {
			w.Change.Tickets = append(w.Change.Tickets, TicketChange{Was: dr.was, Ticket: dr.ticket, Events: dr.events})
		}
	}
	w.earn()
	started := time.Now() // wall time: this measures the store, not the rules
	err := w.desk.journal.Commit(ctx, w.Change)
	commitSeconds.Observe(time.Since(started).Seconds())
	switch {
	case errors.Is(err, ErrStale):
		commits.WithLabelValues("stale").Inc()
		_ = w.desk.withDrive("forget", func(drive Drive) error {
			var errs []error
			for _, n := range w.order {
				errs = append(errs, drive.Forget(ctx, w.Change.Community, n))
			}
			if w.Change.Talk != nil {
				errs = append(errs, drive.ForgetTalk(ctx, w.Change.Community, w.Change.Talk.Person))
			}
			return errors.Join(errs...)
		})
		return err
	case err != nil:
		commits.WithLabelValues("failed").Inc()
		return err
	}
	commits.WithLabelValues("stored").Inc()
	for _, tc := range w.Change.Tickets {
		for _, ev := range tc.Events {
			events.WithLabelValues(w.Change.Community, string(ev.Type)).Inc()
		}
	}
	w.spread(ctx)
	return nil
}

// spread tells open pages and the drive of what the record has taken. A failure is
// repaired by the sweep: the record has everything.
func (w *Work) spread(ctx context.Context) {
	w.desk.live.committed(&w.Change)
	if err := w.desk.withDrive("committed", func(drive Drive) error {
		return drive.Committed(context.WithoutCancel(ctx), w.Change)
	}); err != nil {
		w.desk.live.unheard(&w.Change)
	}
}

// Told are what somebody told tickets in this work, the last command of each: who
// resolves at once what they had not accepted yet has resolved it.
func (w *Work) Told(by workflow.PersonID) []Told {
	var out []Told
	for _, n := range w.Numbers() {
		dr := w.tickets[n]
		for _, ev := range slices.Backward(dr.events) {
			row := slices.IndexFunc(workflow.Table, func(r workflow.Row) bool { return r.Makes == ev.Type })
			if ev.By == by && row >= 0 {
				out = append(out, Told{dr.ticket, workflow.Table[row].Command, ev})
				break
			}
		}
	}
	return out
}

// Told is a command that was given to a ticket, which is as it stands now.
type Told struct {
	Ticket  workflow.Ticket
	Command workflow.CommandName
	Event   workflow.Event
}

// Numbers are the tickets that this work changes, in the order in which it
// met them.
func (w *Work) Numbers() []int64 {
	return slices.DeleteFunc(slices.Clone(w.order), func(n int64) bool { return len(w.tickets[n].events) == 0 })
}
