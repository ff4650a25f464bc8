package bot

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// How people say what they vote, and how far a topic of theirs reaches; the first
// stands for it in choices.
var (
	choiceWords = map[topic.Choice][]string{
		topic.For: {"赞成", "同意", "支持", "我赞成", "我同意"}, topic.Against: {"反对", "不同意", "不赞成", "我反对", "我不同意"},
		topic.Abstain: {"弃权", "我弃权", "都行", "随便"},
	}
	levelWords = map[topic.Level][]string{
		topic.Building: {"本楼", "本栋", "我们楼"}, topic.Courtyard: {"本院", "我们院"}, topic.Estate: {"本小区", "全小区", "我们小区"},
	}
)

// choiceIn is what a text votes, "" for nothing.
func choiceIn(text string) topic.Choice {
	text = strings.Trim(tidy(text), " ,，。.!！")
	for c, words := range choiceWords {
		if slices.Contains(words, text) {
			return c
		}
	}
	return ""
}

// topic does what somebody says of topics: 「议题」 lists them, 「议题 1030」 shows one,
// 「议题 楼道装声控灯」 proposes one.
func (s *session) topic(ctx context.Context, sp spoken) (string, error) {
	switch {
	case sp.Number != 0:
		return s.showTopic(ctx, sp.Number)
	case sp.Rest == "":
		return s.topics(ctx)
	}
	return s.propose(ctx, sp.Rest)
}

// propose takes a topic around the writer's home, after they said how far it reaches.
func (s *session) propose(ctx context.Context, text string) (string, error) {
	if s.me.Home.Building == 0 {
		s.talk.Pending = pending{Verb: verbHome}
		return s.say("topic_home", nil), nil
	}
	var level topic.Level
	first, rest, _ := strings.Cut(text, " ")
	for l, words := range levelWords {
		if slices.Contains(words, first) {
			level, text = l, strings.TrimSpace(rest)
		}
	}
	if text == "" {
		return s.topics(ctx)
	}
	if level == "" {
		var choices []choice
		for _, l := range topic.Levels {
			if scope, ok := topic.Around(s.shape.Community, s.me.Home, l); ok {
				label := s.say("choice.topic_level."+string(l), Values{"Place": scope.Place(s.shape.Community).String()})
				choices = append(choices, choice{label, "议题 " + levelWords[l][0] + " " + text})
			}
		}
		return s.offer(s.say("topic_level", Values{"Text": wording.Shorten(text, 40)}), choices...), nil
	}
	scope, ok := topic.Around(s.shape.Community, s.me.Home, level)
	if !ok {
		return "", &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("no such level around their home")}
	}
	u, err := s.understand(ctx, text)
	if err != nil {
		return "", err
	}
	t, err := s.w.Propose(ctx, s.me, scope, text, u, 0)
	if err != nil {
		return "", err
	}
	s.look("topic.propose", t.Number)
	return s.say("topic_proposed", s.b.topicWords(s.shape, &t)), nil
}

// topics lists those of where the writer lives, and all that are open for the
// committee.
func (s *session) topics(ctx context.Context) (string, error) {
	const most = 6
	journal := s.b.desk.Journal()
	keys := topic.Keys(s.shape.Community, s.me.Home)
	first, err := journal.VotesIn(ctx, s.in.Community, keys, most) // what waits for them
	if err != nil {
		return "", err
	}
	all, err := journal.TopicsOf(ctx, s.in.Community, keys, s.me.ID, 2*most)
	if s.me.Has(workflow.RoleCommittee) {
		all, err = journal.OpenTopics(ctx, s.in.Community)
	}
	if err != nil {
		return "", err
	}
	var lines []string
	var choices []choice
	listed := map[int64]bool{}
	for _, t := range append(first, all...) {
		if len(lines) == most || listed[t.Number] || !s.sees(&t) {
			continue
		}
		listed[t.Number] = true
		v := s.b.topicWords(s.shape, &t)
		lines = append(lines, s.say("topic_line", v))
		if !t.State.Ended() {
			choices = append(choices, choice{s.say("choice.topic_one", v), "议题 " + strconv.FormatInt(t.Number, 10)})
		}
	}
	return s.offer(s.say("topics", Values{"Lines": strings.Join(lines, "\n"), "NoHome": s.me.Home.Building == 0}), choices...), nil
}

