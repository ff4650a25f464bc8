package console

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// request is one request in hand: whose it is, in which community, and what it
// is answered with. Handlers get it after the table has let it through.
type request struct {
	*http.Request
	console *Console
	w       http.ResponseWriter
	row     *route
	shape   desk.Shape
	now     time.Time
	me      workflow.Person // the zero one where nobody is logged in
	token   string          // the session's cookie, "" for none
	how     access.How
	seeks   *sought        // what it looks for, once it was read
	notes   []string       // what else the audit log says of what was done
	stored  []string       // IDs of the photos that were stored for it
	status  int            // of the page that was shown, 0 for none
	tried   bool           // a change was shown and not made
	pages   http.Handler   // of all routes: a refused form's page is made anew by it
	refused *refusal       // for which this page is made anew, nil otherwise
	own     bool           // it is a form of this session
	name    string         // of the forms of this page; see formName
	door    workflow.Place // with which the fields for a place begin
}

// community is the code of the community.
func (q *request) community() string { return q.shape.Community.Code }

// by is who is logged in, as an actor of the machine.
func (q *request) by() workflow.Actor { return workflow.By(q.me) }

// errNobody means that somebody must log in first.
var errNobody = errors.New("console: nobody is logged in")

// Limits of a request.
const (
	bodyLimit   = 64 << 10 // bytes of a form
	uploadLimit = 32 << 20 // bytes of a form with photos or a table
	pageLimit   = 15 * time.Second
	uploadTime  = 2 * time.Minute // photos come over slow networks
)

// serve is what happens to every request of a community: which community, who is
// it, may they, is it their own form; then the audit log, then the handler.
func (c *Console) serve(row *route, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.setHeaders(w.Header())
		q := &request{Request: r, console: c, w: w, row: row, now: c.now(), pages: pages, refused: refusedOf(r.Context())}
		defer q.clear()
		if q.refused != nil && (row.limit == unlimited || slices.Contains(row.who, anybody)) {
			return // no form stands there
		}
		if row.limit != unlimited {
			limit := pageLimit
			if row.limit == uploads {
				limit = uploadTime
				control := http.NewResponseController(w)
				_ = control.SetReadDeadline(time.Now().Add(uploadTime)) // where it cannot be set, the server's own holds
				_ = control.SetWriteDeadline(time.Now().Add(uploadTime))
			}
			ctx, cancel := context.WithTimeout(r.Context(), limit)
			defer cancel()
			q.Request = r.WithContext(ctx)
		}
		if err := c.answer(q); err != nil {
			q.dropPhotos(err)
			c.fail(q, err)
		}
	})
}

// clear removes the files of a form that were written down while it was read: net/http
// does so only for the request that it made itself.
func (q *request) clear() {
	if q.MultipartForm != nil && q.refused == nil {
		_ = q.MultipartForm.RemoveAll()
	}
}

// setHeaders says what a browser may do with a page: load nothing from elsewhere,
// keep no copy, stand in no other's frame, and come back by TLS alone.
func (c *Console) setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	if c.secure() {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

func (c *Console) answer(q *request) error {
	shape, ok := c.o.Desk.Shape(q.PathValue("community"))
	if !ok {
		return &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no such community")}
	}
	q.shape = shape
	if err := q.knows(); err != nil {
		return err
	}
	if !q.row.lets(q.me) {
		if q.me.ID == 0 {
			return errNobody
		}
		return &workflow.Error{Code: workflow.CodeNotAllowed, Cause: fmt.Errorf("%s is not theirs", q.row.pattern)}
	}
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		limit := int64(bodyLimit)
		if q.row.limit == uploads {
			limit = uploadLimit
		}
		q.Body = http.MaxBytesReader(q.w, q.Body, limit)
		if err := q.parseForm(); err != nil {
			return err
		}
		if q.own = q.fromOwnForm(); !q.row.bare && !q.own {
			return &workflow.Error{Code: "not_own", Cause: errors.New("a form that is not this session's")}
		}
		if err := q.tooLong(); err != nil {
			return err
		}
	}
	if err := q.often(); err != nil {
		return err
	}
	if q.row.log != "" {
		return c.logged(q)
	}
	return q.row.do(c, q)
}

