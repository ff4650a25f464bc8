package demo

import (
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/property"
)

// The demo begins with a month of the property company that is closed, an objection that
// waits for the committee, and one that is open, with buildings inspected and missed.
func TestTheDemoHasMonthsOfItsCompany(t *testing.T) {
	clock := clockwork.NewFakeClockAt(time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC))
	_, store, _ := pastOf(t, clock)
	closed, err := store.ClosedSheets(t.Context(), Community, 9)
	must(t, err)
	if len(closed) != 1 || closed[0].Month.String() != "2026-10" {
		t.Fatalf("closed: %+v", closed)
	}
	waiting, err := store.Objections(t.Context(), Community, closed[0].Month)
	must(t, err)
	if len(waiting) != 1 || waiting[0].Outcome != nil {
		t.Errorf("objections: %+v", waiting)
	} else if _, ok := closed[0].Line(waiting[0].Line); !ok {
		t.Errorf("an objection to nothing: %+v", waiting[0])
	}
	d := desk.New(desk.Options{Journal: store, Clock: clock})
	must(t, d.Refresh(t.Context()))
	open, err := d.Sheet(t.Context(), Community, closed[0].Month.After())
	must(t, err)
	for _, s := range []property.Sheet{closed[0], open} {
		have := map[property.Cause]int{}
		for _, sum := range s.Sums() {
			have[sum.Cause] = sum.Count
		}
		t.Logf("%s: %d points, %v", s.Month, s.Total(), have)
		if n := s.Total(); n < 80 || n > 105 || have[property.PatrolMissed] == 0 || have[property.PatrolMissed] > 10 {
			t.Errorf("%s: %d points, %v", s.Month, n, have)
		}
	}
	standing, ok, err := d.Inspecting(t.Context(), Community)
	if err != nil || !ok || standing.All != 69 || len(standing.Due) == 0 || len(standing.Due) > 60 {
		t.Errorf("how the inspections stand: %+v %v %v", standing, ok, err)
	}
}
