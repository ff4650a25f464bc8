package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jonboulle/clockwork"
	"golang.org/x/sync/errgroup"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/sheet"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

type importCommand struct {
	File      string `arg:"" optional:"" type:"existingfile" help:"The filled-in table: .xlsx or .csv."`
	Community string `help:"The community's code."`
	Template  string `help:"Write an empty table to fill in (.xlsx) and stop." type:"path" placeholder:"FILE"`
	Partial   bool   `help:"Enter the good rows although others are at fault."`
	DryRun    bool   `help:"Only check."`
	By        string `help:"Who enters it: a member of the staff, by name or key; the desk itself if empty."`
}

// The columns of the table.
const (
	colNumber   = "编号"
	colKind     = "类型"
	colName     = "姓名"
	colPhone    = "电话"
	colPlace    = "地点"
	colText     = "内容"
	colCategory = "类别"
	colSource   = "来源"
)

var importColumns = []sheet.Column{
	{Name: colNumber, Also: []string{"信箱编号", "登记号"}, Example: "2026-001", Help: "信箱里的编号;有编号的,同一个编号只登记一次。不是表格里的序号"},
	{Name: colKind, Example: "心愿", Help: "心愿 或 诉求;不填由系统判断"},
	{Name: colName, Also: []string{"居民", "居民姓名", "联系人"}, Required: true, Example: "王桂英", Help: "谁的心愿或诉求"},
	{Name: colPhone, Also: []string{"联系电话", "手机", "手机号"}, Example: "13800138000", Help: "手机或带区号的座机;没有可以不填"},
	{Name: colPlace, Also: []string{"地址", "住址"}, Example: "毕家洼西区12号楼3单元402", Help: "小区、楼号、单元、房号;诉求必须写到楼"},
	{Name: colText, Also: []string{"心愿", "心愿内容", "诉求", "诉求内容"}, Required: true, Example: "想学用智能手机", Help: "用居民自己的话写"},
	{Name: colCategory, Example: "助老", Help: "如 助老、管道排水;不填由系统判断"},
	{Name: colSource, Example: "心愿信箱", Help: "心愿信箱、心愿墙、走访;只作记录"},
}

// Run checks every row first and enters nothing unless all are good, or
// --partial says so.
func (c importCommand) Run(ctx context.Context, p *program) error {
	if c.Template != "" {
		return writeForm(c.Template, "心愿信箱登记表", importColumns, p)
	}
	if c.File == "" || c.Community == "" {
		return usage(errors.New("which file, into which community? wishdesk import FILE --community CODE; --template FILE writes an empty one"))
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
		alone, ok, err := store.Alone(ctx, "import:"+c.Community)
		if err != nil {
			return err
		}
		if !ok {
			return usage(errors.New("another import into this community is under way: wait for its end"))
		}
		defer alone()
		im := &importing{p: p, c: c, desk: d, shape: shape, rules: rules, words: words.For(shape.Community), taxonomy: taxonomy.For(shape.Community), actor: workflow.System()}
		if c.By != "" {
			found, err := store.FindPerson(ctx, c.Community, c.By)
			if err != nil {
				return err
			}
			if len(found) != 1 || !found[0].Staff() {
				return usage(fmt.Errorf("--by: %d people of the staff answer to %q; want one", len(found), c.By))
			}
			im.actor = workflow.By(found[0])
		}
		return im.run(ctx)
	})
}

// writeForm writes an empty table to fill in; a file that is there stays.
func writeForm(path, title string, columns []sheet.Column, p *program) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // an empty form holds no secret
	if errors.Is(err, os.ErrExist) {
		return usage(fmt.Errorf("--template: %s is there already; remove it or choose another name", path))
	}
	if err != nil {
		return err
	}
	err = errors.Join(sheet.WriteTemplate(f, title, columns), f.Close())
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

// importing is one import under way.
type importing struct {
	p        *program
	c        importCommand
	desk     *desk.Desk
	shape    desk.Shape
	rules    *understand.Rules
	words    *wording.Wording
	taxonomy *workflow.Taxonomy
	actor    workflow.Actor
}

// fault is what is wrong with one cell.
type fault struct {
	row    int
	column string
	says   string
}

// mostFaults are shown; the rest is counted.
const mostFaults = 50

