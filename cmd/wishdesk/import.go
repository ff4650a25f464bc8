package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/tables"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
)

// tableArgs name a table to import, for each command that does.
type tableArgs struct {
	File      string `arg:"" optional:"" type:"existingfile" help:"The filled-in table: .xlsx or .csv."`
	Community string `help:"The community's code."`
	Template  string `help:"Write an empty table to fill in (.xlsx) and stop." type:"path" placeholder:"FILE"`
	DryRun    bool   `help:"Only check."`
}

type importCommand struct {
	tableArgs `embed:""`

	Partial bool   `help:"Enter the good rows although others are at fault."`
	By      string `help:"Who enters it: a member of the staff, by name or key; the desk itself if empty."`
}

// Run checks every row first and enters nothing unless all are good, or
// --partial says so.
func (c importCommand) Run(ctx context.Context, p *program) error {
	return c.run(ctx, p, "import", tables.Mailbox, c.Partial, c.By)
}

type careImport struct {
	tableArgs `embed:""`
}

// Run checks the whole list, then stores it.
func (c careImport) Run(ctx context.Context, p *program) error {
	return c.run(ctx, p, "care import", tables.Care, false, "")
}

type hotlineImport struct {
	tableArgs `embed:""`
}

// Run checks the whole table, then stores it; of each complaint only number,
// time, category and grid are kept.
func (c hotlineImport) Run(ctx context.Context, p *program) error {
	return c.run(ctx, p, "hotline import", tables.Hotline, false, "")
}

func (c tableArgs) run(ctx context.Context, p *program, command string, kind tables.Kind, partial bool, by string) error {
	if c.Template != "" {
		return writeForm(c.Template, kind, p)
	}
	if c.File == "" || c.Community == "" {
		return usage(fmt.Errorf("which file, into which community? wishdesk %s FILE --community CODE; --template FILE writes an empty one", command))
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
		rules, words, taxonomy, err := readConfigs()
		if err != nil {
			return err
		}
		if rules, err = learn.Load(ctx, store, rules, c.Community, shape.Model); err != nil {
			return err
		}
		im := &tables.Importer{
			Desk: d, Record: store, Understander: rules, Shape: shape, Wording: words.For(shape.Community), Taxonomy: taxonomy.For(shape.Community), Actor: workflow.System(),
		}
		if by != "" {
			found, err := store.FindPerson(ctx, c.Community, by)
			if err != nil {
				return err
			}
			if len(found) != 1 || !found[0].Staff() {
				return usage(fmt.Errorf("--by: %d people of the staff answer to %q; want one", len(found), by))
			}
			im.Actor = workflow.By(found[0])
		}
		if c.DryRun {
			_, err := c.enter(ctx, p, im, kind, partial)
			return err
		}
		return p.audited(ctx, store, c.Community, "import.enter", "table "+string(kind), func() (string, error) {
			entered, err := c.enter(ctx, p, im, kind, partial)
			return fmt.Sprintf("%d new, %d before", entered.Fresh, entered.Before), err
		})
	})
}

// enter checks the table, says what it found, and enters it.
func (c tableArgs) enter(ctx context.Context, p *program, im *tables.Importer, kind tables.Kind, partial bool) (tables.Entered, error) {
	say := func(key string, v wording.Values) { _, _ = fmt.Fprintln(p.out, im.Wording.Say(key, v)) }
	reading := newBar(p.err, "reading")
	im.Progress = reading.show
	var checked tables.Checked
	var entered tables.Entered
	var err error
	if c.DryRun {
		checked, err = im.Check(ctx, kind, c.File)
	} else {
		checked, entered, err = im.Enter(ctx, kind, c.File, partial)
	}
	reading.done()
	for _, f := range checked.Faults {
		say("import.fault", wording.Values{"Row": f.Row, "Column": f.Column, "Says": f.Says})
	}
	if more := checked.Bad - len(checked.Faults); more > 0 {
		say("import.more_faults", wording.Values{"Count": more})
	}
	if checked.Good+checked.Bad > 0 {
		say("import.checked", wording.Values{"Good": checked.Good, "Bad": checked.Bad})
	}
	switch {
	case errors.Is(err, tables.ErrFaults), err == nil && c.DryRun && checked.Bad > 0 && !partial:
		return entered, usage(errors.New("nothing was entered: mend the rows above, or enter the others where the command has --partial"))
	case errors.Is(err, tables.ErrUnderWay), err != nil && im.Says(err) != "":
		return entered, usage(fmt.Errorf("%s: %w", c.File, err))
	case err != nil, c.DryRun:
		return entered, err
	}
	key := "import.entered"
	if kind != tables.Mailbox {
		key = "import.updated"
	}
	say(key, wording.Values{"Entered": entered.Fresh, "Before": entered.Before, "Bad": checked.Bad})
	return entered, nil
}

// writeForm writes an empty table to fill in; a file that is there stays.
func writeForm(path string, kind tables.Kind, p *program) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // an empty form holds no secret
	if errors.Is(err, os.ErrExist) {
		return usage(fmt.Errorf("--template: %s is there already; remove it or choose another name", path))
	}
	if err != nil {
		return err
	}
	err = errors.Join(tables.Template(f, kind), f.Close())
	if err == nil {
		_, _ = fmt.Fprintf(p.out, "%s is written: fill it in and give it to the same command, with --community\n", path)
	}
	return err
}

// openDesk gives a desk over the record; Redis may be away.
func (p *program) openDesk(ctx context.Context, store *postgres.Store) (*desk.Desk, func(), error) {
	s, err := p.settings(false)
	if err != nil {
		return nil, nil, err
	}
	drive, err := redis.Open(s.Redis.Reveal(), redis.Options{})
	if err != nil {
		return nil, nil, usage(err)
	}
	d := desk.New(desk.Options{Journal: store, Drive: drive, Clock: clockwork.NewRealClock()})
	if err := d.Refresh(ctx); err != nil {
		_ = drive.Close()
		return nil, nil, err
	}
	return d, func() { _ = drive.Close() }, nil
}
