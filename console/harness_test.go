package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/storage/media"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
	"github.com/wishdesk/wishdesk/workflow/understand"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// east and west are two communities of the same shape with people of the same
// parts.
const (
	east = "east"
	west = "west"
)

const document = `
code: %s
name: %s
hotline: "0531-5550100"
estates:
  - {name: 东园, buildings: 4}
grids:
  - {code: G1, name: 第一网格, kind: residential, buildings: "东园:1-2"}
  - {code: G2, name: 第二网格, kind: residential, buildings: "东园:3-4"}
`

// parts are all that somebody can be, one person each in both communities.
var parts = []string{"resident", "neighbour", "partner", "volunteer", "member", "worker", "colleague", "leader", "officer", "property", "committee", "admin"}

var rolesOf = map[string][]workflow.Role{
	"partner":   {{Kind: workflow.RolePartner, Unit: "北村小学"}},
	"volunteer": {{Kind: workflow.RoleVolunteer, Team: "退役军人突击队"}},
	"member":    {{Kind: workflow.RolePartyMember, Branch: "第一支部"}},
	"worker":    {{Kind: workflow.RoleWorker, Grid: "G1", FullTime: true}},
	"colleague": {{Kind: workflow.RoleWorker, Grid: "G2", FullTime: true}},
	"leader":    {{Kind: workflow.RoleLeader, Grid: "G1"}},
	"officer":   {{Kind: workflow.RoleOfficer, Department: "执法"}},
	"property":  {{Kind: workflow.RoleProperty, Unit: "红色物业"}},
	"committee": {{Kind: workflow.RoleCommittee, Duty: true}},
	"admin":     {{Kind: workflow.RoleAdmin}},
}

// house is a console on real stores, with two communities.
type house struct {
	t       testing.TB
	store   *postgres.Store
	desk    *desk.Desk
	journal string // where the store is
	redis   string // where the Drive is
	clock   *clockwork.FakeClock
	console *Console
	url     string
	people  map[string]workflow.Person // "east/worker"
	codes   printer
}

// platform stands for WeChat's login: the code is the openid.
type platform struct{ community string }

func (p platform) AuthorizeURL(redirect, state string) string {
	return "https://wechat.example/connect?" + url.Values{"redirect_uri": {redirect}, "state": {state}}.Encode()
}

func (p platform) OAuthUser(_ context.Context, code string) (string, error) {
	if code == "snapshot" {
		return "", errors.New("a snapshot page's visitor")
	}
	return code, nil
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, clock: clockwork.NewFakeClockAt(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)), people: map[string]workflow.Person{}}
	ctx := t.Context()
	h.journal = storetest.Postgres(t)
	h.must(postgres.Migrate(ctx, h.journal))
	var err error
	h.store, err = postgres.Open(ctx, h.journal, postgres.Options{Clock: h.clock})
	h.must(err)
	t.Cleanup(h.store.Close)
	h.redis = storetest.Redis(t)
	drive, err := redis.Open(h.redis, redis.Options{})
	h.must(err)
	t.Cleanup(func() { _ = drive.Close() })
	for _, code := range []string{east, west} {
		text := fmt.Sprintf(document, code, map[string]string{east: "东社区", west: "西社区"}[code])
		doc, err := workflow.ParseCommunity(strings.NewReader(text))
		h.must(err)
		_, err = h.store.ApplyCommunity(ctx, doc, []byte(text), "钱敏")
		h.must(err)
		for i, part := range parts {
			id, err := h.store.UpsertPerson(ctx, part, workflow.Person{
				Community: code, Name: map[string]string{"resident": "孙桂兰", "worker": "秦霞", "colleague": "唐娟", "committee": "曹一鸣", "leader": "龚莉", "property": "曹颖", "officer": "董明轩", "volunteer": "秦浩然", "partner": "于波", "admin": "钱敏"}[part], Phone: fmt.Sprintf("1990000%04d", i), OpenID: "o-" + code + "-" + part,
				Roles: rolesOf[part], Following: true, Home: workflow.Place{Estate: "东园", Building: 1, Unit: 3, Room: "402", Grid: "G1"},
			})
			h.must(err)
			h.people[code+"/"+part], err = h.store.Person(ctx, code, id)
			h.must(err)
		}
	}
	h.desk = desk.New(desk.Options{Journal: h.store, Drive: drive, Clock: h.clock})
	h.must(h.desk.Refresh(ctx))
	words, err := wording.Parse(configs.Read("wording.yaml"))
	h.must(err)
	rules, err := understand.New(configs.Read("understand.yaml"))
	h.must(err)
	models, err := ngram.Load(bytes.NewReader(configs.Read("understand.model")))
	h.must(err)
	h.must(rules.Learn(models))
	dir, err := media.Dir(t.TempDir())
	h.must(err)
	server := httptest.NewUnstartedServer(nil)
	h.url = "http://" + server.Listener.Addr().String()
	h.console, err = New(Options{
		Desk: h.desk, Record: h.store, Live: h.desk.Live(), Media: cleaned{dir}, Wording: words, Taxonomy: readTaxonomy(t), PublicURL: h.url, Clock: h.clock,
		Account: func(code string) (Account, bool) { return platform{code}, true }, Message: toldMessage, Codes: h.codes.of, Shelf: drive,
		Understander: rules,
		Teacher:      &learn.Teacher{Record: h.store, Rules: rules, Clock: h.clock, Shipped: func() ([]understand.Labelled, error) { return samples(), nil }},
		Mask:         rules.Mask,
	})
	h.must(err)
	server.Config.Handler = h.console.Handler()
	server.Start()
	t.Cleanup(func() {
		h.console.Close()
		server.Close()
	})
	return h
}

