package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/bot"
	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// The demo's community and secret; its other values are wechat.Demo…
const (
	demoCommunity = "bjw-xiqu"
	demoSecret    = "demodemodemodemodemodemodemodemo"
	demoWork      = "demo-assigned"
	demoNotice    = "demo-notice"
	demoAuthor    = "wishdesk demo"
)

type demoCommand struct {
	Addr    string `help:"Where the server listens." env:"WISHDESK_ADDR" default:"127.0.0.1:8080"`
	SimAddr string `help:"Where the stand-in for WeChat and its page with phones listen; the server's port plus one if empty." env:"WISHDESK_SIM_ADDR"`
}

// Run starts the demo and serves until a signal comes.
func (c demoCommand) Run(ctx context.Context, p *program) error {
	s, err := p.settings(false)
	if err != nil {
		return err
	}
	if s.Postgres == "" || s.Redis == "" {
		return usage(errors.New("the demo needs PostgreSQL and Redis (WISHDESK_POSTGRES, WISHDESK_REDIS): `make run` starts both"))
	}
	s.Addr, s.Log.Format = c.Addr, "text"
	if s.Log.Level == "info" {
		s.Log.Level = "warn" // the banner should stay in sight
	}
	log, clock := s.Log.Logger(p.err), clockwork.NewRealClock()
	if err := prepareDemo(ctx, s, clock, log); err != nil {
		return err
	}
	d, err := startDemo(ctx, s, c.SimAddr, clock, log)
	if err != nil {
		return err
	}
	defer d.stop()
	own, err := writeDemoSettings(s)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.out, `
wishdesk 心愿台 is running 正在运行

  phones  三部手机  %s
  pages   网页      %s/c/%s/
  server  服务器    %s
          /healthz  /readyz  /metrics
  webhook 回调地址  %s

  commands 命令行   bin/wishdesk --config %s person list --community %s

  Try 试一试: 在左边手机里写「12号楼3单元楼道灯不亮了」
  Log in 登录网页: 打开网页的登录页,把二维码下面的地址贴进手机的「＋ → 扫码」;管理员是龚莉(手机上点「换人」)
  Ctrl-C stops everything; all data stays in %s
  按 Ctrl-C 停止,数据都留着

`, d.simURL, d.serverURL, demoCommunity, d.serverURL, d.serverURL+"/wechat/"+demoCommunity, own, demoCommunity, s.Data)
	return d.server.wait(ctx)
}

// writeDemoSettings leaves the demo's settings in its data directory, so that
// the other commands work on it. Its secrets are no secrets.
func writeDemoSettings(s *settings.Settings) (path string, err error) {
	a := s.Accounts[0]
	doc, err := yaml.Marshal(map[string]any{
		"addr": s.Addr, "public_url": s.PublicURL, "postgres": s.Postgres.Reveal(), "redis": s.Redis.Reveal(), "data": s.Data,
		"accounts": []map[string]any{{
			"community": a.Community, "app_id": a.AppID, "app_secret": a.AppSecret.Reveal(), "token": a.Token.Reveal(),
			"encoding_aes_key": a.EncodingAESKey.Reveal(), "mode": a.Mode, "api_base": a.APIBase,
		}},
	})
	if err != nil {
		return "", err
	}
	path = filepath.Join(s.Data, "demo.yaml")
	return path, os.WriteFile(path, doc, 0o600)
}

// demo is the product with its stand-in for WeChat, in one process; the two
// talk over HTTP alone.
type demo struct {
	server    *server
	sim       *wechatsim.Platform
	simHTTP   *http.Server
	simURL    string
	serverURL string
}

// demoPerson is one of configs/demo/people.yaml.
type demoPerson struct {
	Key    string          `yaml:"key"`
	Name   string          `yaml:"name"`
	Phone  string          `yaml:"phone"`
	OpenID string          `yaml:"openid"`
	Group  string          `yaml:"group"`
	Home   string          `yaml:"home"`
	Roles  []workflow.Role `yaml:"roles"`
}

// prepareDemo gives the demo a past before it starts for the first time.
func prepareDemo(ctx context.Context, s *settings.Settings, clock clockwork.Clock, log *slog.Logger) error {
	if err := postgres.Migrate(ctx, s.Postgres.Reveal()); err != nil {
		return err
	}
	if _, err := loadDemo(ctx, s, clock, log); err != nil {
		return err
	}
	return seedPast(ctx, s, clock, log)
}

