package workflow

import "time"

// RoundKind says what a worker was out for.
type RoundKind string

// The rounds.
const (
	Patrol    RoundKind = "patrol" // 巡查: looked at the streets and stairs
	HomeVisit RoundKind = "visit"  // 走访: knocked at a door (敲门行动)

	Inspection RoundKind = "inspection" // 巡检: the property company went through a building by its checklist
)

// Round is a patrol or a visit, as the worker recorded it in a few words and
// photos. What was found becomes a ticket of its own, named by Number.
type Round struct {
	Community string
	ID        string // of the message that brought it: recorded once
	Kind      RoundKind
	By        PersonID
	Place     Place
	Text      string
	Media     []string // media IDs
	Care      int64    // whom of the care list it was to, 0 for nobody
	Number    int64    // the ticket that came of it, 0 for none
	At        time.Time
	Checks    []Check // of an inspection: each point of the checklist
}

// CareKind says why somebody is on the care list.
type CareKind string

// The kinds.
const (
	LowIncome   CareKind = "low_income"   // 低保
	Disabled    CareKind = "disabled"     // 残疾
	LivingAlone CareKind = "living_alone" // 独居
	OtherCare   CareKind = "other_care"
)

// Care is one entry of the care list: somebody whom the grid's workers visit
// in a rhythm. Only those who visit and the committee may see it.
type Care struct {
	Community string
	ID        int64
	Name      string
	Phone     string
	Kind      CareKind
	Place     Place
	Note      string
	Every     int       // days
	LastVisit time.Time // zero if never
	NextVisit time.Time
}

// Visited is the entry after a visit.
func (c Care) Visited(at time.Time) Care {
	c.LastVisit, c.NextVisit = at, at.AddDate(0, 0, c.Every)
	return c
}

// CareGrids are the grids whose care lists somebody may see.
func (p Person) CareGrids(c *Community) []string {
	var out []string
	for _, g := range c.Grids {
		if p.MayCare(g.Code) {
			out = append(out, g.Code)
		}
	}
	return out
}

// MayCare tells whether somebody may see the care list of a grid: its workers
// and leader, and the committee.
func (p Person) MayCare(grid string) bool {
	for _, r := range p.Roles {
		switch r.Kind {
		case RoleWorker, RoleLeader:
			if r.serves(grid) {
				return true
			}
		case RoleCommittee:
			return true
		}
	}
	return false
}
