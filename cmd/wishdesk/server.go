package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.yaml.in/yaml/v3"

	"github.com/wishdesk/wishdesk/bot"
	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/console"
	"github.com/wishdesk/wishdesk/console/api"
	"github.com/wishdesk/wishdesk/console/assets"
	"github.com/wishdesk/wishdesk/console/codes"
	"github.com/wishdesk/wishdesk/console/open311"
	"github.com/wishdesk/wishdesk/endpoint"
	"github.com/wishdesk/wishdesk/storage/media"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
	"github.com/wishdesk/wishdesk/workflow/understand"
)

var (
	refusedDeliveries = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "wishdesk_webhook_refused_total", Help: "Calls of the webhook that were turned away, by reason.",
	}, []string{"reason"})
	platformCalls = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "wishdesk_wechat_call_seconds", Help: "Calls of WeChat's API by errcode; -1000 where no answer came.",
		Buckets: prometheus.ExponentialBuckets(0.01, 3, 8),
	}, []string{"api", "errcode"})
)

// server is the product wired together.
type server struct {
	s        *settings.Settings
	log      *slog.Logger
	store    *postgres.Store
	drive    *redis.Drive
	desk     *desk.Desk
	bot      *bot.Bot
	console  *console.Console
	open311  *open311.Server
	api      *api.API
	words    *wording.Wording
	own      *learn.Understanders
	accounts map[string]wechat.Account
	clients  map[string]*wechat.Client
	registry *prometheus.Registry

	draining atomic.Bool
	listener net.Listener
	http     *http.Server
	serving  sync.WaitGroup
	stopRun  context.CancelFunc
	failed   chan error // why it can no longer listen; of capacity 1
	proxies  []netip.Prefix
}

// upToDate refuses a database that is away or behind this release.
func upToDate(ctx context.Context, postgresURL string) error {
	pending, err := postgres.Pending(ctx, postgresURL)
	if err != nil {
		return fmt.Errorf("PostgreSQL does not answer (setting postgres, WISHDESK_POSTGRES): %w", err)
	}
	if len(pending) > 0 {
		return fmt.Errorf("the database is behind this release: run `wishdesk migrate` first (pending: %s)", strings.Join(pending, ", "))
	}
	return nil
}

