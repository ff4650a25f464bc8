package postgres

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
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
}

func newKnown(changes []*desk.Change) *known {
	k := &known{
		tickets: map[ref]int64{}, talks: map[ref]int64{}, deliveries: map[name]bool{}, openids: map[name]bool{},
		storedTickets: map[ref]bool{}, storedTalks: map[ref]bool{},
		askTickets: map[ref]bool{}, askTalks: map[ref]bool{}, askDeliveries: map[name]bool{}, askOpenIDs: map[name]bool{},
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
	return nil
}

func (k *known) take(ch *desk.Change) {
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
	writePeople, writeMessages, writeTalks, writeTickets, writeEvents, writePushes, writeMedia, writeConsents, writeEnds, writeSamples, writeRounds, writeWords, writeLooks,
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

const (
	insertPeople = `INSERT INTO person (community, id, name, phone, openid, roles, home, following)
		SELECT x.community, x.id, x.name, x.phone, nullif(x.openid, ''), x.roles::jsonb, x.home::jsonb, x.following
		FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])
			AS x(community, id, name, phone, openid, roles, home, following)`
	updateFollowing = `UPDATE person p SET following = x.following
		FROM unnest($1::text[], $2::bigint[], $3::boolean[]) AS x(community, id, following)
		WHERE p.community = x.community AND p.id = x.id`
	updateHome = `UPDATE person p SET home = x.home::jsonb
		FROM unnest($1::text[], $2::bigint[], $3::text[]) AS x(community, id, home)
		WHERE p.community = x.community AND p.id = x.id`
	updateContact = `UPDATE person p SET name = coalesce(nullif(x.name, ''), p.name), phone = coalesce(nullif(x.phone, ''), p.phone)
		FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS x(community, id, name, phone)
		WHERE p.community = x.community AND p.id = x.id`
	updateAway = `UPDATE person p SET away_from = x.away_from, away_until = x.away_until
		FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[]) AS x(community, id, away_from, away_until)
		WHERE p.community = x.community AND p.id = x.id`
	// touchShapes lets running processes see that staff changed.
	touchShapes = `UPDATE community SET shape = shape + 1 WHERE code IN (
		SELECT p.community FROM person p
		JOIN unnest($1::text[], $2::bigint[]) AS x(community, id) ON p.community = x.community AND p.id = x.id
		WHERE p.staff)`
)

func writePeople(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type person struct {
		workflow.Person
		roles, home string
	}
	var fresh []person
	following, homes := map[ref]bool{}, map[ref]string{}
	away, contacts := map[ref]workflow.Leave{}, map[ref]desk.Contacted{}
	touched := map[ref]bool{}
	for _, ch := range fit {
		if p := ch.NewPerson; p != nil {
			roles, home, err := rolesAndHome(*p)
			if err != nil {
				return err
			}
			fresh = append(fresh, person{*p, roles, home})
			if p.Staff() {
				touched[ref{ch.Community, int64(p.ID)}] = true
			}
		}
		if f := ch.Following; f != nil {
			following[ref{ch.Community, int64(f.Person)}] = f.Yes
			touched[ref{ch.Community, int64(f.Person)}] = true
		}
		if k := ch.Contact; k != nil {
			contacts[ref{ch.Community, int64(k.Person)}] = *k
			touched[ref{ch.Community, int64(k.Person)}] = true
		}
		if a := ch.Away; a != nil {
			away[ref{ch.Community, int64(a.Person)}] = a.Leave
			touched[ref{ch.Community, int64(a.Person)}] = true
		}
		if h := ch.Home; h != nil {
			home, err := document(h.Place)
			if err != nil {
				return err
			}
			homes[ref{ch.Community, int64(h.Person)}] = home
			touched[ref{ch.Community, int64(h.Person)}] = true
		}
	}
	if len(fresh) > 0 {
		slices.SortStableFunc(fresh, func(a, b person) int {
			return compareNames(name{a.Community, a.OpenID}, name{b.Community, b.OpenID})
		})
		b.Queue(insertPeople,
			column(fresh, func(p person) string { return p.Community }),
			column(fresh, func(p person) int64 { return int64(p.ID) }),
			column(fresh, func(p person) string { return text(p.Name) }),
			column(fresh, func(p person) string { return text(p.Phone) }),
			column(fresh, func(p person) string { return p.OpenID }),
			column(fresh, func(p person) string { return p.roles }),
			column(fresh, func(p person) string { return p.home }),
			column(fresh, func(p person) bool { return p.Following }))
	}
	if refs := slices.SortedFunc(maps.Keys(following), compareRefs); len(refs) > 0 {
		b.Queue(updateFollowing, communities(refs), ids(refs), column(refs, func(r ref) bool { return following[r] }))
	}
	if refs := slices.SortedFunc(maps.Keys(homes), compareRefs); len(refs) > 0 {
		b.Queue(updateHome, communities(refs), ids(refs), column(refs, func(r ref) string { return homes[r] }))
	}
	if refs := slices.SortedFunc(maps.Keys(contacts), compareRefs); len(refs) > 0 {
		b.Queue(updateContact, communities(refs), ids(refs),
			column(refs, func(r ref) string { return text(contacts[r].Name) }), column(refs, func(r ref) string { return text(contacts[r].Phone) }))
	}
	if refs := slices.SortedFunc(maps.Keys(away), compareRefs); len(refs) > 0 {
		b.Queue(updateAway, communities(refs), ids(refs),
			column(refs, func(r ref) *time.Time { return moment(away[r].From) }), column(refs, func(r ref) *time.Time { return moment(away[r].Until) }))
	}
	if refs := slices.SortedFunc(maps.Keys(touched), compareRefs); len(refs) > 0 {
		b.Queue(touchShapes, communities(refs), ids(refs))
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

const (
	insertTickets = `INSERT INTO ticket (community, number, version, state, stand, kind, category, severity, grid, level,
			owner, reporter, next_due, filed_at, ended_at, body, helpers, support, outside, resolved_at, late_since, changed_at, pressing, pressing_of)
		SELECT x.community, x.number, x.version, x.state, x.stand, x.kind, x.category, x.severity, x.grid, x.level,
			x.owner, x.reporter, x.next_due, x.filed_at, x.ended_at, x.body::jsonb, x.helpers::bigint[], x.support, x.outside, x.resolved_at, x.late_since, x.changed_at, x.pressing, x.version ` + fromTickets
	updateTickets = `UPDATE ticket t SET version = x.version, state = x.state, stand = x.stand, kind = x.kind,
			category = x.category, severity = x.severity, grid = x.grid, level = x.level, owner = x.owner,
			reporter = x.reporter, next_due = x.next_due, filed_at = x.filed_at, ended_at = x.ended_at, body = x.body::jsonb,
			helpers = x.helpers::bigint[], support = x.support, outside = x.outside, resolved_at = x.resolved_at,
			late_since = x.late_since, changed_at = greatest(t.changed_at, x.changed_at), pressing = x.pressing, pressing_of = x.version ` +
		fromTickets + ` WHERE t.community = x.community AND t.number = x.number`
	fromTickets = `FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
			$9::text[], $10::smallint[], $11::bigint[], $12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[],
			$17::text[], $18::integer[], $19::boolean[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[], $23::timestamptz[])
		AS x(community, number, version, state, stand, kind, category, severity, grid, level, owner, reporter, next_due, filed_at, ended_at, body,
			helpers, support, outside, resolved_at, late_since, changed_at, pressing)`
)

func writeTickets(b *pgx.Batch, fit []*desk.Change, k *known) error {
	last := map[ref]workflow.Ticket{}
	bodies := map[ref]string{}
	changed := map[ref]time.Time{}
	for _, ch := range fit {
		for _, tc := range ch.Tickets {
			r := ref{ch.Community, tc.Ticket.Number}
			for _, ev := range tc.Events {
				if ev.At.After(changed[r]) {
					changed[r] = ev.At
				}
			}
			body, err := document(tc.Ticket)
			if err != nil {
				return err
			}
			last[r], bodies[r] = tc.Ticket, body
		}
	}
	return upsert(last, k.storedTickets, func(stored bool, refs []ref) error {
		sql := insertTickets
		if stored {
			sql = updateTickets
		}
		word := func(f func(workflow.Ticket) string) []string {
			return column(refs, func(r ref) string { return text(f(last[r])) })
		}
		b.Queue(sql, communities(refs), ids(refs),
			column(refs, func(r ref) int64 { return last[r].Version }),
			word(func(t workflow.Ticket) string { return string(t.State) }),
			word(func(t workflow.Ticket) string { return string(t.Stand) }),
			word(func(t workflow.Ticket) string { return string(t.Kind) }),
			word(func(t workflow.Ticket) string { return string(t.Category) }),
			word(func(t workflow.Ticket) string { return string(t.Severity) }),
			word(func(t workflow.Ticket) string { return t.Place.Grid }),
			column(refs, func(r ref) int64 { return int64(last[r].Level) }),
			column(refs, func(r ref) int64 { return int64(last[r].Owner) }),
			column(refs, func(r ref) int64 { return int64(last[r].Reporter) }),
			column(refs, func(r ref) *time.Time {
				t := last[r]
				if _, at, ok := t.NextDue(); ok {
					return &at
				}
				return nil
			}),
			column(refs, func(r ref) time.Time { return last[r].FiledAt }),
			column(refs, func(r ref) *time.Time { return moment(last[r].EndedAt) }),
			column(refs, func(r ref) string { return bodies[r] }),
			column(refs, func(r ref) string { t := last[r]; return numbersOf(t.Helpers()) }),
			column(refs, func(r ref) int64 { return int64(len(last[r].Supporters)) }),
			column(refs, func(r ref) bool { return last[r].Outside }),
			column(refs, func(r ref) *time.Time {
				switch t := last[r]; t.State {
				case workflow.Resolved, workflow.Closed:
					return moment(t.ResolvedAt)
				}
				return nil
			}),
			column(refs, func(r ref) *time.Time {
				if t := last[r]; t.IsLate() {
					return moment(t.LateSince)
				}
				return nil
			}),
			column(refs, func(r ref) time.Time { return changed[r] }),
			column(refs, func(r ref) *time.Time { t := last[r]; return moment(t.Pressing()) }))
		return nil
	})
}

const insertEvents = `INSERT INTO event (community, number, seq, type, at, body)
	SELECT x.community, x.number, x.seq, x.type, x.at, x.body::jsonb
	FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[])
		AS x(community, number, seq, type, at, body)`

func writeEvents(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	type event struct {
		ref
		*workflow.Event
		body string
	}
	var all []event
	for _, ch := range fit {
		for _, tc := range ch.Tickets {
			for i := range tc.Events {
				body, err := document(tc.Events[i])
				if err != nil {
					return err
				}
				all = append(all, event{ref{ch.Community, tc.Ticket.Number}, &tc.Events[i], body})
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	b.Queue(insertEvents,
		column(all, func(e event) string { return e.community }),
		column(all, func(e event) int64 { return e.id }),
		column(all, func(e event) int64 { return e.Seq }),
		column(all, func(e event) string { return string(e.Type) }),
		column(all, func(e event) time.Time { return e.At }),
		column(all, func(e event) string { return e.body }))
	return nil
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

// numbersOf is a list of people as an array of the database.
func numbersOf(people []workflow.PersonID) string {
	return "{" + strings.Join(column(people, func(p workflow.PersonID) string { return strconv.FormatInt(int64(p), 10) }), ",") + "}"
}

const (
	insertRound = `INSERT INTO round (community, id, kind, person, grid, place, body, media, care, number, at, checks)
		VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, $10, $11, $12::text::jsonb) ON CONFLICT (community, id) DO NOTHING`
	careVisited = `UPDATE care SET last_visit = $3, next_visit = $3::timestamptz + every * interval '1 day'
		WHERE community = $1 AND id = $2 AND coalesce(last_visit, '-infinity') < $3`
)

func writeRounds(b *pgx.Batch, fit []*desk.Change, _ *known) error {
	var all []workflow.Round
	for _, ch := range fit {
		for _, r := range ch.Rounds {
			r.Community = ch.Community
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b workflow.Round) int {
		return cmp.Or(cmp.Compare(a.Community, b.Community), cmp.Compare(a.Care, b.Care), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range all {
		place, err := document(r.Place)
		if err != nil {
			return err
		}
		checks, err := document(slices.Concat([]workflow.Check{}, r.Checks))
		if err != nil {
			return err
		}
		if r.Media == nil {
			r.Media = []string{}
		}
		b.Queue(insertRound, r.Community, r.ID, string(r.Kind), r.By, r.Place.Grid, place, text(r.Text), r.Media, r.Care, r.Number, r.At, checks)
		if r.Care != 0 {
			b.Queue(careVisited, r.Community, r.Care, r.At)
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

func communities(refs []ref) []string { return column(refs, func(r ref) string { return r.community }) }

func ids(refs []ref) []int64 { return column(refs, func(r ref) int64 { return r.id }) }

// moment is a time as it is stored, NULL where it is zero.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// rolesAndHome are a person's documents; somebody without roles has "[]".
func rolesAndHome(p workflow.Person) (roles, home string, err error) {
	if p.Roles == nil {
		p.Roles = []workflow.Role{}
	}
	if roles, err = document(p.Roles); err != nil {
		return "", "", fmt.Errorf("roles: %w", err)
	}
	home, err = document(p.Home)
	return roles, home, err
}
