package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
)

// process is the built binary, served as in production.
type process struct {
	t       *testing.T
	binary  string
	config  string
	addr    string
	environ []string
	cmd     *exec.Cmd
}

const (
	prodSecret = "0123456789abcdef0123456789abcdef"
	prodToken  = "atokenoftheprocess"
	prodKey    = "zyxwvutsrqponmlkjihgfedcba9876543210ZYXWVUT"
	prodApp    = "wx2222222222222222"
)

// builtIn is where build left its binary; TestMain removes it.
var builtIn string

// build makes the binary once for all tests of this package.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wishdesk-test-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	binary := filepath.Join(dir, "wishdesk")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return binary, nil
})

func newProcess(t *testing.T, postgresURL, redisURL, apiBase string) *process {
	t.Helper()
	binary, err := build()
	must(t, err)
	p := &process{t: t, binary: binary, addr: freeAddr(t), config: filepath.Join(t.TempDir(), "wishdesk.yaml")}
	doc := fmt.Sprintf("addr: %s\ndata: %q\nlog: {level: error, format: text}\naccounts:\n  - {community: %s, app_id: %s, mode: safe, api_base: %q}\n",
		p.addr, t.TempDir(), demo.Community, prodApp, apiBase)
	must(t, os.WriteFile(p.config, []byte(doc), 0o600))
	p.environ = append(os.Environ(),
		"WISHDESK_POSTGRES="+postgresURL, "WISHDESK_REDIS="+redisURL,
		"WISHDESK_ACCOUNTS_0_APP_SECRET="+prodSecret, "WISHDESK_ACCOUNTS_0_TOKEN="+prodToken, "WISHDESK_ACCOUNTS_0_ENCODING_AES_KEY="+prodKey)
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.binary, "serve", "--config", p.config)
	p.cmd.Env, p.cmd.Stderr = p.environ, os.Stderr
	must(p.t, p.cmd.Start())
	process := p.cmd.Process
	p.t.Cleanup(func() { _ = process.Kill() }) // where the test stopped early
	deadline := time.Now().Add(20 * time.Second)
	for {
		resp, err := http.Get("http://" + p.addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the server is not ready: %v", err)
		}
		select {
		case <-p.t.Context().Done():
			p.t.Fatal("the test ended")
		case <-time.After(30 * time.Millisecond):
		}
	}
}

func (p *process) end(sig syscall.Signal) error {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(sig))
	return p.cmd.Wait()
}

// production prepares stores, community and platform for real processes.
func production(t *testing.T, addrOf func() string) (postgresURL, redisURL string, sim *wechatsim.Platform, api *httptest.Server) {
	t.Helper()
	postgresURL, redisURL = storetest.Postgres(t), storetest.RedisServer(t).URL()
	sim, api = productionOn(t, postgresURL, 40, addrOf)
	return postgresURL, redisURL, sim, api
}

// productionOn prepares a PostgreSQL and a platform with residents.
func productionOn(t *testing.T, postgresURL string, residents int, addrOf func() string) (sim *wechatsim.Platform, api *httptest.Server) {
	t.Helper()
	env := []string{"WISHDESK_POSTGRES=" + postgresURL}
	if out, errs, status := wishdesk(t, env, "", "migrate"); status != 0 {
		t.Fatal(out, errs)
	}
	file := filepath.Join(t.TempDir(), "community.yaml")
	must(t, os.WriteFile(file, demo.Document(), 0o600))
	if out, errs, status := wishdesk(t, env, "", "community", "apply", file); status != 0 {
		t.Fatal(out, errs)
	}
	var err error
	personas := []wechatsim.Persona{{OpenID: "o-worker", Name: "秦霞", Group: "worker"}}
	for i := range residents {
		personas = append(personas, wechatsim.Persona{OpenID: fmt.Sprintf("o-resident-%d", i), Name: fmt.Sprintf("居民%d", i), Group: "resident"})
	}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // the proxy in front, whose address stays
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		resp, err := forward(r, addrOf(), body)
		if err != nil {
			panic(http.ErrAbortHandler) // a broken connection, as WeChat would see it
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		hook.Close()
	})
	sim, err = wechatsim.New(wechatsim.Options{
		Account: wechatsim.Account{
			AppID: prodApp, AppSecret: prodSecret, Token: prodToken, EncodingAESKey: prodKey, Mode: wechatsim.Safe,
			WebhookURL: hook.URL + "/wechat/" + demo.Community, Name: "心愿台",
		},
		Personas: personas,
	})
	must(t, err)
	t.Cleanup(func() { _ = sim.Close() })
	api = httptest.NewServer(sim.Handler())
	t.Cleanup(api.Close)
	store, err := postgres.Open(t.Context(), postgresURL, postgres.Options{})
	must(t, err)
	defer store.Close()
	_, err = store.UpsertPerson(t.Context(), "qin", workflow.Person{
		Community: demo.Community, Name: "秦霞", OpenID: "o-worker", Following: true,
		Roles: []workflow.Role{{Kind: workflow.RoleWorker, FullTime: true}, {Kind: workflow.RoleCommittee, Duty: true}},
	})
	must(t, err)
	return sim, api
}

