package console

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// mePage is what the desk knows of who is logged in.
type mePage struct {
	Name, Hidden, Home string
	Staff              bool // name and telephone are the administrator's to change
	Problem            string
}

// me shows what the desk knows of who is logged in.
func (c *Console) me(q *request) error { return q.showMe(200, "") }

func (q *request) showMe(status int, problem string) error {
	page := mePage{Name: q.me.Name, Hidden: workflow.HidePhone(q.me.Phone), Home: q.me.Home.String(), Staff: q.me.Staff()}
	if problem != "" {
		page.Problem = q.voice().Say("page.problem."+problem, nil)
	}
	return q.render(status, "me", page)
}

// changeMe takes what somebody is called, their telephone and their home; what is
// left empty stays.
func (c *Console) changeMe(q *request) error {
	name := strings.TrimSpace(q.PostFormValue("name"))
	written := strings.TrimSpace(q.PostFormValue("phone"))
	rest, phone := workflow.PhoneIn(written)
	home, moved, err := q.place()
	switch {
	case utf8.RuneCountInString(name) == 1 || utf8.RuneCountInString(name) > 20 || strings.ContainsFunc(name, unicode.IsControl):
		return q.showMe(422, "name")
	case strings.TrimSpace(rest) != "":
		return q.showMe(422, "phone")
	case err != nil || moved && home.Building == 0:
		return q.showMe(422, "home")
	}
	if err := q.work(func(w *deskWork) error {
		if !q.me.Staff() && (name != "" || phone != "") {
			w.Change.Contact = &desk.Contacted{Person: q.me.ID, Name: name, Phone: phone}
		}
		if moved {
			w.Change.Home = &desk.Home{Person: q.me.ID, Place: home}
		}
		return nil
	}); err != nil {
		return err
	}
	return q.to("changed", "me")
}