// sees tells whether a topic is the writer's to read: who lives there, once it is taken
// up; who proposed it; the committee.
func (s *session) sees(t *topic.Topic) bool {
	return s.me.Has(workflow.RoleCommittee) || t.Proposer == s.me.ID || t.State != topic.Proposed && t.Scope.Has(s.me.Home)
}

// showTopic shows one topic, with what can be voted.
func (s *session) showTopic(ctx context.Context, number int64) (string, error) {
	t, err := s.b.desk.Journal().Topic(ctx, s.in.Community, number)
	if err != nil {
		return "", err
	}
	if !s.sees(&t) {
		if s.me.Home.Building == 0 {
			s.talk.Pending = pending{Verb: verbHome}
			return s.say("topic_whose", nil), nil
		}
		return "", &workflow.Error{Code: topic.CodeElsewhere, Number: number}
	}
	v, err := s.b.topicFacts(ctx, s.shape, number)
	if err != nil || t.State != topic.Voting {
		return s.say("topic", v), err
	}
	_, _, err = s.w.MayVote(ctx, number, s.me)
	switch code := workflow.CodeOf(err); code {
	case "":
		return s.offer(s.say("topic", v)+"\n"+s.say("topic_vote", v), s.ballotPaper(number)...), nil
	case workflow.CodeBusy:
		return "", err
	case topic.CodeNoRoom:
		s.talk.Pending = pending{Verb: verbHome}
		return s.say("topic", v) + "\n" + s.say("error."+string(code), nil), nil
	case topic.CodeElsewhere: // the committee, or who has moved
		return s.say("topic", v), nil
	default:
		return s.say("topic", v) + "\n" + s.say("error."+string(code), nil), nil
	}
}

// ballotPaper is what can be voted on a topic.
func (s *session) ballotPaper(number int64) []choice {
	var out []choice
	for _, c := range topic.Choices {
		out = append(out, choice{s.say("choice.vote."+string(c), nil), "投票 " + strconv.FormatInt(number, 10) + " " + choiceWords[c][0]})
	}
	return out
}

// vote casts a vote: 「投票 1030 赞成」, or 「赞成」 where one topic waits for it. Of a
// secret vote nothing of the choice is kept with the message, also where it is refused or
// not understood; what was made out of a recording late is asked again, not counted, since
// what was heard would have to be said in a reply that is kept.
func (s *session) vote(ctx context.Context, sp spoken) (string, error) {
	c := choiceIn(sp.Rest)
	if sp.Rest == "" {
		c = choiceIn(strings.TrimRight(s.text(), "0123456789 "))
	}
	s.ballot = "投票" // until it is known that the vote is an open one
	if sp.Number == 0 {
		open, waiting, err := s.votesOpen(ctx)
		switch {
		case err != nil:
			return "", err
		case len(waiting) == 1 && len(open) > 1 && c != "": // they may mean one on which they have voted
			return s.showTopic(ctx, waiting[0].Number)
		case len(waiting) == 1:
			sp.Number = waiting[0].Number
		case len(open) == 1: // they have voted, or cannot
			sp.Number = open[0].Number
		case len(open) == 0 && c != "" && sp.Rest == "":
			s.ballot = ""
			return s.free(ctx, s.text())
		default:
			return s.topics(ctx)
		}
	}
	s.ballot = "投票 " + strconv.FormatInt(sp.Number, 10)
	if c == "" {
		return s.showTopic(ctx, sp.Number)
	}
	t, err := s.w.Vote(ctx, sp.Number, s.me, c)
	switch {
	case t.Number != 0 && !t.Rules.Secret:
		s.ballot = ""
	case s.heard() && err == nil:
		s.w.Change.Votes = nil
		return s.showTopic(ctx, sp.Number)
	}
	var refusal *workflow.Error
	switch code := workflow.CodeOf(err); {
	case code == topic.CodeNoHome, code == topic.CodeNoRoom:
		s.talk.Pending = pending{Verb: verbHome}
		return s.say("error."+string(code), nil), nil
	case errors.As(err, &refusal):
		return s.refused(ctx, refusal), nil
	case err != nil:
		return "", err
	}
	s.look("topic.vote", t.Number)
	v := s.b.topicWords(s.shape, &t)
	if !t.Rules.Secret {
		v["Said"] = s.say("choice.vote."+string(c), nil)
	}
	return s.say("voted", v), nil
}

