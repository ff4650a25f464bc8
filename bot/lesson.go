package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

const (
	lessonsListed = 4  // in one reply: each has its number to answer with
	lessonsKnown  = 40 // of what somebody was given, looked through
)

// unlessOrdinary takes words of the party class for ordinary ones where no lesson is
// named and the writer is no member, or something else waits for their words.
func (s *session) unlessOrdinary(sp spoken) spoken {
	ours := []verb{verbLearnt, verbHour, verbTeacher, verbReply}
	if sp.Number != 0 || !slices.Contains(ours, sp.Verb) {
		return sp
	}
	waits := s.talk.Pending.Verb != verbNone && !slices.Contains(ours, s.talk.Pending.Verb)
	if waits || sp.Verb != verbReply && len(s.me.Branches()) == 0 && s.talk.Lesson.ID == 0 {
		return spoken{}
	}
	return sp
}

// class does what somebody says of the party class (微党课).
func (s *session) class(ctx context.Context, sp spoken, raw string) (string, error) {
	switch sp.Verb {
	case verbReply:
		return s.replies(ctx, sp, raw)
	case verbHour:
		return s.studyHour(ctx, sp.Rest)
	case verbLessons:
		if sp.Number != 0 {
			return s.lesson(ctx, sp.Number)
		}
		return s.lessons(ctx)
	}
	if sp.Verb == verbTeacher && sp.Number == 0 {
		if which, err := s.whichLesson(ctx, sp.Rest); err != nil || which != "" {
			return which, err
		}
	}
	l, ok, err := s.meantLesson(ctx, sp)
	if err != nil || !ok {
		return s.say("lesson.none", nil), err
	}
	if early, err := s.early(ctx, &l); err != nil || early != "" {
		return early, err
	}
	if sp.Verb == verbTeacher {
		return s.asksTeacher(ctx, &l, sp.Rest)
	}
	done := &s.w.Change.Classwork.Done
	*done = append(*done, l.Through(s.me.ID, s.now)...)
	n, err := s.learntThisMonth(ctx, l.ID)
	if err != nil {
		return "", err
	}
	return s.offer(s.say("lesson.learnt", Values{"Text": l.Title, "Count": n}), s.asking(l.ID)), nil
}

// asking is the choice to ask about a lesson.
func (s *session) asking(id int64) choice {
	return choice{s.say("choice.teacher", nil), "问讲师 " + strconv.FormatInt(id, 10)}
}

// learning is the choice to say that one is through with a lesson.
func (s *session) learning(id int64) choice {
	return choice{s.say("choice.learnt", nil), "学完了 " + strconv.FormatInt(id, 10)}
}

// whichLesson asks about which lesson somebody wants to ask, where they had to do with
// several in the last days.
func (s *session) whichLesson(ctx context.Context, words string) (string, error) {
	did, err := s.b.desk.Journal().LessonDoneBy(ctx, s.in.Community, s.me.ID, lessonsKnown)
	if err != nil {
		return "", err
	}
	var ids []int64
	add := func(l taught) {
		if l.ID != 0 && s.now.Sub(l.At) < lesson.Back && !slices.Contains(ids, l.ID) && len(ids) < lessonsListed {
			ids = append(ids, l.ID)
		}
	}
	add(s.talk.Lesson)
	for _, d := range did {
		add(taught{d.Lesson, d.At})
	}
	if len(ids) < 2 {
		return "", nil
	}
	of, err := s.b.desk.Journal().LessonsByID(ctx, s.in.Community, ids)
	if err != nil {
		return "", err
	}
	var choices []choice
	for _, id := range ids {
		choices = append(choices, choice{s.say("choice.lesson", Values{"Text": of[id].Title}), strings.TrimSpace(s.asking(id).Text + " " + words)})
	}
	return s.offer(s.say("lesson.which", nil), choices...), nil
}

// early is what somebody hears of a lesson whose day has not come, "" where it has.
func (s *session) early(ctx context.Context, l *lesson.Lesson) (string, error) {
	did, err := s.b.desk.Journal().LessonDoneBy(ctx, s.in.Community, s.me.ID, 10*lessonsKnown)
	if err != nil {
		return "", err
	}
	later, err := s.b.desk.LessonsToCome(ctx, s.in.Community, s.me, []int64{l.ID}, did)
	if err != nil || later[l.ID] == "" {
		return "", err
	}
	s.talk.Lesson = taught{}
	return s.say("lesson.later", s.onDay(Values{"Text": l.Title}, later[l.ID])), nil
}

