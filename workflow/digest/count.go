package digest

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Rate is how many of so many.
type Rate struct {
	Of   int `json:"of"`
	Good int `json:"good"`
}

func (r *Rate) count(good bool) {
	r.Of++
	if good {
		r.Good++
	}
}

// Known tells whether there was anything to count.
func (r Rate) Known() bool { return r.Of > 0 }

// Percent is the rate in percent, to a tenth; 0 of nothing.
func (r Rate) Percent() float64 {
	if r.Of == 0 {
		return 0
	}
	return math.Round(1000*float64(r.Good)/float64(r.Of)) / 10
}

// Rates are the three rates.
type Rates struct {
	// Response 响应率: of the matters that were answered for the first time in the
	// week (accepted, claimed, or resolved at once), or whose promise of an answer
	// ran out in it, those that were answered within the promise.
	Response Rate `json:"response"`
	// Resolution 解决率: of the matters that were resolved in the week, or whose
	// promise ran out in it, those that stand resolved when it is counted. What
	// was taken up again, by a bad verdict or otherwise, is not.
	Resolution Rate `json:"resolution"`
	// OnTime is, of the same matters, how many were resolved within the promise
	// and stand so.
	OnTime Rate `json:"on_time"`
	// Satisfaction 满意率: of the verdicts given in the week, a matter's last one,
	// those that say satisfied or fair; Satisfied those that say satisfied.
	Satisfaction Rate `json:"satisfaction"`
	Satisfied    Rate `json:"satisfied"`
}

func (r *Rates) add(o Rates) {
	for _, x := range []struct {
		to   *Rate
		more Rate
	}{{&r.Response, o.Response}, {&r.Resolution, o.Resolution}, {&r.OnTime, o.OnTime}, {&r.Satisfaction, o.Satisfaction}, {&r.Satisfied, o.Satisfied}} {
		x.to.Of += x.more.Of
		x.to.Good += x.more.Good
	}
}

// Times are the middle and the slow end of some times, in seconds by the wall
// clock from the filing (or the taking up again).
type Times struct {
	N      int   `json:"n"`
	Median int64 `json:"median_s"`
	P90    int64 `json:"p90_s"` // 90th percentile, by nearest rank
}

// Spread are times of a kind of matter.
type Spread struct {
	Of string `json:"of"` // emergency, major, minor, wish
	Times
	Promise int64 `json:"promise_s"` // as it is now; 0 = none
}

// Unit is a part of the community or of those who work for it. It answers for
// what happened in its hands: an answer, a result and a promise that ran out are
// of who had the matter then, a verdict of whose work it judges. A matter that
// was handed over counts with each, and a result does not make good a promise
// that ran out in other hands.
type Unit struct {
	By    By     `json:"by"`
	Code  string `json:"code"`
	Taken int    `json:"taken"` // filed in the week, merged and cancelled ones not counted; of groups and companies: those that they have had
	Rates
	ResponseTimes Times `json:"response_times"` // of all kinds of matters together
	HandlingTimes Times `json:"handling_times"`
}

// By says what units are parts of.
type By string

// The ways in which a week is taken apart.
const (
	ByGrid     By = "grid"
	ByCategory By = "category"
	ByGroup    By = "group"    // who has it: worker, officer, property, claimer, committee, none
	ByProperty By = "property" // the company, by its name
)

// The groups of those who work.
const (
	GroupWorkers   = "worker"
	GroupOfficers  = "officer"
	GroupProperty  = "property"
	GroupClaimers  = "claimer"
	GroupCommittee = "committee"
	GroupNone      = "none" // nobody yet, or somebody who plays no part any more
)

