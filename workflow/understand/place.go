package understand

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wishdesk/wishdesk/workflow"
)

// The problems that a place may have, see workflow.Understanding.
const (
	noSuchBuilding = "no_such_building"
	whichEstate    = "which_estate"
	whichBuilding  = "which_building"
)

// name is the name of an estate or a landmark found in a text.
type name struct {
	from, to int
	estate   string // "" for a landmark in none
	landmark *workflow.Landmark
}

// located is what place finding gives.
type located struct {
	place   workflow.Place
	problem string
	estates []string
	named   bool // by the text, not by what is known around it

	names  []name // where the text names places
	houses []house
}

// locate finds where a matter is.
func (r *Rules) locate(c *workflow.Community, w workflow.Words, t *text, found []match) located {
	names := r.placeNames(c, t, found)
	houses := t.houses(names)
	l := r.settle(c, w, t, found, names, houses)
	l.named, l.names, l.houses = len(names)+len(houses) > 0, names, houses
	return l
}

// settle chooses among what was found: a building first, then a landmark, then
// the resident's own house where the words point at it, then a whole estate; what
// was scanned or shared lately where the text names nothing.
func (r *Rules) settle(c *workflow.Community, w workflow.Words, t *text, found []match, names []name, houses []house) located {
	own := r.first(found, groupOwn) >= 0
	var named []house // with a building
	var rest house    // unit, floor or room alone
	for _, h := range houses {
		h.own = r.spokenOf(t, found, h.from)
		if h.building > 0 {
			named = append(named, h)
		} else if rest.to == 0 {
			rest = h
		}
	}
	landmark := slices.IndexFunc(names, func(n name) bool { return n.landmark != nil })
	elsewhere := slices.IndexFunc(named, func(h house) bool { return !h.own })
	switch {
	case elsewhere >= 0:
		return r.building(c, w, t, names, found, named, elsewhere, own).with(named, rest)
	case landmark >= 0 && !conflict(names, landmark, named):
		n := names[landmark]
		return located{place: workflow.Place{
			Estate: n.estate, Landmark: n.landmark.Name, Grid: n.landmark.Grid, Detail: r.spot(t, found, n.to),
		}}
	case len(named) > 0:
		return r.building(c, w, t, names, found, named, 0, true).with(named, rest)
	}
	estate := slices.IndexFunc(names, func(n name) bool { return n.landmark == nil })
	if estate >= 0 {
		return r.estate(c, w, t, names[estate], found, rest)
	}
	base := around(w, own)
	if rest.to > 0 {
		if base == (workflow.Place{}) {
			base = w.Home
		}
		return located{place: rest.within(base)}
	}
	return located{place: base}
}

// with adds a unit, floor or room that stands by itself, 「怡园7号楼,俺楼二单
// 元」, to the only building of a text.
func (l located) with(named []house, rest house) located {
	lacks := l.place.Room == "" && l.place.Floor == 0 && (l.place.Unit == 0 || rest.unit == 0)
	if len(named) == 1 && named[0].several == 0 && rest.to > 0 && lacks {
		l.place = rest.within(l.place)
	}
	return l
}

// around is the place that goes without saying: the resident's own home where
// the words point at it, else what was scanned, else what is near.
func around(w workflow.Words, own bool) workflow.Place {
	switch {
	case own && w.Home.Known():
		return w.Home
	case w.Scene.Known():
		return w.Scene
	case w.Near.Known():
		return w.Near
	}
	return workflow.Place{}
}

// within adds what was said of unit, floor and room to a place. What the place
// has of another unit is dropped.
func (h house) within(p workflow.Place) workflow.Place {
	if h.unit > 0 && h.unit != p.Unit {
		p.Unit, p.Floor, p.Room = h.unit, 0, ""
	}
	if h.floor > 0 && h.floor != p.Floor {
		p.Floor, p.Room = h.floor, ""
	}
	if h.room != "" {
		p.Room = h.room
	}
	return p
}

