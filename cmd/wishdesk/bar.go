package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// bar shows how far something is: drawn over itself on a terminal, a line at
// every tenth elsewhere.
type bar struct {
	mu       sync.Mutex
	out      io.Writer
	doing    string
	terminal bool
	shown    int64
	last     time.Time
}

func newBar(out io.Writer, doing string) *bar {
	b := &bar{out: out, doing: doing, shown: -1}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

func (b *bar) show(done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	percent := done * 100 / total
	if b.terminal {
		if percent == b.shown || time.Since(b.last) < 100*time.Millisecond {
			return
		}
		b.shown, b.last = percent, time.Now()
		_, _ = fmt.Fprintf(b.out, "\r%s [%-40s] %3d%%", b.doing, strings.Repeat("=", int(percent*40/100)), percent)
		return
	}
	if tenth := percent / 10; tenth > b.shown {
		b.shown = tenth
		_, _ = fmt.Fprintf(b.out, "%s %d%%\n", b.doing, percent)
	}
}

func (b *bar) done() {
	if b.terminal {
		_, _ = fmt.Fprintf(b.out, "\r%s [%s] 100%%\n", b.doing, strings.Repeat("=", 40))
	}
}