// Figures are those of one week.
type Figures struct {
	Messages  int `json:"messages"`  // that people sent, without taps that follow and leave
	Incidents int `json:"incidents"` // taken; so the next
	Wishes    int `json:"wishes"`
	Merged    int `json:"merged"`    // of those taken: joined to another
	Cancelled int `json:"cancelled"` // of those taken: withdrawn, or found to be none
	Resolved  int `json:"resolved"`  // matters that stand resolved, by this week
	Missed    int `json:"missed"`    // promises that ran out
	Reopened  int `json:"reopened"`
	Undone    int `json:"undone"` // of the matters resolved in the week: taken up again, then or later
	Escalated int `json:"escalated"`
	Unrated   int `json:"unrated"` // closed without a verdict
	Claimed   int `json:"claimed"` // wishes
	Fulfilled int `json:"fulfilled"`
	Hotline   int `json:"hotline"` // complaints that went to 12345; -1 where none were entered for the week

	Rates
	// Inside 小事不出网格: of the matters that stand resolved by this week, those that
	// never left their grid's hands.
	Inside Rate `json:"inside"`
	// Repeats are incidents taken in the week of which there was another at the
	// same spot within RepeatDays before. Again are the rates of all that were
	// such, whenever they were filed.
	Repeats int   `json:"repeats"`
	Again   Rates `json:"again"`

	ResponseTimes []Spread `json:"response_times"`
	HandlingTimes []Spread `json:"handling_times"`
	Units         []Unit   `json:"units"`

	AtEnd *AtEnd `json:"at_end,omitempty"` // nil in a digest that an older build sent
}

// AtEnd is how things stood at a week's end, or, of a week that runs, when they
// were counted.
type AtEnd struct {
	Late      int `json:"late"`  // open, a promise missed
	Risen     int `json:"risen"` // open, at the committee's level or above
	HotSpots  int `json:"hot_spots"`
	Unclaimed int `json:"unclaimed"` // wishes on the wall
	Pairs     int `json:"pairs"`     // wishes with visits in a rhythm
}

// RepeatDays is how far back a trouble counts as the same one again.
const RepeatDays = 30

// counter counts one week.
type counter struct {
	shape     *workflow.Community
	roster    workflow.Roster
	from, to  time.Time
	f         Figures
	incidents []filing
	units     map[unitKey]*unit
	groups    map[groupKey][]unitKey
	responses map[string][]time.Duration
	handlings map[string][]time.Duration
}

// filing is an incident that may be a repeat of another, and what it adds to their rates.
type filing struct {
	Trouble
	filed bool // in the week
	Rates
}

type unitKey struct {
	by   By
	code string
}

// unit is a Unit that is being counted.
type unit struct {
	Unit
	responses, handlings []time.Duration
}

// groupKey finds the units of who has a matter.
type groupKey struct {
	owner workflow.PersonID
	wish  bool
}

// Count counts the week from from until before to. matters are all that had any
// of the Counted events in it; troubles are the incidents filed in a time, which
// is asked for what is near the filings of the week's incidents.
func Count(c *workflow.Community, roster workflow.Roster, from, to time.Time, matters func(func(*Matter) error) error, troubles func(from, until time.Time) ([]Trouble, error)) (Figures, error) {
	n := &counter{shape: c, roster: roster, from: from, to: to,
		units: map[unitKey]*unit{}, groups: map[groupKey][]unitKey{}, responses: map[string][]time.Duration{}, handlings: map[string][]time.Duration{}}
	if err := matters(func(m *Matter) error {
		n.matter(m)
		return nil
	}); err != nil {
		return Figures{}, err
	}
	if err := n.repeats(troubles); err != nil {
		return Figures{}, err
	}
	n.f.ResponseTimes, n.f.HandlingTimes = n.spreads(n.responses, false), n.spreads(n.handlings, true)
	for _, u := range n.units {
		u.ResponseTimes, u.HandlingTimes = times(u.responses), times(u.handlings)
		n.f.Units = append(n.f.Units, u.Unit)
	}
	slices.SortFunc(n.f.Units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(b.Taken, a.Taken), cmp.Compare(a.Code, b.Code))
	})
	return n.f, nil
}

