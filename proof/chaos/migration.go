package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wishdesk/wishdesk/proof/ground"
	"github.com/wishdesk/wishdesk/workflow"
)

// laidAt is the schema of the older record that is migrated.
const laidAt = 6

// gate stops a migration in its middle, at a statement and not by chance: after the nth
// statement of DDL of the migration that follows version after, or, with nth 0, halfway
// through its UPDATE of the tickets; and after the first statement of any later one, or
// in the words that are written last. It waits there for a lock that the proof has.
const gate = `
	CREATE SCHEMA gate;
	CREATE TABLE gate.stop (after bigint, nth int);
	INSERT INTO gate.stop VALUES (0, 0);
	CREATE FUNCTION gate.pass(n int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF EXISTS (SELECT FROM gate.stop s, (SELECT max(version_id) AS version FROM public.goose_db_version) now
			WHERE s.after = now.version AND s.nth = n OR s.after < now.version AND n = 1) THEN
			PERFORM pg_advisory_xact_lock_shared(4711);
		END IF;
	END $$;
	CREATE FUNCTION gate.statement() RETURNS event_trigger LANGUAGE plpgsql AS $$
	DECLARE
		n int := coalesce(nullif(current_setting('gate.n', true), ''), '0')::int + 1;
	BEGIN
		PERFORM set_config('gate.n', n::text, true);
		PERFORM gate.pass(n);
	END $$;
	CREATE FUNCTION gate.row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM gate.pass(0); RETURN NEW; END $$;
	CREATE FUNCTION gate.page() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF to_jsonb(OLD)->>'worded' <> '0' THEN PERFORM gate.pass(1); END IF; -- the second page of words
		RETURN NEW;
	END $$;
	CREATE TRIGGER gate BEFORE UPDATE ON ticket FOR EACH ROW WHEN (OLD.number = %d) EXECUTE FUNCTION gate.row();
	CREATE TRIGGER gate BEFORE UPDATE ON community FOR EACH ROW EXECUTE FUNCTION gate.page();
	CREATE EVENT TRIGGER gate ON ddl_command_end EXECUTE FUNCTION gate.statement()`

// migrating is a record that is migrated by two processes at once, which end and are
// started anew all the time.
type migrating struct {
	*ground.Field
	db *pgxpool.Pool

	versions []int64
	gate     *pgxpool.Conn // it has the gate's lock
	newest   int64
	files    map[int64]string    // of the migrations
	procs    map[string]*process // by the name of their sessions
	begun    int
	killed   int
	fallen   int // stops of PostgreSQL
}

type process struct {
	cmd  *exec.Cmd
	said bytes.Buffer
	end  chan struct{} // closed at its end
	err  error         // with which it ended
}

// migration lays the record of an older release, migrates it, breaks off in the middle
// of every migration by killing who migrates or PostgreSQL, two at it at once, and
// looks: the schema is that of a fresh record, each ticket is there and is what its
// events make, its columns say what it says, and the desk serves.
func migration(ctx context.Context, root string, p plan, say func(string, ...any)) (err error) {
	f, err := ground.Bare(ctx, root, ground.Options{})
	if err != nil {
		return err
	}
	m := &migrating{Field: f, procs: map[string]*process{}}
	defer func() {
		m.stop()
		dir := f.Dir
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.RemoveAll(dir)
		}
	}()
	versions, files, err := ground.Migrations(root)
	if err != nil {
		return err
	}
	m.versions, m.files, m.newest = versions, files, versions[len(versions)-1]
	began := time.Now()
	if err := f.Stores.Old(ctx, root, laidAt, p.tickets); err != nil {
		return err
	}
	if m.db, err = pgxpool.New(ctx, f.Stores.Postgres); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	if _, err := m.db.Exec(ctx, fmt.Sprintf(gate, ground.Halfway(p.tickets))); err != nil {
		return fmt.Errorf("chaos: the gate: %w", err)
	}
	if err := m.close(ctx); err != nil {
		return err
	}
	if err := m.refuses(ctx); err != nil {
		return err
	}
	if err := m.breakOff(ctx, p.every); err != nil {
		return err
	}
	if err := m.judge(ctx, p.tickets); err != nil {
		return err
	}
	if err := f.Open(ctx, ground.Options{Replicas: 1, Crew: 20}); err != nil {
		return err
	}
	reader, err := newReader(root)
	if err != nil {
		return err
	}
	o := &flood{Field: f, reader: reader, history: &history{}}
	after, err := o.write(ctx, "on the migrated record", 20, 4, 20, p.settle)
	if err != nil {
		return err
	}
	for _, s := range o.history.list() {
		if s.Number < 1001+p.tickets {
			return fmt.Errorf("migration: on the migrated record %s got %q", s.Who, s.Reply)
		}
	}
	say("migration: from schema %d to %d, broken off at %d moments by %d kills and %d stops of PostgreSQL, two at it at once: %d tickets of %d are there and what their events make, the schema is a fresh one's; new ones are answered (%.0f%%); %s",
		laidAt, m.newest, m.killed+m.fallen, m.killed, m.fallen, p.tickets, p.tickets, 100*after.answered, time.Since(began).Round(100*time.Millisecond))
	return nil
}

