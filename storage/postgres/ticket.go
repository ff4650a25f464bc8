package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// scanBody reads a row of one JSON column.
func scanBody[T any](r pgx.CollectableRow) (v T, err error) {
	var body []byte
	if err := r.Scan(&body); err != nil {
		return v, err
	}
	return v, json.Unmarshal(body, &v)
}

// Ticket is one ticket; a *workflow.Error with CodeNotFound where there is
// none.
func (s *Store) Ticket(ctx context.Context, community string, number int64) (workflow.Ticket, error) {
	t, ok, err := pointRow(ctx, s, "ticket", scanBody[workflow.Ticket],
		`SELECT body FROM ticket WHERE community = $1 AND number = $2`, community, number)
	if err == nil && !ok {
		err = notFound(number, "ticket")
	}
	return t, err
}

// Events are a ticket's events in order; none for a ticket that is not there.
func (s *Store) Events(ctx context.Context, community string, number int64) ([]workflow.Event, error) {
	return rows(ctx, s, "events", scanBody[workflow.Event],
		`SELECT body FROM event WHERE community = $1 AND number = $2 ORDER BY seq`, community, number)
}

// Filings are the first events of some tickets, by number.
func (s *Store) Filings(ctx context.Context, community string, numbers []int64) (map[int64]workflow.Event, error) {
	type first struct {
		number int64
		body   []byte
	}
	found, err := rows(ctx, s, "filings", func(r pgx.CollectableRow) (f first, err error) {
		return f, r.Scan(&f.number, &f.body)
	}, `SELECT number, body FROM event WHERE community = $1 AND number = ANY($2) AND seq = 1`, community, numbers)
	out := map[int64]workflow.Event{}
	for _, f := range found {
		var ev workflow.Event
		err = errors.Join(err, json.Unmarshal(f.body, &ev))
		out[f.number] = ev
	}
	return out, err
}

func (s *Store) tickets(ctx context.Context, op, sql string, args ...any) ([]workflow.Ticket, error) {
	return rows(ctx, s, op, scanBody[workflow.Ticket], sql, args...)
}

// Owned are the open tickets that somebody has, the most pressing first.
func (s *Store) Owned(ctx context.Context, community string, owner workflow.PersonID, limit int) ([]workflow.Ticket, error) {
	return s.tickets(ctx, "owned", `SELECT body FROM ticket
		WHERE community = $1 AND owner = $2 AND ended_at IS NULL ORDER BY pressing, number LIMIT $3`,
		community, owner, limit)
}

// Reported are somebody's own tickets, newest first; ended ones too where
// ended is set.
func (s *Store) Reported(ctx context.Context, community string, reporter workflow.PersonID, ended bool, limit int) ([]workflow.Ticket, error) {
	return point(ctx, s, "reported", scanBody[workflow.Ticket], `SELECT body FROM ticket
		WHERE community = $1 AND reporter = $2 AND ($3 OR ended_at IS NULL) ORDER BY filed_at DESC, number DESC LIMIT $4`,
		community, reporter, ended, limit)
}

// Wall are the wishes that may be claimed, oldest first, after a number.
func (s *Store) Wall(ctx context.Context, community string, after int64, limit int) ([]workflow.Ticket, error) {
	return s.tickets(ctx, "wall", `SELECT body FROM ticket
		WHERE community = $1 AND ended_at IS NULL AND stand = 'wall' AND number > $2 ORDER BY number LIMIT $3`,
		community, after, limit)
}

// Tray are the tickets to be filed by hand in a grid ("" = those without
// one), the most pressing first.
func (s *Store) Tray(ctx context.Context, community, grid string, limit int) ([]workflow.Ticket, error) {
	return s.tickets(ctx, "tray", `SELECT body FROM ticket
		WHERE community = $1 AND grid = $2 AND ended_at IS NULL AND stand = 'tray' ORDER BY pressing, number LIMIT $3`,
		community, grid, limit)
}

