package topic

import (
	"fmt"
	"slices"

	"github.com/wishdesk/wishdesk/workflow"
)

// Level says how far a topic reaches.
type Level string

// The levels, the smallest first.
const (
	Building  Level = "building"  // 楼栋
	Courtyard Level = "courtyard" // 院落
	Estate    Level = "estate"    // 小区
)

// Levels are all of them, the smallest first.
var Levels = []Level{Building, Courtyard, Estate}

// Scope is where a topic belongs: whose it is to decide. A courtyard's buildings are
// those that it had when the topic was proposed.
type Scope struct {
	Level     Level  `json:"level"`
	Estate    string `json:"estate"`
	Courtyard string `json:"courtyard,omitempty"`
	Buildings []int  `json:"buildings,omitempty"` // none = all of the estate
}

// Around is the scope of a level around somebody's home; ok is false where there is
// none: the home is not known, or stands in no courtyard.
func Around(c *workflow.Community, home workflow.Place, level Level) (s Scope, ok bool) {
	s = Scope{Level: level, Estate: home.Estate}
	if c.GridOf(home.Estate, home.Building) == "" {
		return Scope{}, false
	}
	switch level {
	case Building:
		s.Buildings = []int{home.Building}
		return s, true
	case Estate:
		return s, true
	case Courtyard:
		for _, y := range c.Courtyards {
			if y.Estate == home.Estate && slices.Contains(y.Numbers(), home.Building) {
				s.Courtyard, s.Buildings = y.Name, y.Numbers()
				return s, true
			}
		}
	}
	return Scope{}, false
}

// Has tells whether who lives at a place lives within the scope.
func (s Scope) Has(home workflow.Place) bool {
	return home.Building != 0 && home.Estate == s.Estate && (s.Level == Estate || slices.Contains(s.Buildings, home.Building))
}

// Key names the scope: the same for all topics of it.
func (s Scope) Key() string {
	switch {
	case s.Level == Courtyard:
		return s.Estate + "/" + s.Courtyard
	case s.Level == Building && len(s.Buildings) > 0:
		return fmt.Sprintf("%s:%d", s.Estate, s.Buildings[0])
	}
	return s.Estate
}

// Keys name the scopes in which a home stands, the smallest first; none where it is not
// known.
func Keys(c *workflow.Community, home workflow.Place) []string {
	var out []string
	for _, level := range Levels {
		if s, ok := Around(c, home, level); ok {
			out = append(out, s.Key())
		}
	}
	return out
}

// Place is the scope as a place, of the grid in which it begins.
func (s Scope) Place(c *workflow.Community) workflow.Place {
	p := workflow.Place{Estate: s.Estate, Landmark: s.Courtyard, Grid: c.GridOf(s.Estate, 1)}
	if len(s.Buildings) > 0 {
		p.Grid = c.GridOf(s.Estate, s.Buildings[0])
	}
	if s.Level == Building && len(s.Buildings) > 0 {
		p.Building = s.Buildings[0]
	}
	return p
}

// Households is about how many households live within the scope: the estate's, shared
// out over its buildings alike.
func (s Scope) Households(c *workflow.Community) int {
	e, ok := c.Estate(s.Estate)
	if !ok {
		return 0
	}
	if s.Level == Estate {
		return e.Households
	}
	return (e.Households*len(s.Buildings) + e.Buildings - 1) / e.Buildings
}
