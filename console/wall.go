package console

import (
	"slices"

	"github.com/wishdesk/wishdesk/workflow"
)

// wish is one wish on the wall: nobody sees who asked.
type wish struct {
	matter
	Line    string
	Shared  bool // neighbours may wish the same
	Wishing bool // who looks wishes it already
	Claim   bool // they may claim it
}

// wallPage is the wish wall.
type wallPage struct {
	Wishes []wish
	Next   int64
}

// wall shows the wishes that wait for somebody.
func (c *Console) wall(q *request) error {
	all, err := c.o.Desk.Journal().Wall(q.Context(), q.community(), q.cursor(), listed+1)
	if err != nil {
		return err
	}
	var page wallPage
	if len(all) > listed {
		all = all[:listed]
		page.Next = all[listed-1].Number
	}
	some := make([]*workflow.Ticket, len(all))
	for i := range all {
		some[i] = &all[i]
	}
	veil, err := q.veil(some...)
	if err != nil {
		return err
	}
	for _, t := range some {
		m := q.behind(veil, t)
		m.Place, m.Text = workflow.Place{Estate: t.Place.Estate}.String(), veil.Anonymous(t.Number, t.Text) // on the wall for everybody, also to those who may know
		page.Wishes = append(page.Wishes, wish{
			matter: m, Line: q.voice().Taxonomy.Line(t.Category), Shared: q.voice().Taxonomy.Shared(t.Category) && !t.Involved(q.me.ID),
			Wishing: slices.Contains(t.Supporters, q.me.ID), Claim: workflow.WhoClaimer.Holds(t, q.by()),
		})
	}
	return q.show("wall", page)
}

// support adds who is logged in to those who wish the same.
func (c *Console) support(q *request) error {
	number, err := q.number()
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		t, err := w.Living(q.Context(), number)
		if err != nil {
			return "", err
		}
		if t.Stand != workflow.OnWall || !q.voice().Taxonomy.Shared(t.Category) {
			return "", &workflow.Error{Code: workflow.CodeNotFound, Number: number}
		}
		_, err = w.Do(q.Context(), t.Number, workflow.Command{Name: workflow.CmdSupport, Actor: q.by()})
		return q.address("supported", "wall"), err
	})
}
