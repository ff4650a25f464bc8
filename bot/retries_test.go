package bot

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Who has lost often holds up those who come for the first time, of this community alone,
// for a moment at most, and until the turn is given on: also where its holder ends in a
// panic.
func TestWhoHasLostOftenIsLetPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r retries
		ctx := t.Context()
		passes := func(community string) time.Duration {
			t.Helper()
			began := time.Now()
			if err := r.pass(ctx, community); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		release, err := r.enter(ctx, "east")
		if err != nil {
			t.Fatal(err)
		}
		if d := passes("east"); d != 0 {
			t.Errorf("who comes first was held up for %v though nobody had lost often", d)
		}
		r.hold("east")
		r.hold("east") // again, as in the next turn
		if here, there := passes("east"), passes("west"); here != heldUp || there != 0 {
			t.Errorf("held up for %v, in another community for %v", here, there)
		}

		// One at a time decides again: the next waits until the turn is given on, or leaves.
		leaving, leave := context.WithCancel(ctx)
		leave()
		if _, err := r.enter(leaving, "east"); !errors.Is(err, context.Canceled) {
			t.Errorf("who left while another had the turn got %v", err)
		}
		if err := r.pass(leaving, "east"); !errors.Is(err, context.Canceled) {
			t.Errorf("who left while held up got %v", err)
		}

		// Those who are held up go on as soon as the turn is given on.
		time.AfterFunc(heldUp/4, func() {
			defer func() { _ = recover() }()
			defer release()
			panic("in the turn")
		})
		if d := passes("east"); d != heldUp/4 {
			t.Errorf("held up for %v, the turn was given on after %v", d, heldUp/4)
		}
		if d := passes("east"); d != 0 {
			t.Errorf("held up for %v when nobody had the turn", d)
		}
		if release, err = r.enter(ctx, "east"); err != nil {
			t.Fatal(err)
		}
		if d := passes("east"); d != 0 {
			t.Errorf("the next turn holds up for %v from its beginning", d)
		}
		release()
	})
}
