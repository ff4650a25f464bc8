package bot

import (
	"context"

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
	if u.PlainDanger() {
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
	return u.GoesOnAbout(&t), err
}

// tellsOnly are the verbs by which staff say what they see, and not what they
// did: news of danger in them is news.
var tellsOnly = map[verb]bool{verbNote: true, verbVisit: true, verbAsk: true, verbCall: true}

// warned is what is said to who told of a ticket for others: in an emergency first whom
// to call.
func (s *session) warned(t *workflow.Ticket, v Values, reply string) string {
	if t.Severity != workflow.Emergency {
		return reply
	}
	return s.say("danger", v) + "\n" + reply
}
