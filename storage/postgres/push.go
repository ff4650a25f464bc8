package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

const pushColumns = `community, key, person, number, purpose, facts, status, channel, attempts, next_try, errcode, error, created_at, sent_at`

func scanPush(r pgx.CollectableRow) (p desk.Push, err error) {
	var facts []byte
	var sent *time.Time
	if err := r.Scan(&p.Community, &p.Key, &p.Person, &p.Number, &p.Purpose, &facts, &p.Status, &p.Channel, &p.Attempts,
		&p.NextTry, &p.ErrCode, &p.Error, &p.CreatedAt, &sent); err != nil {
		return p, err
	}
	if sent != nil {
		p.SentAt = *sent
	}
	return p, json.Unmarshal(facts, &p.Facts)
}

// takePush gives back the status from before, which tells of a lease that ran
// out. Asked again with its number ($5) it gives the same lease. The row is found by
// its key alone: with the rest beside it the planner may choose the index of all that
// is owed, and read each that is due.
const takePush = `WITH old AS (
		SELECT status, next_try AS due, coalesce(status = 'sending' AND abs(lease) = $5::bigint, false) AS own FROM push WHERE community = $1 AND key = $2 FOR UPDATE)
	UPDATE push SET status = 'sending', attempts = attempts + CASE WHEN old.own THEN 0 ELSE 1 END, next_try = $4,
		lease = CASE WHEN old.own THEN lease WHEN old.status = 'sending' THEN -$5::bigint ELSE $5::bigint END FROM old
	WHERE community = $1 AND key = $2 AND (old.own OR old.status IN ('owed', 'sending') AND old.due <= $3)
	RETURNING community, key, person, number, purpose, facts, CASE WHEN lease < 0 THEN 'sending' ELSE 'owed' END, channel, attempts, next_try, errcode, error, created_at, sent_at, abs(lease)`

// giveBack undoes a lease that nobody got to know of. One that followed a lease that
// had run out stays as that one was.
const giveBack = `UPDATE push SET status = CASE WHEN lease < 0 THEN 'sending' ELSE 'owed' END, attempts = attempts - 1, next_try = $3, lease = NULL
	WHERE community = $1 AND key = $2 AND status = 'sending' AND abs(lease) = $4`

// TakePush leases a push that is owed and due, or whose lease ran out, to one
// sender; ok is false where there is nothing to do. Its Attempts counts this
// one. A push whose lease ran out comes back with Status PushSending: an
// earlier sender may have sent it and died. Where it fails, a lease that was given
// all the same is given back as soon as PostgreSQL answers.
func (s *Store) TakePush(ctx context.Context, community, key string, now time.Time, lease time.Duration) (p desk.Push, ok bool, err error) {
	number := rand.Int64() | 1 //nolint:gosec // no secret: two askers must not share it
	p, ok, err = first(shared(ctx, s.pushes, "take push", scanLeased, &statement{
		community: community, key: key, sql: takePush, args: []any{community, key, now, now.Add(lease), number},
	}))
	if err != nil {
		s.insist(ctx, err, statement{community: community, key: key, sql: giveBack, args: []any{community, key, now, number}})
	}
	return p, ok, err
}

func scanLeased(r pgx.CollectableRow) (p desk.Push, err error) {
	var facts []byte
	var sent *time.Time
	if err := r.Scan(&p.Community, &p.Key, &p.Person, &p.Number, &p.Purpose, &facts, &p.Status, &p.Channel, &p.Attempts,
		&p.NextTry, &p.ErrCode, &p.Error, &p.CreatedAt, &sent, &p.Lease); err != nil {
		return p, err
	}
	if sent != nil {
		p.SentAt = *sent
	}
	return p, json.Unmarshal(facts, &p.Facts)
}

// mostInsisted bounds what is asked again in the background.
const mostInsisted = 1024

