package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/property"
)

// scored is a line of a sheet as the page has it.
type scored struct {
	property.Line
	Where  string
	Link   string // of the ticket
	Photos []string
	May    bool // it may be objected to
}

// causeOf are the lines of one cause, and what they come to.
type causeOf struct {
	property.Sum
	Name  string
	Lines []scored
}

// objected is an objection with the line that it is about, and what came of it in words.
type objected struct {
	property.Objection
	About  string
	Points int
	Who    string
	Result string
}

// PropertyTitle is what the page of the property company is called: where nothing is scored it
// has its inspections alone.
func (v view) PropertyTitle() string {
	if v.shape.Community.Property.Score == nil {
		return v.Say("page.menu.inspections")
	}
	return v.Say("page.menu.property")
}

// inspecting is how far the inspections have come, with the form for one.
type inspecting struct {
	property.Standing
	Last  string // day of the turn
	Open  []property.Row
	Left  []property.Row // of the turn before
	Items []string       // nil for who does not inspect
}

// propertyPage is a month of the property company: its points, where they are scored,
// and its inspections.
type propertyPage struct {
	property.Sheet
	Scored   bool
	Sum      int
	Earlier  string
	Later    string
	Causes   []causeOf
	Object   *scored // the line that is to be objected to
	Against  []objected
	Settles  bool // who is logged in decides on objections
	MayClose bool
	Inspect  *inspecting
	Rounds   []walked // the month's inspections, the last first
	All      int      // how many there are
	More     int      // how much more of them there is to ask for, 0 for none
}

// mostInspections is how many of a month's inspections a page shows.
const mostInspections = 40

// mayProperty refuses who is neither of the company under contract nor of the committee.
func (q *request) mayProperty() error {
	if q.me.OfCompany(q.shape.Community) || q.me.Has(workflow.RoleCommittee) {
		return nil
	}
	return &workflow.Error{Code: workflow.CodeNotAllowed, Cause: errors.New("of no company under contract")}
}

// thisMonth leads to the month of today.
func (c *Console) thisMonth(q *request) error {
	month := property.MonthOf(q.now, q.shape.Community.Location())
	http.Redirect(q.w, q.Request, q.path("property", month), http.StatusSeeOther)
	return nil
}

// sheet is the month that the path names.
func (q *request) sheet() (property.Sheet, error) {
	if err := q.mayProperty(); err != nil {
		return property.Sheet{}, err
	}
	month, err := property.ParseMonth(q.PathValue("month"))
	if err != nil || month.Year < firstYear || month.String() > property.MonthOf(q.now, q.shape.Community.Location()).String() {
		return property.Sheet{}, &workflow.Error{Code: "no_month", Cause: err}
	}
	s, err := q.console.o.Desk.Sheet(q.Context(), q.community(), month)
	if err == nil && s.Terms.Company != q.shape.Community.Property.Company && !q.me.Has(workflow.RoleCommittee) {
		err = &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("a month of the company before theirs")}
	}
	return s, err
}

