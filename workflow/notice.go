package workflow

import "slices"

// Notice is a push that an event makes the desk owe to one person. Purpose is
// a key of the wording.
type Notice struct {
	Person  PersonID
	Purpose Purpose
}

// Purpose says why somebody is told; each has its words, and its rules.
type Purpose string

// The purposes. Those to residents first.
const (
	TellHandler      Purpose = "handler"       // who has it now, after somebody assigned it by hand
	TellAccepted     Purpose = "accepted"      // a worker is on it
	TellClaimed      Purpose = "claimed"       // a wish was claimed
	TellQuestion     Purpose = "question"      // a worker asks
	TellProgress     Purpose = "progress"      // a worker's note
	TellResolved     Purpose = "resolved"      // done: please rate
	TellFollowers    Purpose = "resolved_also" // done, to those whose tickets were merged into it
	TellRateReminder Purpose = "rate_reminder"
	TellCancelled    Purpose = "cancelled"
	TellMerged       Purpose = "merged"
	TellPhoto        Purpose = "photo"      // a picture that goes with another push
	TellLate         Purpose = "late_reply" // what the passive reply would have said

	TellAssigned      Purpose = "assigned" // to owners: a new ticket
	TellDanger        Purpose = "danger"   // an emergency, to all who must know at once
	TellAnswered      Purpose = "answered"
	TellSupplemented  Purpose = "supplemented"
	TellUrged         Purpose = "urged"
	TellRated         Purpose = "rated"
	TellReopened      Purpose = "reopened"
	TellWithdrawn     Purpose = "withdrawn"
	TellTray          Purpose = "tray" // something waits to be filed by hand
	TellEscalated     Purpose = "escalated"
	TellOverdue       Purpose = "overdue"
	TellUnclaimed     Purpose = "unclaimed"
	TellBroughtUp     Purpose = "brought_up"
	TellQuestionLapse Purpose = "question_lapsed"
	TellPraise        Purpose = "praise"
)

// Quiet tells whether the push is a reminder that a resident must not get in
// the quiet hours.
func (p Purpose) Quiet() bool { return p == TellRateReminder }

// Urgent tells whether the push goes before others.
func (p Purpose) Urgent() bool { return p == TellDanger || p == TellAssigned }

// TwiceRatherThanNever tells whether a push whose fate is unknown (a time-out
// of a send that cannot be made safe to repeat) is sent again. A duplicate is
// kinder than silence for what somebody must act on; not for a rating. (See
// docs/decisions.)
func (p Purpose) TwiceRatherThanNever() bool {
	switch p {
	case TellResolved, TellFollowers, TellRateReminder, TellRated, TellPhoto, TellPraise, TellProgress:
		return false
	}
	return true
}

// Audience is whom a notice is for, in terms of the ticket.
type Audience string

// The audiences.
const (
	ToReporter  Audience = "reporter"
	ToFollowers Audience = "followers"
	ToOwner     Audience = "owner"
	ToFormer    Audience = "former owner"
	ToFullTime  Audience = "full-time worker"
	ToKeeper    Audience = "tray keeper" // who files by hand: the grid's full-time worker, else the committee's duty people
	ToDuty      Audience = "duty"
)

// Condition is a named condition on an event and the ticket after it; the
// zero one always holds.
type Condition struct {
	Name  string
	Holds func(t *Ticket, ev *Event) bool
}

// NoticeRow says that an event is told to somebody where If holds.
type NoticeRow struct {
	Event   EventType
	To      Audience
	Purpose Purpose
	If      Condition
}

