package bot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/digest"
)

// The whole loop of an incident: photo and words, assignment, acceptance,
// result with photo, unsatisfied, one level higher, result, rated, closed.
func TestIncidentFromMessageToRating(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("photo first", w.photo(resident), "照片收到了", "!编号")
	w.holds("filed", w.say(resident, "12号楼3单元的楼道灯又不亮了,黑灯瞎火的,西区的"), "编号 1001", "张建国", "第一网格", "今天 10:00前", "照片已附上")
	w.gets(worker, "新任务 1001", "设施维修", "毕家洼西区", "12号楼", "<接单>", "[custom image]")
	w.gets(colleague, "!1001")
	w.gets(resident, "!1001")

	w.holds("accepted", w.tap(worker, "接单"), "已接单 1001")
	w.gets(resident, "张建国", "已经接手 1001", "!不满意")
	w.holds("progress", w.say(resident, "进度"), "1001 号", "正在办", "张建国")

	w.photo(worker)
	w.holds("resolved", w.say(worker, "办结 1001 灯已换"), "1001 号已办结")
	w.gets(resident, "办好了:灯已换", "<满意>", "<不满意>", "[custom image]")
	if got := w.ticket(1001); got.State != workflow.Resolved {
		t.Fatalf("state %s, want resolved: closed means that the resident had the last word", got.State)
	}

	w.holds("rated badly", w.tap(resident, "不满意"), "没让您满意", "陈志强")
	w.gets(duty, "新任务 1001")
	w.gets(worker, "居民不满意", "升级重办")
	if got := w.ticket(1001); got.Level != workflow.LevelCommittee || got.Owner != w.people["chen"] || got.Reopened != 1 {
		t.Fatalf("level %d, owner %d, reopened %d", got.Level, got.Owner, got.Reopened)
	}
	w.holds("says why", w.say(resident, "还是一闪一闪的"), "已经加到 1001")
	w.gets(duty, "还是一闪一闪的")
	w.holds("resolved at once", w.say(duty, "办结 1001 线路重新接过"), "1001 号已办结")
	w.gets(resident, "线路重新接过", "<满意>")
	w.holds("rated by digit", w.say(resident, "1"), "谢谢您的评价", "1001")
	w.gets(duty, "满意")
	if got := w.ticket(1001); got.State != workflow.Closed || got.Rating != workflow.Satisfied {
		t.Fatalf("state %s, rating %s", got.State, got.Rating)
	}
}

// A wish goes on the wall, is claimed by a partner unit and fulfilled. Nobody
// on the wall sees who asked.
func TestWishFromMessageToFulfilment(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("filed", w.say(resident, "我想学用智能手机,家里没人教"), "心愿收到了", "编号 1001", "心愿墙")
	w.holds("wall", w.say(partner, "心愿墙"), "1001", "智能手机", "认领 1001", "!王大爷")
	w.say(neighbour, "希望给西区12号楼3单元402的老人理个发,电话13812345678")
	w.holds("no traces", w.say(partner, "心愿墙"), "理个发", "!12号楼", "!402", "!138")
	w.holds("resident sees the wall", w.say(neighbour, "心愿墙"), "1001", "!认领 1001")
	w.holds("resident may not claim", w.say(neighbour, "认领 1001"), "不能操作")
	w.holds("claimed", w.say(partner, "认领 1001"), "1001", "办结")
	w.gets(resident, "北村小学", "认领了您的心愿")
	w.holds("claimed twice", w.say(worker, "认领 1001"), "已经有人认领")
	w.holds("fulfilled", w.say(partner, "办结 1001 周六上门教会了微信视频"), "已办结")
	w.gets(resident, "微信视频", "<满意>")
	w.holds("rated in words", w.say(resident, "满意"), "谢谢您的评价")
}

