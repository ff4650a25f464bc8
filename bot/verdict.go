package bot

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// A verdict in a person's own words, where one is awaited: 「不满意,根本没人来」,
// 「一点都不满意」, 「还可以」.
var (
	saidBad  = regexp.MustCompile(`不满意|不太满意|不满|没修好|没办好|没解决|糊弄|敷衍|白跑|白修|根本没|不咋地|不怎么样|修好个|还堵|还坏|还不亮|还漏|没用`)
	saidFair = regexp.MustCompile(`基本满意|还行|还可以|凑合|一般|马马虎虎|将就`)
	saidWell = regexp.MustCompile(`满意|挺好|很好|不错|好评|修好了|可以了|办得好|点赞`)
)

// verdictIn reads a verdict in one's own words; "" where there is none.
func verdictIn(text string) workflow.Rating {
	switch {
	case utf8.RuneCountInString(text) > 40:
		return ""
	case saidBad.MatchString(text):
		return workflow.Unsatisfied
	case saidFair.MatchString(text):
		return workflow.Fair
	case saidWell.MatchString(text):
		return workflow.Satisfied
	}
	return ""
}

// awaitingRating are the writer's tickets that wait for their verdict, the one
// resolved last first.
func (s *session) awaitingRating(ctx context.Context) ([]workflow.Ticket, error) {
	all, err := s.mine(ctx, false)
	if err != nil {
		return nil, err
	}
	var out []workflow.Ticket
	for _, t := range all {
		if t.State == workflow.Resolved {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b workflow.Ticket) int { return b.ResolvedAt.Compare(a.ResolvedAt) })
	return out, nil
}

// since are the tickets that were resolved after the writer wrote last.
func (s *session) since(resolved []workflow.Ticket) []workflow.Ticket {
	return slices.DeleteFunc(slices.Clone(resolved), func(t workflow.Ticket) bool { return !t.ResolvedAt.After(s.talk.At) })
}

func (s *session) verdicts(number int64) []choice {
	n := "评价 " + strconv.FormatInt(number, 10) + " "
	return []choice{
		{s.say("choice.satisfied", nil), n + "满意"},
		{s.say("choice.fair", nil), n + "基本满意"},
		{s.say("choice.unsatisfied", nil), n + "不满意"},
	}
}

// rate takes a verdict by tap, digit or words.
func (s *session) rate(ctx context.Context, sp spoken) (string, error) {
	waiting, err := s.awaitingRating(ctx)
	if err != nil {
		return "", err
	}
	if sp.Number == 0 && len(waiting) == 0 {
		all, err := s.mine(ctx, true)
		if err != nil {
			return "", err
		}
		for _, t := range all { // closed by time lately: it may still be rated
			if t.ByTime && t.Rating == "" {
				waiting = append(waiting, t)
				break
			}
		}
		if merged, err := s.living(ctx, all); err != nil {
			return "", err
		} else if last := slices.IndexFunc(merged, func(t workflow.Ticket) bool { return t.State == workflow.Resolved }); last >= 0 && len(waiting) == 0 && sp.Rating == workflow.Unsatisfied {
			return s.reopen(ctx, spoken{Verb: verbReopen, Number: merged[last].Number, Rest: sp.Rest}) // a neighbour's, which they were told of
		}
		if last := slices.IndexFunc(all, s.mayReopen); last >= 0 && len(waiting) == 0 && sp.Rating == workflow.Unsatisfied {
			t := &all[last] // a change of mind: the verdict stands, but the matter can be taken up again
			return s.offer(s.say("rated_already", s.about(t)), choice{s.say("choice.reopen", nil), "重办 " + strconv.FormatInt(t.Number, 10)}), nil
		}
	}
	if fresh := s.since(waiting); sp.Number == 0 && len(fresh) == 1 {
		waiting = fresh // the one that the question was just about
	}
	why := sp.Rest
	sp.Rest = strings.TrimSpace(map[workflow.Rating]string{workflow.Satisfied: "满意", workflow.Fair: "基本满意", workflow.Unsatisfied: "不满意"}[sp.Rating] + " " + why)
	t, reply, ok, err := s.target(ctx, sp, "评价", waiting)
	if !ok {
		return reply, err
	}
	cmds := []workflow.Command{{Name: workflow.CmdRate, Actor: s.by(), Rating: sp.Rating, Text: why}}
	if why != "" && sp.Rating == workflow.Satisfied && t.Owner != 0 && utf8.RuneCountInString(why) >= 4 { // 「满意,小孙真好」
		cmds = append(cmds, workflow.Command{Name: workflow.CmdThank, Actor: s.by(), Text: why})
	}
	if t, err = s.w.Do(ctx, t.Number, cmds...); err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if sp.Rating == workflow.Unsatisfied && why != "" {
		return s.say("reopened", s.about(&t)), nil
	}
	if sp.Rating == workflow.Unsatisfied {
		return s.askWhy(s.say("rated_bad", s.about(&t)), t.Number), nil
	}
	return s.say("rated_well", s.about(&t)), nil
}

