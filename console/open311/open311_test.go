package open311

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

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

// The communities: one open to all, one to keys, one to nobody.
const (
	east  = "east"
	west  = "west"
	north = "north"
)

const document = `
code: %s
name: %s
hotline: "0531-5550100"
open311: %q
estates:
  - {name: 东园, buildings: 6, layout: {lat: 36.69, lng: 117.0, columns: 3, step_lat: -0.0004, step_lng: 0.0008}}
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-3"}
  - {code: G2, name: 第二网格, kind: residential, buildings: "东园:4-6"}
`

// office is the endpoint on real stores; the ways to them can be cut.
type office struct {
	*testing.T
	store    *postgres.Store
	desk     *desk.Desk
	server   *Server
	clock    *clockwork.FakeClock
	url      string
	keys     map[access.Scope]string // of east
	database *storetest.Proxy
	reporter workflow.Person
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)), keys: map[access.Scope]string{}}
	address := storetest.Postgres(t)
	o.must(postgres.Migrate(t.Context(), address))
	o.database = storetest.Cut(t, address)
	var err error
	o.store, err = postgres.Open(t.Context(), o.database.URL(), postgres.Options{Clock: o.clock})
	o.must(err)
	t.Cleanup(o.store.Close)
	drive, err := redis.Open(storetest.Redis(t), redis.Options{})
	o.must(err)
	t.Cleanup(func() { _ = drive.Close() })
	for code, open := range map[string]workflow.Openness{east: workflow.OpenToAll, west: workflow.OpenToKeys, north: workflow.NotOpen} {
		text := fmt.Sprintf(document, code, code+"社区", open)
		doc, err := workflow.ParseCommunity(strings.NewReader(text))
		o.must(err)
		_, err = o.store.ApplyCommunity(t.Context(), doc, []byte(text), "test")
		o.must(err)
		_, err = o.store.UpsertPerson(t.Context(), "worker", workflow.Person{
			Community: code, Name: "张建国", Phone: "13900009999", OpenID: "o-" + code, Following: true, Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1", FullTime: true}},
		})
		o.must(err)
	}
	id, err := o.store.UpsertPerson(t.Context(), "resident", workflow.Person{Community: east, Name: "孙桂兰", Phone: "13800001234", OpenID: "o-resident", Following: true})
	o.must(err)
	o.reporter, err = o.store.Person(t.Context(), east, id)
	o.must(err)
	for _, s := range access.Scopes {
		o.keys[s] = access.NewKey()
		_, err := o.store.AddKey(t.Context(), east, access.Key{Name: string(s), Scopes: []access.Scope{s}, MadeAt: o.clock.Now()}, access.Hash(o.keys[s]))
		o.must(err)
	}
	o.desk = desk.New(desk.Options{Journal: o.store, Drive: drive, Clock: o.clock})
	o.must(o.desk.Refresh(t.Context()))
	words, err := wording.Parse(configs.Read("wording.yaml"))
	o.must(err)
	taxonomy := &workflow.Taxonomy{}
	o.must(yaml.Unmarshal(configs.Read("taxonomy.yaml"), taxonomy))
	rules, err := understand.New(configs.Read("understand.yaml"))
	o.must(err)
	models, err := ngram.Load(bytes.NewReader(configs.Read("understand.model")))
	o.must(err)
	o.must(rules.Learn(models))
	o.server = New(Options{Desk: o.desk, Record: o.store, Understander: rules, Wording: words, Taxonomy: taxonomy, Clock: o.clock, Budget: 2 * time.Second})
	server := httptest.NewServer(o.server.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	o.url = server.URL
	return o
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// reply is what was answered.
type reply struct {
	status int
	body   string
	header http.Header
}

func (o *office) do(method, path string, form url.Values, change ...func(*http.Request)) reply {
	o.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	} else if len(form) > 0 {
		path += "?" + form.Encode()
	}
	req, err := http.NewRequestWithContext(o.Context(), method, o.url+Prefix+path, body)
	o.must(err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	for _, f := range change {
		f(req)
	}
	res, err := http.DefaultClient.Do(req)
	o.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	o.must(err)
	return reply{res.StatusCode, string(b), res.Header}
}

func (o *office) get(path string, pairs ...string) reply {
	o.Helper()
	return o.do(http.MethodGet, path, values(pairs...))
}

// filing is a form that files.
func (o *office) filing(pairs ...string) url.Values {
	v := values("jurisdiction_id", east, "api_key", o.keys[access.ScopeFile], "service_code", "facilities", "address_string", "东园2号楼", "description", "楼道灯不亮了")
	for k, x := range values(pairs...) {
		v[k] = x
	}
	return v
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		v.Set(pair[0], pair[1])
	}
	return v
}