// Notices is the table of who is told what. Somebody who would be told twice
// of one event is told by the first row only; nobody is told what they did
// themselves: the reply tells them.
var Notices = []NoticeRow{
	{EvAssigned, ToOwner, TellDanger, danger},
	{EvAssigned, ToFullTime, TellDanger, danger},
	{EvAssigned, ToDuty, TellDanger, danger},
	{EvAssigned, ToOwner, TellAssigned, anyway},
	{EvAssigned, ToReporter, TellHandler, byPerson},
	{EvTransferred, ToOwner, TellDanger, danger},
	{EvTransferred, ToOwner, TellAssigned, anyway},
	{EvReturned, ToKeeper, TellTray, inTray},
	{EvTrayed, ToKeeper, TellTray, anyway},
	{EvAccepted, ToReporter, TellAccepted, anyway},
	{EvAccepted, ToFollowers, TellAccepted, anyway},
	{EvClaimed, ToReporter, TellClaimed, anyway},
	{EvClaimed, ToFollowers, TellClaimed, anyway},
	{EvReclassified, ToOwner, TellDanger, dangerOwned},
	{EvReclassified, ToFullTime, TellDanger, dangerOwned},
	{EvReclassified, ToDuty, TellDanger, dangerOwned},
	{EvAsked, ToReporter, TellQuestion, byPerson},
	{EvAnswered, ToOwner, TellAnswered, anyway},
	{EvAnswered, ToFullTime, TellDanger, dangerFound},
	{EvAnswered, ToKeeper, TellAnswered, waits},
	{EvQuestionLapsed, ToKeeper, TellTray, inTray},
	{EvQuestionLapsed, ToOwner, TellQuestionLapse, anyway},
	{EvNoted, ToReporter, TellProgress, anyway},
	{EvSupplemented, ToOwner, TellSupplemented, anyway},
	{EvSupplemented, ToReporter, TellProgress, byOwner},
	{EvResolved, ToReporter, TellResolved, anyway},
	{EvResolved, ToFollowers, TellFollowers, anyway},
	{EvRated, ToOwner, TellRated, anyway},
	{EvReopened, ToFormer, TellReopened, anyway},
	{EvCancelled, ToReporter, TellCancelled, anyway},
	{EvCancelled, ToFollowers, TellCancelled, anyway},
	{EvCancelled, ToFormer, TellWithdrawn, anyway},
	{EvMerged, ToReporter, TellMerged, anyway},
	{EvMerged, ToFollowers, TellMerged, anyway},
	{EvMerged, ToFormer, TellMerged, anyway},
	{EvUrged, ToOwner, TellUrged, anyway},
	{EvUrged, ToKeeper, TellUrged, unowned},
	{EvEscalated, ToOwner, TellEscalated, anyway},
	{EvEscalated, ToDuty, TellEscalated, anyway},
	{EvOverdue, ToDuty, TellUnclaimed, ofUnclaimed},
	{EvOverdue, ToOwner, TellOverdue, anyway},
	{EvOverdue, ToFullTime, TellOverdue, anyway},
	{EvOverdue, ToDuty, TellOverdue, anyway},
	{EvBroughtUp, ToOwner, TellBroughtUp, anyway},
	{EvBroughtUp, ToKeeper, TellBroughtUp, unowned},
	{EvBroughtUp, ToDuty, TellBroughtUp, anyway},
	{EvRatingReminded, ToReporter, TellRateReminder, anyway},
}

var (
	anyway      = Condition{}
	byPerson    = Condition{"done by a person", func(_ *Ticket, ev *Event) bool { return ev.Actor == ActorPerson }}
	byOwner     = Condition{"done by the owner", func(t *Ticket, ev *Event) bool { return ev.By == t.Owner }}
	danger      = Condition{"an emergency", func(t *Ticket, _ *Event) bool { return t.Severity == Emergency }}
	dangerOwned = Condition{"an emergency that has an owner", func(t *Ticket, _ *Event) bool {
		return t.Severity == Emergency && t.Owner != 0 // one without is told of when it is assigned
	}}
	dangerFound = Condition{"an emergency whose place was told", func(t *Ticket, ev *Event) bool {
		return t.Severity == Emergency && t.Owner != 0 && ev.Place != nil
	}}
	inTray      = Condition{"in the tray", func(t *Ticket, _ *Event) bool { return t.Stand == InTray }}
	waits       = Condition{"in the tray or on the wall", func(t *Ticket, _ *Event) bool { return t.Stand == InTray || t.Stand == OnWall }}
	unowned     = Condition{"without an owner", func(t *Ticket, _ *Event) bool { return t.Owner == 0 }}
	ofUnclaimed = Condition{"the wish is unclaimed", func(_ *Ticket, ev *Event) bool { return ev.Clock == ClockUnclaimed }}
)

// Owed is the notices that an event makes, given the ticket after it. No
// ticket that has ended in another makes any but the news of its end.
func Owed(r Roster, t *Ticket, ev *Event) []Notice {
	var out []Notice
	for _, row := range Notices {
		if row.Event != ev.Type || row.If.Holds != nil && !row.If.Holds(t, ev) {
			continue
		}
		for _, p := range audience(row.To, r, t, ev) {
			if p == 0 || p == ev.By || slices.ContainsFunc(out, func(n Notice) bool { return n.Person == p }) {
				continue
			}
			out = append(out, Notice{p, row.Purpose})
		}
	}
	return out
}

func audience(a Audience, r Roster, t *Ticket, ev *Event) []PersonID {
	ids := func(people []Person) []PersonID {
		out := make([]PersonID, len(people))
		for i, p := range people {
			out[i] = p.ID
		}
		return out
	}
	switch a {
	case ToReporter:
		return []PersonID{t.Reporter}
	case ToFollowers:
		return t.Followers
	case ToOwner:
		return []PersonID{t.Owner}
	case ToFormer:
		return []PersonID{ev.Former}
	case ToFullTime:
		full, _ := r.FullTime(t.Place.Grid)
		return []PersonID{full.ID}
	case ToKeeper:
		if full, ok := r.FullTime(t.Place.Grid); ok && full.ID != ev.By {
			return []PersonID{full.ID}
		}
		return ids(r.Duty())
	case ToDuty:
		return ids(r.Duty())
	}
	return nil
}