func (im *importing) run(ctx context.Context) error {
	good, bad := 0, 0
	err := im.each(ctx, "checking", func(row sheet.Row, faults []fault) error {
		if len(faults) > 0 {
			for _, f := range faults {
				if bad++; bad <= mostFaults {
					_, _ = fmt.Fprintf(im.p.out, "%s\n", im.words.Say("import.fault", wording.Values{"Row": f.row, "Column": f.column, "Says": f.says}))
				}
			}
			return nil
		}
		_, faults, err := im.entry(ctx, row)
		if err != nil {
			return err
		}
		for _, f := range faults {
			if bad++; bad <= mostFaults {
				_, _ = fmt.Fprintf(im.p.out, "%s\n", im.words.Say("import.fault", wording.Values{"Row": f.row, "Column": f.column, "Says": f.says}))
			}
		}
		if len(faults) == 0 {
			good++
		}
		return nil
	})
	if err != nil {
		return err
	}
	say := func(key string, v wording.Values) { _, _ = fmt.Fprintln(im.p.out, im.words.Say(key, v)) }
	if bad > mostFaults {
		say("import.more_faults", wording.Values{"Count": bad - mostFaults})
	}
	say("import.checked", wording.Values{"Good": good, "Bad": bad})
	switch {
	case good == 0 && bad == 0:
		return usage(errors.New("the table has no rows below its headings"))
	case bad > 0 && !im.c.Partial:
		return usage(errors.New("nothing was entered: mend the rows above, or enter the others with --partial"))
	case im.c.DryRun:
		return nil
	}
	entered, before, err := im.enter(ctx)
	say("import.entered", wording.Values{"Entered": entered, "Before": before, "Bad": bad})
	if err != nil {
		return fmt.Errorf("the import stopped; run it again, what is entered is not entered twice: %w", err)
	}
	return nil
}

// each reads the table from its beginning, with a bar, and gives every row, or
// the faults for which it cannot be read.
func (im *importing) each(ctx context.Context, doing string, f func(sheet.Row, []fault) error) error {
	r, err := sheet.Open(im.c.File, importColumns)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", im.c.File, err))
	}
	defer r.Close()
	bar := newBar(im.p.err, doing)
	defer bar.done()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := r.Next()
		bar.show(r.Progress())
		if errors.Is(err, io.EOF) {
			return nil
		}
		var faults []fault
		var cell *sheet.CellError
		if errors.As(err, &cell) {
			faults = []fault{{cell.Row, cell.Column, cell.Err.Error()}}
		} else if err != nil {
			return usage(fmt.Errorf("%s: %w", im.c.File, err))
		}
		if err := f(row, faults); err != nil {
			return err
		}
	}
}

// phoneNumber is a mobile number, or a fixed one with its area code.
var phoneNumber = regexp.MustCompile(`^(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8})$`)

// entry is a row as it will be entered, or all that is wrong with it.
func (im *importing) entry(ctx context.Context, row sheet.Row) (desk.Entry, []fault, error) {
	var faults []fault
	fail := func(column, key string, v wording.Values) {
		faults = append(faults, fault{row.Number, column, im.words.Say("import."+key, v)})
	}
	e := desk.Entry{Name: row.Get(colName), Phone: strings.NewReplacer(" ", "", "－", "-", "+86", "").Replace(row.Get(colPhone))}
	text, where := row.Get(colText), row.Get(colPlace)
	switch n := utf8.RuneCountInString(e.Name); {
	case n == 0:
		fail(colName, "no_name", nil)
	case n > 20:
		fail(colName, "long_name", nil)
	}
	if e.Phone != "" && !phoneNumber.MatchString(e.Phone) {
		fail(colPhone, "phone", wording.Values{"Have": e.Phone})
	}
	if text == "" {
		fail(colText, "no_text", nil)
	}
	u, err := im.rules.Understand(ctx, im.shape.Community, workflow.Words{Text: text})
	if err != nil {
		return e, nil, err
	}
	cmd := workflow.Command{Actor: im.actor, Text: text, Source: workflow.SourceMailbox, Place: u.Place, Kind: u.Kind, Category: u.Category, Severity: u.Severity, Danger: u.Danger}
	if where != "" {
		at, err := im.rules.Understand(ctx, im.shape.Community, workflow.Words{Text: where})
		if err != nil {
			return e, nil, err
		}
		switch cmd.Place = at.Place; {
		case at.PlaceProblem == "no_such_building":
			fail(colPlace, "no_such_building", wording.Values{"Have": where})
		case at.PlaceProblem == "which_estate":
			fail(colPlace, "which_estate", wording.Values{"Have": where, "Estates": strings.Join(at.Estates, "、")})
		case !at.Place.Known():
			fail(colPlace, "place", wording.Values{"Have": where})
		}
	}
	im.kinds(row, &cmd, u, fail)
	if cmd.Kind == workflow.Incident && !cmd.Place.Known() && cmd.Severity != workflow.Emergency && where == "" {
		fail(colPlace, "incident_place", nil)
	}
	if from := row.Get(colSource); from != "" {
		cmd.Text += "\n(" + from + ")"
	}
	e.Command, e.ID = cmd, entryID(row)
	return e, faults, nil
}