// How the committee says the rules of a vote: 「20票 7天 不记名 一人一票」.
var (
	saysBy     = regexp.MustCompile(`(?:每|一|\b1)\s*个?\s*([人户])\s*[算投]?\s*[一1]\s*票`)
	saysQuorum = regexp.MustCompile(`([0-9]{1,5})\s*[票户人]`)
	saysDays   = regexp.MustCompile(`([0-9]{1,2})\s*天`)
)

// What a vote is where the committee says nothing else, and at which hour it ends.
const (
	voteDays = 7
	voteEnds = 20
)

// tellTopic does what the committee says of a topic: take it up or not, what the bench
// meeting said, call the vote.
func (s *session) tellTopic(ctx context.Context, sp spoken) (string, error) {
	if sp.Number == 0 {
		return s.free(ctx, s.text())
	}
	cmd := topic.Command{Text: sp.Rest}
	switch sp.Verb {
	case verbOpen:
		cmd.Name = topic.Open
	case verbDrop:
		cmd.Name = topic.Decline
	case verbBench:
		cmd.Name, cmd.Media = topic.Note, s.take()
	case verbBallot:
		cmd.Name = topic.Call
		t, err := s.b.desk.Journal().Topic(ctx, s.in.Community, sp.Number)
		if err != nil {
			return "", err
		}
		cmd.Rules, cmd.Sure = s.rulesIn(&t, sp.Rest), strings.Contains(sp.Rest, saysSure)
	}
	t, err := s.w.TellTopic(ctx, sp.Number, s.me, cmd)
	if workflow.CodeOf(err) == topic.CodeQuorum {
		return s.fewVoters(ctx, &t, cmd.Rules, sp.Rest)
	}
	if err != nil {
		return "", err
	}
	if len(cmd.Media) > 0 {
		var ids []string
		for _, m := range cmd.Media {
			ids = append(ids, m.ID)
		}
		s.w.Change.Attach = append(s.w.Change.Attach, desk.Attach{Number: t.Number, IDs: ids})
	}
	s.look("topic.tell", t.Number)
	return s.say("topic_told."+string(cmd.Name), s.b.topicWords(s.shape, &t)), nil
}

// saysSure says that a vote is to be called as it is.
const saysSure = "就这样"

// fewVoters says that a vote needs more votes than there are voters, and offers half of
// these, where there are any, or the vote as it is.
func (s *session) fewVoters(ctx context.Context, t *topic.Topic, r topic.Rules, said string) (string, error) {
	n, _, err := s.b.desk.Voters(ctx, t, r.By)
	if err != nil {
		return "", err
	}
	call := func(words string) string { return fmt.Sprintf("开始投票 %d %s", t.Number, words) }
	v := Values{"Number": t.Number, "Place": t.Scope.Place(s.shape.Community).String(), "Yes": r.By == topic.Household, "Quorum": r.Quorum, "Count": n}
	choices := []choice{{s.say("choice.quorum_sure", v), call(strings.TrimSpace(said + " " + saysSure))}}
	if half := (n + 1) / 2; half > 0 { // the first number counts
		choices = slices.Insert(choices, 0, choice{s.say("choice.quorum", Values{"Quorum": half}), call(fmt.Sprintf("%d票 %s", half, said))})
	}
	return s.offer(s.say("topic_quorum", v), choices...), nil
}