func TestEmergencyIsToldAtOnce(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("reply", w.say(resident, "怡园3号楼2单元着火了!快来人"), "【紧急】", "119", "编号 1001", "孙丽")
	w.gets(duty, "【紧急】1001", "怡园小区", "3号楼")
	w.gets("o-worker-sun", "【紧急】1001")
	if got := w.ticket(1001); got.Severity != workflow.Emergency {
		t.Fatalf("severity %s", got.Severity)
	}

	w.holds("without a place", w.say(neighbour, "家里煤气味很大,头晕"), "【紧急】", "119", "编号 1002", "几号楼")
	w.gets(duty, "【紧急】1002", "地点还不清楚")
	w.holds("the place", w.say(neighbour, "怡园5号楼"), "1002")
	w.gets("o-worker-sun", "1002", "怡园小区", "5号楼")
	w.pass(6 * time.Minute)
	w.gets(duty, "超时", "1002")
}

func TestAskedWhere(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("asked", w.say(resident, "下水道堵了,污水都漫出来了"), "编号 1001", "几号楼", "怡园小区")
	if got := w.ticket(1001); got.Question == nil || got.State != workflow.Received {
		t.Fatalf("state %s, question %v", got.State, got.Question)
	}
	w.holds("estate alone", w.say(resident, "怡园小区"), "1001")
	w.holds("building", w.say(resident, "7号楼"), "孙丽", "管道排水", "怡园小区 7号楼")
	w.gets("o-worker-sun", "新任务 1001", "7号楼")

	w.holds("never answered", w.say(neighbour, "门禁坏了"), "1002", "几号楼")
	w.pass(31 * time.Minute)
	w.gets(duty, "1002 号", "门禁坏了")
	w.holds("by hand", w.say(duty, "归类 1002 设施维修 怡园3号楼"), "1002", "孙丽")
	w.gets("o-worker-sun", "新任务 1002")
}

func TestWorkersCommands(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区5号楼2单元门口垃圾好几天没人收")
	w.say(neighbour, "西区6号楼一楼漏水")
	w.gets(worker, "1001", "1002")
	w.holds("work", w.say(worker, "待办"), "2 件事", "1001", "1002", "环境卫生")
	w.holds("not one's own", w.say(resident, "接单 1001"), "不能操作")
	w.holds("another's", w.say(neighbour, "1001"), "没有找到")

	w.holds("accept which", w.say(worker, "接单"), "哪一件", "1001", "1002")
	w.holds("by number", w.say(worker, "1"), "已接单")
	w.holds("ask", w.say(worker, "问 1001 是哪个垃圾桶?"), "已经问居民了")
	w.gets(resident, "是哪个垃圾桶")
	w.pass(3 * time.Hour)
	if got := w.ticket(1001); len(got.Overdue) != 0 {
		t.Fatalf("a stopped clock fired: %v", got.Overdue)
	}
	w.say(worker, "帮助") // opens the window again, which the reminders of 1002 used up
	w.holds("answer", w.say(resident, "门东边那个绿的"), "谢谢", "1001")
	w.gets(worker, "门东边那个绿的")
	w.holds("note", w.say(worker, "进展 1001 已联系保洁"), "已告诉居民")
	w.gets(resident, "已联系保洁")

	w.holds("transfer: to whom", w.say(worker, "转派 1002"), "交给谁", "刘芳")
	w.holds("transferred", w.say(worker, "刘芳"), "刘芳")
	w.gets(colleague, "新任务 1002")
	w.holds("return without a reason", w.say(colleague, "退单 1002"), "为什么退回")
	w.holds("the reason", w.say(colleague, "是自来水公司的管子"), "已退回")
	w.gets(worker, "1002", "归类派单")
	w.holds("assigned by hand", w.say(duty, "指派 1002 孙丽"), "孙丽")
	w.gets(neighbour, "1002", "孙丽")

	w.holds("merge", w.say(duty, "并案 1002 1001"), "1002 号已并入 1001")
	w.holds("a reply to the merged one reaches the living", w.say(neighbour, "补充 1002 水停了"), "1001")
	w.gets(worker, "水停了")
	w.pass(200 * time.Hour)
	if got := w.ticket(1002); got.State != workflow.Merged || got.Escalated != 0 {
		t.Fatalf("merged: state %s, escalated %d", got.State, got.Escalated)
	}
}

