package bot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// Danger is a report, whatever words stand around it; only what goes on about
// a known emergency, or a worker's result, is not.
func TestDangerAmongCommands(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	for _, text := range []string{"催办,西区3号楼着火了", "撤销,西区3号楼着火了快来", "不用了西区3号楼着火了", "取消 1001 西区3号楼2单元着火了"} {
		w.holds(text, w.say(resident, text), "【紧急】", "119")
	}
	w.say(neighbour, "西区5号楼着火了")
	w.holds("more about it", w.say(neighbour, "补充 1003 三楼也着火了"), "已经加到 1003")
	w.say(worker, "办结 1003")
	w.holds("a result", w.say(worker, "5号楼着火了,已经扑灭"), "1003 号已办结")
}

// What answers a worker's question is no command.
func TestAnswersThatLookLikeCommands(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	for _, answer := range []string{"13812345678", "不行", "还行", "不用了", "快点", "没修好", "2"} {
		w.clock.Advance(time.Minute)
		w.say(worker, "追问 1001 您电话多少,现在还行吗")
		w.clock.Advance(time.Minute)
		w.holds(answer, w.say(resident, answer), "已经转告张建国")
		if got := w.ticket(1001); got.Question != nil || !got.State.Open() {
			t.Errorf("%s: %s, question %v", answer, got.State, got.Question)
		}
	}
	w.holds("a telephone number about the last matter", w.say(resident, "13812345678"), "已经加到 1001")
	w.holds("a fragment about the last matter", w.say(resident, "4楼"), "已经加到 1001")
	w.say(worker, "追问 1001 几楼")
	w.clock.Advance(time.Minute)
	w.holds("another matter", w.say(resident, "西区8号楼下水道堵了,污水都漫出来了"), "编号 1002")
	w.holds("nobody's matter", w.say(neighbour, "13812345678"), "这个数字我没看懂", "!编号 1")
}

// A digit rates what was resolved last; where several wait it is asked which.
func TestDigitRatesTheLastResolved(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	w.say(resident, "西区3号楼下水道堵了")
	w.clock.Advance(time.Minute)
	w.say(worker, "办结 1002 通了")
	w.clock.Advance(time.Minute)
	w.say(worker, "办结 1001 换了")
	w.clock.Advance(time.Minute)
	w.holds("two", w.say(resident, "1"), "哪一件", "1001", "1002")
	w.holds("that one", w.say(resident, "1"), "谢谢您的评价", "1001")
	w.say(resident, "西区4号楼楼道灯坏了")
	w.clock.Advance(time.Minute)
	w.say(worker, "办结 1003 换了")
	w.holds("the one just resolved", w.say(resident, "2"), "谢谢您的评价", "1003")
	w.holds("the one left", w.say(resident, "满意"), "谢谢您的评价", "1002")
}

// A photo goes where it was asked for.
func TestPhotoThatWasAskedFor(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	w.holds("asked for", w.say(resident, "补充"), "1001")
	w.holds("joins", w.photo(resident), "放进 1001")
	w.holds("words too", w.say(resident, "就是这盏"), "已经加到 1001")
	w.say(worker, "接单 1001")
	w.holds("what came of it", w.say(worker, "办结 1001"), "请写 1001")
	w.holds("kept", w.photo(worker), "照片收到了")
	w.holds("resolved", w.say(worker, "换好了"), "1001 号已办结")
	if got := w.ticket(1001); len(got.Media) != 2 || got.Resolution != "换好了" {
		t.Errorf("media %v, resolution %q", got.Media, got.Resolution)
	}
	w.say(resident, "不满意 1001")
	w.holds("shows why", w.photo(resident), "放进 1001")
}

