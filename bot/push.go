package bot

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/wishdesk/wishdesk/bot/wechat"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

const (
	pushLease  = time.Minute      // a sender that dies is noticed after this
	pushTries  = 12               // then a person must telephone
	channelOff = 10 * time.Minute // a channel that is not permitted is asked again after this

	// How long after it was made a push waits for a channel that is stopped for
	// the whole account: where the day's quota is used up, and where the minute's
	// is, or it is not permitted, which somebody may be mending. Then a person must
	// telephone; for an emergency at once, unless a channel opens with the next minute.
	dayLimit    = 26 * time.Hour
	offLimit    = 30 * time.Minute
	urgentLimit = 2 * time.Minute
)

// pushTask sends one push that is owed: leased in the record first, so that
// of many senders one sends it, its end stored afterwards.
func (b *Bot) pushTask(ctx context.Context, community string, t desk.Task) error {
	now := b.desk.Now()
	journal := b.desk.Journal()
	p, ok, err := journal.TakePush(ctx, community, t.Key, now, pushLease)
	if err != nil || !ok {
		return err
	}
	out := b.send(ctx, p, now)
	out.At, out.Lease = b.desk.Now(), p.Lease
	errcode := strconv.FormatInt(out.ErrCode, 10)
	pushes.WithLabelValues(community, out.Channel, errcode, string(out.Status)).Inc()
	if out.Status == desk.PushSent {
		pushDelay.Observe(out.At.Sub(p.CreatedAt).Seconds())
	} else {
		b.log.Warn("push not sent", "community", community, "purpose", p.Purpose, "channel", out.Channel, "errcode", out.ErrCode, "outcome", out.Status, "cause", out.Error)
	}
	if err := journal.FinishPush(ctx, community, t.Key, out); err != nil {
		return err
	}
	if out.Status == desk.PushManual || out.Status == desk.PushDropped || out.Status == desk.PushUnknown {
		b.desk.Tell(ctx, community, desk.AboutFailed)
	}
	if out.Status == desk.PushOwed {
		b.desk.Later(community, t, out.NextTry)
	}
	return nil
}

// send tries the channels that the platform allows this person now.
func (b *Bot) send(ctx context.Context, p desk.Push, now time.Time) desk.PushOutcome {
	if p.Status == desk.PushSending && !p.Purpose.TwiceRatherThanNever() {
		// Its sender died, perhaps after sending: once is enough of these.
		return desk.PushOutcome{Status: desk.PushUnknown, Channel: p.Channel, Error: desk.WhyInterrupted}
	}
	shape, ok := b.desk.Shape(p.Community)
	m, connected := b.o.Messenger(p.Community)
	if !ok || !connected {
		return b.later(p, now, desk.PushOutcome{Error: desk.WhyNoAccount})
	}
	if at := p.Waits(shape.Community, now); at.After(now) {
		return desk.PushOutcome{Status: desk.PushOwed, NextTry: at, Held: true}
	}
	to, err := b.desk.Journal().Person(ctx, p.Community, p.Person)
	if err != nil {
		return b.later(p, now, desk.PushOutcome{Error: err.Error()})
	}
	if !to.Reachable() {
		return giveUp(p, desk.PushOutcome{Error: desk.WhyUnreachable})
	}
	last := desk.PushOutcome{Error: desk.WhyNoChannel}
	var soonest stop // of the channels that would do, and are stopped for all
	for _, try := range []func() (desk.PushOutcome, bool){
		func() (desk.PushOutcome, bool) { return b.sendCustom(ctx, m, shape, p, to, now) },
		func() (desk.PushOutcome, bool) { return b.sendTemplate(ctx, m, shape, p, to, now) },
	} {
		out, settled := try()
		if settled {
			return out
		}
		if out.Error != "" {
			last = out
		}
		if at := out.NextTry; !at.IsZero() && (soonest.until.IsZero() || at.Before(soonest.until)) {
			soonest = b.channels.stopped(p.Community, out.Channel)
		}
	}
	return b.untilOpen(p, now, soonest, last)
}

// untilOpen is what becomes of a push for which no channel is open now: s is the stop that
// ends first, of none that would do where it is zero.
func (b *Bot) untilOpen(p desk.Push, now time.Time, s stop, out desk.PushOutcome) desk.PushOutcome {
	urgent := p.Facts.Severity == workflow.Emergency
	if urgent {
		s.limit = urgentLimit
	}
	switch {
	case s.until.IsZero() || urgent && !s.minute:
	case now.Sub(p.CreatedAt) < s.limit:
		out.Status, out.NextTry, out.Held = desk.PushOwed, s.until, true
		return out
	case s.minute && !urgent: // minute after minute is used up: from now on each counts as a try
		out = b.later(p, now, out)
		if out.Status == desk.PushOwed && out.NextTry.Before(s.until) {
			out.NextTry = s.until
		}
		return out
	}
	return giveUp(p, out)
}

