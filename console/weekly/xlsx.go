package weekly

import (
	"fmt"
	"io"
	"slices"

	"github.com/xuri/excelize/v2"
)

// Book writes the report as a spreadsheet: a sheet for every table, heads frozen,
// rates as percentages and times as times, charts where the page has them, set up
// to be printed on A4.
func Book(w io.Writer, r Report) error {
	book := excelize.NewFile()
	defer book.Close()
	b := binder{book: book, r: r}
	b.bind()
	if b.failed == nil {
		b.failed = book.Write(w)
	}
	if b.failed != nil {
		return fmt.Errorf("weekly: spreadsheet: %w", b.failed)
	}
	return nil
}

// binder writes sheet after sheet and keeps the first error; what comes after it
// does no harm.
type binder struct {
	book   *excelize.File
	r      Report
	failed error
}

func (b *binder) try(err error) {
	if b.failed == nil {
		b.failed = err
	}
}

func (b *binder) style(s *excelize.Style) int {
	id, err := b.book.NewStyle(s)
	b.try(err)
	return id
}

func at(column, row int) string {
	name, _ := excelize.CoordinatesToCellName(column, row) // column and row are at least 1
	return name
}

func (b *binder) bind() {
	const first = "Sheet1" // what a new book has
	for _, t := range b.r.Tables {
		if len(t.Rows) == 0 && t.Key != "overview" {
			continue
		}
		if t.Key == "overview" {
			b.try(b.book.SetSheetName(first, t.Name))
		} else {
			_, err := b.book.NewSheet(t.Name)
			b.try(err)
		}
		wide := b.wide(t)
		b.chart(t, wide, b.sheet(wide))
	}
	b.notes()
	b.book.SetActiveSheet(0)
	b.try(b.book.SetDocProps(&excelize.DocProperties{Title: b.r.Community + " " + b.r.Week.String(), Creator: "wishdesk"}))
}

// wide is a table with what stands beside its cells in columns of their own.
func (b *binder) wide(t Table) Table {
	out := t
	out.Heads, out.Rows = nil, make([][]Cell, len(t.Rows))
	for i, h := range t.Heads {
		out.Heads = append(out.Heads, h)
		if h.Past {
			for _, name := range b.r.Past {
				out.Heads = append(out.Heads, Head{Name: h.Name + " " + name, Kind: h.Kind, Width: h.Width})
			}
		}
		for y, row := range t.Rows {
			out.Rows[y] = append(append(out.Rows[y], row[i]), row[i].Past...)
		}
	}
	return out
}

// The rows above a table: its title and a blank one; the sentences stand on the
// overview.
const above = 2