// Risen are the tickets at or above a level that wait for somebody to do something,
// the most pressing first: not those that are done or lie in the tray, nor those
// that somebody (but; 0 = nobody) has themselves.
func (s *Store) Risen(ctx context.Context, community string, level int, but workflow.PersonID, limit int) ([]workflow.Ticket, error) {
	const waiting = `SELECT body FROM ticket
		WHERE community = $1 AND ended_at IS NULL AND level >= $2 AND state <> 'resolved' AND stand <> 'tray' AND (owner <> $4 OR $4 = 0) `
	sql := waiting + `AND level >= 2 ORDER BY pressing, number LIMIT $3`
	if level < workflow.LevelCommittee { // beyond the index of those that have risen
		sql = waiting + `ORDER BY pressing, number LIMIT $3`
	}
	return s.tickets(ctx, "risen", sql, community, level, limit, but)
}

// Near are the open incidents of a category in a building, or at a landmark, filed
// since a moment, newest first.
func (s *Store) Near(ctx context.Context, community string, place workflow.Place, category workflow.Category, since time.Time, limit int) ([]workflow.Ticket, error) {
	building := ""
	if place.Building != 0 {
		building = strconv.Itoa(place.Building)
	}
	return point(ctx, s, "near", scanBody[workflow.Ticket], `SELECT body FROM ticket
		WHERE community = $1 AND category = $2 AND body->'place'->>'estate' = $3 AND coalesce(body->'place'->>'building', '') = $4
			AND coalesce(body->'place'->>'landmark', '') = $5 AND filed_at >= $6 AND ended_at IS NULL AND kind = 'incident'
		ORDER BY filed_at DESC LIMIT $7`, community, string(category), place.Estate, building, place.Landmark, since, limit)
}

// Samples calls f with what workers said that messages are about, in the order
// of the tickets.
func (s *Store) Samples(ctx context.Context, community string, f func(desk.Sample) error) error {
	after := int64(-1)
	for {
		page, err := rows(ctx, s, "samples", pgx.RowToStructByPos[desk.Sample], `SELECT number, body, guess, kind, category, severity, by, at
			FROM sample WHERE community = $1 AND number > $2 ORDER BY number LIMIT $3`, community, after, openPage)
		if err != nil {
			return err
		}
		for _, sample := range page {
			if err := f(sample); err != nil {
				return err
			}
			after = sample.Number
		}
		if len(page) < openPage {
			return nil
		}
	}
}

// openPage is how many tickets OpenTickets reads at a time, so that no
// transaction stays open while its caller works.
const openPage = 500

// OpenTickets calls f with every open ticket, in the order of their filing.
// Tickets that change meanwhile come as they were when their page was read.
func (s *Store) OpenTickets(ctx context.Context, community string, f func(workflow.Ticket) error) error {
	type filed struct {
		Number  int64
		FiledAt time.Time
		Body    []byte
	}
	after := filed{Number: -1}
	for {
		page, err := rows(ctx, s, "open tickets", pgx.RowToStructByPos[filed], `SELECT number, filed_at, body FROM ticket
			WHERE community = $1 AND ended_at IS NULL AND (filed_at, number) > ($2, $3) ORDER BY filed_at, number LIMIT $4`, community, after.FiledAt, after.Number, openPage)
		if err != nil {
			return err
		}
		for _, n := range page {
			var t workflow.Ticket
			if err := json.Unmarshal(n.Body, &t); err != nil {
				return fault("open tickets", err)
			}
			if err := f(t); err != nil {
				return err
			}
			after = n
		}
		if len(page) < openPage {
			return nil
		}
	}
}

// DueTickets are numbers of open tickets whose next deadline is not after a
// moment, earliest first.
func (s *Store) DueTickets(ctx context.Context, community string, until time.Time, limit int) ([]int64, error) {
	return rows(ctx, s, "due tickets", pgx.RowTo[int64], `SELECT number FROM ticket
		WHERE community = $1 AND ended_at IS NULL AND next_due <= $2 ORDER BY next_due, number LIMIT $3`,
		community, until, limit)
}

