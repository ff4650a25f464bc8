package console

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// plannedLine is a lesson of a branch's plan, and how far it has come.
type plannedLine struct {
	lesson.Lesson
	Day    lesson.Day
	Past   bool // its day has come
	Counts lesson.Counts
}

// reachLine is a member of a branch as its secretary sees them.
type reachLine struct {
	lesson.Reach
	Hidden, Phone string // Phone only where it was asked for
	Place         string
	Missed        bool  // a lesson was meant for them and reached no telephone of theirs
	Visit         int64 // a lesson to their door that is on its way
}

// branchPage is how far a branch is.
type branchPage struct {
	Branch   string
	Branches []string
	Plan     []plannedLine
	Free     []lesson.Lesson // what could be planned
	Visit    []reachLine     // whom to visit
	Others   []reachLine
	Reached  int
	Members  int
	Asked    []askedLine // what its members ask
	Today    lesson.Day
}

// How far back the secretary looks.
const lookBack = 60 * 24 * time.Hour

// ledBranches are the branches that who is logged in leads: the committee all.
func (q *request) ledBranches() []string {
	if q.me.Has(workflow.RoleCommittee) {
		return q.shape.Roster.Branches()
	}
	return q.me.Leads()
}

// branch shows who of a branch was reached, and whom to visit.
func (c *Console) branch(q *request) error { return q.showBranch(q.URL.Query().Get("branch"), 0) }

func (q *request) showBranch(named string, phone workflow.PersonID) error {
	page := branchPage{Branches: q.ledBranches()}
	if len(page.Branches) == 0 {
		return q.show("branch", page)
	}
	if page.Branch = page.Branches[0]; slices.Contains(page.Branches, named) {
		page.Branch = named
	}
	j, loc := q.console.o.Desk.Journal(), q.shape.Community.Location()
	page.Today = lesson.DayOf(q.now, loc)
	plan, err := j.LessonPlan(q.Context(), q.community(), lesson.DayOf(q.now.Add(-lookBack), loc), lesson.DayOf(q.now.Add(lookBack), loc))
	if err != nil {
		return err
	}
	plan = slices.DeleteFunc(plan, func(p lesson.Planned) bool { return p.Branch != page.Branch })
	var ids []int64
	for _, p := range plan {
		ids = append(ids, p.Lesson)
	}
	lessons, err := j.LessonsByID(q.Context(), q.community(), ids)
	if err != nil {
		return err
	}
	done, err := j.LessonDone(q.Context(), q.community(), ids)
	if err != nil {
		return err
	}
	members := q.shape.Roster.Members(page.Branch)
	for _, p := range slices.Backward(plan) {
		page.Plan = append(page.Plan, plannedLine{lessons[p.Lesson], p.Day, p.Day <= page.Today, lesson.Count(p.Lesson, members, done)})
	}
	all, err := j.LessonsFor(q.Context(), q.community(), []string{page.Branch}, mostLessons)
	if err != nil {
		return err
	}
	page.Free = slices.DeleteFunc(all, func(l lesson.Lesson) bool { return slices.Contains(ids, l.ID) })
	if err := q.reached(&page, lesson.Reached(members, plan, page.Branch, done, q.now, loc), done, phone); err != nil {
		return err
	}
	waiting, err := j.LessonAsked(q.Context(), q.community(), mostAsked)
	if err != nil {
		return err
	}
	waiting = slices.DeleteFunc(waiting, func(x lesson.Question) bool {
		return !slices.Contains(q.shape.Roster.ByID(x.Person).Branches(), page.Branch)
	})
	if page.Asked, err = q.asked(waiting, 0); err != nil {
		return err
	}
	return q.show("branch", page)
}

