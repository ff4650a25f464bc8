package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pair is a PostgreSQL server and its hot standby, of one test: the standby follows by
// streaming over loopback, and the primary answers a commit when the standby has it on
// disk. Its methods are for one goroutine at a time.
type Pair struct {
	t        testing.TB
	as       *syscall.Credential // PostgreSQL refuses to run as root
	password string
	primary  *member
	standby  *member
}

type member struct {
	data  string
	port  int
	guard *guard
}

// pairUser is the superuser of both servers.
const pairUser = "wishdesk"

// PostgresPair starts both; they end with the test. It takes about two seconds.
func PostgresPair(t testing.TB) *Pair {
	t.Helper()
	p := &Pair{t: t, as: notRoot(t), password: rand.Text()}
	p.primary, p.standby = p.member(), p.member()
	file := filepath.Join(filepath.Dir(p.primary.data), "password")
	p.must(os.WriteFile(file, []byte(p.password), 0o600))
	p.give(file)
	p.run("initdb", "-D", p.primary.data, "-U", pairUser, "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--pwfile", file, "--no-sync", "--no-instructions")
	p.start(p.primary)
	p.run("pg_basebackup", "-D", p.standby.data, "-R", "--checkpoint=fast", "--no-sync", "-d", p.url(p.primary.port)+"&application_name=standby")
	p.start(p.standby)
	p.execute(p.primary, "ALTER SYSTEM SET synchronous_standby_names = 'standby'")
	p.execute(p.primary, "SELECT pg_reload_conf()")
	p.eventually("the standby does not follow", func(ctx context.Context) bool {
		var sync string
		err := p.ask(ctx, p.primary, `SELECT sync_state FROM pg_stat_replication`, &sync)
		return err == nil && sync == "sync"
	})
	return p
}

// notRoot is the user postgres where we are root; nil where we are not.
func notRoot(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("PostgreSQL refuses to run as root: %v", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (p *Pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("the PostgreSQL servers: %v", err)
	}
}

// give makes a file PostgreSQL's.
func (p *Pair) give(path string) {
	p.t.Helper()
	if p.as != nil {
		p.must(os.Chown(path, int(p.as.Uid), int(p.as.Gid)))
	}
}

func (p *Pair) member() *member {
	p.t.Helper()
	// Directly under /tmp: PostgreSQL's user cannot pass through everything.
	dir, err := os.MkdirTemp("/tmp", "wishdesk-postgres-")
	p.must(err)
	p.give(dir)
	m := &member{data: filepath.Join(dir, "data"), port: freePort(p.t)}
	p.t.Cleanup(func() {
		p.stop(m)
		if err := os.RemoveAll(dir); err != nil {
			p.t.Errorf("removing PostgreSQL's data: %v", err)
		}
	})
	return m
}

// run runs a program of PostgreSQL's to its end.
func (p *Pair) run(program string, args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.program(program), args...) //nolint:gosec // PostgreSQL's own programs
	cmd.Dir = filepath.Dir(p.primary.data)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+p.password)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v: %s", program, err, out)
	}
}

func (p *Pair) program(name string) string {
	p.t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		p.t.Fatalf("%s is not on the PATH: run make test, or scripts/with-stores.sh go test ./...", name)
	}
	return path
}

func (p *Pair) start(m *member) {
	p.t.Helper()
	m.guard = watch(p.t, filepath.Dir(m.data), "QUIT", p.as, []string{
		p.program("postgres"), "-D", m.data, "-c", "port=" + strconv.Itoa(m.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=100", "-c", "timezone=UTC", // a crash of the processes loses nothing
	})
	p.eventually("PostgreSQL does not answer", func(ctx context.Context) bool {
		return p.ask(ctx, m, "SELECT 1", new(int)) == nil
	})
}

func (p *Pair) stop(m *member) {
	if m.guard != nil {
		m.guard.end(p.t)
		m.guard = nil
	}
}

func (p *Pair) eventually(otherwise string, holds func(context.Context) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), startTimeout)
	defer cancel()
	for !holds(ctx) {
		if ctx.Err() != nil {
			p.t.Fatalf("%s within %v; the primary said:\n%s\nthe standby:\n%s", otherwise, startTimeout, p.primary.said(), p.standby.said())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (m *member) said() []byte {
	if m.guard == nil {
		return nil
	}
	return m.guard.said()
}

func (p *Pair) ask(ctx context.Context, m *member, sql string, into any) error {
	conn, err := pgx.Connect(ctx, p.url(m.port))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return conn.QueryRow(ctx, sql).Scan(into)
}

func (p *Pair) execute(m *member, sql string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), housekeeping)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.url(m.port))
	p.must(err)
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	p.must(err)
}

func (p *Pair) url(ports ...int) string {
	var hosts []string
	for _, port := range ports {
		hosts = append(hosts, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return fmt.Sprintf("postgres://%s:%s@%s/postgres?sslmode=disable", pairUser, p.password, strings.Join(hosts, ","))
}

// URL is how the product's settings name both: whichever takes writes is used.
func (p *Pair) URL() string {
	return p.url(p.primary.port, p.standby.port) + "&target_session_attrs=read-write"
}

// Primary is the URL of the first primary alone.
func (p *Pair) Primary() string { return p.url(p.primary.port) }

// Standby is the URL of the standby alone.
func (p *Pair) Standby() string { return p.url(p.standby.port) }

// Part has the standby stop following: from then on no commit is answered, and the
// standby has none of them.
func (p *Pair) Part() {
	p.t.Helper()
	p.execute(p.standby, "ALTER SYSTEM SET primary_conninfo = ''")
	p.execute(p.standby, "SELECT pg_reload_conf()")
	p.eventually("the standby goes on following", func(ctx context.Context) bool {
		var left int
		return p.ask(ctx, p.primary, "SELECT count(*) FROM pg_stat_replication", &left) == nil && left == 0
	})
}

// KillPrimary is an immediate stop of the primary: what it had not written is gone.
func (p *Pair) KillPrimary() {
	p.t.Helper()
	p.stop(p.primary)
}

// Promote makes the standby take writes, and returns when it does.
func (p *Pair) Promote() {
	p.t.Helper()
	p.execute(p.standby, "SELECT pg_promote()")
}
