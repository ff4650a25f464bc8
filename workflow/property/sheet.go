package property

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// Sheet is a month's sheet for the joint meeting.
type Sheet struct {
	Community string            `json:"community"`
	Month     Month             `json:"month"`
	Terms     Terms             `json:"terms"`
	Lines     []Line            `json:"lines"`
	MadeAt    time.Time         `json:"made_at"`
	ClosedBy  workflow.PersonID `json:"closed_by,omitempty"` // 0 while the month is open
	After     Month             `json:"after,omitzero"`      // the month that was closed last before it
}

// Closed tells whether the month is closed: nothing of it changes any more.
func (s *Sheet) Closed() bool { return s.ClosedBy != 0 }

// Total is what the month is worth: the base and all lines, no more than the most.
func (s *Sheet) Total() int {
	return s.sum() - s.Beyond()
}

// Beyond is by how much the lines come to more than a month may be worth.
func (s *Sheet) Beyond() int {
	if s.Terms.Score.Most == 0 {
		return 0
	}
	return max(0, s.sum()-s.Terms.Score.Most)
}

func (s *Sheet) sum() int {
	n := s.Terms.Score.Base
	for _, l := range s.Lines {
		n += l.Points
	}
	return n
}

// Line is the line with a key.
func (s *Sheet) Line(key string) (Line, bool) {
	i := slices.IndexFunc(s.Lines, func(l Line) bool { return l.Key == key })
	if i < 0 {
		return Line{}, false
	}
	return s.Lines[i], true
}

// Objection is what the company says against a line; there is one to each line.
type Objection struct {
	Month   Month
	Line    string // its key
	By      workflow.PersonID
	Words   string
	At      time.Time
	Outcome *Outcome // nil while it waits for the committee
}

// Outcome is what the committee says to an objection, once.
type Outcome struct {
	Upheld bool
	By     workflow.PersonID
	Words  string
	At     time.Time
}

// upheld are the keys of the lines of a month that do not count after all.
func upheld(all []Objection, m Month) map[string]bool {
	out := map[string]bool{}
	for _, o := range all {
		if o.Month == m && o.Outcome != nil && o.Outcome.Upheld {
			out[o.Line] = true
		}
	}
	return out
}

// Corrections are the lines by which closed months become what they should be: what
// was counted anew, without what was objected to with success. Closed are all closed
// sheets of a company; of a month that is not counted anew only objections are settled. A closed
// month and all corrections of it in the closed sheets after it are compared, so that
// nothing is corrected twice.
func Corrections(closed []Sheet, anew map[Month][]Line, objections []Objection, at time.Time) []Line {
	var out []Line
	for i := range closed {
		out = append(out, corrections(&closed[i], closed, anew, objections, at)...)
	}
	return out
}

func corrections(s *Sheet, closed []Sheet, anew map[Month][]Line, objections []Objection, at time.Time) []Line {
	have, line := map[string]int{}, map[string]Line{}
	for _, l := range s.Lines {
		if l.For == "" {
			have[l.Key] += l.Points
			line[l.Key] = l
		}
	}
	for _, other := range closed {
		for _, l := range other.Lines {
			if l.Of == s.Month && l.For != "" {
				have[l.For] += l.Points
				if _, known := line[l.For]; !known {
					line[l.For] = l
				}
			}
		}
	}
	want := maps.Clone(have)
	if lines, counted := anew[s.Month]; counted {
		clear(want)
		for _, l := range lines {
			want[l.Key] += l.Points
			line[l.Key] = l
		}
	}
	gone := upheld(objections, s.Month)
	for key := range gone {
		want[key] = 0
	}
	var out []Line
	for _, key := range slices.Sorted(maps.Keys(line)) {
		diff := want[key] - have[key]
		if diff == 0 {
			continue
		}
		l := about(line[key], s.Month, key, Corrected, at)
		if gone[key] {
			l.Cause = Objected
		}
		l.Points = diff
		l.Key = fmt.Sprintf("%s:%s:%s", l.Cause, s.Month, key)
		out = append(out, l)
	}
	return out
}

// about is a line that is about another.
func about(l Line, of Month, key string, cause Cause, at time.Time) Line {
	if l.For == "" {
		l.Was = l.Cause
	}
	l.Of, l.For, l.Cause, l.At = of, key, cause, at
	return l
}

// settled are the lines of a month with those beside them by which objections to it
// were settled while it is open.
func settled(lines []Line, m Month, objections []Objection) []Line {
	gone := upheld(objections, m)
	for _, l := range lines {
		if gone[l.Key] && l.For == "" {
			o := objections[slices.IndexFunc(objections, func(o Objection) bool { return o.Month == m && o.Line == l.Key })]
			against := about(l, m, l.Key, Objected, o.Outcome.At)
			against.Points, against.Key = -l.Points, fmt.Sprintf("%s:%s:%s", Objected, m, l.Key)
			lines = append(lines, against)
		}
	}
	return lines
}

