package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// said answers words, however they came: typed, spoken, tapped, by a number.
func (s *session) said(ctx context.Context, raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return s.say("empty", nil), nil
	}
	text := s.meant(raw)
	sp := listen(text)
	if text == raw { // typed or spoken, not tapped: it may be more than a command
		if reply, done, err := s.beyondCommands(ctx, sp, raw); done || err != nil {
			return reply, err
		}
	}
	if sp.Verb == verbNumber && sp.Number < 1000 {
		return s.smallNumber(ctx, sp.Number)
	}
	if p := s.talk.Pending; p.Verb == verbHome && sp.Verb == verbNone { // only an address is one
		if u, err := s.understand(ctx, raw); err != nil {
			return "", err
		} else if u.Place.Building == 0 || u.Confidence >= unclear {
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
			return s.say("staff_only", Values{"Word": shorten(raw, 8)}), nil
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
		return s.show(ctx, sp.Number)
	case verbHelp:
		return s.say("help", nil), nil
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
	case verbNamed, verbHidden:
		return s.consent(ctx, sp)
	}
	return s.staff(ctx, sp)
}

// beyondCommands looks at words before they are read as a command: news of
// danger always is a report, and what a worker just asked is answered in many
// words that would be commands at another time.
func (s *session) beyondCommands(ctx context.Context, sp spoken, raw string) (reply string, done bool, err error) {
	u, err := s.understand(ctx, raw)
	if err != nil {
		return "", false, err
	}
	if u.Severity == workflow.Emergency && u.Confidence >= plainDanger {
		known, err := s.knownDanger(ctx, sp)
		if err != nil || known {
			return "", false, err
		}
		s.talk.Pending, s.talk.Choices = pending{}, nil
		reply, err = s.free(ctx, raw)
		return reply, true, err
	}
	if sp.Number != 0 && sp.Verb != verbNumber || !answering[sp.Verb] {
		return "", false, nil
	}
	q, ok, err := s.justAsked(ctx)
	if err != nil || !ok {
		return "", false, err
	}
	if sp.Verb == verbNumber && sp.Number >= 1000 {
		if _, err := s.visible(ctx, sp.Number); err == nil {
			return "", false, nil // the number of a ticket
		}
	}
	s.talk.Pending, s.talk.Choices = pending{}, nil
	reply, err = s.answerWorker(ctx, q, raw)
	return reply, true, err
}

// plainDanger is how sure the danger must be to count for more than a command
// or what was asked for; said by itself, the mere suspicion is enough.
const plainDanger = 0.8

// answering are the commands whose words, without a ticket's number, also
// answer a question: 「还行」, 「不用了」, 「快点」, 「没修好」, a number.
var answering = map[verb]bool{
	verbNumber: true, verbRate: true, verbCancel: true, verbUrge: true, verbReopen: true, verbSupplement: true,
}

// knownDanger tells whether words of danger go on about what is known: a
// worker's result may say that a fire is out, and what is added to an
// emergency belongs to it.
func (s *session) knownDanger(ctx context.Context, sp spoken) (bool, error) {
	rounds := sp.Verb == verbPatrol || sp.Verb == verbBehalf || sp.Verb == verbVisit && sp.Number == 0 // see to danger themselves
	if s.me.Staff() && staffVerbs[sp.Verb] && (!tellsOnly[sp.Verb] || rounds) {
		return true, nil // typed in the same words
	}
	number := sp.Number
	switch {
	case sp.Verb == verbNone:
		number = s.talk.Pending.Number
	case number == 0 && tellsOnly[sp.Verb]:
		number = s.talk.Ticket
	}
	if number == 0 {
		return false, nil
	}
	t, err := s.visible(ctx, number)
	if workflow.CodeOf(err) == workflow.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	u, err := s.understand(ctx, s.text())
	elsewhere := u.Place.Building != 0 && t.Place.Building != 0 && (u.Place.Building != t.Place.Building || u.Place.Estate != t.Place.Estate)
	return t.Severity == workflow.Emergency && t.State.Open() && !elsewhere, err
}

