package console

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// topicLine is one topic in a list.
type topicLine struct {
	topic.Topic
	Where      string
	StateLabel string
}

// hotSpot is a spot with the same trouble again and again, which could be a topic.
type hotSpot struct {
	digest.Hot
	What, Where string
}

// topicLevel is how far a topic of who is logged in may reach.
type topicLevel struct {
	Level topic.Level
	Where string
}

// topicsPage are the topics where somebody lives, and for the committee all of them.
type topicsPage struct {
	Proposed, Open, Ended []topicLine
	Levels                []topicLevel
	Hot                   []hotSpot
}

// mostTopics is how many topics a page lists.
const mostTopics = 60

// topics lists topics: to residents those of where they live and their own.
func (c *Console) topics(q *request) error {
	var page topicsPage
	journal := c.o.Desk.Journal()
	all, err := journal.TopicsOf(q.Context(), q.community(), topic.Keys(q.shape.Community, q.me.Home), q.me.ID, mostTopics)
	if committee.holds(q.me) {
		all, err = journal.Topics(q.Context(), q.community(), mostTopics)
	}
	if err != nil {
		return err
	}
	open, err := journal.OpenTopics(q.Context(), q.community())
	if err != nil {
		return err
	}
	for _, t := range open { // one's own of before a move, and old ones that the committee has not taken up
		if !slices.ContainsFunc(all, func(o topic.Topic) bool { return o.Number == t.Number }) {
			all = append(all, t)
		}
	}
	for _, t := range all {
		if !q.sees(&t) {
			continue
		}
		line := q.topicLine(t)
		switch {
		case t.State.Ended():
			page.Ended = append(page.Ended, line)
		case t.State == topic.Proposed:
			page.Proposed = append(page.Proposed, line)
		default:
			page.Open = append(page.Open, line)
		}
	}
	for _, l := range topic.Levels {
		if s, ok := topic.Around(q.shape.Community, q.me.Home, l); ok {
			page.Levels = append(page.Levels, topicLevel{l, s.Place(q.shape.Community).String()})
		}
	}
	if committee.holds(q.me) {
		if page.Hot, err = q.hotSpots(all); err != nil {
			return err
		}
	}
	return q.show("topics", page)
}

// hotSpots are those of the last digest of which there is no open topic.
func (q *request) hotSpots(all []topic.Topic) ([]hotSpot, error) {
	week := digest.WeekOf(q.now.AddDate(0, 0, 7), q.shape.Community.Location())
	last, err := q.console.o.Desk.Journal().LastDigests(q.Context(), q.community(), week, 1)
	if err != nil || len(last) == 0 {
		return nil, err
	}
	var out []hotSpot
	for _, h := range last[0].HotSpots {
		taken := func(t topic.Topic) bool {
			return !t.State.Ended() && t.Category == h.Category && t.Scope.Has(workflow.Place{Estate: h.Estate, Building: h.Building})
		}
		if h.Building != 0 && !slices.ContainsFunc(all, taken) {
			out = append(out, hotSpot{h, q.voice().Taxonomy.Label(h.Category), workflow.Place{Estate: h.Estate, Building: h.Building}.String()})
		}
	}
	return out, nil
}

func (q *request) topicLine(t topic.Topic) topicLine {
	return topicLine{t, t.Scope.Place(q.shape.Community).String(), q.voice().Say("topic_state."+t.Label(), nil)}
}

// sees tells whether a topic is theirs to read: who lives there, once it is taken up;
// who proposed it; the committee.
func (q *request) sees(t *topic.Topic) bool {
	return committee.holds(q.me) || t.Proposer == q.me.ID || t.State != topic.Proposed && t.Scope.Has(q.me.Home)
}

