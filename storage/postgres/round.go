package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

const careColumns = `SELECT community, id, name, phone, kind, place, note, every, last_visit, next_visit FROM care `

func scanCare(r pgx.CollectableRow) (c workflow.Care, err error) {
	var last *time.Time
	err = r.Scan(&c.Community, &c.ID, &c.Name, &c.Phone, &c.Kind, &c.Place, &c.Note, &c.Every, &last, &c.NextVisit)
	if last != nil {
		c.LastVisit = last.UTC()
	}
	c.NextVisit = c.NextVisit.UTC()
	return c, err
}

// CareDue are the entries of some grids' care lists whose visit is due until a
// moment, the longest due first.
func (s *Store) CareDue(ctx context.Context, community string, grids []string, until time.Time, limit int) ([]workflow.Care, error) {
	return rows(ctx, s, "care due", scanCare, careColumns+`
		WHERE community = $1 AND grid = ANY ($2::text[]) AND next_visit <= $3 AND ended_at IS NULL ORDER BY next_visit, id LIMIT $4`,
		community, grids, until, limit)
}

// CareNamed are the entries of the care list with a name.
func (s *Store) CareNamed(ctx context.Context, community, name string) ([]workflow.Care, error) {
	return rows(ctx, s, "care named", scanCare, careColumns+`WHERE community = $1 AND name = $2 AND ended_at IS NULL ORDER BY id`, community, name)
}

// CareList is the whole care list of a community, by grid.
func (s *Store) CareList(ctx context.Context, community string) ([]workflow.Care, error) {
	return rows(ctx, s, "care list", scanCare, careColumns+`WHERE community = $1 AND ended_at IS NULL ORDER BY grid, next_visit, id`, community)
}

// PutCare adds an entry to the care list, or changes the one of the same name
// and place: its visits go on in the new rhythm. It reports whether it is new.
func (s *Store) PutCare(ctx context.Context, c workflow.Care) (fresh bool, err error) {
	place, err := document(c.Place)
	if err != nil {
		return false, err
	}
	err = s.pool.QueryRow(ctx, `INSERT INTO care AS c (community, key, name, phone, kind, place, grid, note, every, next_visit)
		VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10)
		ON CONFLICT (community, key) DO UPDATE SET phone = excluded.phone, kind = excluded.kind, grid = excluded.grid, place = excluded.place,
			note = excluded.note, every = excluded.every, ended_at = NULL,
			next_visit = coalesce(c.last_visit + excluded.every * interval '1 day', excluded.next_visit)
		RETURNING xmax = 0`,
		c.Community, text(c.Name)+" "+c.Place.String(), text(c.Name), text(c.Phone), string(c.Kind), place, c.Place.Grid, text(c.Note), c.Every, c.NextVisit).Scan(&fresh)
	return fresh, fault("put care", err)
}

// EndCare takes somebody off the care list; a *workflow.Error with
// CodeNotFound where there is no such entry.
func (s *Store) EndCare(ctx context.Context, community string, id int64) error {
	tag, err := s.pool.Exec(ctx, `UPDATE care SET ended_at = $3 WHERE community = $1 AND id = $2 AND ended_at IS NULL`, community, id, s.clock.Now())
	if err == nil && tag.RowsAffected() == 0 {
		return notFound(id, "care")
	}
	return fault("end care", err)
}

const roundColumns = `SELECT r.community, r.id, r.kind, r.person, r.place, r.body, r.media, r.care, r.number, r.at, r.checks `

// RoundsSince are the patrols and visits in some grids since a moment, newest
// first.
func (s *Store) RoundsSince(ctx context.Context, community string, grids []string, since time.Time, limit int) ([]workflow.Round, error) {
	return rows(ctx, s, "rounds", scanRound, roundColumns+`FROM unnest($2::text[]) AS g(grid) CROSS JOIN LATERAL (
			SELECT * FROM round WHERE community = $1 AND grid = g.grid AND at >= $3 ORDER BY at DESC LIMIT $4) AS r
		ORDER BY r.at DESC, r.id LIMIT $4`, community, grids, since, limit)
}

func scanRound(r pgx.CollectableRow) (o workflow.Round, err error) {
	err = r.Scan(&o.Community, &o.ID, &o.Kind, &o.By, &o.Place, &o.Text, &o.Media, &o.Care, &o.Number, &o.At, &o.Checks)
	return o, err
}

// RoundsBy are somebody's patrols and visits, newest first.
func (s *Store) RoundsBy(ctx context.Context, community string, by workflow.PersonID, limit int) ([]workflow.Round, error) {
	return rows(ctx, s, "rounds of a person", scanRound, roundColumns+`FROM round r WHERE community = $1 AND person = $2 ORDER BY at DESC LIMIT $3`, community, by, limit)
}

// RoundsOf is how many rounds of a kind somebody recorded since a moment.
func (s *Store) RoundsOf(ctx context.Context, community string, by workflow.PersonID, kind workflow.RoundKind, since time.Time) (int, error) {
	n, _, err := row(ctx, s, "rounds", pgx.RowTo[int], `SELECT count(*) FROM round WHERE community = $1 AND person = $2 AND at >= $3 AND kind = $4`,
		community, by, since, string(kind))
	return n, err
}

const (
	insertRound = `INSERT INTO round (community, id, kind, person, grid, place, body, media, care, number, at, checks)
		VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12::text::jsonb) ON CONFLICT (community, id) DO NOTHING`
	careVisited = `UPDATE care SET last_visit = $3, next_visit = $3::timestamptz + every * interval '1 day'
		WHERE community = $1 AND id = $2 AND coalesce(last_visit, '-infinity') < $3`
)

func writeRounds(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	var all []workflow.Round
	for _, ch := range fit {
		for _, r := range ch.Rounds {
			r.Community = ch.Community
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b workflow.Round) int {
		return cmp.Or(cmp.Compare(a.Community, b.Community), cmp.Compare(a.Care, b.Care), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range all {
		place, err := document(r.Place)
		if err != nil {
			return err
		}
		checks, err := document(slices.Concat([]workflow.Check{}, r.Checks))
		if err != nil {
			return err
		}
		if r.Media == nil {
			r.Media = []string{}
		}
		b.Queue(insertRound, r.Community, r.ID, string(r.Kind), r.By, r.Place.Grid, place, text(r.Text), r.Media, r.Care, r.Number, r.At, checks)
		if r.Care != 0 {
			b.Queue(careVisited, r.Community, r.Care, r.At)
		}
	}
	return nil
}
