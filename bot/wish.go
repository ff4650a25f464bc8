package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// wall shows wishes that may be claimed; nobody sees who asked.
func (s *session) wall(ctx context.Context, sp spoken) (string, error) {
	const page = 5
	wishes, err := s.b.desk.Journal().Wall(ctx, s.in.Community, sp.Number, page+1)
	if err != nil {
		return "", err
	}
	if len(wishes) == 0 {
		return s.say("wall_empty", nil), nil
	}
	numbers := make([]int64, len(wishes))
	for i := range wishes {
		numbers[i] = wishes[i].Number
	}
	veil, err := s.voice().Veil(ctx, s.b.desk.Journal(), numbers...)
	if err != nil {
		return "", err
	}
	var lines []string
	var choices []choice
	for i, t := range wishes {
		if i == page {
			choices = append(choices, choice{s.say("choice.more", nil), "心愿墙 " + strconv.FormatInt(wishes[i-1].Number, 10)})
			break
		}
		v := s.about(&t)
		v["Text"] = wording.Shorten(veil.Anonymous(t.Number, wording.FirstLine(t.Text)), 40)
		v["Supporters"] = len(t.Supporters)
		if t.Named && s.me.MayClaim() {
			who, err := s.b.desk.Journal().Person(ctx, s.in.Community, t.Reporter)
			if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
				return "", err
			}
			v["Name"] = who.Name
		}
		lines = append(lines, s.say("wall_line", v))
		if s.me.MayClaim() {
			choices = append(choices, choice{s.say("choice.claim", s.about(&t)), "认领 " + strconv.FormatInt(t.Number, 10)})
		} else if s.voice().Taxonomy.Shared(t.Category) && !t.Involved(s.me.ID) && !slices.Contains(t.Supporters, s.me.ID) {
			choices = append(choices, choice{s.say("choice.support", s.about(&t)), "我也想要 " + strconv.FormatInt(t.Number, 10)})
		}
	}
	return s.offer(s.say("wall", Values{"Lines": strings.Join(lines, "\n"), "MayClaim": s.me.MayClaim()}), choices...), nil
}

func (s *session) claim(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		return s.wall(ctx, spoken{})
	}
	if !s.me.MayClaim() && !s.me.Has(workflow.RoleCommittee) {
		return "", &workflow.Error{Code: workflow.CodeNotAllowed, Number: sp.Number}
	}
	t, err := s.w.Living(ctx, sp.Number)
	if err != nil {
		return "", err
	}
	if t.Kind != workflow.Wish {
		return "", &workflow.Error{Code: workflow.CodeNotFound, Number: sp.Number}
	}
	if t.Owner != 0 && t.Owner != s.me.ID {
		v := s.about(&t)
		v["By"] = strings.Join(t.Claimers, "、")
		if t.State != workflow.Accepted || t.Reporter == s.me.ID || t.Hand(s.me.ID) != nil || !s.me.MayClaim() {
			return s.say("claimed_before", v), nil
		}
		return s.offer(s.say("claimed_before", v), choice{s.say("choice.join", v), "一起 " + strconv.FormatInt(t.Number, 10)}), nil
	}
	if t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdClaim, Actor: s.by(), Unit: s.me.Unit()}); err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	return s.card(ctx, &t)
}

