package property

import (
	"fmt"
	"time"
)

// Month is a month of the community's calendar.
type Month struct {
	Year  int
	Month time.Month
}

// MonthOf is the month of a moment in a zone.
func MonthOf(t time.Time, zone *time.Location) Month {
	t = t.In(zone)
	return Month{t.Year(), t.Month()}
}

// ParseMonth reads what String writes.
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil {
		return Month{}, fmt.Errorf("property: want a month such as 2026-11: %w", err)
	}
	return Month{t.Year(), t.Month()}, nil
}

// String is the month as 2026-11; such texts are in the months' order.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month)) }

// IsZero tells whether it is no month.
func (m Month) IsZero() bool { return m == Month{} }

// MarshalText writes the month as String does, nothing for none.
func (m Month) MarshalText() ([]byte, error) {
	if m.IsZero() {
		return nil, nil
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (m *Month) UnmarshalText(text []byte) (err error) {
	*m = Month{}
	if len(text) > 0 {
		*m, err = ParseMonth(string(text))
	}
	return err
}

// Before and After are the months beside it.
func (m Month) Before() Month { return m.by(-1) }

// After is the next month.
func (m Month) After() Month { return m.by(1) }

func (m Month) by(n int) Month {
	t := time.Date(m.Year, m.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	return Month{t.Year(), t.Month()}
}

// Range is from when until before when the month lasts in a zone.
func (m Month) Range(zone *time.Location) (from, until time.Time) {
	from = time.Date(m.Year, m.Month, 1, 0, 0, 0, 0, zone)
	return from, from.AddDate(0, 1, 0)
}
