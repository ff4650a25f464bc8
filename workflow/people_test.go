package workflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func idsOf(people []Person) []PersonID {
	var out []PersonID
	for _, p := range people {
		out = append(out, p.ID)
	}
	return out
}

func TestRoster(t *testing.T) {
	r := slices.Clone(smallRoster)
	r[slices.IndexFunc(r, func(p Person) bool { return p.ID == zhou })].Name = "周梅"
	r[slices.IndexFunc(r, func(p Person) bool { return p.ID == dang })].Name = "周梅"
	for name, tc := range map[string]struct{ have, want []PersonID }{
		"named":               {idsOf(r.Named("周梅")), []PersonID{zhou, dang}},
		"named, part":         {idsOf(r.Named("周")), nil},
		"workers":             {idsOf(r.Workers("G1")), []PersonID{chen, zhou, ma}},
		"workers of no grid":  {idsOf(r.Workers("")), nil},
		"duty":                {idsOf(r.Duty()), []PersonID{duty}},
		"nobody on duty":      {idsOf(Roster{r.ByID(head)}.Duty()), []PersonID{head}},
		"full-time comes 1st": {idsOf(append(Roster{{ID: 1, Roles: []Role{{Kind: RoleWorker, Grid: "G1"}}}}, r...).Workers("G1")), []PersonID{chen, 1, zhou, ma}},
	} {
		if !slices.Equal(tc.have, tc.want) {
			t.Errorf("%s: %v, want %v", name, tc.have, tc.want)
		}
	}
	if p := r.ByID(he); p.ID != he || r.ByID(li).ID != 0 {
		t.Errorf("by id: %+v", p)
	}
	if p, ok := r.FullTime("G2"); !ok || p.ID != he {
		t.Errorf("full-time of G2: %+v", p)
	}
	if _, ok := r.FullTime(""); ok {
		t.Error("a full-time worker of no grid")
	}
	everywhere := append(slices.Clone(r), Person{ID: 99, Roles: []Role{{Kind: RoleWorker, FullTime: true}}})
	for grid, want := range map[string]PersonID{"G1": chen, "G2": he, "G3": 99, "": 99} {
		if p, ok := everywhere.FullTime(grid); !ok || p.ID != want {
			t.Errorf("full-time of %q where somebody serves all grids: %d, want %d", grid, p.ID, want)
		}
	}
	if !WhoGridWorker.Holds(&Ticket{}, By(everywhere[len(everywhere)-1])) || WhoGridWorker.Holds(&Ticket{}, By(r.ByID(chen))) {
		t.Error("a matter without a grid is for who serves all grids, and for no other worker")
	}
}

func TestRoles(t *testing.T) {
	for _, tc := range []struct {
		kind  RoleKind
		claim bool
	}{
		{RoleWorker, true},
		{RoleVolunteer, true},
		{RolePartyMember, true},
		{RolePartner, true},
		{RoleOfficer, false},
		{RoleProperty, false},
		{RoleAdmin, false},
		{RoleCommittee, false},
	} {
		p := Person{ID: 5, Roles: []Role{{Kind: tc.kind}}}
		if !p.Staff() || !p.Has(tc.kind) || p.MayClaim() != tc.claim {
			t.Errorf("%s: %v %v %v", tc.kind, p.Staff(), p.Has(tc.kind), p.MayClaim())
		}
	}
	if (Person{ID: 5}).Staff() {
		t.Error("a resident is staff")
	}
}

func TestNobodyHoldsNothing(t *testing.T) {
	// A person without a number is nobody, also where a ticket has none either.
	for _, w := range declared(t, "Who") {
		a := Actor{Kind: ActorPerson, Roles: []Role{{Kind: RoleCommittee}, {Kind: RoleWorker}, {Kind: RolePartyMember}}}
		if Who(w).Holds(&Ticket{Followers: []PersonID{0}}, a) {
			t.Errorf("nobody holds as %s", w)
		}
		if Who(w).Holds(&Ticket{}, System()) != (Who(w) == WhoSystem) {
			t.Errorf("the desk as %s", w)
		}
	}
}

