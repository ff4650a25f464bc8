package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/wishdesk/wishdesk/charter"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

type communityCommand struct {
	Apply  communityApply  `cmd:"" help:"Apply a community's document; a version of every document is kept."`
	Export communityExport `cmd:"" help:"Print the document that stands."`
	List   communityList   `cmd:"" help:"List the communities."`
}

type communityList struct{}

// Run lists the communities.
func (communityList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		all, err := store.Communities(ctx)
		if err != nil {
			return err
		}
		for _, code := range slices.Sorted(maps.Keys(all)) {
			shape, err := store.Shape(ctx, code)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(p.out, "%s\t%s\t%d grids\t%d staff\n", code, shape.Community.Name, len(shape.Community.Grids), len(shape.Roster))
		}
		return nil
	})
}

type communityExport struct {
	Code string `arg:"" help:"The community's code."`
}

// Run prints a community's document.
func (c communityExport) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		document, err := store.ExportCommunity(ctx, c.Code)
		if err != nil {
			return noCommunity(c.Code, err)
		}
		return p.audited(ctx, store, c.Code, "community.look", "", func() (string, error) {
			_, err := p.out.Write(document)
			return "", err
		})
	})
}

type communityApply struct {
	File   string `arg:"" type:"existingfile" help:"The community's document (YAML)."`
	DryRun bool   `help:"Only say what would change."`

	Renumber bool `help:"Estates may change their places in the list: codes printed before lead astray."`
}

// Run applies a community's document.
func (c communityApply) Run(ctx context.Context, p *program) error {
	document, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	words, err := readWording()
	if err != nil {
		return err
	}
	taxonomy, err := readTaxonomy()
	if err != nil {
		return err
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		registry := charter.Registry{Record: store, Wording: words, Taxonomy: taxonomy}
		change, err := registry.Propose(ctx, "", charter.Any, document)
		if err != nil {
			return refusedDocument(err)
		}
		_, _ = fmt.Fprintf(p.out, "%s %s: %d grids, %d buildings\n", change.Community.Code, change.Community.Name, len(change.Community.Grids), change.Community.Buildings())
		for _, l := range change.Lines {
			_, _ = fmt.Fprintln(p.out, l)
		}
		switch {
		case change.Nothing():
			_, _ = fmt.Fprintln(p.out, "nothing changes")
			return nil
		case len(change.Lines) == 0:
			_, _ = fmt.Fprintln(p.out, "only empty lines change")
		}
		if err := change.Allowed(c.Renumber); err != nil {
			return refusedDocument(err)
		}
		if c.DryRun {
			return nil
		}
		return p.audited(ctx, store, change.Community.Code, "community.change", "", func() (string, error) {
			version, err := registry.Apply(ctx, change, author(p.environ), c.Renumber)
			if err != nil {
				return "", refusedDocument(err)
			}
			_, _ = fmt.Fprintf(p.out, "applied as version %d; running servers follow within a second\n", version)
			return fmt.Sprintf("version %d", version), nil
		})
	})
}

// refusedDocument tells the user of the command line what to do about it.
func refusedDocument(err error) error {
	var refused *charter.Refused
	switch {
	case errors.Is(err, charter.ErrRenumbered):
		return usage(fmt.Errorf("%w. Add new estates at the end, or print all codes anew (`wishdesk qr`) and apply with --renumber", err))
	case errors.Is(err, desk.ErrStale):
		return errors.New("somebody applied another document in this moment: look at it (`wishdesk community export`) and apply yours again")
	case errors.As(err, &refused):
		return usage(err)
	}
	return err
}

// author is who applies a document, as the machine knows them.
func author(environ []string) string {
	for _, name := range []string{"SUDO_USER=", "USER="} {
		for _, e := range environ {
			if v, ok := strings.CutPrefix(e, name); ok && v != "" {
				return v
			}
		}
	}
	return "command line"
}