// id is the ID in an answer to a filing.
func (o *office) id(r reply) int64 {
	o.Helper()
	var got []struct {
		ID string `json:"service_request_id"`
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != http.StatusOK || len(got) != 1 {
		o.Fatalf("filing: %d %s", r.status, r.body)
	}
	n, err := strconv.ParseInt(got[0].ID, 10, 64)
	o.must(err)
	return n
}

// file opens a ticket of the resident in the chat.
func (o *office) file(text string, change ...func(*workflow.Command)) workflow.Ticket {
	o.Helper()
	w, err := o.desk.Begin(east, true)
	o.must(err)
	cmd := workflow.Command{Actor: workflow.By(o.reporter), Reporter: o.reporter.ID, Text: text, Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor,
		Place: workflow.Place{Estate: "东园", Building: 2, Unit: 3, Room: "402", Grid: "G1"}, Source: workflow.SourceChat}
	for _, f := range change {
		f(&cmd)
	}
	t, err := w.File(o.Context(), cmd)
	o.must(err)
	o.must(w.Commit(o.Context()))
	return t
}

func (o *office) tell(number int64, cmds ...workflow.Command) {
	o.Helper()
	w, err := o.desk.Begin(east, true)
	o.must(err)
	_, err = w.Do(o.Context(), number, cmds...)
	o.must(err)
	o.must(w.Commit(o.Context()))
}

// Every answer, in both formats, is as in testdata and fits the schemas.
func TestAnswersFitTheSchemas(t *testing.T) {
	o := newOffice(t)
	light := o.file("3单元楼道灯不亮了,我是孙桂兰,电话13800001234")
	quarrel := o.file("楼上402半夜吵架", func(c *workflow.Command) { c.Category = "dispute" })
	wish := o.file("想要个长椅,我住2号楼402", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "public_project" })
	o.file("说不清的事", func(c *workflow.Command) { c.Category, c.Place = "", workflow.Place{} })
	worker := workflow.By(o.worker())
	o.clock.Advance(time.Hour)
	o.tell(light.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "孙桂兰家门口的灯换好了"})
	o.tell(wish.Number, workflow.Command{Name: workflow.CmdCancel, Actor: workflow.By(o.reporter), Text: "不想要了"})
	created := o.id(o.do(http.MethodPost, "requests.json", o.filing("description", "路灯坏了,找13900003333")))
	token := strings.Repeat("0", 32)

	var checks []map[string]string
	for _, tt := range []struct {
		name, path, schema string
		form               url.Values
		method             string
		status             int
	}{
		{"discovery", "discovery", "discovery", nil, http.MethodGet, 200},
		{"discovery-east", "discovery", "discovery", values("jurisdiction_id", east), http.MethodGet, 200},
		{"services", "services", "services", values("jurisdiction_id", east), http.MethodGet, 200},
		{"definition", "services/facilities", "definition", values("jurisdiction_id", east), http.MethodGet, 200},
		{"requests", "requests", "requests", values("jurisdiction_id", east), http.MethodGet, 200},
		{"requests-none", "requests", "requests", values("jurisdiction_id", east, "service_code", "greening"), http.MethodGet, 200},
		{"request-closed", "requests/" + itoa(light.Number), "requests", values("jurisdiction_id", east), http.MethodGet, 200},
		{"request-discreet", "requests/" + itoa(quarrel.Number), "requests", values("jurisdiction_id", east), http.MethodGet, 200},
		{"request-filed", "requests/" + itoa(created), "requests", values("jurisdiction_id", east), http.MethodGet, 200},
		{"created", "requests", "created", o.filing("description", "煤气味很大,快来", "address_id", "东园#2"), http.MethodPost, 200},
		{"error-jurisdiction", "requests", "errors", values("jurisdiction_id", "nowhere"), http.MethodGet, 404},
		{"error-none", "services", "errors", nil, http.MethodGet, 400},
		{"error-key", "requests", "errors", values("jurisdiction_id", east, "service_code", "facilities"), http.MethodPost, 403},
		{"error-token", "tokens/" + token, "errors", values("jurisdiction_id", east), http.MethodGet, 404},
	} {
		for _, format := range []string{"json", "xml"} {
			r := o.do(tt.method, tt.path+"."+format, tt.form)
			if want := map[string]string{"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}[format]; r.status != tt.status || r.header.Get("Content-Type") != want {
				t.Errorf("%s.%s: %d, %s", tt.name, format, r.status, r.header.Get("Content-Type"))
			}
			golden(t, tt.name+"."+format, r.body)
			checks = append(checks, map[string]string{"name": tt.name + "." + format, "format": format, "schema": tt.schema, "body": r.body})
		}
	}
	input, err := json.Marshal(checks)
	o.must(err)
	if wrong := o.node(input, "validate.js"); string(wrong) != "[]" {
		t.Errorf("against the schemas: %s", wrong)
	}
	// The validators do find what is wrong.
	bad, err := json.Marshal([]map[string]string{
		{"name": "a", "format": "json", "schema": "requests", "body": `[{"service_request_id":1}]`},
		{"name": "b", "format": "xml", "body": `<service_requests><request><status>open</status></request></service_requests>`},
	})
	o.must(err)
	var wrong []string
	o.must(json.Unmarshal(o.node(bad, "validate.js"), &wrong))
	if len(wrong) != 2 {
		t.Errorf("the validators find %q", wrong)
	}
}

