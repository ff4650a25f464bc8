package digest

import (
	"fmt"
	"time"
)

// Week is a week of ISO 8601: it begins on Monday, and belongs to the year that
// its Thursday is in.
type Week struct {
	Year   int
	Number int // 1 to 52, in some years 53
}

// ParseWeek reads 「2026-W47」.
func ParseWeek(s string) (Week, error) {
	var w Week
	if n, err := fmt.Sscanf(s, "%4d-W%2d", &w.Year, &w.Number); n != 2 || err != nil || w.String() != s || w.Year < 1 || w.Number < 1 || w.Number > w.weeksOfYear() {
		return Week{}, fmt.Errorf("digest: want a week such as 2026-W47, have %q", s)
	}
	return w, nil
}

// WeekOf is the week of a moment in a zone.
func WeekOf(t time.Time, zone *time.Location) Week {
	year, week := t.In(zone).ISOWeek()
	return Week{year, week}
}

// String is the week as ParseWeek reads it.
func (w Week) String() string { return fmt.Sprintf("%04d-W%02d", w.Year, w.Number) }

// MarshalText is the week as ParseWeek reads it.
func (w Week) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (w *Week) UnmarshalText(text []byte) (err error) {
	*w, err = ParseWeek(string(text))
	return err
}

// weeksOfYear is 52 or 53: 28 December is always in the last one.
func (w Week) weeksOfYear() int {
	_, n := time.Date(w.Year, 12, 28, 0, 0, 0, 0, time.UTC).ISOWeek()
	return n
}

// Range is from when until before when the week lasts in a zone. A week in which
// the clocks are changed is an hour longer or shorter.
func (w Week) Range(zone *time.Location) (from, until time.Time) {
	fourth := time.Date(w.Year, 1, 4, 0, 0, 0, 0, zone) // 4 January is always in the first week
	monday := (int(fourth.Weekday()) + 6) % 7
	day := 4 - monday + 7*(w.Number-1)
	return time.Date(w.Year, 1, day, 0, 0, 0, 0, zone), time.Date(w.Year, 1, day+7, 0, 0, 0, 0, zone)
}

// Before is the week before.
func (w Week) Before() Week {
	from, _ := w.Range(time.UTC)
	return WeekOf(from.AddDate(0, 0, -7), time.UTC)
}

// After is the week after.
func (w Week) After() Week {
	_, until := w.Range(time.UTC)
	return WeekOf(until, time.UTC)
}

// YearAgo is the week of the same number a year before; of week 53 the last one
// of a year that has no 53.
func (w Week) YearAgo() Week {
	ago := Week{w.Year - 1, w.Number}
	ago.Number = min(ago.Number, ago.weeksOfYear())
	return ago
}
