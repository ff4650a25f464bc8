package desk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/property"
)

// PropertyMonths is what the record keeps of the property company's months.
type PropertyMonths interface {
	property.Source
	// Inspection is one; ok is false where there is none.
	Inspection(ctx context.Context, community, id string) (r workflow.Round, ok bool, err error)
	// CloseSheet keeps a month as it is, for ever; ok is false where it is closed
	// already, or another than the one that the sheet follows was closed last.
	CloseSheet(ctx context.Context, s property.Sheet) (ok bool, err error)
	// Object keeps what is said against a line, and what is owed because of it; ok is
	// false where something was said.
	Object(ctx context.Context, community string, o property.Objection, told ...Push) (ok bool, err error)
	// Settle keeps what comes of an objection, and what is owed because of it; ok is
	// false where there is none, or it was settled.
	Settle(ctx context.Context, community string, month property.Month, line string, out property.Outcome, told ...Push) (ok bool, err error)
}

// Sheet is a month of the property company: as it was closed, or as the record is now.
// A *workflow.Error with CodeNotFound where nothing is scored.
func (d *Desk) Sheet(ctx context.Context, community string, month property.Month) (property.Sheet, error) {
	shape, loaded := d.Shape(community)
	if !loaded {
		return property.Sheet{}, &workflow.Error{Code: workflow.CodeNotFound, Cause: fmt.Errorf("community %q is not loaded", community)}
	}
	s, ok, err := property.Make(ctx, d.journal, shape.Community, shape.Roster, month, d.Now())
	if err == nil && !ok {
		err = &workflow.Error{Code: workflow.CodeNotFound, Cause: fmt.Errorf("%s scores nothing", community)}
	}
	return s, err
}

// Object keeps what the company says against a line of its month, and tells who is on
// duty for the committee. A *workflow.Error with CodeAlreadyDone where something was said.
func (d *Desk) Object(ctx context.Context, community string, o property.Objection) error {
	return d.tellOfLine(ctx, community, o.Month, o.Line, func(w *Work, about Facts, key string) (bool, error) {
		about.Text = o.Words
		for _, p := range w.Shape.Roster.Duty() {
			w.Owe(fmt.Sprintf("%s:%d", key, p.ID), p.ID, workflow.TellObjected, about)
		}
		return d.journal.Object(ctx, community, o, w.Change.Pushes...)
	})
}

// Settle keeps what the committee says to an objection, and tells who made it. A
// *workflow.Error with CodeAlreadyDone where there is none, or it is settled.
func (d *Desk) Settle(ctx context.Context, community string, month property.Month, line string, out property.Outcome) error {
	all, err := d.journal.Objections(ctx, community, month)
	if err != nil {
		return err
	}
	var back int
	if out.Upheld { // what it took comes back
		sheet, err := d.Sheet(ctx, community, month)
		if err != nil {
			return err
		}
		l, _ := sheet.Line(line)
		back = -l.Points
	}
	return d.tellOfLine(ctx, community, month, line, func(w *Work, about Facts, key string) (bool, error) {
		about.Points = back
		about.Said = out.Words
		for _, o := range all {
			if o.Month == month && o.Line == line {
				w.Owe(key+":settled", o.By, workflow.TellSettled, about)
			}
		}
		return d.journal.Settle(ctx, community, month, line, out, w.Change.Pushes...)
	})
}

// tellOfLine does something once with a line of a month of which others hear.
func (d *Desk) tellOfLine(ctx context.Context, community string, month property.Month, line string, do func(w *Work, about Facts, key string) (ok bool, err error)) error {
	w, err := d.Begin(community, false)
	if err != nil {
		return err
	}
	ok, err := do(w, Facts{Unit: w.Shape.Community.Property.Company, Part: month.String()}, fmt.Sprintf("objection:%s:%s", month, line))
	if err != nil {
		return err
	}
	if !ok {
		return &workflow.Error{Code: workflow.CodeAlreadyDone, Cause: fmt.Errorf("line %s of %s", line, month)}
	}
	w.spread(ctx)
	return nil
}

// CloseMonth closes a month of the property company that has ended; the same month
// closed again stays as it was.
func (d *Desk) CloseMonth(ctx context.Context, community string, month property.Month, by workflow.PersonID) error {
	shape, _ := d.Shape(community)
	s, err := d.Sheet(ctx, community, month)
	switch {
	case err != nil:
		return err
	case s.Closed():
		return &workflow.Error{Code: workflow.CodeAlreadyDone, Cause: fmt.Errorf("%s is closed", month)}
	case !s.MayClose(shape.Community.Location(), d.Now()):
		return &workflow.Error{Code: "month_open", Cause: fmt.Errorf("%s has not ended, or one before it is open", month)}
	}
	s.ClosedBy = by
	if ok, err := d.journal.CloseSheet(ctx, s); err != nil || ok {
		return err
	}
	return &workflow.Error{Code: workflow.CodeAlreadyDone, Cause: fmt.Errorf("%s was closed meanwhile", month)}
}

// Inspecting is how far the property company's inspections have come; ok is false
// where nothing is inspected.
func (d *Desk) Inspecting(ctx context.Context, community string) (s property.Standing, ok bool, err error) {
	shape, loaded := d.Shape(community)
	if !loaded || shape.Community.Property.Patrol == nil {
		return s, false, nil
	}
	zone := shape.Community.Location()
	from, until := property.MonthOf(d.Now(), zone).Range(zone)
	rounds, err := d.journal.Inspections(ctx, community, from.UTC(), until.UTC())
	if err != nil {
		return s, false, fmt.Errorf("desk: inspections: %w", err)
	}
	s, ok = property.Stand(property.Contracted(shape.Community), rounds, d.Now(), zone)
	return s, ok, nil
}

// How many days before a turn of inspections ends its company is told of what is left,
// and how many buildings are named.
const (
	lastDays = 2
	dueNamed = 10
)

// inspectionsDue owes the company's people the word that a turn nears its end with
// buildings left.
func (d *Desk) inspectionsDue(ctx context.Context, w *Work, day string) error {
	standing, ok, err := d.Inspecting(ctx, w.Change.Community)
	if err != nil || !ok || len(standing.Due) == 0 || standing.Turn.Until.Sub(w.Now) > lastDays*24*time.Hour {
		return err
	}
	shape, _ := d.Shape(w.Change.Community)
	rows, _ := property.Rows(standing.Due, dueNamed)
	var names []string
	for _, r := range rows {
		names = append(names, r.String())
	}
	for _, p := range shape.Roster {
		if p.OfCompany(shape.Community) && !p.Away.Covers(w.Now) {
			w.Owe(fmt.Sprintf("inspect:%s:%d", day, p.ID), p.ID, workflow.TellInspect, Facts{
				Text: strings.Join(names, "、"), Also: len(standing.Due), Days: int(standing.Turn.Until.Sub(w.Now)/(24*time.Hour)) + 1,
			})
		}
	}
	return nil
}
