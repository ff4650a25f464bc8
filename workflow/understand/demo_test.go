package understand_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/workflow"
)

// The figures of the pilot community.
func TestDemoCommunity(t *testing.T) {
	c := demo(t)
	var households, buildings, contracted, contractedHouseholds int
	for _, e := range c.Estates {
		households += e.Households
		buildings += e.Buildings
		if e.PropertyContract {
			contracted += e.Buildings
			contractedHouseholds += e.Households
		}
		if e.Layout.Columns < 1 {
			t.Errorf("%s has no layout", e.Name)
		}
	}
	kinds := map[string]int{}
	for _, g := range c.Grids {
		kinds[g.Kind]++
	}
	for what, x := range map[string][2]int{
		"households": {c.Households, 5042}, "households of the estates": {households, 5042}, "residents": {c.Residents, 11000},
		"buildings": {c.Buildings(), 156}, "buildings of the estates": {buildings, 156},
		"grids": {len(c.Grids), 10}, "residential grids": {kinds["residential"], 6}, "special grids": {kinds["special"], 4},
		"buildings under contract": {contracted, 69}, "households under contract": {contractedHouseholds, 2760},
		"partner units": {c.Alliance.PartnerUnits, 7}, "party branches": {c.Alliance.PartyBranches, 13}, "party members": {c.Alliance.PartyMembers, 450},
	} {
		if x[0] != x[1] {
			t.Errorf("%s: %d, want %d", what, x[0], x[1])
		}
	}
	if len(c.Landmarks) < 12 {
		t.Errorf("%d landmarks, want at least 12", len(c.Landmarks))
	}
	if d := workflow.DefaultClocks(); c.Clocks != d {
		t.Errorf("clocks %+v, want the reference community's %+v", c.Clocks, d)
	}
	// No two buildings stand in one spot, and each is nearest to itself.
	for _, e := range c.Estates {
		for b := 1; b <= e.Buildings; b++ {
			lat := e.Layout.Lat + float64((b-1)/e.Layout.Columns)*e.Layout.StepLat
			lng := e.Layout.Lng + float64((b-1)%e.Layout.Columns)*e.Layout.StepLng
			if p, metres, ok := c.Nearest(lat, lng); !ok || metres > 1 || p.Estate != e.Name || p.Building != b {
				t.Errorf("%s %d: nearest is %s, %.0f m", e.Name, b, p, metres)
			}
		}
	}
}

// Every category of the taxonomy has its words, and no word speaks of a
// category that is not in it.
func TestTaxonomy(t *testing.T) {
	var tax workflow.Taxonomy
	read(t, "../../configs/taxonomy.yaml", &tax)
	var words struct {
		Danger   []struct{ Category workflow.Category }
		Incident map[workflow.Category]any
		Wish     map[workflow.Category]any
	}
	data, err := os.ReadFile("../../configs/understand.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &words); err != nil {
		t.Fatal(err)
	}
	for what, x := range map[string]struct {
		labels map[workflow.Category]string
		words  map[workflow.Category]any
	}{"incident": {tax.IncidentCategories, words.Incident}, "wish": {tax.WishCategories, words.Wish}} {
		for c := range x.labels {
			if x.words[c] == nil {
				t.Errorf("%s: no words for %s", what, c)
			}
		}
		for c := range x.words {
			if x.labels[c] == "" {
				t.Errorf("%s: words for %s, which is no category", what, c)
			}
		}
	}
	for _, d := range words.Danger {
		if tax.IncidentCategories[d.Category] == "" {
			t.Errorf("danger: %s is no category", d.Category)
		}
	}
	if len(tax.Kinds) != 5 || len(tax.Severities) != 3 {
		t.Errorf("kinds %v, severities %v", tax.Kinds, tax.Severities)
	}
}

// demoPerson is a line of configs/demo/people.yaml.
type demoPerson struct {
	Key    string          `yaml:"key"`
	Name   string          `yaml:"name"`
	Phone  string          `yaml:"phone"`
	OpenID string          `yaml:"openid"`
	Group  string          `yaml:"group"`
	Home   string          `yaml:"home"`
	Roles  []workflow.Role `yaml:"roles"`
}

