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

// Followed is the version of the community's shape that its open tickets have
// followed; FollowedTo notes a later one.
func (s *Store) Followed(ctx context.Context, community string) (int64, error) {
	v, _, err := row(ctx, s, "followed", pgx.RowTo[int64], `SELECT followed FROM community WHERE code = $1`, community)
	return v, err
}

// FollowedTo notes which version of the shape the open tickets have followed.
func (s *Store) FollowedTo(ctx context.Context, community string, shape int64) error {
	_, err := s.pool.Exec(ctx, `UPDATE community SET followed = $2 WHERE code = $1 AND followed < $2`, community, shape)
	return fault("followed", err)
}

// Unleft are the tickets that may lack that somebody left them; WasLeft notes that one
// has been looked at. A migration found them.
func (s *Store) Unleft(ctx context.Context, community string) ([]int64, error) {
	return rows(ctx, s, "unleft", pgx.RowTo[int64], `SELECT number FROM unleft WHERE community = $1 ORDER BY number`, community)
}

// WasLeft notes that a ticket need not be looked at again.
func (s *Store) WasLeft(ctx context.Context, community string, number int64) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM unleft WHERE community = $1 AND number = $2`, community, number)
	return fault("unleft", err)
}

// Residents are those who are found by a telephone number; where that finds
// nobody, or none is given, those with the name, exactly as written.
func (s *Store) Residents(ctx context.Context, community, name, phone string) ([]workflow.Person, error) {
	if phone != "" {
		found, err := rows(ctx, s, "residents", scanPerson, personColumns+`WHERE community = $1 AND phone = $2 AND phone <> '' ORDER BY id LIMIT 20`, community, phone)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	if name == "" {
		return nil, nil
	}
	return rows(ctx, s, "residents", scanPerson, personColumns+`WHERE community = $1 AND name = $2 AND name <> '' ORDER BY id LIMIT 20`, community, name)
}

// Alone gives whoever asks first a name for as long as it is not released, or
// the process lives; ok is false where somebody has it.
func (s *Store) Alone(ctx context.Context, name string) (release func(), ok bool, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, false, fault("alone", err)
	}
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended($1, 0))`, name).Scan(&ok)
	if err != nil || !ok {
		conn.Release()
		return nil, false, fault("alone", err)
	}
	return func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtextextended($1, 0))`, name)
		conn.Release()
	}, true, nil
}

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
