package console

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// searchPage is the committee's search.
type searchPage struct {
	Asked    bool
	Q        string
	Grid     string
	Category workflow.Category
	State    string
	From     string
	Until    string
	Late     bool
	Found    []matter
	// Encoded already: as plain strings the page would escape them whole, and a
	// table would hold everything.
	Next     template.URL // the query of the next page, "" for none
	Export   template.URL // the query of this search
	Grids    []workflow.Grid
	Kinds    []kind
	Narrowed bool   // more than the box is filled in
	Bad      string // what cannot be looked for, in words
	Wrong    string // the field in which it stands, "" for none
}

// states are the choices of a search.
var states = map[string][]workflow.State{
	"open":      {workflow.Received, workflow.Classified, workflow.Assigned, workflow.Accepted},
	"resolved":  {workflow.Resolved},
	"closed":    {workflow.Closed},
	"cancelled": {workflow.Cancelled, workflow.Merged},
}

// sought is what a request looks for.
type sought struct {
	page searchPage
	want desk.Query
	by   string // number, phone, name, words, "" where the box is empty
	err  error
}

// sought reads what is looked for, once: number, name, telephone or words in one box,
// and what narrows it. What cannot be read is refused rather than left out: without it
// more would be found than was asked for.
func (q *request) sought() *sought {
	if q.seeks == nil {
		q.seeks = &sought{}
		q.seeks.err = q.seek(q.seeks)
	}
	return q.seeks
}

func (q *request) seek(s *sought) error {
	v, page := q.URL.Query(), &s.page
	*page = searchPage{Grids: q.shape.Community.Grids, Kinds: q.kinds()}
	page.Q, page.Grid, page.Category, page.State = strings.TrimSpace(v.Get("q")), v.Get("grid"), workflow.Category(v.Get("category")), v.Get("state")
	page.From, page.Until, page.Late = v.Get("from"), v.Get("until"), v.Has("late")
	page.Asked = len(v) > 0
	page.Narrowed = page.Grid+string(page.Category)+page.State+page.From+page.Until != "" || page.Late
	s.want = desk.Query{Late: page.Late, Limit: listed, States: states[page.State]}
	if r := []rune(page.Q); len(r) > 60 {
		page.Q = string(r[:60])
	}
	if text := v.Get("before"); text != "" {
		if s.want.Before = q.cursor(); s.want.Before == 0 {
			return &fault{Key: "choice"}
		}
	}
	if page.Category != "" {
		if q.voice().Taxonomy.KindOf(page.Category) == "" {
			return &fault{Field: "category", Key: "choice"}
		}
		s.want.Categories = []workflow.Category{page.Category}
	}
	if page.Grid != "" {
		if _, ok := q.shape.Community.Grid(page.Grid); !ok {
			return &fault{Field: "grid", Key: "choice"}
		}
		s.want.Grids = []string{page.Grid}
	}
	if page.State != "" && states[page.State] == nil {
		return &fault{Field: "state", Key: "choice"}
	}
	zone := q.shape.Community.Location()
	for _, bound := range []struct {
		field, text string
		days        int
		into        *time.Time
	}{{"from", page.From, 0, &s.want.From}, {"until", page.Until, 1, &s.want.Until}} {
		if bound.text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, bound.text, zone)
		if err != nil {
			return &fault{Field: bound.field, Key: "date"}
		}
		*bound.into = day.AddDate(0, 0, bound.days).UTC()
	}
	if !s.want.From.IsZero() && !s.want.Until.IsZero() && !s.want.From.Before(s.want.Until) {
		return &fault{Field: "until", Key: "dates"}
	}
	return q.seekWords(s)
}

// seekWords takes what stands in the box for a ticket's number, somebody's telephone or
// name, or words.
func (q *request) seekWords(s *sought) error {
	text, want := s.page.Q, &s.want
	if text == "" {
		return nil
	}
	digits := strings.Trim(text, "0123456789") == ""
	if n, err := strconv.ParseInt(strings.TrimSuffix(text, "号"), 10, 64); err == nil && len(text) <= 9 {
		if n <= 0 {
			return &fault{Field: "q", Key: "number"}
		}
		s.by, want.Number = "number", n
		return nil
	}
	name, phone := text, ""
	if digits && len(text) >= 7 {
		name, phone = "", text
	}
	s.by = "words"
	if n := len([]rune(name)); phone == "" && (n < 2 || n > 4) {
		want.Words = text
		return nil
	}
	found, err := q.console.o.Desk.Journal().Residents(q.Context(), q.community(), name, phone)
	if err != nil {
		return err
	}
	for _, p := range found {
		want.Reporters = append(want.Reporters, p.ID)
	}
	if name != "" {
		for _, p := range q.shape.Roster.Named(name) {
			want.Owners = append(want.Owners, p.ID)
		}
	}
	switch {
	case phone != "":
		s.by = "phone"
	case len(want.Reporters)+len(want.Owners) > 0:
		s.by = "name"
	}
	if len(want.Reporters)+len(want.Owners) == 0 {
		want.Words = text
	}
	return nil
}

