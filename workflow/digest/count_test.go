package digest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
)

const document = `
code: east
name: 东社区
estates:
  - {name: 东园, buildings: 4}
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-2"}
  - {code: G2, name: 第二网格, kind: residential, buildings: "东园:3-4"}
`

func community(t testing.TB) *workflow.Community {
	t.Helper()
	c, err := workflow.ParseCommunity(strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var roster = workflow.Roster{
	{ID: 1, Name: "秦霞", Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1", FullTime: true}}},
	{ID: 2, Name: "曹颖", Roles: []workflow.Role{{Kind: workflow.RoleProperty, Unit: "红色物业"}}},
	{ID: 3, Name: "曹一鸣", Roles: []workflow.Role{{Kind: workflow.RoleCommittee, Duty: true}}},
	{ID: 4, Name: "唐娟", Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1"}}},
}

// monday is the beginning of the week that the tests count, 2026-W47.
var monday = time.Date(2026, 11, 15, 16, 0, 0, 0, time.UTC)

// at is so many hours after the week's beginning; less than 0 before it.
func at(hours float64) time.Time { return monday.Add(time.Duration(hours * float64(time.Hour))) }

func moment(hours float64, ev workflow.EventType) Moment { return Moment{Type: ev, At: at(hours)} }

// given is a moment that gives the matter to somebody.
func given(hours float64, ev workflow.EventType, to workflow.PersonID) Moment {
	return Moment{Type: ev, At: at(hours), Owner: to}
}

func missed(hours float64, c workflow.Clock) Moment {
	return Moment{Type: workflow.EvOverdue, At: at(hours), Clock: c}
}

func rated(hours float64, r workflow.Rating) Moment {
	ev := workflow.EvRated
	if r == workflow.Unsatisfied {
		ev = workflow.EvReopened
	}
	return Moment{Type: ev, At: at(hours), Rating: r}
}

// incident is a matter in G1 that stands as said.
func incident(state workflow.State, moments ...Moment) *Matter {
	return &Matter{Number: 1001, Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor, State: state, Grid: "G1", Moments: moments}
}

func count(t testing.TB, week Week, matters ...*Matter) Figures {
	t.Helper()
	from, until := week.Range(community(t).Location())
	f, err := Count(community(t), roster, from, until, func(each func(*Matter) error) error {
		for _, m := range matters {
			if err := each(m); err != nil {
				return err
			}
		}
		return nil
	}, memory{troubles: troublesOf(matters)}.near)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// troublesOf are the incidents as the record gives them.
func troublesOf(matters []*Matter) (out []Trouble) {
	for _, m := range matters {
		if m.Kind == workflow.Incident && m.State != workflow.Merged && m.State != workflow.Cancelled && m.Spot != (Spot{}) {
			out = append(out, Trouble{m.Number, m.Moments[0].At, m.Spot})
		}
	}
	return out
}

func (m memory) near(from, until time.Time) ([]Trouble, error) {
	return m.Troubles(context.Background(), "", from, until)
}

func TestWhichWeekAMatterCountsIn(t *testing.T) {
	const filed, accepted, resolved = workflow.EvFiled, workflow.EvAccepted, workflow.EvResolved
	this, next := Week{2026, 47}, Week{2026, 48}
	type want struct{ response, resolution, onTime, satisfaction Rate }
	for name, c := range map[string]struct {
		m    *Matter
		this want
		next want
	}{
		"all in one week": {
			incident(workflow.Closed, moment(1, filed), moment(1.5, accepted), moment(9, resolved), rated(10, workflow.Satisfied)),
			want{Rate{1, 1}, Rate{1, 1}, Rate{1, 1}, Rate{1, 1}}, want{},
		},
		"answered on Sunday, resolved on Monday": {
			incident(workflow.Resolved, moment(167, filed), moment(167.5, accepted), moment(169, resolved)),
			want{response: Rate{1, 1}}, want{resolution: Rate{1, 1}, onTime: Rate{1, 1}},
		},
		"nobody answered in time, late in the same week": {
			incident(workflow.Resolved, moment(1, filed), missed(2, workflow.ClockResponse), moment(3, accepted), moment(9, resolved)),
			want{Rate{1, 0}, Rate{1, 1}, Rate{1, 1}, Rate{}}, want{},
		},
		"the promise of an answer ran out in one week, the answer came in the next: counted where it ran out": {
			incident(workflow.Accepted, moment(166, filed), missed(167, workflow.ClockResponse), moment(170, accepted)),
			want{response: Rate{1, 0}}, want{},
		},
		"the promise of a result ran out, the result came a week later: the first week's is resolved, late": {
			incident(workflow.Closed, moment(100, filed), moment(100.5, accepted), missed(148, workflow.ClockResolve), moment(170, resolved)),
			want{response: Rate{1, 1}, resolution: Rate{1, 1}, onTime: Rate{1, 0}}, want{},
		},
		"the promise of a result ran out and nothing came": {
			incident(workflow.Accepted, moment(100, filed), moment(100.5, accepted), missed(148, workflow.ClockResolve)),
			want{response: Rate{1, 1}, resolution: Rate{1, 0}, onTime: Rate{1, 0}}, want{},
		},
		"reopened in the same week and not resolved again: not solved": {
			incident(workflow.Accepted, moment(1, filed), moment(2, accepted), moment(9, resolved), rated(10, workflow.Unsatisfied), moment(11, accepted)),
			want{response: Rate{1, 1}, resolution: Rate{1, 0}, onTime: Rate{1, 0}, satisfaction: Rate{1, 0}}, want{},
		},
		"reopened and resolved again in the same week: once, solved; the last verdict counts": {
			incident(workflow.Closed, moment(1, filed), moment(2, accepted), moment(9, resolved), rated(10, workflow.Unsatisfied), moment(11, accepted), moment(20, resolved), rated(21, workflow.Fair)),
			want{Rate{1, 1}, Rate{1, 1}, Rate{1, 1}, Rate{1, 1}}, want{},
		},
		"reopened the week after: the first week's is not solved any more": {
			incident(workflow.Closed, moment(1, filed), moment(2, accepted), moment(9, resolved), rated(170, workflow.Unsatisfied), moment(171, accepted), moment(180, resolved), rated(181, workflow.Satisfied)),
			want{response: Rate{1, 1}, resolution: Rate{1, 0}, onTime: Rate{1, 0}}, want{Rate{1, 1}, Rate{1, 1}, Rate{1, 1}, Rate{1, 1}},
		},
		"merged: in no rate": {
			incident(workflow.Merged, moment(1, filed), moment(2, accepted)), want{}, want{},
		},
		"withdrawn: in no rate": {
			incident(workflow.Cancelled, moment(1, filed), missed(2, workflow.ClockResponse)), want{}, want{},
		},
		"found and fixed on the spot": {
			incident(workflow.Closed, moment(1, filed), moment(1, accepted), moment(1, resolved)),
			want{Rate{1, 1}, Rate{1, 1}, Rate{1, 1}, Rate{}}, want{},
		},
		"resolved without having been accepted": {
			incident(workflow.Resolved, moment(1, filed), moment(5, resolved)),
			want{Rate{1, 1}, Rate{1, 1}, Rate{1, 1}, Rate{}}, want{},
		},
		"closed by time: no verdict": {
			incident(workflow.Closed, moment(1, filed), moment(2, accepted), moment(9, resolved), moment(81, workflow.EvClosedByTime)),
			want{Rate{1, 1}, Rate{1, 1}, Rate{1, 1}, Rate{}}, want{},
		},
		"taken apart again: a matter of its own from then on": {
			incident(workflow.Accepted, moment(1, filed), moment(170, workflow.EvSplit), moment(171, accepted)),
			want{}, want{response: Rate{1, 1}},
		},
	} {
		for week, want := range map[Week]want{this: c.this, next: c.next} {
			f := count(t, week, c.m)
			if f.Response != want.response || f.Resolution != want.resolution || f.OnTime != want.onTime || f.Satisfaction != want.satisfaction {
				t.Errorf("%s, in %s: response %v resolution %v on time %v satisfaction %v, want %v", name, week, f.Response, f.Resolution, f.OnTime, f.Satisfaction, want)
			}
		}
	}
}

func TestTimesAndUnits(t *testing.T) {
	wish := &Matter{Number: 1002, Kind: workflow.Wish, Category: "elderly", Severity: workflow.Minor, State: workflow.Closed, Grid: "G2", Outside: true,
		Moments: []Moment{moment(0, workflow.EvFiled), given(20, workflow.EvClaimed, 2), moment(100, workflow.EvResolved), rated(101, workflow.Satisfied)}}
	all := []*Matter{wish}
	for i := range 10 { // answered after 6, 12 … 60 minutes
		m := incident(workflow.Closed, moment(1, workflow.EvFiled), given(1+float64(i+1)/10, workflow.EvAccepted, 1), moment(5, workflow.EvResolved))
		m.Number += int64(i + 10)
		all = append(all, m)
	}
	f := count(t, Week{2026, 47}, all...)
	want := []Spread{{"minor", Times{10, 30 * 60, 54 * 60}, 3600}, {"wish", Times{1, 20 * 3600, 20 * 3600}, 72 * 3600}}
	if !reflect.DeepEqual(f.ResponseTimes, want) {
		t.Errorf("response times %+v, want %+v", f.ResponseTimes, want)
	}
	if f.Incidents != 10 || f.Wishes != 1 || f.Fulfilled != 1 || f.Claimed != 1 || f.Inside != (Rate{11, 10}) || f.Satisfied != (Rate{1, 1}) {
		t.Errorf("figures %+v", f)
	}
	units := map[By]map[string]int{}
	for _, u := range f.Units {
		if units[u.By] == nil {
			units[u.By] = map[string]int{}
		}
		units[u.By][u.Code] = u.Taken
		if u.Code == "worker" && (u.ResponseTimes != Times{10, 30 * 60, 54 * 60} || u.HandlingTimes != Times{10, 4 * 3600, 4 * 3600}) {
			t.Errorf("the workers' times are %+v, %+v", u.ResponseTimes, u.HandlingTimes)
		}
	}
	if !reflect.DeepEqual(units, map[By]map[string]int{
		ByGrid: {"G1": 10, "G2": 1}, ByCategory: {"facilities": 10, "elderly": 1}, ByGroup: {"worker": 10, "property": 1}, ByProperty: {"红色物业": 1},
	}) {
		t.Errorf("units %v", units)
	}
}

// A unit answers for what happened in its hands, whoever took the matter over.
func TestAMatterIsOfWhoHadItThen(t *testing.T) {
	const assigned, accepted, transferred = workflow.EvAssigned, workflow.EvAccepted, workflow.EvTransferred
	const worker, property, committee = "group worker", "group property", "group committee"
	filed := moment(0, workflow.EvFiled)
	for name, c := range map[string]struct {
		state workflow.State
		m     []Moment
		want  map[string]string // response, resolution, satisfaction of a unit
	}{
		"unsatisfied with the worker's work, then the committee does it": {
			workflow.Closed,
			[]Moment{filed, given(0, assigned, 1), given(.5, accepted, 1), moment(5, workflow.EvResolved), rated(6, workflow.Unsatisfied),
				given(6, assigned, 3), given(7, accepted, 3), moment(9, workflow.EvResolved), rated(10, workflow.Satisfied)},
			map[string]string{worker: "1/1 0/1 0/1", committee: "1/1 1/1 1/1", "grid G1": "1/1 1/1 1/1"},
		},
		"the promise ran out with the property, and the committee did it": {
			workflow.Resolved,
			[]Moment{filed, given(0, assigned, 2), given(.5, accepted, 2), missed(48, workflow.ClockResolve), given(49, transferred, 3), moment(60, workflow.EvResolved)},
			map[string]string{property: "1/1 0/1 0/0", "property 红色物业": "1/1 0/1 0/0", committee: "0/0 1/1 0/0", "grid G1": "1/1 1/1 0/0"},
		},
		"nobody answered in the worker's hands, the property did in its own": {
			workflow.Accepted,
			[]Moment{filed, given(0, assigned, 1), missed(1, workflow.ClockResponse), given(2, transferred, 2), given(2.5, accepted, 2)},
			map[string]string{worker: "0/1 0/0 0/0", property: "1/1 0/0 0/0", "grid G1": "0/1 0/0 0/0"},
		},
		"the promise ran out with nobody": {
			workflow.Accepted,
			[]Moment{filed, missed(1, workflow.ClockResponse), given(2, assigned, 1), given(2.5, accepted, 1)},
			map[string]string{"group none": "0/1 0/0 0/0", worker: "1/1 0/0 0/0"},
		},
		"handed on among workers: one group, once": {
			workflow.Resolved,
			[]Moment{filed, given(0, assigned, 1), missed(1, workflow.ClockResponse), given(2, accepted, 4), moment(5, workflow.EvResolved)},
			map[string]string{worker: "0/1 1/1 0/0"},
		},
		"given back, and done by another": {
			workflow.Resolved,
			[]Moment{filed, given(0, assigned, 2), moment(.2, workflow.EvReturned), given(.3, assigned, 1), given(.5, accepted, 1), moment(5, workflow.EvResolved)},
			map[string]string{worker: "1/1 1/1 0/0", property: "0/0 0/0 0/0"},
		},
		"a building that went to another grid took along only what came after": {
			workflow.Resolved,
			[]Moment{{Type: workflow.EvFiled, At: at(0), Placed: true, Grid: "G3"}, {Type: workflow.EvClassified, At: at(.1), Placed: true, Grid: "G2"}, missed(1, workflow.ClockResponse),
				{Type: workflow.EvMoved, At: at(2), Placed: true, Grid: "G1"}, given(3, accepted, 1), moment(5, workflow.EvResolved)},
			map[string]string{"grid G2": "0/1 0/0 0/0", "grid G1": "1/1 1/1 0/0", "group none": "0/1 0/0 0/0", worker: "1/1 1/1 0/0"},
		},
	} {
		got := map[string]string{}
		for _, u := range count(t, Week{2026, 47}, incident(c.state, c.m...)).Units {
			text := func(r Rate) string { return fmt.Sprintf("%d/%d", r.Good, r.Of) }
			got[string(u.By)+" "+u.Code] = text(u.Response) + " " + text(u.Resolution) + " " + text(u.Satisfaction)
		}
		for unit, want := range c.want {
			if got[unit] != want {
				t.Errorf("%s: %s has %s, want %s", name, unit, got[unit], want)
			}
		}
		for unit := range got {
			if _, ok := c.want[unit]; !ok && !strings.HasPrefix(unit, "category") && !strings.HasPrefix(unit, "property") && unit != "grid G1" {
				t.Errorf("%s: %s has %s", name, unit, got[unit])
			}
		}
	}
}

func TestTheSameTroubleAgain(t *testing.T) {
	gate := Spot{Estate: "东园", Building: 1, Grid: "G1", Category: "drainage"}
	moved := gate
	moved.Grid = "G2"
	other := Spot{Estate: "东园", Building: 2, Grid: "G1", Category: "drainage"}
	got := repeated([]Trouble{
		{4, at(10), gate}, {1, at(-24 * 29), gate}, {2, at(5), other}, {3, at(-24 * 40), other}, {5, at(30), moved},
	})
	if !reflect.DeepEqual(got, map[int64]bool{4: true, 5: true}) {
		t.Errorf("repeats: %v", got)
	}
}

// A repeat keeps its rates in whatever week they fall, also a month later; it is
// taken in one.
func TestARepeatCountsInTheWeekOfItsResult(t *testing.T) {
	spot := Spot{Estate: "东园", Building: 1, Grid: "G1", Category: "drainage"}
	of := func(number int64, s Spot, moments ...Moment) *Matter {
		m := incident(workflow.Closed, moments...)
		m.Number, m.Spot = number, s
		return m
	}
	all := []*Matter{
		of(1, spot, moment(-1200, workflow.EvFiled), moment(-1199, workflow.EvAccepted), moment(-1100, workflow.EvResolved)),
		of(2, spot, moment(-1190, workflow.EvFiled), moment(-1189, workflow.EvAccepted), moment(20, workflow.EvResolved)),                           // open for seven weeks
		of(3, spot, moment(166, workflow.EvFiled), moment(166.5, workflow.EvAccepted), moment(169, workflow.EvResolved)),                            // alone for weeks: none
		of(4, spot, moment(167, workflow.EvFiled), moment(167.5, workflow.EvAccepted), moment(170, workflow.EvResolved), rated(171, workflow.Fair)), // Sunday's, resolved on Monday
		of(5, Spot{}, moment(1, workflow.EvFiled), moment(2, workflow.EvAccepted)),
		of(6, Spot{}, moment(3, workflow.EvFiled), moment(4, workflow.EvAccepted)),
	}
	for week, want := range map[Week]struct {
		repeats int
		again   Rates
	}{
		{2026, 47}: {1, Rates{Response: Rate{1, 1}, Resolution: Rate{1, 1}, OnTime: Rate{1, 1}}},
		{2026, 48}: {0, Rates{Resolution: Rate{1, 1}, OnTime: Rate{1, 1}, Satisfaction: Rate{1, 1}, Satisfied: Rate{1, 0}}},
	} {
		if f := count(t, week, all...); f.Repeats != want.repeats || f.Again != want.again {
			t.Errorf("%s: %d repeats with %+v, want %d with %+v", week, f.Repeats, f.Again, want.repeats, want.again)
		}
	}
}

// memory is a record for the whole digest.
type memory struct {
	matters  []*Matter
	troubles []Trouble
	open     []workflow.Ticket
	messages int
	sections []Section
}

func (m memory) Matters(_ context.Context, _ string, _, _ time.Time, f func(*Matter) error) error {
	for _, x := range m.matters {
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}
func (m memory) Troubles(_ context.Context, _ string, from, until time.Time) (out []Trouble, _ error) {
	for _, x := range m.troubles {
		if !x.FiledAt.Before(from) && x.FiledAt.Before(until) {
			out = append(out, x)
		}
	}
	return out, nil
}
func (m memory) Messages(context.Context, string, time.Time, time.Time) (int, error) {
	return m.messages, nil
}
func (m memory) Hotline(context.Context, string, time.Time, time.Time) (int, bool, error) {
	return 0, false, nil
}
func (m memory) Sections(context.Context, string, time.Time, time.Time) ([]Section, error) {
	return m.sections, nil
}
func (m memory) OpenAt(_ context.Context, _ string, at time.Time, f func(workflow.Ticket) error) error {
	for _, t := range m.open {
		if !t.FiledAt.Before(at) {
			continue
		}
		if err := f(t); err != nil {
			return err
		}
	}
	return nil
}

func keys(d Digest) (out []string) {
	for _, f := range d.Findings {
		out = append(out, f.Key)
	}
	return out
}

func make47(t *testing.T, src memory, sent ...Digest) Digest {
	t.Helper()
	d, err := Make(t.Context(), src, community(t), roster, Week{2026, 47}, at(7*24+8), sent)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAWeekWithoutDataSaysSo(t *testing.T) {
	d := make47(t, memory{})
	if got := keys(d); !reflect.DeepEqual(got, []string{"nothing"}) || d.Now.Hotline != -1 || len(d.Late)+len(d.Below)+len(d.HotSpots) != 0 {
		t.Errorf("an empty week: %+v", d)
	}
}

func TestWhoHasNothingToSayIsLeftOut(t *testing.T) {
	votes := Section{Name: "votes", Lines: []Line{{Say: "decided", Values: map[string]string{"Count": "2"}}}}
	d := make47(t, memory{sections: []Section{{Name: "points"}, votes}})
	if len(d.Sections) != 1 || d.Sections[0].Name != "votes" || len(d.Sections[0].Lines) != 1 {
		t.Errorf("sections: %+v", d.Sections)
	}
}

func TestWhatMattersMost(t *testing.T) {
	var src memory
	gate := Spot{Estate: "东园", Building: 1, Grid: "G1", Category: "drainage"}
	for i := range 10 {
		m := incident(workflow.Accepted, moment(float64(i), workflow.EvFiled), missed(float64(i)+1, workflow.ClockResponse))
		if i < 6 {
			m = incident(workflow.Resolved, moment(float64(i), workflow.EvFiled), moment(float64(i)+.5, workflow.EvAccepted), moment(30, workflow.EvResolved))
		}
		src.matters = append(src.matters, m)
		src.troubles = append(src.troubles, Trouble{int64(i), at(float64(i)), gate})
	}
	src.open = []workflow.Ticket{
		{Number: 1006, State: workflow.Accepted, Owner: 1, Overdue: []workflow.Clock{workflow.ClockResponse}, LateSince: at(10), FiledAt: at(9), Level: 1},
		{Number: 1007, State: workflow.Assigned, Owner: 3, Overdue: []workflow.Clock{workflow.ClockResponse}, LateSince: at(20), FiledAt: at(19), Level: 2},
		{Number: 1008, State: workflow.Resolved, Owner: 1, Overdue: []workflow.Clock{workflow.ClockResolve}, LateSince: at(1), Level: 1},
		{Number: 1009, State: workflow.Classified, FiledAt: at(-100), Stand: workflow.OnWall, Kind: workflow.Wish, Level: 1},
	}
	src.open[2].FiledAt = at(0)
	for _, h := range []float64{-100, -200, -7*24*52 - 1} {
		src.troubles = append(src.troubles, Trouble{int64(h), at(h), gate})
	}
	d := make47(t, src)
	if got := keys(d); !reflect.DeepEqual(got, []string{"below", "hot_spot", "late"}) {
		t.Errorf("findings %v: %+v", got, d.Findings)
	}
	if len(d.Late) != 2 || d.Late[0].Number != 1006 || d.Late[0].Owner != "秦霞" || d.Late[0].Late != int64((7*24-10)*3600) || len(d.Risen) != 1 || d.Unclaimed != 1 {
		t.Errorf("late %+v, risen %+v, unclaimed %d", d.Late, d.Risen, d.Unclaimed)
	}
	if d.Now.AtEnd == nil || *d.Now.AtEnd != (AtEnd{2, 1, 1, 1, 0}) || *d.Before.AtEnd != (AtEnd{Unclaimed: 1}) {
		t.Errorf("at the end of the week %+v, of the week before %+v", d.Now.AtEnd, d.Before.AtEnd)
	}
	if len(d.HotSpots) != 1 || d.HotSpots[0] != (Hot{gate, 12, 28, 2, 1}) {
		t.Errorf("hot spots %+v", d.HotSpots)
	}
	if d.Below[0].By != ByCategory || d.Below[0].Is != (Rate{10, 6}) {
		t.Errorf("below the floor %+v", d.Below)
	}
}

// Somebody is named for having most of what is late only where that is so.
func TestWhoHasMostOfWhatIsLate(t *testing.T) {
	for name, c := range map[string]struct {
		owners []workflow.PersonID // the oldest's first
		owner  string
		has    int
	}{
		"several have one each":             {[]workflow.PersonID{3, 1}, "曹一鸣", 0},
		"two have as many":                  {[]workflow.PersonID{3, 1, 3, 1}, "曹一鸣", 0},
		"one has more":                      {[]workflow.PersonID{3, 1, 1}, "秦霞", 2},
		"nobody has most of it":             {[]workflow.PersonID{0, 0, 0, 1}, "", 0},
		"nobody has most, somebody several": {[]workflow.PersonID{0, 0, 0, 1, 1}, "秦霞", 2},
		"one only":                          {[]workflow.PersonID{1}, "秦霞", 0},
	} {
		var d Digest
		for i, owner := range c.owners {
			d.Late = append(d.Late, Item{Number: int64(i), Owner: roster.ByID(owner).Name})
		}
		d.ofOpen(func(_, _ string, _ float64, values map[string]any) {
			if values["owner"] != c.owner || values["has"] != c.has {
				t.Errorf("%s: %v has %v", name, values["owner"], values["has"])
			}
		})
	}
}

// Of a mountain the first are named, and all are counted: in the finding too.
func TestOfAMountainAllAreCounted(t *testing.T) {
	var src memory
	for i := range 3 * maxItems {
		src.open = append(src.open, workflow.Ticket{Number: int64(1001 + i), State: workflow.Accepted, Owner: 1, Level: workflow.LevelCommittee,
			Overdue: []workflow.Clock{workflow.ClockResolve}, LateSince: at(float64(i)), FiledAt: at(0)})
	}
	src.matters = []*Matter{incident(workflow.Accepted, moment(0, workflow.EvFiled))}
	d := make47(t, src)
	if len(d.Late) != maxItems || d.LateCount != 3*maxItems || d.RisenCount != 3*maxItems || d.Late[0].Number != 1001 {
		t.Errorf("%d named of %d late and %d risen", len(d.Late), d.LateCount, d.RisenCount)
	}
	for _, f := range d.Findings {
		if f.Key == "late" && (f.Values["count"] != 3*maxItems || f.Values["has"] != 3*maxItems) {
			t.Errorf("the finding says %v", f.Values)
		}
	}
	if !slices.Contains(keys(d), "late") {
		t.Errorf("nobody is told of it: %v", keys(d))
	}
}

// What changes of a week is told by the next digest, however late it changes, and
// told once.
func TestALaterDigestSaysWhatChanged(t *testing.T) {
	const week = 7 * 24
	c := community(t)
	resolved := incident(workflow.Resolved, moment(-week-100, workflow.EvFiled), given(-week-99, workflow.EvAccepted, 1), moment(-week-90, workflow.EvResolved))
	var sent []Digest
	send := func(number int) []Change {
		t.Helper()
		d, err := Make(t.Context(), memory{matters: []*Matter{resolved}}, c, roster, Week{2026, number}, at(float64(week*(number-46)+8)), sent)
		if err != nil {
			t.Fatal(err)
		}
		sent = append([]Digest{d}, sent...)
		return d.Changes
	}
	if got := append(send(45), send(46)...); len(got) != 0 {
		t.Errorf("nothing has changed: %+v", got)
	}
	resolved.State = workflow.Accepted // after W46 was sent, of what W45 told
	resolved.Moments = append(resolved.Moments, rated(10, workflow.Unsatisfied))
	changed := func(figure string, by By, code string, was, is float64) Change {
		return Change{Week{2026, 45}, Part{figure, by, code}, was, is}
	}
	want := []Change{
		changed("resolution", "", "", 100, 0), changed("inside", "", "", 100, -1), changed("resolved", "", "", 1, 0), changed("undone", "", "", 0, 1),
		changed("resolution", ByCategory, "facilities", 100, 0), changed("resolution", ByGrid, "G1", 100, 0), changed("resolution", ByGroup, "worker", 100, 0),
	}
	if got := send(47); !reflect.DeepEqual(got, want) {
		t.Errorf("changes %+v, want %+v", got, want)
	}
	if got := send(48); len(got) != 0 {
		t.Errorf("it is told again: %+v", got)
	}
	resolved.Category = "drainage" // and once more: W45's answer and result, W47's verdict
	if got := send(49); len(got) != 6 || got[0] != (Change{Week{2026, 47}, Part{"satisfaction", ByCategory, "drainage"}, -1, 0}) {
		t.Errorf("changes %+v", got)
	}
}

// Whatever happens to a matter: no rate exceeds its whole, and a merged copy of
// a matter changes no rate.
func TestCountingHolds(t *testing.T) {
	c := community(t)
	types := []workflow.EventType{workflow.EvAccepted, workflow.EvClaimed, workflow.EvResolved, workflow.EvReopened, workflow.EvRated, workflow.EvOverdue, workflow.EvSplit, workflow.EvEscalated}
	clocks := []workflow.Clock{workflow.ClockResponse, workflow.ClockResolve, workflow.ClockFeedback, workflow.ClockUnclaimed}
	states := []workflow.State{workflow.Accepted, workflow.Resolved, workflow.Closed, workflow.Cancelled}
	rapid.Check(t, func(t *rapid.T) {
		var all []*Matter
		for range rapid.IntRange(0, 8).Draw(t, "matters") {
			when := rapid.Float64Range(-200, 300).Draw(t, "filed")
			m := incident(rapid.SampledFrom(states).Draw(t, "state"), moment(when, workflow.EvFiled))
			for range rapid.IntRange(0, 9).Draw(t, "moments") {
				when += rapid.Float64Range(0, 80).Draw(t, "later")
				m.Moments = append(m.Moments, Moment{Type: rapid.SampledFrom(types).Draw(t, "type"), At: at(when), Clock: rapid.SampledFrom(clocks).Draw(t, "clock"),
					Rating: rapid.SampledFrom([]workflow.Rating{"", workflow.Satisfied, workflow.Fair, workflow.Unsatisfied}).Draw(t, "rating")})
			}
			all = append(all, m)
		}
		tally := func(all []*Matter) Figures {
			f, err := Count(c, roster, monday, monday.AddDate(0, 0, 7), func(each func(*Matter) error) error {
				for _, m := range all {
					_ = each(m)
				}
				return nil
			}, memory{}.near)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		f := tally(all)
		sum := Rates{}
		for _, u := range append(f.Units, Unit{Rates: f.Rates}, Unit{Rates: f.Again}) {
			for _, r := range []Rate{u.Response, u.Resolution, u.OnTime, u.Satisfaction, u.Satisfied} {
				if r.Good > r.Of || r.Good < 0 || r.Of > len(all) {
					t.Fatalf("a rate of %+v", r)
				}
			}
			if u.OnTime.Good > u.Resolution.Good || u.OnTime.Of != u.Resolution.Of {
				t.Fatalf("more on time than resolved: %+v", u)
			}
			if u.By == ByGrid {
				sum.Resolution.Of += u.Resolution.Of
				sum.Resolution.Good += u.Resolution.Good
			}
		}
		if sum.Resolution != f.Resolution {
			t.Fatalf("the grids have %+v, the whole %+v", sum.Resolution, f.Resolution)
		}
		merged := all
		for _, m := range all {
			twin := *m
			twin.State = workflow.Merged
			merged = append(merged, &twin)
		}
		if g := tally(merged); g.Rates != f.Rates || g.Resolved != f.Resolved || !reflect.DeepEqual(g.Units, f.Units) {
			t.Fatalf("merged copies change the figures: %+v, were %+v", g, f)
		}
	})
}
