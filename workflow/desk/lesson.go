package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// Lessons is what the record has of the party class.
type Lessons interface {
	// Lesson is a *workflow.Error with CodeNotFound where there is none.
	Lesson(ctx context.Context, community string, id int64) (lesson.Lesson, error)
	// LessonsFor are those of some branches and the committee's, newest first;
	// LessonsByID those with some IDs.
	LessonsFor(ctx context.Context, community string, branches []string, limit int) ([]lesson.Lesson, error)
	LessonsByID(ctx context.Context, community string, ids []int64) (map[int64]lesson.Lesson, error)
	// LessonPlan is what all branches learn from a day on, until another, both included.
	LessonPlan(ctx context.Context, community string, from, until lesson.Day) ([]lesson.Planned, error)
	// LessonDays are the days on which some branches learn some lessons.
	LessonDays(ctx context.Context, community string, branches []string, ids []int64) ([]lesson.Planned, error)
	// LessonDone is what was done with some lessons, by everybody; LessonDoneBy what
	// somebody did, newest first.
	LessonDone(ctx context.Context, community string, lessons []int64) ([]lesson.Done, error)
	LessonDoneBy(ctx context.Context, community string, person workflow.PersonID, limit int) ([]lesson.Done, error)
	// StudyHours are the hours that some people have chosen.
	StudyHours(ctx context.Context, community string, people []workflow.PersonID) (map[workflow.PersonID]int, error)
	// LessonQuestion is a *workflow.Error with CodeNotFound where there is none;
	// LessonAsked are those without an answer, oldest first; LessonAskedBy somebody's
	// own, newest first.
	LessonQuestion(ctx context.Context, community string, id int64) (lesson.Question, error)
	LessonAsked(ctx context.Context, community string, limit int) ([]lesson.Question, error)
	LessonAskedBy(ctx context.Context, community string, person workflow.PersonID, limit int) ([]lesson.Question, error)
	// PushFates are what became of pushes, by their keys.
	PushFates(ctx context.Context, community string, keys []string) (map[string]PushStatus, error)
	// DoorVisits are the newest lessons to the door of some people.
	DoorVisits(ctx context.Context, community string, people []workflow.PersonID) (map[workflow.PersonID]workflow.Ticket, error)
}

// Classwork is what a change does to the party class.
type Classwork struct {
	Made      []lesson.Lesson // new, or as they are from now on
	Planned   []lesson.Planned
	Unplanned []lesson.Planned // taken out of the plan
	Done      []lesson.Done
	Hours     []lesson.Hour
	Asked     []lesson.Question
	Answered  []lesson.Question // with their answers; ErrStale where one is answered by then
	Visits    []DoorVisit       // asked for by this change; ErrStale where another was by then
}

// DoorVisit is a lesson to somebody's door that a change asks for, and the number of the
// newest that was asked for before, 0 for none.
type DoorVisit struct {
	Person workflow.PersonID
	After  int64
}

// LessonKey is the key of the push that gives somebody a lesson: once, whatever
// branch, hour and replica.
func LessonKey(id int64, person workflow.PersonID) string {
	return fmt.Sprintf("lesson:%d:%d", id, person)
}

