package bot_test

import (
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
)

// A community's own words and categories are what its people read and may say,
// from the moment that they are applied.
func TestOwnWordsAndCategories(t *testing.T) {
	w := newWorld(t).awake()
	w.holds("the shipped words", w.say(resident, "西区3号楼2单元楼道灯坏了"), "编号 1001", "谁来办", "设施维修")
	w.gets(worker, "新任务 1001 号【设施维修】")

	w.apply(shape + `
wording:
  filed: "记下啦!{{.Number}} 号,{{.Title}} {{.Owner}}去办【{{.What}}】。{{if .Call}}先打 {{.Call}}!{{end}}"
  push.assigned: "{{.Owner}},来活了:{{.Number}} 号({{.What}})"
  title.worker: "{{.Grid}}管家"
  choice.accept: 我来
  file_how: "{{.Number}} 号归哪类?{{.Categories}}"
  slow_down: 慢点儿。
  danger: 快打 {{.Call}}!
categories:
  facilities: {label: 修修补补}
  noise: {off: true}
  pets: {kind: incident, label: 猫狗}
`)
	must(t, w.desk.Refresh(w.ctx))
	w.holds("its own words", w.say(resident, "西区4号楼1单元楼道灯坏了"), "记下啦!1002 号,第一网格管家", "去办【修修补补】", "!谁来办")
	w.gets(worker, "张建国,来活了:1002 号(修修补补)")
	w.holds("its own word to tap", w.tap(worker, "我来"), "已接单 1002")
	w.holds("an old matter", w.say(resident, "1001"), "第一网格管家", "!专职网格员")
	w.holds("danger", w.say(neighbour, "西区3号楼着火了"), "先打 119")
	w.holds("doubt", w.say(neighbour, "西区5号楼那个东西又那样了,你们管不管啊"), "1004", "!噪音扰民")
	w.holds("danger that a worker tells of", w.say(worker, "代报 张大娘 西区9号楼2单元着火了"), "快打 119!\n已替张大娘登记", "!【紧急】")
	w.holds("and finds", w.say(worker, "巡查 西区10号楼着火了"), "快打 119!\n已记下巡查", "!【紧急】")
	w.pass(25 * time.Hour)
	w.holds("what there is to choose", w.say(worker, "归类 1004"), "猫狗、", "修修补补", "!噪音扰民", "!设施维修")
	w.holds("a category of its own", w.say(worker, "归类 1004 猫狗"), "猫狗")
	if got := w.ticket(1004); got.Category != "pets" || got.Kind != workflow.Incident {
		t.Errorf("filed as %s %s", got.Kind, got.Category)
	}

	w.apply(shape)
	must(t, w.desk.Refresh(w.ctx))
	w.holds("the shipped words again", w.say("o-auntie-sun", "西区7号楼2单元楼道灯坏了"), "谁来办", "设施维修", "!记下啦")
	w.holds("what it was called", w.say(worker, "查看 1004"), "【pets】")
}
