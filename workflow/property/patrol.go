package property

import (
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Covered are the buildings of an estate under contract, from 1 to Buildings, and since
// when they are inspected by the standard; zero for long ago.
type Covered struct {
	Estate    string    `json:"estate"`
	Buildings int       `json:"buildings"`
	Since     time.Time `json:"since,omitzero"`
}

// Turn is a time in which every building is to be inspected once.
type Turn struct {
	From, Until time.Time
}

func (t Turn) has(at time.Time) bool { return !at.Before(t.From) && at.Before(t.Until) }

// Turns are those of a month, of so many days each; the last one has also the days that
// are left over. None where nothing is inspected.
func Turns(m Month, every int, zone *time.Location) []Turn {
	if every < 1 {
		return nil
	}
	from, end := m.Range(zone)
	var out []Turn
	for from.Before(end) {
		until := from.AddDate(0, 0, every)
		if until.AddDate(0, 0, every).After(end) {
			until = end
		}
		out = append(out, Turn{from, until})
		from = until
	}
	return out
}

// building is a building under contract.
type building struct {
	estate string
	number int
	since  time.Time
}

// whole tells whether a building was to be inspected in the whole of a turn: in one in
// the middle of which the standard was set it may be, and is not missed.
func (b building) whole(turn Turn, zone *time.Location) bool {
	y, m, d := b.since.In(zone).Date()
	return b.since.IsZero() || !turn.From.Before(time.Date(y, m, d, 0, 0, 0, 0, zone))
}

func (b building) place() workflow.Place {
	return workflow.Place{Estate: b.estate, Building: b.number}
}

func (t *Terms) buildings() []building {
	var out []building
	for _, e := range t.Covered {
		for n := 1; n <= e.Buildings; n++ {
			out = append(out, building{e.Estate, n, e.Since})
		}
	}
	return out
}

// inspected are the first inspections of the buildings within a turn.
func inspected(turn Turn, rounds []workflow.Round) map[workflow.Place]workflow.Round {
	out := map[workflow.Place]workflow.Round{}
	for _, r := range rounds {
		b := workflow.Place{Estate: r.Place.Estate, Building: r.Place.Building}
		if first, known := out[b]; len(r.Checks) > 0 && turn.has(r.At) && (!known || r.At.Before(first.At)) {
			out[b] = r
		}
	}
	return out
}

// Standing is how far the inspections have come.
type Standing struct {
	Turn   Turn
	All    int
	Due    []workflow.Place // not inspected yet in this turn
	Missed []workflow.Place // not inspected in the turn before it, of the same month
}

// Stand is how far the inspections have come at a moment, by the rounds of its month;
// ok is false where nothing is inspected.
func Stand(t *Terms, rounds []workflow.Round, now time.Time, zone *time.Location) (s Standing, ok bool) {
	all := t.buildings()
	for _, turn := range Turns(MonthOf(now, zone), t.Every, zone) {
		done := inspected(turn, rounds)
		var open, missed []workflow.Place
		for _, b := range all {
			if _, seen := done[b.place()]; !seen {
				open = append(open, b.place())
				if b.whole(turn, zone) {
					missed = append(missed, b.place())
				}
			}
		}
		if turn.has(now) {
			s.Turn, s.All, s.Due = turn, len(all), open
			return s, len(all) > 0
		}
		s.Missed = missed
	}
	return Standing{}, false
}

// Row are some buildings of one estate.
type Row struct {
	Estate  string
	Numbers []int
}

// String is the row as it is written: 「东园 1、2」.
func (r Row) String() string {
	numbers := make([]string, len(r.Numbers))
	for i, n := range r.Numbers {
		numbers[i] = strconv.Itoa(n)
	}
	return r.Estate + " " + strings.Join(numbers, "、")
}

// Rows are some buildings by estate, at most so many; more tells whether there are more.
func Rows(all []workflow.Place, most int) (rows []Row, more bool) {
	for _, p := range all[:min(len(all), most)] {
		if n := len(rows); n == 0 || rows[n-1].Estate != p.Estate {
			rows = append(rows, Row{Estate: p.Estate})
		}
		last := &rows[len(rows)-1]
		last.Numbers = append(last.Numbers, p.Building)
	}
	return rows, len(all) > most
}
