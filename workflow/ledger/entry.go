package ledger

import (
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// Account is where points are. Purse and Held are somebody's own, the others the
// community's.
type Account string

// The accounts.
const (
	Mint   Account = "mint"   // where points come from: below zero by all that there are
	Purse  Account = "purse"  // somebody's, to spend
	Held   Account = "held"   // somebody's, for a reward that they ordered
	Spent  Account = "spent"  // for rewards that were handed over
	Lapsed Account = "lapsed" // gone at a year's end
	Moved  Account = "moved"  // on the way to who somebody became by a binding code: nothing stays there
)

// Why says what an entry is for.
type Why string

// What entries are for.
const (
	ForWish   Why = "wish"   // somebody else's wish was fulfilled
	ForHelp   Why = "help"   // a part was done of what somebody else had
	ForPatrol Why = "patrol" // a volunteer was on patrol
	ForReport Why = "report" // what was reported was put right
	Ordered   Why = "ordered"
	Handed    Why = "handed"    // the reward was handed over
	GaveBack  Why = "back"      // nobody came for it
	Cancelled Why = "cancelled" // who ordered it does not want it any more
	YearEnd   Why = "yearend"   // what was not spent

	// Somebody became another by a binding code: what they had, and what was held.
	Left     Why = "left"
	Came     Why = "came"
	HeldLeft Why = "heldleft"
	HeldCame Why = "heldcame"
)

// moves says for each reason which account gives and which takes.
var moves = map[Why][2]Account{
	ForWish: {Mint, Purse}, ForHelp: {Mint, Purse}, ForPatrol: {Mint, Purse}, ForReport: {Mint, Purse},
	Ordered: {Purse, Held}, Handed: {Held, Spent}, GaveBack: {Held, Purse}, Cancelled: {Held, Purse}, YearEnd: {Purse, Lapsed},
	Left: {Purse, Moved}, Came: {Moved, Purse}, HeldLeft: {Held, Moved}, HeldCame: {Moved, Held},
}

// Whys are all reasons.
func Whys() []Why {
	return []Why{ForWish, ForHelp, ForPatrol, ForReport, Ordered, Handed, GaveBack, Cancelled, YearEnd, Left, Came, HeldLeft, HeldCame}
}

// Entry moves somebody's points from one account to another. Cause is unique within
// the community: the same deed is booked once, however often it is derived.
type Entry struct {
	Cause  string
	Person workflow.PersonID
	Why    Why
	Points int   // more than 0
	Number int64 // the ticket or the order it is about, 0 for none
	At     time.Time
}

// Gives and Takes are the accounts between which the entry moves the points.
func (e Entry) Gives() Account { return moves[e.Why][0] }

// Takes is the account that gets the points.
func (e Entry) Takes() Account { return moves[e.Why][1] }

// Earned tells whether the entry is for a deed.
func (e Entry) Earned() bool { return e.Gives() == Mint }

// Gains is what the entry adds to what somebody may spend; less than 0 where it takes.
func (e Entry) Gains() int {
	switch {
	case e.Takes() == Purse:
		return e.Points
	case e.Gives() == Purse:
		return -e.Points
	}
	return 0
}

// Become are the entries by which somebody's balance becomes another's, to whom the same
// WeChat belongs from now on; code names the binding.
func Become(was, now workflow.PersonID, have Balance, code string, at time.Time) []Entry {
	var out []Entry
	move := func(points int, left, came Why) {
		if points > 0 {
			out = append(out, Entry{Cause: string(left) + ":" + code, Person: was, Why: left, Points: points, At: at},
				Entry{Cause: string(came) + ":" + code, Person: now, Why: came, Points: points, At: at})
		}
	}
	move(have.Points, Left, Came)
	move(have.Held, HeldLeft, HeldCame)
	return out
}

// Balance is what somebody has: to spend, and held for what they ordered.
type Balance struct {
	Points, Held int
}

// After is the balance after an entry, an error where it cannot be booked: of an
// unknown reason, of nothing, or of more than is there.
func (b Balance) After(e Entry) (Balance, error) {
	if _, known := moves[e.Why]; !known || e.Points <= 0 {
		return b, fmt.Errorf("ledger: no entry: %d points for %q", e.Points, e.Why)
	}
	was := b
	for account, n := range map[Account]int{e.Gives(): -e.Points, e.Takes(): e.Points} {
		switch account {
		case Purse:
			b.Points += n
		case Held:
			b.Held += n
		}
	}
	if b.Points < 0 || b.Held < 0 {
		return was, &workflow.Error{Code: CodeShort}
	}
	return b, nil
}

// What the ledger refuses.
const (
	CodeShort    workflow.Code = "points_short" // fewer points than it costs
	CodeSoldOut  workflow.Code = "sold_out"     // none of the reward is left
	CodeNoReward workflow.Code = "no_reward"    // there is no such reward, or not any more
	CodeNoOrder  workflow.Code = "no_order"     // no reward waits under this code
	CodeWaits    workflow.Code = "order_waits"  // another number of this reward waits for them already: see Order.Nth
)
