package postgres

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// voting is a topic on which people vote.
func voting(t testing.TB, s *Store, number int64, secret bool) topic.Topic {
	t.Helper()
	top := topic.Topic{
		Community: here, Number: number, Version: 1, State: topic.Voting, Text: "楼道装声控灯", Proposer: 5, ProposedAt: noon,
		Scope: topic.Scope{Level: topic.Building, Estate: "东园", Buildings: []int{3}},
		Rules: topic.Rules{By: topic.Household, Secret: secret, Quorum: 1, Until: noon.AddDate(0, 0, 7)},
	}
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Topics: []desk.TopicChange{{Topic: top}}}))
	return top
}

// votes are a change with one vote.
func votes(number int64, voter string, person workflow.PersonID, choice topic.Choice, secret bool) desk.Change {
	return desk.Change{Community: here, Votes: []topic.Vote{{Number: number, Voter: voter, Person: person, Choice: choice, Secret: secret}}}
}

func TestTopicsAreKept(t *testing.T) {
	s := newStore(t)
	c := ctx(t)
	top := voting(t, s, 1001, false)
	read, err := s.Topic(c, here, 1001)
	must(t, err)
	same(t, "the topic", top, read)
	if all, err := s.VotesIn(c, here, []string{"东园:3", "西园"}, 9); err != nil || len(all) != 1 {
		t.Errorf("to vote on: %v %v", all, err)
	}
	proposed := topic.Topic{Community: here, Number: 1002, Version: 1, State: topic.Proposed, Scope: top.Scope, Text: "装长椅", Proposer: 7}
	must(t, s.Commit(c, desk.Change{Community: here, Topics: []desk.TopicChange{{Topic: proposed}}}))
	for own, want := range map[workflow.PersonID]int{7: 2, 5: 1} {
		if all, err := s.TopicsOf(c, here, []string{"东园:3"}, own, 9); err != nil || len(all) != want {
			t.Errorf("what %d sees: %v %v", own, all, err)
		}
	}
	if _, err := s.Topic(c, there, 1001); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("another community's: %v", err)
	}
	for _, keys := range [][]string{{"东园:3", "东园"}, {"东园:3"}} {
		if all, err := s.TopicsOf(c, here, keys, 0, 9); err != nil || len(all) != 1 {
			t.Errorf("of %v: %v %v", keys, all, err)
		}
	}
	if all, err := s.TopicsOf(c, here, []string{"东园"}, 0, 9); err != nil || len(all) != 0 {
		t.Errorf("of elsewhere: %v %v", all, err)
	}
	if due, err := s.DueTopics(c, here, top.Rules.Until.Add(-time.Second)); err != nil || len(due) != 0 {
		t.Errorf("due early: %v %v", due, err)
	}
	if due, err := s.DueTopics(c, here, top.Rules.Until); err != nil || len(due) != 1 {
		t.Errorf("due: %v %v", due, err)
	}
	next := top
	next.Version, next.State = 2, topic.Counting
	stale := desk.Change{Community: here, Topics: []desk.TopicChange{{Was: 0, Topic: next}}}
	if err := s.Commit(c, stale); !errors.Is(err, desk.ErrStale) {
		t.Errorf("on a version that is not: %v", err)
	}
	must(t, s.Commit(c, desk.Change{Community: here, Topics: []desk.TopicChange{{Was: 1, Topic: next}}}))
	if err := s.Commit(c, votes(1001, "a", 1, topic.For, false)); !errors.Is(err, desk.ErrStale) {
		t.Errorf("a vote after the end: %v", err)
	}
}

// Two of a household, and one person twice, vote in the same moment, in two processes:
// one vote. Votes and the close race: none comes after it, none is lost before.
func TestVotesRace(t *testing.T) {
	url := freshURL(t)
	stores := []*Store{openStore(t, url, nil), openStore(t, url, nil)}
	top := voting(t, stores[0], 1001, false)
	const households, taps = 40, 4
	var mu sync.Mutex
	stored, staled := map[string]int{}, 0
	var all sync.WaitGroup
	for tap := range taps {
		for h := range households {
			all.Go(func() {
				voter, person := fmt.Sprint("door ", h), workflow.PersonID(1000+h)
				if tap%2 == 1 {
					person += 500 // their wife
				}
				err := stores[tap%2].Commit(ctx(t), votes(1001, voter, person, topic.Choices[tap%3], false))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					stored[voter]++
				case errors.Is(err, desk.ErrStale):
					staled++
				default:
					t.Error(err)
				}
			})
		}
	}
	closed := make(chan error, 1)
	go func() {
		next := top
		next.Version, next.State = 2, topic.Counting
		closed <- stores[1].Commit(ctx(t), desk.Change{Community: here, Topics: []desk.TopicChange{{Was: 1, Topic: next}}})
	}()
	all.Wait()
	must(t, <-closed)
	for voter, n := range stored {
		if n != 1 {
			t.Errorf("%s voted %d times", voter, n)
		}
	}
	if len(stored)+staled != households*taps {
		t.Errorf("%d stored, %d stale of %d", len(stored), staled, households*taps)
	}
	tally, err := stores[0].Tally(ctx(t), here, 1001)
	must(t, err)
	voters, err := stores[0].Voters(ctx(t), here, 1001)
	must(t, err)
	if n := tally[topic.For] + tally[topic.Against] + tally[topic.Abstain]; n != len(stored) || len(voters) != len(stored) {
		t.Errorf("%d votes of %d voters, %d were told that theirs counts", n, len(voters), len(stored))
	}
	byChoice := topic.Tally{}
	for _, v := range voters {
		byChoice[v.Choice]++
	}
	for _, choice := range topic.Choices {
		if byChoice[choice] != tally[choice] {
			t.Errorf("%s: %d in the tally, %d voters", choice, tally[choice], byChoice[choice])
		}
	}
}

