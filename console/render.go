package console

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// pagePolicy lets a page load nothing but what this server brings, and run no
// script or style that stands in the page itself.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; " +
	"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page makes its template ready when it is shown first, and keeps it.
type page func() (*template.Template, error)

// parsePages reads the templates: every page with the frame and the parts that
// pages share (names that begin with "_"). A broken one is an error here; which of
// them are kept is decided by who looks at them, since each has all that is shared.
func parsePages() (map[string]page, error) {
	files, err := fs.Glob(configs.Files, "pages/*.html")
	if err != nil {
		return nil, err
	}
	shared := template.New("").Funcs(template.FuncMap{"live": liveAttributes, "list": func(v ...any) []any { return v }, "dict": dict, "most": func(field string) int { return mostOf[field] }, "has": has, "deref": func(b *bool) bool { return b != nil && *b }})
	for _, file := range files {
		if strings.HasPrefix(path.Base(file), "_") {
			if _, err := shared.Parse(string(configs.Read(file))); err != nil {
				return nil, fmt.Errorf("console: %s: %w", file, err)
			}
		}
	}
	pages := map[string]page{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if strings.HasPrefix(name, "_") {
			continue
		}
		read := func() (*template.Template, error) {
			whole, err := shared.Clone()
			if err == nil {
				_, err = whole.Parse(string(configs.Read(file)))
			}
			if err != nil {
				return nil, fmt.Errorf("console: %s: %w", file, err)
			}
			return whole, nil
		}
		if _, err := read(); err != nil {
			return nil, err
		}
		pages[name] = sync.OnceValues(read)
	}
	return pages, nil
}

// liveAttributes have a part of a page read itself anew when something changed.
// The part's element has this id, and is an answer's part of the same id. It listens
// as soon as it stands there: a change in the moment before would be missed.
func liveAttributes(id string) template.HTMLAttr {
	return template.HTMLAttr(fmt.Sprintf(`id="%s" hx-get="" hx-trigger="live from:body" hx-select="#%s" hx-swap="outerHTML settle:0ms"`, id, id)) //nolint:gosec // ids stand in templates
}

// has tells whether a list has a value, by how it is written.
func has(list, value any) bool {
	all := reflect.ValueOf(list)
	for i := range all.Len() {
		if fmt.Sprint(all.Index(i)) == fmt.Sprint(value) {
			return true
		}
	}
	return false
}

// dict makes what a shared part of a page is given, from names and values.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: a name without a value")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m, nil
}

// view is what a template gets: the page's own Body, and what every page may
// say and link to.
type view struct {
	*request
	Body any
	Page string // the template's name
	Said string // what was just done, in words
	Call string // whom to call first, where there is danger
}

// show answers with a page.
func (q *request) show(page string, body any) error { return q.render(http.StatusOK, page, body) }