// startDemo migrates, loads the demo community, and starts both servers. An
// empty simAddr is the server's port plus one; port 0 takes a free one.
func startDemo(ctx context.Context, s *settings.Settings, simAddr string, clock clockwork.Clock, log *slog.Logger) (_ *demo, err error) {
	if err := postgres.Migrate(ctx, s.Postgres.Reveal()); err != nil {
		return nil, err
	}
	people, err := loadDemo(ctx, s, clock, log)
	if err != nil {
		return nil, err
	}
	if simAddr == "" {
		host, port, err := net.SplitHostPort(s.Addr)
		if err != nil {
			return nil, usage(fmt.Errorf("WISHDESK_ADDR: want host:port, have %q", s.Addr))
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, usage(fmt.Errorf("WISHDESK_ADDR: want host:port, have %q", s.Addr))
		}
		if n != 0 {
			n++
		}
		simAddr = net.JoinHostPort(host, strconv.Itoa(n))
	}
	var lc net.ListenConfig
	simListener, err := lc.Listen(ctx, "tcp", simAddr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for the phones (WISHDESK_SIM_ADDR): %w", simAddr, err)
	}
	d := &demo{simURL: "http://" + reachable(simListener.Addr().String())}
	defer func() {
		if err != nil {
			_ = simListener.Close()
		}
	}()

	s.Accounts = []settings.Account{{
		Community: demoCommunity, AppID: wechat.DemoAppID, AppSecret: demoSecret, Token: wechat.DemoToken,
		EncodingAESKey: wechat.DemoEncodingAESKey, Mode: string(wechat.Safe), APIBase: d.simURL,
		Templates: map[string]settings.Template{
			"work":   {ID: demoWork, Fields: map[string]string{"character_string1": "number", "thing2": "what", "thing3": "place", "time4": "by"}},
			"notice": {ID: demoNotice, Fields: map[string]string{"character_string1": "number", "thing2": "said", "phrase3": "status", "time4": "by"}},
		},
	}}
	account := accountOf(s.Accounts[0])
	account.AllowPlain = true // so that any simple client can talk to the demo
	listener, err := listen(ctx, s.Addr)
	if err != nil {
		return nil, err
	}
	d.serverURL = "http://" + reachable(listener.Addr().String())
	if s.PublicURL == "" {
		s.PublicURL = d.serverURL
	}
	if d.server, err = newServer(ctx, s, map[string]wechat.Account{demoCommunity: account}, clock, log); err != nil {
		_ = listener.Close()
		return nil, err
	}
	d.server.listener = listener
	if err := d.server.start(ctx); err != nil {
		d.server.stop()
		return nil, err
	}
	if d.sim, err = newSim(s, d, people, clock, log); err != nil {
		d.server.stop()
		return nil, err
	}
	d.simHTTP = &http.Server{Handler: d.sim.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	d.server.serve(d.simHTTP, simListener)
	if err := d.server.clients[demoCommunity].CreateMenu(ctx, bot.Menu(d.server.words, pagesOf(s, demoCommunity))); err != nil {
		log.Warn("the demo's menu was not made", "cause", err)
	}
	return d, nil
}

// reachable is where this machine finds who listens on addr.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// loadDemo applies the demo's community and people. It may run again at every
// start: a document that somebody applied meanwhile stays, and so does what was
// bound by code; the demo's own people are as configs says.
func loadDemo(ctx context.Context, s *settings.Settings, clock clockwork.Clock, log *slog.Logger) ([]demoPerson, error) {
	store, err := postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{Logger: log, Clock: clock})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	document := demoDocument()
	community, err := workflow.ParseCommunity(bytes.NewReader(document))
	if err != nil {
		return nil, err
	}
	versions, err := store.CommunityVersions(ctx, community.Code, 0, 1)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 || versions[0].Author == demoAuthor { // else a person has changed it since
		now := clock
		if len(versions) == 0 { // it is older than the past that the demo begins with
			now = clockwork.NewFakeClockAt(clock.Now().AddDate(0, -3, 0))
		}
		registry, err := postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{Logger: log, Clock: now})
		if err != nil {
			return nil, err
		}
		defer registry.Close()
		if _, err := registry.ApplyCommunity(ctx, community, document, demoAuthor); err != nil {
			return nil, err
		}
	}
	people, err := demoPeople()
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		_, err := store.UpsertPerson(ctx, p.Key, workflow.Person{
			Community: community.Code, Name: p.Name, Phone: p.Phone, OpenID: p.OpenID, Roles: p.Roles, Following: p.OpenID != "",
			Home: homeOf(community, p.Home),
		})
		if err != nil {
			return nil, fmt.Errorf("demo person %s: %w", p.Key, err)
		}
	}
	care, err := demoCare()
	if err != nil {
		return nil, err
	}
	known, err := store.CareList(ctx, community.Code)
	if err != nil || len(known) > 0 { // else somebody has been visited since
		return people, err
	}
	for _, c := range care {
		if _, err := store.PutCare(ctx, workflow.Care{
			Community: community.Code, Name: c.Name, Phone: c.Phone, Kind: c.Kind, Place: homeOf(community, c.Home), Note: c.Note, Every: c.Every,
			NextVisit: clock.Now().UTC(),
		}); err != nil {
			return nil, fmt.Errorf("demo care list: %s: %w", c.Name, err)
		}
	}
	return people, nil
}

// demoShape is the demo's community and staff as the configs have them, in
// which nobody has anything to do yet.
func demoShape() (desk.Shape, error) {
	community, err := workflow.ParseCommunity(bytes.NewReader(demoDocument()))
	if err != nil {
		return desk.Shape{}, err
	}
	people, err := demoPeople()
	if err != nil {
		return desk.Shape{}, err
	}
	shape := desk.Shape{Community: community}
	for i, p := range people {
		if len(p.Roles) > 0 {
			shape.Roster = append(shape.Roster, workflow.Person{ID: workflow.PersonID(i + 1), Name: p.Name, OpenID: p.OpenID, Roles: p.Roles})
		}
	}
	return shape, nil
}