// reached fills in a page with its members: whom to visit, and the others.
func (q *request) reached(page *branchPage, all []lesson.Reach, done []lesson.Done, phone workflow.PersonID) error {
	j := q.console.o.Desk.Journal()
	var ids []workflow.PersonID
	var keys []string
	for _, r := range all {
		ids = append(ids, r.Person.ID)
	}
	for _, d := range done {
		if d.Deed == lesson.Given && slices.Contains(ids, d.Person) {
			keys = append(keys, desk.LessonKey(d.Lesson, d.Person))
		}
	}
	fates, err := j.PushFates(q.Context(), q.community(), keys)
	if err != nil {
		return err
	}
	visits, err := j.DoorVisits(q.Context(), q.community(), ids)
	if err != nil {
		return err
	}
	page.Members = len(all)
	for _, r := range all {
		line := reachLine{Reach: r, Hidden: workflow.HidePhone(r.Person.Phone), Place: r.Person.Home.String()}
		if r.Person.ID == phone {
			line.Phone = r.Person.Phone
		}
		line.Missed = r.Person.OpenID == "" || slices.ContainsFunc(done, func(d lesson.Done) bool {
			return d.Person == r.Person.ID && d.Deed == lesson.Given && fates[desk.LessonKey(d.Lesson, d.Person)] == desk.PushDropped
		})
		visit, asked := visits[r.Person.ID]
		switch {
		case asked && visit.State.Open() && visit.State != workflow.Resolved:
			line.Visit = visit.Number
		case asked && !visit.ResolvedAt.IsZero() && q.now.Sub(visit.ResolvedAt) < lookBack/2:
			line.Last = visit.ResolvedAt
		}
		if r.Learnt > 0 || !line.Last.IsZero() {
			page.Reached++
		}
		if r.Unreached() && line.Last.IsZero() {
			page.Visit = append(page.Visit, line)
		} else {
			page.Others = append(page.Others, line)
		}
	}
	return nil
}

// ledMember is the member of the address, of a branch that who is logged in leads.
func (q *request) ledMember() (workflow.Person, string, error) {
	id, _ := strconv.ParseInt(q.PathValue("person"), 10, 64)
	p := q.shape.Roster.ByID(workflow.PersonID(id))
	for _, b := range p.Branches() {
		if slices.Contains(q.ledBranches(), b) {
			return p, b, nil
		}
	}
	return p, "", &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("nobody of their branch")}
}

// memberOfBranchPhone shows a member's telephone number; the audit log has it by then.
func (c *Console) memberOfBranchPhone(q *request) error {
	p, branch, err := q.ledMember()
	if err != nil {
		return err
	}
	return q.showBranch(branch, p.ID)
}

// visitMember asks for a lesson at a member's door.
func (c *Console) visitMember(q *request) error {
	p, branch, err := q.ledMember()
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		_, err := w.FileDoorVisit(q.Context(), p, q.by(), q.voice().Say("lesson.door", nil))
		return q.branchAddress("lesson.visit", branch), err
	})
}

// branchAddress is where a branch's page is, with what was done said on it.
func (q *request) branchAddress(said, branch string) string {
	return q.address(said, "branch") + "&branch=" + url.QueryEscape(branch)
}

// planLesson puts a lesson into a branch's plan, on another day, or out of it.
func (c *Console) planLesson(q *request) error {
	branch := q.PostFormValue("branch")
	id, _ := strconv.ParseInt(q.PostFormValue("lesson"), 10, 64)
	if !slices.Contains(q.ledBranches(), branch) {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("not a branch of theirs")}
	}
	if id == 0 {
		return &fault{Field: "lesson", Key: "choose"}
	}
	j, loc := c.o.Desk.Journal(), q.shape.Community.Location()
	l, err := j.Lesson(q.Context(), q.community(), id)
	if err != nil {
		return err
	}
	if !l.For(branch) {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("a lesson of another branch")}
	}
	today := lesson.DayOf(q.now, loc)
	planned, err := j.LessonDays(q.Context(), q.community(), []string{branch}, []int64{id})
	if err != nil {
		return err
	}
	if len(planned) > 0 && planned[0].Day <= today {
		return &fault{Field: "day", Key: "lesson_day_past"}
	}
	p := lesson.Planned{Branch: branch, Lesson: id, Day: lesson.Day(q.PostFormValue("day")), By: q.me.ID}
	out := q.PostFormValue("do") == "remove"
	if at := p.Day.At(0, loc); !out && (at.IsZero() || p.Day < today || at.After(q.now.AddDate(1, 0, 0))) {
		return &fault{Field: "day", Key: "lesson_day"}
	}
	return q.work(func(w *deskWork) (string, error) {
		if out {
			w.Change.Classwork.Unplanned = []lesson.Planned{p}
			return q.branchAddress("lesson.unplanned", branch), nil
		}
		w.Change.Classwork.Planned = []lesson.Planned{p}
		return q.branchAddress("lesson.planned", branch), nil
	})
}
