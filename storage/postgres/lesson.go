package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

const lessonColumns = `SELECT community, id, body FROM lesson `

func scanLesson(r pgx.CollectableRow) (l lesson.Lesson, err error) {
	var body []byte
	var community string
	var id int64
	if err = r.Scan(&community, &id, &body); err == nil {
		err = json.Unmarshal(body, &l)
	}
	l.Community, l.ID = community, id
	return l, err
}

// Lesson is a *workflow.Error with CodeNotFound where there is none.
func (s *Store) Lesson(ctx context.Context, community string, id int64) (lesson.Lesson, error) {
	l, ok, err := row(ctx, s, "lesson", scanLesson, lessonColumns+`WHERE community = $1 AND id = $2`, community, id)
	if err == nil && !ok {
		err = notFound(0, "lesson")
	}
	return l, err
}

// LessonsFor are those of some branches and the committee's, newest first.
func (s *Store) LessonsFor(ctx context.Context, community string, branches []string, limit int) ([]lesson.Lesson, error) {
	all := slices.Concat([]string{""}, branches)
	return rows(ctx, s, "lessons", scanLesson, `SELECT l.community, l.id, l.body FROM unnest($2::text[]) AS b(branch) CROSS JOIN LATERAL (
			SELECT * FROM lesson WHERE community = $1 AND branch = b.branch ORDER BY at DESC, id DESC LIMIT $3) AS l
		ORDER BY l.at DESC, l.id DESC LIMIT $3`, community, all, limit)
}

// LessonsByID are those with some IDs; what is not known is not among them.
func (s *Store) LessonsByID(ctx context.Context, community string, ids []int64) (map[int64]lesson.Lesson, error) {
	found, err := rows(ctx, s, "lessons by id", scanLesson, lessonColumns+`WHERE community = $1 AND id = ANY ($2::bigint[])`, community, ids)
	out := map[int64]lesson.Lesson{}
	for _, l := range found {
		out[l.ID] = l
	}
	return out, err
}

// LessonPlan is what all branches learn from a day on, until another, both included.
func (s *Store) LessonPlan(ctx context.Context, community string, from, until lesson.Day) ([]lesson.Planned, error) {
	return rows(ctx, s, "lesson plan", pgx.RowToStructByPos[lesson.Planned], `SELECT branch, lesson, day::text, by FROM lesson_plan
		WHERE community = $1 AND day >= $2::text::date AND day <= $3::text::date ORDER BY day, branch, lesson`, community, from, until)
}

// LessonDays are the days on which some branches learn some lessons.
func (s *Store) LessonDays(ctx context.Context, community string, branches []string, ids []int64) ([]lesson.Planned, error) {
	return rows(ctx, s, "lesson days", pgx.RowToStructByPos[lesson.Planned], `SELECT branch, lesson, day::text, by FROM lesson_plan
		WHERE community = $1 AND branch = ANY ($2::text[]) AND lesson = ANY ($3::bigint[])`, community, column(branches, text), ids)
}

func scanDone(r pgx.CollectableRow) (d lesson.Done, err error) {
	err = r.Scan(&d.Lesson, &d.Person, &d.Deed, &d.At)
	d.At = d.At.UTC()
	return d, err
}

// LessonDone is what was done with some lessons, by everybody.
func (s *Store) LessonDone(ctx context.Context, community string, lessons []int64) ([]lesson.Done, error) {
	return rows(ctx, s, "lesson done", scanDone, `SELECT lesson, person, deed, at FROM lesson_done
		WHERE community = $1 AND lesson = ANY ($2::bigint[])`, community, lessons)
}

// LessonDoneBy is what somebody did, newest first.
func (s *Store) LessonDoneBy(ctx context.Context, community string, person workflow.PersonID, limit int) ([]lesson.Done, error) {
	return rows(ctx, s, "lessons of a person", scanDone, `SELECT lesson, person, deed, at FROM lesson_done
		WHERE community = $1 AND person = $2 ORDER BY at DESC, lesson DESC LIMIT $3`, community, person, limit)
}

