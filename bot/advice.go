package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Advisor gives a second opinion on what a masked text is about: kind,
// category and severity; the zero Understanding where it does not know. It may
// be slow, wrong or away: see docs/decisions/0011.
type Advisor interface {
	Resting() bool // it failed too often and is not asked for a while
	Advise(ctx context.Context, text string) (workflow.Understanding, error)
}

// adviceTask asks for advice on a ticket of which nobody knows yet what it is
// about. It is one try: without an answer the ticket goes the way it goes
// without an advisor, by the resident's answer or the tray.
func (b *Bot) adviceTask(ctx context.Context, community string, t desk.Task) error {
	number, err := strconv.ParseInt(t.Key, 10, 64)
	if err != nil {
		return fmt.Errorf("bot: advice on %q: %w", t.Key, err)
	}
	ticket, err := b.desk.Journal().Ticket(ctx, community, number)
	if err != nil {
		return err
	}
	shape, ok := b.desk.Shape(community)
	if !ok || b.o.Advisor == nil || b.o.Advisor.Resting() || !ticket.InDoubt() || !b.affords(ctx, shape, "advice", b.o.AdvicePerDay) {
		return nil
	}
	var names []string
	for _, p := range shape.Roster {
		names = append(names, p.Name)
	}
	reporter, err := b.desk.Journal().Person(ctx, community, ticket.Reporter)
	if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
		return err
	}
	masked := b.o.Understander.Mask(shape.Community, ticket.Text, append(names, reporter.Name))
	u, err := b.o.Advisor.Advise(ctx, masked)
	switch {
	case err != nil:
		outsideCalls.WithLabelValues(community, "advice", "failed").Inc()
		b.log.Warn("no advice", "community", community, "cause", err)
		return nil
	case u.Kind != workflow.Incident && u.Kind != workflow.Wish:
		outsideCalls.WithLabelValues(community, "advice", "no_help").Inc()
		return nil // a person decides
	}
	outsideCalls.WithLabelValues(community, "advice", "helped").Inc()
	for range maxTurns {
		err := b.advised(ctx, community, number, u)
		if !errors.Is(err, desk.ErrStale) {
			return err
		}
	}
	return fmt.Errorf("bot: advice on a ticket that keeps changing: %w", desk.ErrStale)
}

// advised gives a ticket the advice on it and tells its reporter what came of
// it, unless it is known by now.
func (b *Bot) advised(ctx context.Context, community string, number int64, u workflow.Understanding) error {
	w, err := b.desk.Begin(community, true)
	if err != nil {
		return err
	}
	t, err := w.Ticket(ctx, number)
	if err != nil || !t.InDoubt() {
		return err
	}
	asked := t.Question != nil
	cmd := workflow.Command{
		Name: workflow.CmdAdvise, Actor: workflow.System(), Kind: u.Kind, Category: u.Category, Severity: u.Severity, Topic: workflow.TopicPlace,
	}
	if u.Severity == workflow.Emergency {
		cmd.Danger = workflow.UnnamedDanger
	}
	if t, err = w.Do(ctx, number, cmd); err != nil {
		return err
	}
	if t.Severity == workflow.Emergency && !t.Place.Known() && t.Question == nil {
		if t, err = w.Do(ctx, number, workflow.Command{Name: workflow.CmdAsk, Actor: workflow.System(), Topic: workflow.TopicPlace}); err != nil {
			return err
		}
	}
	me, err := b.desk.Journal().Person(ctx, community, t.Reporter)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return w.Commit(ctx) // nobody to be told
	}
	if err != nil {
		return err
	}
	s := &session{b: b, w: w, shape: w.Shape, now: w.Now, me: me, read: map[string]workflow.Understanding{}}
	state, version, err := b.desk.Talk(ctx, community, me.ID, true)
	if err != nil {
		return err
	}
	s.talk = readTalk(state, s.now, s.shape.Community)
	reply := s.say("advised", s.about(&t)) + s.filed(&t, workflow.Understanding{Place: t.Place})
	s.talk.Ticket = t.Number
	if asked {
		s.talk.Advised, s.talk.At = t.Number, s.now // who is typing the answer still gives it
	}
	if state, err = json.Marshal(s.talk); err != nil {
		return err
	}
	w.Change.Talk = &desk.Talk{Person: me.ID, Was: version, State: state} // what can be tapped or answered by number
	oweLate(w, "advice:"+strconv.FormatInt(number, 10)+":"+strconv.FormatInt(t.Version, 10), me.ID, &t, reply)
	return w.Commit(ctx)
}

// affords counts what is asked outside in a community today, and tells whether
// its budget allows one more. Replicas share the count; without Redis nothing is
// asked.
func (b *Bot) affords(ctx context.Context, shape desk.Shape, what string, perDay int) bool {
	c := shape.Community
	today := b.desk.Now().In(c.Location()).Format(time.DateOnly)
	ok, err := b.desk.Drive().Allow(ctx, c.Code, "outside:"+what+":"+today, 1, perDay, 25*time.Hour)
	if err != nil || !ok {
		outsideCalls.WithLabelValues(c.Code, what, "budget").Inc()
		return false
	}
	return true
}
