package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// plan is how long a run is.
type plan struct {
	rounds  int
	each    time.Duration // of one measure in a round
	short   bool
	tickets int64 // of the larger record, 0 for what is usual
	only    string
	profile string // a file for a CPU profile of the server during the intake
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == echoArg {
		if err := echo(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	short := flag.Bool("short", false, "one short round of each")
	only := flag.String("only", "", "only these parts, by comma: intake, latency, rest, replicas, loop, pushes, growth, steps")
	tickets := flag.Int64("tickets", 0, "how many tickets the larger record of growth has; 5 million, in short 50,000")
	profile := flag.String("profile", "", "a file for a CPU profile of the server during the intake")
	flag.Parse()
	p := plan{rounds: 5, each: 8 * time.Second, short: *short, tickets: *tickets, only: *only, profile: *profile}
	if p.short {
		p.rounds, p.each = 1, 2*time.Second
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// bench is a run: the field, and what was measured so far.
type bench struct {
	plan
	*ground.Field
	residents int64 // who have written so far
	lines     []figure
}

// figure is one measured value with what it means.
type figure struct {
	name, value, means string
}

func (b *bench) says(part string) bool {
	return b.only == "" || slices.Contains(strings.Split(b.only, ","), part)
}

// note keeps a figure and prints it at once: a run is long.
func (b *bench) note(name string, value float64, unit, means string) {
	digits := 0
	switch {
	case value < 10:
		digits = 3
	case value < 1000:
		digits = 1
	}
	f := figure{name, strconv.FormatFloat(value, 'f', digits, 64), strings.TrimSpace(unit + " " + means)}
	fmt.Printf("%s=%s\n", f.name, f.value)
	b.lines = append(b.lines, f)
}

func (b *bench) table() {
	fmt.Println()
	for _, l := range b.lines {
		fmt.Printf("%-32s %12s  %s\n", l.name, l.value, l.means)
	}
}

func run(ctx context.Context, p plan) error {
	root, err := ground.Root()
	if err != nil {
		return err
	}
	b := &bench{plan: p}
	usual := ground.Options{Replicas: 1, Crew: crew}
	many, bounded := usual, usual
	many.Crew, bounded.Limits = troupe, limited(b.perMinute())
	for _, part := range []struct {
		name string
		on   ground.Options
		do   func(context.Context) error
	}{
		{"intake", usual, b.intake}, {"latency", usual, b.latency}, {"rest", usual, b.rest}, {"replicas", usual, b.replicas},
		{"loop", many, b.loops}, {"pushes", bounded, b.pushes}, {"growth", usual, b.growth}, {"steps", ground.Options{}, b.steps},
	} {
		if !b.says(part.name) {
			continue
		}
		if err := b.on(ctx, root, part.on, part.do); err != nil {
			b.table()
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	b.table()
	return nil
}

// crew is how many workers the community has besides the demo's.
const crew = 600

// on does a part on a field of its own, so that none sees what another left behind; one
// without replicas needs none.
func (b *bench) on(ctx context.Context, root string, o ground.Options, part func(context.Context) error) (err error) {
	if o.Replicas == 0 {
		return part(ctx)
	}
	if b.profile != "" {
		o.Patches = profiled
	}
	if b.Field, err = ground.Lay(ctx, root, o); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, b.Close())
		if err == nil {
			err = os.RemoveAll(b.Dir)
		}
	}()
	b.residents = 0
	return part(ctx)
}

// median is the middle of several, the lower of two.
func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[(len(all)-1)/2]
}
