package console

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/console/codes"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// lessonFormPage is the form of a lesson.
type lessonFormPage struct {
	lesson.Lesson
	New      bool
	Branches []string
	Speakers []workflow.Person
	Day      lesson.Day // of the gallery class
	Hour     int
	Themes   []lesson.Theme
	Forms    []lesson.Form
	MostText int
}

// freshLesson is the address of a lesson that is not made yet.
const freshLesson = "new"

// lessonForm shows a lesson to who may change it, or the form for a new one.
func (c *Console) lessonForm(q *request) error {
	loc := q.shape.Community.Location()
	page := lessonFormPage{New: q.PathValue("lesson") == freshLesson, Branches: q.ledBranches(), Themes: lesson.Themes(), Forms: lesson.Forms(), MostText: lesson.MostText, Hour: 9}
	page.Minutes, page.Theme, page.Form = 5, lesson.History, lesson.Text
	if !q.me.Has(workflow.RoleCommittee) {
		page.Branch = page.Branches[0]
	}
	if !page.New {
		var err error
		if page.Lesson, err = q.ownLesson(); err != nil {
			return err
		}
		if at := page.Class.At; !at.IsZero() {
			page.Day, page.Hour = lesson.DayOf(at, loc), at.In(loc).Hour()
		}
	}
	for _, p := range q.shape.Roster {
		if p.Has(workflow.RolePartyMember) || p.Has(workflow.RoleLeader) {
			page.Speakers = append(page.Speakers, p)
		}
	}
	return q.show("lesson_form", page)
}

// ownLesson is the lesson of the address, if who is logged in may change it.
func (q *request) ownLesson() (lesson.Lesson, error) {
	l, err := q.theLesson()
	if err == nil && !q.me.Has(workflow.RoleCommittee) && !slices.Contains(q.me.Leads(), l.Branch) {
		err = &workflow.Error{Code: workflow.CodeNotAllowed, Cause: errors.New("a lesson of all branches, or of another")}
	}
	return l, err
}

// putLesson makes a lesson, or changes it.
func (c *Console) putLesson(q *request) error {
	var l lesson.Lesson
	var err error
	fresh := q.PathValue("lesson") == freshLesson
	if !fresh {
		if l, err = q.ownLesson(); err != nil {
			return err
		}
	}
	l.Branch = q.PostFormValue("branch")
	if all := q.ledBranches(); l.Branch == "" && !q.me.Has(workflow.RoleCommittee) || l.Branch != "" && !slices.Contains(all, l.Branch) {
		return &fault{Field: "branch", Key: "choose"}
	}
	l.Title, l.Speaker, l.Video = q.words("title"), q.words("speaker"), q.words("video")
	l.Theme, l.Form = lesson.Theme(q.PostFormValue("theme")), lesson.Form(q.PostFormValue("form"))
	l.Text = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(q.PostFormValue("text"), "\r\n", "\n"), ""))
	teacher, _ := strconv.ParseInt(q.PostFormValue("teacher"), 10, 64)
	l.Teacher = q.shape.Roster.ByID(workflow.PersonID(teacher)).ID
	if l.Minutes, err = q.wholeNumber("minutes"); err != nil {
		return err
	}
	l.Class = lesson.Class{Place: q.words("place")}
	if day := q.words("day"); day != "" {
		hour, err := strconv.Atoi(q.PostFormValue("hour"))
		if err != nil || hour < lesson.LeastHour || hour > lesson.MostHour {
			return &fault{Field: "hour", Key: "lesson_hour"}
		}
		if l.Class.At = lesson.Day(day).At(hour, q.shape.Community.Location()).UTC(); l.Class.At.Year() < 2000 {
			return &fault{Field: "day", Key: "date"}
		}
	}
	var voice *desk.MediaFile
	if q.MultipartForm != nil && len(q.MultipartForm.File["voice"]) > 0 && l.Form == lesson.Voice {
		m, err := q.upload(q.MultipartForm.File["voice"][0], "voice", "not_a_recording")
		if workflow.CodeOf(err) == "not_a_recording" {
			return &fault{Field: "voice", Key: "lesson_voice"}
		}
		if err != nil {
			return err
		}
		voice, l.Voice, l.MIME = &m, m.ID, m.MIME
	}
	var bad *lesson.Wrong
	if errors.As(l.Check(), &bad) {
		return &fault{Field: bad.Field, Key: bad.Why}
	}
	if fresh {
		if l.ID, err = c.o.Desk.Journal().NextNumber(q.Context(), q.community()); err != nil {
			return err
		}
		l.At, l.By = q.now, q.me.ID
	}
	return q.work(func(w *deskWork) (string, error) {
		w.Change.Classwork.Made = []lesson.Lesson{l}
		if voice != nil {
			w.Change.Media = append(w.Change.Media, *voice)
		}
		to := l.Branch
		if to == "" {
			to = q.PostFormValue("back")
		}
		return q.branchAddress("lesson.made", to), nil
	})
}

// codePage is the code of a gallery class, to print or to hold up.
type codePage struct {
	lesson.Lesson
	Code codes.Code
}

// classCode shows the code by which people sign in at the gallery class.
func (c *Console) classCode(q *request) error {
	l, err := q.ownLesson()
	if err != nil {
		return err
	}
	if l.Class.At.IsZero() {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("a lesson without a class")}
	}
	maker, ok := q.maker()
	if !ok {
		return &fault{Key: "no_account"}
	}
	code, err := maker.Code(q.Context(), l.Scene())
	if err != nil {
		c.o.Logger.Error("the code of a class is not made", "community", q.community(), "cause", err)
		return q.render(http.StatusServiceUnavailable, "class_code", codePage{Lesson: l})
	}
	return q.show("class_code", codePage{l, code})
}
