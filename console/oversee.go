package console

import (
	"cmp"
	"slices"
	"strconv"
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
	if page.Risen, err = q.matters(risen); err != nil {
		return err
	}
	found, err := c.o.Record.Search(q.Context(), q.community(), desk.Query{From: from.UTC(), Limit: 20})
	if err != nil {
		return err
	}
	if page.Fresh, err = q.matters(found.Tickets); err != nil {
		return err
	}
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
	all = all[:min(len(all), limit)]
	shown, err := q.matters(all)
	var out []lateMatter
	for i, m := range shown {
		out = append(out, lateMatter{m, q.voice().Span(q.now.Sub(all[i].LateSince))})
	}
	return out, err
}

// latePage lists what is late.
type latePage struct {
	All   []lateMatter
	Grids []workflow.Grid
	Grid  string
	More  int // how much more there is to ask for, 0 for none
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
	most, times := q.longer(2 * listed)
	if page.All, err = q.late(page.Grid, most+1); err != nil {
		return err
	}
	if len(page.All) > most && times < mostMore {
		page.More = times + 1
	}
	page.All = page.All[:min(len(page.All), most)]
	return q.show("overdue", page)
}

// mostMore is how often a list can be asked to be longer.
const mostMore = 20

// longer is how much a list shows that is asked for more: n, twice as many and so on.
func (q *request) longer(n int) (most, times int) {
	times, _ = strconv.Atoi(q.URL.Query().Get("more"))
	times = min(max(times, 1), mostMore)
	return n * times, times
}

// cursor is where a list goes on.
func (q *request) cursor() int64 {
	n, err := strconv.ParseInt(q.URL.Query().Get("before"), 10, 64)
	if err != nil {
		return 0
	}
	return max(n, 0)
}
