// Package sheet is the room of tables that come as files: it reads .xlsx and
// .csv row by row, however many rows there are, and writes the empty .xlsx
// that people fill in. Columns are told by their headings, in whatever order
// they stand; cells come as the text that a person sees.
//
// What must never come in: what a table is about (tickets, wishes, residents:
// the caller names its columns and judges their cells), the database, the
// network. What stands in cells never gets into errors, but for HeadingError.
//
// Read it in this order: this file (what is promised), csv.go and xlsx.go (the
// two kinds of file), template.go (what is written).
package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// The limits, against files that would take the machine down.
const (
	maxFile     = 512 << 20 // bytes of the file
	maxUnzipped = 4 << 30   // bytes of an .xlsx when unpacked
	maxColumns  = 200       // columns of the heading; of rows, what is further right is not read
	maxCell     = 10_000    // characters of a cell
	maxHeading  = 10        // rows that are not blank, in which the heading is looked for
)

// Open's refusals, to be told by errors.Is; besides them *HeadingError. They
// are final: the same file is refused again.
var (
	ErrTable     = errors.New("sheet: not a table: save it as .xlsx or .csv with Excel or WPS")
	ErrOld       = errors.New("sheet: a table of the old kind (.xls, .et): open it and save it as .xlsx")
	ErrEncrypted = errors.New("sheet: protected by a password: open it, take the password off and save it as .xlsx")
	ErrBroken    = errors.New("sheet: damaged or unusual: open it with Excel or WPS and save it again as .xlsx")
	ErrSize      = errors.New("sheet: too large (512 MB, unpacked 4 GB): split it into several files")
	ErrWide      = errors.New("sheet: more than 200 columns: delete those that are not needed")
	ErrEmpty     = errors.New("sheet: no row holds anything")
)

// HeadingError means that no row at the top holds all required headings. What
// it found may be anything, so it is for whom the file belongs to, not for logs.
type HeadingError struct {
	Missing []string // names of required columns
	Found   []string // headings of the row that came nearest, as they stand there
}

func (e *HeadingError) Error() string {
	return fmt.Sprintf("sheet: headings missing: %s; found: %s: name the columns so, or fill in the template",
		strings.Join(e.Missing, ", "), strings.Join(e.Found, ", "))
}

// The faults of a row, wrapped in *CellError.
var (
	ErrLong  = errors.New("longer than 10,000 characters: shorten it")
	ErrQuote = errors.New("begins with a quotation mark that is never closed, so that all rows below belong to it: close it")
)

// CellError is a fault of one row. The rows after it can be read.
type CellError struct {
	Row    int    // as the spreadsheet shows it
	Column string // its heading
	Err    error  // ErrLong, ErrQuote
}

func (e *CellError) Error() string {
	return fmt.Sprintf("sheet: row %d, column %s: %v", e.Row, e.Column, e.Err)
}

// Unwrap gives the reason.
func (e *CellError) Unwrap() error { return e.Err }

// Column is what a caller wants to find in a table.
type Column struct {
	Name     string   // its heading, by which Row.Get knows it
	Also     []string // other headings that mean the same
	Required bool     // without its heading a table is refused; its cells may still be empty
	Example  string   // for the template: a cell as it should be
	Help     string   // for the template: what belongs there, one or two sentences
}

// Row is one row of a table. It may be kept.
type Row struct {
	Number int // as the spreadsheet shows it, from 1
	cells  []string
	at     map[string]int
}

// Get gives the cell of the column that has this Name, without spaces around
// it and without invisible characters; line breaks are "\n". It is empty where
// the cell is, or where the table has no such column. Dates are
// "2006-01-02 15:04", "2006-01-02" or "15:04", as the cell shows date or time.
func (r Row) Get(name string) string {
	if i, ok := r.at[name]; ok {
		return r.cells[i]
	}
	return ""
}

// source is a kind of file. Closing the file itself is the Reader's.
type source interface {
	// next gives the next row that is not blank and its number, or io.EOF. The
	// cells are not clean yet.
	next() (number int, cells []string, err error)
	progress() (done, total int64)
	close() error
}

// Reader reads a table. It is not safe for concurrent use.
type Reader struct {
	source
	file    *os.File
	columns []Column
	most    uint64         // bytes of an .xlsx when unpacked
	at      map[string]int // of a column's name in columns
	place   []int          // of each column in a row, -1 where the table has it not
	unknown []string
}

// Open opens a table and finds its heading: the first of the top ten rows that
// holds the headings of all required columns, so that titles above it do no
// harm. Spaces, case, full width and the marks * and : around a heading do not
// count. The content decides what kind of file it is, not its name. Of an .xlsx
// the first visible sheet that holds anything is read; formulas are not
// reckoned anew. A .csv may be in UTF-8, UTF-16 with its mark or GB18030, and
// separated by commas, semicolons or tabs.
//
// The file is gone through once here: a million rows of .csv take a second, of
// .xlsx some ten. An .xlsx is unpacked to os.TempDir until Close, and 40 bytes
// are held in memory for each different text in it.
func Open(path string, columns []Column) (*Reader, error) {
	return OpenWithin(path, columns, maxUnzipped)
}

