package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
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

const (
	insertMedia = `INSERT INTO media (community, id, person, wechat_id, type, status, mime, size, number, created_at, spoken)
		SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::timestamptz[], $11::boolean[])
		ON CONFLICT (community, id) DO NOTHING`
	attachMedia = `UPDATE media m SET number = x.number
		FROM unnest($1::text[], $2::text[], $3::bigint[]) AS x(community, id, number)
		WHERE m.community = x.community AND m.id = x.id`
)

func writeMedia(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	var fresh []desk.MediaFile
	attached := map[name]int64{}
	for _, ch := range fit {
		for _, m := range ch.Media {
			m.Community, m.Status = ch.Community, cmp.Or(m.Status, desk.MediaOwed)
			fresh = append(fresh, m)
		}
		for _, a := range ch.Attach {
			for _, id := range a.IDs {
				attached[name{ch.Community, id}] = a.Number
			}
		}
	}
	if len(fresh) > 0 {
		slices.SortStableFunc(fresh, func(a, b desk.MediaFile) int {
			return compareNames(name{a.Community, a.ID}, name{b.Community, b.ID})
		})
		b.Queue(insertMedia,
			column(fresh, func(m desk.MediaFile) string { return m.Community }),
			column(fresh, func(m desk.MediaFile) string { return m.ID }),
			column(fresh, func(m desk.MediaFile) int64 { return int64(m.Person) }),
			column(fresh, func(m desk.MediaFile) string { return m.WeChatID }),
			column(fresh, func(m desk.MediaFile) string { return m.Type }),
			column(fresh, func(m desk.MediaFile) string { return string(m.Status) }),
			column(fresh, func(m desk.MediaFile) string { return m.MIME }),
			column(fresh, func(m desk.MediaFile) int64 { return m.Size }),
			column(fresh, func(m desk.MediaFile) int64 { return m.Number }),
			column(fresh, func(m desk.MediaFile) time.Time { return m.CreatedAt }),
			column(fresh, func(m desk.MediaFile) bool { return m.Spoken }))
	}
	if names := slices.SortedFunc(maps.Keys(attached), compareNames); len(names) > 0 {
		b.Queue(attachMedia,
			column(names, func(n name) string { return n.community }),
			column(names, func(n name) string { return n.text }),
			column(names, func(n name) int64 { return attached[n] }))
	}
	return nil
}