// tellsOnly are the verbs by which staff say what they see, and not what they
// did: news of danger in them is news.
var tellsOnly = map[verb]bool{verbNote: true, verbVisit: true, verbAsk: true, verbCall: true}

// meant turns a tap or a choice's label into the words it stands for.
func (s *session) meant(raw string) string {
	if text, ok := tapped(s.in.MenuID); ok {
		return text
	}
	for _, c := range s.talk.Choices {
		if raw == c.Label {
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

// since are the tickets that were resolved after the writer wrote last.
func (s *session) since(resolved []workflow.Ticket) []workflow.Ticket {
	return slices.DeleteFunc(slices.Clone(resolved), func(t workflow.Ticket) bool { return !t.ResolvedAt.After(s.talk.At) })
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

// justAsked is the ticket about which a worker asked since the writer wrote
// last, unless another matter was resolved after that: then its verdict is
// what is awaited.
func (s *session) justAsked(ctx context.Context) (workflow.Ticket, bool, error) {
	q, ok, err := s.asked(ctx)
	if err != nil || !ok || q.Question.Topic != workflow.TopicWorker || !q.Question.At.After(s.talk.At) {
		return q, false, err
	}
	waiting, err := s.awaitingRating(ctx)
	return q, err == nil && (len(waiting) == 0 || q.Question.At.After(waiting[0].ResolvedAt)), err
}

// asked is the writer's ticket with an open question, the latest asked first;
// of several asked about at once the first.
func (s *session) asked(ctx context.Context) (workflow.Ticket, bool, error) {
	all, err := s.mine(ctx, false)
	if err != nil {
		return workflow.Ticket{}, false, err
	}
	var found workflow.Ticket
	for _, t := range all {
		if t.Question != nil && (found.Question == nil || !t.Question.At.Before(found.Question.At)) { // newest number first
			found = t
		}
	}
	return found, found.Question != nil, nil
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
		case u.Kind != workflow.Chat || u.Place != (workflow.Place{}):
			return s.answerDesk(ctx, q, raw, u)
		}
	}
	if t, ok, err := s.stillAnswers(ctx, u); err != nil {
		return "", err
	} else if ok {
		return s.corrected(ctx, t, raw, u)
	}
	if c, _, ok := s.b.o.Taxonomy.Find(strings.TrimSpace(raw)); ok {
		return s.bareCategory(ctx, c, raw)
	}
	if rest, ok, err := s.tellsHome(ctx, raw); err != nil {
		return "", err
	} else if ok {
		return s.home(ctx, rest)
	}
	if fragment := u.Confidence < unclear && u.Place != (workflow.Place{}) && u.Severity != workflow.Emergency; fragment || telephone.MatchString(raw) {
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

// stillAnswers tells whether a text answers what the desk asked before advice
// ended its doubt: the first about a matter after it, unless it is an emergency
// or about another building.
func (s *session) stillAnswers(ctx context.Context, u workflow.Understanding) (t workflow.Ticket, ok bool, err error) {
	number := s.talk.Advised
	if number == 0 || u.Severity == workflow.Emergency {
		return t, false, nil
	}
	if _, _, named := s.b.o.Taxonomy.Find(s.text()); !named && u.Kind != workflow.Incident && u.Kind != workflow.Wish {
		return t, false, nil // small talk, a question: the answer may still come
	}
	s.talk.Advised = 0
	if t, err = s.w.Ticket(ctx, number); err != nil {
		return t, false, err
	}
	elsewhere := u.Place.Building != 0 && t.Place.Building != 0 && (u.Place.Building != t.Place.Building || u.Place.Estate != "" && u.Place.Estate != t.Place.Estate)
	return t, t.Reporter == s.me.ID && t.State.Open() && t.State != workflow.Resolved && !elsewhere, nil
}

// corrected adds what a resident says of their matter, and takes it for what
// they say it is rather than for what the advice was.
func (s *session) corrected(ctx context.Context, t workflow.Ticket, raw string, u workflow.Understanding) (string, error) {
	if c, kind, ok := s.b.o.Taxonomy.Find(strings.TrimSpace(raw)); ok {
		u.Kind, u.Category, u.Confidence = kind, c, 1
	}
	cmds := []workflow.Command{{Name: workflow.CmdSupplement, Actor: s.by(), Text: raw, Media: s.take()}}
	if u.Confidence >= doubtful && u.Category != "" && u.Category != t.Category && u.Kind == t.Kind {
		place := t.Place
		if !place.Known() && u.Place.Known() {
			place = u.Place
		}
		cmds = append(cmds, workflow.Command{
			Name: workflow.CmdClassify, Actor: workflow.System(), Kind: u.Kind, Category: u.Category, Severity: t.Severity, Danger: t.Danger, Place: place,
		})
	}
	t, err := s.w.Do(ctx, t.Number, cmds...)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	return s.say("corrected", s.about(&t)), nil
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

// newMatter tells an answer from something new said while a question is open:
// an emergency always is new, and so is a text that says another what and
// where. Where a worker asked, the place must be another building.
func (s *session) newMatter(q workflow.Ticket, raw string, u workflow.Understanding) bool {
	if u.Severity == workflow.Emergency && (q.Severity != workflow.Emergency || u.Danger != "" && q.Danger != "" && u.Danger != q.Danger && u.Place.Building != 0) {
		return true
	}
	if q.Question.Topic == workflow.TopicPlace && u.Place == (workflow.Place{}) && q.Category != "" && u.Category != q.Category && u.Confidence >= 0.8 && utf8.RuneCountInString(raw) >= 8 {
		return true // no answer to where it is, and clearly about something else
	}
	if q.Question.Topic == workflow.TopicWorker && (u.Place.Building == 0 || u.Place.Building == q.Place.Building && u.Place.Estate == q.Place.Estate) {
		return false
	}
	return q.Category != "" && u.Category != q.Category && u.Place.Known() && u.Confidence >= 0.5 && utf8.RuneCountInString(raw) >= 8
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

// unclear is the confidence below which a text says so little of what is the
// matter that it is not taken for one by itself.
const unclear = 0.2

// doubtful is the confidence below which the desk asks what is meant, with its
// guesses, rather than send somebody in vain.
const doubtful = 0.5

// file opens a ticket with all that is known, and says number, who has it and
// by when; or asks for the one thing that is missing. What is known already is
// joined to it.
func (s *session) file(ctx context.Context, raw string, u workflow.Understanding) (string, error) {
	cmd := s.filing(raw, u)
	if t, ok, err := s.sameDanger(ctx, cmd); err != nil {
		return "", err
	} else if ok {
		t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdSupplement, Actor: s.by(), Text: raw, Media: s.take()})
		if err != nil {
			return "", err
		}
		s.talk.Ticket = t.Number
		return s.filed(&t, u), nil
	}
	if known, ok, err := s.known(ctx, cmd); err != nil {
		return "", err
	} else if ok {
		return s.joined(ctx, cmd, known)
	}
	return s.fileAlone(ctx, cmd, u)
}

// filing is the command that files a text.
func (s *session) filing(raw string, u workflow.Understanding) workflow.Command {
	cmd := workflow.Command{
		Actor: s.by(), Text: raw, Kind: u.Kind, Category: u.Category, Severity: u.Severity, Danger: u.Danger,
		Place: u.Place, Reporter: s.me.ID, Topic: workflow.TopicPlace, Source: workflow.SourceChat,
	}
	if cmd.Severity == "" {
		cmd.Severity = workflow.Minor
	}
	if u.Confidence < doubtful && u.Severity != workflow.Emergency {
		cmd.Category, cmd.Topic = "", workflow.TopicWhat
	}
	return cmd
}

func (s *session) fileAlone(ctx context.Context, cmd workflow.Command, u workflow.Understanding) (string, error) {
	cmd.Media = s.take()
	t, err := s.w.File(ctx, cmd)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if t.Severity == workflow.Emergency && !t.Place.Known() && t.Question == nil {
		if t, err = s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdAsk, Actor: workflow.System(), Topic: workflow.TopicPlace}); err != nil {
			return "", err
		}
	}
	if t, err = s.askBuilding(ctx, t, u); err != nil {
		return "", err
	}
	return s.filed(&t, u), nil
}

// askBuilding asks for the building where the grid was enough to send
// somebody: with it they need not ask.
func (s *session) askBuilding(ctx context.Context, t workflow.Ticket, u workflow.Understanding) (workflow.Ticket, error) {
	if u.PlaceProblem != "which_building" || t.Kind != workflow.Incident || t.Owner == 0 || t.Question != nil || t.Place.Building != 0 {
		return t, nil
	}
	return s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdAsk, Actor: workflow.System(), Topic: workflow.TopicPlace})
}

