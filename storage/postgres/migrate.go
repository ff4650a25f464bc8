package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"path"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // goose speaks database/sql
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrate brings the database at url to this program's schema, and then what
// older releases stored to what this one looks for: of many tickets that takes
// a while. Several processes may call it at once: one migrates, the others wait
// for it. What was interrupted goes on where it was.
func Migrate(ctx context.Context, url string) error {
	return migrations(ctx, url, func(p *goose.Provider) error {
		if _, err := p.Up(ctx); err != nil {
			return err
		}
		s, err := Open(ctx, url, Options{})
		if err != nil {
			return err
		}
		defer s.Close()
		return s.wordOld(ctx)
	})
}

// Pending are the migrations that the database at url lacks, in order; empty
// where it is up to date.
func Pending(ctx context.Context, url string) ([]string, error) {
	var pending []string
	err := migrations(ctx, url, func(p *goose.Provider) error {
		all, err := p.Status(ctx)
		for _, m := range all {
			if m.State == goose.StatePending {
				pending = append(pending, path.Base(m.Source.Path))
			}
		}
		return err
	})
	return pending, err
}

// lockMigrations waits for the lock of this schema; it ends with the
// connection.
const lockMigrations = `SELECT pg_advisory_lock(hashtextextended('wishdesk migrations of ' || current_schema(), 0))`

func migrations(ctx context.Context, url string, f func(*goose.Provider) error) (err error) {
	lock, err := pgx.Connect(ctx, url)
	if err != nil {
		return fault("migrate", err)
	}
	defer func() { err = errors.Join(err, fault("migrate", lock.Close(context.WithoutCancel(ctx)))) }()
	if _, err := lock.Exec(ctx, lockMigrations); err != nil {
		return fault("migrate", err)
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		return fault("migrate", err)
	}
	defer func() { err = errors.Join(err, fault("migrate", db.Close())) }()
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return fault("migrate", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return fault("migrate", err)
	}
	return fault("migrate", f(provider))
}