// sheet writes a table and tells in which row its head stands.
func (b *binder) sheet(t Table) int {
	bold := b.style(&excelize.Style{Font: &excelize.Font{Bold: true, Size: 14}})
	head := b.style(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E4F4EA"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}, Border: edges()})
	b.try(b.book.SetCellStr(t.Name, "A1", b.r.Community+" "+b.r.Week.String()+"("+b.r.Days+") "+t.Name))
	b.try(b.book.SetCellStyle(t.Name, "A1", "A1", bold))
	row := above
	if t.Hint != "" {
		b.try(b.book.SetCellStr(t.Name, at(1, row), t.Hint))
	}
	if t.Key == "overview" {
		for _, s := range slices.Concat([]string{b.r.Running}, b.r.Sentences, []string{b.r.Written}) {
			if s == "" {
				continue
			}
			b.try(b.book.SetCellStr(t.Name, at(1, row), s))
			row++
		}
		row++
	}
	top := row + 1
	for i, h := range t.Heads {
		column, _ := excelize.ColumnNumberToName(i + 1)
		b.try(b.book.SetColWidth(t.Name, column, column, h.Width))
		b.try(b.book.SetCellStr(t.Name, at(i+1, top), h.Name))
	}
	b.try(b.book.SetCellStyle(t.Name, at(1, top), at(len(t.Heads), top), head))
	for y, cells := range t.Rows {
		for x, c := range cells {
			b.cell(t.Name, at(x+1, top+1+y), c)
		}
	}
	panes := excelize.Panes{Freeze: true, YSplit: top, TopLeftCell: at(1, top+1), ActivePane: "bottomLeft"}
	if slices.ContainsFunc(t.Heads, func(h Head) bool { return h.Past }) { // it is wide: what a row is about stays
		panes.XSplit = max(slices.IndexFunc(t.Heads, func(h Head) bool { return h.Kind != Words }), 1)
		panes.TopLeftCell, panes.ActivePane = at(panes.XSplit+1, top+1), "bottomRight"
	}
	b.try(b.book.SetPanes(t.Name, &panes))
	b.print(t.Name)
	return top
}

func edges() []excelize.Border {
	var out []excelize.Border
	for _, side := range []string{"left", "right", "top", "bottom"} {
		out = append(out, excelize.Border{Type: side, Color: "D6D6D6", Style: 1})
	}
	return out
}

// The number formats: a percentage with one decimal, times as hours and minutes
// beyond a day, and days.
var (
	percentFormat = "0.0%"
	timeFormat    = "[h]:mm"
	dateFormat    = "yyyy-mm-dd"
)

func (b *binder) cell(sheet, at string, c Cell) {
	style := &excelize.Style{Border: edges(), Alignment: &excelize.Alignment{Vertical: "center"}}
	if c.Bad {
		style.Font = &excelize.Font{Bold: true, Color: "B3261E"}
	}
	switch c.Kind {
	case Percent:
		style.CustomNumFmt = &percentFormat
	case Duration:
		style.CustomNumFmt = &timeFormat
	case Date:
		style.CustomNumFmt = &dateFormat
	case Words, Count, Number:
	}
	if c.Value != nil {
		b.try(b.book.SetCellValue(sheet, at, c.Value))
	} else {
		b.try(b.book.SetCellStr(sheet, at, c.Text)) // a text whatever it begins with: no formula
	}
	b.try(b.book.SetCellStyle(sheet, at, at, b.style(style)))
}

// print sets a sheet up for A4, as wide as the paper.
func (b *binder) print(sheet string) {
	size, wide, tall, landscape := 9, 1, 0, "landscape" // 9 is A4 (ECMA-376, 18.3.1.63)
	b.try(b.book.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &size, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &tall}))
	fit := true
	b.try(b.book.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fit}))
}

// chart puts a table's picture beside it; wide is the table with its past in
// columns of their own.
func (b *binder) chart(t, wide Table, top int) {
	if t.Plot == nil || t.Plot.Rows == 0 {
		return
	}
	first := top + 1 + t.Plot.First
	last := first + t.Plot.Rows - 1
	quoted := "'" + t.Name + "'!"
	legend := "none"
	if len(t.Plot.Columns) > 1 {
		legend = "bottom"
	}
	var all []excelize.ChartSeries
	for _, c := range t.Plot.Columns {
		before := 0 // columns of the past further left
		for _, h := range t.Heads[:c] {
			if h.Past {
				before += len(b.r.Past)
			}
		}
		column, _ := excelize.ColumnNumberToName(c + before + 1)
		all = append(all, excelize.ChartSeries{
			Name: fmt.Sprintf("%s$%s$%d", quoted, column, top), Categories: fmt.Sprintf("%s$A$%d:$A$%d", quoted, first, last),
			Values: fmt.Sprintf("%s$%s$%d:$%s$%d", quoted, column, first, column, last),
		})
	}
	b.try(b.book.AddChart(t.Name, at(len(wide.Heads)+2, top), &excelize.Chart{
		Type: excelize.Col, Series: all, Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: t.Plot.Title}}},
		Legend: excelize.ChartLegend{Position: legend}, Dimension: excelize.ChartDimension{Width: 640, Height: 340},
	}))
}

// notes is the sheet of definitions.
func (b *binder) notes() {
	if len(b.r.Notes) == 0 {
		return
	}
	name := b.r.Notes[0].Name
	_, err := b.book.NewSheet(name)
	b.try(err)
	b.try(b.book.SetColWidth(name, "A", "A", 16))
	b.try(b.book.SetColWidth(name, "B", "B", 100))
	wrapped := b.style(&excelize.Style{Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	for i, n := range b.r.Notes {
		b.try(b.book.SetCellStr(name, at(1, i+1), n.Name))
		b.try(b.book.SetCellStr(name, at(2, i+1), n.Text))
	}
	b.try(b.book.SetCellStyle(name, "A1", at(2, len(b.r.Notes)), wrapped))
	b.print(name)
}