// propose takes a topic: a resident's around their home; the committee's where they
// say.
func (c *Console) propose(q *request) error {
	home, level := q.me.Home, topic.Level(q.PostFormValue("level"))
	if committee.holds(q.me) && q.PostFormValue("estate") != "" {
		home = workflow.Place{Estate: q.PostFormValue("estate"), Building: 1}
		if q.words("building") != "" || level != topic.Estate {
			n, err := q.wholeNumber("building")
			if err != nil {
				return err
			}
			home.Building = n
		}
	}
	scope, ok := topic.Around(q.shape.Community, home, level)
	switch {
	case home.Building == 0 && home.Estate == "":
		return &workflow.Error{Code: topic.CodeNoHome, Cause: errors.New("no home")}
	case !ok:
		return &fault{Field: "level", Key: "choose"}
	}
	text := q.words("words")
	if text == "" {
		return &workflow.Error{Code: workflow.CodeNeedsText}
	}
	u, err := c.o.Understander.Understand(q.Context(), q.shape.Community, workflow.Words{Text: text})
	if err != nil {
		return err
	}
	hot := 0
	if committee.holds(q.me) && q.PostFormValue("category") != "" { // from a hot spot
		hot, _ = strconv.Atoi(q.PostFormValue("times"))
		u.Kind, u.Category = workflow.Incident, workflow.Category(q.PostFormValue("category"))
		if q.voice().Taxonomy.KindOf(u.Category) != workflow.Incident {
			return &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("no category of incidents")}
		}
	}
	return q.work(func(w *deskWork) (string, error) {
		t, err := w.Propose(q.Context(), q.me, scope, text, u, hot)
		return q.address("topic.proposed", "topics", t.Number), err
	})
}

// ballot is one choice, with how often it was chosen.
type ballot struct {
	Choice topic.Choice
	Label  string
	Votes  int
}

// topicPage is one topic.
type topicPage struct {
	topicLine
	Ballots []ballot // to vote with
	WhyNot  string   // they may not vote, in words
	Result  *topic.Result
	Counted []ballot    // the result, or how an open vote stands; of a secret one nothing before its end
	Voters  []voterLine // for the committee
	Voted   int

	// With which the form for a vote begins.
	Households, People, Half int
	Sure                     bool // they are asked whether they are sure of so many votes
}

// voterLine is who voted, and what, where that is open.
type voterLine struct {
	Voter, Choice string
}

// topic shows one topic.
func (c *Console) topic(q *request) error {
	number, err := q.number()
	if err != nil {
		return err
	}
	journal := c.o.Desk.Journal()
	t, err := journal.Topic(q.Context(), q.community(), number)
	if err != nil {
		return err
	}
	if !q.sees(&t) {
		return &workflow.Error{Code: workflow.CodeNotFound, Number: number, Cause: errors.New("a topic of elsewhere")}
	}
	page := topicPage{topicLine: q.topicLine(t)}
	page.Households = t.Scope.Households(q.shape.Community)
	page.Half = max(1, (page.Households+1)/2)
	if ref := refusedOf(q.Context()); ref != nil && ref.field == "quorum" {
		n, err := strconv.Atoi(strings.TrimSpace(ref.typed.Get("quorum")))
		page.Sure = err == nil && n > 0
	}
	switch {
	case t.State == topic.Talked:
		if page.People, _, err = c.o.Desk.Voters(q.Context(), &t, topic.Person); err != nil {
			return err
		}
	case t.State == topic.Voting:
		if err := q.ballots(&page); err != nil {
			return err
		}
	case t.State.Ended():
		r, ok, err := journal.TopicResult(q.Context(), q.community(), number)
		if err != nil {
			return err
		}
		if ok {
			page.Result = &r
			page.Counted = q.counted(topic.Tally{topic.For: r.For, topic.Against: r.Against, topic.Abstain: r.Abstain})
		}
	}
	if !t.Rules.Until.IsZero() {
		voters, err := journal.Voters(q.Context(), q.community(), number)
		if err != nil {
			return err
		}
		if page.Voted = len(voters); t.State == topic.Voting && !t.Rules.Secret {
			soFar := topic.Tally{}
			for _, v := range voters {
				soFar[v.Choice]++
			}
			page.Counted = q.counted(soFar)
		}
		if committee.holds(q.me) {
			for _, v := range voters {
				page.Voters = append(page.Voters, q.voterLine(&t, v))
			}
		}
	}
	return q.show("topic", page)
}

// counted is how often each choice was chosen.
func (q *request) counted(tally topic.Tally) []ballot {
	var out []ballot
	for _, choice := range topic.Choices {
		out = append(out, q.ballot(choice, tally[choice]))
	}
	return out
}

