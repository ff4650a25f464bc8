package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/wishdesk/wishdesk/workflow"
)

const (
	numberBlock = 10  // ticket numbers taken at a time
	personBlock = 100 // person IDs taken at a time, the sequence's increment
)

// block hands out numbers that are taken from the record many at a time.
type block struct {
	once      sync.Once
	turn      chan struct{} // holds one token: who has it may take
	next, end int64
}

// take is the next number; refill gets the first of a new block.
func (b *block) take(ctx context.Context, size int64, refill func(context.Context) (int64, error)) (int64, error) {
	b.once.Do(func() {
		b.turn = make(chan struct{}, 1)
		b.turn <- struct{}{}
	})
	select {
	case <-b.turn:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { b.turn <- struct{}{} }()
	if b.next == b.end {
		first, err := refill(ctx)
		if err != nil {
			return 0, err
		}
		b.next, b.end = first, first+size
	}
	n := b.next
	b.next++
	return n, nil
}

// numbers are the blocks of ticket numbers by community.
type numbers struct {
	mu sync.Mutex
	of map[string]*block
}

func (n *numbers) block(community string) *block {
	n.mu.Lock()
	defer n.mu.Unlock()
	b, ok := n.of[community]
	if !ok {
		b = &block{}
		n.of[community] = b
	}
	return b
}

// takeNumbers need not wait for the disk: the ticket that gets a number is
// written to the same log after it, so that either both survive or neither.
const takeNumbers = `UPDATE community SET next_number = next_number + $2 WHERE code = $1
	RETURNING next_number - $2, set_config('synchronous_commit', 'off', true)`

// NextNumber is a fresh ticket number of the community, 1001 the first. It is
// a *workflow.Error with CodeNotFound where there is no such community.
func (s *Store) NextNumber(ctx context.Context, community string) (int64, error) {
	return s.numbers.block(community).take(ctx, numberBlock, func(ctx context.Context) (first int64, err error) {
		err = s.pool.QueryRow(ctx, takeNumbers, community, numberBlock).Scan(&first, nil)
		if errors.Is(err, pgx.ErrNoRows) {
			return 0, notFound(0, "community")
		}
		return first, fault("number", err)
	})
}

// NextPerson is a fresh person ID, unique in the deployment.
func (s *Store) NextPerson(ctx context.Context) (workflow.PersonID, error) {
	id, err := s.persons.take(ctx, personBlock, func(ctx context.Context) (first int64, err error) {
		err = s.pool.QueryRow(ctx, `SELECT nextval('person_id')`).Scan(&first)
		return first, fault("person id", err)
	})
	return workflow.PersonID(id), err
}
