package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/property"
)

// serviceMatters are the tickets that had a scored event in a time, with all their
// events that are scored or say who had them, as far as some people ever did.
const serviceMatters = `WITH touched AS MATERIALIZED (
		SELECT number FROM event WHERE community = $1 AND at >= $2 AND at < $3 AND type IN ('filed', 'overdue', 'rated', 'reopened')
		UNION SELECT number FROM event WHERE community = $1 AND at >= $2 AND at < $3 AND type = 'thanked'
	)
	SELECT t.number, t.state, t.category, t.body->'place', e.moments
	FROM touched JOIN ticket t ON t.community = $1 AND t.number = touched.number
	CROSS JOIN LATERAL (
		SELECT json_agg(json_build_array(e.seq, e.type, e.at, e.body->'clock', e.body->'rating', e.body->'owner') ORDER BY e.seq) AS moments,
			bool_or((e.body->>'owner')::bigint = ANY($4)) AS had
		FROM event e WHERE e.community = $1 AND e.number = t.number AND e.type = ANY($5)
	) e
	WHERE e.had`

// moment6 is a moment as the query gives it: an array of six, null for what an event
// does not have.
type moment6 property.Moment

// UnmarshalJSON reads the array.
func (m *moment6) UnmarshalJSON(data []byte) error {
	*m = moment6{}
	six := []any{&m.Seq, &m.Type, &m.At, &m.Clock, &m.Rating, &m.Owner}
	return json.Unmarshal(data, &six)
}

// ServiceMatters calls f with every ticket that some people have or had and that has an
// event that is scored from a moment until before another.
func (s *Store) ServiceMatters(ctx context.Context, community string, people []workflow.PersonID, from, until time.Time, f func(property.Matter) error) error {
	types := append(column(property.Scored, func(t workflow.EventType) string { return string(t) }), column(property.Handed, func(t workflow.EventType) string { return string(t) })...)
	found, err := s.pool.Query(ctx, serviceMatters, community, from, until, column(people, func(p workflow.PersonID) int64 { return int64(p) }), types)
	if err != nil {
		return fault("service matters", err)
	}
	defer found.Close()
	for found.Next() {
		var m property.Matter
		var place workflow.Place
		var category workflow.Category
		var placeBody, body []byte
		var moments []moment6
		if err := found.Scan(&m.Number, &m.State, &category, &placeBody, &body); err != nil {
			return fault("service matters", err)
		}
		if err := errors.Join(json.Unmarshal(placeBody, &place), json.Unmarshal(body, &moments)); err != nil {
			return fault("service matters", err)
		}
		m.Spot = digest.SpotOf(place, category)
		m.Moments = column(moments, func(e moment6) property.Moment { e.At = e.At.UTC(); return property.Moment(e) })
		if err := f(m); err != nil {
			return err
		}
	}
	return fault("service matters", found.Err())
}

// Inspections are the property company's rounds through buildings in a time, in its
// order.
func (s *Store) Inspections(ctx context.Context, community string, from, until time.Time) ([]workflow.Round, error) {
	return rows(ctx, s, "inspections", scanRound, roundColumns+`FROM round r
		WHERE community = $1 AND at >= $2 AND at < $3 AND kind = 'inspection' ORDER BY at, id`, community, from, until)
}

// Inspection is one of them; ok is false where there is none.
func (s *Store) Inspection(ctx context.Context, community, id string) (r workflow.Round, ok bool, err error) {
	return row(ctx, s, "inspection", scanRound, roundColumns+`FROM round r WHERE community = $1 AND id = $2 AND kind = 'inspection'`, community, id)
}

// ClosedSheet is a month as it was closed; ok is false where it is open.
func (s *Store) ClosedSheet(ctx context.Context, community string, m property.Month) (sheet property.Sheet, ok bool, err error) {
	return row(ctx, s, "closed sheet", scanBody[property.Sheet], `SELECT body FROM appraisal WHERE community = $1 AND month = $2`, community, m.String())
}

// ClosedSheets are the months that were closed last, newest first.
func (s *Store) ClosedSheets(ctx context.Context, community string, limit int) ([]property.Sheet, error) {
	return rows(ctx, s, "closed sheets", scanBody[property.Sheet], `SELECT body FROM appraisal WHERE community = $1 ORDER BY month DESC LIMIT $2`, community, limit)
}

// CloseSheet keeps a month as it is, for ever; ok is false where it is closed already,
// or another than the one that the sheet follows was closed last. Of two at the same
// time one is kept: a month has one key, and both follow the same.
func (s *Store) CloseSheet(ctx context.Context, sheet property.Sheet) (ok bool, err error) {
	body, err := document(sheet)
	if err != nil {
		return false, err
	}
	after := ""
	if !sheet.After.IsZero() {
		after = sheet.After.String()
	}
	tag, err := s.pool.Exec(ctx, `INSERT INTO appraisal (community, month, body, closed_at)
		SELECT $1, $2, $3::text::jsonb, $4 WHERE coalesce((SELECT max(month) FROM appraisal WHERE community = $1), '') = $5
		ON CONFLICT (community, month) DO NOTHING`, sheet.Community, sheet.Month.String(), body, sheet.MadeAt, after)
	return tag.RowsAffected() == 1, fault("close sheet", err)
}

