package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/proof/ground"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
)

// The account of the proof. Its secrets are none.
const (
	community = "bjw-xiqu"
	appID     = "wx3333333333333333"
	appSecret = "proofproofproofproofproofproof00"
	token     = "atokenoftheproof"
	aesKey    = "proofKeyproofKeyproofKeyproofKeyproofKey000"
)

// field is where it all happens: stores, replicas behind a door, and the platform.
type field struct {
	root     string
	dir      string
	stores   *ground.Stores
	postgres *storetest.Proxy
	redis    *storetest.Proxy
	replicas []*ground.Replica
	door     *ground.Door
	doorHTTP *http.Server
	platform *wechatsim.Platform
	simHTTP  *http.Server
	workers  []string
	offset   string // the file that says by how much the servers' clocks are wrong
}

// options are how a field is laid out.
type options struct {
	replicas int
	disk     int // megabytes of the stores' own disk; 0 = none
	patches  []ground.Patch
}

// clockPatches have the servers go by a clock that the proof can set wrong.
func clockPatches() []ground.Patch {
	return []ground.Patch{
		{File: "cmd/wishdesk/serve.go", Text: map[string]string{"newServer(ctx, s, accounts, clockwork.NewRealClock(),": "newServer(ctx, s, accounts, wrongClock(ctx, clockwork.NewRealClock()),"}},
		{File: "cmd/wishdesk/wrongclock.go", Text: map[string]string{"": `package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
)

// clock is the real one, wrong by as many seconds as a file says.
type clock struct {
	clockwork.Clock
	wrong *atomic.Int64
}

func (c clock) Now() time.Time { return c.Clock.Now().Add(time.Duration(c.wrong.Load())) }
func (c clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }
func (c clock) Until(t time.Time) time.Duration { return t.Sub(c.Now()) }

func wrongClock(ctx context.Context, real clockwork.Clock) clockwork.Clock {
	c := clock{real, &atomic.Int64{}}
	go func() {
		for ctx.Err() == nil {
			if text, err := os.ReadFile(os.Getenv("PROOF_CLOCK")); err == nil {
				if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
					c.wrong.Store(int64(n) * int64(time.Second))
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	return c
}
`}},
	}
}

// lay makes a field; the replicas are ready. Close it.
func lay(ctx context.Context, root string, o options) (_ *field, err error) {
	dir, err := os.MkdirTemp("", "wishdesk-chaos-")
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	f := &field{root: root, dir: dir, offset: filepath.Join(dir, "clock")}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // the stores' user passes through
		return nil, fmt.Errorf("chaos: %w", err)
	}
	binary, err := ground.Build(ctx, root, dir, "wishdesk", append(clockPatches(), o.patches...)...)
	if err != nil {
		return nil, err
	}
	if f.stores, err = ground.StartStores(ctx, root, filepath.Join(dir, "stores"), o.disk); err != nil {
		return nil, err
	}
	if err := f.prepare(ctx, binary); err != nil {
		return nil, err
	}
	if f.postgres, err = storetest.Between(f.stores.Postgres); err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	if f.redis, err = storetest.Between(f.stores.Redis); err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	if err := f.openPlatform(); err != nil {
		return nil, err
	}
	return f, f.startReplicas(ctx, binary, o.replicas)
}

