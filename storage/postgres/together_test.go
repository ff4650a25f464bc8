package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// leasing asks for leases of pushes in one batch, and tells who got one.
func leasing(s *Store, keys ...string) (got []bool, errs []error) {
	batch, got := leases(keys...)
	s.pushes.do(batch)
	for _, a := range batch {
		errs = append(errs, <-a.answer)
	}
	return got, errs
}

// leases are what asks for leases of pushes; got is who has one once it is answered.
func leases(keys ...string) (batch []*asked[*statement], got []bool) {
	batch, got = make([]*asked[*statement], len(keys)), make([]bool, len(keys))
	for i, key := range keys {
		batch[i] = &asked[*statement]{ctx: context.Background(), op: "take push", answer: make(chan error, 1), what: &statement{
			community: here, key: key, sql: takePush, args: []any{here, key, noon, noon.Add(time.Minute), int64(i + 1)},
			took: func(rows pgx.Rows) error {
				found, err := pgx.CollectRows(rows, scanLeased)
				got[i] = len(found) == 1
				return err
			},
		}}
	}
	return batch, got
}

// Leases that are asked for at the same time share a transaction and a round trip, and
// of two for the same push one is given.
func TestManyLeasesShareOneTransaction(t *testing.T) {
	var trips roundTrips
	s := openStore(t, freshURL(t), func(c *pgxpool.Config) { c.ConnConfig.Tracer = &trips })
	var change desk.Change
	change.Community = here
	var keys []string
	for i := range maxBatch - 1 {
		keys = append(keys, fmt.Sprint("p", i))
		change.Pushes = append(change.Pushes, owed(keys[i], 8))
	}
	must(t, s.Commit(ctx(t), change))
	trips.n.Store(0)
	got, errs := leasing(s, append(keys, "p7")...)
	must(t, errors.Join(errs...))
	given := 0
	for _, ok := range got {
		if ok {
			given++
		}
	}
	if given != len(keys) || got[7] == got[len(keys)] {
		t.Errorf("%d leases of %d pushes, of the one asked for twice %v and %v", given, len(keys), got[7], got[len(keys)])
	}
	if n := trips.n.Load(); n != 1 {
		t.Errorf("they took %d round trips", n)
	}
	if n := count(t, s, "SELECT count(DISTINCT xmin::text) FROM push WHERE status = 'sending' AND attempts = 1"); n != 1 {
		t.Errorf("they took %d transactions", n)
	}
}

// What PostgreSQL refuses of many fails alone.
func TestOneBadStatementFailsAlone(t *testing.T) {
	s := newStore(t)
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Pushes: []desk.Push{owed("a", 8), owed("b", 8)}}))
	got, errs := leasing(s, "a", "no\x00key", "b")
	if !got[0] || !got[2] || errs[0] != nil || errs[2] != nil {
		t.Errorf("the good ones got %v and %v", errs[0], errs[2])
	}
	var e *Error
	if !errors.As(errs[1], &e) || e.Op != "take push" || e.SQLState == "" {
		t.Errorf("the bad one got %v", errs[1])
	}
}

// A row that somebody holds for long holds up those who want it, and nobody else: neither
// who shares their round nor who comes after.
func TestALockedRowHoldsUpNobodyElse(t *testing.T) {
	s := openStore(t, freshURL(t), func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["lock_timeout"] = "500ms" })
	var change desk.Change
	change.Community = here
	for _, key := range []string{"a", "b", "c", "d"} {
		change.Pushes = append(change.Pushes, owed(key, 8))
	}
	must(t, s.Commit(ctx(t), change))
	tx, err := s.pool.Begin(ctx(t))
	must(t, err)
	_, err = tx.Exec(ctx(t), "SELECT FROM push WHERE key = 'b' FOR UPDATE")
	must(t, err)

	batch, got := leases("a", "b", "c")
	go s.pushes.do(batch)
	if err := errors.Join(<-batch[0].answer, <-batch[2].answer); err != nil || !got[0] || !got[2] {
		t.Errorf("beside it: %v and %v, %v", got[0], got[2], err)
	}
	if _, ok, err := s.TakePush(ctx(t), here, "d", noon, time.Minute); err != nil || !ok {
		t.Errorf("after it: %v %v", ok, err)
	}
	must(t, tx.Rollback(ctx(t)))
	if err := <-batch[1].answer; err != nil || !got[1] {
		t.Errorf("who waited for the row: %v %v", got[1], err)
	}
}

