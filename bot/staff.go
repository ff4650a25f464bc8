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

// staffVerbs are commands that only staff give.
var staffVerbs = map[verb]bool{
	verbWork: true, verbAccept: true, verbTransfer: true, verbReturn: true, verbAsk: true, verbNote: true,
	verbResolve: true, verbShow: true, verbFile: true, verbAssign: true, verbMerge: true, verbEscalate: true, verbCalled: true,
	verbCall: true, verbFinish: true, verbDecline: true, verbJoin: true, verbPair: true, verbVisit: true, verbPatrol: true, verbFixed: true,
	verbCare: true, verbInspect: true, verbScore: true, verbBehalf: true, verbPhoned: true, verbStory: true, verbShare: true, verbLeave: true, verbBack: true,
}

// staff does what a worker, claimer or committee member says.
func (s *session) staff(ctx context.Context, sp spoken) (string, error) {
	switch sp.Verb {
	case verbWork:
		return s.work(ctx)
	case verbShow:
		if sp.Number == 0 {
			return s.work(ctx)
		}
		return s.show(ctx, sp.Number)
	case verbFile:
		return s.fileByHand(ctx, sp)
	case verbMerge:
		return s.merge(ctx, sp)
	case verbCalled:
		return s.called(ctx, sp)
	case verbCall, verbFinish, verbDecline, verbJoin, verbPair:
		return s.hand(ctx, sp)
	case verbVisit, verbPatrol, verbFixed, verbCare:
		return s.round(ctx, sp)
	case verbInspect:
		return s.inspect(ctx, sp)
	case verbScore:
		return s.score(ctx)
	case verbBehalf:
		return s.behalf(ctx, sp)
	case verbPhoned:
		return s.phoned(ctx, sp)
	case verbStory:
		return s.story(ctx, sp)
	case verbShare:
		return s.share(ctx)
	case verbLeave, verbBack:
		return s.leave(sp)
	}
	word := suggested(sp.Verb)
	fit, err := s.fitting(ctx, sp.Verb)
	if err != nil {
		return "", err
	}
	t, reply, ok, err := s.target(ctx, sp, word, fit)
	if !ok {
		return reply, err
	}
	s.talk.Ticket = t.Number
	if sp.Verb == verbResolve && t.Owner != s.me.ID && t.Hand(s.me.ID) != nil { // who was called is done with their part
		return s.hand(ctx, spoken{Verb: verbFinish, Number: t.Number, Rest: sp.Rest})
	}
	cmd := workflow.Command{Actor: s.by(), Text: sp.Rest}
	switch sp.Verb {
	case verbAccept:
		cmd.Name = workflow.CmdAccept
	case verbTransfer, verbAssign:
		return s.handOn(ctx, &t, sp)
	case verbReturn:
		cmd.Name = workflow.CmdReturn
	case verbAsk:
		cmd.Name, cmd.Topic = workflow.CmdAsk, workflow.TopicWorker
	case verbNote:
		cmd.Name, cmd.Media = workflow.CmdNote, s.take()
	case verbResolve:
		cmd.Name, cmd.Media = workflow.CmdResolve, s.take()
	case verbEscalate:
		cmd.Name = workflow.CmdEscalate
	}
	if needsWords[sp.Verb] && cmd.Text == "" {
		for _, m := range cmd.Media { // a photo alone: it goes with the words that follow
			s.talk.Loose = append(s.talk.Loose, loose{m.ID, m.Type, s.now})
		}
		s.talk.Pending = pending{Verb: sp.Verb, Number: t.Number}
		return s.say("words."+string(sp.Verb), s.about(&t)), nil
	}
	cmds, asked := []workflow.Command{cmd}, t.Question != nil
	if t.State == workflow.Assigned && t.Owner == s.me.ID && (sp.Verb == verbNote || sp.Verb == verbResolve) {
		// Who says how it goes, or that it is done, has accepted.
		cmds = []workflow.Command{{Name: workflow.CmdAccept, Actor: s.by()}, cmd}
	}
	if t, err = s.w.Do(ctx, t.Number, cmds...); err != nil {
		return "", err
	}
	v := s.about(&t)
	if sp.Verb == verbResolve && t.Reporter != 0 {
		r, err := s.b.desk.Journal().Person(ctx, s.in.Community, t.Reporter)
		if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
			return "", err
		}
		v["ByPhone"] = !r.Reachable()
	}
	v["Alone"], v["Unasked"] = t.Reporter == 0, asked && sp.Verb == verbResolve && t.Reporter != 0
	reply = s.say("did."+string(sp.Verb), v)
	if sp.Verb == verbAccept {
		return s.offer(reply, s.actions(&t)...), nil
	}
	return reply, nil
}

