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

// story is what happened to a ticket, as far as who is logged in may know it. Where it
// is their matter and not theirs to handle, m gets what they said of it and were told.
func (q *request) story(t *workflow.Ticket, m *matter) ([]wording.Step, error) {
	journal := q.console.o.Desk.Journal()
	events, err := journal.Events(q.Context(), q.community(), t.Number)
	if err != nil {
		return nil, err
	}
	if t.Involved(q.me.ID) && !t.HandledBy(q.me) {
		m.Text, _ = workflow.WordsOf(workflow.Told(events, q.me.ID))
	}
	steps, err := q.voice().Story(q.Context(), journal, t, events, q.me, storyWords, q.now)
	m.hang(steps)
	return steps, err
}

// hang takes photos from the steps with which they came to where a page shows them: what
// those sent whose matter it is under the matter, those of the result that stands under
// the result. The others stay with their step.
func (m *matter) hang(steps []wording.Step) {
	m.Photos = nil
	result := -1
	for i := range steps {
		switch {
		case steps[i].Theirs:
			m.Photos = append(m.Photos, steps[i].Media...)
			steps[i].Media = nil
		case steps[i].Type == workflow.EvResolved:
			result = i
		case steps[i].Type == workflow.EvReopened:
			result = -1 // it did not stand
		}
	}
	if result >= 0 && m.Resolution != "" {
		m.After, steps[result].Media = steps[result].Media, nil
	}
}

// concerns tells whether a change may show on a page of who is logged in. Staff
// see all of their community's matters move; a resident's page stands still
// while others' do, but for the wish wall, which is everybody's, and a topic's page.
func (q *request) concerns(n desk.Notice) bool {
	return n.All || n.Many || q.me.Staff() || slices.Contains(n.People, q.me.ID) || slices.Contains(n.About, desk.AboutWall) ||
		slices.Contains(n.About, desk.AboutTopic) && q.URL.Query().Get("on") == "topic"
}
