package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/understand"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// east and west are two communities of the same shape.
const (
	east = "east"
	west = "west"
)

const document = `
code: %s
name: %s
hotline: "0531-5550100"
subdistrict: 北村街道
estates:
  - {name: 东园, aliases: [东区], buildings: 4, households: 320, property_contract: true}
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-2"}
  - {code: G2, name: 第二网格, kind: residential, buildings: "东园:3-4"}
landmarks:
  - {name: 小广场, aliases: [广场], estate: 东园, grid: G2}
`

// keys are those of east, and one of west that may do everything.
var keys = map[string][]access.Scope{
	"read": {access.ScopeRead}, "file": {access.ScopeFile}, "personal": {access.ScopeRead, access.ScopePersonal}, "ended": access.Scopes, "other": access.Scopes,
}

// house is an API on real stores, with two communities.
type house struct {
	t      *testing.T
	store  *postgres.Store
	record *record
	drive  *redis.Drive
	desk   *desk.Desk
	clock  *clockwork.FakeClock
	api    *API
	server *httptest.Server
	check  validator.Validator

	keys     map[string]string // the keys themselves, by name
	ids      map[string]int64
	worker   workflow.Person // of G1
	head     workflow.Person // of the committee
	resident workflow.Person

	postgres, redis *storetest.Proxy
}

// record is the store, with an audit log that can fail.
type record struct {
	*postgres.Store
	mu   sync.Mutex
	fail error
}

func (r *record) Audit(ctx context.Context, community string, e access.Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	return r.Store.Audit(ctx, community, e)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)), keys: map[string]string{}, ids: map[string]int64{}}
	ctx := t.Context()
	address := storetest.Postgres(t)
	h.must(postgres.Migrate(ctx, address))
	h.postgres, h.redis = storetest.Cut(t, address), storetest.Cut(t, storetest.Redis(t))
	var err error
	h.store, err = postgres.Open(ctx, h.postgres.URL(), postgres.Options{Clock: h.clock})
	h.must(err)
	t.Cleanup(h.store.Close)
	h.drive, err = redis.Open(h.redis.URL(), redis.Options{})
	h.must(err)
	t.Cleanup(func() { _ = h.drive.Close() })
	for _, code := range []string{east, west} {
		text := fmt.Sprintf(document, code, map[string]string{east: "东社区", west: "西社区"}[code])
		doc, err := workflow.ParseCommunity(strings.NewReader(text))
		h.must(err)
		_, err = h.store.ApplyCommunity(ctx, doc, []byte(text), "test")
		h.must(err)
	}
	person := func(key, name, phone string, roles ...workflow.Role) workflow.Person {
		id, err := h.store.UpsertPerson(ctx, key, workflow.Person{Community: east, Name: name, Phone: phone, OpenID: "o-secret-" + key, Roles: roles, Following: true})
		h.must(err)
		p, err := h.store.Person(ctx, east, id)
		h.must(err)
		return p
	}
	h.worker = person("worker", "秦霞霞", "19900001111", workflow.Role{Kind: workflow.RoleWorker, Grid: "G1", FullTime: true})
	person("colleague", "唐小娟", "19900002222", workflow.Role{Kind: workflow.RoleWorker, Grid: "G2", FullTime: true})
	h.head = person("head", "曹一鸣", "19900003333", workflow.Role{Kind: workflow.RoleCommittee, Duty: true})
	h.resident = person("resident", "孙桂兰", "19900004444")
	for name, scopes := range keys {
		community := east
		if name == "other" {
			community = west
		}
		h.keys[name] = access.NewKey()
		h.ids[name], err = h.store.AddKey(ctx, community, access.Key{Name: name, Scopes: scopes, MadeAt: h.clock.Now()}, access.Hash(h.keys[name]))
		h.must(err)
	}
	h.must(h.store.EndKey(ctx, east, h.ids["ended"]))
	h.keys["wrong"] = access.NewKey()

	h.desk = desk.New(desk.Options{Journal: h.store, Drive: h.drive, Clock: h.clock})
	h.must(h.desk.Refresh(ctx))
	words, err := wording.Parse(configs.Read("wording.yaml"))
	h.must(err)
	taxonomy := &workflow.Taxonomy{}
	h.must(yaml.Unmarshal(configs.Read("taxonomy.yaml"), taxonomy))
	rules, err := understand.New(configs.Read("understand.yaml"))
	h.must(err)
	models, err := ngram.Load(bytes.NewReader(configs.Read("understand.model")))
	h.must(err)
	h.must(rules.Learn(models))
	h.record = &record{Store: h.store}
	h.api, err = New(Options{Desk: h.desk, Record: h.record, Wording: words, Taxonomy: taxonomy, Understander: rules})
	h.must(err)
	h.server = httptest.NewServer(h.api.Handler())
	t.Cleanup(h.server.Close)

	description, err := libopenapi.NewDocument(h.api.document)
	h.must(err)
	var faults []error
	h.check, faults = validator.NewValidator(description)
	h.must(errors.Join(faults...))
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// answer is what somebody got.
type answer struct {
	status int
	body   string
	header http.Header
}