var needsWords = map[verb]bool{verbReturn: true, verbAsk: true, verbNote: true, verbResolve: true}

// suggested is the word that the desk itself uses for a verb.
func suggested(v verb) string {
	for _, w := range words {
		if w.verb == v {
			return w.say[0]
		}
	}
	return ""
}

// fitting are the writer's tickets to which a verb can apply.
func (s *session) fitting(ctx context.Context, v verb) ([]workflow.Ticket, error) {
	owned, err := s.b.desk.Journal().Owned(ctx, s.in.Community, s.me.ID, 50)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(owned, func(t workflow.Ticket) bool {
		switch v {
		case verbAccept:
			return t.State != workflow.Assigned
		case verbAsk:
			return t.Question != nil || t.State == workflow.Resolved
		}
		return t.State == workflow.Resolved
	}), nil
}

// work lists what somebody has to do, next deadline first; for those who file
// by hand also the tray, for all the telephone calls that no push could make.
func (s *session) work(ctx context.Context) (string, error) {
	const most = 8
	owned, err := s.b.desk.Journal().Owned(ctx, s.in.Community, s.me.ID, 50)
	if err != nil {
		return "", err
	}
	owned = slices.DeleteFunc(owned, func(t workflow.Ticket) bool { return t.State == workflow.Resolved })
	var lines []string
	var choices []choice
	for i, t := range owned {
		if i == most {
			break
		}
		lines = append(lines, s.say("work_line", s.about(&t)))
		if len(choices) < 5 {
			choices = append(choices, choice{s.say("choice.ticket", s.about(&t)), "查看 " + strconv.FormatInt(t.Number, 10)})
		}
	}
	risen, err := s.risen(ctx)
	if err != nil {
		return "", err
	}
	tray, err := s.tray(ctx)
	if err != nil {
		return "", err
	}
	var trayLines []string
	for _, t := range tray {
		trayLines = append(trayLines, s.say("tray_line", s.about(&t)))
	}
	calls, err := s.calls(ctx, owned)
	if err != nil {
		return "", err
	}
	helped, err := s.helped(ctx)
	if err != nil {
		return "", err
	}
	visits, err := s.visitsDue(ctx, 3)
	if err != nil {
		return "", err
	}
	wished, err := s.mostWished(ctx)
	if err != nil {
		return "", err
	}
	asked, err := s.questions(ctx)
	if err != nil {
		return "", err
	}
	if len(lines)+len(risen)+len(trayLines)+len(calls)+len(helped)+len(visits)+len(asked) > 0 {
		s.looks("work.look", 0)
	}
	return s.offer(s.say("work", Values{
		"Count": len(owned), "Lines": strings.Join(lines, "\n"), "More": max(0, len(owned)-most),
		"Risen": strings.Join(risen, "\n"), "Tray": strings.Join(trayLines, "\n"), "Calls": strings.Join(calls, "\n"),
		"Helped": strings.Join(helped, "\n"), "Visits": strings.Join(visits, "\n"), "Wished": strings.Join(wished, "\n"),
		"Asked": strings.Join(asked, "\n"),
	}), choices...), nil
}

// risen are the lines of what was escalated or is overdue and in another's
// hands, for the committee.
func (s *session) risen(ctx context.Context) ([]string, error) {
	if !s.me.Has(workflow.RoleCommittee) {
		return nil, nil
	}
	all, err := s.b.desk.Journal().Risen(ctx, s.in.Community, workflow.LevelCommittee, s.me.ID, 5)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, t := range all {
		lines = append(lines, s.say("work_line", s.about(&t)))
	}
	return lines, nil
}

// tray are the matters that the writer files by hand.
func (s *session) tray(ctx context.Context) ([]workflow.Ticket, error) {
	var grids []string
	for _, r := range s.me.Roles {
		if r.Kind == workflow.RoleWorker && r.FullTime {
			grids = append(grids, r.Grid)
		}
		if r.Kind == workflow.RoleCommittee {
			grids = append(grids, "")
		}
	}
	var out []workflow.Ticket
	for _, g := range grids {
		in, err := s.b.desk.Journal().Tray(ctx, s.in.Community, g, 5)
		if err != nil {
			return nil, err
		}
		out = append(out, in...)
	}
	return out, nil
}

