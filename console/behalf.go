package console

import (
	"errors"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// behalf shows the form with which somebody files for who does not write.
func (c *Console) behalf(q *request) error { return q.show("behalf", nil) }

// fileBehalf files a matter for a resident, whom the desk knows by name and
// telephone or gets to know.
func (c *Console) fileBehalf(q *request) error {
	once, err := q.once()
	if err != nil {
		return err
	}
	name, words := q.words("name"), q.words("words")
	rest, phone := workflow.PhoneIn(q.words("phone"))
	switch {
	case !workflow.Callable(name):
		return &fault{Field: "name", Key: "name"}
	case strings.TrimSpace(rest) != "":
		return &fault{Field: "phone", Key: "phone"}
	case words == "":
		return &fault{Field: "words", Key: "words"}
	}
	place, given, err := q.place()
	if err != nil {
		return err
	}
	u, err := c.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: words})
	if err != nil {
		return err
	}
	cmd := u.Filing(words, q.by())
	cmd.Source, cmd.Topic = workflow.SourceBehalf, ""
	if cmd.Kind != workflow.Wish && cmd.Kind != workflow.Incident {
		cmd.Kind, cmd.Category = workflow.Incident, ""
	}
	if given {
		cmd.Place = place
	}
	if cmd.Kind == workflow.Incident && !cmd.Place.Known() && cmd.Severity != workflow.Emergency {
		return &workflow.Error{Code: "needs_place", Cause: errors.New("nobody knows where it is")}
	}
	photos, err := q.photos("photos")
	if err != nil {
		return err
	}
	number, fresh, err := c.o.Desk.Enter(q.Context(), q.community(), desk.Entry{ID: once, Name: name, Phone: phone, Command: cmd, Media: photos})
	if err != nil {
		return err
	}
	if !fresh { // it was there already, with its photos
		q.dropPhotos(desk.ErrSeen)
	}
	return q.on(warned(q.address("filed_behalf", "t", number), cmd.Danger))
}
