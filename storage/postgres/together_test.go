package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wishdesk/wishdesk/workflow/desk"
)

// leasing asks for leases of pushes in one batch, and tells who got one.
func leasing(s *Store, keys ...string) (got []bool, errs []error) {
	got, errs = make([]bool, len(keys)), make([]error, len(keys))
	batch := make([]*asked[*statement], len(keys))
	for i, key := range keys {
		batch[i] = &asked[*statement]{ctx: context.Background(), op: "take push", answer: make(chan error, 1), what: &statement{
			community: here, key: key, sql: takePush, args: []any{here, key, noon, noon.Add(time.Minute)},
			took: func(rows pgx.Rows) error {
				found, err := pgx.CollectRows(rows, scanPush)
				got[i] = len(found) == 1
				return err
			},
		}}
	}
	s.pushes.do(batch)
	for i, a := range batch {
		errs[i] = <-a.answer
	}
	return got, errs
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

// What PostgreSQL refuses of many fails alone, and what cannot be read of an answer is a
// fault of that one.
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
	done := make(chan error, 2)
	go func() {
		_, _, err := pointRow(ctx(t), s, "one", pgx.RowTo[int64], "SELECT 'no number'")
		done <- err
	}()
	_, ok, err := pointRow(ctx(t), s, "two", pgx.RowTo[int64], "SELECT 2::bigint")
	if err != nil || !ok {
		t.Errorf("beside what cannot be read: %v %v", ok, err)
	}
	if err := <-done; !errors.As(err, &e) || e.Op != "one" {
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