// Source is what sheets are counted from.
type Source interface {
	// ServiceMatters calls f with every ticket that some people have or had and that
	// has one of the Scored events from a moment until before another.
	ServiceMatters(ctx context.Context, community string, people []workflow.PersonID, from, until time.Time, f func(Matter) error) error
	Troubles(ctx context.Context, community string, from, until time.Time) ([]digest.Trouble, error)
	// Inspections are the rounds of that kind in a time, in its order.
	Inspections(ctx context.Context, community string, from, until time.Time) ([]workflow.Round, error)
	// ClosedSheet is a month as it was closed; ok is false where it is open.
	ClosedSheet(ctx context.Context, community string, m Month) (s Sheet, ok bool, err error)
	// ClosedSheets are the last closed months, newest first; Objections those to months
	// from one on, in the order in which they were made.
	ClosedSheets(ctx context.Context, community string, limit int) ([]Sheet, error)
	Objections(ctx context.Context, community string, since Month) ([]Objection, error)
}

// How far back closed months are counted anew, and are corrected at all.
const (
	countedAnew = 3
	remembered  = 24
)

// Make is a month's sheet: as it was closed, or as the record is now. ok is false where
// nothing is scored.
func Make(ctx context.Context, from Source, c *workflow.Community, r workflow.Roster, m Month, now time.Time) (s Sheet, ok bool, err error) {
	if s, ok, err = from.ClosedSheet(ctx, c.Code, m); err != nil || ok {
		return s, ok, err
	}
	closed, err := from.ClosedSheets(ctx, c.Code, remembered)
	if err != nil {
		return s, false, fmt.Errorf("property: closed months: %w", err)
	}
	var last *Terms
	s = Sheet{Community: c.Code, Month: m, MadeAt: now}
	if len(closed) > 0 {
		last, s.After = &closed[0].Terms, closed[0].Month
	}
	if s.Terms, ok = TermsOf(c, r, last); !ok {
		return s, false, nil
	}
	if s.Lines, err = countFrom(ctx, from, c, &s.Terms, m, now); err != nil {
		return s, false, err
	}
	since := m
	if len(closed) > 0 {
		since = closed[len(closed)-1].Month
	}
	objections, err := from.Objections(ctx, c.Code, since)
	if err != nil {
		return s, false, fmt.Errorf("property: objections: %w", err)
	}
	s.Lines = settled(s.Lines, m, objections)
	closed = slices.DeleteFunc(closed, func(of Sheet) bool { return of.Terms.Company != s.Terms.Company }) // what another did is not this one's
	if len(closed) == 0 || m != s.After.After() {
		return s, true, nil // corrections stand in the month that is closed next
	}
	anew := map[Month][]Line{}
	for i := range closed[:min(countedAnew, len(closed))] {
		if anew[closed[i].Month], err = countFrom(ctx, from, c, &closed[i].Terms, closed[i].Month, now); err != nil {
			return s, false, err
		}
	}
	s.Lines = append(s.Lines, Corrections(closed, anew, objections, now)...)
	return s, true, nil
}

// countFrom counts a month by its terms.
func countFrom(ctx context.Context, from Source, c *workflow.Community, t *Terms, m Month, now time.Time) ([]Line, error) {
	var r Record
	begin, end := m.Range(c.Location())
	err := from.ServiceMatters(ctx, c.Code, t.People, begin.UTC(), end.UTC(), func(m Matter) error {
		r.Matters = append(r.Matters, m)
		return nil
	})
	if err == nil && t.Score.Repeat != 0 {
		r.Troubles, err = from.Troubles(ctx, c.Code, begin.AddDate(0, 0, -t.Score.RepeatDays).UTC(), end.UTC())
	}
	if err == nil && t.Every > 0 {
		r.Rounds, err = from.Inspections(ctx, c.Code, begin.UTC(), end.UTC())
	}
	if err != nil {
		return nil, fmt.Errorf("property: what happened in %s: %w", m, err)
	}
	return Count(t, m, c.Location(), r, now), nil
}

// MayClose tells whether a month may be closed now: it has ended, and is the first that
// is not closed.
func (s *Sheet) MayClose(zone *time.Location, now time.Time) bool {
	_, until := s.Month.Range(zone)
	return !s.Closed() && !until.After(now) && (s.After.IsZero() || s.After.After() == s.Month)
}

// Sum is what the lines of one cause come to.
type Sum struct {
	Cause  Cause
	Count  int
	Points int
}

// Sums are those of the sheet, in the order of the causes.
func (s *Sheet) Sums() []Sum {
	var out []Sum
	for _, cause := range Causes() {
		sum := Sum{Cause: cause}
		for _, l := range s.Lines {
			if l.Cause == cause {
				sum.Count++
				sum.Points += l.Points
			}
		}
		if sum.Count > 0 {
			out = append(out, sum)
		}
	}
	return out
}