func (o *office) worker() workflow.Person {
	shape, _ := o.desk.Shape(east)
	return shape.Roster[0]
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// node runs a program of interop.
func (o *office) node(input []byte, args ...string) []byte {
	o.Helper()
	ctx, cancel := context.WithTimeout(o.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{"--no-deprecation"}, args...)...)
	cmd.Dir = "interop"
	cmd.Stdin = bytes.NewReader(input)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		o.Fatalf("needs Node 20 and `npm ci` in console/open311/interop: %v\n%s", err, complaints.String())
	}
	return out
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "answers", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if port := strings.Index(got, "http://127.0.0.1:"); port >= 0 { // it changes
		from := port + len("http://127.0.0.1:")
		got = got[:from] + string(want[from:from+strings.IndexByte(string(want[from:]), '/')]) + got[from+strings.IndexByte(got[from:], '/'):]
	}
	if got != string(want) {
		t.Errorf("%s is now (UPDATE_GOLDEN=1 writes it anew, look at the difference):\n%s", path, got)
	}
}

// The npm client open311, as published, gets along with both formats.
func TestForeignClient(t *testing.T) {
	o := newOffice(t)
	for _, format := range []string{"json", "xml"} {
		out := o.node(nil, "client.js", o.url+Prefix+"discovery."+format, east, o.keys[access.ScopeFile], format)
		var got struct {
			Discovery struct {
				Endpoints []struct{ URL string }
			}
			Services []struct {
				Code string `json:"service_code"`
				Name string `json:"service_name"`
			}
			Definition struct {
				Attributes []struct{ Code string }
			}
			Created, One, All, Some []struct {
				ID      string `json:"service_request_id"`
				Status  string
				Address string
			}
			Refused string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: %v: %s", format, err, out)
		}
		if len(got.Discovery.Endpoints) != 1 || len(got.Services) < 10 || len(got.Definition.Attributes) != 2 || len(got.Created) != 1 ||
			len(got.One) != 1 || got.One[0].ID != got.Created[0].ID || got.One[0].Status != "open" || got.One[0].Address != "东园 2号楼" || len(got.All) == 0 || len(got.Some) != 1 || !strings.Contains(got.Refused, "404") {
			t.Errorf("%s: the client got %s", format, out)
		}
	}
	known, err := o.store.Residents(t.Context(), east, "王桂英", "13900002222")
	if o.must(err); len(known) != 1 || known[0].Home.Room != "402" || known[0].Home.Unit != 3 {
		t.Errorf("who filed is known as %+v", known)
	}
}

