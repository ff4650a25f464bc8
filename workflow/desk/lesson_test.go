package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// class commits what a change does to the party class.
func (f *fixture) class(c desk.Classwork) {
	f.Helper()
	w, err := f.desk.Begin(community, false)
	f.must(err)
	w.Change.Classwork = c
	f.must(w.Commit(f.Context()))
}

// Three replicas give the lessons of a week at the same moments, while members change
// their hours: each member is owed each lesson once, and what nobody chose keeps out of
// the quiet hours.
func TestReplicasGiveEachLessonOnce(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	var members []workflow.Person
	for i := range 12 {
		branch := []string{"第一支部", "第二支部"}[i%2]
		members = append(members, f.joins(fmt.Sprintf("党员%d", i), workflow.Role{Kind: workflow.RolePartyMember, Branch: branch}))
	}
	shape, _ := f.desk.Shape(community)
	zone := shape.Community.Location()
	today := lesson.DayOf(f.clock.Now(), zone)
	day := func(n int) lesson.Day { return lesson.DayOf(f.clock.Now().AddDate(0, 0, n), zone) }
	c := desk.Classwork{}
	for id := range int64(3) {
		c.Made = append(c.Made, lesson.Lesson{ID: 1101 + id, Theme: lesson.History, Form: lesson.Text, Title: fmt.Sprint("课", id), Speaker: "周老师", Minutes: 5, Text: strings.Repeat("字", lesson.MostText), At: f.clock.Now()})
	}
	c.Planned = []lesson.Planned{{Branch: "第一支部", Lesson: 1101, Day: today}, {Branch: "第二支部", Lesson: 1101, Day: day(1)}, {Branch: "第一支部", Lesson: 1102, Day: day(2)}, {Branch: "第二支部", Lesson: 1103, Day: day(2)}}
	f.class(c)

	replicas := []*desk.Desk{f.desk}
	for range 2 {
		d := desk.New(desk.Options{Journal: f.store, Drive: f.drive, Clock: f.clock})
		f.must(d.Refresh(t.Context()))
		replicas = append(replicas, d)
	}
	for hour := range 24 * 4 {
		if hour%5 == 0 {
			f.class(desk.Classwork{Hours: []lesson.Hour{{Person: members[hour%12].ID, Hour: 5 + hour%17}}})
		}
		var all sync.WaitGroup
		for _, d := range replicas {
			all.Go(func() {
				if err := d.GiveLessons(t.Context(), community); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		f.clock.Advance(time.Hour)
	}
	owed, err := f.store.OwedPushes(t.Context(), community, f.clock.Now(), 1000)
	f.must(err)
	times := map[string]int{}
	for _, p := range owed {
		if p.Purpose == workflow.TellLesson {
			times[p.Key]++
			if n := len([]rune(p.Facts.Said)); n > lesson.Shown+1 { // each member's push would hold it all
				t.Errorf("%s holds %d signs of the lesson", p.Key, n)
			}
		}
	}
	for i, m := range members {
		for _, id := range [][]int64{{1101, 1102}, {1101, 1103}}[i%2] {
			if key := desk.LessonKey(id, m.ID); times[key] != 1 {
				t.Errorf("%s: %d times", key, times[key])
			}
			delete(times, desk.LessonKey(id, m.ID))
		}
	}
	if len(times) != 0 {
		t.Errorf("given besides: %v", times)
	}
	done, err := f.store.LessonDone(t.Context(), community, []int64{1101, 1102, 1103})
	f.must(err)
	if len(done) != 24 {
		t.Errorf("%d are recorded as given", len(done))
	}
}

// A lesson that somebody wants at 07:00 comes at 07:00, though residents have quiet
// until 08:00; one that comes late waits for them.
func TestTheChosenHourAndTheQuietHours(t *testing.T) {
	quiet, err := workflow.ParseCommunity(strings.NewReader("{code: x, name: 东}"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour int) time.Time { return time.Date(2026, 11, 24, hour, 10, 0, 0, quiet.Location()) }
	wanted := time.Date(2026, 11, 24, 7, 0, 0, 0, quiet.Location())
	for _, tt := range []struct {
		now, want time.Time
		wanted    time.Time
	}{
		{at(7), at(7), wanted},
		{at(7), at(8).Add(-10 * time.Minute), time.Time{}},
		{at(6), at(8).Add(-10 * time.Minute), wanted},
		{at(22), at(8).Add(24*time.Hour - 10*time.Minute), wanted},
		{at(9), at(9), time.Time{}},
	} {
		p := desk.Push{Purpose: workflow.TellLesson, Facts: desk.Facts{Wanted: tt.wanted}}
		if got := p.Waits(quiet, tt.now); !got.Equal(tt.want) {
			t.Errorf("at %s, wanted %s: %s", tt.now, tt.wanted, got)
		}
	}
}

// The first answer to a question stands, and comes from who may give it.
func TestOneAnswer(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	asker := f.joins("提问的", workflow.Role{Kind: workflow.RolePartyMember, Branch: "第一支部"})
	secretary := f.joins("书记", workflow.Role{Kind: workflow.RolePartyMember, Branch: "第一支部", Secretary: true})
	other := f.joins("别的书记", workflow.Role{Kind: workflow.RolePartyMember, Branch: "第二支部", Secretary: true})
	l := lesson.Lesson{ID: 1101, Theme: lesson.History, Form: lesson.Text, Title: "课", Speaker: "周老师", Minutes: 5, Text: "…", At: f.clock.Now()}
	f.class(desk.Classwork{Made: []lesson.Lesson{l}})
	w, err := f.desk.Begin(community, false)
	f.must(err)
	to, err := w.AskAboutLesson(t.Context(), &l, asker, "红船还在吗")
	f.must(err)
	if to != secretary.ID {
		t.Errorf("%d should answer", to)
	}
	id := w.Change.Classwork.Asked[0].ID
	f.must(w.Commit(t.Context()))
	answer := func(by workflow.Person, words string) error {
		w, err := f.desk.Begin(community, false)
		f.must(err)
		if _, err := w.AnswerAboutLesson(t.Context(), id, by, words); err != nil {
			return err
		}
		return w.Commit(t.Context())
	}
	if err := answer(other, "不知道"); workflow.CodeOf(err) != workflow.CodeNotAllowed {
		t.Errorf("another branch's secretary answers: %v", err)
	}
	var works []*desk.Work // two people at once, each before the other's is there
	for _, words := range []string{"在南湖", "在上海"} {
		w := f.work(false)
		_, err := w.AnswerAboutLesson(t.Context(), id, secretary, words)
		f.must(err)
		works = append(works, w)
	}
	f.must(works[0].Commit(t.Context()))
	if err := works[1].Commit(t.Context()); !errors.Is(err, desk.ErrStale) {
		t.Errorf("the second answer, decided before the first was there: %v", err)
	}
	if err := answer(secretary, "改了"); workflow.CodeOf(err) != workflow.CodeAlreadyDone {
		t.Errorf("answered twice: %v", err)
	}
	q, err := f.store.LessonQuestion(t.Context(), community, id)
	f.must(err)
	if q.Answer != "在南湖" || q.AnsweredBy != secretary.ID {
		t.Errorf("%+v", q)
	}
	owed, err := f.store.OwedPushes(t.Context(), community, f.clock.Now(), 100)
	f.must(err)
	answers := 0
	for _, p := range owed {
		if p.Purpose == workflow.TellLessonAnswer {
			answers++
		}
	}
	if answers != 1 {
		t.Errorf("%d answers are owed", answers)
	}
}

// Eight people ask at once for a lesson at one member's door, by two processes: one
// comes out, and the others hear of it.
func TestOneVisitToADoor(t *testing.T) {
	url := storetest.Postgres(t)
	f := newFixtureOn(t, url, storetest.Redis(t))
	other, err := postgres.Open(t.Context(), url, postgres.Options{})
	f.must(err)
	t.Cleanup(other.Close)
	second := desk.New(desk.Options{Journal: other, Drive: f.drive, Clock: f.clock})
	f.must(second.Refresh(t.Context()))
	member := f.joins("走不动的", workflow.Role{Kind: workflow.RolePartyMember, Branch: "第一支部"})
	ask := func(d *desk.Desk, decided func()) error {
		for try := 0; ; try++ {
			w, err := d.Begin(community, try > 0)
			if err != nil {
				return err
			}
			_, err = w.FileDoorVisit(t.Context(), member, workflow.By(f.duty), "请老师上门讲一课")
			if try == 0 {
				decided()
			}
			if err != nil {
				return err
			}
			if err = w.Commit(t.Context()); !errors.Is(err, desk.ErrStale) {
				return err
			}
		}
	}
	var all, decided sync.WaitGroup
	const people = 8
	decided.Add(people)
	outcomes := make([]error, people)
	for i := range people {
		all.Go(func() {
			outcomes[i] = ask([]*desk.Desk{f.desk, second}[i%2], func() {
				decided.Done()
				decided.Wait() // nobody's is there before everybody has decided
			})
		})
	}
	all.Wait()
	filed := 0
	for _, err := range outcomes {
		switch {
		case err == nil:
			filed++
		case workflow.CodeOf(err) != workflow.CodeAlreadyDone:
			t.Errorf("somebody hears %v", err)
		}
	}
	tickets, err := f.store.Reported(t.Context(), community, member.ID, true, 20)
	f.must(err)
	if filed != 1 || len(tickets) != 1 {
		t.Errorf("%d are told that it is filed, %d are", filed, len(tickets))
	}
	// Once it has ended, another may be asked for.
	w := f.work(true)
	_, err = w.Do(t.Context(), tickets[0].Number, workflow.Command{Name: workflow.CmdCancel, Actor: workflow.By(f.duty), Text: "不用了"})
	f.must(err)
	f.must(w.Commit(t.Context()))
	if err := ask(second, func() {}); err != nil {
		t.Errorf("after it has ended: %v", err)
	}
}
