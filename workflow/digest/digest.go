package digest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wishdesk/wishdesk/workflow"
)

// Digest is the committee's week: its figures with those of the week before and
// of the same week a year ago, and what to look at. Names are those of staff;
// residents' stand nowhere in it.
type Digest struct {
	Community string    `json:"community"` // its code
	Name      string    `json:"name"`
	Week      Week      `json:"week"`
	From      time.Time `json:"from"` // in the community's zone
	Until     time.Time `json:"until"`
	MadeAt    time.Time `json:"made_at"`
	Floor     int       `json:"floor"` // percent

	Now     Figures `json:"now"`
	Before  Figures `json:"before"`
	YearAgo Figures `json:"year_ago"`

	Below []Below `json:"below"` // units with a rate under the floor
	// Late are open at the week's end (of a week that runs: when it was made), a
	// promise missed, the longest first; Risen open and at the committee's level or
	// above; HotSpots have the same trouble again and again. Of each the first
	// maxItems are named, the counts are of all.
	Late       []Item `json:"late"`
	LateCount  int    `json:"late_count"`
	Risen      []Item `json:"risen"`
	RisenCount int    `json:"risen_count"`
	HotSpots   []Hot  `json:"hot_spots"`
	HotCount   int    `json:"hot_count"`

	Unclaimed int `json:"unclaimed"` // wishes on the wall, at the same moment
	Pairs     int `json:"pairs"`     // wishes with visits in a rhythm

	Sections []Section `json:"sections,omitempty"` // of what is done beside tickets

	Findings []Finding `json:"findings"` // what matters most, three at most
	// Sentences are the findings in words, if a language model wrote them; else
	// empty, and the wording says them.
	Sentences []string `json:"sentences,omitempty"`
	Changes   []Change `json:"changes"` // what digests that were sent would say now, and nobody was told yet
}

// Runs tells whether its week was not over when it was made.
func (d *Digest) Runs() bool { return d.MadeAt.Before(d.Until) }

// Below is a unit with a rate under the floor.
type Below struct {
	By   By     `json:"by"`
	Code string `json:"code"`
	Rate string `json:"rate"` // response, resolution, satisfaction
	Is   Rate   `json:"is"`
}

// Item is an open ticket that the digest names.
type Item struct {
	Number    int64             `json:"number"`
	Kind      workflow.Kind     `json:"kind"`
	Category  workflow.Category `json:"category"`
	Severity  workflow.Severity `json:"severity"`
	Grid      string            `json:"grid"`
	Owner     string            `json:"owner"`  // the name of who is responsible; "" for nobody
	Group     string            `json:"group"`  // see Unit
	Missed    workflow.Clock    `json:"missed"` // the promise missed last; "" for none
	Late      int64             `json:"late_s"` // since the promise was missed, in seconds; 0 where none was
	FiledAt   time.Time         `json:"filed_at"`
	Level     int               `json:"level"`
	Followers int               `json:"followers"` // other households
}

// Hot is a spot with the same trouble again and again.
type Hot struct {
	Spot
	Times   int `json:"times"`
	Days    int `json:"days"`     // within so many days before the week's end
	Before  int `json:"before"`   // times, before the end of the week before
	YearAgo int `json:"year_ago"` // and of the week a year ago
}

// Change is a figure of an earlier digest that is another one now.
type Change struct {
	Week Week `json:"week"`
	Part
	Was float64 `json:"was"` // -1 of nothing, or not known; so the next
	Is  float64 `json:"is"`
}

// Part is one figure of a week: of the whole, or of a unit.
type Part struct {
	Figure string `json:"figure"` // response, resolution, satisfaction, inside (percent); of the whole also resolved, undone, merged, cancelled, repeats, hotline
	By     By     `json:"by,omitempty"`
	Code   string `json:"code,omitempty"`
}

