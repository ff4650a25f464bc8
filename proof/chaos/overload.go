package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
	"github.com/wishdesk/wishdesk/wechatsim"
)

// What is promised while ten times more comes than can be taken.
const (
	answered  = 0.99            // of all, within 5 s: with a number, a promise, or a kind refusal
	served    = 0.5             // of what it takes alone is still taken: refusing is work too, and so is the load's own
	memoryMB  = 300             // of each replica, at most
	recovered = 5 * time.Second // after which one message is again answered within a second
)

// overload finds what the desk takes, has ten times of it written for a while, and
// judges as ever, besides the answers themselves.
func overload(ctx context.Context, root string, p plan, say func(string, ...any)) (v *verdict, err error) {
	f, err := ground.Lay(ctx, root, ground.Options{Replicas: 2, Crew: 600})
	if err != nil {
		return nil, err
	}
	defer func() {
		dir := f.Dir
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.RemoveAll(dir)
		}
	}()
	reader, err := newReader(root)
	if err != nil {
		return nil, err
	}
	o := &flood{Field: f, reader: reader, history: &history{}}
	if _, err := o.write(ctx, "warming up", 500, 64, 0, p.hold); err != nil { // so that what comes next is its pace
		return nil, err
	}
	alone, err := o.write(ctx, "as much as it takes", int64(p.hold.Seconds()*4000), 64, 0, p.hold)
	if err != nil {
		return nil, err
	}
	rate := 10 * alone.taken
	flood, err := o.write(ctx, "ten times as much", int64(rate*p.hold.Seconds()), 4000, rate, 2*p.hold)
	if err != nil {
		return nil, err
	}
	memory, err := o.memory()
	if err != nil {
		return nil, err
	}
	back, err := o.recovers(ctx)
	if err != nil {
		return nil, err
	}
	say("overload: it takes %.0f a second; of %.0f a second sent it took %.0f, and answered %.2f%% of all within 5 s; at most %d MB a replica; at ease again after %s",
		alone.taken, flood.sent, flood.taken, 100*flood.answered, memory, back.Round(10*time.Millisecond))
	var broken error
	for _, promise := range []struct {
		kept bool
		what string
	}{
		{flood.sent > 3*alone.taken, "the load could not be made: it says nothing"},
		{flood.answered >= answered, "too few were answered within 5 s: " + flood.example},
		{flood.taken >= served*alone.taken, "too few were taken"},
		{memory <= memoryMB, "memory grew"},
		{back <= recovered, "it did not recover in time"},
	} {
		if !promise.kept {
			broken = errors.Join(broken, errors.New("overload: "+promise.what))
		}
	}
	c := newCrowd(f.Platform, o.history, reader, nil)
	r, now, err := settle(ctx, f, c, p.settle)
	if err != nil {
		return nil, err
	}
	all := o.history.list()
	v = judge(all, r, phonesOf(f.Platform), reader, now)
	return v, errors.Join(broken, tell(v, all, nil, say))
}

// flood writes more than can be taken.
type flood struct {
	*ground.Field
	reader  *reader
	history *history
	people  int64
}

// round is what came of a round of it.
type round struct {
	sent, taken float64 // a second
	answered    float64 // share of all, within 5 s
	example     string  // of who was not answered
}

// write has n new residents write, over so many connections, at a rate or as fast as
// they are answered.
func (o *flood) write(ctx context.Context, phase string, n int64, connections int, rate float64, most time.Duration) (round, error) {
	calls, err := ground.Residents(o.people, n, time.Now())
	if err != nil {
		return round{}, err
	}
	o.people += n
	var addresses []string
	for _, r := range o.Replicas {
		addresses = append(addresses, r.Addr)
	}
	began := time.Now()
	answers, took := ground.Hammer(ctx, addresses, calls, connections, rate, most)
	var out round
	taken, good := 0, 0
	for i := range answers {
		a := &answers[i]
		s := said{Who: a.Call.OpenID, Deed: report, Text: a.Call.Text, At: began, Took: a.Took, Tries: 1, Phase: phase, Reply: a.Text()}
		s.Class, s.Number = o.reader.read(report, wechatsim.Reply{Text: s.Reply, Unavailable: a.Err != nil || s.Reply == ""})
		o.history.add(s)
		if s.Class == told || s.Class == later {
			taken++
		}
		if a.Took <= 5*time.Second && (s.Class == told || s.Class == later || s.Class == refused) {
			good++
		} else {
			out.example = fmt.Sprintf("%s %s after %s: %q %v", s.Who, s.Class, a.Took.Round(time.Millisecond), s.Reply, a.Err)
		}
	}
	out.sent, out.taken = float64(len(answers))/took.Seconds(), float64(taken)/took.Seconds()
	out.answered = float64(good) / float64(max(1, len(answers)))
	return out, nil
}

// memory is the most that a replica has had resident, in MB.
func (o *flood) memory() (most int, err error) {
	for _, r := range o.Replicas {
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(r.PID()), "status"))
		if errors.Is(err, os.ErrNotExist) {
			return 0, nil // not on Linux
		}
		if err != nil {
			return 0, fmt.Errorf("chaos: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kb, err := strconv.Atoi(strings.Fields(rest)[0])
				if err != nil {
					return 0, fmt.Errorf("chaos: %w", err)
				}
				most = max(most, kb/1024)
			}
		}
	}
	return most, nil
}

// recovers waits until somebody who writes is served within a second.
func (o *flood) recovers(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	for time.Since(began) < time.Minute && ctx.Err() == nil {
		at := time.Now()
		one, err := o.write(ctx, "after it", 1, 1, 0, time.Minute)
		if err != nil {
			return 0, err
		}
		if one.taken > 0 && time.Since(at) < time.Second {
			break
		}
		wait(ctx, 100*time.Millisecond)
	}
	return time.Since(began), nil
}
