package ground

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// stretch is how much slower the past was than the loops that it is made of, which
// take seconds: hours.
const stretch = 2000

// past makes n tickets that ended, each with its events, its messages, its push and the
// words by which it is found, out of those that ended here: number, people and times
// are their own. Numbers rise with the time of filing; the newest is two days old.
//
// $1 is the community, $2 the first number, $3 how many, $4 the first person, $5 how
// many people.
var past = []string{
	`CREATE TEMP TABLE seed AS SELECT row_number() OVER (ORDER BY t.number) - 1 AS i, t.*, w.words,
			t.community || '/' || lpad(week.digits, 4, '0') AS week
		FROM ticket t JOIN ticket_words w USING (community, number), base36(floor(extract(epoch FROM t.filed_at) / 604800)::bigint) AS week(digits)
		WHERE t.community = $1 AND t.state = 'closed'`,
	`CREATE TEMP TABLE life AS SELECT $2 + j AS number, j % (SELECT count(*) FROM seed) AS i, $4 + j * 7919 % $5 AS person,
			now() - interval '2 days' - interval '1 year' * greatest(1, $3 / 1e6) * (1 - j::float8 / $3) AS filed_at
		FROM generate_series(0, $3::bigint - 1) j`,
	`INSERT INTO person (community, id, openid, following, name, phone)
		SELECT $1, $4 + g, 'past-resident-' || g, true, '', '' FROM generate_series(0, $5::bigint - 1) g`,
	`INSERT INTO talk (community, person, version, state, last_message_at)
		SELECT $1, $4 + g, 1, '{}', now() - interval '3 days' FROM generate_series(0, $5::bigint - 1) g`,
	`INSERT INTO message (community, delivery, person, type, body, reply, deferred, at)
		SELECT $1, 'past-' || lpad(l.number::text, 12, '0') || m.part, l.person, 'text', CASE m.part WHEN 'a' THEN s.body->>'text' ELSE '满意' END,
			'收到,编号 ' || l.number, false, l.filed_at + m.after
		FROM life l JOIN seed s USING (i), (VALUES ('a', interval '0'), ('b', interval '1 day')) m(part, after) ORDER BY l.number`,
	`INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, next_due, filed_at, ended_at,
			helpers, support, outside, resolved_at, late_since, changed_at, pressing_of, body)
		SELECT $1, l.number, s.version, s.state, s.stand, s.kind, s.category, s.severity, s.grid, s.level, s.owner, l.person, NULL, l.filed_at, later(s.ended_at, s.filed_at, l.filed_at),
			'{}', s.support, s.outside, later(s.resolved_at, s.filed_at, l.filed_at), NULL, later(s.changed_at, s.filed_at, l.filed_at), s.version,
			s.body || jsonb_build_object('number', l.number, 'reporter', l.person, 'filed_at', l.filed_at, 'since', l.filed_at, 'classified_at', l.filed_at, 'assigned_at', l.filed_at,
				'accepted_at', later((s.body->>'accepted_at')::timestamptz, s.filed_at, l.filed_at), 'resolved_at', later(s.resolved_at, s.filed_at, l.filed_at),
				'reported_at', later((s.body->>'reported_at')::timestamptz, s.filed_at, l.filed_at),
				'ended_at', later(s.ended_at, s.filed_at, l.filed_at))
		FROM life l JOIN seed s USING (i) ORDER BY l.number`,
	`INSERT INTO event (community, number, seq, type, at, body)
		SELECT $1, l.number, e.seq, e.type, later(e.at, s.filed_at, l.filed_at), e.body || jsonb_build_object('at', later(e.at, s.filed_at, l.filed_at))
		FROM life l JOIN seed s USING (i) JOIN event e ON e.community = $1 AND e.number = s.number ORDER BY l.number, e.seq`,
	`INSERT INTO push (community, key, person, number, purpose, facts, status, channel, attempts, next_try, msg_id, created_at, sent_at)
		SELECT $1, lpad(l.number::text, 12, '0') || ':past', s.owner, l.number, p.purpose, p.facts, 'sent', p.channel, 1, l.filed_at, 1e15::bigint + l.number, l.filed_at, l.filed_at
		FROM life l JOIN seed s USING (i) CROSS JOIN LATERAL (SELECT * FROM push WHERE community = $1 AND number = s.number AND purpose = 'assigned' LIMIT 1) p ORDER BY l.number`,
	`INSERT INTO ticket_words (community, number, filed_at, words)
		SELECT $1, l.number, l.filed_at, array_to_tsvector(string_to_array(replace(w.lexemes, w.week, $1 || '/' || lpad(base36(floor(extract(epoch FROM l.filed_at) / 604800)::bigint), 4, '0')), E'\n'))
		FROM life l JOIN (SELECT i, week, array_to_string(tsvector_to_array(words), E'\n') AS lexemes FROM seed) w USING (i) ORDER BY l.number`,
}