// errOften means that somebody asks for something too often.
func errOften(what string) error {
	return &workflow.Error{Code: "too_often", Cause: errors.New(what)}
}

// often refuses who does something more often than the table lets them. Without Redis
// nobody is counted.
func (q *request) often() error {
	if q.row.most == 0 {
		return nil
	}
	name := "page:" + q.row.log + ":" + strconv.FormatInt(int64(q.me.ID), 10)
	if ok, err := q.console.o.Desk.Drive().Allow(q.Context(), q.community(), name, 1, q.row.most, time.Hour); err == nil && !ok {
		return errOften(q.row.pattern)
	}
	return nil
}

// knows finds out who is logged in. Their parts are those they play now: who
// left the staff has none any more.
func (q *request) knows() error { return q.knowsUntil(q.now.Add(sessionIdle)) }

// knowsUntil is knows, with how long the session lasts from now on at least.
func (q *request) knowsUntil(expires time.Time) error {
	c := q.console
	q.token = c.cookie(q.Request, "in", q.community())
	if q.token == "" {
		return nil
	}
	s, ok, err := c.o.Record.Session(q.Context(), q.community(), access.Hash(q.token), q.now, expires)
	if err != nil {
		return fmt.Errorf("console: session: %w", err)
	}
	if !ok {
		q.token = ""
		return nil
	}
	q.how = s.How
	if p := q.shape.Roster.ByID(s.Person); p.ID != 0 {
		q.me = p
		return nil
	}
	p, err := c.o.Desk.Journal().Person(q.Context(), q.community(), s.Person)
	if err != nil {
		return fmt.Errorf("console: who is logged in: %w", err)
	}
	q.me = p
	return nil
}

func (q *request) parseForm() error {
	var err error
	if strings.HasPrefix(q.Header.Get("Content-Type"), "multipart/form-data") {
		if q.row.limit != uploads {
			return &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("files where none are taken")}
		}
		err = q.ParseMultipartForm(4 << 20)
	} else {
		err = q.ParseForm()
	}
	if err != nil {
		return &workflow.Error{Code: workflow.CodeInvalid, Cause: fmt.Errorf("form: %w", err)}
	}
	return nil
}

// number is the ticket that the path names.
func (q *request) number() (int64, error) {
	n, err := strconv.ParseInt(q.PathValue("number"), 10, 64)
	if err != nil || n <= 0 {
		return 0, &workflow.Error{Code: workflow.CodeNotFound, Cause: errors.New("no ticket number")}
	}
	return n, nil
}

// path is the address of a page of this community.
func (q *request) path(parts ...any) string {
	p := []string{"/c", url.PathEscape(q.community())}
	for _, part := range parts {
		for _, step := range strings.Split(strings.Trim(fmt.Sprint(part), "/"), "/") {
			p = append(p, url.PathEscape(step))
		}
	}
	return path.Join(p...)
}

// home is the address of the community's first page.
func (q *request) home() string {
	if q.community() == "" {
		return "/" // of no community
	}
	return q.path() + "/"
}

// inside is where a link leads within this community, its first page where it
// leads anywhere else: no address that came from outside is followed.
func (q *request) inside(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.ContainsAny(next, "\\\r\n\t") ||
		!strings.HasPrefix(u.Path, q.home()) || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") && path.Clean(u.Path) != u.Path {
		return q.home()
	}
	return u.RequestURI()
}

// address is that of a page, with what was done for it to say: a key of the wording
// below page.said, "" for nothing.
func (q *request) address(said string, parts ...any) string {
	if said != "" {
		return q.path(parts...) + "?said=" + url.QueryEscape(said)
	}
	return q.path(parts...)
}

// warned is such an address whose page first tells whom to call in a danger, "" for
// none.
func warned(address, danger string) string {
	if danger == "" {
		return address
	}
	return address + "&danger=" + url.QueryEscape(danger)
}

// to sends the browser on to such a page.
func (q *request) to(said string, parts ...any) error { return q.on(q.address(said, parts...)) }

// on sends the browser on after what was asked for is done. htmx follows it like any
// browser.
func (q *request) on(address string) error {
	q.taken()
	http.Redirect(q.w, q.Request, address, http.StatusSeeOther)
	return nil
}