// goesOnFor is how long news of danger without another place goes on about the
// emergency that the writer reported last.
const goesOnFor = 30 * time.Minute

// sameDanger is the writer's own emergency that a further cry goes on about:
// 「没呼吸了」 after 「我老伴晕倒了」.
func (s *session) sameDanger(ctx context.Context, cmd workflow.Command) (t workflow.Ticket, ok bool, err error) {
	if cmd.Severity != workflow.Emergency || s.me.Staff() {
		return t, false, nil
	}
	open, err := s.mine(ctx, false)
	if err != nil {
		return t, false, err
	}
	for _, m := range open {
		if m.Severity != workflow.Emergency || m.State == workflow.Resolved || s.now.Sub(m.FiledAt) > goesOnFor {
			continue
		}
		same := cmd.Place.Building == 0 || cmd.Place.Building == m.Place.Building && cmd.Place.Estate == m.Place.Estate
		if same && (cmd.Danger == m.Danger || cmd.Danger == unnamedDanger || m.Danger == unnamedDanger || cmd.Place.Building == 0) {
			return m, true, nil
		}
	}
	return t, false, nil
}

// unnamedDanger is a danger that was felt and could not be named.
const unnamedDanger = "unnamed"

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
			"Index": i + 1, "What": s.b.o.Taxonomy.Label(p.Category), "Place": p.Place.String(), "Text": shorten(firstLine(p.Text), 20),
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
			label := s.b.o.Taxonomy.Label(c)
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

