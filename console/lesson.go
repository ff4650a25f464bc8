package console

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// lessonLine is a lesson as somebody sees it who may learn it.
type lessonLine struct {
	lesson.Lesson
	Learnt bool
	Later  lesson.Day // from which it is open, "" where it is
}

// askedLine is a question about a lesson.
type askedLine struct {
	lesson.Question
	Title, Who             string
	Speaker, Hidden, Phone string // who is to be telephoned for the answer; Phone only where it was asked for
}

// lessonsPage is what somebody may learn.
type lessonsPage struct {
	Member  bool
	Hour    int
	Chosen  bool
	Hours   []int
	Lessons []lessonLine
	ToMe    []askedLine // who wait for an answer of who is logged in
	Own     []askedLine // what they asked
	Month   int         // how many arrived this month
}

// The longest lists of the pages of the party class.
const (
	mostLessons = 60
	mostAsked   = 200
	mostDone    = 400
)

// lessons shows what somebody may learn, and what they asked or are asked.
func (c *Console) lessons(q *request) error { return q.showLessons(0) }

// speakerPhone shows the telephone number of the speaker of whom something was asked;
// the audit log has it by then.
func (c *Console) speakerPhone(q *request) error {
	x, err := q.theQuestion()
	if err != nil {
		return err
	}
	return q.showLessons(x.ID)
}

// theQuestion is the question of the address, if it waits for who is logged in.
func (q *request) theQuestion() (lesson.Question, error) {
	id, err := strconv.ParseInt(q.PathValue("question"), 10, 64)
	if err != nil {
		return lesson.Question{}, &workflow.Error{Code: workflow.CodeNotFound, Cause: err}
	}
	w, err := q.console.o.Desk.Begin(q.community(), false)
	if err != nil {
		return lesson.Question{}, err
	}
	x, err := w.AskedAboutLesson(q.Context(), id, q.me)
	return x, answered(err)
}

// answered says of a question that it is answered by now.
func answered(err error) error {
	if workflow.CodeOf(err) == workflow.CodeAlreadyDone {
		return &fault{Key: "lesson_answered"}
	}
	return err
}

// showLessons shows the page, with the telephone number of the speaker for one question.
func (q *request) showLessons(phone int64) error {
	j := q.console.o.Desk.Journal()
	page := lessonsPage{Member: len(q.me.Branches()) > 0, Hours: hoursOfStudy()}
	all, err := j.LessonsFor(q.Context(), q.community(), q.me.Branches(), mostLessons)
	if err != nil {
		return err
	}
	did, err := j.LessonDoneBy(q.Context(), q.community(), q.me.ID, mostDone)
	if err != nil {
		return err
	}
	loc := q.shape.Community.Location()
	month := func(t time.Time) string { return t.In(loc).Format("2006-01") }
	var counted []int64
	for _, d := range did {
		if d.Deed.Learns() && month(d.At) == month(q.now) && !slices.Contains(counted, d.Lesson) {
			counted = append(counted, d.Lesson)
		}
	}
	page.Month = len(counted)
	later, err := q.toCome(did, all...)
	if err != nil {
		return err
	}
	for _, l := range lesson.OpenFirst(all, later) {
		learnt := slices.ContainsFunc(did, func(d lesson.Done) bool { return d.Lesson == l.ID && d.Deed.Learns() })
		page.Lessons = append(page.Lessons, lessonLine{l, learnt, later[l.ID]})
	}
	if page.Hour, page.Chosen, err = q.hourOfStudy(); err != nil {
		return err
	}
	own, err := j.LessonAskedBy(q.Context(), q.community(), q.me.ID, mostLessons)
	if err != nil {
		return err
	}
	if page.Own, err = q.asked(own, 0); err != nil {
		return err
	}
	if !q.me.Staff() {
		return q.show("lessons", page)
	}
	waiting, err := j.LessonAsked(q.Context(), q.community(), mostAsked)
	if err != nil {
		return err
	}
	waiting = slices.DeleteFunc(waiting, func(x lesson.Question) bool {
		return x.To != q.me.ID && !x.MayAnswer(q.me, q.shape.Roster.ByID(x.Person))
	})
	if page.ToMe, err = q.asked(waiting, phone); err != nil {
		return err
	}
	return q.show("lessons", page)
}