// forward passes a request on. While no process listens it waits for the next
// one, as long as WeChat waits, like a proxy that queues over a restart; a
// connection that breaks after that is broken for the caller, too.
func forward(r *http.Request, addr string, body []byte) (*http.Response, error) {
	for deadline := time.Now().Add(4 * time.Second); ; {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+addr+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header = r.Header
		resp, err := http.DefaultTransport.RoundTrip(req)
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(deadline) {
			return resp, err
		}
		select {
		case <-r.Context().Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var numberIn = regexp.MustCompile(`编号 (\d+)`)

// kill -9 in the middle of everything, a restart, and everything goes on from
// where it was: nothing acknowledged is lost, nothing is done twice.
func TestKillInTheMiddle(t *testing.T) {
	var p *process
	pg, rd, sim, api := production(t, func() string { return p.addr })
	p = newProcess(t, pg, rd, api.URL)
	p.start()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	if r, err := sim.SendText(ctx, "o-worker", "待办"); err != nil || r.Unavailable {
		t.Fatalf("%+v %v", r, err)
	}

	told := make([]string, 40) // the number that each resident was told, "" where none
	var sending sync.WaitGroup
	for i := range told {
		sending.Go(func() {
			r, err := sim.SendText(ctx, fmt.Sprintf("o-resident-%d", i), fmt.Sprintf("西区%d号楼%d单元楼道灯不亮了", i%60+1, i%4+1))
			if err != nil {
				t.Errorf("resident %d: %v", i, err)
				return
			}
			if m := numberIn.FindStringSubmatch(r.Text); m != nil {
				told[i] = m[1]
			}
		})
	}
	select {
	case <-time.After(150 * time.Millisecond): // somewhere in the middle
	case <-ctx.Done():
	}
	_ = p.end(syscall.SIGKILL)
	p.start()
	sending.Wait()

	store, err := postgres.Open(ctx, pg, postgres.Options{})
	must(t, err)
	defer store.Close()
	acknowledged := 0
	for i, number := range told {
		openid := fmt.Sprintf("o-resident-%d", i)
		who, known, err := store.PersonByOpenID(ctx, demo.Community, openid)
		must(t, err)
		if !known {
			if number != "" {
				t.Errorf("resident %d was told %s and is unknown", i, number)
			}
			continue
		}
		mine, err := store.Reported(ctx, demo.Community, who.ID, true, 10)
		must(t, err)
		if len(mine) > 1 {
			t.Errorf("resident %d wrote once and has %d tickets", i, len(mine))
		}
		if number == "" {
			continue
		}
		acknowledged++
		if len(mine) != 1 || fmt.Sprint(mine[0].Number) != number {
			t.Errorf("resident %d was told %s and has %v", i, number, len(mine))
		}
	}
	if acknowledged < 20 {
		t.Errorf("only %d of %d residents were told a number", acknowledged, len(told))
	}
	t.Logf("acknowledged=%d", acknowledged)

	// And it goes on: one more loop over what was there before.
	var first string
	for _, n := range told {
		if n != "" {
			first = n
			break
		}
	}
	for _, text := range []string{"接单 " + first, "办结 " + first + " 已换"} {
		r, err := sim.SendText(ctx, "o-worker", text)
		if err != nil || r.Unavailable || !strings.Contains(r.Text, first) {
			t.Fatalf("%s: %+v %v", text, r, err)
		}
	}
	for i, n := range told {
		if n == first {
			if _, err := sim.Await(ctx, fmt.Sprintf("o-resident-%d", i), func(e wechatsim.Entry) bool {
				return e.Channel == wechatsim.ByCustom && strings.Contains(e.HeadContent, "办好了")
			}); err != nil {
				t.Errorf("the resident is not asked: %v", err)
			}
		}
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
}

// SIGTERM drains: whoever got through the door gets an answer.
func TestDrainLosesNothing(t *testing.T) {
	var p *process
	pg, rd, sim, api := production(t, func() string { return p.addr })
	p = newProcess(t, pg, rd, api.URL)
	p.start()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	answered := make(chan string, 40)
	var sending sync.WaitGroup
	for i := range 40 {
		sending.Go(func() {
			r, err := sim.SendText(ctx, fmt.Sprintf("o-resident-%d", i), fmt.Sprintf("西区%d号楼楼道灯不亮了", i%60+1))
			if m := numberIn.FindStringSubmatch(r.Text); err == nil && m != nil {
				answered <- m[1]
			}
		})
	}
	first := <-answered // some are through, the others on their way
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	p.start() // WeChat's further tries find the next process
	sending.Wait()
	close(answered)
	store, err := postgres.Open(ctx, pg, postgres.Options{})
	must(t, err)
	defer store.Close()
	n := 1
	for number := range answered {
		n++
		var ticket int64
		_, _ = fmt.Sscan(number, &ticket)
		if _, err := store.Ticket(ctx, demo.Community, ticket); err != nil {
			t.Errorf("ticket %s was told and is lost: %v", number, err)
		}
	}
	if n < 40 {
		t.Errorf("%d of 40 residents got a number (the first %s)", n, first)
	}
	_ = p.end(syscall.SIGTERM)
}
