package console

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/wishdesk/wishdesk/wording"
)

// What somebody typed is theirs until it has been taken: a form that is refused
// comes back on its own page, filled as it was sent, with what is wrong beside the
// field. It is done here for every form: each says by Sign on which page it stands,
// that page is made anew, and the form on it is filled by the names of its fields.
// Where the session has ended meanwhile, what was typed is kept, sealed, until the
// same person has logged in again in the same browser.

// fault is what is wrong with a form.
type fault struct {
	Field string         // which field, "" for the form as a whole
	Row   int            // which of several fields of that name, from 0
	Key   string         // its words below page.problem
	Have  wording.Values // what the words need
	Says  []string       // or the words themselves
	Stale bool           // somebody else changed it meanwhile: the page's own version counts
}

// Error is for the log.
func (f *fault) Error() string {
	return "console: a form is refused: " + f.Field + ": " + cmp.Or(f.Key, strings.Join(f.Says, "; "))
}

// refusal is why a form was refused, and what it said.
type refusal struct {
	status int
	says   []string
	field  string
	row    int
	path   string // to which the form was sent
	typed  url.Values
	stale  bool
	shown  bool // on the form's own page
}

// The hidden fields of every form, besides its sign. at is the page on which it
// stands, by whose it is.
var ownFields = []string{"csrf", "at", "by", "once"}

type refusalKey struct{}

// refusedOf is why the form was refused for which a page is made anew, nil
// otherwise.
func refusedOf(ctx context.Context) *refusal {
	ref, _ := ctx.Value(refusalKey{}).(*refusal)
	return ref
}

// standsOn is the page on which a form says that it stands, "" where it says
// nothing of use.
func (q *request) standsOn(form url.Values) string {
	if at := form.Get("at"); at != "" && q.inside(at) == at {
		return at
	}
	return ""
}

// again shows the page of a refused form anew, with what was typed; false where
// there is no such page, or none any more.
func (q *request) again(ref *refusal) bool {
	at := q.standsOn(ref.typed)
	if at == "" || ref.typed.Get("by") != q.myself() {
		return false
	}
	page, err := http.NewRequestWithContext(context.WithValue(q.Context(), refusalKey{}, ref), http.MethodGet, at, nil)
	if err != nil {
		return false
	}
	for _, name := range []string{"Cookie", "User-Agent"} {
		page.Header[name] = q.Header[name]
	}
	held := heldAnswer{header: http.Header{}}
	q.pages.ServeHTTP(&held, page)
	if !ref.shown {
		return false
	}
	q.w.Header().Set("Content-Type", held.header.Get("Content-Type"))
	q.w.WriteHeader(ref.status)
	_, _ = q.w.Write(held.Bytes())
	return true
}

// heldAnswer holds back an answer.
type heldAnswer struct {
	bytes.Buffer
	header http.Header
}

// Header is that of the answer.
func (h *heldAnswer) Header() http.Header { return h.header }

// WriteHeader does nothing: the refusal says what the status is.
func (h *heldAnswer) WriteHeader(int) {}

// myself is who is logged in, as a form names them.
func (q *request) myself() string { return strconv.FormatInt(int64(q.me.ID), 10) }

