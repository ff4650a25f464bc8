package storetest

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func client(t *testing.T, url string) (*redis.Client, context.Context) {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries, options.DialerRetries = -1, 1
	options.ContextTimeoutEnabled = true
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	t.Cleanup(cancel)
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c, ctx
}

func TestRedisIsTheTestsOwn(t *testing.T) {
	first, ctx := client(t, Redis(t))
	second, _ := client(t, Redis(t))
	if err := first.Set(ctx, "key", "mine", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := second.Get(ctx, "key").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("the second server has the first one's key: %v", err)
	}
}

func TestRedisKeepsOverAKillWhatItAnswered(t *testing.T) {
	s := RedisServer(t)
	c, ctx := client(t, s.URL())
	if err := c.Set(ctx, "key", "kept", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := c.Get(ctx, "key").Err(); err == nil {
		t.Fatal("a killed Redis answered")
	}
	s.Kill() // nothing more to kill
	for range 2 {
		s.Restart() // the second time of a server that runs
		got, err := c.Get(ctx, "key").Result()
		if err != nil || got != "kept" {
			t.Fatalf("after the restart: %q, %v", got, err)
		}
	}
}

// orphanEnv makes the test binary a process that starts a Redis and waits to be killed.
const orphanEnv = "STORETEST_ORPHAN"

func TestRedisEndsWithAKilledTestProcess(t *testing.T) {
	if os.Getenv(orphanEnv) != "" {
		s := RedisServer(t)
		_, _ = os.Stdout.WriteString("socket " + s.socket() + "\n")
		select {}
	}
	process := exec.Command(os.Args[0], "-test.run", "^TestRedisEndsWithAKilledTestProcess$")
	process.Env = append(os.Environ(), orphanEnv+"=yes")
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	var socket string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var found bool
		if socket, found = strings.CutPrefix(lines.Text(), "socket "); found {
			break
		}
	}
	alive := (&Server{t: t, dir: filepath.Dir(socket)}).answers()
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed
	if !alive {
		t.Fatal("the other process's Redis never answered")
	}
	for deadline := time.Now().Add(soon); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Dir(socket)); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("Redis and its data outlived the test process that started it")
		}
	}
}