// Nothing that leads to a person is in any answer.
func TestNothingPersonalIsTold(t *testing.T) {
	o := newOffice(t)
	secrets := []string{"孙桂兰", "13800001234", "402", "3单元", "张建国", "13900009999", "赵大娘", "13900007777", "o-resident", "哭了一夜", "摔断了腿", "被困"}
	o.file("孙桂兰家3单元402漏水,电话13800001234")
	o.file("想请人陪赵大娘,她哭了一夜", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	fire := o.file("2号楼3单元402着火了", func(c *workflow.Command) { c.Severity, c.Danger = workflow.Emergency, "fire" })
	o.tell(fire.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(o.worker())}, workflow.Command{Name: workflow.CmdNote, Actor: workflow.By(o.worker()), Text: "到402了,孙桂兰没事"})
	post := o.do(http.MethodPost, "requests.json", o.filing("last_name", "赵", "first_name", "大娘", "phone", "13900007777", "email", "a@b.cn",
		"description", "我是赵大娘,住2号楼3单元402,电话13900007777,灯坏了", "attribute[ROOM]", "402"))
	lamp := o.id(post)
	o.tell(lamp, workflow.Command{Name: workflow.CmdSupplement, Actor: workflow.By(o.worker()), Text: "她丈夫摔断了腿"})
	inferno := o.do(http.MethodPost, "requests.json", o.filing("description", "孙桂兰被困在火里,着火了"))
	all := []reply{post, o.get("discovery.xml"), o.get("requests.json", "jurisdiction_id", east), o.get("requests.xml", "jurisdiction_id", east, "status", "open")}
	for n := fire.Number - 2; n <= o.id(inferno); n++ {
		all = append(all, o.get("requests/"+itoa(n)+".xml", "jurisdiction_id", east), o.get("requests/"+itoa(n)+".json", "jurisdiction_id", east))
	}
	for _, r := range all {
		for _, s := range secrets {
			if strings.Contains(r.body, s) {
				t.Errorf("%q is told: %s", s, r.body)
			}
		}
	}
	if told := o.get("requests/"+itoa(lamp)+".json", "jurisdiction_id", east).body; !strings.Contains(told, "灯坏了") {
		t.Errorf("what software filed is not told: %s", told)
	}
	body := o.get("requests/"+itoa(fire.Number)+".xml", "jurisdiction_id", east).body
	if strings.Contains(body, "2号楼") || strings.Contains(body, "<lat>3") {
		t.Errorf("the building of an emergency is told: %s", body)
	}
}

func TestFiltersAndPages(t *testing.T) {
	o := newOffice(t)
	var numbers []int64
	for i := range 5 {
		category := []workflow.Category{"facilities", "greening"}[i%2]
		numbers = append(numbers, o.file("第"+strconv.Itoa(i)+"件", func(c *workflow.Command) { c.Category = category }).Number)
		o.clock.Advance(24 * time.Hour)
	}
	o.tell(numbers[0], workflow.Command{Name: workflow.CmdCancel, Actor: workflow.By(o.reporter), Text: "好了"})
	got := func(pairs ...string) []int64 {
		t.Helper()
		r := o.get("requests.json", append([]string{"jurisdiction_id", east}, pairs...)...)
		var all []struct {
			ID string `json:"service_request_id"`
		}
		if err := json.Unmarshal([]byte(r.body), &all); err != nil || r.status != http.StatusOK {
			t.Fatalf("%v: %d %s", pairs, r.status, r.body)
		}
		out := []int64{}
		for _, x := range all {
			n, err := strconv.ParseInt(x.ID, 10, 64)
			o.must(err)
			out = append(out, n)
		}
		return out
	}
	newest := slices.Clone(numbers)
	slices.Reverse(newest)
	day := func(n int) string {
		return o.clock.Now().AddDate(0, 0, n).In(time.FixedZone("", 8*3600)).Format(time.RFC3339)
	}
	for _, tt := range []struct {
		pairs []string
		want  []int64
	}{
		{nil, newest},
		{[]string{"status", ""}, newest}, // empty is as if it were not there
		{[]string{"status", "closed"}, numbers[:1]},
		{[]string{"status", "open,closed", "service_code", "greening"}, []int64{numbers[3], numbers[1]}},
		{[]string{"service_code", "facilities,greening", "page", "2", "page_size", "2"}, []int64{numbers[2], numbers[1]}},
		{[]string{"page", "4", "page_size", "2"}, []int64{}},
		{[]string{"start_date", day(-2)}, []int64{numbers[4], numbers[3]}},
		{[]string{"end_date", day(-3)}, []int64{numbers[1], numbers[0]}},
		{[]string{"start_date", day(-4), "end_date", day(-2)}, []int64{numbers[2], numbers[1]}},
		{[]string{"service_request_id", itoa(numbers[1]) + ",77," + itoa(numbers[4]) + ",x", "status", "closed"}, []int64{numbers[1], numbers[4]}},
	} {
		if all := got(tt.pairs...); !slices.Equal(all, tt.want) {
			t.Errorf("%v: %v, want %v", tt.pairs, all, tt.want)
		}
	}
	o.clock.Advance(91 * 24 * time.Hour)
	if all := got(); len(all) != 0 {
		t.Errorf("older than 90 days: %v", all)
	}
	for _, pairs := range [][]string{
		{"status", "broken"}, {"start_date", "2026-11-23"}, {"page", "0"}, {"page_size", "x"}, {"page", "11", "page_size", "1000"},
		{"start_date", "2026-01-01T00:00:00Z", "end_date", "2026-06-01T00:00:00Z"}, {"start_date", "2026-02-01T00:00:00Z", "end_date", "2026-01-01T00:00:00Z"},
		{"service_request_id", longIDs()},
	} {
		if r := o.get("requests.json", append([]string{"jurisdiction_id", east}, pairs...)...); r.status != http.StatusBadRequest {
			t.Errorf("%v: %d %s", pairs, r.status, r.body)
		}
	}
}