// Source is the record, as far as it is counted. Weeks of a million tickets a
// year are read in one go; nothing of it is kept.
type Source interface {
	// Matters calls f with every ticket that had one of the Counted events from a
	// moment until before another, with all its Counted events.
	Matters(ctx context.Context, community string, from, until time.Time, f func(*Matter) error) error
	// Troubles are the incidents filed in a time that were not merged.
	Troubles(ctx context.Context, community string, from, until time.Time) ([]Trouble, error)
	// Messages is how many messages people sent in a time.
	Messages(ctx context.Context, community string, from, until time.Time) (int, error)
	// Hotline is how many complaints went to 12345 in a time; known is false where
	// none were entered of that week.
	Hotline(ctx context.Context, community string, from, until time.Time) (n int, known bool, err error)
	// OpenAt calls f with every ticket that was open just before a moment and not
	// resolved, as it was then.
	OpenAt(ctx context.Context, community string, at time.Time, f func(workflow.Ticket) error) error
	// Sections are what is told of a time beside the tickets.
	Sections(ctx context.Context, community string, from, until time.Time) ([]Section, error)
}

// atOnce is how many weeks are counted at the same time.
const atOnce = 3

// maxItems is how many tickets and spots a digest names of one kind.
const maxItems = 50

// Compared is how many of the digests that were sent a later one is held against.
const Compared = 5

// Make counts a week as the record is now. sent are the digests of earlier weeks
// that were sent last, the newest first.
func Make(ctx context.Context, src Source, c *workflow.Community, roster workflow.Roster, week Week, now time.Time, sent []Digest) (Digest, error) {
	zone := c.Location()
	d := Digest{Community: c.Code, Name: c.Name, Week: week, MadeAt: now.In(zone), Floor: c.Digest.Floor}
	d.From, d.Until = week.Range(zone)
	weeks := map[Week]*Figures{week: &d.Now, week.Before(): &d.Before, week.YearAgo(): &d.YearAgo}
	for _, s := range sent {
		if weeks[s.Week] == nil {
			weeks[s.Week] = &Figures{}
		}
	}
	counting, counted := errgroup.WithContext(ctx)
	counting.SetLimit(atOnce)
	for w, into := range weeks {
		counting.Go(func() (err error) {
			*into, err = figures(counted, src, c, roster, w)
			return err
		})
	}
	if err := counting.Wait(); err != nil {
		return Digest{}, err
	}
	if err := d.stands(ctx, src, c, roster); err != nil {
		return Digest{}, err
	}
	sections, err := src.Sections(ctx, c.Code, d.From, d.Until)
	if err != nil {
		return Digest{}, fmt.Errorf("digest: sections of %s: %w", week, err)
	}
	d.Sections = speaking(sections)
	d.Below = below(d.Now.Units, c.Digest)
	for i := range sent {
		d.Changes = append(d.Changes, changes(&sent[i], sent[:i], *weeks[sent[i].Week])...)
	}
	d.Findings = findings(&d, c.Digest) // of all of them
	d.Late, d.Risen, d.HotSpots = first(d.Late), first(d.Risen), first(d.HotSpots)
	return d, nil
}

func figures(ctx context.Context, src Source, c *workflow.Community, roster workflow.Roster, w Week) (Figures, error) {
	from, until := w.Range(c.Location())
	fail := func(what string, err error) (Figures, error) {
		return Figures{}, fmt.Errorf("digest: %s of %s: %w", what, w, err)
	}
	f, err := Count(c, roster, from, until, func(each func(*Matter) error) error { return src.Matters(ctx, c.Code, from, until, each) },
		func(from, until time.Time) ([]Trouble, error) { return src.Troubles(ctx, c.Code, from, until) })
	if err != nil {
		return fail("matters", err)
	}
	if f.Messages, err = src.Messages(ctx, c.Code, from, until); err != nil {
		return fail("messages", err)
	}
	n, known, err := src.Hotline(ctx, c.Code, from, until)
	if err != nil {
		return fail("hotline", err)
	}
	if f.Hotline = n; !known {
		f.Hotline = -1
	}
	return f, nil
}

