package postgres

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// What the release before migration 14 sends, word for word: while replicas are
// upgraded one after the other, it writes into the newest schema.
const (
	insertTicketsOfSchema13 = `INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level,
			owner, reporter, next_due, filed_at, ended_at, body, helpers, support, outside, resolved_at, late_since, changed_at)
		SELECT x.community, x.number, x.version, x.state, x.stand, x.kind, x.category, x.severity, x.grid, x.level,
			x.owner, x.reporter, x.next_due, x.filed_at, x.ended_at, x.body::jsonb, x.helpers::bigint[], x.support, x.outside, x.resolved_at, x.late_since, x.changed_at ` + fromTicketsOfSchema13
	updateTicketsOfSchema13 = `UPDATE ticket t SET version = x.version, state = x.state, stand = x.stand, kind = x.kind,
			category = x.category, severity = x.severity, grid = x.grid, level = x.level, owner = x.owner,
			reporter = x.reporter, next_due = x.next_due, filed_at = x.filed_at, ended_at = x.ended_at, body = x.body::jsonb,
			helpers = x.helpers::bigint[], support = x.support, outside = x.outside, resolved_at = x.resolved_at,
			late_since = x.late_since, changed_at = greatest(t.changed_at, x.changed_at) ` +
		fromTicketsOfSchema13 + ` WHERE t.community = x.community AND t.number = x.number`
	fromTicketsOfSchema13 = `FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
			$9::text[], $10::smallint[], $11::bigint[], $12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[],
			$17::text[], $18::integer[], $19::boolean[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[])
		AS x(community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, next_due, filed_at, ended_at, body,
			helpers, support, outside, resolved_at, late_since, changed_at)`
	insertAuditOfSchema13 = `INSERT INTO audit (community, at, person, action, number, object) VALUES ($1, $2, $3, $4, $5, $6)`
)

// writeOfSchema13 sends one ticket as that release does.
func writeOfSchema13(t *testing.T, s *Store, sql string, k workflow.Ticket) {
	t.Helper()
	body, err := document(k)
	must(t, err)
	var due, late, resolved *time.Time
	if _, at, ok := k.NextDue(); ok {
		due = &at
	}
	if k.IsLate() {
		late = moment(k.LateSince)
	}
	if k.State == workflow.Resolved || k.State == workflow.Closed {
		resolved = moment(k.ResolvedAt)
	}
	tag, err := s.pool.Exec(ctx(t), sql, []string{k.Community}, []int64{k.Number}, []int64{k.Version}, []string{string(k.State)}, []string{string(k.Stand)},
		[]string{string(k.Kind)}, []string{string(k.Category)}, []string{string(k.Severity)}, []string{k.Place.Grid}, []int64{int64(k.Level)},
		[]int64{int64(k.Owner)}, []int64{int64(k.Reporter)}, []*time.Time{due}, []time.Time{k.FiledAt}, []*time.Time{moment(k.EndedAt)}, []string{body},
		[]string{"{}"}, []int64{0}, []bool{k.Outside}, []*time.Time{resolved}, []*time.Time{late}, []time.Time{noon})
	must(t, err)
	if tag.RowsAffected() != 1 {
		t.Fatalf("%d rows", tag.RowsAffected())
	}
}

// pressed are tickets by what presses in them, and where a list has them.
func pressed() (all []workflow.Ticket, order []int64) {
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	k := func(number int64, change func(*workflow.Ticket)) {
		one := opened(here, number, func(t *workflow.Ticket) {
			t.State, t.Stand, t.Owner, t.Level, t.Due = workflow.Assigned, workflow.InTray, 8, workflow.LevelCommittee, map[workflow.Clock]time.Time{}
			change(t)
		}).Ticket
		all = append(all, one)
	}
	k(1001, func(t *workflow.Ticket) {
		t.Due[workflow.ClockReminder], t.Due[workflow.ClockResolve], t.Due[workflow.ClockResponse] = at(1), at(9), at(8)
	})
	k(1002, func(t *workflow.Ticket) {
		t.Due[workflow.ClockResolve], t.Overdue, t.LateSince = at(2), []workflow.Clock{workflow.ClockResponse}, at(6)
	})
	k(1003, func(t *workflow.Ticket) { t.Due[workflow.ClockFeedback] = at(5) })
	k(1004, func(t *workflow.Ticket) {
		t.Due[workflow.ClockResolve] = at(1)
		t.Question = &workflow.Question{Topic: workflow.TopicWhat, Until: at(3), Pauses: true}
	})
	k(1005, func(t *workflow.Ticket) {
		t.Due[workflow.ClockTray] = at(7)
		t.Question = &workflow.Question{Topic: workflow.TopicWhat, Until: at(1)}
	})
	k(1006, func(t *workflow.Ticket) {
		t.State, t.Overdue, t.LateSince, t.ResolvedAt = workflow.Resolved, []workflow.Clock{workflow.ClockResolve}, at(1), at(2)
	})
	return all, []int64{1003, 1002, 1005, 1001, 1004, 1006}
}