// calls are the lines of pushes that reached nobody: somebody telephones. In a
// list numbers are hidden; who asks for the ticket sees them.
func (s *session) calls(ctx context.Context, owned []workflow.Ticket) ([]string, error) {
	calls, err := s.b.desk.Calls(ctx, s.in.Community, s.me, owned, 5)
	if err != nil {
		return nil, err
	}
	return s.callLines(ctx, calls, workflow.HidePhone)
}

// callsAbout are the calls about one ticket that the writer has to make, with
// their numbers, but those to its reporter: theirs stands on the card.
func (s *session) callsAbout(ctx context.Context, t *workflow.Ticket) ([]string, error) {
	calls, err := s.b.desk.Calls(ctx, s.in.Community, s.me, []workflow.Ticket{*t}, 100)
	if err != nil {
		return nil, err
	}
	calls = slices.DeleteFunc(calls, func(p desk.Push) bool { return p.Number != t.Number || p.Person == t.Reporter })
	return s.callLines(ctx, calls, func(phone string) string { return phone })
}

func (s *session) callLines(ctx context.Context, calls []desk.Push, phone func(string) string) ([]string, error) {
	var lines []string
	for _, p := range calls {
		who, err := s.b.desk.Journal().Person(ctx, s.in.Community, p.Person)
		if err != nil {
			return nil, err
		}
		v := s.voice().Facts(&p.Facts, s.now)
		v["Name"], v["Phone"], v["Purpose"] = who.Name, phone(who.Phone), s.voice().Say("purpose."+string(p.Purpose), v)
		lines = append(lines, s.say("call_line", v))
	}
	return lines, nil
}

// called notes that somebody was telephoned about a ticket.
func (s *session) called(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		return s.work(ctx)
	}
	t, err := s.visible(ctx, sp.Number)
	if err != nil {
		return "", err
	}
	if err := s.w.Called(ctx, &t, s.me, sp.Number); err != nil {
		return "", err
	}
	s.looks("ticket.called", t.Number)
	return s.say("did.called", s.about(&t)), nil
}

// card shows a ticket to somebody who works on it, with what can be done.
func (s *session) card(ctx context.Context, t *workflow.Ticket) (_ string, err error) {
	v := s.about(t)
	if !t.ReadBy(s.me) || t.HidesWho(s.me) { // a wish, seen by who may claim it or has
		veil, err := s.voice().Veil(ctx, s.b.desk.Journal(), t.Number)
		if err != nil {
			return "", err
		}
		v["Full"], v["Place"] = veil.Anonymous(t.Number, t.Text), t.Place.Estate
	}
	shown := false // a telephone number
	if t.Reporter != 0 && t.TellsWho(s.me) {
		r, err := s.b.desk.Journal().Person(ctx, s.in.Community, t.Reporter)
		if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
			return "", err
		}
		v["Reporter"], v["Phone"] = r.Name, r.Phone
		shown = r.Phone != ""
	}
	if t.ReadBy(s.me) {
		calls, err := s.callsAbout(ctx, t)
		if err != nil {
			return "", err
		}
		v["Calls"] = strings.Join(calls, "\n")
		shown = shown || len(calls) > 0
	}
	if shown {
		s.looks("phone.look", t.Number)
	} else {
		s.looks("ticket.look", t.Number)
	}
	v["Unnamed"] = t.Owner == s.me.ID && t.Reporter != 0 && t.HidesWho(s.me)
	if t.ReadBy(s.me) {
		v["Hands"] = s.handLines(t)
	}
	if t.Stand == workflow.OnWall && s.me.Has(workflow.RoleCommittee) {
		f := desk.FactsOf(t)
		v["Suggest"] = strings.Join(s.b.suggest(s.shape, &f), "、")
	}
	if len(t.Absorbed) > 0 && t.HandledBy(s.me) && !t.Hides(workflow.Person{}, s.me) {
		if v["AlsoSaid"], err = s.alsoSaid(ctx, t); err != nil {
			return "", err
		}
	}
	return s.offer(s.say("card", v), s.actions(t)...), nil
}

