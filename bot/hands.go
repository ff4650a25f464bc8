package bot

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// hand does what concerns several hands of one ticket: calling somebody to it,
// joining a wish, finishing or handing back a part, pairing.
func (s *session) hand(ctx context.Context, sp spoken) (string, error) {
	fit, err := s.handFits(ctx, sp.Verb)
	if err != nil {
		return "", err
	}
	t, reply, ok, err := s.target(ctx, sp, suggested(sp.Verb), fit)
	if !ok {
		return reply, err
	}
	s.talk.Ticket = t.Number
	if sp.Verb == verbFinish && t.Owner == s.me.ID { // all of it is theirs
		return s.staff(ctx, spoken{Verb: verbResolve, Number: t.Number, Rest: sp.Rest})
	}
	cmd := workflow.Command{Actor: s.by(), Text: sp.Rest}
	switch sp.Verb {
	case verbCall:
		return s.callIn(ctx, &t, sp)
	case verbJoin:
		cmd.Name, cmd.Unit = workflow.CmdJoin, s.me.Unit()
	case verbFinish:
		cmd.Name, cmd.Media = workflow.CmdFinish, s.take()
	case verbDecline:
		cmd.Name = workflow.CmdDecline
	case verbPair:
		if cmd.Every = rhythm(sp.Rest); cmd.Every == 0 {
			s.talk.Pending = pending{Verb: sp.Verb, Number: t.Number}
			return s.say("words.pair", s.about(&t)), nil
		}
		cmd.Name, cmd.Text = workflow.CmdPair, ""
	}
	if (sp.Verb == verbFinish || sp.Verb == verbDecline) && cmd.Text == "" {
		for _, m := range cmd.Media {
			s.talk.Loose = append(s.talk.Loose, loose{m.ID, m.Type, s.now})
		}
		s.talk.Pending = pending{Verb: sp.Verb, Number: t.Number}
		return s.say("words."+string(sp.Verb), s.about(&t)), nil
	}
	if t, err = s.w.Do(ctx, t.Number, cmd); err != nil {
		return "", err
	}
	v := s.about(&t)
	if t.Pair != nil {
		v["Days"] = int(t.Pair.Every / (24 * time.Hour))
	}
	return s.say("did."+string(sp.Verb), v), nil
}

// handFits are the tickets to which a verb can apply where no number is said.
func (s *session) handFits(ctx context.Context, v verb) ([]workflow.Ticket, error) {
	switch v {
	case verbFinish, verbDecline:
		return s.b.desk.Journal().Helped(ctx, s.in.Community, s.me.ID, 20)
	case verbJoin:
		return nil, nil // which one must be said
	}
	owned, err := s.b.desk.Journal().Owned(ctx, s.in.Community, s.me.ID, 50)
	return slices.DeleteFunc(owned, func(t workflow.Ticket) bool {
		return t.State != workflow.Accepted || v == verbPair && t.Kind != workflow.Wish
	}), err
}

// callIn calls somebody to a ticket: a person by name, the least busy one of a
// department, company or team by its name.
func (s *session) callIn(ctx context.Context, t *workflow.Ticket, sp spoken) (string, error) {
	name, part := s.who(strings.TrimLeft(sp.Rest, "请叫找 "))
	who := s.staffNamed(name)
	if len(who) == 0 && name != "" {
		name, part, who = s.group(t, name, part)
	}
	if len(who) != 1 {
		var choices []choice
		word := "协助 " + strconv.FormatInt(t.Number, 10) + " "
		offered := who
		if len(offered) == 0 {
			offered = s.shape.Roster.Callable(t, s.me.ID, s.now)
		}
		for _, p := range offered {
			if len(choices) < 6 {
				choices = append(choices, choice{p.Name + "(" + s.voice().Title(p) + ")", word + p.Name + "@" + strconv.FormatInt(int64(p.ID), 10)})
			}
		}
		s.talk.Pending = pending{Verb: verbCall, Number: t.Number}
		return s.offer(s.say("call_whom", Values{"Name": name, "Number": t.Number}), choices...), nil
	}
	after, err := s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdCall, Actor: s.by(), To: who[0].ID, Text: part})
	if err != nil {
		return "", err
	}
	v := s.about(&after)
	v["Helper"], v["HelperTitle"], v["Part"] = who[0].Name, s.voice().Title(who[0]), part
	return s.say("did.call", v), nil
}

