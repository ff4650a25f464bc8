package ground

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

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
)

// Community is the one of the proofs: the demo's.
const Community = "bjw-xiqu"

// The account of the proofs. Its secrets are none.
const (
	appID     = "wx3333333333333333"
	appSecret = "proofproofproofproofproofproof00"
	token     = "atokenoftheproof"
	aesKey    = "proofKeyproofKeyproofKeyproofKeyproofKey000"
)

// Field is where a proof happens: stores, replicas behind a door, and the platform
// that they talk to. Its methods are called by one goroutine.
type Field struct {
	Root     string // of the module
	Dir      string // its own, with the replicas' logs
	Stores   *Stores
	Postgres *storetest.Proxy // between the replicas and their stores; nil where not asked for
	Redis    *storetest.Proxy
	Replicas []*Replica
	Door     *Door
	Platform *wechatsim.Platform
	Workers  []string // openids
	Binary   string

	config   string
	env      []string
	doorHTTP *http.Server
	simHTTP  *http.Server
}

// Options are how a Field is laid out.
type Options struct {
	Replicas int
	Disk     int // megabytes of the stores' own disk; 0 = none
	Proxied  bool
	Patches  []Patch
	Env      []string         // of the replicas, besides ours
	Crew     int              // workers besides the demo's, over its residential grids
	Limits   wechatsim.Limits // of the platform
}

// Account is the account of the proofs, for who seals its messages.
func Account() (app, tok, key string) { return appID, token, aesKey }

// Lay makes a field; the replicas are ready. Close it.
func Lay(ctx context.Context, root string, o Options) (*Field, error) {
	f, err := Bare(ctx, root, o)
	if err != nil {
		return nil, err
	}
	if err := f.Open(ctx, o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Bare makes a field of the built product and empty stores, no more; Open does the
// rest. Close it.
func Bare(ctx context.Context, root string, o Options) (_ *Field, err error) {
	dir, err := os.MkdirTemp("", "wishdesk-proof-")
	if err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	f := &Field{Root: root, Dir: dir, env: o.Env}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // the stores' user passes through
		return nil, fmt.Errorf("ground: %w", err)
	}
	if f.Binary, err = Build(ctx, root, dir, "wishdesk", o.Patches...); err != nil {
		return nil, err
	}
	if f.Stores, err = StartStores(ctx, root, filepath.Join(dir, "stores"), o.Disk); err != nil {
		return nil, err
	}
	return f, nil
}

// Open migrates, enters the demo's community and people, and has the replicas ready.
func (f *Field) Open(ctx context.Context, o Options) (err error) {
	if err := f.prepare(ctx, o.Crew); err != nil {
		return err
	}
	if o.Proxied {
		if f.Postgres, err = storetest.Between(f.Stores.Postgres); err != nil {
			return fmt.Errorf("ground: %w", err)
		}
		if f.Redis, err = storetest.Between(f.Stores.Redis); err != nil {
			return fmt.Errorf("ground: %w", err)
		}
	}
	if err := f.openPlatform(o.Limits); err != nil {
		return err
	}
	simAddr, err := f.serve(&f.simHTTP, f.Platform.Handler())
	if err != nil {
		return err
	}
	if err := f.configure(simAddr); err != nil {
		return err
	}
	for range o.Replicas {
		if _, err := f.Add(); err != nil {
			return err
		}
	}
	return f.Ready(ctx)
}

// Refusal is what a server says that does not start; it is an error where it does.
func (f *Field) Refusal(ctx context.Context) (string, error) {
	if f.config == "" {
		if err := f.configure("127.0.0.1:9"); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := f.Command(ctx, "serve", "--config", f.config)
	cmd.Env = append(cmd.Env, append(f.env, "WISHDESK_ADDR=127.0.0.1:0")...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return "", fmt.Errorf("ground: a server that should refuse to start: %w: %s", errors.Join(err, ctx.Err()), out)
	}
	return string(out), nil
}

// Command is a command of the product on the stores themselves.
func (f *Field) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, f.Binary, args...) //nolint:gosec // what was just built
	cmd.Env = append(os.Environ(), "WISHDESK_POSTGRES="+f.Stores.Postgres, "WISHDESK_REDIS="+f.Stores.Redis)
	return cmd
}

// Run runs a command of the product on the stores themselves and gives what it
// printed.
func (f *Field) Run(ctx context.Context, args ...string) (string, error) {
	out, err := f.Command(ctx, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ground: %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// prepare migrates and enters the demo's community and people.
func (f *Field) prepare(ctx context.Context, crew int) error {
	if _, err := f.Run(ctx, "migrate"); err != nil {
		return err
	}
	document, err := document(f.Root)
	if err != nil {
		return err
	}
	file := filepath.Join(f.Dir, "community.yaml")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	if _, err := f.Run(ctx, "community", "apply", file); err != nil {
		return err
	}
	return f.enterPeople(ctx, crew)
}

// document is the demo's community, in which pushes to residents wait for no morning.
func document(root string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, "configs", "demo", "community.yaml"))
	if err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	return regexp.MustCompile(`(?m)^quiet:.*$`).ReplaceAll(text, []byte(`quiet: {from: "00:00", to: "00:00"}`)), nil
}

