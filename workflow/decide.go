package workflow

import (
	"slices"
	"time"
)

// Decide is the machine: what the command makes of the ticket at this moment,
// or a typed refusal. It changes nothing and reads nothing but its arguments;
// the same arguments give the same event. The zero Ticket with a Community
// and Number is the ticket before it is filed.
func Decide(c *Community, t Ticket, cmd Command, now time.Time) (Event, error) {
	row, err := find(c, &t, &cmd, now)
	if err != nil {
		return Event{}, err
	}
	ev := Event{
		Seq: t.Version + 1, At: now.UTC(), Type: row.Makes, Actor: cmd.Actor.Kind, By: cmd.Actor.Person, To: row.To,
		Text: cmd.Text, Media: cmd.Media, Rating: cmd.Rating,
	}
	if row.To == Same {
		ev.To = t.State
	}
	fill(c, &t, &cmd, &ev)
	after := Apply(t, ev)
	ev.Due = dueAfter(c, &t, &after, ev)
	return ev, nil
}

// find is the first row that fits, or the refusal that helps most: the first
// failed guard over a wrong person over a wrong state.
func find(c *Community, t *Ticket, cmd *Command, now time.Time) (Row, error) {
	refusal := CodeWrongState
	for _, row := range Table {
		if row.Command != cmd.Name || !slices.Contains(row.From, t.State) {
			continue
		}
		if !slices.ContainsFunc(row.Who, func(w Who) bool { return w.Holds(t, cmd.Actor) }) {
			if refusal == CodeWrongState {
				refusal = CodeNotAllowed
			}
			continue
		}
		code := row.Guard.refusal(c, t, cmd, now)
		if code == "" {
			return row, nil
		}
		if refusal == CodeWrongState || refusal == CodeNotAllowed {
			refusal = code
		}
	}
	if refusal != CodeNotAllowed && repeats(t, cmd) {
		refusal = CodeAlreadyDone
	}
	return Row{}, refuse(refusal, t.Number)
}

// repeats tells whether the command was given before by the same person and
// has had its effect, so that a second tap is told "done already" rather than
// "not possible".
func repeats(t *Ticket, cmd *Command) bool {
	switch cmd.Name {
	case CmdAccept:
		return t.State == Accepted && WhoOwner.Holds(t, cmd.Actor)
	case CmdResolve:
		return t.State == Resolved && WhoOwner.Holds(t, cmd.Actor)
	case CmdClaim:
		return t.Kind == Wish && t.Owner != 0
	case CmdRate:
		return t.State == Closed && t.Rating != ""
	case CmdCancel:
		return t.State == Cancelled
	case CmdMerge:
		return t.State == Merged
	}
	return false
}

// fill puts into the event what its type carries beyond the command's words.
func fill(c *Community, t *Ticket, cmd *Command, ev *Event) {
	classification := func() {
		ev.Kind, ev.Category, ev.Severity, ev.Danger = cmd.Kind, cmd.Category, cmd.Severity, cmd.Danger
		place := cmd.Place
		ev.Place = &place
	}
	switch ev.Type {
	case EvFiled:
		classification()
		ev.Level = LevelGrid
		ev.Reporter = cmd.Reporter
		if ev.Reporter == 0 && cmd.Actor.Kind == ActorPerson {
			ev.Reporter = cmd.Actor.Person
		}
	case EvAdvised:
		ev.Kind, ev.Category, ev.Severity, ev.Danger = cmd.Kind, cmd.Category, cmd.Severity, cmd.Danger
		if t.Severity == Emergency || t.Severity == Major && cmd.Severity == Minor { // advice makes nothing smaller
			ev.Severity, ev.Danger = t.Severity, t.Danger
		}
	case EvClassified, EvReclassified:
		classification()
		ev.Question = goesOn(t.Question, cmd)
	case EvAssigned, EvTransferred:
		ev.Owner, ev.Former, ev.Why = cmd.To, t.Owner, cmd.Why
	case EvClaimed:
		ev.Owner, ev.Unit = cmd.Actor.Person, cmd.Unit
	case EvReturned:
		ev.Former = t.Owner
	case EvAsked:
		wait := c.Clocks.Question
		if cmd.Topic != TopicWorker {
			wait = c.Clocks.PlaceQuestion
		}
		ev.Question = &Question{
			Topic: cmd.Topic, Text: cmd.Text, By: cmd.Actor.Person, At: ev.At, Until: ev.At.Add(wait),
			Pauses: t.Severity != Emergency && (t.Owner == 0 || cmd.Topic == TopicWorker), // who has it need not wait for what the desk asks
		}
	case EvAnswered:
		ev.Question = t.Question // what it answers
		if cmd.Place != (Place{}) {
			place := cmd.Place
			ev.Place = &place
		}
		if t.State == Received { // it may say what it is
			ev.Kind, ev.Category, ev.Severity, ev.Danger = cmd.Kind, cmd.Category, cmd.Severity, cmd.Danger
		}
	case EvReopened:
		ev.Level, ev.Former = min(t.Level+1, LevelSubdistrict), t.Owner
	case EvEscalated:
		ev.Level = min(t.Level+1, LevelSubdistrict)
	case EvMerged:
		ev.Into, ev.Former = cmd.Into, t.Owner
	case EvAbsorbed, EvReleased:
		ev.Into, ev.Follow = cmd.Into, cmd.Follow
	case EvSplit:
		ev.Into = t.Into
	case EvAdopted:
		ev.Reporter, ev.Follow = cmd.Reporter, cmd.Follow
	case EvCancelled:
		ev.Former = t.Owner
	case EvOverdue, EvBroughtUp:
		ev.Clock, ev.Level = cmd.Clock, max(t.Level, min(LevelCommittee, t.Level+1))
	}
}

// goesOn is an open question after a classification by hand: what the desk
// asked is answered by it, a worker's own question stays, and an emergency
// waits for neither.
func goesOn(q *Question, cmd *Command) *Question {
	if q == nil || q.Topic == TopicWhat || q.Topic == TopicPlace && (cmd.Place.Known() || cmd.Severity != Emergency) {
		return nil
	}
	after := *q
	after.Pauses = q.Pauses && cmd.Severity != Emergency
	return &after
}

// Next is what the desk itself must do now that the ticket is in this shape:
// "" where it waits for somebody. It is asked after every event until it is
// "", within the same commit, so that no ticket is stored on its way. An open
// question holds up a ticket only until it is classified: its owner can get
// ready while the resident answers.
func Next(t *Ticket) CommandName {
	if t.Stand != WithNobody {
		return ""
	}
	switch t.State {
	case Received:
		if t.Question != nil && t.Question.Pauses {
			return ""
		}
		return CmdClassify
	case Classified:
		if t.Kind == Wish && t.Level == LevelGrid {
			return CmdPublish
		}
		return CmdAssign
	}
	return ""
}
