package bot

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

// said answers words, however they came: typed, spoken, tapped, by a number.
func (s *session) said(ctx context.Context, raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return s.say("empty", nil), nil
	}
	text := s.meant(raw)
	sp := s.unlessOrdinary(listen(text))
	if text == raw { // typed or spoken, not tapped: it may be more than a command
		if reply, done, err := s.beyondCommands(ctx, sp, raw); done || err != nil {
			return reply, err
		}
	}
	if s.saysHour(sp) {
		sp = spoken{Verb: verbHour, Rest: raw}
	}
	if sp.Verb == verbNumber && sp.Number < 1000 {
		return s.smallNumber(ctx, sp.Number)
	}
	if p := s.talk.Pending; p.Verb == verbHome && sp.Verb == verbNone { // only an address is one
		if u, err := s.understand(ctx, raw); err != nil {
			return "", err
		} else if u.Place.Building == 0 || u.Confidence >= workflow.Unclear {
			s.talk.Pending = pending{}
		}
	}
	if p := s.talk.Pending; p.Verb != verbNone && p.Verb != verbAs && sp.Verb == verbNone {
		sp = spoken{Verb: p.Verb, Number: p.Number, Rest: strings.TrimSpace(p.Draft + " " + raw)}
	}
	if s.me.Staff() && sp.Verb == verbNone {
		sp = meantByStaff(text)
	}
	if staffVerbs[sp.Verb] && !s.me.Staff() {
		switch {
		case sp.Number == 0 && sp.Rest == "" && text == raw: // 「待办」
			return s.say("staff_only", Values{"Word": wording.Shorten(raw, 8)}), nil
		case sp.Number == 0:
			sp = spoken{} // a resident's 「问 …」 is a sentence
		case sp.Verb == verbShow, sp.Verb == verbNote && sp.Rest == "": // 「进展 1024」
			sp = spoken{Verb: verbNumber, Number: sp.Number}
		default:
			return "", &workflow.Error{Code: workflow.CodeNotAllowed, Number: sp.Number}
		}
	}
	draft := s.talk.Pending.Draft
	s.talk.Pending, s.talk.Choices = pending{}, nil
	switch sp.Verb {
	case verbNone:
		return s.free(ctx, raw)
	case verbNumber:
		return s.numbered(ctx, sp.Number)
	case verbTopic:
		return s.topic(ctx, sp)
	case verbVote:
		return s.vote(ctx, sp)
	case verbOpen, verbBench, verbBallot, verbDrop:
		return s.tellTopic(ctx, sp)
	case verbHelp, verbMoreHelp:
		return s.help(sp.Verb == verbMoreHelp), nil
	case verbWho:
		return s.whoIsMine(), nil
	case verbReport:
		return s.say("report", nil), nil
	case verbWish:
		return s.say("wish_what", nil), nil
	case verbProgress:
		return s.progress(ctx, sp)
	case verbUrge:
		return s.urge(ctx, sp)
	case verbSupplement:
		return s.supplement(ctx, sp)
	case verbCancel:
		return s.cancel(ctx, sp)
	case verbRate:
		return s.rate(ctx, sp)
	case verbReopen:
		return s.reopen(ctx, sp)
	case verbBind:
		return s.bind(ctx, sp)
	case verbWall:
		return s.wall(ctx, sp)
	case verbClaim:
		return s.claim(ctx, sp)
	case verbSplit:
		return s.split(ctx, sp)
	case verbAs:
		return s.fileAs(ctx, sp, draft)
	case verbHome:
		return s.homeOrAnswer(ctx, sp.Rest)
	case verbContact:
		return s.contact(sp.Rest), nil
	case verbSupport:
		return s.support(ctx, sp)
	case verbLessons, verbLearnt, verbHour, verbTeacher, verbReply:
		return s.class(ctx, sp, raw)
	case verbLogin:
		return s.login(ctx)
	case verbNamed, verbHidden:
		return s.consent(ctx, sp)
	case verbPoints, verbRewards, verbUnorder, verbBoard, verbRanked, verbUnranked, verbFund:
		return s.ledger(ctx, sp)
	}
	return s.staff(ctx, sp)
}

// meant turns a tap or a choice's label into the words it stands for.
func (s *session) meant(raw string) string {
	if text, ok := tapped(s.in.MenuID); ok {
		return text
	}
	for _, c := range s.talk.Choices {
		if raw == c.Label {
			s.offered = true
			return c.Text
		}
	}
	return raw
}