// newServer opens the stores and wires everything; nothing is served yet.
// Redis may be away, PostgreSQL must be there and up to date.
func newServer(ctx context.Context, s *settings.Settings, accounts map[string]wechat.Account, clock clockwork.Clock, log *slog.Logger) (_ *server, err error) {
	if err := upToDate(ctx, s.Postgres.Reveal()); err != nil {
		return nil, err
	}
	proxies, err := s.TrustedProxies()
	if err != nil {
		return nil, usage(err)
	}
	srv := &server{s: s, log: log, proxies: proxies, failed: make(chan error, 1), accounts: accounts, clients: map[string]*wechat.Client{}}
	if srv.store, err = postgres.Open(ctx, s.Postgres.Reveal(), postgres.Options{Logger: log, Clock: clock}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			srv.store.Close()
			if srv.drive != nil {
				_ = srv.drive.Close()
			}
		}
	}()
	if srv.drive, err = redis.Open(s.Redis.Reveal(), redis.Options{Logger: log}); err != nil {
		return nil, usage(err)
	}
	if err := srv.drive.Ping(ctx); err != nil {
		log.Warn("Redis is away; messages are taken by PostgreSQL alone until it is back", "cause", err)
	}
	dir, err := media.Dir(filepath.Join(s.Data, "media"))
	if err != nil {
		return nil, err
	}
	_, words, taxonomy, err := readConfigs()
	if err != nil {
		return nil, err
	}
	srv.desk = desk.New(desk.Options{
		Journal: srv.store, Drive: srv.drive, Clock: clock, Logger: log,
		Write:  sentences(s, words, taxonomy, func() func(*workflow.Community, string, []string) string { return srv.own.Mask }, log),
		Secret: func(community string) string { return accounts[community].AppSecret },
	})
	if err := srv.desk.Refresh(ctx); err != nil {
		if len(srv.desk.Communities()) == 0 {
			return nil, err
		}
		log.Error("not every community could be loaded", "cause", err)
	}
	rules, err := understander(s.Model)
	if err != nil {
		return nil, fmt.Errorf("setting model (WISHDESK_MODEL): %w", err)
	}
	srv.own = learn.New(rules, srv.store, srv.desk, log)
	if err := srv.own.Follow(ctx); err != nil {
		log.Warn("not every community is understood by its own model", "cause", err)
	}
	advisor, transcriber := outside(s, taxonomy)
	for community, a := range accounts {
		srv.clients[community] = wechat.NewClient(a, srv.drive.Tokens(), wechat.ClientOptions{
			Clock: clock, Logger: log,
			OnCall: func(api string, errcode int64, took time.Duration) {
				platformCalls.WithLabelValues(api, strconv.FormatInt(errcode, 10)).Observe(took.Seconds())
			},
		})
	}
	srv.words = words
	srv.bot = bot.New(bot.Options{
		Desk: srv.desk, Understander: srv.own, Wording: words, Taxonomy: taxonomy, Media: mediaStore{dir}, Windows: srv.drive,
		Clock: clock, Logger: log, Budget: s.Budget, Templates: templatesOf(s),
		Pages: s.PublicURL, Links: console.Links{Record: srv.store, PublicURL: s.PublicURL, Clock: clock},
		Advisor: advisor, AdvicePerDay: s.Advisor.PerDay, Transcriber: transcriber, HearPerDay: s.Transcriber.PerDay,
		Messenger: func(community string) (bot.Messenger, bool) { c, ok := srv.clients[community]; return c, ok },
	})
	if srv.console, err = console.New(console.Options{
		Desk: srv.desk, Record: srv.store, Live: srv.desk.Live(), Media: mediaStore{dir}, Wording: words, Taxonomy: taxonomy, Understander: srv.own, Mask: srv.own.Mask, Message: bot.Message, Shelf: srv.drive,
		Teacher: &learn.Teacher{Record: srv.store, Rules: rules, Shipped: shippedSamples, Clock: clock}, PublicURL: s.PublicURL, Clock: clock, Logger: log,
		Codes: func(community string) (codes.Platform, bool) {
			c, ok := srv.clients[community]
			return codePlatform{c, srv.accounts[community].AppID}, ok
		},
		Account: func(community string) (console.Account, bool) {
			c, ok := srv.clients[community]
			return c, ok && s.PublicURL != ""
		},
	}); err != nil {
		return nil, err
	}
	srv.open311 = open311.New(open311.Options{
		Desk: srv.desk, Record: srv.store, Understander: srv.own, Wording: words, Taxonomy: taxonomy, PublicURL: s.PublicURL, Budget: s.Budget, Clock: clock, Logger: log,
	})
	if srv.api, err = api.New(api.Options{
		Desk: srv.desk, Record: srv.store, Wording: words, Taxonomy: taxonomy, Understander: srv.own, Logger: log,
	}); err != nil {
		return nil, err
	}
	srv.http = &http.Server{
		Handler:           srv.routes(clock),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return srv, nil
}

// readConfigs gives what the shipped documents say.
func readConfigs() (*understand.Rules, *wording.Wording, *workflow.Taxonomy, error) {
	rules, err := understander("")
	if err != nil {
		return nil, nil, nil, err
	}
	words, err := readWording()
	if err != nil {
		return nil, nil, nil, err
	}
	taxonomy, err := readTaxonomy()
	return rules, words, taxonomy, err
}

func readWording() (*wording.Wording, error) { return wording.Parse(configs.Read("wording.yaml")) }

func readTaxonomy() (*workflow.Taxonomy, error) {
	taxonomy := &workflow.Taxonomy{}
	if err := yaml.Unmarshal(configs.Read("taxonomy.yaml"), taxonomy); err != nil {
		return nil, fmt.Errorf("taxonomy: %w", err)
	}
	return taxonomy, nil
}

// outside gives what is asked outside, nil where the settings name nothing.
func outside(s *settings.Settings, taxonomy *workflow.Taxonomy) (a bot.Advisor, t bot.Transcriber) {
	if s.Advisor.URL != "" {
		a = endpoint.NewAdvisor(endpointOf(s.Advisor), string(configs.Read("advice.txt")), taxonomy, !s.Advisor.Schema)
	}
	if s.Transcriber.URL != "" {
		t = endpoint.NewTranscriber(endpointOf(s.Transcriber))
	}
	return a, t
}

func endpointOf(o settings.Outside) endpoint.Options {
	return endpoint.Options{URL: o.URL, Key: o.Key.Reveal(), Model: o.Model, Timeout: o.Timeout}
}

