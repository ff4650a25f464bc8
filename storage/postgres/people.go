package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// ErrOpenIDTaken means that the WeChat belongs to another member of the staff.
var ErrOpenIDTaken = errors.New("postgres: the WeChat belongs to another member of the staff")

const personColumns = `SELECT community, id, name, phone, coalesce(openid, ''), roles, home, following, away_from, away_until FROM person `

func scanPerson(r pgx.CollectableRow) (p workflow.Person, err error) {
	var roles, home []byte
	var from, until *time.Time
	if err := r.Scan(&p.Community, &p.ID, &p.Name, &p.Phone, &p.OpenID, &roles, &home, &p.Following, &from, &until); err != nil {
		return p, err
	}
	if from != nil && until != nil {
		p.Away = workflow.Leave{From: from.UTC(), Until: until.UTC()}
	}
	err = errors.Join(json.Unmarshal(roles, &p.Roles), json.Unmarshal(home, &p.Home))
	if len(p.Roles) == 0 {
		p.Roles = nil
	}
	return p, err
}

// PersonByOpenID is who writes; ok is false for a first message.
func (s *Store) PersonByOpenID(ctx context.Context, community, openid string) (p workflow.Person, ok bool, err error) {
	return pointRow(ctx, s, "person", scanPerson, personColumns+`WHERE community = $1 AND openid = $2`, community, openid)
}

// Person is a *workflow.Error with CodeNotFound where there is none.
func (s *Store) Person(ctx context.Context, community string, id workflow.PersonID) (workflow.Person, error) {
	p, ok, err := pointRow(ctx, s, "person", scanPerson, personColumns+`WHERE community = $1 AND id = $2`, community, id)
	if err == nil && !ok {
		err = notFound(0, "person")
	}
	return p, err
}

// Names are the names of whom some tickets are about, by number: of all who ever
// reported one, who follow it and who wish the same.
func (s *Store) Names(ctx context.Context, community string, numbers []int64) (map[int64][]string, error) {
	type named struct {
		number int64
		name   string
	}
	if len(numbers) == 0 {
		return nil, nil
	}
	found, err := rows(ctx, s, "names", func(r pgx.CollectableRow) (n named, err error) {
		return n, r.Scan(&n.number, &n.name)
	}, `SELECT t.number, p.name FROM ticket t CROSS JOIN LATERAL (
			SELECT t.reporter AS id
			UNION SELECT jsonb_array_elements(coalesce(t.body->'followers', '[]'))::bigint
			UNION SELECT jsonb_array_elements(coalesce(t.body->'supporters', '[]'))::bigint
			UNION SELECT (e.body->>'reporter')::bigint FROM event e
				WHERE e.community = t.community AND e.number = t.number AND (e.seq = 1 OR e.type = 'left')
		) who CROSS JOIN LATERAL (
			SELECT id, name FROM person WHERE community = $1 AND id = who.id AND name <> '' OFFSET 0 -- one by one, by their key
		) p
		WHERE t.community = $1 AND t.number = ANY($2) ORDER BY t.number, p.id`, community, numbers)
	out := map[int64][]string{}
	for _, n := range found {
		out[n.number] = append(out[n.number], n.name)
	}
	return out, err
}

// People are the community's staff, ordered by ID.
func (s *Store) People(ctx context.Context, community string) (workflow.Roster, error) {
	return rows(ctx, s, "people", scanPerson, personColumns+`WHERE community = $1 AND staff ORDER BY id`, community)
}

// PeopleOf are people by their IDs; who is not known is not among them.
func (s *Store) PeopleOf(ctx context.Context, community string, ids []workflow.PersonID) (map[workflow.PersonID]workflow.Person, error) {
	found, err := rows(ctx, s, "people of", scanPerson, personColumns+`WHERE community = $1 AND id = ANY ($2::bigint[])`, community, people(ids))
	all := make(map[workflow.PersonID]workflow.Person, len(found))
	for _, p := range found {
		all[p.ID] = p
	}
	return all, err
}

