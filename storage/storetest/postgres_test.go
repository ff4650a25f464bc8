package storetest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// soon bounds every wait of these tests.
const soon = 20 * time.Second

func connect(t *testing.T, url string) (*pgx.Conn, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	t.Cleanup(cancel)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn, ctx
}

func TestPostgresIsTheTestsOwn(t *testing.T) {
	first, ctx := connect(t, Postgres(t))
	second, _ := connect(t, Postgres(t))
	if _, err := first.Exec(ctx, "CREATE TABLE mine (i int)"); err != nil {
		t.Fatal(err)
	}
	var found *string
	if err := second.QueryRow(ctx, "SELECT to_regclass('mine')::text").Scan(&found); err != nil {
		t.Fatal(err)
	}
	if found != nil {
		t.Errorf("the second database has the first one's table %s", *found)
	}
	for _, conn := range []*pgx.Conn{first, second} {
		var locked bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(1)").Scan(&locked); err != nil {
			t.Fatal(err)
		}
		if !locked {
			t.Error("an advisory lock of one test is held against another")
		}
	}
}

func TestPostgresIsDroppedAfterTheTest(t *testing.T) {
	var url string
	t.Run("inner", func(t *testing.T) {
		url = Postgres(t)
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		// Left open on purpose: the database goes all the same.
		if _, err := pgx.Connect(ctx, url); err != nil {
			t.Fatal(err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err == nil {
		_ = conn.Close(ctx)
		t.Fatal("the database is still there after its test")
	}
	if !strings.Contains(err.Error(), "3D000") { // invalid_catalog_name
		t.Errorf("connecting failed, but not for want of the database: %v", err)
	}
}

// refusals records a Fatal instead of ending the test.
type refusals struct {
	testing.TB
	said string
}

func (r *refusals) Helper() {}

func (r *refusals) Fatal(args ...any) {
	r.said = fmt.Sprint(args...)
	runtime.Goexit()
}

func TestPostgresSaysWhatToDoWithoutAServer(t *testing.T) {
	t.Setenv(PostgresEnv, "")
	r := &refusals{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Postgres(r)
	}()
	<-done
	if want := "run make test, or scripts/with-stores.sh go test ./..."; !strings.Contains(r.said, want) {
		t.Errorf("said %q, want it to hold %q", r.said, want)
	}
}
