package console

import (
	"fmt"
	"strconv"

	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// exported is how many tickets one table holds.
const exported = 20_000

// searchBook gives what a search finds as a table, without anybody's name,
// number or door.
func (c *Console) searchBook(q *request) error { return q.book(false) }

// searchBookNames gives it with them; the audit log has it under its own name.
func (c *Console) searchBookNames(q *request) error { return q.book(true) }

func (q *request) book(names bool) error {
	var page searchPage
	want, err := q.searchOf(&page)
	if err != nil {
		return err
	}
	book := excelize.NewFile()
	defer book.Close()
	const sheet = "Sheet1"
	w, err := book.NewStreamWriter(sheet)
	if err != nil {
		return fmt.Errorf("console: table: %w", err)
	}
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E4F4EA"}}})
	if err != nil {
		return fmt.Errorf("console: table: %w", err)
	}
	format := "yyyy-mm-dd hh:mm"
	when, err := book.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		return fmt.Errorf("console: table: %w", err)
	}
	heads := []string{"number", "kind", "category", "severity", "state", "grid", "place", "owner", "filed", "resolved", "rating", "text"}
	if names {
		heads = append(heads, "name", "phone")
	}
	cells := make([]any, len(heads))
	for i, h := range heads {
		cells[i] = excelize.Cell{StyleID: bold, Value: q.voice().Say("page.column."+h, nil)}
	}
	try := func(f func() error) {
		if err == nil {
			err = f()
		}
	}
	for i, width := range []float64{9, 8, 14, 8, 18, 16, 24, 12, 17, 17, 10, 60} {
		try(func() error { return w.SetColWidth(i+1, i+1, width) })
	}
	try(func() error {
		return w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	})
	try(func() error { return w.SetRow("A1", cells) })
	row := 2
	try(func() error {
		return q.each(want, func(page []workflow.Ticket) error {
			lines, err := q.lines(page, names, when)
			for _, cells := range lines {
				try(func() error { return w.SetRow("A"+strconv.Itoa(row), cells) })
				row++
			}
			return err
		})
	})
	try(w.Flush)
	if err != nil {
		return fmt.Errorf("console: table: %w", err)
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	h.Set("Content-Disposition", `attachment; filename="`+q.community()+"-"+q.now.In(q.shape.Community.Location()).Format("20060102")+`.xlsx"`)
	return book.Write(q.w)
}

// lines are some tickets as a table has them. Texts stay texts, whatever they begin
// with: no cell becomes a formula.
func (q *request) lines(all []workflow.Ticket, names bool, when int) ([][]any, error) {
	numbers := make([]int64, len(all))
	for i := range all {
		numbers[i] = all[i].Number
	}
	veil, err := q.voice().Veil(q.Context(), q.console.o.Desk.Journal(), numbers...)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for i := range all {
		cells, err := q.line(veil, &all[i], names, when)
		if err != nil {
			return nil, err
		}
		out = append(out, cells)
	}
	return out, nil
}

func (q *request) line(veil wording.Veil, t *workflow.Ticket, names bool, when int) ([]any, error) {
	m := q.behind(veil, t)
	zone := q.shape.Community.Location()
	place := t.Place
	text := m.Text
	if !names {
		place.Unit, place.Room, place.Detail = 0, "", ""
		text = veil.Masked(t.Number, text)
	}
	if t.HidesWho(q.me) {
		place.Building, place.Landmark = 0, ""
	}
	out := []any{
		t.Number, q.voice().Taxonomy.Kinds[t.Kind], m.What, q.voice().Taxonomy.Severities[t.Severity], m.StateLabel, m.Grid, place.String(), m.Owner,
		excelize.Cell{StyleID: when, Value: t.FiledAt.In(zone)}, "", "", text,
	}
	if !t.ResolvedAt.IsZero() && (t.State == workflow.Resolved || t.State == workflow.Closed) {
		out[9] = excelize.Cell{StyleID: when, Value: t.ResolvedAt.In(zone)}
	}
	if t.Rating != "" {
		out[10] = q.voice().Say("choice."+string(t.Rating), nil)
	}
	if names && t.Reporter != 0 && !t.HidesWho(q.me) {
		p, err := q.console.o.Desk.Journal().Person(q.Context(), q.community(), t.Reporter)
		if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
			return nil, err
		}
		out = append(out, p.Name, p.Phone)
	}
	return out, nil
}
