package postgres

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"path"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
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

const (
	// lockMigrations waits for the lock of this schema. It ends with the session, and
	// that is the one that migrates: where a process was killed, the server may still be
	// at what it sent last, even at its commit, and who comes next must not begin before
	// that ended.
	lockMigrations = `SELECT pg_advisory_lock(hashtextextended('wishdesk migrations of ' || current_schema(), 0))`
	// noticeGone has the server look, while it is at a long statement, whether who sent
	// it is still there. Not every system that PostgreSQL runs on can; there the
	// statement goes to its end first.
	noticeGone = `SET client_connection_check_interval = '100ms'`
)

func migrations(ctx context.Context, url string, f func(*goose.Provider) error) (err error) {
	cfg, err := pgxpool.ParseConfig(url) // which may have settings of a pool
	if err != nil {
		return fault("settings", err)
	}
	db := stdlib.OpenDB(*cfg.ConnConfig, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		if _, err := c.Exec(ctx, noticeGone); err != nil && broken(err) {
			return err
		}
		_, err := c.Exec(ctx, lockMigrations)
		return err
	}))
	defer func() { err = errors.Join(err, fault("migrate", db.Close())) }()
	db.SetMaxOpenConns(1) // each has the lock
	if err := db.PingContext(ctx); err != nil {
		return fault("migrate", err)
	}
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
