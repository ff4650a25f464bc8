package property

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// Cause says what a line of the sheet is for; a key of the wording.
type Cause string

// The causes.
const (
	AnsweredLate Cause = "answered_late"
	Overdue      Cause = "overdue"
	Unsatisfied  Cause = "unsatisfied"
	Reopened     Cause = "reopened"
	Repeat       Cause = "repeat"
	Praised      Cause = "praised"
	PatrolDone   Cause = "patrol_done"
	PatrolMissed Cause = "patrol_missed"

	Corrected Cause = "corrected" // a closed month is known better
	Objected  Cause = "objected"  // an objection was upheld
)

// Causes are all, in the order of the sheet.
func Causes() []Cause {
	return []Cause{AnsweredLate, Overdue, Unsatisfied, Reopened, Repeat, Praised, PatrolDone, PatrolMissed, Corrected, Objected}
}

// Terms are what a month is judged by. A closed month keeps its own, so that it can be
// counted anew whatever the document says by then, and whoever works there.
type Terms struct {
	Company string                `json:"company"`
	Score   workflow.ServiceScore `json:"score"`
	Every   int                   `json:"every,omitempty"` // days of a turn of inspections, 0 for none
	Covered []Covered             `json:"covered,omitempty"`
	People  []workflow.PersonID   `json:"people,omitempty"` // the company's
}

// TermsOf are a community's terms now. Who worked for the company when its last month
// was closed (last, nil for none) and has left is still answered for, unless they do
// another's work. ok is false where nothing is scored.
func TermsOf(c *workflow.Community, r workflow.Roster, last *Terms) (t Terms, ok bool) {
	if c.Property.Company == "" || c.Property.Score == nil {
		return t, false
	}
	t = *Contracted(c)
	t.Score = *c.Property.Score
	for _, p := range r {
		if p.OfCompany(c) {
			t.People = append(t.People, p.ID)
		}
	}
	if last != nil && last.Company == t.Company {
		for _, id := range last.People {
			if !r.ByID(id).Staff() && !slices.Contains(t.People, id) {
				t.People = append(t.People, id)
			}
		}
	}
	slices.Sort(t.People)
	return t, true
}

// Contracted are a community's terms as far as they say what is inspected, and how
// often.
func Contracted(c *workflow.Community) *Terms {
	t := &Terms{Company: c.Property.Company}
	if c.Property.Patrol != nil {
		t.Every = c.Property.Patrol.Every
	}
	for _, e := range c.Estates {
		if e.PropertyContract {
			t.Covered = append(t.Covered, Covered{Estate: e.Name, Buildings: e.Buildings, Since: e.PatrolsSince})
		}
	}
	return t
}

// Matter is a ticket that the company may have had, with the moments that matter in
// their order.
type Matter struct {
	Number  int64
	State   workflow.State // as it stands now
	Spot    digest.Spot
	Moments []Moment
}

// Moment is one event that is scored, or that says who has the matter.
type Moment struct {
	Seq    int64
	Type   workflow.EventType
	At     time.Time
	Clock  workflow.Clock
	Rating workflow.Rating
	Owner  workflow.PersonID
}

// Scored are the events that may be a line; Handed say who has the matter then.
var (
	Scored = []workflow.EventType{workflow.EvFiled, workflow.EvOverdue, workflow.EvRated, workflow.EvReopened, workflow.EvThanked}
	Handed = []workflow.EventType{workflow.EvAssigned, workflow.EvTransferred, workflow.EvClaimed, workflow.EvAccepted, workflow.EvReturned, workflow.EvSplit}
)

// Record is what happened in a month.
type Record struct {
	Matters  []Matter
	Troubles []digest.Trouble // of the month and the days before it in which a trouble may repeat
	Rounds   []workflow.Round // inspections
}

// Line is one line of a sheet: points, and what they are for.
type Line struct {
	Key    string         `json:"key"` // of what it is for: it is scored once
	Cause  Cause          `json:"cause"`
	Points int            `json:"points"`
	At     time.Time      `json:"at"`
	Place  workflow.Place `json:"place"`
	Number int64          `json:"number,omitempty"` // the ticket
	Before int64          `json:"before,omitempty"` // repeat: the ticket before it
	Round  string         `json:"round,omitempty"`  // the inspection
	Of     Month          `json:"of,omitzero"`      // corrected, objected: the month of the line that it is about
	For    string         `json:"for,omitempty"`    // and that line's key
	Was    Cause          `json:"was,omitempty"`    // and its cause
}

