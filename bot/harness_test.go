package bot_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"github.com/wishdesk/wishdesk/bot"
	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/storage/media"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/understand"
	"github.com/wishdesk/wishdesk/workflow/understand/ngram"

	"go.yaml.in/yaml/v3"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

const (
	community = "test-xiqu"
	resident  = "o-resident-wang"
	neighbour = "o-resident-li"
	worker    = "o-worker-zhang"
	colleague = "o-worker-liu"
	duty      = "o-committee-chen"
	partner   = "o-partner-zhao"
	original  = "gh_0123456789ab"
)

// shape is a small community: two grids, one estate each.
const shape = `
code: test-xiqu
name: 西区社区
hotline: "0531-00000000"
estates:
  - {name: 毕家洼西区, aliases: [西区, 毕西], buildings: 20, households: 800, property_contract: true, layout: {lat: 36.69, lng: 116.99, columns: 5, step_lat: -0.0005, step_lng: 0.0005}}
  - {name: 怡园小区, aliases: [怡园], buildings: 16, households: 640}
grids:
  - {code: G01, name: 第一网格, kind: residential, buildings: "毕家洼西区:1-20"}
  - {code: G02, name: 第二网格, kind: residential, buildings: "怡园小区:1-16"}
`

// begin is a Monday morning in Asia/Shanghai, outside the quiet hours.
var begin = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

// world is the whole product on real stores and over WeChat's real wire
// format, with a clock that the test turns.
type world struct {
	t      *testing.T
	ctx    context.Context
	clock  *clockwork.FakeClock
	sim    *wechatsim.Platform
	desk   *desk.Desk
	bot    *bot.Bot
	store  *postgres.Store
	drive  *redis.Drive
	runner *desk.Runner
	people map[string]workflow.PersonID
	seen   map[string]int64 // the last entry of each chat that a test has looked at
}

type settings struct {
	postgres, redis string
	budget          time.Duration
	templates       bot.Templates
	simTemplates    map[string][]string
	advisor         bot.Advisor
	transcriber     bot.Transcriber
	perDay          int
	whole           bool
	shape           string
	inHand          int
	crowd           int // residents o-crowd-0, o-crowd-1, …
}

type option func(*settings)

type directory struct{ *media.Directory }

func (directory) Clean(data []byte, kind string) ([]byte, string, error) {
	return media.Clean(data, kind)
}

