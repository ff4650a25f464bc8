package console

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strconv"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// media gives a photo or recording to somebody who sent it or who may read the
// ticket that it belongs to.
func (c *Console) media(q *request) error {
	gone := func(why string) error {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("media: " + why)}
	}
	m, err := c.o.Desk.Journal().Media(q.Context(), q.community(), q.PathValue("media"))
	if err != nil {
		return err
	}
	if m.Status != desk.MediaStored && m.Status != desk.MediaUnheard {
		return gone("not in the store")
	}
	if m.Person != q.me.ID {
		ok, err := q.ofInspection(m) // also of what it became a ticket: colleagues look at it beside the inspection
		if err == nil && !ok && m.Number != 0 {
			ok, err = q.maySee(m)
		}
		if err != nil {
			return err
		}
		if !ok {
			return gone("of a ticket that is not theirs to read")
		}
	}
	return q.give(m)
}

// give answers with what is in the media store.
func (q *request) give(m desk.MediaFile) error {
	data, err := q.console.o.Media.Get(q.Context(), q.community(), m.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("media: lost")}
	}
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", m.MIME)
	h.Set("Content-Length", strconv.Itoa(len(data)))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if m.Type != "image" {
		h.Set("Content-Disposition", `attachment; filename="`+m.ID+`"`)
	}
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(data)
	return nil
}

// ofInspection tells whether a photo came with an inspection of the property company,
// named beside it, and whether those are theirs to look at.
func (q *request) ofInspection(m desk.MediaFile) (bool, error) {
	if q.mayProperty() != nil {
		return false, nil
	}
	r, ok, err := q.console.o.Desk.Journal().Inspection(q.Context(), q.community(), q.URL.Query().Get("round"))
	return ok && slices.Contains(r.Media, m.ID), err
}

// maySee tells whether who is logged in may see what somebody else sent: because they
// handle its ticket, or the one in which that lives on, and may know who asked; or
// because what it came with is told to them (workflow.Told).
func (q *request) maySee(m desk.MediaFile) (bool, error) {
	w, err := q.console.o.Desk.Begin(q.community(), false)
	if err != nil {
		return false, err
	}
	t, err := w.Ticket(q.Context(), m.Number)
	if workflow.CodeOf(err) == workflow.CodeNotFound { // of a topic's bench meeting
		t, err := q.console.o.Desk.Journal().Topic(q.Context(), q.community(), m.Number)
		return err == nil && q.sees(&t), err
	}
	if err != nil {
		return false, err
	}
	living, err := w.Living(q.Context(), m.Number)
	if err != nil {
		return false, err
	}
	for _, of := range []workflow.Ticket{t, living} {
		if of.HandledBy(q.me) && !of.HidesWho(q.me) {
			return true, nil
		}
		if !of.Involved(q.me.ID) && !of.HandledBy(q.me) {
			continue
		}
		events, err := q.console.o.Desk.Journal().Events(q.Context(), q.community(), of.Number)
		if err != nil {
			return false, err
		}
		if _, told := workflow.WordsOf(workflow.Told(events, q.me.ID)); slices.ContainsFunc(told, func(f workflow.Media) bool { return f.ID == m.ID }) {
			return true, nil
		}
	}
	return false, nil
}
