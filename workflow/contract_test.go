package workflow

import (
	"maps"
	"strings"
	"testing"
	"time"
)

const contracted = `
code: c
name: 某社区
estates: [{name: 东园, buildings: 4, property_contract: true}, {name: 西园, buildings: 4}]
grids: [{code: G1, name: 第一网格, buildings: "东园:1-4, 西园:1-4"}]
property: {company: 红色物业, services: [环境卫生], categories: [sanitation]%s}
`

// What the company handles goes to it where it has the contract, elsewhere to the grid;
// where its people are away the grid has it, too.
func TestTheCompanyUnderContractHasItsServices(t *testing.T) {
	c, err := ParseCommunity(strings.NewReader(strings.Replace(contracted, "%s", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	roster := Roster{
		{ID: 1, Roles: []Role{{Kind: RoleWorker, Grid: "G1", FullTime: true}}},
		{ID: 2, Roles: []Role{{Kind: RoleProperty, Unit: "红色物业"}}},
		{ID: 3, Roles: []Role{{Kind: RoleProperty, Unit: "医院后勤"}}},
	}
	for name, one := range map[string]struct {
		estate   string
		kind     Kind
		category Category
		away     bool
		want     PersonID
		why      string
	}{
		"covered":          {"东园", Incident, "sanitation", false, 2, WhyContract},
		"not covered":      {"西园", Incident, "sanitation", false, 1, WhyGrid},
		"not its service":  {"东园", Incident, "noise", false, 1, WhyGrid},
		"a wish":           {"东园", Wish, "sanitation", false, 1, WhyGrid},
		"its people away":  {"东园", Incident, "sanitation", true, 1, WhyGrid},
		"no place at all ": {"", Incident, "sanitation", false, 1, WhyGrid},
	} {
		t.Run(name, func(t *testing.T) {
			r := append(Roster{}, roster...)
			if one.away {
				r[1].Away = Leave{From: now.Add(-time.Hour), Until: now.Add(time.Hour)}
			}
			got, _ := Assign(c, r, &Ticket{Kind: one.kind, Category: one.category, Severity: Minor, Place: Place{Estate: one.estate, Building: 1, Grid: "G1"}}, func(PersonID) int { return 0 }, now)
			if got.To != one.want || got.Why != one.why {
				t.Errorf("got %d because of %q, want %d because of %q", got.To, got.Why, one.want, one.why)
			}
		})
	}
}

// An estate's inspections begin anew with what makes them other ones, and with nothing else.
func TestSinceWhenAnEstateIsInspected(t *testing.T) {
	long, now := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 14, 0, 0, 0, 0, time.UTC)
	parse := func(patrol string) *Community {
		c, err := ParseCommunity(strings.NewReader(strings.Replace(contracted, "%s", patrol, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const weekly, listed, daily = ", patrol: {every: 7, items: [扫楼道]}", ", patrol: {every: 7, items: [扫楼道, 清杂物]}", ", patrol: {every: 1, items: [扫楼道]}"
	uncovered, another, renamed := parse(weekly), parse(weekly), parse(weekly)
	uncovered.Estates[0].PropertyContract = false
	another.Property.Company = "蓝色物业"
	renamed.Estates[0].Name, renamed.Estates[0].Aliases = "新东园", []string{"东园"}
	known := map[string]time.Time{"东园": long}
	for name, one := range map[string]struct {
		was, is *Community
		known   map[string]time.Time
		want    map[string]time.Time
	}{
		"a new community":      {nil, parse(weekly), nil, map[string]time.Time{"东园": now}},
		"no standard":          {parse(weekly), parse(""), known, map[string]time.Time{}},
		"the first standard":   {parse(""), parse(weekly), nil, map[string]time.Time{"东园": now}},
		"another checklist":    {parse(weekly), parse(listed), known, known},
		"more often":           {parse(weekly), parse(daily), known, map[string]time.Time{"东园": now}},
		"another company":      {another, parse(weekly), known, map[string]time.Time{"东园": now}},
		"newly under contract": {uncovered, parse(weekly), nil, map[string]time.Time{"东园": now}},
		"long ago":             {parse(weekly), parse(listed), nil, map[string]time.Time{}},
	} {
		if got := PatrolsSince(one.was, one.is, one.known, now); !maps.Equal(got, one.want) {
			t.Errorf("%s: %v, want %v", name, got, one.want)
		}
	}
	if got := PatrolsSince(renamed, parse(weekly), map[string]time.Time{"新东园": long}, now); !got["东园"].Equal(long) {
		t.Errorf("an estate that got its other name: %v", got)
	}
}

func TestWhatAPropertyStandardMayNotSay(t *testing.T) {
	for says, want := range map[string]string{
		", score: {overdue: -2000}":                                "property.score.overdue",
		", score: {unsatisfied: 2}":                                "property.score.unsatisfied",
		", score: {praised: -1}":                                   "property.score.praised",
		", score: {base: 100, most: 99}":                           "property.score.most",
		", score: {repeat: -2}":                                    "property.score.repeat_days",
		", patrol: {every: 0, items: [扫楼道]}":                       "property.patrol.every",
		", patrol: {every: 7}":                                     "property.patrol.items",
		", patrol: {every: 7, items: [扫楼道, 扫楼道]}":                  "property.patrol.items",
		`, patrol: {every: 7, items: [" "]}`:                       "property.patrol.items",
		", score: {overdu: -2}":                                    "overdu",
		", score: {overdue: -2}, patrol: {every: 7, items: [扫楼道]}": "",
	} {
		_, err := ParseCommunity(strings.NewReader(strings.Replace(contracted, "%s", says, 1)))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", says, err, want)
		}
	}
}
