package digest

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestWeeks(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	for text, want := range map[string]struct{ from, before, ago string }{
		"2026-W47": {"2026-11-16", "2026-W46", "2025-W47"},
		"2026-W01": {"2025-12-29", "2025-W52", "2025-W01"}, // the turn of the year
		"2026-W53": {"2026-12-28", "2026-W52", "2025-W52"}, // 2025 has no week 53
		"2027-W01": {"2027-01-04", "2026-W53", "2026-W01"},
		"2021-W01": {"2021-01-04", "2020-W53", "2020-W01"},
	} {
		w, err := ParseWeek(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		from, until := w.Range(shanghai)
		if got := from.Format(time.DateOnly); got != want.from || from.Weekday() != time.Monday || from.Hour() != 0 || until.Sub(from) != 7*24*time.Hour {
			t.Errorf("%s begins at %s and lasts %s", text, from, until.Sub(from))
		}
		if got := w.Before().String(); got != want.before {
			t.Errorf("before %s comes %s, want %s", text, got, want.before)
		}
		if got := w.YearAgo().String(); got != want.ago {
			t.Errorf("a year before %s: %s, want %s", text, got, want.ago)
		}
	}
	for _, bad := range []string{"", "2026-W00", "2026-W54", "2025-W53", "2026-47", "2026-W7", "26-W07", "2026-W471", " 2026-W47", "2026-W4x"} {
		if w, err := ParseWeek(bad); err == nil {
			t.Errorf("%q is read as %s", bad, w)
		}
	}
	berlin := zone(t, "Europe/Berlin") // the clocks go back on 25 October 2026
	if from, until := (Week{2026, 43}).Range(berlin); until.Sub(from) != 7*24*time.Hour+time.Hour {
		t.Errorf("the week of the change lasts %s", until.Sub(from))
	}
	if got := WeekOf(time.Date(2026, 11, 15, 16, 30, 0, 0, time.UTC), shanghai).String(); got != "2026-W47" {
		t.Errorf("half past midnight on Monday is in %s", got)
	}
}

func TestEveryMomentIsInItsWeek(t *testing.T) {
	zones := []*time.Location{time.UTC, zone(t, "Asia/Shanghai"), zone(t, "Europe/Berlin"), zone(t, "America/Los_Angeles")}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0)
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		w := WeekOf(at, z)
		from, until := w.Range(z)
		if at.Before(from) || !at.Before(until) {
			t.Fatalf("%s is not in %s (%s to %s)", at.In(z), w, from, until)
		}
		if _, end := w.Before().Range(z); !end.Equal(from) || w.Before().After() != w {
			t.Fatalf("between %s and the week before there is a gap", w)
		}
		var again Week
		data, err := json.Marshal(w)
		if err != nil || json.Unmarshal(data, &again) != nil || again != w {
			t.Fatalf("%s is written as %s", w, data)
		}
	})
}