// A resident whose ticket was merged follows the other's, and reads neither
// the other's words nor their door.
func TestFollowerSeesHowItStandsOnly(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼2单元402下水道堵了,我电话13812345678")
	w.holds("joined at once", w.say(neighbour, "西区3号楼楼下污水冒出来了"), "1001 号", "您的编号 1002", "!402", "!138", "!2单元")
	private := []string{"!402", "!138", "!2单元", "!撤销"}
	w.holds("own number", w.say(neighbour, "1002"), append(private, "并到 1001", "污水冒出来了", "张建国")...)
	w.holds("the other's number", w.say(neighbour, "进度 1001"), append(private, "1001 号", "管道排水")...)
	w.holds("all", w.say(neighbour, "进度"), append(private, "1001")...)
	w.holds("urge", w.say(neighbour, "催办"), append(private, "已经帮您催了张建国")...)
	w.say(worker, "办结 1001 通了")
	w.gets(neighbour, "您也反映过", "通了", "!402", "!138")
	w.holds("nothing to rate", w.say(neighbour, "进度 1001"), append(private, "重办", "!评价 1001")...)
	w.holds("not mended", w.say(neighbour, "没修好"), append(private, "1001 号重新办", "陈志强")...)

	w.say(resident, "希望给西区12号楼3单元402的老人理个发,电话13812345678")
	w.holds("a wish on the wall", w.say(partner, "查看 1003"), "理个发", "认领", "!402", "!12号楼", "!138")
}

// Staff commands are for staff, and a call is noted by who handles the matter.
func TestStaffCommandsAreForStaff(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	w.holds("transfer", w.say(resident, "转派 1001"), "不能操作", "!刘芳")
	w.holds("resolve", w.say(resident, "办结 1001 好了"), "不能操作")
	w.holds("progress", w.say(resident, "进展 1001"), "已派单")
	if _, err := w.sim.Unfollow(w.ctx, resident); err != nil {
		t.Fatal(err)
	}
	w.say(worker, "办结 1001 换好了")
	w.pump()
	if _, err := w.sim.Follow(w.ctx, resident, ""); err != nil {
		t.Fatal(err)
	}
	w.holds("called by the resident", w.say(resident, "已告知 1001"), "不能操作")
	w.holds("called by a stranger", w.say("o-worker-sun", "已告知 1001"), "没有找到")
	w.holds("still to be called", w.say(worker, "待办"), "打电话告知", "1001")
	w.holds("called", w.say(worker, "已告知 1001"), "已电话告知")
	w.holds("done", w.say(worker, "待办"), "!打电话告知")
}

// Two of one name are told apart.
func TestTwoOfOneName(t *testing.T) {
	w := newWorld(t).awake()
	w.person("liu2", workflow.Person{Name: "刘芳", Roles: []workflow.Role{{Kind: workflow.RoleOfficer, Department: "民政"}}})
	must(t, w.desk.Refresh(w.ctx))
	w.say(resident, "西区3号楼楼道灯坏了")
	w.holds("which", w.say(worker, "转派 1001 刘芳"), "刘芳(第一网格网格员)", "刘芳(民政专员)")
	w.holds("that one", w.say(worker, "刘芳(民政专员)"), "已交给民政专员 刘芳")
	if got := w.ticket(1001); got.Owner != w.people["liu2"] {
		t.Errorf("owner %d", got.Owner)
	}
}

// Who resolves at once is told of in one push; what one person is pushed comes
// in order.
func TestResolvedAtOnceIsOnePush(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	w.say(worker, "办结 1001 换好了")
	w.gets(resident, "换好了", "!已经接手")
	for i := 2; i < 6; i++ {
		w.clock.Advance(time.Minute)
		w.say(neighbour, fmt.Sprintf("西区%d号楼楼道灯坏了", i))
		w.say(worker, "帮助")
		w.say(worker, fmt.Sprintf("接单 100%d", i))
		w.say(worker, fmt.Sprintf("进展 100%d 配件到了", i))
		got := w.pushes(neighbour)
		if len(got) != 2 {
			t.Fatalf("pushes: %s", wordsOf(got))
		}
		w.holds("first", wordsOf(got[:1]), "已经接手")
		w.holds("second", wordsOf(got[1:]), "配件到了")
	}
}

