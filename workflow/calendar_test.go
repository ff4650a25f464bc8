package workflow

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWorkingAdd(t *testing.T) {
	c := community(t, officeHours)
	for _, tc := range []struct{ from, add, want string }{
		{"2026-04-22 09:00", "1h", "2026-04-22 10:00"},
		{"2026-04-22 11:30", "1h", "2026-04-22 14:00"},  // over the break
		{"2026-04-22 11:30", "30m", "2026-04-22 12:00"}, // up to the very end
		{"2026-04-22 12:30", "30m", "2026-04-22 14:00"},
		{"2026-04-22 17:00", "1h", "2026-04-23 09:00"},
		{"2026-04-22 03:00", "1h", "2026-04-22 09:30"},
		{"2026-04-25 10:00", "1h", "2026-04-26 09:30"},  // Saturday; the Sunday is worked
		{"2026-04-30 17:00", "1h", "2026-05-06 09:00"},  // over the holiday
		{"2026-05-08 17:00", "1h", "2026-05-11 09:00"},  // over an ordinary weekend
		{"2026-04-22 08:30", "15h", "2026-04-23 17:30"}, // two days of 7½ hours
		{"2026-04-22 09:00", "15h", "2026-04-24 09:00"},
		{"2026-04-25 10:00", "0s", "2026-04-25 10:00"},
	} {
		from, err1 := time.ParseInLocation("2006-01-02 15:04", tc.from, c.Location())
		d, err2 := time.ParseDuration(tc.add)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if have := c.Working.Add(from.UTC(), d, c.Location()).In(c.Location()).Format("2006-01-02 15:04"); have != tc.want {
			t.Errorf("%s + %s = %s, want %s", tc.from, tc.add, have, tc.want)
		}
	}
}

// drawWorking is a calendar, now and then an odd one.
func drawWorking(t *rapid.T) (*Working, *time.Location) {
	w := &Working{
		Hours: rapid.SampledFrom([][]string{
			nil, {"08:30-12:00", "13:30-17:30"}, {"00:00-24:00"}, {"09:00-10:00"}, {"00:00-00:30", "01:30-03:00", "23:00-24:00"},
		}).Draw(t, "hours"),
		Days:     rapid.SliceOfNDistinct(rapid.IntRange(1, 7), 1, 7, rapid.ID).Draw(t, "days"),
		Holidays: rapid.SampledFrom([][]string{nil, {"2026-05-01", "2026-05-02"}}).Draw(t, "holidays"),
		Extra:    rapid.SampledFrom([][]string{nil, {"2026-04-26", "2026-05-02"}}).Draw(t, "extra"),
	}
	if err := w.prepare(); err != nil {
		t.Fatal(err)
	}
	if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
		w.Days = nil // no working day but the extra ones
	}
	zone := rapid.SampledFrom([]string{"Asia/Shanghai", "UTC", "America/New_York", "Asia/Urumqi"}).Draw(t, "zone")
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return w, loc
}

func drawMoment(t *rapid.T, label string) time.Time {
	year := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return year.Add(time.Duration(rapid.Int64Range(0, int64(365*24*time.Hour)).Draw(t, label)))
}

func TestWorkingProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, loc := drawWorking(t)
		a, b := drawMoment(t, "a"), drawMoment(t, "b")
		if b.Before(a) {
			a, b = b, a
		}
		d := time.Duration(rapid.Int64Range(0, int64(400*time.Hour)).Draw(t, "d"))
		more := time.Duration(rapid.Int64Range(0, int64(40*time.Hour)).Draw(t, "more"))
		end := w.Add(a, d, loc)
		if has := w.Between(a, end, loc); has != d {
			t.Fatalf("Between(a, Add(a, %v)) = %v", d, has)
		}
		if end.Before(a.Add(d)) {
			t.Fatalf("working time runs faster than the clock: %v after %v", end.Sub(a), d)
		}
		if w.Add(a, d+more, loc).Before(end) {
			t.Fatal("a longer time ends earlier")
		}
		if w.Add(b, d, loc).Before(end) {
			t.Fatal("a later start ends earlier")
		}
		one, two := w.Add(a, d+more, loc), w.Add(end, more, loc)
		if one.Sub(a) < 700*24*time.Hour && !one.Equal(two) && len(w.Days) > 0 {
			t.Fatalf("in two steps %v, in one %v", two, one)
		}
	})
}

