package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
)

// api is the platform's side of the client's tests.
type api struct {
	testing.TB
	server *httptest.Server
	log    lockedBuffer

	mu     sync.Mutex
	calls  map[string]int
	bodies map[string]string // the last one by path
	forced int
	token  string                  // what stable_token gives
	life   int                     // seconds
	bad    map[string]bool         // tokens that are refused with 40001
	answer map[string]http.Handler // by path; others answer errcode 0
}

// lockedBuffer is a log that the server's and the client's goroutines share.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const firstToken = "TOKEN-one_88-abcdefghijklmnopqrstuvwxyz"

func newAPI(t testing.TB) *api {
	p := &api{TB: t, calls: map[string]int{}, bodies: map[string]string{}, token: firstToken, life: 7200, bad: map[string]bool{}, answer: map[string]http.Handler{}}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

func (p *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.Error(err)
	}
	p.mu.Lock()
	p.calls[r.URL.Path]++
	p.bodies[r.URL.Path] = string(body)
	special := p.answer[r.URL.Path]
	refused := p.bad[r.URL.Query().Get("access_token")] || r.URL.Query().Get("access_token") == "" && strings.HasPrefix(r.URL.Path, "/cgi-bin/") && r.URL.Path != "/cgi-bin/stable_token"
	p.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch {
	case refused:
		_, _ = io.WriteString(w, `{"errcode":40001,"errmsg":"invalid credential, access_token `+r.URL.Query().Get("access_token")+` is invalid"}`) //nolint:gosec // that is the test
	case special != nil:
		special.ServeHTTP(w, r)
	case r.URL.Path == "/cgi-bin/stable_token":
		p.serveToken(w, body)
	default:
		_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok","msgid":200163836}`)
	}
}

func (p *api) serveToken(w http.ResponseWriter, body []byte) {
	var in struct {
		GrantType    string `json:"grant_type"`
		AppID        string `json:"appid"`
		Secret       string `json:"secret"`
		ForceRefresh bool   `json:"force_refresh"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.GrantType != "client_credential" || in.AppID != testAccount(Safe).AppID || in.Secret != testAccount(Safe).AppSecret {
		p.Errorf("token asked with %s: %v", body, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if in.ForceRefresh {
		p.forced++
		p.token = fmt.Sprintf("TOKEN-forced_%d-abcdefghijklmnopqrstuvwxyz", p.forced)
	}
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"expires_in":%d}`, p.token, p.life)
}

// set changes what a path answers; "" is the default again.
func (p *api) set(path, body string) {
	p.handle(path, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
}

func (p *api) handle(path string, h http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer[path] = h
}

func (p *api) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

func (p *api) body(path string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies[path]
}

func (p *api) client(store TokenStore, change ...func(*ClientOptions)) *Client {
	transport := &http.Transport{}
	p.Cleanup(transport.CloseIdleConnections)
	o := ClientOptions{HTTP: &http.Client{Transport: transport, Timeout: 2 * time.Second}, Clock: clockwork.NewFakeClock(), Logger: slog.New(slog.NewTextHandler(&p.log, nil))}
	for _, c := range change {
		c(&o)
	}
	a := testAccount(Safe)
	a.APIBase = p.server.URL
	return NewClient(a, store, o)
}

// wantErr checks an error's kind and that neither it nor the log tells secrets.
func (p *api) wantErr(err, kind error) {
	p.Helper()
	if !errors.Is(err, kind) {
		p.Errorf("%v, want %v", err, kind)
	}
	p.sniff(err)
}

// secrets are what no error and no log line may hold. The openid is told by
// its middle.
var secrets = []string{
	testAccount(Safe).AppSecret, firstToken, "TOKEN-", testOpenID, testOpenID[4:20], "authorisation-code", "access_token=", "secret=", "media-id-of-a-photo", "楼道",
}

func (p *api) sniff(err error) {
	p.Helper()
	text := p.log.String()
	for ; err != nil; err = errors.Unwrap(err) {
		text += fmt.Sprintf("%v %+v %#v %q\n", err, err, err, err)
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				text += fmt.Sprintf("%v %#v\n", e, e)
			}
		}
	}
	for _, s := range secrets {
		if strings.Contains(text, s) {
			p.Errorf("%q in: %s", s, text)
		}
	}
}

// shelf is a TokenStore in memory, shared by the clients of a test.
type shelf struct {
	mu     sync.Mutex
	tokens map[string]string
	ttl    time.Duration // of the last Set
	locked bool
	away   error         // when set, everything fails
	hang   bool          // everything waits for its context
	looked chan struct{} // told of every failed Lock, when set
}

func newShelf() *shelf { return &shelf{tokens: map[string]string{}} }

func (s *shelf) begin(ctx context.Context) error {
	s.mu.Lock()
	if s.hang {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return ctx.Err()
	}
	return s.away
}

func (s *shelf) Get(ctx context.Context, appID string) (string, error) {
	defer s.mu.Unlock()
	if err := s.begin(ctx); err != nil {
		return "", err
	}
	return s.tokens[appID], nil
}

func (s *shelf) Set(ctx context.Context, appID, token string, ttl time.Duration) error {
	defer s.mu.Unlock()
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.tokens[appID], s.ttl = token, ttl
	return nil
}

func (s *shelf) Drop(ctx context.Context, appID, token string) error {
	defer s.mu.Unlock()
	if err := s.begin(ctx); err != nil {
		return err
	}
	if s.tokens[appID] == token {
		delete(s.tokens, appID)
	}
	return nil
}

func (s *shelf) Lock(ctx context.Context, _ string, _ time.Duration) (func(), bool, error) {
	defer s.mu.Unlock()
	if err := s.begin(ctx); err != nil {
		return nil, false, err
	}
	if s.locked {
		if s.looked != nil {
			s.looked <- struct{}{}
		}
		return nil, false, nil
	}
	s.locked = true
	return s.unlock, true, nil
}

func (s *shelf) unlock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locked = false
}

func (s *shelf) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// hangUp answers nothing until the test ends or the caller leaves.
func hangUp(w http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
}

// halfBody promises more than it sends.
func halfBody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"errcode":0,`)
}