// kinds takes the kind and category that the row names over what was
// understood.
func (im *importing) kinds(row sheet.Row, cmd *workflow.Command, u workflow.Understanding, fail func(column, key string, v wording.Values)) {
	switch kind := row.Get(colKind); kind {
	case "":
		if cmd.Kind != workflow.Incident {
			cmd.Kind = workflow.Wish // who writes to the mailbox wishes something
		}
	case im.taxonomy.Kinds[workflow.Wish]:
		cmd.Kind = workflow.Wish
	case im.taxonomy.Kinds[workflow.Incident]:
		cmd.Kind = workflow.Incident
	default:
		fail(colKind, "kind", wording.Values{"Have": kind})
	}
	if word := row.Get(colCategory); word != "" {
		category, kind, ok := im.taxonomy.Find(word)
		switch {
		case !ok:
			fail(colCategory, "category", wording.Values{"Have": word})
		case row.Get(colKind) != "" && kind != cmd.Kind:
			fail(colCategory, "category_of_other_kind", wording.Values{"Have": word, "Kind": im.taxonomy.Kinds[kind]})
		default:
			cmd.Category, cmd.Kind = category, kind
		}
	} else if _, kind, ok := im.taxonomy.Find(string(u.Category)); !ok || kind != cmd.Kind {
		cmd.Category = workflow.OtherIncident
		if cmd.Kind == workflow.Wish {
			cmd.Category = workflow.OtherWish
		}
	}
	if cmd.Severity == "" {
		cmd.Severity = workflow.Minor
	}
}

// entryID is the same for the same row: its own number with the name, or all
// that it says.
func entryID(row sheet.Row) string {
	key := "number\x00" + row.Get(colNumber) + "\x00" + row.Get(colName)
	if row.Get(colNumber) == "" {
		key = "row"
		for _, c := range []string{colKind, colName, colPhone, colPlace, colText} {
			key += "\x00" + row.Get(c)
		}
	}
	sum := sha256.Sum256([]byte(key))
	return "entry:" + hex.EncodeToString(sum[:16])
}

// entering is how many rows are entered side by side; those of one resident
// one after the other, so that nobody is made twice.
const entering = 32

// enter enters the good rows; what was entered before is counted apart.
func (im *importing) enter(ctx context.Context) (entered, before int64, err error) {
	var fresh, known atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	lanes := make([]chan desk.Entry, entering)
	for i := range lanes {
		lanes[i] = make(chan desk.Entry, 4)
		g.Go(func() error {
			for e := range lanes[i] {
				_, ok, err := im.desk.Enter(ctx, im.c.Community, e)
				if err != nil {
					return err
				}
				if ok {
					fresh.Add(1)
				} else {
					known.Add(1)
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer func() {
			for _, l := range lanes {
				close(l)
			}
		}()
		return im.each(ctx, "entering", func(row sheet.Row, faults []fault) error {
			if len(faults) > 0 {
				return nil
			}
			e, faults, err := im.entry(ctx, row)
			if err != nil || len(faults) > 0 {
				return err
			}
			h := fnv.New32a()
			_, _ = h.Write([]byte(e.Name + "\x00" + e.Phone))
			select {
			case lanes[h.Sum32()%entering] <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	err = g.Wait()
	return fresh.Load(), known.Load(), err
}

// bar shows how far something is: drawn over itself on a terminal, a line at
// every tenth elsewhere.
type bar struct {
	mu       sync.Mutex
	out      io.Writer
	doing    string
	terminal bool
	shown    int64
	last     time.Time
}

func newBar(out io.Writer, doing string) *bar {
	b := &bar{out: out, doing: doing, shown: -1}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

func (b *bar) show(done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	percent := done * 100 / total
	if b.terminal {
		if percent == b.shown || time.Since(b.last) < 100*time.Millisecond {
			return
		}
		b.shown, b.last = percent, time.Now()
		_, _ = fmt.Fprintf(b.out, "\r%s [%-40s] %3d%%", b.doing, strings.Repeat("=", int(percent*40/100)), percent)
		return
	}
	if tenth := percent / 10; tenth > b.shown {
		b.shown = tenth
		_, _ = fmt.Fprintf(b.out, "%s %d%%\n", b.doing, percent)
	}
}

func (b *bar) done() {
	if b.terminal {
		_, _ = fmt.Fprintf(b.out, "\r%s [%s] 100%%\n", b.doing, strings.Repeat("=", 40))
	}
}
