package digest

import (
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Matter is one ticket as far as it is counted: what it is, and the moments that
// matter, in their order.
type Matter struct {
	Number   int64
	Kind     workflow.Kind
	Category workflow.Category
	Severity workflow.Severity
	State    workflow.State // as it stands now
	Grid     string
	Spot     Spot // where and what about
	Owner    workflow.PersonID
	Outside  bool // it left its grid's hands
	Moments  []Moment
}

// Moment is one event that is counted.
type Moment struct {
	Type   workflow.EventType
	At     time.Time
	Clock  workflow.Clock  // overdue: which promise
	Rating workflow.Rating // rated, reopened
}

// Counted are the events that the digest needs; the record keeps an index of
// them by time.
var Counted = []workflow.EventType{
	workflow.EvFiled, workflow.EvAccepted, workflow.EvClaimed, workflow.EvResolved, workflow.EvReopened, workflow.EvSplit,
	workflow.EvRated, workflow.EvOverdue, workflow.EvEscalated, workflow.EvClosedByTime,
}

// Spot is a place and what is wrong there: the same one again and again is a hot
// spot. The unit and the door are left out.
type Spot struct {
	Estate   string            `json:"estate"`
	Building int               `json:"building,omitempty"` // 0 where it is a landmark
	Landmark string            `json:"landmark,omitempty"`
	Grid     string            `json:"grid,omitempty"`
	Category workflow.Category `json:"category"`
}

// SpotOf is a ticket's spot; the zero Spot where nobody knows where it is.
func SpotOf(p workflow.Place, c workflow.Category) Spot {
	switch {
	case p.Building != 0:
		return Spot{Estate: p.Estate, Building: p.Building, Grid: p.Grid, Category: c}
	case p.Landmark != "":
		return Spot{Estate: p.Estate, Landmark: p.Landmark, Grid: p.Grid, Category: c}
	}
	return Spot{}
}

// Place is the spot's place as it is written: 「东园 1号楼」.
func (s Spot) Place() string {
	return workflow.Place{Estate: s.Estate, Building: s.Building, Landmark: s.Landmark}.String()
}

// Trouble is an incident of the weeks before, as far as it is asked whether it
// came back. Merged ones are none.
type Trouble struct {
	Number  int64
	FiledAt time.Time
	Spot    Spot
}

// round is a matter from its filing, or its being taken up again, until it is
// resolved.
type round struct {
	began    time.Time
	answered time.Time // accepted, claimed or resolved first; zero if nobody did
	late     time.Time // the promise to answer was missed
	resolved time.Time
	overdue  time.Time // the promise to resolve was missed
	undone   bool      // it was taken up again after
}

// rounds are those of a matter, in their order.
func (m *Matter) rounds() []round {
	var out []round
	for _, e := range m.Moments {
		switch e.Type {
		case workflow.EvFiled, workflow.EvReopened, workflow.EvSplit:
			if n := len(out); n > 0 {
				out[n-1].undone = true
			}
			out = append(out, round{began: e.At})
		}
		if len(out) == 0 {
			continue // an event before the filing: a ticket of an older build
		}
		r := &out[len(out)-1]
		first := func(at *time.Time) {
			if at.IsZero() {
				*at = e.At
			}
		}
		switch {
		case e.Type == workflow.EvAccepted, e.Type == workflow.EvClaimed:
			first(&r.answered)
		case e.Type == workflow.EvResolved:
			first(&r.answered)
			first(&r.resolved)
		case e.Type == workflow.EvOverdue && (e.Clock == workflow.ClockResponse || e.Clock == workflow.ClockUnclaimed) && r.answered.IsZero():
			first(&r.late)
		case e.Type == workflow.EvOverdue && e.Clock == workflow.ClockResolve && r.resolved.IsZero():
			first(&r.overdue)
		}
	}
	return out
}
