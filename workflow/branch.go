package workflow

import "slices"

// LessonVisit is the wish of somebody who cannot walk to be taught at home (送学上门).
// It is a speaker's office, by a rule of assignment: it hangs on no wall, and who goes
// there knows where.
const LessonVisit Category = "lesson_visit"

// Branches are the party branches that somebody is a member of.
func (p Person) Branches() []string {
	var out []string
	for _, r := range p.Roles {
		if r.Kind == RolePartyMember && r.Branch != "" && !slices.Contains(out, r.Branch) {
			out = append(out, r.Branch)
		}
	}
	return out
}

// Leads are the branches whose secretary somebody is.
func (p Person) Leads() []string {
	var out []string
	for _, r := range p.Roles {
		if r.Kind == RolePartyMember && r.Secretary && r.Branch != "" && !slices.Contains(out, r.Branch) {
			out = append(out, r.Branch)
		}
	}
	return out
}

// Branches are the party branches that have members, in the order in which these came.
func (r Roster) Branches() []string {
	var out []string
	for _, p := range r {
		for _, b := range p.Branches() {
			if !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
	}
	return out
}

// Members are those of a branch.
func (r Roster) Members(branch string) []Person {
	var out []Person
	for _, p := range r {
		if slices.Contains(p.Branches(), branch) {
			out = append(out, p)
		}
	}
	return out
}

// Secretaries are those of some branches.
func (r Roster) Secretaries(branches []string) []Person {
	var out []Person
	for _, p := range r {
		if slices.ContainsFunc(p.Leads(), func(b string) bool { return slices.Contains(branches, b) }) {
			out = append(out, p)
		}
	}
	return out
}