// pagesOf is where a community's pages are, "" where people reach none.
func pagesOf(s *settings.Settings, community string) string {
	if s.PublicURL == "" {
		return ""
	}
	return s.PublicURL + "/c/" + community + "/"
}

func checkOutside(o settings.Outside) error { return endpointOf(o).Check() }

func templatesOf(s *settings.Settings) func(community string) bot.Templates {
	all := map[string]bot.Templates{}
	for _, a := range s.Accounts {
		t := bot.Templates{}
		for use, tpl := range a.Templates {
			if tpl.ID != "" {
				t[use] = bot.Template{ID: tpl.ID, Subscribe: tpl.Subscribe, Fields: tpl.Fields}
			}
		}
		all[a.Community] = t
	}
	return func(community string) bot.Templates { return all[community] }
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (setting addr, WISHDESK_ADDR): %w", addr, err)
	}
	return listener, nil
}

// start listens, unless it was given a listener, and turns the clocks.
func (srv *server) start(ctx context.Context) error {
	if srv.listener == nil {
		listener, err := listen(ctx, srv.s.Addr)
		if err != nil {
			return err
		}
		srv.listener = listener
	}
	host, _ := os.Hostname()
	runner := srv.desk.NewRunner(fmt.Sprintf("%s-%d", host, os.Getpid()), srv.s.Workers, srv.bot.Handlers())
	runCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	srv.stopRun = stop
	srv.serving.Go(func() { runner.Run(runCtx) })
	srv.serving.Go(func() { srv.own.Run(runCtx) })
	srv.serve(srv.http, srv.listener)
	go debug.FreeOSMemory() // reading documents and templates took twice what is kept
	srv.log.Info("serving", "addr", srv.listener.Addr().String(), "version", version, "communities", srv.desk.Communities())
	return nil
}

// serve answers on a listener until the server stops; a failure of it ends the
// process by failed.
func (srv *server) serve(s *http.Server, listener net.Listener) {
	srv.serving.Go(func() {
		if err := s.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			select {
			case srv.failed <- fmt.Errorf("listening on %s: %w", listener.Addr(), err):
			default: // told already
			}
		}
	})
}

// wait returns at the end of ctx, or when the server can no longer listen.
func (srv *server) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-srv.failed:
		return err
	}
}

// drainLimit bounds how long a stopping server finishes what it has in hand.
const drainLimit = 20 * time.Second

// stop drains: no new requests, those in hand answered, messages that were
// taken finished, tasks in hand done, every accepted change committed.
func (srv *server) stop() {
	srv.draining.Store(true)
	srv.console.Close() // pages that follow changes go to another replica
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	if err := srv.http.Shutdown(ctx); err != nil {
		srv.log.Warn("requests cut off", "cause", err)
	}
	if srv.stopRun != nil {
		srv.stopRun()
	}
	done := make(chan struct{})
	go func() {
		srv.serving.Wait()
		srv.bot.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		srv.log.Warn("tasks cut off; another process takes them over")
	}
	srv.store.Close()
	_ = srv.drive.Close()
	srv.log.Info("stopped")
}

// apology is what somebody reads whose message brought the bot down.
func (srv *server) apology(community string) string {
	shape, ok := srv.desk.Shape(community)
	if !ok {
		return srv.words.Say("no_community", nil)
	}
	return wording.Voice{W: srv.words.For(shape.Community), Shape: shape}.Say("fallback", nil)
}

func (srv *server) routes(clock clockwork.Clock) http.Handler {
	account := func(community string) (wechat.Account, bool) { a, ok := srv.accounts[community]; return a, ok }
	gate := wechat.NewGate(account, srv.bot, replays{srv.drive}, wechat.GateOptions{
		Clock: clock, Logger: srv.log, Apology: srv.apology,
		OnRefused: func(reason string) { refusedDeliveries.WithLabelValues(reason).Inc() },
	})
	srv.registry = prometheus.NewRegistry()
	srv.registry.MustRegister(&gauges{store: srv.store, clock: clock, log: srv.log})
	metrics := promhttp.HandlerFor(prometheus.Gatherers{prometheus.DefaultGatherer, srv.registry}, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})

	mux := http.NewServeMux()
	mux.Handle("/wechat/{community}", gate)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", srv.ready)
	mux.Handle("GET /metrics", srv.bearer(metrics))
	mux.Handle("/c/", srv.console.Handler())
	mux.Handle(open311.Prefix, srv.open311.Handler())
	mux.Handle(api.Prefix, srv.api.Handler())
	mux.Handle("GET "+assets.Prefix, srv.console.Handler())
	return srv.outer(mux)
}

