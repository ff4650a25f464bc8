package desk_test

import (
	"context"
	"maps"
	"slices"
	"strings"
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

// joins is somebody new on the staff.
func (f *fixture) joins(name string, roles ...workflow.Role) workflow.Person {
	f.Helper()
	p := workflow.Person{Community: community, Name: name, OpenID: "o-" + name, Roles: roles, Following: true}
	var err error
	p.ID, err = f.store.UpsertPerson(f.Context(), name, p)
	f.must(err)
	f.must(f.desk.Refresh(f.Context()))
	return p
}

func TestTheWeekIsSentOnMondayMorning(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	second := f.joins("secretary", workflow.Role{Kind: workflow.RoleCommittee}) // off duty: hers too
	f.joins("officer", workflow.Role{Kind: workflow.RoleOfficer})               // not of the committee
	f.weekly()                                                                  // Monday 09:00, and nothing ran in the week before
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
	keys := map[string]workflow.PersonID{}
	for _, p := range told {
		keys[p.Key] = p.Person
	}
	if want := map[string]workflow.PersonID{"digest:2026-W48:" + itoa(f.duty.ID): f.duty.ID, "digest:2026-W48:" + itoa(second.ID): second.ID}; len(told) != 2 || !maps.Equal(keys, want) {
		t.Fatalf("told: %+v, want %v", told, want)
	}
	sent, ok, err := f.store.SentDigest(t.Context(), community, week)
	if err != nil || !ok || sent.Now.Incidents != 1 || sent.Now.Resolution != (digest.Rate{Of: 1, Good: 1}) {
		t.Fatalf("what was sent: %+v %v %v", sent, ok, err)
	}

	// What was sent stays; the next one says what has changed since.
	tell(f.reporter, workflow.Command{Name: workflow.CmdRate, Rating: workflow.Unsatisfied})
	f.clock.Advance(7*24*time.Hour + 30*time.Hour) // Tuesday afternoon: nothing ran on Monday
	f.weekly()
	if len(f.told()) != 4 {
		t.Errorf("the week after is told by %d pushes in all, want 4", len(f.told()))
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
	if len(f.told()) != 6 {
		t.Errorf("%d pushes in all, want 6", len(f.told()))
	}
}

// Where the clocks go back on Sunday the week is an hour longer, and Monday 08:00 is
// that of the community, not of UTC, of Shanghai or of the summer.
func TestTheWeekOfAnotherZone(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	there := strings.TrimSpace(shape) + "\ntimezone: America/New_York\n"
	doc, err := workflow.ParseCommunity(strings.NewReader(there))
	f.must(err)
	_, err = f.store.ApplyCommunity(t.Context(), doc, []byte(there), "test")
	f.must(err)
	f.must(f.desk.Refresh(t.Context()))
	at := func(day, hour, minute int) { // UTC, in October; 32 is 1 November
		f.clock.Advance(time.Date(2026, 10, day, hour, minute, 0, 0, time.UTC).Sub(f.clock.Now()))
	}
	at(26, 3, 30) // Sunday 23:30 in New York: the week before
	f.file()
	at(26, 4, 30) // Monday 00:30
	f.file()
	at(33, 4, 30) // Sunday 23:30 again, of a day of 25 hours; on Monday by the summer's clock, and elsewhere
	last := f.file()
	at(33, 5, 30) // Monday 00:30: resolved in the next week
	w := f.work(true)
	_, err = w.Do(t.Context(), last.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(f.worker)}, workflow.Command{Name: workflow.CmdResolve, Actor: workflow.By(f.worker), Text: "换好了"})
	f.must(err)
	f.must(w.Commit(t.Context()))
	at(33, 12, 59)
	f.weekly()
	if len(f.told()) != 0 {
		t.Error("it is sent before 08:00 in New York")
	}
	at(33, 13, 0)
	f.weekly()
	sent, ok, err := f.store.SentDigest(t.Context(), community, digest.Week{Year: 2026, Number: 44})
	if f.must(err); !ok || len(f.told()) != 1 {
		t.Fatalf("at 08:00 in New York %d are told", len(f.told()))
	}
	if sent.Now.Incidents != 2 || sent.Before.Incidents != 1 || sent.Now.Resolution.Of != 0 || sent.Until.Sub(sent.From) != 169*time.Hour || sent.Until.Hour() != 0 || sent.From.Hour() != 0 {
		t.Errorf("the week from %s until %s: %+v, before %+v", sent.From, sent.Until, sent.Now, sent.Before)
	}
	next, err := f.desk.Digest(t.Context(), community, digest.Week{Year: 2026, Number: 45})
	if f.must(err); next.Now.Incidents != 0 || next.Now.Resolution != (digest.Rate{Of: 1, Good: 1}) || next.Before.Incidents != 2 {
		t.Errorf("the week after: %+v", next.Now)
	}
}
