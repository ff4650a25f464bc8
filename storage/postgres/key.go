package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow/access"
)

const keyColumns = `SELECT id, name, scopes, made_at, used_at, ended_at FROM api_key `

func scanKey(r pgx.CollectableRow) (k access.Key, err error) {
	var used, ended *time.Time
	err = r.Scan(&k.ID, &k.Name, &k.Scopes, &k.MadeAt, &used, &ended)
	if used != nil {
		k.UsedAt = *used
	}
	if ended != nil {
		k.EndedAt = *ended
	}
	return k, err
}

// AddKey keeps a key by its hash (access.Hash) and gives its ID; a *workflow.Error
// with CodeNotFound where there is no such community.
func (s *Store) AddKey(ctx context.Context, community string, k access.Key, hash []byte) (id int64, err error) {
	id, ok, err := row(ctx, s, "add key", pgx.RowTo[int64], `INSERT INTO api_key (community, name, hash, scopes, made_at)
		SELECT code, $2, $3, $4, $5 FROM community WHERE code = $1 RETURNING id`,
		community, text(k.Name), hash, column(k.Scopes, func(s access.Scope) string { return string(s) }), k.MadeAt)
	if err == nil && !ok {
		err = notFound(0, "community")
	}
	return id, err
}

// KeyOf is the key with a hash, also one that has ended; ok is false where there is
// none. Its use is noted once a day.
func (s *Store) KeyOf(ctx context.Context, community string, hash []byte, now time.Time) (k access.Key, ok bool, err error) {
	k, ok, err = row(ctx, s, "key", scanKey, keyColumns+`WHERE community = $1 AND hash = $2`, community, hash)
	if err != nil || !ok || !k.EndedAt.IsZero() || now.Sub(k.UsedAt) < 24*time.Hour {
		return k, ok, err
	}
	day := now.Truncate(24 * time.Hour)
	_, err = s.pool.Exec(ctx, `UPDATE api_key SET used_at = $3 WHERE community = $1 AND id = $2`, community, k.ID, day)
	return k, true, fault("key used", err)
}

// mostKeys is how many keys are listed.
const mostKeys = 200

// Keys are a community's keys, the newest first, at most 200.
func (s *Store) Keys(ctx context.Context, community string) ([]access.Key, error) {
	return rows(ctx, s, "keys", scanKey, keyColumns+`WHERE community = $1 ORDER BY id DESC LIMIT $2`, community, mostKeys)
}

// EndKey ends a key; a *workflow.Error with CodeNotFound where there is none that
// works.
func (s *Store) EndKey(ctx context.Context, community string, id int64) error {
	tag, err := s.pool.Exec(ctx, `UPDATE api_key SET ended_at = $3 WHERE community = $1 AND id = $2 AND ended_at IS NULL`, community, id, s.clock.Now())
	if err == nil && tag.RowsAffected() == 0 {
		return notFound(0, "such key")
	}
	return fault("end key", err)
}