// judged takes a verdict in the writer's own words where one is awaited, or
// where they say that they are not satisfied with something.
func (s *session) judged(ctx context.Context, raw string, u workflow.Understanding) (string, bool, error) {
	verdict := verdictIn(raw)
	if verdict == "" || u.Severity == workflow.Emergency {
		return "", false, nil
	}
	waiting, err := s.awaitingRating(ctx)
	if err != nil {
		return "", false, err
	}
	if len(waiting) == 0 && !(verdict == workflow.Unsatisfied && strings.Contains(raw, "满意") && utf8.RuneCountInString(raw) <= 12) {
		return "", false, nil
	}
	elsewhere := slices.ContainsFunc(waiting, func(t workflow.Ticket) bool {
		return u.Place.Building != 0 && t.Place.Building != 0 && u.Place.Building != t.Place.Building
	})
	if elsewhere || len(waiting) > 0 && u.Kind == workflow.Wish && u.Confidence >= workflow.Doubtful {
		return "", false, nil // about something else
	}
	sp := spoken{Verb: verbRate, Rating: verdict}
	switch verdict {
	case workflow.Unsatisfied:
		sp.Rest = strings.Trim(strings.Replace(raw, "不满意", "", 1), " ,，。!！")
		if utf8.RuneCountInString(sp.Rest) < 3 {
			sp.Rest = ""
		}
	case workflow.Satisfied:
		sp.Rest = strings.Trim(strings.Replace(raw, "满意", "", 1), " ,，。!！")
	}
	reply, err := s.rate(ctx, sp)
	return reply, true, err
}

func (s *session) reopen(ctx context.Context, sp spoken) (string, error) {
	all, err := s.mine(ctx, true)
	if err != nil {
		return "", err
	}
	merged, err := s.living(ctx, all)
	if err != nil {
		return "", err
	}
	var fit []workflow.Ticket
	for _, t := range append(all, merged...) {
		if t.State == workflow.Resolved || s.mayReopen(t) {
			fit = append(fit, t)
		}
	}
	if said := s.text(); len(fit) == 0 && sp.Number == 0 && tidy(said) != suggested(verbReopen) {
		return s.free(ctx, said) // 「又坏了」 about something never reported here
	}
	t, reply, ok, err := s.target(ctx, sp, "重办", fit)
	if !ok {
		return reply, err
	}
	t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdReopen, Actor: s.by(), Text: sp.Rest, Media: s.take()})
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if sp.Rest == "" {
		return s.askWhy(s.say("reopened", s.about(&t)), t.Number), nil
	}
	return s.say("reopened", s.about(&t)), nil
}

// mayReopen tells whether a matter is closed, and not too long ago.
func (s *session) mayReopen(t workflow.Ticket) bool {
	return t.State == workflow.Closed && s.now.Sub(t.EndedAt) < s.shape.Community.Clocks.Reopen
}

// askWhy asks for the reason of a bad verdict, in one more tap or in words.
func (s *session) askWhy(reply string, number int64) string {
	s.talk.Pending = pending{Verb: verbSupplement, Number: number}
	n := "补充 " + strconv.FormatInt(number, 10) + " "
	var choices []choice
	for _, why := range []string{"nobody_came", "not_fixed", "too_slow", "manner"} {
		label := s.say("choice.why."+why, nil)
		choices = append(choices, choice{label, n + label})
	}
	return s.offer(reply, choices...)
}

// praise goes to the committee, and to who handled the writer's latest matter.
func (s *session) praise(ctx context.Context, raw string) (string, error) {
	all, err := s.mine(ctx, true)
	if err != nil {
		return "", err
	}
	thanked := map[workflow.PersonID]bool{}
	for _, t := range all {
		if t.State == workflow.Merged {
			if t, err = s.w.Living(ctx, t.Number); err != nil {
				return "", err
			}
		}
		lately := t.State == workflow.Resolved || t.State == workflow.Closed && s.now.Sub(t.EndedAt) < s.shape.Community.Clocks.Reopen
		if !lately || t.Owner == 0 {
			continue
		}
		_, err := s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdThank, Actor: s.by(), Text: raw})
		if err != nil && workflow.CodeOf(err) != workflow.CodeAlreadyDone {
			return "", err
		}
		thanked[t.Owner] = err == nil
		break
	}
	for _, p := range s.shape.Roster.Duty() {
		if thanked[p.ID] {
			continue // told of it as who handled it
		}
		s.w.Owe("praise:"+s.in.Delivery+":"+strconv.FormatInt(int64(p.ID), 10), p.ID, workflow.TellPraise, desk.Facts{Said: raw, Reporter: s.me.ID})
	}
	return s.say("praise", nil), nil
}

// unanswered is a call that reached nobody: it stays to be made.
var unanswered = regexp.MustCompile(`没人接|无人接|打不通|关机|停机|没接|空号`)

// phoned takes the verdict of somebody without WeChat, asked on the telephone
// by who did not do the work: 「回访 1024 满意」.
func (s *session) phoned(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		return s.work(ctx)
	}
	t, err := s.visible(ctx, sp.Number)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if unanswered.MatchString(sp.Rest) {
		return s.say("phoned_nobody", s.about(&t)), nil
	}
	word, why, _ := strings.Cut(strings.TrimSpace(sp.Rest), " ")
	verdict, ok := ratings[strings.Trim(word, "。.!,")]
	if !ok {
		n := "回访 " + strconv.FormatInt(t.Number, 10) + " "
		s.talk.Pending = pending{Verb: verbPhoned, Number: t.Number}
		return s.offer(s.say("words.phoned", s.about(&t)),
			choice{s.say("choice.satisfied", nil), n + "满意"}, choice{s.say("choice.fair", nil), n + "基本满意"}, choice{s.say("choice.unsatisfied", nil), n + "不满意"}), nil
	}
	t, ok, err = s.w.Phoned(ctx, t.Number, s.me, verdict, why)
	if err != nil {
		return "", err
	}
	if !ok {
		return s.say("phoned_has_wechat", s.about(&t)), nil // their own word counts
	}
	return s.say("did.phoned", s.about(&t)), nil
}
