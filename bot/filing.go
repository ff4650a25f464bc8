package bot

import (
	"context"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// file opens a ticket with all that is known, and says number, who has it and
// by when; or asks for the one thing that is missing. What is known already is
// joined to it.
func (s *session) file(ctx context.Context, raw string, u workflow.Understanding) (string, error) {
	cmd := s.filing(raw, u)
	if known, ok, err := s.known(ctx, cmd); err != nil {
		return "", err
	} else if ok {
		return s.joined(ctx, cmd, known)
	}
	return s.fileAlone(ctx, cmd, u)
}

// filing is the command that files a text.
func (s *session) filing(raw string, u workflow.Understanding) workflow.Command {
	cmd := u.Filing(raw, s.by())
	cmd.Reporter, cmd.Source = s.me.ID, workflow.SourceChat
	return cmd
}

func (s *session) fileAlone(ctx context.Context, cmd workflow.Command, u workflow.Understanding) (string, error) {
	cmd.Media = s.take()
	file := s.w.File
	if cmd.Severity == workflow.Emergency {
		file = s.w.FileDanger
	}
	t, err := file(ctx, cmd)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if t, err = s.askBuilding(ctx, t, u); err != nil {
		return "", err
	}
	return s.filed(&t, u), nil
}

// known is the open ticket that tells of the same trouble.
func (s *session) known(ctx context.Context, cmd workflow.Command) (workflow.Ticket, bool, error) {
	if cmd.Kind != workflow.Incident || cmd.Severity == workflow.Emergency {
		return workflow.Ticket{}, false, nil
	}
	return s.w.Known(ctx, workflow.Matter{Category: cmd.Category, Place: cmd.Place, Text: cmd.Text, At: s.now}, s.b.o.Understander.Same)
}

// joined tells that a trouble is known. The writer's own is told again; of a
// neighbour's the writer counts as affected too, and hears when it is solved.
func (s *session) joined(ctx context.Context, cmd workflow.Command, known workflow.Ticket) (string, error) {
	media := s.take()
	if known.Involved(s.me.ID) {
		t, err := s.w.Do(ctx, known.Number, workflow.Command{Name: workflow.CmdSupplement, Actor: s.by(), Text: cmd.Text, Media: media})
		if err != nil {
			return "", err
		}
		s.talk.Ticket = t.Number
		s.talk.Pending = pending{Verb: verbAs, Draft: cmd.Text}
		return s.offer(s.say("known_yours", s.about(&t)), choice{s.say("choice.another", nil), "登记 另一件"}), nil
	}
	cmd.Media = media
	own, living, err := s.w.FileInto(ctx, cmd, known.Number)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = own.Number
	v := s.about(&living)
	v["Own"] = own.Number
	return s.offer(s.say("known", v), choice{s.say("choice.another", nil), "拆分 " + strconv.FormatInt(own.Number, 10)}), nil
}

// several asks whether a message of several matters is to be filed as such.
func (s *session) several(raw string, parts []workflow.Part) string {
	var lines []string
	for i, p := range parts {
		lines = append(lines, s.say("several_line", Values{
			"Index": i + 1, "What": s.voice().Taxonomy.Label(p.Category), "Place": p.Place.String(), "Text": wording.Shorten(wording.FirstLine(p.Text), 20),
		}))
	}
	s.talk.Pending = pending{Verb: verbAs, Draft: raw}
	return s.offer(s.say("several", Values{"Count": len(parts), "Lines": strings.Join(lines, "\n")}),
		choice{s.say("choice.apart", nil), "登记 分开"}, choice{s.say("choice.together", nil), "登记 一件"})
}

// filed is the answer to a new ticket.
func (s *session) filed(t *workflow.Ticket, u workflow.Understanding) string {
	v := s.about(t)
	v["Photos"] = len(t.Media)
	reply := s.say("filed", v)
	if t.Question != nil && s.apart {
		if s.questioned {
			return reply // one question at a time
		}
		s.questioned = true
	}
	if q := t.Question; q != nil && q.Topic == workflow.TopicWhat {
		var choices []choice
		for _, c := range u.Guesses {
			if s.voice().Taxonomy.Off(c) {
				continue
			}
			label := s.voice().Taxonomy.Label(c)
			choices = append(choices, choice{label, label})
		}
		return s.offer(reply+s.say("ask.what", v), choices...)
	} else if q != nil {
		return s.offerPlaces(reply, t, u)
	}
	if t.Stand == workflow.OnWall && t.Reporter == s.me.ID && !t.Named && !s.apart {
		n := " " + strconv.FormatInt(t.Number, 10)
		return s.offer(reply+s.say("ask.named", v), choice{s.say("choice.named", nil), "公开" + n}, choice{s.say("choice.hidden", nil), "保密" + n})
	}
	return reply
}

// fileAs files what the desk had asked about: is it a matter or a wish?
func (s *session) fileAs(ctx context.Context, sp spoken, draft string) (string, error) {
	if draft == "" {
		if sp.Rest == "" {
			return s.say("report", nil), nil
		}
		return s.free(ctx, s.text()) // 「登记一下3号楼灯坏了」
	}
	u, err := s.understand(ctx, draft)
	if err != nil {
		return "", err
	}
	switch {
	case strings.Contains(sp.Rest, "分开"):
		return s.fileApart(ctx, draft)
	case strings.Contains(sp.Rest, "一件"): // all of it one matter, or not the one that is known
		return s.fileAlone(ctx, s.filing(draft, u), u)
	}
	u.Kind = workflow.Incident
	if strings.Contains(sp.Rest, "心愿") {
		u.Kind = workflow.Wish
	}
	if _, kind, ok := s.voice().Taxonomy.Find(string(u.Category)); !ok || kind != u.Kind {
		u.Category = workflow.OtherIncident
		if u.Kind == workflow.Wish {
			u.Category = workflow.OtherWish
		}
	}
	u.Confidence = 1
	return s.file(ctx, draft, u)
}

// fileApart files the several matters of a message, each by itself.
func (s *session) fileApart(ctx context.Context, draft string) (string, error) {
	s.apart = true
	var replies []string
	for _, p := range s.b.o.Understander.Parts(ctx, s.shape.Community, s.words(draft)) {
		reply, err := s.file(ctx, p.Text, p.Understanding)
		if err != nil {
			return "", err
		}
		replies = append(replies, reply)
	}
	return strings.Join(replies, "\n"), nil
}
