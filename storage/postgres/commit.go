package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wishdesk/wishdesk/workflow/desk"
)

const (
	maxTries      = 5               // of a transaction that raced with another process
	commitTimeout = 5 * time.Second // one try of a transaction
	fateTimeout   = 2 * time.Second // to learn what became of a COMMIT whose answer was lost
)

// ErrClosed is the answer of a Store that is closed.
var ErrClosed = errors.New("postgres: the store is closed")

// errFate: the connection broke in a COMMIT and the database cannot be asked
// what became of it.
var errFate = errors.New("the connection broke while committing; it is not known whether the change was stored")

// Commit stores the change whole and durably, or not at all. While one
// transaction is under way the changes that arrive gather for the next; an
// idle store commits at once.
//
// A caller whose ctx ends gets its error, but the change may still be stored;
// so also, rarely, where the answer is an *Error because the database went
// away in the middle. Asking again is safe: what was stored then gives
// ErrSeen or ErrStale.
func (s *Store) Commit(ctx context.Context, ch desk.Change) error {
	if err := check(&ch); err != nil {
		return err
	}
	return s.changes.ask(ctx, "commit", &ch)
}

// check refuses a change that contradicts itself.
func check(ch *desk.Change) error {
	bad := func(format string, a ...any) error {
		return &Error{Op: "commit", Cause: fmt.Errorf("malformed change: "+format, a...)}
	}
	for i, tc := range ch.Tickets {
		t := &tc.Ticket
		if t.Community != ch.Community || t.Number == 0 {
			return bad("ticket %d is of another community or has no number", t.Number)
		}
		if len(tc.Events) == 0 || t.Version != tc.Was+int64(len(tc.Events)) {
			return bad("ticket %d: version %d does not follow %d by %d events", t.Number, t.Version, tc.Was, len(tc.Events))
		}
		for j, ev := range tc.Events {
			if ev.Seq != tc.Was+int64(j)+1 {
				return bad("ticket %d: event %d out of order", t.Number, ev.Seq)
			}
		}
		if slices.ContainsFunc(ch.Tickets[:i], func(o desk.TicketChange) bool { return o.Ticket.Number == t.Number }) {
			return bad("ticket %d stands twice", t.Number)
		}
	}
	if ch.NewPerson != nil && (ch.NewPerson.Community != ch.Community || ch.NewPerson.ID == 0) {
		return bad("the person is of another community or has no ID")
	}
	return nil
}

// transact stores changes in one transaction, trying again where another
// process came between or a connection proved dead.
func (s *Store) transact(changes []*desk.Change) (answers []error, err error) {
	for range maxTries {
		answers, err = s.attempt(changes)
		if err == nil || !worthAgain(err, len(changes)) {
			return answers, err
		}
	}
	return answers, err
}

// attempt is one transaction, in two round trips: one reads and locks what
// the changes depend on, the other writes those that fit and commits.
func (s *Store) attempt(changes []*desk.Change) ([]error, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()

	var tx transaction
	known := newKnown(changes)
	reads := &pgx.Batch{}
	reads.Queue("BEGIN")
	reads.Queue("SELECT pg_current_xact_id()::text, pg_backend_pid()").QueryRow(func(r pgx.Row) error {
		return r.Scan(&tx.id, &tx.backend)
	})
	known.queue(reads)
	if err := conn.SendBatch(ctx, reads).Close(); err != nil {
		return nil, rollback(ctx, conn, err)
	}

	answers, fit := known.judge(changes)
	if len(fit) == 0 {
		return answers, rollback(ctx, conn, nil)
	}
	writes := &pgx.Batch{}
	if err := queueWrites(writes, fit, known); err != nil {
		return nil, rollback(ctx, conn, err)
	}
	writes.Queue("COMMIT")
	err = conn.SendBatch(ctx, writes).Close()
	switch {
	case err == nil:
		return answers, nil
	case !broken(err):
		return nil, rollback(ctx, conn, err)
	}
	stored, ferr := s.fate(tx, fit)
	if ferr != nil {
		return nil, errors.Join(errFate, ferr)
	}
	s.log.Warn("a connection broke while committing", "stored", stored)
	if stored {
		return answers, nil
	}
	return nil, err
}

// rollback ends the transaction and gives back the error that led there. A
// connection on which that fails is closed by its release.
func rollback(ctx context.Context, conn *pgxpool.Conn, cause error) error {
	if conn.Conn().IsClosed() {
		return cause
	}
	if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil && cause == nil {
		return err
	}
	return cause
}