// GiveLessons owes each party member the lessons whose day and hour have come. It may
// be called at any time, by any replica, again and again.
func (d *Desk) GiveLessons(ctx context.Context, community string) error {
	shape, ok := d.Shape(community)
	if !ok {
		return nil
	}
	loc := shape.Community.Location()
	hour := d.Now().In(loc).Format("2006-01-02T15")
	d.mu.Lock()
	done := d.days[community+" lessons"] == hour
	d.mu.Unlock()
	if done {
		return nil
	}
	w, err := d.Begin(community, false)
	if err != nil {
		return err
	}
	if err := w.giveLessons(ctx, loc); err != nil {
		return fmt.Errorf("desk: lessons: %w", err)
	}
	if len(w.Change.Pushes) > 0 {
		if err := w.Commit(ctx); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.days[community+" lessons"] = hour
	d.mu.Unlock()
	return nil
}

func (w *Work) giveLessons(ctx context.Context, loc *time.Location) error {
	j, community := w.desk.journal, w.Change.Community
	plan, err := j.LessonPlan(ctx, community, lesson.DayOf(w.Now.Add(-lesson.Back), loc), lesson.DayOf(w.Now, loc))
	if err != nil || len(plan) == 0 {
		return err
	}
	var ids []int64
	for _, p := range plan {
		ids = append(ids, p.Lesson)
	}
	lessons, err := j.LessonsByID(ctx, community, ids)
	if err != nil {
		return err
	}
	var members []workflow.PersonID
	for _, p := range w.Shape.Roster {
		if len(p.Branches()) > 0 {
			members = append(members, p.ID)
		}
	}
	hours, err := j.StudyHours(ctx, community, members)
	if err != nil {
		return err
	}
	did, err := j.LessonDone(ctx, community, ids)
	if err != nil {
		return err
	}
	type one struct {
		lesson int64
		person workflow.PersonID
	}
	given := map[one]bool{}
	for _, g := range did {
		if g.Deed == lesson.Given {
			given[one{g.Lesson, g.Person}] = true
		}
	}
	for _, p := range w.Shape.Roster {
		branches := p.Branches()
		hour, chosen := hours[p.ID]
		if !chosen {
			hour = lesson.DefaultHour
		}
		for _, turn := range lesson.Turns(plan, branches, hour, func(id int64) bool { return given[one{id, p.ID}] }, w.Now, loc) {
			l, ok := lessons[turn.Lesson]
			if !ok {
				continue
			}
			facts := Facts{Lesson: l.ID, Text: l.Title, Unit: l.Speaker, Said: l.Opening()}
			if chosen {
				facts.Wanted = turn.Since
			}
			w.Owe(LessonKey(l.ID, p.ID), p.ID, workflow.TellLesson, facts)
			w.Change.Classwork.Done = append(w.Change.Classwork.Done, lesson.Done{Lesson: l.ID, Person: p.ID, Deed: lesson.Given, At: w.Now})
		}
	}
	return nil
}

// LessonsToCome are those of some lessons that are not open to somebody yet, and from
// which day they are: planned for a later day, and neither given to them nor signed in
// for (did is what they did).
func (d *Desk) LessonsToCome(ctx context.Context, community string, me workflow.Person, ids []int64, did []lesson.Done) (map[int64]lesson.Day, error) {
	shape, ok := d.Shape(community)
	if !ok {
		return nil, nil
	}
	plan, err := d.journal.LessonDays(ctx, community, shape.Roster.Branches(), ids)
	if err != nil {
		return nil, err
	}
	today := lesson.DayOf(d.Now(), shape.Community.Location())
	later := map[int64]lesson.Day{}
	for _, id := range ids {
		day := lesson.Opens(plan, id, me.Branches())
		if day > today && !slices.ContainsFunc(did, func(x lesson.Done) bool { return x.Lesson == id }) {
			later[id] = day
		}
	}
	return later, nil
}

// AskAboutLesson notes a question of somebody about a lesson, and owes it to who
// answers: the speaker, else a secretary of theirs. 0 where nobody is there.
func (w *Work) AskAboutLesson(ctx context.Context, l *lesson.Lesson, asker workflow.Person, words string) (to workflow.PersonID, err error) {
	if to = l.Answers(w.Shape.Roster, asker, w.Now); to == 0 {
		return 0, &workflow.Error{Code: workflow.CodeNeedsTarget, Cause: fmt.Errorf("nobody answers for lesson %d", l.ID)}
	}
	id, err := w.desk.journal.NextNumber(ctx, w.Change.Community)
	if err != nil {
		return 0, fmt.Errorf("desk: number of a question: %w", err)
	}
	c := &w.Change.Classwork
	c.Asked = append(c.Asked, lesson.Question{ID: id, Lesson: l.ID, Person: asker.ID, To: to, Words: words, At: w.Now})
	c.Done = append(c.Done, lesson.Done{Lesson: l.ID, Person: asker.ID, Deed: lesson.Asked, At: w.Now})
	facts := Facts{Lesson: l.ID, Into: id, Text: l.Title, Said: words, Part: asker.Name}
	if _, yes := l.ByPhone(w.Shape.Roster, to); yes {
		facts.Unit = l.Speaker
	}
	w.Owe(fmt.Sprintf("lesson:asked:%d", id), to, workflow.TellLessonAsked, facts)
	return to, nil
}

// mostAsked bounds the questions without an answer that are looked through.
const mostAsked = 400

// LessonsAskedOf are the questions without an answer that are somebody's to see to,
// oldest first.
func (d *Desk) LessonsAskedOf(ctx context.Context, community string, me workflow.Person, limit int) ([]lesson.Question, error) {
	shape, ok := d.Shape(community)
	if !ok || !me.Staff() {
		return nil, nil
	}
	all, err := d.journal.LessonAsked(ctx, community, mostAsked)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(q lesson.Question) bool {
		return !q.WaitsFor(me, shape.Roster.ByID(q.Person), shape.Roster.ByID(q.To), d.Now())
	})
	return all[:min(len(all), limit)], nil
}