func longIDs() string {
	var b strings.Builder
	for i := range 101 {
		fmt.Fprintf(&b, "%d,", 1000+i)
	}
	return b.String()
}

func TestWhoMayWhat(t *testing.T) {
	o := newOffice(t)
	read, file := o.keys[access.ScopeRead], o.keys[access.ScopeFile]
	ended := access.NewKey()
	id, err := o.store.AddKey(t.Context(), east, access.Key{Name: "gone", Scopes: access.Scopes, MadeAt: o.clock.Now()}, access.Hash(ended))
	o.must(err)
	o.must(o.store.EndKey(t.Context(), east, id))
	westKey := access.NewKey()
	_, err = o.store.AddKey(t.Context(), west, access.Key{Name: "w", Scopes: access.Scopes, MadeAt: o.clock.Now()}, access.Hash(westKey))
	o.must(err)
	for _, tt := range []struct {
		community, key string
		reads, files   int
	}{
		{east, "", 200, 403}, {east, "nonsense", 200, 403}, {east, read, 200, 403}, {east, file, 200, 200}, {east, ended, 200, 403}, {east, westKey, 200, 403},
		{west, "", 403, 403}, {west, file, 403, 403}, {west, westKey, 200, 200},
		{north, "", 404, 404}, {north, file, 404, 404},
	} {
		if r := o.get("requests.xml", "jurisdiction_id", tt.community, "api_key", tt.key); r.status != tt.reads {
			t.Errorf("%s with %q reads: %d, want %d", tt.community, tt.key, r.status, tt.reads)
		}
		if r := o.do(http.MethodPost, "requests.xml", o.filing("jurisdiction_id", tt.community, "api_key", tt.key)); r.status != tt.files {
			t.Errorf("%s with %q files: %d, want %d: %s", tt.community, tt.key, r.status, tt.files, r.body)
		}
	}
	log, err := o.store.AuditLog(t.Context(), east, access.Entries{Limit: 9})
	if o.must(err); len(log) != 1 || log[0].Action != "open311.file" || !strings.HasPrefix(log[0].Object, "key ") {
		t.Errorf("the audit log says %+v", log)
	}
}