// smallNumber is a bare 1, 2, 3: the answer to a worker's question asked since,
// a choice just offered, a verdict where one is awaited, or a building.
func (s *session) smallNumber(ctx context.Context, n int64) (string, error) {
	q, asked, err := s.asked(ctx)
	if err != nil {
		return "", err
	}
	if just, ok, err := s.justAsked(ctx); err != nil {
		return "", err
	} else if ok {
		return s.answerWorker(ctx, just, s.text()) // 「几楼?」「3」
	}
	waiting, err := s.awaitingRating(ctx)
	if err != nil {
		return "", err
	}
	fresh := s.since(waiting)
	if c := s.talk.Choices; len(fresh) == 0 && n >= 1 && int(n) <= len(c) {
		s.in.MenuID = ""
		text := c[n-1].Text
		s.talk.Choices = nil
		return s.said(ctx, text)
	}
	if verdicts := []workflow.Rating{workflow.Satisfied, workflow.Fair, workflow.Unsatisfied}; len(waiting) > 0 && n >= 1 && n <= 3 {
		return s.rate(ctx, spoken{Verb: verbRate, Rating: verdicts[n-1]})
	}
	switch {
	case asked && q.Question.Topic == workflow.TopicWorker:
		return s.answerWorker(ctx, q, s.text())
	case asked && q.Question.Topic == workflow.TopicPlace: // 「几号楼?」「12」
		building := s.say("building", Values{"Number": n})
		u, err := s.understand(ctx, building)
		if err != nil {
			return "", err
		}
		return s.answerDesk(ctx, q, building, u)
	}
	if c := s.talk.Choices; len(c) > 0 { // none of those just offered: it is no answer to anything else
		return s.say("number_beyond", Values{"Number": n, "Count": len(c)}), nil
	}
	if reply, ok, err := s.openVote(ctx); ok || err != nil {
		return reply, err
	}
	return s.say("number_unknown", Values{"Number": n}), nil
}

// mine are the writer's own tickets, newest first.
func (s *session) mine(ctx context.Context, ended bool) ([]workflow.Ticket, error) {
	return s.b.desk.Journal().Reported(ctx, s.in.Community, s.me.ID, ended, 20)
}

// affected are the writer's own open tickets and those that theirs were merged
// into.
func (s *session) affected(ctx context.Context) ([]workflow.Ticket, error) {
	open, err := s.mine(ctx, false)
	if err != nil {
		return nil, err
	}
	all, err := s.mine(ctx, true)
	if err != nil {
		return nil, err
	}
	merged, err := s.living(ctx, all)
	if err != nil {
		return nil, err
	}
	return append(open, slices.DeleteFunc(merged, func(t workflow.Ticket) bool { return !t.State.Open() })...), nil
}

// living are the tickets that those of all that were merged live on in.
func (s *session) living(ctx context.Context, all []workflow.Ticket) ([]workflow.Ticket, error) {
	var out []workflow.Ticket
	for _, t := range all {
		if t.State != workflow.Merged {
			continue
		}
		l, err := s.w.Living(ctx, t.Number)
		if err != nil {
			return nil, err
		}
		same := func(o workflow.Ticket) bool { return o.Number == l.Number }
		if l.Reporter != s.me.ID && !slices.ContainsFunc(out, same) {
			out = append(out, l)
		}
	}
	return out, nil
}

// free is anything that is no command: an answer, or something new.
func (s *session) free(ctx context.Context, raw string) (string, error) {
	u, err := s.understand(ctx, raw)
	if err != nil {
		return "", err
	}
	if reply, ok, err := s.judged(ctx, raw, u); err != nil || ok {
		return reply, err
	}
	if reply, ok, err := s.shopTalk(ctx, raw); err != nil || ok {
		return reply, err
	}
	if reply, ok, err := s.waits(ctx, raw); err != nil || ok {
		return reply, err
	}
	if q, ok, err := s.asked(ctx); err != nil {
		return "", err
	} else if ok && !s.newMatter(q, raw, u) {
		switch {
		case q.Question.Topic == workflow.TopicWorker:
			return s.answerWorker(ctx, q, raw)
		case u.Kind != workflow.Chat || u.Place != (workflow.Place{}) || !saidPolite.MatchString(tidy(raw)):
			return s.answerDesk(ctx, q, raw, u)
		}
	}
	if t, ok, err := s.stillAnswers(ctx, u); err != nil {
		return "", err
	} else if ok {
		return s.corrected(ctx, t, raw, u)
	}
	if c, _, ok := s.voice().Taxonomy.Find(strings.TrimSpace(raw)); ok {
		return s.bareCategory(ctx, c, raw)
	}
	if s.in.MenuID != "" && !s.offered { // a second tap, or one on an old message: nothing new
		return s.say("tapped_late", nil), nil
	}
	if rest, ok, err := s.tellsHome(ctx, raw); err != nil {
		return "", err
	} else if ok {
		return s.home(ctx, rest)
	}
	if fragment := u.Confidence < workflow.Unclear && u.Place != (workflow.Place{}) && u.Severity != workflow.Emergency; fragment || telephone.MatchString(raw) {
		if t, ok, err := s.talkedAbout(ctx); err != nil {
			return "", err
		} else if ok {
			return s.supplement(ctx, spoken{Verb: verbSupplement, Number: t.Number, Rest: raw})
		}
		if telephone.MatchString(raw) {
			return s.say("number_unknown", nil), nil
		}
	}
	switch u.Kind {
	case workflow.Chat:
		return s.say("chat", Values{"Thanks": strings.Contains(raw, "谢")}), nil
	case workflow.Praise:
		return s.praise(ctx, raw)
	case workflow.Consult:
		s.talk.Pending = pending{Verb: verbAs, Draft: raw}
		return s.offer(s.say("consult", nil), choice{s.say("choice.as_incident", nil), "登记诉求"}), nil
	}
	if u.Severity != workflow.Emergency {
		if parts := s.b.o.Understander.Parts(ctx, s.shape.Community, s.words(raw)); len(parts) > 1 {
			return s.several(raw, parts), nil
		}
	}
	return s.file(ctx, raw, u)
}

