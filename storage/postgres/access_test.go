package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

func TestSessionsEnd(t *testing.T) {
	s := newStore(t)
	c, now := ctx(t), noon
	begun := access.Session{Hash: access.Hash("a"), Person: 7, How: access.ByLink, Agent: "browser", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	must(t, s.NewSession(c, here, begun))
	look := func(community, token string, at time.Time) bool {
		t.Helper()
		n, ok, err := s.Session(c, community, access.Hash(token), at, at.Add(time.Hour))
		must(t, err)
		if ok && n.Person != 7 {
			t.Errorf("it is somebody else's: %+v", n)
		}
		return ok
	}
	if !look(here, "a", now) || look(there, "a", now) || look(here, "b", now) {
		t.Error("a session is good for its own community and token alone")
	}
	if !look(here, "a", now.Add(59*time.Minute)) || !look(here, "a", now.Add(100*time.Minute)) {
		t.Error("a session that is used does not last")
	}
	if look(here, "a", now.Add(3*time.Hour)) {
		t.Error("a session that nobody used lasts")
	}
	if _, ok, err := s.Session(c, here, access.Hash("a"), now.Add(103*time.Minute), now.Add(60*24*time.Hour)); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if !look(here, "a", now.Add(29*24*time.Hour)) || look(here, "a", now.Add(30*24*time.Hour)) {
		t.Error("a session does not end after 30 days")
	}
	must(t, s.EndSession(c, here, access.Hash("a")))
	if look(here, "a", now.Add(time.Minute)) {
		t.Error("an ended session lasts")
	}
	for _, token := range []string{"x", "y"} {
		begun.Hash = access.Hash(token)
		must(t, s.NewSession(c, here, begun))
	}
	if n, err := s.EndSessions(c, here, 7); err != nil || n != 2 {
		t.Errorf("all of a person's: %d, %v", n, err)
	}
	begun.Hash = access.Hash("old")
	must(t, s.NewSession(c, here, begun))
	begun.Hash, begun.CreatedAt = access.Hash("new"), now.Add(48*time.Hour)
	begun.ExpiresAt = begun.CreatedAt.Add(time.Hour)
	must(t, s.NewSession(c, here, begun))
	var left int
	must(t, s.pool.QueryRow(c, `SELECT count(*) FROM session`).Scan(&left))
	if left != 1 {
		t.Errorf("%d sessions are kept, those that ran out too", left)
	}
}

func TestALoginIsUsedOnce(t *testing.T) {
	s := newStore(t)
	c, now := ctx(t), noon
	link := access.Login{Hash: access.Hash("l"), Kind: access.ByLink, Person: 7, Next: "/c/east/my", ExpiresAt: now.Add(time.Minute)}
	must(t, s.NewLogin(c, here, link, now))
	if _, ok, err := s.Login(c, here, link.Hash, now.Add(2*time.Minute)); err != nil || ok {
		t.Errorf("a link that ran out works: %v", err)
	}
	got, ok, err := s.Login(c, here, link.Hash, now)
	if err != nil || !ok || got.Person != 7 || got.Next != link.Next {
		t.Errorf("a link: %+v %v %v", got, ok, err)
	}
	uses := make(chan bool, 8)
	for range cap(uses) {
		go func() {
			ok, err := s.UseLogin(c, here, link.Hash, now)
			uses <- ok && err == nil
		}()
	}
	n := 0
	for range cap(uses) {
		if <-uses {
			n++
		}
	}
	if n != 1 {
		t.Errorf("a link was used %d times", n)
	}

	scan := access.Login{Hash: access.Hash("s"), Kind: access.ByScan, Secret: access.Hash("held"), ExpiresAt: now.Add(time.Minute)}
	must(t, s.NewLogin(c, here, scan, now))
	if ok, err := s.UseLogin(c, here, scan.Hash, now); err != nil || ok {
		t.Errorf("a scan that nobody agreed to is used: %v", err)
	}
	if ok, err := s.AgreeLogin(c, here, scan.Hash, 7, now); err != nil || !ok {
		t.Errorf("a scan cannot be agreed to: %v", err)
	}
	if ok, err := s.AgreeLogin(c, here, scan.Hash, 8, now); err != nil || ok {
		t.Errorf("a scan is taken over by another: %v", err)
	}
	if ok, err := s.AgreeLogin(c, here, link.Hash, 8, now); err != nil || ok {
		t.Errorf("a link is agreed to: %v", err)
	}
	if ok, err := s.UseLogin(c, here, scan.Hash, now); err != nil || !ok {
		t.Errorf("a scan cannot be used: %v", err)
	}
}

func TestTheAuditLogOnlyGrows(t *testing.T) {
	s := newStore(t)
	c := ctx(t)
	for i, e := range []access.Entry{
		{At: noon, Person: 7, Action: "ticket.look", Number: 1024}, {At: noon, Person: 8, Action: "ticket.look", Number: 1024},
		{At: noon, Person: 7, Action: "search", Object: "漏水"}, {At: noon, Action: "login.failed"},
	} {
		must(t, s.Audit(c, []string{here, here, here, there}[i], e))
	}
	for _, sql := range []string{`UPDATE audit SET person = 1`, `DELETE FROM audit`, `DELETE FROM audit WHERE id = 1`, `TRUNCATE audit`} {
		var fault *Error
		if _, err := s.pool.Exec(c, sql); !errors.As(faultOf(err), &fault) || fault.SQLState != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	all, err := s.AuditLog(c, here, access.Entries{Limit: 10})
	must(t, err)
	if len(all) != 3 || all[0].Action != "search" || all[2].Person != 7 || !all[2].At.Equal(noon) {
		t.Errorf("the log: %+v", all)
	}
	for name, want := range map[string]struct {
		access.Entries
		n int
	}{
		"of a person":    {access.Entries{Person: 7, Limit: 10}, 2},
		"of a ticket":    {access.Entries{Number: 1024, Limit: 10}, 2},
		"of both":        {access.Entries{Number: 1024, Person: 8, Limit: 10}, 1},
		"the next page":  {access.Entries{Before: all[0].ID, Limit: 1}, 1},
		"the first ones": {access.Entries{Limit: 2}, 2},
	} {
		if got, err := s.AuditLog(c, here, want.Entries); err != nil || len(got) != want.n {
			t.Errorf("%s: %d lines, want %d (%v)", name, len(got), want.n, err)
		}
	}
}

// A line has what came of it; the same look within a time is one, unless the first
// was refused.
func TestTheAuditLogTellsOutcomes(t *testing.T) {
	s := newStore(t)
	c := ctx(t)
	deed, err := s.AuditDeed(c, here, access.Entry{At: noon, Person: 7, Action: "ticket.tell", Number: 1024, Outcome: access.Begun})
	must(t, err)
	must(t, s.AuditOutcome(c, here, deed, noon, access.Refused, "taken"))
	if err := s.AuditOutcome(c, here, deed, noon, access.Done, ""); err == nil {
		t.Error("a line has two outcomes")
	}
	_, err = s.AuditDeed(c, here, access.Entry{At: noon, Person: 7, Action: "ticket.tell", Number: 1025, Outcome: access.Begun})
	must(t, err)
	look := func(e access.Entry, fresh bool) (id int64) {
		t.Helper()
		e.Action, e.Person = "ticket.look", max(e.Person, 7)
		id, err := s.AuditLook(c, here, e, e.At.Add(-time.Hour))
		if err != nil || (id != 0) != fresh {
			t.Errorf("%+v is written: %v, want %v (%v)", e, id != 0, fresh, err)
		}
		return id
	}
	first := look(access.Entry{At: noon, Number: 1024}, true)
	look(access.Entry{At: noon.Add(59 * time.Minute), Number: 1024}, false)
	look(access.Entry{At: noon, Number: 1025}, true)
	look(access.Entry{At: noon, Number: 1024, Object: "grid G1"}, true)
	look(access.Entry{At: noon, Number: 1024, Person: 8}, true)
	must(t, s.AuditOutcome(c, here, first, noon, access.Refused, "not_found"))
	look(access.Entry{At: noon.Add(time.Minute), Number: 1024}, true)
	look(access.Entry{At: noon.Add(62 * time.Minute), Number: 1024}, true)
	all, err := s.AuditLog(c, here, access.Entries{Person: 7, Limit: 10})
	must(t, err)
	if n := len(all); n != 7 || all[n-1].Outcome != access.Refused || all[n-1].Reason != "taken" || all[n-2].Outcome != access.Begun {
		t.Errorf("the log: %+v", all)
	}
}

func faultOf(err error) error { return fault("test", err) }

// Whoever came in by the WeChat that somebody had before has to come in anew.
func TestSessionsEndWithTheWeChat(t *testing.T) {
	s := newStore(t)
	c := ctx(t)
	person := func(key string, p workflow.Person) workflow.PersonID {
		t.Helper()
		p.Community = here
		id, err := s.UpsertPerson(c, key, p)
		must(t, err)
		must(t, s.NewSession(c, here, access.Session{Hash: access.Hash(key), Person: id, How: access.ByWeChat, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}))
		return id
	}
	worker := person("worker", workflow.Person{Name: "秦霞", OpenID: "o-lost", Roles: []workflow.Role{{Kind: workflow.RoleWorker}}})
	person("former", workflow.Person{OpenID: "o-new"})
	person("another", workflow.Person{OpenID: "o-another"})
	must(t, s.NewBindCode(c, here, worker, "ABCD", noon.Add(time.Hour)))
	_, _, err := s.Bind(c, here, "ABCD", "o-new", noon)
	must(t, err)
	for key, want := range map[string]bool{"worker": false, "former": false, "another": true} {
		if _, ok, err := s.Session(c, here, access.Hash(key), noon, noon); err != nil || ok != want {
			t.Errorf("the session of %s lasts: %v, want %v (%v)", key, ok, want, err)
		}
	}
}

// binding is a member of the staff with a code, for the WeChat of a resident who is owed
// some pushes, stored in that order.
func binding(t *testing.T, s *Store, name string, keys ...string) (code, openid string, staff workflow.PersonID) {
	t.Helper()
	code, openid = "CODE"+name, "o-"+name
	staff, err := s.UpsertPerson(ctx(t), "staff-"+name, workflow.Person{Community: here, Name: "秦霞", Roles: []workflow.Role{{Kind: workflow.RoleWorker}}})
	must(t, err)
	was, err := s.UpsertPerson(ctx(t), "was-"+name, workflow.Person{Community: here, OpenID: openid, Following: true})
	must(t, err)
	for _, key := range keys { // one after the other: each commit is in order
		must(t, s.Commit(ctx(t), desk.Change{Community: here, Pushes: []desk.Push{owed(key, was)}}))
	}
	must(t, s.NewBindCode(ctx(t), here, staff, code, noon.Add(time.Hour)))
	return code, openid, staff
}

// waits is until somebody waits for a lock.
func waits(t *testing.T, s *Store) {
	t.Helper()
	for count(t, s, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == 0 {
		if ctx(t).Err() != nil {
			t.Fatal("nobody waits")
		}
	}
}

// What a resident is owed is taken over in the order in which leases and ends of pushes
// lock it: whoever has the first waits for none of the others.
func TestBindLocksPushesInTheOrderOfLeases(t *testing.T) {
	s := newStore(t)
	code, openid, staff := binding(t, s, "a", "z", "b") // not in the order of their keys
	tx, err := s.pool.Begin(ctx(t))
	must(t, err)
	_, err = tx.Exec(ctx(t), "SELECT FROM push WHERE key = 'b' FOR UPDATE")
	must(t, err)
	bound := make(chan error)
	go func() {
		_, _, err := s.Bind(ctx(t), here, code, openid, noon)
		bound <- err
	}()
	waits(t, s)
	if _, err := tx.Exec(ctx(t), "SELECT FROM push WHERE key = 'z' FOR UPDATE NOWAIT"); err != nil {
		t.Errorf("the second is held by who waits for the first: %v", err)
	}
	must(t, tx.Rollback(ctx(t)))
	must(t, <-bound)
	if n := count(t, s, "SELECT count(*) FROM push WHERE person = $1", staff); n != 2 {
		t.Errorf("%d pushes were taken over", n)
	}
}

// Where PostgreSQL ends a binding because it and somebody else wait for each other, it is
// done again.
func TestBindIsDoneAgainAfterADeadlock(t *testing.T) {
	s := newStore(t)
	code, openid, staff := binding(t, s, "a", "b")
	tx, err := s.pool.Begin(ctx(t))
	must(t, err)
	_, err = tx.Exec(ctx(t), "SET LOCAL deadlock_timeout = '1h'") // the other one finds it
	must(t, err)
	_, err = tx.Exec(ctx(t), "SELECT FROM person WHERE id = $1 FOR UPDATE", staff)
	must(t, err)
	bound := make(chan error)
	go func() {
		_, _, err := s.Bind(ctx(t), here, code, openid, noon)
		bound <- err
	}()
	waits(t, s)
	_, err = tx.Exec(ctx(t), "UPDATE push SET attempts = attempts WHERE key = 'b'")
	must(t, err)
	must(t, tx.Commit(ctx(t)))
	must(t, <-bound)
	if n := count(t, s, "SELECT count(*) FROM push WHERE person = $1", staff); n != 1 {
		t.Errorf("%d pushes were taken over", n)
	}
}
