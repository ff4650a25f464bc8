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

	TellLesson       Purpose = "lesson"          // to party members: the lesson of the day
	TellLessonAsked  Purpose = "lesson_asked"    // to a speaker: somebody asks
	TellLessonAnswer Purpose = "lesson_answered" // to who asked

	TellCare     Purpose = "care_due"      // in the morning: whom of the care list to visit
	TellInspect  Purpose = "inspect_due"   // in the morning, to the property company: buildings to inspect before the turn ends
	TellObjected Purpose = "objected"      // to the committee: the property company objects to a line of its month
	TellSettled  Purpose = "settled"       // to who objected: what came of it
	TellDigest   Purpose = "digest"        // to the committee, on Monday: the week
	TellLapse    Purpose = "points_lapse"  // in December: what of their points will lapse
	TellBack     Purpose = "points_back"   // to who ordered a reward: nobody came for it
	TellVisitDue Purpose = "visit_due"     // to a pair: time for the next visit
	TellReminder Purpose = "reminder"      // to owners: a promise is due soon
	TellHandedOn Purpose = "handed_on"     // to who had it: somebody else has it now
	TellAlso     Purpose = "also"          // to owners: more households report the same
	TellCalled   Purpose = "called"        // to who is called to a ticket: your part
	TellPart     Purpose = "part"          // to owners: a part is done, or handed back
	TellReleased Purpose = "released"      // to who was called: it has ended
	TellOnWall   Purpose = "on_wall"       // to the reporter: who claimed it cannot; it hangs on the wall again
	TellPaired   Purpose = "paired"        // to the reporter: somebody will visit in a rhythm
	TellNamed    Purpose = "named"         // to who claimed: the reporter lets them know who asks
	TellVisited  Purpose = "visited"       // to the reporter: news of the pair
	TellSupport  Purpose = "support"       // to the committee: so many wish the same
	TellWish     Purpose = "wish_progress" // to supporters: claimed, fulfilled
	TellThanked  Purpose = "thanked"       // to who handled it
	TellLeft     Purpose = "left"          // to owners: who reported it waits no more, others do
)

// The purposes of topics (see package topic).
const (
	TellProposed Purpose = "topic_proposed" // to the committee: a resident proposes a topic
	TellTopic    Purpose = "topic_moved"    // to who proposed it: it is talked over, or not taken up
	TellVoting   Purpose = "topic_voting"   // to all who live there: vote
	TellVoted    Purpose = "topic_voted"    // to all who live there: the result
)

// How pushes are treated by their purpose. One that stands in no list leaves at any
// hour, rather twice than never, and is worth a call where it cannot.
var (
	quiet      = set(TellRateReminder, TellVoting, TellVoted, TellLesson, TellLapse, TellBack)
	neverTwice = set(TellResolved, TellFollowers, TellRateReminder, TellRated, TellPhoto, TellPraise, TellProgress, TellWish, TellThanked, TellAlso,
		TellSupport, TellProposed, TellTopic, TellVoting, TellVoted, TellLesson, TellBack)
	uncalled = set(TellPhoto, TellProgress, TellPraise, TellRated, TellSupplemented, TellBroughtUp, TellWithdrawn, TellMerged, TellReminder,
		TellAlso, TellPart, TellReleased, TellCare, TellInspect, TellObjected, TellSettled, TellLapse, TellBack, TellDigest, TellHandedOn, TellSupport, TellWish, TellThanked,
		TellVisited, TellLeft, TellProposed, TellTopic, TellVoting, TellVoted,
		TellLesson, TellLessonAsked, TellLessonAnswer) // the secretary sees whom to visit
)

func set(all ...Purpose) map[Purpose]bool {
	out := map[Purpose]bool{}
	for _, p := range all {
		out[p] = true
	}
	return out
}

// Quiet tells whether the push is a reminder that a resident must not get in
// the quiet hours.
func (p Purpose) Quiet() bool { return quiet[p] }

// Urgent tells whether the push goes before others.
func (p Purpose) Urgent() bool { return p == TellDanger || p == TellAssigned }

// TwiceRatherThanNever tells whether a push whose fate is unknown (a time-out
// of a send that cannot be made safe to repeat) is sent again. A duplicate is
// kinder than silence for what somebody must act on; not for a rating. (See
// docs/decisions.)
func (p Purpose) TwiceRatherThanNever() bool { return !neverTwice[p] }

