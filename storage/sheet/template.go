package sheet

import (
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/width"
)

// exampleMark is how the first filled cell of the template's example row
// begins. Rows that begin so, with either colon, are not read.
const exampleMark = "示例："

func isExample(cells []string) bool {
	for _, cell := range cells {
		if cell = clean(cell); cell != "" {
			return strings.HasPrefix(cell, exampleMark) || strings.HasPrefix(cell, "示例:")
		}
	}
	return false
}

// WriteTemplate writes an .xlsx for people to fill in: a sheet with the
// headings (frozen and bold, required ones red), an example row in grey whose
// first cell begins with 示例： (Next skips it), and a sheet 说明 that tells
// what belongs into each column. title names the first sheet. All cells are
// text, so that long numbers and leading zeros stay as they are typed.
func WriteTemplate(w io.Writer, title string, columns []Column) error {
	book := excelize.NewFile()
	defer book.Close()
	if err := template(book, title, columns); err != nil {
		return fmt.Errorf("sheet: template: %w", err)
	}
	if err := book.Write(w); err != nil {
		return fmt.Errorf("sheet: template: %w", err)
	}
	return nil
}

const helpSheet = "说明"

func template(book *excelize.File, title string, columns []Column) error {
	const text = 49 // the number format of cells that stay as they are typed
	fill := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E8EEF4"}}
	heading := &excelize.Style{Font: &excelize.Font{Bold: true}, Fill: fill, NumFmt: text}
	required := &excelize.Style{Font: &excelize.Font{Bold: true, Color: "C00000"}, Fill: fill, NumFmt: text}
	grey := &excelize.Style{Font: &excelize.Font{Color: "808080"}, NumFmt: text}
	plain := &excelize.Style{NumFmt: text}
	wrapped := &excelize.Style{Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}, NumFmt: text}

	var failed error // the first; what comes after it does no harm
	try := func(err error) {
		if failed == nil {
			failed = err
		}
	}
	style := func(s *excelize.Style) int {
		id, err := book.NewStyle(s)
		try(err)
		return id
	}
	put := func(sheet string, column, row int, value string, s *excelize.Style) {
		cell, err := excelize.CoordinatesToCellName(column, row)
		try(err)
		try(book.SetCellStr(sheet, cell, value))
		try(book.SetCellStyle(sheet, cell, cell, style(s)))
	}
	freeze := func(sheet string, rows int) {
		try(book.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: rows, TopLeftCell: fmt.Sprintf("A%d", rows+1), ActivePane: "bottomLeft"}))
	}

	sheet := sheetName(title)
	try(book.SetSheetName("Sheet1", sheet))
	_, err := book.NewSheet(helpSheet)
	try(err)
	put(helpSheet, 1, 1, title, heading)
	put(helpSheet, 1, 2, "请在第一张表的标题行下面填写，每行一条。红色标题的列必填。灰色的示例行（第一格以“示例：”开头）导入时会跳过，可以保留，也可以删除。", plain)
	for i, name := range []string{"列名", "必填", "怎么填", "示例", "也认这些列名"} {
		put(helpSheet, i+1, 3, name, heading)
		letter, _ := excelize.ColumnNumberToName(i + 1)
		try(book.SetColWidth(helpSheet, letter, letter, []float64{18, 8, 60, 30, 30}[i]))
	}
	for i, column := range columns {
		must, name, example := "选填", heading, column.Example
		if column.Required {
			must, name = "必填", required
		}
		if i == 0 {
			example = exampleMark + example
		}
		letter, err := excelize.ColumnNumberToName(i + 1)
		try(err)
		try(book.SetColStyle(sheet, letter, style(plain)))
		try(book.SetColWidth(sheet, letter, letter, float64(min(max(letters(column.Name), letters(example), 10)+3, 50))))
		put(sheet, i+1, 1, column.Name, name)
		put(sheet, i+1, 2, example, grey)
		for j, value := range []string{column.Name, must, column.Help, column.Example, strings.Join(column.Also, "、")} {
			put(helpSheet, j+1, i+4, value, wrapped)
		}
	}
	freeze(sheet, 1)
	freeze(helpSheet, 3)
	return failed
}

// sheetName makes a title fit to name a sheet: Excel takes 31 characters and
// not these.
func sheetName(title string) string {
	name := []rune(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'：＼／？＊［］`, r) {
			return ' '
		}
		return r
	}, title))
	s := strings.TrimSpace(string(name[:min(len(name), 28)]))
	if s == "" || s == helpSheet {
		return "填写"
	}
	return s
}

// letters is how wide a text is, in letters: Chinese ones count two.
func letters(s string) int {
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