// asked are questions with the titles of their lessons, who asked, and who is to be
// telephoned for the answer: with their number for one of them.
func (q *request) asked(all []lesson.Question, phone int64) ([]askedLine, error) {
	if len(all) == 0 {
		return nil, nil
	}
	var ids []int64
	for _, x := range all {
		ids = append(ids, x.Lesson)
	}
	of, err := q.console.o.Desk.Journal().LessonsByID(q.Context(), q.community(), ids)
	var out []askedLine
	for _, x := range all {
		l := of[x.Lesson]
		line := askedLine{Question: x, Title: l.Title, Who: q.nameOf(x.Person)}
		if p, yes := l.ByPhone(q.shape.Roster, q.me.ID); yes {
			line.Speaker, line.Hidden = l.Speaker, workflow.HidePhone(p.Phone)
			if x.ID == phone {
				line.Phone = p.Phone
			}
		}
		out = append(out, line)
	}
	return out, err
}

// questions are those about lessons that are somebody's to see to.
func (q *request) questions() ([]askedLine, error) {
	waiting, err := q.console.o.Desk.LessonsAskedOf(q.Context(), q.community(), q.me, listed)
	if err != nil {
		return nil, err
	}
	return q.asked(waiting, 0)
}

func hoursOfStudy() []int {
	var out []int
	for h := lesson.LeastHour; h <= lesson.MostHour; h++ {
		out = append(out, h)
	}
	return out
}

// hourOfStudy is the hour at which somebody gets their lessons, and whether they chose
// it themselves.
func (q *request) hourOfStudy() (hour int, chosen bool, err error) {
	hours, err := q.console.o.Desk.Journal().StudyHours(q.Context(), q.community(), []workflow.PersonID{q.me.ID})
	if hour, chosen = hours[q.me.ID]; !chosen {
		hour = lesson.DefaultHour
	}
	return hour, chosen, err
}

// studyHour takes the hour at which somebody wants their lessons.
func (c *Console) studyHour(q *request) error {
	hour, err := strconv.Atoi(q.PostFormValue("hour"))
	if err != nil || hour < lesson.LeastHour || hour > lesson.MostHour {
		return &fault{Field: "hour", Key: "lesson_hour"}
	}
	return q.work(func(w *deskWork) (string, error) {
		w.Change.Classwork.Hours = []lesson.Hour{{Person: q.me.ID, Hour: hour}}
		return q.address("lesson.hour", "lessons"), nil
	})
}

// theLesson is the lesson of the address, if it is for who is logged in.
func (q *request) theLesson() (lesson.Lesson, error) {
	id, err := strconv.ParseInt(q.PathValue("lesson"), 10, 64)
	if err != nil {
		return lesson.Lesson{}, &workflow.Error{Code: workflow.CodeNotFound, Cause: err}
	}
	l, err := q.console.o.Desk.Journal().Lesson(q.Context(), q.community(), id)
	if err == nil && !l.OpenTo(q.me) {
		err = &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("a lesson of another branch")}
	}
	return l, err
}

// toCome are those of some lessons that are not open yet, and from which day they are.
func (q *request) toCome(did []lesson.Done, all ...lesson.Lesson) (map[int64]lesson.Day, error) {
	var ids []int64
	for _, l := range all {
		ids = append(ids, l.ID)
	}
	return q.console.o.Desk.LessonsToCome(q.Context(), q.community(), q.me, ids, did)
}

// lessonAndDay is the lesson of the address, and from which day it is open to who is
// logged in, "" where it is.
func (q *request) lessonAndDay() (l lesson.Lesson, later lesson.Day, err error) {
	if l, err = q.theLesson(); err != nil {
		return l, "", err
	}
	did, err := q.console.o.Desk.Journal().LessonDoneBy(q.Context(), q.community(), q.me.ID, mostDone)
	if err != nil {
		return l, "", err
	}
	days, err := q.toCome(did, l)
	return l, days[l.ID], err
}

// openLesson is the lesson of the address, from its day on.
func (q *request) openLesson() (lesson.Lesson, error) {
	l, later, err := q.lessonAndDay()
	if err == nil && later != "" {
		err = tooEarly(later)
	}
	return l, err
}

