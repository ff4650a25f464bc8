// Package weekly is the room where a week's digest becomes something to read: a
// page, a text, a spreadsheet. Compose makes one report of tables, tiles and
// charts from the figures; each form only writes it down, so that all say the same.
//
// Read it in this order: report.go (what is said), text.go, page.go, xlsx.go.
//
// What must never come in: counting (package workflow/digest), Chinese in code
// (configs), and anything of a resident: names in a report are those of staff.
package weekly

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// Report is a digest in words and tables.
type Report struct {
	Community string
	Week      digest.Week
	Days      string // 「11月16日至22日」
	MadeAt    string
	Running   string    // that the week is not over; "" where it is
	Past      [2]string // what a cell's Past is called: the week before, a year ago
	Sentences []string
	Written   string // who wrote the sentences, where a language model did; "" for the rules
	Tiles     []Tile
	Charts    []Chart
	Tables    []Table
	Notes     []Note // how everything is counted
}

// Tile is one of the figures that stand on top.
type Tile struct {
	Name string
	Is   string
	Past [2]string // the week before, a year ago
	Bad  bool      // below the floor, or late
}

// Table is one table of the report; without rows it is left out.
type Table struct {
	Key   string // stable, of the wording
	Name  string
	Hint  string // what to know for reading it; "" for nothing
	Heads []Head
	Rows  [][]Cell
	Plot  *Plot // the picture that a spreadsheet has of it; nil for none
}

// Plot says what a spreadsheet draws of a table: some of its rows by their first
// cell, the columns side by side.
type Plot struct {
	Title       string
	First, Rows int
	Columns     []int
}

// Head is a column.
type Head struct {
	Name  string
	Kind  Kind
	Width float64 // characters, for the spreadsheet
	Past  bool    // its cells have a Past
}

// Kind says what stands in a column.
type Kind int

// The kinds.
const (
	Words Kind = iota
	Count
	Percent  // Value is 0 to 1
	Duration // Value is in days, as spreadsheets count time
	Number   // a ticket's
	Date     // Value is a day, at midnight UTC
)

// Cell is one cell: as it is read, and as a spreadsheet keeps it (nil for the
// text).
type Cell struct {
	Text  string
	Value any // float64, int or time.Time
	Bad   bool
	Kind  Kind   // where it is another than the column's
	Past  []Cell // the same a week before and in the same week a year ago; or nothing
}

// Chart is a picture of a table, as ECharts takes it.
type Chart struct {
	ID     string
	Label  string // what it shows, for who cannot see it
	Option string // JSON; "" where there is nothing to draw
	None   string // what is said then
}

// Note is one definition.
type Note struct{ Name, Text string }

// composer makes a report.
type composer struct {
	o wording.Voice
	d *digest.Digest
	r Report
}

// Compose makes the report of a digest in the community's words.
func Compose(o wording.Voice, d *digest.Digest) Report {
	c := composer{o: o, d: d}
	c.r = Report{
		Community: d.Name, Week: d.Week, Days: o.WeekDays(d), Sentences: o.Sentences(d),
		Past: [2]string{c.say("head.before"), c.say("head.year_ago")}, MadeAt: d.MadeAt.In(o.Shape.Community.Location()).Format("2006-01-02 15:04"),
	}
	if len(d.Sentences) > 0 {
		c.r.Written = c.say("written")
	}
	if d.Runs() {
		c.r.Running = c.say("running")
	}
	c.tiles()
	c.overview()
	c.times()
	for _, by := range []digest.By{digest.ByGrid, digest.ByCategory, digest.ByGroup, digest.ByProperty} {
		c.units(by)
	}
	c.unitTimes()
	c.below()
	c.items("late", d.Late, d.LateCount)
	c.items("risen", d.Risen, d.RisenCount)
	c.spots()
	c.wishes()
	c.sections()
	c.changes()
	for _, name := range []string{"week", "response", "resolution", "satisfaction", "times", "units", "hot", "repeat", "inside", "hotline", "sent"} {
		c.r.Notes = append(c.r.Notes, Note{c.say("note_name." + name), o.Say("digest.note."+name, wording.Values{
			"Floor": d.Floor, "Least": o.Shape.Community.Digest.Least, "RepeatDays": digest.RepeatDays, "HotDays": o.Shape.Community.Digest.HotDays, "HotTimes": o.Shape.Community.Digest.HotTimes,
		})})
	}
	return c.r
}

