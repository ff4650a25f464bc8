package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// mutation is the product broken on purpose in one place, what happens to it, and
// where the judge must find it.
type mutation struct {
	name    string
	patches []ground.Patch
	faults  []fault
	found   func(*verdict) []string
}

// mutations are what the design stands on, each taken away.
func mutations() []mutation {
	twice := fault{name: "every request twice", begin: func(_ context.Context, f *ground.Field) error {
		f.Door.Twice.Store(1000)
		return nil
	}}
	return []mutation{
		{
			name: "the outbox is skipped",
			patches: []ground.Patch{{File: "storage/postgres/change.go", Text: map[string]string{
				"writeEvents, writePushes, writeMedia": "writeEvents, writeMedia",
			}}},
			faults: []fault{{name: "calm"}},
			found:  func(v *verdict) []string { return v.missing },
		},
		{
			name: "a delivery is not looked for among those seen",
			patches: []ground.Patch{
				{File: "storage/postgres/change.go", Text: map[string]string{
					"if ch.Delivery != nil && k.deliveries[name{ch.Community, ch.Delivery.ID}] {": "if false {",
				}},
				{File: "bot/bot.go", Text: map[string]string{"if err != nil || first {": "if err != nil || first || true {"}},
				// The table's key would still refuse it: it is another one each time.
				{File: "bot/session.go", Text: map[string]string{"ID: s.in.Delivery, Person:": "ID: s.in.Delivery + time.Now().String(), Person:"}},
			},
			faults: []fault{twice},
			found:  func(v *verdict) []string { return v.duplicated },
		},
		{
			name: "the answer leaves before the commit",
			patches: []ground.Patch{{File: "bot/bot.go", Text: map[string]string{
				"switch err := s.commit(ctx, reply); {": `go func() {
			time.Sleep(200 * time.Millisecond)
			_ = s.commit(context.WithoutCancel(ctx), reply)
		}()
		switch err := error(nil); {`,
			}}},
			faults: []fault{{name: "calm"}, replica(0), replica(1), replica(0), replica(1)},
			found:  func(v *verdict) []string { return v.lost },
		},
	}
}

// breakAll plays each mutation for a moment: a judge that finds nothing wrong with a
// product that is would prove nothing by finding nothing wrong with ours.
func breakAll(ctx context.Context, root string, say func(string, ...any)) error {
	var errs []error
	for _, m := range mutations() {
		v, err := m.play(ctx, root)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("broken on purpose, %s: %w", m.name, err))
		case len(m.found(v)) == 0:
			errs = append(errs, fmt.Errorf("broken on purpose, %s: the judge did not find it: %s", m.name, v))
		default:
			say("broken on purpose, %s: found %d times, such as: %s", m.name, len(m.found(v)), m.found(v)[0])
		}
	}
	return errors.Join(errs...)
}

func (m *mutation) play(ctx context.Context, root string) (v *verdict, err error) {
	f, err := ground.Lay(ctx, root, ground.Options{Replicas: 2, Patches: m.patches})
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, r := range f.Replicas {
			_ = r.End(syscall.SIGKILL)
		}
		err = errors.Join(err, f.Close(), os.RemoveAll(f.Dir))
	}()
	p := plan{hold: 2 * time.Second, pause: time.Second, rate: 20, settle: 24 * time.Second}
	v, _, err = play(ctx, f, p, m.faults, func(string, ...any) {})
	return v, err
}
