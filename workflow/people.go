package workflow

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// PersonID is a person's number within the deployment; 0 is nobody.
type PersonID int64

// RoleKind is a part that a person plays; a person may play several.
type RoleKind string

// The parts. A resident is a person without any of them.
const (
	RoleWorker      RoleKind = "worker"       // grid worker 网格员, full-time or part-time
	RoleLeader      RoleKind = "leader"       // grid leader 网格长: hears of what the workers leave
	RoleOfficer     RoleKind = "officer"      // department officer: 政法 公安 民政 执法
	RoleProperty    RoleKind = "property"     // property company 物业
	RoleVolunteer   RoleKind = "volunteer"    // 志愿者, in a team
	RolePartyMember RoleKind = "party_member" // 党员
	RolePartner     RoleKind = "partner"      // contact of a partner unit 共建单位
	RoleCommittee   RoleKind = "committee"    // party committee 党委
	RoleAdmin       RoleKind = "admin"
)

var roleKinds = []RoleKind{
	RoleWorker, RoleLeader, RoleOfficer, RoleProperty, RoleVolunteer, RolePartyMember, RolePartner, RoleCommittee, RoleAdmin,
}

// RoleKinds are all parts, in the order in which they are listed.
func RoleKinds() []RoleKind { return slices.Clone(roleKinds) }

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
	Hours      []string `json:"hours,omitempty" yaml:"hours"`   // hours of duty, "08:30-17:30"; none = always
	Days       []int    `json:"days,omitempty" yaml:"days"`     // days of duty, 1 = Monday … 7 = Sunday; none = all

	Secretary bool `json:"secretary,omitempty" yaml:"secretary"` // party member: leads the branch
}

// onDuty tells whether the hours of duty cover a moment of the community's
// zone. Hours that cannot be read cover all: nobody is lost by a slip of the
// pen.
func (r Role) onDuty(local time.Time) bool {
	if len(r.Days) > 0 && !slices.Contains(r.Days, (int(local.Weekday())+6)%7+1) {
		return false
	}
	if len(r.Hours) == 0 {
		return true
	}
	w := Working{Hours: r.Hours, Days: []int{1}}
	if w.prepare() != nil {
		return true
	}
	since := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	return slices.ContainsFunc(w.spans, func(s span) bool { return since >= s.from && since < s.to })
}

// Check names what is wrong with a part, in a community.
func (r Role) Check(c *Community) error {
	if !slices.Contains(roleKinds, r.Kind) {
		return fmt.Errorf("role: want one of %v, have %q", roleKinds, r.Kind)
	}
	if _, ok := c.Grid(r.Grid); r.Grid != "" && !ok {
		return fmt.Errorf("grid: there is no grid %q", r.Grid)
	}
	w := Working{Hours: r.Hours, Days: r.Days}
	if len(w.Days) == 0 {
		w.Days = []int{1}
	}
	return w.prepare()
}

// Leave is a time in which somebody is away: from From, until before Until.
// The zero Leave is none.
type Leave struct {
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Covers tells whether somebody is away at a moment.
func (l Leave) Covers(now time.Time) bool { return !now.Before(l.From) && now.Before(l.Until) }

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
	Away      Leave    `json:"away,omitzero"`
}

// Has tells whether the person plays a part.
func (p Person) Has(kind RoleKind) bool {
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return r.Kind == kind })
}

// Staff tells whether the person plays any part at all.
func (p Person) Staff() bool { return len(p.Roles) > 0 }

// Reachable tells whether a push can reach the person: they have WeChat and follow.
func (p Person) Reachable() bool { return p.OpenID != "" && p.Following }

// onDuty tells whether the person plays a part and is on duty for it.
func (p Person) onDuty(kind RoleKind, local time.Time) bool {
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return r.Kind == kind && r.onDuty(local) })
}

// fullTime tells whether the person is a full-time worker who serves the grid.
func (p Person) fullTime(grid string) bool {
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return r.Kind == RoleWorker && r.FullTime && r.serves(grid) })
}

// Unit is the name under which what somebody claims is shown: their unit's,
// team's or branch's, else their own.
func (p Person) Unit() string {
	for _, r := range p.Roles {
		for _, name := range []string{r.Unit, r.Team, r.Branch} {
			if name != "" {
				return name
			}
		}
	}
	return p.Name
}