// building settles in which estate a building stands.
func (r *Rules) building(c *workflow.Community, w workflow.Words, t *text, names []name, found []match, houses []house, i int, own bool) located {
	h := houses[i]
	p := workflow.Place{Building: h.building, Unit: h.unit, Floor: h.floor, Room: h.room, Detail: r.spot(t, found, h.to)}
	if h.several > 0 {
		p.Detail = t.written(h.from, h.several) + p.Detail
	}
	if e := estateOf(t, names, h); e != "" {
		p.Estate = e
		if p.Grid = c.GridOf(e, h.building); p.Grid == "" {
			return located{place: p, problem: noSuchBuilding}
		}
		for _, n := range names {
			if n.landmark != nil && n.landmark.Grid == p.Grid {
				p.Landmark = n.landmark.Name
			}
		}
		return located{place: p}
	}
	var have []workflow.Estate
	for _, e := range c.Estates {
		if h.building <= e.Buildings {
			have = append(have, e)
		}
	}
	switch len(have) {
	case 0:
		return located{place: p, problem: noSuchBuilding}
	case 1:
		p.Estate = have[0].Name
	default:
		known := []workflow.Place{w.Scene, w.Near, w.Home}
		if own {
			known = []workflow.Place{w.Home, w.Scene, w.Near}
		}
		for _, k := range known {
			if c.GridOf(k.Estate, h.building) != "" {
				p.Estate = k.Estate
				break
			}
		}
	}
	if p.Estate != "" {
		p.Grid = c.GridOf(p.Estate, h.building)
		return located{place: p}
	}
	slices.SortStableFunc(have, func(a, b workflow.Estate) int { return cmp.Compare(b.Households, a.Households) })
	var estates []string
	for _, e := range have {
		estates = append(estates, e.Name)
	}
	return located{place: p, problem: whichEstate, estates: estates}
}

// estateOf is the estate that was said with a building: the nearest before it
// in its sentence, else the nearest before, else the first behind.
func estateOf(t *text, names []name, h house) string {
	var before, behind string
	for _, n := range names {
		switch {
		case n.estate == "":
		case n.to <= h.from:
			if before == "" || n.landmark == nil || t.sentence[n.from] == t.sentence[h.from] {
				before = n.estate
			}
		case behind == "":
			behind = n.estate
		}
	}
	return cmp.Or(before, behind)
}

// estate is a place without a building: what was scanned or is near in that
// estate, else the grid if the estate has only one. Unless it is a spot that
// belongs to all, the building is still wanted.
func (r *Rules) estate(c *workflow.Community, w workflow.Words, t *text, n name, found []match, rest house) located {
	for _, k := range []workflow.Place{w.Scene, w.Near} {
		if k.Estate == n.estate && k.Known() {
			return located{place: rest.within(k)}
		}
	}
	if w.Home.Estate == n.estate && w.Home.Known() && (rest.to > 0 || r.first(found, groupOwn) >= 0) {
		return located{place: rest.within(w.Home)}
	}
	p := rest.within(workflow.Place{Estate: n.estate, Detail: r.spot(t, found, n.to)})
	e, _ := c.Estate(n.estate)
	p.Grid = c.GridOf(n.estate, 1)
	for b := 2; b <= e.Buildings; b++ {
		if c.GridOf(n.estate, b) != p.Grid {
			p.Grid = ""
			break
		}
	}
	if p.Grid != "" && r.first(found, groupPublic) < 0 {
		return located{place: p, problem: whichBuilding}
	}
	return located{place: p}
}

// conflict tells whether an estate was named other than the landmark's own,
// save where the speaker lives.
func conflict(names []name, landmark int, houses []house) bool {
	return slices.ContainsFunc(names, func(n name) bool {
		lives := slices.ContainsFunc(houses, func(h house) bool { return h.own && h.from == n.to })
		return n.landmark == nil && n.estate != names[landmark].estate && !lives
	})
}