// alsoSaid is what the last neighbours said who reported the same.
func (s *session) alsoSaid(ctx context.Context, t *workflow.Ticket) (string, error) {
	const most = 3
	events, err := s.b.desk.Journal().Events(ctx, s.in.Community, t.Number)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, ev := range slices.Backward(events) {
		if ev.Type == workflow.EvAbsorbed && ev.Text != "" && len(lines) < most {
			lines = append(lines, s.say("also_line", Values{"Text": wording.Shorten(wording.FirstLine(ev.Text), 40)}))
		}
	}
	return strings.Join(lines, "\n"), nil
}

// actions are the commands that fit a ticket for the writer, to be tapped.
func (s *session) actions(t *workflow.Ticket) []choice {
	n := " " + strconv.FormatInt(t.Number, 10)
	do := func(key, word string) choice { return choice{s.say("choice."+key, nil), word + n} }
	switch {
	case t.Stand == workflow.OnWall && s.me.MayClaim():
		return []choice{{s.say("choice.claim", s.about(t)), "认领" + n}}
	case t.Hand(s.me.ID) != nil:
		return []choice{do("finish", "完成"), do("decline", "办不了")}
	case t.Owner != s.me.ID && t.State == workflow.Assigned && t.Owner != 0 && workflow.WhoGridWorker.Holds(t, s.by()) && t.Reporter != s.me.ID:
		return []choice{do("accept", "接单")}
	case t.Kind == workflow.Wish && t.State == workflow.Accepted && t.Owner != s.me.ID && s.me.MayClaim() && t.Reporter != s.me.ID:
		return []choice{do("join", "一起")}
	case t.Owner != s.me.ID:
		return nil
	case t.State == workflow.Assigned:
		return []choice{do("accept", "接单"), do("transfer", "转派"), do("return", "退单")}
	case t.State == workflow.Accepted:
		if t.Pair != nil {
			return []choice{do("visit", "走访"), do("resolve", "办结"), do("ask", "追问"), do("call", "协助"), do("return", "退单")}
		}
		return []choice{do("resolve", "办结"), do("note", "进展"), do("ask", "追问"), do("call", "协助"), do("transfer", "转派"), do("return", "退单")}
	}
	return nil
}

// handOn transfers or assigns a ticket to somebody named, or offers names.
func (s *session) handOn(ctx context.Context, t *workflow.Ticket, sp spoken) (string, error) {
	name, reason := s.who(strings.TrimLeft(sp.Rest, "给由到 "))
	named := s.staffNamed(name)
	if len(named) == 0 && name != "" {
		name, reason, named = s.group(t, name, reason)
	}
	if len(named) != 1 {
		word := suggested(sp.Verb) + " " + strconv.FormatInt(t.Number, 10) + " "
		offered := s.shape.Roster.Colleagues(t, s.me.ID)
		if len(named) > 1 {
			offered, name = named, ""
		}
		var choices []choice
		for _, p := range offered {
			c := choice{p.Name, word + p.Name}
			if len(s.staffNamed(p.Name)) > 1 {
				c = choice{p.Name + "(" + s.voice().Title(p) + ")", word + p.Name + "@" + strconv.FormatInt(int64(p.ID), 10)}
			}
			if len(choices) < 6 {
				choices = append(choices, c)
			}
		}
		s.talk.Pending = pending{Verb: sp.Verb, Number: t.Number}
		return s.offer(s.say("whom", Values{"Name": name, "Number": t.Number}), choices...), nil
	}
	cmd := workflow.Command{Name: workflow.CmdTransfer, Actor: s.by(), To: named[0].ID, Text: reason, Why: workflow.WhyByHand}
	if sp.Verb == verbAssign || t.Owner != s.me.ID {
		cmd.Name = workflow.CmdAssign
	}
	after, err := s.w.Do(ctx, t.Number, cmd)
	if err != nil {
		return "", err
	}
	return s.say("did.transfer", s.about(&after)), nil
}

// staffNamed finds staff but the writer by name; two of one name are told apart by
// "@" and their ID, as the choices say it.
func (s *session) staffNamed(name string) []workflow.Person {
	if name == "" {
		return nil
	}
	name, id, _ := strings.Cut(name, "@")
	return slices.DeleteFunc(s.shape.Roster.Named(name), func(p workflow.Person) bool {
		return p.ID == s.me.ID || id != "" && id != strconv.FormatInt(int64(p.ID), 10)
	})
}