// onDay puts the day of a plan into values.
func (s *session) onDay(v Values, day lesson.Day) Values {
	if at := day.At(0, time.UTC); !at.IsZero() {
		v["Month"], v["Day"] = int(at.Month()), at.Day()
	}
	return v
}

// meantLesson is the lesson that is named, else the last that the writer was given or
// spoke of; who is through with one means one that they are not through with, if they
// were given such.
func (s *session) meantLesson(ctx context.Context, sp spoken) (l lesson.Lesson, ok bool, err error) {
	id := sp.Number
	if id == 0 {
		did, err := s.b.desk.Journal().LessonDoneBy(ctx, s.in.Community, s.me.ID, lessonsKnown)
		if err != nil {
			return l, false, err
		}
		learnt := func(id int64) bool {
			return slices.ContainsFunc(did, func(d lesson.Done) bool { return d.Lesson == id && d.Deed.Learns() })
		}
		last := s.talk.Lesson
		if len(did) > 0 && !last.At.After(did[0].At) {
			last = taught{did[0].Lesson, did[0].At}
		}
		if id = last.ID; sp.Verb == verbLearnt && learnt(id) {
			if i := slices.IndexFunc(did, func(d lesson.Done) bool { return !learnt(d.Lesson) }); i >= 0 {
				id = did[i].Lesson
			}
		}
	}
	if id == 0 {
		return l, false, nil
	}
	l, err = s.b.desk.Journal().Lesson(ctx, s.in.Community, id)
	switch {
	case workflow.CodeOf(err) == workflow.CodeNotFound:
		return l, false, nil
	case err != nil:
		return l, false, err
	case sp.Number != 0 && !l.OpenTo(s.me) && s.talk.Lesson.ID != l.ID: // they may have been at its class
		return l, false, nil
	}
	s.talk.Lesson = taught{l.ID, s.now}
	return l, true, nil
}

// learntThisMonth is how many lessons have arrived at the writer this month, one that
// is about to be recorded among them.
func (s *session) learntThisMonth(ctx context.Context, with int64) (int, error) {
	did, err := s.b.desk.Journal().LessonDoneBy(ctx, s.in.Community, s.me.ID, 10*lessonsKnown)
	if err != nil {
		return 0, err
	}
	loc := s.shape.Community.Location()
	month := func(t time.Time) string { return t.In(loc).Format("2006-01") }
	learnt := []int64{with}
	for _, d := range did {
		if d.Deed.Learns() && month(d.At) == month(s.now) && !slices.Contains(learnt, d.Lesson) {
			learnt = append(learnt, d.Lesson)
		}
	}
	return len(learnt), nil
}

// lessons lists what the writer's branch learns, the newest that is open first; for everybody else the
// lessons that are for all.
func (s *session) lessons(ctx context.Context) (string, error) {
	j := s.b.desk.Journal()
	all, err := j.LessonsFor(ctx, s.in.Community, s.me.Branches(), lessonsKnown)
	if err != nil {
		return "", err
	}
	did, err := j.LessonDoneBy(ctx, s.in.Community, s.me.ID, 10*lessonsKnown)
	if err != nil {
		return "", err
	}
	var ids []int64
	for _, l := range all {
		ids = append(ids, l.ID)
	}
	later, err := s.b.desk.LessonsToCome(ctx, s.in.Community, s.me, ids, did)
	if err != nil {
		return "", err
	}
	all = lesson.OpenFirst(all, later)
	all = all[:min(len(all), lessonsListed)]
	var lines []string
	var choices []choice
	for _, l := range all {
		learnt := slices.ContainsFunc(did, func(d lesson.Done) bool { return d.Lesson == l.ID && d.Deed.Learns() })
		v := s.aboutLesson(&l)
		v["Open"] = !learnt
		lines = append(lines, s.say("lesson.line", s.onDay(v, later[l.ID])))
		if later[l.ID] != "" {
			continue
		}
		choices = append(choices, choice{s.say("choice.lesson", v), "党课 " + strconv.FormatInt(l.ID, 10)})
	}
	v := Values{"Lines": strings.Join(lines, "\n"), "Count": len(lines), "Known": len(s.me.Branches()) > 0, "Link": s.b.lessonLink(s.in.Community, 0)}
	return s.offer(s.say("lesson.list", v), choices...), nil
}

