package workflow

import (
	"cmp"
	"slices"
)

// Assignment is who should have a ticket, and the rule that says so (a key of
// the wording, shown as 「因为:…」).
type Assignment struct {
	To  PersonID
	Why string
}

// The rules of assignment, in the order in which they are tried.
const (
	WhyLevel    = "level"     // reopened or escalated: the committee takes it
	WhyDanger   = "danger"    // an emergency goes to the grid's full-time worker, whatever the load
	WhyGrid     = "grid"      // the grid's full-time worker
	WhyLoad     = "load"      // a part-time worker, because the full-time one has too much
	WhyNoWorker = "no_worker" // the grid has nobody, or there is no grid: the committee's duty person
	WhyByHand   = "by_hand"   // somebody said so
)

// loadGap is how many open tickets more than a colleague the full-time worker
// may carry and still get the next one.
const loadGap = 8

// Assign chooses who should have the ticket. load is how many open tickets
// somebody has. ok is false where the community has nobody at all: then the
// ticket goes to the by-hand tray.
func Assign(r Roster, t *Ticket, load func(PersonID) int) (Assignment, bool) {
	least := func(people []Person) (Person, bool) {
		people = slices.DeleteFunc(slices.Clone(people), func(p Person) bool { return p.ID == t.Owner || p.ID == t.Reporter })
		if len(people) == 0 {
			return Person{}, false
		}
		return slices.MinFunc(people, func(a, b Person) int {
			return cmp.Or(cmp.Compare(load(a.ID), load(b.ID)), cmp.Compare(a.ID, b.ID))
		}), true
	}
	if t.Level >= LevelCommittee {
		if p, ok := least(r.Duty()); ok {
			return Assignment{p.ID, WhyLevel}, true
		}
	}
	if full, ok := r.FullTime(t.Place.Grid); ok && full.ID != t.Reporter {
		if t.Severity == Emergency {
			return Assignment{full.ID, WhyDanger}, true
		}
		if p, ok := least(r.Workers(t.Place.Grid)); ok && load(full.ID)-load(p.ID) > loadGap {
			return Assignment{p.ID, WhyLoad}, true
		}
		return Assignment{full.ID, WhyGrid}, true
	}
	if p, ok := least(r.Workers(t.Place.Grid)); ok {
		return Assignment{p.ID, WhyGrid}, true
	}
	if p, ok := least(r.Duty()); ok {
		return Assignment{p.ID, WhyNoWorker}, true
	}
	return Assignment{}, false
}