// demoDocument is the demo community's document.
func demoDocument() []byte { return configs.Read("demo/community.yaml") }

// demoEntry is one entry of the demo's care list.
type demoEntry struct {
	Name  string            `yaml:"name"`
	Phone string            `yaml:"phone"`
	Home  string            `yaml:"home"`
	Kind  workflow.CareKind `yaml:"kind"`
	Note  string            `yaml:"note"`
	Every int               `yaml:"every"`
}

type demoRolls struct {
	People []demoPerson `yaml:"people"`
	Care   []demoEntry  `yaml:"care"`
}

func readDemoRolls() (doc demoRolls, err error) {
	if err := yaml.Unmarshal(configs.Read("demo/people.yaml"), &doc); err != nil {
		return doc, fmt.Errorf("demo people: %w", err)
	}
	return doc, nil
}

func demoPeople() ([]demoPerson, error) {
	doc, err := readDemoRolls()
	return doc.People, err
}

func demoCare() ([]demoEntry, error) {
	doc, err := readDemoRolls()
	return doc.Care, err
}

// homeOf reads 「毕家洼西区 12-3-402」.
func homeOf(c *workflow.Community, home string) workflow.Place {
	name, rest, _ := strings.Cut(home, " ")
	estate, ok := c.Estate(name)
	if !ok {
		return workflow.Place{}
	}
	p := workflow.Place{Estate: estate.Name}
	parts := strings.Split(rest, "-")
	for i, into := range []*int{&p.Building, &p.Unit} {
		if i < len(parts) {
			*into, _ = strconv.Atoi(parts[i])
		}
	}
	if len(parts) > 2 {
		p.Room = parts[2]
	}
	p.Grid = c.GridOf(p.Estate, p.Building)
	return p
}

// phoneOf says on which of the page's phones a group of people is listed.
var phoneOf = map[string]string{"officer": "department", "party": "member"}

func newSim(s *settings.Settings, d *demo, people []demoPerson, clock clockwork.Clock, log *slog.Logger) (*wechatsim.Platform, error) {
	shape, _ := d.server.desk.Shape(demoCommunity)
	var personas []wechatsim.Persona
	for _, p := range people {
		if p.OpenID == "" {
			continue
		}
		group := p.Group
		if g, ok := phoneOf[group]; ok {
			group = g
		}
		personas = append(personas, wechatsim.Persona{
			OpenID: p.OpenID, Name: p.Name, Phone: p.Phone, Group: group, Home: p.Home,
			Role: wording.Voice{W: d.server.words.For(shape.Community), Shape: shape}.Title(workflow.Person{Roles: p.Roles}),
		})
	}
	dir := filepath.Join(s.Data, "wechatsim")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return wechatsim.New(wechatsim.Options{
		Account: wechatsim.Account{
			AppID: wechat.DemoAppID, AppSecret: demoSecret, Token: wechat.DemoToken, EncodingAESKey: wechat.DemoEncodingAESKey,
			Mode: wechatsim.Safe, WebhookURL: d.serverURL + "/wechat/" + demoCommunity, Name: shape.Community.Name + "心愿台",
		},
		Personas: personas, Clock: clock, DataDir: dir, Logger: log, ServerAddr: d.serverURL, BaseURL: d.simURL,
		Places: placesOf(shape.Community), Scenes: []string{"b:1:12:3", "b:1:24", "b:2:3", "class_9004"},
		Examples: map[string][]string{
			"resident":  {"12号楼3单元下水道又堵了,往上返水", "我想学用智能手机", "进度", "议题", "积分"},
			"worker":    {"待办", "接单", "办结 管道疏通了", "巡查 3号楼到8号楼 正常", "关怀", "帮助"},
			"committee": {"待办", "网格", "帮助"},
			"property":  {"待办", "接单", "巡检", "考核"},
			"volunteer": {"心愿墙", "待办", "积分"},
			"partner":   {"心愿墙", "待办"},
			"member":    {"心愿墙", "党课", "待办"},
		},
	})
}

// placesOf are places for the page's location panel: the first buildings of
// the estates whose layout is known.
func placesOf(c *workflow.Community) []wechatsim.Place {
	var out []wechatsim.Place
	for _, e := range c.Estates {
		if e.Layout.Columns > 0 && len(out) < 4 {
			out = append(out, wechatsim.Place{Name: e.Name + "1号楼", Lat: e.Layout.Lat, Lng: e.Layout.Lng})
		}
	}
	return out
}

// stop ends the demo: the phones first, so that nothing new comes in while
// the server drains.
func (d *demo) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if d.simHTTP.Shutdown(ctx) != nil {
		_ = d.simHTTP.Close() // pages listen for as long as they are open
	}
	d.server.stop()
	_ = d.sim.Close()
}