// What cannot be read of one answer fails that one, and neither those who share its batch
// nor the connection: all are read once.
func TestAnUnreadableAnswerFailsAlone(t *testing.T) {
	s := newStore(t)
	for what, scan := range map[string]func(pgx.CollectableRow) (int64, error){
		"no number": pgx.RowTo[int64],
		"panic":     func(pgx.CollectableRow) (int64, error) { panic("of its scan") },
	} {
		var reads int
		reading := func(sql string, scan func(pgx.CollectableRow) (int64, error)) *asked[*statement] {
			return &asked[*statement]{ctx: ctx(t), op: "read", answer: make(chan error, 1), what: &statement{sql: sql, took: func(rows pgx.Rows) error {
				reads++
				_, err := pgx.CollectRows(rows, scan)
				return err
			}}}
		}
		batch := []*asked[*statement]{
			reading("SELECT 1::bigint", pgx.RowTo[int64]), reading("SELECT 'no number'", scan), reading("SELECT 3::bigint", pgx.RowTo[int64]),
		}
		s.reads.do(slices.Clone(batch))
		if a, c := <-batch[0].answer, <-batch[2].answer; a != nil || c != nil {
			t.Errorf("%s: beside it: %v and %v", what, a, c)
		}
		if err := <-batch[1].answer; err == nil {
			t.Errorf("%s: it was read", what)
		}
		if reads != len(batch) {
			t.Errorf("%s: %d reads of %d", what, reads, len(batch))
		}
	}
	_, _, err := pointRow(ctx(t), s, "one", pgx.RowTo[int64], "SELECT 'no number'")
	var e *Error
	if !errors.As(err, &e) || e.Op != "one" {
		t.Errorf("what cannot be read gave %v", err)
	}
}

// A read asked for after the server had come back finds it, whatever became of the
// connections; one after Close is told so.
func TestReadsAfterTheConnectionsDied(t *testing.T) {
	s := newStore(t)
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Talk: talked(7, 0, `"a"`)}))
	for range 4 { // as many as are open
		_, _, err := s.Talk(ctx(t), here, 7)
		must(t, err)
	}
	admin := openStore(t, s.pool.Config().ConnString(), nil)
	count(t, admin, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	if _, version, err := s.Talk(ctx(t), here, 7); err != nil || version != 1 {
		t.Errorf("version %d, %v", version, err)
	}
	s.Close()
	if _, _, err := s.Talk(ctx(t), here, 7); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// A lease whose answer was lost is nobody's: asked for again it is the same one, and where
// it cannot be it is given back. An end may be repeated.
func TestALostLeaseIsGivenBack(t *testing.T) {
	s := newStore(t)
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Pushes: []desk.Push{owed("a", 8)}}))
	take := func(now time.Time, number int64) []desk.Push {
		got, err := shared(ctx(t), s.pushes, "take", scanLeased, &statement{community: here, key: "a", sql: takePush, args: []any{here, "a", now, now.Add(time.Minute), number}})
		must(t, err)
		return got
	}
	for range 2 { // its answer is lost once
		if got := take(noon, 11); len(got) != 1 || got[0].Attempts != 1 || got[0].Status != desk.PushOwed {
			t.Errorf("a lease asked for again: %+v", got)
		}
	}
	if got := take(noon, 13); len(got) != 0 {
		t.Errorf("another got it: %+v", got)
	}
	s.insist(ctx(t), io.ErrUnexpectedEOF, statement{community: here, key: "a", sql: giveBack, args: []any{here, "a", noon, int64(11)}})
	s.insisting.Wait()
	p, ok, err := s.TakePush(ctx(t), here, "a", noon, time.Minute)
	if must(t, err); !ok || p.Status != desk.PushOwed || p.Attempts != 1 {
		t.Errorf("what was given back: %v %+v", ok, p)
	}
	held := desk.PushOutcome{Status: desk.PushOwed, Held: true, NextTry: noon, At: noon, Lease: p.Lease}
	for range 2 {
		must(t, s.FinishPush(ctx(t), here, "a", held))
	}
	if p, _, _ = s.TakePush(ctx(t), here, "a", noon, time.Minute); p.Attempts != 1 {
		t.Errorf("held once and told twice: attempt %d", p.Attempts)
	}
}

