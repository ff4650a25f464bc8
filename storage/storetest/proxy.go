package storetest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a test and a store, so that the test can take the store away,
// make it slow, and give it back. It begins healed. Its methods may be called from
// any goroutine.
type Proxy struct {
	network string // of the store: tcp or unix
	address string
	dir     string
	socket  string
	url     string

	mu       sync.Mutex
	listener net.Listener // nil while cut
	links    map[*link]struct{}
	requests chan struct{} // closed while requests flow
	answers  chan struct{} // closed while answers flow
	delay    time.Duration
	failed   error
	running  sync.WaitGroup
}

// link is one connection through the proxy.
type link struct {
	client, store net.Conn
	done          chan struct{}
	end           sync.Once
}

func (l *link) close() {
	l.end.Do(func() {
		close(l.done)
		_ = l.client.Close()
		_ = l.store.Close()
	})
}

// postgresPort is only part of the name of PostgreSQL's socket.
const postgresPort = "5432"

// Cut puts a proxy in front of the store at target, a URL of PostgreSQL (postgres://)
// or Redis (redis://, unix://). It ends with the test.
func Cut(t testing.TB, target string) *Proxy {
	t.Helper()
	p, err := Between(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("ending the proxy: %v", err)
		}
	})
	return p
}

// Between is Cut for who has no test: it ends with Close.
func Between(target string) (*Proxy, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("the target of the proxy is not a URL")
	}
	// Directly under /tmp: the path of a socket is at most 107 bytes long.
	dir, err := os.MkdirTemp("/tmp", "wishdesk-proxy-")
	if err != nil {
		return nil, err
	}
	p := &Proxy{dir: dir, links: map[*link]struct{}{}, requests: flowing(), answers: flowing()}
	switch u.Scheme {
	case "postgres", "postgresql":
		p.behindPostgres(u)
	case "redis", "unix":
		p.behindRedis(u)
	default:
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("the proxy knows no stores of the kind %q", u.Scheme)
	}
	p.Heal()
	return p, nil
}

// Close ends the proxy and every connection through it. The error tells of a
// socket that it could not open since, too.
func (p *Proxy) Close() error {
	p.Cut()
	p.running.Wait() // after which nobody writes what failed
	return errors.Join(p.failed, os.RemoveAll(p.dir))
}

// behindPostgres reads the store's address from u and makes the proxy's own URL of it.
func (p *Proxy) behindPostgres(u *url.URL) {
	query := u.Query()
	host, port := u.Hostname(), u.Port()
	if query.Get("host") != "" {
		host = query.Get("host")
	}
	if query.Get("port") != "" {
		port = query.Get("port")
	}
	if port == "" {
		port = "5432"
	}
	if strings.HasPrefix(host, "/") {
		p.network, p.address = "unix", filepath.Join(host, ".s.PGSQL."+port)
	} else {
		p.network, p.address = "tcp", net.JoinHostPort(host, port)
	}
	p.socket = filepath.Join(p.dir, ".s.PGSQL."+postgresPort)
	query.Set("host", p.dir)
	query.Set("port", postgresPort)
	mine := url.URL{Scheme: u.Scheme, User: u.User, Path: u.Path, RawQuery: query.Encode()}
	p.url = mine.String()
}

// behindRedis does the same for Redis. The number of the database stands in the path
// of a redis URL and in the query of a unix URL.
func (p *Proxy) behindRedis(u *url.URL) {
	query := u.Query()
	if u.Scheme == "unix" {
		p.network, p.address = "unix", u.Path
	} else {
		port := u.Port()
		if port == "" {
			port = "6379"
		}
		p.network, p.address = "tcp", net.JoinHostPort(u.Hostname(), port)
		if number := strings.Trim(u.Path, "/"); number != "" {
			query.Set("db", number)
		}
	}
	p.socket = filepath.Join(p.dir, "redis.sock")
	mine := url.URL{Scheme: "unix", User: u.User, Path: p.socket, RawQuery: query.Encode()}
	p.url = mine.String()
}

// URL is the store's URL by way of the proxy, of the target's kind.
func (p *Proxy) URL() string { return p.url }

// Cut takes the store away: every connection breaks, and none can be made.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return
	}
	_ = p.listener.Close() // which removes the socket, too
	p.listener = nil
	for l := range p.links {
		l.close()
	}
	clear(p.links)
}

// Stall lets connections stand, and be made, but nothing comes through either way
// until Heal or Cut.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests, p.answers = stopped(p.requests), stopped(p.answers)
}

// StallAnswers lets requests through and holds back the answers: the store does
// what it is told and nobody hears of it. Cut after it loses those answers for ever.
func (p *Proxy) StallAnswers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = stopped(p.answers)
}

// Slow holds up every piece that comes through, each way, for d.
func (p *Proxy) Slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Heal undoes Cut, Stall, StallAnswers and Slow. What was held back goes through.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = 0
	if !isFlowing(p.requests) {
		close(p.requests)
	}
	if !isFlowing(p.answers) {
		close(p.answers)
	}
	if p.listener != nil {
		return
	}
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		p.failed = errors.Join(p.failed, fmt.Errorf("the proxy could not listen: %w", err))
		return
	}
	p.listener = listener
	p.running.Go(func() { p.accept(listener) })
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				p.mu.Lock()
				p.failed = errors.Join(p.failed, fmt.Errorf("the proxy could not accept: %w", err))
				p.mu.Unlock()
			}
			return
		}
		store, err := net.Dial(p.network, p.address)
		if err != nil {
			_ = client.Close() // the store itself is away: so it looks from here
			continue
		}
		l := &link{client: client, store: store, done: make(chan struct{})}
		if !p.add(listener, l) {
			l.close()
			return
		}
		p.running.Go(func() { p.carry(l, store, client, p.requestsFlow) })
		p.running.Go(func() { p.carry(l, client, store, p.answersFlow) })
	}
}

// add is false when the proxy was cut since the listener accepted.
func (p *Proxy) add(listener net.Listener, l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != listener {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) carry(l *link, to, from net.Conn, state func() (<-chan struct{}, time.Duration)) {
	defer func() {
		l.close()
		p.mu.Lock()
		delete(p.links, l)
		p.mu.Unlock()
	}()
	piece := make([]byte, 32*1024)
	for {
		n, err := from.Read(piece)
		if n > 0 && !p.passes(l, state) {
			return
		}
		if _, wrote := to.Write(piece[:n]); err != nil || wrote != nil {
			return
		}
	}
}

// passes waits until pieces flow, and is false when the link ended first.
func (p *Proxy) passes(l *link, state func() (<-chan struct{}, time.Duration)) bool {
	for {
		flows, delay := state()
		if delay > 0 {
			timer := time.NewTimer(delay)
			select {
			case <-timer.C:
			case <-l.done:
				timer.Stop()
				return false
			}
		}
		select {
		case <-flows:
		case <-l.done:
			return false
		}
		// Stalled anew in the meantime? Then this piece waits again.
		if again, _ := state(); isFlowing(again) {
			return true
		}
	}
}

func (p *Proxy) requestsFlow() (<-chan struct{}, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests, p.delay
}

func (p *Proxy) answersFlow() (<-chan struct{}, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answers, p.delay
}

func flowing() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// stopped gives a gate that is shut: c itself when it is shut already.
func stopped(c chan struct{}) chan struct{} {
	if isFlowing(c) {
		return make(chan struct{})
	}
	return c
}

func isFlowing(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
