package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"golang.org/x/sync/errgroup"
)

// maxBatch is how many callers share one round.
const maxBatch = 128

// asked is one caller who waits for an answer.
type asked[Q any] struct {
	ctx    context.Context
	op     string // its name in a fault
	what   Q
	answer chan error // of capacity 1
}

// together has many callers share a round to the record: while one round is under way
// those who come gather for the next; an idle one begins at once. Each gets its own
// answer.
type together[Q any] struct {
	s     *Store
	asked chan *asked[Q]
	round func([]Q) ([]error, error) // does all, or nothing and fails
}

func newTogether[Q any](s *Store, round func([]Q) ([]error, error)) *together[Q] {
	return &together[Q]{s: s, asked: make(chan *asked[Q]), round: round}
}

// ask waits for the answer. A caller whose ctx ends gets its error, but what it asked
// may be done all the same.
func (t *together[Q]) ask(ctx context.Context, op string, what Q) error {
	a := &asked[Q]{ctx: ctx, op: op, what: what, answer: make(chan error, 1)}
	select {
	case t.asked <- a:
	case <-ctx.Done():
		return ctx.Err()
	case <-t.s.closing:
		return ErrClosed
	}
	select {
	case err := <-a.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run does rounds until the store closes.
func (t *together[Q]) run() {
	for {
		select {
		case <-t.s.closing:
			return
		case first := <-t.asked:
			t.do(t.gather(first))
		}
	}
}

// gather takes, without waiting, who else has asked by now.
func (t *together[Q]) gather(first *asked[Q]) []*asked[Q] {
	batch := []*asked[Q]{first}
	for len(batch) < maxBatch {
		select {
		case a := <-t.asked:
			batch = append(batch, a)
		default:
			return batch
		}
	}
	return batch
}

// do does a batch and answers every caller.
func (t *together[Q]) do(batch []*asked[Q]) {
	batch = slices.DeleteFunc(batch, func(a *asked[Q]) bool { return a.ctx.Err() != nil }) // its caller has left
	if len(batch) == 0 {
		return
	}
	answers, err := t.round(column(batch, func(a *asked[Q]) Q { return a.what }))
	switch {
	case err == nil:
		for i, a := range batch {
			a.answer <- answers[i]
		}
	case len(batch) > 1 && locked(err): // one waits for what somebody else holds: nobody waits with it
		t.s.log.Warn("a batch met a row that is locked for long", "callers", len(batch))
		t.s.running.Go(func() { t.apart(batch) })
	case len(batch) > 1 && refused(err): // something is wrong with one: only that one fails
		t.s.log.Warn("a batch was refused; it is done one by one", "callers", len(batch), "cause", fault("batch", err))
		for _, a := range batch {
			t.do([]*asked[Q]{a})
		}
	default:
		for _, a := range batch {
			a.answer <- fault(a.op, err)
		}
	}
}

// sideBySide is how many connections are spent on a batch that met a locked row: one may
// wait for it, on the other those go on that need it not.
const sideBySide = 2

// apart does each of a batch by itself, beside the rounds of others.
func (t *together[Q]) apart(batch []*asked[Q]) {
	var all errgroup.Group
	all.SetLimit(sideBySide)
	for _, a := range batch {
		all.Go(func() error {
			t.do([]*asked[Q]{a})
			return nil
		})
	}
	_ = all.Wait()
}

// statement is one statement of many that are sent at once.
type statement struct {
	community, key string // whose row it changes
	sql            string
	args           []any
	took           func(pgx.Rows) error // takes what came of it
	unread         error                // what came could not be understood
}

// statements does all in one round trip and one transaction, and gives each what its
// took found wrong.
func (s *Store) statements(all []*statement) ([]error, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	b := &pgx.Batch{}
	for _, st := range all {
		b.Queue(st.sql, st.args...).Query(func(rows pgx.Rows) error { return st.take(apart{rows, conn.Conn().TypeMap()}) })
	}
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	return column(all, func(st *statement) error { return st.unread }), nil
}

// take takes what came of a statement. What cannot be understood of it is a fault of
// that one alone, also where its scan panics; what PostgreSQL or the connection say is
// one of all.
func (st *statement) take(rows pgx.Rows) error {
	func() {
		defer func() {
			if p := recover(); p != nil {
				st.unread = fmt.Errorf("panic: %T", p) // its words may hold a resident's
			}
		}()
		st.unread = st.took(rows)
	}()
	rows.Close()
	return rows.Err()
}

// apart are rows of a batch that a failing Scan does not end: pgx would fail the batch.
type apart struct {
	pgx.Rows
	types *pgtype.Map
}

// Scan reads the values of a row.
func (r apart) Scan(dest ...any) error {
	return pgx.ScanRow(r.types, r.FieldDescriptions(), r.RawValues(), dest...)
}

// read asks what only reads, again where the connection had died.
func (s *Store) read(all []*statement) (answers []error, err error) {
	for range maxTries {
		if answers, err = s.statements(all); err == nil || !dead(err) {
			break
		}
	}
	return answers, err
}

// write does what changes one row each, in the order of the rows, so that two processes
// never wait for each other. It may be stored though its answer was lost, so each must
// be such that it may be repeated.
func (s *Store) write(all []*statement) (answers []error, err error) {
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b *statement) int {
		return cmp.Or(cmp.Compare(a.community, b.community), cmp.Compare(a.key, b.key))
	})
	hung := false // once more is asked of a server that hangs
	for range maxTries {
		_, err = s.statements(sorted)
		hangs := errors.Is(err, context.DeadlineExceeded)
		if err == nil || !worthAgain(err, len(all)) && (!hangs || hung) {
			break
		}
		hung = hung || hangs
	}
	return column(all, func(st *statement) error { return st.unread }), err
}

// point reads a row that is found by its key, or a few, together with what others read
// at the same time.
func point[T any](ctx context.Context, s *Store, op string, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) ([]T, error) {
	return shared(ctx, s.reads, op, scan, &statement{sql: sql, args: args})
}

// pointRow is point for one row at most; ok is false where there is none.
func pointRow[T any](ctx context.Context, s *Store, op string, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) (v T, ok bool, err error) {
	return first(point(ctx, s, op, scan, sql, args...))
}

// shared has a statement done together with others' and gives its rows.
func shared[T any](ctx context.Context, t *together[*statement], op string, scan func(pgx.CollectableRow) (T, error), st *statement) ([]T, error) {
	var out []T
	st.took = func(rows pgx.Rows) (err error) {
		out, err = pgx.CollectRows(rows, scan)
		return err
	}
	if err := t.ask(ctx, op, st); err != nil {
		return nil, fault(op, err) // out may still be written: it is nobody's
	}
	return out, nil
}

func first[T any](all []T, err error) (v T, ok bool, _ error) {
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}
