package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
)

// withStore opens the record for one command.
func (p *program) withStore(ctx context.Context, f func(*postgres.Store) error) error {
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	if s.Postgres == "" {
		return usage(errors.New("which database? Give --config FILE or WISHDESK_POSTGRES"))
	}
	if err := upToDate(ctx, s.Postgres.Reveal()); err != nil {
		return err
	}
	store, err := postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	return f(store)
}

// noCommunity names a community that there is not.
func noCommunity(code string, err error) error {
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return usage(fmt.Errorf("there is no community %q: `wishdesk community list` names them", code))
	}
	return err
}

type migrateCommand struct {
	Status bool `help:"Only say what is pending."`
}

// Run migrates the database.
func (c migrateCommand) Run(ctx context.Context, p *program) error {
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	if s.Postgres == "" {
		return usage(errors.New("which database? Give --config FILE or WISHDESK_POSTGRES"))
	}
	pending, err := postgres.Pending(ctx, s.Postgres.Reveal())
	if err != nil {
		return err
	}
	if len(pending) == 0 {
		if !c.Status { // what an earlier run left undone after its migrations
			if err := postgres.Migrate(ctx, s.Postgres.Reveal()); err != nil {
				return err
			}
		}
		_, _ = fmt.Fprintln(p.out, "the database is up to date")
		return nil
	}
	for _, name := range pending {
		_, _ = fmt.Fprintln(p.out, "pending:", name)
	}
	if c.Status {
		return nil
	}
	if err := postgres.Migrate(ctx, s.Postgres.Reveal()); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(p.out, "done")
	return nil
}
