package desk_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// livingAt is a resident with a home.
func (f *fixture) livingAt(key string, building int, room string) workflow.Person {
	f.Helper()
	p := workflow.Person{Community: community, Name: key, OpenID: "o-" + key, Following: true, Home: workflow.Place{Estate: "东院", Building: building, Unit: 1, Room: room, Grid: "G01"}}
	var err error
	p.ID, err = f.store.UpsertPerson(f.Context(), key, p)
	f.must(err)
	return p
}

// topicAt is a topic of building 3 on which people vote for three days.
func (f *fixture) topicAt(by workflow.Person, quorum int) topic.Topic {
	f.Helper()
	doc, _ := f.desk.Shape(community)
	scope, ok := topic.Around(doc.Community, by.Home, topic.Building)
	if !ok {
		f.Fatal("no scope")
	}
	w := f.work(true)
	t, err := w.Propose(f.Context(), by, scope, "楼道装声控灯", workflow.Understanding{Kind: workflow.Incident, Category: "facilities"}, 0)
	f.must(err)
	f.must(w.Commit(f.Context()))
	for _, cmd := range []topic.Command{
		{Name: topic.Open}, {Name: topic.Note, Text: "都说好"},
		{Name: topic.Call, Rules: topic.Rules{By: topic.Household, Quorum: quorum, Until: f.clock.Now().AddDate(0, 0, 3)}},
	} {
		w := f.work(true)
		t, err = w.TellTopic(f.Context(), t.Number, f.duty, cmd)
		f.must(err)
		f.must(w.Commit(f.Context()))
	}
	return t
}

func (f *fixture) vote(number int64, by workflow.Person, choice topic.Choice) error {
	w := f.work(true)
	if _, err := w.Vote(f.Context(), number, by, choice); err != nil {
		return err
	}
	return w.Commit(f.Context())
}

// purposes are how often each purpose is owed to somebody.
func (f *fixture) purposes() map[string]int {
	f.Helper()
	all, err := f.store.OwedPushes(f.Context(), community, f.clock.Now(), 10_000)
	f.must(err)
	out := map[string]int{}
	for _, p := range all {
		out[fmt.Sprintf("%s %d", p.Purpose, p.Person)]++
	}
	return out
}

