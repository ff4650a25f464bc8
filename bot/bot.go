package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Bot holds the conversation of all communities. It is safe for concurrent
// use and keeps nothing in memory that another replica would miss.
type Bot struct {
	o    Options
	desk *desk.Desk
	log  *slog.Logger

	channels channels
	retries  retries
	late     sync.WaitGroup // messages still worked on after their answer left
	inHand   chan struct{}  // a place for each message that is worked on
	lastDone atomic.Int64   // when one was committed last, by the desk's clock, in Unix ns
}

// Options are what a Bot stands on. All are required but Logger, Templates,
// Budget, Advisor and Transcriber.
type Options struct {
	Desk         *desk.Desk
	Understander workflow.Understander
	Wording      *wording.Wording
	Taxonomy     *workflow.Taxonomy
	// Messenger is the way to a community's account; ok is false where it has
	// none.
	Messenger func(community string) (m Messenger, ok bool)
	// Links makes one-time links to the pages; nil where there are none.
	Links Links
	// Pages is where people reach the pages, https://host; "" = nowhere.
	Pages string
	// Templates are the account's template and subscription messages.
	Templates func(community string) Templates
	Media     MediaStore
	Windows   Windows
	// Advisor helps where the desk is in doubt, AdvicePerDay times a day and
	// community; Transcriber makes out recordings that WeChat did not,
	// HearPerDay times. Both may be nil.
	Advisor      Advisor
	AdvicePerDay int
	Transcriber  Transcriber
	HearPerDay   int
	Clock        clockwork.Clock
	Logger       *slog.Logger
	// Budget is how long a message may take before the answer leaves without
	// its result, which then follows as a push. WeChat waits 5 s; 0 = 3 s.
	Budget time.Duration
	// InHand is how many messages are worked on at once, those included whose
	// answer has left; 0 = 256. See crowded.
	InHand int
}

// Links makes links with which somebody logs in to the pages, once; "" where the
// pages have no public address. See console.Links.
type Links interface {
	LoginLink(ctx context.Context, community string, person workflow.PersonID, next string) (string, error)
	Life() time.Duration
}

// New gives a bot.
func New(o Options) *Bot {
	if o.Budget == 0 {
		o.Budget = 3 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Templates == nil {
		o.Templates = func(string) Templates { return nil }
	}
	if o.InHand == 0 {
		o.InHand = 256
	}
	return &Bot{o: o, desk: o.Desk, log: o.Logger, channels: channels{off: map[string]stop{}}, inHand: make(chan struct{}, o.InHand)}
}

const (
	// seenFor is how long a delivery's reply is remembered in Redis; WeChat
	// repeats within 15 s, the record remembers for ever.
	seenFor = 30 * time.Minute
	// lateLimit bounds a message whose answer has left already.
	lateLimit = 60 * time.Second
	// maxTurns bounds how often a message is decided again after ErrStale: of
	// many who report the same outage in one moment one fits into each commit.
	maxTurns = 60
)

// Handle answers one delivery within the budget. A repeated delivery gets the
// first one's reply and changes nothing. What takes longer is kept in the
// drive, told so, and answered by a push.
func (b *Bot) Handle(ctx context.Context, in wechat.Inbound) wechat.Reply {
	shape, ok := b.desk.Shape(in.Community)
	if !ok {
		b.log.Error("an account's community has no document: apply one", "community", in.Community)
		refused.WithLabelValues(in.Community, "no_community").Inc()
		return wechat.Reply{Text: b.o.Wording.Say("no_community", nil)}
	}
	if allArrived(in) {
		accepted.WithLabelValues(in.Community, in.Type).Inc()
		return wechat.Reply{}
	}
	select {
	case b.inHand <- struct{}{}:
	default:
		return wechat.Reply{Text: b.crowded(ctx, in, shape)}
	}
	accepted.WithLabelValues(in.Community, in.Type).Inc()
	deadline := time.NewTimer(b.o.Budget)
	defer deadline.Stop()
	started := time.Now()
	defer func() { answerSeconds.Observe(time.Since(started).Seconds()) }()

	if reply, seen := b.seenBefore(ctx, in); seen {
		<-b.inHand
		repeated.WithLabelValues(in.Community).Inc()
		return wechat.Reply{Text: reply}
	}
	type outcome struct {
		reply string
		err   error
	}
	done := make(chan outcome, 1)
	var settled atomic.Bool // by whoever is first: the result, or the answer without it
	b.late.Go(func() {
		defer func() { <-b.inHand }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateLimit)
		defer cancel()
		reply, err := b.turnSafely(ctx, in, false)
		if !settled.CompareAndSwap(false, true) && err == nil {
			_, err = b.again(ctx, in, true) // the answer has left: the reply is owed
		}
		if err != nil {
			b.log.Warn("message not handled", "community", in.Community, "type", in.Type, "cause", err)
		}
		done <- outcome{reply, err}
	})
	select {
	case out := <-done:
		if out.err == nil {
			b.remember(ctx, in, out.reply)
			return wechat.Reply{Text: out.reply}
		}
		return wechat.Reply{Text: b.takeForLater(ctx, in, shape, "both_gone")}
	case <-deadline.C:
	}
	if !settled.CompareAndSwap(false, true) { // in the same moment
		if out := <-done; out.err == nil {
			b.remember(ctx, in, out.reply)
			return wechat.Reply{Text: out.reply}
		}
		return wechat.Reply{Text: b.takeForLater(ctx, in, shape, "both_gone")}
	}
	return wechat.Reply{Text: b.takeForLater(ctx, in, shape, "perhaps_later")}
}