func TestDemoPeople(t *testing.T) {
	c, r := demo(t), rules(t)
	var doc struct {
		People []demoPerson     `yaml:"people"`
		Care   []map[string]any `yaml:"care"`
	}
	read(t, "../../configs/demo/people.yaml", &doc)
	seen := map[string]string{}
	twice := func(key, what, value string) {
		if value == "" {
			return
		}
		if other, ok := seen[what+value]; ok {
			t.Errorf("%s: %s %s is that of %s too", key, what, value, other)
		}
		seen[what+value] = key
	}
	groups, bound, teams, branches, units, grids, departments := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	leaders := map[string]int{}
	var duty, admins int
	for _, p := range doc.People {
		twice(p.Key, "key", p.Key)
		twice(p.Key, "name", p.Name)
		twice(p.Key, "phone", p.Phone)
		twice(p.Key, "openid", p.OpenID)
		if p.Key == "" || p.Name == "" || !strings.HasPrefix(p.Phone, "1990000") || len(p.Phone) != 11 {
			t.Errorf("%+v: needs a key, a name and a made-up phone", p)
		}
		groups[p.Group]++
		if p.OpenID != "" {
			bound[p.Group]++
		}
		if (p.Group == "resident") != (len(p.Roles) == 0) || (p.Home != "") != (p.Group == "resident") && p.Group != "party" {
			t.Errorf("%s: roles %v, home %q in group %s", p.Key, p.Roles, p.Home, p.Group)
		}
		if p.Home != "" {
			u, err := r.Understand(t.Context(), c, workflow.Words{Text: p.Home})
			if err != nil || !u.Place.Known() || u.Place.Room == "" || u.Place.Unit == 0 {
				t.Errorf("%s: home %q is %+v", p.Key, p.Home, u.Place)
			}
		}
		for _, role := range p.Roles {
			switch role.Kind {
			case workflow.RoleWorker:
				if _, ok := c.Grid(role.Grid); !ok {
					t.Errorf("%s: grid %q", p.Key, role.Grid)
				}
				grids[fmt.Sprint(role.Grid, role.FullTime)]++
			case workflow.RoleLeader:
				leaders[role.Grid]++
			case workflow.RoleOfficer:
				departments[role.Department]++
			case workflow.RoleProperty:
				if g, _ := c.Grid(role.Grid); role.Unit != c.Property.Company && g.Kind != "special" {
					t.Errorf("%s: company %q", p.Key, role.Unit)
				}
			case workflow.RoleVolunteer:
				teams[role.Team]++
			case workflow.RolePartyMember:
				branches[role.Branch]++
			case workflow.RolePartner:
				units[role.Unit]++
			case workflow.RoleCommittee:
				if role.Duty {
					duty++
				}
			case workflow.RoleAdmin:
				admins++
			default:
				t.Errorf("%s: role %q", p.Key, role.Kind)
			}
		}
	}
	for _, g := range c.Grids {
		if grids[g.Code+"true"] != 1 || grids[g.Code+"false"] != 2 {
			t.Errorf("%s: %d full-time, %d part-time, want 1 and 2", g.Code, grids[g.Code+"true"], grids[g.Code+"false"])
		}
		if leaders[g.Code] != 1 {
			t.Errorf("%s: %d leaders", g.Code, leaders[g.Code])
		}
	}
	for what, x := range map[string][2]int{
		"residents": {groups["resident"], 8}, "workers": {groups["worker"], 30}, "officers": {groups["officer"], 4}, "departments": {len(departments), 4},
		"property": {groups["property"], 2}, "committee": {groups["committee"], 5}, "on duty": {duty, 1}, "admins": {admins, 1},
		"volunteers": {groups["volunteer"], 50}, "teams": {len(teams), 4}, "partner contacts": {groups["partner"], 7}, "partner units": {len(units), 7},
		"party members": {groups["party"], 26}, "branches": {len(branches), c.Alliance.PartyBranches},
		"bound residents": {bound["resident"], 8}, "bound workers": {bound["worker"], 30}, "bound volunteers": {bound["volunteer"], 4}, "bound party members": {bound["party"], 2},
	} {
		if x[0] != x[1] {
			t.Errorf("%s: %d, want %d", what, x[0], x[1])
		}
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
