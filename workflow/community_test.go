package workflow

import (
	"math"
	"strings"
	"testing"
)

func TestParseCommunity(t *testing.T) {
	c := community(t, smallCommunity)
	if c.Buildings() != 6 || c.GridOf("东园", 4) != "G1" || c.GridOf("西园", 1) != "G2" || c.GridOf("西园", 3) != "" || c.GridOf("北园", 1) != "" {
		t.Errorf("buildings: %d, %q, %q", c.Buildings(), c.GridOf("东园", 4), c.GridOf("西园", 1))
	}
	if c.Clocks != DefaultClocks() || c.Location().String() != "Asia/Shanghai" || c.Quiet.From != "21:00" || c.Quiet.To != "08:00" {
		t.Errorf("not the reference community's clocks: %+v, %s, %+v", c.Clocks, c.Location(), c.Quiet)
	}
	if g, ok := c.Grid("G2"); !ok || g.Name != "第二网格" {
		t.Errorf("grid G2: %+v %v", g, ok)
	}
	if _, ok := c.Grid(""); ok {
		t.Error("there is a grid without a code")
	}
	for _, name := range []string{"东园", "东"} {
		if e, ok := c.Estate(name); !ok || e.Buildings != 4 {
			t.Errorf("estate %s: %+v %v", name, e, ok)
		}
	}
	if _, ok := c.Estate("北园"); ok {
		t.Error("there is an estate 北园")
	}
	if p := c.Clocks.For(Major); p != c.Clocks.Major {
		t.Errorf("major: %+v", p)
	}
}

func TestParseCommunityRefuses(t *testing.T) {
	swap := func(pairs ...string) string {
		doc := officeHours
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(doc, pairs[i]) {
				t.Fatalf("the document has no %q", pairs[i])
			}
			doc = strings.Replace(doc, pairs[i], pairs[i+1], 1)
		}
		return doc
	}
	for _, tc := range []struct{ says, doc string }{
		{"is empty", ""},
		{"is empty", "# nothing\n"},
		{"longer than 4 MB", smallCommunity + "#" + strings.Repeat("x", 4<<20)},
		{"field shape not found", smallCommunity + "shape: round"},
		{"line 2", "code: a\n code: [b"},
		{"code:", swap("code: small", "code: Small")},
		{"code:", swap("code: small", "code: ''")},
		{"name:", swap("name: 小社区", "name: ''")},
		{"households: want", smallCommunity + "households: -5"},
		{"residents: want", smallCommunity + "residents: 2000000"},
		{"households: line", smallCommunity + "households: many"},
		{"alliance.party_members", smallCommunity + "alliance: {party_members: -1}"},
		{"hotline: want", smallCommunity + "hotline: abc"},
		{"hotline: want", smallCommunity + "hotline: '" + strings.Repeat("1", 500) + "'"},
		{"subdistrict: want", smallCommunity + "subdistrict: " + strings.Repeat("很", 51)},
		{"property.company", smallCommunity + "property: {company: " + strings.Repeat("很", 51) + "}"},
		{"estates[1].households", swap("{name: 西园, buildings: 2}", "{name: 西园, buildings: 2, households: -1}")},
		{"assignment[0].to.team", smallCommunity + "assignment: [{name: 绿化, to: {role: volunteer, team: " + strings.Repeat("队", 51) + "}}]"},
		{"assignment[0].if.level", smallCommunity + "assignment: [{name: 绿化, if: {level: -1}, to: {role: volunteer}}]"},
		{"timezone:", smallCommunity + "timezone: Asia/Nowhere"},
		{"timezone:", smallCommunity + "timezone: ''"},
		{"timezone:", smallCommunity + "timezone: Local"},
		{"estates[1]", swap("{name: 西园, buildings: 2}", "{name: 西园, buildings: 0}")},
		{"estates[1]", swap("{name: 西园, buildings: 2}", "{name: 西园, buildings: 2000000000}", "西园:1-2", "西园:1-2000000000")},
		{"estates[1]: \"东园\" stands twice", swap("{name: 西园, buildings: 2}", "{name: 东园, buildings: 2}")},
		{"grids[0]: needs", swap("name: 第一网格", "name: ''")},
		{"grids[1].code", swap("code: G2", "code: G1")},
		{"grids[1].buildings", swap(`"西园:1-2"`, `"西园"`)},
		{"grids[1].buildings", swap(`"西园:1-2"`, `"西园:a-b"`)},
		{"grids[1].buildings: 西园:1-3", swap(`"西园:1-2"`, `"西园:1-3"`)},
		{"grids[1].buildings: 西园:2-1", swap(`"西园:1-2"`, `"西园:2-1"`)},
		{"grids[1].buildings: 北园", swap(`"西园:1-2"`, `"北园:1-2"`)},
		{"grids[1].buildings: 东园 4 is in G1", swap(`"西园:1-2"`, `"西园:1-2, 东园:4"`)},
		{"grids: 西园 2 is in no grid", swap(`"西园:1-2"`, `"西园:1"`)},
		{"landmarks[0]", swap("grid: G1}", "grid: G7}")},
		{"landmarks[0]", swap("estate: 东园, grid", "estate: 北园, grid")},
		{"landmarks[0]", swap("name: 东门", "name: ''")},
		{"clocks.tray", smallCommunity + "clocks: {tray: 0s}"},
		{"clocks.again", smallCommunity + "clocks: {again: -1h}"},
		{"clocks.minor.resolve", smallCommunity + "clocks: {minor: {resolve: 0s}}"},
		{"clocks.urge_pause", smallCommunity + "clocks: {urge_pause: -1h}"},
		{"clocks.rating_reminder", smallCommunity + "clocks: {rating_reminder: 72h}"},
		{"clocks.max_transfers", smallCommunity + "clocks: {max_transfers: 0}"},
		{"line", smallCommunity + "clocks: {tray: soon}"},
		{"working.hours[0]", swap("08:30-12:00", "08:30-08:00")},
		{"quiet", smallCommunity + "quiet: {from: '21:00', to: late}"},
	} {
		c, err := ParseCommunity(strings.NewReader(tc.doc))
		if err == nil || c != nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("want %q, have %v", tc.says, err)
		}
	}
	// All faults are named at once, in the same order each time.
	doc := swap("code: small", "code: ''", "name: 小社区", "name: ''") + "clocks: {tray: 0s, again: 0s, question: 0s}"
	_, first := ParseCommunity(strings.NewReader(doc))
	for range 20 {
		if _, err := ParseCommunity(strings.NewReader(doc)); err.Error() != first.Error() || strings.Count(err.Error(), "\n") != 4 {
			t.Fatalf("not five faults in order: %v", err)
		}
	}
}

