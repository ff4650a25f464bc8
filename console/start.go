package console

import "net/http"

// item is one entry of the main menu.
type item struct {
	Name string
	Path string
	Here bool
}

// menu says which pages stand in the main menu, for whom; the first that fits is
// where somebody starts. The names are keys of the wording below page.menu.
var menu = []struct {
	name string
	path string
	who  []who
}{
	{"today", "today", of(committee)},
	{"work", "work", of(handler)},
	{"behalf", "behalf", of(keeper)},
	{"rounds", "rounds", of(rounder)},
	{"overdue", "overdue", of(committee, keeper)},
	{"search", "search", of(committee)},
	{"week", "week", of(committee)},
	{"people", "admin/people", of(admin)},
	{"community", "admin/community", of(admin)},
	{"words", "admin/words", of(admin)},
	{"try", "admin/try", of(admin)},
	{"codes", "admin/codes", of(admin)},
	{"model", "admin/model", of(admin)},
	{"import", "admin/import", of(admin)},
	{"failures", "admin/failures", of(admin, committee)},
	{"audit", "admin/audit", of(admin)},
	{"my", "my", of(resident)},
	{"wall", "wall", of(resident)},
	{"me", "me", of(resident)},
}

// Menu is the main menu of who is logged in.
func (v view) Menu() []item {
	var out []item
	for _, m := range menu {
		row := route{who: m.who}
		if row.lets(v.me) {
			path := v.path(m.path)
			out = append(out, item{Name: v.Say("page.menu." + m.name), Path: path, Here: v.URL.Path == path || len(v.URL.Path) > len(path) && v.URL.Path[:len(path)+1] == path+"/"})
		}
	}
	return out
}

// start leads to the page with which somebody begins.
func (c *Console) start(q *request) error {
	v := view{request: q}
	http.Redirect(q.w, q.Request, v.Menu()[0].Path, http.StatusSeeOther)
	return nil
}
