package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ask makes one round trip to a store by way of a connection of its own.
type ask func(ctx context.Context) error

func askPostgres(url string) ask {
	return func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(context.Background())
		_, err = conn.Exec(ctx, "SELECT 1")
		return err
	}
}

func askRedis(t *testing.T, url string) ask {
	c, _ := client(t, url)
	return func(ctx context.Context) error { return c.Ping(ctx).Err() }
}

func TestProxyTakesAStoreAwayAndGivesItBack(t *testing.T) {
	cases := map[string]func(t *testing.T) (*Proxy, ask){
		"postgres": func(t *testing.T) (*Proxy, ask) {
			p := Cut(t, Postgres(t))
			return p, askPostgres(p.URL())
		},
		"redis": func(t *testing.T) (*Proxy, ask) {
			p := Cut(t, Redis(t))
			return p, askRedis(t, p.URL())
		},
	}
	for name, open := range cases {
		t.Run(name, func(t *testing.T) {
			p, ask := open(t)
			ctx, cancel := context.WithTimeout(context.Background(), soon)
			defer cancel()
			mustWork := func(when string) {
				t.Helper()
				if err := ask(ctx); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
			}
			mustWork("at first")

			p.Cut()
			p.Cut()
			if err := ask(ctx); err == nil || ctx.Err() != nil {
				t.Errorf("a store that was cut off: %v, want a refusal at once", err)
			}
			p.Heal()
			p.Heal()
			mustWork("after Cut and Heal")

			p.Stall()
			until := time.Now().Add(50 * time.Millisecond)
			short, end := context.WithDeadline(ctx, until)
			defer end()
			if err := ask(short); err == nil || time.Now().Before(until) {
				t.Errorf("a stalled store: %v, want silence until the deadline", err)
			}
			waiting := make(chan error, 1)
			go func() { waiting <- ask(ctx) }()
			p.Heal()
			if err := <-waiting; err != nil {
				t.Errorf("what waited for the stalled store: %v, want an answer after Heal", err)
			}

			const delay = 20 * time.Millisecond
			p.Slow(delay)
			began := time.Now()
			mustWork("slow")
			if took := time.Since(began); took < 2*delay {
				t.Errorf("a slow store answered in %v, want at least %v", took, 2*delay)
			}
		})
	}
}

func TestProxyBreaksStandingConnections(t *testing.T) {
	p := Cut(t, Postgres(t))
	conn, ctx := connect(t, p.URL())
	p.Cut()
	if _, err := conn.Exec(ctx, "SELECT 1"); err == nil || ctx.Err() != nil {
		t.Errorf("on a connection that was cut: %v, want an error at once", err)
	}
}

// The case that a commit must be ready for: it was stored, and nobody was told.
func TestProxyLosesTheAnswerOfAStatementThatWasCarriedOut(t *testing.T) {
	direct := Postgres(t)
	p := Cut(t, direct)
	through, ctx := connect(t, p.URL())
	beside, _ := connect(t, direct)
	if _, err := beside.Exec(ctx, "CREATE TABLE done (i int)"); err != nil {
		t.Fatal(err)
	}

	p.StallAnswers()
	answer := make(chan error, 1)
	go func() {
		_, err := through.Exec(ctx, "INSERT INTO done VALUES (1)", pgx.QueryExecModeSimpleProtocol)
		answer <- err
	}()
	for rows := 0; rows == 0; {
		if err := beside.QueryRow(ctx, "SELECT count(*) FROM done").Scan(&rows); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-answer:
		t.Fatalf("an answer came through: %v", err)
	default:
	}
	p.Cut()
	if err := <-answer; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the lost answer: %v, want a broken connection", err)
	}
}
