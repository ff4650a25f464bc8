package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
	"github.com/wishdesk/wishdesk/wechatsim"
)

// crowd are the people on their phones: residents who each report one thing and rate
// it when they are asked, and workers who accept and resolve what they are given.
type crowd struct {
	platform *wechatsim.Platform
	history  *history
	reader   *reader
	rate     atomic.Int64 // reports a second
	count    atomic.Int64 // residents so far
	workers  map[string]chan int64
	mute     atomic.Bool  // nobody says anything more
	saying   atomic.Int64 // who has begun to; nobody does after mute while it is 0
	busy     sync.WaitGroup
}

func newCrowd(p *wechatsim.Platform, h *history, r *reader, workers []string) *crowd {
	c := &crowd{platform: p, history: h, reader: r, workers: map[string]chan int64{}}
	for _, w := range workers {
		c.workers[w] = make(chan int64, 100_000)
	}
	return c
}

// run plays until ctx ends, then waits for what is under way.
func (c *crowd) run(ctx context.Context) {
	c.busy.Go(func() { c.listen(ctx) })
	for openid, work := range c.workers {
		c.busy.Go(func() { c.work(ctx, openid, work) })
	}
	const beat = 20 * time.Millisecond
	tick := time.NewTicker(beat)
	defer tick.Stop()
	owed := 0.0
	for {
		select {
		case <-ctx.Done():
			c.busy.Wait()
			return
		case <-tick.C:
		}
		for owed += float64(c.rate.Load()) * beat.Seconds(); owed >= 1; owed-- {
			c.busy.Go(c.report)
		}
	}
}

// report is a resident who is new here and writes one thing.
func (c *crowd) report() {
	i := c.count.Add(1) - 1
	openid := fmt.Sprintf("proof-resident-%d", i)
	if err := c.platform.Admit(wechatsim.Persona{OpenID: openid, Name: "居民" + strconv.FormatInt(i, 10), Group: "resident"}); err != nil {
		panic(err) // an openid is given
	}
	c.say(openid, report, ground.Words(i), 0)
}

// say sends and notes what came back. It outlasts the run: what was sent must be
// answered, or the judge would not know what its sender saw.
func (c *crowd) say(openid string, d deed, text string, number int64) class {
	c.saying.Add(1)
	defer c.saying.Add(-1)
	if c.mute.Load() {
		return unavailable
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s := said{Who: openid, Deed: d, Text: text, Number: number, At: time.Now(), Phase: c.history.now()}
	reply, err := c.platform.SendText(ctx, openid, text)
	s.Took, s.Reply, s.Tries = time.Since(s.At), reply.Text, reply.Tries
	switch {
	case err != nil:
		s.Class, s.Reply = unavailable, err.Error()
	default:
		var n int64
		if s.Class, n = c.reader.read(d, reply); n > 0 {
			s.Number = n
		}
	}
	c.history.add(s)
	return s.Class
}

var (
	assignment = regexp.MustCompile(`(?:新任务|【紧急】) ?(\d+) 号`)
	done       = regexp.MustCompile(`^(\d+) 号办好了`)
)

// listen reads every phone: who got work takes it, who is asked rates.
func (c *crowd) listen(ctx context.Context) {
	ground.Listen(ctx, c.platform, 50*time.Millisecond, c.hear)
}

func (c *crowd) hear(s wechatsim.Said) {
	if s.Dir != wechatsim.Out || c.mute.Load() {
		return
	}
	text := readable(s.Entry)
	if work, ok := c.workers[s.OpenID]; ok {
		m := assignment.FindStringSubmatch(text)
		if m == nil && s.Channel == wechatsim.ByTemplate {
			m = []string{"", s.Field("character_string1")}
		}
		if m != nil {
			n, _ := strconv.ParseInt(m[1], 10, 64)
			work <- n
		}
		return
	}
	if m := done.FindStringSubmatch(text); m != nil && s.Channel != wechatsim.ByPassive {
		n, _ := strconv.ParseInt(m[1], 10, 64)
		verdict := "满意"
		if rand.IntN(20) == 0 { //nolint:gosec // a crowd
			verdict = "不满意"
		}
		c.busy.Go(func() { c.say(s.OpenID, rate, verdict, n) })
	}
}

// pace is how long a worker takes over one message.
const pace = 2500 * time.Millisecond

// work is a worker who takes one thing after another, each until it is said to be
// taken, and once more where the answer was lost on the way.
func (c *crowd) work(ctx context.Context, openid string, numbers <-chan int64) {
	seen := map[int64]bool{}
	for {
		var n int64
		select {
		case n = <-numbers:
		case <-ctx.Done():
			return
		}
		if seen[n] || c.mute.Load() {
			continue
		}
		seen[n] = true
		for _, step := range []struct {
			deed deed
			text string
		}{{accept, "接单 %d"}, {resolve, "办结 %d 已经修好了"}} {
			for range 3 {
				select { // a person does no more in a minute
				case <-time.After(pace):
				case <-ctx.Done():
					return
				}
				switch c.say(openid, step.deed, fmt.Sprintf(step.text, n), n) {
				case unavailable, refused, perhaps:
					continue
				}
				break
			}
		}
	}
}

// readable is what stands on the phone, in one text.
func readable(e wechatsim.Entry) string {
	return strings.TrimSpace(e.HeadContent + e.Text)
}
