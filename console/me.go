package console

import (
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// mePage is what the desk knows of who is logged in.
type mePage struct {
	Name, Hidden, Home string
	Staff              bool // name and telephone are the administrator's to change
	Hour               int  // at which they get their lessons
}

// me shows what the desk knows of who is logged in.
func (c *Console) me(q *request) error {
	hour, _, err := q.hourOfStudy()
	if err != nil {
		return err
	}
	return q.show("me", mePage{Name: q.me.Name, Hidden: workflow.HidePhone(q.me.Phone), Home: q.me.Home.String(), Staff: q.me.Staff(), Hour: hour})
}

// changeMe takes what somebody is called, their telephone and their home; what is
// left empty stays.
func (c *Console) changeMe(q *request) error {
	name := q.words("name")
	rest, phone := workflow.PhoneIn(q.words("phone"))
	home, moved, err := q.place()
	switch {
	case name != "" && !workflow.Callable(name):
		return &fault{Field: "name", Key: "name"}
	case strings.TrimSpace(rest) != "":
		return &fault{Field: "phone", Key: "phone"}
	case err != nil:
		return err
	case moved && home.Building == 0:
		return &fault{Field: "landmark", Key: "home"}
	case !moved && (q.me.Staff() || name == "" && phone == ""):
		return &fault{Field: map[bool]string{true: "estate", false: "name"}[q.me.Staff()], Key: "nothing"}
	}
	return q.work(func(w *deskWork) (string, error) {
		if !q.me.Staff() && (name != "" || phone != "") {
			w.Change.Contact = &desk.Contacted{Person: q.me.ID, Name: name, Phone: phone}
		}
		if moved {
			w.Change.Home = &desk.Home{Person: q.me.ID, Place: home}
		}
		return q.address("changed", "me"), nil
	})
}