// MayClaim tells whether the person may claim wishes.
func (p Person) MayClaim() bool {
	return p.Has(RolePartyMember) || p.Has(RoleVolunteer) || p.Has(RolePartner) || p.Has(RoleWorker)
}

// MayRound tells whether patrols and visits are somebody's business.
func (p Person) MayRound() bool { return p.MayFix() || p.Has(RoleVolunteer) }

// MayFix tells whether it is somebody's office to settle on the spot what they
// find.
func (p Person) MayFix() bool {
	return slices.ContainsFunc([]RoleKind{RoleWorker, RoleLeader, RoleCommittee, RoleOfficer, RoleProperty}, p.Has)
}

// OwnGrid is the grid that somebody serves, "" for none or several.
func (p Person) OwnGrid() string {
	grid := ""
	for _, r := range p.Roles {
		if r.Grid != "" && (r.Kind == RoleWorker || r.Kind == RoleLeader) {
			if grid != "" && grid != r.Grid {
				return ""
			}
			grid = r.Grid
		}
	}
	return grid
}

// telephoned is a telephone number within a line, and no part of a longer one.
var phoneNumber = regexp.MustCompile(`^(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8})$`)

// IsPhone tells whether a text is a mobile number, or a fixed one with its area code.
func IsPhone(s string) bool { return phoneNumber.MatchString(s) }

var telephoned = regexp.MustCompile(`(^|[^0-9])((?:\+?86[- ]?)?1[3-9][0-9](?:[- ]?[0-9]{4}){2}|0[0-9]{2,3}-?[0-9]{7,8})([^0-9xX]|$)`)

// PhoneIn takes the telephone number out of a line, "" where there is none.
func PhoneIn(line string) (rest, phone string) {
	m := telephoned.FindStringSubmatchIndex(line)
	if m == nil {
		return line, ""
	}
	phone = strings.NewReplacer("-", "", " ", "", "+86", "").Replace(line[m[4]:m[5]])
	return line[:m[4]] + " " + line[m[5]:], phone
}

// aName is a name by its form: two to five signs.
var aName = regexp.MustCompile(`^[\p{Han}·]{2,5}$`)

// IsName tells whether a word has the form of a name.
func IsName(word string) bool { return aName.MatchString(word) }

// How long what somebody is called may be where they are asked for it, in signs.
const (
	LeastName = 2
	MostName  = 20
)

// Callable tells whether somebody may be called so who was asked for a name: of any
// script, unlike IsName, which finds a name among other words.
func Callable(name string) bool {
	n := utf8.RuneCountInString(name)
	return n >= LeastName && n <= MostName && !strings.ContainsFunc(name, unicode.IsControl)
}

// SameResident picks, of those whom a telephone number or a name found, the
// one whom somebody means who names a resident: of the same name, not staff,
// with the same number, or, where one of the two has none, not known to live
// elsewhere. ok is false where nobody fits, or more than one of whom the number
// does not tell.
func SameResident(found []Person, name, phone string, at Place) (p Person, ok bool) {
	n := 0
	for _, k := range found {
		elsewhere := at.Building != 0 && k.Home.Building != 0 && (at.Building != k.Home.Building || at.Estate != k.Home.Estate)
		sameNumber := phone != "" && k.Phone == phone
		if k.Name != name || k.Staff() {
			continue
		}
		if sameNumber {
			return k, true
		}
		if !elsewhere && (phone == "" || k.Phone == "") {
			p = k
			n++
		}
	}
	return p, n == 1
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

// Playing are those who play a part for a grid.
func (r Roster) Playing(kind RoleKind, grid string) []Person {
	var out []Person
	for _, p := range r {
		if slices.ContainsFunc(p.Roles, func(role Role) bool { return role.Kind == kind && role.serves(grid) }) {
			out = append(out, p)
		}
	}
	return out
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

// HidePhone is a telephone number of which only enough is shown to tell it from
// others: 138****1234.
func HidePhone(phone string) string {
	if len(phone) < 7 {
		return strings.Repeat("*", len(phone))
	}
	return phone[:3] + strings.Repeat("*", len(phone)-7) + phone[len(phone)-4:]
}
