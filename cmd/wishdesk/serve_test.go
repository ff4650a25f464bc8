package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/learn"
)

// Every field of an account that is wrong is told by the names that it has in
// the file and in the environment, and never with its value.
func TestWrongAccountsNameTheirSettings(t *testing.T) {
	good := settings.Account{
		Community: "one", AppID: prodApp, AppSecret: prodSecret, Token: prodToken, EncodingAESKey: prodKey,
		PreviousAESKey: prodKey, PreviousToken: prodToken, Mode: "safe", Original: "gh_1", APIBase: "https://proxy.example",
	}
	check := func(a settings.Account) error {
		s, err := settings.Load(configs.Read("defaults.yaml"), "", []string{"WISHDESK_POSTGRES=postgres://h/d", "WISHDESK_REDIS=redis://h"})
		must(t, err)
		s.Accounts = []settings.Account{a}
		return s.Check(checkAccount, checkOutside)
	}
	if err := check(good); err != nil {
		t.Fatalf("a good account: %v", err)
	}
	for name, spoil := range map[string]func(*settings.Account){
		"community":        func(a *settings.Account) { a.Community = "hush hush" },
		"app_id":           func(a *settings.Account) { a.AppID = "hush" },
		"app_secret":       func(a *settings.Account) { a.AppSecret = "hush" },
		"token":            func(a *settings.Account) { a.Token = "hush hush" },
		"encoding_aes_key": func(a *settings.Account) { a.EncodingAESKey = "hush" },
		"previous_aes_key": func(a *settings.Account) { a.PreviousAESKey = "hush" },
		"previous_token":   func(a *settings.Account) { a.PreviousToken = "hush hush" },
		"mode":             func(a *settings.Account) { a.Mode = "hush" },
		"original":         func(a *settings.Account) { a.Original = "hush" },
		"api_base":         func(a *settings.Account) { a.APIBase = "ftp://hush" },
	} {
		bad := good
		spoil(&bad)
		err := check(bad)
		if err == nil {
			t.Errorf("%s passes", name)
			continue
		}
		holds(t, name, err.Error(), "accounts[0]."+name+" (WISHDESK_ACCOUNTS_0_"+strings.ToUpper(name)+"): must be ", "!hush", "!\n")
	}
}

// get asks a server; the body is read whole.
func get(t *testing.T, url, bearer string) (status int, header http.Header, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, resp.Header, string(data)
}

// Two servers share the stores: what one took, the other knows, and a delivery
// that is repeated to the other makes nothing new.
func TestTwoServersSideBySide(t *testing.T) {
	var now atomic.Pointer[process] // where the proxy in front sends
	pg, rd, sim, api := production(t, func() string { return now.Load().addr })
	first, second := newProcess(t, pg, rd, api.URL), newProcess(t, pg, rd, api.URL)
	first.start()
	second.start()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()

	now.Store(first)
	r, err := sim.SendText(ctx, "o-resident-1", "西区12号楼3单元楼道灯不亮了")
	m := numberIn.FindStringSubmatch(r.Text)
	if err != nil || m == nil {
		t.Fatalf("the first: %+v %v", r, err)
	}
	now.Store(second)
	again, err := sim.Redeliver(ctx)
	if err != nil || again.Text != r.Text {
		t.Errorf("the second answers a repeated delivery with %q, %v, want %q", again.Text, err, r.Text)
	}
	if r, err := sim.SendText(ctx, "o-worker", "接单 "+m[1]); err != nil || !strings.Contains(r.Text, m[1]) {
		t.Errorf("the second does not know %s: %+v %v", m[1], r, err)
	}
	must(t, second.end(syscall.SIGTERM)) // one leaves, the other goes on
	now.Store(first)
	if r, err := sim.SendText(ctx, "o-resident-1", "进度"); err != nil || !strings.Contains(r.Text, m[1]) {
		t.Errorf("progress: %+v %v", r, err)
	}
	must(t, first.end(syscall.SIGTERM))

	store, err := postgres.Open(ctx, pg, postgres.Options{})
	must(t, err)
	defer store.Close()
	who, known, err := store.PersonByOpenID(ctx, demo.Community, "o-resident-1")
	if err != nil || !known {
		t.Fatalf("the resident: %v %v", known, err)
	}
	if mine, err := store.Reported(ctx, demo.Community, who.ID, true, 10); err != nil || len(mine) != 1 {
		t.Errorf("%d tickets, %v, want one", len(mine), err)
	}
}

func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{
		":80": "127.0.0.1:80", "0.0.0.0:80": "127.0.0.1:80", "[::]:80": "127.0.0.1:80",
		"10.0.0.1:80": "10.0.0.1:80", "[::1]:80": "[::1]:80", "desk.example:80": "desk.example:80", "nonsense": "nonsense",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("reachable(%q) is %q, want %q", addr, got, want)
		}
	}
}