// stalledLeases are a store with two pushes, and one whose answers stall on the way from
// now on.
func stalledLeases(t *testing.T) (direct, s *Store, proxy *storetest.Proxy) {
	t.Helper()
	url := freshURL(t)
	direct = openStore(t, url, nil)
	must(t, direct.Commit(ctx(t), desk.Change{Community: here, Pushes: []desk.Push{owed("a", 8), owed("b", 8)}}))
	proxy = storetest.Cut(t, url)
	s = openStore(t, proxy.URL(), nil)
	if _, ok, err := s.TakePush(ctx(t), here, "b", noon, time.Minute); err != nil || !ok { // its connection is there
		t.Fatal(ok, err)
	}
	proxy.StallAnswers()
	return direct, s, proxy
}

// A lease whose answer does not come is given back once PostgreSQL answers: within its
// time another sender gets the push, as one that nobody tried to send.
func TestALeaseWhoseAnswerWasLostIsGivenBack(t *testing.T) {
	direct, s, proxy := stalledLeases(t)
	impatient, leave := context.WithCancel(ctx(t))
	left := make(chan error)
	go func() {
		_, _, err := s.TakePush(impatient, here, "a", noon, time.Minute)
		left <- err
	}()
	for count(t, direct, "SELECT count(*) FROM push WHERE key = 'a' AND status = 'sending'") == 0 {
		if ctx(t).Err() != nil {
			t.Fatal("the lease was never given")
		}
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("who left got %v", err)
	}
	proxy.Heal()
	s.insisting.Wait()
	p, ok, err := direct.TakePush(ctx(t), here, "a", noon.Add(time.Second), time.Minute)
	if must(t, err); !ok || p.Status != desk.PushOwed || p.Attempts != 1 {
		t.Errorf("the next sender got %v %+v", ok, p)
	}
}

// A lease whose answer is late for longer than is waited for it is the same lease when it
// is asked for again, or is given back: it is no attempt that nobody made.
func TestALeaseWhoseAnswerIsLateIsOne(t *testing.T) {
	t.Parallel() // it waits for a bound of the wall
	direct, s, proxy := stalledLeases(t)
	healed := time.AfterFunc(commitTimeout+time.Second, proxy.Heal)
	defer healed.Stop()
	p, ok, err := s.TakePush(ctx(t), here, "a", noon, time.Minute)
	s.insisting.Wait()
	next, again, nerr := direct.TakePush(ctx(t), here, "a", noon.Add(time.Second), time.Minute)
	must(t, nerr)
	switch {
	case err == nil && (!ok || p.Status != desk.PushOwed || p.Attempts != 1 || again):
		t.Errorf("it got %v %+v; within its lease the next sender got %v", ok, p, again)
	case err != nil && (!again || next.Status != desk.PushOwed || next.Attempts != 1):
		t.Errorf("it got %v; the next sender got %v %+v", err, again, next)
	}
}