// words of a form that a person would miss.
func (ref *refusal) words() []string {
	var out []string
	for _, name := range []string{"words", "text"} {
		if s := strings.TrimSpace(ref.typed.Get(name)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Limits of what is kept while somebody logs in again.
const (
	typedLife  = 30 * time.Minute
	typedBytes = 32 << 10
)

// keptForm is a form that waits for its owner to log in again.
type keptForm struct {
	Path  string
	Typed url.Values
}

// keep keeps a form whose session has ended. kept is false where it is too long, or
// too many come: then the page that refuses it shows the words.
func (q *request) keep(ref *refusal) (kept bool) {
	c := q.console
	data, err := json.Marshal(keptForm{ref.path, ref.typed})
	if err != nil || len(data) > typedBytes || q.standsOn(ref.typed) == "" {
		return false
	}
	if ok, err := c.o.Desk.Drive().Allow(q.Context(), q.community(), "typed", 1, 60, time.Minute); err != nil || !ok {
		return false
	}
	token := newToken()
	box, err := sealed("typed\x00"+token, q.community(), data)
	if err == nil {
		err = c.o.Shelf.Keep(q.Context(), q.community(), shelf(token), box, typedLife)
	}
	if err != nil {
		c.o.Logger.Warn("what was typed is not kept", "cause", err)
		return false
	}
	c.setCookie(q.w, "typed", q.community(), token, typedLife)
	return true
}

// waiting is the form that waits for who is logged in, nil where there is none.
func (q *request) waiting() *keptForm {
	c := q.console
	token := c.cookie(q.Request, "typed", q.community())
	if token == "" || q.me.ID == 0 {
		return nil
	}
	data, ok, err := c.o.Shelf.Kept(q.Context(), q.community(), shelf(token))
	if err != nil || !ok {
		return nil
	}
	var kept keptForm
	if data, ok = unsealed("typed\x00"+token, q.community(), data); !ok || json.Unmarshal(data, &kept) != nil || kept.Typed.Get("by") != q.myself() {
		return nil
	}
	return &kept
}

// broughtBack is the refusal that gives somebody back what they typed before they
// had to log in again, nil where this is not its page.
func (q *request) broughtBack() *refusal {
	if q.Method != http.MethodGet {
		return nil
	}
	kept := q.waiting()
	if kept == nil || kept.Typed.Get("at") != (view{request: q}).Here() {
		return nil
	}
	return &refusal{status: http.StatusOK, says: []string{q.voice().Say("page.problem.back", nil)}, path: kept.Path, typed: kept.Typed}
}

// taken forgets a form that waited, now that it was sent again.
func (q *request) taken() {
	kept := q.waiting()
	if kept == nil || kept.Path != q.URL.Path {
		return
	}
	c := q.console
	if err := c.o.Shelf.Discard(q.Context(), q.community(), shelf(c.cookie(q.Request, "typed", q.community()))); err != nil {
		c.o.Logger.Warn("a form that was sent is kept on", "cause", err) // it runs out by itself, sealed
	}
	c.setCookie(q.w, "typed", q.community(), "", 0)
}

// typedFields reads the fields of a form of which nobody knows yet whose it is:
// little of it, and no files.
func (q *request) typedFields() url.Values {
	q.Body = http.MaxBytesReader(q.w, q.Body, uploadLimit)
	parts, err := q.MultipartReader()
	if err != nil {
		q.Body = http.MaxBytesReader(q.w, q.Body, bodyLimit)
		if q.ParseForm() != nil {
			return nil
		}
		return q.PostForm
	}
	out, left := url.Values{}, int64(bodyLimit)
	for {
		var p *multipart.Part
		if p, err = parts.NextPart(); err != nil {
			return out // the end, or what came until here
		}
		if p.FileName() != "" {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(p, left))
		if left -= int64(len(text)); err != nil || left <= 0 {
			return out
		}
		out.Add(p.FormName(), string(text))
	}
}

// onPage gives a page the addresses that are told beside its own (?part=2), which
// hold only on the page itself and not where a form is answered, and puts back what
// was typed, if ref is not nil.
func onPage(page []byte, at string, ref *refusal) ([]byte, error) {
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return nil, fmt.Errorf("console: page: %w", err)
	}
	path, _, _ := strings.Cut(at, "?")
	for n := range doc.Descendants() {
		for i, a := range n.Attr {
			switch {
			case a.Key == "hx-get" && a.Val == "":
				n.Attr[i].Val = at
			case (a.Key == "href" || a.Key == "action") && strings.HasPrefix(a.Val, "?"):
				n.Attr[i].Val = path + strings.TrimSuffix(a.Val, "?")
			}
		}
		if n.DataAtom == atom.Form && attr(n, "action") == "" {
			set(n, "action", at)
		}
	}
	if ref != nil {
		ref.fill(doc)
	}
	var b bytes.Buffer
	if err := html.Render(&b, doc); err != nil {
		return nil, fmt.Errorf("console: page: %w", err)
	}
	return b.Bytes(), nil
}

// fill finds the refused form on its page, writes into it what was typed, and
// beside it what is wrong.
func (ref *refusal) fill(doc *html.Node) {
	form, best := (*html.Node)(nil), 0
	for n := range doc.Descendants() {
		if n.DataAtom == atom.Form {
			if fits := ref.fits(n); form == nil && fits > 0 || fits > best {
				form, best = n, fits
			}
		}
	}
	says := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div, Attr: []html.Attribute{{Key: "id", Val: "refused"}, {Key: "role", Val: "alert"}}}
	for _, line := range ref.says {
		p := &html.Node{Type: html.ElementNode, Data: "p", DataAtom: atom.P}
		p.AppendChild(&html.Node{Type: html.TextNode, Data: line})
		says.AppendChild(p)
	}
	if form == nil { // it stands there no more
		set(says, "class", "warned")
		for n := range doc.Descendants() {
			if n.DataAtom == atom.Main {
				n.InsertBefore(says, n.FirstChild)
				return
			}
		}
		return
	}
	set(form, "data-refused", "yes") // nobody reads the page anew under their hands
	wrong := ref.fillIn(form)
	open(form)
	if wrong == nil {
		set(says, "class", "warned")
		set(says, "tabindex", "-1")
		set(says, "autofocus", "")
		form.InsertBefore(says, form.FirstChild)
		return
	}
	open(wrong)
	set(says, "class", "wrong")
	set(wrong, "aria-invalid", "true")
	set(wrong, "aria-describedby", strings.TrimSpace("refused "+attr(wrong, "aria-describedby")))
	set(wrong, "autofocus", "")
	before := wrong
	if before.Parent.DataAtom == atom.Label {
		before = before.Parent
	}
	before.Parent.InsertBefore(says, before)
}

// fits tells how much a form is like the one that was sent; 0 for not at all.
func (ref *refusal) fits(form *html.Node) int {
	to := attr(form, "action") == ref.path
	if before, _, _ := strings.Cut(attr(form, "action"), "?"); before == ref.path {
		to = true
	}
	n := 1000
	names := map[string]bool{}
	for c := range controls(form) {
		name, value := attr(c, "name"), attr(c, "value")
		to = to || attr(c, "formaction") == ref.path
		switch {
		case name == "" || slices.Contains(ownFields, name):
			continue
		case name == ref.field:
			n += 100
		case c.DataAtom == atom.Button && ref.typed.Has(name):
			if slices.Contains(ref.typed[name], value) {
				n++
			}
		case attr(c, "type") == "hidden" && ref.typed.Has(name) && !slices.Contains(ref.typed[name], value) && name != "on":
			n -= 10
		}
		names[name] = true
	}
	if !to {
		return 0
	}
	for name := range ref.typed {
		if !slices.Contains(ownFields, name) && !names[name] {
			n--
		}
	}
	return n
}

// fillIn writes what was typed into the fields of a form and gives the wrong one,
// nil where it is none of them.
func (ref *refusal) fillIn(form *html.Node) (wrong *html.Node) {
	nth := map[string]int{}
	for c := range controls(form) {
		name := attr(c, "name")
		all, i := ref.typed[name], nth[name]
		nth[name]++
		kind := attr(c, "type")
		if name == ref.field && name != "" && i == ref.row && kind != "hidden" && c.DataAtom != atom.Button {
			wrong = c
		}
		value := ""
		if i < len(all) {
			value = all[i]
		}
		switch {
		case c.DataAtom == atom.Textarea && i < len(all):
			for c.FirstChild != nil {
				c.RemoveChild(c.FirstChild)
			}
			c.AppendChild(&html.Node{Type: html.TextNode, Data: value})
		case c.DataAtom == atom.Select && len(all) > 0:
			chosen := all[min(i, len(all)-1):]
			if !has(attrs(c), "multiple") {
				chosen = chosen[:1]
			}
			if chosen[0] != "" {
				open(c)
			}
			for o := range c.Descendants() {
				if o.DataAtom == atom.Option {
					mark(o, "selected", slices.Contains(chosen, optionValue(o)))
				}
			}
		case c.DataAtom != atom.Input:
		case kind == "checkbox" || kind == "radio":
			nth[name]-- // those that are not ticked are not sent
			mark(c, "checked", slices.Contains(all, cmp.Or(attr(c, "value"), "on")))
		case kind == "hidden":
			if name == "once" || name == "on" && !ref.stale && len(all) > 0 {
				set(c, "value", value)
			}
		case i < len(all):
			if value != attr(c, "value") {
				open(c)
			}
			set(c, "value", value)
		}
	}
	return wrong
}

// controls are the fields and buttons of a form.
func controls(form *html.Node) func(func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for n := range form.Descendants() {
			switch n.DataAtom {
			case atom.Input, atom.Select, atom.Textarea, atom.Button:
				if !yield(n) {
					return
				}
			}
		}
	}
}

// open opens the parts of a page in which something stands.
func open(n *html.Node) {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.DataAtom == atom.Details {
			set(p, "open", "")
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// attrs are the names of an element's attributes.
func attrs(n *html.Node) []string {
	var out []string
	for _, a := range n.Attr {
		out = append(out, a.Key)
	}
	return out
}

func set(n *html.Node, key, value string) {
	mark(n, key, false)
	n.Attr = append(n.Attr, html.Attribute{Key: key, Val: value})
}

// mark gives an element an attribute without a value, or takes it away.
func mark(n *html.Node, key string, yes bool) {
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
	if yes {
		n.Attr = append(n.Attr, html.Attribute{Key: key})
	}
}

// optionValue is what an option sends: its value, or its text where it has none.
func optionValue(o *html.Node) string {
	if has(attrs(o), "value") {
		return attr(o, "value")
	}
	if o.FirstChild != nil {
		return strings.TrimSpace(o.FirstChild.Data)
	}
	return ""
}