// groups are what people call those who can be called to a ticket.
var groups = []struct {
	say  []string
	kind workflow.RoleKind
	has  string // in the department or team
}{
	{[]string{"物业"}, workflow.RoleProperty, ""},
	{[]string{"派出所", "公安局", "公安", "民警", "警察"}, workflow.RoleOfficer, "公安"},
	{[]string{"城管", "执法"}, workflow.RoleOfficer, "执法"},
	{[]string{"民政"}, workflow.RoleOfficer, "民政"},
	{[]string{"政法", "司法所"}, workflow.RoleOfficer, "政法"},
	{[]string{"调解"}, workflow.RoleVolunteer, "调解"},
	{[]string{"清洁", "保洁"}, workflow.RoleVolunteer, "清洁"},
	{[]string{"志愿者", "志愿"}, workflow.RoleVolunteer, ""},
	{[]string{"网格长"}, workflow.RoleLeader, ""},
}

// group finds who is meant by a group's name, in full or as people say it,
// also where what is to be done follows without a space: 「物业抽水」.
func (s *session) group(t *workflow.Ticket, name, part string) (string, string, []workflow.Person) {
	for _, p := range s.shape.Roster {
		for _, r := range p.Roles {
			for _, full := range []string{r.Department, r.Unit, r.Team} {
				if full != "" && strings.HasPrefix(name, full) {
					who := s.shape.Roster.OneOf(t, s.me.ID, s.now, func(o workflow.Role) bool { return o.Department == full || o.Unit == full || o.Team == full })
					return full, strings.TrimSpace(strings.TrimPrefix(name, full) + " " + part), who
				}
			}
		}
	}
	for _, g := range groups {
		for _, say := range g.say {
			if !strings.HasPrefix(name, say) {
				continue
			}
			rest := strings.TrimLeft(strings.TrimPrefix(name, say), "队局们员")
			who := s.shape.Roster.OneOf(t, s.me.ID, s.now, func(r workflow.Role) bool {
				return r.Kind == g.kind && strings.Contains(r.Department+r.Team, g.has) && (r.Grid == "" || r.Grid == t.Place.Grid)
			})
			return say, strings.TrimSpace(rest + " " + part), who
		}
	}
	return name, part, nil
}

// everyDays reads 「14天」「每两周」「每月」.
var everyDays = regexp.MustCompile(`(\d{1,3})\s*(天|日|周|星期|个?月)`)

// rhythm is a rhythm of visits in whole days, 0 where none was said.
func rhythm(text string) time.Duration {
	const day = 24 * time.Hour
	text = strings.NewReplacer("两", "2", "半个月", "15天", "每天", "1天", "每周", "1周", "每星期", "1周", "每个月", "1月", "每月", "1月").Replace(tidy(text))
	text = strings.NewReplacer("一", "1", "二", "2", "三", "3", "十", "10").Replace(text)
	m := everyDays.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n < 1 {
		return 0
	}
	switch {
	case strings.HasSuffix(m[2], "月"):
		n *= 30
	case m[2] == "周" || m[2] == "星期":
		n *= 7
	}
	if n > 31 {
		return 0 // somebody should hear of them within a month
	}
	return time.Duration(n) * day
}

// helped are the lines of what the writer was called to.
func (s *session) helped(ctx context.Context) ([]string, error) {
	all, err := s.b.desk.Journal().Helped(ctx, s.in.Community, s.me.ID, 5)
	var lines []string
	for _, t := range all {
		v := s.about(&t)
		if h := t.Hand(s.me.ID); h != nil {
			v["Part"] = h.Part
		}
		lines = append(lines, s.say("hand_work_line", v))
	}
	return lines, err
}

// handLines tell who has which part of a ticket.
func (s *session) handLines(t *workflow.Ticket) string {
	var lines []string
	for _, h := range t.Hands {
		p := s.shape.Roster.ByID(h.Person)
		lines = append(lines, s.say("hand_line", Values{
			"Name": p.Name, "Title": s.voice().Title(p), "Unit": h.Unit, "Part": h.Part, "State": string(h.State), "Result": h.Result,
		}))
	}
	return strings.Join(lines, "\n")
}
