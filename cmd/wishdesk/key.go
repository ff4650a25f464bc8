package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

type keyCommand struct {
	New  keyNew  `cmd:"" help:"Make a key; it is shown once."`
	List keyList `cmd:"" help:"List a community's keys."`
	End  keyEnd  `cmd:"" help:"End a key."`
}

type keyNew struct {
	Community string   `required:"" help:"The community's code."`
	Name      string   `required:"" help:"Whose key it is, to find it again."`
	Scope     []string `required:"" enum:"read,file,personal" help:"What it lets do: read (tickets and digests), file (tickets), personal (with read: also what people wrote, and who they are; each look is in the audit log). Several with commas."`
}

// Run makes a key and prints it.
func (c keyNew) Run(ctx context.Context, p *program) error {
	k := access.Key{Name: strings.TrimSpace(c.Name), MadeAt: time.Now()}
	for _, s := range access.Scopes {
		if slices.Contains(c.Scope, string(s)) {
			k.Scopes = append(k.Scopes, s)
		}
	}
	if k.Name == "" || len([]rune(k.Name)) > 50 {
		return usage(errors.New("a name has 1 to 50 characters"))
	}
	if k.May(access.ScopePersonal) && !k.May(access.ScopeRead) {
		return usage(errors.New("personal goes with read: --scope read,personal"))
	}
	return p.withStore(ctx, func(store *postgres.Store) error {
		return p.audited(ctx, store, c.Community, "key.new", "", func() (string, error) {
			secret := access.NewKey()
			id, err := store.AddKey(ctx, c.Community, k, access.Hash(secret))
			if err != nil {
				return "", noCommunity(c.Community, err)
			}
			_, _ = fmt.Fprintf(p.out, "%s\n", secret)
			_, _ = fmt.Fprintf(p.err, "key %d for %s, it is shown this once; `wishdesk key end %d --community %s` ends it\n", id, k.Name, id, c.Community)
			return fmt.Sprintf("api_key %d", id), nil
		})
	})
}

type keyList struct {
	Community string `required:"" help:"The community's code."`
}

// Run lists keys, never themselves.
func (c keyList) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		keys, err := store.Keys(ctx, c.Community)
		if err != nil {
			return err
		}
		for _, k := range keys {
			state := "not used yet"
			if !k.UsedAt.IsZero() {
				state = "last used on " + k.UsedAt.UTC().Format(time.DateOnly)
			}
			if !k.EndedAt.IsZero() {
				state = "ended on " + k.EndedAt.UTC().Format(time.DateOnly)
			}
			var scopes []string
			for _, s := range k.Scopes {
				scopes = append(scopes, string(s))
			}
			_, _ = fmt.Fprintf(p.out, "%d\t%s\t%s\tmade on %s\t%s\n", k.ID, k.Name, strings.Join(scopes, ","), k.MadeAt.UTC().Format(time.DateOnly), state)
		}
		if len(keys) == 0 {
			_, _ = fmt.Fprintln(p.out, "none: `wishdesk key new` makes one")
		}
		return nil
	})
}

type keyEnd struct {
	ID        int64  `arg:"" help:"Its number in the list."`
	Community string `required:"" help:"The community's code."`
}

// Run ends a key at once.
func (c keyEnd) Run(ctx context.Context, p *program) error {
	return p.withStore(ctx, func(store *postgres.Store) error {
		switch err := p.audited(ctx, store, c.Community, "key.end", fmt.Sprintf("api_key %d", c.ID), func() (string, error) {
			return "", store.EndKey(ctx, c.Community, c.ID)
		}); {
		case workflow.CodeOf(err) == workflow.CodeNotFound:
			return usage(fmt.Errorf("%s has no key %d that works: `wishdesk key list --community %s` lists them", c.Community, c.ID, c.Community))
		case err != nil:
			return err
		}
		_, _ = fmt.Fprintln(p.out, "ended")
		return nil
	})
}