// transaction names a transaction to whoever asks for its fate.
type transaction struct {
	id      string // PostgreSQL's xid8
	backend int32
}

const (
	askFate = `SELECT coalesce(pg_xact_status($1::text::xid8), 'aborted')`
	// endBackend ends the server's side of a broken connection, if it still
	// is in that very transaction.
	endBackend = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid = $1 AND backend_xid = ($2::text::xid8)::xid AND state <> 'active'`
	// What a transaction wrote that nobody writes anew.
	wroteMessage = `SELECT EXISTS (SELECT FROM message WHERE community = $2 AND delivery = $3 AND xmin = ($1::text::xid8)::xid)`
	wroteEvent   = `SELECT EXISTS (SELECT FROM event WHERE community = $2 AND number = $3 AND seq = $4 AND xmin = ($1::text::xid8)::xid)`
)

// fate asks PostgreSQL what became of a transaction that wrote changes and whose
// connection broke in COMMIT, and waits while it is still under way.
//
// That a transaction of this number was committed does not tell: a server that
// crashed, or the standby that took its place, gives numbers again which it never
// heard of. What the transaction wrote must be there. Where it wrote nothing that
// tells, it counts as not stored, and asking again finds out.
func (s *Store) fate(tx transaction, changes []*desk.Change) (stored bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), fateTimeout)
	defer cancel()
	wait := time.NewTicker(20 * time.Millisecond)
	defer wait.Stop()
	for {
		var status string
		err = s.pool.QueryRow(ctx, askFate, tx.id).Scan(&status)
		var pg *pgconn.PgError
		switch {
		case errors.As(err, &pg) && pg.Code == "22023":
			return false, nil // in the future: this server, a successor, never saw it
		case err == nil && status == "committed":
			if stored, err = s.wrote(ctx, tx, changes); err == nil {
				return stored, nil
			}
		case err == nil && status != "in progress":
			return false, nil
		case err == nil:
			_, err = s.pool.Exec(ctx, endBackend, tx.backend, tx.id)
		}
		select {
		case <-ctx.Done():
			return false, errors.Join(ctx.Err(), err)
		case <-wait.C:
		}
	}
}

// wrote tells whether what a transaction wrote is there: all of it or nothing is, so
// that one row tells.
func (s *Store) wrote(ctx context.Context, tx transaction, changes []*desk.Change) (there bool, err error) {
	for _, ch := range changes {
		switch {
		case ch.Delivery != nil:
			err = s.pool.QueryRow(ctx, wroteMessage, tx.id, ch.Community, ch.Delivery.ID).Scan(&there)
		case len(ch.Tickets) > 0:
			tc := ch.Tickets[0]
			err = s.pool.QueryRow(ctx, wroteEvent, tx.id, ch.Community, tc.Ticket.Number, tc.Events[0].Seq).Scan(&there)
		default:
			continue
		}
		return there, err
	}
	return false, nil
}

// worthAgain tells whether trying again may help so many who share a round. A lock that one of
// them waited for in vain is not waited for by all once more.
func worthAgain(err error, callers int) bool {
	return dead(err) || raced(err) && (callers == 1 || !locked(err))
}

// locked: somebody holds a row for longer than is waited for it.
func locked(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "55P03"
}

// raced: another process stored something between reading and writing, or
// both waited for each other. Trying again decides anew.
func raced(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && slices.Contains([]string{"23505", "40001", "40P01", "55P03"}, pg.Code)
}

// dead: the connection was broken, as after a restart of the server, and
// another may not be. Where the server is away or hangs, asking again at once
// only makes callers wait.
func dead(err error) bool {
	return broken(err) && !errors.Is(err, errFate) && !errors.Is(err, context.DeadlineExceeded) &&
		!errors.As(err, new(*pgconn.ConnectError))
}

// refused: PostgreSQL did not take what was written.
func refused(err error) bool {
	return !broken(err) && !errors.Is(err, errFate)
}

// broken: the connection or the server went away, so that nothing is known of
// what was sent.
func broken(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return !errors.As(err, new(*Error))
	}
	// 57P: the server shuts down; 08: connection; 25P03: idle in transaction
	return strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08") || pg.Code == "25P03" ||
		pg.Severity == "FATAL" || pg.Severity == "PANIC"
}