func TestBadFilingsChangeNothing(t *testing.T) {
	o := newOffice(t)
	for name, tt := range map[string]struct {
		form   url.Values
		status int
	}{
		"no service":       {o.filing("service_code", ""), 400},
		"no such service":  {o.filing("service_code", "potholes"), 404},
		"no place":         {o.filing("address_string", ""), 400},
		"half a position":  {o.filing("address_string", "", "lat", "36.69"), 400},
		"no number":        {o.filing("address_string", "", "lat", "x", "long", "117"), 400},
		"not a number":     {o.filing("address_string", "", "lat", "NaN", "long", "117"), 400},
		"far away":         {o.filing("address_string", "", "lat", "31.2", "long", "121.4"), 400},
		"no such building": {o.filing("address_string", "东园99号楼"), 400},
		"no such address":  {o.filing("address_string", "", "address_id", "东园#99"), 400},
		"a bad unit":       {o.filing("attribute[UNIT]", "three"), 400},
		"a long room":      {o.filing("attribute[ROOM]", strings.Repeat("4", 11)), 400},
		"a bad telephone":  {o.filing("phone", "call me"), 400},
		"too long":         {o.filing("description", strings.Repeat("灯", 4001)), 400},
		"far too long":     {o.filing("description", strings.Repeat("灯", 40000)), 413},
	} {
		r := o.do(http.MethodPost, "requests.xml", tt.form)
		var got struct {
			Errors []fault `xml:"error"`
		}
		if err := xml.Unmarshal([]byte(r.body), &got); err != nil || r.status != tt.status || len(got.Errors) != 1 || got.Errors[0].Code != tt.status || got.Errors[0].Description == "" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	kind := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Type", value) }
	}
	for _, value := range []string{"application/json", "multipart/form-data; boundary=x", "", "application/x-www-form-urlencoded; charset=gbk"} {
		if r := o.do(http.MethodPost, "requests.json", o.filing(), kind(value)); r.status != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d", value, r.status)
		}
	}
	for path, want := range map[string]int{"requests": 404, "requests.csv": 404, "nothing.xml": 404, "services/potholes.xml": 404, "requests/x.json": 404, "requests/0.json": 404, "requests/1/2.json": 404, ".xml": 404, "tokens/x.xml": 404} {
		if r := o.get(path, "jurisdiction_id", east); r.status != want {
			t.Errorf("%s: %d, want %d", path, r.status, want)
		}
	}
	if r := o.do(http.MethodPost, "services.xml", o.filing()); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "GET" {
		t.Errorf("a wrong method: %d, Allow %q", r.status, r.header.Get("Allow"))
	}
	found, err := o.store.Search(t.Context(), east, desk.Query{})
	if o.must(err); len(found.Tickets) != 0 {
		t.Errorf("bad filings made %d tickets", len(found.Tickets))
	}
}

func TestWhereAFilingIs(t *testing.T) {
	o := newOffice(t)
	shape, _ := o.desk.Shape(east)
	lat, lng, _ := shape.Community.Position(workflow.Place{Estate: "东园", Building: 5})
	lat, lng = toWGS84(lat, lng)
	for _, tt := range []struct {
		pairs    []string
		building int
		grid     string
	}{
		{[]string{"address_string", "东园5号楼2单元门口"}, 5, "G2"},
		{[]string{"address_string", "", "address_id", "东园#3"}, 3, "G1"},
		{[]string{"address_string", "", "lat", fmt.Sprint(lat), "long", fmt.Sprint(lng)}, 5, "G2"},
		{[]string{"address_string", "路边大树下", "lat", fmt.Sprint(lat), "long", fmt.Sprint(lng)}, 5, "G2"},
	} {
		got, err := o.store.Ticket(t.Context(), east, o.id(o.do(http.MethodPost, "requests.json", o.filing(tt.pairs...))))
		if o.must(err); got.Place.Building != tt.building || got.Place.Grid != tt.grid || got.Source != workflow.SourceOpen311 || got.Reporter != 0 || got.Category != "facilities" {
			t.Errorf("%v: %+v", tt.pairs, got)
		}
	}
}

