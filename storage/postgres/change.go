package postgres

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow/desk"
)

// ref names a row by its community and number (of a ticket or a person).
type ref struct {
	community string
	id        int64
}

// name names a row by its community and a text (a delivery or an openid).
type name struct {
	community string
	text      string
}

func compareRefs(a, b ref) int {
	return cmp.Or(cmp.Compare(a.community, b.community), cmp.Compare(a.id, b.id))
}

func compareNames(a, b name) int {
	return cmp.Or(cmp.Compare(a.community, b.community), cmp.Compare(a.text, b.text))
}

// known is what a batch depends on: filled with what the record holds, then
// moved on by each change that fits, so that changes of one batch see each
// other in the order in which they were asked.
type known struct {
	tickets    map[ref]int64 // their versions
	talks      map[ref]int64
	deliveries map[name]bool // those seen
	openids    map[name]bool // those taken

	// stored are the tickets and talks that have a row already.
	storedTickets, storedTalks map[ref]bool

	askTickets, askTalks      map[ref]bool
	askDeliveries, askOpenIDs map[name]bool

	topics  *topics  // see topic.go
	lessons *lessons // see lesson.go
}

func newKnown(changes []*desk.Change) *known {
	k := &known{
		tickets: map[ref]int64{}, talks: map[ref]int64{}, deliveries: map[name]bool{}, openids: map[name]bool{},
		storedTickets: map[ref]bool{}, storedTalks: map[ref]bool{},
		askTickets: map[ref]bool{}, askTalks: map[ref]bool{}, askDeliveries: map[name]bool{}, askOpenIDs: map[name]bool{},
		topics: newTopics(changes), lessons: newLessons(changes),
	}
	for _, ch := range changes {
		for _, tc := range ch.Tickets {
			k.askTickets[ref{ch.Community, tc.Ticket.Number}] = true
		}
		if ch.Talk != nil {
			k.askTalks[ref{ch.Community, int64(ch.Talk.Person)}] = true
		}
		if ch.Delivery != nil {
			k.askDeliveries[name{ch.Community, ch.Delivery.ID}] = true
		}
		if ch.NewPerson != nil && ch.NewPerson.OpenID != "" {
			k.askOpenIDs[name{ch.Community, ch.NewPerson.OpenID}] = true
		}
	}
	return k
}

// The rows are locked in their order, so that two processes never wait for
// each other.
const (
	lockTickets = `SELECT t.community, t.number, t.version FROM ticket t
		JOIN unnest($1::text[], $2::bigint[]) AS k(community, number) ON t.community = k.community AND t.number = k.number
		ORDER BY t.community, t.number FOR UPDATE OF t`
	lockTalks = `SELECT t.community, t.person, t.version FROM talk t
		JOIN unnest($1::text[], $2::bigint[]) AS k(community, person) ON t.community = k.community AND t.person = k.person
		ORDER BY t.community, t.person FOR UPDATE OF t`
	seenDeliveries = `SELECT m.community, m.delivery FROM message m
		JOIN unnest($1::text[], $2::text[]) AS k(community, delivery) ON m.community = k.community AND m.delivery = k.delivery`
	takenOpenIDs = `SELECT p.community, p.openid FROM person p
		JOIN unnest($1::text[], $2::text[]) AS k(community, openid) ON p.community = k.community AND p.openid = k.openid`
)

// queue asks the record for everything that the batch depends on.
func (k *known) queue(b *pgx.Batch) {
	versions := func(sql string, ask map[ref]bool, versions map[ref]int64, stored map[ref]bool) {
		if len(ask) == 0 {
			return
		}
		refs := slices.SortedFunc(maps.Keys(ask), compareRefs)
		b.Queue(sql, column(refs, func(r ref) string { return r.community }), column(refs, func(r ref) int64 { return r.id })).
			Query(func(rows pgx.Rows) error {
				var r ref
				var version int64
				_, err := pgx.ForEachRow(rows, []any{&r.community, &r.id, &version}, func() error {
					versions[r], stored[r] = version, true
					return nil
				})
				return err
			})
	}
	present := func(sql string, ask, there map[name]bool) {
		if len(ask) == 0 {
			return
		}
		names := slices.SortedFunc(maps.Keys(ask), compareNames)
		b.Queue(sql, column(names, func(n name) string { return n.community }), column(names, func(n name) string { return n.text })).
			Query(func(rows pgx.Rows) error {
				var n name
				_, err := pgx.ForEachRow(rows, []any{&n.community, &n.text}, func() error {
					there[n] = true
					return nil
				})
				return err
			})
	}
	versions(lockTickets, k.askTickets, k.tickets, k.storedTickets)
	versions(lockTalks, k.askTalks, k.talks, k.storedTalks)
	k.topics.queue(b)
	k.lessons.queue(b)
	present(seenDeliveries, k.askDeliveries, k.deliveries)
	present(takenOpenIDs, k.askOpenIDs, k.openids)
}

