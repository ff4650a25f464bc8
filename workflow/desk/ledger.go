package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// ErrCodeTaken means that another order waits under the same code.
var ErrCodeTaken = errors.New("desk: the code is taken")

// Ledger is what the record has of points, rewards and the community's fund. What is
// earned, and a line of the fund, comes with a Change. Each of the others that
// changes something is one transaction, and does nothing the second time.
type Ledger interface {
	// Purse is what somebody has, with their last entries, the newest first.
	Purse(ctx context.Context, community string, person workflow.PersonID, entries int) (ledger.Holding, error)
	// Rank notes whether somebody stands on the board; Ranked are those who do, with
	// what they earned since a moment, the most first.
	Rank(ctx context.Context, community string, person workflow.PersonID, yes bool) error
	Ranked(ctx context.Context, community string, since time.Time, limit int) ([]ledger.Rank, error)

	// Rewards are what can be ordered, by number; all also those that ended.
	Rewards(ctx context.Context, community string, all bool) ([]ledger.Reward, error)
	// AddReward gives a new reward its number; the same cause is one reward.
	AddReward(ctx context.Context, community, cause string, r ledger.Reward) (id int, err error)
	// ChangeReward sets stock and end of one whose stock is still as it was seen, else
	// ErrStale.
	ChangeReward(ctx context.Context, community string, seen, now ledger.Reward, at time.Time) error

	// Order holds the points and one of the stock, or refuses with a *workflow.Error
	// (ledger.CodeShort, CodeSoldOut, CodeNoReward, CodeWaits), or with ErrCodeTaken.
	// The same cause again is the same order, under the new code.
	Order(ctx context.Context, community string, o ledger.Order) (ledger.Order, error)
	// OrdersOf are somebody's orders that wait, the newest first; OrderOf the one that
	// waits under a code, a *workflow.Error with ledger.CodeNoOrder where none does.
	OrdersOf(ctx context.Context, community string, person workflow.PersonID) ([]ledger.Order, error)
	OrderOf(ctx context.Context, community string, hash []byte, now time.Time) (ledger.Order, error)
	// HandOver ends an order that waits, a *workflow.Error with ledger.CodeNoOrder
	// where it does not.
	HandOver(ctx context.Context, community string, id int64, by workflow.PersonID, now time.Time) error
	// Cancel ends somebody's order that waits and gives back what it held, a
	// *workflow.Error with ledger.CodeNoOrder where it does not wait.
	Cancel(ctx context.Context, community string, id int64, person workflow.PersonID, now time.Time) error
	// GiveBack ends orders that nobody came for, and gives back what they held; what tell
	// makes of them is owed by the same transaction.
	GiveBack(ctx context.Context, community string, now time.Time, limit int, tell func([]ledger.Order) []Push) (int, error)

	// Unwarned are some who have points and were not told of a year's end; Warned
	// notes that they were.
	Unwarned(ctx context.Context, community string, year, limit int) (map[workflow.PersonID]int, error)
	Warned(ctx context.Context, community string, year int, people []workflow.PersonID) error
	// EndYear takes what is left of a year's points, which ended at a moment; it
	// reports how many people it looked at.
	EndYear(ctx context.Context, community string, year int, ended time.Time, limit int) (int, error)

	// Fund are the lines of the fund's board, the newest first, from before a line on
	// (0 = from the newest); FundLine is one of them, FundSums what came in and went
	// out under each item in a year, or in all (0).
	Fund(ctx context.Context, community string, before int64, limit int) ([]ledger.Line, error)
	FundLine(ctx context.Context, community string, id int64) (ledger.Line, error)
	FundSums(ctx context.Context, community string, year int) ([]ledger.Sum, error)
}

// earn books what the work earns residents: it is committed with it.
func (w *Work) earn() {
	rules := w.Shape.Community.Rewards
	if w.Change.Earned = nil; !rules.On() {
		return
	}
	for i := range w.Change.Tickets {
		tc := &w.Change.Tickets[i]
		for j := range tc.Events {
			w.Change.Earned = append(w.Change.Earned, ledger.Earned(rules, w.Shape.Roster, &tc.Ticket, &tc.Events[j])...)
		}
	}
	for _, r := range w.Change.Rounds {
		if e, ok := ledger.Patrolled(rules, w.Shape.Roster.ByID(r.By), r, w.Shape.Community.Location()); ok {
			w.Change.Earned = append(w.Change.Earned, e)
		}
	}
}

// codeTries is how often a code is made anew that another order has.
const codeTries = 8