// The vote ends by itself, once, whichever of the replicas is first: a result, a ticket
// for who handles such, and one push to each who lives there.
func TestAVoteEndsOnce(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	first, second, elsewhere := f.livingAt("first", 3, "101"), f.livingAt("second", 3, "102"), f.livingAt("elsewhere", 2, "101")
	top := f.topicAt(first, 2)
	other := desk.New(desk.Options{Journal: f.store, Drive: f.drive, Clock: f.clock})
	f.must(other.Refresh(t.Context()))
	turn := func() {
		t.Helper()
		var all sync.WaitGroup
		for _, d := range []*desk.Desk{f.desk, other, f.desk, other} {
			all.Go(func() {
				if err := d.Topics(context.WithoutCancel(t.Context()), community); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	turn()
	told := f.purposes()
	if told[fmt.Sprintf("topic_proposed %d", f.duty.ID)] != 1 || told[fmt.Sprintf("topic_moved %d", first.ID)] != 1 {
		t.Errorf("the committee, and who proposed it: %v", told)
	}
	for who, want := range map[workflow.PersonID]int{first.ID: 1, second.ID: 1, elsewhere.ID: 0} {
		if n := told[fmt.Sprintf("topic_voting %d", who)]; n != want {
			t.Errorf("%d is asked to vote %d times, want %d", who, n, want)
		}
	}
	f.must(f.vote(top.Number, first, topic.For))
	f.must(f.vote(top.Number, second, topic.Abstain))
	for who, want := range map[workflow.Code]workflow.Person{topic.CodeVoted: first, topic.CodeElsewhere: elsewhere, topic.CodeNoHome: f.reporter} {
		if err := f.vote(top.Number, want, topic.Against); workflow.CodeOf(err) != who {
			t.Errorf("%s: %v", who, err)
		}
	}
	turn()
	if _, ok, err := f.store.TopicResult(t.Context(), community, top.Number); ok || err != nil {
		t.Fatalf("a result before the end: %v", err)
	}
	f.clock.Advance(3 * 24 * time.Hour)
	if err := f.vote(top.Number, elsewhere, topic.Against); workflow.CodeOf(err) != topic.CodeOver {
		t.Errorf("a vote after the end: %v", err)
	}
	turn()
	turn()
	r, ok, err := f.store.TopicResult(t.Context(), community, top.Number)
	if f.must(err); !ok || r.For != 1 || r.Abstain != 1 || r.Outcome != topic.Decided || r.Ticket == 0 {
		t.Fatalf("the result: %+v %v", r, ok)
	}
	ticket := f.stored(r.Ticket)
	if ticket.Source != workflow.SourceTopic || ticket.Reporter != first.ID || ticket.FiledBy != f.duty.ID || ticket.Place.Building != 3 || ticket.Owner != f.worker.ID || ticket.Text != top.Text {
		t.Errorf("what was decided: %+v", ticket)
	}
	told = f.purposes()
	for who, want := range map[workflow.PersonID]int{first.ID: 1, second.ID: 1, elsewhere.ID: 0} {
		if n := told[fmt.Sprintf("topic_voted %d", who)]; n != want {
			t.Errorf("%d hears the result %d times, want %d", who, n, want)
		}
	}
	if due, err := f.store.DueTopics(t.Context(), community, f.clock.Now()); err != nil || len(due) != 0 {
		t.Errorf("still to do: %+v %v", due, err)
	}
}

// Who called the vote has left office when it ends: it is counted all the same, and what
// was decided is filed by the desk.
func TestAVoteEndsAfterWhoCalledItLeft(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	first := f.livingAt("first", 3, "101")
	top := f.topicAt(first, 1)
	f.must(f.vote(top.Number, first, topic.For))
	left := f.duty
	left.Roles = nil
	_, err := f.store.UpsertPerson(t.Context(), "duty", left)
	f.must(err)
	f.clock.Advance(3 * 24 * time.Hour)
	f.must(f.desk.Topics(t.Context(), community))
	r, ok, err := f.store.TopicResult(t.Context(), community, top.Number)
	if f.must(err); !ok || r.Outcome != topic.Decided || r.Ticket == 0 {
		t.Fatalf("the result: %+v %v", r, ok)
	}
	if ticket := f.stored(r.Ticket); ticket.Reporter != first.ID || ticket.Owner != f.worker.ID {
		t.Errorf("what was decided: %+v", ticket)
	}
	if n := f.purposes()[fmt.Sprintf("topic_voted %d", first.ID)]; n != 1 {
		t.Errorf("told %d times", n)
	}
}

// Many are told in several steps, each once; too few votes and it lapses, without a
// ticket.
func TestManyAreTold(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	first := f.livingAt("first", 3, "101")
	const crowd = 450
	for i := range crowd {
		f.livingAt(fmt.Sprint("crowd-", i), 3, fmt.Sprint(200+i))
	}
	top := f.topicAt(first, 2)
	f.must(f.desk.Topics(t.Context(), community))
	f.must(f.vote(top.Number, first, topic.For))
	f.clock.Advance(3 * 24 * time.Hour)
	f.must(f.desk.Topics(t.Context(), community))
	asked, told := 0, 0
	for what, n := range f.purposes() {
		var purpose string
		var who int64
		_, _ = fmt.Sscan(what, &purpose, &who)
		if n != 1 {
			t.Errorf("%s: %d times", what, n)
		}
		switch workflow.Purpose(purpose) {
		case workflow.TellVoting:
			asked++
		case workflow.TellVoted:
			told++
		}
	}
	if asked != crowd+1 || told != crowd+1 {
		t.Errorf("%d are asked, %d hear the result, of %d", asked, told, crowd+1)
	}
	r, _, err := f.store.TopicResult(t.Context(), community, top.Number)
	if f.must(err); r.Outcome != topic.Lapsed || r.Ticket != 0 {
		t.Errorf("one vote of two: %+v", r)
	}
}

func TestWhoProposesTooMuch(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	first := f.livingAt("first", 3, "101")
	doc, _ := f.desk.Shape(community)
	scope, _ := topic.Around(doc.Community, first.Home, topic.Estate)
	for i := range topic.MostOpen + 1 {
		w := f.work(true)
		_, err := w.Propose(t.Context(), first, scope, "装个长椅", workflow.Understanding{}, 0)
		want := workflow.Code("")
		if i == topic.MostOpen {
			want = topic.CodeMany
		}
		if workflow.CodeOf(err) != want {
			t.Fatalf("topic %d: %v", i, err)
		}
		if err == nil {
			f.must(w.Commit(t.Context()))
		}
	}
	w := f.work(true)
	if _, err := w.TellTopic(t.Context(), 1001, first, topic.Command{Name: topic.Open}); workflow.CodeOf(err) != workflow.CodeNotAllowed {
		t.Errorf("a resident opens it: %v", err)
	}
}