// close closes the gate, also after a stop of PostgreSQL.
func (m *migrating) close(ctx context.Context) (err error) {
	if m.gate != nil {
		m.gate.Release()
	}
	m.db.Reset()
	if m.gate, err = m.db.Acquire(ctx); err == nil {
		_, err = m.gate.Exec(ctx, `SELECT pg_advisory_lock(4711)`)
	}
	if err != nil {
		return fmt.Errorf("chaos: the gate: %w", err)
	}
	return nil
}

// stop ends what still runs.
func (m *migrating) stop() {
	for _, p := range m.procs {
		_ = p.cmd.Process.Kill()
		<-p.end
	}
	if m.gate != nil {
		m.gate.Release()
	}
	if m.db != nil {
		m.db.Close()
	}
}

// refuses holds that no server starts on a record that is behind, and says what to do.
func (m *migrating) refuses(ctx context.Context) error {
	said, err := m.Refusal(ctx)
	if err == nil && !strings.Contains(said, "run `wishdesk migrate` first") {
		err = fmt.Errorf("migration: a server on a record that is behind said %q", said)
	}
	return err
}

// two has two processes migrate.
func (m *migrating) two(ctx context.Context) error {
	for len(m.procs) < 2 {
		m.begun++
		name := fmt.Sprintf("migrate-%d", m.begun)
		p := &process{cmd: m.Command(ctx, "migrate"), end: make(chan struct{})}
		p.cmd.Env = append(p.cmd.Env, "PGAPPNAME="+name)
		p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
		if err := p.cmd.Start(); err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
		go func() { p.err = p.cmd.Wait(); close(p.end) }()
		m.procs[name] = p
	}
	return nil
}

// moments are where the migration that follows a version is broken off; after the
// newest one those are in the words of old tickets.
func (m *migrating) moments(after int64, every bool) ([]int, error) {
	out := []int{1}
	next := slices.IndexFunc(m.versions, func(v int64) bool { return v > after })
	if next < 0 {
		return out, nil
	}
	text, err := os.ReadFile(m.files[m.versions[next]])
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	if up, _, _ := strings.Cut(string(text), "-- +goose Down"); strings.Contains(up, "\nUPDATE ticket") {
		out = append(out, 0)
	}
	for n := 2; every && n < beyond; n++ { // the gate stops in the next one where there are fewer
		out = append(out, n)
	}
	return out, nil
}

// beyond is more statements than a migration has.
const beyond = 100

// breakOff migrates, and breaks off at one moment after the other: at each statement,
// or at the first and in the middle of the tickets.
func (m *migrating) breakOff(ctx context.Context, every bool) error {
	var todo []int
	for after, nth := int64(0), 0; ; {
		if err := m.two(ctx); err != nil {
			return err
		}
		name, now, err := m.reached(ctx)
		if err != nil || name == "" {
			return err
		}
		if now != after { // it went on to a later one
			after, nth = now, 1
			if todo, err = m.moments(after, every); err != nil {
				return err
			}
		}
		here := nth
		todo = slices.DeleteFunc(todo, func(n int) bool { return n == here })
		nth = beyond
		if len(todo) > 0 {
			nth = todo[0]
		}
		if _, err := m.db.Exec(ctx, `UPDATE gate.stop SET after = $1, nth = $2`, after, nth); err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
		if here == 0 && (every || m.fallen == 0) || every && here == 1 {
			err = m.fall(ctx, after)
		} else {
			err = m.kill(ctx, name, after)
		}
		if err != nil {
			return err
		}
	}
}