// Who has voted, and is a member of the staff by a binding code from then on, has voted.
func TestABindingGivesNoSecondVote(t *testing.T) {
	s := newStore(t)
	voting(t, s, 1001, false)
	code, openid, staff := binding(t, s, "a")
	was, _, err := s.PersonByOpenID(ctx(t), here, openid)
	must(t, err)
	must(t, s.Commit(ctx(t), votes(1001, fmt.Sprint("person ", was.ID), was.ID, topic.For, false)))
	_, _, err = s.Bind(ctx(t), here, code, openid, noon)
	must(t, err)
	name := fmt.Sprint("person ", staff)
	if voted, err := s.Voted(ctx(t), here, 1001, name, staff); err != nil || !voted {
		t.Errorf("they have voted: %v %v", voted, err)
	}
	if err := s.Commit(ctx(t), votes(1001, name, staff, topic.For, false)); !errors.Is(err, desk.ErrStale) {
		t.Errorf("a second vote: %v", err)
	}
	must(t, s.Commit(ctx(t), votes(1001, "person 77", 77, topic.For, false)))
}

// Any votes, in any batches, beside a simple model: the first of a door and of a person
// stands.
func TestVotesByAModel(t *testing.T) {
	s := newStore(t)
	number := int64(1000)
	rapid.Check(t, func(r *rapid.T) {
		number++
		voting(t, s, number, rapid.Bool().Draw(r, "secret"))
		doors, people, tally := map[string]bool{}, map[workflow.PersonID]bool{}, topic.Tally{}
		for range rapid.IntRange(1, 12).Draw(r, "votes") {
			voter := fmt.Sprint("door ", rapid.IntRange(1, 4).Draw(r, "door"))
			person := workflow.PersonID(rapid.IntRange(1, 5).Draw(r, "person"))
			choice := rapid.SampledFrom(topic.Choices).Draw(r, "choice")
			voted, err := s.Voted(ctx(t), here, number, voter, person)
			must(t, err)
			fresh := !doors[voter] && !people[person]
			if voted == fresh {
				r.Fatalf("%s %d has voted: %v", voter, person, voted)
			}
			if err := s.Commit(ctx(t), votes(number, voter, person, choice, false)); (err == nil) != fresh {
				r.Fatalf("%s %d: %v", voter, person, err)
			}
			if fresh {
				doors[voter], people[person] = true, true
				tally[choice]++
			}
		}
		got, err := s.Tally(ctx(t), here, number)
		must(t, err)
		for _, choice := range topic.Choices {
			if got[choice] != tally[choice] {
				r.Fatalf("%s: %d, want %d", choice, got[choice], tally[choice])
			}
		}
	})
}