// StudyHours are the hours that some people have chosen.
func (s *Store) StudyHours(ctx context.Context, community string, of []workflow.PersonID) (map[workflow.PersonID]int, error) {
	found, err := rows(ctx, s, "study hours", pgx.RowToStructByPos[lesson.Hour], `SELECT person, hour FROM study_hour
		WHERE community = $1 AND person = ANY ($2::bigint[])`, community, people(of))
	out := map[workflow.PersonID]int{}
	for _, h := range found {
		out[h.Person] = h.Hour
	}
	return out, err
}

const questionColumns = `SELECT id, lesson, person, teacher, body, at, answer, answered_by, answered_at FROM lesson_question `

func scanQuestion(r pgx.CollectableRow) (q lesson.Question, err error) {
	var answered *time.Time
	err = r.Scan(&q.ID, &q.Lesson, &q.Person, &q.To, &q.Words, &q.At, &q.Answer, &q.AnsweredBy, &answered)
	if q.At = q.At.UTC(); answered != nil {
		q.AnsweredAt = answered.UTC()
	}
	return q, err
}

// LessonQuestion is a *workflow.Error with CodeNotFound where there is none.
func (s *Store) LessonQuestion(ctx context.Context, community string, id int64) (lesson.Question, error) {
	q, ok, err := row(ctx, s, "lesson question", scanQuestion, questionColumns+`WHERE community = $1 AND id = $2`, community, id)
	if err == nil && !ok {
		err = notFound(id, "question")
	}
	return q, err
}

// LessonAsked are those without an answer, oldest first.
func (s *Store) LessonAsked(ctx context.Context, community string, limit int) ([]lesson.Question, error) {
	return rows(ctx, s, "lesson questions", scanQuestion, questionColumns+`WHERE community = $1 AND answered_at IS NULL ORDER BY at, id LIMIT $2`, community, limit)
}

// LessonAskedBy are somebody's own, newest first.
func (s *Store) LessonAskedBy(ctx context.Context, community string, person workflow.PersonID, limit int) ([]lesson.Question, error) {
	return rows(ctx, s, "lesson questions of a person", scanQuestion, questionColumns+`WHERE community = $1 AND person = $2 ORDER BY at DESC LIMIT $3`, community, person, limit)
}

// PushFates are what became of pushes, by their keys.
func (s *Store) PushFates(ctx context.Context, community string, keys []string) (map[string]desk.PushStatus, error) {
	type fate struct {
		Key    string
		Status desk.PushStatus
	}
	found, err := rows(ctx, s, "push fates", pgx.RowToStructByPos[fate], `SELECT key, status FROM push WHERE community = $1 AND key = ANY ($2::text[])`, community, keys)
	out := map[string]desk.PushStatus{}
	for _, f := range found {
		out[f.Key] = f.Status
	}
	return out, err
}

// DoorVisits are the newest lessons to the door of some people.
func (s *Store) DoorVisits(ctx context.Context, community string, of []workflow.PersonID) (map[workflow.PersonID]workflow.Ticket, error) {
	found, err := s.tickets(ctx, "door visits", `SELECT t.body FROM unnest($2::bigint[]) AS p(id) CROSS JOIN LATERAL (
			SELECT body FROM ticket WHERE community = $1 AND reporter = p.id AND category = $3 ORDER BY filed_at DESC, number DESC LIMIT 1) AS t`,
		community, people(of), string(workflow.LessonVisit))
	out := map[workflow.PersonID]workflow.Ticket{}
	for _, t := range found {
		out[t.Reporter] = t
	}
	return out, err
}

// lessons are what a batch depends on of the party class: which questions are answered,
// and which lesson to somebody's door was asked for last. The rows of the questions and of
// the people are locked, so that of two processes one decides on what the other wrote.
type lessons struct {
	questions, people map[ref]bool // those asked about
	answered          map[ref]bool
	newest            map[ref]int64
}

func newLessons(changes []*desk.Change) *lessons {
	k := &lessons{questions: map[ref]bool{}, people: map[ref]bool{}, answered: map[ref]bool{}, newest: map[ref]int64{}}
	for _, ch := range changes {
		for _, q := range ch.Classwork.Answered {
			k.questions[ref{ch.Community, q.ID}] = true
		}
		for _, v := range ch.Classwork.Visits {
			k.people[ref{ch.Community, int64(v.Person)}] = true
		}
	}
	return k
}