// repeatSpan is RepeatDays as a time.
const repeatSpan = RepeatDays * 24 * time.Hour

// repeats counts those of the week's incidents, whenever they were filed, of which
// there was another at the same spot before. The record is asked for the time
// around their filings only: of a matter that was open for long that of its own.
func (n *counter) repeats(troubles func(from, until time.Time) ([]Trouble, error)) error {
	slices.SortFunc(n.incidents, func(a, b filing) int { return a.FiledAt.Compare(b.FiledAt) })
	for rest := n.incidents; len(rest) > 0; {
		end := 1
		for end < len(rest) && rest[end].FiledAt.Sub(rest[end-1].FiledAt) <= repeatSpan {
			end++
		}
		some := rest[:end]
		rest = rest[end:]
		all, err := troubles(some[0].FiledAt.Add(-repeatSpan), some[end-1].FiledAt.Add(time.Microsecond)) // the record's times are no finer
		if err != nil {
			return err
		}
		again := repeated(all)
		for _, x := range some {
			if !again[x.Number] {
				continue
			}
			if x.filed {
				n.f.Repeats++
			}
			n.f.Again.add(x.Rates)
		}
	}
	return nil
}

// repeated are the troubles of which there was another at the same spot within
// RepeatDays before.
func repeated(all []Trouble) map[int64]bool {
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b Trouble) int {
		return cmp.Or(a.FiledAt.Compare(b.FiledAt), cmp.Compare(a.Number, b.Number))
	})
	out, last := map[int64]bool{}, map[Spot]time.Time{}
	for _, t := range sorted {
		spot := t.Spot.anywhere()
		if before, ok := last[spot]; ok && t.FiledAt.Sub(before) <= repeatSpan {
			out[t.Number] = true
		}
		last[spot] = t.FiledAt
	}
	return out
}

func (n *counter) in(t time.Time) bool { return !t.IsZero() && !t.Before(n.from) && t.Before(n.to) }

func (n *counter) matter(m *Matter) {
	if len(m.Moments) == 0 {
		return
	}
	filed := n.in(m.Moments[0].At)
	if filed {
		if m.Kind == workflow.Wish {
			n.f.Wishes++
		} else {
			n.f.Incidents++
		}
	}
	switch m.State {
	case workflow.Merged:
		if filed {
			n.f.Merged++
		}
		return
	case workflow.Cancelled:
		if filed {
			n.f.Cancelled++
		}
		return
	}
	in := m.hands()
	if filed {
		for _, k := range n.takers(m, in) {
			n.unit(k).Taken++
		}
	}
	var own Rates
	n.moments(m, in, &own)
	n.rounds(m, in, &own)
	n.f.add(own)
	if m.Kind == workflow.Incident && m.Spot != (Spot{}) {
		n.incidents = append(n.incidents, filing{Trouble{m.Number, m.Moments[0].At, m.Spot}, filed, own})
	}
}

// moments counts what happened in the week, event by event.
func (n *counter) moments(m *Matter, in []hands, own *Rates) {
	var verdict workflow.Rating
	verdicts := map[unitKey]workflow.Rating{} // of each unit's work
	for i, e := range m.Moments {
		if !n.in(e.At) {
			continue
		}
		switch e.Type {
		case workflow.EvOverdue:
			n.f.Missed++
		case workflow.EvReopened:
			n.f.Reopened++
		case workflow.EvEscalated:
			n.f.Escalated++
		case workflow.EvClosedByTime:
			n.f.Unrated++
		case workflow.EvClaimed:
			n.f.Claimed++
		}
		if e.Rating != "" && (e.Type == workflow.EvRated || e.Type == workflow.EvReopened) {
			verdict = e.Rating
			for _, k := range n.keys(m, in[i]) {
				verdicts[k] = verdict
			}
		}
	}
	judge := func(v workflow.Rating, r *Rates) {
		r.Satisfaction.count(v != workflow.Unsatisfied)
		r.Satisfied.count(v == workflow.Satisfied)
	}
	if verdict != "" {
		judge(verdict, own)
	}
	for k, v := range verdicts {
		judge(v, &n.unit(k).Rates)
	}
}

