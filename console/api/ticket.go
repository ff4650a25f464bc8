package api

import (
	"context"
	"net/http"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// ticketShape is a ticket without anything that leads to a person.
type ticketShape struct {
	Number        int64             `json:"number"`
	Version       int64             `json:"version"`
	State         workflow.State    `json:"state"`
	Stand         workflow.Stand    `json:"stand,omitempty"`
	Kind          workflow.Kind     `json:"kind"`
	Category      workflow.Category `json:"category,omitempty"`
	CategoryLabel string            `json:"category_label,omitempty"`
	Severity      workflow.Severity `json:"severity"`
	Source        workflow.Source   `json:"source,omitempty"`
	Place         placeShape        `json:"place"`
	Level         int               `json:"level"`
	Group         string            `json:"group"` // of who has it; see digest.GroupOf

	FiledAt      time.Time `json:"filed_at"`
	ClassifiedAt time.Time `json:"classified_at,omitzero"`
	AssignedAt   time.Time `json:"assigned_at,omitzero"`
	AcceptedAt   time.Time `json:"accepted_at,omitzero"`
	ResolvedAt   time.Time `json:"resolved_at,omitzero"`
	EndedAt      time.Time `json:"ended_at,omitzero"`

	NextDue   *dueShape        `json:"next_due,omitempty"`
	Late      bool             `json:"late"`
	LateSince time.Time        `json:"late_since,omitzero"`
	Missed    []workflow.Clock `json:"missed,omitempty"` // since the filing or the last reopening

	Rating       workflow.Rating `json:"rating,omitempty"`
	ClosedByTime bool            `json:"closed_by_time,omitempty"`
	Reopened     int             `json:"reopened"`
	Urged        int             `json:"urged"`
	Escalated    int             `json:"escalated"`
	Households   int             `json:"households"` // that reported it, this one's reporter counted
	Supporters   int             `json:"supporters"`
	Photos       int             `json:"photos"`
	MergedInto   int64           `json:"merged_into,omitempty"`
	Absorbed     []int64         `json:"absorbed,omitempty"`

	Personal *personalShape `json:"personal,omitempty"` // of one ticket, for keys with that scope
}

// placeShape is where a matter is, as far as it may be told outside the staff; see
// workflow.Taxonomy.PlaceTold. Unit to Spot are told with what is personal alone.
type placeShape struct {
	Estate   string `json:"estate,omitempty"`
	Building int    `json:"building,omitempty"`
	Landmark string `json:"landmark,omitempty"`
	Grid     string `json:"grid,omitempty"`

	Unit  int    `json:"unit,omitempty"`
	Floor int    `json:"floor,omitempty"`
	Room  string `json:"room,omitempty"`
	Spot  string `json:"spot,omitempty"` // words about it, as written
}

// dueShape is the clock that fires next.
type dueShape struct {
	Clock workflow.Clock `json:"clock"`
	At    time.Time      `json:"at"`
}

// personalShape is what leads to people. Hidden: it is a wish whose owner has not
// agreed to be known; then neither they nor the door are told, and the words are
// without traces of them.
type personalShape struct {
	Text       string       `json:"text"`
	Place      *placeShape  `json:"place,omitempty"`
	Danger     string       `json:"danger,omitempty"`
	Question   string       `json:"question,omitempty"`
	Resolution string       `json:"resolution,omitempty"`
	Hidden     bool         `json:"hidden"`
	Reporter   *personShape `json:"reporter,omitempty"`
	FiledBy    *personShape `json:"filed_by,omitempty"`
	Owner      *personShape `json:"owner,omitempty"`
	Claimers   []string     `json:"claimers,omitempty"`
}

// personShape is somebody. Of staff the telephone is not told.
type personShape struct {
	ID    workflow.PersonID `json:"id"`
	Name  string            `json:"name,omitempty"`
	Phone string            `json:"phone,omitempty"`
	Title string            `json:"title,omitempty"`
}

// hides tells whether the ticket is a wish whose owner has not agreed to be known:
// a key is nobody, by office or otherwise.
func hides(t *workflow.Ticket) bool { return t.HidesWho(workflow.Person{}) }

// place is a place of a ticket as far as it leads to nobody.
func (q *request) place(t *workflow.Ticket, p workflow.Place) placeShape {
	return wholePlace(q.api.o.Taxonomy.PlaceTold(t, p))
}

func wholePlace(p workflow.Place) placeShape {
	return placeShape{p.Estate, p.Building, p.Landmark, p.Grid, p.Unit, p.Floor, p.Room, p.Detail}
}

// show is a ticket without anything that leads to a person.
func (q *request) show(t *workflow.Ticket) ticketShape {
	group, _ := digest.GroupOf(q.shape.Roster.ByID(t.Owner), t.Kind)
	out := ticketShape{
		Number: t.Number, Version: t.Version, State: t.State, Stand: t.Stand, Kind: t.Kind, Category: t.Category, Severity: t.Severity, Source: t.Source,
		Place: q.place(t, t.Place), Level: t.Level, Group: group,
		FiledAt: t.FiledAt, ClassifiedAt: t.ClassifiedAt, AssignedAt: t.AssignedAt, AcceptedAt: t.AcceptedAt, ResolvedAt: t.ResolvedAt, EndedAt: t.EndedAt,
		Late: t.IsLate(), Missed: t.Overdue, Rating: t.Rating, ClosedByTime: t.ByTime, Reopened: t.Reopened, Urged: t.Urged, Escalated: t.Escalated,
		Households: 1 + len(t.Followers), Supporters: len(t.Supporters), Photos: photos(t.Media), MergedInto: t.Into, Absorbed: t.Absorbed,
	}
	if t.Category != "" {
		out.CategoryLabel = q.voice().Taxonomy.Label(t.Category)
	}
	if out.Late {
		out.LateSince = t.LateSince
	}
	if clock, at, ok := t.Promise(); ok {
		out.NextDue = &dueShape{clock, at}
	}
	return out
}

func photos(all []workflow.Media) int {
	n := 0
	for _, m := range all {
		if m.Type == "image" {
			n++
		}
	}
	return n
}

// ticket tells of one ticket.
func (q *request) ticket() error {
	if _, err := q.asked(); err != nil {
		return err
	}
	t, err := q.living()
	if err != nil {
		return err
	}
	out := q.show(&t)
	if q.personal() {
		if err := q.note("api.ticket.look", t.Number); err != nil {
			return err
		}
		if out.Personal, err = q.lay(q.Context(), &t); err != nil {
			return err
		}
	}
	return q.answer(http.StatusOK, out)
}

// lay lays open what of a ticket leads to people.
func (q *request) lay(ctx context.Context, t *workflow.Ticket) (*personalShape, error) {
	out := &personalShape{Text: t.Text, Danger: t.Danger, Resolution: t.Resolution, Hidden: hides(t), Claimers: t.Claimers}
	if t.Question != nil {
		out.Question = t.Question.Text
	}
	who := q.people(t)
	var err error
	if !out.Hidden {
		place := wholePlace(t.Place)
		out.Place = &place
		if out.Reporter, err = who.of(ctx, t.Reporter); err != nil {
			return nil, err
		}
	}
	for _, words := range []*string{&out.Text, &out.Question, &out.Resolution} {
		if *words, err = who.bare(ctx, *words); err != nil {
			return nil, err
		}
	}
	if out.FiledBy, err = who.of(ctx, t.FiledBy); err != nil {
		return nil, err
	}
	out.Owner, err = who.of(ctx, t.Owner)
	return out, err
}

// people finds those of one ticket, each once.
type people struct {
	q      *request
	ticket *workflow.Ticket
	hidden bool          // who asked may not be known
	veil   *wording.Veil // before what was written, once it was made
	known  map[workflow.PersonID]*personShape
}

func (q *request) people(t *workflow.Ticket) *people {
	return &people{q: q, ticket: t, hidden: hides(t), known: map[workflow.PersonID]*personShape{}}
}

// of is somebody; nil for nobody, for who may not be known, and for who is in the
// record no more.
func (p *people) of(ctx context.Context, id workflow.PersonID) (*personShape, error) {
	if id == 0 {
		return nil, nil
	}
	if s, ok := p.known[id]; ok {
		return s, nil
	}
	who, err := p.find(ctx, id)
	if err != nil || who.ID == 0 || p.ticket.Hides(who, workflow.Person{}) {
		return nil, err
	}
	s := &personShape{ID: who.ID, Name: who.Name, Phone: who.Phone, Title: p.q.voice().Title(who)}
	if who.Staff() {
		s.Phone = ""
	}
	p.known[id] = s
	return s, nil
}

// find is somebody in the record; the zero Person where they are in it no more.
func (p *people) find(ctx context.Context, id workflow.PersonID) (workflow.Person, error) {
	if who := p.q.shape.Roster.ByID(id); who.ID != 0 {
		return who, nil
	}
	who, err := p.q.api.o.Desk.Journal().Person(ctx, p.q.code(), id)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return workflow.Person{}, nil
	}
	return who, err
}

// bare is a text without traces of who may not be known, their name among them; as
// it is where everybody may be.
func (p *people) bare(ctx context.Context, text string) (string, error) {
	if !p.hidden || text == "" {
		return text, nil
	}
	if p.veil == nil {
		veil, err := p.q.voice().Veil(ctx, p.q.api.o.Desk.Journal(), p.ticket.Number)
		if err != nil {
			return "", err
		}
		p.veil = &veil
	}
	return p.veil.Anonymous(p.ticket.Number, text), nil
}
