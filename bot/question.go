package bot

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
)

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

// stillAnswers tells whether a text answers what the desk asked before advice
// ended its doubt: the first about a matter after it, unless it is an emergency
// or about another building.
func (s *session) stillAnswers(ctx context.Context, u workflow.Understanding) (t workflow.Ticket, ok bool, err error) {
	number := s.talk.Advised
	if number == 0 || u.Severity == workflow.Emergency {
		return t, false, nil
	}
	if _, _, named := s.voice().Taxonomy.Find(s.text()); !named && u.Kind != workflow.Incident && u.Kind != workflow.Wish {
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
	if c, kind, ok := s.voice().Taxonomy.Find(strings.TrimSpace(raw)); ok {
		u.Kind, u.Category, u.Confidence = kind, c, 1
	}
	cmds := []workflow.Command{{Name: workflow.CmdSupplement, Actor: s.by(), Text: raw, Media: s.take()}}
	if u.Confidence >= workflow.Doubtful && u.Category != "" && u.Category != t.Category && u.Kind == t.Kind {
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
	if c, kind, ok := s.voice().Taxonomy.Find(strings.TrimSpace(raw)); ok && q.Category == "" { // one of the guesses
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
	still := (u.Confidence < workflow.Doubtful || u.Category == "") && u.Severity != workflow.Emergency // in doubt: a person files it
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

// askBuilding asks for the building where the grid was enough to send
// somebody: with it they need not ask.
func (s *session) askBuilding(ctx context.Context, t workflow.Ticket, u workflow.Understanding) (workflow.Ticket, error) {
	if u.PlaceProblem != "which_building" || t.Kind != workflow.Incident || t.Owner == 0 || t.Question != nil || t.Place.Building != 0 {
		return t, nil
	}
	return s.w.Do(ctx, t.Number, workflow.Command{Name: workflow.CmdAsk, Actor: workflow.System(), Topic: workflow.TopicPlace})
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
