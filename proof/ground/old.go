package ground

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/wishdesk/wishdesk/workflow"
)

// Migrations are the versions of the schema, in order, each with its file.
func Migrations(root string) (versions []int64, file map[int64]string, err error) {
	provider, err := goose.NewProvider(goose.DialectPostgres, &sql.DB{}, os.DirFS(filepath.Join(root, migrationsDir)))
	if err != nil {
		return nil, nil, fmt.Errorf("ground: %w", err)
	}
	file = map[int64]string{}
	for _, s := range provider.ListSources() {
		versions, file[s.Version] = append(versions, s.Version), filepath.Join(root, migrationsDir, s.Path)
	}
	return versions, file, nil
}

const migrationsDir = "storage/postgres/migrations"

// lives are what happened to the tickets of an older record: each ticket is one of
// these. Nine of ten have ended.
func lives(now time.Time) [][]workflow.Event {
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	due := func(c workflow.Clock, minutes int) map[workflow.Clock]time.Time {
		return map[workflow.Clock]time.Time{c: at(minutes), workflow.ClockReminder: at(minutes - 30)}
	}
	filed := workflow.Event{
		Type: workflow.EvFiled, At: at(-300), Actor: workflow.ActorPerson, By: 7, To: workflow.Received, Text: "3号楼楼道的路灯坏了,晚上看不清", Kind: workflow.Incident,
		Category: "lighting", Severity: workflow.Minor, Reporter: 7, Level: 1, Place: &workflow.Place{Estate: "玺区", Building: 3, Grid: "G01"}, Due: due(workflow.ClockTray, 600),
	}
	assigned := workflow.Event{Type: workflow.EvAssigned, At: at(-290), To: workflow.Assigned, Owner: 8, Due: due(workflow.ClockResponse, 700)}
	accepted := workflow.Event{Type: workflow.EvAccepted, At: at(-200), Actor: workflow.ActorPerson, By: 8, To: workflow.Accepted, Owner: 8, Due: due(workflow.ClockResolve, 800)}
	noted := workflow.Event{Type: workflow.EvNoted, At: at(-190), Actor: workflow.ActorPerson, By: 8, To: workflow.Accepted, Owner: 8, Text: "灯泡已经订了", Due: due(workflow.ClockResolve, 800)}
	resolved := workflow.Event{Type: workflow.EvResolved, At: at(-100), Actor: workflow.ActorPerson, By: 8, To: workflow.Resolved, Owner: 8, Text: "换好了", Due: map[workflow.Clock]time.Time{}}
	rated := workflow.Event{Type: workflow.EvRated, At: at(-90), Actor: workflow.ActorPerson, By: 7, To: workflow.Closed, Owner: 8, Rating: workflow.Satisfied, Due: map[workflow.Clock]time.Time{}}
	overdue := func(c workflow.Clock, minutes int) workflow.Event {
		return workflow.Event{Type: workflow.EvOverdue, At: at(minutes), To: workflow.Assigned, Owner: 8, Clock: c, Due: due(workflow.ClockResolve, 800)}
	}
	reopened := workflow.Event{Type: workflow.EvReopened, At: at(-80), Actor: workflow.ActorPerson, By: 7, To: workflow.Assigned, Due: due(workflow.ClockResponse, 500)}
	asked := workflow.Event{Type: workflow.EvAsked, At: at(-150), Actor: workflow.ActorPerson, By: 8, To: workflow.Accepted, Owner: 8,
		Question: &workflow.Question{Topic: workflow.TopicWorker, Text: "哪一盏?", At: at(-150), Until: at(900), Pauses: true}, Due: due(workflow.ClockResolve, 800)}
	open := [][]workflow.Event{
		{filed},
		{filed, assigned, overdue(workflow.ClockResponse, -50), overdue(workflow.ClockFeedback, -40)},
		{filed, assigned, accepted, asked},
		{filed, assigned, overdue(workflow.ClockResponse, -250), accepted, resolved, reopened, overdue(workflow.ClockResponse, -10)},
		{filed, assigned, overdue(workflow.ClockResolve, -250), accepted, resolved}, // late once, and resolved
	}
	ended := []workflow.Event{filed, assigned, accepted, noted, resolved, rated}
	var all [][]workflow.Event
	for _, life := range open {
		all = append(all, life)
		for range 9 {
			all = append(all, ended)
		}
	}
	return all
}

