package main

import (
	"context"
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
)

type deadlettersCommand struct {
	List  deadlettersList  `cmd:"" default:"withargs" help:"List them."`
	Retry deadlettersRetry `cmd:"" help:"Queue one again."`
}

type deadlettersRetry struct {
	ID        int64  `arg:"" help:"Its number in the list."`
	Community string `required:"" help:"The community's code."`
}

// Run queues a task again that failed for good, as it stood on its queue. Doing
// one twice is safe.
func (c deadlettersRetry) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		d, closing, err := p.openDesk(ctx, store)
		if err != nil {
			return err
		}
		defer closing()
		if err := p.audited(ctx, store, c.Community, "failures.retry", fmt.Sprintf("letter %d", c.ID), func() (string, error) { return "", d.Retry(ctx, c.Community, c.ID) }); workflow.CodeOf(err) == workflow.CodeNotFound {
			return usage(fmt.Errorf("%s has no dead letter %d: `wishdesk deadletters --community %s` lists them", c.Community, c.ID, c.Community))
		} else if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(p.out, "queued")
		return nil
	})
}

type deadlettersList struct {
	Community string `required:"" help:"The community's code."`
}

// Run lists the tasks that failed for good, without what they hold.
func (c deadlettersList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		dead, err := store.DeadLetters(ctx, c.Community, 200)
		if err != nil {
			return err
		}
		for _, d := range dead {
			_, _ = fmt.Fprintf(p.out, "%d\t%s\t%s\t%s\n", d.ID, d.At.Format(time.RFC3339), d.Queue, d.Reason)
		}
		if len(dead) == 0 {
			_, _ = fmt.Fprintln(p.out, "none")
		}
		return nil
	})
}
