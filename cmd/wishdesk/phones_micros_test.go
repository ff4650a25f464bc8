package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/console/browsertest"
)

// passes turns the clock by so much at once, and then five seconds at a time until there are
// words in the chat of a phone.
func passes(clock *clockwork.FakeClock, so time.Duration, phone int, words string) browsertest.Step {
	look := sees(phone, words)
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		clock.Advance(so)
		for {
			seen, cancel := context.WithTimeout(ctx, time.Second/4)
			err := chromedp.Do(seen, look)
			cancel()
			if err == nil || ctx.Err() != nil {
				return err
			}
			clock.Advance(5 * time.Second)
		}
	})
}

// morning is a Wednesday at half past eight, when everybody is at work.
func morning() *clockwork.FakeClock {
	return clockwork.NewFakeClockAt(time.Date(2026, 11, 18, 8, 30, 0, 0, time.FixedZone("CST", 8*3600)))
}

// Micro property on the phones: a matter of the company's goes to it and comes back,
// a building is inspected and what is not well there filed, and the month's points are
// there to be read.
func TestMicroPropertyOnThePhones(t *testing.T) {
	d, _ := demoOf(t, morning())
	p := openPage(t, d.simURL, 1400, 900)
	p.Do("the company takes the second phone", becomes(workerPhone, "曹颖"))
	p.Do("complaint", writes(residentPhone, "毕家洼西区12号楼3单元楼道灯不亮了"), sees(residentPhone, "红色物业"), sees(workerPhone, "1001"))
	p.Do("accept", writes(workerPhone, "接单 1001"), sees(workerPhone, "已接单 1001"), sees(residentPhone, "已经接手 1001"))
	p.Do("result", sends(workerPhone, "light"), sees(workerPhone, "照片"), writes(workerPhone, "办结 1001 灯换好了"), sees(residentPhone, "灯换好了"))
	p.Do("not content", taps(residentPhone, "不满意"), sees(residentPhone, "没让您满意"))
	p.Do("inspection", writes(workerPhone, "巡检 西区12号楼"), sees(workerPhone, "按清单"), taps(workerPhone, "都好"), sees(workerPhone, "已记下巡检"))
	p.Do("not all well", writes(workerPhone, "巡检 西区13号楼 三楼楼道堆了纸箱子"), sees(workerPhone, "已登记 1002"))
	p.Do("points", writes(workerPhone, "考核"), sees(workerPhone, "居民不满意 1 次"))
	p.Picture("micro-property")
}

// Micro self-governance on the phones: a topic proposed, opened, talked over, voted by
// tap, decided, and its ticket on its way; points earned, looked at and not enough.
func TestMicroSelfGovernanceOnThePhones(t *testing.T) {
	clock := morning()
	d, _ := demoOf(t, clock)
	p := openPage(t, d.simURL, 1400, 900)
	p.Do("home", writes(residentPhone, "我家住毕家洼西区12号楼3单元402"), sees(residentPhone, "记住了"))
	p.Do("proposed", writes(residentPhone, "议题 楼道装声控灯"), sees(residentPhone, "由谁来定"), writes(residentPhone, "1"), sees(residentPhone, "编号 1001"), sees(committeePhone, "楼道装声控灯"))
	p.Do("opened", writes(committeePhone, "开议 1001"), sees(committeePhone, "议题 1001 开了"), sees(residentPhone, "社区收下了"))
	p.Do("talked over", sends(committeePhone, "light"), sees(committeePhone, "照片收到了"), writes(committeePhone, "板凳会 1001 都说好,老人晚上看不清台阶"), sees(committeePhone, "记下了"))
	p.Do("voted", writes(committeePhone, "开始投票 1001 1票 1天"), sees(committeePhone, "至少 1 票"), sees(residentPhone, "请您投票"), taps(residentPhone, "赞成"), sees(residentPhone, "投好了"))
	p.Do("decided", passes(clock, 35*time.Hour+45*time.Minute, residentPhone, "投票通过了"), sees(residentPhone, "已登记 1002 号"))
	p.Picture("micro-topic")
}

// Micro party class on the phones: a lesson at the hour that a member chose, learnt, a
// question to who taught it, answered; somebody who cannot walk is visited.
func TestMicroPartyClassOnThePhones(t *testing.T) {
	clock := morning()
	s := demoSettings(t)
	must(t, demo.Prepare(t.Context(), s, clock, slog.New(slog.DiscardHandler)))
	d := demoOn(t, s, clock)
	p := openPage(t, d.simURL, 1400, 900)
	p.Do("a member takes the first phone, their secretary the second", becomes(residentPhone, "莫庆国"), becomes(workerPhone, "向明"))
	p.Do("hour", writes(residentPhone, "学习时间"), sees(residentPhone, "19 点"), writes(residentPhone, "7点"), sees(residentPhone, "以后有课就在 7 点发给您"))
	p.Do("lesson", passes(clock, 46*time.Hour+31*time.Minute, residentPhone, "【微党课】"))
	p.Do("learnt", taps(residentPhone, "学完了"), sees(residentPhone, "学了 "))
	p.Do("visit", writes(residentPhone, "西区9号楼2单元301,走不动了,想听党课"), sees(residentPhone, "送学上门"), sees(workerPhone, "送学上门"))
	p.Picture("micro-class")
}