// offerPlaces asks where, with what can be tapped.
func (s *session) offerPlaces(reply string, t *workflow.Ticket, u workflow.Understanding) string {
	v := s.about(t)
	v["Written"] = u.Place.String()
	var choices []choice
	switch u.PlaceProblem {
	case "which_estate":
		for _, e := range u.Estates {
			if len(choices) < 4 {
				choices = append(choices, choice{e, e})
			}
		}
		return s.offer(reply+s.say("ask.which_estate", v), choices...)
	case "which_building":
		return reply + s.say("ask.which_building", v)
	case "no_such_building":
		return reply + s.say("ask.no_such_building", v)
	}
	for i, e := range s.shape.Community.Estates {
		if i < 3 {
			choices = append(choices, choice{e.Name, e.Name})
		}
	}
	return s.offer(reply+s.say("ask.place", v), choices...)
}

// answerWorker passes an answer to the worker who asked.
func (s *session) answerWorker(ctx context.Context, q workflow.Ticket, raw string) (string, error) {
	t, err := s.w.Do(ctx, q.Number, workflow.Command{Name: workflow.CmdAnswer, Actor: s.by(), Text: raw, Media: s.take()})
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	return s.say("answered", s.about(&t)), nil
}

// answerDesk takes an answer to what the desk asked: where, or what.
func (s *session) answerDesk(ctx context.Context, q workflow.Ticket, raw string, u workflow.Understanding) (string, error) {
	p := u.Place
	if e, ok := s.shape.Community.Estate(raw); ok {
		p = q.Place
		p.Estate = e.Name
		if p.Building != 0 {
			p.Grid = s.shape.Community.GridOf(p.Estate, p.Building)
		}
		if p.Grid == "" { // an estate alone says too little
			u.PlaceProblem = ""
		}
	} else if p.Estate == "" && q.Place.Estate != "" && p.Building != 0 {
		p.Estate = q.Place.Estate
		p.Grid = s.shape.Community.GridOf(p.Estate, p.Building)
	}
	if c, kind, ok := s.b.o.Taxonomy.Find(strings.TrimSpace(raw)); ok && q.Category == "" { // one of the guesses
		u.Kind, u.Category, u.Confidence = kind, c, 1
		if u.Severity == "" {
			u.Severity = workflow.Minor
		}
		if s.read[q.Text].Severity == "" {
			first, err := s.understand(ctx, q.Text)
			if err != nil {
				return "", err
			}
			u.Severity = first.Severity
		}
		u.Place = q.Place
		return s.placedWith(ctx, q, raw, u)
	}
	if !p.Known() { // with what was written first it may be clear
		whole, err := s.understand(ctx, q.Text+"\n"+raw)
		if err != nil {
			return "", err
		}
		if whole.Place.Known() {
			p, u.PlaceProblem = whole.Place, whole.PlaceProblem
		}
		if q.Category == "" {
			u = whole
		}
	}
	u.Place = p
	return s.placedWith(ctx, q, raw, u)
}

