package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// target finds the ticket a command is about: the number said, else the only
// one that fits, else a question with choices. ok is false where reply is the
// answer already. verb is the word a choice repeats with its number.
func (s *session) target(ctx context.Context, sp spoken, word string, fit []workflow.Ticket) (t workflow.Ticket, reply string, ok bool, err error) {
	if sp.Number != 0 {
		t, err = s.visible(ctx, sp.Number)
		return t, "", err == nil, err
	}
	for _, f := range fit {
		if f.Number == s.talk.Ticket && len(fit) > 1 && sp.Rest != "" && sp.Verb != verbRate {
			return f, "", true, nil // words about what was just talked about
		}
	}
	switch len(fit) {
	case 0:
		return t, s.say("nothing_fits", Values{"Word": word}), false, nil
	case 1:
		t, err = s.w.Ticket(ctx, fit[0].Number)
		return t, "", err == nil, err
	}
	var choices []choice
	for _, f := range fit {
		if len(choices) == 5 {
			break
		}
		text := word + " " + strconv.FormatInt(f.Number, 10)
		if sp.Rest != "" {
			text += " " + sp.Rest
		}
		choices = append(choices, choice{s.say("choice.ticket", s.about(&f)), text})
	}
	return t, s.offer(s.say("which_ticket", Values{"Word": word}), choices...), false, nil
}

// visible is the living ticket behind a number, for somebody who may see it:
// whose matter it is, who handles it, the workers of its grid, the committee;
// a wish that may be claimed or joined is for those who claim, without who
// asked.
func (s *session) visible(ctx context.Context, number int64) (workflow.Ticket, error) {
	asked, err := s.w.Ticket(ctx, number)
	if err != nil {
		return workflow.Ticket{}, err
	}
	t, err := s.w.Living(ctx, number)
	if err != nil {
		return workflow.Ticket{}, err
	}
	if t.ReadBy(s.me) || asked.Involved(s.me.ID) || t.Involved(s.me.ID) || t.OpenTo(s.me) {
		return t, nil
	}
	return workflow.Ticket{}, &workflow.Error{Code: workflow.CodeNotFound, Number: number}
}

// show tells how one ticket stands.
func (s *session) show(ctx context.Context, number int64) (string, error) {
	t, err := s.visible(ctx, number)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if s.me.Staff() && !t.Involved(s.me.ID) {
		return s.card(ctx, &t)
	}
	v := s.about(&t)
	if number != t.Number {
		own, err := s.w.Ticket(ctx, number)
		if err != nil {
			return "", err
		}
		v["Merged"] = true
		if own.Involved(s.me.ID) {
			v["Text"] = wording.Shorten(wording.FirstLine(own.Text), 40)
		}
	}
	reply := s.say("status", v)
	mine := t.Reporter == s.me.ID
	n := " " + strconv.FormatInt(t.Number, 10)
	switch {
	case t.State == workflow.Resolved && mine:
		return s.offer(reply, s.verdicts(t.Number)...), nil
	case t.State == workflow.Resolved, s.mayReopen(t):
		return s.offer(reply, choice{s.say("choice.reopen", nil), "重办" + n}), nil
	case t.State.Open():
		choices := []choice{{s.say("choice.urge", nil), "催办" + n}, {s.say("choice.supplement", nil), "补充" + n}}
		if mine {
			choices = append(choices, choice{s.say("choice.cancel", nil), "撤销" + n})
		}
		return s.offer(reply, choices...), nil
	}
	return reply, nil
}

func (s *session) progress(ctx context.Context, sp spoken) (string, error) {
	if sp.Number != 0 {
		return s.show(ctx, sp.Number)
	}
	open, err := s.affected(ctx)
	if err != nil {
		return "", err
	}
	if len(open) == 0 {
		all, err := s.mine(ctx, true)
		if err != nil || len(all) == 0 {
			return s.say("none_yet", nil), err
		}
		return s.show(ctx, all[0].Number)
	}
	if len(open) == 1 {
		return s.show(ctx, open[0].Number)
	}
	var lines []string
	var choices []choice
	for i, t := range open {
		if i == 5 {
			break
		}
		lines = append(lines, s.say("line", s.about(&t)))
		choices = append(choices, choice{s.say("choice.ticket", s.about(&t)), "进度 " + strconv.FormatInt(t.Number, 10)})
	}
	return s.offer(s.say("progress", Values{"Lines": strings.Join(lines, "\n"), "Count": len(open)}), choices...), nil
}

func beforeResolved(all []workflow.Ticket) []workflow.Ticket {
	var out []workflow.Ticket
	for _, t := range all {
		if t.State != workflow.Resolved {
			out = append(out, t)
		}
	}
	return out
}

func (s *session) urge(ctx context.Context, sp spoken) (string, error) {
	open, err := s.affected(ctx)
	if err != nil {
		return "", err
	}
	t, reply, ok, err := s.target(ctx, sp, "催办", beforeResolved(open))
	if !ok {
		return reply, err
	}
	t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdUrge, Actor: s.by(), Text: sp.Rest})
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	return s.say("urged", s.about(&t)), nil
}