// tools are functions of one session, for past.
const tools = `
	CREATE FUNCTION pg_temp.later(at timestamptz, was timestamptz, now timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$ SELECT now + (at - was) * %d $$;
	CREATE FUNCTION pg_temp.base36(n bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
	DECLARE out text := '';
	BEGIN
		WHILE n > 0 LOOP
			out := substr('0123456789abcdefghijklmnopqrstuvwxyz', (n %% 36)::int + 1, 1) || out;
			n := n / 36;
		END LOOP;
		RETURN out;
	END $$;
	SET search_path = public, pg_temp;
	SET synchronous_commit = off;
	SET maintenance_work_mem = '1GB';
	SET work_mem = '256MB'`

// Past fills the record with n tickets that ended before now, a million a year. Some
// that ended must be there to be made like. No replica may run meanwhile. It ends as
// autovacuum would leave the tables.
func (s *Stores) Past(ctx context.Context, n int64) error {
	conn, err := pgx.Connect(ctx, s.Postgres)
	if err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, fmt.Sprintf(tools, stretch)); err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	var first, seeds int64
	if err := conn.QueryRow(ctx, "UPDATE community SET next_number = next_number + $2 WHERE code = $1 RETURNING next_number - $2", Community, n).Scan(&first); err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	indexes, err := dropIndexes(ctx, conn, "ticket", "event", "message", "person", "talk", "push", "ticket_words")
	if err != nil {
		return err
	}
	args := map[string]any{"$1": "'" + Community + "'::text", "$2": fmt.Sprintf("%d::bigint", first), "$3": fmt.Sprintf("%d::bigint", n), "$4": "1000000000::bigint", "$5": fmt.Sprintf("%d::bigint", max(1000, n/10))}
	for _, sql := range past {
		for name, value := range args {
			sql = strings.ReplaceAll(sql, name, value.(string))
		}
		for _, f := range []string{"later(", "base36("} {
			sql = strings.ReplaceAll(sql, f, "pg_temp."+f)
		}
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("ground: filling the record: %w: %s", err, sql)
		}
	}
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM seed").Scan(&seeds); err != nil || seeds == 0 {
		return fmt.Errorf("ground: there was nothing to make a past of: %w", err)
	}
	for _, sql := range append(indexes, "VACUUM ANALYZE", "CHECKPOINT") {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("ground: %w: %s", err, sql)
		}
	}
	return nil
}

// dropIndexes drops what rows would be entered into one by one, and gives what makes
// it again.
func dropIndexes(ctx context.Context, conn *pgx.Conn, tables ...string) (again []string, err error) {
	found, err := conn.Query(ctx, `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY ($1) AND indexdef NOT LIKE 'CREATE UNIQUE%'`, tables)
	if err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	var name, definition string
	var drop []string
	if _, err := pgx.ForEachRow(found, []any{&name, &definition}, func() error {
		drop, again = append(drop, name), append(again, definition)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	if len(drop) == 0 {
		return nil, nil
	}
	_, err = conn.Exec(ctx, "DROP INDEX "+strings.Join(drop, ", "))
	return again, err
}
