package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestTheStandbyHasWhatThePrimaryAnswered(t *testing.T) {
	p := PostgresPair(t)
	conn, ctx := connect(t, p.URL())
	for _, sql := range []string{"CREATE TABLE done (i int)", "INSERT INTO done VALUES (1)"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	// What the standby does not have is not answered.
	p.Part()
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(short, "INSERT INTO done VALUES (2)"); err == nil {
		t.Fatal("a commit was answered that the standby does not have")
	}
	p.KillPrimary()
	if c, err := pgx.Connect(ctx, p.URL()); err == nil {
		_ = c.Close(ctx)
		t.Fatal("a standby passes for one that takes writes")
	}
	p.Promote()
	promoted, ctx := connect(t, p.URL())
	var sum int
	if err := promoted.QueryRow(ctx, "SELECT sum(i) FROM done").Scan(&sum); err != nil || sum != 1 {
		t.Errorf("the promoted server has %d, %v", sum, err)
	}
	if _, err := promoted.Exec(ctx, "INSERT INTO done VALUES (3)"); err != nil {
		t.Errorf("writing to the promoted server: %v", err)
	}
}
