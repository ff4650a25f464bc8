// Package tables is the room of the tables that a community brings as files and
// that go into its record whole: the wish mailbox, the care list, the hotline's
// complaints. It judges every cell before anything is entered, says what is wrong
// by row and column in words for whoever filled the table in, and enters nothing
// twice. The command line and the pages both import through it.
//
// What must never come in: kinds of files (storage/sheet reads them), SQL, HTTP,
// rules of tickets (workflow). What stands in cells gets into faults, which are for
// who brought the table, and never into errors or logs.
//
// Read it in this order: this file (what is promised), mailbox.go, care.go and
// hotline.go (one kind of table each).
package tables

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/storage/sheet"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Kind is what a table holds.
type Kind string

// The kinds, in the order in which they are offered.
const (
	Mailbox Kind = "mailbox" // wishes and complaints that came on paper
	Care    Kind = "care"    // who is visited in a rhythm
	Hotline Kind = "hotline" // complaints that went to 12345
)

// Kinds are all of them.
var Kinds = []Kind{Mailbox, Care, Hotline}

// kind is how one kind of table is read.
type kind struct {
	title   string // of the template's first sheet
	columns []sheet.Column
	begin   func(*Importer) reading
}

// reading is one reading of a table, from its first row to its last.
type reading interface {
	// row judges a row: its faults, by fail. A row without any is kept for put.
	row(ctx context.Context, row sheet.Row, fail fail) error
	// put enters the row that was judged last; done what is still to be entered.
	put(ctx context.Context) error
	done(ctx context.Context) (Entered, error)
}

// fail notes what is wrong with a cell: a key of the wording below import.
type fail func(column, key string, v wording.Values)

var kinds = map[Kind]kind{
	Mailbox: {"心愿信箱登记表", mailboxColumns, func(im *Importer) reading { return newMailbox(im) }},
	Care:    {"关怀名单", careColumns, func(im *Importer) reading { return &care{im: im} }},
	Hotline: {"12345 热线", hotlineColumns, func(im *Importer) reading { return &hotline{im: im, seen: map[string]bool{}} }},
}

// Template writes an empty table to fill in, as .xlsx.
func Template(w io.Writer, k Kind) error {
	return sheet.WriteTemplate(w, kinds[k].title, kinds[k].columns)
}

// Record is what tables go into besides the desk; the PostgreSQL store is one.
type Record interface {
	// Alone gives whoever asks first a name for as long as it is not released; ok
	// is false where somebody has it.
	Alone(ctx context.Context, name string) (release func(), ok bool, err error)
	// PutCare adds an entry to the care list, or changes the one of the same name
	// and place; it tells whether it is new.
	PutCare(ctx context.Context, c workflow.Care) (fresh bool, err error)
	// PutHotline keeps complaints and tells how many are new.
	PutHotline(ctx context.Context, community string, all []desk.Complaint) (fresh int, err error)
}

// Importer reads tables of one community. All fields are required but Most,
// Unpacked and Progress.
type Importer struct {
	Desk         *desk.Desk
	Record       Record
	Understander workflow.Understander
	Shape        desk.Shape
	Wording      *wording.Wording   // of the community
	Taxonomy     *workflow.Taxonomy // of the community
	Actor        workflow.Actor     // who enters them

	Most     int   // rows; 0 for any number
	Unpacked int64 // bytes of an .xlsx when unpacked; 0 for as many as package sheet takes
	// Progress is told how much of the table has been read, and how much there is.
	Progress func(done, total int64)
}

// Fault is what is wrong with one cell, in words.
type Fault struct {
	Row    int    // as the spreadsheet shows it
	Column string // its heading
	Says   string
}

// Checked is what a table was found to be.
type Checked struct {
	Good   int      // rows that can be entered
	Bad    int      // faults
	Faults []Fault  // the first 50 of them
	Spare  []string // headings that mean nothing here: their cells are not read
}

// mostFaults are told; the rest is counted.
const mostFaults = 50

// Entered is what became of the rows that could be entered.
type Entered struct {
	Fresh  int // that are new
	Before int // that were there before: not entered again, or brought up to date
}

// Refusals, to be told by errors.Is. Besides them come those of package sheet.
var (
	ErrNoRows   = errors.New("tables: the table has no rows below its headings")
	ErrTooMany  = errors.New("tables: more rows than are taken at once")
	ErrFaults   = errors.New("tables: cells are at fault; nothing was entered")
	ErrUnderWay = errors.New("tables: another import into this community is under way: wait for its end")
)