// lesson tells one lesson.
func (s *session) lesson(ctx context.Context, id int64) (string, error) {
	l, ok, err := s.meantLesson(ctx, spoken{Number: id})
	if err != nil || !ok {
		return s.say("lesson.none", nil), err
	}
	if early, err := s.early(ctx, &l); err != nil || early != "" {
		return early, err
	}
	return s.offer(s.say("lesson.whole", s.aboutLesson(&l)), s.learning(l.ID), s.asking(l.ID)), nil
}

func (s *session) aboutLesson(l *lesson.Lesson) Values {
	return Values{
		"Number": l.ID, "Text": l.Title, "Unit": l.Speaker, "Said": wording.Shorten(l.Text, lesson.Shown), "Minutes": l.Minutes,
		"What": s.say("page.lesson.theme."+string(l.Theme), nil), "Type": string(l.Form), "Link": s.b.lessonLink(s.in.Community, l.ID),
	}
}

// lessonLink is where the page of a lesson is, that of all for 0; "" where people reach
// no pages.
func (b *Bot) lessonLink(community string, id int64) string {
	if b.o.Pages == "" {
		return ""
	}
	link := b.o.Pages + "/c/" + community + "/lessons"
	if id != 0 {
		link += "/" + strconv.FormatInt(id, 10)
	}
	return link
}

// lessonPush fills in the words of a push about a lesson, and gives what can be tapped
// below it.
func (s *session) lessonPush(p *desk.Push, v Values) []choice {
	f := &p.Facts
	v["Link"] = s.b.lessonLink(p.Community, f.Lesson)
	v["Said"] = wording.Shorten(f.Said, lesson.Shown)
	switch p.Purpose {
	case workflow.TellLesson:
		return []choice{s.learning(f.Lesson), s.asking(f.Lesson)}
	case workflow.TellLessonAsked:
		return []choice{{s.say("choice.reply", nil), "答复 " + strconv.FormatInt(f.Into, 10)}}
	}
	return []choice{s.asking(f.Lesson)}
}

// saysHour tells whether a bare number is the hour that was just asked for: it is no
// choice, of which there are fewer.
func (s *session) saysHour(sp spoken) bool {
	return sp.Verb == verbNumber && s.talk.Pending.Verb == verbHour && sp.Number >= lesson.LeastHour && sp.Number <= lesson.MostHour
}

// studyHour notes at which hour a member wants their lessons.
func (s *session) studyHour(ctx context.Context, written string) (string, error) {
	hour, ok := lesson.ReadHour(tidy(written))
	if !ok {
		hours, err := s.b.desk.Journal().StudyHours(ctx, s.in.Community, []workflow.PersonID{s.me.ID})
		if err != nil {
			return "", err
		}
		now, chosen := hours[s.me.ID]
		if !chosen {
			now = lesson.DefaultHour
		}
		s.talk.Pending = pending{Verb: verbHour}
		var choices []choice
		for _, h := range []int{7, 9, 15, 19} {
			n := strconv.Itoa(h)
			choices = append(choices, choice{s.say("choice.hour", Values{"Hours": h}), "学习时间 " + n + "点"})
		}
		return s.offer(s.say("lesson.hour_how", Values{"Hours": now, "Written": strings.TrimSpace(written), "Least": lesson.LeastHour, "Limit": lesson.MostHour}), choices...), nil
	}
	s.w.Change.Classwork.Hours = append(s.w.Change.Classwork.Hours, lesson.Hour{Person: s.me.ID, Hour: hour})
	return s.say("lesson.hour", Values{"Hours": hour}), nil
}

// asksTeacher has a question go to who answers.
func (s *session) asksTeacher(ctx context.Context, l *lesson.Lesson, words string) (string, error) {
	if words == "" {
		s.talk.Pending = pending{Verb: verbTeacher, Number: l.ID}
		return s.say("lesson.ask_what", s.aboutLesson(l)), nil
	}
	to, err := s.w.AskAboutLesson(ctx, l, s.me, wording.Shorten(words, lesson.MostAsked))
	if err != nil {
		return "", err
	}
	v := Values{"Text": l.Title, "Owner": s.shape.Roster.ByID(to).Name}
	if _, yes := l.ByPhone(s.shape.Roster, to); yes {
		v["Unit"] = l.Speaker
	}
	return s.say("lesson.asked", v), nil
}