// standstill is how long nothing must have been committed for the record to be
// taken for hanging.
const standstill = time.Second

// crowded answers a message for which there is no place. Where others go through,
// more come than can be taken: it is refused at once, at the price of its answer
// alone, so that those inside are answered in time and memory stays bounded. Where
// nothing goes through the record hangs, and the message is kept for later.
func (b *Bot) crowded(ctx context.Context, in wechat.Inbound, shape desk.Shape) string {
	if b.o.Clock.Since(time.Unix(0, b.lastDone.Load())) > standstill {
		return b.takeForLater(ctx, in, shape, "crowded")
	}
	refused.WithLabelValues(in.Community, "crowded").Inc()
	return b.voice(shape).Say("crowded", nil)
}

// Wait returns when every message whose answer has left is done with.
func (b *Bot) Wait() { b.late.Wait() }

// seenBefore claims a delivery; ok is true where its reply is known. Where
// another request has claimed it, that one gets a moment to finish. After that
// the delivery is handled again: its claimer may have died, and an empty answer
// would have WeChat drop the message. The record lets only one of the two
// change anything, and gives both the same reply.
func (b *Bot) seenBefore(ctx context.Context, in wechat.Inbound) (reply string, ok bool) {
	for range patience {
		first, done, reply, err := b.desk.Drive().Begin(ctx, in.Community, in.Delivery, seenFor)
		if err != nil || first {
			return "", false // without Redis the record refuses the second one
		}
		if done {
			return reply, true
		}
		select {
		case <-ctx.Done():
			return "", false
		case <-time.After(50 * time.Millisecond):
		}
	}
	return "", false
}

// patience is how many times 50 ms a repeated delivery waits for the first.
const patience = 10

func (b *Bot) remember(ctx context.Context, in wechat.Inbound, reply string) {
	if err := b.desk.Drive().Done(ctx, in.Community, in.Delivery, reply, seenFor); err != nil {
		b.log.Debug("reply not remembered", "cause", err)
	}
}

// takeForLater keeps a message in the drive's append-only file, to be handled
// when the stores answer again. Where that cannot be the person hears what is
// true then: that nothing was taken, or that it is still being tried.
func (b *Bot) takeForLater(ctx context.Context, in wechat.Inbound, shape desk.Shape, otherwise string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	body, err := json.Marshal(in)
	if err == nil {
		err = b.desk.Drive().Add(ctx, in.Community, desk.Task{Kind: desk.TaskMessage, Key: in.Delivery, Body: body, Lane: laneOf(in)}, false)
	}
	if err != nil {
		refused.WithLabelValues(in.Community, "stores").Inc()
		b.log.Error("message not taken: both stores are away", "community", in.Community, "cause", err)
		_ = b.desk.Drive().Undo(ctx, in.Community, in.Delivery)
		return b.voice(shape).Say(otherwise, nil)
	}
	deferred.WithLabelValues(in.Community).Inc()
	reply := b.voice(shape).Say("later", nil)
	b.remember(ctx, in, reply)
	return reply
}

