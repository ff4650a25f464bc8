package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
	"github.com/wishdesk/wishdesk/workflow/learn"
	"github.com/wishdesk/wishdesk/workflow/ledger"
	"github.com/wishdesk/wishdesk/workflow/lesson"
	"github.com/wishdesk/wishdesk/workflow/property"
	"github.com/wishdesk/wishdesk/workflow/topic"
)

// large is a record of years: 200,000 tickets of two communities, 2% of them
// open, with their events, pushes, messages and people.
const large = `
	INSERT INTO person (community, id, key, name, openid, roles)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, i, 'k' || i, 'n' || i % 5000, 'o' || i,
			CASE WHEN i % 200 = 0 THEN '[{"kind":"worker"}]'::jsonb ELSE '[]' END FROM generate_series(1, 40000) i;
	UPDATE person SET phone = '199' || lpad(id::text, 8, '0'), became = CASE WHEN id % 100 < 2 THEN id + 2 END;
	INSERT INTO talk (community, person, version, state, last_message_at)
		SELECT community, id, 1, '{}', timestamptz '2026-01-01' FROM person;
	INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, next_due, filed_at, ended_at, pressing_of, body)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 1000 + i, 1, 'x',
			CASE i / 2 % 100 WHEN 0 THEN 'wall' WHEN 50 THEN 'tray' ELSE 'with' END, 'incident', '', 'minor', 'G' || i % 10,
			CASE WHEN i % 700 < 10 THEN 2 ELSE 1 END, i % 600, i % 40000,
			timestamptz '2026-01-01' + i * interval '1 minute', timestamptz '2024-01-01' + i * interval '5 minutes',
			CASE WHEN i / 2 % 50 = 0 THEN NULL ELSE timestamptz '2026-01-01' END, 1, '{"text":"something of a usual length, so that rows are of a usual size"}'
		FROM generate_series(1, 200000) i;
	UPDATE ticket SET helpers = CASE WHEN number % 4 = 0 AND ended_at IS NULL THEN ARRAY[number % 300] ELSE '{}' END,
		support = CASE WHEN stand = 'wall' AND number % 3 = 0 THEN number % 50 ELSE 0 END,
		outside = number % 5 = 0, changed_at = coalesce(ended_at, timestamptz '2026-01-30') + (number % 2800) * interval '1 minute', late_since = CASE WHEN ended_at IS NULL AND number % 3 = 0 THEN next_due END, pressing = CASE WHEN ended_at IS NULL THEN next_due END, resolved_at = CASE WHEN ended_at IS NOT NULL THEN timestamptz '2025-01-01' + number * interval '3 minutes' END;
	DO $$ DECLARE found text := pg_get_indexdef('ticket_words_found'::regclass); BEGIN
		DROP INDEX ticket_words_found;
		INSERT INTO ticket_words (community, number, filed_at, words)
			SELECT community, number, filed_at, array_to_tsvector(ARRAY(SELECT community || '/0' || substr(d, w / 1296 + 1, 1) || substr(d, w / 36 % 36 + 1, 1) || substr(d, w % 36 + 1, 1) || l
				FROM unnest(ARRAY['路灯', '灯坏', '坏' || chr(20000 + (number % 3000)::int), chr(20000 + (number % 3000)::int),
					'g=' || grid, 'e=东园', 'b=' || number % 20, 'c=' || number % 30]) l))
			FROM (SELECT *, (extract(epoch FROM filed_at) / 604800)::int AS w, '0123456789abcdefghijklmnopqrstuvwxyz' AS d FROM ticket) t;
		EXECUTE found;
	END $$;
	INSERT INTO unleft SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 1000 + i FROM generate_series(1, 20000) i;
	INSERT INTO api_key (community, name, hash, scopes, made_at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'k', sha256(i::text::bytea), '{read}', timestamptz '2026-01-01' FROM generate_series(1, 20000) i;
	UPDATE person SET home = jsonb_build_object('estate', 'E' || id % 20, 'building', 1 + id % 60);
	INSERT INTO topic (community, number, version, state, scope, until, body)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, i, 1, CASE i / 2 % 500 WHEN 0 THEN 'voting' WHEN 1 THEN 'proposed' ELSE 'decided' END,
			'E' || i % 20 || ':' || i % 60, timestamptz '2026-01-01' + i * interval '1 minute', '{"text":"something of a usual length","scope":{"level":"estate","estate":"E2"}}' FROM generate_series(1, 20000) i;
	INSERT INTO topic_voter (community, number, voter, person) SELECT community, number, 'v' || k, k FROM topic, generate_series(1, 10) k;
	INSERT INTO topic_tally (community, number, choice) SELECT community, number, unnest(ARRAY['for', 'against', 'abstain']) FROM topic;
	INSERT INTO topic_result (community, number, yes, no, abstain, quorum, outcome, at)
		SELECT community, number, 6, 3, 1, 5, 'decided', timestamptz '2025-01-01' + number * interval '30 minutes' FROM topic;
	INSERT INTO care (community, key, name, kind, place, grid, every, next_visit)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'k' || i, 'n' || i % 5000, 'disabled', '{}', 'G' || i % 10, 7,
			timestamptz '2026-01-01' + i * interval '1 hour' FROM generate_series(1, 20000) i;
	INSERT INTO lesson (community, id, branch, body, at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 1000 + i, CASE i / 2 % 20 WHEN 0 THEN '' ELSE 'b' || i / 2 % 20 END, '{"title":"a lesson"}',
			timestamptz '2025-01-01' + i * interval '1 hour' FROM generate_series(1, 20000) i;
	INSERT INTO lesson_plan (community, branch, lesson, day, by)
		SELECT community, 'b' || n, id, date '2020-01-01' + (id % 3000)::int, 1 FROM lesson, generate_series(1, 5) n;
	INSERT INTO lesson_done (community, lesson, person, deed, at)
		SELECT community, id, n * 4, CASE n % 2 WHEN 0 THEN 'given' ELSE 'read' END, at FROM lesson, generate_series(1, 10) n;
	INSERT INTO study_hour (community, person, hour) SELECT community, id, 7 FROM person WHERE id % 20 < 2;
	INSERT INTO lesson_question (community, id, lesson, person, teacher, body, at, answered_at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 1000 + i, 1000 + i, i % 4000, 1, 'a', timestamptz '2026-01-01' + i * interval '1 minute',
			CASE WHEN i % 100 > 1 THEN timestamptz '2026-02-01' END FROM generate_series(1, 20000) i;
	INSERT INTO ledger (community, cause, person, why, gives, takes, points, at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'wish:' || i, i % 20000, 'wish', 'mint', 'purse', 20,
			timestamptz '2025-01-01' + i * interval '9 minutes' FROM generate_series(1, 60000) i;
	UPDATE purse SET held = 1000, ranked = person % 100 < 2, warned = CASE WHEN person % 100 < 4 THEN 0 ELSE 2025 END, ended = CASE WHEN person % 100 < 6 THEN 0 ELSE 2025 END;
	INSERT INTO reward (community, id, cause, name, price, stock)
		SELECT CASE i % 100 WHEN 0 THEN 'east' ELSE 'west' END, i, i, 'a usual reward', 20, 5 FROM generate_series(1, 20000) i;
	INSERT INTO reward_order (community, cause, person, reward, points, hash, state, ended_at, made_at, until)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, i, i % 20000, CASE i % 2 WHEN 0 THEN 100 ELSE 101 END, 20, sha256(i::text::bytea),
			CASE WHEN i % 100 < 2 THEN 'waits' ELSE 'handed' END, timestamptz '2025-01-01' + i * interval '9 minutes', timestamptz '2026-01-01', timestamptz '2026-01-08' + i * interval '1 minute' FROM generate_series(1, 60000) i;
	INSERT INTO fund (community, id, cause, day, item, words, fen, paper, strikes, by, at)
		SELECT CASE i % 100 WHEN 0 THEN 'east' ELSE 'west' END, i, i, date '2020-01-01' + i % 2000, 'x', 'a usual line', 100, 'p', CASE WHEN i % 300 = 0 THEN i - 100 ELSE 0 END, 1, timestamptz '2025-01-01' + i * interval '30 minutes'
		FROM generate_series(1, 20000) i;
	INSERT INTO round (community, id, kind, person, grid, place, body, at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'r' || i, 'patrol', i % 600, 'G' || i % 10, '{}', 'a usual patrol',
			timestamptz '2025-01-01' + i * interval '2 minutes' FROM generate_series(1, 200000) i;
	INSERT INTO round (community, id, kind, person, grid, place, body, at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'i' || i, 'inspection', i % 600, 'G' || i % 10, '{}', 'a usual inspection',
			timestamptz '2025-01-01' + i * interval '20 minutes' FROM generate_series(1, 20000) i;
	INSERT INTO appraisal (community, month, body, closed_at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, to_char(1000 + i / 2, 'FM0000') || '-09', '{}', now() FROM generate_series(1, 5000) i;
	INSERT INTO objection (community, month, line, person, words, at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, to_char(1000 + i / 20, 'FM0000') || '-09', 'overdue:' || i, 1, 'why', now() FROM generate_series(1, 20000) i;
	INSERT INTO objection_outcome SELECT community, month, line, true, 1, 'so', now() FROM objection;
	INSERT INTO event (community, number, seq, type, at, body)
		SELECT community, number, s, CASE s WHEN 1 THEN 'filed' ELSE 'accepted' END, filed_at, '{}' FROM ticket, generate_series(1, 2) s;
	INSERT INTO push (community, key, person, number, purpose, facts, status, channel, next_try, msg_id, created_at, sent_at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, i || ':accepted', i % 40000, 1000 + i, 'accepted', '{}',
			CASE i / 2 % 200 WHEN 0 THEN 'owed' WHEN 1 THEN 'manual' WHEN 2 THEN 'dropped' WHEN 3 THEN 'unknown' ELSE 'sent' END, CASE i / 2 % 3 WHEN 0 THEN 'template' ELSE 'custom' END,
			timestamptz '2026-01-01' + i * interval '1 minute', CASE i / 2 % 3 WHEN 0 THEN i END,
			timestamptz '2026-01-01' + i * interval '1 minute', timestamptz '2026-01-01' + i * interval '1 minute'
		FROM generate_series(1, 200000) i;
	INSERT INTO message (community, delivery, person, type, body, reply, deferred, at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'd' || i, i % 40000, 'text', 'a', 'b', false, now() FROM generate_series(1, 100000) i;
	INSERT INTO media (community, id, person, wechat_id, type, status, created_at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'm' || i, 1, 'w', 'image', CASE WHEN i % 500 < 2 THEN 'owed' ELSE 'stored' END,
			timestamptz '2026-01-01' + i * interval '1 minute' FROM generate_series(1, 60000) i;
	INSERT INTO consent (community, person, template, remaining) SELECT community, id, 'T', 1 FROM person;
	INSERT INTO bind_code (community, hash, person, expires_at)
		SELECT community, sha256(key::bytea), id, timestamptz '2027-01-01' FROM person;
	INSERT INTO sample (community, number, body, guess, kind, category, severity, by, at)
		SELECT community, number, 'a', '', 'incident', 'noise', 'minor', 1, filed_at FROM ticket WHERE number % 10 = 0;
	INSERT INTO hotline (community, number, at, category)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'h' || i, timestamptz '2025-01-01' + i * interval '20 minutes', 'x' FROM generate_series(1, 50000) i;
	INSERT INTO community_version (community, version, doc, author, applied_at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 1 + i, 'a document of some length', 'a', now() FROM generate_series(1, 20000) i;
	INSERT INTO model (community, version, body, scores, samples, author, made_at, used_from, ended_at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 1 + i, '\x00', '{}', 1, 'a', now(), now(), CASE WHEN i > 2 THEN now() END FROM generate_series(1, 20000) i;
	INSERT INTO digest (community, week, body, sent_at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, to_char(1000 + i, 'FM0000') || '-W09', '{}', now() FROM generate_series(1, 5000) i;
	INSERT INTO session (community, hash, person, how, created_at, seen_at, expires_at)
		SELECT community, sha256(id::text::bytea), id, 'link', timestamptz '2026-01-01', timestamptz '2026-01-01', timestamptz '2026-03-01' + id * interval '1 minute' FROM person;
	INSERT INTO login (community, hash, kind, person, expires_at)
		SELECT community, sha256(id::text::bytea), 'scan', 0, timestamptz '2026-03-01' + id * interval '1 minute' FROM person;
	INSERT INTO audit (community, at, person, action, number)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, timestamptz '2026-01-01', i % 600, 'ticket.look', 1000 + i FROM generate_series(1, 200000) i;
	INSERT INTO dead_letter (community, queue, body, reason, at)
		SELECT CASE i % 2 WHEN 0 THEN 'east' ELSE 'west' END, 'tick', '', '', now() FROM generate_series(1, 20000) i`

