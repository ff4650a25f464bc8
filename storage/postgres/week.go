package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// counted are the events that a digest counts, as event_counted has them.
const counted = `('filed', 'accepted', 'claimed', 'resolved', 'reopened', 'split', 'rated', 'overdue', 'escalated', 'closed_by_time')`

// countedMatters are the tickets that had a counted event in a time, with all
// their events that count or say in whose hands they were. The tickets of a week
// are found by the counted events, then read by their keys.
const countedMatters = `WITH touched AS MATERIALIZED (
		SELECT DISTINCT number FROM event WHERE community = $1 AND at >= $2 AND at < $3 AND type IN ` + counted + `
	)
	SELECT t.number, t.kind, t.category, t.severity, t.state, t.grid, t.outside, t.body->'place', e.moments
	FROM touched JOIN ticket t ON t.community = $1 AND t.number = touched.number
	CROSS JOIN LATERAL (
		SELECT json_agg(json_build_array(e.type, e.at, e.body->'clock', e.body->'rating', e.body->'owner', e.body->'place'->'grid', e.body ? 'place') ORDER BY e.seq) AS moments
		FROM event e WHERE e.community = $1 AND e.number = t.number AND e.type = ANY($4)
	) e`

// told are the events that Matters gives.
var told = column(slices.Concat(digest.Counted, digest.Handed), func(t workflow.EventType) string { return string(t) })

// Matters calls f with every ticket that had one of the events that the digest
// counts from a moment until before another. The matter is the caller's for the
// call only.
func (s *Store) Matters(ctx context.Context, community string, from, until time.Time, f func(*digest.Matter) error) error {
	found, err := s.pool.Query(ctx, countedMatters, community, from, until, told)
	if err != nil {
		return fault("matters", err)
	}
	defer found.Close()
	var m digest.Matter
	var place workflow.Place
	var placeBody, moments []byte
	var scratch []moment7
	for found.Next() {
		if err := found.Scan(&m.Number, &m.Kind, &m.Category, &m.Severity, &m.State, &m.Grid, &m.Outside, &placeBody, &moments); err != nil {
			return fault("matters", err)
		}
		place, scratch = workflow.Place{}, scratch[:0]
		if err := errors.Join(json.Unmarshal(placeBody, &place), json.Unmarshal(moments, &scratch)); err != nil {
			return fault("matters", err)
		}
		m.Spot, m.Moments = digest.SpotOf(place, m.Category), m.Moments[:0]
		for _, e := range scratch {
			m.Moments = append(m.Moments, digest.Moment(e))
		}
		if err := f(&m); err != nil {
			return err
		}
	}
	return fault("matters", found.Err())
}

// moment7 is a moment as the query gives it: an array of seven, null for what an
// event does not have.
type moment7 digest.Moment

// UnmarshalJSON reads the array.
func (m *moment7) UnmarshalJSON(data []byte) error {
	*m = moment7{}
	seven := []any{&m.Type, &m.At, &m.Clock, &m.Rating, &m.Owner, &m.Grid, &m.Placed}
	return json.Unmarshal(data, &seven)
}

// openAt are the tickets that were open before a moment and not resolved, with
// their events until then. They are open still, or something has happened to them
// since; their last event says how they stood.
const openAt = `WITH candidate AS (
		SELECT number FROM ticket WHERE community = $1 AND ended_at IS NULL AND filed_at < $2
		UNION SELECT number FROM ticket WHERE community = $1 AND changed_at >= $2 AND filed_at < $2
	)
	SELECT c.number, e.events FROM candidate c
	CROSS JOIN LATERAL (SELECT body->>'to' AS state FROM event WHERE community = $1 AND number = c.number AND at < $2 ORDER BY seq DESC LIMIT 1) AS last
	CROSS JOIN LATERAL (SELECT json_agg(body ORDER BY seq) AS events FROM event WHERE community = $1 AND number = c.number AND at < $2) AS e
	WHERE last.state IN ('received', 'classified', 'assigned', 'accepted')`

// OpenAt calls f with every ticket that was open just before a moment and not
// resolved, as its events had made it then.
func (s *Store) OpenAt(ctx context.Context, community string, at time.Time, f func(workflow.Ticket) error) error {
	found, err := s.pool.Query(ctx, openAt, community, at)
	if err != nil {
		return fault("open at", err)
	}
	defer found.Close()
	for found.Next() {
		var number int64
		var body []byte
		var events []workflow.Event
		if err := found.Scan(&number, &body); err != nil {
			return fault("open at", err)
		}
		if err := json.Unmarshal(body, &events); err != nil {
			return fault("open at", err)
		}
		if err := f(workflow.Replay(community, number, events)); err != nil {
			return err
		}
	}
	return fault("open at", found.Err())
}

