package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// The section of the party class counts its own time and community, and is silent where
// nothing happened.
func TestTheLessonsOfAWeek(t *testing.T) {
	s := newStore(t)
	c := ctx(t)
	from := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	says := func() string {
		t.Helper()
		section, err := s.lessonSection(c, here, from, from.AddDate(0, 0, 7))
		must(t, err)
		out := ""
		for _, l := range section.Lines {
			out += fmt.Sprint(l.Say+" ", l.Values, " ")
		}
		return out
	}
	if got := says(); got != "" {
		t.Errorf("nothing happened: %s", got)
	}
	at := from.Add(time.Hour)
	deed := func(id int64, person workflow.PersonID, at time.Time, deeds ...lesson.Deed) (out []lesson.Done) {
		for _, d := range deeds {
			out = append(out, lesson.Done{Lesson: id, Person: person, Deed: d, At: at})
		}
		return out
	}
	var w desk.Classwork
	w.Done = append(w.Done, deed(1, 4, at, lesson.Given, lesson.Read, lesson.Heard, lesson.Signed)...)
	w.Done = append(w.Done, deed(1, 5, at, lesson.Given)...)
	w.Done = append(w.Done, deed(2, 4, at, lesson.Given)...)
	w.Done = append(w.Done, deed(3, 4, from.Add(-time.Hour), lesson.Given, lesson.Read)...)
	w.Asked = []lesson.Question{{ID: 1, Lesson: 1, Person: 4, To: 9, Words: "?", At: at}, {ID: 2, Lesson: 1, Person: 4, To: 9, Words: "?", At: at}, {ID: 3, Lesson: 3, Person: 4, To: 9, Words: "?", At: from.AddDate(0, 0, -3)}}
	w.Answered = []lesson.Question{{ID: 1, Answer: "!", AnsweredBy: 9, AnsweredAt: at}}
	must(t, s.Commit(c, desk.Change{Community: here, Classwork: w}))
	must(t, s.Commit(c, desk.Change{Community: here, Classwork: desk.Classwork{Done: w.Done}})) // a deed is recorded once, whoever tells of it again
	must(t, s.Commit(c, desk.Change{Community: "west", Classwork: w}))
	tc := opened(here, 1, func(t *workflow.Ticket) {
		t.State, t.ResolvedAt, t.Kind, t.Category = workflow.Resolved, at, workflow.Wish, workflow.LessonVisit
	})
	must(t, s.Commit(c, desk.Change{Community: here, Tickets: []desk.TicketChange{tc}}))
	want := "given map[given:3 learnt:1 lessons:2] asked map[asked:2 open:2] signed map[signed:1] visits map[visits:1] "
	if got := says(); got != want {
		t.Errorf("the week: %s\nwant      %s", got, want)
	}
}