// laneOf keeps one person's messages in order.
func laneOf(in wechat.Inbound) string { return "from:" + in.OpenID }

// Message is who wrote a message that waits in a task's body, by their openid,
// when, and the words of it, "" where it has none (a photo). ok is false where the
// body is no message.
func Message(body []byte) (openid, words string, at time.Time, ok bool) {
	var in wechat.Inbound
	if err := json.Unmarshal(body, &in); err != nil || in.OpenID == "" {
		return "", "", time.Time{}, false
	}
	return in.OpenID, cmp.Or(in.Content, in.Recognition, in.Label), in.CreatedAt, true
}

// messageTask handles a message that was taken for later; its reply is owed
// as a push. It may run more than once: the delivery is stored once, the push
// owed once.
func (b *Bot) messageTask(ctx context.Context, community string, t desk.Task) error {
	var in wechat.Inbound
	if err := json.Unmarshal(t.Body, &in); err != nil {
		return fmt.Errorf("bot: message task: %w", err)
	}
	in.Community = community
	_, err := b.turnSafely(ctx, in, true)
	return err
}

func (b *Bot) turnSafely(ctx context.Context, in wechat.Inbound, late bool) (reply string, err error) {
	defer func() {
		if p := recover(); p != nil {
			kind := fmt.Sprintf("%T", p) // its words may hold a resident's
			err = fmt.Errorf("bot: panic: %s", kind)
			b.log.Error("panic in a conversation", "community", in.Community, "type", in.Type, "panic", kind, "stack", stack())
		}
	}()
	return b.turn(ctx, in, late)
}

// turn is one message: read, decide, commit, answer; again where somebody
// else changed the same things meanwhile.
func (b *Bot) turn(ctx context.Context, in wechat.Inbound, late bool) (string, error) {
	if err := b.retries.pass(ctx, in.Community); err != nil {
		return "", err
	}
	for try := range maxTurns {
		switch try {
		case 1: // from now on one at a time: who tries again must not lose to all others again
			release, err := b.retries.enter(ctx, in.Community)
			if err != nil {
				return "", err
			}
			defer release()
		case holdsUp: // nor to those who come for the first time
			b.retries.hold(in.Community)
		}
		s, err := b.open(ctx, in, try > 0, late)
		if err != nil {
			return "", err
		}
		reply, err := s.answer(ctx)
		var refusal *workflow.Error
		if errors.As(err, &refusal) {
			b.log.Info("refused", "community", in.Community, "code", refusal.Code) // a number could be a telephone's
			ballot := s.ballot
			if s, err = b.open(ctx, in, try > 0, late); err != nil { // nothing of the refused work is kept
				return "", err
			}
			s.talk.Pending, s.talk.Choices = pending{}, nil // what was refused must not refuse what is said next
			reply = s.refused(ctx, refusal)
			if s.ballot = ballot; ballot == "" {
				reply = s.keepMedia(reply)
			}
		} else if err != nil {
			return "", err
		}
		switch err := s.commit(ctx, reply); {
		case err == nil:
			b.lastDone.Store(b.o.Clock.Now().UnixNano())
			return reply, nil
		case errors.Is(err, desk.ErrSeen):
			return b.again(ctx, in, late)
		case !errors.Is(err, desk.ErrStale):
			return "", err
		}
	}
	return "", fmt.Errorf("bot: a conversation keeps changing: %w", desk.ErrStale)
}

// refused is what somebody reads of a refusal.
func (s *session) refused(ctx context.Context, e *workflow.Error) string {
	v := Values{"Number": e.Number}
	if e.Code == workflow.CodeTaken {
		if t, err := s.w.Ticket(ctx, e.Number); err == nil {
			v = s.about(&t)
		}
	}
	return s.say("error."+string(e.Code), v)
}