// rounds counts answers and results: of a matter's rounds the last one that was
// answered, or settled, in the week, and of each unit the last one in which it
// had a part of that.
func (n *counter) rounds(m *Matter, in []hands, own *Rates) {
	kind := string(m.Severity)
	if m.Kind == workflow.Wish {
		kind = "wish"
	}
	all := m.rounds(in)
	answered, settled := -1, -1
	answers, results := map[unitKey]func(*Rates){}, map[unitKey]func(*Rates){}
	for i, r := range all {
		if n.in(earliest(r.answered.Time, r.late.Time)) {
			answered = i
		}
		if n.in(earliest(r.resolved.Time, r.overdue.Time)) {
			settled = i
		}
		if n.in(r.answered.Time) {
			took := r.answered.Sub(r.began)
			n.responses[kind] = append(n.responses[kind], took)
			for _, k := range n.keys(m, r.answered.hands) {
				u := n.unit(k)
				u.responses = append(u.responses, took)
			}
		}
		if n.in(r.resolved.Time) {
			took := r.resolved.Sub(r.began)
			n.handlings[kind] = append(n.handlings[kind], took)
			for _, k := range n.keys(m, r.resolved.hands) {
				u := n.unit(k)
				u.handlings = append(u.handlings, took)
			}
		}
		n.share(m, r.late, r.answered, func(k unitKey, missed, _ bool) {
			answers[k] = func(rates *Rates) { rates.Response.count(!missed) }
		})
		stands := m.stands(r)
		n.share(m, r.overdue, r.resolved, func(k unitKey, missed, done bool) {
			results[k] = func(rates *Rates) {
				rates.Resolution.count(done && stands)
				rates.OnTime.count(done && stands && !missed)
			}
		})
	}
	for _, parts := range []map[unitKey]func(*Rates){answers, results} {
		for k, f := range parts {
			f(&n.unit(k).Rates)
		}
	}
	if answered >= 0 {
		own.Response.count(all[answered].late.IsZero())
	}
	if settled < 0 {
		return
	}
	r := all[settled]
	if r.undone && !r.resolved.IsZero() {
		n.f.Undone++
	}
	stands := m.stands(r)
	own.Resolution.count(stands)
	own.OnTime.count(stands && r.overdue.IsZero())
	if stands {
		n.f.Resolved++
		n.f.Inside.count(!m.Outside)
		if m.Kind == workflow.Wish {
			n.f.Fulfilled++
		}
	}
}

// stands tells whether what a round resolved is so still.
func (m *Matter) stands(r round) bool {
	return !r.undone && !r.resolved.IsZero() && (m.State == workflow.Resolved || m.State == workflow.Closed)
}

