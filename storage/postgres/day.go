package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Overdue are the open tickets of a grid with a missed promise, the longest
// missed first; "" for all grids.
func (s *Store) Overdue(ctx context.Context, community, grid string, limit int) ([]workflow.Ticket, error) {
	return s.tickets(ctx, "overdue", `SELECT body FROM ticket
		WHERE community = $1 AND late_since IS NOT NULL AND ($2 = '' OR grid = $2) ORDER BY late_since, number LIMIT $3`,
		community, grid, limit)
}

// HandledBy are the tickets that somebody has, or had when they ended, newest
// first, from after the ticket before on; 0 for the first page.
func (s *Store) HandledBy(ctx context.Context, community string, person workflow.PersonID, before int64, limit int) ([]workflow.Ticket, error) {
	return s.tickets(ctx, "handled", `SELECT body FROM ticket
		WHERE community = $1 AND owner = $2 AND owner > 0
			AND filed_at <= coalesce((SELECT filed_at FROM ticket WHERE community = $1 AND number = $3), 'infinity')
			AND (filed_at, number) < (coalesce((SELECT filed_at FROM ticket WHERE community = $1 AND number = $3), 'infinity'), $3)
		ORDER BY filed_at DESC, number DESC LIMIT $4`,
		community, person, before, limit)
}

const (
	countFiled    = `SELECT grid, count(*) FROM ticket WHERE community = $1 AND filed_at >= $2 AND filed_at < $3 GROUP BY grid`
	countResolved = `SELECT grid, count(*) FROM ticket WHERE community = $1 AND resolved_at >= $2 AND resolved_at < $3 AND resolved_at IS NOT NULL GROUP BY grid`
	countEvents   = `SELECT t.grid, e.type, count(*) FROM (
			SELECT DISTINCT number, CASE type WHEN 'claimed' THEN 'accepted' ELSE type END AS type FROM event
			WHERE community = $1 AND type IN ('accepted', 'claimed', 'rated', 'reopened') AND at >= $2 AND at < $3) AS e
		JOIN ticket t ON t.community = $1 AND t.number = e.number GROUP BY t.grid, e.type`
	countOpen = `SELECT grid, state, stand, count(*), count(late_since) FROM ticket WHERE community = $1 AND ended_at IS NULL GROUP BY grid, state, stand`
)

// FiledByCategory counts the tickets filed since a moment by category, "" being
// those without one.
func (s *Store) FiledByCategory(ctx context.Context, community string, since time.Time) (map[workflow.Category]int, error) {
	type count struct {
		Category workflow.Category
		N        int
	}
	all, err := rows(ctx, s, "filed by category", pgx.RowToStructByPos[count],
		`SELECT category, count(*) FROM ticket WHERE community = $1 AND filed_at >= $2 GROUP BY category`, community, since)
	out := map[workflow.Category]int{}
	for _, c := range all {
		out[c.Category] = c.N
	}
	return out, err
}

// Day counts what happened from a moment until before another, and what is open
// now, in the whole community and by grid. The counts are of one moment each,
// not of one for all.
func (s *Store) Day(ctx context.Context, community string, from, until time.Time) (desk.Day, error) {
	day := desk.Day{Grids: map[string]desk.DayCount{}}
	count := func(grid string, add func(*desk.DayCount)) {
		g := day.Grids[grid]
		add(&g)
		add(&day.DayCount)
		day.Grids[grid] = g
	}
	b := &pgx.Batch{}
	read := func(sql string, bounds []any, into []any, add func()) {
		b.Queue(sql, append([]any{community}, bounds...)...).Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, into, func() error { add(); return nil })
			return err
		})
	}
	var grid, what, stand string
	var n, late int
	span := []any{from, until}
	read(countFiled, span, []any{&grid, &n}, func() { count(grid, func(c *desk.DayCount) { c.Filed += n }) })
	read(countResolved, span, []any{&grid, &n}, func() { count(grid, func(c *desk.DayCount) { c.Resolved += n }) })
	read(countEvents, span, []any{&grid, &what, &n}, func() {
		count(grid, func(c *desk.DayCount) {
			switch workflow.EventType(what) {
			case workflow.EvAccepted:
				c.Accepted += n
			case workflow.EvRated:
				c.Rated += n
			case workflow.EvReopened:
				c.Reopened += n
			}
		})
	})
	read(countOpen, nil, []any{&grid, &what, &stand, &n, &late}, func() {
		count(grid, func(c *desk.DayCount) {
			if c.States == nil {
				c.States, c.Stands = map[workflow.State]int{}, map[workflow.Stand]int{}
			}
			c.Open, c.Late = c.Open+n, c.Late+late
			c.States[workflow.State(what)] += n
			c.Stands[workflow.Stand(stand)] += n
		})
	})
	return day, fault("day", s.pool.SendBatch(ctx, b).Close())
}