// retries lets those who must decide again do so one after the other, by
// community: in a crowd around one ticket each then loses at most to those who
// come for the first time. Who has lost to many of them holds up the next.
type retries struct {
	mu    sync.Mutex
	turns map[string]*retryTurn
}

type retryTurn struct {
	taken chan struct{} // has one place
	held  chan struct{} // closed when those who come for the first time may go on; nil while they may
}

// holdsUp is how often somebody decides again in vain before nobody new may pass, and
// heldUp how long each of those waits at most: they take up places that all
// communities share.
const (
	holdsUp = 8
	heldUp  = time.Second
)

func (r *retries) of(community string) *retryTurn {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.turns[community]
	if !ok {
		if r.turns == nil {
			r.turns = map[string]*retryTurn{}
		}
		t = &retryTurn{taken: make(chan struct{}, 1)}
		r.turns[community] = t
	}
	return t
}

// enter waits for the turn; release gives it on, and lets pass who was held up.
func (r *retries) enter(ctx context.Context, community string) (release func(), err error) {
	t := r.of(community)
	select {
	case t.taken <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("bot: waiting to decide again: %w", ctx.Err())
	}
	return func() {
		r.mu.Lock()
		if t.held != nil {
			close(t.held)
			t.held = nil
		}
		r.mu.Unlock()
		<-t.taken
	}, nil
}

// hold holds up who comes for the first time; only who has the turn may.
func (r *retries) hold(community string) {
	t := r.of(community)
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.held == nil {
		t.held = make(chan struct{})
	}
}

// pass waits while somebody holds up who comes for the first time.
func (r *retries) pass(ctx context.Context, community string) error {
	t := r.of(community)
	r.mu.Lock()
	held := t.held
	r.mu.Unlock()
	if held == nil {
		return nil
	}
	enough := time.NewTimer(heldUp)
	defer enough.Stop()
	select {
	case <-held:
	case <-enough.C:
	case <-ctx.Done():
		return fmt.Errorf("bot: held up: %w", ctx.Err())
	}
	return nil
}

// again is the reply of a delivery that is in the record already. Where the
// webhook asked for patience, it is owed as a push.
func (b *Bot) again(ctx context.Context, in wechat.Inbound, late bool) (string, error) {
	d, ok, err := b.desk.Journal().Delivered(ctx, in.Community, in.Delivery)
	if err != nil || !ok {
		return "", fmt.Errorf("bot: delivery seen but not found: %w", err)
	}
	if late && !d.Deferred && d.Reply != "" {
		w, err := b.desk.Begin(in.Community, true)
		if err != nil {
			return "", err
		}
		var about workflow.Ticket
		newest, err := b.desk.Journal().Reported(ctx, in.Community, d.Person, true, 1)
		if err != nil {
			return "", err
		}
		if len(newest) == 1 && newest[0].FiledAt.Equal(d.At) {
			about = newest[0]
		}
		oweLate(w, in.Delivery, d.Person, &about, d.Reply)
		if err := w.Commit(ctx); err != nil {
			return "", err
		}
	}
	return d.Reply, nil
}

// oweLate owes a reply that the webhook's answer left without, with the ticket
// it is about, so that somebody can telephone where no push arrives.
func oweLate(w *desk.Work, delivery string, person workflow.PersonID, about *workflow.Ticket, reply string) {
	facts := desk.FactsOf(about)
	facts.Said = reply
	w.Owe("late:"+delivery, person, workflow.TellLate, facts)
}

// Handlers are the queued tasks that the bot does, for the desk's runner.
func (b *Bot) Handlers() map[desk.TaskKind]desk.Handler {
	return map[desk.TaskKind]desk.Handler{
		desk.TaskMessage: b.messageTask,
		desk.TaskPush:    b.pushTask,
		desk.TaskMedia:   b.mediaTask,
		desk.TaskHear:    b.hearTask,
		desk.TaskAdvice:  b.adviceTask,
	}
}
