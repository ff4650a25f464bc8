package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wishdesk/wishdesk/proof/ground"
)

// plan is how long and how hard a run is.
type plan struct {
	hold   time.Duration // of each fault
	pause  time.Duration // between two
	rate   int64         // reports a second
	outage int64         // reports a second in the phases of an outage
	outfor time.Duration // how long those hold
	settle time.Duration // at most, until everything that is owed has been done
	only   string        // phases whose names hold this
	broken bool          // play the mutations first
	disk   int           // megabytes

	tickets int64 // of the older record that is migrated
	every   bool  // break off at each of its statements
}

func main() {
	short := flag.Bool("short", false, "each fault for a moment")
	verbose := flag.Bool("v", false, "print one example of every kind of answer in every phase")
	only := flag.String("only", "", "only the phases whose names hold this, after a calm one")
	broken := flag.Bool("broken", true, "first break the product on purpose, and see the judge find it")
	disk := flag.Int("disk", 2048, "megabytes of the stores' own disk, which is filled up; 0 where mounting is not allowed")
	flag.Parse()
	sayAll = *verbose
	p := plan{hold: 12 * time.Second, pause: 6 * time.Second, rate: 30, outage: 200, outfor: 30 * time.Second, settle: 4 * time.Minute, only: *only, broken: *broken && *only == "", disk: *disk, tickets: 20000, every: true}
	if *short {
		p = plan{hold: 2 * time.Second, pause: time.Second, rate: 15, outage: 40, outfor: 4 * time.Second, settle: 3 * time.Minute, only: *only, broken: *broken && *only == "", disk: *disk, tickets: 2000}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := prove(ctx, p, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		stop()
		os.Exit(1)
	}
}

// prove runs the script and prints what came of it; the error says what was not kept.
func prove(ctx context.Context, p plan, out io.Writer) error {
	root, err := ground.Root()
	if err != nil {
		return err
	}
	say := func(format string, a ...any) { _, _ = fmt.Fprintf(out, format+"\n", a...) }
	if p.broken {
		if err := breakAll(ctx, root, say); err != nil {
			return err
		}
	}
	if p.only == "" || strings.Contains("overload", p.only) {
		say("== overload")
		v, err := overload(ctx, root, p, say)
		if err != nil {
			return err
		}
		say("%s", v)
		if err := wrong(v); err != nil {
			return err
		}
	}
	if p.only == "" || strings.Contains("restore", p.only) {
		say("== restore")
		if err := restore(ctx, root, p, say); err != nil {
			return err
		}
	}
	if p.only == "" || strings.Contains("migration", p.only) {
		say("== migration")
		if err := migration(ctx, root, p, say); err != nil {
			return err
		}
	}
	if p.only == "overload" || p.only == "restore" || p.only == "migration" {
		return nil
	}
	say("== faults")
	f, err := ground.Lay(ctx, root, layout(p.disk))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		say("THE DISK IS NOT FILLED UP: that needs the right to mount one (run it as root on Linux)")
		p.disk = 0
		f, err = ground.Lay(ctx, root, layout(0))
	}
	if err != nil {
		return err
	}
	v, kept, err := play(ctx, f, p, script(), say)
	logs := f.Dir
	err = errors.Join(err, f.Close())
	if err != nil {
		return err
	}
	if kept == nil && v.clean() {
		_ = os.RemoveAll(logs)
		say("%s", v)
		return nil
	}
	say("the replicas' logs: %s/replica-*.log", logs)
	say("%s", v)
	return errors.Join(kept, wrong(v))
}

func wrong(v *verdict) error {
	if v.clean() {
		return nil
	}
	return errors.New("something was lost, duplicated, stuck or never told")
}