// stopped is what becomes of a push whose channel is stopped for all. While only a
// minute of it is used up the push waits for the next, by the same channel; an emergency
// does not, nor what has waited for long: settled is false where another channel should
// be tried, and NextTry is when this one opens.
func (b *Bot) stopped(p desk.Push, now time.Time, out desk.PushOutcome) (_ desk.PushOutcome, settled bool) {
	s := b.channels.stopped(p.Community, out.Channel)
	out.NextTry = s.until
	if s.minute && p.Facts.Severity != workflow.Emergency && now.Sub(p.CreatedAt) < s.limit {
		out.Status, out.Held = desk.PushOwed, true
		return out, true
	}
	return out, false
}

// ifStopped is stopped before anything was tried; yes is false where the channel is open.
// One that may not reach this person anyway is not waited for.
func (b *Bot) ifStopped(ctx context.Context, p desk.Push, now time.Time, channel string, may func(desk.Contact) bool) (out desk.PushOutcome, settled, yes bool) {
	out.Channel = channel
	if !b.channels.stopped(p.Community, channel).until.After(now) {
		return out, false, false
	}
	c, err := b.desk.Journal().Contact(ctx, p.Community, p.Person)
	if err != nil {
		return b.later(p, now, desk.PushOutcome{Channel: channel, Error: err.Error()}), true, true
	}
	if !may(c) {
		return out, false, true
	}
	out, settled = b.stopped(p, now, out)
	return out, settled, true
}

// giveUp ends a push that cannot reach the person: somebody should telephone,
// unless it is not worth a call.
func giveUp(p desk.Push, out desk.PushOutcome) desk.PushOutcome {
	out.Status = desk.PushManual
	if smallTalk := p.Purpose == workflow.TellLate && p.Number == 0; smallTalk || !p.Purpose.WorthACall() {
		out.Status = desk.PushDropped
	}
	return out
}

// later tries again after a while, longer each time.
func (b *Bot) later(p desk.Push, now time.Time, out desk.PushOutcome) desk.PushOutcome {
	if p.Attempts >= pushTries {
		return giveUp(p, out)
	}
	out.Status = desk.PushOwed
	out.NextTry = now.Add(min(time.Hour, 5*time.Second<<min(p.Attempts, 20)))
	return out
}

// allArrived tells whether a delivery is word that pushes reached whom they were sent
// to, and nothing else. It comes for each push and changes nothing: it is counted, and
// no store is asked.
func allArrived(in wechat.Inbound) bool {
	channel := channelTemplate
	switch in.Event {
	case "TEMPLATESENDJOBFINISH":
		if in.Status != "success" {
			return false
		}
	case "subscribe_msg_sent_event":
		channel = channelSubscribe
		if slices.ContainsFunc(in.SubscribeResults, func(r wechat.SubscribeResult) bool { return !noticeArrived(r) }) {
			return false
		}
	default:
		return false
	}
	pushes.WithLabelValues(in.Community, channel, "result", "arrived").Inc()
	return true
}

func noticeArrived(r wechat.SubscribeResult) bool { return r.ErrorCode == "0" || r.Status == "success" }

// templateResult notes that a template message did not arrive after all.
func (s *session) templateResult(ctx context.Context) error {
	msgID, err := strconv.ParseInt(s.in.MsgID, 10, 64)
	if err != nil {
		return nil
	}
	p, ok, err := s.b.sentAs(ctx, s.in.Community, msgID)
	if err != nil || !ok {
		return err
	}
	s.notArrived(p, desk.PushOutcome{Channel: channelTemplate, Error: desk.WhyNotArrived + ": " + s.in.Status, MsgID: msgID})
	return nil
}

// subscribeResult notes that a subscription notice did not arrive after all.
// Sending one gives no message id, so it is taken for the last one.
func (s *session) subscribeResult(ctx context.Context) error {
	for _, r := range s.in.SubscribeResults {
		if noticeArrived(r) {
			continue
		}
		p, ok, err := s.b.desk.Journal().LastSubscribe(ctx, s.in.Community, s.me.ID)
		if err != nil || !ok {
			return err
		}
		s.notArrived(p, desk.PushOutcome{Channel: channelSubscribe, Error: desk.WhyNotArrived + ": " + r.Status})
	}
	return nil
}

func (s *session) notArrived(p desk.Push, out desk.PushOutcome) {
	pushes.WithLabelValues(s.in.Community, out.Channel, "result", "failed").Inc()
	out.At = s.now
	s.w.Change.Ended = append(s.w.Change.Ended, desk.PushEnd{Key: p.Key, PushOutcome: giveUp(p, out)})
}

// sentAs finds the push that went out under a message id. The platform's
// result can be here before the answer to our call is stored, so it is worth
// a moment's wait.
func (b *Bot) sentAs(ctx context.Context, community string, msgID int64) (p desk.Push, ok bool, err error) {
	for range 10 {
		p, ok, err = b.desk.Journal().PushByMsgID(ctx, community, msgID)
		if err != nil || ok {
			return p, ok, err
		}
		select {
		case <-ctx.Done():
			return p, false, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return p, false, nil
}
