package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/officialaccount"
	"github.com/silenceper/wechat/v2/officialaccount/config"
	"github.com/silenceper/wechat/v2/officialaccount/message"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// pgbench is what PostgreSQL itself takes of one-row inserts of a text like those
// that residents write, prepared, from as many clients.
func (b *bench) pgbench(ctx context.Context) (float64, error) {
	conn, err := pgx.Connect(ctx, b.Stores.Postgres)
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS proof_insert (id bigserial PRIMARY KEY, body text NOT NULL)"); err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	script := filepath.Join(b.Dir, "insert.sql")
	if err := os.WriteFile(script, []byte("INSERT INTO proof_insert (body) VALUES ('"+ground.Words(1)+"');\n"), 0o600); err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	cmd := exec.CommandContext(ctx, "pgbench", //nolint:gosec // our own numbers and file
		"-n", "-M", "prepared", "-c", strconv.Itoa(connections), "-j", "2", "-T", strconv.Itoa(int(b.each/time.Second)), "-f", script, conn.Config().Database)
	c := conn.Config()
	cmd.Env = append(os.Environ(), "PGHOST="+c.Host, "PGPORT="+strconv.Itoa(int(c.Port)), "PGUSER="+c.User, "PGPASSWORD="+c.Password)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("bench: pgbench: %w: %s", err, out)
	}
	m := regexp.MustCompile(`tps = ([0-9.]+) \(without`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("bench: pgbench said %s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// echoArg has this program be the bare SDK at an address.
const echoArg = "-be-the-sdk"

// echo is the SDK's own webhook handler, which answers with what was said and keeps
// nothing.
func echo(address string) error {
	appID, token, aesKey := ground.Account()
	account := officialaccount.NewOfficialAccount(&config.Config{AppID: appID, Token: token, EncodingAESKey: aesKey, Cache: cache.NewMemory()})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server := account.GetServer(r, w)
		server.SetMessageHandler(func(m *message.MixMessage) *message.Reply {
			return &message.Reply{MsgType: message.MsgTypeText, MsgData: message.NewText(m.Content)}
		})
		if err := server.Serve(); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if err := server.Send(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// echoing is that program as a process.
type echoing struct {
	address string
	cmd     *exec.Cmd
	log     bytes.Buffer
}

func (b *bench) startEcho() (*echoing, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	e := &echoing{address: listener.Addr().String()}
	_ = listener.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	e.cmd = exec.Command(self, echoArg, e.address) //nolint:gosec // ourselves
	e.cmd.Stderr, e.cmd.Stdout = &e.log, io.Discard
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	for range 500 {
		conn, err := net.Dial("tcp", e.address)
		if err == nil {
			return e, conn.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	e.stop()
	return nil, fmt.Errorf("bench: the bare SDK does not listen: %s", e.log.String())
}

func (e *echoing) stop() {
	_ = e.cmd.Process.Kill()
	_ = e.cmd.Wait()
}

// rate is how many messages a second it echoes, of the same kind and over as many
// connections.
func (e *echoing) rate(ctx context.Context, most time.Duration) (float64, error) {
	calls, err := ground.Residents(0, int64(most/time.Second)*20_000, time.Now())
	if err != nil {
		return 0, err
	}
	answers, took := ground.Hammer(ctx, []string{e.address}, calls, connections, 0, most)
	for i := range answers {
		if a := &answers[i]; i%1000 == 0 && a.Text() != a.Call.Text {
			return 0, fmt.Errorf("bench: the bare SDK echoes %q as %q: %w", a.Call.Text, a.Text(), a.Err)
		}
	}
	return float64(len(answers)) / took.Seconds(), nil
}

// drained waits until what an intake left to be done is done, so that it does not
// disturb what is measured next.
func (b *bench) drained(ctx context.Context) error {
	options, err := redis.ParseURL(b.Stores.Redis)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	c := redis.NewClient(options)
	defer c.Close()
	for began := time.Now(); time.Since(began) < 3*time.Minute; {
		var left int64
		for _, q := range []string{"urgent", "push", "stage"} {
			n, err := c.XLen(ctx, "wd:{"+ground.Community+"}:q:"+q).Result()
			if err != nil {
				return fmt.Errorf("bench: %w", err)
			}
			left += n
		}
		if left == 0 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("bench: pushes are still queued after three minutes")
}

// cpu is how many seconds of a core each kind of process has used so far.
func (b *bench) cpu() (map[string]float64, error) {
	used := map[string]float64{}
	redisPIDs, err := b.Stores.PIDs("redis")
	if err != nil {
		return nil, err
	}
	postgresPIDs, err := b.Stores.PIDs("postgres")
	if err != nil {
		return nil, err
	}
	for name, pids := range map[string][]int{"desk": {b.Replicas[0].PID()}, "redis": redisPIDs, "postgres": postgresPIDs, "load": {os.Getpid()}} {
		for _, pid := range pids {
			s, err := cpuOf(pid)
			if err != nil {
				return nil, err
			}
			used[name] += s
		}
	}
	return used, nil
}

// cpuOf reads a process's time and that of its children that have ended.
func cpuOf(pid int) (float64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil // it has ended
	}
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var ticks float64
	for _, i := range []int{11, 12, 13, 14} { // utime, stime, cutime, cstime
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		ticks += n
	}
	return ticks / 100, nil // USER_HZ is 100 on Linux
}
