package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// Topics are the topics of the record; see package topic.
type Topics interface {
	// Topic is a *workflow.Error with CodeNotFound where there is none.
	Topic(ctx context.Context, community string, number int64) (topic.Topic, error)
	// TopicsOf are those of some scopes (topic.Keys) that were taken up, or are
	// somebody's own, VotesIn those on which people vote, Topics all, the newest first;
	// OpenTopics those that have not ended, the oldest first.
	TopicsOf(ctx context.Context, community string, scopes []string, own workflow.PersonID, limit int) ([]topic.Topic, error)
	VotesIn(ctx context.Context, community string, scopes []string, limit int) ([]topic.Topic, error)
	Topics(ctx context.Context, community string, limit int) ([]topic.Topic, error)
	OpenTopics(ctx context.Context, community string) ([]topic.Topic, error)
	// DueTopics are those with which the desk has something to do by itself.
	DueTopics(ctx context.Context, community string, now time.Time) ([]topic.Topic, error)
	// Voted tells whether a voter or a person has voted; Voters are all who have.
	Voted(ctx context.Context, community string, number int64, voter string, person workflow.PersonID) (bool, error)
	Voters(ctx context.Context, community string, number int64) ([]topic.Voted, error)
	// Tally is how often each choice was chosen, once no vote comes any more.
	Tally(ctx context.Context, community string, number int64) (topic.Tally, error)
	// TopicResult is what a vote came to; ok is false before.
	TopicResult(ctx context.Context, community string, number int64) (r topic.Result, ok bool, err error)
	// LivingIn are those who live within a scope and follow the account, after one of
	// them.
	LivingIn(ctx context.Context, community string, scope topic.Scope, after workflow.PersonID, limit int) ([]workflow.PersonID, error)
	// HowManyLiveIn is how many these are.
	HowManyLiveIn(ctx context.Context, community string, scope topic.Scope) (int, error)
}

// TopicChange is a topic after what was done with it; Was is its version before, 0 for
// a new one. Result is what its vote came to, where that is known now.
type TopicChange struct {
	Was    int64
	Topic  topic.Topic
	Result *topic.Result
}

// Propose adds a topic of a scope. The committee on duty hears of a resident's.
func (w *Work) Propose(ctx context.Context, by workflow.Person, scope topic.Scope, text string, u workflow.Understanding, hot int) (topic.Topic, error) {
	open, err := w.desk.journal.OpenTopics(ctx, w.Change.Community)
	if err != nil {
		return topic.Topic{}, err
	}
	waiting := 0
	for _, t := range open {
		if t.Proposer == by.ID && t.State == topic.Proposed {
			waiting++
		}
	}
	committee := by.Has(workflow.RoleCommittee)
	if waiting >= topic.MostOpen && !committee {
		return topic.Topic{}, &workflow.Error{Code: topic.CodeMany, Cause: errors.New("topics of theirs wait")}
	}
	number, err := w.desk.journal.NextNumber(ctx, w.Change.Community)
	if err != nil {
		return topic.Topic{}, fmt.Errorf("desk: topic number: %w", err)
	}
	t := topic.Topic{Community: w.Change.Community, Number: number, Scope: scope, Text: text, Proposer: by.ID, Hot: hot}
	if u.Kind == workflow.Incident {
		t.Category = u.Category
	}
	if t, err = topic.Propose(t, w.Now); err != nil {
		return t, err
	}
	w.Change.Topics = append(w.Change.Topics, TopicChange{Topic: t})
	if !committee {
		for _, p := range w.Shape.Roster.Duty() {
			w.oweTopic(&t, p.ID, workflow.TellProposed)
		}
	}
	return t, nil
}

// TellTopic gives the committee's command to a topic. Who proposed it hears whether it
// is taken up. A vote that cannot come to as many votes as it needs is called only by who
// is sure (topic.CodeQuorum).
func (w *Work) TellTopic(ctx context.Context, number int64, by workflow.Person, cmd topic.Command) (topic.Topic, error) {
	if !by.Has(workflow.RoleCommittee) {
		return topic.Topic{}, &workflow.Error{Code: workflow.CodeNotAllowed, Number: number}
	}
	t, err := w.desk.journal.Topic(ctx, w.Change.Community, number)
	if err != nil {
		return t, err
	}
	cmd.By = by.ID
	next, err := topic.Decide(t, cmd, w.Now)
	if err != nil {
		return t, err
	}
	if cmd.Name == topic.Call && !cmd.Sure {
		n, known, err := w.desk.Voters(ctx, &t, cmd.Rules.By)
		if err != nil {
			return t, err
		}
		if known && cmd.Rules.Quorum > n {
			return t, &workflow.Error{Code: topic.CodeQuorum, Number: number, Cause: fmt.Errorf("%d votes of %d", cmd.Rules.Quorum, n)}
		}
	}
	w.Change.Topics = append(w.Change.Topics, TopicChange{Was: t.Version, Topic: next})
	if (cmd.Name == topic.Open || cmd.Name == topic.Decline) && t.Proposer != by.ID {
		w.oweTopic(&next, t.Proposer, workflow.TellTopic)
	}
	return next, nil
}

// Voters is how many have a vote on a topic: about so many households as the document
// says, where it does, or the people who are known to live there.
func (d *Desk) Voters(ctx context.Context, t *topic.Topic, by topic.By) (n int, known bool, err error) {
	if by == topic.Person {
		n, err = d.journal.HowManyLiveIn(ctx, t.Community, t.Scope)
		return n, true, err
	}
	if shape, ok := d.Shape(t.Community); ok {
		n = t.Scope.Households(shape.Community)
	}
	return n, n > 0, nil
}