func TestNearest(t *testing.T) {
	c := community(t, smallCommunity)
	// Building 4 of 东园 stands in the second row, second column.
	p, metres, ok := c.Nearest(36.6991, 117.0009)
	if !ok || p != (Place{Estate: "东园", Building: 4, Grid: "G1"}) || math.Abs(metres-13.4) > 1 {
		t.Errorf("%+v, %.1f m, %v", p, metres, ok)
	}
	if p, metres, _ := c.Nearest(36.70, 117.00); p.Building != 1 || metres > 0.1 {
		t.Errorf("at building 1: %+v, %.1f m", p, metres)
	}
	if _, metres, ok := c.Nearest(37.70, 117.00); !ok || math.Abs(metres-111_320) > 200 {
		t.Errorf("a degree away: %.0f m", metres)
	}
	if _, _, ok := community(t, strings.Replace(smallCommunity, "columns: 2", "columns: 0", 1)).Nearest(36.70, 117); ok {
		t.Error("found without a layout")
	}
}

func TestPlaceString(t *testing.T) {
	for want, p := range map[string]Place{
		"":                   {},
		"怡园小区":               {Estate: "怡园小区"},
		"怡园小区 3号楼":           {Estate: "怡园小区", Building: 3, Grid: "G5"},
		"怡园小区 3号楼2单元":        {Estate: "怡园小区", Building: 3, Unit: 2},
		"怡园小区 3号楼2单元 501":    {Estate: "怡园小区", Building: 3, Unit: 2, Floor: 5, Room: "501"},
		"怡园小区 3号楼2单元 5楼":     {Estate: "怡园小区", Building: 3, Unit: 2, Floor: 5},
		"怡园小区 3号楼 501":       {Estate: "怡园小区", Building: 3, Room: "501"},
		"怡园小区 大门口":           {Estate: "怡园小区", Landmark: "大门口"},
		"怡园小区 3号楼 自行车棚":      {Estate: "怡园小区", Building: 3, Landmark: "自行车棚"},
		"3号楼2单元":             {Building: 3, Unit: 2},
		"大门口":                {Landmark: "大门口", Detail: "左边"},
		"毕家洼西区 69号楼4单元 1702": {Estate: "毕家洼西区", Building: 69, Unit: 4, Room: "1702"},
	} {
		if have := p.String(); have != want {
			t.Errorf("%+v: %q, want %q", p, have, want)
		}
	}
}

func TestTaxonomy(t *testing.T) {
	x := Taxonomy{
		IncidentCategories: map[Category]string{"lighting": "照明", "other_incident": "其他"},
		WishCategories:     map[Category]string{"company": "陪伴"},
	}
	for word, want := range map[string]Category{"照明": "lighting", "lighting": "lighting", "陪伴": "company", "其他": OtherIncident} {
		c, kind, ok := x.Find(word)
		if !ok || c != want || (kind == Wish) != (want == "company") {
			t.Errorf("%s: %s %s %v", word, c, kind, ok)
		}
	}
	if _, _, ok := x.Find("没有"); ok || x.Label("company") != "陪伴" || x.Label("lighting") != "照明" || x.Label("new") != "new" {
		t.Error("unknown words are found, or labels are not")
	}
}