func TestResidentsCommands(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("nothing yet", w.say(resident, "进度"), "还没有报过事")
	w.holds("greeting", w.say(resident, "你好"), "您好", "!编号")
	w.holds("thanks", w.say(resident, "谢谢"), "不客气", "!编号")
	w.say(resident, "西区3号楼电梯按钮不亮了")
	w.holds("number alone", w.say(resident, "1001"), "1001 号", "已派单")
	w.holds("urge", w.say(resident, "催办"), "已经帮您催了")
	w.gets(worker, "居民在催 1001")
	w.holds("urge again", w.say(resident, "催办"), "刚刚已经帮您催过")
	w.holds("supplement", w.say(resident, "补充 是三楼的按钮"), "已经加到 1001")
	w.gets(worker, "是三楼的按钮")
	w.holds("photo after", w.photo(resident), "放进 1001")
	w.gets(worker, "1001", "[custom image]")
	w.holds("cancel asks once", w.say(resident, "撤销"), "真的不用办 1001")
	w.holds("cancelled", w.say(resident, "1"), "1001 号已经撤销")
	w.gets(worker, "已撤销")
	w.holds("praise", w.say(resident, "网格员小张真是太好了,给你们点赞,谢谢"), "谢谢您的夸奖")
	w.gets(duty, "居民表扬", "小张")
	w.holds("a question", w.say(resident, "煤气费怎么交"), "打听", "!编号", "!紧急")
}

// Closed by time: reminded once outside the quiet hours, closed after 72
// hours, and still the resident may speak.
func TestClosedByTime(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道堆了好多杂物")
	w.clock.Advance(12 * time.Hour) // 21:00
	w.say(worker, "办结 1001 已清走")
	w.gets(resident, "已清走")
	w.pass(23*time.Hour + 59*time.Minute)
	w.gets(resident, "!办得怎么样")
	w.pass(12 * time.Hour) // 24 hours fell into the quiet hours: the reminder came at 08:00
	reminders := w.pushes(resident)
	if len(reminders) != 1 || reminders[0].At.In(time.FixedZone("", 8*3600)).Hour() != 8 {
		t.Fatalf("reminders: %s", wordsOf(reminders))
	}
	w.pass(48 * time.Hour)
	if got := w.ticket(1001); got.State != workflow.Closed || !got.ByTime {
		t.Fatalf("state %s by time %v", got.State, got.ByTime)
	}
	w.holds("a late verdict counts", w.say(resident, "不满意"), "没让您满意", "陈志强")
}

func TestBindByOneTimeCode(t *testing.T) {
	w := newWorld(t).awake()
	id, err := w.store.UpsertPerson(w.ctx, "wu", workflow.Person{
		Community: community, Name: "吴刚", Roles: []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G02"}},
	})
	must(t, err)
	must(t, w.store.NewBindCode(w.ctx, community, id, "K7MPX2QD", w.clock.Now().Add(24*time.Hour)))
	must(t, w.desk.Refresh(w.ctx))
	w.holds("wrong code", w.say(neighbour, "绑定 AAAAAAAA"), "绑定码不对")
	w.holds("bound", w.say(neighbour, "绑定 k7mpx2qd"), "吴刚", "绑定好了")
	w.holds("the code works once", w.say(resident, "绑定 K7MPX2QD"), "绑定码不对")
	must(t, w.desk.Refresh(w.ctx))
	w.holds("works as staff", w.say(neighbour, "待办"), "没有要办的事")
	for range 5 {
		w.say(resident, "绑定 BBBBBBBB")
	}
	w.holds("guessing is stopped", w.say(resident, "绑定 CCCCCCCC"), "歇一分钟")
}

