package bot

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
	open := t.Stand == workflow.OnWall || t.Kind == workflow.Wish && t.State == workflow.Accepted // to claim, or to join
	if s.sees(&t) || asked.Involved(s.me.ID) || t.Involved(s.me.ID) || open && s.me.MayClaim() {
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
			v["Text"] = shorten(firstLine(own.Text), 40)
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

func (s *session) verdicts(number int64) []choice {
	n := "评价 " + strconv.FormatInt(number, 10) + " "
	return []choice{
		{s.say("choice.satisfied", nil), n + "满意"},
		{s.say("choice.fair", nil), n + "基本满意"},
		{s.say("choice.unsatisfied", nil), n + "不满意"},
	}
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

// notThere is a place that somebody says it is not: 「不是5号楼是6号楼」.
var notThere = regexp.MustCompile(`(?:不是|不在|不对)[^,，。是]{1,12}`)

// placeCorrected is where a matter is by its reporter's correction: another
// building, said as such.
func (s *session) placeCorrected(ctx context.Context, t *workflow.Ticket, text string) (workflow.Place, bool, error) {
	if !slices.Contains([]workflow.State{workflow.Classified, workflow.Assigned, workflow.Accepted}, t.State) || t.Reporter != s.me.ID ||
		!regexp.MustCompile(`是|改|错|应该|其实`).MatchString(text) {
		return workflow.Place{}, false, nil
	}
	text = notThere.ReplaceAllString(text, "")
	u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: text})
	if err != nil {
		return workflow.Place{}, false, err
	}
	p := u.Place
	if p.Estate == "" && p.Building != 0 && s.shape.Community.GridOf(t.Place.Estate, p.Building) != "" {
		p.Estate = t.Place.Estate
		p.Grid = s.shape.Community.GridOf(p.Estate, p.Building)
	}
	return p, p.Building != 0 && p.Known() && (p.Building != t.Place.Building || p.Estate != t.Place.Estate), nil
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
	if others := slices.Concat(t.Followers, t.Supporters); t.Reporter == s.me.ID && len(others) > 0 {
		// Others wait for it too: it goes on for them.
		if t, err = s.w.Do(ctx, t.Number, workflow.Command{
			Name: workflow.CmdAdopt, Actor: workflow.System(), Reporter: others[0], Follow: []workflow.PersonID{s.me.ID},
		}); err != nil {
			return "", err
		}
		v := s.about(&t)
		v["Number"], v["Others"] = t.Number, len(others)
		return s.say("left_to_others", v), nil
	}
	if t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdCancel, Actor: s.by(), Text: sp.Rest}); err != nil {
		return "", err
	}
	return s.say("cancelled", s.about(&t)), nil
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
	if elsewhere || len(waiting) > 0 && u.Kind == workflow.Wish && u.Confidence >= doubtful {
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

// mayReopen tells whether a matter is closed, and not too long ago.
func (s *session) mayReopen(t workflow.Ticket) bool {
	return t.State == workflow.Closed && s.now.Sub(t.EndedAt) < s.shape.Community.Clocks.Reopen
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

// bind gives a worker or committee member their WeChat by a one-time code.
func (s *session) bind(ctx context.Context, sp spoken) (string, error) {
	ok, err := s.b.desk.Drive().Allow(ctx, s.in.Community, "bind:"+strconv.FormatInt(int64(s.me.ID), 10), 5, time.Hour)
	if err == nil && !ok {
		return s.say("slow_down", nil), nil
	}
	code := strings.ToUpper(strings.TrimSpace(sp.Rest))
	if code == "" && sp.Number != 0 {
		code = strconv.FormatInt(sp.Number, 10)
	}
	if code == "" {
		s.talk.Pending = pending{Verb: verbBind}
		return s.say("bind_how", nil), nil
	}
	p, former, err := s.b.desk.Journal().Bind(ctx, s.in.Community, code, s.in.OpenID, s.now)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return s.say("bind_wrong", nil), nil
	}
	if err != nil {
		return "", err
	}
	if s.w.Change.NewPerson != nil || p.ID != s.me.ID {
		// The WeChat is now the staff member's: the conversation is theirs.
		s.w.Change.NewPerson = nil
		s.me, s.was, s.talk = p, 0, talk{}
		state, version, err := s.b.desk.Talk(ctx, s.in.Community, p.ID, true)
		if err != nil {
			return "", err
		}
		s.was, s.talk = version, readTalk(state, s.now, s.shape.Community)
	}
	if former != 0 {
		if err := s.adopt(ctx, former); err != nil {
			return "", err
		}
	}
	return s.say("bound", Values{"Name": p.Name}), nil
}

// adopt makes the writer's own what they had brought as a resident.
func (s *session) adopt(ctx context.Context, former workflow.PersonID) error {
	all, err := s.b.desk.Journal().Reported(ctx, s.in.Community, former, true, 100)
	if err != nil {
		return err
	}
	for _, t := range all {
		living, err := s.w.Living(ctx, t.Number)
		if err != nil {
			return err
		}
		for _, number := range slices.Compact([]int64{t.Number, living.Number}) {
			now, err := s.w.Ticket(ctx, number)
			if err != nil {
				return err
			}
			if now.State == workflow.Cancelled || !now.Involved(former) {
				continue
			}
			if _, err := s.w.Do(ctx, number, workflow.Command{
				Name: workflow.CmdAdopt, Actor: workflow.System(), Reporter: s.me.ID, Follow: []workflow.PersonID{former},
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// traces are what would tell who asked: house numbers, telephone and identity
// numbers.
var traces = regexp.MustCompile(`(?:[0-9０-９零一二三四五六七八九十百]+(?:号楼|号院|栋|幢|座|单元|室|户)|[0-9０-９]{1,2}[-#][0-9０-９#-]+|[0-9０-９]{3,}[xX]?)+`)

// anonymous is a wish without the traces of who asked.
func (b *Bot) anonymous(c *workflow.Community, text string) string {
	if b.o.Understander != nil {
		text = b.o.Understander.Mask(c, text, nil)
	}
	return traces.ReplaceAllString(text, "某处")
}

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
	var lines []string
	var choices []choice
	for i, t := range wishes {
		if i == page {
			choices = append(choices, choice{s.say("choice.more", nil), "心愿墙 " + strconv.FormatInt(wishes[i-1].Number, 10)})
			break
		}
		v := s.about(&t)
		v["Text"] = shorten(s.b.anonymous(s.shape.Community, firstLine(t.Text)), 40)
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
		} else if s.b.o.Taxonomy.Shared(t.Category) && !t.Involved(s.me.ID) && !slices.Contains(t.Supporters, s.me.ID) {
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
	if t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdClaim, Actor: s.by(), Unit: unitOf(s.me)}); err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	return s.card(ctx, &t)
}

// unitOf is the name under which somebody's claim is shown.
func unitOf(p workflow.Person) string {
	for _, r := range p.Roles {
		for _, name := range []string{r.Unit, r.Team, r.Branch} {
			if name != "" {
				return name
			}
		}
	}
	return p.Name
}
