package postgres

import (
	"context"
	"time"
)

// Server is what an operator wants to know of the database.
type Server struct {
	Version           int    // 150004 = 15.4
	SynchronousCommit string // "off" could lose what residents were told
}

// Server asks the database for its time and settings.
func (s *Store) Server(ctx context.Context) (now time.Time, server Server, err error) {
	const sql = `SELECT clock_timestamp(), current_setting('server_version_num')::int, current_setting('synchronous_commit')`
	err = s.pool.QueryRow(ctx, sql).Scan(&now, &server.Version, &server.SynchronousCommit)
	return now, server, fault("server", err)
}
