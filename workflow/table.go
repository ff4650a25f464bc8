package workflow

import "slices"

// Row is one transition of the machine: in one of the From states, Who may
// give Command, and where Guard holds the ticket goes To another state (Same:
// it stays) and Makes an event.
type Row struct {
	From    []State
	Command CommandName
	Who     []Who
	Guard   Guard
	To      State
	Makes   EventType
}

// Same as a row's To means that the state does not change.
const Same State = "="

// Who is a relation between an actor and a ticket.
type Who string

// The relations that rows ask for.
const (
	WhoSystem     Who = "system"      // the desk itself
	WhoAnyone     Who = "anyone"      // any person who writes
	WhoReporter   Who = "reporter"    // whose matter it is
	WhoFollower   Who = "follower"    // whose ticket was merged into it
	WhoOwner      Who = "owner"       // who has it now
	WhoGridWorker Who = "grid worker" // a worker of the ticket's grid, or its leader
	WhoClaimer    Who = "claimer"     // party member, volunteer, partner unit, worker, committee; not whose wish it is
	WhoHelper     Who = "helper"      // who was called to it and is not done
	WhoCommittee  Who = "committee"
)

// Holds tells whether the actor stands in this relation to the ticket.
func (w Who) Holds(t *Ticket, a Actor) bool {
	if a.Kind == ActorSystem {
		return w == WhoSystem
	}
	if a.Person == 0 {
		return false
	}
	has := func(f func(Role) bool) bool { return slices.ContainsFunc(a.Roles, f) }
	switch w {
	case WhoAnyone:
		return true
	case WhoReporter:
		return a.Person == t.Reporter
	case WhoFollower:
		return slices.Contains(t.Followers, a.Person)
	case WhoOwner:
		return a.Person == t.Owner
	case WhoGridWorker:
		return has(func(r Role) bool {
			return (r.Kind == RoleWorker || r.Kind == RoleLeader) && r.serves(t.Place.Grid)
		})
	case WhoClaimer:
		p := Person{Roles: a.Roles}
		return a.Person != t.Reporter && (p.MayClaim() || p.Has(RoleCommittee))
	case WhoHelper:
		return t.Hand(a.Person) != nil
	case WhoCommittee:
		return has(func(r Role) bool { return r.Kind == RoleCommittee })
	}
	return false
}

var (
	beforeResolved = []State{Received, Classified, Assigned, Accepted}
	withOwner      = []State{Assigned, Accepted}
)

