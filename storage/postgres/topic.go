package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// Topic is one topic; a *workflow.Error with CodeNotFound where there is none.
func (s *Store) Topic(ctx context.Context, community string, number int64) (topic.Topic, error) {
	t, ok, err := row(ctx, s, "topic", pgx.RowTo[topic.Topic], `SELECT body FROM topic WHERE community = $1 AND number = $2`, community, number)
	if err == nil && !ok {
		err = notFound(number, "topic")
	}
	return t, err
}

// TopicsOf are the topics of some scopes (topic.Keys) that were taken up, or are
// somebody's own, the newest first.
func (s *Store) TopicsOf(ctx context.Context, community string, scopes []string, own workflow.PersonID, limit int) ([]topic.Topic, error) {
	return rows(ctx, s, "topics", pgx.RowTo[topic.Topic], `SELECT t.body FROM unnest($2::text[]) AS k(scope) CROSS JOIN LATERAL (
			SELECT body, number FROM topic WHERE community = $1 AND scope = k.scope AND (state <> 'proposed' OR body->'proposer' = to_jsonb($4::bigint))
			ORDER BY number DESC LIMIT $3) AS t
		ORDER BY t.number DESC LIMIT $3`, community, scopes, limit, own)
}

// VotesIn are the topics of some scopes on which people vote, the newest first.
func (s *Store) VotesIn(ctx context.Context, community string, scopes []string, limit int) ([]topic.Topic, error) {
	return rows(ctx, s, "votes", pgx.RowTo[topic.Topic], `SELECT body FROM topic
		WHERE community = $1 AND scope = ANY ($2::text[]) AND state = 'voting' ORDER BY number DESC LIMIT $3`, community, scopes, limit)
}

// Topics are all topics, the newest first.
func (s *Store) Topics(ctx context.Context, community string, limit int) ([]topic.Topic, error) {
	return rows(ctx, s, "topics", pgx.RowTo[topic.Topic], `SELECT body FROM topic WHERE community = $1 ORDER BY number DESC LIMIT $2`, community, limit)
}

// OpenTopics are those that have not ended, the oldest first.
func (s *Store) OpenTopics(ctx context.Context, community string) ([]topic.Topic, error) {
	return rows(ctx, s, "open topics", pgx.RowTo[topic.Topic], `SELECT body FROM topic
		WHERE community = $1 AND (state IN ('proposed', 'talked', 'voting', 'counting') OR telling <> '')
			AND state IN ('proposed', 'talked', 'voting', 'counting') ORDER BY number`, community)
}

// DueTopics are those with which the desk itself has something to do: close the vote,
// count it, tell of it.
func (s *Store) DueTopics(ctx context.Context, community string, now time.Time) ([]topic.Topic, error) {
	return rows(ctx, s, "due topics", pgx.RowTo[topic.Topic], `SELECT body FROM topic
		WHERE community = $1 AND (state IN ('proposed', 'talked', 'voting', 'counting') OR telling <> '')
			AND (telling <> '' OR state = 'counting' OR state = 'voting' AND until <= $2) ORDER BY number`, community, now)
}

// Voted tells whether a voter has voted, or a person, or who became them by a binding
// code.
func (s *Store) Voted(ctx context.Context, community string, number int64, voter string, person workflow.PersonID) (bool, error) {
	yes, _, err := row(ctx, s, "voted", pgx.RowTo[bool], `SELECT EXISTS (SELECT FROM topic_voter WHERE community = $1 AND number = $2 AND voter = $3)
		OR EXISTS (SELECT FROM topic_voter WHERE community = $1 AND number = $2 AND person = $4)
		OR EXISTS (SELECT FROM person p JOIN topic_voter v ON v.community = p.community AND v.number = $2 AND v.person = p.id WHERE p.community = $1 AND p.became = $4)`, community, number, voter, person)
	return yes, err
}

