package main

import (
	"context"
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
)

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
			_, _ = fmt.Fprintf(p.out, "%d\t%s\t%s\t%s\t%s\t%s\tevery %d days\tnext %s\n", e.ID, e.Name, workflow.HidePhone(e.Phone), e.Place.Grid, e.Place, e.Kind, e.Every, e.NextVisit.Format(time.DateOnly))
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