func TestAssign(t *testing.T) {
	c := community(t, smallCommunity)
	for name, tc := range map[string]struct {
		r      Roster
		ticket Ticket
		load   map[PersonID]int
		want   Assignment
	}{
		"the grid's full-time worker":        {smallRoster, Ticket{Level: 1, Place: Place{Grid: "G1"}}, nil, Assignment{To: chen, Why: WhyGrid}},
		"with much to do, but not too much":  {smallRoster, Ticket{Level: 1, Place: Place{Grid: "G1"}}, map[PersonID]int{chen: 8}, Assignment{To: chen, Why: WhyGrid}},
		"with too much":                      {smallRoster, Ticket{Level: 1, Place: Place{Grid: "G1"}}, map[PersonID]int{chen: 9, zhou: 1}, Assignment{To: ma, Why: WhyLoad}},
		"an emergency, whatever the load":    {smallRoster, Ticket{Level: 1, Severity: Emergency, Place: Place{Grid: "G1"}}, map[PersonID]int{chen: 99}, Assignment{To: chen, Why: WhyDanger}},
		"nobody else in the grid":            {smallRoster, Ticket{Level: 1, Place: Place{Grid: "G2"}}, map[PersonID]int{he: 99}, Assignment{To: he, Why: WhyGrid}},
		"the reporter is not the owner":      {smallRoster, Ticket{Level: 1, Reporter: chen, Place: Place{Grid: "G1"}}, map[PersonID]int{zhou: 1}, Assignment{To: ma, Why: WhyLoad}},
		"no worker but the reporter":         {smallRoster, Ticket{Level: 1, Reporter: he, Place: Place{Grid: "G2"}}, nil, Assignment{To: duty, Why: WhyNoWorker}},
		"no grid":                            {smallRoster, Ticket{Level: 1, Severity: Emergency}, nil, Assignment{To: duty, Why: WhyNoWorker}},
		"risen: the committee's on duty":     {smallRoster, Ticket{Level: 2, Place: Place{Grid: "G1"}}, nil, Assignment{To: duty, Why: WhyLevel}},
		"risen again":                        {smallRoster, Ticket{Level: 3, Place: Place{Grid: "G1"}}, nil, Assignment{To: duty, Why: WhyLevel}},
		"risen, the one on duty reported it": {smallRoster, Ticket{Level: 2, Reporter: duty, Place: Place{Grid: "G1"}}, nil, Assignment{To: head, Why: WhyLevel}},
		"two on duty: who has less": {
			Roster{{ID: 1, Roles: []Role{{Kind: RoleCommittee, Duty: true}}}, {ID: 2, Roles: []Role{{Kind: RoleCommittee, Duty: true}}}},
			Ticket{Level: 2}, map[PersonID]int{1: 3, 2: 2}, Assignment{To: 2, Why: WhyLevel},
		},
		"nobody on duty: the committee": {Roster{{ID: head, Roles: []Role{{Kind: RoleCommittee}}}}, Ticket{Level: 2}, nil, Assignment{To: head, Why: WhyLevel}},
		"part-time only":                {Roster{{ID: zhou, Roles: []Role{{Kind: RoleWorker, Grid: "G1"}}}}, Ticket{Level: 1, Place: Place{Grid: "G1"}}, nil, Assignment{To: zhou, Why: WhyLoad}},
		"volunteers are not assigned":   {Roster{{ID: dang, Roles: []Role{{Kind: RolePartyMember}}}}, Ticket{Level: 1, Place: Place{Grid: "G1"}}, nil, Assignment{}},
		"nobody at all":                 {nil, Ticket{Level: 1, Place: Place{Grid: "G1"}}, nil, Assignment{}},
	} {
		have, ok := Assign(c, tc.r, &tc.ticket, func(p PersonID) int { return tc.load[p] }, start)
		if have != tc.want || ok != (tc.want != Assignment{}) {
			t.Errorf("%s: %+v %v, want %+v", name, have, ok, tc.want)
		}
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("the store is away")
	err := fmt.Errorf("desk: %w", &Error{Code: CodeTooSoon, Number: 1024, Cause: cause})
	if CodeOf(err) != CodeTooSoon || !errors.Is(err, cause) || !strings.Contains(err.Error(), "too_soon (ticket 1024): the store") {
		t.Errorf("%v: %s", err, CodeOf(err))
	}
	if CodeOf(nil) != "" || CodeOf(cause) != CodeBusy {
		t.Errorf("nil: %q, a fault: %q", CodeOf(nil), CodeOf(cause))
	}
}

func TestPurposes(t *testing.T) {
	// What a resident is reminded of, or asked to vote on, a lesson, and what they did not fetch, waits for the morning;
	// nothing else may be late. A doubtful push is repeated only where somebody must act on it.
	for _, p := range declared(t, "Purpose") {
		if Purpose(p).Quiet() != slices.Contains([]Purpose{TellRateReminder, TellVoting, TellVoted, TellLesson, TellLapse, TellBack}, Purpose(p)) {
			t.Errorf("%s: quiet %v", p, Purpose(p).Quiet())
		}
		if Purpose(p).Urgent() && !Purpose(p).TwiceRatherThanNever() {
			t.Errorf("%s is urgent but may never arrive", p)
		}
	}
	if TellResolved.TwiceRatherThanNever() || TellRateReminder.TwiceRatherThanNever() || !TellDanger.Urgent() || TellRated.Urgent() {
		t.Error("a rating is asked twice, or a rating goes before a danger")
	}
}
