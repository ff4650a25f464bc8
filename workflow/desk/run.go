package desk

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wishdesk/wishdesk/workflow"
)

// Handler does one queued task. An error leaves the task to be tried again.
type Handler func(ctx context.Context, community string, t Task) error

// Runner turns the clocks and works off the queues of all communities, until
// its context ends. Handlers are given for the tasks that are not the desk's
// own (TaskTick and TaskEntry are).
type Runner struct {
	desk     *Desk
	consumer string
	handlers map[TaskKind]Handler
	workers  int
	away     atomic.Bool // the record did not answer when a task failed
}

// How a Runner behaves; durations of the wall, not of the rules.
const (
	readBlock    = time.Second      // how long a read waits for tasks
	fireEvery    = time.Second      // deadlines are looked at this often
	refreshEvery = time.Second      // changed communities are seen within this
	sweepEvery   = 15 * time.Second // what Redis forgot is found within this
	claimIdle    = 30 * time.Second // a task left this long is another's
	tickLease    = 30 * time.Second // a fired deadline fires again after this if nobody handled it
	sweepGrace   = 20 * time.Second // what is younger is on its way
	maxTries     = 8                // then a task becomes a dead letter
	messageTries = 100              // so does a message: nothing else has it, so an outage must not end it
	batch        = 64
	pingEvery    = 250 * time.Millisecond // how often the record is asked whether it is back

	mediaAgain = 5 * time.Minute // a photo that could not be fetched is queued again after this
)

// NewRunner gives a runner; consumer names this process among replicas.
func (d *Desk) NewRunner(consumer string, workers int, handlers map[TaskKind]Handler) *Runner {
	r := &Runner{desk: d, consumer: consumer, workers: max(workers, 1), handlers: map[TaskKind]Handler{}}
	for k, h := range handlers {
		r.handlers[k] = h
	}
	r.handlers[TaskTick] = d.tickTask
	r.handlers[TaskEntry] = d.entryTask
	return r
}

// Run works until ctx ends, then finishes the tasks in hand and returns.
func (r *Runner) Run(ctx context.Context) {
	var running sync.WaitGroup
	started := map[string]bool{}
	refresh := time.NewTicker(refreshEvery)
	defer refresh.Stop()
	running.Go(func() { r.desk.live.Run(ctx) })
	for {
		if err := r.desk.Refresh(ctx); err != nil && ctx.Err() == nil {
			r.desk.log.Warn("communities not refreshed", "cause", err)
		}
		for _, code := range r.desk.Communities() {
			if !started[code] {
				started[code] = true
				running.Go(func() { r.consume(ctx, code) })
				running.Go(func() { r.turn(ctx, code) })
				running.Go(func() { r.remind(ctx, code) })
			}
		}
		select {
		case <-ctx.Done():
			running.Wait()
			return
		case <-refresh.C:
		}
	}
}

// turn fires deadlines and sweeps for one community.
func (r *Runner) turn(ctx context.Context, community string) {
	fire, sweep := time.NewTicker(fireEvery), time.NewTicker(sweepEvery)
	defer fire.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-fire.C:
			err = r.desk.Fire(ctx, community)
			if _, ferr := r.desk.Follow(ctx, community); err == nil {
				err = ferr
			}
		case <-sweep.C:
			err = r.desk.Sweep(ctx, community)
		}
		if err != nil && ctx.Err() == nil {
			r.desk.log.Warn("clocks not turned", "community", community, "cause", err)
		}
	}
}

// remind does what is done once a day and once a week, beside the clocks: to
// count a large community's week takes seconds.
func (r *Runner) remind(ctx context.Context, community string) {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
		}
		for _, now := range []func(context.Context, string) error{r.desk.Books, r.desk.Daily, r.desk.GiveLessons, r.desk.Weekly, r.desk.Topics} {
			if err := safely(func() error { return now(ctx, community) }); err != nil && ctx.Err() == nil {
				r.desk.log.Warn("a morning's work is not done", "community", community, "cause", err)
			}
		}
	}
}