// property shows a month of the property company.
func (c *Console) property(q *request) error {
	s, err := q.sheet()
	points := err == nil
	if !points && q.shape.Community.Property.Score == nil && q.shape.Community.Property.Patrol != nil && s.Terms.Company == "" && workflow.CodeOf(err) == workflow.CodeNotFound {
		s.Terms, err = *property.Contracted(q.shape.Community), nil
	}
	if err != nil {
		return err
	}
	zone := q.shape.Community.Location()
	now := property.MonthOf(q.now, zone)
	page := propertyPage{Sheet: s, Scored: points, Sum: s.Total(), Settles: q.me.Has(workflow.RoleCommittee), MayClose: q.me.Has(workflow.RoleCommittee) && s.MayClose(zone, q.now)}
	if before := s.Month.Before(); before.Year >= firstYear {
		page.Earlier = before.String()
	}
	if s.Month != now {
		page.Later = s.Month.After().String()
	}
	if page.Against, err = q.against(&s); err != nil {
		return err
	}
	rounds, err := q.inspections(&s)
	if err != nil {
		return err
	}
	photos := map[string][]string{}
	for _, r := range rounds {
		photos[r.ID] = r.Media
	}
	slices.Reverse(rounds)
	most, times := q.longer(mostInspections)
	if page.All = len(rounds); page.All > most && times < mostMore {
		page.More = times + 1
	}
	page.Rounds = q.walked(rounds[:min(page.All, most)], nil)
	mine := q.me.OfCompany(q.shape.Community)
	for _, sum := range s.Sums() {
		group := causeOf{Sum: sum, Name: q.cause(sum.Cause)}
		for _, l := range s.Lines {
			if l.Cause != sum.Cause {
				continue
			}
			line := scored{Line: l, Where: q.lineAt(l), Photos: photos[l.Round]}
			if l.Number != 0 {
				line.Link = q.path("t", l.Number)
			}
			line.May = mine && l.For == "" && l.Points < 0 && !slices.ContainsFunc(page.Against, func(o objected) bool { return o.Line == l.Key })
			group.Lines = append(group.Lines, line)
			if line.May && l.Key == q.URL.Query().Get("line") {
				page.Object = &line
			}
		}
		page.Causes = append(page.Causes, group)
	}
	if s.Month == now {
		if page.Inspect, err = q.inspecting(); err != nil {
			return err
		}
	}
	return q.show("property", &page)
}

// against are the objections to a month.
func (q *request) against(s *property.Sheet) ([]objected, error) {
	all, err := q.console.o.Desk.Journal().Objections(q.Context(), q.community(), s.Month)
	var out []objected
	for _, o := range all {
		if o.Month != s.Month {
			continue
		}
		one := objected{Objection: o, About: q.voice().Say("page.property.gone", nil), Who: q.nameOf(o.By)}
		if l, ok := s.Line(o.Line); ok {
			one.About, one.Points = strings.TrimSpace(q.cause(l.Cause)+" "+q.lineAt(l)), l.Points
		}
		result := "waits"
		if o.Outcome != nil && o.Outcome.Upheld {
			result = "upheld"
		} else if o.Outcome != nil {
			result = "refused"
		}
		one.Result = q.voice().Say("page.property.result."+result, nil)
		out = append(out, one)
	}
	return out, err
}

// cause is what a line is for, in words.
func (q *request) cause(c property.Cause) string {
	if c == "" {
		return ""
	}
	return q.voice().Say("score.cause."+string(c), nil)
}

// lineAt is where a line of a sheet belongs, in words.
func (q *request) lineAt(l property.Line) string {
	if l.Cause == property.PatrolDone || l.Was == property.PatrolDone {
		return q.voice().Say("score.every_building", nil)
	}
	return l.Place.String()
}

// inspections are those of a month, in the order of time.
func (q *request) inspections(s *property.Sheet) ([]workflow.Round, error) {
	if s.Terms.Every == 0 {
		return nil, nil
	}
	from, until := s.Month.Range(q.shape.Community.Location())
	return q.console.o.Desk.Journal().Inspections(q.Context(), q.community(), from.UTC(), until.UTC())
}

func (q *request) inspecting() (*inspecting, error) {
	standing, ok, err := q.console.o.Desk.Inspecting(q.Context(), q.community())
	if err != nil || !ok {
		return nil, err
	}
	last := standing.Turn.Until.AddDate(0, 0, -1).In(q.shape.Community.Location())
	out := &inspecting{Standing: standing, Last: q.voice().Say("inspect.day", wording.Values{"Month": int(last.Month()), "Day": last.Day()})}
	out.Open, _ = property.Rows(standing.Due, len(standing.Due))
	out.Left, _ = property.Rows(standing.Missed, len(standing.Missed))
	if q.me.OfCompany(q.shape.Community) {
		out.Items = q.shape.Community.Property.Patrol.Items
	}
	return out, nil
}

