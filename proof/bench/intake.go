package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// connections that the load comes over, as the platform's own servers would keep them.
const connections = 64

// filed is an answer that gives a number: understood, decided, committed.
var filed = regexp.MustCompile(`编号 ?\d+`)

// load is what came of a round.
type load struct {
	rate    float64 // answers with a number, a second
	proper  float64 // their share
	took    []time.Duration
	example string // of an answer without a number
}

// write has new residents write, n at most, for as long as a round.
func (b *bench) write(ctx context.Context, addresses []string, n int64, rate float64, most time.Duration) (load, error) {
	calls, err := ground.Residents(b.residents, n, time.Now())
	if err != nil {
		return load{}, err
	}
	b.residents += n
	answers, took := ground.Hammer(ctx, addresses, calls, connections, rate, most)
	var l load
	good := 0
	for i := range answers {
		a := &answers[i]
		l.took = append(l.took, a.Took)
		if text := a.Text(); filed.MatchString(text) {
			good++
		} else {
			l.example = fmt.Sprintf("%q → %q %v", a.Call.Text, text, a.Err)
		}
	}
	slices.Sort(l.took)
	l.rate, l.proper = float64(good)/took.Seconds(), float64(good)/float64(max(1, len(answers)))
	return l, nil
}

func (l *load) percentile(p float64) float64 {
	if len(l.took) == 0 {
		return 0
	}
	return float64(l.took[min(int(p*float64(len(l.took))), len(l.took)-1)]) / float64(time.Millisecond)
}

func (b *bench) addresses() (all []string) {
	for _, r := range b.Replicas {
		all = append(all, r.Addr)
	}
	return all
}

// warm has people write before it counts, and PostgreSQL look at what its tables hold
// by now, as autovacuum has it do each minute: the plans for empty tables are bad ones.
func (b *bench) warm(ctx context.Context) error {
	if _, err := b.write(ctx, b.addresses(), 2000, 0, b.each); err != nil {
		return err
	}
	if err := b.drained(ctx); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, b.Stores.Postgres)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// enough is how many messages a round may need.
func (b *bench) enough() int64 { return int64(b.each/time.Second) * 6000 }

// intake measures messages from their encryption to their encrypted answer, committed,
// beside pgbench and the bare SDK, in turn.
func (b *bench) intake(ctx context.Context) error {
	echoing, err := b.startEcho()
	if err != nil {
		return err
	}
	defer echoing.stop()
	var ours, rows, echoes, proper []float64
	if err := b.warm(ctx); err != nil {
		return err
	}
	used := map[string]float64{} // by the messages alone, not by what they are measured beside
	var messages float64
	for round := range b.rounds {
		if b.profile != "" && round == 0 {
			for _, kind := range []string{"profile", "allocs", "block", "mutex"} {
				go func() {
					if err := b.takeProfile(ctx, kind, b.each); err != nil {
						fmt.Println(err)
					}
				}()
			}
		}
		before, err := b.cpu()
		if err != nil {
			return err
		}
		l, err := b.write(ctx, b.addresses(), b.enough(), 0, b.each)
		if err != nil {
			return err
		}
		if l.proper < 0.99 {
			fmt.Printf("only %.1f%% got a number: %s\n", 100*l.proper, l.example)
		}
		ours, proper, messages = append(ours, l.rate), append(proper, 100*l.proper), messages+float64(len(l.took))
		if err := b.drained(ctx); err != nil {
			return err
		}
		after, err := b.cpu()
		if err != nil {
			return err
		}
		for name := range after {
			used[name] += after[name] - before[name]
		}
		tps, err := b.pgbench(ctx)
		if err != nil {
			return err
		}
		n, err := echoing.rate(ctx, b.each)
		if err != nil {
			return err
		}
		rows, echoes = append(rows, tps), append(echoes, n)
	}
	b.note("intake_rps", median(ours), "/s", "encrypted message to encrypted answer, committed; 64 connections")
	b.note("intake_proper", median(proper), "%", "of them with a number")
	b.note("pgbench_insert_tps", median(rows), "/s", "one row of the same text, 64 clients, the same PostgreSQL")
	b.note("sdk_echo_rps", median(echoes), "/s", "the bare SDK, which stores nothing")
	b.note("intake_vs_pgbench", median(ours)/median(rows), "", "")
	b.note("intake_vs_sdk_echo", median(ours)/median(echoes), "", "")
	for _, name := range slices.Sorted(maps.Keys(used)) {
		b.note("intake_cpu_"+name+"_us", used[name]*1e6/messages, "µs", "of a core for each message, its pushes included")
	}
	m, err := memory(b.Replicas[0].PID())
	if err != nil {
		return err
	}
	b.note("memory_after_load_mb", m.all, "MB", "resident, of the process")
	b.note("memory_after_load_own_mb", m.own, "MB", "of it, what the process made; the rest are its program's pages")
	b.note("memory_most_mb", m.most, "MB", "the most that was resident under load")
	return nil
}