// placedWith takes the place that an answer gave, or asks once more.
func (s *session) placedWith(ctx context.Context, q workflow.Ticket, raw string, u workflow.Understanding) (string, error) {
	cmd := workflow.Command{Name: workflow.CmdAnswer, Actor: s.by(), Text: raw, Media: s.take(), Place: u.Place}
	if cmd.Text == "" {
		cmd.Text = u.Place.String()
	}
	if !u.Place.Known() && q.Place != (workflow.Place{}) && u.Place.Building == 0 {
		keep := q.Place
		if u.Place.Estate != "" {
			keep.Estate = u.Place.Estate
		}
		cmd.Place = keep
	}
	still := u.Confidence < doubtful && u.Severity != workflow.Emergency // in doubt: a person files it
	if q.Category == "" && u.Category != "" && !still {
		cmd.Kind, cmd.Category, cmd.Severity, cmd.Danger = u.Kind, u.Category, u.Severity, u.Danger
		if cmd.Kind != workflow.Wish {
			cmd.Kind = workflow.Incident
		}
	}
	if s.talk.Asked++; s.talk.Asked < maxAsked && (q.Category != "" || !still) {
		cmd.Topic = workflow.TopicPlace
	}
	t, err := s.w.Do(ctx, q.Number, cmd)
	if err != nil {
		return "", err
	}
	s.talk.Ticket = t.Number
	if s.talk.Asked < maxAsked {
		if t, err = s.askBuilding(ctx, t, u); err != nil {
			return "", err
		}
	}
	reply := s.filed(&t, u)
	if t.Question != nil {
		return reply, nil
	}
	s.talk.Asked = 0
	next, ok, err := s.stillPlaceless(ctx, t.Number)
	if err != nil || !ok {
		return reply, err
	}
	return s.offerPlaces(reply+s.say("ask.next", s.about(&next)), &next, workflow.Understanding{}), nil
}

// stillPlaceless is another of the writer's tickets that waits for its place:
// it is asked about when the one before it is done.
func (s *session) stillPlaceless(ctx context.Context, but int64) (t workflow.Ticket, ok bool, err error) {
	all, err := s.mine(ctx, false)
	if err != nil {
		return t, false, err
	}
	for _, m := range all {
		if m.Number != but && m.Question != nil && m.Question.Topic == workflow.TopicPlace {
			t, ok = m, true
		}
	}
	return t, ok, nil
}

// maxAsked is how often the desk asks where it is before a person files it by
// hand.
const maxAsked = 2

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
	if _, kind, ok := s.b.o.Taxonomy.Find(string(u.Category)); !ok || kind != u.Kind {
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