// of is a member of a JSON answer, "" for none: of("place", "estate").
func (a answer) of(path ...string) any {
	var v any
	if json.Unmarshal([]byte(a.body), &v) != nil {
		return nil
	}
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// refused fails where an answer is not a refusal of a code.
func (a answer) refused(t *testing.T, what string, code string) {
	t.Helper()
	if a.status != statuses[code] || a.of("code") != code {
		t.Errorf("%s: %d %s, want %d %s", what, a.status, a.body, statuses[code], code)
	}
	if a.of("request_id") != a.header.Get("X-Request-Id") || a.of("message") == "" {
		t.Errorf("%s: a refusal without its words or number: %s %v", what, a.body, a.header)
	}
}

// ask sends a request with a key by name ("" for none) and holds the answer
// against the description. path is below the community east, or whole.
func (h *house) ask(method, path, key, body string, headers ...string) answer {
	h.t.Helper()
	if !strings.HasPrefix(path, "/") {
		if path != "" && path[0] != '?' {
			path = "/" + path
		}
		path = Prefix + "communities/" + east + path
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, strings.NewReader(body))
	h.must(err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+h.keys[key])
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(headers, 2) {
		if req.Header.Del(pair[0]); pair[1] != "" {
			req.Header.Set(pair[0], pair[1])
		}
	}
	res, err := h.server.Client().Do(req)
	h.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	h.must(err)
	a := answer{res.StatusCode, string(text), res.Header}
	if a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Cache-Control") != "no-store" || len(a.header.Values("Set-Cookie")) > 0 {
		h.t.Errorf("%s %s: headers %v", method, path, a.header)
	}
	if method != http.MethodHead && !h.described(method, path) {
		if a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed {
			h.t.Errorf("%s %s is not described, and answers %d", method, path, a.status)
		}
		return a
	}
	if method != http.MethodHead {
		res.Body = io.NopCloser(bytes.NewReader(text))
		if ok, faults := h.check.GetResponseBodyValidator().ValidateResponseBody(req, res); !ok {
			for _, f := range faults {
				h.t.Errorf("%s %s answers %d other than described: %s: %s %v\n%.600s", method, path, a.status, f.Message, f.Reason, f.SchemaValidationErrors, text)
			}
		}
	}
	return a
}

// described tells whether the description has an operation.
func (h *house) described(method, path string) bool {
	path, _, _ = strings.Cut(path, "?")
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, nil)
	h.must(err)
	match := ""
	mux := http.NewServeMux()
	for _, row := range h.api.routes {
		mux.Handle(row.method+" "+strings.TrimSuffix(Prefix, "/")+row.path, http.NotFoundHandler())
	}
	_, match = mux.Handler(req)
	return match != "" && strings.HasPrefix(match, method)
}

func (h *house) get(path, key string) answer {
	h.t.Helper()
	return h.ask(http.MethodGet, path, key, "")
}

// named numbers the Idempotency-Keys of a test run.
var named = 0

// file files with a fresh Idempotency-Key.
func (h *house) file(body string, headers ...string) answer {
	h.t.Helper()
	named++
	return h.ask(http.MethodPost, "tickets", "file", body, append([]string{"Idempotency-Key", fmt.Sprintf("filing-%06d", named)}, headers...)...)
}

// opened is a ticket of the resident in grid G1, with its worker.
func (h *house) opened(text string, change ...func(*workflow.Command)) workflow.Ticket {
	h.t.Helper()
	w, err := h.desk.Begin(east, true)
	h.must(err)
	cmd := workflow.Command{Actor: workflow.By(h.resident), Reporter: h.resident.ID, Text: text, Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor,
		Place: workflow.Place{Estate: "东园", Building: 1, Unit: 3, Room: "4022", Detail: "张大爷家门口", Grid: "G1"}, Source: workflow.SourceChat}
	for _, f := range change {
		f(&cmd)
	}
	t, err := w.File(h.t.Context(), cmd)
	h.must(err)
	h.must(w.Commit(h.t.Context()))
	return t
}

// tell gives commands to a ticket.
func (h *house) tell(number int64, cmds ...workflow.Command) workflow.Ticket {
	h.t.Helper()
	w, err := h.desk.Begin(east, true)
	h.must(err)
	t, err := w.Do(h.t.Context(), number, cmds...)
	h.must(err)
	h.must(w.Commit(h.t.Context()))
	return t
}

// logged are the lines of the audit log, oldest first: "api.ticket.look 1001 key 3".
func (h *house) logged() []string {
	h.t.Helper()
	all, err := h.store.AuditLog(h.t.Context(), east, access.Entries{Limit: 100})
	h.must(err)
	var out []string
	for _, e := range all {
		out = append([]string{strings.TrimSpace(fmt.Sprintf("%s %d %s", e.Action, e.Number, e.Object))}, out...)
	}
	return out
}

// count is how many tickets east has.
func (h *house) count() int {
	h.t.Helper()
	found, err := h.store.Search(h.t.Context(), east, desk.Query{Limit: 200})
	h.must(err)
	return len(found.Tickets)
}
