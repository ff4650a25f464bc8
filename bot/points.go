package bot

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// How much of the ledger one reply tells.
const (
	toldEntries = 5
	toldRanks   = 10
	toldLines   = 3
)

// rewardNumber is the number of a reward as people write it behind 「兑换」; a choice says
// besides how many of it are to wait for them then: 「兑换 3 第2份」.
var rewardNumber = regexp.MustCompile(`^(?:第)?([0-9]{1,3})(?:号|个)?(?: ?第([0-9]{1,2})份)?[。.!！吧]*$`)

// nthOf is the reward that a text names, and which of those that wait; ok is false where
// it names none.
func nthOf(text string) (reward, nth int, ok bool) {
	m := rewardNumber.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, false
	}
	reward, _ = strconv.Atoi(m[1])
	if nth = 1; m[2] != "" {
		nth, _ = strconv.Atoi(m[2])
	}
	return reward, nth, true
}

// nthText names the n-th of a reward, as nthOf reads it.
func nthText(reward, nth int) string {
	if nth == 1 {
		return strconv.Itoa(reward)
	}
	return fmt.Sprintf("%d 第%d份", reward, nth)
}

// ledger answers what somebody says of points, rewards and the community's fund.
func (s *session) ledger(ctx context.Context, sp spoken) (string, error) {
	if sp.Verb == verbFund {
		return s.fund(ctx)
	}
	if !s.shape.Community.Rewards.On() {
		return s.say("points.none", nil), nil
	}
	switch sp.Verb {
	case verbPoints:
		return s.points(ctx)
	case verbRewards:
		if n, nth, ok := nthOf(sp.Rest); ok {
			return s.order(ctx, n, nth)
		}
		return s.rewards(ctx, "")
	case verbUnorder:
		return s.unorder(ctx, sp.Rest)
	}
	return s.board(ctx, sp.Verb)
}

// points says what the writer has, and where it came from.
func (s *session) points(ctx context.Context) (string, error) {
	p, err := s.b.desk.Journal().Purse(ctx, s.in.Community, s.me.ID, toldEntries)
	if err != nil {
		return "", err
	}
	orders, err := s.b.desk.Journal().OrdersOf(ctx, s.in.Community, s.me.ID)
	if err != nil {
		return "", err
	}
	var lines, waiting []string
	for _, e := range p.Entries {
		if e.Gains() != 0 {
			lines = append(lines, s.say("points.line", s.entry(e)))
		}
	}
	for _, o := range orders {
		waiting = append(waiting, s.say("points.waits", Values{"Name": o.Reward.Name, "Points": o.Points, "Until": s.voice().When(o.Until, s.now)}))
	}
	c := s.shape.Community.Rewards
	reply := s.say("points.have", Values{
		"Points": p.Points, "Lines": strings.Join(lines, "\n"), "Orders": strings.Join(waiting, "\n"), "Year": s.now.In(s.shape.Community.Location()).Year(),
		"ForWish": c.Wish, "ForHelp": c.Help, "ForPatrol": c.Patrol, "ForReport": c.Report, "Office": ledger.InOffice(s.me),
	})
	board := choice{s.say("choice.rank", nil), "上榜"}
	if p.Ranked {
		board = choice{s.say("choice.unrank", nil), "下榜"}
	}
	return s.offer(reply, choice{s.say("choice.rewards", nil), "兑换"}, choice{s.say("choice.board", nil), "积分榜"}, board), nil
}

// entry is an entry of the ledger in values.
func (s *session) entry(e ledger.Entry) Values {
	v := Values{"When": s.voice().When(e.At, s.now), "Deed": string(e.Why), "Points": fmt.Sprintf("%+d", e.Gains())}
	if e.Earned() && e.Number != 0 {
		v["Number"] = e.Number
	}
	return v
}

// rewards lists what points are spent on; said is what was to be told before.
func (s *session) rewards(ctx context.Context, said string) (string, error) {
	p, err := s.b.desk.Journal().Purse(ctx, s.in.Community, s.me.ID, 0)
	if err != nil {
		return "", err
	}
	all, err := s.b.desk.Journal().Rewards(ctx, s.in.Community, false)
	if err != nil {
		return "", err
	}
	var lines []string
	var choices []choice
	for _, r := range all {
		lines = append(lines, s.say("points.reward", Values{"Number": r.ID, "Name": r.Name, "Points": r.Price, "Count": r.Stock}))
		if r.May(p.Balance) == nil && len(choices) < 5 {
			choices = append(choices, choice{s.say("choice.order", Values{"Name": r.Name}), "兑换 " + strconv.Itoa(r.ID)})
		}
	}
	reply := s.say("points.rewards", Values{"Points": p.Points, "Lines": strings.Join(lines, "\n"), "Can": len(choices) > 0})
	if said != "" {
		reply = said + "\n" + reply
	}
	return s.offer(reply, choices...), nil
}

// order orders a reward, of which nth are to wait for the writer then: of two taps the
// second is asked whether they want another one. The code is said here and nowhere else.
func (s *session) order(ctx context.Context, reward, nth int) (string, error) {
	if s.w.Change.NewPerson != nil { // who writes for the first time has nothing yet
		return s.rewards(ctx, s.say("points.refused", Values{"Code": string(ledger.CodeShort)}))
	}
	o, code, err := s.b.desk.Order(ctx, s.in.Community, s.me.ID, reward, nth, "chat:"+s.in.Delivery)
	switch refusal := workflow.CodeOf(err); refusal {
	case "":
	case ledger.CodeWaits:
		return s.orderedBefore(ctx, reward, nth)
	case ledger.CodeShort, ledger.CodeSoldOut, ledger.CodeNoReward:
		return s.rewards(ctx, s.say("points.refused", Values{"Code": string(refusal)}))
	default:
		return "", err
	}
	s.tappedAgain(s.orderChoice(o.Reward, nth))
	return s.say("points.ordered", Values{"Name": o.Reward.Name, "Points": o.Points, "Code": code[:3] + " " + code[3:], "Until": s.voice().When(o.Until, s.now)}), nil
}