// kill kills a process at the gate, and leaves what the server does for it where it is:
// the other one has to get on all the same.
func (m *migrating) kill(ctx context.Context, name string, after int64) error {
	m.killed++
	if err := m.procs[name].cmd.Process.Kill(); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	<-m.procs[name].end
	delete(m.procs, name)
	if after == m.newest { // words are written by the server to the end of the page, as if there were no gate
		if _, err := m.gate.Exec(ctx, `SELECT pg_advisory_unlock_all()`); err != nil {
			return fmt.Errorf("chaos: the gate: %w", err)
		}
	}
	return nil
}

// fall stops PostgreSQL at once: who migrates says so and ends, and no server starts
// on what is there.
func (m *migrating) fall(ctx context.Context, after int64) error {
	m.fallen++
	if err := m.Stores.StopPostgres(); err != nil {
		return err
	}
	for name, p := range m.procs {
		select {
		case <-p.end:
			if p.err == nil {
				return fmt.Errorf("migration: %s ended as if PostgreSQL had not been stopped: %s", name, p.said.String())
			}
			delete(m.procs, name)
		case <-time.After(20 * time.Second):
			return fmt.Errorf("migration: %s does not notice that PostgreSQL was stopped", name)
		}
	}
	if err := m.Stores.Start(ctx); err != nil {
		return err
	}
	if err := m.close(ctx); err != nil || after == m.newest {
		return err
	}
	return m.refuses(ctx)
}

func (m *migrating) names() []string { return slices.Collect(maps.Keys(m.procs)) }

// reached waits until one of the processes stands at the gate, and tells which and what
// version has been reached; or until all have ended well.
func (m *migrating) reached(ctx context.Context) (name string, version int64, err error) {
	for deadline := time.Now().Add(time.Minute); ; {
		err := m.db.QueryRow(ctx, `SELECT a.application_name, (SELECT max(version_id) FROM goose_db_version)
			FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.objid = 4711 AND NOT l.granted
				AND a.application_name = ANY ($1)`, m.names()).Scan(&name, &version)
		if err == nil {
			return name, version, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return "", 0, fmt.Errorf("chaos: %w", err)
		}
		for name, p := range m.procs {
			select {
			case <-p.end:
				if p.err != nil {
					return "", 0, fmt.Errorf("migration: %s ended: %w: %s", name, p.err, p.said.String())
				}
				delete(m.procs, name)
			default:
			}
		}
		if len(m.procs) == 0 {
			return "", 0, nil
		}
		wait(ctx, 2*time.Millisecond)
		if ctx.Err() != nil {
			return "", 0, fmt.Errorf("chaos: %w", ctx.Err())
		}
		if time.Now().After(deadline) {
			return "", 0, fmt.Errorf("migration: for a minute nobody got on, after %d kills and %d stops of PostgreSQL", m.killed, m.fallen)
		}
	}
}

// schema is all that makes a schema, line by line.
const schema = `
	SELECT format('column %s.%s %s %s default %s generated %s%s', table_name, column_name, data_type, is_nullable, column_default, is_generated, is_identity) FROM information_schema.columns WHERE table_schema = 'public'
	UNION ALL SELECT format('index %s valid %s', pg_get_indexdef(i.indexrelid), i.indisvalid AND i.indisready) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
	UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
	UNION ALL SELECT format('trigger %s %s', t.tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
	UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
	UNION ALL SELECT format('%s %s %s %s', relkind, relname, relpersistence, reloptions) FROM pg_class WHERE relnamespace = 'public'::regnamespace
	UNION ALL SELECT format('version %s %s', version_id, is_applied) FROM goose_db_version
	ORDER BY 1`

