package postgres

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/property"
)

// Of many that close the same month at the same time one does; what is closed nobody
// changes or removes.
func TestAMonthIsClosedOnceForEver(t *testing.T) {
	s := openStore(t, freshURL(t), nil)
	c := ctx(t)
	month := property.Month{Year: 2026, Month: time.October}
	sheet := property.Sheet{Community: here, Month: month, MadeAt: time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC), ClosedBy: 9, Lines: []property.Line{{Key: "overdue:1024:7", Cause: property.Overdue, Points: -3, Number: 1024}}}
	var all sync.WaitGroup
	var mu sync.Mutex
	closed := 0
	for i := range 16 {
		all.Go(func() {
			mine := sheet
			mine.ClosedBy = workflow.PersonID(100 + i)
			ok, err := s.CloseSheet(c, mine)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if ok {
				closed++
				sheet.ClosedBy = mine.ClosedBy
			}
		})
	}
	all.Wait()
	got, err := s.ClosedSheets(c, here, 9)
	must(t, err)
	if closed != 1 || len(got) != 1 || !reflect.DeepEqual(got[0], sheet) {
		t.Fatalf("%d closed it: %+v, want %+v", closed, got, sheet)
	}
	for _, month := range []property.Month{month.Before(), month.After(), month.After().After()} {
		later := sheet
		later.Month = month
		if ok, err := s.CloseSheet(c, later); err != nil || ok { // it does not say that it follows October
			t.Errorf("%s: %v %v", month, ok, err)
		}
	}
	if one, ok, err := s.ClosedSheet(c, here, month); err != nil || !ok || !reflect.DeepEqual(one, sheet) {
		t.Errorf("as it was closed: %+v %v %v", one, ok, err)
	}
	if _, ok, err := s.ClosedSheet(c, here, month.After()); err != nil || ok {
		t.Errorf("an open month: %v %v", ok, err)
	}
	next := sheet
	next.Month, next.After = month.After(), month
	if ok, err := s.CloseSheet(c, next); err != nil || !ok {
		t.Errorf("the next month: %v %v", ok, err)
	}

	o := property.Objection{Month: month, Line: "overdue:1024:7", By: 2, Words: "配件没到货", At: sheet.MadeAt}
	out := property.Outcome{Upheld: true, By: 9, Words: "属实", At: sheet.MadeAt.Add(time.Hour)}
	if ok, err := s.Settle(c, here, month, o.Line, out); err != nil || ok {
		t.Errorf("nobody objected: %v %v", ok, err)
	}
	for i, want := range []bool{true, false} {
		if ok, err := s.Object(c, here, o); err != nil || ok != want {
			t.Errorf("objection %d: %v %v", i, ok, err)
		}
	}
	for i, want := range []bool{true, false} {
		other := out
		other.Upheld = want
		if ok, err := s.Settle(c, here, month, o.Line, other); err != nil || ok != want {
			t.Errorf("outcome %d: %v %v", i, ok, err)
		}
	}
	o.Outcome = &out
	if all, err := s.Objections(c, here, month); err != nil || len(all) != 1 || !reflect.DeepEqual(all[0], o) {
		t.Errorf("objections: %+v %v, want %+v", all, err, o)
	}
	if all, err := s.Objections(c, here, month.After()); err != nil || len(all) != 0 {
		t.Errorf("of later months: %+v %v", all, err)
	}
	for _, sql := range []string{
		"UPDATE appraisal SET body = '{}'", "DELETE FROM appraisal", "TRUNCATE appraisal", "UPDATE objection SET words = ''", "DELETE FROM objection",
		"UPDATE objection_outcome SET upheld = false", "DELETE FROM objection_outcome",
	} {
		if _, err := s.pool.Exec(c, sql); err == nil || !strings.Contains(err.Error(), "stays as it is") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// What is scored is read from the events, with who had the ticket; of a community's own.
func TestServiceMattersAndInspections(t *testing.T) {
	s := openStore(t, freshURL(t), nil)
	c := ctx(t)
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for number, owner := range map[int64]workflow.PersonID{1: 2, 2: 1, 3: 2} {
		tc := opened(here, number)
		tc.Ticket.Place, tc.Ticket.Category = workflow.Place{Estate: "东园", Building: 3, Grid: "G1"}, "sanitation"
		tc.Ticket.Version = 3
		tc.Events[0].At = from.AddDate(0, -1, 0)
		assigned, thanked := tc.Events[0], tc.Events[0]
		assigned.Seq, assigned.Type, assigned.Owner = 2, workflow.EvAssigned, owner
		thanked.Seq, thanked.Type, thanked.At = 3, workflow.EvThanked, from.Add(time.Hour)
		if number == 3 {
			thanked.At = from.AddDate(0, 1, 0)
		}
		tc.Events = append(tc.Events, assigned, thanked)
		must(t, s.Commit(c, desk.Change{Community: here, Tickets: []desk.TicketChange{tc}}))
	}
	var got []property.Matter
	must(t, s.ServiceMatters(c, here, []workflow.PersonID{2}, from, from.AddDate(0, 1, 0), func(m property.Matter) error {
		got = append(got, m)
		return nil
	}))
	if len(got) != 1 || got[0].Number != 1 || got[0].Spot != (digest.Spot{Estate: "东园", Building: 3, Grid: "G1", Category: "sanitation"}) {
		t.Fatalf("matters: %+v", got)
	}
	if m := got[0].Moments; len(m) != 3 || m[1].Owner != 2 || m[2].Seq != 3 || m[2].Type != workflow.EvThanked || !m[2].At.Equal(from.Add(time.Hour)) {
		t.Errorf("moments: %+v", m)
	}

	r := workflow.Round{
		Community: here, ID: "r1", Kind: workflow.Inspection, By: 2, Place: workflow.Place{Estate: "东园", Building: 3, Grid: "G1"}, Text: "都好", Media: []string{"m1"}, At: from,
		Checks: []workflow.Check{{Item: "扫楼道"}, {Item: "清杂物", Wrong: true}},
	}
	patrol := r
	patrol.ID, patrol.Kind, patrol.Checks = "r2", workflow.Patrol, nil
	must(t, s.Commit(c, desk.Change{Community: here, Rounds: []workflow.Round{r, patrol}}))
	all, err := s.Inspections(c, here, from, from.Add(time.Second))
	must(t, err)
	if len(all) != 1 || !reflect.DeepEqual(all[0].Checks, r.Checks) || all[0].ID != r.ID || all[0].Place != r.Place {
		t.Errorf("inspections: %+v", all)
	}
	if one, ok, err := s.Inspection(c, here, "r1"); err != nil || !ok || one.Media[0] != "m1" {
		t.Errorf("one of them: %+v %v %v", one, ok, err)
	}
	if _, ok, err := s.Inspection(c, here, "r2"); err != nil || ok {
		t.Errorf("a patrol is no inspection: %v %v", ok, err)
	}
	if all, err := s.RoundsBy(c, here, 2, 9); err != nil || len(all) != 2 {
		t.Errorf("of the person: %+v %v", all, err)
	}
	if all, err := s.Inspections(c, "west", from, from.Add(time.Second)); err != nil || len(all) != 0 {
		t.Errorf("elsewhere: %+v %v", all, err)
	}
}

// The digest says of the company what happened in its week, and nothing where nothing
// did.
func TestWhatTheDigestSaysOfTheCompany(t *testing.T) {
	s := openStore(t, freshURL(t), nil)
	c := ctx(t)
	monday := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	section := func(from time.Time) digest.Section {
		t.Helper()
		got, err := s.propertySection(c, here, from, from.AddDate(0, 0, 7))
		must(t, err)
		return got
	}
	if got := section(monday); got.Lines != nil {
		t.Errorf("nothing happened: %+v", got)
	}
	for i, wrong := range []bool{false, true} {
		must(t, s.Commit(c, desk.Change{Community: here, Rounds: []workflow.Round{{
			ID: string(rune('a' + i)), Kind: workflow.Inspection, By: 2, At: monday.Add(time.Hour), Checks: []workflow.Check{{Item: "扫楼道", Wrong: wrong}},
		}}}))
	}
	month := property.Month{Year: 2026, Month: time.October}
	_, err := s.CloseSheet(c, property.Sheet{Community: here, Month: month, MadeAt: monday.Add(time.Hour), ClosedBy: 9, Terms: property.Terms{Score: workflow.ServiceScore{Base: 100}}, Lines: []property.Line{{Key: "x", Points: -3}}})
	must(t, err)
	for _, line := range []string{"x", "y"} {
		_, err := s.Object(c, here, property.Objection{Month: month, Line: line, At: monday.Add(2 * time.Hour)})
		must(t, err)
	}
	_, err = s.Settle(c, here, month, "x", property.Outcome{At: monday.Add(3 * time.Hour)})
	must(t, err)
	want := []digest.Line{
		{Say: "inspected", Values: map[string]string{"Count": "2", "Wrong": "1"}},
		{Say: "closed", Values: map[string]string{"Month": "2026-10", "Total": "97"}},
		{Say: "objected", Values: map[string]string{"Count": "2", "Left": "1"}},
	}
	if got := section(monday); !reflect.DeepEqual(got.Lines, want) {
		t.Errorf("the week: %+v, want %+v", got.Lines, want)
	}
	if got := section(monday.AddDate(0, 0, 7)); got.Lines != nil {
		t.Errorf("the week after: %+v", got)
	}
}

// The record knows since when an estate is inspected as it is now.
func TestSinceWhenAnEstateIsInspected(t *testing.T) {
	url := freshURL(t)
	c := ctx(t)
	apply := func(at time.Time, property string) time.Time {
		t.Helper()
		s, err := Open(c, url, Options{Clock: clockwork.NewFakeClockAt(at)})
		must(t, err)
		defer s.Close()
		text := "code: patrolled\nname: 某社区\nestates: [{name: 东园, buildings: 2, property_contract: true}]\ngrids: [{code: G1, name: 第一网格, buildings: \"东园:1-2\"}]\n" + property
		doc, err := workflow.ParseCommunity(strings.NewReader(text))
		must(t, err)
		_, err = s.ApplyCommunity(c, doc, []byte(text), "钱敏")
		must(t, err)
		shape, err := s.Shape(c, "patrolled")
		must(t, err)
		return shape.Community.Estates[0].PatrolsSince
	}
	weekly := "property: {company: 红色物业, patrol: {every: 7, items: [扫楼道]}}\n"
	for i, one := range []struct {
		property string
		since    int // which of these it was set by, -1 for none
	}{
		{"", -1}, {weekly, 1}, {strings.Replace(weekly, "扫楼道", "扫楼道, 清杂物", 1), 1}, {strings.Replace(weekly, "7", "5", 1), 3}, {"", -1}, {weekly, 5},
	} {
		want := time.Time{}
		if one.since >= 0 {
			want = noon.AddDate(0, 0, one.since)
		}
		if got := apply(noon.AddDate(0, 0, i), one.property); !got.Equal(want) {
			t.Errorf("after document %d: %v, want %v", i, got, want)
		}
	}
}
