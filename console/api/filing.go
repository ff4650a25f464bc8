package api

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// filing is what other software files. What it leaves unsaid is understood from its
// text, as a resident's message would be.
type filing struct {
	Text     string            `json:"text"`
	Kind     workflow.Kind     `json:"kind"`
	Category workflow.Category `json:"category"`
	Severity workflow.Severity `json:"severity"`
	Place    *filingPlace      `json:"place"`
	Reporter *filingReporter   `json:"reporter"`
}

// filingPlace is a building, with or without the door, or a landmark.
type filingPlace struct {
	Estate   string `json:"estate"`
	Building int    `json:"building"`
	Unit     int    `json:"unit"`
	Room     string `json:"room"`
	Landmark string `json:"landmark"`
}

// filingReporter is whose matter it is.
type filingReporter struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

const (
	longestText = 2000 // characters
	longestRoom = 10
)

// onceForm is an Idempotency-Key.
var onceForm = regexp.MustCompile(`^[A-Za-z0-9._:-]{8,100}$`)

// filedShape is the answer to a filing: the ticket, and in an emergency whom to
// telephone now.
type filedShape struct {
	ticketShape
	Call string `json:"emergency_call,omitempty"`
}

// file opens a ticket the ordinary way: understood, decided by the machine, on its
// way to somebody. The same Idempotency-Key opens one.
func (q *request) file() error {
	if _, err := q.asked(); err != nil {
		return err
	}
	once := q.Header.Get("Idempotency-Key")
	if !onceForm.MatchString(once) {
		return unreadable("Idempotency-Key")
	}
	if err := q.pace("file", filingsPerMinute); err != nil {
		return err
	}
	var f filing
	if err := q.read(&f); err != nil {
		return err
	}
	entry, err := q.entry(&f)
	if err != nil {
		return err
	}
	entry.ID = "api:" + strconv.FormatInt(q.key.ID, 10) + ":" + once
	if err := q.note("api.ticket.file", 0, "once "+once); err != nil {
		return err
	}
	number, fresh, err := q.api.o.Desk.Enter(q.Context(), q.code(), entry)
	if err != nil {
		return err
	}
	journal := q.api.o.Desk.Journal()
	if !fresh {
		events, err := journal.Events(q.Context(), q.code(), number)
		if err != nil {
			return err
		}
		if len(events) == 0 || !f.filed(&events[0], &entry) {
			return refuse(codeMismatch)
		}
	}
	t, err := journal.Ticket(q.Context(), q.code(), number)
	if err != nil {
		return err
	}
	out := filedShape{ticketShape: q.show(&t)}
	if t.Severity == workflow.Emergency {
		danger := t.Danger
		if danger == "" {
			danger = "unnamed"
		}
		out.Call = q.voice().Say("call."+danger, nil)
	}
	q.w.Header().Set("Location", Prefix+"communities/"+q.code()+"/tickets/"+strconv.FormatInt(number, 10))
	if !fresh {
		return q.answer(http.StatusOK, out)
	}
	return q.answer(http.StatusCreated, out)
}

// entry is a filing as the desk enters it; a refusal names the field that cannot
// be.
func (q *request) entry(f *filing) (desk.Entry, error) {
	var e desk.Entry
	text := strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(f.Text, "\x00", ""), "\r\n", "\n"))
	taxonomy := q.api.o.Taxonomy.For(q.shape.Community)
	kind := f.Kind
	if f.Category != "" {
		if kind = taxonomy.KindOf(f.Category); kind == "" || f.Kind != "" && f.Kind != kind {
			return e, unfit("category")
		}
	}
	switch {
	case text == "" || utf8.RuneCountInString(text) > longestText:
		return e, unfit("text")
	case f.Kind != "" && !slices.Contains(kinds, f.Kind):
		return e, unfit("kind")
	case f.Severity != "" && !slices.Contains(severities, f.Severity):
		return e, unfit("severity")
	}
	u, err := q.api.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: text})
	if err != nil {
		return e, err
	}
	cmd := u.Filing(text, workflow.System())
	cmd.Source, cmd.Topic = workflow.SourceAPI, ""
	if kind != "" && kind != cmd.Kind || !slices.Contains(kinds, cmd.Kind) {
		cmd.Category = ""
		if cmd.Kind = kind; kind == "" {
			cmd.Kind = workflow.Incident
		}
	}
	if f.Category != "" {
		cmd.Category = f.Category
	}
	if f.Severity != "" {
		cmd.Severity = f.Severity
	}
	if f.Place != nil {
		if cmd.Place, err = f.Place.in(q.shape.Community); err != nil {
			return e, err
		}
	}
	if cmd.Kind == workflow.Incident && !cmd.Place.Known() && cmd.Severity != workflow.Emergency {
		return e, &refusal{code: codeNeedsPlace, field: "place"}
	}
	if r := f.Reporter; r != nil {
		rest, phone := workflow.PhoneIn(r.Phone)
		switch {
		case !workflow.IsName(r.Name):
			return e, unfit("reporter.name")
		case strings.TrimSpace(rest) != "":
			return e, unfit("reporter.phone")
		}
		e.Name, e.Phone = r.Name, phone
	}
	e.Command = cmd
	return e, nil
}

// in is the place in a community.
func (p *filingPlace) in(c *workflow.Community) (workflow.Place, error) {
	if p.Landmark != "" {
		i := slices.IndexFunc(c.Landmarks, func(l workflow.Landmark) bool { return l.Name == p.Landmark || slices.Contains(l.Aliases, p.Landmark) })
		switch {
		case i < 0:
			return workflow.Place{}, unfit("place.landmark")
		case p.Building != 0 || p.Unit != 0 || p.Room != "" || p.Estate != "" && p.Estate != c.Landmarks[i].Estate:
			return workflow.Place{}, unfit("place")
		}
		l := c.Landmarks[i]
		return workflow.Place{Estate: l.Estate, Landmark: l.Name, Grid: l.Grid}, nil
	}
	estate, ok := c.Estate(p.Estate)
	if !ok {
		return workflow.Place{}, unfit("place.estate")
	}
	grid := c.GridOf(estate.Name, p.Building)
	room := strings.TrimSpace(p.Room)
	switch {
	case grid == "":
		return workflow.Place{}, unfit("place.building")
	case p.Unit < 0 || p.Unit > 99:
		return workflow.Place{}, unfit("place.unit")
	case utf8.RuneCountInString(room) > longestRoom || strings.ContainsFunc(room, func(r rune) bool { return r < ' ' }):
		return workflow.Place{}, unfit("place.room")
	}
	return workflow.Place{Estate: estate.Name, Building: p.Building, Unit: p.Unit, Room: room, Grid: grid}, nil
}

// filed tells whether a ticket was filed by this: as far as it said anything, the
// same stands in the filing.
func (f *filing) filed(ev *workflow.Event, e *desk.Entry) bool {
	return ev.Text == e.Command.Text && (f.Category == "" || ev.Category == f.Category) && (f.Kind == "" || ev.Kind == f.Kind) &&
		(f.Severity == "" || ev.Severity == f.Severity) && (f.Place == nil || ev.Place != nil && *ev.Place == e.Command.Place)
}