// Count is what a month is worth, line by line in the order of time, without
// corrections. Turns of inspections that have not ended by now are none yet.
func Count(t *Terms, m Month, zone *time.Location, r Record, now time.Time) []Line {
	s := counting{terms: t}
	s.from, s.until = m.Range(zone)
	for i := range r.Matters {
		s.matter(&r.Matters[i], r.Troubles)
	}
	for i, turn := range Turns(m, t.Every, zone) {
		if turn.Until.After(now) {
			break
		}
		s.turn(i, turn, r.Rounds, zone)
	}
	slices.SortFunc(s.lines, func(a, b Line) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
	return s.lines
}

type counting struct {
	terms       *Terms
	from, until time.Time
	lines       []Line
}

func (s *counting) add(points int, l Line) {
	if points == 0 {
		return
	}
	l.Points = points
	s.lines = append(s.lines, l)
}

// matter scores what happened to a ticket while the company had it. One that was
// joined to another is scored there.
func (s *counting) matter(m *Matter, troubles []digest.Trouble) {
	if m.State == workflow.Merged {
		return
	}
	var owner workflow.PersonID
	had := func() bool { return slices.Contains(s.terms.People, owner) }
	for _, e := range m.Moments {
		switch e.Type {
		case workflow.EvAssigned, workflow.EvTransferred, workflow.EvClaimed, workflow.EvAccepted:
			if e.Owner != 0 {
				owner = e.Owner
			}
		}
		if had() && !e.At.Before(s.from) && e.At.Before(s.until) {
			s.moment(m, e)
		}
		switch e.Type {
		case workflow.EvReopened, workflow.EvReturned, workflow.EvSplit:
			owner = 0
		}
	}
	s.repeat(m, troubles)
}

func (s *counting) moment(m *Matter, e Moment) {
	score := &s.terms.Score
	cause, points := Cause(""), 0
	switch {
	case e.Type == workflow.EvOverdue && e.Clock == workflow.ClockResponse:
		cause, points = AnsweredLate, score.AnsweredLate
	case e.Type == workflow.EvOverdue && e.Clock == workflow.ClockResolve:
		cause, points = Overdue, score.Overdue
	case e.Rating == workflow.Unsatisfied: // a verdict that has it done again is one line
		cause, points = Unsatisfied, score.Unsatisfied
	case e.Type == workflow.EvReopened:
		cause, points = Reopened, score.Reopened
	case e.Type == workflow.EvThanked:
		cause, points = Praised, score.Praised
	}
	s.add(points, Line{Key: fmt.Sprintf("%s:%d:%d", cause, m.Number, e.Seq), Cause: cause, At: e.At, Number: m.Number, Place: placeOf(m.Spot)})
}

// repeat scores a trouble that was filed where the same one was not long before, if
// the company was the first to have it.
func (s *counting) repeat(m *Matter, troubles []digest.Trouble) {
	if m.State == workflow.Cancelled || m.Spot == (digest.Spot{}) || len(m.Moments) == 0 || m.Moments[0].Type != workflow.EvFiled {
		return
	}
	filed := m.Moments[0].At
	first := slices.IndexFunc(m.Moments, func(e Moment) bool { return e.Owner != 0 })
	if first < 0 || !slices.Contains(s.terms.People, m.Moments[first].Owner) || filed.Before(s.from) || !filed.Before(s.until) {
		return
	}
	var before int64
	var latest time.Time
	for _, t := range troubles {
		same := t.Number != m.Number && anywhere(t.Spot) == anywhere(m.Spot) && t.FiledAt.Before(filed)
		if same && !t.FiledAt.Before(filed.AddDate(0, 0, -s.terms.Score.RepeatDays)) && t.FiledAt.After(latest) {
			before, latest = t.Number, t.FiledAt
		}
	}
	if before != 0 {
		s.add(s.terms.Score.Repeat, Line{Key: fmt.Sprintf("%s:%d", Repeat, m.Number), Cause: Repeat, At: filed, Number: m.Number, Before: before, Place: placeOf(m.Spot)})
	}
}

// turn scores a turn that has ended: every building that was missed, or, where every one
// was inspected, the turn as a whole, with the inspection that completed it.
func (s *counting) turn(n int, turn Turn, rounds []workflow.Round, zone *time.Location) {
	done := inspected(turn, rounds)
	var last workflow.Round
	every := true
	for _, b := range s.terms.buildings() {
		r, ok := done[b.place()]
		switch {
		case !ok && !b.whole(turn, zone):
			every = false
		case !ok:
			every = false
			s.add(s.terms.Score.PatrolMissed, Line{Key: fmt.Sprintf("patrol:%d:%s:%d", n+1, b.estate, b.number), Cause: PatrolMissed, At: turn.Until.Add(-time.Second), Place: b.place()})
		case r.At.After(last.At):
			last = r
		}
	}
	if every && last.ID != "" {
		s.add(s.terms.Score.PatrolDone, Line{Key: fmt.Sprintf("patrol:%d", n+1), Cause: PatrolDone, At: last.At, Round: last.ID})
	}
}

func placeOf(s digest.Spot) workflow.Place {
	return workflow.Place{Estate: s.Estate, Building: s.Building, Landmark: s.Landmark, Grid: s.Grid}
}

// anywhere is a spot whatever grid its building belongs to.
func anywhere(s digest.Spot) digest.Spot {
	s.Grid = ""
	return s
}
