package open311

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Prefix is where the endpoint is mounted.
const Prefix = "/open311/v2/"

// Record is what is read and kept besides the desk's journal; the PostgreSQL store
// is one.
type Record interface {
	// KeyOf is a key by its hash, also one that has ended.
	KeyOf(ctx context.Context, community string, hash []byte, now time.Time) (k access.Key, ok bool, err error)
	// Search finds tickets, newest first; see desk.Query.
	Search(ctx context.Context, community string, q desk.Query) (desk.Found, error)
	// Filings are the first events of some tickets, by number.
	Filings(ctx context.Context, community string, numbers []int64) (map[int64]workflow.Event, error)
	// Audit writes one line of the audit log.
	Audit(ctx context.Context, community string, e access.Entry) error
}

// Options are what a Server stands on. All are required but Logger and PublicURL.
type Options struct {
	Desk         *desk.Desk
	Record       Record
	Understander workflow.Understander
	Wording      *wording.Wording
	Taxonomy     *workflow.Taxonomy
	// PublicURL is where people reach this server, https://host; "" says what the
	// request came to.
	PublicURL string
	// Budget is how long filing may take before a token is given instead; 0 = 3 s.
	Budget time.Duration
	Clock  clockwork.Clock
	Logger *slog.Logger
}

// Server answers Open311. It is safe for concurrent use. All it keeps are the keys
// that it let in lately, for while the record is away.
type Server struct {
	o Options

	mu    sync.Mutex
	known map[string]access.Key // by community and hash
}

// New gives a server.
func New(o Options) *Server {
	if o.Budget == 0 {
		o.Budget = 3 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{o: o, known: map[string]access.Key{}}
}

// Bounds of requests.
const (
	bodyLimit  = 64 << 10 // bytes
	timeLimit  = 10 * time.Second
	readsLimit = 300  // a minute, of one address, without a key
	keyLimit   = 300  // a minute, of a key
	allLimit   = 6000 // a minute, of a community, without a key
)

// route is one row of the table: what is asked for, how, by whom.
type route struct {
	method, path string // the path without its format; "{id}" is any one step
	do           func(*Server, *request) (any, error)
	filing       bool // needs a key that files; else what anybody may read
	anywhere     bool // needs no jurisdiction
}

// table is everything that can be asked for.
var table = []route{
	{method: http.MethodGet, path: "discovery", do: (*Server).discovery, anywhere: true},
	{method: http.MethodGet, path: "services", do: (*Server).services},
	{method: http.MethodGet, path: "services/{id}", do: (*Server).definition},
	{method: http.MethodGet, path: "requests", do: (*Server).requests},
	{method: http.MethodGet, path: "requests/{id}", do: (*Server).request},
	{method: http.MethodPost, path: "requests", do: (*Server).create, filing: true},
	{method: http.MethodGet, path: "tokens/{id}", do: (*Server).token},
}

// request is one request on its way.
type request struct {
	*http.Request
	now    time.Time
	format string // xml or json
	id     string // of the path
	shape  desk.Shape
	key    access.Key // zero without one
	voice  wording.Voice
}

func (q *request) community() string { return q.shape.Community.Code }

// refusal is an error that the client is told: a status and the key of its words
// below open311.error.
type refusal struct {
	status int
	what   string
	values wording.Values
	cause  error
}

func (r *refusal) Error() string { return fmt.Sprintf("open311: %s: %v", r.what, r.cause) }

func (r *refusal) Unwrap() error { return r.cause }

func refuse(status int, what string, values wording.Values) error {
	return &refusal{status: status, what: what, values: values}
}

// Handler answers everything below Prefix.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeLimit)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		q := &request{Request: r.WithContext(ctx), now: s.o.Clock.Now(), format: "xml", voice: wording.Voice{W: s.o.Wording}}
		answer, err := s.answer(w, q)
		status := http.StatusOK
		if err != nil {
			status, answer = s.refused(w, q, err)
		}
		if err := write(w, q.format, status, answer); err != nil {
			s.o.Logger.Error("open311 answer not written", "cause", err)
		}
	})
}

func (s *Server) answer(w http.ResponseWriter, q *request) (any, error) {
	path, format, ok := cut(strings.TrimPrefix(q.URL.Path, Prefix))
	if !ok {
		return nil, refuse(http.StatusNotFound, "path", nil)
	}
	q.format = format
	row, id, allowed := find(q.Method, path)
	if row == nil {
		if allowed != "" {
			w.Header().Set("Allow", allowed)
			return nil, refuse(http.StatusMethodNotAllowed, "method", nil)
		}
		return nil, refuse(http.StatusNotFound, "path", nil)
	}
	q.id = id
	if !row.filing {
		w.Header().Set("Access-Control-Allow-Origin", "*") // it is for everybody, and carries nothing of a session
	}
	if err := parse(q.Request); err != nil {
		return nil, err
	}
	if err := s.jurisdiction(q); err != nil && (!row.anywhere || q.FormValue("jurisdiction_id") != "") {
		return nil, err
	}
	if q.shape.Community != nil {
		if err := s.admit(q, row); err != nil {
			return nil, err
		}
	}
	return row.do(s, q)
}

// cut takes the format from the end of a path.
func cut(path string) (rest, format string, ok bool) {
	for _, f := range []string{"xml", "json"} {
		if rest, ok := strings.CutSuffix(path, "."+f); ok && rest != "" {
			return rest, f, true
		}
	}
	return "", "", false
}