// Check judges every row; nothing is entered. A table that cannot be read as one is
// an error: see Says.
func (im *Importer) Check(ctx context.Context, k Kind, path string) (Checked, error) {
	var c Checked
	err := im.each(ctx, k, path, &c, kinds[k].begin(im), nil)
	if err == nil && c.Good == 0 && c.Bad == 0 {
		err = ErrNoRows
	}
	return c, err
}

// Enter enters what Check finds good, and what was entered before only once; with
// ErrFaults it enters nothing where anything is at fault now, unless partial. Where
// it fails in the middle it may be begun again. One import runs at a time in a
// community.
func (im *Importer) Enter(ctx context.Context, k Kind, path string, partial bool) (Checked, Entered, error) {
	alone, ok, err := im.Record.Alone(ctx, "import:"+im.Shape.Community.Code)
	if err != nil {
		return Checked{}, Entered{}, err
	}
	if !ok {
		return Checked{}, Entered{}, ErrUnderWay
	}
	defer alone()
	c, err := im.Check(ctx, k, path)
	if err == nil && c.Bad > 0 && !partial {
		err = ErrFaults
	}
	if err != nil {
		return c, Entered{}, err
	}
	r := kinds[k].begin(im)
	err = im.each(ctx, k, path, &Checked{}, r, r.put)
	e, ended := r.done(ctx)
	if err = errors.Join(err, ended); err != nil {
		return c, e, fmt.Errorf("tables: the import stopped; begun again, what is entered is not entered twice: %w", err)
	}
	return c, e, nil
}

// each reads the table from its beginning and counts what it finds; then is done
// with every good row.
func (im *Importer) each(ctx context.Context, k Kind, path string, c *Checked, r reading, then func(context.Context) error) error {
	open := func() (*sheet.Reader, error) { return sheet.Open(path, kinds[k].columns) }
	if im.Unpacked > 0 {
		open = func() (*sheet.Reader, error) { return sheet.OpenWithin(path, kinds[k].columns, im.Unpacked) }
	}
	in, err := open()
	if err != nil {
		return err
	}
	defer in.Close()
	c.Spare = in.Unknown()
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := in.Next()
		if im.Progress != nil {
			im.Progress(in.Progress())
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if im.Most > 0 && n >= im.Most {
			return ErrTooMany
		}
		before := c.Bad
		note := func(row int, column, says string) {
			if c.Bad++; c.Bad <= mostFaults {
				c.Faults = append(c.Faults, Fault{row, column, says})
			}
		}
		var cell *sheet.CellError
		switch {
		case errors.As(err, &cell):
			note(cell.Row, cell.Column, im.Says(cell.Err))
			continue
		case err != nil:
			return err
		}
		if err := r.row(ctx, row, func(column, key string, v wording.Values) {
			note(row.Number, column, im.Wording.Say("import."+key, v))
		}); err != nil {
			return err
		}
		if c.Bad > before {
			continue
		}
		c.Good++
		if then != nil {
			if err := then(ctx); err != nil {
				return err
			}
		}
	}
}

// Says is a refusal of a table or of a row in words for who brought it, "" where it
// is none of theirs.
func (im *Importer) Says(err error) string {
	var heading *sheet.HeadingError
	if errors.As(err, &heading) {
		return im.Wording.Say("import.file.heading", wording.Values{"Missing": strings.Join(heading.Missing, "、"), "Have": strings.Join(heading.Found, "、")})
	}
	for refusal, key := range map[error]string{
		sheet.ErrTable: "file.table", sheet.ErrOld: "file.old", sheet.ErrEncrypted: "file.encrypted", sheet.ErrBroken: "file.broken",
		sheet.ErrSize: "file.size", sheet.ErrWide: "file.wide", sheet.ErrEmpty: "file.empty", ErrNoRows: "file.empty", ErrTooMany: "file.many",
		ErrUnderWay: "file.under_way", sheet.ErrLong: "long", sheet.ErrQuote: "quote",
	} {
		if errors.Is(err, refusal) {
			return im.Wording.Say("import."+key, wording.Values{"Count": im.Most})
		}
	}
	return ""
}

// The columns that more than one kind of table has.
const (
	colKind     = "类型"
	colName     = "姓名"
	colPhone    = "电话"
	colPlace    = "地点"
	colText     = "内容"
	colCategory = "类别"
)

// phone is a telephone number as tables write it: with spaces, full-width dashes,
// the country's code.
func phone(cell string) string {
	return strings.NewReplacer(" ", "", "－", "-", "+86", "").Replace(cell)
}

// now is the desk's time.
func (im *Importer) now() time.Time { return im.Desk.Now() }
