package bot_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jonboulle/clockwork"
	"github.com/pressly/goose/v3"

	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Two workers accept in the same moment: one has it, the other is told who.
func TestTwoAcceptAtOnce(t *testing.T) {
	w := newWorld(t).awake()
	const rounds = 12
	for i := range rounds {
		w.say(resident, fmt.Sprintf("西区%d号楼2单元楼道灯不亮了", i+1))
	}
	w.pump()
	for i := range rounds {
		number := 1001 + i
		replies := map[string]string{worker: "", colleague: ""}
		var mu sync.Mutex
		var both sync.WaitGroup
		start := make(chan struct{})
		for openid := range replies {
			both.Go(func() {
				<-start
				r, err := w.sim.SendText(w.ctx, openid, fmt.Sprintf("接单 %d", number))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				replies[openid] = r.Text
				mu.Unlock()
			})
		}
		close(start)
		both.Wait()
		got := w.ticket(int64(number))
		first, second, name := worker, colleague, "张建国"
		if got.Owner == w.people["liu"] {
			first, second, name = colleague, worker, "刘芳"
		}
		w.holds("who has it", replies[first], "已接单")
		w.holds("the other", replies[second], name, "已经接了")
		if got.State != workflow.Accepted {
			t.Errorf("%d is %s", number, got.State)
		}
	}
}

// Five hundred people report the same outage in ten minutes: one ticket, five
// hundred told. Who has it hears of it a few times, not five hundred.
func TestFiveHundredReportOneOutage(t *testing.T) {
	const crowd = 500
	w := newWorld(t, func(s *settings) { s.crowd = crowd; s.budget = time.Minute }).awake()
	w.holds("the first", w.say(resident, "西区3号楼停水了,整栋楼都没水"), "编号 1001")
	w.holds("accepted", w.say(worker, "接单 1001"), "已接单")
	w.gets(worker, "1001")
	ways := []string{"西区3号楼停水了", "3号楼没水了,西区的", "西区3号楼又停水了啊", "毕家洼西区3号楼家里没水", "西区3号楼停水,做不了饭"}
	var wait sync.WaitGroup
	turn := make(chan int)
	replies := make([]string, crowd)
	for range 16 {
		wait.Go(func() {
			for i := range turn {
				r, err := w.sim.SendText(w.ctx, fmt.Sprintf("o-crowd-%d", i), ways[i%len(ways)])
				if err != nil {
					t.Error(err)
				}
				replies[i] = r.Text
			}
		})
	}
	for i := range crowd {
		if i%50 == 49 {
			w.clock.Advance(time.Minute)
		}
		turn <- i
	}
	close(turn)
	wait.Wait()
	for i, r := range replies {
		if !strings.Contains(r, "1001 号") || !strings.Contains(r, "也算一户") {
			t.Fatalf("resident %d (%s): %s", i, ways[i%len(ways)], r)
		}
	}
	got := w.ticket(1001)
	if len(got.Followers) != crowd || len(got.Absorbed) != crowd || got.Text != "西区3号楼停水了,整栋楼都没水" {
		t.Fatalf("%d follow, %d absorbed, text %q", len(got.Followers), len(got.Absorbed), got.Text)
	}
	if told := len(w.pushes(worker)); told < 5 || told > 20 {
		t.Errorf("who has it was told %d times", told)
	}
	w.holds("resolved", w.say(worker, "办结 1001 总阀修好了,来水了"), "已办结")
	told := 0
	for i := range crowd {
		words := wordsOf(w.pushes(fmt.Sprintf("o-crowd-%d", i)))
		if strings.Count(words, "来水了") == 1 {
			told++
		}
	}
	if told != crowd {
		t.Errorf("%d of %d were told once that it is done", told, crowd)
	}
	w.gets(resident, "来水了", "<满意>")
}

// The clock jumps: forward by a month, everything that fell due is told once
// and goes on from now; back by a day, nothing is told again and nothing spins.
func TestTheClockJumps(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.whole = true }).awake()
	w.say(resident, "西区5号楼2单元楼道灯不亮了")
	w.say(neighbour, "我想学用智能手机")
	w.pump()
	w.clock.Advance(30 * 24 * time.Hour)
	w.pump()
	after := w.ticket(1001)
	if len(after.Overdue) == 0 || after.Level != workflow.LevelCommittee {
		t.Fatalf("a month later: overdue %v, level %d", after.Overdue, after.Level)
	}
	_, next, ok := after.NextDue()
	if !ok || !next.After(w.clock.Now()) || next.Sub(w.clock.Now()) > 24*time.Hour {
		t.Errorf("goes on at %v, now %v", next, w.clock.Now())
	}
	w.gets(duty, "1001", "1002")
	version := after.Version
	back := desk.New(desk.Options{Journal: w.store, Drive: w.drive, Clock: clockAt(w.clock.Now().Add(-24 * time.Hour))})
	must(t, back.Refresh(w.ctx))
	runner := back.NewRunner("back", 2, w.bot.Handlers())
	for range 3 {
		_, err := runner.Pump(w.ctx, community)
		must(t, err)
	}
	if got := w.ticket(1001); got.Version != version {
		t.Errorf("the clock went back and %d events came", got.Version-version)
	}
	w.gets(duty, "!1001")
	// What somebody does then is taken: events keep their order by number.
	w.holds("accepted", w.say(worker, "接单 1001"), "已接单")
}