// Order orders a reward for somebody and gives the code by which it is fetched, which
// is kept nowhere. cause is the message or form that asked for it: asked again, it is
// the same order under another code. nth is how many of the reward are to wait for them
// then, 0 for any: what another tap ordered already is refused (ledger.CodeWaits).
func (d *Desk) Order(ctx context.Context, community string, person workflow.PersonID, reward, nth int, cause string) (o ledger.Order, code string, err error) {
	shape, ok := d.Shape(community)
	if !ok {
		return o, "", &workflow.Error{Code: workflow.CodeNotFound, Cause: fmt.Errorf("community %q is not loaded", community)}
	}
	now := d.Now()
	for range codeTries {
		code = ledger.NewCode()
		o, err = d.journal.Order(ctx, community, ledger.Order{
			Cause: cause, Person: person, Reward: ledger.Reward{ID: reward}, Nth: nth, Hash: d.hash(community, code), State: ledger.Waits,
			MadeAt: now, Until: now.AddDate(0, 0, shape.Community.Rewards.CodeDays),
		})
		if !errors.Is(err, ErrCodeTaken) {
			break
		}
	}
	return o, code, err
}

// hash is what is kept of a reward's code. A hash without a secret would not hide six
// digits from who sees the table.
func (d *Desk) hash(community, code string) []byte {
	return access.Keyed(d.secret(community), "reward "+code)
}

// OrderOf is the order that waits under a code, a *workflow.Error with
// ledger.CodeNoOrder where none does.
func (d *Desk) OrderOf(ctx context.Context, community, code string) (ledger.Order, error) {
	o, err := d.journal.OrderOf(ctx, community, d.hash(community, code), d.Now())
	if workflow.CodeOf(err) == ledger.CodeNoOrder { // ordered before codes were hashed with a secret: these end by themselves
		o, err = d.journal.OrderOf(ctx, community, access.Hash(code), d.Now())
	}
	return o, err
}

// How many are done in one transaction, and from when in the day on people are told.
const (
	bookBatch  = 100
	noticeHour = 9
)

// Books does what the ledger does by itself: it gives back what nobody fetched and says
// so, tells people what will lapse at the year's end, and lets it lapse then. It may be called at
// any time, by any replica, again and again.
func (d *Desk) Books(ctx context.Context, community string) error {
	shape, ok := d.Shape(community)
	if !ok {
		return nil
	}
	now := d.Now()
	local := now.In(shape.Community.Location())
	until := func(some func() (int, error)) error {
		for {
			if n, err := some(); err != nil || n < bookBatch {
				return err
			}
		}
	}
	if err := until(func() (int, error) { return d.giveBack(ctx, community, now) }); err != nil {
		return fmt.Errorf("desk: orders that nobody fetched: %w", err)
	}
	begun := ledger.YearStart(local.Year(), local.Location())
	if err := until(func() (int, error) {
		return d.journal.EndYear(ctx, community, local.Year()-1, begun.UTC(), bookBatch)
	}); err != nil {
		return fmt.Errorf("desk: a year's end: %w", err)
	}
	year := ledger.Ending(local)
	if year == 0 || local.Hour() < noticeHour {
		return nil
	}
	return until(func() (int, error) { return d.warn(ctx, community, year) })
}

// giveBack gives back some of what nobody fetched, and tells whose it was.
func (d *Desk) giveBack(ctx context.Context, community string, now time.Time) (int, error) {
	w, err := d.Begin(community, false)
	if err != nil {
		return 0, err
	}
	n, err := d.journal.GiveBack(ctx, community, now, bookBatch, func(all []ledger.Order) []Push {
		w.Change.Pushes = nil // of a try before this
		for _, o := range all {
			w.Owe(fmt.Sprintf("order:%d:back", o.ID), o.Person, workflow.TellBack, Facts{Said: o.Reward.Name, Points: o.Points})
		}
		return w.Change.Pushes
	})
	if err == nil && n > 0 {
		w.spread(ctx)
	}
	return n, err
}

// warn tells some people what of theirs will lapse at a year's end.
func (d *Desk) warn(ctx context.Context, community string, year int) (int, error) {
	have, err := d.journal.Unwarned(ctx, community, year, bookBatch)
	if err != nil || len(have) == 0 {
		return 0, err
	}
	w, err := d.Begin(community, false)
	if err != nil {
		return 0, err
	}
	var people []workflow.PersonID
	for person, points := range have {
		people = append(people, person)
		w.Owe(fmt.Sprintf("points:%d:%d", year, person), person, workflow.TellLapse, Facts{Points: points})
	}
	if err := w.Commit(ctx); err != nil { // each push has its key: owed once
		return 0, err
	}
	return len(have), d.journal.Warned(ctx, community, year, people)
}