// consume reads the queues of one community.
func (r *Runner) consume(ctx context.Context, community string) {
	var inHand errgroup.Group
	inHand.SetLimit(r.workers)
	defer inHand.Wait() //nolint:errcheck // tasks report their own errors
	order := lanes{waiting: map[string][]Task{}}
	lastClaim := time.Time{}
	for ctx.Err() == nil {
		var tasks []Task
		back := r.away.Load()
		if back && !r.recordAnswers(ctx) {
			continue // nothing can be done without it: what is queued waits, and wears out no tries
		}
		err := r.desk.withDrive("read", func(drive Drive) (err error) {
			if back { // what failed meanwhile, at once
				if tasks, err = drive.Mine(ctx, community, r.consumer, mostMine); err == nil {
					r.away.Store(false)
				}
				return err
			}
			if time.Since(lastClaim) > claimIdle/3 {
				lastClaim = time.Now()
				if tasks, err = drive.Claim(ctx, community, r.consumer, claimIdle, r.workers); err != nil || len(tasks) > 0 {
					return err
				}
			}
			tasks, err = drive.Read(ctx, community, r.consumer, r.workers, readBlock)
			return err
		})
		if err != nil {
			select { // Redis is away: the journal drives until it is back
			case <-ctx.Done():
			case <-time.After(readBlock):
				if err := r.fromJournal(ctx, community, &order, &inHand); err != nil && ctx.Err() == nil {
					r.desk.log.Warn("both stores are away", "community", community, "cause", err)
				}
			}
			continue
		}
		r.handle(ctx, community, tasks, &order, &inHand)
	}
}

// mostMine is how many tasks of a queue a process takes up again after an outage;
// others, which hardly exist, are claimed after a while.
const mostMine = 1000

// recordAnswers asks the record whether it is back, and waits a moment where it is
// not.
func (r *Runner) recordAnswers(ctx context.Context) bool {
	asking, cancel := context.WithTimeout(ctx, readBlock)
	defer cancel()
	if r.desk.journal.Ping(asking) == nil {
		return true
	}
	select {
	case <-ctx.Done():
	case <-time.After(pingEvery):
	}
	return false
}

// handle does tasks side by side, so that a slow one holds up no other; those
// of one lane one after the other. It waits only while all workers are busy.
// Tasks in hand are finished also when ctx ends.
func (r *Runner) handle(ctx context.Context, community string, tasks []Task, order *lanes, inHand *errgroup.Group) {
	ctx = context.WithoutCancel(ctx)
	for _, t := range tasks {
		if !order.begin(t) {
			continue
		}
		inHand.Go(func() error {
			for {
				done := r.one(ctx, community, t)
				next, more := order.next(t, done)
				if !more {
					return nil
				}
				t = next
			}
		})
	}
}

// lanes keeps the order of tasks within a process: of those of one lane each
// waits for the one before it.
type lanes struct {
	mu      sync.Mutex
	waiting map[string][]Task // by lane: the task being done, and those behind it
	failed  map[string]head   // by lane: the message that must be done before those after it
}

// head is a message that failed, and until when those after it wait for it: it
// comes back to this process unless another takes it.
type head struct {
	id    string
	until time.Time
}

