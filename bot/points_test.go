package bot_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// What is left at the year's end lapses, after one notice, however many processes look
// after it; what is earned afterwards is of the new year.
func TestPointsLapseAtTheYearsEnd(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.shape = shape + "rewards: {wish: 20}\n" })
	w.say(resident, "帮助")
	me, _, err := w.store.PersonByOpenID(w.ctx, community, resident)
	must(t, err)
	earn := func(cause string) {
		must(t, w.store.Commit(w.ctx, desk.Change{Community: community, Earned: []ledger.Entry{
			{Cause: cause, Person: me.ID, Why: ledger.ForWish, Points: 20, At: w.clock.Now()},
		}}))
	}
	earn("old")
	at := func(month time.Month, day, hour int, year int) {
		t.Helper()
		zone := time.FixedZone("", 8*3600)
		w.clock.Advance(time.Date(year, month, day, hour, 0, 0, 0, zone).Sub(w.clock.Now()))
		w.say(resident, "积分") // so that WeChat lets a push through
		var both sync.WaitGroup
		for range 3 {
			other := desk.New(desk.Options{Journal: w.store, Drive: w.drive, Clock: w.clock})
			must(t, other.Refresh(w.ctx))
			both.Go(func() { must(t, other.Books(w.ctx, community)) })
		}
		both.Wait()
	}
	at(12, 1, 23, 2026)
	w.gets(resident, "!清零")
	at(12, 2, 8, 2026)
	w.gets(resident, "!清零")
	at(12, 2, 9, 2026)
	got := wordsOf(w.pushes(resident))
	w.holds("the notice", got, "20 分积分,年底就清零")
	w.say(neighbour, "帮助")
	other, _, err := w.store.PersonByOpenID(w.ctx, community, neighbour)
	must(t, err)
	at(12, 20, 23, 2026)
	w.say(neighbour, "积分")
	must(t, w.store.Commit(w.ctx, desk.Change{Community: community, Earned: []ledger.Entry{
		{Cause: "late in the evening", Person: other.ID, Why: ledger.ForWish, Points: 20, At: w.clock.Now()},
	}}))
	w.gets(neighbour, "!清零")
	w.pass(10 * time.Hour)
	w.gets(neighbour, "年底就清零")
	at(12, 31, 23, 2026)
	w.gets(resident, "!清零")
	w.holds("the last evening", w.say(resident, "积分"), "现在有 20 分")
	w.clock.Advance(2 * time.Hour)
	earn("new")
	at(1, 1, 9, 2027)
	w.holds("the new year", w.say(resident, "积分"), "现在有 20 分", "年底清零 -20", "2027 年的积分")
	must(t, w.desk.Books(w.ctx, community))
	w.holds("and it stays", w.say(resident, "积分"), "现在有 20 分")
}

// withEggs is a community whose resident has 50 points, and eggs to spend them on for 10.
func withEggs(t *testing.T) (*world, workflow.Person) {
	t.Helper()
	w := newWorld(t, func(s *settings) { s.shape = shape + "rewards: {wish: 20}\n" })
	w.say(resident, "帮助")
	me, _, err := w.store.PersonByOpenID(w.ctx, community, resident)
	must(t, err)
	must(t, w.store.Commit(w.ctx, desk.Change{Community: community, Earned: []ledger.Entry{{Cause: "old", Person: me.ID, Why: ledger.ForWish, Points: 50, At: w.clock.Now()}}}))
	_, err = w.store.AddReward(w.ctx, community, "r", ledger.Reward{Name: "鸡蛋", Price: 10, Stock: 9})
	must(t, err)
	return w, me
}

// Who did not fetch what they ordered is told once, however many processes look after it.
func TestWhatNobodyFetchedIsTold(t *testing.T) {
	w, _ := withEggs(t)
	w.holds("ordered", w.say(resident, "兑换 1"), "换好了")
	w.holds("cancelled", w.say(resident, "兑换 1 第2份"), "换好了")
	w.holds("cancelled", w.say(resident, "取消兑换 1 第2份"), "10 分退给您了")
	w.clock.Advance(7*24*time.Hour - time.Minute)
	w.say(resident, "帮助") // so that WeChat lets a push through
	for _, passes := range []time.Duration{0, time.Minute, time.Hour} {
		w.clock.Advance(passes)
		var both sync.WaitGroup
		for range 3 {
			other := desk.New(desk.Options{Journal: w.store, Drive: w.drive, Clock: w.clock})
			must(t, other.Refresh(w.ctx))
			both.Go(func() { must(t, other.Books(w.ctx, community)) })
		}
		if both.Wait(); passes == time.Minute {
			w.gets(resident, "您换的鸡蛋没来领,10 分退给您了")
		} else {
			w.gets(resident, "!没来领")
		}
	}
	w.holds("left", w.say(resident, "积分"), "现在有 50 分")
}

// A message that comes twice, or is answered again because something came between,
// orders once.
func TestARewardIsOrderedOnce(t *testing.T) {
	w, me := withEggs(t)
	first, _, err := w.desk.Order(w.ctx, community, me.ID, 1, 1, "chat:1")
	must(t, err)
	again, _, err := w.desk.Order(w.ctx, community, me.ID, 1, 1, "chat:1")
	must(t, err)
	if first.ID != again.ID {
		t.Errorf("orders %d and %d", first.ID, again.ID)
	}
	for _, said := range []string{"兑换1", "兑换 1号", "换奖励 1"} {
		w.holds(said, w.say(resident, said), "已经换了 1 份", "换第 2 份鸡蛋", "!兑换码 ")
	}
	for i, said := range []string{"兑换 1 第2份", "换奖励1 第3份"} {
		w.holds(said, w.say(resident, said), "换好了:鸡蛋", "兑换码")
		w.holds("the same tap again", w.say(resident, said), fmt.Sprintf("已经换了 %d 份", i+2))
	}
	w.holds("left", w.say(resident, "积分"), "现在有 20 分")
	w.holds("the last of three", w.say(resident, "取消兑换 1 第3份"), "10 分退给您了")
	w.holds("the same tap again", w.say(resident, "取消兑换 1 第3份"), "已经退了", "!不要鸡蛋了")
	w.holds("ordered again", w.say(resident, "兑换 1 第3份"), "换好了")
	w.holds("a sentence", w.say(resident, "兑换点没有人"), "!您有 20 分")
}