// FindPerson are those whose key is, or else whose name is, exactly as
// written; empty where there is nobody.
func (s *Store) FindPerson(ctx context.Context, community, nameOrKey string) ([]workflow.Person, error) {
	found, err := rows(ctx, s, "find person", scanPerson, personColumns+`WHERE community = $1 AND key = $2`, community, nameOrKey)
	if err != nil || len(found) > 0 || nameOrKey == "" {
		return found, err
	}
	return rows(ctx, s, "find person", scanPerson,
		personColumns+`WHERE community = $1 AND name = $2 AND name <> '' ORDER BY id`, community, nameOrKey)
}

// PersonOfKey is whom UpsertPerson stored under a key, 0 for nobody.
func (s *Store) PersonOfKey(ctx context.Context, community, key string) (workflow.PersonID, error) {
	id, _, err := pointRow(ctx, s, "person of a key", pgx.RowTo[workflow.PersonID], `SELECT id FROM person WHERE community = $1 AND key = $2`, community, key)
	return id, err
}

// UpsertPerson stores somebody under a key that stays the same from one
// import to the next, and gives their ID. Name, phone, roles and home are
// taken as they are; a WeChat binding only where p has one and nobody else
// has bound it since, so that an import does not undo a binding by code. p.ID
// is ignored. desk.ErrLastAdmin where nobody would be administrator any more.
func (s *Store) UpsertPerson(ctx context.Context, key string, p workflow.Person) (workflow.PersonID, error) {
	if key == "" {
		return 0, &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("a person without a key")}
	}
	fresh, err := s.NextPerson(ctx)
	if err != nil {
		return 0, err
	}
	roles, home, err := rolesAndHome(p)
	if err != nil {
		return 0, err
	}
	var id workflow.PersonID
	err = s.changeStaff(ctx, p.Community, func(tx pgx.Tx) error {
		var bound bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM person
			WHERE community = $1 AND openid = nullif($2, '') AND key IS DISTINCT FROM $3)`, p.Community, p.OpenID, key).Scan(&bound); err != nil {
			return err
		}
		if bound {
			p.OpenID = ""
		}
		return tx.QueryRow(ctx, `INSERT INTO person AS p (community, id, key, name, phone, openid, roles, home, following)
			SELECT $1, $2, $3, $4, $5, nullif($6, ''), $7::text::jsonb, $8::text::jsonb, $9
			ON CONFLICT (community, key) WHERE key IS NOT NULL DO UPDATE SET name = excluded.name, phone = excluded.phone,
				openid = coalesce(excluded.openid, p.openid), roles = excluded.roles, home = excluded.home,
				following = CASE WHEN excluded.openid IS NULL OR excluded.openid = p.openid THEN p.following ELSE excluded.following END
			RETURNING id`,
			p.Community, fresh, key, text(p.Name), text(p.Phone), p.OpenID, roles, home, p.Following).Scan(&id)
	})
	return id, fault("upsert person", err)
}

// Leave takes all parts from somebody who is no longer staff: what they have
// open is given to others by the running processes. Nothing of what they did is
// lost, and they stay known as a resident. The last administrator stays:
// desk.ErrLastAdmin.
func (s *Store) Leave(ctx context.Context, community string, id workflow.PersonID) error {
	return fault("leave", s.changeStaff(ctx, community, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE person SET roles = '[]', away_from = NULL, away_until = NULL WHERE community = $1 AND id = $2 AND staff`, community, id)
		if err == nil && tag.RowsAffected() == 0 {
			err = notFound(0, "member of the staff")
		}
		return err
	}))
}