// questions are the lines of what was asked about lessons and is the writer's to see to.
func (s *session) questions(ctx context.Context) ([]string, error) {
	waiting, err := s.b.desk.LessonsAskedOf(ctx, s.in.Community, s.me, 5)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	var ids []int64
	for _, q := range waiting {
		ids = append(ids, q.Lesson)
	}
	of, err := s.b.desk.Journal().LessonsByID(ctx, s.in.Community, ids)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, q := range waiting {
		l := of[q.Lesson]
		v := Values{"Number": q.ID, "Text": l.Title, "Said": wording.Shorten(q.Words, 40), "Name": s.shape.Roster.ByID(q.Person).Name}
		if _, yes := l.ByPhone(s.shape.Roster, s.me.ID); yes {
			v["Unit"] = l.Speaker
		}
		lines = append(lines, s.say("lesson.asked_line", v))
	}
	return lines, nil
}

// replies answers a question about a lesson: the one that is named, else the oldest
// that waits for the writer.
func (s *session) replies(ctx context.Context, sp spoken, raw string) (string, error) {
	id := sp.Number
	if id == 0 {
		waiting, err := s.b.desk.Journal().LessonAsked(ctx, s.in.Community, 10*lessonsKnown)
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(waiting, func(q lesson.Question) bool { return q.To == s.me.ID })
		if i < 0 {
			return s.free(ctx, raw)
		}
		id = waiting[i].ID
	}
	if sp.Rest == "" {
		q, err := s.w.AskedAboutLesson(ctx, id, s.me)
		if workflow.CodeOf(err) == workflow.CodeAlreadyDone {
			return s.answered(&q), nil
		}
		if err != nil {
			return "", err
		}
		l, err := s.b.desk.Journal().Lesson(ctx, s.in.Community, q.Lesson)
		if err != nil {
			return "", err
		}
		v := Values{"Number": id, "Said": q.Words}
		if p, yes := l.ByPhone(s.shape.Roster, s.me.ID); yes {
			v["Unit"], v["Phone"] = l.Speaker, p.Phone
			s.looks("phone.look", id)
		}
		s.talk.Pending = pending{Verb: verbReply, Number: id}
		return s.say("lesson.reply_what", v), nil
	}
	q, err := s.w.AnswerAboutLesson(ctx, id, s.me, wording.Shorten(sp.Rest, lesson.MostAsked))
	if workflow.CodeOf(err) == workflow.CodeAlreadyDone {
		return s.answered(&q), nil
	}
	if err != nil {
		return "", err
	}
	asker, err := s.b.desk.Journal().Person(ctx, s.in.Community, q.Person)
	return s.say("lesson.replied", Values{"Name": asker.Name}), err
}

// answered is what somebody hears who comes too late with an answer.
func (s *session) answered(q *lesson.Question) string {
	return s.say("lesson.answered", Values{"By": s.shape.Roster.ByID(q.AnsweredBy).Name})
}

// signsIn notes that somebody scanned the code of a gallery class (廊亭微课), on its
// day; ok is false where no such code was scanned.
func (s *session) signsIn(ctx context.Context) (reply string, ok bool, err error) {
	if s.in.Event != "SCAN" && s.in.Event != "subscribe" {
		return "", false, nil
	}
	id, ok := lesson.ReadScene(strings.TrimPrefix(s.in.EventKey, "qrscene_"))
	if !ok {
		return "", false, nil
	}
	if s.in.Event == "subscribe" {
		s.w.Change.Following = &desk.Following{Person: s.me.ID, Yes: true}
	}
	l, err := s.b.desk.Journal().Lesson(ctx, s.in.Community, id)
	if code := workflow.CodeOf(err); err != nil && code != workflow.CodeNotFound {
		return "", true, err
	}
	if err != nil || !l.Class.Held(s.now, s.shape.Community.Location()) {
		return s.say("lesson.not_now", Values{"Text": l.Title, "Next": s.voice().When(l.Class.At, s.now), "Open": l.Class.At.After(s.now)}), true, nil
	}
	s.talk.Lesson = taught{l.ID, s.now}
	done := &s.w.Change.Classwork.Done
	*done = append(*done, lesson.Done{Lesson: l.ID, Person: s.me.ID, Deed: lesson.Signed, At: s.now})
	v := s.aboutLesson(&l)
	v["Name"], v["Place"] = s.me.Name, l.Class.Place
	return s.offer(s.say("lesson.signed", v), s.asking(l.ID)), true, nil
}