// who splits 「曹颖 抽水」, 「曹颖,抽水」 and 「曹颖抽水」 into the name and what
// follows: by a sign, else by the longest name of the staff that it begins with.
func (s *session) who(text string) (name, rest string) {
	text = strings.TrimSpace(text)
	if i := strings.IndexAny(text, " ,，、:：;；"); i >= 0 {
		name = text[:i]
		return strings.TrimSuffix(name, "吧"), strings.TrimLeft(text[i:], " ,，、:：;；")
	}
	for _, p := range s.shape.Roster {
		if strings.HasPrefix(text, p.Name) && len(p.Name) > len(name) {
			name = p.Name
		}
	}
	if name == "" || strings.HasPrefix(text, name+"@") {
		return strings.TrimSuffix(text, "吧"), ""
	}
	return name, strings.TrimPrefix(strings.TrimPrefix(text, name), "吧")
}

// fileByHand says what and where a matter in the tray is:
// 「归类 1024 管道排水 怡园3号楼」.
func (s *session) fileByHand(ctx context.Context, sp spoken) (string, error) {
	tray, err := s.tray(ctx)
	if err != nil {
		return "", err
	}
	t, reply, ok, err := s.target(ctx, sp, "归类", tray)
	if !ok {
		return reply, err
	}
	cmd := workflow.Command{
		Name: workflow.CmdClassify, Actor: s.by(), Text: sp.Rest, Kind: t.Kind, Category: t.Category,
		Severity: t.Severity, Danger: t.Danger, Place: t.Place,
	}
	var rest []string
	said := false // something of what, how bad or where
	for _, word := range strings.Fields(sp.Rest) {
		if c, k, ok := s.voice().Taxonomy.Find(word); ok {
			cmd.Category, cmd.Kind, said = c, k, true
			continue
		}
		if sev, ok := s.severity(word); ok {
			cmd.Severity, said = sev, true
			continue
		}
		rest = append(rest, word)
	}
	if len(rest) > 0 {
		u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, workflow.Words{Text: strings.Join(rest, " ")})
		if err != nil {
			return "", err
		}
		if u.Place.Known() {
			same := u.Place.Building == t.Place.Building && u.Place.Estate == t.Place.Estate
			if unit, room, floor := t.Place.Unit, t.Place.Room, t.Place.Floor; same && u.Place.Unit == 0 && u.Place.Room == "" {
				u.Place.Unit, u.Place.Room, u.Place.Floor = unit, room, floor
			}
			cmd.Place, said = u.Place, true
		}
	}
	if cmd.Kind == "" {
		cmd.Kind = workflow.Incident
	}
	if !said || cmd.Category == "" || cmd.Place.Grid == "" && cmd.Kind == workflow.Incident {
		s.talk.Pending = pending{Verb: verbFile, Number: t.Number}
		s.talk.Ticket = t.Number
		v := s.about(&t)
		v["Categories"] = s.categories()
		return s.say("file_how", v), nil
	}
	if t, err = s.w.FileByHand(ctx, t.Number, cmd); err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	return s.say("did.file", s.about(&t)), nil
}

func (s *session) severity(word string) (workflow.Severity, bool) {
	for sev, label := range s.voice().Taxonomy.Severities {
		if word == label {
			return sev, true
		}
	}
	return "", false
}

func (s *session) categories() string {
	var labels []string
	for _, c := range s.voice().Taxonomy.Offered(workflow.Incident) {
		labels = append(labels, s.voice().Taxonomy.Label(c))
	}
	return strings.Join(labels, "、")
}

// merge ends a ticket in another: 「并案 1025 1024」.
func (s *session) merge(ctx context.Context, sp spoken) (string, error) {
	into, reason := leadingNumber(strings.TrimPrefix(strings.TrimPrefix(sp.Rest, "到"), "入"))
	if sp.Number == 0 || into == 0 {
		return s.say("merge_how", nil), nil
	}
	if _, err := s.visible(ctx, sp.Number); err != nil {
		return "", err
	}
	if _, err := s.visible(ctx, into); err != nil {
		return "", err
	}
	t, err := s.w.Merge(ctx, sp.Number, into, s.by(), reason)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	v := s.about(&t)
	v["From"] = sp.Number
	return s.say("did.merge", v), nil
}
