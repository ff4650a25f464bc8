package bot

import (
	"context"
	"fmt"
	"regexp"
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

// rewardNumber is the number of a reward as people write it behind 「兑换」.
var rewardNumber = regexp.MustCompile(`^(?:第)?([0-9]{1,3})(?:号|个)?[。.!！吧]*$`)

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
		if m := rewardNumber.FindStringSubmatch(sp.Rest); m != nil {
			n, _ := strconv.Atoi(m[1])
			return s.order(ctx, n)
		}
		return s.rewards(ctx, "")
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

// order orders a reward; its code is said here and nowhere else.
func (s *session) order(ctx context.Context, reward int) (string, error) {
	if s.w.Change.NewPerson != nil { // who writes for the first time has nothing yet
		return s.rewards(ctx, s.say("points.refused", Values{"Code": string(ledger.CodeShort)}))
	}
	o, code, err := s.b.desk.Order(ctx, s.in.Community, s.me.ID, reward, "chat:"+s.in.Delivery)
	switch refusal := workflow.CodeOf(err); refusal {
	case "":
	case ledger.CodeShort, ledger.CodeSoldOut, ledger.CodeNoReward:
		return s.rewards(ctx, s.say("points.refused", Values{"Code": string(refusal)}))
	default:
		return "", err
	}
	return s.say("points.ordered", Values{"Name": o.Reward.Name, "Points": o.Points, "Code": code[:3] + " " + code[3:], "Until": s.voice().When(o.Until, s.now)}), nil
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
