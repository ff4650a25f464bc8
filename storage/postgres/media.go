package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow/desk"
)

const mediaColumns = `SELECT community, id, person, wechat_id, type, status, mime, size, number, created_at, spoken FROM media `

// MediaToFetch are media still owed or unheard, oldest first.
func (s *Store) MediaToFetch(ctx context.Context, community string, limit int) ([]desk.MediaFile, error) {
	return rows(ctx, s, "media to fetch", pgx.RowToStructByPos[desk.MediaFile],
		mediaColumns+`WHERE community = $1 AND status IN ('owed', 'unheard') ORDER BY created_at, id LIMIT $2`, community, limit)
}

// Media is one media file; a *workflow.Error with CodeNotFound where there is
// none.
func (s *Store) Media(ctx context.Context, community, id string) (desk.MediaFile, error) {
	m, ok, err := row(ctx, s, "media", pgx.RowToStructByPos[desk.MediaFile],
		mediaColumns+`WHERE community = $1 AND id = $2`, community, id)
	if err == nil && !ok {
		err = notFound(0, "media file")
	}
	return m, err
}

// FinishMedia stores what became of a media file; size in bytes.
func (s *Store) FinishMedia(ctx context.Context, community, id string, status desk.MediaStatus, mime string, size int64) error {
	tag, err := s.pool.Exec(ctx, `UPDATE media SET status = $3, mime = $4, size = $5 WHERE community = $1 AND id = $2`,
		community, id, string(status), mime, size)
	if err == nil && tag.RowsAffected() == 0 {
		err = notFound(0, "media file")
	}
	return fault("finish media", err)
}

// Heard says that nothing more is to be made out of a recording. One that was
// not fetched yet is fetched still.
func (s *Store) Heard(ctx context.Context, community, id string) error {
	_, err := s.pool.Exec(ctx, `UPDATE media SET spoken = false, status = CASE status WHEN 'unheard' THEN 'stored' ELSE status END
		WHERE community = $1 AND id = $2`, community, id)
	return fault("media heard", err)
}

// DeadLetter keeps a task that failed for good, for a person to see.
func (s *Store) DeadLetter(ctx context.Context, community, queue string, body []byte, reason string, at time.Time) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO dead_letter (community, queue, body, reason, at) VALUES ($1, $2, coalesce($3::bytea, ''::bytea), $4, $5)`,
		community, queue, body, text(reason), at)
	return fault("dead letter", err)
}

// DeadLetters are the tasks that failed for good, newest first.
func (s *Store) DeadLetters(ctx context.Context, community string, limit int) ([]desk.DeadLetter, error) {
	return rows(ctx, s, "dead letters", pgx.RowToStructByPos[desk.DeadLetter],
		`SELECT id, queue, body, reason, at FROM dead_letter WHERE community = $1 ORDER BY id DESC LIMIT $2`, community, limit)
}

// DeadLetterByID is one of them; ok is false where there is none.
func (s *Store) DeadLetterByID(ctx context.Context, community string, id int64) (d desk.DeadLetter, ok bool, err error) {
	return row(ctx, s, "dead letter", pgx.RowToStructByPos[desk.DeadLetter],
		`SELECT id, queue, body, reason, at FROM dead_letter WHERE community = $1 AND id = $2`, community, id)
}

// RemoveDeadLetter forgets one that was queued again or given up.
func (s *Store) RemoveDeadLetter(ctx context.Context, community string, id int64) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM dead_letter WHERE community = $1 AND id = $2`, community, id)
	return fault("dead letter", err)
}
