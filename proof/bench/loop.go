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

const (
	// patient is how long a loop may take.
	patient = time.Minute
	// pace is how long a worker takes over a message: who writes more than 30 a minute
	// is told to slow down.
	pace = 2100 * time.Millisecond
	// slow is an answer after which somebody waits a while before they begin again: so
	// that as many loops are under way as can be answered in time.
	slow = time.Second
	// underway is how many loops are under way at once at most, so that many workers
	// have one each.
	underway = 600
	// troupe is how many workers there are besides the demo's.
	troupe = 1200
)

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
	turns    map[string]time.Time // when a worker may write again
	slow     atomic.Int64         // answers
}

func newStage(p *wechatsim.Platform) *stage {
	return &stage{platform: p, given: map[int64]chan string{}, finished: map[int64]chan struct{}{}, turns: map[string]time.Time{}}
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
	ground.Listen(ctx, s.platform, 2*time.Millisecond, s.hear)
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

// write is a worker who writes when it is their turn again.
func (s *stage) write(ctx context.Context, worker, text, want string) error {
	s.mu.Lock()
	at := time.Now()
	if next := s.turns[worker]; next.After(at) {
		at = next
	}
	s.turns[worker] = at.Add(pace)
	s.mu.Unlock()
	wait(ctx, time.Until(at))
	_, err := s.say(ctx, worker, text, want)
	return err
}

// say sends something that must be answered with words.
func (s *stage) say(ctx context.Context, openid, text, want string) (string, error) {
	began := time.Now()
	reply, err := s.platform.SendText(ctx, openid, text)
	if took := time.Since(began); took > slow {
		s.slow.Add(1)
	}
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
	m := numbered.FindStringSubmatch(reply)
	if m == nil {
		return fmt.Errorf("bench: the number comes later: %q", reply)
	}
	number, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return err
	}
	var worker string
	select {
	case worker = <-slot(s, s.given, number):
	case <-ctx.Done():
		return fmt.Errorf("bench: nobody was told of %d: %q", number, reply)
	}
	if err := s.write(ctx, worker, fmt.Sprintf("接单 %d", number), "已接单"); err != nil {
		return err
	}
	if err := s.write(ctx, worker, fmt.Sprintf("办结 %d 已经修好了", number), "已办结"); err != nil {
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

// reporter is the next resident who lives where there are many workers: not in the
// special grids, which the demo's few people look after.
func (b *bench) reporter() int64 {
	for {
		i := b.residents
		b.residents++
		if w := ground.Words(i); strings.HasPrefix(w, "毕家洼") || strings.HasPrefix(w, "怡园") {
			return i
		}
	}
}

// played is what came of playing loops.
type played struct {
	begun, completed, counted atomic.Int64 // counted: completed in the time that counts
	once                      sync.Once
	failed                    error // why one was not completed
}

// play has loops under way until n were begun or the time is over. Those count that are
// completed after lead, when as many end as begin.
func (b *bench) play(ctx context.Context, n int64, lead, most time.Duration) *played {
	s, out := newStage(b.Platform), &played{}
	listening, stop := context.WithCancel(ctx)
	defer stop()
	var hearing, busy sync.WaitGroup
	hearing.Go(func() { s.listen(listening) })
	var mu sync.Mutex
	began := time.Now()
	for i := range underway {
		busy.Go(func() {
			wait(ctx, 4*pace*time.Duration(i)/underway) // not all at once
			for time.Since(began) < lead+most && ctx.Err() == nil {
				if was := s.slow.Swap(0); was > 0 {
					wait(ctx, 4*pace)
					continue
				}
				if out.begun.Add(1) > n {
					out.begun.Add(-1)
					return
				}
				mu.Lock()
				resident := b.reporter()
				mu.Unlock()
				if err := s.loop(ctx, resident); err != nil {
					out.once.Do(func() { out.failed = err })
					continue
				}
				out.completed.Add(1)
				if t := time.Since(began); t >= lead && t < lead+most {
					out.counted.Add(1)
				}
			}
		})
	}
	busy.Wait()
	stop()
	hearing.Wait()
	return out
}

// loops measures complete loops a second, as people see them: four messages through the
// encrypted webhook and their answers, and the pushes between them.
func (b *bench) loops(ctx context.Context) error {
	if err := b.warm(ctx); err != nil {
		return err
	}
	var rate, share []float64
	for range b.rounds {
		p := b.play(ctx, b.enough(), 6*pace, b.each)
		if p.failed != nil {
			fmt.Println("one loop that was not completed:", p.failed)
		}
		rate, share = append(rate, float64(p.counted.Load())/b.each.Seconds()), append(share, 100*float64(p.completed.Load())/float64(p.begun.Load()))
		if err := b.drained(ctx); err != nil {
			return err
		}
	}
	b.note("loop_per_s", median(rate), "/s", "complete: message, assignment, accept, resolve, rating; 600 under way, 1,200 workers")
	b.note("loop_complete", median(share), "%", "of those begun")
	return nil
}
