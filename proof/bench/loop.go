package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wishdesk/wishdesk/proof/ground"
	"github.com/wishdesk/wishdesk/wechatsim"
)

// patient is how long somebody in a loop waits for what should come.
const patient = 15 * time.Second

var (
	numbered  = regexp.MustCompile(`编号 ?(\d+)`)
	given     = regexp.MustCompile(`(?:新任务|【紧急】) ?(\d+) 号`)
	finished  = regexp.MustCompile(`^(\d+) 号办好了`)
	solvedAll = "满意"
)

// stage is who plays loops on the phones of the stand-in: a resident reports, whoever
// is given it hears so by a push, accepts and resolves, the resident hears and rates.
type stage struct {
	platform *wechatsim.Platform
	mu       sync.Mutex
	given    map[int64]chan string // whom a number was given to
	finished map[int64]chan struct{}
}

func newStage(p *wechatsim.Platform) *stage {
	return &stage{platform: p, given: map[int64]chan string{}, finished: map[int64]chan struct{}{}}
}

// slot is what is waited for of a number; whoever comes first makes it.
func slot[T any](s *stage, of map[int64]chan T, number int64) chan T {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := of[number]
	if !ok {
		c = make(chan T, 4)
		of[number] = c
	}
	return c
}

// listen reads all phones until ctx ends.
func (s *stage) listen(ctx context.Context) {
	var after int64
	for {
		fresh, more := s.platform.Since(after)
		for _, said := range fresh {
			after = said.ID
			s.hear(said)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
		select { // of many wakes one is enough
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

func (s *stage) hear(said wechatsim.Said) {
	if said.Dir != wechatsim.Out || said.Channel == wechatsim.ByPassive && strings.HasPrefix(said.OpenID, "proof-worker") {
		return
	}
	text := strings.TrimSpace(said.HeadContent + said.Text)
	m := given.FindStringSubmatch(text)
	if m == nil && said.Channel == wechatsim.ByTemplate && !strings.HasPrefix(said.OpenID, "proof-resident") {
		m = []string{"", said.Field("character_string1")}
	}
	if m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
			select {
			case slot(s, s.given, n) <- said.OpenID:
			default: // more were told than wait
			}
		}
		return
	}
	if m := finished.FindStringSubmatch(text); m != nil {
		n, _ := strconv.ParseInt(m[1], 10, 64)
		select {
		case slot(s, s.finished, n) <- struct{}{}:
		default:
		}
	}
}

// say sends something that must be answered with words.
func (s *stage) say(ctx context.Context, openid, text, want string) (string, error) {
	reply, err := s.platform.SendText(ctx, openid, text)
	if err == nil && !strings.Contains(reply.Text, want) {
		err = fmt.Errorf("bench: %q → %q", text, reply.Text)
	}
	return reply.Text, err
}

// loop plays one from the report to the verdict.
func (s *stage) loop(ctx context.Context, resident int64) error {
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	openid := fmt.Sprintf("proof-resident-%d", resident)
	if err := s.platform.Admit(wechatsim.Persona{OpenID: openid, Name: "居民", Group: "resident"}); err != nil {
		return err
	}
	reply, err := s.say(ctx, openid, ground.Words(resident), "编号")
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(numbered.FindStringSubmatch(reply)[1], 10, 64)
	if err != nil {
		return err
	}
	var worker string
	select {
	case worker = <-slot(s, s.given, number):
	case <-ctx.Done():
		return fmt.Errorf("bench: nobody was told of %d: %q", number, reply)
	}
	if _, err := s.say(ctx, worker, fmt.Sprintf("接单 %d", number), "已接单"); err != nil {
		return err
	}
	if _, err := s.say(ctx, worker, fmt.Sprintf("办结 %d 已经修好了", number), "已办结"); err != nil {
		return err
	}
	select {
	case <-slot(s, s.finished, number):
	case <-ctx.Done():
		return fmt.Errorf("bench: the resident was not asked about %d", number)
	}
	_, err = s.say(ctx, openid, solvedAll, "谢谢")
	return err
}

// play has connections loops under way at once until n were begun or a time is over.
// It gives how many were completed, how long it took, and why one was not.
func (b *bench) play(ctx context.Context, n int64, most time.Duration) (completed int64, took time.Duration, failed error) {
	s := newStage(b.Platform)
	listening, stop := context.WithCancel(ctx)
	defer stop()
	var hearing, busy sync.WaitGroup
	hearing.Go(func() { s.listen(listening) })
	var next, good atomic.Int64
	var once sync.Once
	began := time.Now()
	for range connections {
		busy.Go(func() {
			for time.Since(began) < most && ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= n {
					return
				}
				if err := s.loop(ctx, b.residents+i); err != nil {
					once.Do(func() { failed = err })
					continue
				}
				good.Add(1)
			}
		})
	}
	busy.Wait()
	took = time.Since(began)
	stop()
	hearing.Wait()
	b.residents += next.Load()
	return good.Load(), took, failed
}

// loops measures complete loops a second, as people see them: five messages through
// the encrypted webhook, of which four are answered with what was decided, and the
// pushes between them.
func (b *bench) loops(ctx context.Context) error {
	if err := b.warm(ctx); err != nil {
		return err
	}
	if _, _, err := b.play(ctx, 200, b.each); err != nil {
		fmt.Println("warming up:", err)
	}
	var rate, share []float64
	for range b.rounds {
		before := b.residents
		done, took, err := b.play(ctx, b.enough(), b.each)
		if err != nil {
			fmt.Println("one loop that was not completed:", err)
		}
		rate, share = append(rate, float64(done)/took.Seconds()), append(share, 100*float64(done)/float64(b.residents-before))
		if err := b.drained(ctx); err != nil {
			return err
		}
	}
	b.note("loop_per_s", median(rate), "/s", "complete: message, assignment, accept, resolve, rating; 64 under way")
	b.note("loop_complete", median(share), "%", "of those begun")
	return nil
}
