package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

var errTorn = errors.New("test: the cable was cut")

// tear is how a connection breaks in the next COMMIT.
type tear string

const (
	beforeHeard tear = "before the server hears it"
	hangsOn     tear = "before the server hears it, which does not notice"
	afterwards  tear = "after the server did it"
)

// torn is a connection that breaks once it is told to.
type torn struct {
	net.Conn
	armed tear
}

func (c *torn) Write(p []byte) (int, error) {
	switch c.armed {
	case beforeHeard:
		_ = c.Conn.Close()
		return 0, errTorn
	case hangsOn:
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *torn) Read(p []byte) (int, error) {
	if c.armed == hangsOn {
		return 0, errTorn
	}
	n, err := c.Conn.Read(p)
	if c.armed == afterwards && bytes.Contains(p[:max(n, 0)], []byte("COMMIT\x00")) {
		_ = c.Conn.Close()
		return 0, errTorn
	}
	return n, err
}

// Close leaves the server's end alone where it is not to notice.
func (c *torn) Close() error {
	if c.armed == hangsOn {
		return nil
	}
	return c.Conn.Close()
}

// tearer breaks the connections of the next COMMITs, one after the other.
type tearer struct {
	mu   sync.Mutex
	next []tear
	left []*torn
}

func (r *tearer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := data.Batch.QueuedQueries[data.Batch.Len()-1]
	if len(r.next) > 0 && last.SQL == "COMMIT" {
		c := conn.PgConn().Conn().(*torn)
		c.armed, r.next = r.next[0], r.next[1:]
		r.left = append(r.left, c)
	}
	return ctx
}
func (r *tearer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (r *tearer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}
func (r *tearer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (r *tearer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// A connection that breaks in COMMIT leaves open whether it was done. Each
// change is stored once whatever happened, and its caller is told so.
func TestConnectionBreaksInCommit(t *testing.T) {
	for _, tears := range [][]tear{{beforeHeard}, {hangsOn}, {afterwards}, {beforeHeard, hangsOn, afterwards}} {
		t.Run(fmt.Sprint(tears), func(t *testing.T) {
			r := &tearer{}
			s := openStore(t, freshURL(t), func(c *pgxpool.Config) {
				c.ConnConfig.Tracer = r
				dial := c.ConnConfig.DialFunc
				c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return &torn{Conn: conn}, err
				}
			})
			t.Cleanup(func() {
				for _, c := range r.left {
					_ = c.Conn.Close()
				}
			})
			first := opened(here, 1001)
			must(t, s.Commit(ctx(t), desk.Change{Community: here, Tickets: []desk.TicketChange{first}}))
			r.mu.Lock()
			r.next = tears
			r.mu.Unlock()
			// No delivery here: nothing but the transaction tells its fate.
			got := batchOf(s,
				desk.Change{Community: here, Tickets: []desk.TicketChange{noted(first.Ticket, "x")}, Pushes: []desk.Push{owed("p", 1)}},
				desk.Change{Community: here, Tickets: []desk.TicketChange{noted(first.Ticket, "y")}},
				desk.Change{Community: here, Talk: talked(7, 0, `{}`)})
			for i, want := range []error{nil, desk.ErrStale, nil} {
				if !errors.Is(got[i], want) {
					t.Errorf("change %d: want %v, got %v", i, want, got[i])
				}
			}
			if len(r.next) > 0 {
				t.Fatalf("%d tears were not used", len(r.next))
			}
			ticket, err := s.Ticket(ctx(t), here, 1001)
			must(t, err)
			if ticket.Version != 2 || ticket.Text != "灯坏了\nx" {
				t.Errorf("the ticket has version %d", ticket.Version)
			}
			if n := count(t, s, "SELECT count(*) FROM push"); n != 1 {
				t.Errorf("%d pushes", n)
			}
			if n := count(t, s, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid() AND query LIKE '%unnest%' AND backend_start < now() AND datname = current_database() AND xact_start < now() - interval '9 seconds'"); n != 0 {
				t.Errorf("%d transactions hang on", n)
			}
		})
	}
}

// The way to PostgreSQL is cut and mended while many commit: what a caller
// was told is stored is stored, nothing is stored twice or in part.
func TestTheWayIsCut(t *testing.T) {
	url := freshURL(t)
	proxy := storetest.Cut(t, url)
	s := openStore(t, proxy.URL(), nil)
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Delivery: said("before")}))
	const callers = 16
	var stored, failed atomic.Int64
	told := make([]map[int64]bool, callers)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for c := range callers {
		told[c] = map[int64]bool{}
		all.Go(func() {
			for n := int64(10_000 * (c + 1)); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				err := s.Commit(ctx(t), desk.Change{
					Community: here, Delivery: said(fmt.Sprint(n)), Tickets: []desk.TicketChange{opened(here, n)},
					Pushes: []desk.Push{owed(fmt.Sprint(n), workflow.PersonID(c+1))},
				})
				if err == nil {
					told[c][n] = true
					stored.Add(1)
				} else {
					failed.Add(1)
				}
			}
		})
	}
	reach := func(n *atomic.Int64, more int64) {
		for want := n.Load() + more; n.Load() < want; {
			if ctx(t).Err() != nil {
				t.Fatal("no progress")
			}
		}
	}
	for range 5 {
		reach(&stored, 100)
		proxy.Cut()
		reach(&failed, callers)
		proxy.Heal()
	}
	reach(&stored, 100)
	close(stop)
	all.Wait()
	direct := openStore(t, url, nil)
	for c := range callers {
		for n := range told[c] {
			if k := count(t, direct, "SELECT count(*) FROM ticket WHERE number = $1", n); k != 1 {
				t.Errorf("ticket %d: told that it is stored, and is there %d times", n, k)
			}
		}
	}
	if n := count(t, direct, `SELECT count(*) FROM message m FULL JOIN ticket t ON m.delivery = t.number::text FULL JOIN push p ON p.key = m.delivery
		FULL JOIN event e ON e.number = t.number WHERE m.delivery IS DISTINCT FROM 'before' AND (m.delivery IS NULL OR t.number IS NULL OR p.key IS NULL OR e.seq IS NULL)`); n != 0 {
		t.Errorf("%d changes are stored in part", n)
	}
}