// Objections are those to months from one on, in the order in which they were made.
func (s *Store) Objections(ctx context.Context, community string, since property.Month) ([]property.Objection, error) {
	return rows(ctx, s, "objections", func(r pgx.CollectableRow) (o property.Objection, err error) {
		var month string
		var upheld *bool
		var at *time.Time
		var out property.Outcome
		if err = r.Scan(&month, &o.Line, &o.By, &o.Words, &o.At, &upheld, &out.By, &out.Words, &at); err != nil {
			return o, err
		}
		o.At = o.At.UTC()
		if upheld != nil {
			out.Upheld, out.At = *upheld, at.UTC()
			o.Outcome = &out
		}
		o.Month, err = property.ParseMonth(month)
		return o, err
	}, `SELECT o.month, o.line, o.person, o.words, o.at, c.upheld, coalesce(c.person, 0), coalesce(c.words, ''), c.at
		FROM objection o LEFT JOIN objection_outcome c ON c.community = $1 AND c.month >= $2 AND c.month = o.month AND c.line = o.line
		WHERE o.community = $1 AND o.month >= $2 ORDER BY o.at, o.line`, community, since.String())
}

// Object keeps what is said against a line, with what is owed to those who hear of it;
// ok is false where something was said.
func (s *Store) Object(ctx context.Context, community string, o property.Objection, told ...desk.Push) (ok bool, err error) {
	return s.onceTold(ctx, "object", community, told, `INSERT INTO objection (community, month, line, person, words, at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (community, month, line) DO NOTHING`, community, o.Month.String(), text(o.Line), o.By, text(o.Words), o.At)
}

// Settle keeps what comes of an objection, with what is owed to those who hear of it; ok
// is false where there is none, or it was settled.
func (s *Store) Settle(ctx context.Context, community string, month property.Month, line string, out property.Outcome, told ...desk.Push) (ok bool, err error) {
	return s.onceTold(ctx, "settle", community, told, `INSERT INTO objection_outcome (community, month, line, upheld, person, words, at)
		SELECT community, month, line, $4, $5, $6, $7 FROM objection WHERE community = $1 AND month = $2 AND line = $3
		ON CONFLICT (community, month, line) DO NOTHING`, community, month.String(), text(line), out.Upheld, out.By, text(out.Words), out.At)
}

// onceTold writes one row, and what is owed because of it; ok is false where the row
// stands already, or has nothing to stand on.
func (s *Store) onceTold(ctx context.Context, op, community string, told []desk.Push, sql string, args ...any) (ok bool, err error) {
	err = s.again(ctx, op, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		if ok = err == nil && tag.RowsAffected() == 1; !ok || len(told) == 0 {
			return err
		}
		b := &pgx.Batch{}
		if err := writePushes(b, []*desk.Change{{Community: community, Pushes: told}}, nil); err != nil {
			return err
		}
		return tx.SendBatch(ctx, b).Close()
	})
	return ok, err
}

// propertySection is what there is to say of the property company in a time: what it
// inspected, which months were closed, what it objected to.
func (s *Store) propertySection(ctx context.Context, community string, from, until time.Time) (digest.Section, error) {
	out := digest.Section{Name: "property"}
	say := func(what string, values map[string]string) {
		out.Lines = append(out.Lines, digest.Line{Say: what, Values: values})
	}
	rounds, err := s.Inspections(ctx, community, from, until)
	if err != nil {
		return out, err
	}
	wrong := 0
	for _, r := range rounds {
		wrong += min(len(r.Wrongs()), 1)
	}
	if len(rounds) > 0 {
		say("inspected", map[string]string{"Count": strconv.Itoa(len(rounds)), "Wrong": unless0(wrong)})
	}
	closed, err := rows(ctx, s, "closed in a time", scanBody[property.Sheet], `SELECT body FROM appraisal WHERE community = $1 AND closed_at >= $2 AND closed_at < $3 ORDER BY month`, community, from, until)
	if err != nil {
		return out, err
	}
	for _, sheet := range closed {
		say("closed", map[string]string{"Month": sheet.Month.String(), "Total": strconv.Itoa(sheet.Total())})
	}
	type count struct{ Made, Open int }
	n, _, err := row(ctx, s, "objected in a time", pgx.RowToStructByPos[count], `SELECT count(*), count(*) FILTER (WHERE c.at IS NULL OR c.at >= $3)
		FROM objection o LEFT JOIN objection_outcome c USING (community, month, line) WHERE o.community = $1 AND o.at >= $2 AND o.at < $3`, community, from, until)
	if err == nil && n.Made > 0 {
		say("objected", map[string]string{"Count": strconv.Itoa(n.Made), "Left": unless0(n.Open)})
	}
	return out, err
}

// unless0 is a number that is only said where there is one.
func unless0(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