// A refusal holds nobody up: what is said next is taken for itself.
func TestRefusalIsForgotten(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	w.say(resident, "补充 1001")
	w.say(worker, "办结 1001 换好了")
	w.say(worker, "帮助")
	w.clock.Advance(time.Minute)
	w.say(resident, "满意")
	w.say(resident, "补充 1001")
	w.holds("refused", w.say(resident, "还有一句话"), "!编号")
	w.holds("then taken", w.say(resident, "西区5号楼下水道堵了"), "编号 1002")
}

// Events that come by themselves are neither limited nor taken for talk.
func TestTheRateLimitSparesEvents(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	for range 35 {
		w.say(resident, "在吗")
	}
	w.holds("a photo is kept", w.photo(resident), "歇一分钟")
	if _, err := w.sim.Unfollow(w.ctx, resident); err != nil {
		t.Fatal(err)
	}
	me, _, err := w.store.PersonByOpenID(w.ctx, community, resident)
	must(t, err)
	if me.Following {
		t.Error("who left still counts as following")
	}
	if _, err := w.sim.Follow(w.ctx, resident, ""); err != nil {
		t.Fatal(err)
	}
	must(t, w.store.Commit(w.ctx, desk.Change{Community: community, Following: &desk.Following{Person: me.ID}})) // as if that event were lost
	w.clock.Advance(2 * time.Minute)
	w.holds("the photo goes with the words", w.say(resident, "西区5号楼着火了"), "编号 1002", "照片已附上") // danger is never held back
	if me, _, err = w.store.PersonByOpenID(w.ctx, community, resident); err != nil || !me.Following {
		t.Error("who writes does not count as following", err)
	}
}

// Who binds keeps what they brought as a resident.
func TestWhoBindsKeepsTheirMatters(t *testing.T) {
	w := newWorld(t).awake()
	w.say(neighbour, "西区3号楼楼道灯坏了")
	id, err := w.store.UpsertPerson(w.ctx, "wu", workflow.Person{
		Community: community, Name: "吴刚", Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G02"}},
	})
	must(t, err)
	must(t, w.store.NewBindCode(w.ctx, community, id, "K7MPX2QD", w.clock.Now().Add(24*time.Hour)))
	w.say(worker, "接单 1001") // told to whom they were; not yet sent
	w.holds("bound", w.say(neighbour, "绑定 K7MPX2QD"), "吴刚")
	must(t, w.desk.Refresh(w.ctx))
	w.gets(neighbour, "已经接手 1001")
	w.holds("progress", w.say(neighbour, "进度"), "1001 号", "正在办")
	w.say(worker, "办结 1001 换好了")
	w.gets(neighbour, "换好了", "<满意>")
	w.holds("rated", w.say(neighbour, "满意"), "谢谢您的评价")
	if got := w.ticket(1001); got.Reporter != id || got.State != workflow.Closed {
		t.Errorf("reporter %d, state %s", got.Reporter, got.State)
	}
}

// With Redis away and the record slow, the number follows by itself: the
// person is not told that nothing was taken.
func TestSlowRecordWithoutRedis(t *testing.T) {
	pg, rd := storetest.Cut(t, storetest.Postgres(t)), storetest.Cut(t, storetest.Redis(t))
	w := newWorld(t, func(s *settings) { s.postgres, s.redis, s.budget = pg.URL(), rd.URL(), 300*time.Millisecond })
	w.say(resident, "你好")
	rd.Cut()
	pg.Stall()
	w.holds("true", w.say(resident, "西区3号楼楼道灯坏了"), "正在帮您登记", "!暂时收不到")
	pg.Heal()
	w.bot.Wait()
	rd.Heal()
	w.pass(time.Minute)
	w.gets(resident, "收到了,编号 1001")
	who, _, err := w.store.PersonByOpenID(w.ctx, community, resident)
	must(t, err)
	if mine, err := w.store.Reported(w.ctx, community, who.ID, true, 10); err != nil || len(mine) != 1 {
		t.Errorf("%d tickets %v", len(mine), err)
	}
}