// Vote casts somebody's vote on a topic. Where another of their household is first,
// the commit is stale, and asking again says so.
func (w *Work) Vote(ctx context.Context, number int64, by workflow.Person, choice topic.Choice) (topic.Topic, error) {
	t, voter, err := w.MayVote(ctx, number, by)
	if err != nil {
		return t, err
	}
	w.Change.Votes = append(w.Change.Votes, topic.Vote{Number: number, Voter: voter, Person: by.ID, Choice: choice, Secret: t.Rules.Secret})
	return t, nil
}

// MayVote is as whom somebody may vote on a topic now; an error says why they may not.
func (w *Work) MayVote(ctx context.Context, number int64, by workflow.Person) (t topic.Topic, voter string, err error) {
	if t, err = w.desk.journal.Topic(ctx, w.Change.Community, number); err != nil {
		return t, "", err
	}
	if voter, err = topic.Voter(t, by, w.Now); err != nil {
		return t, "", err
	}
	voted, err := w.desk.journal.Voted(ctx, w.Change.Community, number, voter, by.ID)
	if err == nil && voted {
		err = &workflow.Error{Code: topic.CodeVoted, Number: number}
	}
	return t, voter, err
}

func (w *Work) oweTopic(t *topic.Topic, to workflow.PersonID, purpose workflow.Purpose) {
	key := fmt.Sprintf("topic:%d:%s:%d", t.Number, purpose, to)
	if purpose == workflow.TellTopic { // taken up, and later perhaps given up
		key += ":" + string(t.State)
	}
	w.Owe(key, to, purpose, Facts{Number: t.Number, Place: t.Scope.Place(w.Shape.Community), Source: workflow.SourceTopic})
}

// mostTold is how many people one commit tells of a topic.
const mostTold = 200

// Topics does what is done with topics by itself: it closes a vote whose time is over,
// counts it, files what was decided, and tells all who live there, once. It may be
// called at any time, by any replica, again and again: each step is a change of the
// topic's version, which one of them makes, and each push has one key.
func (d *Desk) Topics(ctx context.Context, community string) error {
	if _, ok := d.Shape(community); !ok {
		return nil
	}
	due, err := d.journal.DueTopics(ctx, community, d.Now())
	if err != nil {
		return fmt.Errorf("desk: due topics: %w", err)
	}
	var errs []error
	for _, t := range due {
		for more := true; more; {
			if more, err = d.moveTopic(ctx, &t); errors.Is(err, ErrStale) {
				break // another replica goes on with it
			} else if err != nil {
				errs = append(errs, fmt.Errorf("desk: topic %d: %w", t.Number, err))
				break
			}
		}
	}
	return errors.Join(errs...)
}

// moveTopic takes one step with a topic; more tells whether another follows.
func (d *Desk) moveTopic(ctx context.Context, t *topic.Topic) (more bool, err error) {
	w, err := d.Begin(t.Community, true)
	if err != nil {
		return false, err
	}
	change := TopicChange{Was: t.Version}
	switch {
	case t.State == topic.Voting && !w.Now.Before(t.Rules.Until):
		change.Topic, err = topic.Decide(*t, topic.Command{Name: topic.Close}, w.Now)
	case t.State == topic.Counting:
		change, err = w.count(ctx, t)
	case t.Telling != "":
		change.Topic, err = w.tellAll(ctx, t)
	default:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.Change.Topics = append(w.Change.Topics, change)
	if err := w.Commit(ctx); err != nil {
		return false, err
	}
	*t = change.Topic
	return true, nil
}

// count ends a vote to which none comes any more. What was decided is filed by who
// called the vote, for who proposed it.
func (w *Work) count(ctx context.Context, t *topic.Topic) (change TopicChange, err error) {
	tally, err := w.desk.journal.Tally(ctx, t.Community, t.Number)
	if err != nil {
		return change, err
	}
	r := topic.Count(*t, tally, w.Now)
	if r.Outcome == topic.Decided {
		caller, err := w.desk.journal.Person(ctx, t.Community, t.Caller)
		if err != nil {
			return change, err
		}
		actor := workflow.By(caller)
		if !caller.Has(workflow.RoleCommittee) { // they left office meanwhile: what was decided is filed all the same
			actor = workflow.System()
		}
		category := t.Category
		if category == "" {
			category = workflow.OtherIncident
		}
		filed, err := w.File(ctx, workflow.Command{
			Actor: actor, Reporter: t.Proposer, Source: workflow.SourceTopic, Text: t.Text,
			Kind: workflow.Incident, Category: category, Severity: workflow.Minor, Place: t.Scope.Place(w.Shape.Community),
		})
		if err != nil {
			return change, err
		}
		r.Ticket = filed.Number
	}
	next, err := topic.Decide(*t, topic.Command{Name: topic.Finish, Result: r}, w.Now)
	return TopicChange{Was: t.Version, Topic: next, Result: &r}, err
}

// tellAll tells the next of those who live where a topic belongs.
func (w *Work) tellAll(ctx context.Context, t *topic.Topic) (topic.Topic, error) {
	next := *t
	next.Version++
	people, err := w.desk.journal.LivingIn(ctx, t.Community, t.Scope, t.Told, mostTold)
	if err != nil {
		return next, err
	}
	purpose := workflow.TellVoted
	if t.Telling == topic.Voting {
		purpose = workflow.TellVoting
	}
	for _, p := range people {
		w.oweTopic(t, p, purpose)
		next.Told = p
	}
	if len(people) < mostTold {
		next.Telling = ""
	}
	return next, nil
}