// judge gives every change its answer, and those that fit.
func (k *known) judge(changes []*desk.Change) (answers []error, fit []*desk.Change) {
	answers = make([]error, len(changes))
	for i, ch := range changes {
		if answers[i] = k.fits(ch); answers[i] == nil {
			k.take(ch)
			fit = append(fit, ch)
		}
	}
	return answers, fit
}

func (k *known) fits(ch *desk.Change) error {
	if ch.Delivery != nil && k.deliveries[name{ch.Community, ch.Delivery.ID}] {
		return desk.ErrSeen
	}
	if p := ch.NewPerson; p != nil && p.OpenID != "" && k.openids[name{ch.Community, p.OpenID}] {
		return desk.ErrStale
	}
	if t := ch.Talk; t != nil && k.talks[ref{ch.Community, int64(t.Person)}] != t.Was {
		return desk.ErrStale
	}
	for _, tc := range ch.Tickets {
		if k.tickets[ref{ch.Community, tc.Ticket.Number}] != tc.Was {
			return desk.ErrStale
		}
	}
	if !k.topics.fit(ch) || !k.lessons.fit(ch) {
		return desk.ErrStale
	}
	return nil
}

func (k *known) take(ch *desk.Change) {
	k.topics.take(ch)
	k.lessons.take(ch)
	if ch.Delivery != nil {
		k.deliveries[name{ch.Community, ch.Delivery.ID}] = true
	}
	if p := ch.NewPerson; p != nil && p.OpenID != "" {
		k.openids[name{ch.Community, p.OpenID}] = true
	}
	if t := ch.Talk; t != nil {
		k.talks[ref{ch.Community, int64(t.Person)}] = t.Was + 1
	}
	for _, tc := range ch.Tickets {
		k.tickets[ref{ch.Community, tc.Ticket.Number}] = tc.Ticket.Version
	}
}

// writes are what a change consists of, in the order of the tables.
var writes = []func(*pgx.Batch, []*desk.Change, *known) error{
	writePeople, writeMessages, writeTalks, writeTickets, writeEvents, writePushes, writeMedia, writeConsents, writeEnds, writeSamples, writeRounds, writeTopics, writeLessons, writeWords, writeLooks, writeLedger,
}

// queueWrites writes changes that fit. Rows that one table gets are written by
// one statement, in the order of their keys.
func queueWrites(b *pgx.Batch, fit []*desk.Change, k *known) error {
	for _, write := range writes {
		if err := write(b, fit, k); err != nil {
			return err
		}
	}
	return nil
}

const insertMessages = `INSERT INTO message (community, delivery, person, type, body, reply, deferred, at)
	SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::timestamptz[])`

func writeMessages(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type message struct {
		community string
		*desk.Delivery
	}
	var all []message
	for _, ch := range fit {
		if ch.Delivery != nil {
			all = append(all, message{ch.Community, ch.Delivery})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b message) int {
		return compareNames(name{a.community, a.ID}, name{b.community, b.ID})
	})
	b.Queue(insertMessages,
		column(all, func(m message) string { return m.community }),
		column(all, func(m message) string { return m.ID }),
		column(all, func(m message) int64 { return int64(m.Person) }),
		column(all, func(m message) string { return m.Type }),
		column(all, func(m message) string { return text(m.Text) }),
		column(all, func(m message) string { return text(m.Reply) }),
		column(all, func(m message) bool { return m.Deferred }),
		column(all, func(m message) time.Time { return m.At }))
	return nil
}

