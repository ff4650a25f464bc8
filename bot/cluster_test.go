package bot_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/redis"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Every conversation goes on a Redis Cluster as it goes on one Redis.
func TestTalksOnACluster(t *testing.T) {
	cluster := storetest.RedisCluster(t)
	for name, file := range talks(t) {
		t.Run(name, func(t *testing.T) {
			cluster.Flush()
			talk(t, file, func(s *settings) { s.redis = cluster.URL() })
		})
	}
}

// The loop on a Redis Cluster whose nodes do what nodes do: the community's slot moves
// to another node in the middle, everything is forgotten, the node dies and returns.
func TestTheLoopOnAMovingCluster(t *testing.T) {
	cluster := storetest.RedisCluster(t)
	w := newWorld(t, func(s *settings) { s.redis = cluster.URL() }).awake()
	notices := w.watchElsewhere(cluster.URL())

	w.holds("filed", w.say(resident, "西区12号楼3单元楼道灯不亮了"), "编号 1001", "张建国")
	hears(t, notices, 1001)
	again, err := w.sim.Redeliver(w.ctx)
	must(t, err)
	w.holds("the same delivery again", again.Text, "编号 1001")

	// Half of the slot's keys are at another node: scripts that need both halves are
	// put off, and the record decides alone until all are there.
	cluster.Move("wd:{"+community+"}:", func() {
		w.holds("filed on the way", w.say(neighbour, "西区5号楼门禁坏了"), "编号 1002", "张建国")
		again, err := w.sim.Redeliver(w.ctx)
		must(t, err)
		w.holds("the same delivery on the way", again.Text, "编号 1002")
		w.holds("accepted on the way", w.say(worker, "接单 1001"), "已接单 1001")
	})
	w.pass(time.Minute)
	w.gets(worker, "新任务 1001", "新任务 1002")
	w.gets(resident, "已经接手 1001")
	if all, err := w.store.Reported(w.ctx, community, w.ticket(1002).Reporter, true, 10); err != nil || len(all) != 1 {
		t.Errorf("the neighbour wrote once and has %d tickets, %v", len(all), err)
	}

	w.holds("resolved", w.say(worker, "办结 1001 灯已换"), "1001 号已办结")
	hears(t, notices, 1001)
	w.gets(resident, "办好了:灯已换", "<满意>")
	w.holds("rated", w.tap(resident, "满意"), "谢谢您的评价")
	if got := w.ticket(1001); got.State != workflow.Closed {
		t.Errorf("1001 is %s", got.State)
	}

	// All is lost, and comes back from the record: the deadline still fires.
	cluster.Flush()
	due := w.ticket(1002)
	_, at, _ := due.NextDue()
	w.pass(at.Sub(w.clock.Now()) + time.Minute)
	if got := w.ticket(1002); got.Version == due.Version {
		t.Errorf("the deadline at %v did not fire: %+v", at, got)
	}
	owner := w.ticket(1002).Owner
	if loads, ok, err := w.drive.Loads(w.ctx, community); err != nil || !ok || loads[owner] != 1 || len(loads) != 1 {
		t.Errorf("rebuilt: %v, %v, %v, want one of %d", loads, ok, err, owner)
	}

	// The node that has the community is away: the record takes everything.
	node := cluster.Holder("wd:{" + community + "}:")
	node.Kill()
	w.holds("without its node", w.say(resident, "西区7号楼下水道堵了,污水冒出来了"), "编号 1")
	w.holds("accepted without its node", w.say(worker, "接单 1002"), "已接单 1002")
	node.Restart()
	cluster.Settle()
	w.pass(time.Minute)
	w.gets(neighbour, "已经接手 1002")
	w.holds("resolved", w.say(worker, "办结 1002 修好了"), "1002 号已办结")
	w.gets(neighbour, "修好了", "<满意>")
}

// watchElsewhere is what another process on the same Redis hears of the community.
func (w *world) watchElsewhere(url string) <-chan desk.Notice {
	w.t.Helper()
	drive, err := redis.Open(url, redis.Options{})
	must(w.t, err)
	other := desk.New(desk.Options{Journal: w.store, Drive: drive, Clock: w.clock})
	must(w.t, other.Refresh(w.ctx))
	ctx, stop := context.WithCancel(w.ctx)
	var running sync.WaitGroup
	running.Go(func() { other.Live().Run(ctx) })
	notices, leave := other.Live().Watch(community)
	w.t.Cleanup(func() {
		leave()
		stop()
		running.Wait()
		_ = drive.Close()
	})
	select {
	case n := <-notices:
		if !n.All {
			w.t.Errorf("the first notice: %+v", n)
		}
	case <-time.After(10 * time.Second):
		w.t.Fatal("the line does not stand")
	}
	return notices
}

// hears waits until a ticket's change is told.
func hears(t *testing.T, notices <-chan desk.Notice, number int64) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case n := <-notices:
			if slices.Contains(n.Numbers, number) {
				return
			}
		case <-limit:
			t.Fatalf("nobody tells of %d", number)
		}
	}
}