// insist asks in the background until PostgreSQL has answered or the store closes, for
// what the error cause leaves unknown: a lease or an end that may be stored or not.
func (s *Store) insist(ctx context.Context, cause error, st statement) {
	if ctx.Err() == nil && (!broken(causeOf(cause)) || errors.Is(cause, ErrClosed)) {
		return
	}
	if s.insisted.Add(1) > mostInsisted {
		s.insisted.Add(-1)
		s.log.Warn("too much is unknown of the record: a push is left to its lease")
		return
	}
	s.insisting.Go(func() {
		defer s.insisted.Add(-1)
		for {
			again := st
			_, err := shared(context.Background(), s.pushes, "push", pgx.RowTo[int], &again)
			if err == nil || errors.Is(err, ErrClosed) || !broken(causeOf(err)) {
				return
			}
			select {
			case <-s.closing:
				return
			case <-time.After(time.Second):
			}
		}
	})
}

// causeOf is what a fault was made of.
func causeOf(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e.Cause
	}
	return err
}

// owedPush has what is needed to queue a push.
func owedPush(r pgx.CollectableRow) (p desk.Push, err error) {
	return p, r.Scan(&p.Key, &p.Person, &p.Purpose)
}

// finishPush: what is at an end is never owed again by a sender that comes late, nor
// what another has by now. So it may be repeated.
const finishPush = `UPDATE push SET status = $3, channel = coalesce(nullif($4, ''), channel), next_try = coalesce($5, next_try), lease = NULL,
		attempts = attempts - CASE WHEN $10 THEN 1 ELSE 0 END, errcode = $6, error = $7, msg_id = coalesce(nullif($8::bigint, 0), msg_id), sent_at = CASE WHEN $3 IN ('sent', 'unknown') THEN $9 ELSE sent_at END
	WHERE community = $1 AND key = $2 AND ($3 <> 'owed' OR status IN ('owed', 'sending') AND coalesce(abs(lease), 0) = $11::bigint)`

// FinishPush stores the outcome of an attempt. A push that is sent, or given
// up, is not owed again by an outcome that comes late. Where it fails, the outcome is
// stored as soon as PostgreSQL answers, unless the store closes before. One that needs
// a call ends the older calls that it makes needless.
func (s *Store) FinishPush(ctx context.Context, community, key string, out desk.PushOutcome) error {
	st := statement{community: community, key: key, sql: finishPush, args: finishArgs(community, key, out)}
	again := st
	if _, err := shared(ctx, s.pushes, "finish push", pgx.RowTo[int], &st); err != nil {
		s.insist(ctx, err, again)
		return err
	}
	if out.Status != desk.PushManual {
		return nil
	}
	_, err := s.pool.Exec(ctx, supersede, community, key, desk.WhySuperseded)
	return fault("supersede calls", err)
}

// supersede: of several calls to one person about the same of one ticket only the newest
// is to be made.
const supersede = `UPDATE push o SET status = 'dropped', error = $3 FROM push k, push n
	WHERE k.community = $1 AND k.key = $2 AND k.number <> 0
		AND o.community = $1 AND o.number = k.number AND o.person = k.person AND o.purpose = k.purpose AND o.status = 'manual'
		AND n.community = $1 AND n.number = k.number AND n.person = k.person AND n.purpose = k.purpose AND n.status = 'manual'
		AND (o.created_at, o.key) < (n.created_at, n.key)`

func finishArgs(community, key string, out desk.PushOutcome) []any {
	return []any{community, key, string(out.Status), out.Channel, moment(out.NextTry), out.ErrCode, text(out.Error), out.MsgID, out.At, out.Held, out.Lease}
}

// OwedPushes are pushes owed and due, or with a lease that ran out, oldest
// first; only key, person and purpose are read.
func (s *Store) OwedPushes(ctx context.Context, community string, now time.Time, limit int) ([]desk.Push, error) {
	return rows(ctx, s, "owed pushes", owedPush, `SELECT key, person, purpose FROM push
		WHERE community = $1 AND status IN ('owed', 'sending') AND next_try <= $2 ORDER BY next_try, key LIMIT $3`,
		community, now, limit)
}