// Troubles are the incidents filed in a time that were neither merged nor
// cancelled, as far as it is known where they are.
func (s *Store) Troubles(ctx context.Context, community string, from, until time.Time) ([]digest.Trouble, error) {
	return rows(ctx, s, "troubles", func(r pgx.CollectableRow) (t digest.Trouble, err error) {
		err = r.Scan(&t.Number, &t.FiledAt, &t.Spot.Estate, &t.Spot.Building, &t.Spot.Landmark, &t.Spot.Grid, &t.Spot.Category)
		if t.Spot.Building != 0 {
			t.Spot.Landmark = ""
		}
		return t, err
	}, `SELECT number, filed_at, coalesce(body->'place'->>'estate', ''), coalesce((body->'place'->>'building')::int, 0),
			coalesce(body->'place'->>'landmark', ''), grid, category
		FROM ticket WHERE community = $1 AND filed_at >= $2 AND filed_at < $3 AND kind = 'incident' AND state NOT IN ('merged', 'cancelled')
			AND (body->'place' ? 'building' OR body->'place' ? 'landmark')`,
		community, from, until)
}

// Messages is how many messages people sent in a time, those of WeChat's own
// events not counted.
func (s *Store) Messages(ctx context.Context, community string, from, until time.Time) (int, error) {
	n, _, err := row(ctx, s, "messages", pgx.RowTo[int], `SELECT count(*) FROM message
		WHERE community = $1 AND at >= $2 AND at < $3 AND type NOT LIKE 'event%'`, community, from, until)
	return n, err
}

// PutHotline keeps complaints that went to the hotline and tells how many were
// new.
func (s *Store) PutHotline(ctx context.Context, community string, all []desk.Complaint) (fresh int, err error) {
	err = s.pool.QueryRow(ctx, `WITH put AS (
			INSERT INTO hotline AS h (community, number, at, category, grid)
			SELECT $1, x.number, x.at, x.category, x.grid FROM unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[]) AS x(number, at, category, grid)
			ON CONFLICT (community, number) DO UPDATE SET at = excluded.at, category = excluded.category, grid = excluded.grid
			RETURNING xmax = 0 AS fresh
		) SELECT count(*) FILTER (WHERE fresh) FROM put`, community,
		column(all, func(c desk.Complaint) string { return text(c.Number) }), column(all, func(c desk.Complaint) time.Time { return c.At }),
		column(all, func(c desk.Complaint) string { return text(c.Category) }), column(all, func(c desk.Complaint) string { return text(c.Grid) })).Scan(&fresh)
	return fresh, fault("put hotline", err)
}

// Hotline is how many complaints went to the hotline in a time; known is false
// where none were entered for it: neither then nor later.
func (s *Store) Hotline(ctx context.Context, community string, from, until time.Time) (n int, known bool, err error) {
	if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM hotline WHERE community = $1 AND at >= $2 AND at < $3`, community, from, until).Scan(&n); err != nil {
		return 0, false, fault("hotline", err)
	}
	err = s.pool.QueryRow(ctx, `SELECT coalesce((SELECT min(at) FROM hotline WHERE community = $1) < $2 AND (SELECT max(at) FROM hotline WHERE community = $1) >= $3, false)`,
		community, until, from).Scan(&known)
	return n, known, fault("hotline", err)
}

// KeepDigest keeps a digest as it is sent, with what is owed to whom because of
// it in the same commit; ok is false where the week's was sent before: then
// nothing changes.
func (s *Store) KeepDigest(ctx context.Context, d digest.Digest) (ok bool, err error) {
	body, err := document(d)
	if err != nil {
		return false, err
	}
	tag, err := s.pool.Exec(ctx, `INSERT INTO digest (community, week, body, sent_at) VALUES ($1, $2, $3::text::jsonb, $4) ON CONFLICT (community, week) DO NOTHING`,
		d.Community, d.Week.String(), body, d.MadeAt)
	return tag.RowsAffected() == 1, fault("keep digest", err)
}

// SentDigest is a week's digest as it was sent; ok is false where it was not.
func (s *Store) SentDigest(ctx context.Context, community string, week digest.Week) (d digest.Digest, ok bool, err error) {
	return row(ctx, s, "sent digest", scanBody[digest.Digest], `SELECT body FROM digest WHERE community = $1 AND week = $2`, community, week.String())
}

// LastDigests are the digests that were sent last for weeks before one, the newest
// first.
func (s *Store) LastDigests(ctx context.Context, community string, before digest.Week, limit int) ([]digest.Digest, error) {
	return rows(ctx, s, "last digests", scanBody[digest.Digest], `SELECT body FROM digest WHERE community = $1 AND week < $2 ORDER BY week DESC LIMIT $3`, community, before.String(), limit)
}