// What an operator's machines ask of a running server.
func TestWhoRunsItSeesHowItGoes(t *testing.T) {
	var p *process
	pg, rd, sim, api := production(t, func() string { return p.addr })
	p = newProcess(t, pg, rd, api.URL)
	p.environ = append(p.environ, "WISHDESK_METRICS_TOKEN=readerstoken")
	p.start()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if r, err := sim.SendText(ctx, "o-resident-1", "西区12号楼3单元楼道灯不亮了"); err != nil || !numberIn.MatchString(r.Text) {
		t.Fatalf("%+v %v", r, err)
	}

	status, header, body := get(t, "http://"+p.addr+"/healthz", "")
	if status != http.StatusOK || body != "ok\n" || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Security-Policy") == "" {
		t.Errorf("/healthz: %d %q %v", status, body, header)
	}
	status, _, body = get(t, "http://"+p.addr+"/readyz", "")
	var ready struct {
		Ready, Draining bool
		Postgres, Redis string
		Communities     int
	}
	must(t, json.Unmarshal([]byte(body), &ready))
	if status != http.StatusOK || !ready.Ready || ready.Draining || ready.Postgres != "ok" || ready.Redis != "ok" || ready.Communities != 1 {
		t.Errorf("/readyz: %d %s", status, body)
	}
	for _, bearer := range []string{"", "wrong"} {
		if status, _, body = get(t, "http://"+p.addr+"/metrics", bearer); status != http.StatusUnauthorized || strings.Contains(body, "wishdesk_") {
			t.Errorf("/metrics with %q: %d", bearer, status)
		}
	}
	status, _, body = get(t, "http://"+p.addr+"/metrics", "readerstoken")
	if status != http.StatusOK {
		t.Errorf("/metrics: %d", status)
	}
	holds(t, "/metrics", body, `wishdesk_tickets_open{community="`+demo.Community+`"} 1`, `wishdesk_tickets_overdue{community="`+demo.Community+`"} 0`,
		"wishdesk_pushes_owed{", "wishdesk_pushes_oldest_seconds{", "wishdesk_pushes_manual{", "wishdesk_media_owed{", "wishdesk_dead_letters{",
		"!楼道灯", "!o-resident", "!"+prodSecret, "!"+prodToken)
	status, _, _ = get(t, "http://"+p.addr+"/wechat/"+demo.Community+"?signature=x&timestamp=1&nonce=2&echostr=3", "")
	if status < 400 || status >= 500 {
		t.Errorf("a forged verification: %d", status)
	}

	_, port, err := net.SplitHostPort(p.addr)
	must(t, err)
	for _, addr := range []string{p.addr, "0.0.0.0:" + port, ":" + port} {
		if out, errs, status := wishdesk(t, []string{"WISHDESK_ADDR=" + addr}, "", "healthcheck"); status != 0 {
			t.Errorf("healthcheck of %s: %d %s%s", addr, status, out, errs)
		}
	}
	must(t, p.end(syscall.SIGTERM))
	if _, errs, status := wishdesk(t, []string{"WISHDESK_ADDR=" + p.addr}, "", "healthcheck"); status != 1 || !strings.Contains(errs, p.addr) {
		t.Errorf("healthcheck of nobody: %d %s", status, errs)
	}
}

// An address in use is said plainly, by server and demo.
func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	addr := taken.Addr().String()
	env := []string{"WISHDESK_POSTGRES=" + storetest.Postgres(t), "WISHDESK_REDIS=" + storetest.Redis(t), "WISHDESK_ADDR=" + addr}
	if out, errs, status := wishdesk(t, env, "", "migrate"); status != 0 {
		t.Fatal(out, errs)
	}
	_, errs, status := wishdesk(t, env, "", "serve", "--config", settingsFile(t, strings.Replace(goodAccount, "%s", `""`, 1)))
	if status != 1 {
		t.Errorf("serve: status %d", status)
	}
	holds(t, "serve", errs, "cannot listen on "+addr, "WISHDESK_ADDR")

	t.Setenv("WISHDESK_ADDR", addr) // the demo's flags read the process's own environment
	t.Setenv("WISHDESK_SIM_ADDR", "127.0.0.1:0")
	_, errs, status = wishdesk(t, append(env, "WISHDESK_DATA="+t.TempDir()), "", "demo")
	if status != 1 {
		t.Errorf("demo: status %d", status)
	}
	holds(t, "demo", errs, "cannot listen on "+addr, "WISHDESK_ADDR")
}

