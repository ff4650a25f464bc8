package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

type assignCommand struct {
	Explain assignExplain `cmd:"" help:"Say who would get a message, and which rules were read."`
}

type assignExplain struct {
	Text      string    `arg:"" help:"A message as a resident writes it."`
	Community string    `help:"The community's code; without one the demo's, in which nobody has anything to do yet."`
	At        time.Time `help:"When: 2026-11-23T21:30:00+08:00; now if empty."`
}

// Run explains an assignment. Nothing changes.
func (c assignExplain) Run(ctx context.Context, p *program) error {
	rules, words, taxonomy, err := readConfigs()
	if err != nil {
		return err
	}
	now := c.At
	if now.IsZero() {
		now = time.Now()
	}
	ask := func(rules *understand.Rules, shape desk.Shape, load func(workflow.PersonID) int) error {
		u, err := rules.Understand(ctx, shape.Community, workflow.Words{Text: c.Text})
		if err != nil {
			return err
		}
		voice := wording.New(words, taxonomy, shape, rules.Mask)
		_, err = io.WriteString(p.out, voice.Explain(u, load, now)+"\n")
		return err
	}
	if c.Community == "" {
		shape, err := demo.Shape()
		if err != nil {
			return err
		}
		return ask(rules, shape, func(workflow.PersonID) int { return 0 })
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		shape, err := store.Shape(ctx, c.Community)
		if err != nil {
			return noCommunity(c.Community, err)
		}
		loads, err := store.Loads(ctx, c.Community)
		if err != nil {
			return err
		}
		own, err := learn.Load(ctx, store, rules, c.Community, shape.Model)
		if err != nil {
			return err
		}
		return ask(own, shape, func(id workflow.PersonID) int { return loads[id] })
	})
}

type personLeave struct {
	Person    string `arg:"" help:"The person's name or key."`
	Community string `required:"" help:"The community's code."`
}

// Run takes all parts from somebody; the running servers give their open work
// to others within a second.
func (c personLeave) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		found, err := store.FindPerson(ctx, c.Community, c.Person)
		if err != nil {
			return err
		}
		if len(found) != 1 || !found[0].Staff() {
			return usage(fmt.Errorf("%d people of the staff of %s answer to %q; want one: `wishdesk person list` shows them", len(found), c.Community, c.Person))
		}
		open, err := store.Owned(ctx, c.Community, found[0].ID, 1000)
		if err != nil {
			return err
		}
		if err := p.audited(ctx, store, c.Community, "people.leave", ofPerson(found[0].ID), func() (string, error) {
			return "", store.Leave(ctx, c.Community, found[0].ID)
		}); errors.Is(err, desk.ErrLastAdmin) {
			return lastAdmin(found[0].Name, c.Community)
		} else if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(p.out, "%s plays no part any more; %d open tickets go to others within a second where a server runs\n", found[0].Name, len(open))
		return nil
	})
}

type careCommand struct {
	Import careImport `cmd:"" help:"Take a care list (低保、残疾、独居) from a table; the same entry again is changed."`
	List   careList   `cmd:"" help:"List it; telephone numbers are masked."`
	End    careEnd    `cmd:"" help:"Take somebody off it."`
}

type careList struct {
	Community string `required:"" help:"The community's code."`
}

// Run lists the care list.
func (c careList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		all, err := store.CareList(ctx, c.Community)
		if err != nil {
			return err
		}
		for _, e := range all {
			_, _ = fmt.Fprintf(p.out, "%d\t%s\t%s\t%s\t%s\t%s\tevery %d days\tnext %s\n", e.ID, e.Name, mask(e.Phone), e.Place.Grid, e.Place, e.Kind, e.Every, e.NextVisit.Format(time.DateOnly))
		}
		if len(all) == 0 {
			_, _ = fmt.Fprintln(p.out, "none")
		}
		return nil
	})
}

type careEnd struct {
	ID        int64  `arg:"" help:"The entry's number in the list."`
	Community string `required:"" help:"The community's code."`
}

// Run takes somebody off the care list.
func (c careEnd) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		err := store.EndCare(ctx, c.Community, c.ID)
		if workflow.CodeOf(err) == workflow.CodeNotFound {
			return usage(fmt.Errorf("%s has no entry %d: `wishdesk care list` shows them", c.Community, c.ID))
		}
		if err == nil {
			_, _ = fmt.Fprintln(p.out, "taken off the list; what was recorded stays")
		}
		return err
	})
}
