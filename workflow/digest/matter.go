package digest

import (
	"slices"
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
	Grid     string         // whose it is now
	Spot     Spot           // where and what about
	Outside  bool           // it left its grid's hands
	Moments  []Moment
}

// Moment is one event that is counted, or that says in whose hands a matter was.
type Moment struct {
	Type   workflow.EventType
	At     time.Time
	Clock  workflow.Clock    // overdue: which promise
	Rating workflow.Rating   // rated, reopened
	Owner  workflow.PersonID // assigned, transferred, claimed, accepted: who has it from then on; 0 where that does not change
	Placed bool              // the event says where it is; Grid is whose that is
	Grid   string
}

// Counted are the events that are counted; the record keeps an index of them by
// time. The Handed ones say in whose hands a matter was meanwhile.
var (
	Counted = []workflow.EventType{
		workflow.EvFiled, workflow.EvAccepted, workflow.EvClaimed, workflow.EvResolved, workflow.EvReopened, workflow.EvSplit,
		workflow.EvRated, workflow.EvOverdue, workflow.EvEscalated, workflow.EvClosedByTime,
	}
	Handed = []workflow.EventType{
		workflow.EvAssigned, workflow.EvTransferred, workflow.EvReturned, workflow.EvMoved,
		workflow.EvClassified, workflow.EvReclassified, workflow.EvAdvised, workflow.EvAnswered, workflow.EvQuestionLapsed, workflow.EvSupplemented,
	}
)

// hands are whose a matter is at a moment: 0 for nobody's.
type hands struct {
	owner workflow.PersonID
	grid  string
}

// hands are those of each moment: who is given it by the moment, or has it; of
// what takes it from somebody, who had it.
//
// A place that is understood better later is where the matter was from the
// beginning. A building that goes to another grid (moved) takes along only what
// comes after.
func (m *Matter) hands() []hands {
	out := make([]hands, len(m.Moments))
	var owner workflow.PersonID
	for i, e := range m.Moments {
		switch e.Type {
		case workflow.EvAssigned, workflow.EvTransferred, workflow.EvClaimed, workflow.EvAccepted:
			if e.Owner != 0 {
				owner = e.Owner
			}
		}
		out[i].owner = owner
		switch e.Type {
		case workflow.EvReopened, workflow.EvReturned, workflow.EvSplit:
			owner = 0
		}
	}
	grid, known := m.Grid, true
	for i, e := range slices.Backward(m.Moments) {
		if !known && e.Placed {
			grid, known = e.Grid, true
			for j := i + 1; j < len(out) && m.Moments[j].Type != workflow.EvMoved; j++ {
				out[j].grid = grid
			}
		}
		out[i].grid = grid
		if e.Type == workflow.EvMoved {
			known = false
		}
	}
	return out
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

// anywhere is the spot whatever grid its building belongs to.
func (s Spot) anywhere() Spot {
	s.Grid = ""
	return s
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
// resolved; each moment with the hands that it was in then.
type round struct {
	began    time.Time
	answered held // accepted, claimed or resolved first; zero if nobody did
	late     held // the promise to answer was missed
	resolved held
	overdue  held // the promise to resolve was missed
	undone   bool // it was taken up again after
}

type held struct {
	time.Time
	hands
}

// rounds are those of a matter, in their order.
func (m *Matter) rounds(in []hands) []round {
	var out []round
	for i, e := range m.Moments {
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
		first := func(at *held) {
			if at.IsZero() {
				*at = held{e.At, in[i]}
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