// A limit of the day or a missing permission stops a channel, not the push: it
// waits for the channel where there is no other.
func TestPushWaitsForItsChannel(t *testing.T) {
	for code, wait := range map[int]time.Duration{45009: 16 * time.Hour, 40164: 15 * time.Minute} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			w := newWorld(t, func(s *settings) { s.templates = nil }).awake()
			push := pushTo(t, w)
			w.sim.Fail(wechatsim.Failure{Path: apiCustom, ErrCode: code})
			w.pump()
			if p := push(); p.Status != desk.PushOwed || !p.NextTry.After(w.clock.Now().Add(5*time.Minute)) {
				t.Errorf("stopped: %s, again at %v", p.Status, p.NextTry)
			}
			w.sim.Reset()
			w.pass(wait)
			if p := push(); p.Status != desk.PushSent {
				t.Errorf("after %v: %s (%s)", wait, p.Status, p.Error)
			}
		})
	}
}

// A photo whose upload fails is tried again; one that is refused is not.
func TestPhotoWhoseUploadFails(t *testing.T) {
	w := newWorld(t).awake()
	w.sim.Fail(wechatsim.Failure{Path: "/cgi-bin/media/upload", HTTPStatus: 502, Times: 1})
	w.photo(resident)
	w.say(resident, "西区3号楼楼道灯坏了")
	w.gets(worker, "新任务 1001", "![custom image]")
	w.pass(2 * time.Minute)
	w.gets(worker, "[custom image]")
}

// A subscription notice that did not arrive is a call; what was agreed to can
// be taken back.
func TestSubscriptionNoticeThatDidNotArrive(t *testing.T) {
	event := func(name, row string) []byte {
		return []byte("<xml><ToUserName>" + original + "</ToUserName><FromUserName>" + resident + "</FromUserName><CreateTime>1795400000</CreateTime>" +
			"<MsgType>event</MsgType><Event>" + name + "</Event>" + row + "</xml>")
	}
	w := newWorld(t, func(s *settings) { s.templates = subscribeOnly }).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	for range 2 {
		if _, err := w.sim.Consent(w.ctx, resident, "demo-notice", true); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
	}
	w.clock.Advance(49 * time.Hour)
	w.say(worker, "接单 1001")
	w.gets(resident, "[subscribe", "{已接手}")
	if _, err := w.sim.Deliver(w.ctx, resident, event("subscribe_msg_sent_event",
		"<SubscribeMsgSentEvent><List><TemplateId>demo-notice</TemplateId><MsgID>1</MsgID><ErrorCode>1</ErrorCode><ErrorStatus>failed:user block</ErrorStatus></List></SubscribeMsgSentEvent>")); err != nil {
		t.Fatal(err)
	}
	w.holds("a call", w.say(worker, "待办"), "打电话告知", "1001")
	if _, err := w.sim.Deliver(w.ctx, resident, event("subscribe_msg_change_event",
		"<SubscribeMsgChangeEvent><List><TemplateId>demo-notice</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent>")); err != nil {
		t.Fatal(err)
	}
	me, _, err := w.store.PersonByOpenID(w.ctx, community, resident)
	must(t, err)
	if c, err := w.store.Contact(w.ctx, community, me.ID); err != nil || len(c.Consents) != 0 {
		t.Errorf("consents left: %v %v", c.Consents, err)
	}
}

// What a worker had begun swallows no news of danger.
func TestDangerWhileAWorkersWordsArePending(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	for i, command := range []string{"办结 1001", "进展 1001", "绑定"} {
		w.say(worker, command)
		w.holds(command, w.say(worker, fmt.Sprintf("西区%d号楼着火了,有人被困,快来人", 7+i)), "【紧急】", "119")
	}
	if got := w.ticket(1001); got.State != workflow.Assigned {
		t.Errorf("the first matter: %s, %q", got.State, got.Resolution)
	}
}