// Loads is how many open tickets each owner has.
func (s *Store) Loads(ctx context.Context, community string) (map[workflow.PersonID]int, error) {
	type load struct {
		Owner workflow.PersonID
		Count int
	}
	all, err := rows(ctx, s, "loads", pgx.RowToStructByPos[load], `SELECT owner, count(*) FROM ticket
		WHERE community = $1 AND owner > 0 AND ended_at IS NULL GROUP BY owner`, community)
	loads := make(map[workflow.PersonID]int, len(all))
	for _, l := range all {
		loads[l.Owner] = l.Count
	}
	return loads, err
}

const (
	insertTickets = `INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level,
			owner, reporter, next_due, filed_at, ended_at, body, helpers, support, outside, resolved_at, late_since, changed_at, pressing, pressing_of)
		SELECT x.community, x.number, x.version, x.state, x.stand, x.kind, x.category, x.severity, x.grid, x.level,
			x.owner, x.reporter, x.next_due, x.filed_at, x.ended_at, x.body::jsonb, x.helpers::bigint[], x.support, x.outside, x.resolved_at, x.late_since, x.changed_at, x.pressing, x.version ` + fromTickets
	updateTickets = `UPDATE ticket t SET version = x.version, state = x.state, stand = x.stand, kind = x.kind,
			category = x.category, severity = x.severity, grid = x.grid, level = x.level, owner = x.owner,
			reporter = x.reporter, next_due = x.next_due, filed_at = x.filed_at, ended_at = x.ended_at, body = x.body::jsonb,
			helpers = x.helpers::bigint[], support = x.support, outside = x.outside, resolved_at = x.resolved_at,
			late_since = x.late_since, changed_at = greatest(t.changed_at, x.changed_at), pressing = x.pressing, pressing_of = x.version ` +
		fromTickets + ` WHERE t.community = x.community AND t.number = x.number`
	fromTickets = `FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
			$9::text[], $10::smallint[], $11::bigint[], $12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[],
			$17::text[], $18::integer[], $19::boolean[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[], $23::timestamptz[])
		AS x(community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, next_due, filed_at, ended_at, body,
			helpers, support, outside, resolved_at, late_since, changed_at, pressing)`
)

func writeTickets(b *pgx.Batch, fit []*desk.Change, k *known) error {
	last := map[ref]workflow.Ticket{}
	bodies := map[ref]string{}
	changed := map[ref]time.Time{}
	for _, ch := range fit {
		for _, tc := range ch.Tickets {
			r := ref{ch.Community, tc.Ticket.Number}
			for _, ev := range tc.Events {
				if ev.At.After(changed[r]) {
					changed[r] = ev.At
				}
			}
			body, err := document(tc.Ticket)
			if err != nil {
				return err
			}
			last[r], bodies[r] = tc.Ticket, body
		}
	}
	return upsert(last, k.storedTickets, func(stored bool, refs []ref) error {
		sql := insertTickets
		if stored {
			sql = updateTickets
		}
		word := func(f func(workflow.Ticket) string) []string {
			return column(refs, func(r ref) string { return text(f(last[r])) })
		}
		b.Queue(sql, communities(refs), ids(refs),
			column(refs, func(r ref) int64 { return last[r].Version }),
			word(func(t workflow.Ticket) string { return string(t.State) }),
			word(func(t workflow.Ticket) string { return string(t.Stand) }),
			word(func(t workflow.Ticket) string { return string(t.Kind) }),
			word(func(t workflow.Ticket) string { return string(t.Category) }),
			word(func(t workflow.Ticket) string { return string(t.Severity) }),
			word(func(t workflow.Ticket) string { return t.Place.Grid }),
			column(refs, func(r ref) int64 { return int64(last[r].Level) }),
			column(refs, func(r ref) int64 { return int64(last[r].Owner) }),
			column(refs, func(r ref) int64 { return int64(last[r].Reporter) }),
			column(refs, func(r ref) *time.Time {
				t := last[r]
				if _, at, ok := t.NextDue(); ok {
					return &at
				}
				return nil
			}),
			column(refs, func(r ref) time.Time { return last[r].FiledAt }),
			column(refs, func(r ref) *time.Time { return moment(last[r].EndedAt) }),
			column(refs, func(r ref) string { return bodies[r] }),
			column(refs, func(r ref) string { t := last[r]; return numbersOf(t.Helpers()) }),
			column(refs, func(r ref) int64 { return int64(len(last[r].Supporters)) }),
			column(refs, func(r ref) bool { return last[r].Outside }),
			column(refs, func(r ref) *time.Time {
				switch t := last[r]; t.State {
				case workflow.Resolved, workflow.Closed:
					return moment(t.ResolvedAt)
				}
				return nil
			}),
			column(refs, func(r ref) *time.Time {
				if t := last[r]; t.IsLate() {
					return moment(t.LateSince)
				}
				return nil
			}),
			column(refs, func(r ref) time.Time { return changed[r] }),
			column(refs, func(r ref) *time.Time { t := last[r]; return moment(t.Pressing()) }))
		return nil
	})
}