// ChangePerson changes name, telephone and parts of one of the staff from what was
// seen; their WeChat and home stay. desk.ErrStale where they are not so any more,
// desk.ErrLastAdmin where nobody would be administrator, a *workflow.Error with
// CodeNotFound where there is no such member.
func (s *Store) ChangePerson(ctx context.Context, seen, p workflow.Person) error {
	were, _, err := rolesAndHome(seen)
	if err != nil {
		return err
	}
	roles, _, err := rolesAndHome(p)
	if err != nil {
		return err
	}
	return fault("change person", s.changeStaff(ctx, p.Community, func(tx pgx.Tx) error {
		var same bool
		err := tx.QueryRow(ctx, `SELECT name = $3 AND phone = $4 AND roles = $5::text::jsonb FROM person WHERE community = $1 AND id = $2 AND staff FOR UPDATE`,
			p.Community, p.ID, text(seen.Name), text(seen.Phone), were).Scan(&same)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return notFound(0, "member of the staff")
		case err != nil:
			return err
		case !same:
			return desk.ErrStale
		}
		_, err = tx.Exec(ctx, `UPDATE person SET name = $3, phone = $4, roles = $5::text::jsonb WHERE community = $1 AND id = $2 AND staff`,
			p.Community, p.ID, text(p.Name), text(p.Phone), roles)
		return err
	}))
}

// changeStaff makes one change of a community's staff after the other, so that none
// leaves it without an administrator where it had one.
func (s *Store) changeStaff(ctx context.Context, community string, change func(pgx.Tx) error) error {
	const admins = `SELECT count(*) FROM person WHERE community = $1 AND staff AND roles @> '[{"kind": "admin"}]'`
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := touch(ctx, tx, community); err != nil { // which waits for a change under way
			return err
		}
		var before, after int
		if err := tx.QueryRow(ctx, admins, community).Scan(&before); err != nil {
			return err
		}
		if err := change(tx); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, admins, community).Scan(&after); err != nil {
			return err
		}
		if before > 0 && after == 0 {
			return &workflow.Error{Code: "last_admin", Cause: desk.ErrLastAdmin}
		}
		return nil
	})
}

// touch lets running processes see that a community's staff changed.
func touch(ctx context.Context, tx pgx.Tx, community string) error {
	_, err := tx.Exec(ctx, `UPDATE community SET shape = shape + 1 WHERE code = $1`, community)
	return err
}

// codeHash is what is kept of a one-time code.
func codeHash(community, code string) []byte {
	sum := sha256.Sum256([]byte(community + "\x00" + code))
	return sum[:]
}

// NewBindCode lets whoever says the code, until it expires, become the person
// to WeChat. Earlier codes of the person end. Only the code's SHA-256 is kept.
func (s *Store) NewBindCode(ctx context.Context, community string, person workflow.PersonID, code string, expires time.Time) error {
	if code == "" {
		return &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("an empty code")}
	}
	if _, err := s.Person(ctx, community, person); err != nil {
		return err
	}
	return fault("bind code", pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM bind_code WHERE community = $1 AND (person = $2 OR hash = $3 AND expires_at <= $4)`,
			community, person, codeHash(community, code), s.clock.Now()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO bind_code (community, hash, person, expires_at) VALUES ($1, $2, $3, $4)`,
			community, codeHash(community, code), person, expires)
		return err
	}))
}

// Bind gives a person their WeChat by a one-time code, which from then on is
// good for that WeChat alone, and whose sessions end; a *workflow.Error with CodeNotFound where the
// code is wrong, used by another or too old. A resident who wrote with this
// WeChat before is given as former: they are no longer reached by it, and what
// they were owed, their points and their votes are the person's. Another member of the staff keeps it:
// ErrOpenIDTaken, within a *workflow.Error with CodeNotAllowed, and the code
// stays good.
func (s *Store) Bind(ctx context.Context, community, code, openid string, now time.Time) (p workflow.Person, former workflow.PersonID, err error) {
	if openid == "" {
		return p, 0, &workflow.Error{Code: workflow.CodeInvalid, Cause: errors.New("an empty openid")}
	}
	for range maxTries {
		p, former, err = s.bind(ctx, community, code, openid, now)
		if err == nil || !raced(err) {
			break
		}
	}
	return p, former, fault("bind", err)
}