// inOrder holds the lists of work against an order, and each row against its ticket.
func inOrder(t *testing.T, s *Store, want []int64, of []workflow.Ticket) {
	t.Helper()
	owned, err1 := s.Owned(ctx(t), here, 8, 100)
	tray, err2 := s.Tray(ctx(t), here, "G1", 100)
	for _, err := range []error{err1, err2} {
		must(t, err)
	}
	for name, list := range map[string][]workflow.Ticket{"owned": owned, "tray": tray} {
		var got []int64
		for _, k := range list {
			got = append(got, k.Number)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if !slices.IsSortedFunc(list, workflow.MorePressing) {
			t.Errorf("%s is not in the order of what presses: %v", name, got)
		}
	}
	for _, k := range of {
		var pressing *time.Time
		must(t, s.pool.QueryRow(ctx(t), `SELECT pressing FROM ticket WHERE community = $1 AND number = $2`, here, k.Number).Scan(&pressing))
		want := moment(k.Pressing())
		if !k.State.Open() {
			want = nil
		}
		same(t, "pressing", want, pressing)
	}
}

// A replica that is not yet upgraded writes on: its tickets stand in the lists where
// what presses in them has them, and its lines in the audit log.
func TestAReplicaOfTheReleaseBeforeWritesOn(t *testing.T) {
	s := newStore(t)
	all, order := pressed()
	for _, k := range all {
		writeOfSchema13(t, s, insertTicketsOfSchema13, k)
	}
	inOrder(t, s, order, all)

	// The new one goes on with what the old one wrote, and the old one with that.
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	k := all[0]
	k.Due = map[workflow.Clock]time.Time{workflow.ClockResolve: at(5).Add(time.Minute)}
	all[0] = k
	tc := noted(k, "还在等")
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Tickets: []desk.TicketChange{tc}}))
	all[0] = tc.Ticket
	inOrder(t, s, []int64{1003, 1001, 1002, 1005, 1004, 1006}, all)

	k = all[0]
	k.Version++
	k.Due = map[workflow.Clock]time.Time{workflow.ClockResolve: at(1)}
	all[0] = k
	writeOfSchema13(t, s, updateTicketsOfSchema13, k)
	inOrder(t, s, []int64{1001, 1003, 1002, 1005, 1004, 1006}, all)

	k = all[2]
	k.Version++
	k.State, k.EndedAt = workflow.Cancelled, at(1)
	all[2] = k
	writeOfSchema13(t, s, updateTicketsOfSchema13, k)
	inOrder(t, s, []int64{1001, 1002, 1005, 1004, 1006}, all)

	_, err := s.pool.Exec(ctx(t), insertAuditOfSchema13, here, noon, 8, "ticket", 1001, "看了")
	must(t, err)
	lines, err := s.AuditLog(ctx(t), here, access.Entries{Limit: 10})
	must(t, err)
	if len(lines) != 1 || lines[0].Object != "看了" || lines[0].Outcome != "" {
		t.Errorf("the audit log has %+v", lines)
	}
}

// What such a replica wrote between the migrations, and what 8 and 14 had late though
// it was resolved, is put right.
func TestMigrateWhatWasWrittenBetweenTheMigrations(t *testing.T) {
	url := freshURL(t)
	to := func(version int64, up bool) {
		must(t, migrations(ctx(t), url, func(p *goose.Provider) error {
			if up {
				_, err := p.UpTo(ctx(t), version)
				return err
			}
			_, err := p.DownTo(ctx(t), version)
			return err
		}))
	}
	all, order := pressed()
	to(7, false)
	s := openStore(t, url, nil)
	write := func(k workflow.Ticket) {
		body, err := document(k)
		must(t, err)
		_, err = s.pool.Exec(ctx(t), `INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, filed_at, body)
			VALUES (@community, @number, 1, @state, 'tray', 'incident', '', '', 'G1', 2, 8, 7, @noon, @body::text::jsonb)`,
			pgx.NamedArgs{"community": here, "number": k.Number, "state": string(k.State), "noon": noon, "body": body})
		must(t, err)
	}
	write(all[5]) // resolved, and late before
	s.Close()
	to(15, true)
	s = openStore(t, url, nil)
	for _, k := range all[:5] {
		writeOfSchema13(t, s, insertTicketsOfSchema13, k)
	}
	s.Close()
	must(t, Migrate(ctx(t), url))
	inOrder(t, openStore(t, url, nil), order, all)
}