// stands says how things stood at the week's end, and at the ends of those that it
// is held against.
func (d *Digest) stands(ctx context.Context, src Source, c *workflow.Community, roster workflow.Roster) error {
	var hot [3][]Hot
	for i, w := range []struct {
		Week
		f *Figures
	}{{d.Week, &d.Now}, {d.Week.Before(), &d.Before}, {d.Week.YearAgo(), &d.YearAgo}} {
		_, until := w.Range(c.Location())
		at := until
		if d.MadeAt.Before(at) {
			at = d.MadeAt.Add(time.Microsecond) // what has just happened too
		}
		e := end{at: at, roster: roster}
		if err := src.OpenAt(ctx, c.Code, at, func(t workflow.Ticket) error {
			e.ticket(t)
			return nil
		}); err != nil {
			return fmt.Errorf("digest: open at the end of %s: %w", w.Week, err)
		}
		troubles, err := src.Troubles(ctx, c.Code, until.AddDate(0, 0, -c.Digest.HotDays), until)
		if err != nil {
			return fmt.Errorf("digest: hot spots of %s: %w", w.Week, err)
		}
		hot[i] = spots(troubles, c.Digest.HotDays)
		for _, h := range hot[i] {
			if h.Times >= c.Digest.HotTimes {
				e.HotSpots++
			}
		}
		w.f.AtEnd = &e.AtEnd
		if i == 0 {
			e.sort()
			d.Late, d.Risen = e.late, e.risen
			d.LateCount, d.RisenCount, d.HotCount, d.Unclaimed, d.Pairs = e.Late, e.Risen, e.HotSpots, e.Unclaimed, e.Pairs
		}
	}
	for _, h := range hot[0][:d.HotCount] { // they come first
		h.Before, h.YearAgo = timesOf(hot[1], h), timesOf(hot[2], h)
		d.HotSpots = append(d.HotSpots, h)
	}
	return nil
}

// end gathers what was open at a moment and needed the committee's eyes.
type end struct {
	at     time.Time
	roster workflow.Roster
	AtEnd
	late, risen []Item
}

func (e *end) ticket(t workflow.Ticket) {
	if t.State == workflow.Resolved {
		return
	}
	if t.Stand == workflow.OnWall {
		e.Unclaimed++
	}
	if t.Pair != nil {
		e.Pairs++
	}
	if !t.IsLate() && t.Level < workflow.LevelCommittee {
		return
	}
	owner := e.roster.ByID(t.Owner)
	group, _ := GroupOf(owner, t.Kind)
	item := Item{
		Number: t.Number, Kind: t.Kind, Category: t.Category, Severity: t.Severity, Grid: t.Place.Grid, Owner: owner.Name, Group: group,
		FiledAt: t.FiledAt, Level: t.Level, Followers: len(t.Followers),
	}
	if t.IsLate() {
		for _, c := range t.Overdue {
			if !t.MadeGood(c) {
				item.Missed = c
			}
		}
		item.Late = int64(e.at.Sub(t.LateSince) / time.Second)
		e.Late++
		e.late = append(e.late, item)
	}
	if t.Level >= workflow.LevelCommittee {
		e.Risen++
		e.risen = append(e.risen, item)
	}
}

// sort puts the longest late first.
func (e *end) sort() {
	for _, list := range [][]Item{e.late, e.risen} {
		slices.SortFunc(list, func(a, b Item) int { return cmp.Or(cmp.Compare(b.Late, a.Late), cmp.Compare(a.Number, b.Number)) })
	}
}

// first are those that a digest names.
func first[T any](all []T) []T { return all[:min(len(all), maxItems)] }

