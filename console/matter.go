package console

import (
	"context"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// matter is a ticket as a page shows it to who is logged in. What they may not
// read is not in it, so that no template can show it by mistake.
type matter struct {
	Number     int64
	Kind       workflow.Kind
	Category   workflow.Category
	What       string // the category's label, or that it is not known yet
	Severity   workflow.Severity
	State      workflow.State
	StateLabel string
	Tone       string // of the state's badge: go, wait, late, link
	Stand      workflow.Stand
	Place      string
	Grid       string // its name
	Text       string // what was written, "" where they may not read it
	Resolution string
	Owner      string // name of who has it
	OwnerTitle string
	Mine       bool // who is logged in has it
	Own        bool // it is their own matter
	Late       bool
	Due        time.Time // the next promise, zero for none
	Paused     bool      // a question makes the promises stand still
	FiledAt    time.Time
	ResolvedAt time.Time
	EndedAt    time.Time
	Question   string // what they are asked, "" for nothing
	Rating     workflow.Rating
	Level      int
	Reopened   int
	Named      bool // a wish: claimers may know who asks
	Also       int  // other households with the same trouble
	Support    int
	Into       int64                  // the ticket in which it lives on
	Photos     []workflow.Media       // as it was
	After      []workflow.Media       // and as it is: those of the result
	Pair       int                    // every how many days a pair meets, 0 for none
	Sees       bool                   // they may read all of it
	Can        []workflow.CommandName // what they may tell it to do now
}

// May tells whether who is logged in may give a command now.
func (m matter) May(command string) bool {
	return slices.Contains(m.Can, workflow.CommandName(command))
}

// matter shows a ticket to who is logged in.
func (q *request) matter(t *workflow.Ticket) (matter, error) {
	veil, err := q.veil(t)
	return q.behind(veil, t), err
}

// matters shows tickets to who is logged in.
func (q *request) matters(all []workflow.Ticket) ([]matter, error) {
	some := make([]*workflow.Ticket, len(all))
	for i := range all {
		some[i] = &all[i]
	}
	veil, err := q.veil(some...)
	out := make([]matter, len(all))
	for i, t := range some {
		out[i] = q.behind(veil, t)
	}
	return out, err
}

// veil is what stands before those of some tickets of which who is logged in may not
// know who asked.
func (q *request) veil(all ...*workflow.Ticket) (wording.Veil, error) {
	var hidden []int64
	for _, t := range all {
		if t.HidesWho(q.me) || t.Stand == workflow.OnWall {
			hidden = append(hidden, t.Number)
		}
	}
	return q.voice().Veil(q.Context(), q.console.o.Desk.Journal(), hidden...)
}

// behind is a ticket as who is logged in sees it, behind its veil where there is one.
func (q *request) behind(veil wording.Veil, t *workflow.Ticket) matter {
	sees := t.ReadBy(q.me)
	hides := t.HidesWho(q.me)
	voice := q.voice()
	grid, _ := q.shape.Community.Grid(t.Place.Grid)
	owner := q.shape.Roster.ByID(t.Owner)
	m := matter{
		Number: t.Number, Kind: t.Kind, Category: t.Category, What: q.voice().Taxonomy.Label(t.Category), Severity: t.Severity,
		State: t.State, StateLabel: voice.State(t), Tone: tone(t), Stand: t.Stand, Grid: grid.Name,
		Owner: owner.Name, OwnerTitle: voice.Title(owner), Mine: t.Owner == q.me.ID && t.Owner != 0, Own: t.Involved(q.me.ID), Late: t.IsLate(),
		FiledAt: t.FiledAt, ResolvedAt: t.ResolvedAt, EndedAt: t.EndedAt, Rating: t.Rating, Level: t.Level, Reopened: t.Reopened, Named: t.Named,
		Also: len(t.Followers), Support: len(t.Supporters), Into: t.Into, Sees: sees, Can: workflow.Offers(t, q.by()),
	}
	if t.Pair != nil {
		m.Pair = int(t.Pair.Every / (24 * time.Hour))
	}
	if t.State == workflow.Resolved && !m.Own { // it is not theirs to say how it was
		m.StateLabel = voice.Say("page.state.resolved", nil)
	}
	if t.Category == "" {
		m.What = voice.Say("what_unknown", nil)
	}
	_, m.Due, _ = t.Promise()
	m.Paused = t.State.Open() && t.Question != nil && t.Question.Pauses
	place := t.Place
	switch {
	case hides || !sees: // never the door
		place = workflow.Place{Estate: place.Estate, Building: place.Building, Landmark: place.Landmark, Grid: place.Grid}
		if hides {
			place.Building, place.Landmark = 0, ""
		}
	}
	m.Place = place.String()
	switch {
	case sees && !hides:
		m.Text, m.Photos, m.Resolution = t.Text, t.Media, t.Resolution
		if !t.HandledBy(q.me) { // story has all that is theirs
			m.Text, m.Photos = wording.FirstLine(t.Text), nil
		}
		if t.Question != nil {
			m.Question = t.Question.Text
		}
	case sees || t.OpenTo(q.me) || t.Stand == workflow.OnWall:
		m.Text, m.Resolution = veil.Anonymous(t.Number, t.Text), t.Resolution
	case t.Involved(q.me.ID):
		m.Resolution = t.Resolution
	}
	return m
}

// tone is the colour of a state's badge.
func tone(t *workflow.Ticket) string {
	switch {
	case t.IsLate():
		return "late"
	case t.State == workflow.Resolved, t.State == workflow.Closed:
		return "go"
	case t.State == workflow.Accepted:
		return "link"
	case t.State.Open():
		return "wait"
	}
	return ""
}

// ticket is the ticket that the path names, for somebody who may see it: to
// read, because it is theirs, because theirs lives on in it, or because it may
// be claimed. To anybody else there is no such ticket.
func (q *request) ticket(ctx context.Context) (workflow.Ticket, error) {
	number, err := q.number()
	if err != nil {
		return workflow.Ticket{}, err
	}
	t, err := q.console.o.Desk.Journal().Ticket(ctx, q.community(), number)
	if err != nil {
		return workflow.Ticket{}, err
	}
	if t.ReadBy(q.me) || t.Involved(q.me.ID) || t.OpenTo(q.me) {
		return t, nil
	}
	return workflow.Ticket{}, &workflow.Error{Code: workflow.CodeNotFound, Number: number}
}

// do gives commands to the ticket that the path names, in one commit, and leads to
// where to says.
func (q *request) do(to string, cmds ...workflow.Command) error {
	number, err := q.number()
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		_, err := w.Do(q.Context(), number, cmds...)
		return to, err
	})
}
