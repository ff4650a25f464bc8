package desk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// The morning is when workers are told whom of the care list they should
// visit, in the community's zone.
const (
	careHour   = 8
	careMinute = 30
	careMost   = 20 // entries named to one worker a morning
)

// Daily does what is done once a day: it tells each grid's full-time worker
// whose visit is due, and the property company which inspections are. It may be called at any time, by any replica, again and
// again: the push of a day has one key, and is owed once.
func (d *Desk) Daily(ctx context.Context, community string) error {
	shape, ok := d.Shape(community)
	if !ok {
		return nil
	}
	local := d.Now().In(shape.Community.Location())
	day := local.Format(time.DateOnly)
	morning := time.Date(local.Year(), local.Month(), local.Day(), careHour, careMinute, 0, 0, local.Location())
	d.mu.Lock()
	done := d.days[community] == day
	d.mu.Unlock()
	if done || local.Before(morning) {
		return nil
	}
	w, err := d.Begin(community, false)
	if err != nil {
		return err
	}
	end := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, local.Location())
	for _, g := range shape.Community.Grids {
		worker, ok := shape.Roster.FullTime(g.Code)
		if !ok || worker.Away.Covers(w.Now) {
			if duty := shape.Roster.Playing(workflow.RoleLeader, g.Code); len(duty) > 0 {
				worker, ok = duty[0], true
			}
		}
		if !ok {
			continue
		}
		due, err := d.journal.CareDue(ctx, community, []string{g.Code}, end.UTC(), careMost)
		if err != nil {
			return fmt.Errorf("desk: care due: %w", err)
		}
		if len(due) == 0 {
			continue
		}
		var names []string
		for _, c := range due {
			names = append(names, c.Name)
		}
		w.Owe(fmt.Sprintf("care:%s:%s:%d", day, g.Code, worker.ID), worker.ID, workflow.TellCare, Facts{
			Text: strings.Join(names, "、"), Place: workflow.Place{Grid: g.Code}, Also: len(due),
		})
	}
	if err := d.inspectionsDue(ctx, w, day); err != nil {
		return err
	}
	if len(w.Change.Pushes) > 0 {
		if err := w.Commit(ctx); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.days[community] = day
	d.mu.Unlock()
	return nil
}