// Table is the machine. The first row whose state, command, actor and guard
// fit decides; no row, no change.
var Table = []Row{
	// classify 分类
	{[]State{None}, CmdFile, []Who{WhoAnyone, WhoSystem}, mayFile, Received, EvFiled},
	{[]State{Received}, CmdClassify, []Who{WhoSystem, WhoGridWorker, WhoCommittee}, isPlaced, Classified, EvClassified},
	{[]State{Classified, Assigned, Accepted}, CmdClassify, []Who{WhoSystem, WhoOwner, WhoGridWorker, WhoCommittee}, isPlaced, Same, EvReclassified},
	{[]State{Received, Classified}, CmdToTray, []Who{WhoSystem}, nowhereElse, Same, EvTrayed},
	{[]State{Received}, CmdAdvise, []Who{WhoSystem}, isDoubtful, Same, EvAdvised},
	{[]State{Received}, CmdAsk, []Who{WhoSystem, WhoGridWorker, WhoCommittee}, mayAsk, Same, EvAsked},

	// assign 派单
	{[]State{Classified}, CmdAssign, []Who{WhoSystem, WhoGridWorker, WhoCommittee}, newOwner, Assigned, EvAssigned},
	{[]State{Received, Assigned, Accepted}, CmdAssign, []Who{WhoSystem, WhoCommittee}, newOwner, Assigned, EvAssigned},
	{[]State{Classified}, CmdPublish, []Who{WhoSystem}, isWish, Same, EvPublished},
	{[]State{Classified}, CmdClaim, []Who{WhoClaimer}, onWall, Accepted, EvClaimed},
	{[]State{Assigned}, CmdAccept, []Who{WhoOwner}, always, Accepted, EvAccepted},
	{[]State{Assigned}, CmdAccept, []Who{WhoGridWorker}, notTheirs, Accepted, EvAccepted},
	{withOwner, CmdTransfer, []Who{WhoOwner}, mayTransfer, Assigned, EvTransferred},
	{withOwner, CmdReturn, []Who{WhoSystem, WhoOwner}, hasWords, Classified, EvReturned},
	{[]State{Received, Classified, Assigned, Accepted, Resolved}, CmdMove, []Who{WhoSystem}, elsewhere, Same, EvMoved},

	// several hands 协同
	{withOwner, CmdCall, []Who{WhoSystem, WhoOwner, WhoGridWorker, WhoCommittee}, mayCall, Same, EvCalled},
	{[]State{Accepted}, CmdJoin, []Who{WhoClaimer}, mayJoin, Same, EvJoined},
	{withOwner, CmdFinish, []Who{WhoHelper}, hasWords, Same, EvPartDone},
	{withOwner, CmdDecline, []Who{WhoHelper}, hasWords, Same, EvPartDeclined},
	{withOwner, CmdDecline, []Who{WhoSystem}, allOf(hasPart, hasWords), Same, EvPartDeclined},
	{[]State{Accepted}, CmdPair, []Who{WhoOwner, WhoCommittee}, mayPair, Same, EvPaired},
	{[]State{Accepted}, CmdVisit, []Who{WhoOwner, WhoHelper}, allOf(isPaired, hasWordsOrMedia), Same, EvVisited},

	// resolve 办理
	{[]State{Classified, Assigned, Accepted}, CmdAsk, []Who{WhoSystem, WhoOwner, WhoGridWorker, WhoCommittee}, mayAsk, Same, EvAsked},
	{beforeResolved, CmdAnswer, []Who{WhoReporter, WhoFollower}, isAsked, Same, EvAnswered},
	{[]State{Accepted}, CmdNote, []Who{WhoOwner}, hasWords, Same, EvNoted},
	{[]State{Accepted}, CmdResolve, []Who{WhoOwner}, hasWords, Resolved, EvResolved},

	// feedback 评价
	{[]State{Resolved}, CmdRate, []Who{WhoReporter}, ratedWell, Closed, EvRated},
	{[]State{Resolved}, CmdRate, []Who{WhoReporter}, ratedBadly, Classified, EvReopened},
	{[]State{Closed}, CmdRate, []Who{WhoReporter}, allOf(lately, ratedWell), Closed, EvRated},
	{[]State{Closed}, CmdRate, []Who{WhoReporter}, allOf(lately, ratedBadly), Classified, EvReopened},
	{[]State{Resolved}, CmdRate, []Who{WhoGridWorker, WhoCommittee}, allOf(byTelephone, ratedWell), Closed, EvRated},
	{[]State{Resolved}, CmdRate, []Who{WhoGridWorker, WhoCommittee}, allOf(byTelephone, ratedBadly), Classified, EvReopened},
	{[]State{Resolved, Closed}, CmdThank, []Who{WhoReporter, WhoFollower}, allOf(hasWords, notThanked), Same, EvThanked},
	{[]State{Resolved}, CmdClose, []Who{WhoSystem}, nobodyRates, Closed, EvClosedAlone},
	{[]State{Resolved, Closed}, CmdReopen, []Who{WhoReporter, WhoFollower, WhoCommittee}, mayReopen, Classified, EvReopened},
	{[]State{Resolved}, CmdTick, []Who{WhoSystem}, isDue(ClockRemind), Same, EvRatingReminded},
	{[]State{Resolved}, CmdTick, []Who{WhoSystem}, isDue(ClockRating), Closed, EvClosedByTime},

	// anywhere open
	{[]State{Received, Classified, Assigned, Accepted, Resolved}, CmdSupplement, []Who{WhoReporter, WhoFollower, WhoGridWorker, WhoOwner, WhoHelper, WhoCommittee}, allOf(hasWordsOrMedia, hasRoom), Same, EvSupplemented},
	{beforeResolved, CmdConsent, []Who{WhoReporter, WhoGridWorker, WhoCommittee}, newWord, Same, EvConsented},
	{beforeResolved, CmdSupport, []Who{WhoAnyone}, mayWishToo, Same, EvSupported},
	{beforeResolved, CmdCancel, []Who{WhoReporter}, always, Cancelled, EvCancelled},
	{beforeResolved, CmdCancel, []Who{WhoCommittee}, hasWords, Cancelled, EvCancelled},
	{[]State{Received, Classified}, CmdCancel, []Who{WhoGridWorker}, inTrayWithWords, Cancelled, EvCancelled},
	{beforeResolved, CmdMerge, []Who{WhoSystem, WhoOwner, WhoGridWorker, WhoCommittee}, mayMerge, Merged, EvMerged},
	{beforeResolved, CmdAbsorb, []Who{WhoSystem}, intoAnother, Same, EvAbsorbed},
	{[]State{Merged}, CmdSplit, []Who{WhoReporter, WhoGridWorker, WhoCommittee}, wasPlaced, Classified, EvSplit},
	{[]State{Merged}, CmdSplit, []Who{WhoReporter, WhoGridWorker, WhoCommittee}, always, Received, EvSplit},
	{[]State{Received, Classified, Assigned, Accepted, Resolved, Closed}, CmdRelease, []Who{WhoSystem}, wasAbsorbed, Same, EvReleased},
	{[]State{Received, Classified, Assigned, Accepted, Resolved, Closed, Merged}, CmdAdopt, []Who{WhoSystem}, isTheirs, Same, EvAdopted},
	{beforeResolved, CmdLeave, []Who{WhoReporter}, mayLeave, Same, EvLeft},
	{beforeResolved, CmdUrge, []Who{WhoReporter, WhoFollower}, notJustUrged, Same, EvUrged},
	{beforeResolved, CmdEscalate, []Who{WhoSystem, WhoOwner, WhoGridWorker, WhoCommittee}, canRise, Same, EvEscalated},

	// the clocks
	{beforeResolved, CmdTick, []Who{WhoSystem}, isDue(ClockQuestion), Same, EvQuestionLapsed},
	{[]State{Received, Classified}, CmdTick, []Who{WhoSystem}, isDue(ClockTray, ClockUnclaimed), Same, EvOverdue},
	{withOwner, CmdTick, []Who{WhoSystem}, isDue(ClockReminder), Same, EvReminded},
	{[]State{Classified, Assigned, Accepted}, CmdTick, []Who{WhoSystem}, isDue(ClockResponse, ClockFeedback, ClockResolve, ClockVisit), Same, EvOverdue},
	{beforeResolved, CmdTick, []Who{WhoSystem}, isDue(ClockAgain), Same, EvBroughtUp},
}