// inspect records that a building was gone through by the checklist. What was not well
// becomes a ticket of its own.
func (c *Console) inspect(q *request) error {
	patrol := q.shape.Community.Property.Patrol
	if !q.me.OfCompany(q.shape.Community) || patrol == nil {
		return &workflow.Error{Code: workflow.CodeNotAllowed, Cause: errors.New("they inspect nothing")}
	}
	once, err := q.once()
	if err != nil {
		return err
	}
	estate, building, _ := strings.Cut(q.PostFormValue("where"), "|")
	number, _ := strconv.Atoi(building)
	r := workflow.Round{
		ID: once, Kind: workflow.Inspection, By: q.me.ID, Text: q.words("words"), At: q.now,
		Place: workflow.Place{Estate: estate, Building: number, Grid: q.shape.Community.GridOf(estate, number)},
	}
	if !q.shape.Community.Covered(r.Place) {
		return &fault{Field: "where", Key: "choose"}
	}
	for _, item := range q.PostForm["wrong"] { // the checklist is another one since the page was opened
		if !slices.Contains(patrol.Items, item) {
			return &fault{Field: "wrong", Key: "choose"}
		}
	}
	for _, item := range patrol.Items {
		r.Checks = append(r.Checks, workflow.Check{Item: item, Wrong: slices.Contains(q.PostForm["wrong"], item)})
	}
	wrong := r.Wrongs()
	if len(wrong) > 0 && r.Text == "" {
		return &workflow.Error{Code: workflow.CodeNeedsText}
	}
	var u workflow.Understanding
	if r.Text != "" {
		if u, err = c.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: r.Text}); err != nil {
			return err
		}
	}
	photos, err := q.photos("photos")
	if err != nil {
		return err
	}
	return q.work(func(w *deskWork) (string, error) {
		r := r
		said := "inspect.well"
		if len(wrong) > 0 || u.Severity == workflow.Emergency || u.Matter() {
			cmd := u.Found(strings.TrimSpace(strings.Join(wrong, "、")+" "+r.Text), q.by())
			cmd.Place, cmd.Media = r.Place, q.pictures(photos)
			t, err := w.FileFound(q.Context(), cmd, false, c.o.Understander.Same)
			if err != nil {
				return "", err
			}
			r.Number, said = t.Number, "inspect.found"
		}
		for _, m := range q.attach(w, r.Number, photos) {
			r.Media = append(r.Media, m.ID)
		}
		w.Change.Rounds = append(w.Change.Rounds, r)
		return warned(q.address(said, "property", property.MonthOf(q.now, q.shape.Community.Location())), u.Danger), nil
	})
}

// object takes what the company says against a line.
func (c *Console) object(q *request) error {
	s, err := q.sheet()
	if err != nil {
		return err
	}
	line, ok := s.Line(q.PostFormValue("line"))
	o := property.Objection{Month: s.Month, Line: line.Key, By: q.me.ID, Words: q.words("words"), At: q.now}
	switch {
	case !q.me.OfCompany(q.shape.Community):
		return &workflow.Error{Code: workflow.CodeNotAllowed, Cause: errors.New("the company objects")}
	case !ok || line.For != "" || line.Points >= 0:
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("there is no such line")}
	case o.Words == "":
		return &workflow.Error{Code: workflow.CodeNeedsText}
	}
	if err := c.o.Desk.Object(q.Context(), q.community(), o); err != nil {
		return err
	}
	return q.to("objected", "property", s.Month)
}

// settle takes what the committee says to an objection.
func (c *Console) settle(q *request) error {
	month, err := property.ParseMonth(q.PathValue("month"))
	if err != nil {
		return &workflow.Error{Code: "no_month", Cause: err}
	}
	out := property.Outcome{Upheld: q.PostFormValue("outcome") == "upheld", By: q.me.ID, Words: q.words("words"), At: q.now}
	switch {
	case !out.Upheld && q.PostFormValue("outcome") != "refused":
		return &fault{Field: "outcome", Key: "choose"}
	case out.Words == "":
		return &workflow.Error{Code: workflow.CodeNeedsText}
	}
	if err := c.o.Desk.Settle(q.Context(), q.community(), month, q.PostFormValue("line"), out); err != nil {
		return err
	}
	return q.to("settled", "property", month)
}