func newWorld(t *testing.T, options ...option) *world {
	t.Helper()
	o := settings{
		budget: 4 * time.Second, perDay: 10,
		templates: bot.Templates{ // the stand-in's own set
			"work":   {ID: "demo-assigned", Fields: map[string]string{"character_string1": "number", "thing2": "what", "thing3": "place", "time4": "by"}},
			"notice": {ID: "demo-notice", Fields: map[string]string{"character_string1": "number", "thing2": "said", "phrase3": "status", "time4": "by"}},
		},
	}
	for _, f := range options {
		f(&o)
	}
	if o.postgres == "" {
		o.postgres = storetest.Postgres(t)
	}
	if o.redis == "" {
		o.redis = storetest.Redis(t)
	}
	w := &world{
		t: t, ctx: t.Context(), clock: clockwork.NewFakeClockAt(begin),
		people: map[string]workflow.PersonID{}, seen: map[string]int64{},
	}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	must(t, postgres.Migrate(w.ctx, o.postgres))
	var err error
	w.store, err = postgres.Open(w.ctx, o.postgres, postgres.Options{Logger: log})
	must(t, err)
	w.drive, err = redis.Open(o.redis, redis.Options{Logger: log})
	must(t, err)
	w.apply(cmp.Or(o.shape, shape))
	w.person("zhang", workflow.Person{Name: "张建国", OpenID: worker, Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G01", FullTime: true}}})
	w.person("liu", workflow.Person{Name: "刘芳", OpenID: colleague, Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G01"}}})
	w.person("sun", workflow.Person{Name: "孙丽", OpenID: "o-worker-sun", Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G02", FullTime: true}}})
	w.person("chen", workflow.Person{Name: "陈志强", OpenID: duty, Roles: []workflow.Role{{Kind: workflow.RoleCommittee, Duty: true}}})
	w.person("zhao", workflow.Person{Name: "赵敏", OpenID: partner, Roles: []workflow.Role{{Kind: workflow.RolePartner, Unit: "北村小学"}}})

	if o.whole {
		w.person("han", workflow.Person{Name: "韩磊", OpenID: "o-leader-han", Roles: []workflow.Role{{Kind: workflow.RoleLeader, Grid: "G01"}}})
		w.person("cao", workflow.Person{Name: "曹颖", OpenID: "o-property-cao", Roles: []workflow.Role{{Kind: workflow.RoleProperty, Unit: "红色物业"}}})
		w.person("zhong", workflow.Person{Name: "钟敏", OpenID: "o-officer-zhong", Roles: []workflow.Role{{Kind: workflow.RoleOfficer, Department: "公安"}}})
		w.person("he", workflow.Person{Name: "何亮", OpenID: "o-volunteer-he", Phone: "13900000001", Roles: []workflow.Role{{Kind: workflow.RoleVolunteer, Team: "环境清洁队", Skills: []string{"elderly"}}}})
		w.person("wu", workflow.Person{Name: "吴桂芬", OpenID: "o-party-wu", Roles: []workflow.Role{{Kind: workflow.RolePartyMember, Branch: "第三支部"}}})
		w.person("shu", workflow.Person{Name: "刘书记", OpenID: "o-party-liu", Roles: []workflow.Role{{Kind: workflow.RolePartyMember, Branch: "第三支部", Secretary: true, Skills: []string{"lesson_visit"}}}})
		w.person("gong", workflow.Person{Name: "龚莉", OpenID: "o-committee-gong", Roles: []workflow.Role{{Kind: workflow.RoleCommittee}}})
	}

	account := wechat.Account{
		Community: community, AppID: "wx1111111111111111", AppSecret: "0123456789abcdef0123456789abcdef", Token: "a-token-of-the-test",
		EncodingAESKey: "zyxwvutsrqponmlkjihgfedcba9876543210ZYXWVUT", Mode: "safe",
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	var crowd []wechatsim.Persona
	for i := range o.crowd {
		crowd = append(crowd, wechatsim.Persona{OpenID: fmt.Sprintf("o-crowd-%d", i), Name: fmt.Sprintf("居民%d", i), Group: "resident"})
	}
	w.sim, err = wechatsim.New(wechatsim.Options{
		Account: wechatsim.Account{
			AppID: account.AppID, AppSecret: account.AppSecret, Token: account.Token, EncodingAESKey: account.EncodingAESKey,
			Mode: wechatsim.Safe, WebhookURL: server.URL + "/wechat/" + community, Name: "心愿台", OriginalID: original,
		},
		Personas: append(crowd, []wechatsim.Persona{
			{OpenID: resident, Name: "王大爷", Group: "resident"}, {OpenID: neighbour, Name: "李阿姨", Group: "resident"},
			{OpenID: worker, Name: "张建国", Group: "worker"}, {OpenID: colleague, Name: "刘芳", Group: "worker"},
			{OpenID: "o-worker-sun", Name: "孙丽", Group: "worker"},
			{OpenID: duty, Name: "陈志强", Group: "committee"}, {OpenID: partner, Name: "赵敏", Group: "partner"},
			{OpenID: "o-auntie-sun", Name: "孙奶奶", Group: "resident"}, {OpenID: "o-uncle-zhou", Name: "周大爷", Group: "resident"},
			{OpenID: "o-leader-han", Name: "韩磊", Group: "worker"}, {OpenID: "o-property-cao", Name: "曹颖", Group: "property"},
			{OpenID: "o-officer-zhong", Name: "钟敏", Group: "officer"}, {OpenID: "o-volunteer-he", Name: "何亮", Group: "volunteer"},
			{OpenID: "o-party-wu", Name: "吴桂芬", Group: "party"}, {OpenID: "o-party-liu", Name: "刘书记", Group: "party"}, {OpenID: "o-committee-gong", Name: "龚莉", Group: "committee"},
		}...),
		Clock: w.clock, Templates: o.simTemplates,
	})
	must(t, err)
	api := httptest.NewServer(w.sim.Handler())
	t.Cleanup(api.Close)
	account.APIBase = api.URL

	w.desk = desk.New(desk.Options{Journal: w.store, Drive: w.drive, Clock: w.clock, Logger: log})
	must(t, w.desk.Refresh(w.ctx))
	lexicon, err := os.ReadFile("../configs/understand.yaml")
	must(t, err)
	rules, err := understand.New(lexicon)
	must(t, err)
	model, err := os.Open("../configs/understand.model")
	must(t, err)
	models, err := ngram.Load(model)
	must(t, errors.Join(err, model.Close(), rules.Learn(models)))
	words, err := os.ReadFile("../configs/wording.yaml")
	must(t, err)
	text, err := wording.Parse(words)
	must(t, err)
	var taxonomy workflow.Taxonomy
	data, err := os.ReadFile("../configs/taxonomy.yaml")
	must(t, err)
	must(t, yaml.Unmarshal(data, &taxonomy))
	dir, err := media.Dir(t.TempDir())
	must(t, err)
	client := wechat.NewClient(account, w.drive.Tokens(), wechat.ClientOptions{Clock: w.clock, Logger: log})
	w.bot = bot.New(bot.Options{
		Desk: w.desk, Understander: rules, Wording: text, Taxonomy: &taxonomy,
		Messenger: func(c string) (bot.Messenger, bool) { return client, c == community },
		Templates: func(string) bot.Templates { return o.templates },
		Media:     directory{dir}, Windows: w.drive, Clock: w.clock, Logger: log, Budget: o.budget, InHand: o.inHand,
		Pages: "https://desk.example", Links: links{},
		Advisor: o.advisor, AdvicePerDay: o.perDay, Transcriber: o.transcriber, HearPerDay: o.perDay,
	})
	gate := wechat.NewGate(func(c string) (wechat.Account, bool) { return account, c == community }, w.bot, &wechat.MemoryReplays{}, wechat.GateOptions{Clock: w.clock, Logger: log})
	mux.Handle("/wechat/{community}", gate)
	w.runner = w.desk.NewRunner("test", 4, w.bot.Handlers())
	t.Cleanup(func() {
		_ = w.sim.Close() // it may still be delivering the result of a template message
		server.Close()
		w.bot.Wait()
		w.store.Close()
		_ = w.drive.Close()
	})
	return w
}

// links stands for the pages.
type links struct{}

func (links) LoginLink(_ context.Context, community string, person workflow.PersonID, _ string) (string, error) {
	return fmt.Sprintf("https://desk.example/c/%s/login/link/for-%d", community, person), nil
}

func (links) Life() time.Duration { return 10 * time.Minute }

// awake has everybody of the staff write something, so that WeChat lets the
// account write to them: five messages within 48 hours.
func (w *world) awake() *world {
	w.t.Helper()
	for _, openid := range []string{worker, colleague, "o-worker-sun", duty, partner} {
		w.say(openid, "帮助")
		w.pushes(openid)
	}
	return w
}

func (w *world) person(key string, p workflow.Person) {
	w.t.Helper()
	p.Community, p.Following = community, true
	id, err := w.store.UpsertPerson(w.ctx, key, p)
	must(w.t, err)
	w.people[key] = id
}

// apply makes a document the community's shape.
func (w *world) apply(document string) {
	w.t.Helper()
	doc, err := workflow.ParseCommunity(strings.NewReader(document))
	must(w.t, err)
	_, err = w.store.ApplyCommunity(w.ctx, doc, []byte(document), "test")
	must(w.t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// say writes a text as somebody and gives the passive reply.
func (w *world) say(openid, text string) string {
	w.t.Helper()
	r, err := w.sim.SendText(w.ctx, openid, text)
	must(w.t, err)
	if r.Unavailable {
		w.t.Fatalf("%s wrote %q and saw that the account is out of service", openid, text)
	}
	return r.Text
}

// photo sends a picture.
func (w *world) photo(openid string) string {
	w.t.Helper()
	var b bytes.Buffer
	must(w.t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 32, 32)), nil))
	r, err := w.sim.SendImage(w.ctx, openid, b.Bytes(), "photo.jpg")
	must(w.t, err)
	return r.Text
}

// tap taps an item of the last menu that somebody got.
func (w *world) tap(openid, label string) string {
	w.t.Helper()
	chat := w.sim.Transcript(openid)
	for i := len(chat) - 1; i >= 0; i-- {
		for _, item := range chat[i].Items {
			if item.Content == label {
				r, err := w.sim.Tap(w.ctx, openid, item.ID, item.Content)
				must(w.t, err)
				return r.Text
			}
		}
	}
	w.t.Fatalf("%s has nothing to tap that says %q", openid, label)
	return ""
}

// pump does what is due: clocks, media, pushes.
func (w *world) pump() {
	w.t.Helper()
	for range 20 {
		n, err := w.runner.Pump(w.ctx, community)
		must(w.t, err)
		if n == 0 {
			return
		}
	}
	w.t.Fatal("the queues do not come to rest")
}

// pass turns the clock step by step, so that every deadline on the way is met
// nearly in time, and does what falls due.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	most := 10 * time.Minute
	if d > 12*time.Hour {
		most = time.Hour
	}
	for d > 0 {
		step := min(d, most)
		w.clock.Advance(step)
		d -= step
		must(w.t, w.desk.Sweep(w.ctx, community))
		w.pump()
	}
}

// pushes are what somebody got without asking since the test last looked.
func (w *world) pushes(openid string) []wechatsim.Entry {
	w.t.Helper()
	w.pump()
	var out []wechatsim.Entry
	for _, e := range w.sim.Transcript(openid) {
		if e.ID > w.seen[openid] && (e.Channel == "custom" || e.Channel == "template" || e.Channel == "subscribe") {
			out = append(out, e)
		}
		w.seen[openid] = max(w.seen[openid], e.ID)
	}
	return out
}

func wordsOf(entries []wechatsim.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "[%s %s] %s%s", e.Channel, e.Type, e.HeadContent, e.Text)
		for _, i := range e.Items {
			fmt.Fprintf(&b, " <%s>", i.Content)
		}
		for _, k := range []string{"character_string1", "thing2", "thing3", "phrase3", "time4"} {
			if v := e.Field(k); v != "" {
				fmt.Fprintf(&b, " {%s}", v)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// gets checks what somebody got pushed: every one of want, nothing of not
// (words after "!").
func (w *world) gets(openid string, want ...string) {
	w.t.Helper()
	w.holds(openid+" got", wordsOf(w.pushes(openid)), want...)
}

// holds checks a text: it has every one of want, and not what follows a "!".
func (w *world) holds(what, text string, want ...string) {
	w.t.Helper()
	for _, s := range want {
		if not, ok := strings.CutPrefix(s, "!"); ok {
			if strings.Contains(text, not) {
				w.t.Errorf("%s:\n%s\nwhich must not have %q", what, text, not)
			}
		} else if !strings.Contains(text, s) {
			w.t.Errorf("%s:\n%s\nwhich lacks %q", what, text, s)
		}
	}
}

func (w *world) ticket(number int64) workflow.Ticket {
	w.t.Helper()
	t, err := w.store.Ticket(w.ctx, community, number)
	must(w.t, err)
	return t
}