// share gives each unit its part of a promise that was missed, or kept, or both:
// the unit in whose hands it was missed answers for that, the one that did it for
// the doing; where both are the same it counts once, when it was missed.
func (n *counter) share(m *Matter, missed, done held, part func(k unitKey, missed, done bool)) {
	var late, did []unitKey
	if !missed.IsZero() {
		late = n.keys(m, missed.hands)
	}
	if !done.IsZero() {
		did = n.keys(m, done.hands)
	}
	for _, k := range late {
		if n.in(missed.Time) {
			part(k, true, slices.Contains(did, k))
		}
	}
	for _, k := range did {
		if n.in(done.Time) && !slices.Contains(late, k) {
			part(k, false, true)
		}
	}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// unit is the unit with a key, a new one at first.
func (n *counter) unit(k unitKey) *unit {
	u, ok := n.units[k]
	if !ok {
		u = &unit{Unit: Unit{By: k.by, Code: k.code}}
		n.units[k] = u
	}
	return u
}

// keys are the units that a matter is with while it is in some hands.
func (n *counter) keys(m *Matter, in hands) []unitKey {
	return append([]unitKey{{ByGrid, in.grid}, {ByCategory, string(m.Category)}}, n.group(m, in.owner)...)
}

// group are the units of who has a matter: the group and, of the property, the
// company.
func (n *counter) group(m *Matter, owner workflow.PersonID) []unitKey {
	key := groupKey{owner, m.Kind == workflow.Wish}
	keys, ok := n.groups[key]
	if !ok {
		group, company := GroupOf(n.roster.ByID(owner), m.Kind)
		keys = []unitKey{{ByGroup, group}}
		if company != "" {
			keys = append(keys, unitKey{ByProperty, company})
		}
		n.groups[key] = keys
	}
	return keys
}

// takers are the units that a matter came to: grid and category, and all groups
// and companies that have had it; while nobody has, nobody's.
func (n *counter) takers(m *Matter, in []hands) []unitKey {
	keys := []unitKey{{ByGrid, in[0].grid}, {ByCategory, string(m.Category)}}
	var last workflow.PersonID
	for _, h := range in {
		if h.owner == 0 || h.owner == last {
			continue
		}
		last = h.owner
		for _, k := range n.group(m, h.owner) {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	if last == 0 {
		keys = append(keys, n.group(m, 0)...)
	}
	return keys
}

// GroupOf is the group of who has a matter, and the company where it is the
// property's. Somebody of several parts counts by the one that fits the matter:
// of a wish as a claimer, else as a worker first.
func GroupOf(p workflow.Person, kind workflow.Kind) (group, company string) {
	has := func(kinds ...workflow.RoleKind) bool {
		return slices.ContainsFunc(kinds, p.Has)
	}
	switch {
	case kind == workflow.Wish && has(workflow.RolePartner, workflow.RoleVolunteer, workflow.RolePartyMember):
		return GroupClaimers, ""
	case has(workflow.RoleWorker, workflow.RoleLeader) && !has(workflow.RoleCommittee):
		return GroupWorkers, ""
	case has(workflow.RoleProperty):
		for _, r := range p.Roles {
			if r.Kind == workflow.RoleProperty {
				company = r.Unit
			}
		}
		return GroupProperty, company
	case has(workflow.RoleOfficer):
		return GroupOfficers, ""
	case has(workflow.RoleCommittee):
		return GroupCommittee, ""
	case has(workflow.RolePartner, workflow.RoleVolunteer, workflow.RolePartyMember):
		return GroupClaimers, ""
	}
	return GroupNone, ""
}

func (n *counter) spreads(of map[string][]time.Duration, resolve bool) []Spread {
	var out []Spread
	for _, kind := range []string{string(workflow.Emergency), string(workflow.Major), string(workflow.Minor), "wish"} {
		all := of[kind]
		if len(all) == 0 {
			continue
		}
		promise := n.shape.Clocks.For(workflow.Severity(kind)).Response
		switch {
		case kind == "wish" && resolve:
			promise = n.shape.Clocks.WishResolve
		case kind == "wish":
			promise = n.shape.Clocks.WishClaimed
		case resolve:
			promise = n.shape.Clocks.For(workflow.Severity(kind)).Resolve
		}
		out = append(out, Spread{Of: kind, Times: times(all), Promise: int64(promise / time.Second)})
	}
	return out
}

// times sorts times and finds their middle and slow end.
func times(all []time.Duration) Times {
	if len(all) == 0 {
		return Times{}
	}
	slices.Sort(all)
	return Times{N: len(all), Median: rank(all, 50), P90: rank(all, 90)}
}

// rank is a percentile of sorted times by nearest rank, in seconds.
func rank(sorted []time.Duration, percent int) int64 {
	i := (len(sorted)*percent + 99) / 100
	return int64(sorted[max(i, 1)-1] / time.Second)
}
