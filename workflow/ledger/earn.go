package ledger

import (
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Earned is what an event of a ticket earns residents, given the ticket after it. A
// matter counts when it has ended well: by a verdict that is not bad, or by the time
// for one. Each deed of somebody counts once for a ticket, also where it was taken up
// again; nobody earns by their own matter, nor by what is their office.
func Earned(rules workflow.Rewards, roster workflow.Roster, t *workflow.Ticket, ev *workflow.Event) []Entry {
	if t.State != workflow.Closed || ev.To != workflow.Closed {
		return nil
	}
	switch ev.Type {
	case workflow.EvRated, workflow.EvClosedByTime, workflow.EvClosedAlone:
	default:
		return nil
	}
	var out []Entry
	add := func(why Why, person workflow.PersonID, points int) {
		if points <= 0 || person == 0 || InOffice(roster.ByID(person)) {
			return
		}
		out = append(out, Entry{Cause: fmt.Sprintf("%s:%d:%d", why, t.Number, person), Person: person, Why: why, Points: points, Number: t.Number, At: ev.At})
	}
	if t.Kind == workflow.Wish && t.Owner != t.Reporter {
		add(ForWish, t.Owner, rules.Wish)
	}
	for _, h := range t.Hands {
		if h.State == workflow.HandDone && h.Person != t.Owner && h.Person != t.Reporter {
			add(ForHelp, h.Person, rules.Help)
		}
	}
	if t.Kind == workflow.Incident && t.Owner != t.Reporter {
		add(ForReport, t.Reporter, rules.Report)
	}
	return once(out)
}

// once leaves out what stands in a list before, by its cause.
func once(all []Entry) []Entry {
	seen := map[string]bool{}
	out := all[:0]
	for _, e := range all {
		if !seen[e.Cause] {
			out = append(out, e)
		}
		seen[e.Cause] = true
	}
	return out
}

// Patrolled is what a round earns: a volunteer's patrol, the first of a day in the
// community's zone. ok is false where it earns nothing.
func Patrolled(rules workflow.Rewards, by workflow.Person, r workflow.Round, zone *time.Location) (e Entry, ok bool) {
	if rules.Patrol <= 0 || r.Kind != workflow.Patrol || r.By != by.ID || !by.Has(workflow.RoleVolunteer) || InOffice(by) {
		return e, false
	}
	day := r.At.In(zone).Format(time.DateOnly)
	return Entry{Cause: fmt.Sprintf("%s:%s:%d", ForPatrol, day, by.ID), Person: by.ID, Why: ForPatrol, Points: rules.Patrol, At: r.At}, true
}

// InOffice tells whether helping neighbours is somebody's office, which earns no
// points. Volunteers, party members, part-time workers and residents earn them; a
// partner unit's contact acts for the unit.
func InOffice(p workflow.Person) bool {
	for _, r := range p.Roles {
		switch r.Kind {
		case workflow.RoleVolunteer, workflow.RolePartyMember:
		case workflow.RoleWorker:
			if r.FullTime {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// Lapsing is how many of somebody's points lapse at a year's end, which may be booked
// later than the year ended: have is what they have now, gained what came in since. What
// was spent since is taken from the old points first.
func Lapsing(have, gained int) int { return max(0, have-gained) }

// NoticeDays is how long before a year's end people are told what will lapse.
const NoticeDays = 30

// Ending is the year whose end is near at a moment of the community's zone, 0 for
// none: from NoticeDays before its end on.
func Ending(local time.Time) int {
	end := YearStart(local.Year()+1, local.Location())
	if local.Before(end.AddDate(0, 0, -NoticeDays)) {
		return 0
	}
	return local.Year()
}

// YearStart is when a year begins in a zone.
func YearStart(year int, zone *time.Location) time.Time {
	return time.Date(year, 1, 1, 0, 0, 0, 0, zone)
}