// A calendar without a working day for two years fires, early rather than
// never.
func TestWorkingWithoutDays(t *testing.T) {
	w := Working{Hours: []string{"08:30-12:00"}, Days: []int{1}}
	if err := w.prepare(); err != nil {
		t.Fatal(err)
	}
	w.Days = nil
	from := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if have := w.Add(from, time.Hour, time.UTC); have != from.Add(time.Hour) {
		t.Errorf("no day at all: %v", have)
	}
	w.Extra = []string{"2026-03-05"}
	want := time.Date(2026, 3, 5, 12, 30, 0, 0, time.UTC) // 3½ hours on that day, then around the clock
	if have := w.Add(from, 4*time.Hour, time.UTC); have != want {
		t.Errorf("one day: %v, want %v", have, want)
	}
}

func TestWorkingRefuses(t *testing.T) {
	for name, w := range map[string]Working{
		"working.hours[0]": {Hours: []string{"0830-12:00"}, Days: []int{1}},
		"working.hours[1]": {Hours: []string{"08:30-12:00", "11:00-13:00"}, Days: []int{1}},
		"working.days[0]":  {Hours: []string{"08:30-12:00"}, Days: []int{0}},
		"working.days":     {Hours: []string{"08:30-12:00"}},
		"working.holidays": {Holidays: []string{"1 May"}},
		"working.extra":    {Extra: []string{"2026-02-30"}},
	} {
		if err := w.prepare(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, hours := range []string{"12:00-08:30", "08:30-08:30", "25:00-26:00", "08:30+12:00", ""} {
		w := Working{Hours: []string{hours}, Days: []int{1}}
		if err := w.prepare(); err == nil || !strings.Contains(err.Error(), "working.hours[0]") {
			t.Errorf("hours %q: %v", hours, err)
		}
	}
}

func TestQuietNext(t *testing.T) {
	loc := time.FixedZone("", 8*3600)
	for _, tc := range []struct{ from, to, at, want string }{
		{"21:00", "08:00", "03-02 20:59", "03-02 20:59"},
		{"21:00", "08:00", "03-02 21:00", "03-03 08:00"},
		{"21:00", "08:00", "03-31 23:59", "04-01 08:00"},
		{"21:00", "08:00", "03-02 00:00", "03-02 08:00"},
		{"21:00", "08:00", "03-02 07:59", "03-02 08:00"},
		{"21:00", "08:00", "03-02 08:00", "03-02 08:00"},
		{"12:00", "14:00", "03-02 13:00", "03-02 14:00"},
		{"12:00", "14:00", "03-02 14:00", "03-02 14:00"},
		{"21:00", "24:00", "03-02 22:00", "03-03 00:00"},
		{"", "", "03-02 03:00", "03-02 03:00"},
	} {
		q := Quiet{From: tc.from, To: tc.to}
		if err := q.prepare(); err != nil {
			t.Fatal(err)
		}
		at, err := time.ParseInLocation("2006 01-02 15:04", "2026 "+tc.at, loc)
		if err != nil {
			t.Fatal(err)
		}
		if have := q.Next(at.UTC(), loc).In(loc).Format("01-02 15:04"); have != tc.want {
			t.Errorf("quiet %s to %s, at %s: %s, want %s", tc.from, tc.to, tc.at, have, tc.want)
		}
	}
	for _, q := range []Quiet{{From: "21", To: "08:00"}, {From: "21:00"}, {From: "21:00", To: "25:00"}} {
		if err := q.prepare(); err == nil || !strings.Contains(err.Error(), "quiet") {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestQuietProperties(t *testing.T) {
	hour := func(h int) string { return time.Date(1, 1, 1, h, 30, 0, 0, time.UTC).Format("15:04") }
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.IntRange(0, 23).Draw(t, "from"), rapid.IntRange(0, 23).Draw(t, "to")
		q := Quiet{From: hour(from), To: hour(to)}
		if err := q.prepare(); err != nil {
			t.Fatal(err)
		}
		loc := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
		at := drawMoment(t, "at")
		next := q.Next(at, loc)
		local := next.In(loc)
		since := local.Sub(time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, loc))
		quiet := q.from <= since && since < q.to
		if q.from > q.to {
			quiet = since >= q.from || since < q.to
		}
		if quiet || next.Before(at) || next.Sub(at) > 24*time.Hour || !q.Next(next, loc).Equal(next) {
			t.Fatalf("quiet %s to %s: %v gives %v", q.From, q.To, at.In(loc), local)
		}
	})
}