func (s *session) supplement(ctx context.Context, sp spoken) (string, error) {
	open, err := s.affected(ctx)
	if err != nil {
		return "", err
	}
	t, reply, ok, err := s.target(ctx, sp, "补充", open)
	if !ok {
		return reply, err
	}
	s.talk.Ticket = t.Number
	media := s.take()
	if sp.Rest == "" && len(media) == 0 {
		s.talk.Pending = pending{Verb: verbSupplement, Number: t.Number}
		return s.say("supplement_what", s.about(&t)), nil
	}
	cmd := workflow.Command{Name: workflow.CmdSupplement, Actor: s.by(), Text: sp.Rest, Media: media}
	if t.Question != nil && t.Involved(s.me.ID) {
		cmd.Name = workflow.CmdAnswer
	}
	cmds := []workflow.Command{cmd}
	if place, ok, err := s.placeCorrected(ctx, &t, sp.Rest); err != nil {
		return "", err
	} else if ok && cmd.Name == workflow.CmdSupplement {
		cmds = append(cmds, workflow.Command{
			Name: workflow.CmdClassify, Actor: workflow.System(), Kind: t.Kind, Category: t.Category, Severity: t.Severity, Danger: t.Danger, Place: place,
		})
	}
	if t, err = s.w.Do(ctx, t.Number, cmds...); err != nil {
		return "", err
	}
	if len(cmds) > 1 {
		return s.say("place_corrected", s.about(&t)), nil
	}
	return s.say("supplemented", s.about(&t)), nil
}

func (s *session) cancel(ctx context.Context, sp spoken) (string, error) {
	open, err := s.mine(ctx, false)
	if err != nil {
		return "", err
	}
	t, reply, ok, err := s.target(ctx, sp, "撤销", beforeResolved(open))
	if !ok {
		return reply, err
	}
	s.talk.Ticket = t.Number
	if sp.Number == 0 { // a word alone could be a slip: ask once
		return s.offer(s.say("cancel_sure", s.about(&t)), choice{s.say("choice.cancel", nil), "撤销 " + strconv.FormatInt(t.Number, 10)}), nil
	}
	t, others, err := s.w.Withdraw(ctx, t.Number, s.by(), sp.Rest, s.voice().OnWall(s.b.desk.Journal()))
	if err != nil {
		return "", err
	}
	if others > 0 {
		v := s.about(&t)
		v["Number"], v["Others"] = t.Number, others
		return s.say("left_to_others", v), nil
	}
	return s.say("cancelled", s.about(&t)), nil
}

// shopTalk answers what staff say without a command: a task read is a task to
// accept, one that is done is to be resolved.
func (s *session) shopTalk(ctx context.Context, raw string) (string, bool, error) {
	if !s.me.Staff() {
		return "", false, nil
	}
	text := tidy(raw)
	key, word, v := "ack.read", "接单 ", verbAccept
	switch {
	case saidRead.MatchString(text):
	case saidDone.MatchString(text):
		key, word, v = "ack.done", "办结 ", verbResolve
	default:
		return "", false, nil
	}
	fit, err := s.fitting(ctx, v)
	if err != nil {
		return "", false, err
	}
	var choices []choice
	for _, t := range fit {
		if len(choices) < 4 {
			choices = append(choices, choice{s.say("choice.do", Values{"Word": strings.TrimSpace(word), "Number": t.Number}), word + strconv.FormatInt(t.Number, 10)})
		}
	}
	if v == verbResolve {
		helped, err := s.b.desk.Journal().Helped(ctx, s.in.Community, s.me.ID, 4)
		if err != nil {
			return "", false, err
		}
		for _, t := range helped {
			choices = append(choices, choice{s.say("choice.do", Values{"Word": suggested(verbFinish), "Number": t.Number}), "完成 " + strconv.FormatInt(t.Number, 10)})
		}
	}
	if len(choices) == 0 {
		return "", false, nil
	}
	return s.offer(s.say(key, nil), choices...), true, nil
}

// split makes a ticket of its own again of one that was merged by mistake.
func (s *session) split(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		all, err := s.mine(ctx, true)
		if err != nil {
			return "", err
		}
		last := slices.IndexFunc(all, func(t workflow.Ticket) bool { return t.State == workflow.Merged })
		if last < 0 {
			return s.say("nothing_fits", Values{"Word": suggested(verbSplit)}), nil
		}
		sp.Number = all[last].Number
	}
	if _, err := s.visible(ctx, sp.Number); err != nil {
		return "", err
	}
	t, err := s.w.Split(ctx, sp.Number, s.by(), sp.Rest)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if t.Reporter == s.me.ID {
		return s.filed(&t, workflow.Understanding{Place: t.Place}), nil
	}
	return s.say("did.split", s.about(&t)), nil
}
