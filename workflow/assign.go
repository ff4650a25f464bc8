package workflow

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"
	"unicode/utf8"
)

// Assignment is who should have a ticket, and the rule that says so. With is
// somebody who must be called beside them: the hands that failed a matter do
// not get it back alone.
type Assignment struct {
	To   PersonID
	Why  string // the rule's name: a key of the wording, or words as they are shown (「因为:…」)
	With PersonID
}

// The names of the rules that need no document, and of assignments without a
// rule.
const (
	WhyLevel    = "level"     // reopened or escalated: the committee takes it
	WhyDanger   = "danger"    // an emergency goes to the grid's full-time worker, whatever the load or hour
	WhySpeaker  = "speaker"   // a lesson to the door goes to a speaker, of their own branch if there is one
	WhyContract = "contract"  // the property company has the contract for such matters there
	WhySkill    = "skill"     // a part-time worker who knows this kind of matter
	WhyGrid     = "grid"      // the grid's full-time worker
	WhyLoad     = "load"      // a part-time worker: the full-time one is away, off duty or has too much
	WhyOffDuty  = "off_duty"  // nobody of the grid is on duty now: who will be first
	WhyNoWorker = "no_worker" // the grid has nobody, or there is no grid: the committee's duty person
	WhyByHand   = "by_hand"   // somebody said so
	WhyTaken    = "taken"     // a colleague accepted it first
	WhyLeft     = "left"      // who had it plays no part any more
	WhyMoved    = "moved"     // the building belongs to another grid now
)

// Rule is one rule of assignment. Rules are read in order; the first whose If
// holds and whose To finds somebody decides.
type Rule struct {
	Name string `yaml:"name" json:"name"` // shown after 「因为」; a key of the wording, or the words themselves
	If   Match  `yaml:"if" json:"if"`
	To   Pick   `yaml:"to" json:"to"`
}

// Match says which tickets a rule is for; what is empty matches all.
type Match struct {
	Kind     []Kind     `yaml:"kind" json:"kind,omitempty"`
	Category []Category `yaml:"category" json:"category,omitempty"`
	Severity []Severity `yaml:"severity" json:"severity,omitempty"`
	Danger   []string   `yaml:"danger" json:"danger,omitempty"`
	Grid     []string   `yaml:"grid" json:"grid,omitempty"`           // codes
	GridKind string     `yaml:"grid_kind" json:"grid_kind,omitempty"` // residential, special
	Contract bool       `yaml:"contract" json:"contract,omitempty"`   // only estates under the property contract
	Level    int        `yaml:"level" json:"level,omitempty"`         // this level or higher
}

// Pick says who gets it: of those that fit, who has the least to do. People
// on leave, off duty, and those whose own matter it is are passed over.
type Pick struct {
	Role       RoleKind `yaml:"role" json:"role"`
	FullTime   *bool    `yaml:"full_time" json:"full_time,omitempty"`   // worker
	Department string   `yaml:"department" json:"department,omitempty"` // officer
	Team       string   `yaml:"team" json:"team,omitempty"`             // volunteer
	Unit       string   `yaml:"unit" json:"unit,omitempty"`             // partner unit, property company
	Skill      string   `yaml:"skill" json:"skill,omitempty"`           // has this skill; "category": that of the ticket, by its code
	MaxLoad    int      `yaml:"max_load" json:"max_load,omitempty"`     // has no more open tickets than this; 0 = any
	MaxLead    int      `yaml:"max_lead" json:"max_lead,omitempty"`     // nor so many more than a colleague of the grid; 0 = any
	OffDuty    bool     `yaml:"off_duty" json:"off_duty,omitempty"`     // also outside the hours of duty
}

