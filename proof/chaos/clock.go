package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// clockPatches have the servers go by a clock that the proof can set wrong.
func clockPatches() []ground.Patch {
	return []ground.Patch{
		{File: "cmd/wishdesk/serve.go", Text: map[string]string{"newServer(ctx, s, accounts, clockwork.NewRealClock(),": "newServer(ctx, s, accounts, wrongClock(ctx, clockwork.NewRealClock()),"}},
		{File: "cmd/wishdesk/wrongclock.go", Text: map[string]string{"": `package main

import (
	"context"
	"os"
	"path/filepath"
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
			if text, err := os.ReadFile(filepath.Join(os.Getenv("PROOF_DIR"), "clock")); err == nil {
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

// setClocks makes the servers' clocks wrong by d.
func setClocks(f *ground.Field, d time.Duration) error {
	file := filepath.Join(f.Dir, "clock")
	if err := os.WriteFile(file+".new", []byte(strconv.Itoa(int(d/time.Second))), 0o600); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	return os.Rename(file+".new", file)
}
