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
	if cmd.Name == CmdAccept && t.State == Accepted && t.Owner != cmd.Actor.Person &&
		(WhoGridWorker.Holds(t, cmd.Actor) || slices.Contains(t.Handlers, cmd.Actor.Person)) {
		refusal = CodeTaken
	}
	if refusal == CodeAlreadyDone && cmd.Name == CmdClaim && t.Owner != cmd.Actor.Person {
		refusal = CodeClaimed
	}
	return Row{}, refuse(refusal, t.Number)
}

// repeats tells whether the command was given before by the same person and
// has had its effect, so that a second tap is told "done already" rather than
// "not possible".
func repeats(t *Ticket, cmd *Command) bool {
	switch cmd.Name {
	case CmdSupport, CmdJoin:
		return t.State.Open() && t.Kind == Wish && (slices.Contains(t.Supporters, cmd.Actor.Person) || t.Hand(cmd.Actor.Person) != nil)
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
		ev.Level, ev.Source = LevelGrid, cmd.Source
		ev.Reporter = cmd.Reporter
		found := cmd.Source == SourcePatrol || cmd.Source == SourceFixed // nobody reported it: a worker saw it
		if ev.Reporter == 0 && cmd.Actor.Kind == ActorPerson && !found {
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
		ev.Owner, ev.Former, ev.Why, ev.Outside = cmd.To, t.Owner, cmd.Why, cmd.Outside
	case EvAccepted:
		if cmd.Actor.Person != t.Owner { // a colleague was first
			ev.Owner, ev.Former, ev.Why = cmd.Actor.Person, t.Owner, WhyTaken
		}
	case EvClaimed:
		ev.Owner, ev.Unit, ev.Outside = cmd.Actor.Person, cmd.Unit, cmd.Outside
	case EvMoved:
		place := t.Place
		place.Grid = cmd.Place.Grid
		ev.Place = &place
	case EvCalled:
		ev.Helper, ev.Outside = cmd.To, cmd.Outside
	case EvJoined:
		ev.Helper, ev.Unit = cmd.Actor.Person, cmd.Unit
	case EvPartDone:
		ev.Helper = cmd.Actor.Person
	case EvPartDeclined:
		if ev.Helper = cmd.Actor.Person; cmd.Actor.Kind == ActorSystem {
			ev.Helper = cmd.To
		}
	case EvPaired:
		ev.Every = cmd.Every
	case EvConsented:
		ev.Yes = cmd.Yes
	case EvRated:
		ev.Phoned = cmd.Phoned
		ev.Points = earned(c, t, ev)
	case EvThanked:
		ev.Points = earned(c, t, ev)
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
	case EvResolved:
		ev.Question = t.Question // what need not be answered any more
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
		ev.Level, ev.Former, ev.Phoned = min(t.Level+1, LevelSubdistrict), t.Owner, cmd.Phoned
		ev.Points = earned(c, t, ev)
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
	case EvLeft:
		place := cmd.Place
		ev.Reporter, ev.Place = cmd.Reporter, &place
	case EvCancelled:
		ev.Former = t.Owner
	case EvReminded:
		if of, _, rung, ok := reminder(c, t, t.Due, t.Due[ClockReminder].Add(-1)); ok {
			ev.Clock, ev.Tell = of, rung.Tell
		}
	case EvOverdue:
		ev.Clock = cmd.Clock
		climb(c, t, ev, cmd.Clock, 0)
	case EvBroughtUp:
		ev.Clock = cmd.Clock
		climb(c, t, ev, t.Late, t.Rung+1)
	}
}

// climb puts a step of the ladder into the event: whom it tells, and whether
// the matter rises. Where the clock was looked at late (a server was down, the
// time was set), every step that was passed meanwhile is taken at once. What
// has risen is never kept from the committee.
func climb(c *Community, t *Ticket, ev *Event, of Clock, step int) {
	due, _ := t.running(ev.Clock)
	late := ev.At.Sub(due)
	if t.Severity != Emergency {
		late = c.Working.Between(due, ev.At, c.Location())
	}
	ev.Level = t.Level
	for {
		rung := c.Ladder.rung(t, of, step)
		ev.Rung = step
		for _, h := range rung.Tell {
			if !slices.Contains(ev.Tell, h) {
				ev.Tell = append(ev.Tell, h)
			}
		}
		if rung.Rise {
			ev.Level = max(t.Level, LevelCommittee)
		}
		gap := c.Ladder.next(t, of, step, 0)
		if gap <= 0 || late < gap {
			break
		}
		late -= gap
		step++
	}
	if ev.Level >= LevelCommittee && !slices.Contains(ev.Tell, HearsCommittee) {
		ev.Tell = append(ev.Tell, HearsCommittee)
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
	if t.State == Resolved && t.Reporter == 0 && len(t.Followers) == 0 {
		return CmdClose
	}
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
		if t.wallable() {
			return CmdPublish
		}
		return CmdAssign
	}
	return ""
}