// The same filing twice is one ticket; a different one, or the same much later, is
// another.
func TestFiledTwice(t *testing.T) {
	o := newOffice(t)
	o.clock.Advance(9*time.Minute + 50*time.Second) // near the end of a slot of time
	first := o.id(o.do(http.MethodPost, "requests.json", o.filing()))
	o.clock.Advance(20 * time.Second)
	if again := o.id(o.do(http.MethodPost, "requests.json", o.filing())); again != first {
		t.Errorf("sent again: %d, then %d", first, again)
	}
	if other := o.id(o.do(http.MethodPost, "requests.json", o.filing("description", "单元门坏了"))); other == first {
		t.Error("another matter is the first one")
	}
	o.clock.Advance(20 * time.Minute)
	if later := o.id(o.do(http.MethodPost, "requests.json", o.filing())); later == first {
		t.Error("the same after twenty minutes is still the first one")
	}
	named := func(r *http.Request) { r.Header.Set("Idempotency-Key", "a-1") }
	mine := o.id(o.do(http.MethodPost, "requests.json", o.filing(), named))
	o.clock.Advance(48 * time.Hour)
	if again := o.id(o.do(http.MethodPost, "requests.json", o.filing("description", "改了几个字"), named)); again != mine {
		t.Errorf("named by the client: %d, then %d", mine, again)
	}
}

// While the record is away a filing is kept, and the token that it gets is good for
// the ticket afterwards.
func TestTheTokenRoute(t *testing.T) {
	o := newOffice(t)
	o.id(o.do(http.MethodPost, "requests.json", o.filing("description", "先用一次钥匙")))
	o.database.Cut()
	var got []created
	for range 2 { // sent again it is the same
		r := o.do(http.MethodPost, "requests.json", o.filing())
		if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != http.StatusOK || got[0].Token == "" || got[0].ID != "" {
			t.Fatalf("while the record is away: %d %s", r.status, r.body)
		}
	}
	if r := o.get("tokens/"+got[0].Token+".json", "jurisdiction_id", east); r.status != http.StatusOK || strings.Contains(r.body, "service_request_id") {
		t.Errorf("the token meanwhile: %d %s", r.status, r.body)
	}
	if r := o.do(http.MethodPost, "requests.json", o.filing("api_key", "never seen")); r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
		t.Errorf("a key that is not known: %d %s", r.status, r.body)
	}
	o.database.Heal()
	runner := o.desk.NewRunner("test", 2, nil)
	_, err := runner.Pump(t.Context(), east)
	o.must(err)
	var redeemedAs []redeemed
	r := o.get("tokens/"+got[0].Token+".json", "jurisdiction_id", east)
	if err := json.Unmarshal([]byte(r.body), &redeemedAs); err != nil || r.status != http.StatusOK || redeemedAs[0].ID == "" {
		t.Fatalf("the token afterwards: %d %s", r.status, r.body)
	}
	found, err := o.store.Search(t.Context(), east, desk.Query{})
	if o.must(err); len(found.Tickets) != 2 || itoa(found.Tickets[0].Number) != redeemedAs[0].ID {
		t.Errorf("there are %d tickets", len(found.Tickets))
	}
	if again := o.id(o.do(http.MethodPost, "requests.json", o.filing())); itoa(again) != redeemedAs[0].ID {
		t.Errorf("sent once more it is %d", again)
	}
}

func TestTooOften(t *testing.T) {
	o := newOffice(t)
	// A page far back takes many searches, and counts as many.
	for n := range 6 {
		if r := o.get("requests.xml", "jurisdiction_id", east, "page", "10", "page_size", "1000"); r.status != http.StatusOK {
			t.Fatalf("list %d: %d", n, r.status)
		}
	}
	if r := o.get("requests.xml", "jurisdiction_id", east); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("too often: %d", r.status)
	}
	other := httptest.NewRequestWithContext(t.Context(), http.MethodGet, Prefix+"requests.xml?jurisdiction_id="+east, nil)
	other.RemoteAddr = "198.51.100.7:1234"
	w := httptest.NewRecorder()
	if o.server.Handler().ServeHTTP(w, other); w.Code != http.StatusOK {
		t.Errorf("another client is refused for it: %d", w.Code)
	}
	if r := o.get("requests.xml", "jurisdiction_id", east, "api_key", o.keys[access.ScopeRead]); r.status != http.StatusOK {
		t.Errorf("with a key: %d", r.status)
	}
}