// Two replicas see that somebody left: each ticket is given on once.
func TestTwoReplicasFollow(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.whole = true }).awake()
	for i := range 8 {
		w.say(resident, fmt.Sprintf("西区%d号楼2单元楼道灯不亮了", i+1))
	}
	w.pump()
	must(t, w.store.Leave(w.ctx, community, w.people["zhang"]))
	var both sync.WaitGroup
	for range 2 {
		d := desk.New(desk.Options{Journal: w.store, Drive: w.drive, Clock: w.clock})
		must(t, d.Refresh(w.ctx))
		both.Go(func() {
			if _, err := d.Follow(w.ctx, community); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	must(t, w.desk.Refresh(w.ctx))
	if _, err := w.desk.Follow(w.ctx, community); err != nil {
		t.Error(err)
	}
	for n := int64(1001); n <= 1008; n++ {
		got := w.ticket(n)
		events, err := w.store.Events(w.ctx, community, n)
		must(t, err)
		if got.Owner != w.people["liu"] || len(events) != 4 || got.Why != workflow.WhyLeft {
			t.Errorf("%d: owner %d after %d events, %s", n, got.Owner, len(events), got.Why)
		}
	}
}

// A replica that has not heard yet that somebody left gives them a ticket: it
// is found and given on.
func TestASlowReplicaLeavesNothingBehind(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.whole = true }).awake()
	slow := desk.New(desk.Options{Journal: w.store, Drive: w.drive, Clock: w.clock})
	must(t, slow.Refresh(w.ctx))
	work, err := slow.Begin(community, false)
	must(t, err)
	filed, err := work.File(w.ctx, workflow.Command{
		Actor: workflow.Actor{Kind: workflow.ActorPerson, Person: 77}, Text: "楼道灯不亮", Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor,
		Place: workflow.Place{Estate: "毕家洼西区", Building: 3, Grid: "G01"},
	})
	must(t, err)
	must(t, w.store.Leave(w.ctx, community, w.people["zhang"]))
	must(t, w.desk.Refresh(w.ctx))
	_, err = w.desk.Follow(w.ctx, community)
	must(t, err)
	must(t, work.Commit(w.ctx))
	if got := w.ticket(filed.Number); got.Owner != w.people["zhang"] {
		t.Fatalf("the slow one gave it to %d", got.Owner)
	}
	w.clock.Advance(11 * time.Second)
	_, err = w.desk.Follow(w.ctx, community)
	must(t, err)
	if got := w.ticket(filed.Number); got.Owner != w.people["liu"] {
		t.Errorf("it stays with who left: owner %d", got.Owner)
	}
	if done, err := w.store.Followed(w.ctx, community); done == 0 || err != nil {
		t.Errorf("followed to %d %v", done, err)
	}
}

func clockAt(at time.Time) clockwork.Clock { return clockwork.NewFakeClockAt(at) }

// A matter that was taken back in a release that had no event for it is left after the
// upgrade: its card no more says what the other wrote, nor their door.
func TestTakenBackBeforeTheUpgrade(t *testing.T) {
	url := storetest.Postgres(t)
	w := newWorld(t, func(s *settings) { s.whole, s.postgres = true, url }).awake()
	w.say(resident, "西区3号楼1单元402楼道灯不亮，我有肝炎摔不得")
	w.say(neighbour, "西区3号楼1单元楼道灯坏了")
	w.say(resident, "西区5号楼1单元402楼道灯不亮，我有肝炎摔不得")
	w.say(neighbour, "西区5号楼1单元楼道灯坏了")
	w.say(worker, "接单 1003")
	w.say(worker, "办结 1003 换了灯")
	var first workflow.PersonID
	for _, number := range []int64{1001, 1003} {
		was := w.ticket(number)
		first = was.Reporter
		work, err := w.desk.Begin(community, true)
		must(t, err)
		_, err = work.Do(w.ctx, number, workflow.Command{
			Name: workflow.CmdAdopt, Actor: workflow.System(), Reporter: was.Followers[0], Follow: []workflow.PersonID{first},
		})
		must(t, err)
		must(t, work.Commit(w.ctx))
	}
	w.holds("before", w.say(neighbour, "1001"), "肝炎", "402")

	settings, err := pgx.ParseConfig(url)
	must(t, err)
	db := stdlib.OpenDB(*settings)
	before, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("../storage/postgres/migrations"))
	must(t, err)
	_, err = before.DownTo(w.ctx, 16)
	must(t, errors.Join(err, db.Close()))
	must(t, postgres.Migrate(w.ctx, url))
	must(t, w.desk.Refresh(w.ctx))
	_, err = w.desk.Follow(w.ctx, community)
	must(t, err)
	for number, place := range map[int64]string{1001: "3号楼1单元", 1003: "5号楼1单元"} {
		w.holds("after", w.say(neighbour, strconv.FormatInt(number, 10)), "楼道灯坏了", place, "!肝炎", "!402")
		events, err := w.store.Events(w.ctx, community, number)
		must(t, err)
		last, now := events[len(events)-1], w.ticket(number)
		if last.Type != workflow.EvLeft || last.By != first || !cmp.Equal(workflow.Replay(community, number, events), now, cmpopts.EquateEmpty()) {
			t.Errorf("%d: the last event is %+v, the ticket %+v", number, last, now)
		}
	}
	if rest, err := w.store.Unleft(w.ctx, community); err != nil || len(rest) != 0 {
		t.Errorf("to be left still: %v, %v", rest, err)
	}
}
