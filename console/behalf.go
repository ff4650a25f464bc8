package console

import (
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// behalfPage files for somebody who does not write.
type behalfPage struct {
	Name, Phone, Words string
	Problem            string // why it was not filed, in words
	Once               string // of the form: sent twice it is one matter
}

// behalf shows the form.
func (c *Console) behalf(q *request) error {
	return q.show("behalf", behalfPage{Once: newToken()})
}

// fileBehalf files a matter for a resident, whom the desk knows by name and
// telephone or gets to know.
func (c *Console) fileBehalf(q *request) error {
	once, err := q.once()
	if err != nil {
		return err
	}
	page := behalfPage{Name: strings.TrimSpace(q.PostFormValue("name")), Phone: strings.TrimSpace(q.PostFormValue("phone")), Words: q.words("words"), Once: q.PostFormValue("once")}
	again := func(problem string) error {
		page.Problem = q.voice().Say("page.problem."+problem, nil)
		return q.render(422, "behalf", page)
	}
	rest, phone := workflow.PhoneIn(page.Phone)
	switch {
	case !workflow.IsName(page.Name):
		return again("name")
	case strings.TrimSpace(rest) != "":
		return again("phone")
	case page.Words == "":
		return again("words")
	}
	place, given, err := q.place()
	if err != nil {
		return again("place")
	}
	u, err := c.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: page.Words})
	if err != nil {
		return err
	}
	cmd := u.Filing(page.Words, q.by())
	cmd.Source, cmd.Topic = workflow.SourceBehalf, ""
	if cmd.Kind != workflow.Wish && cmd.Kind != workflow.Incident {
		cmd.Kind, cmd.Category = workflow.Incident, ""
	}
	if given {
		cmd.Place = place
	}
	if cmd.Kind == workflow.Incident && !cmd.Place.Known() && cmd.Severity != workflow.Emergency {
		return again("place")
	}
	photos, err := q.photos("photos")
	if err != nil {
		return err
	}
	number, fresh, err := c.o.Desk.Enter(q.Context(), q.community(), desk.Entry{ID: once, Name: page.Name, Phone: phone, Command: cmd, Media: photos})
	if err != nil {
		return err
	}
	if !fresh {
		return q.to("filed_behalf", "work")
	}
	return q.to("filed_behalf", "t", number)
}
