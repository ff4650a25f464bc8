package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// eventShape is one thing that happened to a ticket, without anything that leads to
// a person.
type eventShape struct {
	Seq      int64              `json:"seq"`
	At       time.Time          `json:"at"`
	Type     workflow.EventType `json:"type"`
	Actor    string             `json:"actor"` // system, resident, staff, software
	State    workflow.State     `json:"state"` // afterwards
	Kind     workflow.Kind      `json:"kind,omitempty"`
	Category workflow.Category  `json:"category,omitempty"`
	Severity workflow.Severity  `json:"severity,omitempty"`
	Place    *placeShape        `json:"place,omitempty"`
	Level    int                `json:"level,omitempty"`
	Clock    workflow.Clock     `json:"clock,omitempty"`
	Rating   workflow.Rating    `json:"rating,omitempty"`
	Into     int64              `json:"into,omitempty"`
	Photos   int                `json:"photos,omitempty"`

	Personal *eventPersonal `json:"personal,omitempty"`
}

// eventPersonal is what of an event leads to people.
type eventPersonal struct {
	By     *personShape `json:"by,omitempty"`
	Text   string       `json:"text,omitempty"`
	Place  *placeShape  `json:"place,omitempty"`
	Owner  *personShape `json:"owner,omitempty"`
	Former *personShape `json:"former,omitempty"`
	Helper *personShape `json:"helper,omitempty"`
	Unit   string       `json:"unit,omitempty"`
	Why    string       `json:"why,omitempty"`
}

// events tells what happened to one ticket.
func (q *request) events() error {
	if _, err := q.asked(); err != nil {
		return err
	}
	t, err := q.living()
	if err != nil {
		return err
	}
	all, err := q.api.o.Desk.Journal().Events(q.Context(), q.code(), t.Number)
	if err != nil {
		return err
	}
	if q.personal() {
		if err := q.note("api.ticket.look", t.Number, "events"); err != nil {
			return err
		}
	}
	out := struct {
		Number int64        `json:"number"`
		Events []eventShape `json:"events"`
	}{t.Number, []eventShape{}}
	who := q.people(&t)
	who.hidden = who.hidden || t.Kind == workflow.Wish && slices.ContainsFunc(all, func(ev workflow.Event) bool { return ev.Type == workflow.EvLeft })
	for i := range all {
		ev := &all[i]
		e := eventShape{
			Seq: ev.Seq, At: ev.At, Type: ev.Type, Actor: q.actor(&t, ev), State: ev.To, Kind: ev.Kind, Category: ev.Category, Severity: ev.Severity,
			Level: ev.Level, Clock: ev.Clock, Rating: ev.Rating, Into: ev.Into, Photos: photos(ev.Media),
		}
		if ev.Place != nil {
			place := q.place(&t, *ev.Place)
			e.Place = &place
		}
		if q.personal() {
			if e.Personal, err = layEvent(q.Context(), ev, who); err != nil {
				return err
			}
		}
		out.Events = append(out.Events, e)
	}
	return q.answer(http.StatusOK, out)
}

// actor says what somebody is who did something.
func (q *request) actor(t *workflow.Ticket, ev *workflow.Event) string {
	switch {
	case ev.Type == workflow.EvFiled && ev.Actor == workflow.ActorSystem && (ev.Source == workflow.SourceAPI || ev.Source == workflow.SourceOpen311):
		return "software"
	case ev.Actor == workflow.ActorSystem:
		return "system"
	case ev.By == t.Reporter:
		return "resident"
	case ev.By == t.FiledBy, slices.Contains(t.Handlers, ev.By), q.shape.Roster.ByID(ev.By).Staff(),
		slices.ContainsFunc(t.Hands, func(h workflow.Hand) bool { return h.Person == ev.By }):
		return "staff"
	}
	return "resident"
}

// layEvent lays open what of an event leads to people.
func layEvent(ctx context.Context, ev *workflow.Event, who *people) (*eventPersonal, error) {
	out := &eventPersonal{Unit: ev.Unit, Why: ev.Why}
	if ev.Place != nil && !who.hidden {
		place := wholePlace(*ev.Place)
		out.Place = &place
	}
	var err error
	if out.Text, err = who.bare(ctx, ev.Text); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		id   workflow.PersonID
		into **personShape
	}{{ev.By, &out.By}, {ev.Owner, &out.Owner}, {ev.Former, &out.Former}, {ev.Helper, &out.Helper}} {
		if *p.into, err = who.of(ctx, p.id); err != nil {
			return nil, err
		}
	}
	return out, nil
}
