package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/learn"
)

// KeepModel keeps a model with its scores as the community's next version. It is
// not in use by that.
func (s *Store) KeepModel(ctx context.Context, community string, m learn.Model, body []byte) (version int64, err error) {
	scores, err := document(m.Scores)
	if err != nil {
		return 0, err
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `SELECT 1 FROM community WHERE code = $1 FOR NO KEY UPDATE`, community) // one after the other
		if err == nil && tag.RowsAffected() == 0 {
			err = notFound(0, "community")
		}
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO model (community, version, body, scores, samples, author, made_at)
			SELECT $1, coalesce(max(version), 0) + 1, $2, $3::text::jsonb, $4, $5, $6 FROM model WHERE community = $1 RETURNING version`,
			community, body, scores, m.Samples, text(m.Author), m.MadeAt).Scan(&version)
	})
	return version, fault("keep model", err)
}

// Models are a community's models without their bodies, newest first, those before
// a version (0 = the newest).
func (s *Store) Models(ctx context.Context, community string, before int64, limit int) ([]learn.Model, error) {
	return rows(ctx, s, "models", func(r pgx.CollectableRow) (m learn.Model, err error) {
		var from, ended *time.Time
		err = r.Scan(&m.Version, &m.Scores, &m.Samples, &m.Author, &m.MadeAt, &from, &ended)
		if from != nil {
			m.UsedFrom = *from
		}
		if ended != nil {
			m.EndedAt = *ended
		}
		return m, err
	}, `SELECT version, scores, samples, author, made_at, used_from, ended_at FROM model
		WHERE community = $1 AND ($2::bigint = 0 OR version < $2) ORDER BY version DESC LIMIT $3`, community, before, limit)
}

// ModelBody is a model as ngram.Save wrote it; a *workflow.Error with CodeNotFound
// where there is none.
func (s *Store) ModelBody(ctx context.Context, community string, version int64) ([]byte, error) {
	body, ok, err := row(ctx, s, "model body", pgx.RowTo[[]byte], `SELECT body FROM model WHERE community = $1 AND version = $2`, community, version)
	if err == nil && !ok {
		err = notFound(0, "such model")
	}
	return body, err
}

const modelInUse = `SELECT version FROM model WHERE community = $1 AND used_from IS NOT NULL AND ended_at IS NULL`

// ModelInUse is the version of the model in use, 0 for none.
func (s *Store) ModelInUse(ctx context.Context, community string) (int64, error) {
	version, _, err := row(ctx, s, "model in use", pgx.RowTo[int64], modelInUse, community)
	return version, err
}

// UseModel puts a version in use in place of any other; a *workflow.Error with
// CodeNotFound where there is none. What is in use already stays so.
func (s *Store) UseModel(ctx context.Context, community string, version int64, now time.Time) error {
	return fault("use model", pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		changed, err := s.endModel(ctx, tx, community, version, now)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE model SET used_from = CASE WHEN used_from IS NOT NULL AND ended_at IS NULL THEN used_from ELSE $3 END, ended_at = NULL
			WHERE community = $1 AND version = $2`, community, version, now)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return notFound(0, "such model")
		}
		if changed {
			return touch(ctx, tx, community)
		}
		return nil
	}))
}

// EndModel takes the model in use out of it; where none is, nothing changes.
func (s *Store) EndModel(ctx context.Context, community string, now time.Time) error {
	return fault("end model", pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		changed, err := s.endModel(ctx, tx, community, 0, now)
		if err == nil && changed {
			err = touch(ctx, tx, community)
		}
		return err
	}))
}

// endModel takes out of use what is not to be in use, and tells whether another
// is than before.
func (s *Store) endModel(ctx context.Context, tx pgx.Tx, community string, next int64, now time.Time) (changed bool, err error) {
	if _, err := tx.Exec(ctx, `SELECT 1 FROM community WHERE code = $1 FOR NO KEY UPDATE`, community); err != nil {
		return false, err
	}
	var was int64
	if err := tx.QueryRow(ctx, `SELECT coalesce((`+modelInUse+`), 0)`, community).Scan(&was); err != nil {
		return false, err
	}
	if was != 0 && was != next {
		if _, err := tx.Exec(ctx, `UPDATE model SET ended_at = $3 WHERE community = $1 AND version = $2`, community, was, now); err != nil {
			return false, err
		}
	}
	return was != next, nil
}

// Corrections are what workers said that messages are about, newest first, those
// before a correction (a zero time = the newest).
func (s *Store) Corrections(ctx context.Context, community string, before time.Time, number int64, limit int) ([]desk.Sample, error) {
	var at *time.Time
	if !before.IsZero() {
		at = &before
	}
	return rows(ctx, s, "corrections", pgx.RowToStructByPos[desk.Sample], `SELECT number, body, guess, kind, category, severity, by, at FROM sample
		WHERE community = $1 AND (at, number) < (coalesce($2::timestamptz, 'infinity'), $3) ORDER BY at DESC, number DESC LIMIT $4`, community, at, number, limit)
}

// CorrectionCounts are how many corrections there are of each category, most
// first.
func (s *Store) CorrectionCounts(ctx context.Context, community string) ([]learn.Count, error) {
	return rows(ctx, s, "correction counts", func(r pgx.CollectableRow) (c learn.Count, err error) {
		var kind, category string
		err = r.Scan(&kind, &category, &c.N, &c.Agreed)
		c.Kind, c.Category = workflow.Kind(kind), workflow.Category(category)
		return c, err
	}, `SELECT kind, category, count(*), count(*) FILTER (WHERE guess = category) FROM sample WHERE community = $1
		GROUP BY kind, category ORDER BY count(*) DESC, kind, category`, community)
}