// mostSought is how many people a line of the audit log names.
const mostSought = 10

// words says for the audit log what is looked for, without what was written: the kind,
// whom it found, and what narrows it.
func (s *sought) words() []string {
	var out []string
	add := func(kind, what string) {
		if what != "" {
			out = append(out, kind+" "+what)
		}
	}
	if s.by != "" {
		out = append(out, "by_"+s.by)
	}
	people := append(slices.Clone(s.want.Reporters), s.want.Owners...)
	for _, id := range people[:min(len(people), mostSought)] {
		add("person", strconv.FormatInt(int64(id), 10))
	}
	if s.err != nil {
		return out // it is refused
	}
	add("grid", s.page.Grid)
	add("category", string(s.page.Category))
	add("state", s.page.State)
	add("from", s.page.From)
	add("until", s.page.Until)
	if s.page.Late {
		out = append(out, "late")
	}
	return out
}

// search finds tickets of the whole community.
func (c *Console) search(q *request) error {
	s := q.sought()
	page := s.page
	var wrong *fault
	switch {
	case errors.As(s.err, &wrong):
		page.Wrong, page.Bad = wrong.Field, q.voice().Say("page.problem."+wrong.Key, nil)
		return q.render(http.StatusUnprocessableEntity, "search", page)
	case s.err != nil:
		return s.err
	}
	if page.Asked {
		found, err := c.o.Record.Search(q.Context(), q.community(), s.want)
		if err != nil {
			return err
		}
		if page.Found, err = q.matters(found.Tickets); err != nil {
			return err
		}
		v := q.URL.Query()
		v.Del("said")
		v.Del("before")
		page.Export = template.URL(v.Encode()) //nolint:gosec // encoded by url.Values
		if found.Next != 0 {
			v.Set("before", strconv.FormatInt(found.Next, 10))
			page.Next = template.URL(v.Encode()) //nolint:gosec // the same
		}
	}
	return q.show("search", page)
}

// each calls f with all tickets that a search finds, page by page, up to what a table
// holds; more tells whether it found more than that.
func (q *request) each(want desk.Query, f func([]workflow.Ticket) error) (more bool, err error) {
	most := q.console.exported
	want.Before = 0
	for n := 0; n < most; {
		want.Limit = min(200, most-n)
		found, err := q.console.o.Record.Search(q.Context(), q.community(), want)
		if err != nil {
			return false, err
		}
		if err := f(found.Tickets); err != nil {
			return false, err
		}
		n += len(found.Tickets)
		if want.Before = found.Next; want.Before == 0 {
			return false, nil
		}
	}
	return true, nil
}

// exported is how many tickets one table holds.
const exported = 20_000

// searchBook gives what a search finds as a table, without anybody's name,
// number or door.
func (c *Console) searchBook(q *request) error { return q.book(false) }

// searchBookNames gives it with them; the audit log has it under its own name.
func (c *Console) searchBookNames(q *request) error { return q.book(true) }

func (q *request) book(names bool) error {
	s := q.sought()
	if s.err != nil {
		return s.err
	}
	book := excelize.NewFile()
	defer book.Close()
	sheet := q.voice().Say("page.search.sheet", nil)
	if err := book.SetSheetName("Sheet1", sheet); err != nil {
		return fmt.Errorf("console: table: %w", err)
	}
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
	rows := 0
	add := func(cells []any) error { return w.SetRow("A"+strconv.Itoa(rows+2), cells) }
	try(func() error {
		more, err := q.each(s.want, func(some []workflow.Ticket) error {
			lines, err := q.lines(some, names, when)
			if err != nil {
				return err
			}
			for _, cells := range lines {
				if err := add(cells); err != nil {
					return err
				}
				rows++
			}
			return nil
		})
		if err == nil && more {
			err = add([]any{q.voice().Say("page.search.more_rows", wording.Values{"Limit": rows})})
		}
		return err
	})
	try(w.Flush)
	if err != nil {
		return fmt.Errorf("console: table: %w", err)
	}
	q.notes = append(q.notes, "rows "+strconv.Itoa(rows))
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
	people, err := q.reporters(all, names)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for i := range all {
		out = append(out, q.line(veil, &all[i], people, names, when))
	}
	return out, nil
}

func (q *request) line(veil wording.Veil, t *workflow.Ticket, people map[workflow.PersonID]workflow.Person, names bool, when int) []any {
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
		p := people[t.Reporter]
		out = append(out, p.Name, p.Phone)
	}
	return out
}

// reporters are those whose matters tickets are, nobody where no names are asked for.
func (q *request) reporters(all []workflow.Ticket, names bool) (map[workflow.PersonID]workflow.Person, error) {
	if !names {
		return nil, nil
	}
	var ids []workflow.PersonID
	for i := range all {
		if t := &all[i]; t.Reporter != 0 && !t.HidesWho(q.me) {
			ids = append(ids, t.Reporter)
		}
	}
	return q.console.o.Record.PeopleOf(q.Context(), q.community(), ids)
}