func (q *request) ballot(c topic.Choice, n int) ballot {
	return ballot{c, q.voice().Say("choice.vote."+string(c), nil), n}
}

// ballots are what who is logged in may vote, or why they may not.
func (q *request) ballots(page *topicPage) error {
	w, err := q.console.o.Desk.Begin(q.community(), true)
	if err != nil {
		return err
	}
	_, _, err = w.MayVote(q.Context(), page.Number, q.me)
	switch code := workflow.CodeOf(err); code {
	case "":
		for _, choice := range topic.Choices {
			page.Ballots = append(page.Ballots, q.ballot(choice, 0))
		}
	case workflow.CodeBusy:
		return err
	case topic.CodeElsewhere, topic.CodeNoHome:
		if committee.holds(q.me) { // who only looks after it is not asked where they live
			return nil
		}
		page.WhyNot = q.refusalIn(string(code))
	default:
		page.WhyNot = q.refusalIn(string(code))
	}
	return nil
}

// voterLine says who voted; what, only of an open vote that has ended.
func (q *request) voterLine(t *topic.Topic, v topic.Voted) voterLine {
	line := voterLine{Voter: v.Voter}
	if t.Rules.By == topic.Person {
		line.Voter = q.nameOf(v.Person)
	}
	if v.Choice != "" && t.State.Ended() {
		line.Choice = q.ballot(v.Choice, 0).Label
	}
	return line
}

// vote casts the vote of who is logged in.
func (c *Console) vote(q *request) error {
	number, err := q.number()
	if err != nil {
		return err
	}
	choice := topic.Choice(q.PostFormValue("choice"))
	if !slices.Contains(topic.Choices, choice) {
		return &fault{Field: "choice", Key: "choose"}
	}
	return q.work(func(w *deskWork) (string, error) {
		_, err := w.Vote(q.Context(), number, q.me, choice)
		return q.address("topic.voted", "topics", number), err
	})
}

// voteEnds is at which hour of its last day a vote ends.
const voteEnds = 20

// tellTopic gives the committee's command to a topic.
func (c *Console) tellTopic(q *request) error {
	number, err := q.number()
	if err != nil {
		return err
	}
	cmd := topic.Command{Name: topic.CommandName(q.PathValue("command")), Text: q.words("words")}
	if !slices.ContainsFunc(topic.Table, func(r topic.Row) bool { return r.Command == cmd.Name && !r.Desk }) {
		return &workflow.Error{Code: workflow.CodeNotFound, Number: number, Cause: errors.New("no such command")}
	}
	if cmd.Name == topic.Call {
		days, err := q.wholeNumber("days")
		if err != nil || days < 1 || days > 59 {
			return &fault{Field: "days", Key: "whole_number"}
		}
		quorum, err := q.wholeNumber("quorum")
		if err != nil || quorum < 1 {
			return &fault{Field: "quorum", Key: "whole_number"}
		}
		cmd.Sure = q.PostFormValue("sure") == "yes"
		local := q.now.In(q.shape.Community.Location())
		cmd.Rules = topic.Rules{
			By: topic.By(q.PostFormValue("by_whom")), Secret: q.PostFormValue("secret") == "yes", Quorum: quorum,
			Until: time.Date(local.Year(), local.Month(), local.Day()+days, voteEnds, 0, 0, 0, local.Location()).UTC(),
		}
	}
	photos, err := q.photos("photos")
	if err != nil {
		return err
	}
	cmd.Media = q.pictures(photos)
	return q.work(func(w *deskWork) (string, error) {
		t, err := w.TellTopic(q.Context(), number, q.me, cmd)
		if workflow.CodeOf(err) == topic.CodeQuorum {
			n, _, err := c.o.Desk.Voters(q.Context(), &t, cmd.Rules.By)
			if err != nil {
				return "", err
			}
			return "", &fault{Field: "quorum", Key: "quorum_many", Have: wording.Values{"Quorum": cmd.Rules.Quorum, "Count": n, "Yes": cmd.Rules.By == topic.Household}}
		}
		if err == nil {
			q.attach(w, t.Number, photos)
		}
		return q.address("topic."+string(cmd.Name), "topics", number), err
	})
}
