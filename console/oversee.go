package console

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// todayPage is the community today.
type todayPage struct {
	Day   desk.Day
	Rated int // done, the resident has the word
	Stuck int // in the tray
	Wall  int
	Grids []gridDay
	Late  []lateMatter
	Risen []matter
	Tray  []matter
	Fresh []matter
}

// gridDay is one grid's day.
type gridDay struct {
	Name string
	desk.DayCount
}

// lateMatter is a ticket whose promise is missed.
type lateMatter struct {
	matter
	For string // how long
}

// today shows the community today to the committee, and their own grids to
// leaders.
func (c *Console) today(q *request) error {
	local := q.now.In(q.shape.Community.Location())
	from := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
	day, err := c.o.Record.Day(q.Context(), q.community(), from.UTC(), from.AddDate(0, 0, 1).UTC())
	if err != nil {
		return err
	}
	page := todayPage{Day: day, Rated: day.States[workflow.Resolved], Stuck: day.Stands[workflow.InTray], Wall: day.Stands[workflow.OnWall]}
	for _, g := range q.shape.Community.Grids {
		page.Grids = append(page.Grids, gridDay{g.Name, day.Grids[g.Code]})
	}
	if n := day.Grids[""]; n.Open > 0 || n.Filed > 0 {
		page.Grids = append(page.Grids, gridDay{q.voice().Say("digest.no_grid", nil), n})
	}
	if page.Late, err = q.late("", 10); err != nil {
		return err
	}
	if page.Tray, err = q.tray(); err != nil {
		return err
	}
	risen, err := c.o.Desk.Journal().Risen(q.Context(), q.community(), workflow.LevelCommittee, 0, 20)
	if err != nil {
		return err
	}
	page.Risen = q.matters(risen)
	found, err := c.o.Record.Search(q.Context(), q.community(), desk.Query{From: from.UTC(), Limit: 20})
	if err != nil {
		return err
	}
	page.Fresh = q.matters(found.Tickets)
	return q.show("today", page)
}

// late are the tickets with a missed promise that who is logged in oversees.
func (q *request) late(grid string, limit int) ([]lateMatter, error) {
	grids := []string{grid}
	if !committee.holds(q.me) {
		if grids = q.grids(); grid != "" {
			grids = slices.DeleteFunc(grids, func(g string) bool { return g != grid })
		}
	}
	var all []workflow.Ticket
	for _, g := range grids {
		in, err := q.console.o.Record.Overdue(q.Context(), q.community(), g, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, in...)
	}
	slices.SortStableFunc(all, func(a, b workflow.Ticket) int {
		return cmp.Or(a.LateSince.Compare(b.LateSince), cmp.Compare(a.Number, b.Number))
	})
	var out []lateMatter
	for i := range all[:min(len(all), limit)] {
		out = append(out, lateMatter{q.matter(&all[i]), q.voice().Span(q.now.Sub(all[i].LateSince))})
	}
	return out, nil
}

// latePage lists what is late.
type latePage struct {
	All   []lateMatter
	Grids []workflow.Grid
	Grid  string
}

// overdue lists what is late, the longest first.
func (c *Console) overdue(q *request) error {
	page := latePage{Grids: q.shape.Community.Grids, Grid: q.URL.Query().Get("grid")}
	if _, ok := q.shape.Community.Grid(page.Grid); !ok {
		page.Grid = ""
	}
	if !committee.holds(q.me) {
		own := q.grids()
		page.Grids = slices.DeleteFunc(slices.Clone(page.Grids), func(g workflow.Grid) bool { return !slices.Contains(own, g.Code) })
	}
	var err error
	if page.All, err = q.late(page.Grid, 100); err != nil {
		return err
	}
	return q.show("overdue", page)
}

// cursor is where a list goes on.
func (q *request) cursor() int64 {
	n, err := strconv.ParseInt(q.URL.Query().Get("before"), 10, 64)
	if err != nil {
		return 0
	}
	return max(n, 0)
}

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
	Bad      string // a field that could not be read, a key of the wording
}

// states are the choices of a search.
var states = map[string][]workflow.State{
	"open":      {workflow.Received, workflow.Classified, workflow.Assigned, workflow.Accepted},
	"resolved":  {workflow.Resolved},
	"closed":    {workflow.Closed},
	"cancelled": {workflow.Cancelled, workflow.Merged},
}

// searchOf reads what is looked for: number, name, telephone or words in one box,
// and what narrows it.
func (q *request) searchOf(page *searchPage) (desk.Query, error) {
	v := q.URL.Query()
	page.Q, page.Grid, page.Category, page.State = strings.TrimSpace(v.Get("q")), v.Get("grid"), workflow.Category(v.Get("category")), v.Get("state")
	page.From, page.Until, page.Late = v.Get("from"), v.Get("until"), v.Has("late")
	page.Asked = len(v) > 0
	page.Narrowed = page.Grid+string(page.Category)+page.State+page.From+page.Until != "" || page.Late
	want := desk.Query{Late: page.Late, Before: q.cursor(), Limit: listed, States: states[page.State]}
	if page.Category != "" {
		want.Categories = []workflow.Category{page.Category}
	}
	if r := []rune(page.Q); len(r) > 60 {
		page.Q = string(r[:60])
	}
	if _, ok := q.shape.Community.Grid(page.Grid); ok {
		want.Grids = []string{page.Grid}
	}
	zone := q.shape.Community.Location()
	for _, bound := range []struct {
		text string
		days int
		into *time.Time
	}{{page.From, 0, &want.From}, {page.Until, 1, &want.Until}} {
		if bound.text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, bound.text, zone)
		if err != nil {
			page.Bad = "date"
			continue
		}
		*bound.into = day.AddDate(0, 0, bound.days).UTC()
	}
	return want, q.searchWords(page.Q, &want)
}

// searchWords takes what stands in the box for a ticket's number, somebody's
// telephone or name, or words.
func (q *request) searchWords(text string, want *desk.Query) error {
	digits := strings.Trim(text, "0123456789") == "" && text != ""
	if n, err := strconv.ParseInt(strings.TrimSuffix(text, "号"), 10, 64); err == nil && len(text) <= 9 && !strings.HasSuffix(text, "号楼") {
		want.Number = n
		return nil
	}
	name, phone := text, ""
	if digits && len(text) >= 7 {
		name, phone = "", text
	}
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
	for _, p := range q.shape.Roster.Named(name) {
		want.Owners = append(want.Owners, p.ID)
	}
	if len(want.Reporters)+len(want.Owners) == 0 {
		want.Words = text
	}
	return nil
}

// search finds tickets of the whole community.
func (c *Console) search(q *request) error {
	page := searchPage{Grids: q.shape.Community.Grids, Kinds: q.kinds()}
	want, err := q.searchOf(&page)
	if err != nil {
		return err
	}
	if page.Asked && page.Bad == "" {
		found, err := c.o.Record.Search(q.Context(), q.community(), want)
		if err != nil {
			return err
		}
		page.Found = q.matters(found.Tickets)
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

// each calls f with every ticket that a search finds, page by page, up to what a
// table holds.
func (q *request) each(want desk.Query, f func(*workflow.Ticket) error) error {
	want.Before, want.Limit = 0, 200
	for n := 0; n < exported; {
		found, err := q.console.o.Record.Search(q.Context(), q.community(), want)
		if err != nil {
			return err
		}
		for i := range found.Tickets {
			if err := f(&found.Tickets[i]); err != nil {
				return err
			}
		}
		n += len(found.Tickets)
		if want.Before = found.Next; want.Before == 0 {
			return nil
		}
	}
	return nil
}