func (f *Field) enterPeople(ctx context.Context, crew int) error {
	text, err := os.ReadFile(filepath.Join(f.Root, "configs", "demo", "people.yaml"))
	if err != nil {
		return fmt.Errorf("ground: %w", err)
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
		return fmt.Errorf("ground: people: %w", err)
	}
	store, err := postgres.Open(ctx, f.Stores.Postgres, postgres.Options{})
	if err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	defer store.Close()
	for _, p := range doc.People {
		if len(p.Roles) == 0 || p.OpenID == "" {
			continue
		}
		if _, err := store.UpsertPerson(ctx, p.Key, workflow.Person{Community: Community, Name: p.Name, Phone: p.Phone, OpenID: p.OpenID, Roles: p.Roles, Following: true}); err != nil {
			return fmt.Errorf("ground: %w", err)
		}
		f.Workers = append(f.Workers, p.OpenID)
	}
	for i := range crew {
		openid, grid := fmt.Sprintf("proof-worker-%d", i), fmt.Sprintf("G%02d", i%6+1)
		if _, err := store.UpsertPerson(ctx, openid, workflow.Person{
			Community: Community, Name: fmt.Sprintf("网格员%d", i), OpenID: openid, Following: true,
			Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: grid, FullTime: true}, {Kind: workflow.RoleProperty, Unit: company}},
		}); err != nil {
			return fmt.Errorf("ground: %w", err)
		}
		f.Workers = append(f.Workers, openid)
	}
	return nil
}

// company has a part of the demo's buildings under contract: what is reported there goes
// to its people, of whom the demo has few.
const company = "红色物业"

func (f *Field) openPlatform(limits wechatsim.Limits) error {
	f.Door = NewDoor()
	doorAddr, err := f.serve(&f.doorHTTP, f.Door)
	if err != nil {
		return err
	}
	personas := make([]wechatsim.Persona, 0, len(f.Workers))
	for _, w := range f.Workers {
		personas = append(personas, wechatsim.Persona{OpenID: w, Name: w, Group: "worker"})
	}
	f.Platform, err = wechatsim.New(wechatsim.Options{
		Account: wechatsim.Account{
			AppID: appID, AppSecret: appSecret, Token: token, EncodingAESKey: aesKey, Mode: wechatsim.Safe,
			WebhookURL: "http://" + doorAddr + "/wechat/" + Community, Name: "心愿台",
		},
		Personas: personas, Limits: limits,
	})
	if err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	return nil
}

// serve serves on a free port.
func (f *Field) serve(at **http.Server, handler http.Handler) (addr string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("ground: %w", err)
	}
	*at = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = (*at).Serve(listener) }()
	return listener.Addr().String(), nil
}

// configure writes the settings of the replicas, with the platform at an address.
func (f *Field) configure(simAddr string) error {
	config, err := yaml.Marshal(map[string]any{
		"data": filepath.Join(f.Dir, "data"), "log": map[string]any{"level": "warn", "format": "text"},
		"accounts": []map[string]any{{
			"community": Community, "app_id": appID, "mode": "safe", "api_base": "http://" + simAddr,
			"templates": map[string]any{
				"work":   map[string]any{"id": "demo-assigned", "fields": map[string]string{"character_string1": "number", "thing2": "what", "thing3": "place", "time4": "by"}},
				"notice": map[string]any{"id": "demo-notice", "fields": map[string]string{"character_string1": "number", "thing2": "said", "phrase3": "status", "time4": "by"}},
			},
		}},
	})
	if err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	f.config = filepath.Join(f.Dir, "wishdesk.yaml")
	if err := os.WriteFile(f.config, config, 0o600); err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	postgresURL, redisURL := f.Stores.Postgres, f.Stores.Redis
	if f.Postgres != nil {
		postgresURL, redisURL = f.Postgres.URL(), f.Redis.URL()
	}
	f.env = append(f.env, "WISHDESK_POSTGRES="+postgresURL, "WISHDESK_REDIS="+redisURL, "PROOF_DIR="+f.Dir,
		"WISHDESK_ACCOUNTS_0_APP_SECRET="+appSecret, "WISHDESK_ACCOUNTS_0_TOKEN="+token, "WISHDESK_ACCOUNTS_0_ENCODING_AES_KEY="+aesKey)
	return nil
}

// Add starts another replica behind the door; Ready waits for it.
func (f *Field) Add() (*Replica, error) {
	r, err := NewReplica(f.Binary, f.config, filepath.Join(f.Dir, "replica-"+strconv.Itoa(len(f.Replicas))+".log"), f.env...)
	if err != nil {
		return nil, err
	}
	if err := r.Start(); err != nil {
		return nil, err
	}
	f.Replicas = append(f.Replicas, r)
	var addresses []string
	for _, r := range f.Replicas {
		addresses = append(addresses, r.Addr)
	}
	f.Door.To(addresses...)
	return r, nil
}

// Ready waits until all replicas are, a minute at most.
func (f *Field) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, r := range f.Replicas {
		if err := r.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close ends everything. The logs of the replicas stay where something was wrong.
func (f *Field) Close() error {
	var errs []error
	for _, r := range f.Replicas {
		_ = r.End(syscall.SIGKILL)
	}
	if f.Platform != nil {
		errs = append(errs, f.Platform.Close())
	}
	for _, s := range []*http.Server{f.doorHTTP, f.simHTTP} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	for _, p := range []*storetest.Proxy{f.Postgres, f.Redis} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if f.Stores != nil {
		errs = append(errs, f.Stores.Stop())
	}
	return errors.Join(errs...)
}