const (
	lockQuestions = `SELECT q.community, q.id, (q.answered_at IS NOT NULL)::int::bigint FROM lesson_question q
		JOIN unnest($1::text[], $2::bigint[]) AS k(community, id) ON q.community = k.community AND q.id = k.id
		ORDER BY q.community, q.id FOR UPDATE OF q`
	lockVisited = `SELECT p.community, p.id FROM person p
		JOIN unnest($1::text[], $2::bigint[]) AS k(community, id) ON p.community = k.community AND p.id = k.id
		ORDER BY p.community, p.id FOR NO KEY UPDATE OF p`
	newestVisits = `SELECT k.community, k.id, t.number FROM unnest($1::text[], $2::bigint[]) AS k(community, id) CROSS JOIN LATERAL (
		SELECT number FROM ticket WHERE community = k.community AND reporter = k.id AND category = $3 ORDER BY filed_at DESC, number DESC LIMIT 1) AS t`
)

func (k *lessons) queue(b *pgx.Batch) {
	each := func(found func(ref, int64)) func(pgx.Rows) error {
		return func(rows pgx.Rows) error {
			var r ref
			var n int64
			_, err := pgx.ForEachRow(rows, []any{&r.community, &r.id, &n}, func() error {
				found(r, n)
				return nil
			})
			return err
		}
	}
	if refs := sortedRefs(k.questions); len(refs) > 0 {
		b.Queue(lockQuestions, communities(refs), ids(refs)).Query(each(func(r ref, n int64) { k.answered[r] = n != 0 }))
	}
	if refs := sortedRefs(k.people); len(refs) > 0 {
		b.Queue(lockVisited, communities(refs), ids(refs))
		b.Queue(newestVisits, communities(refs), ids(refs), string(workflow.LessonVisit)).Query(each(func(r ref, n int64) { k.newest[r] = n }))
	}
}

// fit tells whether a change answers what is not answered, and asks for visits that
// nobody asked for meanwhile.
func (k *lessons) fit(ch *desk.Change) bool {
	return !slices.ContainsFunc(ch.Classwork.Answered, func(q lesson.Question) bool { return k.answered[ref{ch.Community, q.ID}] }) &&
		!slices.ContainsFunc(ch.Classwork.Visits, func(v desk.DoorVisit) bool { return k.newest[ref{ch.Community, int64(v.Person)}] != v.After })
}

func (k *lessons) take(ch *desk.Change) {
	for _, q := range ch.Classwork.Answered {
		k.answered[ref{ch.Community, q.ID}] = true
	}
	for _, v := range ch.Classwork.Visits {
		k.newest[ref{ch.Community, int64(v.Person)}] = -1 // the one that this change files
	}
}

const (
	putLesson = `INSERT INTO lesson (community, id, branch, body, at) VALUES ($1, $2, $3, $4::text::jsonb, $5)
		ON CONFLICT (community, id) DO UPDATE SET branch = excluded.branch, body = excluded.body`
	planLesson = `INSERT INTO lesson_plan (community, branch, lesson, day, by) VALUES ($1, $2, $3, $4::text::date, $5)
		ON CONFLICT (community, branch, lesson) DO UPDATE SET day = excluded.day, by = excluded.by`
	unplanLesson = `DELETE FROM lesson_plan WHERE community = $1 AND branch = $2 AND lesson = $3`
	insertDone   = `INSERT INTO lesson_done (community, lesson, person, deed, at)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[]) ON CONFLICT (community, lesson, person, deed) DO NOTHING`
	putHour = `INSERT INTO study_hour (community, person, hour) VALUES ($1, $2, $3)
		ON CONFLICT (community, person) DO UPDATE SET hour = excluded.hour`
	askLesson = `INSERT INTO lesson_question (community, id, lesson, person, teacher, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (community, id) DO NOTHING`
	answerLesson = `UPDATE lesson_question SET answer = $3, answered_by = $4, answered_at = $5
		WHERE community = $1 AND id = $2 AND answered_at IS NULL`
)

