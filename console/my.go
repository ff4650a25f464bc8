package console

import (
	"slices"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// myPage lists somebody's own matters.
type myPage struct {
	Open, Ended []matter
	More        int // how much more there is to ask for, 0 for none
}

// my are the matters of who is logged in, those that wait for them first.
func (c *Console) my(q *request) error {
	most, times := q.longer(listed)
	all, err := c.o.Desk.Journal().Reported(q.Context(), q.community(), q.me.ID, true, most+1)
	if err != nil {
		return err
	}
	var page myPage
	if len(all) > most && times < mostMore {
		page.More = times + 1
	}
	all = all[:min(len(all), most)]
	own, err := q.matters(all)
	if err != nil {
		return err
	}
	for _, m := range own {
		if m.State.Open() {
			page.Open = append(page.Open, m)
		} else {
			page.Ended = append(page.Ended, m)
		}
	}
	slices.SortStableFunc(page.Open, func(a, b matter) int { return waits(b) - waits(a) })
	return q.show("my", page)
}

// waits tells how much a matter waits for its owner.
func waits(m matter) int {
	switch {
	case m.State == workflow.Resolved:
		return 2
	case m.Question != "":
		return 1
	}
	return 0
}

// ticketPage is one matter with its story.
type ticketPage struct {
	matter
	Living *matter // in which it lives on, where it was merged
	Story  []wording.Step
}

// myTicket shows one matter to whose it is.
func (c *Console) myTicket(q *request) error {
	t, err := q.ownTicket()
	if err != nil {
		return err
	}
	var page ticketPage
	if page.matter, err = q.matter(&t); err != nil {
		return err
	}
	if page.Story, err = q.story(&t, &page.matter); err != nil {
		return err
	}
	if t.State == workflow.Merged {
		w, err := c.o.Desk.Begin(q.community(), true)
		if err != nil {
			return err
		}
		living, err := w.Living(q.Context(), t.Number)
		if err != nil {
			return err
		}
		l, err := q.matter(&living)
		if err != nil {
			return err
		}
		page.Living = &l
	}
	return q.show("my_ticket", page)
}

// ownTicket is the ticket that the path names, if it is the matter of who is
// logged in.
func (q *request) ownTicket() (workflow.Ticket, error) {
	t, err := q.ticket(q.Context())
	if err == nil && !t.Involved(q.me.ID) {
		return t, &workflow.Error{Code: workflow.CodeNotFound, Number: t.Number}
	}
	return t, err
}

// ratings are the verdicts that somebody may give.
var ratings = []workflow.Rating{workflow.Satisfied, workflow.Fair, workflow.Unsatisfied}

// rate takes a verdict; where it is bad, why comes with it.
func (c *Console) rate(q *request) error {
	rating := workflow.Rating(q.PostFormValue("rating"))
	if !slices.Contains(ratings, rating) {
		return &fault{Key: "choose"}
	}
	said := "rated"
	if rating == workflow.Unsatisfied {
		said = "reopened"
	}
	return q.ownCommand(said, workflow.Command{Name: workflow.CmdRate, Actor: q.by(), Rating: rating, Text: q.words("words")})
}

// add takes more words and photos: the answer where something was asked. News of danger
// is an emergency of its own, as in the chat.
func (c *Console) add(q *request) error {
	t, err := q.ownTicket()
	if err != nil {
		return err
	}
	photos, err := q.photos("photos")
	if err != nil {
		return err
	}
	cmd := workflow.Command{Name: workflow.CmdSupplement, Actor: q.by(), Text: q.words("words")}
	if t.Question != nil {
		cmd.Name = workflow.CmdAnswer
	}
	if cmd.Text == "" && len(photos) == 0 {
		return &workflow.Error{Code: workflow.CodeNeedsText, Number: t.Number}
	}
	near := workflow.Place{Estate: t.Place.Estate, Building: t.Place.Building, Grid: t.Place.Grid} // without whose door it is
	u, err := c.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: cmd.Text, Home: q.me.Home, Near: near})
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		living, err := w.Living(q.Context(), t.Number)
		if err != nil {
			return "", err
		}
		if u.PlainDanger() && !u.GoesOnAbout(&living) {
			return q.cry(w, u, cmd.Text, photos)
		}
		cmd.Media = q.attach(w, t.Number, photos)
		_, err = w.Do(q.Context(), t.Number, cmd)
		return warned(q.address("added", "my", t.Number), u.Danger), err
	})
}

// cry files the emergency that words tell of.
func (q *request) cry(w *deskWork, u workflow.Understanding, words string, photos []desk.MediaFile) (string, error) {
	cmd := u.Filing(words, q.by())
	cmd.Reporter, cmd.Source, cmd.Media = q.me.ID, workflow.SourceChat, q.pictures(photos)
	t, err := w.FileDanger(q.Context(), cmd)
	q.attach(w, t.Number, photos)
	return warned(q.address("cried", "my", t.Number), u.Danger), err
}

// urge asks those who handle it to hurry.
func (c *Console) urge(q *request) error {
	return q.ownCommand("urged", workflow.Command{Name: workflow.CmdUrge, Actor: q.by()})
}

// reopen takes a matter up again that was not done well.
func (c *Console) reopen(q *request) error {
	return q.ownCommand("reopened", workflow.Command{Name: workflow.CmdReopen, Actor: q.by(), Text: q.words("words")})
}

// consent lets those who claim a wish know who asks, or not any more.
func (c *Console) consent(q *request) error {
	yes := q.PostFormValue("named") == "yes"
	return q.ownCommand(map[bool]string{true: "named", false: "unnamed"}[yes], workflow.Command{Name: workflow.CmdConsent, Actor: q.by(), Yes: yes})
}

func (q *request) ownCommand(said string, cmd workflow.Command) error {
	t, err := q.ownTicket()
	if err != nil {
		return err
	}
	return q.do(q.address(said, "my", t.Number), cmd)
}

// withdrawAsk asks once more before a matter is taken back.
func (c *Console) withdrawAsk(q *request) error {
	t, err := q.ownTicket()
	if err != nil {
		return err
	}
	m, err := q.matter(&t)
	if err != nil {
		return err
	}
	return q.show("withdraw", m)
}

// withdraw takes a matter back; where others wait for it too it goes on for them.
func (c *Console) withdraw(q *request) error {
	t, err := q.ownTicket()
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		_, others, err := w.Withdraw(q.Context(), t.Number, q.by(), q.words("words"), q.voice().OnWall(c.o.Desk.Journal()))
		if others > 0 {
			return q.address("left_to_others", "my"), err
		}
		return q.address("withdrawn", "my"), err
	})
}