// WorthACall tells whether somebody should telephone where the push cannot reach
// whom it is for.
func (p Purpose) WorthACall() bool { return !uncalled[p] }

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

	ToWorker     Audience = "owner, else tray keeper"
	ToPartTime   Audience = "part-time workers"
	ToLeader     Audience = "grid leader"
	ToLadder     Audience = "the ladder's step"
	ToHelper     Audience = "helper"
	ToReleased   Audience = "helpers not done"
	ToSupporters Audience = "supporters"
	ToHandlers   Audience = "who did it"
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
	{EvAssigned, ToFormer, TellHandedOn, anyway}, // first: whoever else they are, it is no longer theirs
	{EvAssigned, ToOwner, TellDanger, danger},
	{EvAssigned, ToFullTime, TellDanger, danger},
	{EvAssigned, ToDuty, TellDanger, danger},
	{EvAssigned, ToOwner, TellAssigned, anyway},
	{EvAssigned, ToReporter, TellHandler, handedOver},
	{EvTransferred, ToOwner, TellDanger, danger},
	{EvTransferred, ToOwner, TellAssigned, anyway},
	{EvReturned, ToKeeper, TellTray, inTray},
	{EvReturned, ToReleased, TellReleased, anyway},
	{EvReturned, ToReporter, TellOnWall, backOnWall},
	{EvMoved, ToKeeper, TellTray, inTray},
	{EvTrayed, ToKeeper, TellTray, anyway},
	{EvAccepted, ToFormer, TellHandedOn, anyway},
	{EvAccepted, ToReporter, TellAccepted, anyway},
	{EvAccepted, ToFollowers, TellAccepted, anyway},
	{EvClaimed, ToReporter, TellClaimed, anyway},
	{EvClaimed, ToFollowers, TellClaimed, anyway},
	{EvClaimed, ToSupporters, TellWish, anyway},
	{EvCalled, ToHelper, TellCalled, anyway},
	{EvJoined, ToOwner, TellPart, anyway},
	{EvJoined, ToReporter, TellClaimed, anyway},
	{EvPartDone, ToOwner, TellPart, anyway},
	{EvPartDeclined, ToOwner, TellPart, anyway},
	{EvPaired, ToReporter, TellPaired, anyway},
	{EvVisited, ToReporter, TellVisited, anyway},
	{EvConsented, ToOwner, TellNamed, given},
	{EvSupported, ToDuty, TellSupport, milestoneOfSupport},
	{EvAbsorbed, ToOwner, TellAlso, milestoneOfReports},
	{EvThanked, ToHandlers, TellThanked, anyway},
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
	{EvResolved, ToSupporters, TellWish, anyway},
	{EvResolved, ToReleased, TellReleased, anyway},
	{EvRated, ToOwner, TellRated, anyway},
	{EvReopened, ToFormer, TellReopened, anyway},
	{EvCancelled, ToReporter, TellCancelled, anyway},
	{EvCancelled, ToFollowers, TellCancelled, anyway},
	{EvCancelled, ToSupporters, TellCancelled, anyway},
	{EvCancelled, ToFormer, TellWithdrawn, anyway},
	{EvCancelled, ToReleased, TellReleased, anyway},
	{EvMerged, ToReporter, TellMerged, anyway},
	{EvMerged, ToFollowers, TellMerged, anyway},
	{EvMerged, ToFormer, TellMerged, anyway},
	{EvMerged, ToReleased, TellMerged, anyway},
	{EvLeft, ToOwner, TellLeft, anyway},
	{EvUrged, ToOwner, TellUrged, anyway},
	{EvUrged, ToKeeper, TellUrged, unowned},
	{EvEscalated, ToOwner, TellEscalated, anyway},
	{EvEscalated, ToDuty, TellEscalated, anyway},
	{EvOverdue, ToDuty, TellUnclaimed, ofUnclaimed},
	{EvOverdue, ToLadder, TellVisitDue, ofVisit},
	{EvOverdue, ToLadder, TellOverdue, anyway},
	{EvBroughtUp, ToLadder, TellBroughtUp, anyway},
	{EvReminded, ToLadder, TellReminder, anyway},
	{EvRatingReminded, ToReporter, TellRateReminder, anyway},
}