const insertEvents = `INSERT INTO event (community, number, seq, type, at, body)
	SELECT x.community, x.number, x.seq, x.type, x.at, x.body::jsonb
	FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[])
		AS x(community, number, seq, type, at, body)`

func writeEvents(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type event struct {
		ref
		*workflow.Event
		body string
	}
	var all []event
	for _, ch := range fit {
		for _, tc := range ch.Tickets {
			for i := range tc.Events {
				body, err := document(tc.Events[i])
				if err != nil {
					return err
				}
				all = append(all, event{ref{ch.Community, tc.Ticket.Number}, &tc.Events[i], body})
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	b.Queue(insertEvents,
		column(all, func(e event) string { return e.community }),
		column(all, func(e event) int64 { return e.id }),
		column(all, func(e event) int64 { return e.Seq }),
		column(all, func(e event) string { return string(e.Type) }),
		column(all, func(e event) time.Time { return e.At }),
		column(all, func(e event) string { return e.body }))
	return nil
}

// numbersOf is a list of people as an array of the database.
func numbersOf(people []workflow.PersonID) string {
	return "{" + strings.Join(column(people, func(p workflow.PersonID) string { return strconv.FormatInt(int64(p), 10) }), ",") + "}"
}

// Helped are the open tickets of which somebody has a part, the most pressing
// first.
func (s *Store) Helped(ctx context.Context, community string, helper workflow.PersonID, limit int) ([]workflow.Ticket, error) {
	return s.tickets(ctx, "helped", `SELECT body FROM ticket
		WHERE community = $1 AND helpers @> ARRAY[$2::bigint] AND helpers <> '{}' AND ended_at IS NULL ORDER BY pressing, number LIMIT $3`,
		community, helper, limit)
}

// Wished are the wishes on the wall that most neighbours support.
func (s *Store) Wished(ctx context.Context, community string, limit int) ([]workflow.Ticket, error) {
	return s.tickets(ctx, "wished", `SELECT body FROM ticket
		WHERE community = $1 AND ended_at IS NULL AND stand = 'wall' AND support > 0 ORDER BY support DESC, number LIMIT $2`,
		community, limit)
}

// Solved is how many tickets each grid resolved between two moments, and how
// many of them within the grid (小事不出网格). Merged and cancelled ones are not
// counted, nor those that were reopened and are not resolved again.
func (s *Store) Solved(ctx context.Context, community string, from, until time.Time) ([]desk.GridShare, error) {
	return rows(ctx, s, "solved", pgx.RowToStructByPos[desk.GridShare], `SELECT grid, count(*), count(*) FILTER (WHERE NOT outside) FROM ticket
		WHERE community = $1 AND resolved_at >= $2 AND resolved_at < $3 AND resolved_at IS NOT NULL GROUP BY grid ORDER BY grid`,
		community, from, until)
}
