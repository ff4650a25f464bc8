package console

import (
	"errors"
	"strconv"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// How much of the ledger a page shows.
const (
	shownEntries = 30
	shownRanks   = 20
)

// pointsPage is what somebody has, what they can have for it, and the board.
type pointsPage struct {
	On      bool // the community gives points
	Rules   workflow.Rewards
	Office  bool
	Year    int
	Purse   ledger.Holding
	Orders  []ledger.Order
	Rewards []ledger.Reward
	Ranks   []ledger.Rank

	Ordered *ledger.Order // just ordered, with its code: shown once
	Code    string
}

// Entries are those of what somebody may spend.
func (p pointsPage) Entries() []ledger.Entry {
	var out []ledger.Entry
	for _, e := range p.Purse.Entries {
		if e.Gains() != 0 {
			out = append(out, e)
		}
	}
	return out
}

// May tells whether they have enough for a reward that is there.
func (p pointsPage) May(r ledger.Reward) bool { return r.May(p.Purse.Balance) == nil }

// points shows who is logged in what they have.
func (c *Console) points(q *request) error { return q.showPoints(nil, "") }

func (q *request) showPoints(ordered *ledger.Order, code string) error {
	journal, local := q.console.o.Desk.Journal(), q.now.In(q.shape.Community.Location())
	page := pointsPage{
		On: q.shape.Community.Rewards.On(), Rules: q.shape.Community.Rewards, Office: ledger.InOffice(q.me), Year: local.Year(), Ordered: ordered, Code: code,
	}
	var errs [4]error
	page.Purse, errs[0] = journal.Purse(q.Context(), q.community(), q.me.ID, shownEntries)
	page.Orders, errs[1] = journal.OrdersOf(q.Context(), q.community(), q.me.ID)
	page.Rewards, errs[2] = journal.Rewards(q.Context(), q.community(), false)
	page.Ranks, errs[3] = journal.Ranked(q.Context(), q.community(), ledger.YearStart(local.Year(), local.Location()).UTC(), shownRanks)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	return q.show("points", page)
}

// orderReward orders a reward. Its code is shown on the answer and never again: the
// same form sent twice shows the same order with another code.
func (c *Console) orderReward(q *request) error {
	id, err := strconv.Atoi(q.PathValue("reward"))
	if err != nil {
		return &workflow.Error{Code: ledger.CodeNoReward}
	}
	once, err := q.once()
	if err != nil {
		return err
	}
	if !q.shape.Community.Rewards.On() {
		return &workflow.Error{Code: ledger.CodeNoReward}
	}
	o, code, err := c.o.Desk.Order(q.Context(), q.community(), q.me.ID, id, 0, once)
	if err != nil {
		return err
	}
	if o.State != ledger.Waits {
		return q.to("", "points")
	}
	return q.showPoints(&o, code)
}

// cancelOrder ends an order of who is logged in that they do not want any more.
func (c *Console) cancelOrder(q *request) error {
	id, err := q.number()
	if err != nil {
		return err
	}
	if err := c.o.Desk.Journal().Cancel(q.Context(), q.community(), id, q.me.ID, q.now); err != nil {
		if workflow.CodeOf(err) == ledger.CodeNoOrder {
			return &fault{Key: "no_order", Stale: true}
		}
		return err
	}
	return q.to("order_cancelled", "points")
}

// rank has who is logged in stand on the board, or not any more.
func (c *Console) rank(q *request) error {
	yes := q.PostFormValue("yes") == "yes"
	if err := c.o.Desk.Journal().Rank(q.Context(), q.community(), q.me.ID, yes); err != nil {
		return err
	}
	return q.to(map[bool]string{true: "ranked", false: "unranked"}[yes], "points")
}

// rewardsPage is the desk at which rewards are fetched, and where they are managed.
type rewardsPage struct {
	Order   *ledger.Order // that was looked for by its code
	Whom    string
	Rewards []ledger.Reward
}

// rewards shows the desk.
func (c *Console) rewards(q *request) error { return q.showRewards(nil) }

func (q *request) showRewards(o *ledger.Order) error {
	page := rewardsPage{Order: o}
	if o != nil {
		who, err := q.console.o.Desk.Journal().Person(q.Context(), q.community(), o.Person)
		if err != nil && workflow.CodeOf(err) != workflow.CodeNotFound {
			return err
		}
		page.Whom = who.Name
	}
	var err error
	if page.Rewards, err = q.console.o.Desk.Journal().Rewards(q.Context(), q.community(), true); err != nil {
		return err
	}
	return q.show("rewards", page)
}

// orderByCode is the order that waits under the code that somebody read out.
func (q *request) orderByCode() (ledger.Order, error) {
	code := ledger.ReadCode(q.words("code"))
	if code == "" {
		return ledger.Order{}, &fault{Field: "code", Key: "code"}
	}
	o, err := q.console.o.Desk.OrderOf(q.Context(), q.community(), code)
	if workflow.CodeOf(err) == ledger.CodeNoOrder {
		return o, &fault{Field: "code", Key: "code"}
	}
	return o, err
}

// lookOrder shows what waits under a code, before it is handed over.
func (c *Console) lookOrder(q *request) error {
	o, err := q.orderByCode()
	if err != nil {
		return err
	}
	q.notes = append(q.notes, "whom "+strconv.FormatInt(int64(o.Person), 10))
	return q.showRewards(&o)
}

// handOver ends an order whose reward was handed over. Nobody hands over to
// themselves.
func (c *Console) handOver(q *request) error {
	o, err := q.orderByCode()
	if err != nil {
		return err
	}
	if o.Person == q.me.ID {
		return &workflow.Error{Code: workflow.CodeNotAllowed, Cause: errors.New("one's own reward")}
	}
	q.notes = append(q.notes, "whom "+strconv.FormatInt(int64(o.Person), 10))
	if err := c.o.Desk.Journal().HandOver(q.Context(), q.community(), o.ID, q.me.ID, q.now); err != nil {
		if workflow.CodeOf(err) == ledger.CodeNoOrder {
			return &fault{Field: "code", Key: "code"}
		}
		return err
	}
	return q.to("handed", "rewards")
}

// whole is a field with a whole number that is not less than 0.
func (q *request) whole(field string) (int, bool) {
	n, err := strconv.Atoi(q.words(field))
	return n, err == nil && n >= 0
}

// addReward offers something new.
func (c *Console) addReward(q *request) error {
	once, err := q.once()
	if err != nil {
		return err
	}
	r := ledger.Reward{Name: q.words("title")}
	var priced, counted bool
	r.Price, priced = q.whole("price")
	r.Stock, counted = q.whole("stock")
	for _, f := range []struct {
		field string
		ok    bool
	}{
		{"title", ledger.Reward{Name: r.Name, Price: 1}.Fits()}, {"price", priced && ledger.Reward{Name: "x", Price: r.Price}.Fits()}, {"stock", counted && r.Stock <= ledger.MostStock},
	} {
		if !f.ok {
			return &fault{Field: f.field, Key: "reward", Have: wording.Values{"Limit": ledger.MostName}}
		}
	}
	if _, err := c.o.Desk.Journal().AddReward(q.Context(), q.community(), once, r); err != nil {
		return err
	}
	return q.to("reward_added", "rewards")
}

// changeReward sets how many are left of a reward, takes it from the list or puts it
// back. Where somebody ordered one meanwhile it is looked at again.
func (c *Console) changeReward(q *request) error {
	id, err := strconv.Atoi(q.PathValue("reward"))
	if err != nil {
		return &workflow.Error{Code: ledger.CodeNoReward}
	}
	was, known := q.whole("was")
	stock, ok := q.whole("stock")
	if !known || !ok || stock > ledger.MostStock {
		return &fault{Field: "stock", Key: "whole_number"}
	}
	now := ledger.Reward{Stock: stock, Ended: q.PostFormValue("ended") == "yes"}
	err = c.o.Desk.Journal().ChangeReward(q.Context(), q.community(), ledger.Reward{ID: id, Stock: was}, now, q.now)
	if errors.Is(err, desk.ErrStale) {
		return &fault{Key: "stock", Stale: true}
	}
	if err != nil {
		return err
	}
	return q.to("changed", "rewards")
}

// Deed is what an entry of the ledger is for, in words.
func (v view) Deed(e ledger.Entry) string {
	return v.Say("points.line", "Deed", string(e.Why), "Points", "", "When", "", "Number", map[bool]int64{true: e.Number}[e.Earned()])
}

// Signed is a change of points as people write it: +3.
func (v view) Signed(n int) string {
	if n > 0 {
		return "+" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// Yuan is a sum of money in yuan.
func (v view) Yuan(fen int64) string { return ledger.Yuan(fen) }

// Today is the day as forms write it.
func (v view) Today() string {
	return v.now.In(v.shape.Community.Location()).Format(time.DateOnly)
}
