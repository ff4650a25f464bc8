package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Communities are the codes of all communities and their Shapes' versions.
func (s *Store) Communities(ctx context.Context) (map[string]int64, error) {
	type version struct {
		Code  string
		Shape int64
	}
	all, err := rows(ctx, s, "communities", pgx.RowToStructByPos[version], `SELECT code, shape FROM community`)
	versions := make(map[string]int64, len(all))
	for _, v := range all {
		versions[v.Code] = v.Shape
	}
	return versions, err
}

// Shape is a community's document and staff, and its model in use. Its version is
// read before the staff, so that it is never newer than they are.
func (s *Store) Shape(ctx context.Context, community string) (desk.Shape, error) {
	type stored struct {
		Shape   int64
		Doc     string
		Patrols map[string]time.Time
		Model   int64
	}
	c, ok, err := row(ctx, s, "shape", pgx.RowToStructByPos[stored], `SELECT shape, doc, patrols, coalesce((`+modelInUse+`), 0) FROM community WHERE code = $1`, community)
	if err != nil {
		return desk.Shape{}, err
	}
	if !ok {
		return desk.Shape{}, notFound(0, "community")
	}
	doc, wrong, err := workflow.ReadCommunity(strings.NewReader(c.Doc))
	if err != nil {
		return desk.Shape{}, &Error{Op: "shape", Cause: fmt.Errorf("stored document of %s: %w", community, err)}
	}
	if wrong != nil {
		s.log.Warn("a community's document holds what would be refused today: mend it in the settings", "community", community, "cause", wrong)
	}
	for i := range doc.Estates {
		doc.Estates[i].PatrolsSince = c.Patrols[doc.Estates[i].Name]
	}
	people, err := s.People(ctx, community)
	return desk.Shape{Version: c.Shape, Community: doc, Roster: people, Model: c.Model}, err
}

// ApplyCommunity makes a document the community's shape, whatever stood before;
// see ReplaceCommunity.
func (s *Store) ApplyCommunity(ctx context.Context, doc *workflow.Community, yaml []byte, author string) (version int64, err error) {
	return s.replaceCommunity(ctx, nil, doc, yaml, author)
}

// ReplaceCommunity makes a document the community's shape in place of version
// was (0 = there was none), and keeps it with its author for ever;
// desk.ErrStale where another stands by now. yaml must be what doc was parsed
// from. The version is the document's; one that changes nothing gets no new
// version.
func (s *Store) ReplaceCommunity(ctx context.Context, was int64, doc *workflow.Community, yaml []byte, author string) (version int64, err error) {
	return s.replaceCommunity(ctx, &was, doc, yaml, author)
}