// rulesIn are the rules of a vote as somebody says them.
func (s *session) rulesIn(t *topic.Topic, text string) topic.Rules {
	r := topic.Rules{By: topic.Household, Quorum: max(1, (t.Scope.Households(s.shape.Community)+1)/2)}
	for _, each := range saysBy.FindAllStringSubmatch(text, -1) {
		if each[1] == "人" {
			r.By = topic.Person
		}
	}
	text = saysBy.ReplaceAllString(text, " ") // 「1人1票」 is no quorum
	r.Secret = strings.Contains(text, "不记名") || strings.Contains(text, "无记名")
	days := voteDays
	if m := saysQuorum.FindStringSubmatch(text); m != nil {
		r.Quorum, _ = strconv.Atoi(m[1])
	}
	if m := saysDays.FindStringSubmatch(text); m != nil {
		days, _ = strconv.Atoi(m[1])
	}
	local := s.now.In(s.shape.Community.Location())
	r.Until = time.Date(local.Year(), local.Month(), local.Day()+days, voteEnds, 0, 0, 0, local.Location()).UTC()
	return r
}

// votesOpen are the topics of where the writer lives on which people vote now, and those
// of them that wait for the writer's vote.
func (s *session) votesOpen(ctx context.Context) (open, waiting []topic.Topic, err error) {
	keys := topic.Keys(s.shape.Community, s.me.Home)
	if len(keys) == 0 {
		return nil, nil, nil
	}
	open, err = s.b.desk.Journal().VotesIn(ctx, s.in.Community, keys, 20)
	for _, t := range open {
		if _, _, err := s.w.MayVote(ctx, t.Number, s.me); err == nil {
			waiting = append(waiting, t)
		} else if workflow.CodeOf(err) == workflow.CodeBusy {
			return nil, nil, err
		}
	}
	return open, waiting, err
}

// openVote shows the one topic that waits for the writer's vote, where they answered its
// push by a number: what the number means is shown before it counts.
func (s *session) openVote(ctx context.Context) (string, bool, error) {
	_, waiting, err := s.votesOpen(ctx)
	if err != nil || len(waiting) != 1 {
		return "", false, err
	}
	reply, err := s.showTopic(ctx, waiting[0].Number)
	return reply, true, err
}

// numbered shows what has a number: a matter, else a topic.
func (s *session) numbered(ctx context.Context, n int64) (string, error) {
	reply, err := s.show(ctx, n)
	if workflow.CodeOf(err) != workflow.CodeNotFound {
		return reply, err
	}
	if t, terr := s.showTopic(ctx, n); workflow.CodeOf(terr) != workflow.CodeNotFound {
		return t, terr
	}
	return reply, err
}

// look notes in the audit log what the writer did with a topic, not how they voted.
func (s *session) look(action string, number int64) {
	s.w.Change.Looks = append(s.w.Change.Looks, access.Entry{At: s.now, Person: s.me.ID, Action: action, Number: number, Object: "chat"})
}

// topicWords are the words for a topic.
func (b *Bot) topicWords(shape desk.Shape, t *topic.Topic) Values {
	voice := b.voice(shape)
	v := Values{
		"Number": t.Number, "State": string(t.State), "StateLabel": voice.Say("topic_state."+t.Label(), nil),
		"Text": wording.Shorten(wording.FirstLine(t.Text), 60), "Full": t.Text, "Place": t.Scope.Place(shape.Community).String(),
		"What": voice.Say("topic_what", nil), "Until": voice.When(t.Rules.Until, b.desk.Now()), "Secret": t.Rules.Secret,
		"Yes": t.Rules.By == topic.Household, "Quorum": t.Rules.Quorum, "Why": t.Why, "Said": "",
	}
	if n := len(t.Notes); n > 0 {
		v["Said"] = wording.Shorten(t.Notes[n-1].Text, 200)
	}
	return v
}

// topicFacts are the words for a topic as the record has it, with what its vote came
// to.
func (b *Bot) topicFacts(ctx context.Context, shape desk.Shape, number int64) (Values, error) {
	t, err := b.desk.Journal().Topic(ctx, shape.Community.Code, number)
	if err != nil {
		return nil, err
	}
	v := b.topicWords(shape, &t)
	r, _, err := b.desk.Journal().TopicResult(ctx, shape.Community.Code, number)
	v["For"], v["Against"], v["Abstain"], v["Count"], v["Into"] = r.For, r.Against, r.Abstain, r.Votes(), r.Ticket
	return v, err
}