// Voters are all who voted on a topic, by what they are called.
func (s *Store) Voters(ctx context.Context, community string, number int64) ([]topic.Voted, error) {
	return rows(ctx, s, "voters", pgx.RowToStructByPos[topic.Voted], `SELECT voter, person, choice FROM topic_voter
		WHERE community = $1 AND number = $2 ORDER BY voter`, community, number)
}

// errTally: the two tables of a vote do not agree.
var errTally = errors.New("as many voted as votes were cast: no")

// Tally is how often each choice was chosen, of a vote to which none comes any more. An
// error where more or fewer people voted than votes were cast.
func (s *Store) Tally(ctx context.Context, community string, number int64) (topic.Tally, error) {
	type line struct {
		Choice topic.Choice
		Votes  int
		Voters int
	}
	all, err := rows(ctx, s, "tally", pgx.RowToStructByPos[line], `SELECT choice, votes,
			(SELECT count(*) FROM topic_voter WHERE community = $1 AND number = $2) FROM topic_tally WHERE community = $1 AND number = $2`, community, number)
	tally, votes, voters := topic.Tally{}, 0, 0
	for _, l := range all {
		tally[l.Choice] = l.Votes
		votes, voters = votes+l.Votes, l.Voters
	}
	if err == nil && votes != voters {
		err = fault("tally", errTally)
	}
	return tally, err
}

// TopicResult is what a vote came to; ok is false where it has not ended.
func (s *Store) TopicResult(ctx context.Context, community string, number int64) (r topic.Result, ok bool, err error) {
	r, ok, err = row(ctx, s, "topic result", pgx.RowToStructByPos[topic.Result],
		`SELECT yes, no, abstain, quorum, outcome, ticket, at FROM topic_result WHERE community = $1 AND number = $2`, community, number)
	r.At = r.At.UTC()
	return r, ok, err
}

// LivingIn are those who live within a scope and follow the account, by their numbers,
// after one of them.
func (s *Store) LivingIn(ctx context.Context, community string, scope topic.Scope, after workflow.PersonID, limit int) ([]workflow.PersonID, error) {
	return rows(ctx, s, "living in", pgx.RowTo[workflow.PersonID], `SELECT id `+livingIn+` AND id > $5 ORDER BY id LIMIT $6`,
		community, scope.Estate, scope.Level == topic.Estate, scope.Buildings, after, limit)
}

// HowManyLiveIn is how many these are.
func (s *Store) HowManyLiveIn(ctx context.Context, community string, scope topic.Scope) (int, error) {
	n, _, err := row(ctx, s, "how many live in", pgx.RowTo[int], `SELECT count(*) `+livingIn, community, scope.Estate, scope.Level == topic.Estate, scope.Buildings)
	return n, err
}

const livingIn = `FROM person WHERE community = $1 AND home->>'estate' = $2 AND following
	AND coalesce((home->>'building')::int, 0) > 0 AND ($3 OR (home->>'building')::int = ANY ($4::int[]))`

// topicSection is what was voted on in a time: where, and how it ended.
func (s *Store) topicSection(ctx context.Context, community string, from, until time.Time) (digest.Section, error) {
	type ended struct {
		Number                int64
		Scope                 topic.Scope
		For, Against, Abstain int
		Quorum                int
		Outcome               string
	}
	const most = 20
	all, err := rows(ctx, s, "topics that ended", pgx.RowToStructByPos[ended], `SELECT r.number, t.body->'scope', r.yes, r.no, r.abstain, r.quorum, r.outcome
		FROM topic_result r JOIN topic t ON t.community = r.community AND t.number = r.number
		WHERE r.community = $1 AND r.at >= $2 AND r.at < $3 ORDER BY r.at, r.number LIMIT $4`, community, from, until, most)
	section := digest.Section{Name: "topics"}
	for _, e := range all {
		place := workflow.Place{Estate: e.Scope.Estate, Landmark: e.Scope.Courtyard}
		if e.Scope.Level == topic.Building && len(e.Scope.Buildings) > 0 {
			place.Building = e.Scope.Buildings[0]
		}
		section.Lines = append(section.Lines, digest.Line{Say: e.Outcome, Values: map[string]string{
			"Number": strconv.FormatInt(e.Number, 10), "Place": place.String(), "For": strconv.Itoa(e.For), "Against": strconv.Itoa(e.Against),
			"Abstain": strconv.Itoa(e.Abstain), "Quorum": strconv.Itoa(e.Quorum),
		}})
	}
	return section, err
}