// The doctor tells a directory that cannot be written, and leaves nothing in
// one that can.
func TestDoctorLooksAtTheDataDirectory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	good := filepath.Join(dir, "good")
	must(t, os.Mkdir(good, 0o700))
	for data, want := range map[string]string{
		good: "OK    data", filepath.Join(dir, "none"): "WARN  data", file: "FAIL  data",
	} {
		env := []string{"WISHDESK_DATA=" + data, "WISHDESK_POSTGRES=postgres://nobody@127.0.0.1:1/x", "WISHDESK_REDIS=redis://127.0.0.1:1"}
		out, _, _ := wishdesk(t, env, "", "doctor", "--offline")
		holds(t, data, out, want)
	}
	if left, err := os.ReadDir(good); err != nil || len(left) > 0 {
		t.Errorf("the doctor left %v, %v", left, err)
	}
}

// The demo may start again and again; a document that somebody applied stays.
func TestDemoLoadsAgainAndKeepsWhatAPersonChanged(t *testing.T) {
	s, err := settings.Load(configs.Read("defaults.yaml"), "", nil)
	must(t, err)
	s.Postgres = settings.Secret(storetest.Postgres(t))
	env := []string{"WISHDESK_POSTGRES=" + s.Postgres.Reveal(), "USER=wang"}
	step := func(args ...string) string {
		t.Helper()
		out, errs, status := wishdesk(t, env, "", args...)
		if status != 0 {
			t.Fatalf("%v: %s%s", args, out, errs)
		}
		return out
	}
	again := func() {
		t.Helper()
		_, err := demo.Load(t.Context(), s, clockwork.NewRealClock(), slog.New(slog.DiscardHandler))
		must(t, err)
	}
	step("migrate")
	again()
	staff := step("person", "list", "--community", demo.Community)
	if len(strings.Split(staff, "\n")) < 30 {
		t.Errorf("the demo's staff:\n%s", staff)
	}
	again()
	if got := step("person", "list", "--community", demo.Community); got != staff {
		t.Errorf("loaded again, the staff is\n%s\nwas\n%s", got, staff)
	}

	changed := string(demo.Document()) + "# changed by hand\n"
	file := filepath.Join(t.TempDir(), "c.yaml")
	must(t, os.WriteFile(file, []byte(changed), 0o600))
	holds(t, "apply", step("community", "apply", file), "+ # changed by hand", "applied as version 2")
	again()
	if got := step("community", "export", demo.Community); got != changed {
		t.Errorf("the document that somebody applied is gone")
	}
}