// latency measures answers at half of what the intake takes, each from the moment it
// should have been sent.
func (b *bench) latency(ctx context.Context) error {
	if err := b.warm(ctx); err != nil {
		return err
	}
	l, err := b.write(ctx, b.addresses(), b.enough(), 0, b.each)
	if err != nil {
		return err
	}
	if err := b.drained(ctx); err != nil {
		return err
	}
	half := l.rate / 2
	var p50, p99 []float64
	for range b.rounds {
		l, err := b.write(ctx, b.addresses(), int64(half*b.each.Seconds()), half, 2*b.each)
		if err != nil {
			return err
		}
		p50, p99 = append(p50, l.percentile(0.5)), append(p99, l.percentile(0.99))
		if err := b.drained(ctx); err != nil {
			return err
		}
	}
	b.note("intake_half_rps", half, "/s", "half of the load, at which is measured")
	b.note("intake_p50_ms", median(p50), "ms", "")
	b.note("intake_p99_ms", median(p99), "ms", "")
	return nil
}

// settles is how long a fresh process is left alone before its memory is read.
const settles = 5 * time.Second

// rest measures a fresh process that nobody writes to: how long until it is ready, and
// its memory.
func (b *bench) rest(ctx context.Context) error {
	var ready, all, own []float64
	for range b.rounds {
		r := b.Replicas[0]
		if err := r.End(15); err != nil {
			return err
		}
		began := time.Now()
		if err := r.Start(); err != nil {
			return err
		}
		if err := r.Ready(ctx); err != nil {
			return err
		}
		ready = append(ready, float64(time.Since(began))/float64(time.Millisecond))
		wait(ctx, settles)
		m, err := memory(r.PID())
		if err != nil {
			return err
		}
		all, own = append(all, m.all), append(own, m.own)
	}
	b.note("start_ms", median(ready), "ms", "from the start of the process until it is ready")
	b.note("memory_rest_mb", median(all), "MB", "resident, five seconds later")
	b.note("memory_rest_own_mb", median(own), "MB", "of it, what the process made; the rest are its program's pages")
	return nil
}

// replicas measures the intake of two processes against one, over the same stores.
func (b *bench) replicas(ctx context.Context) error {
	second, err := b.Add()
	if err != nil {
		return err
	}
	if err := b.Ready(ctx); err != nil {
		return err
	}
	var one, two []float64
	if err := b.warm(ctx); err != nil {
		return err
	}
	for range b.rounds {
		l, err := b.write(ctx, []string{b.Replicas[0].Addr}, b.enough(), 0, b.each)
		if err != nil {
			return err
		}
		one = append(one, l.rate)
		if err := b.drained(ctx); err != nil {
			return err
		}
		if l, err = b.write(ctx, []string{b.Replicas[0].Addr, second.Addr}, b.enough(), 0, b.each); err != nil {
			return err
		}
		two = append(two, l.rate)
		if err := b.drained(ctx); err != nil {
			return err
		}
	}
	b.note("replicas_2_vs_1", median(two)/median(one), "", "intake of two processes against one, on the same cores")
	return nil
}

// resident is a process's memory in MB: all, what is its own (not pages of its program,
// which processes share and the system may take back), and the most so far.
type resident struct{ all, own, most float64 }

func memory(pid int) (resident, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return resident{}, fmt.Errorf("bench: memory is read from /proc: %w", err)
	}
	var m resident
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*float64{"VmRSS": &m.all, "RssAnon": &m.own, "VmHWM": &m.most}[name]
		if into == nil {
			continue
		}
		kb, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
		if err != nil {
			return m, fmt.Errorf("bench: %w", err)
		}
		*into = kb / 1024
	}
	if m.all == 0 {
		return m, fmt.Errorf("bench: process %d has no memory", pid)
	}
	return m, nil
}