func (q *request) render(status int, page string, body any) error {
	ready, ok := q.console.pages[page]
	if !ok {
		return fmt.Errorf("console: no template %q", page)
	}
	t, err := ready()
	if err != nil {
		return err
	}
	v := view{request: q, Body: body, Page: page}
	if said := q.URL.Query().Get("said"); said != "" {
		if key := "page.said." + said; q.console.o.Wording.Has(key) {
			v.Said = v.Say(key)
		}
		if call := "call." + q.URL.Query().Get("danger"); q.console.o.Wording.Has(call) {
			v.Call = v.Say("danger", "Call", v.Say(call))
		}
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "frame", v); err != nil {
		return fmt.Errorf("console: page %s: %w", page, err)
	}
	q.status = status
	answer, ref := b.Bytes(), q.refused
	if ref == nil {
		ref = q.broughtBack()
	}
	if at := v.At(); at != "" && (ref != nil || q.Method != http.MethodGet) {
		var err error
		if answer, err = onPage(answer, at, ref); err != nil {
			return err
		}
	}
	if q.refused != nil {
		q.refused.shown = true
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.WriteHeader(status)
	_, _ = q.w.Write(answer)
	return nil
}

// refusedPage says why something was not done.
type refusedPage struct {
	Says  []string
	Words []string // what they wrote, for them to copy
	Login string   // where they log in, "" where that does not help
}

// refusalPage says in words why something was not done, where no form can. It must
// not fail.
func (c *Console) refusalPage(q *request, ref *refusal) {
	text := strings.Join(ref.says, "\n")
	if q.shape.Community == nil { // the look of all
		q.shape.Community = &workflow.Community{}
	}
	if q.Header.Get("HX-Request") != "" && ref.status == http.StatusUnauthorized {
		q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		q.w.WriteHeader(ref.status)
		_, _ = q.w.Write([]byte(text + "\n"))
		return
	}
	page := refusedPage{Says: ref.says, Words: ref.words()}
	if ref.status == http.StatusUnauthorized {
		page.Login = q.path("login")
		if at := q.standsOn(ref.typed); at != "" {
			page.Login += "?next=" + url.QueryEscape(at)
		}
	}
	if err := q.render(ref.status, "refused", page); err != nil {
		c.o.Logger.Error("refusal not shown", "cause", err)
		http.Error(q.w, text, ref.status)
	}
}

// refusalIn is a code of refusal in words.
func (q *request) refusalIn(code string) string {
	w, key := q.console.o.Wording, "error."+code
	if w.Has("page.refused." + code) {
		key = "page.refused." + code
	}
	if q.shape.Community == nil { // those of all
		return w.Say(key, wording.Values{})
	}
	return q.voice().Say(key, wording.Values{"Staff": q.me.Staff()})
}

// Asset is the address of a browser file.
func (v view) Asset(name string) string { return v.console.assets.Path(name) }

// Path is the address of a page of this community.
func (v view) Path(parts ...any) string { return v.path(parts...) }

// Home is the address of the community's first page.
func (v view) Home() string { return v.home() }

// Here is the address of this page, without what was said on it.
func (v view) Here() string {
	u := *v.URL
	query := u.Query()
	query.Del("said")
	query.Del("danger")
	u.RawQuery = query.Encode()
	return u.RequestURI()
}

// At is the page on which this page's forms stand: itself, or the one from which the
// form came that it answers; "" where nobody knows.
func (v view) At() string {
	if v.Method == http.MethodGet {
		return v.Here()
	}
	return v.standsOn(v.PostForm)
}

// Address is where the browser finds this page again: the page on which the form
// stands that it answers; "" where it is at its own address already.
func (v view) Address() string {
	if v.Method == http.MethodGet && v.refused == nil {
		return ""
	}
	return cmp.Or(v.At(), v.Home())
}

// Sign are the hidden fields that every form must carry.
func (v view) Sign() template.HTML {
	var b strings.Builder
	for i, value := range []string{csrf(v.token), v.At(), v.myself(), v.formName()} {
		fmt.Fprintf(&b, `<input type="hidden" name="%s" value="%s">`, ownFields[i], template.HTMLEscapeString(value))
	}
	return template.HTML(b.String()) //nolint:gosec // escaped
}

// Token is the form's sign for htmx.
func (v view) Token() string { return csrf(v.token) }

// Community is the community's document.
func (v view) Community() *workflow.Community { return v.shape.Community }

// Me is who is logged in.
func (v view) Me() workflow.Person { return v.me }

// In tells whether somebody is logged in.
func (v view) In() bool { return v.me.ID != 0 }

// Is tells whether who is logged in belongs to one of the groups of the table.
func (v view) Is(groups ...string) bool {
	for _, g := range groups {
		if who(g).holds(v.me) {
			return true
		}
	}
	return false
}

// Say is a text of the wording, filled with names and values in turn.
func (v view) Say(key string, pairs ...any) string {
	values, _ := dict(pairs...)
	return v.voice().Say(key, values)
}

// When is a moment as it is said: 「今天 15:20」.
func (v view) When(t time.Time) string { return v.voice().When(t, v.now) }

// Plus adds two numbers: lists that people read are counted from 1.
func (v view) Plus(a, b int) int { return a + b }

// Door is with which the fields for a place begin; the zero one where they are empty.
func (v view) Door() workflow.Place { return v.door }

// Clock is now.
func (v view) Clock() time.Time { return v.now }

// Date is a day as forms write it.
func (v view) Date(t time.Time) string {
	return t.In(v.shape.Community.Location()).Format(time.DateOnly)
}

// TitleOf is what somebody of the staff is called beside their name.
func (v view) TitleOf(p workflow.Person) string { return v.voice().Title(p) }

// Exact is a moment in full, for those who hover over it and for machines.
func (v view) Exact(t time.Time) string {
	return t.In(v.shape.Community.Location()).Format("2006-01-02 15:04")
}

// Short cuts a text to so many characters.
func (v view) Short(s string, most int) string { return wording.Shorten(wording.FirstLine(s), most) }

// Label is what a category is called.
func (v view) Label(c workflow.Category) string { return v.voice().Taxonomy.Label(c) }

// GridName is what a grid is called.
func (v view) GridName(code string) string {
	g, _ := v.shape.Community.Grid(code)
	return g.Name
}

// NameOf is what a member of the staff is called, "" for anybody else.
func (v view) NameOf(id workflow.PersonID) string { return v.shape.Roster.ByID(id).Name }