// orderChoice orders the n-th of a reward.
func (s *session) orderChoice(r ledger.Reward, nth int) choice {
	v := Values{"Name": r.Name, "Count": nth}
	if nth == 1 {
		return choice{s.say("choice.order", v), "兑换 " + nthText(r.ID, nth)}
	}
	return choice{s.say("choice.order_again", v), "兑换 " + nthText(r.ID, nth)}
}

// tappedAgain has a choice that was taken still mean the same for a second tap on it.
func (s *session) tappedAgain(c choice) {
	s.talk.Choices, s.talk.Offered = append(s.talk.Choices, c), s.now
}

// orderedBefore says that some of a reward wait for the writer already, and offers
// another one and to cancel the last.
func (s *session) orderedBefore(ctx context.Context, reward, nth int) (string, error) {
	all, err := s.orders(ctx, reward)
	if err != nil || len(all) == 0 { // fetched, or back, at this moment
		return s.say("points.no_order", nil), err
	}
	v := Values{"Name": all[0].Reward.Name, "Count": len(all), "Until": s.voice().When(all[0].Until, s.now)}
	reply := s.offer(s.say("points.waiting", v), s.orderChoice(all[0].Reward, len(all)+1), choice{s.say("choice.unorder", v), "取消兑换 " + nthText(reward, len(all))})
	s.tappedAgain(s.orderChoice(all[0].Reward, nth))
	return reply, nil
}

// orders are the writer's orders that wait, the newest first: of one reward, or of all
// (0).
func (s *session) orders(ctx context.Context, reward int) ([]ledger.Order, error) {
	all, err := s.b.desk.Journal().OrdersOf(ctx, s.in.Community, s.me.ID)
	return slices.DeleteFunc(all, func(o ledger.Order) bool { return reward != 0 && o.Reward.ID != reward }), err
}

// unorder cancels the last order of a reward that the text names, where so many wait as
// it says; else it asks which.
func (s *session) unorder(ctx context.Context, text string) (string, error) {
	all, err := s.orders(ctx, 0)
	if err != nil {
		return "", err
	}
	count, last := map[int]int{}, map[int]ledger.Order{}
	for _, o := range slices.Backward(all) {
		count[o.Reward.ID]++
		last[o.Reward.ID] = o
	}
	reward, nth, ok := nthOf(text)
	if len(all) == 0 || ok && count[reward] < nth { // a second tap, or the same message again: it must not end another
		return s.say("points.no_order", nil), nil
	}
	if ok && count[reward] == nth {
		o := last[reward]
		switch err := s.b.desk.Journal().Cancel(ctx, s.in.Community, o.ID, s.me.ID, s.now); workflow.CodeOf(err) {
		case "":
			return s.say("points.cancelled", Values{"Name": o.Reward.Name, "Points": o.Points}), nil
		case ledger.CodeNoOrder:
			return s.say("points.no_order", nil), nil
		default:
			return "", err
		}
	}
	var choices []choice
	for _, id := range slices.Sorted(maps.Keys(last)) {
		choices = append(choices, choice{s.say("choice.unorder", Values{"Name": last[id].Reward.Name}), "取消兑换 " + nthText(id, count[id])})
	}
	return s.offer(s.say("points.cancel_which", nil), choices[:min(len(choices), 5)]...), nil
}

// board shows who agreed to be shown with what they earned this year, and has the
// writer stand on it or not.
func (s *session) board(ctx context.Context, v verb) (string, error) {
	said := ""
	if v != verbBoard {
		yes := v == verbRanked
		if s.w.Change.NewPerson == nil {
			if err := s.b.desk.Journal().Rank(ctx, s.in.Community, s.me.ID, yes); err != nil {
				return "", err
			}
		}
		if yes && s.me.Name == "" {
			s.talk.Pending = pending{Verb: verbContact}
			return s.say("points.ranked_name", nil), nil
		}
		said = s.say("points.ranked", Values{"Yes": yes}) + "\n"
	}
	zone := s.shape.Community.Location()
	all, err := s.b.desk.Journal().Ranked(ctx, s.in.Community, ledger.YearStart(s.now.In(zone).Year(), zone).UTC(), toldRanks)
	if err != nil {
		return "", err
	}
	var lines []string
	for i, r := range all {
		lines = append(lines, s.say("points.rank", Values{"Number": i + 1, "Name": r.Name, "Points": r.Points}))
	}
	return said + s.say("points.board", Values{"Lines": strings.Join(lines, "\n")}), nil
}

// fund says how the community's fund stands, and its last lines.
func (s *session) fund(ctx context.Context) (string, error) {
	sums, err := s.b.desk.Journal().FundSums(ctx, s.in.Community, 0)
	if err != nil {
		return "", err
	}
	last, err := s.b.desk.Journal().Fund(ctx, s.in.Community, 0, toldLines)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, l := range last {
		words := strings.TrimFunc(l.Words, unicode.IsSpace)
		lines = append(lines, s.say("fund.line", Values{"Date": l.On, "Item": l.Item, "Text": words, "Sum": ledger.Yuan(l.Fen), "Struck": l.Struck != 0, "Strikes": l.Strikes}))
	}
	all := ledger.Total(sums)
	return s.say("fund.stands", Values{"In": ledger.Yuan(all.In), "Out": ledger.Yuan(all.Out), "Sum": ledger.Yuan(all.In - all.Out), "Lines": strings.Join(lines, "\n")}), nil
}
