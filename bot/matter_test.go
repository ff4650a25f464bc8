package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// A trouble that is known is told as such: a neighbour counts as affected and
// hears when it is solved; somebody's own is only added to; what was another
// matter after all is taken apart again.
func TestKnownTrouble(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("first", w.say(resident, "西区3号楼2单元楼道灯坏了"), "编号 1001")
	w.gets(worker, "新任务 1001")
	w.clock.Advance(time.Hour)
	w.holds("a neighbour", w.say(neighbour, "毕西3号楼2单元楼道里的灯不亮,黑灯瞎火的"), "邻居已经报过了", "1001 号", "张建国", "您的编号 1002")
	w.gets(worker, "!1002")
	w.gets(neighbour, "!1002")
	w.holds("another thing there", w.say(neighbour, "西区3号楼2单元门禁坏了"), "编号 1003", "!报过了")
	w.holds("the same thing elsewhere", w.say(neighbour, "西区4号楼2单元楼道灯坏了"), "编号 1004", "!报过了")
	w.holds("one's own", w.say(resident, "西区3号楼2单元楼道灯还是不亮"), "您报过了", "1001 号")
	w.holds("another lamp", w.say(resident, "不是一回事"), "编号 1005")
	w.holds("how many", w.say(worker, "查看 1001"), "另有 1 户")
	w.say(worker, "办结 1001 换了")
	w.gets(neighbour, "您也反映过", "换了")

	w.holds("joined by mistake", w.say(neighbour, "西区3号楼2单元楼道灯不亮"), "1005 号", "您的编号 1006")
	w.holds("taken apart", w.say(neighbour, "不是一回事"), "编号 1006", "张建国")
	if got := w.ticket(1006); got.State != workflow.Assigned || got.Into != 0 {
		t.Errorf("taken apart: %s into %d", got.State, got.Into)
	}
	if got := w.ticket(1005); len(got.Followers) != 0 || len(got.Absorbed) != 0 {
		t.Errorf("still follows: %v %v", got.Followers, got.Absorbed)
	}
	w.say(worker, "并案 1006 1005")
	w.holds("by the worker", w.say(worker, "拆分 1006"), "1006 号已拆出来", "张建国")
	w.holds("not by anybody", w.say("o-worker-sun", "拆分 1006"), "没有找到")
}

// However many others of the kind the grid has since.
func TestKnownTroubleBehindManyOthers(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.crowd = 24 })
	w.say(resident, "西区3号楼2单元楼道灯坏了")
	for i := range 24 {
		w.say(fmt.Sprintf("o-crowd-%d", i), fmt.Sprintf("西区%d号楼%d单元楼道灯坏了", 4+i%12, 1+i/12))
	}
	w.holds("a neighbour", w.say(neighbour, "毕西3号楼2单元楼道里的灯不亮"), "邻居已经报过了", "1001 号")
}

// An emergency is looked at each time.
func TestEmergenciesAreNotJoined(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("first", w.say(resident, "西区3号楼着火了"), "【紧急】", "编号 1001")
	w.holds("second", w.say(neighbour, "西区3号楼着火了"), "【紧急】", "编号 1002")
}

// Several matters of one message become several tickets, after one question.
func TestSeveralMatters(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("asked", w.say(resident, "西区3号楼2单元楼道灯坏了,另外5号楼下水道堵了,污水都冒出来了"), "2 件事", "设施维修", "管道排水", "分开登记", "!编号")
	w.holds("apart", w.say(resident, "1"), "编号 1001", "3号楼2单元", "编号 1002", "5号楼")
	if a, b := w.ticket(1001), w.ticket(1002); a.Category == b.Category || a.Place.Building != 3 || b.Place.Building != 5 {
		t.Errorf("%s at %v, %s at %v", a.Category, a.Place, b.Category, b.Place)
	}
	w.holds("asked", w.say(neighbour, "怡园3号楼楼道灯坏了。还有4号楼楼顶漏雨,还有5号楼下水道堵了"), "件事")
	w.holds("one", w.say(neighbour, "就是一件事"), "编号 1003")
	w.holds("a long story is one matter", w.say(neighbour, "怡园6号楼下水道堵了,上个月就堵过一回,找物业说了三次都没来,家里老人孩子都在,味道很大,麻烦赶紧来看看"), "编号 1004", "!件事")
	w.holds("danger first", w.say(resident, "西区7号楼灯坏了,还有8号楼着火了"), "【紧急】", "编号 1005")
}

// What the desk is not sure of it asks, with its guesses; what a worker says
// it is, it keeps to learn from.
func TestDoubtIsShown(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("asked", w.say(resident, "西区3号楼那个东西又那样了,你们管不管啊"), "编号 1001", "哪一类事")
	w.holds("tapped", w.say(resident, "环境卫生"), "环境卫生", "张建国")
	if got := w.ticket(1001); got.Category != "sanitation" || got.Place.Building != 3 {
		t.Errorf("%s at %v", got.Category, got.Place)
	}
	w.say(neighbour, "西区5号楼那个东西又那样了,你们管不管啊")
	w.pass(25 * time.Hour) // nobody answers
	if got := w.ticket(1002); got.Stand != workflow.InTray {
		t.Errorf("unanswered it stands %q", got.Stand)
	}
	w.holds("the tray", w.say(worker, "待办"), "等您归类", "1002")
	w.holds("by hand", w.say(worker, "归类 1002 园林绿化"), "园林绿化")
	var kept []desk.Sample
	must(t, w.store.Samples(w.ctx, community, func(s desk.Sample) error { kept = append(kept, s); return nil }))
	if len(kept) != 1 || kept[0].Number != 1002 || kept[0].Category != "greening" || kept[0].Text == "" || kept[0].By != w.people["zhang"] {
		t.Errorf("kept to learn from: %+v", kept)
	}
}

// What a neighbour shows and says of a known trouble reaches who handles it.
func TestWhatANeighbourSaysOfAKnownTrouble(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "西区3号楼2单元楼道灯坏了")
	w.gets(worker, "新任务 1001")
	w.photo(neighbour)
	w.holds("joined", w.say(neighbour, "西区3号楼2单元楼道灯不亮了,灯罩掉下来,玻璃碴子一地"), "您的编号 1002")
	w.gets(worker, "1001", "玻璃碴子", "[custom image]")
	w.holds("the card", w.say(worker, "查看 1001"), "玻璃碴子", "另有 1 户")
	w.holds("the first one reads their own words", w.say(resident, "进度 1001"), "楼道灯坏了", "!玻璃碴子")
}

// Of several matters without a place one is asked about at a time, by name.
func TestSeveralWithoutAPlace(t *testing.T) {
	w := newWorld(t).awake()
	w.say(resident, "楼道灯坏了,另外下水道也堵了,污水都冒出来了")
	first := w.say(resident, "分开登记")
	w.holds("apart", first, "编号 1001", "编号 1002")
	if strings.Count(first, "几号楼") != 1 {
		t.Errorf("asked about both at once:\n%s", first)
	}
	w.holds("the first", w.say(resident, "西区3号楼"), "编号 1001", "3号楼", "还有 1002 号", "管道排水", "几号楼")
	w.holds("the second", w.say(resident, "西区5号楼"), "编号 1002", "5号楼", "!还有 100")
	if a, b := w.ticket(1001), w.ticket(1002); a.Place.Building != 3 || b.Place.Building != 5 {
		t.Errorf("at %v and %v", a.Place, b.Place)
	}
}
