package workflow

import (
	"slices"
	"strings"
	"time"
)

// Apply is the ticket after the event. It knows no rules: whatever is in the
// record is applied, also by later versions of the rules.
func Apply(before Ticket, ev Event) Ticket {
	t := before.clone()
	t.Version = ev.Seq
	t.State = ev.To
	if ev.Due != nil {
		t.Due = ev.Due
	}
	if ev.Level != 0 {
		t.Level = ev.Level
	}
	if len(ev.Media) > 0 && ev.Type != EvAbsorbed && ev.Type != EvLeft { // another's stay with theirs
		t.Media = append(t.Media, ev.Media...)
	}

	switch ev.Type {
	case EvFiled:
		t.understood(ev)
		t.Text, t.Reporter, t.Source = ev.Text, ev.Reporter, ev.Source
		if ev.By != 0 && ev.By != ev.Reporter {
			t.FiledBy = ev.By
		}
		t.FiledAt, t.Since = ev.At, ev.At
	case EvClassified, EvReclassified:
		t.understood(ev)
		t.ask(ev.Question, ev.At)
		if t.ClassifiedAt.IsZero() {
			t.ClassifiedAt = ev.At
		}
		if t.Owner == 0 && (t.Stand != OnWall || t.Kind != Wish) {
			t.Stand = WithNobody
		}
	case EvTrayed:
		t.Stand = InTray
	case EvAdvised:
		t.understood(ev)
		t.ask(nil, ev.At)
		t.Stand = WithNobody // the desk tries again with what it knows now
	case EvPublished:
		t.Stand = OnWall
	case EvAssigned, EvTransferred, EvClaimed:
		t.own(ev)
		t.Passed = append(t.Passed, ev.Former)
		if ev.Type != EvTransferred {
			t.Passed, t.AssignedAt = nil, ev.At
		}
		if ev.Type == EvClaimed {
			t.AcceptedAt = ev.At
			if ev.Unit != "" {
				t.Claimers = append(t.Claimers, ev.Unit)
			}
		}
	case EvAccepted:
		if ev.Owner != 0 {
			t.own(ev)
		}
		if t.AcceptedAt.IsZero() {
			t.AcceptedAt = ev.At
		}
	case EvReturned:
		t.Owner = 0
		t.Stand = InTray
		if t.wallable() {
			t.Stand = OnWall
		}
		t.Pair = nil
	case EvMoved:
		t.Place = *ev.Place
	case EvCalled, EvJoined:
		t.Hands = append(t.Hands, Hand{Person: ev.Helper, Unit: ev.Unit, Part: ev.Text, State: HandCalled, At: ev.At})
		t.Outside = t.Outside || ev.Outside
		if ev.Unit != "" && !slices.Contains(t.Claimers, ev.Unit) {
			t.Claimers = append(t.Claimers, ev.Unit)
		}
	case EvPartDone, EvPartDeclined:
		if h := t.Hand(ev.Helper); h != nil {
			h.State, h.Result, h.DoneAt = HandDone, ev.Text, ev.At
			if ev.Type == EvPartDeclined {
				h.State = HandDeclined
			}
		}
	case EvPaired:
		t.Pair = &Pair{Every: ev.Every}
	case EvVisited:
		if t.Pair != nil {
			t.Pair.Visits++
			t.Pair.LastAt = ev.At
		}
		if t.ReportedAt.IsZero() {
			t.ReportedAt = ev.At
		}
	case EvConsented:
		t.Named = ev.Yes
	case EvSupported:
		t.Supporters = append(t.Supporters, ev.By)
	case EvAsked:
		t.Question = ev.Question
	case EvAnswered, EvQuestionLapsed:
		t.ask(nil, ev.At)
		t.addText(ev.Text)
		t.understood(ev)
		if t.State == Received {
			t.Stand = WithNobody // the desk tries again with what it has heard
			if ev.Type == EvQuestionLapsed {
				t.Stand = InTray
			}
		}
	case EvNoted:
		if t.ReportedAt.IsZero() {
			t.ReportedAt = ev.At
		}
	case EvSupplemented:
		t.addText(ev.Text)
	case EvResolved:
		t.Question = nil
		t.ResolvedAt, t.Resolution = ev.At, ev.Text
		t.Rating = "" // asked again after a reopening
		if t.ReportedAt.IsZero() {
			t.ReportedAt = ev.At
		}
	case EvRated:
		t.Rating = ev.Rating
	case EvReopened:
		t.Owner, t.Stand, t.Why = 0, WithNobody, ""
		t.Pair, t.Late, t.Rung = nil, "", 0
		t.Reopened++
		t.Rating, t.ByTime = ev.Rating, false
		t.Resolution, t.Overdue, t.LateSince = "", nil, time.Time{}
		t.Since = ev.At
	case EvMerged:
		t.Into = ev.Into
	case EvAbsorbed:
		t.Absorbed = append(t.Absorbed, ev.Into)
		for _, p := range ev.Follow {
			if p != 0 && p != t.Reporter && !slices.Contains(t.Followers, p) {
				t.Followers = append(t.Followers, p)
			}
		}
	case EvReleased:
		t.Absorbed = slices.DeleteFunc(slices.Clone(t.Absorbed), func(n int64) bool { return n == ev.Into })
		t.Followers = without(t.Followers, ev.Follow...)
		if len(t.Absorbed) == 0 {
			t.Absorbed = nil
		}
	case EvSplit:
		t.Into, t.Owner, t.Stand, t.Why = 0, 0, WithNobody, ""
		t.Late, t.Rung = "", 0
		t.Overdue, t.LateSince, t.Since = nil, time.Time{}, ev.At
	case EvAdopted:
		followers := t.Followers
		t.Followers = nil
		if slices.Contains(ev.Follow, t.Reporter) {
			t.Reporter = ev.Reporter
		}
		for _, p := range followers {
			if slices.Contains(ev.Follow, p) {
				p = ev.Reporter
			}
			if p != t.Reporter && !slices.Contains(t.Followers, p) {
				t.Followers = append(t.Followers, p)
			}
		}
	case EvLeft:
		t.Reporter, t.FiledBy, t.Named = ev.Reporter, 0, false
		t.Text, t.Media, t.Place = strings.TrimSpace(ev.Text), ev.Media, *ev.Place
		t.Followers, t.Supporters = without(t.Followers, ev.Reporter), without(t.Supporters, ev.Reporter)
		t.ask(nil, ev.At) // who was asked waits for it no more
	case EvUrged:
		t.Urged++
		t.UrgedAt = ev.At
	case EvEscalated:
		t.Escalated++
	case EvBroughtUp:
		t.Rung = ev.Rung
	case EvOverdue:
		t.Late, t.Rung = ev.Clock, ev.Rung
		if !slices.Contains(t.Overdue, ev.Clock) && ev.Clock != ClockVisit { // a visit's time has come, nothing is missed
			t.Overdue = append(t.Overdue, ev.Clock)
		}
		if ev.Clock != ClockVisit && t.LateSince.IsZero() {
			t.LateSince = ev.At
		}
	case EvClosedByTime:
		t.ByTime = true
	}

	t.Points = append(t.Points, ev.Points...)
	t.Outside = t.Outside || t.Level >= LevelCommittee
	if t.State != before.State && !slices.Contains(withOwner, t.State) {
		for i := range t.Hands {
			if t.Hands[i].State == HandCalled {
				t.Hands[i].State, t.Hands[i].DoneAt = HandReleased, ev.At
			}
		}
	}
	if t.State.Open() {
		t.EndedAt = time.Time{}
	} else {
		t.Due, t.Question, t.Stand = nil, nil, WithNobody
		if before.State.Open() {
			t.EndedAt = ev.At
		}
	}
	return t
}

