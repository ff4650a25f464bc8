package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/wishdesk/wishdesk/console/assets"
	"github.com/wishdesk/wishdesk/console/weekly"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

type digestCommand struct {
	Community string `required:"" help:"The community's code."`
	Week      string `help:"Which week, such as 2026-W47; the last one that has ended if empty."`
	Format    string `enum:"text,html,xlsx,json" default:"text" help:"text, html, xlsx, json."`
	Out       string `help:"The file to write; standard output if empty." type:"path" placeholder:"FILE"`
	Sent      bool   `help:"The digest as it was sent to the committee, not as the record is now."`
}

// Run counts a week and writes it.
func (c digestCommand) Run(ctx context.Context, p *program) error {
	_, words, taxonomy, err := readConfigs()
	if err != nil {
		return err
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		d, closing, err := p.openDesk(ctx, store)
		if err != nil {
			return err
		}
		defer closing()
		shape, ok := d.Shape(c.Community)
		if !ok {
			return noCommunity(c.Community, &workflow.Error{Code: workflow.CodeNotFound})
		}
		made, err := c.make(ctx, d, shape)
		if err != nil {
			return err
		}
		out := p.out
		if c.Out != "" {
			f, err := os.Create(c.Out)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			out = f
		}
		return c.write(out, wording.New(words, taxonomy, shape, nil), made)
	})
}

func (c digestCommand) make(ctx context.Context, d *desk.Desk, shape desk.Shape) (digest.Digest, error) {
	week := digest.WeekOf(d.Now(), shape.Community.Location()).Before()
	if c.Week != "" {
		var err error
		if week, err = digest.ParseWeek(c.Week); err != nil {
			return digest.Digest{}, usage(fmt.Errorf("--week: %w", err))
		}
	}
	if !c.Sent {
		return d.Digest(ctx, c.Community, week)
	}
	made, ok, err := d.Journal().SentDigest(ctx, c.Community, week)
	if err == nil && !ok {
		err = usage(fmt.Errorf("the digest of %s was not sent", week))
	}
	return made, err
}

func (c digestCommand) write(out io.Writer, voice wording.Voice, made digest.Digest) error {
	r := weekly.Compose(voice, &made)
	switch c.Format {
	case "json":
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		made.Sentences = r.Sentences
		return enc.Encode(made)
	case "html":
		files, err := assets.Load()
		if err != nil {
			return err
		}
		return weekly.Page(out, r, weekly.Alone{
			Styles:  []string{files.Text("desk.css")},
			Scripts: []string{files.Text("echarts.simple.min.js"), files.Text("charts.js")},
		})
	case "xlsx":
		return weekly.Book(out, r)
	}
	return weekly.Text(out, r)
}

type hotlineCommand struct {
	Import hotlineImport `cmd:"" help:"Enter complaints that went to the hotline 12345 from a table (.xlsx, .csv)."`
}