// tooEarly refuses a lesson that is open from a day on.
func tooEarly(day lesson.Day) error {
	return &fault{Key: "lesson_later", Have: wording.Values{"Until": string(day)}}
}

// lessonPage is one lesson.
type lessonPage struct {
	lesson.Lesson
	Later lesson.Day // from which it is open, "" where it is
	Shown bool       // what it says
	Most  int
}

// lesson shows a lesson: who opens it has read it, once its day has come.
func (c *Console) lesson(q *request) error {
	l, later, err := q.lessonAndDay()
	if err != nil {
		return err
	}
	if later == "" {
		if err := q.didWith(&l, lesson.Read); err != nil {
			return err
		}
	}
	return q.show("lesson", lessonPage{Lesson: l, Later: later, Shown: later == "" || l.PreparedBy(q.me), Most: lesson.MostAsked})
}

// didWith records a deed of a member with a lesson, once, beside what they came for.
func (q *request) didWith(l *lesson.Lesson, deed lesson.Deed) error {
	if len(q.me.Branches()) == 0 || q.refused != nil {
		return nil
	}
	did, err := q.console.o.Desk.Journal().LessonDoneBy(q.Context(), q.community(), q.me.ID, mostDone)
	if err != nil || slices.ContainsFunc(did, func(d lesson.Done) bool { return d.Lesson == l.ID && d.Deed == deed }) {
		return err
	}
	w, err := q.console.o.Desk.Begin(q.community(), false)
	if err != nil {
		return err
	}
	w.Change.Classwork.Done = []lesson.Done{{Lesson: l.ID, Person: q.me.ID, Deed: deed, At: q.now}}
	return w.Commit(q.Context())
}

// lessonVoice gives the recording of a lesson: who fetches it hears it.
func (c *Console) lessonVoice(q *request) error {
	l, later, err := q.lessonAndDay()
	if err == nil && later != "" && !l.PreparedBy(q.me) {
		err = tooEarly(later)
	}
	if err != nil {
		return err
	}
	if l.Voice == "" {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("a lesson without a recording")}
	}
	data, err := c.o.Media.Get(q.Context(), q.community(), l.Voice)
	if errors.Is(err, fs.ErrNotExist) {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("the recording is lost")}
	}
	if err != nil {
		return err
	}
	if later == "" {
		if err := q.didWith(&l, lesson.Heard); err != nil {
			return err
		}
	}
	h := q.w.Header()
	h.Set("Content-Type", l.MIME)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	http.ServeContent(q.w, q.Request, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// learnt records that somebody is through with a lesson.
func (c *Console) learnt(q *request) error {
	l, err := q.openLesson()
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		w.Change.Classwork.Done = l.Through(q.me.ID, q.now)
		return q.address("lesson.learnt", "lessons"), nil
	})
}

// askTeacher has a question go to who answers.
func (c *Console) askTeacher(q *request) error {
	l, err := q.openLesson()
	if err != nil {
		return err
	}
	words, err := q.shortWords()
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		_, err := w.AskAboutLesson(q.Context(), &l, q.me, words)
		return q.address("lesson.asked", "lessons"), err
	})
}

// answerQuestion has an answer go to who asked.
func (c *Console) answerQuestion(q *request) error {
	x, err := q.theQuestion()
	if err != nil {
		return err
	}
	words, err := q.shortWords()
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		_, err := w.AnswerAboutLesson(q.Context(), x.ID, q.me, words)
		err = answered(err)
		switch back := q.PostFormValue("back"); {
		case back == "work":
			return q.address("lesson.answered", "work"), err
		case slices.Contains(q.ledBranches(), back):
			return q.branchAddress("lesson.answered", back), err
		}
		return q.address("lesson.answered", "lessons"), err
	})
}

// shortWords are the words of a question or an answer.
func (q *request) shortWords() (string, error) {
	words := q.words("words")
	switch {
	case words == "":
		return "", &workflow.Error{Code: workflow.CodeNeedsText}
	case utf8.RuneCountInString(words) > lesson.MostAsked:
		return "", &fault{Field: "words", Key: "long"}
	}
	return words, nil
}