// OpenWithin is Open for a table that is not to be larger than so many bytes when
// unpacked: for one that came from outside, or a few that are read side by side.
func OpenWithin(path string, columns []Column, most int64) (*Reader, error) {
	file, err := os.Open(path) //nolint:gosec // the caller names the file to be read
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	r := &Reader{file: file, columns: columns, most: uint64(min(most, maxUnzipped))}
	if err := r.open(); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Reader) open() error {
	info, err := r.file.Stat()
	if err != nil {
		return fmt.Errorf("sheet: %w", err)
	}
	begin := make([]byte, 4096)
	n, err := r.file.ReadAt(begin, 0)
	begin = begin[:n]
	switch {
	case !info.Mode().IsRegular():
		return ErrTable
	case info.Size() > maxFile:
		return ErrSize
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("sheet: %w", err)
	case n == 0:
		return ErrEmpty
	case bytes.HasPrefix(begin, []byte("PK\x03\x04")):
		if r.source, err = openXLSX(r.file, info.Size(), r.most); err != nil {
			return err
		}
		_, err = r.find()
		return err
	case bytes.HasPrefix(begin, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return compound(r.file)
	}
	coding, err := codingOf(r.file, begin)
	if err != nil {
		return err
	}
	// The separator is the one by which most headings are found.
	best, most := byte(0), -1
	for _, separator := range ",\t;" {
		r.source = openCSV(r.file, info.Size(), coding, byte(separator))
		if found, _ := r.find(); found > most {
			best, most = byte(separator), found
		}
	}
	r.source = openCSV(r.file, info.Size(), coding, best)
	_, err = r.find()
	return err
}

// find looks for the heading. It gives how many columns it found.
func (r *Reader) find() (found int, err error) {
	var nearest *HeadingError
	for range maxHeading {
		_, cells, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return found, err
		}
		if len(cells) > maxColumns {
			return found, ErrWide
		}
		n, missing := r.head(cells)
		if n > 0 && len(missing) == 0 {
			return n, nil
		}
		if nearest == nil || n > found {
			nearest, found = &HeadingError{Missing: missing, Found: headings(cells)}, n
		}
	}
	if nearest == nil {
		return 0, ErrEmpty
	}
	return found, nearest
}

// head takes a row for the heading. A column's Name goes before what others
// call so too.
func (r *Reader) head(cells []string) (found int, missing []string) {
	keys, taken := make([]string, len(cells)), make([]bool, len(cells))
	for i, cell := range cells {
		keys[i] = key(cell)
	}
	r.at, r.place, r.unknown = map[string]int{}, make([]int, len(r.columns)), nil
	claim := func(column int, names ...string) {
		for _, name := range names {
			i := slices.Index(keys, key(name))
			if r.place[column] < 0 && i >= 0 && keys[i] != "" && !taken[i] {
				r.place[column], taken[i] = i, true
				found++
			}
		}
	}
	for i, column := range r.columns {
		r.at[column.Name], r.place[i] = i, -1
		claim(i, column.Name)
	}
	for i, column := range r.columns {
		if claim(i, column.Also...); r.place[i] < 0 && column.Required {
			missing = append(missing, column.Name)
		}
	}
	for i := range cells {
		if !taken[i] {
			r.unknown = append(r.unknown, headings(cells[i:i+1])...)
		}
	}
	return found, missing
}

// key is what headings are compared by.
func key(heading string) string {
	s := strings.ToLower(width.Fold.String(clean(heading)))
	return strings.Trim(strings.Join(strings.Fields(s), ""), "*:")
}

// headings gives what may be shown of a row of headings.
func headings(cells []string) (shown []string) {
	for _, cell := range cells {
		if cell = clean(cell); cell == "" {
			continue
		}
		if runes := []rune(cell); len(runes) > 40 {
			cell = string(runes[:40]) + "…"
		}
		shown = append(shown, cell)
	}
	return shown
}

// Unknown gives the headings that no column claims, as they stand in the
// table, cut after 40 characters. Their cells are not read.
func (r *Reader) Unknown() []string { return r.unknown }

// Next gives the next row, or io.EOF after the last. Rows with nothing in the
// columns that were asked for are skipped, and so is the template's example.
// *CellError is a fault of that row only (its Number is given) and Next may be
// called again; any other error is final.
func (r *Reader) Next() (Row, error) {
	for {
		number, cells, err := r.next()
		row := Row{Number: number, cells: make([]string, len(r.columns)), at: r.at}
		if fault := (*CellError)(nil); errors.As(err, &fault) {
			return row, fault
		}
		if err != nil {
			return Row{}, err
		}
		if isExample(cells) {
			continue
		}
		filled := false
		for i, place := range r.place {
			if place < 0 || place >= len(cells) {
				continue
			}
			cell := clean(cells[place])
			if len(cells[place]) > maxCell*utf8.UTFMax || utf8.RuneCountInString(cell) > maxCell {
				return row, &CellError{Row: number, Column: r.columns[i].Name, Err: ErrLong}
			}
			row.cells[i] = cell
			filled = filled || cell != ""
		}
		if filled {
			return row, nil
		}
	}
}

// Progress gives how much of the table has been read and how much there is:
// bytes of a .csv, rows of an .xlsx. total is 1 at least.
func (r *Reader) Progress() (done, total int64) {
	done, total = r.progress()
	total = max(total, 1)
	return min(done, total), total
}

// Close ends the reading and removes the temporary files.
func (r *Reader) Close() error {
	err := r.file.Close()
	if r.source != nil {
		err = errors.Join(err, r.close())
	}
	if err != nil {
		return fmt.Errorf("sheet: %w", err)
	}
	return nil
}

// clean takes off the spaces around a text, full-width and non-breaking ones
// too, and everywhere what cannot be seen, such as the marks of direction that
// telephones put around numbers copied from their contacts.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	s = strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r == '\u200c' || r == '\u200d' || r == '\u2800'
	})
}

func invisible(r rune) bool {
	switch {
	case r < 0x20:
		return r != '\n' && r != '\t'
	case r < 0x7f:
		return false
	case r == '\u200c', r == '\u200d', r >= 0xe0020 && r <= 0xe007f:
		return false // they hold emoji and some scripts together
	case r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0':
		return true // empty letters
	}
	return unicode.In(r, unicode.Cf, unicode.Cc) && r != '\u0085'
}
