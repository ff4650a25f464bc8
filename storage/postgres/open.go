package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Options are what a Store may be given; all have defaults.
type Options struct {
	// Logger gets faults, never texts of residents; nil discards them.
	Logger *slog.Logger
	// Clock dates what an administrator does (documents applied); nil is the
	// wall clock. Changes bring their own times.
	Clock clockwork.Clock
	// MaxConns bounds the connections; 0 means 16, unless the URL has
	// pool_max_conns.
	MaxConns int32
}

// Store is the record. It is safe for concurrent use, and any number of
// processes may share one database.
type Store struct {
	pool  *pgxpool.Pool
	log   *slog.Logger
	clock clockwork.Clock

	changes   *together[*desk.Change]
	reads     *together[*statement]
	pushes    *together[*statement] // leases and ends
	running   sync.WaitGroup        // what does their rounds
	insisted  atomic.Int64          // pushes that are asked about again
	insisting sync.WaitGroup        // by these
	closing   chan struct{}         // closed by Close
	once      sync.Once

	numbers numbers
	persons block
}

var _ desk.Journal = (*Store)(nil)

// Bounds of the wall, not of the rules. A connection that hangs inside a
// transaction must not hold locks for long.
const (
	connectTimeout = 3 * time.Second
	lockTimeout    = "3s"
	idleTimeout    = "10s"
)

// Open connects to a database by its URL (postgres://…, also with
// host=/socket/directory; pool_max_conns and other pgxpool settings are
// understood). It fails where the database does not answer; it does not look
// at migrations (see Pending).
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	s, err := open(ctx, url, opts, nil)
	if err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, url string, opts Options, adjust func(*pgxpool.Config)) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault("settings", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = 16
		if opts.MaxConns > 0 {
			cfg.MaxConns = opts.MaxConns
		}
	}
	cfg.ConnConfig.ConnectTimeout = connectTimeout
	for name, value := range map[string]string{
		"application_name": "wishdesk", "timezone": "UTC",
		"lock_timeout": lockTimeout, "idle_in_transaction_session_timeout": idleTimeout,
	} {
		if cfg.ConnConfig.RuntimeParams[name] == "" {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	}
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	if adjust != nil {
		adjust(cfg)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fault("connect", err)
	}
	s := &Store{
		pool: pool, log: opts.Logger, clock: opts.Clock,
		closing: make(chan struct{}), numbers: numbers{of: map[string]*block{}},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = clockwork.NewRealClock()
	}
	s.changes, s.reads, s.pushes = newTogether(s, s.transact), newTogether(s, s.read), newTogether(s, s.write)
	for _, run := range []func(){s.changes.run, s.reads.run, s.reads.run, s.pushes.run} { // what is read is also decoded: on two cores
		s.running.Go(run)
	}
	return s, nil
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return fault("ping", s.pool.Ping(ctx)) }

// Close commits what was accepted, refuses what comes after, and closes the
// connections.
func (s *Store) Close() {
	s.once.Do(func() {
		close(s.closing)
		s.running.Wait()
		s.pool.Close()
	})
}

// Error is a fault of the record or of the way to it. Its text names the
// operation and PostgreSQL's code (https://www.postgresql.org/docs/15/errcodes-appendix.html),
// never the values in question; Cause may hold them and is not for logs.
type Error struct {
	Op         string // "commit", "ticket", …
	SQLState   string // "" where PostgreSQL gave none
	Constraint string // the constraint that was violated, if any
	Cause      error
}

// Error is the text for logs.
func (e *Error) Error() string {
	text := "postgres: " + e.Op + ": "
	if e.SQLState == "" {
		return text + e.Cause.Error()
	}
	text += "SQLSTATE " + e.SQLState
	if e.Constraint != "" {
		text += " (" + e.Constraint + ")"
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// fault wraps an error of the database; nil and typed errors stay what they
// are.
func fault(op string, err error) error {
	var refusal *workflow.Error
	var known *Error
	if err == nil || errors.As(err, &refusal) || errors.As(err, &known) {
		return err
	}
	e := &Error{Op: op, Cause: err}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e.SQLState, e.Constraint = pg.Code, pg.ConstraintName
	}
	return e
}

// notFound is the refusal for what is not in the record.
func notFound(number int64, what string) error {
	return &workflow.Error{Code: workflow.CodeNotFound, Number: number, Cause: errors.New("no " + what)}
}

// text is a text as PostgreSQL takes it: UTF-8 without NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// document is a value as JSON that jsonb takes: an escaped NUL, which
// PostgreSQL refuses, is left out.
func document(v any) (string, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", &Error{Op: "document", Cause: err}
	}
	if !bytes.Contains(data, []byte(`\u0000`)) {
		return string(data), nil
	}
	out := data[:0]
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			out = append(out, data[i])
			continue
		}
		if bytes.HasPrefix(data[i:], []byte(`\u0000`)) {
			i += len(`\u0000`) - 1
			continue
		}
		out = append(out, data[i], data[i+1]) // an escape; "\\" must not hide what follows
		i++
	}
	return string(out), nil
}

// rows reads all rows of a query.
func rows[T any](ctx context.Context, s *Store, op string, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) ([]T, error) {
	found, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fault(op, err)
	}
	out, err := pgx.CollectRows(found, scan)
	return out, fault(op, err)
}

// row reads at most one row; ok is false where there is none.
func row[T any](ctx context.Context, s *Store, op string, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) (v T, ok bool, err error) {
	return first(rows(ctx, s, op, scan, sql, args...))
}

// Alone gives whoever asks first a name for as long as it is not released, or
// the process lives; ok is false where somebody has it.
func (s *Store) Alone(ctx context.Context, name string) (release func(), ok bool, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, false, fault("alone", err)
	}
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended($1, 0))`, name).Scan(&ok)
	if err != nil || !ok {
		conn.Release()
		return nil, false, fault("alone", err)
	}
	return func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtextextended($1, 0))`, name)
		conn.Release()
	}, true, nil
}