// owePushes gives what one person is owed to another. The rows are locked in the order
// of leases and ends of pushes (see write).
const owePushes = `UPDATE push p SET person = $3 FROM (
		SELECT key FROM push WHERE community = $1 AND person = $2 AND status IN ('owed', 'sending') ORDER BY key COLLATE "C" FOR UPDATE) AS o
	WHERE p.community = $1 AND p.key = o.key`

func (s *Store) bind(ctx context.Context, community, code, openid string, now time.Time) (p workflow.Person, former workflow.PersonID, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var id workflow.PersonID
		err := tx.QueryRow(ctx, `SELECT person, former FROM bind_code
			WHERE community = $1 AND hash = $2 AND expires_at > $3 AND coalesce(openid, $4) = $4 FOR UPDATE`,
			community, codeHash(community, code), now, openid).Scan(&id, &former)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound(0, "such code")
		}
		if err != nil {
			return err
		}
		var taken bool
		var was workflow.PersonID
		err = tx.QueryRow(ctx, `SELECT id, staff FROM person WHERE community = $1 AND openid = $2 AND id <> $3 FOR UPDATE`,
			community, openid, id).Scan(&was, &taken)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
		case err != nil:
			return err
		case taken:
			return &workflow.Error{Code: workflow.CodeNotAllowed, Cause: ErrOpenIDTaken}
		default:
			former = was
			if _, err := tx.Exec(ctx, `UPDATE person SET openid = NULL, following = false, became = $3 WHERE community = $1 AND id = $2`, community, was, id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, owePushes, community, was, id); err != nil {
				return err
			}
		}
		if was != 0 {
			if err := become(ctx, tx, community, was, id, codeHash(community, code), now); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE bind_code SET openid = $3, former = $4 WHERE community = $1 AND hash = $2`,
			community, codeHash(community, code), openid, former); err != nil {
			return err
		}
		// Whoever came in by the WeChat before has to come in anew.
		if _, err := tx.Exec(ctx, `DELETE FROM session WHERE community = $1 AND person IN ($2, $3)`, community, id, former); err != nil {
			return err
		}
		found, err := tx.Query(ctx, `UPDATE person SET openid = $3, following = true, became = NULL WHERE community = $1 AND id = $2
			RETURNING community, id, name, phone, coalesce(openid, ''), roles, home, following, away_from, away_until`, community, id, openid)
		if err != nil {
			return err
		}
		if p, err = pgx.CollectExactlyOneRow(found, scanPerson); err != nil {
			return err
		}
		return touch(ctx, tx, community)
	})
	return p, former, err
}

// Delivered is a delivery in the record; ok is false where there is none.
func (s *Store) Delivered(ctx context.Context, community, id string) (d desk.Delivery, ok bool, err error) {
	return pointRow(ctx, s, "delivered", pgx.RowToStructByName[desk.Delivery],
		`SELECT delivery AS id, person, type, body AS text, reply, at, deferred FROM message WHERE community = $1 AND delivery = $2`,
		community, id)
}

// Talk is somebody's conversation and its version; a zero version where there
// is none yet.
func (s *Store) Talk(ctx context.Context, community string, person workflow.PersonID) (state json.RawMessage, version int64, err error) {
	type talk struct {
		State   []byte
		Version int64
	}
	t, _, err := pointRow(ctx, s, "talk", pgx.RowToStructByPos[talk],
		`SELECT state::text, version FROM talk WHERE community = $1 AND person = $2`, community, person)
	return t.State, t.Version, err
}

// Residents are those who are found by a telephone number; where that finds
// nobody, or none is given, those with the name, exactly as written.
func (s *Store) Residents(ctx context.Context, community, name, phone string) ([]workflow.Person, error) {
	if phone != "" {
		found, err := rows(ctx, s, "residents", scanPerson, personColumns+`WHERE community = $1 AND phone = $2 AND phone <> '' ORDER BY id LIMIT 20`, community, phone)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	if name == "" {
		return nil, nil
	}
	return rows(ctx, s, "residents", scanPerson, personColumns+`WHERE community = $1 AND name = $2 AND name <> '' ORDER BY id LIMIT 20`, community, name)
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
