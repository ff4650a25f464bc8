package weekly

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/width"
)

// Text writes the report as plain text, tables in columns.
func Text(w io.Writer, r Report) error {
	b := bufio.NewWriter(w)
	line := func(format string, a ...any) { _, _ = fmt.Fprintf(b, format+"\n", a...) } // the writer keeps its first error
	line("%s %s(%s)", r.Community, r.Week, r.Days)
	if r.Running != "" {
		line("%s", r.Running)
	}
	for i, s := range r.Sentences {
		line("%d. %s", i+1, s)
	}
	if r.Written != "" {
		line("%s", r.Written)
	}
	for _, t := range r.Tables {
		if len(t.Rows) == 0 {
			continue
		}
		line("\n【%s】%s", t.Name, t.Hint)
		grid := [][]string{nil}
		for _, h := range t.Heads {
			grid[0] = append(grid[0], h.Name)
		}
		for _, row := range t.Rows {
			var texts []string
			for _, c := range row {
				if c.Bad {
					c.Text += " !"
				}
				if len(c.Past) > 0 {
					c.Text += " (" + c.Past[0].Text + ", " + c.Past[1].Text + ")"
				}
				texts = append(texts, c.Text)
			}
			grid = append(grid, texts)
		}
		widths := make([]int, len(t.Heads))
		for _, row := range grid {
			for i, s := range row {
				widths[i] = max(widths[i], columns(s))
			}
		}
		for _, row := range grid {
			var out strings.Builder
			for i, s := range row {
				out.WriteString(s + strings.Repeat(" ", widths[i]-columns(s)+2))
			}
			line("%s", strings.TrimRight(out.String(), " "))
		}
	}
	line("")
	for _, n := range r.Notes {
		line("%s:%s", n.Name, n.Text)
	}
	return b.Flush()
}

// columns is how wide a terminal shows a text: Chinese takes two (Unicode,
// UAX #11).
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