// find is the row for a path; allowed are the methods of the path where the method
// is another.
func find(method, path string) (row *route, id, allowed string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var methods []string
	for i := range table {
		r := &table[i]
		at, _, one := strings.Cut(r.path, "{")
		switch rest, under := strings.CutPrefix(path, at); {
		case one && (!under || rest == "" || strings.Contains(rest, "/")), !one && path != r.path:
			continue
		case r.method == method:
			if one {
				id = rest
			}
			return r, id, ""
		}
		methods = append(methods, r.method)
	}
	return nil, "", strings.Join(methods, ", ")
}

// parse reads the form: of the address, and of a body that is a form.
func parse(r *http.Request) error {
	if r.Method == http.MethodPost {
		kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		charset := strings.ToLower(params["charset"])
		if err != nil || kind != "application/x-www-form-urlencoded" || charset != "" && charset != "utf-8" {
			return refuse(http.StatusUnsupportedMediaType, "form", nil)
		}
	}
	var tooLarge *http.MaxBytesError
	switch err := r.ParseForm(); {
	case errors.As(err, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "large", nil)
	case err != nil:
		return &refusal{status: http.StatusBadRequest, what: "form", cause: err}
	}
	return nil
}

// jurisdiction is the community that is asked: the one named, or the only one.
func (s *Server) jurisdiction(q *request) error {
	code := q.FormValue("jurisdiction_id")
	if all := s.o.Desk.Communities(); code == "" && len(all) == 1 {
		code = all[0]
	}
	if code == "" {
		return refuse(http.StatusBadRequest, "no_jurisdiction", nil)
	}
	shape, ok := s.o.Desk.Shape(code)
	if !ok || shape.Community.Open311 == workflow.NotOpen {
		return refuse(http.StatusNotFound, "jurisdiction", nil)
	}
	q.shape, q.voice = shape, wording.New(s.o.Wording, s.o.Taxonomy, shape, s.o.Understander.Mask)
	return nil
}

// admit lets in who may: whoever has a key for what needs one, and not too often.
func (s *Server) admit(q *request, row *route) error {
	needs := row.filing || q.shape.Community.Open311 == workflow.OpenToKeys && !row.anywhere
	if secret := q.FormValue("api_key"); secret != "" {
		k, ok, err := s.keyOf(q, secret)
		if err != nil && needs {
			return fmt.Errorf("open311: key: %w", err)
		}
		if ok {
			q.key = k
		}
	}
	scope := access.ScopeRead
	if row.filing {
		scope = access.ScopeFile
	}
	if needs && !q.key.May(scope) {
		return refuse(http.StatusForbidden, "key", nil)
	}
	return s.charge(q, 1)
}

// charge counts a request as so many, of its key or of the address that asks, and
// refuses what is too much.
func (s *Server) charge(q *request, cost int) error {
	counted := map[string]int{"open311:at:" + access.Client(q.RemoteAddr): readsLimit, "open311": allLimit}
	if q.key.ID != 0 {
		counted = map[string]int{"open311:" + strconv.FormatInt(q.key.ID, 10): keyLimit}
	}
	for name, most := range counted {
		allowed, err := s.o.Desk.Drive().Allow(q.Context(), q.community(), name, cost, most, time.Minute)
		if err == nil && !allowed { // without Redis nobody is counted
			return refuse(http.StatusTooManyRequests, "often", nil)
		}
	}
	return nil
}

// mostKnown is how many keys are remembered.
const mostKnown = 1000

// keyOf is the key that a client gave. While the record is away those are let in
// that it let in before.
func (s *Server) keyOf(q *request, secret string) (access.Key, bool, error) {
	ctx, cancel := context.WithTimeout(q.Context(), s.o.Budget)
	defer cancel()
	hash := access.Hash(secret)
	name := q.community() + " " + string(hash)
	k, ok, err := s.o.Record.KeyOf(ctx, q.community(), hash, q.now)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		if k, known := s.known[name]; known {
			return k, true, nil
		}
	case !ok || !k.EndedAt.IsZero():
		delete(s.known, name)
	case len(s.known) < mostKnown:
		s.known[name] = k
	}
	return k, ok, err
}

// refused is what the client is told of an error. A fault of ours is logged.
func (s *Server) refused(w http.ResponseWriter, q *request, err error) (int, any) {
	var r *refusal
	if !errors.As(err, &r) {
		r = &refusal{status: http.StatusBadRequest, what: string(workflow.CodeOf(err))}
		switch workflow.CodeOf(err) {
		case workflow.CodeNotFound:
			r.status = http.StatusNotFound
		case workflow.CodeBusy:
			r.status = http.StatusServiceUnavailable
			s.o.Logger.Error("open311 failed", "path", q.URL.Path, "cause", err)
		}
	}
	if r.status == http.StatusTooManyRequests || r.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "30")
	}
	key := "open311.error." + r.what
	if !s.o.Wording.Has(key) {
		key = "open311.error.invalid"
	}
	return r.status, errorsOf(r.status, q.say(key, r.values))
}

// say is a text, of the community's wording where there is one.
func (q *request) say(key string, v wording.Values) string {
	if q.shape.Community != nil {
		return q.voice.Say(key, v)
	}
	return q.voice.W.Say(key, v)
}
