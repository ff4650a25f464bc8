package bot

import (
	"context"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

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
	rounds := sp.Verb == verbPatrol || sp.Verb == verbInspect || sp.Verb == verbBehalf || sp.Verb == verbVisit && sp.Number == 0 // see to danger themselves
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