// PushByMsgID finds a template push by WeChat's message id, for its result.
func (s *Store) PushByMsgID(ctx context.Context, community string, msgID int64) (p desk.Push, ok bool, err error) {
	return pointRow(ctx, s, "push by msgid", scanPush,
		`SELECT `+pushColumns+` FROM push WHERE community = $1 AND msg_id = $2 ORDER BY created_at DESC LIMIT 1`, community, msgID)
}

// LastSubscribe is the push sent last to somebody as a subscription notice.
func (s *Store) LastSubscribe(ctx context.Context, community string, person workflow.PersonID) (p desk.Push, ok bool, err error) {
	return pointRow(ctx, s, "last subscription notice", scanPush, `SELECT `+pushColumns+` FROM push
		WHERE community = $1 AND person = $2 AND channel = 'subscribe' AND sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1`, community, person)
}

// ManualPushes are the pushes that need a telephone call and that the filter
// lets through, oldest first. Few need one, so they are looked through.
func (s *Store) ManualPushes(ctx context.Context, community string, f desk.Manual, limit int) ([]desk.Push, error) {
	return rows(ctx, s, "manual pushes", scanPush, `SELECT `+pushColumns+` FROM push
		WHERE community = $1 AND status = 'manual' AND person <> $3
			AND (purpose <> 'rate_reminder' OR facts->>'owner' IS DISTINCT FROM $3::text)
			AND ($4 OR number = ANY ($5::bigint[]) OR facts->>'owner' = $6::text OR facts->'place'->>'grid' = ANY ($7::text[]))
			AND (created_at, key) > ($8, $9)
		ORDER BY created_at, key LIMIT $2`,
		community, limit, f.Not, f.All, f.Numbers, strconv.FormatInt(int64(f.Owner), 10), f.Grids, f.After, f.AfterKey)
}

// PushFailures are the pushes that did not reach anybody for certain (manual,
// dropped, unknown), newest first.
func (s *Store) PushFailures(ctx context.Context, community string, limit int) ([]desk.Push, error) {
	return rows(ctx, s, "push failures", scanPush, `SELECT `+pushColumns+` FROM push
		WHERE community = $1 AND status IN ('manual', 'dropped', 'unknown') ORDER BY created_at DESC LIMIT $2`, community, limit)
}

const contact = `SELECT t.last_message_at, t.last_click_at,
	(SELECT count(*) FROM push WHERE community = $1 AND person = $2 AND channel = 'custom' AND sent_at IS NOT NULL
		AND sent_at > t.last_message_at),
	(SELECT count(*) FROM push WHERE community = $1 AND person = $2 AND channel = 'custom' AND sent_at IS NOT NULL
		AND sent_at > t.last_click_at),
	(SELECT json_object_agg(template, remaining) FROM consent WHERE community = $1 AND person = $2 AND remaining > 0)
	FROM (SELECT 1) AS one LEFT JOIN talk t ON t.community = $1 AND t.person = $2`

// Contact is what decides which channel may reach a person now. A message
// whose fate is unknown counts as sent.
func (s *Store) Contact(ctx context.Context, community string, person workflow.PersonID) (desk.Contact, error) {
	c, _, err := pointRow(ctx, s, "contact", func(r pgx.CollectableRow) (c desk.Contact, err error) {
		var message, click *time.Time
		var consents []byte
		if err := r.Scan(&message, &click, &c.SinceMessage, &c.SinceClick, &consents); err != nil {
			return c, err
		}
		if message != nil {
			c.LastMessageAt = *message
		}
		if click != nil {
			c.LastClickAt = *click
		}
		if consents != nil {
			err = json.Unmarshal(consents, &c.Consents)
		}
		return c, err
	}, contact, community, person)
	return c, err
}