func (c *composer) say(key string) string { return c.o.Say("digest."+key, nil) }

func (c *composer) table(key string, heads ...Head) *Table {
	for i := range heads {
		heads[i].Name = c.say("head." + heads[i].Name)
		if heads[i].Width == 0 {
			heads[i].Width = map[Kind]float64{Words: 18, Count: 10, Percent: 10, Duration: 14, Number: 10, Date: 14}[heads[i].Kind]
		}
	}
	hint := ""
	if slices.ContainsFunc(heads, func(h Head) bool { return h.Past }) {
		hint = c.say("past")
	}
	c.r.Tables = append(c.r.Tables, Table{Key: key, Name: c.say("table." + key), Hint: hint, Heads: heads})
	return &c.r.Tables[len(c.r.Tables)-1]
}

func words(s string) Cell { return Cell{Text: s} }

func (c *composer) count(n int) Cell {
	if n < 0 { // not known
		return words(c.say("unknown"))
	}
	return Cell{Text: strconv.Itoa(n), Value: n, Kind: Count}
}

// rate shows a rate with its whole; below the floor it stands out where judge
// says that it must reach it.
func (c *composer) rate(r digest.Rate, judge bool) Cell {
	if !r.Known() {
		return words(c.say("nothing"))
	}
	return Cell{
		Text: c.o.Rate(r), Value: float64(r.Good) / float64(r.Of), Kind: Percent,
		Bad: judge && r.Of >= c.o.Shape.Community.Digest.Least && r.Percent() < float64(c.d.Floor),
	}
}

// span is a time in words: 「1 小时 20 分」.
func (c *composer) span(seconds int64) Cell {
	return Cell{Value: float64(seconds) / 86400, Kind: Duration, Text: c.o.Span(time.Duration(seconds) * time.Second)}
}

func (c *composer) tiles() {
	for _, row := range []row{
		c.n("incidents", func(f *digest.Figures) int { return f.Incidents }), c.n("wishes", func(f *digest.Figures) int { return f.Wishes }),
		c.n("resolved", func(f *digest.Figures) int { return f.Resolved }),
		c.judged("response", func(f *digest.Figures) digest.Rate { return f.Response }), c.judged("resolution", func(f *digest.Figures) digest.Rate { return f.Resolution }),
		c.judged("satisfaction", func(f *digest.Figures) digest.Rate { return f.Satisfaction }),
		c.atEnd("late", c.d.LateCount, func(e *digest.AtEnd) int { return e.Late }),
	} {
		is := row.cells[0]
		c.r.Tiles = append(c.r.Tiles, Tile{Name: row.name, Is: is.Text, Past: [2]string{row.cells[1].Text, row.cells[2].Text}, Bad: is.Bad || row.name == c.ended("late") && c.d.LateCount > 0})
	}
}

// row is one figure of the week, of the week before and of a year ago.
type row struct {
	name  string
	cells [3]Cell
}

func (c *composer) row(name string, get func(*digest.Figures) Cell) row {
	return row{name, [3]Cell{get(&c.d.Now), get(&c.d.Before), get(&c.d.YearAgo)}}
}

func (c *composer) n(name string, get func(*digest.Figures) int) row {
	return c.row(c.say("figure."+name), func(f *digest.Figures) Cell { return c.count(get(f)) })
}

// judged is a rate that must reach the floor, free one that need not.
func (c *composer) judged(name string, get func(*digest.Figures) digest.Rate) row {
	return c.row(c.say("figure."+name), func(f *digest.Figures) Cell { return c.rate(get(f), true) })
}