// A PostgreSQL that does not answer holds nobody longer than they want to
// wait, and what they asked is stored at most once.
func TestTheServerStalls(t *testing.T) {
	proxy := storetest.Cut(t, freshURL(t))
	s := openStore(t, proxy.URL(), nil)
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Delivery: said("before")}))
	for i, stall := range []func(){proxy.Stall, proxy.StallAnswers} {
		stall()
		ch := desk.Change{Community: here, Delivery: said(fmt.Sprint("stalled", i)), Tickets: []desk.TicketChange{opened(here, int64(1001+i))}}
		impatient, cancel := context.WithTimeout(ctx(t), 200*time.Millisecond)
		began := time.Now()
		err := s.Commit(impatient, ch)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		proxy.Heal()
		if err := s.Commit(ctx(t), ch); err != nil && !errors.Is(err, desk.ErrSeen) {
			t.Errorf("afterwards: %v", err)
		}
		if n := count(t, s, "SELECT count(*) FROM event WHERE number = $1", 1001+i); n != 1 {
			t.Errorf("stored %d times", n)
		}
	}
}

// The primary dies in the middle of a COMMIT that its standby has not heard of, and the
// standby gives the transaction's number to another. The change is not taken for
// stored because of that: it is stored anew.
func TestASuccessorGivesTheNumberToAnother(t *testing.T) {
	pair := storetest.PostgresPair(t)
	fill(t, pair.URL())
	standby := storetest.Cut(t, pair.Standby())
	// The store's way: to the primary, and, while it is there, to the standby.
	s := openStore(t, pair.Primary(), func(c *pgxpool.Config) {
		second, err := pgx.ParseConfig(standby.URL())
		must(t, err)
		c.ConnConfig.Fallbacks = []*pgconn.FallbackConfig{{Host: second.Host, Port: second.Port}}
		c.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	})
	standby.Cut()
	first := opened(here, 1001)
	must(t, s.Commit(ctx(t), desk.Change{Community: here, Tickets: []desk.TicketChange{first}}))
	pair.Part() // from here on the primary answers no commit
	answer := make(chan error, 1)
	go func() {
		answer <- s.Commit(ctx(t), desk.Change{Community: here, Delivery: said("m"), Tickets: []desk.TicketChange{noted(first.Ticket, "x")}})
	}()
	look, err := pgx.Connect(ctx(t), pair.Primary())
	must(t, err)
	var last int64
	for last == 0 { // until the transaction waits for the standby
		must(t, look.QueryRow(ctx(t), `SELECT coalesce(max(backend_xid::text::bigint), 0) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`).Scan(&last))
	}
	must(t, look.Close(ctx(t)))
	pair.KillPrimary()
	pair.Promote()
	conn, err := pgx.Connect(ctx(t), pair.Standby())
	must(t, err)
	for n := int64(0); n <= last; { // others write, and get its number
		must(t, conn.QueryRow(ctx(t), `SELECT pg_current_xact_id()::text::bigint`).Scan(&n))
	}
	must(t, conn.Close(ctx(t)))
	standby.Heal()

	err = <-answer
	ticket, terr := s.Ticket(ctx(t), here, 1001)
	must(t, terr)
	if err == nil && ticket.Version != 2 {
		t.Fatal("the change was answered as stored, and is lost")
	}
	if err != nil || ticket.Version != 2 {
		t.Errorf("stored anew: version %d, %v", ticket.Version, err)
	}
}