// Halfway is the number of a ticket in the middle of n, one that is carried by all that
// migrations do to tickets.
func Halfway(n int64) int64 {
	all := int64(len(lives(time.Time{})))
	return 1001 + n/2/all*all + all - 10
}

// Old lays the record at an older version of the schema, with n tickets and their
// events as that release wrote them. Numbers rise from 1001.
func (s *Stores) Old(ctx context.Context, root string, version, n int64) error {
	db, err := sql.Open("pgx", s.Postgres)
	if err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS(filepath.Join(root, migrationsDir)))
	if err == nil {
		_, err = provider.UpTo(ctx, version)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	document, err := document(root)
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, s.Postgres)
	if err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `CREATE TEMP TABLE happened (i bigint, seq bigint, type text, at timestamptz, body jsonb);
		CREATE TEMP TABLE life (i bigint, state text, stand text, owner bigint, version bigint, filed_at timestamptz, ended_at timestamptz,
			next_due timestamptz, resolved_at timestamptz, body jsonb)`); err != nil {
		return fmt.Errorf("ground: %w", err)
	}
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO community (code, version, shape, doc, next_number, updated_at) VALUES ($1, 1, 1, $2, $3, now())`, Community, string(document), 1001+n)
	b.Queue(`INSERT INTO community_version (community, version, doc, author, applied_at) SELECT code, version, doc, 'proof', updated_at FROM community`)
	b.Queue(`INSERT INTO person (community, id, openid, following) SELECT $1, 7, 'old-resident', true FROM nextval('person_id')`, Community)
	all := lives(time.Now().UTC().Truncate(time.Microsecond))
	for i, events := range all {
		events = slices.Clone(events)
		for j := range events {
			ev := &events[j]
			ev.Seq = int64(j + 1)
			body, err := json.Marshal(ev)
			if err != nil {
				return fmt.Errorf("ground: %w", err)
			}
			b.Queue(`INSERT INTO happened VALUES ($1, $2, $3, $4, $5::text::jsonb)`, i, ev.Seq, string(ev.Type), ev.At, string(body))
		}
		t := workflow.Replay(Community, 0, events)
		body, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("ground: %w", err)
		}
		var due, ended, resolved *time.Time
		if _, at, ok := t.NextDue(); ok {
			due = &at
		}
		if !t.EndedAt.IsZero() {
			ended = &t.EndedAt
		}
		if t.State == workflow.Resolved || t.State == workflow.Closed {
			resolved = &t.ResolvedAt
		}
		b.Queue(`INSERT INTO life VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb)`,
			i, string(t.State), string(t.Stand), int64(t.Owner), t.Version, t.FiledAt, ended, due, resolved, string(body))
	}
	b.Queue(`INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, next_due, filed_at, ended_at, resolved_at, body)
		SELECT $1, 1001 + g, version, state, stand, 'incident', body->>'category', 'minor', 'G01', 1, owner, 7, next_due, filed_at, ended_at, resolved_at,
			body || jsonb_build_object('number', 1001 + g)
		FROM generate_series(0, $2::bigint - 1) g JOIN life ON i = g % $3::bigint`, Community, n, len(all))
	b.Queue(`INSERT INTO event (community, number, seq, type, at, body)
		SELECT $1, 1001 + g, seq, type, at, body FROM generate_series(0, $2::bigint - 1) g JOIN happened ON i = g % $3::bigint`, Community, n, len(all))
	b.Queue(`ANALYZE`)
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("ground: an older record: %w", err)
	}
	return nil
}