func (c *composer) free(name string, get func(*digest.Figures) digest.Rate) row {
	return c.row(c.say("figure."+name), func(f *digest.Figures) Cell { return c.rate(get(f), false) })
}

// atEnd is a figure of how things stood at the weeks' ends; a digest that an older
// build sent has this week's only.
func (c *composer) atEnd(name string, is int, get func(*digest.AtEnd) int) row {
	r := c.row(c.ended(name), func(f *digest.Figures) Cell {
		if f.AtEnd == nil {
			return words(c.say("nothing"))
		}
		return c.count(get(f.AtEnd))
	})
	r.cells[0] = c.count(is)
	return r
}

// ended is the name of a figure at the week's end, or, of a week that runs, now.
func (c *composer) ended(name string) string {
	if c.d.Runs() {
		return c.say("figure." + name + "_now")
	}
	return c.say("figure." + name)
}

func (c *composer) rows(t *Table, all ...row) {
	for _, r := range all {
		t.Rows = append(t.Rows, append([]Cell{words(r.name)}, r.cells[:]...))
	}
}

// overview has every figure beside those of the week before and a year ago.
func (c *composer) overview() {
	t := c.table("overview", Head{Name: "figure", Width: 26}, Head{Name: "now", Kind: Count, Width: 12}, Head{Name: "before", Kind: Count, Width: 12}, Head{Name: "year_ago", Kind: Count, Width: 12})
	c.rows(t,
		c.n("messages", func(f *digest.Figures) int { return f.Messages }),
		c.n("incidents", func(f *digest.Figures) int { return f.Incidents }),
		c.n("wishes", func(f *digest.Figures) int { return f.Wishes }),
		c.n("merged", func(f *digest.Figures) int { return f.Merged }),
		c.n("cancelled", func(f *digest.Figures) int { return f.Cancelled }),
		c.n("resolved", func(f *digest.Figures) int { return f.Resolved }),
		c.judged("response", func(f *digest.Figures) digest.Rate { return f.Response }),
		c.judged("resolution", func(f *digest.Figures) digest.Rate { return f.Resolution }),
		c.judged("satisfaction", func(f *digest.Figures) digest.Rate { return f.Satisfaction }),
		c.free("on_time", func(f *digest.Figures) digest.Rate { return f.OnTime }),
		c.free("satisfied", func(f *digest.Figures) digest.Rate { return f.Satisfied }),
		c.n("unrated", func(f *digest.Figures) int { return f.Unrated }),
		c.n("missed", func(f *digest.Figures) int { return f.Missed }),
		c.n("reopened", func(f *digest.Figures) int { return f.Reopened }),
		c.n("undone", func(f *digest.Figures) int { return f.Undone }),
		c.n("escalated", func(f *digest.Figures) int { return f.Escalated }),
		c.atEnd("late", c.d.LateCount, func(e *digest.AtEnd) int { return e.Late }),
		c.atEnd("risen", c.d.RisenCount, func(e *digest.AtEnd) int { return e.Risen }),
		c.atEnd("hot_spots", c.d.HotCount, func(e *digest.AtEnd) int { return e.HotSpots }),
		c.free("inside", func(f *digest.Figures) digest.Rate { return f.Inside }),
		c.n("repeats", func(f *digest.Figures) int { return f.Repeats }),
		c.free("again_response", func(f *digest.Figures) digest.Rate { return f.Again.Response }),
		c.free("again_resolution", func(f *digest.Figures) digest.Rate { return f.Again.Resolution }),
		c.free("again_satisfaction", func(f *digest.Figures) digest.Rate { return f.Again.Satisfaction }),
		c.n("hotline", func(f *digest.Figures) int { return f.Hotline }),
	)
	var names []string
	var weeks [3][]any
	for i, rate := range c.d.Now.Named() {
		names = append(names, c.say("rate."+rate.Name))
		for j, f := range []*digest.Figures{&c.d.Now, &c.d.Before, &c.d.YearAgo} {
			weeks[j] = append(weeks[j], percentOf(f.Named()[i].Rate))
		}
	}
	t.Plot = &Plot{Title: c.say("chart.rates"), First: slices.IndexFunc(t.Rows, func(r []Cell) bool { return r[0].Text == c.say("figure.response") }), Rows: len(names), Columns: []int{1, 2, 3}}
	c.chart("rates", names, "%", series{c.say("head.now"), weeks[0]}, series{c.say("head.before"), weeks[1]}, series{c.say("head.year_ago"), weeks[2]})
}