// A resident of the demo who becomes staff by a code stays so when the demo
// starts again; a server that can no longer listen ends its process.
func TestDemoStartsAgainAfterABinding(t *testing.T) {
	s, err := settings.Load(configs.Read("defaults.yaml"), "", nil)
	must(t, err)
	s.Postgres, s.Redis = settings.Secret(storetest.Postgres(t)), settings.Secret(storetest.Redis(t))
	s.Addr, s.Data = "127.0.0.1:0", t.TempDir()
	must(t, postgres.Migrate(t.Context(), s.Postgres.Reveal()))
	log := slog.New(slog.DiscardHandler)
	people, err := demo.Load(t.Context(), s, clockwork.NewRealClock(), log)
	must(t, err)
	resident := people[slices.IndexFunc(people, func(p demo.Person) bool { return p.OpenID != "" && len(p.Roles) == 0 })].OpenID
	store, err := postgres.Open(t.Context(), s.Postgres.Reveal(), postgres.Options{})
	must(t, err)
	defer store.Close()
	id, err := store.UpsertPerson(t.Context(), "new", workflow.Person{Community: demo.Community, Name: "新人", Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G01"}}})
	must(t, err)
	must(t, store.NewBindCode(t.Context(), demo.Community, id, "AAAA", time.Now().Add(time.Hour)))
	_, _, err = store.Bind(t.Context(), demo.Community, "AAAA", resident, time.Now())
	must(t, err)

	d, err := startDemo(t.Context(), s, "127.0.0.1:0", clockwork.NewRealClock(), log)
	must(t, err)
	defer d.stop()
	if p, ok, err := store.PersonByOpenID(t.Context(), demo.Community, resident); err != nil || !ok || p.ID != id {
		t.Errorf("the WeChat belongs to %d, want %d: %v", p.ID, id, err)
	}
	must(t, d.server.listener.Close())
	if err := d.server.wait(t.Context()); err == nil || !strings.Contains(err.Error(), "listening on") {
		t.Errorf("the server goes on without its listener: %v", err)
	}
}

// A running server follows the model that its community puts in use or takes out
// of it, and one that cannot be read leaves what was there.
func TestServerFollowsModels(t *testing.T) {
	s, err := settings.Load(configs.Read("defaults.yaml"), "", nil)
	must(t, err)
	s.Postgres, s.Redis = settings.Secret(storetest.Postgres(t)), settings.Secret(storetest.Redis(t))
	s.Addr, s.Data = "127.0.0.1:0", t.TempDir()
	must(t, postgres.Migrate(t.Context(), s.Postgres.Reveal()))
	store, err := postgres.Open(t.Context(), s.Postgres.Reveal(), postgres.Options{})
	must(t, err)
	defer store.Close()
	log := slog.New(slog.DiscardHandler)
	_, err = demo.Load(t.Context(), s, clockwork.NewRealClock(), log)
	must(t, err)
	for _, body := range [][]byte{configs.Read("understand.model"), []byte("broken")} {
		_, err := store.KeepModel(t.Context(), demo.Community, learn.Model{MadeAt: time.Now()}, body)
		must(t, err)
	}
	must(t, store.UseModel(t.Context(), demo.Community, 1, time.Now()))
	d, err := startDemo(t.Context(), s, "127.0.0.1:0", clockwork.NewRealClock(), log)
	must(t, err)
	defer d.stop()
	if have := d.server.own.Version(demo.Community); have != 1 {
		t.Errorf("it starts with version %d", have)
	}
	follows := func(want int64) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.After(10 * time.Second); d.server.own.Version(demo.Community) != want; {
			select {
			case <-deadline:
				t.Fatalf("still understood by version %d, want %d", d.server.own.Version(demo.Community), want)
			case <-tick.C:
			}
		}
	}
	must(t, store.EndModel(t.Context(), demo.Community, time.Now()))
	follows(0)
	must(t, store.UseModel(t.Context(), demo.Community, 1, time.Now()))
	follows(1)
	must(t, store.UseModel(t.Context(), demo.Community, 2, time.Now())) // broken: version 1 stays until another is there
	must(t, d.server.desk.Refresh(t.Context()))
	if err := d.server.own.Follow(t.Context()); err != nil && !errors.Is(err, learn.ErrBroken) {
		t.Error(err)
	}
	if have := d.server.own.Version(demo.Community); have != 1 {
		t.Errorf("understood by version %d", have)
	}
}

// A key that the command line makes opens the JSON API of a running server, for its
// own community, until it is ended.
func TestServerAnswersOtherSoftware(t *testing.T) {
	s, err := settings.Load(configs.Read("defaults.yaml"), "", nil)
	must(t, err)
	s.Postgres, s.Redis = settings.Secret(storetest.Postgres(t)), settings.Secret(storetest.Redis(t))
	s.Addr, s.Data = "127.0.0.1:0", t.TempDir()
	must(t, postgres.Migrate(t.Context(), s.Postgres.Reveal()))
	log := slog.New(slog.DiscardHandler)
	_, err = demo.Load(t.Context(), s, clockwork.NewRealClock(), log)
	must(t, err)
	d, err := startDemo(t.Context(), s, "127.0.0.1:0", clockwork.NewRealClock(), log)
	must(t, err)
	defer d.stop()
	env := []string{"WISHDESK_POSTGRES=" + s.Postgres.Reveal(), "WISHDESK_REDIS=" + s.Redis.Reveal()}
	key, errs, status := wishdesk(t, env, "", "key", "new", "--community", demo.Community, "--name", "区平台", "--scope", "read,file")
	if key = strings.TrimSpace(key); status != 0 {
		t.Fatalf("key new: %d %s", status, errs)
	}
	base := "http://" + d.server.listener.Addr().String() + "/api/v1/"
	community := base + "communities/" + demo.Community
	if status, _, body := get(t, base+"openapi.json", ""); status != http.StatusOK || !strings.Contains(body, `"openapi":"3.1.0"`) {
		t.Errorf("the description: %d %.100s", status, body)
	}
	if status, _, body := get(t, community, ""); status != http.StatusUnauthorized || !strings.Contains(body, `"code":"no_key"`) {
		t.Errorf("without a key: %d %s", status, body)
	}
	for _, path := range []string{"", "/categories", "/tickets?limit=1"} {
		if status, header, body := get(t, community+path, key); status != http.StatusOK || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, community+"/tickets", strings.NewReader(`{"text": "毕家洼西区12号楼楼道灯不亮了"}`))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "street-platform-1")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	body, err := io.ReadAll(resp.Body)
	must(t, errors.Join(err, resp.Body.Close()))
	if resp.StatusCode != http.StatusCreated || !strings.Contains(string(body), `"source":"api"`) {
		t.Errorf("filing: %d %s", resp.StatusCode, body)
	}
	if _, errs, status := wishdesk(t, env, "", "key", "end", "1", "--community", demo.Community); status != 0 {
		t.Fatalf("key end: %d %s", status, errs)
	}
	if status, _, body := get(t, community, key); status != http.StatusUnauthorized || !strings.Contains(body, `"code":"key_ended"`) {
		t.Errorf("with a key that ended: %d %s", status, body)
	}
}