// bareCategory answers the bare name of a category where none is asked for any more:
// it is about the matter talked about, or says too little.
func (s *session) bareCategory(ctx context.Context, c workflow.Category, raw string) (string, error) {
	t, ok, err := s.talkedAbout(ctx)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return s.say("report", nil), nil
	case t.Category == c:
		return s.show(ctx, t.Number)
	}
	return s.supplement(ctx, spoken{Verb: verbSupplement, Number: t.Number, Rest: raw})
}

// talkedAbout is the writer's open ticket that the two were just talking about.
func (s *session) talkedAbout(ctx context.Context) (t workflow.Ticket, ok bool, err error) {
	if s.talk.Ticket == 0 || s.now.Sub(s.talk.At) > s.shape.Community.Clocks.LooseMedia {
		return t, false, nil
	}
	t, err = s.w.Living(ctx, s.talk.Ticket)
	if err != nil {
		return t, false, err
	}
	return t, t.State.Open() && t.Involved(s.me.ID), nil
}

// understand makes sense of a text, once a message.
func (s *session) understand(ctx context.Context, text string) (workflow.Understanding, error) {
	if u, ok := s.read[text]; ok {
		return u, nil
	}
	started := time.Now()
	defer func() { understandSeconds.Observe(time.Since(started).Seconds()) }()
	u, err := s.b.o.Understander.Understand(ctx, s.shape.Community, s.words(text))
	if err == nil {
		s.read[text] = u
	}
	return u, err
}

// words are a text with what is known around it.
func (s *session) words(text string) workflow.Words {
	return workflow.Words{Text: text, Home: s.me.Home, Scene: s.talk.Scene.Place, Near: s.talk.Near.Place}
}

// waits answers who asks after their one matter in everyday words, or does not
// need it any more.
func (s *session) waits(ctx context.Context, raw string) (string, bool, error) {
	text := tidy(raw)
	if utf8.RuneCountInString(text) > 14 || !saidWaits.MatchString(text) && !saidNever.MatchString(text) {
		return "", false, nil
	}
	open, err := s.affected(ctx)
	if open = beforeResolved(open); err != nil || len(open) == 0 {
		return "", false, err
	}
	sp := spoken{}
	if len(open) == 1 {
		sp.Number = open[0].Number
	}
	var reply string
	if saidNever.MatchString(text) {
		reply, err = s.cancel(ctx, spoken{}) // asked once more
	} else {
		reply, err = s.progress(ctx, sp)
	}
	return reply, true, err
}

// photo answers a photo, video or unclear recording: it joins the matter that
// is talked about, or waits for one.
func (s *session) photo(ctx context.Context, alone string) (string, error) {
	if q, ok, err := s.asked(ctx); err != nil {
		return "", err
	} else if ok && q.Question.Topic == workflow.TopicWorker {
		return s.answerWorker(ctx, q, "")
	}
	n := s.talk.Ticket
	if p := s.talk.Pending; p.Number != 0 {
		n = p.Number // what was asked for with it
	}
	if n != 0 && s.now.Sub(s.talk.At) < s.shape.Community.Clocks.LooseMedia {
		t, err := s.w.Living(ctx, n)
		if err == nil && t.Owner == s.me.ID && !t.Involved(s.me.ID) && t.State != workflow.Resolved {
			return s.keepMedia(s.say("photo_kept", s.about(&t))), nil // it goes out with the words that follow
		}
		if err == nil && t.State.Open() && (t.Involved(s.me.ID) || t.Owner == s.me.ID) {
			t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdSupplement, Actor: s.by(), Media: s.take()})
			if err != nil {
				return "", err
			}
			reply := s.say("photo_joined", s.about(&t))
			if alone == "voice_unclear" {
				reply = s.say("voice_joined", s.about(&t))
			}
			return reply, nil
		}
	}
	return s.keepMedia(s.say(alone, nil)), nil
}