func (s *Store) replaceCommunity(ctx context.Context, was *int64, doc *workflow.Community, yaml []byte, author string) (version int64, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		now := s.clock.Now()
		if _, err := tx.Exec(ctx, `INSERT INTO community (code, version, shape, doc, updated_at) VALUES ($1, 0, 0, '', $2)
			ON CONFLICT (code) DO NOTHING`, doc.Code, now); err != nil {
			return err
		}
		var stored string
		var patrols map[string]time.Time
		if err := tx.QueryRow(ctx, `SELECT version, doc, patrols FROM community WHERE code = $1 FOR UPDATE`, doc.Code).Scan(&version, &stored, &patrols); err != nil {
			return err
		}
		if was != nil && *was != version {
			return desk.ErrStale
		}
		if version > 0 && stored == string(yaml) {
			return nil
		}
		before, err := workflow.ParseCommunity(bytes.NewReader([]byte(stored)))
		if err != nil {
			before = nil // there was none, or a release before read it otherwise
		}
		version++
		if _, err := tx.Exec(ctx, `UPDATE community SET version = $2, shape = shape + 1, doc = $3, updated_at = $4, patrols = $5 WHERE code = $1`,
			doc.Code, version, string(yaml), now, workflow.PatrolsSince(before, doc, patrols, now.UTC())); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO community_version (community, version, doc, author, applied_at) VALUES ($1, $2, $3, $4, $5)`,
			doc.Code, version, string(yaml), text(author), now)
		return err
	})
	if errors.Is(err, desk.ErrStale) {
		return 0, err
	}
	return version, fault("apply community", err)
}

// ExportCommunity is the community's document as it was applied, in YAML; a
// *workflow.Error with CodeNotFound where there is none.
func (s *Store) ExportCommunity(ctx context.Context, code string) ([]byte, error) {
	var doc string
	err := s.pool.QueryRow(ctx, `SELECT doc FROM community WHERE code = $1`, code).Scan(&doc)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, notFound(0, "community")
	}
	return []byte(doc), fault("export community", err)
}

// CommunityDocument is one version of a community's document, 0 = the one that
// stands; a *workflow.Error with CodeNotFound where there is none.
func (s *Store) CommunityDocument(ctx context.Context, code string, version int64) (workflow.Document, error) {
	d, ok, err := row(ctx, s, "community document", pgx.RowToStructByPos[workflow.Document],
		`SELECT version, author, applied_at, doc FROM community_version WHERE community = $1 AND ($2::bigint = 0 OR version = $2) ORDER BY version DESC LIMIT 1`, code, version)
	if err == nil && !ok {
		err = notFound(0, "such version of the community's document")
	}
	return d, err
}

// CommunityVersions are versions of a community's document without their texts,
// newest first, those before one (0 = the newest).
func (s *Store) CommunityVersions(ctx context.Context, code string, before int64, limit int) ([]workflow.Document, error) {
	return rows(ctx, s, "community versions", pgx.RowToStructByPos[workflow.Document],
		`SELECT version, author, applied_at, '' FROM community_version WHERE community = $1 AND ($2::bigint = 0 OR version < $2) ORDER BY version DESC LIMIT $3`, code, before, limit)
}

// Stats are what an operator looks at, for one community. Times are zero
// where there is none.
type Stats struct {
	Community    string
	Open         int       // open tickets
	Overdue      int       // open tickets whose next deadline has passed
	OldestDue    time.Time // the earliest deadline of an open ticket
	OwedPushes   int       // owed and being sent
	OldestPush   time.Time // when the oldest of them was to leave
	ManualPushes int       // waiting for a telephone call
	OwedMedia    int       // still to be fetched
	DeadLetters  int
}

const stats = `SELECT c.code,
	(SELECT count(*) FROM ticket WHERE community = c.code AND ended_at IS NULL),
	(SELECT count(*) FROM ticket WHERE community = c.code AND ended_at IS NULL AND next_due <= $1),
	(SELECT min(next_due) FROM ticket WHERE community = c.code AND ended_at IS NULL),
	(SELECT count(*) FROM push WHERE community = c.code AND status IN ('owed', 'sending')),
	(SELECT min(next_try) FROM push WHERE community = c.code AND status IN ('owed', 'sending')),
	(SELECT count(*) FROM push WHERE community = c.code AND status = 'manual'),
	(SELECT count(*) FROM media WHERE community = c.code AND status = 'owed'),
	(SELECT count(*) FROM dead_letter WHERE community = c.code)
	FROM community c ORDER BY c.code`

// Stats are the figures of every community at a moment, by code.
func (s *Store) Stats(ctx context.Context, now time.Time) ([]Stats, error) {
	return rows(ctx, s, "stats", func(r pgx.CollectableRow) (st Stats, err error) {
		var due, push *time.Time
		err = r.Scan(&st.Community, &st.Open, &st.Overdue, &due, &st.OwedPushes, &push, &st.ManualPushes, &st.OwedMedia, &st.DeadLetters)
		if due != nil {
			st.OldestDue = *due
		}
		if push != nil {
			st.OldestPush = *push
		}
		return st, err
	}, stats, now)
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
