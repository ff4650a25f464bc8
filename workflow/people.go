package workflow

import (
	"cmp"
	"slices"
)

// PersonID is a person's number within the deployment; 0 is nobody.
type PersonID int64

// RoleKind is a part that a person plays; a person may play several.
type RoleKind string

// The parts. A resident is a person without any of them.
const (
	RoleWorker      RoleKind = "worker"       // grid worker 网格员, full-time or part-time
	RoleOfficer     RoleKind = "officer"      // department officer: 政法 公安 民政 执法
	RoleProperty    RoleKind = "property"     // property company 物业
	RoleVolunteer   RoleKind = "volunteer"    // 志愿者, in a team
	RolePartyMember RoleKind = "party_member" // 党员
	RolePartner     RoleKind = "partner"      // contact of a partner unit 共建单位
	RoleCommittee   RoleKind = "committee"    // party committee 党委
	RoleAdmin       RoleKind = "admin"
)

// Role is one part with what belongs to it; fields that do not fit the kind
// are empty.
type Role struct {
	Kind       RoleKind `json:"kind" yaml:"kind"`
	Grid       string   `json:"grid,omitempty" yaml:"grid"`             // worker, officer, property: the grid served, "" = all
	FullTime   bool     `json:"full_time,omitempty" yaml:"full_time"`   // worker: the grid's full-time one
	Department string   `json:"department,omitempty" yaml:"department"` // officer
	Team       string   `json:"team,omitempty" yaml:"team"`             // volunteer
	Skills     []string `json:"skills,omitempty" yaml:"skills"`
	Unit       string   `json:"unit,omitempty" yaml:"unit"`     // partner unit or property company
	Branch     string   `json:"branch,omitempty" yaml:"branch"` // party branch
	Duty       bool     `json:"duty,omitempty" yaml:"duty"`     // committee: takes emergencies and escalations now
}

// serves tells whether the part covers a grid, "" being an unknown one.
func (r Role) serves(grid string) bool { return r.Grid == "" || r.Grid == grid }

// Person is somebody the desk knows: a resident who once wrote, or staff.
type Person struct {
	ID        PersonID `json:"id"`
	Community string   `json:"community"`
	Name      string   `json:"name,omitempty"`
	Phone     string   `json:"phone,omitempty"`  // never logged; masked wherever it is shown
	OpenID    string   `json:"openid,omitempty"` // "" while not bound to a WeChat
	Roles     []Role   `json:"roles,omitempty"`
	Home      Place    `json:"home"`
	Following bool     `json:"following"` // follows the account, so pushes can reach
}

// Has tells whether the person plays a part.
func (p Person) Has(kind RoleKind) bool {
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return r.Kind == kind })
}

// Staff tells whether the person plays any part at all.
func (p Person) Staff() bool { return len(p.Roles) > 0 }

// MayClaim tells whether the person may claim wishes.
func (p Person) MayClaim() bool {
	return p.Has(RolePartyMember) || p.Has(RoleVolunteer) || p.Has(RolePartner) || p.Has(RoleWorker)
}

// Roster is a community's staff at one moment, ordered by ID.
type Roster []Person

// ByID finds somebody; the zero Person if nobody.
func (r Roster) ByID(id PersonID) Person {
	i, ok := slices.BinarySearchFunc(r, id, func(p Person, id PersonID) int { return cmp.Compare(p.ID, id) })
	if !ok {
		return Person{}
	}
	return r[i]
}

// Named finds the staff with a name, exactly as written.
func (r Roster) Named(name string) []Person {
	var out []Person
	for _, p := range r {
		if p.Name == name {
			out = append(out, p)
		}
	}
	return out
}

// FullTime is the grid's full-time worker, else one who serves all grids; ok
// is false if there is none.
func (r Roster) FullTime(grid string) (Person, bool) {
	for _, serves := range []string{grid, ""} {
		for _, p := range r {
			if slices.ContainsFunc(p.Roles, func(role Role) bool {
				return role.Kind == RoleWorker && role.FullTime && role.Grid == serves
			}) {
				return p, true
			}
		}
	}
	return Person{}, false
}

// Duty are the committee's people on duty; the whole committee if nobody is.
func (r Roster) Duty() []Person {
	var duty, all []Person
	for _, p := range r {
		for _, role := range p.Roles {
			if role.Kind == RoleCommittee {
				all = append(all, p)
				if role.Duty {
					duty = append(duty, p)
				}
				break
			}
		}
	}
	if len(duty) == 0 {
		return all
	}
	return duty
}

// Workers are those who serve the grid, the full-time ones first.
func (r Roster) Workers(grid string) []Person {
	var full, part []Person
	for _, p := range r {
		i := slices.IndexFunc(p.Roles, func(role Role) bool { return role.Kind == RoleWorker && role.serves(grid) })
		switch {
		case i < 0:
		case p.Roles[i].FullTime:
			full = append(full, p)
		default:
			part = append(part, p)
		}
	}
	return append(full, part...)
}
