package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/property"
)

// months lets the property company have inspected its buildings, last month and this
// one until now, with a few missed; and has the committee close the month before, with
// one objection to it.
func (p *past) months(ctx context.Context) error {
	c := p.shape.Community
	var people []workflow.Person
	for _, one := range p.shape.Roster {
		if one.OfCompany(c) {
			people = append(people, one)
		}
	}
	this := property.MonthOf(p.now, c.Location())
	dice := rand.New(rand.NewPCG(7, 69)) //nolint:gosec // the same past every time
	for _, month := range []property.Month{this.Before(), this} {
		ch := desk.Change{Community: Community, Delivery: &desk.Delivery{ID: "past:inspected:" + month.String(), Type: "event:past", At: p.now}}
		for n, turn := range property.Turns(month, c.Property.Patrol.Every, c.Location()) {
			for _, e := range c.Estates {
				for b := 1; e.PropertyContract && b <= e.Buildings; b++ {
					at := turn.From.AddDate(0, 0, (b-1)*6/e.Buildings).Add(time.Duration(8*60+dice.IntN(9*60)) * time.Minute)
					if at.After(p.now) || dice.IntN(100) < 2 {
						continue
					}
					r := workflow.Round{
						ID: fmt.Sprintf("past:%s:%d:%d", month, n, b), Kind: workflow.Inspection, By: people[b%len(people)].ID, Text: p.of.Inspected, At: at.UTC(),
						Place: workflow.Place{Estate: e.Name, Building: b, Grid: c.GridOf(e.Name, b)},
					}
					for _, item := range c.Property.Patrol.Items {
						r.Checks = append(r.Checks, workflow.Check{Item: item})
					}
					ch.Rounds = append(ch.Rounds, r)
				}
			}
		}
		if err := p.store.Commit(ctx, ch); err != nil && !errors.Is(err, desk.ErrSeen) {
			return err
		}
	}
	last := this.Before()
	sheet, err := p.desk.Sheet(ctx, Community, last)
	if err != nil || sheet.Closed() {
		return err
	}
	for _, l := range sheet.Lines {
		if l.Cause != property.PatrolMissed {
			continue
		}
		_, until := last.Range(c.Location())
		o := property.Objection{Month: last, Line: l.Key, By: people[0].ID, Words: p.of.Objected, At: until.Add(9 * time.Hour).UTC()}
		if _, err := p.store.Object(ctx, Community, o); err != nil {
			return err
		}
		break
	}
	return p.desk.CloseMonth(ctx, Community, last, p.shape.Roster.Duty()[0].ID)
}
