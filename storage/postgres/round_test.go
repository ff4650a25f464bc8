package postgres

import (
	"slices"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// What is found by the copies of a ticket's body follows the body.
func TestHelpedWishedSolved(t *testing.T) {
	s := openStore(t, freshURL(t), nil)
	c := ctx(t)
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	put := func(number int64, was int64, change func(*workflow.Ticket)) {
		t.Helper()
		tc := opened(here, number)
		tc.Was, tc.Ticket.Version = was, was+1
		tc.Events[0].Seq = was + 1
		change(&tc.Ticket)
		must(t, s.Commit(c, desk.Change{Community: here, Tickets: []desk.TicketChange{tc}}))
	}
	put(1, 0, func(t *workflow.Ticket) {
		t.Hands = []workflow.Hand{{Person: 7, State: workflow.HandCalled}, {Person: 8, State: workflow.HandDone}}
	})
	put(2, 0, func(t *workflow.Ticket) {
		t.State, t.Stand, t.Kind, t.Supporters = workflow.Classified, workflow.OnWall, workflow.Wish, []workflow.PersonID{1, 2}
	})
	put(3, 0, func(t *workflow.Ticket) {
		t.State, t.Stand, t.Kind, t.Supporters = workflow.Classified, workflow.OnWall, workflow.Wish, []workflow.PersonID{1, 2, 3}
	})
	put(4, 0, func(t *workflow.Ticket) { t.State, t.ResolvedAt, t.Place.Grid = workflow.Resolved, now, "G1" })
	put(5, 0, func(t *workflow.Ticket) {
		t.State, t.ResolvedAt, t.Place.Grid, t.Outside, t.EndedAt = workflow.Closed, now, "G1", true, now
	})
	put(6, 0, func(t *workflow.Ticket) { t.State, t.ResolvedAt, t.Place.Grid = workflow.Accepted, now, "G1" }) // reopened since

	numbers := func(all []workflow.Ticket, err error) (out []int64) {
		t.Helper()
		must(t, err)
		for _, t := range all {
			out = append(out, t.Number)
		}
		return out
	}
	same := func(what string, have []int64, want ...int64) {
		t.Helper()
		if len(have) != len(want) {
			t.Fatalf("%s: %v, want %v", what, have, want)
		}
		for i := range want {
			if have[i] != want[i] {
				t.Fatalf("%s: %v, want %v", what, have, want)
			}
		}
	}
	same("helped by 7", numbers(s.Helped(c, here, 7, 9)), 1)
	same("helped by 8, who is done", numbers(s.Helped(c, here, 8, 9)))
	same("helped elsewhere", numbers(s.Helped(c, "west", 7, 9)))
	same("wished", numbers(s.Wished(c, here, 9)), 3, 2)
	shares, err := s.Solved(c, here, now, now.Add(time.Second))
	must(t, err)
	if len(shares) != 1 || shares[0] != (desk.GridShare{Grid: "G1", Solved: 2, Inside: 1}) {
		t.Errorf("solved: %+v", shares)
	}
	put(1, 1, func(t *workflow.Ticket) { t.Hands = []workflow.Hand{{Person: 7, State: workflow.HandDone}} })
	same("helped no more", numbers(s.Helped(c, here, 7, 9)))
}

// A visit moves the rhythm of whom it was to; one recorded late does not move
// it back.
func TestCareMovesOn(t *testing.T) {
	s := openStore(t, freshURL(t), nil)
	c := ctx(t)
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	care := workflow.Care{Community: here, Name: "孙桂兰", Kind: workflow.LivingAlone, Place: workflow.Place{Estate: "东园", Building: 1, Grid: "G1"}, Every: 7, NextVisit: now}
	fresh, err := s.PutCare(c, care)
	must(t, err)
	due, err := s.CareDue(c, here, []string{"G1"}, now, 9)
	must(t, err)
	if !fresh || len(due) != 1 || due[0].Place != care.Place || !due[0].LastVisit.IsZero() {
		t.Fatalf("fresh %v, due %+v", fresh, due)
	}
	visit := func(id string, at time.Time) {
		t.Helper()
		must(t, s.Commit(c, desk.Change{Community: here, Rounds: []workflow.Round{{ID: id, Kind: workflow.HomeVisit, By: 4, Care: due[0].ID, Place: care.Place, Text: "挺好", At: at}}}))
	}
	visit("a", now)
	visit("a", now) // the same message again
	visit("b", now.AddDate(0, 0, -3))
	named, err := s.CareNamed(c, here, "孙桂兰")
	must(t, err)
	if len(named) != 1 || !named[0].LastVisit.Equal(now) || !named[0].NextVisit.Equal(now.AddDate(0, 0, 7)) {
		t.Errorf("after the visit: %+v", named)
	}
	if n, err := s.RoundsOf(c, here, 4, workflow.HomeVisit, now.AddDate(0, 0, -9)); n != 2 || err != nil {
		t.Errorf("%d rounds, %v", n, err)
	}
	care.Every = 14
	fresh, err = s.PutCare(c, care)
	must(t, err)
	if all, err := s.CareList(c, here); fresh || err != nil || len(all) != 1 || !all[0].NextVisit.Equal(now.AddDate(0, 0, 14)) {
		t.Errorf("in another rhythm: fresh %v, %+v, %v", fresh, all, err)
	}
	must(t, s.EndCare(c, here, due[0].ID))
	if err := s.EndCare(c, here, due[0].ID); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("ended twice: %v", err)
	}
	if left, err := s.CareDue(c, here, []string{"G1"}, now.AddDate(1, 0, 0), 9); len(left) != 0 || err != nil {
		t.Errorf("still due: %+v %v", left, err)
	}
}