// own gives the ticket to whom the event names.
func (t *Ticket) own(ev Event) {
	t.Owner, t.Stand = ev.Owner, WithOwner
	if ev.Why != "" {
		t.Why = ev.Why
	}
	if !slices.Contains(t.Handlers, ev.Owner) {
		t.Handlers = append(t.Handlers, ev.Owner)
	}
	if !slices.ContainsFunc(t.Overdue, func(c Clock) bool { return !t.MadeGood(c) }) {
		t.LateSince = time.Time{}
	}
	t.Outside = t.Outside || ev.Outside
	if h := t.Hand(ev.Owner); h != nil { // a helper who now has all of it
		h.State, h.DoneAt = HandReleased, ev.At
	}
}

// understood takes over what the event says about what and where it is.
func (t *Ticket) understood(ev Event) {
	if ev.Category != "" || ev.Type == EvFiled {
		t.Kind, t.Category, t.Severity, t.Danger = ev.Kind, ev.Category, ev.Severity, ev.Danger
	}
	if ev.Place != nil {
		t.Place = *ev.Place
	}
}

// ask sets the open question, nil for none. Where that ends a pause, the
// promises count from as much later as the pause was long.
func (t *Ticket) ask(q *Question, now time.Time) {
	if was := t.Question; was != nil && was.Pauses && (q == nil || !q.Pauses) {
		t.Since = t.Since.Add(now.Sub(was.At))
	}
	t.Question = q
}

// addText joins what was added to what was written first.
func (t *Ticket) addText(text string) {
	if text = strings.TrimSpace(text); text != "" {
		t.Text = strings.TrimSpace(t.Text + "\n" + text)
	}
}

// Replay is the ticket that its events make, in order. Replaying the record
// gives the stored ticket.
func Replay(community string, number int64, events []Event) Ticket {
	t := Ticket{Community: community, Number: number}
	for _, ev := range events {
		t = Apply(t, ev)
	}
	return t
}

// without are the others of some people, nil for nobody.
func without(all []PersonID, gone ...PersonID) []PersonID {
	var out []PersonID
	for _, p := range all {
		if !slices.Contains(gone, p) {
			out = append(out, p)
		}
	}
	return out
}