type cleaned struct{ *media.Directory }

func (cleaned) Clean(data []byte, kind string) ([]byte, string, error) {
	return media.Clean(data, kind)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// browser is somebody's browser.
type browser struct {
	*house
	client *http.Client
}

func (h *house) browser() *browser {
	jar, _ := cookiejar.New(nil)
	b := &browser{h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	h.t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// as is a browser in which somebody is logged in: "east/worker".
func (h *house) as(who string) *browser {
	h.t.Helper()
	b := h.browser()
	code, _, _ := strings.Cut(who, "/")
	link, err := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}.LoginLink(h.t.Context(), code, h.people[who].ID, "")
	h.must(err)
	if a := b.post(strings.TrimPrefix(link, h.url), nil); a.status != http.StatusSeeOther {
		h.t.Fatalf("%s is not let in: %d %s", who, a.status, a.body)
	}
	return b
}

// member is a browser that holds a session of somebody, without having logged in.
func (h *house) member(who string) *browser {
	h.t.Helper()
	b := h.browser()
	code, _, _ := strings.Cut(who, "/")
	u, err := url.Parse(h.url)
	h.must(err)
	token := newToken()
	h.must(h.store.NewSession(h.t.Context(), code, access.Session{
		Hash: access.Hash(token), Person: h.people[who].ID, How: access.ByLink, CreatedAt: h.clock.Now(), ExpiresAt: h.clock.Now().Add(sessionIdle),
	}))
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "wd-in-" + code, Value: token, Path: "/"}})
	return b
}

// answer is what a browser got.
type answer struct {
	status int
	body   string
	header http.Header
}

func (a answer) to() string { return a.header.Get("Location") }

func (b *browser) do(req *http.Request) answer {
	b.t.Helper()
	res, err := b.client.Do(req)
	b.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	b.must(err)
	return answer{res.StatusCode, string(body), res.Header}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+path, nil)
	b.must(err)
	return b.do(req)
}

// sign is what this browser's forms carry.
func (b *browser) sign(path string) string {
	u, _ := url.Parse(b.url)
	code := strings.Split(strings.TrimPrefix(path, "/c/"), "/")[0]
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "wd-in-"+code {
			return csrf(c.Value)
		}
	}
	return ""
}

// post sends a form as a page of this server would.
func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	if !form.Has("csrf") {
		form.Set("csrf", b.sign(path))
	}
	if !form.Has("once") {
		form.Set("once", newToken())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, bytes.NewBufferString(form.Encode()))
	b.must(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.url)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(req)
}