// AskedAboutLesson is a question without an answer that somebody may answer: nobody
// else reads it.
func (w *Work) AskedAboutLesson(ctx context.Context, id int64, by workflow.Person) (lesson.Question, error) {
	q, err := w.desk.journal.LessonQuestion(ctx, w.Change.Community, id)
	if err != nil {
		return lesson.Question{}, err
	}
	asker, err := w.desk.journal.Person(ctx, w.Change.Community, q.Person)
	switch {
	case err != nil:
		return lesson.Question{}, err
	case !q.MayAnswer(by, asker):
		return lesson.Question{}, &workflow.Error{Code: workflow.CodeNotAllowed}
	case q.Answer != "":
		return q, &workflow.Error{Code: workflow.CodeAlreadyDone}
	}
	return q, nil
}

// AnswerAboutLesson notes the answer to a question, and owes it to who asked. The
// first answer stands: CodeAlreadyDone, with it, for who comes later.
func (w *Work) AnswerAboutLesson(ctx context.Context, id int64, by workflow.Person, words string) (lesson.Question, error) {
	q, err := w.AskedAboutLesson(ctx, id, by)
	if err != nil {
		return q, err
	}
	l, err := w.desk.journal.Lesson(ctx, w.Change.Community, q.Lesson)
	if err != nil {
		return q, err
	}
	q.Answer, q.AnsweredBy, q.AnsweredAt = words, by.ID, w.Now
	w.Change.Classwork.Answered = append(w.Change.Classwork.Answered, q)
	facts := Facts{Lesson: l.ID, Into: id, Text: l.Title, Said: words, By: by.ID, Reporter: q.Person}
	if l.Teacher != 0 && l.Teacher != by.ID {
		facts.Unit = l.Speaker
	}
	w.Owe(fmt.Sprintf("lesson:answered:%d", id), q.Person, workflow.TellLessonAnswer, facts)
	return q, nil
}

// FileDoorVisit asks for a lesson at the door of somebody: a wish, which the rules give
// to a speaker. CodeAlreadyDone where one is on its way.
func (w *Work) FileDoorVisit(ctx context.Context, to workflow.Person, by workflow.Actor, words string) (workflow.Ticket, error) {
	visits, err := w.desk.journal.DoorVisits(ctx, w.Change.Community, []workflow.PersonID{to.ID})
	if err != nil {
		return workflow.Ticket{}, err
	}
	before := visits[to.ID]
	if before.Number != 0 && before.State.Open() && before.State != workflow.Resolved {
		return before, &workflow.Error{Code: workflow.CodeAlreadyDone, Number: before.Number}
	}
	w.Change.Classwork.Visits = append(w.Change.Classwork.Visits, DoorVisit{to.ID, before.Number})
	return w.File(ctx, workflow.Command{
		Actor: by, Reporter: to.ID, Text: words, Kind: workflow.Wish, Category: workflow.LessonVisit, Severity: workflow.Minor,
		Place: to.Home, Source: workflow.SourceBehalf,
	})
}
