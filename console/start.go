package console

import (
	"net/http"
	"slices"
	"strings"
)

// item is one entry of the main menu.
type item struct {
	Name  string
	Path  string
	Here  bool
	Rest  bool // no room for it in a telephone's bar: it stands behind 「更多」
	First bool // of its group, but not of the menu
}

// bar is how many entries a telephone's bar has, with the one for the rest.
const bar = 5

// menu says which pages stand in the main menu, for whom, in groups, what matters
// most first; the first that fits is where somebody starts. What stands there twice is
// listed where it fits first. The names are keys of the
// wording below page.menu, the groups below page.menu_group.
var menu = []struct {
	name  string
	path  string
	group string
	who   []who
}{
	{"today", "today", "work", of(committee)},
	{"lessons", "lessons", "work", of(learner)},
	{"work", "work", "work", of(handler)},
	{"overdue", "overdue", "work", of(committee, keeper)},
	{"search", "search", "work", of(committee)},
	{"behalf", "behalf", "work", of(keeper)},
	{"rounds", "rounds", "work", of(rounder)},
	{"branch", "branch", "work", of(secretary)},
	{"property", "property", "work", of(committee, company)},
	{"week", "week", "work", of(committee)},
	{"people", "admin/people", "admin", of(admin)},
	{"community", "admin/community", "admin", of(admin)},
	{"failures", "admin/failures", "admin", of(admin, committee)},
	{"rewards", "rewards", "admin", of(committee, keeper, admin)},
	{"audit", "admin/audit", "admin", of(admin)},
	{"words", "admin/words", "admin", of(admin)},
	{"try", "admin/try", "admin", of(admin)},
	{"codes", "admin/codes", "admin", of(admin)},
	{"model", "admin/model", "admin", of(admin)},
	{"import", "admin/import", "admin", of(admin)},
	{"my", "my", "own", of(resident)},
	{"wall", "wall", "own", of(resident)},
	{"topics", "topics", "own", of(resident)},
	{"lessons", "lessons", "own", of(resident)},
	{"points", "points", "own", of(resident)},
	{"fund", "fund", "own", of(resident)},
	{"me", "me", "own", of(resident)},
}

// Menu is the main menu of who is logged in.
func (v view) Menu() []item {
	var out []item
	for _, g := range v.Menus() {
		for i, m := range g.Items {
			m.First = i == 0 && len(out) > 0
			out = append(out, m)
		}
	}
	for i := range out {
		out[i].Rest = len(out) > bar && i >= bar-1
	}
	return out
}

// Further tells whether the menu has more than a telephone's bar.
func (v view) Further() bool { return len(v.Menu()) > bar }

// Beyond tells whether this page stands behind 「更多」.
func (v view) Beyond() bool {
	return v.Page == "menu" || slices.ContainsFunc(v.Menu(), func(m item) bool { return m.Here && m.Rest })
}

// menus is a group of the main menu.
type menus struct {
	Name  string
	Items []item
}

// Menus are the groups of the main menu of who is logged in.
func (v view) Menus() []menus {
	var out []menus
	listed := map[string]bool{}
	for _, m := range menu {
		if listed[m.name] {
			continue
		}
		if row := (route{who: m.who}); !row.lets(v.me) || m.name == "property" && (v.mayProperty() != nil || v.shape.Community.Property.Score == nil && v.shape.Community.Property.Patrol == nil) {
			continue
		}
		listed[m.name] = true
		if name := v.Say("page.menu_group." + m.group); len(out) == 0 || out[len(out)-1].Name != name {
			out = append(out, menus{Name: name})
		}
		path, last := v.path(m.path), &out[len(out)-1]
		name := v.Say("page.menu." + m.name)
		if m.name == "property" {
			name = v.PropertyTitle()
		}
		last.Items = append(last.Items, item{Name: name, Path: path, Here: v.URL.Path == path || strings.HasPrefix(v.URL.Path, path+"/")})
	}
	return out
}

// everything shows the whole menu: a telephone's bar has what matters most.
func (c *Console) everything(q *request) error { return q.show("menu", nil) }

// start leads to the page with which somebody begins.
func (c *Console) start(q *request) error {
	v := view{request: q}
	http.Redirect(q.w, q.Request, v.Menu()[0].Path, http.StatusSeeOther)
	return nil
}