// consent notes whether claimers may know who wished.
func (s *session) consent(ctx context.Context, sp spoken) (string, error) {
	open, err := s.mine(ctx, false)
	if err != nil {
		return "", err
	}
	fit := slices.DeleteFunc(beforeResolved(open), func(t workflow.Ticket) bool { return t.Kind != workflow.Wish })
	if sp.Number == 0 && len(fit) == 0 {
		return s.free(ctx, s.text())
	}
	t, reply, ok, err := s.target(ctx, sp, suggested(sp.Verb), fit)
	if !ok {
		return reply, err
	}
	s.talk.Ticket = t.Number
	yes := sp.Verb == verbNamed
	var cmds []workflow.Command
	if t.Named != yes {
		cmds = append(cmds, workflow.Command{Name: workflow.CmdConsent, Actor: s.by(), Yes: yes})
	}
	if t.Question != nil && t.Question.Topic == workflow.TopicWorker && t.Reporter == s.me.ID { // who claimed asked about it
		cmds = append(cmds, workflow.Command{Name: workflow.CmdAnswer, Actor: s.by(), Text: s.text()})
	}
	if t, err = s.w.Do(ctx, t.Number, cmds...); err != nil {
		return "", err
	}
	v := s.about(&t)
	v["Missing"] = yes && t.Reporter == s.me.ID && (s.me.Name == "" || s.me.Phone == "")
	if v["Missing"] == true {
		s.talk.Pending = pending{Verb: verbContact}
	}
	return s.say("consent."+string(sp.Verb), v), nil
}

// contact notes what the writer is called and their telephone, in any order:
// 「王大爷 13800138000」.
func (s *session) contact(text string) string {
	rest, phone := workflow.PhoneIn(text)
	name := strings.Trim(rest, " ,，。:：我叫是电话")
	if !workflow.IsName(name) {
		name = ""
	}
	if name == "" && phone == "" {
		return s.say("contact_how", nil)
	}
	s.w.Change.Contact = &desk.Contacted{Person: s.me.ID, Name: name, Phone: phone}
	if name == "" {
		name = s.me.Name
	}
	return s.say("contact_known", Values{"Name": name, "Phone": phone})
}

// support adds the writer to those who wish the same: 「我也想要 1024」.
func (s *session) support(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		return s.wall(ctx, spoken{})
	}
	t, err := s.w.Living(ctx, sp.Number)
	if err != nil {
		return "", err
	}
	if t.Kind != workflow.Wish || !s.voice().Taxonomy.Shared(t.Category) {
		return "", &workflow.Error{Code: workflow.CodeNotFound, Number: sp.Number}
	}
	if t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdSupport, Actor: s.by()}); err != nil {
		return "", err
	}
	v := s.about(&t)
	v["Supporters"] = len(t.Supporters)
	return s.say("supported", v), nil
}

// mostWished are the lines of what most neighbours wish for, for the
// committee.
func (s *session) mostWished(ctx context.Context) ([]string, error) {
	if !s.me.Has(workflow.RoleCommittee) {
		return nil, nil
	}
	all, err := s.b.desk.Journal().Wished(ctx, s.in.Community, 3)
	var lines []string
	for _, t := range all {
		v := s.about(&t)
		v["Supporters"] = len(t.Supporters)
		lines = append(lines, s.say("wished_line", v))
	}
	return lines, err
}

// suggest names up to three who might take a wish that nobody claims: those of
// the alliance who have a skill that the wish names (理发), then those whose
// skills fit its category, then all others; people on leave are left out.
func (b *Bot) suggest(shape desk.Shape, f *desk.Facts) []string {
	var best, fit, others []string
	for _, p := range shape.Roster {
		if !p.MayClaim() || p.Has(workflow.RoleWorker) || p.Away.Covers(b.desk.Now()) {
			continue
		}
		name := p.Name + "(" + b.voice(shape).Title(p) + ")"
		knows := func(skill string) bool { return strings.Contains(f.Text, skill) }
		if slices.ContainsFunc(p.Roles, func(r workflow.Role) bool { return slices.ContainsFunc(r.Skills, knows) }) {
			best = append(best, name)
		} else if slices.ContainsFunc(p.Roles, func(r workflow.Role) bool {
			return slices.Contains(r.Skills, string(f.Category)) || slices.Contains(r.Skills, b.voice(shape).Taxonomy.Label(f.Category))
		}) {
			fit = append(fit, name)
		} else {
			others = append(others, name)
		}
	}
	out := slices.Concat(best, fit, others)
	return out[:min(3, len(out))]
}