// percentOf is a rate for a chart; nothing to count is a gap.
func percentOf(r digest.Rate) any {
	if !r.Known() {
		return nil
	}
	return r.Percent()
}

// past puts the same of the week before and of a year ago beside a cell.
func past(is, before, yearAgo Cell) Cell {
	is.Past = []Cell{before, yearAgo}
	return is
}

func (c *composer) times() {
	t := c.table("times", Head{Name: "of"}, Head{Name: "what"}, Head{Name: "count", Kind: Count, Past: true},
		Head{Name: "median", Kind: Duration, Past: true}, Head{Name: "p90", Kind: Duration, Past: true}, Head{Name: "promise", Kind: Duration})
	for _, part := range []struct {
		name                 string
		now, before, yearAgo []digest.Spread
	}{
		{"response", c.d.Now.ResponseTimes, c.d.Before.ResponseTimes, c.d.YearAgo.ResponseTimes},
		{"handling", c.d.Now.HandlingTimes, c.d.Before.HandlingTimes, c.d.YearAgo.HandlingTimes},
	} {
		for _, of := range []string{"emergency", "major", "minor", "wish"} {
			s, before, ago := spreadOf(part.now, of), spreadOf(part.before, of), spreadOf(part.yearAgo, of)
			if s.N+before.N+ago.N == 0 {
				continue
			}
			promise := words(c.say("nothing"))
			if p := cmp.Or(s.Promise, before.Promise, ago.Promise); p > 0 {
				promise = c.span(p)
			}
			spans := func(get func(digest.Spread) int64) Cell {
				one := func(s digest.Spread) Cell {
					if s.N == 0 {
						return words(c.say("nothing"))
					}
					return c.span(get(s))
				}
				return past(one(s), one(before), one(ago))
			}
			p90 := spans(func(s digest.Spread) int64 { return s.P90 })
			p90.Bad = s.Promise > 0 && s.P90 > s.Promise
			t.Rows = append(t.Rows, []Cell{
				words(c.say("of." + of)), words(c.say("time." + part.name)), past(c.count(s.N), c.count(before.N), c.count(ago.N)),
				spans(func(s digest.Spread) int64 { return s.Median }), p90, promise,
			})
		}
	}
}

// spreadOf is that of a kind of matter, empty where there was none.
func spreadOf(all []digest.Spread, of string) digest.Spread {
	if i := slices.IndexFunc(all, func(s digest.Spread) bool { return s.Of == of }); i >= 0 {
		return all[i]
	}
	return digest.Spread{}
}

func (c *composer) units(by digest.By) {
	taken := "taken"
	if by == digest.ByGroup || by == digest.ByProperty {
		taken = "had" // handed on it counts with each
	}
	t := c.table(string(by), Head{Name: string(by), Width: 22}, Head{Name: taken, Kind: Count, Past: true},
		Head{Name: "response", Kind: Percent, Past: true}, Head{Name: "resolution", Kind: Percent, Past: true}, Head{Name: "satisfaction", Kind: Percent, Past: true})
	var names []string
	var counts, solved []any
	for _, key := range c.unitsBy(by) {
		u, before, ago := unitOf(c.d.Now.Units, by, key), unitOf(c.d.Before.Units, by, key), unitOf(c.d.YearAgo.Units, by, key)
		row := []Cell{words(c.o.Unit(by, key)), past(c.count(u.Taken), c.count(before.Taken), c.count(ago.Taken))}
		for i, r := range u.Named() {
			row = append(row, past(c.rate(r.Rate, true), c.rate(before.Named()[i].Rate, true), c.rate(ago.Named()[i].Rate, true)))
		}
		t.Rows = append(t.Rows, row)
		names, counts, solved = append(names, row[0].Text), append(counts, u.Taken), append(solved, percentOf(u.Resolution))
	}
	if len(names) == 0 {
		return
	}
	switch by {
	case digest.ByGrid:
		t.Plot = &Plot{Title: c.say("chart.grid"), Rows: len(names), Columns: []int{3}}
		c.chart("grid", names, "%", series{c.say("rate.resolution"), solved})
	case digest.ByCategory:
		t.Plot = &Plot{Title: c.say("chart.category"), Rows: len(names), Columns: []int{1}}
		c.chart("category", names, "", series{c.say("head.taken"), counts})
	}
}