// topics are what a batch depends on of topics and votes, as known is of the rest. A
// topic on which somebody votes is locked for as long as the vote is written, so that
// votes of several processes come one after the other, and none after the count.
type topics struct {
	versions map[ref]int64
	states   map[ref]topic.State
	asked    map[ref]bool
	votes    []desk.Change
	voted    map[voterKey]bool
}

// voterKey names a voter, or a person, of a topic.
type voterKey struct {
	ref
	voter  string
	person workflow.PersonID
}

func newTopics(changes []*desk.Change) *topics {
	k := &topics{versions: map[ref]int64{}, states: map[ref]topic.State{}, asked: map[ref]bool{}, voted: map[voterKey]bool{}}
	for _, ch := range changes {
		for _, tc := range ch.Topics {
			k.asked[ref{ch.Community, tc.Topic.Number}] = true
		}
		for _, v := range ch.Votes {
			k.asked[ref{ch.Community, v.Number}] = true
			k.votes = append(k.votes, desk.Change{Community: ch.Community, Votes: []topic.Vote{v}})
		}
	}
	return k
}

const (
	lockTopics = `SELECT t.community, t.number, t.version, t.state FROM topic t
		JOIN unnest($1::text[], $2::bigint[]) AS k(community, number) ON t.community = k.community AND t.number = k.number
		ORDER BY t.community, t.number FOR UPDATE OF t`
	seenVoters = `SELECT v.community, v.number, v.voter, v.person FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) AS k(community, number, voter, person)
		CROSS JOIN LATERAL (
			SELECT community, number, voter, person FROM topic_voter WHERE community = k.community AND number = k.number AND voter = k.voter
			UNION ALL SELECT community, number, voter, person FROM topic_voter WHERE community = k.community AND number = k.number AND person = k.person
			UNION ALL SELECT w.community, w.number, w.voter, k.person FROM person p JOIN topic_voter w ON w.community = p.community AND w.number = k.number AND w.person = p.id
				WHERE p.community = k.community AND p.became = k.person) AS v`
)

func (k *topics) queue(b *pgx.Batch) {
	if len(k.asked) == 0 {
		return
	}
	refs := sortedRefs(k.asked)
	b.Queue(lockTopics, communities(refs), ids(refs)).Query(func(rows pgx.Rows) error {
		var r ref
		var version int64
		var state topic.State
		_, err := pgx.ForEachRow(rows, []any{&r.community, &r.id, &version, &state}, func() error {
			k.versions[r], k.states[r] = version, state
			return nil
		})
		return err
	})
	if len(k.votes) == 0 {
		return
	}
	b.Queue(seenVoters,
		column(k.votes, func(c desk.Change) string { return c.Community }), column(k.votes, func(c desk.Change) int64 { return c.Votes[0].Number }),
		column(k.votes, func(c desk.Change) string { return c.Votes[0].Voter }), column(k.votes, func(c desk.Change) int64 { return int64(c.Votes[0].Person) }),
	).Query(func(rows pgx.Rows) error {
		var r ref
		var voter string
		var person workflow.PersonID
		_, err := pgx.ForEachRow(rows, []any{&r.community, &r.id, &voter, &person}, func() error {
			k.voted[voterKey{ref: r, voter: voter}], k.voted[voterKey{ref: r, person: person}] = true, true
			return nil
		})
		return err
	})
}