// fail answers what went wrong: the form's own page, or a page with the words of
// the refusal's code. A fault of ours is logged with its cause, without what anybody
// wrote.
func (c *Console) fail(q *request, err error) {
	if errors.Is(err, context.Canceled) && q.Request.Context().Err() != nil {
		return // the browser has gone
	}
	if q.refused != nil {
		return // the page of a refused form cannot be shown any more
	}
	if errors.Is(err, errNobody) {
		c.askToLogIn(q)
		return
	}
	if q.doneBefore() {
		return
	}
	var tooLarge *http.MaxBytesError
	var wrong *fault
	code, status := workflow.CodeOf(err), http.StatusConflict
	switch {
	case errors.As(err, &wrong):
		code = "invalid_form"
		if !wrong.Stale {
			status = http.StatusUnprocessableEntity
		}
	case errors.As(err, &tooLarge):
		code, status = "too_large", http.StatusRequestEntityTooLarge
	case code == "too_often":
		status = http.StatusTooManyRequests
		q.w.Header().Set("Retry-After", "60")
	case code == workflow.CodeNotFound, code == "no_page", code == "no_week", code == "no_month":
		status = http.StatusNotFound
	case code == "no_method":
		status = http.StatusMethodNotAllowed
	case code == workflow.CodeNotAllowed, code == "not_own":
		status = http.StatusForbidden
	case fieldOf[code] != "", code == workflow.CodeInvalid:
		status = http.StatusUnprocessableEntity
	case code == workflow.CodeBusy:
		status = http.StatusServiceUnavailable
		c.o.Logger.Error("page failed", "route", q.row.pattern, "community", q.PathValue("community"), "cause", err)
	}
	if status < 500 {
		c.o.Logger.Info("page refused", "route", q.row.pattern, "code", code)
	}
	ref := &refusal{status: status, says: []string{q.refusalIn(string(code))}, field: fieldOf[code], path: q.URL.Path, typed: q.PostForm}
	if wrong != nil {
		ref.says, ref.field, ref.row, ref.stale = wrong.Says, wrong.Field, wrong.Row, wrong.Stale
		if wrong.Key != "" {
			have := wording.Values{"Least": workflow.LeastName, "Limit": mostOf[wrong.Field]}
			maps.Copy(have, wrong.Have)
			ref.says = []string{q.voice().Say("page.problem."+wrong.Key, have)}
		}
	}
	if q.MultipartForm != nil && len(q.MultipartForm.File) > 0 {
		ref.says = append(ref.says, q.voice().Say("page.problem.photos_again", nil))
	}
	if q.Method == http.MethodPost && q.again(ref) {
		return
	}
	c.refusalPage(q, ref)
}

// fieldOf is which field of a form a refusal of the machine is about.
var fieldOf = map[workflow.Code]string{
	workflow.CodeNeedsText: "words", workflow.CodeNeedsTarget: "to", "needs_place": "building", "not_a_photo": "photos", "too_many_photos": "photos",
}

// askToLogIn leads a page to the login and back, and tells a request that is no
// page that somebody must log in. What a form said is kept until they have.
func (c *Console) askToLogIn(q *request) {
	if q.row.limit == unlimited || q.Header.Get("HX-Request") != "" && q.Method != http.MethodGet {
		c.refusalPage(q, &refusal{status: http.StatusUnauthorized, says: []string{q.refusalIn("nobody")}})
		return
	}
	if q.Method != http.MethodGet {
		ref := &refusal{status: http.StatusUnauthorized, says: []string{q.refusalIn("nobody")}, path: q.URL.Path, typed: q.typedFields()}
		if len(ref.words()) > 0 && q.keep(ref) {
			ref.says = []string{q.refusalIn("nobody_now")}
		}
		c.refusalPage(q, ref)
		return
	}
	address := q.path("login")
	if next := q.URL.RequestURI(); next != q.home() {
		address += "?next=" + url.QueryEscape(next)
	}
	if q.Header.Get("HX-Request") != "" {
		q.w.Header().Set("HX-Redirect", address)
		q.w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(q.w, q.Request, address, http.StatusSeeOther)
}