// writeLessons writes what changes do to the party class, in the order of the keys.
func writeLessons(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type done struct {
		community string
		lesson.Done
	}
	var all []done
	for _, ch := range fit {
		w := &ch.Classwork
		for i := range w.Made {
			l := &w.Made[i]
			body, err := document(l)
			if err != nil {
				return err
			}
			b.Queue(putLesson, ch.Community, l.ID, text(l.Branch), body, l.At)
		}
		for _, p := range w.Planned {
			b.Queue(planLesson, ch.Community, text(p.Branch), p.Lesson, string(p.Day), p.By)
		}
		for _, p := range w.Unplanned {
			b.Queue(unplanLesson, ch.Community, text(p.Branch), p.Lesson)
		}
		for _, h := range w.Hours {
			b.Queue(putHour, ch.Community, h.Person, h.Hour)
		}
		for _, q := range w.Asked {
			b.Queue(askLesson, ch.Community, q.ID, q.Lesson, q.Person, q.To, text(q.Words), q.At)
		}
		for _, q := range w.Answered {
			b.Queue(answerLesson, ch.Community, q.ID, text(q.Answer), q.AnsweredBy, q.AnsweredAt)
		}
		for _, d := range w.Done {
			all = append(all, done{ch.Community, d})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b done) int {
		return cmp.Or(cmp.Compare(a.community, b.community), cmp.Compare(a.Lesson, b.Lesson), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Deed, b.Deed))
	})
	b.Queue(insertDone,
		column(all, func(d done) string { return d.community }), column(all, func(d done) int64 { return d.Lesson }),
		column(all, func(d done) int64 { return int64(d.Person) }), column(all, func(d done) string { return string(d.Deed) }),
		column(all, func(d done) time.Time { return d.At }))
	return nil
}

// lessonSection is what the party class has to say of a time: how many lessons were
// given to how many members and how many arrived, what was asked and is not answered,
// who came to the gallery, and how many were taught at their doors.
func (s *Store) lessonSection(ctx context.Context, community string, from, until time.Time) (digest.Section, error) {
	type counts struct{ Lessons, Given, Learnt, Asked, Signed, Open, Visits int }
	n, _, err := row(ctx, s, "lesson section", pgx.RowToStructByPos[counts], `SELECT
			count(DISTINCT lesson) FILTER (WHERE deed = 'given'), count(*) FILTER (WHERE deed = 'given'),
			count(DISTINCT (lesson, person)) FILTER (WHERE deed <> 'given'),
			(SELECT count(*) FROM lesson_question WHERE community = $1 AND at >= $2 AND at < $3),
			count(*) FILTER (WHERE deed = 'signed'),
			(SELECT count(*) FROM lesson_question WHERE community = $1 AND answered_at IS NULL AND at < $3),
			(SELECT count(*) FROM ticket WHERE community = $1 AND resolved_at >= $2 AND resolved_at < $3 AND resolved_at IS NOT NULL AND category = $4)
		FROM lesson_done WHERE community = $1 AND at >= $2 AND at < $3`, community, from, until, string(workflow.LessonVisit))
	section := digest.Section{Name: "lessons"}
	line := func(say string, speaks bool, values map[string]int) {
		if !speaks {
			return
		}
		l := digest.Line{Say: say, Values: map[string]string{}}
		for name, v := range values {
			l.Values[name] = strconv.Itoa(v)
		}
		section.Lines = append(section.Lines, l)
	}
	line("given", n.Given > 0, map[string]int{"lessons": n.Lessons, "given": n.Given, "learnt": n.Learnt})
	line("learnt", n.Given == 0 && n.Learnt > 0, map[string]int{"learnt": n.Learnt})
	line("asked", n.Asked+n.Open > 0, map[string]int{"asked": n.Asked, "open": n.Open})
	line("signed", n.Signed > 0, map[string]int{"signed": n.Signed})
	line("visits", n.Visits > 0, map[string]int{"visits": n.Visits})
	return section, err
}
