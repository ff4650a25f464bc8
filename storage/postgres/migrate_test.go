package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/wishdesk/wishdesk/storage/storetest"
)

// A migration whose process is gone leaves the server at its statement. Who comes next
// waits until that has ended, and it ends though the statement could go on for long.
func TestWhoMigratesNextWaitsForTheStatementOfTheDead(t *testing.T) {
	url := freshURL(t)
	must(t, migrations(ctx(t), url, func(p *goose.Provider) error { _, err := p.DownTo(ctx(t), 13); return err }))
	s := openStore(t, url, nil)
	proxy, err := storetest.Between(url)
	must(t, err)
	defer func() { must(t, proxy.Close()) }()

	reading, err := s.pool.Begin(ctx(t)) // 14 waits for it, however long it reads
	must(t, err)
	defer func() { _ = reading.Rollback(ctx(t)) }()
	_, err = reading.Exec(ctx(t), `LOCK TABLE ticket IN ACCESS SHARE MODE`)
	must(t, err)
	first := make(chan error, 1)
	go func() { first <- Migrate(ctx(t), proxy.URL()) }()
	const atWork = `SELECT count(*) FROM pg_locks l JOIN pg_locks w USING (pid)
		WHERE l.locktype = 'advisory' AND l.granted AND w.relation = 'ticket'::regclass AND NOT w.granted`
	until := func(want int) {
		t.Helper()
		for c := ctx(t); count(t, s, atWork) != want; {
			select {
			case <-c.Done():
				t.Fatalf("no moment at which %d sessions with the lock wait for the table", want)
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	until(1)
	proxy.Cut()
	if err := <-first; err == nil {
		t.Fatal("it migrated without a connection")
	}
	until(0)
	next := make(chan error, 1)
	go func() { next <- Migrate(ctx(t), url) }()
	until(1)
	must(t, reading.Rollback(ctx(t)))
	must(t, <-next)
	if pending, err := Pending(ctx(t), url); err != nil || len(pending) != 0 {
		t.Errorf("pending %v, %v", pending, err)
	}
}

// The URL of the record may have settings of the pool, which are none of PostgreSQL's.
func TestMigrateByAURLWithSettingsOfThePool(t *testing.T) {
	url := storetest.Postgres(t)
	sign := "?"
	if strings.Contains(url, "?") {
		sign = "&"
	}
	must(t, Migrate(ctx(t), url+sign+"pool_max_conns=3"))
}
