package console

import (
	"errors"
	"io/fs"
	"net/http"
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
		if m.Number == 0 {
			return gone("not theirs")
		}
		t, err := c.o.Desk.Journal().Ticket(q.Context(), q.community(), m.Number)
		if err != nil {
			return err
		}
		// A result's photo is for all whose matter it was.
		result := t.Involved(q.me.ID) && m.Person != 0 && q.shape.Roster.ByID(m.Person).ID != 0
		if (!t.ReadBy(q.me) || t.HidesWho(q.me)) && !result {
			return gone("of a ticket that is not theirs to read")
		}
	}
	data, err := c.o.Media.Get(q.Context(), q.community(), m.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return gone("lost")
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