const (
	insertTalks = `INSERT INTO talk (community, person, version, state, last_message_at, last_click_at)
		SELECT x.community, x.person, x.version, x.state::json, x.message_at, x.click_at
		FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[])
			AS x(community, person, version, state, message_at, click_at)`
	updateTalks = `UPDATE talk t SET version = x.version, state = x.state::json,
			last_message_at = coalesce(x.message_at, t.last_message_at), last_click_at = coalesce(x.click_at, t.last_click_at)
		FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[])
			AS x(community, person, version, state, message_at, click_at)
		WHERE t.community = x.community AND t.person = x.person`
)

func writeTalks(b *pgx.Batch, fit []*desk.Change, k *known) error {
	last := map[ref]desk.Talk{}
	for _, ch := range fit {
		if ch.Talk == nil {
			continue
		}
		r := ref{ch.Community, int64(ch.Talk.Person)}
		before, after := last[r], *ch.Talk
		if after.LastMessageAt.IsZero() {
			after.LastMessageAt = before.LastMessageAt
		}
		if after.LastClickAt.IsZero() {
			after.LastClickAt = before.LastClickAt
		}
		last[r] = after
	}
	return upsert(last, k.storedTalks, func(stored bool, refs []ref) error {
		sql := insertTalks
		if stored {
			sql = updateTalks
		}
		b.Queue(sql, communities(refs), ids(refs),
			column(refs, func(r ref) int64 { return last[r].Was + 1 }),
			column(refs, func(r ref) *string {
				if len(last[r].State) == 0 {
					return nil
				}
				state := string(last[r].State)
				return &state
			}),
			column(refs, func(r ref) *time.Time { return moment(last[r].LastMessageAt) }),
			column(refs, func(r ref) *time.Time { return moment(last[r].LastClickAt) }))
		return nil
	})
}

const keepSample = `INSERT INTO sample (community, number, body, guess, kind, category, severity, by, at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	ON CONFLICT (community, number) DO UPDATE SET kind = excluded.kind, category = excluded.category,
		severity = excluded.severity, by = excluded.by, at = excluded.at`

func writeSamples(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type sample struct {
		ref
		desk.Sample
	}
	var all []sample
	for _, ch := range fit {
		for _, s := range ch.Samples {
			all = append(all, sample{ref{ch.Community, s.Number}, s})
		}
	}
	slices.SortStableFunc(all, func(a, b sample) int { return compareRefs(a.ref, b.ref) })
	for _, s := range all {
		b.Queue(keepSample, s.community, s.Number, text(s.Text), string(s.Guess), string(s.Kind), string(s.Category), string(s.Severity), s.By, s.At)
	}
	return nil
}

func writeLooks(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	for _, ch := range fit {
		for _, e := range ch.Looks {
			b.Queue(addAudit, ch.Community, e.At, e.Person, e.Action, e.Number, text(e.Object), string(e.Outcome))
		}
	}
	return nil
}

// upsert calls write for the rows that are there already and for those that
// are new, each in order. A new row that another process stored meanwhile is
// a conflict, never overwritten.
func upsert[V any](last map[ref]V, stored map[ref]bool, write func(stored bool, refs []ref) error) error {
	var old, fresh []ref
	for _, r := range slices.SortedFunc(maps.Keys(last), compareRefs) {
		if stored[r] {
			old = append(old, r)
		} else {
			fresh = append(fresh, r)
		}
	}
	if len(fresh) > 0 {
		if err := write(false, fresh); err != nil {
			return err
		}
	}
	if len(old) > 0 {
		return write(true, old)
	}
	return nil
}

// column is one column of rows, as unnest takes it.
func column[R, C any](rows []R, of func(R) C) []C {
	out := make([]C, len(rows))
	for i, r := range rows {
		out[i] = of(r)
	}
	return out
}

func sortedRefs(all map[ref]bool) []ref { return slices.SortedFunc(maps.Keys(all), compareRefs) }

func communities(refs []ref) []string { return column(refs, func(r ref) string { return r.community }) }

func ids(refs []ref) []int64 { return column(refs, func(r ref) int64 { return r.id }) }

// moment is a time as it is stored, NULL where it is zero.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
