package workflow

import (
	"slices"
	"time"
)

// Colleagues are whom somebody can hand a ticket to, those nearest first, each
// once: the grid's workers, the property company, officers, the committee.
func (r Roster) Colleagues(t *Ticket, by PersonID) []Person {
	out := r.Workers(t.Place.Grid)
	for _, kind := range []RoleKind{RoleProperty, RoleOfficer, RoleCommittee} {
		for _, p := range r {
			if p.Has(kind) {
				out = append(out, p)
			}
		}
	}
	return once(slices.DeleteFunc(out, func(p Person) bool { return p.ID == by || p.ID == t.Owner }))
}

// OneOf is who of a group is called to a ticket: one whom a push reaches before
// one who must be telephoned, not on leave, not at it already; none where nobody
// is.
func (r Roster) OneOf(t *Ticket, by PersonID, now time.Time, in func(Role) bool) []Person {
	var out []Person
	for _, p := range r {
		if p.ID == by || p.ID == t.Owner || p.Away.Covers(now) || t.Hand(p.ID) != nil || !slices.ContainsFunc(p.Roles, in) {
			continue
		}
		if p.OpenID != "" {
			return []Person{p}
		}
		if len(out) == 0 {
			out = append(out, p)
		}
	}
	return out
}

// Callable are those who are called to tickets most, each once: one of each
// department, property company and team of volunteers, then the grid's own.
func (r Roster) Callable(t *Ticket, by PersonID, now time.Time) []Person {
	var out []Person
	seen := map[string]bool{}
	for _, p := range r {
		for _, role := range p.Roles {
			group := role.Department + role.Unit + role.Team
			switch role.Kind {
			case RoleOfficer, RoleProperty, RoleVolunteer:
				if !seen[group] {
					seen[group] = true
					out = append(out, r.OneOf(t, by, now, func(o Role) bool { return o.Department+o.Unit+o.Team == group })...)
				}
			}
		}
	}
	out = append(out, r.Workers(t.Place.Grid)...)
	return once(slices.DeleteFunc(out, func(p Person) bool { return p.ID == by || p.ID == t.Owner || t.Hand(p.ID) != nil }))
}

// once leaves the first of everybody.
func once(people []Person) []Person {
	seen := map[PersonID]bool{}
	return slices.DeleteFunc(people, func(p Person) bool {
		was := seen[p.ID]
		seen[p.ID] = true
		return was
	})
}