// fit tells whether a change is about topics as they stand, and votes that are not cast.
func (k *topics) fit(ch *desk.Change) bool {
	for _, tc := range ch.Topics {
		if k.versions[ref{ch.Community, tc.Topic.Number}] != tc.Was {
			return false
		}
	}
	for _, v := range ch.Votes {
		r := ref{ch.Community, v.Number}
		if k.states[r] != topic.Voting || k.voted[voterKey{ref: r, voter: v.Voter}] || k.voted[voterKey{ref: r, person: v.Person}] {
			return false
		}
	}
	return true
}

func (k *topics) take(ch *desk.Change) {
	for _, tc := range ch.Topics {
		r := ref{ch.Community, tc.Topic.Number}
		k.versions[r], k.states[r] = tc.Topic.Version, tc.Topic.State
	}
	for _, v := range ch.Votes {
		r := ref{ch.Community, v.Number}
		k.voted[voterKey{ref: r, voter: v.Voter}], k.voted[voterKey{ref: r, person: v.Person}] = true, true
	}
}

const (
	putTopic = `INSERT INTO topic AS t (community, number, version, state, scope, until, telling, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb)
		ON CONFLICT (community, number) DO UPDATE SET version = excluded.version, state = excluded.state, until = excluded.until,
			telling = excluded.telling, body = excluded.body WHERE t.version = excluded.version - 1`
	beginTally = `INSERT INTO topic_tally (community, number, choice) SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING`
	putResult  = `INSERT INTO topic_result (community, number, yes, no, abstain, quorum, outcome, ticket, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	putVoters  = `INSERT INTO topic_voter (community, number, voter, person, choice)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])`
	addVotes = `UPDATE topic_tally SET votes = votes + CASE choice WHEN 'for' THEN $3::int WHEN 'against' THEN $4::int ELSE $5::int END
		WHERE community = $1 AND number = $2`
)

func writeTopics(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type vote struct {
		ref
		topic.Vote
	}
	var votes []vote
	tallies := map[ref]topic.Tally{}
	touched := map[ref]bool{}
	for _, ch := range fit {
		for _, tc := range ch.Topics {
			t := tc.Topic
			body, err := document(t)
			if err != nil {
				return err
			}
			b.Queue(putTopic, ch.Community, t.Number, t.Version, string(t.State), t.Scope.Key(), moment(t.Rules.Until), string(t.Telling), body)
			if t.State == topic.Voting {
				b.Queue(beginTally, ch.Community, t.Number, topic.Choices)
			}
			if r := tc.Result; r != nil {
				b.Queue(putResult, ch.Community, t.Number, r.For, r.Against, r.Abstain, r.Quorum, string(r.Outcome), r.Ticket, r.At)
			}
		}
		for _, v := range ch.Votes {
			r := ref{ch.Community, v.Number}
			if touched[r] = true; tallies[r] == nil {
				tallies[r] = topic.Tally{}
			}
			if tallies[r][v.Choice]++; v.Secret {
				v.Choice = ""
			}
			votes = append(votes, vote{r, v})
		}
	}
	if len(votes) == 0 {
		return nil
	}
	slices.SortFunc(votes, func(a, b vote) int { // not in the order in which they came
		if c := compareRefs(a.ref, b.ref); c != 0 {
			return c
		}
		return compareNames(name{text: a.Voter}, name{text: b.Voter})
	})
	b.Queue(putVoters,
		column(votes, func(v vote) string { return v.community }), column(votes, func(v vote) int64 { return v.id }),
		column(votes, func(v vote) string { return v.Voter }), column(votes, func(v vote) int64 { return int64(v.Person) }),
		column(votes, func(v vote) string { return string(v.Choice) }))
	for _, r := range sortedRefs(touched) {
		b.Queue(addVotes, r.community, r.id, tallies[r][topic.For], tallies[r][topic.Against], tallies[r][topic.Abstain])
	}
	return nil
}
