package redis

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wishdesk/wishdesk/storage/storetest"
)

// cluster is what tests run on while TestOnACluster runs them once more.
var cluster *storetest.Cluster

// server is the URL of an empty Redis.
func server(t testing.TB) string {
	t.Helper()
	if cluster == nil {
		return storetest.Redis(t)
	}
	cluster.Flush()
	return cluster.URL()
}

// Whatever the drive does it does on a Redis Cluster as well: what belongs together
// stands in one slot.
func TestOnACluster(t *testing.T) {
	cluster = storetest.RedisCluster(t)
	defer func() { cluster = nil }()
	for name, test := range map[string]func(*testing.T){
		"slots": TestKeysOfACommunityShareASlot, "live": TestLiveStateNeverGoesBack, "forget": TestForgetSendsReadersToTheRecord,
		"deadlines": TestDeadlinesFireOnceAndComeAgain, "tasks": TestTasksGoToOneAndAreClaimedFromTheDead,
		"deliveries": TestDeliveriesAndNonces, "limits": TestRateLimitLocksAndToken, "windows": TestSendWindow,
		"loss": TestEverythingWorksAfterALoss, "abandoned": TestTheAbandonedIsFoundBehindTheBusy, "line": TestALineHearsWhatItFollows,
	} {
		t.Run(name, test)
	}
}

// each does something at the one server, or at every node of a cluster in turn.
func each(t *testing.T, d *Drive, f func(context.Context, redis.Cmdable) error) {
	t.Helper()
	if c, ok := d.c.(*redis.ClusterClient); ok {
		var one sync.Mutex
		must(t, c.ForEachMaster(t.Context(), func(ctx context.Context, node *redis.Client) error {
			one.Lock()
			defer one.Unlock()
			return f(ctx, node)
		}))
		return
	}
	must(t, f(t.Context(), d.c))
}

// lose has Redis forget everything.
func lose(t *testing.T, d *Drive) {
	t.Helper()
	each(t, d, func(ctx context.Context, c redis.Cmdable) error {
		return errors.Join(c.FlushAll(ctx).Err(), c.ScriptFlush(ctx).Err())
	})
}

// A node that hangs holds up nobody's answer, and those whose slots others have do not
// notice.
func TestANodeHangs(t *testing.T) {
	c := storetest.RedisCluster(t)
	d := open(t, c.URL())
	ctx := t.Context()
	mine, elsewhere := c.Holder(key(community, "due")), ""
	for i := 0; elsewhere == ""; i++ {
		if code := "c" + strconv.Itoa(i); c.Holder(key(code, "due")) != mine {
			elsewhere = code
		}
	}
	for _, code := range []string{community, elsewhere} {
		must(t, d.MarkReady(ctx, code))
	}
	mine.Hang()
	began := time.Now()
	for i := range 20 {
		if _, _, _, err := d.Begin(ctx, elsewhere, strconv.Itoa(i), time.Minute); err != nil {
			t.Fatalf("another node's: %v", err)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("another node's took %v", took)
	}
	failsFast(t, d, "hangs")
	mine.Go()
	c.Settle()
	if ready, err := d.Ready(ctx, community); err != nil || !ready {
		t.Errorf("afterwards: %v, %v", ready, err)
	}
}

// A cluster's nodes are asked each, and it has no numbered databases.
func TestWhatAnOperatorAsksACluster(t *testing.T) {
	c := storetest.RedisCluster(t)
	infos, err := open(t, c.URL()).Info(t.Context(), "everything")
	must(t, err)
	if len(infos) != 3 {
		t.Errorf("%d nodes told of themselves", len(infos))
	}
	if _, err := Open("redis://127.0.0.1:1/2,redis://127.0.0.1:2/2", Options{}); err == nil {
		t.Error("opened database 2 of a cluster")
	}
}
