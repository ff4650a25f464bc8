package desk_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// week is the one in which the fixture's clock begins.
var week = digest.Week{Year: 2026, Number: 48}

func (f *fixture) weekly() {
	f.Helper()
	f.must(f.desk.Weekly(f.Context(), community))
}

// told are the digests that somebody is owed, by their keys.
func (f *fixture) told() []desk.Push {
	f.Helper()
	var out []desk.Push
	all, err := f.store.OwedPushes(f.Context(), community, f.clock.Now(), 100)
	f.must(err)
	for _, p := range all {
		if p.Purpose == workflow.TellDigest {
			out = append(out, p)
		}
	}
	return out
}

func TestTheWeekIsSentOnMondayMorning(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	f.weekly() // Monday 09:00, and nothing ran in the week before
	if _, ok, err := f.store.SentDigest(t.Context(), community, week.Before()); err != nil || ok || len(f.told()) != 0 {
		t.Fatalf("a week before the first one is told: %v %v", ok, err)
	}
	filed := f.file()
	tell := func(by workflow.Person, cmds ...workflow.Command) {
		t.Helper()
		w := f.work(true)
		for i := range cmds {
			cmds[i].Actor = workflow.By(by)
		}
		_, err := w.Do(t.Context(), filed.Number, cmds...)
		f.must(err)
		f.must(w.Commit(t.Context()))
	}
	tell(f.worker, workflow.Command{Name: workflow.CmdAccept}, workflow.Command{Name: workflow.CmdResolve, Text: "换好了"})
	f.clock.Advance(6*24*time.Hour + 22*time.Hour + 59*time.Minute) // Monday 07:59
	f.weekly()
	if len(f.told()) != 0 {
		t.Error("it is sent before 08:00")
	}
	f.clock.Advance(time.Minute)
	other := desk.New(desk.Options{Journal: f.store, Drive: f.drive, Clock: f.clock}) // a second replica
	f.must(other.Refresh(t.Context()))
	var both sync.WaitGroup
	for _, d := range []*desk.Desk{f.desk, other, f.desk} {
		both.Go(func() { f.must(d.Weekly(t.Context(), community)) })
	}
	both.Wait()
	told := f.told()
	if len(told) != 1 || told[0].Person != f.duty.ID || told[0].Key != "digest:2026-W48:"+itoa(f.duty.ID) {
		t.Fatalf("told: %+v", told)
	}
	sent, ok, err := f.store.SentDigest(t.Context(), community, week)
	if err != nil || !ok || sent.Now.Incidents != 1 || sent.Now.Resolution != (digest.Rate{Of: 1, Good: 1}) {
		t.Fatalf("what was sent: %+v %v %v", sent, ok, err)
	}

	// What was sent stays; the next one says what has changed since.
	tell(f.reporter, workflow.Command{Name: workflow.CmdRate, Rating: workflow.Unsatisfied})
	f.clock.Advance(7*24*time.Hour + 30*time.Hour) // Tuesday afternoon: nothing ran on Monday
	f.weekly()
	if len(f.told()) != 2 {
		t.Errorf("the week after is told by %d pushes in all, want 2", len(f.told()))
	}
	if len(sent.Sentences) != 0 {
		t.Errorf("somebody wrote %q", sent.Sentences)
	}
	again, _, err := f.store.SentDigest(t.Context(), community, week)
	if f.must(err); again.Now.Resolution != sent.Now.Resolution || !again.MadeAt.Equal(sent.MadeAt) {
		t.Errorf("what was sent has changed: %+v", again.Now)
	}
	next, ok, err := f.store.SentDigest(t.Context(), community, week.After())
	if err != nil || !ok || len(next.Changes) == 0 || next.Changes[0].Week != week {
		t.Errorf("what has changed since: %+v %v %v", next.Changes, ok, err)
	}
	f.clock.Advance(6 * 24 * time.Hour) // somebody writes the next one's sentences
	var written *digest.Digest
	writing := desk.New(desk.Options{Journal: f.store, Drive: f.drive, Clock: f.clock, Write: func(_ context.Context, shape desk.Shape, d *digest.Digest) []string {
		if shape.Community.Code != community || len(d.Findings) == 0 {
			t.Errorf("there is nothing to write about: %+v", d)
		}
		written = d
		return []string{"写好的一句。"}
	}})
	f.must(writing.Refresh(t.Context()))
	f.must(writing.Weekly(t.Context(), community))
	third, ok, err := f.store.SentDigest(t.Context(), community, week.After().After())
	if err != nil || !ok || written == nil || !slices.Equal(third.Sentences, []string{"写好的一句。"}) {
		t.Errorf("what was written is not sent: %+v %v %v", third.Sentences, ok, err)
	}
	f.clock.Advance(24 * time.Hour) // on Wednesday it is too late to begin
	f.must(other.Weekly(t.Context(), community))
	if len(f.told()) != 3 {
		t.Errorf("%d pushes in all, want 3", len(f.told()))
	}
}
