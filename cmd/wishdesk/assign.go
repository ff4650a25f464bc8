package main

import (
	"context"
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