// DefaultRules are those of a community whose document has none, besides that of
// its property contract (see Community.Rules).
func DefaultRules() []Rule {
	yes, no := true, false
	return []Rule{
		{WhyLevel, Match{Level: LevelCommittee}, Pick{Role: RoleCommittee, OffDuty: true}},
		{WhyDanger, Match{Severity: []Severity{Emergency}}, Pick{Role: RoleWorker, FullTime: &yes, OffDuty: true}},
		{WhySpeaker, Match{Category: []Category{LessonVisit}}, Pick{Role: RolePartyMember, Skill: "category", OffDuty: true}},
		{WhySkill, Match{}, Pick{Role: RoleWorker, FullTime: &no, Skill: "category"}},
		{WhyGrid, Match{}, Pick{Role: RoleWorker, FullTime: &yes, MaxLead: 8}},
		{WhyLoad, Match{}, Pick{Role: RoleWorker, FullTime: &no}},
		{WhyOffDuty, Match{}, Pick{Role: RoleWorker, OffDuty: true}},
		{WhyNoWorker, Match{}, Pick{Role: RoleCommittee, OffDuty: true}},
	}
}

// Tried is one rule that was read for a ticket, and what came of it.
type Tried struct {
	Rule   string
	Reason Reason
	To     PersonID // who was chosen; 0 for none
}

// Reason says why a rule decided or did not; a key of the wording.
type Reason string

// The reasons.
const (
	Chosen      Reason = "chosen"
	NotForThis  Reason = "not_for_this" // its If does not hold
	NobodyPlays Reason = "nobody"       // nobody plays the part there
	AllAway     Reason = "away"         // who does is on leave or off duty
	AllBusy     Reason = "busy"         // or has too much to do
	AllBarred   Reason = "barred"       // or brought the matter, or has failed it before
)

// assigning is what the rules look at.
type assigning struct {
	c     *Community
	r     Roster
	t     *Ticket
	load  func(PersonID) int
	now   time.Time
	local time.Time // now, where the community is
}

// Assign chooses who should have the ticket now. load is how many open
// tickets somebody has. ok is false where no rule finds anybody: then the
// ticket goes to the by-hand tray. Of a matter that was reopened nobody who
// handled it gets it again, unless there is nobody else: then not alone.
func Assign(c *Community, r Roster, t *Ticket, load func(PersonID) int, now time.Time) (a Assignment, ok bool) {
	a, ok, _ = Explain(c, r, t, load, now)
	return a, ok
}

// Explain is Assign with every rule that was read on the way.
func Explain(c *Community, r Roster, t *Ticket, load func(PersonID) int, now time.Time) (a Assignment, ok bool, tried []Tried) {
	s := assigning{c, r, t, load, now, now.In(c.Location())}
	barred := []PersonID{t.Owner, t.Reporter}
	if t.Reopened == 0 {
		a, ok, tried = s.read(barred)
		return a, ok, tried
	}
	if a, ok, tried = s.read(slices.Concat(barred, t.Handlers)); ok {
		return a, ok, tried
	}
	if a, ok, tried = s.read(barred); ok && slices.Contains(t.Handlers, a.To) {
		a.With = s.companion(a.To)
	}
	return a, ok, tried
}

func (s *assigning) read(barred []PersonID) (Assignment, bool, []Tried) {
	var tried []Tried
	for _, rule := range s.c.Rules() {
		p, reason := s.try(rule, barred)
		tried = append(tried, Tried{rule.Name, reason, p})
		switch {
		case reason == Chosen:
			return Assignment{To: p, Why: rule.Name}, true, tried
		case reason == AllBarred && rule.If.Level >= LevelCommittee && len(barred) > 2:
			return Assignment{}, false, tried // what has risen does not fall back to the grid
		}
	}
	return Assignment{}, false, tried
}

