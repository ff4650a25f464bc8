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
// None lasts longer than access.SessionMost. At most once a minute it is noted as seen and lasts until expires.
func (s *Store) Session(ctx context.Context, community string, hash []byte, now, expires time.Time) (n access.Session, ok bool, err error) {
	n, ok, err = row(ctx, s, "session", pgx.RowToStructByPos[access.Session], `SELECT hash, person, how, agent, created_at, seen_at, expires_at FROM session
		WHERE community = $1 AND hash = $2 AND expires_at > $3 AND created_at > $4`, community, hash, now, now.Add(-access.SessionMost))
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

// Audit writes one line of the audit log, which can only grow.
func (s *Store) Audit(ctx context.Context, community string, e access.Entry) error {
	_, err := s.AuditDeed(ctx, community, e)
	return err
}

const (
	insertAudit = `INSERT INTO audit (community, at, person, action, number, object, outcome) `
	addAudit    = insertAudit + `VALUES ($1, $2, $3, $4, $5, $6, $7)`
)

// AuditDeed writes one line and tells its ID, for what comes of it.
func (s *Store) AuditDeed(ctx context.Context, community string, e access.Entry) (id int64, err error) {
	err = s.pool.QueryRow(ctx, addAudit+` RETURNING id`,
		community, e.At, e.Person, e.Action, e.Number, text(e.Object), string(e.Outcome)).Scan(&id)
	return id, fault("audit", err)
}

// AuditLook writes one line unless the same look of the same person was written
// since a moment and was not refused; then id is 0.
func (s *Store) AuditLook(ctx context.Context, community string, e access.Entry, since time.Time) (id int64, err error) {
	id, _, err = row(ctx, s, "audit look", pgx.RowTo[int64], insertAudit+`SELECT $1, $2::timestamptz, $3::bigint, $4::text, $5::bigint, $6::text, $7::text WHERE NOT EXISTS (
			SELECT FROM (SELECT id, at, action, number, object FROM audit WHERE community = $1 AND person = $3 ORDER BY id DESC LIMIT 200) l
			WHERE l.action = $4 AND l.number = $5 AND l.object = $6 AND l.at > $8
				AND NOT EXISTS (SELECT FROM audit o WHERE o.community = $1 AND o.of = l.id AND o.of <> 0)
		) RETURNING id`,
		community, e.At, e.Person, e.Action, e.Number, text(e.Object), string(e.Outcome), since)
	return id, err
}

// AuditOutcome writes what came of a line, once.
func (s *Store) AuditOutcome(ctx context.Context, community string, id int64, at time.Time, outcome access.Outcome, reason string) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO audit (community, at, person, action, of, outcome, reason) VALUES ($1, $2, 0, '', $3, $4, $5)`,
		community, at, id, string(outcome), text(reason))
	return fault("audit outcome", err)
}

// AuditLog are lines of the audit log with their outcomes, newest first.
func (s *Store) AuditLog(ctx context.Context, community string, want access.Entries) ([]access.Entry, error) {
	const columns = `SELECT a.id, a.at, a.person, a.action, a.number, a.object, coalesce(o.outcome, a.outcome), coalesce(o.reason, '')
		FROM audit a LEFT JOIN audit o ON o.community = a.community AND o.of = a.id AND o.of <> 0
		WHERE a.community = $1 AND a.of = 0 AND ($2::bigint = 0 OR a.id < $2) `
	sql, of := columns+`AND $3::bigint = 0 ORDER BY a.id DESC LIMIT $4`, int64(0)
	switch {
	case want.Number != 0 && want.Person != 0:
		return rows(ctx, s, "audit log", pgx.RowToStructByPos[access.Entry],
			columns+`AND a.number = $3 AND a.number <> 0 AND a.person = $5 ORDER BY a.id DESC LIMIT $4`, community, want.Before, want.Number, want.Limit, want.Person)
	case want.Number != 0:
		sql, of = columns+`AND a.number = $3 AND a.number <> 0 ORDER BY a.id DESC LIMIT $4`, want.Number
	case want.Person != 0:
		sql, of = columns+`AND a.person = $3 ORDER BY a.id DESC LIMIT $4`, int64(want.Person)
	}
	return rows(ctx, s, "audit log", pgx.RowToStructByPos[access.Entry], sql, community, want.Before, of, want.Limit)
}
