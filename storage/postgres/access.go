package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

// NewSession keeps a session. Some that have run out are forgotten with it.
func (s *Store) NewSession(ctx context.Context, community string, n access.Session) error {
	_, err := s.pool.Exec(ctx, `WITH old AS (
			SELECT hash FROM session WHERE community = $1 AND expires_at < $6 ORDER BY expires_at LIMIT 100
		), gone AS (DELETE FROM session s USING old WHERE s.community = $1 AND s.hash = old.hash)
		INSERT INTO session (community, hash, person, how, agent, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`,
		community, n.Hash, n.Person, string(n.How), text(n.Agent), n.CreatedAt, n.ExpiresAt)
	return fault("new session", err)
}

// Session is a session that has not run out; ok is false where there is none.
// At most once a minute it is noted as seen and lasts until expires.
func (s *Store) Session(ctx context.Context, community string, hash []byte, now, expires time.Time) (n access.Session, ok bool, err error) {
	n, ok, err = row(ctx, s, "session", pgx.RowToStructByPos[access.Session], `SELECT hash, person, how, agent, created_at, seen_at, expires_at FROM session
		WHERE community = $1 AND hash = $2 AND expires_at > $3`, community, hash, now)
	if err != nil || !ok || now.Sub(n.SeenAt) < time.Minute {
		return n, ok, err
	}
	_, err = s.pool.Exec(ctx, `UPDATE session SET seen_at = $3, expires_at = greatest(expires_at, $4) WHERE community = $1 AND hash = $2`, community, hash, now, expires)
	return n, true, fault("session", err)
}

// EndSession forgets a session; nothing there is no error.
func (s *Store) EndSession(ctx context.Context, community string, hash []byte) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM session WHERE community = $1 AND hash = $2`, community, hash)
	return fault("end session", err)
}

// EndSessions forgets all sessions of somebody and tells how many there were.
func (s *Store) EndSessions(ctx context.Context, community string, person workflow.PersonID) (int, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM session WHERE community = $1 AND person = $2`, community, person)
	return int(tag.RowsAffected()), fault("end sessions", err)
}

// NewLogin keeps a login on its way. Some that have run out are forgotten with
// it.
func (s *Store) NewLogin(ctx context.Context, community string, l access.Login, now time.Time) error {
	_, err := s.pool.Exec(ctx, `WITH old AS (
			SELECT hash FROM login WHERE community = $1 AND expires_at < $8 ORDER BY expires_at LIMIT 100
		), gone AS (DELETE FROM login l USING old WHERE l.community = $1 AND l.hash = old.hash)
		INSERT INTO login (community, hash, kind, person, secret, agent, next, expires_at) VALUES ($1, $2, $3, $4, coalesce($5, ''::bytea), $6, $7, $9)`,
		community, l.Hash, string(l.Kind), l.Person, l.Secret, text(l.Agent), text(l.Next), now, l.ExpiresAt)
	return fault("new login", err)
}

// Login is a login that has not run out; ok is false where there is none. Used
// tells that it was used already.
func (s *Store) Login(ctx context.Context, community string, hash []byte, now time.Time) (l access.Login, ok bool, err error) {
	return row(ctx, s, "login", pgx.RowToStructByPos[access.Login], `SELECT hash, kind, person, secret, agent, next, expires_at, used_at IS NOT NULL FROM login
		WHERE community = $1 AND hash = $2 AND expires_at > $3`, community, hash, now)
}

// AgreeLogin makes a scan somebody's; ok is false where it ran out, was used,
// or is another's already.
func (s *Store) AgreeLogin(ctx context.Context, community string, hash []byte, person workflow.PersonID, now time.Time) (ok bool, err error) {
	tag, err := s.pool.Exec(ctx, `UPDATE login SET person = $3 WHERE community = $1 AND hash = $2 AND kind = 'scan' AND person = 0 AND used_at IS NULL AND expires_at > $4`,
		community, hash, person, now)
	return tag.RowsAffected() == 1, fault("agree login", err)
}

// UseLogin uses up a login that has its person; ok is false where it ran out or
// was used. Of two who use it in one moment one succeeds.
func (s *Store) UseLogin(ctx context.Context, community string, hash []byte, now time.Time) (ok bool, err error) {
	tag, err := s.pool.Exec(ctx, `UPDATE login SET used_at = $3 WHERE community = $1 AND hash = $2 AND person <> 0 AND used_at IS NULL AND expires_at > $3`,
		community, hash, now)
	return tag.RowsAffected() == 1, fault("use login", err)
}

const addAudit = `INSERT INTO audit (community, at, person, action, number, object) VALUES ($1, $2, $3, $4, $5, $6)`

// Audit writes one line of the audit log, which can only grow.
func (s *Store) Audit(ctx context.Context, community string, e access.Entry) error {
	_, err := s.pool.Exec(ctx, addAudit, community, e.At, e.Person, e.Action, e.Number, text(e.Object))
	return fault("audit", err)
}

// AuditLog are lines of the audit log, newest first.
func (s *Store) AuditLog(ctx context.Context, community string, want access.Entries) ([]access.Entry, error) {
	const columns = `SELECT id, at, person, action, number, object FROM audit WHERE community = $1 AND ($2::bigint = 0 OR id < $2) `
	sql, of := columns+`AND $3::bigint = 0 ORDER BY id DESC LIMIT $4`, int64(0)
	switch {
	case want.Number != 0 && want.Person != 0:
		return rows(ctx, s, "audit log", pgx.RowToStructByPos[access.Entry],
			columns+`AND number = $3 AND number <> 0 AND person = $5 ORDER BY id DESC LIMIT $4`, community, want.Before, want.Number, want.Limit, want.Person)
	case want.Number != 0:
		sql, of = columns+`AND number = $3 AND number <> 0 ORDER BY id DESC LIMIT $4`, want.Number
	case want.Person != 0:
		sql, of = columns+`AND person = $3 ORDER BY id DESC LIMIT $4`, int64(want.Person)
	}
	return rows(ctx, s, "audit log", pgx.RowToStructByPos[access.Entry], sql, community, want.Before, of, want.Limit)
}