// A verdict is for what was resolved last, not for a question before it.
func TestVerdictAfterAnOlderQuestion(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	w.say(resident, "西区4号楼下水道堵了")
	w.clock.Advance(time.Minute)
	w.say(worker, "追问 1002 几楼")
	w.clock.Advance(time.Hour)
	w.say(worker, "办结 1001 换了")
	w.clock.Advance(time.Minute)
	w.holds("a digit", w.say(resident, "1"), "谢谢您的评价", "1001")
	w.say(worker, "追问 1002 东户西户")
	w.holds("the question is still there", w.say(resident, "东户"), "已经转告张建国")
}

// Who binds takes along also what was joined to a neighbour's.
func TestWhoBindsKeepsWhatWasJoined(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼2单元楼道灯坏了")
	w.holds("joined", w.say(neighbour, "西区3号楼2单元楼道灯不亮"), "您的编号 1002")
	id, err := w.store.UpsertPerson(w.ctx, "wu", workflow.Person{Community: community, Name: "吴刚", Roles: []workflow.Role{{Kind: workflow.RoleVolunteer, Team: "环境清洁队"}}})
	must(t, err)
	must(t, w.store.NewBindCode(w.ctx, community, id, "K7MPX2QD", w.clock.Now().Add(24*time.Hour)))
	w.holds("bound", w.say(neighbour, "绑定 K7MPX2QD"), "吴刚")
	must(t, w.desk.Refresh(w.ctx))
	w.holds("progress", w.say(neighbour, "进度"), "1001 号")
	w.holds("taken apart", w.say(neighbour, "拆分 1002"), "编号 1002")
}

// An account that may not push leaves no emergency waiting: somebody is to
// telephone at once.
func TestEmergencyThatCannotBePushed(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.templates = nil }).awake()
	w.sim.Fail(wechatsim.Failure{Path: apiCustom, ErrCode: 48001})
	w.say(resident, "西区3号楼着火了")
	w.pump()
	w.holds("a call", w.say(duty, "待办"), "打电话告知", "紧急情况")
}

// A reply that came late and reaches nobody is a call with its number, also
// where the clock is finer than the record.
func TestLateReplyThatReachesNobody(t *testing.T) {
	pg := storetest.Cut(t, storetest.Postgres(t))
	w := newWorld(t, func(s *settings) { s.postgres, s.budget, s.templates = pg.URL(), 300*time.Millisecond, nil }).awake()
	w.clock.Advance(123456789 * time.Nanosecond)
	w.say(resident, "你好")
	w.sim.Fail(wechatsim.Failure{Path: apiCustom, ErrCode: 45015})
	pg.Stall()
	w.holds("in time", w.say(resident, "西区3号楼楼道灯坏了"), "正在登记")
	pg.Heal()
	w.bot.Wait()
	w.pump()
	w.holds("a call", w.say(duty, "待办"), "打电话告知", "1001", "告知编号")
	w.say(duty, "已告知 1001")
	w.holds("done", w.say(duty, "待办"), "!告知编号")
}

// An estate of one grid is enough to send somebody; the building is asked for
// on the way.
func TestTheBuildingIsAskedForOnTheWay(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("the answer", w.say(resident, "怡园的楼道灯又不亮了"), "编号 1001", "孙丽", "是几号楼")
	w.gets("o-worker-sun", "新任务 1001")
	w.say(resident, "3号楼")
	w.gets("o-worker-sun", "居民回答", "3号楼")
	if got := w.ticket(1001); got.Place.Building != 3 || got.Question != nil || got.State != workflow.Assigned {
		t.Errorf("the ticket is %+v", got)
	}
	w.holds("a whole estate", w.say(resident, "怡园整个小区都停水了"), "孙丽", "!几号楼")
}