// mustSay fails where a page lacks words, or has those after "but not".
func (a answer) mustSay(t *testing.T, status int, words ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %.300s", a.status, status, a.body)
	}
	not := false
	for _, w := range words {
		if w == "but not" {
			not = true
			continue
		}
		if strings.Contains(a.body, w) == not {
			t.Errorf("the page says %q: %v, want %v", w, !not == false, !not)
		}
	}
	if t.Failed() && os.Getenv("WISHDESK_TEST_SHOTS") != "" {
		t.Log(a.body)
	}
}

// file opens a ticket of the resident of a community in grid G1, with its worker.
func (h *house) file(code, text string, change ...func(*workflow.Command)) workflow.Ticket {
	h.t.Helper()
	w, err := h.desk.Begin(code, true)
	h.must(err)
	me := h.people[code+"/resident"]
	cmd := workflow.Command{Actor: workflow.By(me), Reporter: me.ID, Text: text, Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor,
		Place: workflow.Place{Estate: "东园", Building: 1, Unit: 3, Room: "402", Grid: "G1"}, Source: workflow.SourceChat}
	for _, f := range change {
		f(&cmd)
	}
	t, err := w.File(h.t.Context(), cmd)
	h.must(err)
	h.must(w.Commit(h.t.Context()))
	return t
}

// tell gives commands to a ticket as somebody.
func (h *house) tell(code string, number int64, cmds ...workflow.Command) workflow.Ticket {
	h.t.Helper()
	w, err := h.desk.Begin(code, true)
	h.must(err)
	t, err := w.Do(h.t.Context(), number, cmds...)
	h.must(err)
	h.must(w.Commit(h.t.Context()))
	return t
}

// unreached has the pushes about a ticket to somebody end as those end that WeChat
// cannot deliver: somebody must telephone.
func (h *house) unreached(number int64, person workflow.PersonID) {
	h.t.Helper()
	all, err := h.store.PushesOf(h.t.Context(), east, number)
	h.must(err)
	for _, p := range all {
		if p.Person == person {
			h.must(h.store.FinishPush(h.t.Context(), east, p.Key, desk.PushOutcome{Status: desk.PushManual, At: h.clock.Now()}))
		}
	}
}

// shape is what a community's desk goes by.
func (h *house) shape(code string) desk.Shape {
	s, _ := h.desk.Shape(code)
	return s
}

// logged are the audit log's actions, oldest first.
func (h *house) logged(code string) []string {
	h.t.Helper()
	all, err := h.store.AuditLog(h.t.Context(), code, accessEntries)
	h.must(err)
	var out []string
	for _, e := range all {
		out = append(out, e.Action)
	}
	slices.Reverse(out)
	return out
}

func number(t workflow.Ticket) string { return itoa(t.Number) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func readTaxonomy(t testing.TB) *workflow.Taxonomy {
	t.Helper()
	taxonomy := &workflow.Taxonomy{}
	if err := yaml.Unmarshal(configs.Read("taxonomy.yaml"), taxonomy); err != nil {
		t.Fatal(err)
	}
	return taxonomy
}

// samples are enough for a small model.
func samples() []understand.Labelled {
	var out []understand.Labelled
	for category, texts := range map[workflow.Category][]string{
		"facilities": {"楼道灯坏了", "路灯不亮", "声控灯失灵", "门禁坏了", "电梯不动了"}, "drainage": {"下水道堵了", "污水冒出来", "地漏返水", "管道漏水", "积水很深"},
		"noise": {"广场舞太吵", "装修噪音", "半夜唱歌", "音响太响", "狗叫一夜"},
	} {
		for _, text := range texts {
			for tail, severity := range map[string]workflow.Severity{"": workflow.Minor, ",好几天了": workflow.Minor, ",都淹了": workflow.Major} {
				out = append(out, understand.Labelled{Text: text + tail, Kind: workflow.Incident, Category: category, Severity: severity})
			}
		}
	}
	for range 4 {
		out = append(out, understand.Labelled{Text: "着火了救命", Kind: workflow.Incident, Category: "safety", Severity: workflow.Emergency},
			understand.Labelled{Text: "想学用智能手机", Kind: workflow.Wish, Category: "elderly", Severity: workflow.Minor})
	}
	return out
}

func mustParse(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u
}

// photo is a small picture on disk.
func photo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "photo.jpg")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(jpeg.Encode(f, image.NewGray(image.Rect(0, 0, 64, 64)), nil), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}
