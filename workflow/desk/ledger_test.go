package desk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// Who has the table of orders alone learns no code from it by trying them all; orders
// from before codes were hashed with a secret are still found.
func TestARewardsCodeIsNotInTheTable(t *testing.T) {
	f := newFixture(t, storetest.Redis(t))
	f.must(f.store.Commit(t.Context(), desk.Change{Community: community, Earned: []ledger.Entry{
		{Cause: "wish:1", Person: f.reporter.ID, Why: ledger.ForWish, Points: 50, At: begin},
	}}))
	_, err := f.store.AddReward(t.Context(), community, "r", ledger.Reward{Name: "鸡蛋", Price: 10, Stock: 9})
	f.must(err)
	with := func(secret string) *desk.Desk {
		d := desk.New(desk.Options{Journal: f.store, Drive: f.drive, Clock: f.clock, Secret: func(string) string { return secret }})
		f.must(d.Refresh(t.Context()))
		return d
	}
	d := with("the account's")
	o, code, err := d.Order(t.Context(), community, f.reporter.ID, 1, 1, "tap")
	f.must(err)
	kept, err := f.store.OrdersOf(t.Context(), community, f.reporter.ID)
	f.must(err)
	for i := range 1_000_000 {
		if tried := fmt.Sprintf("%06d", i); string(access.Hash(tried)) == string(kept[0].Hash) {
			t.Fatalf("the table tells the code %s", tried)
		}
	}
	if found, err := d.OrderOf(t.Context(), community, code); err != nil || found.ID != o.ID {
		t.Errorf("by its code: %+v %v", found, err)
	}
	if _, err := with("another's").OrderOf(t.Context(), community, code); workflow.CodeOf(err) != ledger.CodeNoOrder {
		t.Errorf("with another secret: %v", err)
	}
	old, err := f.store.Order(t.Context(), community, ledger.Order{Cause: "old", Person: f.reporter.ID, Reward: ledger.Reward{ID: 1}, Hash: access.Hash("12345x"), MadeAt: begin, Until: begin.Add(time.Hour)})
	f.must(err)
	if found, err := d.OrderOf(t.Context(), community, "12345x"); err != nil || found.ID != old.ID {
		t.Errorf("from before: %+v %v", found, err)
	}
}