// unitTimes are how fast each unit was, all kinds of matters together.
func (c *composer) unitTimes() {
	t := c.table("unit_times", Head{Name: "by", Width: 12}, Head{Name: "unit", Width: 22}, Head{Name: "response_median", Kind: Duration, Past: true}, Head{Name: "response_p90", Kind: Duration, Past: true},
		Head{Name: "handling_median", Kind: Duration, Past: true}, Head{Name: "handling_p90", Kind: Duration, Past: true})
	for _, by := range []digest.By{digest.ByGrid, digest.ByCategory, digest.ByGroup, digest.ByProperty} {
		for _, code := range c.unitsBy(by) {
			row := []Cell{words(c.say("by." + string(by))), words(c.o.Unit(by, code))}
			some := false
			for _, get := range []func(digest.Unit) (digest.Times, int64){
				func(u digest.Unit) (digest.Times, int64) { return u.ResponseTimes, u.ResponseTimes.Median },
				func(u digest.Unit) (digest.Times, int64) { return u.ResponseTimes, u.ResponseTimes.P90 },
				func(u digest.Unit) (digest.Times, int64) { return u.HandlingTimes, u.HandlingTimes.Median },
				func(u digest.Unit) (digest.Times, int64) { return u.HandlingTimes, u.HandlingTimes.P90 },
			} {
				var three []Cell
				for _, f := range []*digest.Figures{&c.d.Now, &c.d.Before, &c.d.YearAgo} {
					cell := words(c.say("nothing"))
					if all, seconds := get(unitOf(f.Units, by, code)); all.N > 0 {
						cell, some = c.span(seconds), true
					}
					three = append(three, cell)
				}
				row = append(row, past(three[0], three[1], three[2]))
			}
			if some {
				t.Rows = append(t.Rows, row)
			}
		}
	}
}

// unitsBy are the units that have figures in any of the three weeks: this week's
// first.
func (c *composer) unitsBy(by digest.By) (codes []string) {
	for _, f := range []*digest.Figures{&c.d.Now, &c.d.Before, &c.d.YearAgo} {
		for _, u := range f.Units {
			if u.By == by && !slices.Contains(codes, u.Code) {
				codes = append(codes, u.Code)
			}
		}
	}
	return codes
}

// unitOf is a unit among others, empty where it is not among them.
func unitOf(all []digest.Unit, by digest.By, code string) digest.Unit {
	if i := slices.IndexFunc(all, func(x digest.Unit) bool { return x.By == by && x.Code == code }); i >= 0 {
		return all[i]
	}
	return digest.Unit{}
}