var (
	anyway   = Condition{}
	byPerson = Condition{"done by a person", func(_ *Ticket, ev *Event) bool { return ev.Actor == ActorPerson }}
	given    = Condition{"given, not taken back", func(_ *Ticket, ev *Event) bool { return ev.Yes }}
	// handedOver: the machine's first choice is told in the reply.
	handedOver = Condition{"by a person, or from one hand to another", func(_ *Ticket, ev *Event) bool {
		return ev.Actor == ActorPerson || ev.Former != 0
	}}
	milestoneOfSupport = Condition{"the count is a milestone", func(t *Ticket, _ *Event) bool { return milestone(len(t.Supporters)) && len(t.Supporters) >= 5 }}
	milestoneOfReports = Condition{"the count is a milestone", func(t *Ticket, ev *Event) bool {
		return len(ev.Follow) > 0 && milestone(len(t.Followers))
	}}
	byOwner     = Condition{"done by the owner", func(t *Ticket, ev *Event) bool { return ev.By == t.Owner }}
	danger      = Condition{"an emergency", func(t *Ticket, _ *Event) bool { return t.Severity == Emergency }}
	dangerOwned = Condition{"an emergency that has an owner", func(t *Ticket, _ *Event) bool {
		return t.Severity == Emergency && t.Owner != 0 // one without is told of when it is assigned
	}}
	dangerFound = Condition{"an emergency whose place was told", func(t *Ticket, ev *Event) bool {
		return t.Severity == Emergency && t.Owner != 0 && ev.Place != nil
	}}
	inTray      = Condition{"in the tray", func(t *Ticket, _ *Event) bool { return t.Stand == InTray }}
	backOnWall  = Condition{"on the wall again", func(t *Ticket, _ *Event) bool { return t.Stand == OnWall }}
	waits       = Condition{"in the tray or on the wall", func(t *Ticket, _ *Event) bool { return t.Stand == InTray || t.Stand == OnWall }}
	unowned     = Condition{"without an owner", func(t *Ticket, _ *Event) bool { return t.Owner == 0 }}
	ofVisit     = Condition{"a pair's visit is due", func(_ *Ticket, ev *Event) bool { return ev.Clock == ClockVisit }}
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

// milestone tells whether somebody wants to hear of so many: of the first ones
// each, then seldom. Of an outage that five hundred report, its owner is told
// fourteen times.
func milestone(n int) bool {
	if n <= 3 {
		return n > 0
	}
	for n >= 100 && n%10 == 0 {
		n /= 10
	}
	return n == 5 || n == 10 || n == 20 || n == 50
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
		if full, ok := r.FullTime(t.Place.Grid); ok && full.ID != ev.By && !full.Away.Covers(ev.At) {
			return []PersonID{full.ID}
		}
		return ids(r.Duty())
	case ToWorker:
		if t.Owner != 0 {
			return []PersonID{t.Owner}
		}
		return audience(ToKeeper, r, t, ev)
	case ToPartTime:
		var out []PersonID
		for _, p := range r.Workers(t.Place.Grid) {
			if !p.fullTime(t.Place.Grid) && p.ID != t.Reporter && !p.Away.Covers(ev.At) {
				out = append(out, p.ID)
			}
		}
		return out
	case ToLeader:
		return ids(r.Playing(RoleLeader, t.Place.Grid))
	case ToLadder:
		var out []PersonID
		for _, h := range ev.Tell {
			out = append(out, audience(hearers[h], r, t, ev)...)
		}
		if len(slices.DeleteFunc(slices.Clone(out), func(p PersonID) bool { return p == 0 })) == 0 {
			return ids(r.Duty()) // nobody plays that part: it must not stay unheard
		}
		return out
	case ToHelper:
		return []PersonID{ev.Helper}
	case ToReleased:
		var out []PersonID
		for _, h := range t.Hands {
			if h.State == HandReleased && h.DoneAt.Equal(ev.At) {
				out = append(out, h.Person)
			}
		}
		return out
	case ToSupporters:
		return t.Supporters
	case ToHandlers:
		out := []PersonID{t.Owner}
		for _, h := range t.Hands {
			if h.State == HandDone {
				out = append(out, h.Person)
			}
		}
		return out
	case ToDuty:
		return ids(r.Duty())
	}
	return nil
}