// Leave of absence is kept with the person; who leaves for good plays no part,
// and stays known.
func TestAwayAndGone(t *testing.T) {
	s := openStore(t, freshURL(t), nil)
	c := ctx(t)
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	id, err := s.UpsertPerson(c, "zhang", workflow.Person{Community: here, Name: "张建国", Phone: "13800138000", OpenID: "o1", Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1"}}})
	must(t, err)
	before, err := s.Communities(c)
	must(t, err)
	leave := workflow.Leave{From: now, Until: now.AddDate(0, 0, 3)}
	must(t, s.Commit(c, desk.Change{Community: here, Away: &desk.Away{Person: id, Leave: leave}}))
	p, err := s.Person(c, here, id)
	must(t, err)
	after, err := s.Communities(c)
	must(t, err)
	if p.Away != leave || after[here] <= before[here] {
		t.Errorf("away %+v, shape %d → %d", p.Away, before[here], after[here])
	}
	must(t, s.Commit(c, desk.Change{Community: here, Away: &desk.Away{Person: id}}))
	if p, err = s.Person(c, here, id); err != nil || p.Away != (workflow.Leave{}) {
		t.Errorf("back: %+v %v", p.Away, err)
	}
	must(t, s.Commit(c, desk.Change{Community: here, Contact: &desk.Contacted{Person: id, Phone: "13900139000"}}))
	if p, err = s.Person(c, here, id); err != nil || p.Name != "张建国" || p.Phone != "13900139000" {
		t.Errorf("contact: %+v %v", p, err)
	}
	must(t, s.Commit(c, desk.Change{Community: here, Contact: &desk.Contacted{Person: id, Phone: "13800138000"}}))
	must(t, s.Leave(c, here, id))
	if p, err = s.Person(c, here, id); err != nil || p.Staff() || p.Name != "张建国" || p.OpenID != "o1" {
		t.Errorf("gone: %+v %v", p, err)
	}
	if err := s.Leave(c, here, id); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("gone twice: %v", err)
	}
	found, err := s.Residents(c, here, "", "13800138000")
	if err != nil || len(found) != 1 || found[0].ID != id {
		t.Errorf("by telephone: %+v %v", found, err)
	}
	if found, err = s.Residents(c, here, "张建国", "19999999999"); err != nil || len(found) != 1 {
		t.Errorf("by name where the number finds nobody: %+v %v", found, err)
	}
	if found, err = s.Residents(c, here, "", ""); err != nil || len(found) != 0 {
		t.Errorf("nobody named: %+v %v", found, err)
	}
	must(t, s.FollowedTo(c, here, 5))
	must(t, s.FollowedTo(c, here, 3)) // a slower replica
	if v, err := s.Followed(c, here); v != 5 || err != nil {
		t.Errorf("followed to %d %v", v, err)
	}
}

// Lists of work go by what was promised: what is late first, then the next
// promise; neither a reminder nor a verdict that is awaited comes before.
func TestWorkIsListedByWhatWasPromised(t *testing.T) {
	s := openStore(t, freshURL(t), nil)
	at := func(h int) time.Time { return time.Date(2026, 11, 23, h, 0, 0, 0, time.UTC) }
	for n, change := range []func(*workflow.Ticket){
		func(t *workflow.Ticket) {
			t.State, t.Due = workflow.Resolved, map[workflow.Clock]time.Time{workflow.ClockRating: at(1)}
		},
		func(t *workflow.Ticket) {
			t.State, t.Due = workflow.Assigned, map[workflow.Clock]time.Time{workflow.ClockReminder: at(2), workflow.ClockResponse: at(9)}
		},
		func(t *workflow.Ticket) {
			t.State, t.Due = workflow.Accepted, map[workflow.Clock]time.Time{workflow.ClockReminder: at(4), workflow.ClockResolve: at(5)}
		},
		func(t *workflow.Ticket) {
			t.State, t.Due = workflow.Accepted, map[workflow.Clock]time.Time{workflow.ClockAgain: at(20)}
			t.Overdue, t.LateSince = []workflow.Clock{workflow.ClockResolve}, at(3)
		},
	} {
		tc := opened(here, int64(1001+n))
		tc.Ticket.Owner, tc.Ticket.Level, tc.Ticket.Stand, tc.Ticket.Place.Grid = 5, workflow.LevelCommittee, workflow.InTray, "G1"
		tc.Ticket.Hands = []workflow.Hand{{Person: 7, State: workflow.HandCalled}}
		change(&tc.Ticket)
		must(t, s.Commit(ctx(t), desk.Change{Community: here, Tickets: []desk.TicketChange{tc}}))
	}
	for name, list := range map[string]func() ([]workflow.Ticket, error){
		"owned":  func() ([]workflow.Ticket, error) { return s.Owned(ctx(t), here, 5, 9) },
		"helped": func() ([]workflow.Ticket, error) { return s.Helped(ctx(t), here, 7, 9) },
		"tray":   func() ([]workflow.Ticket, error) { return s.Tray(ctx(t), here, "G1", 9) },
	} {
		all, err := list()
		must(t, err)
		var got []int64
		for _, one := range all {
			got = append(got, one.Number)
		}
		if want := []int64{1004, 1003, 1002, 1001}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