// spots are how often there was trouble where, the most first. A spot is of the
// grid that it was in last.
func spots(all []Trouble, days int) []Hot {
	times, last := map[Spot]int{}, map[Spot]Trouble{}
	for _, t := range all {
		if t.Spot == (Spot{}) {
			continue
		}
		key := t.Spot.anywhere()
		times[key]++
		if l, ok := last[key]; !ok || t.FiledAt.After(l.FiledAt) {
			last[key] = t
		}
	}
	var out []Hot
	for key, n := range times {
		out = append(out, Hot{Spot: last[key].Spot, Times: n, Days: days})
	}
	slices.SortFunc(out, func(a, b Hot) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Estate, b.Estate), cmp.Compare(a.Building, b.Building),
			cmp.Compare(a.Landmark, b.Landmark), cmp.Compare(a.Category, b.Category))
	})
	return out
}

// timesOf is how often there was trouble at a spot, among others.
func timesOf(all []Hot, spot Hot) int {
	if i := slices.IndexFunc(all, func(h Hot) bool { return h.anywhere() == spot.anywhere() }); i >= 0 {
		return all[i].Times
	}
	return 0
}

// NamedRate is a rate with its name: response, resolution, satisfaction.
type NamedRate struct {
	Name string
	Rate Rate
}

// Named are the three rates by their names.
func (r Rates) Named() []NamedRate {
	return []NamedRate{{"response", r.Response}, {"resolution", r.Resolution}, {"satisfaction", r.Satisfaction}}
}

func below(units []Unit, rules workflow.Weekly) []Below {
	var out []Below
	for _, u := range units {
		for _, r := range u.Named() {
			if r.Rate.Of >= rules.Least && r.Rate.Percent() < float64(rules.Floor) {
				out = append(out, Below{By: u.By, Code: u.Code, Rate: r.Name, Is: r.Rate})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Below) int { return cmp.Compare(a.Is.Percent(), b.Is.Percent()) })
	return out
}

// changes are the figures of a digest that was sent which are others now. What
// later digests have told of it already is no change any more.
func changes(sent *Digest, later []Digest, is Figures) []Change {
	was, now := sent.Now.parts(), is.parts()
	for _, l := range slices.Backward(later) { // they are the newest first
		for _, c := range l.Changes {
			if c.Week == sent.Week {
				was[c.Part] = c.Is
			}
		}
	}
	for p := range now {
		if _, ok := was[p]; !ok {
			was[p] = -1
		}
	}
	var out []Change
	for p, v := range was {
		n, ok := now[p]
		if !ok {
			n = -1
		}
		if v != n {
			out = append(out, Change{Week: sent.Week, Part: p, Was: v, Is: n})
		}
	}
	order := []string{"response", "resolution", "satisfaction", "inside", "resolved", "undone", "merged", "cancelled", "repeats", "hotline"}
	slices.SortFunc(out, func(a, b Change) int { // the whole, then units
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Code, b.Code), cmp.Compare(slices.Index(order, a.Figure), slices.Index(order, b.Figure)))
	})
	return out
}

// parts are the figures that a later digest is held against. A unit without a
// rate has none of it.
func (f *Figures) parts() map[Part]float64 {
	out := map[Part]float64{}
	percent := func(r Rate) float64 {
		if !r.Known() {
			return -1
		}
		return r.Percent()
	}
	for _, r := range append(f.Named(), NamedRate{"inside", f.Inside}) {
		out[Part{Figure: r.Name}] = percent(r.Rate)
	}
	for name, n := range map[string]int{
		"resolved": f.Resolved, "undone": f.Undone, "merged": f.Merged, "cancelled": f.Cancelled, "repeats": f.Repeats, "hotline": f.Hotline,
	} {
		out[Part{Figure: name}] = float64(n)
	}
	for _, u := range f.Units {
		for _, r := range u.Named() {
			if r.Rate.Known() {
				out[Part{r.Name, u.By, u.Code}] = r.Rate.Percent()
			}
		}
	}
	return out
}