// begin tells whether the task may be done now; else it waits for next.
func (l *lanes) begin(t Task) bool {
	if t.Lane == "" {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, ok := l.failed[t.Lane]; ok && h.id != t.ID && time.Now().Before(h.until) {
		return false // left pending: it comes again behind its head
	}
	delete(l.failed, t.Lane)
	waiting := l.waiting[t.Lane]
	if slices.ContainsFunc(waiting, func(w Task) bool { return w.Kind == t.Kind && w.Key == t.Key && w.ID == t.ID }) {
		return false // it was handed out again because it waits so long
	}
	l.waiting[t.Lane] = append(waiting, t)
	return len(waiting) == 0
}

// next is the task that waited for t. Where t failed, those after it are left
// to be handed out again, in order.
func (l *lanes) next(t Task, done bool) (Task, bool) {
	if t.Lane == "" {
		return Task{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !done && t.Kind == TaskMessage {
		if l.failed == nil {
			l.failed = map[string]head{}
		}
		l.failed[t.Lane] = head{t.ID, time.Now().Add(3 * claimIdle)}
		delete(l.waiting, t.Lane)
		return Task{}, false
	}
	waiting := l.waiting[t.Lane][1:]
	if len(waiting) == 0 {
		delete(l.waiting, t.Lane)
		return Task{}, false
	}
	l.waiting[t.Lane] = waiting
	return waiting[0], true
}

// one does a task; done is false where it will be handed out again.
func (r *Runner) one(ctx context.Context, community string, t Task) (done bool) {
	observeAge(t)
	handler, known := r.handlers[t.Kind]
	err := fmt.Errorf("desk: no handler for task %q", t.Kind)
	if known {
		err = safely(func() error { return handler(ctx, community, t) })
	}
	if err != nil {
		tasksFailed(t.Kind)
		r.notice(ctx)
		r.desk.log.Warn("task failed", "community", community, "kind", t.Kind, "tries", t.Deliveries, "cause", err)
		most := int64(maxTries)
		if t.Kind == TaskMessage || t.Kind == TaskEntry {
			most = messageTries
		}
		if t.Deliveries < most && known {
			return false // stays pending; claimed again after a while
		}
		if t.Kind == TaskMedia || t.Kind == TaskHear || t.Kind == TaskAdvice {
			r.finish(ctx, community, t) // the record owes media still, for as long as WeChat has them; nobody is owed advice
			return true
		}
		if err := r.desk.journal.DeadLetter(ctx, community, string(t.Kind), t.Letter(), err.Error(), r.desk.Now()); err != nil {
			return false
		}
		tasks.WithLabelValues(string(t.Kind), "dead").Inc()
		r.desk.Tell(ctx, community, AboutFailed)
	} else {
		tasks.WithLabelValues(string(t.Kind), "done").Inc()
	}
	r.finish(ctx, community, t)
	return true
}

// notice finds out whether a task failed because the record is away.
func (r *Runner) notice(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readBlock)
	defer cancel()
	if r.desk.journal.Ping(ctx) != nil {
		r.away.Store(true)
	}
}

func (r *Runner) finish(ctx context.Context, community string, t Task) {
	if t.ID != "" { // else it came from the journal, not from a queue
		_ = r.desk.withDrive("finish", func(drive Drive) error { return drive.Finish(ctx, community, t) })
	}
}

// observeAge measures how long a task waited: the first part of its ID is the
// queue's own time in Unix ms.
func observeAge(t Task) {
	ms, _, _ := strings.Cut(t.ID, "-")
	if queued, err := strconv.ParseInt(ms, 10, 64); err == nil {
		taskAge.WithLabelValues(string(t.Kind)).Observe(max(0, time.Since(time.UnixMilli(queued)).Seconds()))
	}
}

func tasksFailed(k TaskKind) { tasks.WithLabelValues(string(k), "failed").Inc() }

// safely turns a panic of f into an error, so that one task cannot end the
// process.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("desk: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// Pump does what is to be done now, once, without waiting: deadlines, claims,
// queued tasks. Tests turn it by hand. It reports how many tasks it did.
func (r *Runner) Pump(ctx context.Context, community string) (int, error) {
	if err := r.desk.Fire(ctx, community); err != nil {
		return 0, err
	}
	if _, err := r.desk.Follow(ctx, community); err != nil {
		return 0, err
	}
	if err := r.desk.Books(ctx, community); err != nil {
		return 0, err
	}
	if err := r.desk.Daily(ctx, community); err != nil {
		return 0, err
	}
	if err := r.desk.GiveLessons(ctx, community); err != nil {
		return 0, err
	}
	if err := r.desk.Weekly(ctx, community); err != nil {
		return 0, err
	}
	if err := r.desk.Topics(ctx, community); err != nil {
		return 0, err
	}
	done := 0
	for {
		tasks, err := r.desk.drive.Read(ctx, community, r.consumer, batch, 0)
		if err != nil || len(tasks) == 0 {
			return done, err
		}
		var inHand errgroup.Group
		inHand.SetLimit(r.workers)
		r.handle(ctx, community, tasks, &lanes{waiting: map[string][]Task{}}, &inHand)
		_ = inHand.Wait()
		done += len(tasks)
	}
}

// fromJournal does due work straight from the record while Redis is away.
func (r *Runner) fromJournal(ctx context.Context, community string, order *lanes, inHand *errgroup.Group) error {
	now := r.desk.Now()
	due, err := r.desk.journal.DueTickets(ctx, community, now, batch)
	if err != nil {
		return err
	}
	pushes, err := r.desk.journal.OwedPushes(ctx, community, now, batch)
	if err != nil {
		return err
	}
	var todo []Task
	for _, n := range due {
		todo = append(todo, Task{Kind: TaskTick, Key: strconv.FormatInt(n, 10)})
	}
	for _, p := range pushes {
		todo = append(todo, pushTask(p))
	}
	r.handle(ctx, community, todo, order, inHand)
	return nil
}

// MediaTask is what is to be done with a media file: fetch it, or make out its
// words. That waits for something slow outside, as advice does: the two lanes for
// both leave the other workers to everything else.
func MediaTask(m MediaFile) Task {
	if m.Status == MediaUnheard {
		return Task{Kind: TaskHear, Key: m.ID, Lane: outsideLane(int64(m.Person))}
	}
	return Task{Kind: TaskMedia, Key: m.ID}
}

// AdviceTask is the task to ask for advice on a ticket.
func AdviceTask(number int64) Task {
	return Task{Kind: TaskAdvice, Key: strconv.FormatInt(number, 10), Lane: outsideLane(number)}
}

func outsideLane(of int64) string { return "outside:" + strconv.FormatInt(of%2, 10) }

// pushTask is the task to send a push: those of one person in order.
func pushTask(p Push) Task {
	return Task{Kind: TaskPush, Key: p.Key, Lane: PushLane(p), Urgent: p.Urgent()}
}

// PushLane is the lane of a push: its person's, "" for an urgent one, which
// waits for no other.
func PushLane(p Push) string {
	if p.Urgent() {
		return ""
	}
	return "to:" + strconv.FormatInt(int64(p.Person), 10)
}

// Fire queues the deadlines that are due, then tasks that waited for now, after rebuilding
// the Drive if it has lost them.
func (d *Desk) Fire(ctx context.Context, community string) error {
	return d.withDrive("fire", func(drive Drive) error {
		ready, err := drive.Ready(ctx, community)
		if err != nil {
			return err
		}
		if !ready {
			if err := d.rebuild(ctx, drive, community); err != nil {
				return err
			}
		}
		if err := d.live.catchUp(ctx, drive, community); err != nil {
			return err
		}
		if _, err = drive.FireDue(ctx, community, d.Now(), tickLease, batch); err != nil {
			return err
		}
		return d.queueLater(ctx, drive, community)
	})
}

// rebuild gives the Drive back what it lost, from the record: live state,
// deadlines and loads; Sweep then queues what is owed.
func (d *Desk) rebuild(ctx context.Context, drive Drive, community string) error {
	unlock, mine, err := drive.Lock(ctx, community, "rebuild", time.Minute)
	if err != nil || !mine {
		return err
	}
	defer unlock()
	rebuilds.WithLabelValues(community).Inc()
	var part []workflow.Ticket
	flush := func() error {
		if len(part) == 0 {
			return nil
		}
		err := drive.Restore(ctx, community, part)
		part = part[:0]
		return err
	}
	open := 0
	var flushed error
	err = d.journal.OpenTickets(ctx, community, func(t workflow.Ticket) error {
		open++
		if part = append(part, t); len(part) == batch {
			flushed = flush()
		}
		return flushed
	})
	if flushed != nil {
		return fmt.Errorf("desk: rebuild: %w", flushed)
	}
	if err != nil {
		return ofRecord(fmt.Errorf("desk: rebuild: %w", err))
	}
	if err := flush(); err != nil {
		return fmt.Errorf("desk: rebuild: %w", err)
	}
	loads, err := d.journal.Loads(ctx, community)
	if err != nil {
		return ofRecord(fmt.Errorf("desk: rebuild: %w", err))
	}
	if err := drive.RestoreLoads(ctx, community, loads); err != nil {
		return err
	}
	if err := d.requeue(ctx, drive, community, d.Now()); err != nil {
		return err
	}
	d.log.Info("drive rebuilt from the record", "community", community, "open", open)
	return drive.MarkReady(ctx, community)
}

// Sweep queues again what is owed and due for longer than it should be: what
// was committed while Redis was away, or lost with it.
func (d *Desk) Sweep(ctx context.Context, community string) error {
	return d.withDrive("sweep", func(drive Drive) error {
		unlock, mine, err := drive.Lock(ctx, community, "sweep", sweepEvery)
		if err != nil || !mine {
			return err
		}
		defer unlock()
		return d.requeue(ctx, drive, community, d.Now().Add(-sweepGrace))
	})
}

// requeue queues what is owed and was due before a moment. Doing a task twice
// is safe: each begins by taking a lease in the record.
func (d *Desk) requeue(ctx context.Context, drive Drive, community string, before time.Time) error {
	add := func(t Task) error { return drive.Add(ctx, community, t, false) }
	due, err := d.journal.DueTickets(ctx, community, before, batch)
	if err != nil {
		return ofRecord(err)
	}
	for _, n := range due {
		if err := add(Task{Kind: TaskTick, Key: strconv.FormatInt(n, 10)}); err != nil {
			return err
		}
	}
	pushes, err := d.journal.OwedPushes(ctx, community, before, 10*batch)
	if err != nil {
		return ofRecord(err)
	}
	for _, p := range pushes {
		if err := drive.Add(ctx, community, pushTask(p), p.Urgent()); err != nil {
			return err
		}
	}
	media, err := d.journal.MediaToFetch(ctx, community, batch)
	if err != nil {
		return ofRecord(err)
	}
	for _, m := range media {
		if m.CreatedAt.After(before) {
			continue
		}
		// One that keeps failing is queued again now and then, not at each sweep.
		turn := d.Now().Unix() / int64(mediaAgain/time.Second)
		if ok, err := drive.Allow(ctx, community, fmt.Sprintf("media:%s:%d", m.ID, turn), 1, 1, mediaAgain); err != nil || !ok {
			continue
		}
		if err := add(MediaTask(m)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) tickTask(ctx context.Context, community string, t Task) error {
	number, err := strconv.ParseInt(t.Key, 10, 64)
	if err != nil {
		return fmt.Errorf("desk: tick of %q: %w", t.Key, err)
	}
	return d.Tick(ctx, community, number)
}

// Tick fires the clocks of a ticket that are due, one commit each. A ticket
// whose clock is not due after all is no error; the Drive learns its real
// deadline.
func (d *Desk) Tick(ctx context.Context, community string, number int64) error {
	for range 10 {
		w, err := d.Begin(community, true)
		if err != nil {
			return err
		}
		t, err := w.Ticket(ctx, number)
		if err != nil {
			return err
		}
		clock, at, ok := t.NextDue()
		if !ok || at.After(w.Now) {
			return d.withDrive("settle", func(drive Drive) error {
				return drive.Committed(ctx, Change{Community: community, Tickets: []TicketChange{{Was: t.Version, Ticket: t}}})
			})
		}
		_, err = w.Do(ctx, number, workflow.Command{Name: workflow.CmdTick, Actor: workflow.System(), Clock: clock})
		if err == nil {
			err = w.Commit(ctx)
		}
		if err != nil && !errors.Is(err, ErrStale) && workflow.CodeOf(err) != workflow.CodeNotDue {
			return err
		}
	}
	return fmt.Errorf("desk: ticket %d keeps changing or its clocks never rest", number)
}
