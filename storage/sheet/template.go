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
	sheet := sheetName(title)
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	if _, err := book.NewSheet(helpSheet); err != nil {
		return err
	}
	fill := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E8EEF4"}}
	wrap := &excelize.Alignment{Vertical: "top", WrapText: true}
	var styles [5]int
	for i, style := range []excelize.Style{
		{Font: &excelize.Font{Bold: true}, Fill: fill, NumFmt: 49},
		{Font: &excelize.Font{Bold: true, Color: "C00000"}, Fill: fill, NumFmt: 49},
		{Font: &excelize.Font{Color: "808080"}, NumFmt: 49},
		{NumFmt: 49},
		{Alignment: wrap, NumFmt: 49},
	} {
		var err error
		if styles[i], err = book.NewStyle(&style); err != nil {
			return err
		}
	}
	heading, required, grey, text, wrapped := styles[0], styles[1], styles[2], styles[3], styles[4]

	// put writes a row of texts, all in one style.
	put := func(sheet string, row, style int, texts ...string) error {
		for i, t := range texts {
			cell, err := excelize.CoordinatesToCellName(i+1, row)
			if err != nil {
				return err
			}
			if err := book.SetCellStr(sheet, cell, t); err != nil {
				return err
			}
			if err := book.SetCellStyle(sheet, cell, cell, style); err != nil {
				return err
			}
		}
		return nil
	}
	freeze := func(sheet string, row int) error {
		return book.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: row,
			TopLeftCell: fmt.Sprintf("A%d", row+1), ActivePane: "bottomLeft"})
	}
	names, examples := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		names[i], examples[i] = column.Name, column.Example
		if i == 0 {
			examples[i] = exampleMark + column.Example
		}
		letter, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		if err := book.SetColStyle(sheet, letter, text); err != nil {
			return err
		}
		wide := float64(min(max(columnsWide(names[i]), columnsWide(examples[i]), 10)+3, 50))
		if err := book.SetColWidth(sheet, letter, letter, wide); err != nil {
			return err
		}
	}
	if err := put(sheet, 1, heading, names...); err != nil {
		return err
	}
	if err := put(sheet, 2, grey, examples...); err != nil {
		return err
	}
	rules := [][]string{
		{title},
		{"请在第一张表的标题行下面填写，每行一条。红色标题的列必填。灰色的示例行导入时会跳过（第一格以“示例：”开头），可以保留，也可以删除。"},
		{"列名", "必填", "怎么填", "示例", "也认这些列名"},
	}
	for i, column := range columns {
		must := "选填"
		if column.Required {
			must = "必填"
			cell, _ := excelize.CoordinatesToCellName(i+1, 1)
			if err := book.SetCellStyle(sheet, cell, cell, required); err != nil {
				return err
			}
		}
		rules = append(rules, []string{column.Name, must, column.Help, column.Example, strings.Join(column.Also, "、")})
	}
	for i, rule := range rules {
		style := wrapped
		if i == 0 || i == 2 {
			style = heading
		} else if i == 1 {
			style = text
		}
		if err := put(helpSheet, i+1, style, rule...); err != nil {
			return err
		}
	}
	for letter, wide := range map[string]float64{"A": 18, "B": 8, "C": 60, "D": 30, "E": 30} {
		if err := book.SetColWidth(helpSheet, letter, letter, wide); err != nil {
			return err
		}
	}
	if err := freeze(sheet, 1); err != nil {
		return err
	}
	return freeze(helpSheet, 3)
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

// columnsWide is how wide a text is, in letters: Chinese ones count two.
func columnsWide(s string) int {
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