// outer is what every answer has: safe headers, and no panic reaches a
// connection. Queries hold signatures and are not logged.
func (srv *server) outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p) // the connection is to be cut
				}
				srv.log.Error("panic in a request", "method", r.Method, "path", r.URL.Path, "kind", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		r.RemoteAddr = access.Behind(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), srv.proxies)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		started := time.Now()
		next.ServeHTTP(w, r)
		srv.log.Debug("request", "method", r.Method, "path", r.URL.Path, "took", time.Since(started))
	})
}

func (srv *server) bearer(next http.Handler) http.Handler {
	want := srv.s.MetricsToken.Reveal()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ready tells whether messages can be taken: by PostgreSQL, or, while it is
// away, by Redis.
func (srv *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	state := func(err error) string {
		if err != nil {
			return "away"
		}
		return "ok"
	}
	pg, rd := srv.store.Ping(ctx), srv.drive.Ping(ctx)
	answer := map[string]any{
		"postgres": state(pg), "redis": state(rd), "communities": len(srv.desk.Communities()),
		"draining": srv.draining.Load(), "version": version,
	}
	status := http.StatusOK
	if pg != nil && rd != nil || srv.draining.Load() {
		status = http.StatusServiceUnavailable
	}
	answer["ready"] = status == http.StatusOK
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

type replays struct{ d *redis.Drive }

func (r replays) Seen(ctx context.Context, community, nonce, digest string, ttl time.Duration) (wechat.Verdict, error) {
	fresh, same, err := r.d.Nonce(ctx, community, nonce, digest, ttl)
	switch {
	case err != nil:
		return "", err
	case fresh:
		return wechat.New, nil
	case same:
		return wechat.Same, nil
	}
	return wechat.Different, nil
}

type mediaStore struct{ *media.Directory }

func (mediaStore) Clean(data []byte, kind string) ([]byte, string, error) {
	return media.Clean(data, kind)
}

// gauges are figures of the record, read when they are asked for and kept for
// a moment, so that who reads /metrics often does not burden the record.
type gauges struct {
	store *postgres.Store
	clock clockwork.Clock
	log   *slog.Logger

	mu   sync.Mutex
	kept []postgres.Stats
	at   time.Time
}

// gaugesKept is how old figures may be.
const gaugesKept = 5 * time.Second

func gauge(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("wishdesk_"+name, help, []string{"community"}, nil)
}

var (
	openTickets    = gauge("tickets_open", "Open tickets.")
	overdueTickets = gauge("tickets_overdue", "Open tickets whose next deadline has passed.")
	owedPushes     = gauge("pushes_owed", "Pushes owed or being sent.")
	oldestPush     = gauge("pushes_oldest_seconds", "How long the oldest owed push has been due.")
	manualPushes   = gauge("pushes_manual", "Pushes that need a telephone call.")
	owedMedia      = gauge("media_owed", "Photos and recordings still to be fetched.")
	deadTasks      = gauge("dead_letters", "Tasks that failed for good.")
)

// Describe names the figures.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{openTickets, overdueTickets, owedPushes, oldestPush, manualPushes, owedMedia, deadTasks} {
		ch <- d
	}
}

// stats are the figures; where the record is away there are none.
func (g *gauges) stats(now time.Time) []postgres.Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.at.IsZero() && now.Sub(g.at) < gaugesKept {
		return g.kept
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := g.store.Stats(ctx, now)
	if err != nil {
		g.log.Warn("figures not read", "cause", err)
	}
	g.kept, g.at = all, now
	return all
}

// Collect tells the figures.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	now := g.clock.Now()
	for _, s := range g.stats(now) {
		age := 0.0
		if !s.OldestPush.IsZero() && s.OldestPush.Before(now) {
			age = now.Sub(s.OldestPush).Seconds()
		}
		for d, v := range map[*prometheus.Desc]float64{
			openTickets: float64(s.Open), overdueTickets: float64(s.Overdue), owedPushes: float64(s.OwedPushes), oldestPush: age,
			manualPushes: float64(s.ManualPushes), owedMedia: float64(s.OwedMedia), deadTasks: float64(s.DeadLetters),
		} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, s.Community)
		}
	}
}