// Nothing in the record of a secret vote leads from who voted to what: no choice, no
// time, and every vote wrote every number anew.
func TestASecretVoteLeavesNoTrace(t *testing.T) {
	s := newStore(t)
	voting(t, s, 1001, true)
	for i, choice := range []topic.Choice{topic.For, topic.Against, topic.For} {
		must(t, s.Commit(ctx(t), votes(1001, fmt.Sprint("door ", i), workflow.PersonID(i+1), choice, true)))
		if n := count(t, s, `SELECT count(DISTINCT xmin::text) FROM topic_tally WHERE number = 1001`); n != 1 {
			t.Errorf("after vote %d the numbers were written by %d transactions: the last tells what it was", i, n)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM topic_voter WHERE choice <> ''`); n != 0 {
		t.Errorf("%d voters with their choice", n)
	}
	if n := count(t, s, `SELECT count(*) FROM information_schema.columns WHERE table_name IN ('topic_voter', 'topic_tally')
		AND column_name NOT IN ('community', 'number', 'voter', 'person', 'choice', 'votes')`); n != 0 {
		t.Error("a column that may lead from one to the other")
	}
	tally, err := s.Tally(ctx(t), here, 1001)
	must(t, err)
	if tally[topic.For] != 2 || tally[topic.Against] != 1 || tally[topic.Abstain] != 0 {
		t.Errorf("tally: %v", tally)
	}
}

// A result is written once and stays, and so does who voted; a tally that does not fit
// is not counted.
func TestAResultStays(t *testing.T) {
	s := newStore(t)
	top := voting(t, s, 1001, false)
	must(t, s.Commit(ctx(t), votes(1001, "a", 1, topic.For, false)))
	end := top
	end.Version, end.State = 2, topic.Decided
	wrong := &topic.Result{For: 1, Quorum: 1, Outcome: topic.Lapsed, At: noon}
	if err := s.Commit(ctx(t), desk.Change{Community: here, Topics: []desk.TopicChange{{Was: 1, Topic: end, Result: wrong}}}); err == nil {
		t.Error("an outcome that is not that of its numbers stands")
	}
	result := &topic.Result{For: 1, Quorum: 1, Outcome: topic.Decided, Ticket: 1002, At: noon}
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Topics: []desk.TopicChange{{Was: 1, Topic: end, Result: result}}}))
	read, ok, err := s.TopicResult(ctx(t), here, 1001)
	if must(t, err); !ok {
		t.Fatal("no result")
	}
	same(t, "the result", *result, read)
	for from, want := range map[time.Time][]digest.Line{
		noon:                  {{Say: "decided", Values: map[string]string{"Number": "1001", "Place": "东园 3号楼", "For": "1", "Against": "0", "Abstain": "0", "Quorum": "1"}}},
		noon.Add(time.Second): nil, noon.AddDate(0, 0, -7): nil,
	} {
		section, err := s.topicSection(ctx(t), here, from, from.AddDate(0, 0, 7))
		must(t, err)
		same(t, "what the digest says", digest.Section{Name: "topics", Lines: want}, section)
	}
	for _, sql := range []string{
		`UPDATE topic_result SET yes = 2`, `DELETE FROM topic_result`, `TRUNCATE topic_result`,
		`UPDATE topic_voter SET choice = 'against'`, `DELETE FROM topic_voter`, `TRUNCATE topic_voter`,
	} {
		if _, err := s.pool.Exec(ctx(t), sql, pgx.QueryExecModeSimpleProtocol); err == nil || !strings.Contains(err.Error(), "stay as they are") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	_, err = s.pool.Exec(ctx(t), `UPDATE topic_tally SET votes = votes + 1 WHERE choice = 'against'`)
	must(t, err)
	if _, err := s.Tally(ctx(t), here, 1001); !errors.Is(err, errTally) {
		t.Errorf("a stuffed box is counted: %v", err)
	}
}

func TestWhoLivesWithin(t *testing.T) {
	s := newStore(t)
	put := func(key string, home workflow.Place, following bool) workflow.PersonID {
		id, err := s.UpsertPerson(ctx(t), key, workflow.Person{Community: here, Name: key, OpenID: "o-" + key, Home: home, Following: following})
		must(t, err)
		return id
	}
	a := put("a", workflow.Place{Estate: "东园", Building: 3}, true)
	b := put("b", workflow.Place{Estate: "东园", Building: 4, Room: "101"}, true)
	put("gone", workflow.Place{Estate: "东园", Building: 3}, false)
	put("nowhere", workflow.Place{}, true)
	put("vague", workflow.Place{Estate: "东园"}, true)
	for name, try := range map[string]struct {
		scope topic.Scope
		after workflow.PersonID
		want  []workflow.PersonID
	}{
		"estate":   {topic.Scope{Level: topic.Estate, Estate: "东园"}, 0, []workflow.PersonID{a, b}},
		"the next": {topic.Scope{Level: topic.Estate, Estate: "东园"}, a, []workflow.PersonID{b}},
		"building": {topic.Scope{Level: topic.Building, Estate: "东园", Buildings: []int{4}}, 0, []workflow.PersonID{b}},
		"yard":     {topic.Scope{Level: topic.Courtyard, Estate: "东园", Courtyard: "院", Buildings: []int{2, 3}}, 0, []workflow.PersonID{a}},
		"nobody":   {topic.Scope{Level: topic.Estate, Estate: "西园"}, 0, nil},
	} {
		got, err := s.LivingIn(ctx(t), here, try.scope, try.after, 9)
		must(t, err)
		same(t, name, try.want, got)
		if n, err := s.HowManyLiveIn(ctx(t), here, try.scope); err != nil || try.after == 0 && n != len(try.want) {
			t.Errorf("%s: %d live there (%v)", name, n, err)
		}
	}
}
