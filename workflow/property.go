package workflow

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Property is the company under contract, if any, and how its work is judged.
type Property struct {
	Company    string     `yaml:"company" json:"company"`
	Services   []string   `yaml:"services" json:"services"`
	Categories []Category `yaml:"categories" json:"categories"` // incidents it handles where it has the contract

	Score  *ServiceScore `yaml:"score,omitempty" json:"score,omitempty"`   // nil: nothing is scored
	Patrol *Patrolling   `yaml:"patrol,omitempty" json:"patrol,omitempty"` // nil: no building is inspected
}

// ServiceScore says what a month's work of the company is worth (考核赋分): each is
// added as it stands, so what takes points is less than 0, and what is 0 is no line.
type ServiceScore struct {
	Base         int `yaml:"base" json:"base"`                   // what a month begins with
	AnsweredLate int `yaml:"answered_late" json:"answered_late"` // the promise to answer was missed
	Overdue      int `yaml:"overdue" json:"overdue"`             // the promise to resolve was missed
	Unsatisfied  int `yaml:"unsatisfied" json:"unsatisfied"`     // a resident's verdict
	Reopened     int `yaml:"reopened" json:"reopened"`           // it was not done after all
	Repeat       int `yaml:"repeat" json:"repeat"`               // the same trouble at the same place again
	RepeatDays   int `yaml:"repeat_days" json:"repeat_days"`     // within so many days
	Praised      int `yaml:"praised" json:"praised"`             // a thank-you in words
	PatrolDone   int `yaml:"patrol_done" json:"patrol_done"`     // every building inspected in its time, once a turn
	PatrolMissed int `yaml:"patrol_missed" json:"patrol_missed"` // a building that was not
	Most         int `yaml:"most" json:"most,omitempty"`         // a month comes to no more, 0 for no bound
}

// Patrolling is the standard by which the company inspects every building that it
// has the contract for, such as 三扫两清一排查.
type Patrolling struct {
	Every int      `yaml:"every" json:"every"` // days; the first time begins with the month
	Items []string `yaml:"items" json:"items"` // the checklist
}

// PatrolsSince is since when each estate under contract has been inspected as it is now,
// where that is known, when a document takes the place of another (nil for none) for
// which since was known: what was to be inspected otherwise, by another company or not
// so often, begins now.
func PatrolsSince(was, is *Community, since map[string]time.Time, now time.Time) map[string]time.Time {
	out := map[string]time.Time{}
	if is.Property.Patrol == nil {
		return out
	}
	same := was != nil && was.Property.Patrol != nil && was.Property.Company == is.Property.Company && was.Property.Patrol.Every == is.Property.Patrol.Every
	for _, e := range is.Estates {
		if !e.PropertyContract {
			continue
		}
		if !same {
			out[e.Name] = now
		} else if before, ok := was.Estate(e.Name); !ok || !before.PropertyContract {
			out[e.Name] = now
		} else if begun, known := since[before.Name]; known {
			out[e.Name] = begun
		}
	}
	return out
}

// Check is one point of the checklist as it was found.
type Check struct {
	Item  string `json:"item"`
	Wrong bool   `json:"wrong,omitempty"`
}

// Wrongs are the points of an inspection that were not well.
func (r Round) Wrongs() []string {
	var out []string
	for _, c := range r.Checks {
		if c.Wrong {
			out = append(out, c.Item)
		}
	}
	return out
}

// rules are the contract's own in a community that writes no rules: what the company
// handles goes to its people where it has the contract. Where none of them can have
// it, the grid's rules go on.
func (p *Property) rules() []Rule {
	if p.Company == "" || len(p.Categories) == 0 {
		return nil
	}
	return []Rule{{WhyContract, Match{Kind: []Kind{Incident}, Category: p.Categories, Contract: true}, Pick{Role: RoleProperty, Unit: p.Company}}}
}

// OfCompany tells whether somebody works for the property company under contract.
func (p Person) OfCompany(c *Community) bool {
	return c.Property.Company != "" && slices.ContainsFunc(p.Roles, func(r Role) bool { return r.Kind == RoleProperty && r.Unit == c.Property.Company })
}

// Covered tells whether a building is one that the company has the contract for.
func (c *Community) Covered(p Place) bool {
	e, ok := c.Estate(p.Estate)
	return ok && e.PropertyContract && p.Building >= 1 && p.Building <= e.Buildings
}

// What the standard may be.
const (
	mostScore  = 1000
	mostChecks = 20
	mostEvery  = 31
)

func (p *Property) check() error {
	var errs []error
	if p.Company == "" && (p.Score != nil || p.Patrol != nil) {
		errs = append(errs, wrong("property.company", WrongMissing, "", "nobody is scored or inspects"))
	}
	if s := p.Score; s != nil {
		for _, one := range []struct {
			at          string
			n           int
			least, most int // a forgotten sign would praise a fault
		}{
			{"base", s.Base, 0, mostScore}, {"answered_late", s.AnsweredLate, -mostScore, 0}, {"overdue", s.Overdue, -mostScore, 0},
			{"unsatisfied", s.Unsatisfied, -mostScore, 0}, {"reopened", s.Reopened, -mostScore, 0}, {"repeat", s.Repeat, -mostScore, 0},
			{"praised", s.Praised, 0, mostScore}, {"patrol_done", s.PatrolDone, 0, mostScore}, {"patrol_missed", s.PatrolMissed, -mostScore, 0},
		} {
			if one.n < one.least || one.n > one.most {
				errs = append(errs, wrong("property.score."+one.at, WrongNumber, one.n, "want %d to %d, have %d", one.least, one.most, one.n))
			}
		}
		if s.Most < 0 || s.Most > 2*mostScore || s.Most > 0 && s.Most < s.Base {
			errs = append(errs, wrong("property.score.most", WrongNumber, s.Most, "want 0 or %d to %d, have %d", s.Base, 2*mostScore, s.Most))
		}
		if s.RepeatDays < 0 || s.RepeatDays > 366 || s.Repeat != 0 && s.RepeatDays == 0 {
			errs = append(errs, wrong("property.score.repeat_days", WrongNumber, s.RepeatDays, "want 1 to 366 days where repeat is scored, have %d", s.RepeatDays))
		}
	}
	if t := p.Patrol; t != nil {
		if t.Every < 1 || t.Every > mostEvery {
			errs = append(errs, wrong("property.patrol.every", WrongNumber, t.Every, "want 1 to %d days, have %d", mostEvery, t.Every))
		}
		if len(t.Items) == 0 || len(t.Items) > mostChecks {
			errs = append(errs, wrong("property.patrol.items", WrongNumber, len(t.Items), "want 1 to %d points, have %d", mostChecks, len(t.Items)))
		}
		for i, item := range t.Items {
			switch {
			case strings.TrimSpace(item) == "":
				errs = append(errs, wrong("property.patrol.items", WrongMissing, "", "a point says nothing"))
			case utf8.RuneCountInString(item) > mostTitle:
				errs = append(errs, wrong("property.patrol.items", WrongLong, mostTitle, "want at most %d signs", mostTitle))
			case slices.Contains(t.Items[:i], item):
				errs = append(errs, wrong("property.patrol.items", WrongTwice, item, "%q stands twice", item))
			}
		}
	}
	return errors.Join(errs...)
}