// closeMonth closes a month that has ended: it stays as it is then.
func (c *Console) closeMonth(q *request) error {
	s, err := q.sheet()
	if err != nil {
		return err
	}
	if err := c.o.Desk.CloseMonth(q.Context(), q.community(), s.Month, q.me.ID); err != nil {
		return err
	}
	return q.to("month_closed", "property", s.Month)
}

// propertyBook gives a month as a spreadsheet: its sums, then line by line, then what
// was objected to and what came of it.
func (c *Console) propertyBook(q *request) error {
	s, err := q.sheet()
	if err != nil {
		return err
	}
	against, err := q.against(&s)
	if err != nil {
		return err
	}
	zone := q.shape.Community.Location()
	when := func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") }
	book := excelize.NewFile()
	defer book.Close()
	say := func(key string) string { return q.voice().Say("page.property."+key, nil) }
	failed := book.SetSheetName("Sheet1", say("sums"))
	try := func(err error) {
		if failed == nil {
			failed = err
		}
	}
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E4F4EA"}}})
	try(err)
	fill := func(sheet string, widths []float64, heads []string, rows [][]any) {
		for i, width := range widths {
			column, _ := excelize.ColumnNumberToName(i + 1)
			try(book.SetColWidth(sheet, column, column, width))
		}
		for y, row := range append([][]any{{say("of") + " " + s.Terms.Company + " " + s.Month.String()}, anything(heads)}, rows...) {
			try(book.SetSheetRow(sheet, fmt.Sprintf("A%d", y+1), &row))
		}
		last, _ := excelize.CoordinatesToCellName(len(heads), 2)
		try(book.SetCellStyle(sheet, "A2", last, bold))
		try(book.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: 2, TopLeftCell: "A3", ActivePane: "bottomLeft"}))
	}
	sums := [][]any{{say("base"), "", s.Terms.Score.Base}}
	for _, sum := range s.Sums() {
		sums = append(sums, []any{q.cause(sum.Cause), sum.Count, sum.Points})
	}
	if n := s.Beyond(); n > 0 {
		sums = append(sums, []any{say("beyond"), "", -n})
	}
	fill(say("sums"), []float64{24, 10, 10}, []string{say("cause"), say("times"), say("points")}, append(sums, []any{say("total"), "", s.Total()}))
	_, err = book.NewSheet(say("lines"))
	try(err)
	var lines [][]any
	for _, l := range s.Lines {
		var number any = ""
		if l.Number != 0 {
			number = l.Number
		}
		of := ""
		if !l.Of.IsZero() {
			of = l.Of.String() + " " + q.cause(l.Was)
		}
		lines = append(lines, []any{when(l.At), q.cause(l.Cause), q.lineAt(l), number, l.Points, of})
	}
	fill(say("lines"), []float64{18, 18, 28, 10, 8, 24}, []string{say("when"), say("cause"), say("where"), say("number"), say("points"), say("about")}, lines)
	_, err = book.NewSheet(say("against"))
	try(err)
	var objections [][]any
	for _, o := range against {
		row := []any{o.About, o.Points, o.Who, when(o.At), o.Words, o.Result}
		if out := o.Outcome; out != nil {
			row = append(row, out.Words, q.nameOf(out.By), when(out.At))
		}
		objections = append(objections, row)
	}
	fill(say("against"), []float64{28, 8, 12, 18, 40, 14, 40, 12, 18},
		[]string{say("which"), say("points"), say("who"), say("when"), say("words"), say("outcome"), say("reason"), say("settled_by"), say("settled_at")}, objections)
	if failed != nil {
		return fmt.Errorf("console: table: %w", failed)
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	h.Set("Content-Disposition", `attachment; filename="`+q.community()+"-property-"+s.Month.String()+`.xlsx"`)
	return book.Write(q.w)
}

func anything(all []string) []any {
	var out []any
	for _, s := range all {
		out = append(out, s)
	}
	return out
}

// Upto are the numbers from 1 to n: a list of buildings.
func (v view) Upto(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// Cause is what a line of a sheet is for.
func (v view) Cause(c property.Cause) string { return v.cause(c) }