func (s *assigning) try(rule Rule, barred []PersonID) (PersonID, Reason) {
	if !rule.If.holds(s.c, s.t) {
		return 0, NotForThis
	}
	found, reason := s.candidates(&rule.To, barred)
	if len(found) == 0 {
		return 0, reason
	}
	best := slices.MinFunc(found, func(a, b *Person) int {
		return cmp.Or(
			cmp.Compare(s.distance(a, &rule.To), s.distance(b, &rule.To)),
			cmp.Compare(s.load(a.ID), s.load(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return best.ID, Chosen
}

// candidates are those who fit, or why there are none.
func (s *assigning) candidates(pick *Pick, barred []PersonID) ([]*Person, Reason) {
	var out []*Person
	reason := NobodyPlays
	least := -1 // of the grid's colleagues: counted once, where a rule asks for it
	lead := func(p *Person) int {
		if least < 0 {
			least = s.least(barred)
		}
		return s.load(p.ID) - min(least, s.load(p.ID))
	}
	for i := range s.r {
		p := &s.r[i]
		i := pick.fitting(p.Roles, s.t)
		switch {
		case i < 0:
		case slices.Contains(barred, p.ID):
			reason = AllBarred
		case reason == AllBarred && (p.Away.Covers(s.now) || !pick.OffDuty && !p.Roles[i].onDuty(s.local)):
			// who may not have it counts for more than who is not there
		case p.Away.Covers(s.now), !pick.OffDuty && !p.Roles[i].onDuty(s.local):
			reason = AllAway
		case pick.MaxLoad > 0 && s.load(p.ID) > pick.MaxLoad, pick.MaxLead > 0 && lead(p) > pick.MaxLead:
			reason = AllBusy
		default:
			out = append(out, p)
		}
	}
	return out, reason
}

// least is how many open tickets that worker of the grid has who has the fewest and
// could take it now.
func (s *assigning) least(barred []PersonID) int {
	least := math.MaxInt
	worker := Pick{Role: RoleWorker}
	for i := range s.r {
		p := &s.r[i]
		if worker.fitting(p.Roles, s.t) >= 0 && !slices.Contains(barred, p.ID) && !p.Away.Covers(s.now) && p.onDuty(RoleWorker, s.local) {
			least = min(least, s.load(p.ID))
		}
	}
	return least
}

// distance puts those of the ticket's own grid before those who serve all,
// full-time workers before part-time ones, the committee's people on duty before the
// others, and party members of the reporter's branch before those of another.
func (s *assigning) distance(p *Person, pick *Pick) int {
	best := 8
	for i := range p.Roles {
		r := &p.Roles[i]
		if !pick.fits(r, s.t) {
			continue
		}
		d := 0
		if r.Grid == "" && s.t.Place.Grid != "" {
			d += 4
		}
		if r.Kind == RoleWorker && !r.FullTime {
			d += 2
		}
		if r.Kind == RoleCommittee && !r.Duty {
			d += 2
		}
		if r.Kind == RolePartyMember && !slices.Contains(s.r.ByID(s.t.Reporter).Branches(), r.Branch) {
			d += 2
		}
		best = min(best, d)
	}
	return best
}

// companion is who is called beside somebody who has failed the matter
// before: another of the committee, the grid's leader, a worker of the grid.
func (s *assigning) companion(of PersonID) PersonID {
	for _, people := range [][]Person{s.r.Playing(RoleCommittee, ""), s.r.Playing(RoleLeader, s.t.Place.Grid), s.r.Workers(s.t.Place.Grid)} {
		for _, p := range people {
			if p.ID != of && p.ID != s.t.Reporter && !p.Away.Covers(s.now) {
				return p.ID
			}
		}
	}
	return 0
}

func (m *Match) holds(c *Community, t *Ticket) bool {
	in := func(n int, found bool) bool { return n == 0 || found }
	grid, _ := c.Grid(t.Place.Grid)
	estate, _ := c.Estate(t.Place.Estate)
	return in(len(m.Kind), slices.Contains(m.Kind, t.Kind)) &&
		in(len(m.Category), slices.Contains(m.Category, t.Category)) &&
		in(len(m.Severity), slices.Contains(m.Severity, t.Severity)) &&
		in(len(m.Danger), slices.Contains(m.Danger, t.Danger)) &&
		in(len(m.Grid), slices.Contains(m.Grid, t.Place.Grid)) &&
		(m.GridKind == "" || m.GridKind == grid.Kind) &&
		(!m.Contract || estate.PropertyContract) &&
		t.Level >= m.Level
}

// Played tells whether anybody plays the part that it looks for, wherever and whatever
// the matter.
func (k *Pick) Played(r Roster) bool {
	return slices.ContainsFunc(r, func(p Person) bool {
		return slices.ContainsFunc(p.Roles, func(role Role) bool {
			return role.Kind == k.Role && (k.FullTime == nil || *k.FullTime == role.FullTime) &&
				(k.Department == "" || k.Department == role.Department) && (k.Team == "" || k.Team == role.Team) && (k.Unit == "" || k.Unit == role.Unit)
		})
	})
}

// fitting is which of somebody's parts is the first that the rule is looking for, -1
// where none is.
func (k *Pick) fitting(roles []Role, t *Ticket) int {
	for i := range roles {
		if k.fits(&roles[i], t) {
			return i
		}
	}
	return -1
}

// fits tells whether a part is one that the rule is looking for.
func (k *Pick) fits(r *Role, t *Ticket) bool {
	if r.Kind != k.Role || k.FullTime != nil && r.FullTime != *k.FullTime {
		return false
	}
	switch r.Kind {
	case RoleWorker, RoleLeader, RoleOfficer, RoleProperty:
		if !r.serves(t.Place.Grid) {
			return false
		}
	}
	skill := k.Skill
	if skill == "category" {
		skill = string(t.Category)
	}
	return (k.Department == "" || r.Department == k.Department) && (k.Team == "" || r.Team == k.Team) &&
		(k.Unit == "" || r.Unit == k.Unit) && (k.Skill == "" || skill != "" && slices.Contains(r.Skills, skill))
}

// check names what is wrong with a rule of a document.
func (r *Rule) check(c *Community) error {
	var errs []error
	if r.Name == "" {
		errs = append(errs, wrong("name", WrongMissing, "", "is missing, it is what 「因为」 says"))
	}
	if !slices.Contains(roleKinds, r.To.Role) {
		errs = append(errs, wrong("to.role", WrongChoice, r.To.Role, "want one of %v, have %q", roleKinds, r.To.Role))
	}
	for _, g := range r.If.Grid {
		if _, ok := c.Grid(g); !ok {
			errs = append(errs, wrong("if.grid", WrongUnknown, g, "there is no grid %q", g))
		}
	}
	for _, k := range r.If.Kind {
		if k != Incident && k != Wish {
			errs = append(errs, wrong("if.kind", WrongChoice, k, "want incident or wish, have %q", k))
		}
	}
	for _, s := range r.If.Severity {
		if !slices.Contains([]Severity{Emergency, Major, Minor}, s) {
			errs = append(errs, wrong("if.severity", WrongChoice, s, "want emergency, major or minor, have %q", s))
		}
	}
	if r.If.Level < 0 {
		errs = append(errs, wrong("if.level", WrongNumber, r.If.Level, "must not be less than 0"))
	}
	if r.To.MaxLoad < 0 || r.To.MaxLead < 0 {
		errs = append(errs, wrong("to.max_load, to.max_lead", WrongNumber, min(r.To.MaxLoad, r.To.MaxLead), "must not be less than 0"))
	}
	for _, text := range [][2]string{{"name", r.Name}, {"to.department", r.To.Department}, {"to.team", r.To.Team}, {"to.unit", r.To.Unit}, {"to.skill", r.To.Skill}} {
		if utf8.RuneCountInString(text[1]) > mostTitle {
			errs = append(errs, wrong(text[0], WrongLong, mostTitle, "want at most %d signs", mostTitle))
		}
	}
	return errors.Join(errs...)
}

// LeavesGrid tells whether a ticket leaves the hands of its grid when somebody
// gets it or is called to it: 小事不出网格 counts those that never did. A grid's
// hands are its 1+2+X+N: its workers and leader, the officers and the property
// company that serve it, volunteers and the alliance. The committee's and those
// of other grids are not.
func LeavesGrid(r Roster, t *Ticket, p PersonID) bool {
	return !slices.ContainsFunc(r.ByID(p).Roles, func(role Role) bool {
		switch role.Kind {
		case RoleWorker, RoleLeader, RoleOfficer, RoleProperty:
			return role.serves(t.Place.Grid)
		case RoleVolunteer, RolePartyMember, RolePartner:
			return true
		}
		return false
	})
}