// overheard keeps every statement that the store sends.
type overheard struct {
	mu   sync.Mutex
	sent []heard
}

type heard struct {
	sql  string
	args []any
}

func (o *overheard) add(sql string, args []any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, heard{sql, args})
}
func (o *overheard) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	o.add(d.SQL, d.Args)
	return ctx
}
func (o *overheard) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (o *overheard) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (o *overheard) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	o.add(d.SQL, d.Args)
}
func (o *overheard) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// Every statement that the store sends finds its rows by an index, in a large
// record, with the values at hand and without knowing them (as prepared
// statements are planned after a while).
func TestEveryQueryHasItsIndex(t *testing.T) {
	url := freshURL(t)
	plain := openStore(t, url, nil)
	patient, cancel := context.WithTimeout(t.Context(), 8*time.Minute) // half a minute on a machine with nothing else to do
	defer cancel()
	if _, err := plain.pool.Exec(patient, large, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	// VACUUM, as its daemon would: whether an index alone answers depends on it.
	if _, err := plain.pool.Exec(patient, "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	ear := &overheard{}
	s := openStore(t, url, func(c *pgxpool.Config) { c.ConnConfig.Tracer = ear })
	c, now := ctx(t), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	bg := []error{}
	add := func(err error) { bg = append(bg, err) }
	newTicket := opened(here, 900_001)
	change := func(n int) desk.Change {
		return desk.Change{
			Community: here, Delivery: said(fmt.Sprint("new", n)), NewPerson: &workflow.Person{ID: workflow.PersonID(900_000 + n), Community: here, OpenID: fmt.Sprint("new", n)},
			Following: &desk.Following{Person: 2}, Home: &desk.Home{Person: 2}, Talk: talked(workflow.PersonID(900_000+n), 0, `{}`),
			Tickets: []desk.TicketChange{opened(here, int64(900_000+n))}, Pushes: []desk.Push{owed(fmt.Sprint("new", n), 2)},
			Media:   []desk.MediaFile{{ID: fmt.Sprint("new", n), CreatedAt: now}},
			Attach:  []desk.Attach{{Number: 900_001, IDs: []string{"m2", "m4"}}},
			Contact: &desk.Contacted{Person: 2, Phone: "13800138000"},
			Away:    &desk.Away{Person: 2, Leave: workflow.Leave{From: now, Until: now.AddDate(0, 0, 1)}},
			Rounds:  []workflow.Round{{ID: fmt.Sprint("new", n), Kind: workflow.HomeVisit, By: 2, Care: 2, At: now}},
		}
	}
	var many []desk.Change
	for n := range maxBatch {
		many = append(many, change(n+10))
	}

	look := func(q desk.Query) func() {
		return func() { _, err := s.Search(c, here, q); add(err) }
	}
	old := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)

	for _, q := range []struct {
		name  string
		index []string // at least these
		call  func()
	}{
		{"Commit", []string{"message_pkey", "ticket_pkey", "talk_pkey", "person_openid", "person_pkey", "media_pkey", "care_pkey"}, func() { add(s.Commit(c, change(1))) }},
		{"Commit again", []string{"ticket_pkey", "talk_pkey"}, func() {
			add(s.Commit(c, desk.Change{Community: here, Talk: talked(900_001, 1, `{}`), Tickets: []desk.TicketChange{noted(newTicket.Ticket, "x")}}))
		}},
		{"Commit of a full batch", []string{"message_pkey", "ticket_pkey", "talk_pkey", "person_openid"}, func() {
			for _, err := range batchOf(s, many...) {
				add(err)
			}
		}},
		{"NextNumber", nil, func() { _, err := s.NextNumber(c, here); add(err) }},
		{"NextPerson", nil, func() { _, err := s.NextPerson(c); add(err) }},
		{"Ticket", []string{"ticket_pkey"}, func() { _, _ = s.Ticket(c, here, 1002) }},
		{"Events", []string{"event_pkey"}, func() { _, err := s.Events(c, here, 1002); add(err) }},
		{"Filings", []string{"event_pkey"}, func() { _, err := s.Filings(c, here, []int64{1002, 1003}); add(err) }},
		{"Names", []string{"event_pkey", "ticket_pkey", "person_pkey"}, func() { _, err := s.Names(c, here, []int64{1002, 1003}); add(err) }},
		{"Owned", []string{"ticket_owned"}, func() { _, err := s.Owned(c, here, 4, 20); add(err) }},
		{"Reported", []string{"ticket_reported"}, func() { _, err := s.Reported(c, here, 4, true, 20); add(err) }},
		{"Reported, open", []string{"ticket_reported"}, func() { _, err := s.Reported(c, here, 4, false, 20); add(err) }},
		{"Wall", []string{"ticket_wall"}, func() { _, err := s.Wall(c, here, 1002, 20); add(err) }},
		{"Tray", []string{"ticket_tray"}, func() { _, err := s.Tray(c, here, "G4", 20); add(err) }},
		{"Risen", []string{"ticket_risen"}, func() { _, err := s.Risen(c, here, 2, 4, 20); add(err) }},
		{"Risen from 1", []string{"ticket_open"}, func() { _, err := s.Risen(c, here, 1, 0, 20); add(err) }},
		{"OpenTickets", []string{"ticket_open"}, func() { add(s.OpenTickets(c, here, func(workflow.Ticket) error { return nil })) }},
		{"DueTickets", []string{"ticket_due"}, func() { _, err := s.DueTickets(c, here, now, 20); add(err) }},
		{"Loads", []string{"ticket_owned"}, func() { _, err := s.Loads(c, here); add(err) }},
		{"Delivered", []string{"message_pkey"}, func() { _, _, err := s.Delivered(c, here, "d2"); add(err) }},
		{"PersonByOpenID", []string{"person_openid"}, func() { _, _, err := s.PersonByOpenID(c, here, "o4"); add(err) }},
		{"Person", []string{"person_pkey"}, func() { _, err := s.Person(c, here, 2); add(err) }},
		{"People", []string{"person_staff"}, func() { _, err := s.People(c, here); add(err) }},
		{"FindPerson", []string{"person_key"}, func() { _, err := s.FindPerson(c, here, "k4"); add(err) }},
		{"FindPerson by name", []string{"person_name"}, func() { _, err := s.FindPerson(c, here, "n4"); add(err) }},
		{"UpsertPerson", nil, func() { _, err := s.UpsertPerson(c, "k2", workflow.Person{Community: here}); add(err) }},
		{"NewBindCode", []string{"bind_code_person", "bind_code_pkey"}, func() { add(s.NewBindCode(c, here, 6, "1", now.AddDate(1, 0, 0))) }},
		{"Bind", []string{"bind_code_pkey", "person_openid"}, func() { _, _, err := s.Bind(c, here, "1", "fresh", now); add(err) }},
		{"Talk", []string{"talk_pkey"}, func() { _, _, err := s.Talk(c, here, 2); add(err) }},
		{"Communities", nil, func() { _, err := s.Communities(c); add(err) }},
		{"CommunityDocument", []string{"community_version_pkey"}, func() { _, err := s.CommunityDocument(c, here, 1); add(err) }},
		{"CommunityDocument that stands", []string{"community_version_pkey"}, func() { _, err := s.CommunityDocument(c, here, 0); add(err) }},
		{"CommunityVersions", []string{"community_version_pkey"}, func() { _, err := s.CommunityVersions(c, here, 40, 20); add(err) }},
		{"Shape", []string{"person_staff", "model_in_use"}, func() { _, err := s.Shape(c, here); add(err) }},
		{"TakePush", []string{"push_pkey"}, func() { _, _, err := s.TakePush(c, here, "400:accepted", now, time.Minute); add(err) }},
		{"FinishPush", []string{"push_pkey"}, func() { add(s.FinishPush(c, here, "400:accepted", desk.PushOutcome{Status: desk.PushSent, At: now})) }},
		{"OwedPushes", []string{"push_owed"}, func() { _, err := s.OwedPushes(c, here, now, 20); add(err) }},
		{"PushesOf", []string{"push_ticket"}, func() { _, err := s.PushesOf(c, here, 1007); add(err) }},
		{"PushByMsgID", []string{"push_msg_id"}, func() { _, _, err := s.PushByMsgID(c, here, 6); add(err) }},
		{"LastSubscribe", []string{"push_subscribe"}, func() { _, _, err := s.LastSubscribe(c, here, 2); add(err) }},
		{"ManualPushes", []string{"push_manual"}, func() { _, err := s.ManualPushes(c, here, desk.Manual{Grids: []string{"G1"}}, 20); add(err) }},
		{"PushFailures", []string{"push_failed"}, func() { _, err := s.PushFailures(c, here, 20); add(err) }},
		{"Contact", []string{"talk_pkey", "push_custom", "consent_pkey"}, func() { _, err := s.Contact(c, here, 2); add(err) }},
		{"Consent", []string{"consent_pkey"}, func() { _, err := s.Consent(c, here, 2, "T", -1); add(err) }},
		{"MediaToFetch", []string{"media_owed"}, func() { _, err := s.MediaToFetch(c, here, 20); add(err) }},
		{"Media", []string{"media_pkey"}, func() { _, err := s.Media(c, here, "m2"); add(err) }},
		{"Heard", []string{"media_pkey"}, func() { add(s.Heard(c, here, "m2")) }},
		{"FinishMedia", []string{"media_pkey"}, func() { add(s.FinishMedia(c, here, "m2", desk.MediaStored, "", 1)) }},
		{"DeadLetter", nil, func() { add(s.DeadLetter(c, here, "q", nil, "", now)) }},
		{"DeadLetters", []string{"dead_letter_pkey"}, func() { _, err := s.DeadLetters(c, here, 20); add(err) }},
		{"Near", []string{"ticket_near"}, func() {
			_, err := s.Near(c, here, workflow.Place{Estate: "东院", Building: 4}, "", now.AddDate(-2, 0, 0), 20)
			add(err)
		}},
		{"Samples", []string{"sample_pkey"}, func() { add(s.Samples(c, here, func(desk.Sample) error { return nil })) }},
		{"Corrections", []string{"sample_at"}, func() { _, err := s.Corrections(c, here, now, 2000, 20); add(err) }},
		{"Corrections, newest", []string{"sample_at"}, func() { _, err := s.Corrections(c, here, time.Time{}, 0, 20); add(err) }},
		{"CorrectionCounts", []string{"sample_what"}, func() { _, err := s.CorrectionCounts(c, here); add(err) }},
		{"KeepModel", []string{"model_pkey"}, func() { _, err := s.KeepModel(c, here, learn.Model{MadeAt: now}, []byte("x")); add(err) }},
		{"Models", []string{"model_pkey"}, func() { _, err := s.Models(c, here, 40, 20); add(err) }},
		{"ModelBody", []string{"model_pkey"}, func() { _, err := s.ModelBody(c, here, 3); add(err) }},
		{"ModelInUse", []string{"model_in_use"}, func() { _, err := s.ModelInUse(c, here); add(err) }},
		{"UseModel", []string{"model_in_use", "model_pkey"}, func() { add(s.UseModel(c, here, 5, now)) }},
		{"EndModel", []string{"model_in_use"}, func() { add(s.EndModel(c, here, now)) }},
		{"DeadLetterByID", []string{"dead_letter_pkey"}, func() { _, _, err := s.DeadLetterByID(c, here, 20); add(err) }},
		{"RemoveDeadLetter", []string{"dead_letter_pkey"}, func() { add(s.RemoveDeadLetter(c, here, 1<<40)) }},
		{"Topic", []string{"topic_pkey"}, func() { _, err := s.Topic(c, here, 1002); add(err) }},
		{"TopicsOf", []string{"topic_scope"}, func() { _, err := s.TopicsOf(c, here, []string{"E2:2", "E2"}, 5, 20); add(err) }},
		{"VotesIn", []string{"topic_voting"}, func() { _, err := s.VotesIn(c, here, []string{"E2:2", "E2"}, 20); add(err) }},
		{"Topics", []string{"topic_pkey"}, func() { _, err := s.Topics(c, here, 20); add(err) }},
		{"OpenTopics", []string{"topic_open"}, func() { _, err := s.OpenTopics(c, here); add(err) }},
		{"DueTopics", []string{"topic_open"}, func() { _, err := s.DueTopics(c, here, now); add(err) }},
		{"Voted", []string{"topic_voter_pkey", "topic_voter_person", "person_became"}, func() { _, err := s.Voted(c, here, 1002, "v3", 3); add(err) }},
		{"Voters", []string{"topic_voter_pkey"}, func() { _, err := s.Voters(c, here, 1002); add(err) }},
		{"Tally", []string{"topic_tally_pkey"}, func() { _, err := s.Tally(c, here, 1002); _ = err }},
		{"TopicResult", []string{"topic_result_pkey"}, func() { _, _, err := s.TopicResult(c, here, 1002); add(err) }},
		{"Sections, topics", []string{"topic_result_at"}, func() { _, err := s.topicSection(c, here, now, now.AddDate(0, 0, 7)); add(err) }},
		{"HowManyLiveIn", []string{"person_home"}, func() {
			_, err := s.HowManyLiveIn(c, here, topic.Scope{Level: topic.Building, Estate: "E2", Buildings: []int{3}})
			add(err)
		}},
		{"LivingIn", []string{"person_home"}, func() {
			_, err := s.LivingIn(c, here, topic.Scope{Level: topic.Building, Estate: "E2", Buildings: []int{3}}, 400, 200)
			add(err)
		}},
		{"Vote", []string{"topic_pkey", "topic_voter_pkey", "topic_voter_person", "topic_tally_pkey", "person_became"}, func() {
			add(s.Commit(c, desk.Change{Community: here, Votes: []topic.Vote{{Number: 2000, Voter: "fresh", Person: 99, Choice: topic.For}}}))
		}},
		{"Helped", []string{"ticket_helped"}, func() { _, err := s.Helped(c, here, 4, 20); add(err) }},
		{"Wished", []string{"ticket_wished"}, func() { _, err := s.Wished(c, here, 3); add(err) }},
		{"Solved", []string{"ticket_solved"}, func() { _, err := s.Solved(c, here, now.AddDate(0, 0, -30), now); add(err) }},
		{"Followed", nil, func() { _, err := s.Followed(c, here); add(err) }},
		{"Unleft", nil, func() { _, err := s.Unleft(c, here); add(err) }},
		{"WasLeft", nil, func() { add(s.WasLeft(c, here, 1002)) }},
		{"FollowedTo", nil, func() { add(s.FollowedTo(c, here, 1)) }},
		{"Commit of points and a line of the fund", []string{"purse_pkey", "fund_pkey"}, func() { // what the trigger does is a purse by its key
			add(s.Commit(c, desk.Change{Community: here, Earned: []ledger.Entry{{Cause: "fresh", Person: 4, Why: ledger.ForWish, Points: 1, At: now}}, Fund: []ledger.Line{
				{Cause: "fresh", On: "2026-01-01", Item: "x", Words: "x", Fen: 1, Paper: "p", At: now}, {Cause: "strike", On: "2026-01-01", Words: "x", Strikes: 400, At: now},
			}}))
			_, err := s.Purse(c, here, 4, 0)
			add(err)
		}},
		{"Purse", []string{"purse_pkey", "ledger_person"}, func() { _, err := s.Purse(c, here, 4, 30); add(err) }},
		{"Rank", nil, func() { add(s.Rank(c, here, 4, true)) }},
		{"Ranked", []string{"purse_ranked", "person_pkey", "ledger_person"}, func() { _, err := s.Ranked(c, here, now.AddDate(-1, 0, 0), 20); add(err) }},
		{"Rewards", []string{"reward_pkey"}, func() { _, err := s.Rewards(c, here, false); add(err) }},
		{"AddReward", []string{"reward_pkey", "reward_community_cause_key"}, func() {
			_, err := s.AddReward(c, here, "fresh", ledger.Reward{Name: "x", Price: 1, Stock: 1})
			add(err)
		}},
		{"ChangeReward", []string{"reward_pkey"}, func() {
			add(s.ChangeReward(c, here, ledger.Reward{ID: 200, Stock: 5}, ledger.Reward{Stock: 6}, now))
		}},
		{"Order", []string{"reward_pkey", "purse_pkey", "reward_order_community_cause_key", "reward_order_person"}, func() {
			_, err := s.Order(c, here, ledger.Order{Cause: "fresh", Person: 4, Reward: ledger.Reward{ID: 100}, Hash: []byte("fresh"), MadeAt: now, Until: now})
			_, again := s.Order(c, here, ledger.Order{Cause: "fresh", Person: 4, Reward: ledger.Reward{ID: 100}, Hash: []byte("again"), MadeAt: now, Until: now})
			add(err)
			add(again)
		}},
		{"OrdersOf", []string{"reward_order_person"}, func() { _, err := s.OrdersOf(c, here, 4); add(err) }},
		{"OrderOf", []string{"reward_order_code"}, func() { _, _ = s.OrderOf(c, here, []byte("none"), now) }},
		{"HandOver", []string{"reward_order_pkey"}, func() { _ = s.HandOver(c, here, 4, 1, now) }},
		{"Cancel", []string{"reward_order_pkey"}, func() { _ = s.Cancel(c, here, 4, 4, now) }},
		{"GiveBack", []string{"reward_order_until", "reward_order_pkey", "reward_pkey"}, func() { _, err := s.GiveBack(c, here, now, 5, quietly); add(err) }},
		{"Unwarned", []string{"purse_unwarned"}, func() { _, err := s.Unwarned(c, here, 2025, 5); add(err) }},
		{"Warned", []string{"purse_pkey"}, func() { add(s.Warned(c, here, 2025, []workflow.PersonID{4, 6})) }},
		{"EndYear", []string{"purse_unended", "ledger_person", "purse_pkey"}, func() { _, err := s.EndYear(c, here, 2025, now.AddDate(0, -1, 0), 5); add(err) }},
		{"Sections, the ledger's", []string{"ledger_earned", "reward_order_handed", "fund_at"}, func() { _, err := s.ledgerSection(c, here, now, now.AddDate(0, 0, 7)); add(err) }},
		{"Fund", []string{"fund_pkey", "fund_struck"}, func() { _, err := s.Fund(c, here, 5000, 20); add(err) }},
		{"FundLine", []string{"fund_pkey"}, func() { _, err := s.FundLine(c, here, 500); add(err) }},
		{"FundSums", []string{"fund_day"}, func() { _, err := s.FundSums(c, here, 2026); add(err) }},
		{"Residents", []string{"person_phone", "person_name"}, func() {
			_, err := s.Residents(c, here, "n4", "19900000004")
			_, again := s.Residents(c, here, "n4", "1")
			add(err)
			add(again)
		}},
		{"CareDue", []string{"care_due"}, func() { _, err := s.CareDue(c, here, []string{"G2", "G4"}, now, 20); add(err) }},
		{"CareNamed", []string{"care_name"}, func() { _, err := s.CareNamed(c, here, "n4"); add(err) }},
		{"Lesson", []string{"lesson_pkey"}, func() { _, err := s.Lesson(c, here, 1002); add(err) }},
		{"LessonsFor", []string{"lesson_branch"}, func() { _, err := s.LessonsFor(c, here, []string{"b4"}, 20); add(err) }},
		{"LessonsByID", []string{"lesson_pkey"}, func() { _, err := s.LessonsByID(c, here, []int64{1002, 1004}); add(err) }},
		{"LessonPlan", []string{"lesson_plan_day"}, func() { _, err := s.LessonPlan(c, here, "2026-01-01", "2026-01-08"); add(err) }},
		{"LessonDays", []string{"lesson_plan_pkey"}, func() { _, err := s.LessonDays(c, here, []string{"b4"}, []int64{1002, 1004}); add(err) }},
		{"LessonDone", []string{"lesson_done_pkey"}, func() { _, err := s.LessonDone(c, here, []int64{1002, 1004}); add(err) }},
		{"LessonDoneBy", []string{"lesson_done_person"}, func() { _, err := s.LessonDoneBy(c, here, 4, 20); add(err) }},
		{"StudyHours", []string{"study_hour_pkey"}, func() { _, err := s.StudyHours(c, here, []workflow.PersonID{20, 40}); add(err) }},
		{"LessonQuestion", []string{"lesson_question_pkey"}, func() { _, err := s.LessonQuestion(c, here, 1002); add(err) }},
		{"LessonAsked", []string{"lesson_question_open"}, func() { _, err := s.LessonAsked(c, here, 20); add(err) }},
		{"LessonAskedBy", []string{"lesson_question_person"}, func() { _, err := s.LessonAskedBy(c, here, 4, 20); add(err) }},
		{"PushFates", []string{"push_pkey"}, func() { _, err := s.PushFates(c, here, []string{"2:accepted", "4:accepted"}); add(err) }},
		{"DoorVisits", []string{"ticket_reported"}, func() { _, err := s.DoorVisits(c, here, []workflow.PersonID{4, 6}); add(err) }},
		{"Sections", []string{"lesson_done_at", "lesson_question_open", "ticket_solved"}, func() { _, err := s.Sections(c, here, old, old.AddDate(0, 0, 7)); add(err) }},
		{"Classwork", []string{"lesson_question_pkey", "lesson_plan_pkey"}, func() {
			add(s.Commit(c, desk.Change{Community: here, Classwork: desk.Classwork{
				Made: []lesson.Lesson{{ID: 900_001, At: now}}, Planned: []lesson.Planned{{Branch: "b4", Lesson: 900_001, Day: "2026-02-01"}}, Unplanned: []lesson.Planned{{Branch: "b4", Lesson: 900_001}},
				Done: []lesson.Done{{Lesson: 900_001, Person: 4, Deed: lesson.Read, At: now}}, Hours: []lesson.Hour{{Person: 4, Hour: 8}},
				Asked: []lesson.Question{{ID: 900_001, At: now}}, Answered: []lesson.Question{{ID: 900_001, Answer: "a", AnsweredAt: now}},
			}}))
		}},
		{"PutCare", []string{}, func() {
			_, err := s.PutCare(c, workflow.Care{Community: here, Name: "x", Every: 7, NextVisit: now})
			add(err)
		}},
		{"EndCare", []string{"care_pkey"}, func() { add(s.EndCare(c, here, 2)) }},
		{"AddKey", nil, func() {
			_, err := s.AddKey(c, here, access.Key{Name: "k", Scopes: access.Scopes, MadeAt: now}, []byte("h"))
			add(err)
		}},
		{"KeyOf", []string{"api_key_hash", "api_key_pkey"}, func() { _, _, err := s.KeyOf(c, here, []byte("h"), now); add(err) }},
		{"Keys", []string{"api_key_pkey"}, func() { _, err := s.Keys(c, here); add(err) }},
		{"EndKey", []string{"api_key_pkey"}, func() { add(s.EndKey(c, here, 2)) }},
		{"FiledByCategory", []string{"ticket_filed"}, func() { _, err := s.FiledByCategory(c, here, now.AddDate(0, 0, -30)); add(err) }},
		{"RoundsBy", []string{"round_person"}, func() { _, err := s.RoundsBy(c, here, 4, 30); add(err) }},
		{"RoundsOf", []string{"round_person"}, func() { _, err := s.RoundsOf(c, here, 4, workflow.Patrol, now.AddDate(0, 0, -1)); add(err) }},
		{"Search for nothing", []string{"ticket_filed", "ticket_pkey"}, look(desk.Query{})},
		{"Search, next page", []string{"ticket_filed", "ticket_pkey"}, look(desk.Query{Before: 5000})},
		{"Search by time", []string{"ticket_filed"}, look(desk.Query{From: old, Until: old.AddDate(0, 0, 7)})},
		{"Search by words", []string{"ticket_words_found", "ticket_pkey"}, look(desk.Query{Words: "路灯坏"})},
		{"Search by one sign", []string{"ticket_words_found"}, look(desk.Query{Words: "灯"})},
		{"Search by words and time", []string{"ticket_words_found"}, look(desk.Query{Words: "路灯", From: old, Until: old.AddDate(0, 0, 7)})},
		{"Search by words, open", []string{"ticket_words_found", "ticket_open"}, look(desk.Query{Words: "路灯", States: []workflow.State{workflow.Received}})},
		{"Search by words, place and state", []string{"ticket_words_found"}, look(desk.Query{Words: "路灯", Estate: "东园", Building: 3, States: []workflow.State{workflow.Merged}})},
		{"Search by number", []string{"ticket_pkey"}, look(desk.Query{Number: 5000, Words: "路灯"})},
		{"Search by place", []string{"ticket_words_found"}, look(desk.Query{Estate: "东园", Landmark: "槐树"})},
		{"Search by grid", []string{"ticket_words_found"}, look(desk.Query{Grids: []string{"G4", "G2"}, Kind: workflow.Incident})},
		{"Search by category", []string{"ticket_words_found"}, look(desk.Query{Categories: []workflow.Category{"4"}, Source: workflow.SourcePatrol})},
		{"Search by severity", []string{"ticket_filed"}, look(desk.Query{Severity: workflow.Emergency})},
		{"Search by grid, open", []string{"ticket_open"}, look(desk.Query{Grids: []string{"G4"}, States: []workflow.State{workflow.Received}})},
		{"Search by state", []string{"ticket_filed"}, look(desk.Query{States: []workflow.State{workflow.Cancelled}})},
		{"Search, open", []string{"ticket_open"}, look(desk.Query{States: []workflow.State{workflow.Received, workflow.Assigned}})},
		{"Search, late", []string{"ticket_late"}, look(desk.Query{Late: true, Words: "路灯"})},
		{"Search, changed", []string{"ticket_changed", "ticket_pkey"}, look(desk.Query{Changed: now, Before: 5000})},
		{"Search, changed and words", []string{"ticket_changed", "ticket_words_pkey"}, look(desk.Query{Changed: now, Words: "路灯", Level: 2})},
		{"Search by level", []string{"ticket_filed"}, look(desk.Query{Level: 2})},
		{"Search by people", []string{"ticket_handled", "ticket_reported"}, look(desk.Query{Reporters: []workflow.PersonID{4, 6}, Owners: []workflow.PersonID{8}})},
		{"Search by people and words", []string{"ticket_handled", "ticket_words_pkey"}, look(desk.Query{Owners: []workflow.PersonID{8}, Words: "路灯"})},
		{"Overdue", []string{"ticket_late"}, func() { _, err := s.Overdue(c, here, "", 20); add(err) }},
		{"Overdue of a grid", []string{"ticket_late"}, func() { _, err := s.Overdue(c, here, "G4", 20); add(err) }},
		{"HandledBy", []string{"ticket_handled"}, func() { _, err := s.HandledBy(c, here, 4, 1002, 20); add(err) }},
		{"ServiceMatters", []string{"event_counted", "event_thanked", "event_pkey", "ticket_pkey"}, func() {
			add(s.ServiceMatters(c, here, []workflow.PersonID{4}, old, old.AddDate(0, 0, 3), func(property.Matter) error { return nil }))
		}},
		{"Inspections", []string{"round_inspected"}, func() { _, err := s.Inspections(c, here, old, old.AddDate(0, 1, 0)); add(err) }},
		{"Inspection", []string{"round_pkey"}, func() { _, _, err := s.Inspection(c, here, "i2"); add(err) }},
		{"ClosedSheet", []string{"appraisal_pkey"}, func() { _, _, err := s.ClosedSheet(c, here, property.Month{Year: 2026, Month: 1}); add(err) }},
		{"ClosedSheets", []string{"appraisal_pkey"}, func() { _, err := s.ClosedSheets(c, here, 24); add(err) }},
		{"CloseSheet", []string{"appraisal_pkey"}, func() {
			_, err := s.CloseSheet(c, property.Sheet{Community: here, Month: property.Month{Year: 2026, Month: 1}})
			add(err)
		}},
		{"Objections", []string{"objection_pkey", "objection_outcome_pkey"}, func() { _, err := s.Objections(c, here, property.Month{Year: 1990, Month: 1}); add(err) }},
		{"Object", nil, func() {
			_, err := s.Object(c, here, property.Objection{Month: property.Month{Year: 2026, Month: 1}, Line: "x", At: now})
			add(err)
		}},
		{"Settle", []string{"objection_pkey"}, func() {
			_, err := s.Settle(c, here, property.Month{Year: 2026, Month: 1}, "x", property.Outcome{At: now})
			add(err)
		}},
		{"RoundsSince", []string{"round_grid"}, func() { _, err := s.RoundsSince(c, here, []string{"G2", "G4"}, now.AddDate(-1, 0, 0), 20); add(err) }},
		{"Day", []string{"ticket_filed", "ticket_solved", "event_counted"}, func() { _, err := s.Day(c, here, old, old.AddDate(0, 0, 1)); add(err) }},
		{"Words of old tickets", []string{"ticket_pkey"}, func() {
			_, err := plain.pool.Exec(c, "UPDATE community SET worded = 200900 WHERE code = $1", here)
			add(err)
			add(s.wordOld(c))
		}},
		{"Leave", []string{"person_staff"}, func() { add(s.Leave(c, here, 200)) }},
		{"Matters", []string{"event_counted", "ticket_pkey", "event_pkey"}, func() {
			add(s.Matters(c, here, now, now.AddDate(0, 0, 7), func(*digest.Matter) error { return nil }))
		}},
		{"OpenAt", []string{"ticket_open", "ticket_changed", "event_pkey"}, func() { add(s.OpenAt(c, here, now, func(workflow.Ticket) error { return nil })) }},
		{"Troubles", []string{"ticket_filed"}, func() { _, err := s.Troubles(c, here, now, now.AddDate(0, 0, 7)); add(err) }},
		{"Messages", []string{"message_at"}, func() { _, err := s.Messages(c, here, now, now.AddDate(0, 0, 7)); add(err) }},
		{"PutHotline", nil, func() { _, err := s.PutHotline(c, here, []desk.Complaint{{Number: "fresh", At: now}}); add(err) }},
		{"Hotline", []string{"hotline_at"}, func() { _, _, err := s.Hotline(c, here, now, now.AddDate(0, 0, 7)); add(err) }},
		{"KeepDigest", nil, func() { _, err := s.KeepDigest(c, digest.Digest{Community: here, MadeAt: now}); add(err) }},
		{"SentDigest", []string{"digest_pkey"}, func() { _, _, err := s.SentDigest(c, here, digest.Week{Year: 2026, Number: 2}); add(err) }},
		{"LastDigests", []string{"digest_pkey"}, func() { _, err := s.LastDigests(c, here, digest.Week{Year: 2026, Number: 9}, 5); add(err) }},
		{"NewSession", []string{"session_expires"}, func() {
			add(s.NewSession(c, here, access.Session{Hash: access.Hash("fresh"), Person: 2, CreatedAt: now, ExpiresAt: now}))
		}},
		{"Session", []string{"session_pkey"}, func() { _, _, err := s.Session(c, here, access.Hash("2"), now, now); add(err) }},
		{"EndSession", []string{"session_pkey"}, func() { add(s.EndSession(c, here, access.Hash("2"))) }},
		{"EndSessions", []string{"session_person"}, func() { _, err := s.EndSessions(c, here, 4); add(err) }},
		{"NewLogin", []string{"login_expires"}, func() {
			add(s.NewLogin(c, here, access.Login{Hash: access.Hash("fresh"), ExpiresAt: now}, now))
		}},
		{"Login", []string{"login_pkey"}, func() { _, _, err := s.Login(c, here, access.Hash("2"), now); add(err) }},
		{"AgreeLogin", []string{"login_pkey"}, func() { _, err := s.AgreeLogin(c, here, access.Hash("2"), 2, now); add(err) }},
		{"UseLogin", []string{"login_pkey"}, func() { _, err := s.UseLogin(c, here, access.Hash("2"), now); add(err) }},
		{"Audit", nil, func() { add(s.Audit(c, here, access.Entry{At: now})) }},
		{"AuditDeed", nil, func() { _, err := s.AuditDeed(c, here, access.Entry{At: now}); add(err) }},
		{"AuditOutcome", nil, func() { add(s.AuditOutcome(c, here, 1, now, access.Done, "")) }},
		{"AuditLook", []string{"audit_person", "audit_of"}, func() {
			_, err := s.AuditLook(c, here, access.Entry{At: now, Person: 4, Action: "today.look"}, now.Add(-time.Hour))
			add(err)
		}},
		{"AuditLog", []string{"audit_pkey"}, func() { _, err := s.AuditLog(c, here, access.Entries{Before: 100_000, Limit: 50}); add(err) }},
		{"AuditLog of a person", []string{"audit_person"}, func() { _, err := s.AuditLog(c, here, access.Entries{Person: 4, Limit: 50}); add(err) }},
		{"AuditLog of a ticket", []string{"audit_number"}, func() { _, err := s.AuditLog(c, here, access.Entries{Number: 1002, Limit: 50}); add(err) }},
		{"PeopleOf", []string{"person_pkey"}, func() { _, err := s.PeopleOf(c, here, []workflow.PersonID{4, 400, 401}); add(err) }},
		{"ChangePerson", []string{"person_staff"}, func() {
			seen, err := s.Person(c, here, 400)
			add(err)
			add(s.ChangePerson(c, seen, workflow.Person{Community: here, ID: 400, Roles: []workflow.Role{{Kind: workflow.RoleWorker}}}))
		}},
		{"Stats", []string{"ticket_due", "push_owed", "push_manual", "media_owed"}, func() { _, err := s.Stats(c, now); add(err) }},
	} {
		t.Run(q.name, func(t *testing.T) {
			ear.sent, bg = nil, nil
			q.call()
			for _, err := range bg {
				must(t, err)
			}
			for _, generic := range []bool{false, true} {
				var used []string
				for _, st := range ear.sent {
					if !regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)`).MatchString(st.sql) {
						continue
					}
					p := explain(t, plain, st, generic)
					p.walk(func(n *plan) {
						used = append(used, n.Index)
						if n.Type == "Seq Scan" && n.Relation != "community" {
							t.Errorf("reads all of %s (generic: %v):\n%s", n.Relation, generic, st.sql)
						}
					})
				}
				for _, index := range q.index {
					if !slices.Contains(used, index) {
						t.Errorf("does not use %s (generic: %v), but %v", index, generic, used)
					}
				}
			}
		})
	}
}

// plan is a node of EXPLAIN (FORMAT JSON).
type plan struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Plans    []plan `json:"Plans"`
}

func (p *plan) walk(f func(*plan)) {
	f(p)
	for i := range p.Plans {
		p.Plans[i].walk(f)
	}
}

var parameter = regexp.MustCompile(`\$(\d+)`)

func explain(t *testing.T, s *Store, st heard, generic bool) *plan {
	t.Helper()
	conn, err := s.pool.Acquire(ctx(t))
	must(t, err)
	defer conn.Release()
	var out []byte
	if !generic {
		must(t, conn.QueryRow(ctx(t), "EXPLAIN (FORMAT JSON) "+st.sql, append([]any{pgx.QueryExecModeExec}, st.args...)...).Scan(&out))
	} else {
		params := 0
		for _, m := range parameter.FindAllStringSubmatch(st.sql, -1) {
			n, err := strconv.Atoi(m[1])
			must(t, err)
			params = max(params, n)
		}
		values := ""
		if params > 0 {
			values = "(" + strings.TrimSuffix(strings.Repeat("NULL,", params), ",") + ")"
		}
		for _, sql := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE q AS " + st.sql} {
			_, err := conn.Exec(ctx(t), sql, pgx.QueryExecModeSimpleProtocol)
			must(t, err)
		}
		must(t, conn.QueryRow(ctx(t), "EXPLAIN (FORMAT JSON) EXECUTE q"+values, pgx.QueryExecModeSimpleProtocol).Scan(&out))
		for _, sql := range []string{"DEALLOCATE q", "RESET plan_cache_mode"} {
			_, err := conn.Exec(ctx(t), sql)
			must(t, err)
		}
	}
	var plans []struct{ Plan plan }
	must(t, json.Unmarshal(out, &plans))
	return &plans[0].Plan
}