// What is said next is never swallowed by what was asked before.
func TestWordsAreNotSwallowed(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("a question", w.say(resident, "没煤气了,交费咋交"), "打听")
	w.holds("then an emergency", w.say(resident, "俺老伴晕倒了西区3号楼2单元"), "【紧急】", "120", "张建国")
	w.holds("a wish without one", w.say(resident, "我要许愿"), "什么心愿", "!编号")
	w.holds("asked where", w.say(neighbour, "门禁坏了"), "几号楼")
	w.holds("thanks are no place", w.say(neighbour, "谢谢啊"), "不客气", "!编号")
	w.holds("another matter", w.say(neighbour, "楼上吵死了西区8号楼"), "编号 1003", "噪音扰民")
	w.holds("the place after all", w.say(neighbour, "西区5号楼"), "编号 1002", "设施维修", "5号楼")
	w.say(worker, "办结 1002 修好了")
	w.say(neighbour, "评价 1002 不满意")
	w.holds("asked why, and it burns", w.say(neighbour, "西区5号楼着火了"), "【紧急】", "119")
	w.holds("nothing to reopen", w.say(resident, "重办"), "没有可以「重办」")
	w.say(resident, "撤销 1001")
	w.holds("nobody works on what has ended", w.say(resident, "1001"), "已撤销", "!谁在办")
	for range 35 {
		w.say(resident, "在吗")
	}
	w.holds("too fast", w.say(resident, "楼道灯坏了"), "歇一分钟")
	w.holds("but never for danger", w.say(resident, "西区3号楼着火了"), "【紧急】")
}

func TestDigitsMeanWhatWasAsked(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "门禁坏了,怡园的")
	w.holds("a building", w.say(resident, "12"), "编号 1001", "怡园小区 12号楼")
	w.clock.Advance(time.Second)
	w.say("o-worker-sun", "问 1001 哪一层")
	w.clock.Advance(time.Second)
	w.holds("a floor", w.say(resident, "3"), "已经转告孙丽")
	w.gets("o-worker-sun", "居民回答:3")
	w.say("o-worker-sun", "办结 1001 修好了")
	w.holds("satisfied", w.say(resident, "满意 1001"), "谢谢您的评价")
	w.holds("a change of mind", w.say(resident, "不满意"), "评价过了", "重办")
	w.holds("taken up again", w.say(resident, "1"), "陈志强")
	w.say(resident, "西区3号楼着火了")
	w.holds("marked", w.say(worker, "待办"), "【紧急】1002")
	w.pass(6 * time.Minute)
	w.holds("the committee sees it", w.say(duty, "待办"), "督办中", "【紧急】1002")
}

// Danger breaks through commands, and a refusal holds nobody up.
func TestDangerInsideACommand(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼楼道灯坏了")
	w.holds("supplement", w.say(resident, "补充:西区3号楼现在着火了"), "【紧急】", "119")
	w.holds("register", w.say(neighbour, "登记一下西区5号楼楼道灯坏了"), "编号 1003")
	w.say(worker, "办结 1001 换好了")
	w.say(resident, "评价 1001 不满意")
	w.say(duty, "办结 1001 又换了")
	w.say(resident, "评价 1001 满意")
	w.holds("again", w.say(resident, "又坏了,西区3号楼着火了"), "【紧急】")
}

// On Monday the committee gets its week, in words, with the way to all of it.
func TestTheWeekReachesTheCommittee(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "毕家洼西区12号楼3单元楼道灯不亮了")
	w.say(worker, "接单")
	w.say(worker, "办结 1001 灯已换好")
	w.say(resident, "满意")
	monday := begin.In(time.FixedZone("", 8*3600))
	for monday.Weekday() != time.Monday || !monday.After(begin) || monday.Hour() != 8 {
		monday = monday.Truncate(time.Hour).Add(time.Hour)
	}
	w.clock.Advance(monday.Sub(w.clock.Now()) - 10*time.Hour)
	w.say(duty, "帮助") // opens the window for messages
	w.pushes(duty)
	w.pass(10*time.Hour + 5*time.Minute)
	w.gets(duty, "【周报】", "收到诉求 1 件", "响应率 100%", "解决率 100%", "满意率 100%", "打开整份周报")
	w.pass(time.Hour)
	if got := wordsOf(w.pushes(duty)); strings.Contains(got, "周报") {
		t.Errorf("it comes twice: %s", got)
	}
	w.pass(7*24*time.Hour - time.Hour) // the window is closed: a template message leads there as well
	led := ""
	for _, e := range w.pushes(duty) {
		if e.Channel == "template" && strings.Contains(wordsOf([]wechatsim.Entry{e}), "周报") {
			led = e.URL
		}
	}
	if want := "/c/" + community + "/week/" + digest.WeekOf(monday, monday.Location()).String(); !strings.HasSuffix(led, want) {
		t.Errorf("the template message of the week after leads to %q, want %s", led, want)
	}
}
