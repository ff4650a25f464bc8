package storetest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Redis gives the URL, for redis.ParseURL, of an empty Redis server that is the
// test's own. Channels, scripts and FLUSHALL reach all of a server, so no two tests
// share one; starting it takes about 20 ms.
func Redis(t testing.TB) string {
	t.Helper()
	return RedisServer(t).URL()
}

// Server is a Redis server of one test, with its append-only file on, as in
// production. It ends with the test, and with the test's process however that ends.
// Its methods are for one goroutine at a time.
type Server struct {
	t     testing.TB
	dir   string
	more  []string // options besides the usual ones
	guard *guard
}

// startTimeout bounds a start of a store, on a busy machine too.
const startTimeout = 30 * time.Second

// RedisServer starts a Redis server for a test that takes it away.
func RedisServer(t testing.TB) *Server {
	t.Helper()
	return newServer(t, "--port", "0")
}

func newServer(t testing.TB, options ...string) *Server {
	t.Helper()
	// Directly under /tmp: the path of a socket is at most 107 bytes long.
	dir, err := os.MkdirTemp("/tmp", "wishdesk-redis-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, dir: dir, more: options}
	t.Cleanup(func() {
		s.Kill()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing Redis' data: %v", err)
		}
	})
	s.Restart()
	return s
}

// URL is the address of the server, for redis.ParseURL; it stays the same over
// Kill and Restart.
func (s *Server) URL() string { return "unix://" + s.socket() }

func (s *Server) socket() string { return filepath.Join(s.dir, "redis.sock") }

// Kill ends Redis as kill -9 does and returns when it is gone. What Redis had
// answered is in its append-only file. On a server that does not run it does nothing.
func (s *Server) Kill() {
	s.t.Helper()
	if s.guard == nil {
		return
	}
	s.guard.end(s.t)
	s.guard = nil
	if err := os.Remove(s.socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Errorf("removing the socket of the killed Redis: %v", err)
	}
}

// Hang stops the process of Redis: connections stand, and nothing answers until Go
// or Kill.
func (s *Server) Hang() { s.signal(syscall.SIGSTOP) }

// Go undoes Hang.
func (s *Server) Go() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "redis.pid"))
	pid, bad := strconv.Atoi(strings.TrimSpace(string(text)))
	if err = errors.Join(err, bad); err == nil {
		err = syscall.Kill(pid, sig)
	}
	if err != nil {
		s.t.Errorf("a signal to Redis: %v", err)
	}
}

// Restart starts Redis again after Kill, on the data that it had, and returns when
// it answers. On a server that runs it does Kill first.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatal("redis-server is not on the PATH: run make test, or scripts/with-stores.sh go test ./...")
	}
	s.guard = watch(s.t, s.dir, "KILL", nil, append([]string{
		redis, "--unixsocket", s.socket(), "--unixsocketperm", "700", "--dir", s.dir, "--pidfile", filepath.Join(s.dir, "redis.pid"),
		"--daemonize", "no", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
		"--maxmemory-policy", "noeviction",
	}, s.more...))
	for deadline := time.Now().Add(startTimeout); !s.answers(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("Redis did not answer within %v:\n%s", startTimeout, s.guard.said())
		}
	}
}

// answers asks Redis itself; while it loads its file it answers, but not PONG.
func (s *Server) answers() bool {
	conn, err := net.DialTimeout("unix", s.socket(), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && line == "+PONG\r\n"
}