// Consent adds subscription consents, or with a negative by uses them up; it
// reports whether they were there to use.
func (s *Store) Consent(ctx context.Context, community string, person workflow.PersonID, template string, by int) (bool, error) {
	sql := `INSERT INTO consent AS c (community, person, template, remaining) VALUES ($1, $2, $3, $4)
		ON CONFLICT (community, person, template) DO UPDATE SET remaining = c.remaining + excluded.remaining`
	if by < 0 {
		sql = `UPDATE consent SET remaining = remaining + $4
			WHERE community = $1 AND person = $2 AND template = $3 AND remaining + $4 >= 0`
	}
	tag, err := s.pool.Exec(ctx, sql, community, person, template, by)
	return tag.RowsAffected() > 0, fault("consent", err)
}

// PushesOf are all pushes of a ticket, oldest first.
func (s *Store) PushesOf(ctx context.Context, community string, number int64) ([]desk.Push, error) {
	return rows(ctx, s, "pushes of a ticket", scanPush,
		`SELECT `+pushColumns+` FROM push WHERE community = $1 AND number = $2 ORDER BY created_at, key`, community, number)
}

const insertPushes = `INSERT INTO push (community, key, person, number, purpose, facts, status, next_try, created_at)
	SELECT x.community, x.key, x.person, x.number, x.purpose, x.facts::jsonb, x.status, x.next_try, x.created_at
	FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[])
		AS x(community, key, person, number, purpose, facts, status, next_try, created_at)
	ON CONFLICT (community, key) DO NOTHING`

func writePushes(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type push struct {
		desk.Push
		facts string
	}
	var all []push
	for _, ch := range fit {
		for _, p := range ch.Pushes {
			facts, err := document(p.Facts)
			if err != nil {
				return err
			}
			p.Community, p.Status = ch.Community, cmp.Or(p.Status, desk.PushOwed)
			all = append(all, push{p, facts})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b push) int {
		return compareNames(name{a.Community, a.Key}, name{b.Community, b.Key})
	})
	b.Queue(insertPushes,
		column(all, func(p push) string { return p.Community }),
		column(all, func(p push) string { return p.Key }),
		column(all, func(p push) int64 { return int64(p.Person) }),
		column(all, func(p push) int64 { return p.Number }),
		column(all, func(p push) string { return string(p.Purpose) }),
		column(all, func(p push) string { return p.facts }),
		column(all, func(p push) string { return string(p.Status) }),
		column(all, func(p push) time.Time { return p.NextTry }),
		column(all, func(p push) time.Time { return p.CreatedAt }))
	return nil
}

func writeEnds(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	ends := map[name]desk.PushOutcome{}
	for _, ch := range fit {
		for _, e := range ch.Ended {
			ends[name{ch.Community, e.Key}] = e.PushOutcome
		}
	}
	for _, n := range slices.SortedFunc(maps.Keys(ends), compareNames) {
		b.Queue(finishPush, finishArgs(n.community, n.text, ends[n])...)
	}
	return nil
}

const (
	addConsent = `INSERT INTO consent AS c (community, person, template, remaining) VALUES ($1, $2, $3, $4)
		ON CONFLICT (community, person, template) DO UPDATE SET remaining = c.remaining + excluded.remaining`
	noConsent = `UPDATE consent SET remaining = 0 WHERE community = $1 AND person = $2 AND template = $3`
)

func writeConsents(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type consent struct {
		community string
		desk.Consent
	}
	var all []consent
	for _, ch := range fit {
		for _, c := range ch.Consents {
			all = append(all, consent{ch.Community, c})
		}
	}
	slices.SortStableFunc(all, func(a, b consent) int {
		return cmp.Or(cmp.Compare(a.community, b.community), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Template, b.Template))
	})
	for _, c := range all {
		if c.None {
			b.Queue(noConsent, c.community, c.Person, c.Template)
			continue
		}
		b.Queue(addConsent, c.community, c.Person, c.Template, c.By)
	}
	return nil
}