// command runs a command of the product on the stores themselves.
func (f *field) command(ctx context.Context, binary string, args ...string) error {
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // what was just built
	cmd.Env = append(os.Environ(), "WISHDESK_POSTGRES="+f.stores.Postgres)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("chaos: %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// prepare migrates, killing the migration again and again on the way, and enters the
// demo's community and people.
func (f *field) prepare(ctx context.Context, binary string) error {
	for wait := 20 * time.Millisecond; wait < 120*time.Millisecond; wait += 20 * time.Millisecond {
		cmd := exec.CommandContext(ctx, binary, "migrate")
		cmd.Env = append(os.Environ(), "WISHDESK_POSTGRES="+f.stores.Postgres)
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
		time.Sleep(wait)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if err := f.command(ctx, binary, "migrate"); err != nil {
		return err
	}
	document, err := os.ReadFile(filepath.Join(f.root, "configs", "demo", "community.yaml"))
	if err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	file := filepath.Join(f.dir, "community.yaml")
	// Pushes to residents wait for no morning.
	document = regexp.MustCompile(`(?m)^quiet:.*$`).ReplaceAll(document, []byte(`quiet: {from: "00:00", to: "00:00"}`))
	if err := os.WriteFile(file, document, 0o600); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	if err := f.command(ctx, binary, "community", "apply", file); err != nil {
		return err
	}
	return f.enterPeople(ctx)
}

func (f *field) enterPeople(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(f.root, "configs", "demo", "people.yaml"))
	if err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	var doc struct {
		People []struct {
			Key    string          `yaml:"key"`
			Name   string          `yaml:"name"`
			Phone  string          `yaml:"phone"`
			OpenID string          `yaml:"openid"`
			Group  string          `yaml:"group"`
			Home   string          `yaml:"home"`
			Roles  []workflow.Role `yaml:"roles"`
		} `yaml:"people"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&doc); err != nil {
		return fmt.Errorf("chaos: people: %w", err)
	}
	store, err := postgres.Open(ctx, f.stores.Postgres, postgres.Options{})
	if err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	defer store.Close()
	for _, p := range doc.People {
		if len(p.Roles) == 0 || p.OpenID == "" {
			continue
		}
		if _, err := store.UpsertPerson(ctx, p.Key, workflow.Person{Community: community, Name: p.Name, Phone: p.Phone, OpenID: p.OpenID, Roles: p.Roles, Following: true}); err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
		f.workers = append(f.workers, p.OpenID)
	}
	return nil
}

func (f *field) openPlatform() error {
	f.door = ground.NewDoor()
	doorAddr, err := f.serve(&f.doorHTTP, f.door)
	if err != nil {
		return err
	}
	personas := make([]wechatsim.Persona, 0, len(f.workers))
	for _, w := range f.workers {
		personas = append(personas, wechatsim.Persona{OpenID: w, Name: w, Group: "worker"})
	}
	f.platform, err = wechatsim.New(wechatsim.Options{
		Account: wechatsim.Account{
			AppID: appID, AppSecret: appSecret, Token: token, EncodingAESKey: aesKey, Mode: wechatsim.Safe,
			WebhookURL: "http://" + doorAddr + "/wechat/" + community, Name: "心愿台",
		},
		Personas: personas,
	})
	if err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	return nil
}

// serve serves on a free port.
func (f *field) serve(at **http.Server, handler http.Handler) (addr string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("chaos: %w", err)
	}
	*at = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = (*at).Serve(listener) }()
	return listener.Addr().String(), nil
}

func (f *field) startReplicas(ctx context.Context, binary string, n int) error {
	simAddr, err := f.serve(&f.simHTTP, f.platform.Handler())
	if err != nil {
		return err
	}
	config, err := yaml.Marshal(map[string]any{
		"data": filepath.Join(f.dir, "data"), "log": map[string]any{"level": "warn", "format": "text"},
		"accounts": []map[string]any{{
			"community": community, "app_id": appID, "mode": "safe", "api_base": "http://" + simAddr,
			"templates": map[string]any{
				"work":   map[string]any{"id": "demo-assigned", "fields": map[string]string{"character_string1": "number", "thing2": "what", "thing3": "place", "time4": "by"}},
				"notice": map[string]any{"id": "demo-notice", "fields": map[string]string{"character_string1": "number", "thing2": "said", "phrase3": "status", "time4": "by"}},
			},
		}},
	})
	if err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	file := filepath.Join(f.dir, "wishdesk.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	var addresses []string
	for i := range n {
		r, err := ground.NewReplica(binary, file, filepath.Join(f.dir, "replica-"+strconv.Itoa(i)+".log"),
			"WISHDESK_POSTGRES="+f.postgres.URL(), "WISHDESK_REDIS="+f.redis.URL(), "PROOF_CLOCK="+f.offset,
			"WISHDESK_ACCOUNTS_0_APP_SECRET="+appSecret, "WISHDESK_ACCOUNTS_0_TOKEN="+token, "WISHDESK_ACCOUNTS_0_ENCODING_AES_KEY="+aesKey)
		if err != nil {
			return err
		}
		if err := r.Start(); err != nil {
			return err
		}
		f.replicas, addresses = append(f.replicas, r), append(addresses, r.Addr)
	}
	f.door.To(addresses...)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, r := range f.replicas {
		if err := r.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// setClocks makes the servers' clocks wrong by d.
func (f *field) setClocks(d time.Duration) error {
	beside := f.offset + ".new"
	if err := os.WriteFile(beside, []byte(strconv.Itoa(int(d/time.Second))), 0o600); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	return os.Rename(beside, f.offset)
}

// close ends everything. The logs of the replicas stay where something was wrong.
func (f *field) close() error {
	var errs []error
	for _, r := range f.replicas {
		_ = r.End(syscall.SIGKILL)
	}
	if f.platform != nil {
		errs = append(errs, f.platform.Close())
	}
	for _, s := range []*http.Server{f.doorHTTP, f.simHTTP} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	for _, p := range []*storetest.Proxy{f.postgres, f.redis} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if f.stores != nil {
		errs = append(errs, f.stores.Stop())
	}
	return errors.Join(errs...)
}
