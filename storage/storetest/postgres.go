package storetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresEnv names the environment variable with the URL of the PostgreSQL server
// for tests; its user may create databases. scripts/with-stores.sh sets it.
const PostgresEnv = "WISHDESK_TEST_POSTGRES"

// housekeeping bounds the making and the dropping of one database.
const housekeeping = 30 * time.Second

var databases atomic.Int64

// Postgres gives the URL of an empty database of the test's own, for pgx, and drops
// it when the test is over, whoever is still connected. A database, not a schema:
// advisory locks and notifications reach all of a database and must not reach other
// tests. Making one takes about 50 ms.
func Postgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv(PostgresEnv)
	if base == "" {
		t.Fatal(PostgresEnv + " is not set: run make test, or scripts/with-stores.sh go test ./...")
	}
	mine, err := url.Parse(base)
	if err != nil {
		t.Fatalf("%s is not a URL", PostgresEnv)
	}
	name := fmt.Sprintf("test_%d_%d_%d", os.Getpid(), time.Now().UnixNano(), databases.Add(1))
	execute(t, base, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, base, "DROP DATABASE "+name+" WITH (FORCE)") })
	mine.Path = "/" + name
	return mine.String()
}

func execute(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), housekeeping)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("connecting to %s: %v", PostgresEnv, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