func (c *composer) below() {
	t := c.table("below", Head{Name: "by"}, Head{Name: "unit", Width: 22}, Head{Name: "rate"}, Head{Name: "is", Kind: Percent, Past: true},
		Head{Name: "good", Kind: Count, Past: true}, Head{Name: "whole", Kind: Count, Past: true})
	for _, b := range c.d.Below {
		was := func(f *digest.Figures) digest.Rate {
			u := unitOf(f.Units, b.By, b.Code)
			for _, r := range u.Named() {
				if r.Name == b.Rate {
					return r.Rate
				}
			}
			return digest.Rate{}
		}
		before, ago := was(&c.d.Before), was(&c.d.YearAgo)
		t.Rows = append(t.Rows, []Cell{
			words(c.say("by." + string(b.By))), words(c.o.Unit(b.By, b.Code)), words(c.say("rate." + b.Rate)), past(c.rate(b.Is, true), c.rate(before, true), c.rate(ago, true)),
			past(c.count(b.Is.Good), c.count(before.Good), c.count(ago.Good)), past(c.count(b.Is.Of), c.count(before.Of), c.count(ago.Of)),
		})
	}
}

// items are tickets; count is how many there are in all.
func (c *composer) items(key string, all []digest.Item, count int) {
	t := c.table(key, Head{Name: "number", Kind: Number}, Head{Name: "category"}, Head{Name: "grid"}, Head{Name: "owner"}, Head{Name: "missed"}, Head{Name: "late", Kind: Duration}, Head{Name: "filed", Kind: Date})
	t.Hint = c.say("at_end")
	if c.d.Runs() {
		t.Hint = c.say("at_now")
	}
	c.some(t, count, len(all))
	for _, i := range all {
		late, missed, owner := words(""), "", i.Owner
		if i.Missed != "" {
			late, missed = c.span(i.Late), c.say("clock."+string(i.Missed))
		}
		if owner == "" {
			owner = c.say("group.none")
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: strconv.FormatInt(i.Number, 10), Value: int(i.Number), Kind: Number}, words(c.o.Unit(digest.ByCategory, string(i.Category))), words(c.o.Unit(digest.ByGrid, i.Grid)),
			words(owner), words(missed), late, c.day(i.FiledAt),
		})
	}
}

// some says where only the first of many are listed.
func (c *composer) some(t *Table, count, listed int) {
	if count > listed {
		t.Hint += c.o.Say("digest.some", wording.Values{"Count": count, "Listed": listed})
	}
}

// day is the day of a moment where the community is.
func (c *composer) day(t time.Time) Cell {
	y, m, d := t.In(c.o.Shape.Community.Location()).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return Cell{Text: day.Format(time.DateOnly), Value: day, Kind: Date}
}

func (c *composer) spots() {
	t := c.table("hot", Head{Name: "place", Width: 26}, Head{Name: "category"}, Head{Name: "grid"}, Head{Name: "times", Kind: Count, Past: true}, Head{Name: "days", Kind: Count})
	c.some(t, c.d.HotCount, len(c.d.HotSpots))
	for _, h := range c.d.HotSpots {
		t.Rows = append(t.Rows, []Cell{words(h.Place()), words(c.o.Unit(digest.ByCategory, string(h.Category))), words(c.o.Unit(digest.ByGrid, h.Grid)), past(c.count(h.Times), c.count(h.Before), c.count(h.YearAgo)), c.count(h.Days)})
	}
}

func (c *composer) wishes() {
	t := c.table("wish", Head{Name: "figure", Width: 26}, Head{Name: "now", Kind: Count}, Head{Name: "before", Kind: Count}, Head{Name: "year_ago", Kind: Count})
	c.rows(t,
		c.n("wishes", func(f *digest.Figures) int { return f.Wishes }), c.n("claimed", func(f *digest.Figures) int { return f.Claimed }),
		c.n("fulfilled", func(f *digest.Figures) int { return f.Fulfilled }),
		c.atEnd("unclaimed", c.d.Unclaimed, func(e *digest.AtEnd) int { return e.Unclaimed }),
		c.atEnd("pairs", c.d.Pairs, func(e *digest.AtEnd) int { return e.Pairs }),
	)
}

// sections are tables of one column: what is said, line by line.
func (c *composer) sections() {
	for _, s := range c.d.Sections {
		t := Table{Key: "section." + s.Name, Name: c.say("section." + s.Name + ".title"), Heads: []Head{{Name: c.say("head.said"), Width: 60}}}
		for _, l := range s.Lines {
			values := wording.Values{}
			for k, v := range l.Values {
				values[k] = v
			}
			t.Rows = append(t.Rows, []Cell{words(c.o.Say("digest.section."+s.Name+"."+l.Say, values))})
		}
		c.r.Tables = append(c.r.Tables, t)
	}
}