// There and back a position is where it was; the published example of Tian'anmen
// holds.
func TestPositions(t *testing.T) {
	if lat, lng := toGCJ02(39.90734, 116.39089); math.Abs(lat-39.90874) > 1e-4 || math.Abs(lng-116.39713) > 1e-4 {
		t.Errorf("Tian'anmen is at %f, %f", lat, lng)
	}
	if lat, lng := toGCJ02(48.85, 2.35); lat != 48.85 || lng != 2.35 {
		t.Errorf("Paris moved to %f, %f", lat, lng)
	}
	rapid.Check(t, func(t *rapid.T) {
		lat, lng := rapid.Float64Range(18, 53).Draw(t, "lat"), rapid.Float64Range(74, 134).Draw(t, "lng")
		wLat, wLng := toWGS84(lat, lng)
		if gLat, gLng := toGCJ02(wLat, wLng); math.Abs(gLat-lat) > 1e-6 || math.Abs(gLng-lng) > 1e-6 {
			t.Fatalf("%f, %f comes back as %f, %f", lat, lng, gLat, gLng)
		}
	})
}

// Whatever is asked, the answer is well formed in the format asked for.
func FuzzAsking(f *testing.F) {
	f.Add("requests.json", "jurisdiction_id=east&status=open&page=2&page_size=3")
	f.Add("services/facilities.xml", "")
	f.Add("tokens/0.xml", "start_date=2026-01-01T00:00:00Z&end_date=%ff")
	words, err := wording.Parse(configs.Read("wording.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		rest, format, ok := cut(path)
		if !ok {
			return
		}
		find(http.MethodGet, rest)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/?"+url.QueryEscape(query), http.NoBody)
		if err != nil {
			return
		}
		r.URL.RawQuery = query
		if parse(r) != nil {
			return
		}
		taxonomy := &workflow.Taxonomy{IncidentCategories: map[workflow.Category]string{"facilities": "设施维修"}}
		q := &request{Request: r, now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC), voice: wording.Voice{W: words, Taxonomy: taxonomy}}
		if want, first, count, err := q.query(); err == nil && (count < 1 || count > mostListed || first < 0 || first+count > mostPaged || want.From.IsZero()) {
			t.Errorf("%q asks for %d from %d: %+v", query, count, first, want)
		}
		w := httptest.NewRecorder()
		if err := write(w, format, 400, errorsOf(400, query)); err != nil {
			t.Error(err)
		}
		if format == "xml" {
			if err := xml.Unmarshal(w.Body.Bytes(), &struct{}{}); err != nil {
				t.Errorf("%q: %v", query, err)
			}
		} else if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q: %s", query, w.Body)
		}
	})
}

// Everybody reads what software filed, and none of what was added to it: not by whose
// it is, not by a neighbour whose ticket was merged into it, not by who handles it.
// Once it is taken back they read nothing.
func TestOnlyTheFilingIsTold(t *testing.T) {
	o := newOffice(t)
	n := o.id(o.do(http.MethodPost, "requests.json", o.filing("description", "孙桂兰说楼道灯坏了", "last_name", "吴", "first_name", "小敏", "phone", "13900007777")))
	filed, err := o.store.Ticket(t.Context(), east, n)
	o.must(err)
	w, err := o.desk.Begin(east, true)
	o.must(err)
	_, _, err = w.FileInto(t.Context(), workflow.Command{Actor: workflow.By(o.reporter), Reporter: o.reporter.ID, Text: "楼道灯也不亮", Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor,
		Place: filed.Place, Source: workflow.SourceChat}, n)
	o.must(err)
	o.must(w.Commit(t.Context()))
	o.tell(n, workflow.Command{Name: workflow.CmdSupplement, Actor: workflow.By(o.reporter), Text: "我丈夫昨天在楼道摔断了腿"})
	told := func() string { return o.get("requests/"+itoa(n)+".json", "jurisdiction_id", east).body }
	if body := told(); !strings.Contains(body, "楼道灯坏了") || strings.Contains(body, "摔断") || strings.Contains(body, "孙桂兰") || strings.Contains(body, "也不亮") {
		t.Errorf("everybody reads %s", body)
	}
	if filed.Reporter == 0 {
		t.Fatal("nobody filed it")
	}
	w, err = o.desk.Begin(east, true)
	o.must(err)
	_, others, err := w.Withdraw(t.Context(), n, workflow.Actor{Kind: workflow.ActorPerson, Person: filed.Reporter}, "", nil)
	o.must(err)
	o.must(w.Commit(t.Context()))
	if body := told(); others != 1 || strings.Contains(body, "灯坏了") || strings.Contains(body, "也不亮") {
		t.Errorf("left to %d others everybody reads %s", others, body)
	}
}