// placeNames finds estates and landmarks, the longest where several begin in one
// spot, in the order of the text.
func (r *Rules) placeNames(c *workflow.Community, t *text, found []match) []name {
	var out []name
	whole := string(t.runes)
	look := func(as string, n name) {
		if as == "" {
			return
		}
		word := make([]rune, 0, 12)
		for _, x := range as {
			if x = plain(x, r.simplified); x != ' ' {
				word = append(word, x)
			}
		}
		if !strings.Contains(whole, string(word)) {
			return
		}
		for i := range t.runes {
			if t.has(i, word) {
				n.from, n.to = i, i+len(word)
				if !r.partOfAnother(t, found, n) {
					out = append(out, n)
				}
			}
		}
	}
	for _, e := range c.Estates {
		look(e.Name, name{estate: e.Name})
		for _, a := range e.Aliases {
			look(a, name{estate: e.Name})
		}
	}
	for i := range c.Landmarks {
		l := &c.Landmarks[i]
		look(l.Name, name{estate: l.Estate, landmark: l})
		for _, a := range l.Aliases {
			look(a, name{estate: l.Estate, landmark: l})
		}
	}
	slices.SortStableFunc(out, func(a, b name) int {
		return cmp.Or(cmp.Compare(b.to-b.from, a.to-a.from), cmp.Compare(a.from, b.from))
	})
	var kept []name
	for _, n := range out {
		if !slices.ContainsFunc(kept, func(k name) bool { return n.from < k.to && k.from < n.to && !n.goesOn(k) }) {
			kept = append(kept, n)
		}
	}
	slices.SortFunc(kept, func(a, b name) int { return cmp.Compare(a.from, b.from) })
	return kept
}

// goesOn tells whether a landmark's name begins within that of its estate and
// goes on behind it: 「毕家洼西区北门」.
func (n name) goesOn(k name) bool {
	return n.landmark != nil && k.landmark == nil && n.estate == k.estate && n.from > k.from && n.to > k.to
}

// partOfAnother tells whether a name is a piece of another word or number:
// 「西区」 in 「东西区别」, 「960」 in 「960元」.
func (r *Rules) partOfAnother(t *text, found []match, n name) bool {
	if isDigit(t.rune(n.from)) && isDigit(t.rune(n.from-1)) {
		return true
	}
	if last := t.rune(n.to - 1); isDigit(last) && (t.counts(n.to) && !t.dashed(n.to) || t.rune(n.to) == '号' || t.rune(n.to) == '户') {
		return true
	}
	return slices.ContainsFunc(found, func(m match) bool {
		return r.book.cues[m.cue].group == groupNoPlace && m.from <= n.from && m.to >= n.to
	})
}

// dashed tells whether an address in numbers follows a name that is a number
// itself: 「960-8-1-501」.
func (t *text) dashed(i int) bool {
	for range 2 {
		_, end, _ := t.number(i + 1)
		if t.rune(i) != '-' || end == i+1 {
			return false
		}
		i = end
	}
	return true
}

// spokenOf tells whether the address at i is where the speaker lives, 「我是
// 12号楼的」, which need not be where the matter is.
func (r *Rules) spokenOf(t *text, found []match, i int) bool {
	return slices.ContainsFunc(found, func(m match) bool {
		return r.book.cues[m.cue].group == groupSpeaker && m.to <= i && i-m.to <= reach && t.clause[m.from] == t.clause[i]
	})
}

// spot is what is said of the spot right behind an address: 「东头」, 「的地下
// 室门口」. As written, "" if nothing is.
func (r *Rules) spot(t *text, found []match, i int) string {
	if t.rune(i) == '的' {
		i++
	}
	end := i
	for grown := true; grown && end-i < 12; {
		grown = false
		for _, m := range found {
			if r.book.cues[m.cue].group == groupSpot && (m.from == end || end > i && t.rune(end) == '的' && m.from == end+1) && m.to > end {
				end, grown = m.to, true
			}
		}
	}
	return t.written(i, end)
}