func (c *composer) changes() {
	t := c.table("changes", Head{Name: "week"}, Head{Name: "unit", Width: 22}, Head{Name: "figure", Width: 26}, Head{Name: "was", Kind: Count}, Head{Name: "is_now", Kind: Count})
	number := func(name string, v float64) Cell {
		switch {
		case v < 0 && name == "hotline":
			return words(c.say("unknown"))
		case v < 0:
			return words(c.say("nothing"))
		}
		return Cell{Text: strconv.FormatFloat(v, 'f', -1, 64), Value: v, Kind: Count}
	}
	listed := c.d.Changes[:min(len(c.d.Changes), maxChanges)]
	c.some(t, len(c.d.Changes), len(listed))
	for _, ch := range listed {
		unit := c.say("whole")
		if ch.By != "" {
			unit = c.o.Unit(ch.By, ch.Code)
		}
		t.Rows = append(t.Rows, []Cell{words(ch.Week.String()), words(unit), words(c.say("change." + ch.Figure)), number(ch.Figure, ch.Was), number(ch.Figure, ch.Is)})
	}
}

// maxChanges is how many changes of earlier digests are listed.
const maxChanges = 60

type series struct {
	name   string
	values []any
}

// tells is whether there is anything in it to draw.
func (s series) tells() bool {
	return slices.ContainsFunc(s.values, func(v any) bool { return v != nil && v != 0 || v == 0.0 })
}

// chart draws bars side by side. Its colours and words are fit for print; the
// tables beside it say the same.
func (c *composer) chart(id string, names []string, unit string, all ...series) {
	if !slices.ContainsFunc(all, series.tells) {
		c.r.Charts = append(c.r.Charts, Chart{ID: id, Label: c.say("chart." + id), None: c.say("chart.none")})
		return
	}
	var list []map[string]any
	for _, s := range all {
		list = append(list, map[string]any{
			"type": "bar", "name": s.name, "data": s.values, "barMaxWidth": 28, "barCategoryGap": "40%",
			"label": map[string]any{"show": len(names) <= 12, "position": "top", "formatter": "{c}" + unit, "fontSize": chartText},
		})
	}
	text := map[string]any{"fontFamily": chartFont, "fontSize": chartText, "color": "#1a1a1a"}
	value := map[string]any{"type": "value", "minInterval": 1, "axisLabel": map[string]any{"formatter": "{value}" + unit, "fontSize": chartText, "color": "#575757"}}
	if unit == "%" {
		value["max"] = 100
	}
	option, err := json.Marshal(map[string]any{
		"animation": false, "color": []string{"#07703a", "#9db8a7", "#c9a227"}, "textStyle": text,
		"grid": map[string]any{"left": 8, "right": 8, "top": 44, "bottom": 8, "containLabel": true}, "legend": map[string]any{"show": len(all) > 1, "top": 0, "textStyle": text},
		"tooltip": map[string]any{"show": true, "renderMode": "richText", "trigger": "axis", "textStyle": text},
		"xAxis":   map[string]any{"type": "category", "data": names, "axisLabel": map[string]any{"interval": 0, "rotate": rotate(len(names)), "fontSize": chartText, "color": "#1a1a1a"}},
		"yAxis":   value,
		"series":  list,
	})
	if err != nil { // of numbers and names: cannot be
		return
	}
	c.r.Charts = append(c.r.Charts, Chart{ID: id, Label: c.say("chart." + id), Option: string(option)})
}

// A chart is a canvas, which takes no font from the page; its words are as large as
// the page's small ones.
const (
	chartFont = `system-ui, -apple-system, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif`
	chartText = 16
)

func rotate(n int) int {
	if n > 5 {
		return 35
	}
	return 0
}