// judge holds the schema against a fresh one's, and each ticket against its events.
func (m *migrating) judge(ctx context.Context, tickets int64) error {
	for _, sql := range []string{`DROP EVENT TRIGGER gate; DROP TRIGGER gate ON ticket; DROP TRIGGER gate ON community; DROP SCHEMA gate CASCADE`, `CREATE DATABASE fresh`} {
		if _, err := m.db.Exec(ctx, sql); err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
	}
	url := strings.Replace(m.Stores.Postgres, "/wishdesk?", "/fresh?", 1)
	cmd := m.Command(ctx, "migrate")
	cmd.Env = append(cmd.Env, "WISHDESK_POSTGRES="+url)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("chaos: a fresh record: %w: %s", err, out)
	}
	want, err := schemaOf(ctx, url)
	if err != nil {
		return err
	}
	got, err := schemaOf(ctx, m.Stores.Postgres)
	if err != nil {
		return err
	}
	if lines := differ(want, got); len(lines) > 0 {
		return fmt.Errorf("migration: the schema is not a fresh one's:\n%s", strings.Join(lines, "\n"))
	}
	return m.judgeTickets(ctx, tickets)
}

func schemaOf(ctx context.Context, url string) ([]string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := conn.Query(ctx, schema)
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	lines, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("chaos: %w", err)
	}
	return lines, nil
}

// differ are the lines that only one of two has, or more often than the other.
func differ(want, got []string) (out []string) {
	n := map[string]int{}
	for _, line := range want {
		n[line]++
	}
	for _, line := range got {
		n[line]--
	}
	for _, line := range slices.Sorted(maps.Keys(n)) {
		switch {
		case n[line] > 0:
			out = append(out, "missing: "+line)
		case n[line] < 0:
			out = append(out, "too much: "+line)
		}
	}
	return out
}

// carried is a ticket with its events, and what migrations made of them.
type carried struct {
	Number   int64
	Body     []byte
	Events   []byte
	Late     *time.Time
	Pressing *time.Time
	Changed  *time.Time
	Found    bool // by its words
}

const carriedTickets = `SELECT number, t.body, (SELECT json_agg(body ORDER BY seq) FROM event e WHERE e.community = t.community AND e.number = t.number),
		late_since, pressing, nullif(changed_at, '-infinity'), w.words IS NOT NULL AND cardinality(tsvector_to_array(w.words)) > 0
	FROM ticket t LEFT JOIN ticket_words w USING (community, number) ORDER BY number`

// judgeTickets finds each ticket there, as its events make it.
func (m *migrating) judgeTickets(ctx context.Context, tickets int64) error {
	found, err := m.db.Query(ctx, carriedTickets)
	if err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	next := int64(1001)
	var c carried
	if _, err := pgx.ForEachRow(found, []any{&c.Number, &c.Body, &c.Events, &c.Late, &c.Pressing, &c.Changed, &c.Found}, func() error {
		if c.Number != next {
			return fmt.Errorf("migration: after ticket %d comes %d", next-1, c.Number)
		}
		next++
		return c.wrong()
	}); err != nil {
		return fmt.Errorf("chaos: %w", err)
	}
	if next != 1001+tickets {
		return fmt.Errorf("migration: %d tickets of %d are there", next-1001, tickets)
	}
	return nil
}

// wrong says where the row is not what the ticket's events make.
func (c *carried) wrong() error {
	var events []workflow.Event
	var stored workflow.Ticket
	if err := errors.Join(json.Unmarshal(c.Events, &events), json.Unmarshal(c.Body, &stored)); err != nil {
		return fmt.Errorf("migration: ticket %d: %w", c.Number, err)
	}
	made := workflow.Replay(ground.Community, c.Number, events)
	is, err1 := json.Marshal(stored)
	should, err2 := json.Marshal(made)
	if err := errors.Join(err1, err2); err != nil || !bytes.Equal(is, should) {
		return fmt.Errorf("migration: ticket %d is not what its events make: %w\n%s\n%s", c.Number, err, is, should)
	}
	var late, pressing time.Time
	if made.IsLate() {
		late = made.LateSince
	}
	if made.State.Open() {
		pressing = made.Pressing()
	}
	for column, pair := range map[string]struct {
		is     *time.Time
		should time.Time
	}{"late_since": {c.Late, late}, "pressing": {c.Pressing, pressing}, "changed_at": {c.Changed, events[len(events)-1].At}} {
		if pair.is == nil != pair.should.IsZero() || pair.is != nil && pair.is.Sub(pair.should).Abs() > time.Microsecond {
			return fmt.Errorf("migration: %s of ticket %d (%s) is %v, not %v", column, c.Number, made.State, pair.is, pair.should)
		}
	}
	if !c.Found {
		return fmt.Errorf("migration: ticket %d has no words to find it by", c.Number)
	}
	return nil
}
