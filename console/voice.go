package console

import (
	"slices"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// voice is the wording of the request's community.
func (q *request) voice() wording.Voice {
	return wording.New(q.console.o.Wording, q.console.o.Taxonomy, q.shape, q.console.o.Mask)
}

// storyWords is how much of what somebody wrote at one step a page shows, in
// characters.
const storyWords = 300

// story is what happened to a ticket, as far as who is logged in may know it.
func (q *request) story(t *workflow.Ticket) ([]wording.Step, error) {
	journal := q.console.o.Desk.Journal()
	events, err := journal.Events(q.Context(), q.community(), t.Number)
	if err != nil {
		return nil, err
	}
	if t.ReadBy(q.me) && !t.HidesWho(q.me) {
		return q.voice().Story(q.Context(), journal, t, events, storyWords, q.now)
	}
	return q.voice().Outline(q.Context(), journal, t, events, storyWords, q.now)
}

// concerns tells whether a change may show on a page of who is logged in. Staff
// see all of their community's matters move; a resident's page stands still
// while others' do, but for the wish wall, which is everybody's.
func (q *request) concerns(n desk.Notice) bool {
	return n.All || n.Many || q.me.Staff() || slices.Contains(n.People, q.me.ID) || slices.Contains(n.About, desk.AboutWall)
}
