package workflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Working says when working time runs. The zero value means around the clock.
// Holidays are free even on a working day; Extra are working days even on a
// weekend (调休). Emergencies and everything that waits for a resident never
// use working time.
type Working struct {
	Hours    []string `yaml:"hours" json:"hours"`       // "08:30-12:00", in order, within one day
	Days     []int    `yaml:"days" json:"days"`         // 1 = Monday … 7 = Sunday
	Holidays []string `yaml:"holidays" json:"holidays"` // 2006-01-02
	Extra    []string `yaml:"extra" json:"extra"`       // 2006-01-02

	spans []span
}

// span is a part of a day, from and to counted from midnight.
type span struct{ from, to time.Duration }

func (w *Working) prepare() error {
	var errs []error
	w.spans = nil
	last := time.Duration(-1)
	for i, h := range w.Hours {
		at := fmt.Sprintf("working.hours[%d]", i)
		from, to, _ := strings.Cut(h, "-")
		var s span
		var err1, err2 error
		s.from, err1 = clockTime(from)
		s.to, err2 = clockTime(to)
		if errors.Join(err1, err2) != nil {
			errs = append(errs, wrong(at, WrongForm, h, "want 08:30-12:00, have %q", h))
			continue
		}
		if s.to <= s.from || s.from < last {
			errs = append(errs, wrong(at, WrongHours, h, "%q: must be in order and end after it begins", h))
			continue
		}
		last = s.to
		w.spans = append(w.spans, s)
	}
	for i, d := range w.Days {
		if d < 1 || d > 7 {
			errs = append(errs, wrong(fmt.Sprintf("working.days[%d]", i), WrongNumber, d, "want 1 (Monday) to 7, have %d", d))
		}
	}
	if len(w.Hours) > 0 && len(w.Days) == 0 {
		errs = append(errs, wrong("working.days", WrongMissing, "", "is missing while working.hours are set"))
	}
	for _, d := range slices.Concat(w.Holidays, w.Extra) {
		if _, err := time.Parse(time.DateOnly, d); err != nil {
			errs = append(errs, wrong("working.holidays, working.extra", WrongDate, d, "want 2026-10-01, have %q", d))
		}
	}
	return errors.Join(errs...)
}

// clockTime reads "08:30" as the time since midnight; "24:00" is allowed.
func clockTime(s string) (time.Duration, error) {
	if s == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("want a time such as 08:30, have %q", s)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// aroundTheClock tells whether working time never stops.
func (w *Working) aroundTheClock() bool { return len(w.spans) == 0 }

func (w *Working) worksOn(day time.Time) bool {
	key := day.Format(time.DateOnly)
	switch {
	case slices.Contains(w.Extra, key):
		return true
	case slices.Contains(w.Holidays, key):
		return false
	}
	return slices.Contains(w.Days, (int(day.Weekday())+6)%7+1)
}

// maxDays is how far a walk looks for working time. From the last that it
// finds, time counts around the clock: a calendar that has none for two years
// makes clocks fire early rather than never.
const maxDays = 731

// Add is the moment when d of working time has passed since start, in the
// days of loc.
func (w *Working) Add(start time.Time, d time.Duration, loc *time.Location) time.Time {
	if w.aroundTheClock() || d <= 0 {
		return start.Add(d)
	}
	end := start
	w.walk(start, loc, func(from, to time.Time) bool {
		end = from.Add(d)
		if !end.After(to) {
			return false
		}
		d -= to.Sub(from)
		return true
	})
	return end
}

// Before is the moment from which d of working time is left until end.
func (w *Working) Before(end time.Time, d time.Duration, loc *time.Location) time.Time {
	if w.aroundTheClock() || d <= 0 {
		return end.Add(-d)
	}
	local := end.In(loc)
	for i := range maxDays {
		day := time.Date(local.Year(), local.Month(), local.Day()-i, 0, 0, 0, 0, loc)
		if !w.worksOn(day) {
			continue
		}
		for _, s := range slices.Backward(w.spans) {
			from, to := onDay(day, s.from), onDay(day, s.to)
			if to.After(end) {
				to = end
			}
			if !to.After(from) {
				continue
			}
			if span := to.Sub(from); span < d {
				d -= span
				continue
			}
			return to.Add(-d)
		}
	}
	return end.Add(-d)
}

// Between is the working time from a to b, 0 if b is not after a.
func (w *Working) Between(a, b time.Time, loc *time.Location) time.Duration {
	if !b.After(a) {
		return 0
	}
	if w.aroundTheClock() {
		return b.Sub(a)
	}
	var sum time.Duration
	w.walk(a, loc, func(from, to time.Time) bool {
		if to.After(b) {
			to = b
		}
		sum += max(to.Sub(from), 0)
		return to.Before(b)
	})
	return sum
}

// walk calls f with each working span after start, in order, until f says
// stop; the last is far longer than any promise.
func (w *Working) walk(start time.Time, loc *time.Location, f func(from, to time.Time) bool) {
	const forever = 100 * 366 * 24 * time.Hour
	local, last := start.In(loc), start
	for i := range maxDays {
		day := time.Date(local.Year(), local.Month(), local.Day()+i, 0, 0, 0, 0, loc)
		if !w.worksOn(day) {
			continue
		}
		for _, s := range w.spans {
			// By wall clock, so that a day of a clock change keeps its hours.
			from, to := onDay(day, s.from), onDay(day, s.to)
			if from.Before(last) {
				from = last
			}
			if !to.After(from) {
				continue
			}
			if !f(from, to) {
				return
			}
			last = to
		}
	}
	f(last, last.Add(forever))
}

func onDay(day time.Time, since time.Duration) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), int(since/time.Hour), int(since%time.Hour/time.Minute), 0, 0, day.Location())
}

// Quiet are the hours of the day in which residents get no reminders.
type Quiet struct {
	From string `yaml:"from" json:"from"` // "21:00"
	To   string `yaml:"to" json:"to"`     // "08:00", the next morning if it is not after From

	from, to time.Duration
}

func (q *Quiet) prepare() error {
	var err1, err2 error
	if q.From == "" && q.To == "" {
		q.from, q.to = 0, 0
		return nil
	}
	q.from, err1 = clockTime(q.From)
	q.to, err2 = clockTime(q.To)
	if err := errors.Join(err1, err2); err != nil {
		return wrong("quiet", WrongTime, q.From+"-"+q.To, "%v", err)
	}
	return nil
}

// Next is t itself outside the quiet hours, else the moment when they end.
func (q *Quiet) Next(t time.Time, loc *time.Location) time.Time {
	if q.from == q.to {
		return t
	}
	local := t.In(loc)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, loc)
	since := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	if q.from < q.to { // within one day
		if since >= q.from && since < q.to {
			return onDay(midnight, q.to)
		}
		return t
	}
	switch {
	case since >= q.from:
		return onDay(midnight.AddDate(0, 0, 1), q.to)
	case since < q.to:
		return onDay(midnight, q.to)
	}
	return t
}