// play has people write while the script runs, waits until everything owed is done,
// and judges. kept says which phases did not answer as they promise.
func play(ctx context.Context, f *ground.Field, p plan, faults []fault, say func(string, ...any)) (v *verdict, kept, err error) {
	reader, err := newReader(f.Root)
	if err != nil {
		return nil, nil, err
	}
	h := &history{}
	c := newCrowd(f.Platform, h, reader, f.Workers)
	c.rate.Store(p.rate)
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { c.run(running); close(ended) }()
	promised := map[string]float64{}
	for _, fault := range faults {
		if p.only != "" && fault.name != "calm" && !strings.Contains(fault.name, p.only) {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		promised[fault.name] = fault.least
		took, err := phase(ctx, f, p, h, c, fault)
		if err != nil {
			stop()
			<-ended
			return nil, nil, fmt.Errorf("%s: %w", fault.name, err)
		}
		if fault.carried {
			say("%s: what was kept was carried over in %s", fault.name, took.Round(100*time.Millisecond))
			if most := max(carryOver, p.outfor); took > most {
				kept = errors.Join(kept, fmt.Errorf("%s: what was kept took %s, promised are %s", fault.name, took.Round(time.Second), most))
			}
		}
	}
	c.rate.Store(0)
	h.enter("the end")
	r, now, err := settle(ctx, f, c, p.settle)
	stop()
	<-ended
	if err != nil {
		return nil, nil, err
	}
	all := h.list()
	v = judge(all, r, phonesOf(f.Platform), reader, now)
	return v, errors.Join(kept, tell(v, all, promised, say)), nil
}

// phase is one fault, and the calm after it. carried is how long what was kept
// meanwhile waited for the record.
func phase(ctx context.Context, f *ground.Field, p plan, h *history, c *crowd, fault fault) (carried time.Duration, err error) {
	h.enter(fault.name)
	hold := p.hold
	if fault.load {
		c.rate.Store(p.outage)
		hold = p.outfor
	}
	if fault.begin != nil {
		if err := fault.begin(ctx, f); err != nil && !(errors.Is(err, ground.ErrNoDisk) && p.disk == 0) {
			return 0, err
		}
	}
	wait(ctx, hold)
	c.rate.Store(p.rate)
	if fault.end != nil {
		if err := fault.end(ctx, f); err != nil {
			return 0, err
		}
	}
	if fault.carried {
		if carried, err = carriedOver(ctx, f); err != nil {
			return carried, err
		}
	}
	h.enter("after: " + fault.name)
	for _, r := range f.Replicas {
		ready, cancel := context.WithTimeout(ctx, time.Minute)
		err := r.Ready(ready)
		cancel()
		if err != nil {
			return carried, err
		}
	}
	wait(ctx, p.pause)
	return carried, nil
}

// carriedOver waits until no message of an outage is left in Redis.
func carriedOver(ctx context.Context, f *ground.Field) (time.Duration, error) {
	options, err := redis.ParseURL(f.Stores.Redis)
	if err != nil {
		return 0, fmt.Errorf("chaos: %w", err)
	}
	c := redis.NewClient(options)
	defer c.Close()
	began := time.Now()
	for time.Since(began) < 2*time.Minute && ctx.Err() == nil {
		tasks, err := c.XRange(ctx, "wd:{"+ground.Community+"}:q:stage", "-", "+").Result()
		if err != nil {
			return 0, fmt.Errorf("chaos: %w", err)
		}
		if !slices.ContainsFunc(tasks, func(m redis.XMessage) bool {
			queued, _, _ := strings.Cut(m.ID, "-")
			ms, _ := strconv.ParseInt(queued, 10, 64)
			return m.Values["kind"] == "message" && time.UnixMilli(ms).Before(began)
		}) {
			break
		}
		wait(ctx, 100*time.Millisecond)
	}
	return time.Since(began), nil
}

// settle waits until nothing is queued and nothing owed that is due, and reads the
// record. Workers and raters go on until then, or for a while, then rest: what is said
// after the record was read could not be judged.
func settle(ctx context.Context, f *ground.Field, c *crowd, most time.Duration) (*record, time.Time, error) {
	began := time.Now()
	var r *record
	for quiet := 0; ; {
		if quiet > 0 || time.Since(began) > most/4 {
			c.mute.Store(true)
		}
		resting := c.mute.Load() && c.saying.Load() == 0
		var err error
		if r, err = readRecord(ctx, f.Stores.Postgres, f.Stores.Redis, ground.Community); err != nil {
			return nil, time.Time{}, err
		}
		switch {
		case r.busy(time.Now()):
			quiet = 0
		case quiet == 0 || resting:
			quiet++
		}
		if quiet > 3 {
			return r, time.Now(), nil
		}
		if time.Since(began) > most || ctx.Err() != nil {
			return r, time.Now(), nil // the judge will say what is stuck
		}
		wait(ctx, time.Second)
	}
}

// busy tells whether something is still to be done that is due or soon will be.
func (r *record) busy(now time.Time) bool {
	for _, n := range r.queued {
		if n > 0 {
			return true
		}
	}
	for _, p := range r.pushes {
		if p.Status == "sending" || p.Status == "owed" && p.NextTry.Sub(now) < 70*time.Second {
			return true
		}
	}
	return false
}

// sayAll has tell print examples.
var sayAll bool

// tell prints how each phase was answered and what is wrong, and gives what was
// promised and not kept.
func tell(v *verdict, all []said, promised map[string]float64, say func(string, ...any)) error {
	var kept error
	say("%-62s %6s %6s %6s %7s %7s %7s %6s %8s %8s %8s", "phase", "sent", "done", "later", "perhaps", "refused", "no answer", "other", "proper", "p50", "p99")
	for _, t := range tallies(all) {
		say("%-62s %6d %6d %6d %7d %7d %9d %6d %7.2f%% %8s %8s", t.phase, t.n, t.by[told], t.by[later], t.by[perhaps], t.by[refused], t.by[unavailable], t.by[other],
			100*t.proper(), t.percentile(0.5).Round(time.Millisecond), t.percentile(0.99).Round(time.Millisecond))
		if sayAll {
			seen := map[class]bool{told: true}
			for _, s := range all {
				if s.Phase == t.phase && !seen[s.Class] {
					seen[s.Class] = true
					say("    %s: %q → %.120q", s.Class, s.Text, s.Reply)
				}
			}
		}
		if least := promised[t.phase]; t.proper() < least {
			kept = errors.Join(kept, fmt.Errorf("%s: %.2f%% got a proper answer within 5 s, promised are %.1f%%", t.phase, 100*t.proper(), 100*least))
		}
	}
	for _, list := range []struct {
		name  string
		lines []string
	}{{"lost", v.lost}, {"duplicated", v.duplicated}, {"stuck", v.stuck}, {"missing", v.missing}} {
		for i, line := range list.lines {
			if i == 10 {
				say("%s: and %d more", list.name, len(list.lines)-i)
				break
			}
			say("%s: %s", list.name, line)
		}
	}
	say("%d tickets, %d events, %d messages on phones, %d pushes wait for their time", v.tickets, v.events, v.pushesToPhones, v.waiting)
	return kept
}

// layout is two replicas behind proxies, on a disk of so many megabytes.
func layout(disk int) ground.Options {
	return ground.Options{Replicas: 2, Disk: disk, Proxied: true, Patches: clockPatches()}
}
