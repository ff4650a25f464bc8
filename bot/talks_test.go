package bot_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/ledger"
	"github.com/wishdesk/wishdesk/workflow/lesson"
)

// A talk is a conversation as an operator would read it, in docs/talks: who
// writes what, and what everybody sees. Line by line:
//
//	王大爷:西区12号楼3单元楼道灯不亮了      writes
//	王大爷 点 满意                          taps what says so, in the last menu
//	王大爷 发照片 / 关注 / 取消关注          sends a photo, follows, leaves
//	王大爷 扫码 1 12 3                      scans the code of estate 1, building 12, unit 3
//	王大爷 扫课码 1101                      scans the code of a lesson's gallery class
//	    → 编号 1001|张建国|!刘芳            the reply has these words, and not those after "!"
//	张建国 收到:新任务 1001|接单            what came without asking since the last look
//	过 1小时30分                            time passes
//	离职 刘芳                               plays no part any more
//	划归 毕家洼西区 12 G02                  a building goes to another grid
//	签约 红色物业                           has the contract for what stands in the shape as such
//
// Points are spent on 洗衣液 (20, one of it) and 米面油 (60). On the care list stand 孙桂兰 (第一网格, due tomorrow) and 何秀珍 (第二网格, the day after).
//
// Lines that begin with "#" tell the reader what is going on.
func TestTalks(t *testing.T) {
	for name, file := range talks(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			talk(t, file)
		})
	}
}

// talks are the files of the talks by their names.
func talks(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../docs/talks/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no talks: %v", err)
	}
	all := map[string]string{}
	for _, file := range files {
		all[strings.TrimSuffix(filepath.Base(file), ".txt")] = file
	}
	return all
}

// talk has a talk take place.
func talk(t *testing.T, file string, options ...option) {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	giving := shape + "rewards: {wish: 20, help: 10, patrol: 5, report: 3}\n"
	w := newWorld(t, append(options, func(s *settings) { s.whole, s.shape = true, giving })...)
	k := talking{world: w, shape: giving}
	for i, r := range []ledger.Reward{{Name: "洗衣液", Price: 20, Stock: 1}, {Name: "米面油", Price: 60, Stock: 5}} {
		_, err := w.store.AddReward(w.ctx, community, fmt.Sprint(i), r)
		must(t, err)
	}
	for i, c := range []workflow.Care{
		{Name: "孙桂兰", Phone: "13900000001", Kind: workflow.LivingAlone, Place: workflow.Place{Estate: "毕家洼西区", Building: 12, Unit: 3, Room: "402", Grid: "G01"}, Every: 7, Note: "耳朵背"},
		{Name: "何秀珍", Kind: workflow.LowIncome, Place: workflow.Place{Estate: "怡园小区", Building: 5, Unit: 2, Room: "301", Grid: "G02"}, Every: 14},
	} {
		c.Community, c.NextVisit = community, begin.AddDate(0, 0, i+1)
		_, err := w.store.PutCare(w.ctx, c)
		must(t, err)
	}
	if strings.Contains(string(data), "1101 号课") {
		k.lessons()
	}
	for _, name := range []string{"刘书记", "张建国", "刘芳", "孙丽", "陈志强", "赵敏", "韩磊", "曹颖", "钟敏", "何亮", "吴桂芬", "龚莉"} {
		k.say(k.openid(name), "帮助")
		k.pushes(k.openid(name))
	}
	for i, line := range strings.Split(string(data), "\n") {
		if k.line(fmt.Sprintf("%s:%d", filepath.Base(file), i+1), line); t.Failed() {
			t.FailNow()
		}
	}
}

// lessons are those of the talks: 1101 today, also at the gallery, and 1102 tomorrow,
// whose speaker has no WeChat.
func (k *talking) lessons() {
	k.t.Helper()
	zhou, err := k.store.UpsertPerson(k.ctx, "zhou", workflow.Person{Community: community, Name: "周老师", Phone: "13900001102", Roles: []workflow.Role{{Kind: workflow.RolePartyMember, Branch: "第一支部"}}})
	must(k.t, err)
	w, err := k.desk.Begin(community, false)
	must(k.t, err)
	a := lesson.Lesson{ID: 1101, Branch: "第三支部", Theme: lesson.History, Form: lesson.Text, Title: "一大的故事", Speaker: "周老师", Minutes: 6, Text: "一百多年前,十三个人坐上了一条船。",
		Class: lesson.Class{Place: "怡园凉亭", At: begin.Add(time.Hour)}, At: begin}
	b := a
	b.ID, b.Title, b.Form, b.Voice, b.Text, b.Class, b.Theme = 1102, "上甘岭", lesson.Voice, "m-1102", "", lesson.Class{}, lesson.History
	b.Teacher = zhou
	w.Change.Classwork = desk.Classwork{Made: []lesson.Lesson{a, b}, Planned: []lesson.Planned{
		{Branch: "第三支部", Lesson: 1101, Day: "2026-11-23"}, {Branch: "第三支部", Lesson: 1102, Day: "2026-11-24"},
	}, Hours: []lesson.Hour{{Person: k.people["wu"], Hour: 10}}}
	must(k.t, w.Commit(k.ctx))
}

type talking struct {
	*world
	shape string
	reply string
}

var openids = map[string]string{
	"王大爷": resident, "李阿姨": neighbour, "孙奶奶": "o-auntie-sun", "周大爷": "o-uncle-zhou",
	"张建国": worker, "刘芳": colleague, "孙丽": "o-worker-sun", "陈志强": duty, "赵敏": partner, "韩磊": "o-leader-han",
	"曹颖": "o-property-cao", "钟敏": "o-officer-zhong", "何亮": "o-volunteer-he", "吴桂芬": "o-party-wu", "龚莉": "o-committee-gong", "刘书记": "o-party-liu",
}

func (k *talking) openid(name string) string {
	k.t.Helper()
	id, ok := openids[name]
	if !ok {
		k.t.Fatalf("who is %q?", name)
	}
	return id
}

var timePasses = regexp.MustCompile(`^过 (?:(\d+)天)?(?:(\d+)小时)?(?:(\d+)分)?$`)

func (k *talking) line(where, line string) {
	k.t.Helper()
	must(k.t, k.desk.Refresh(k.ctx)) // as a running process does every second
	k.pump()
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return
	}
	if want, ok := strings.CutPrefix(line, "→"); ok {
		k.holds(where+" reply", k.reply, wanted(want)...)
		return
	}
	if m := timePasses.FindStringSubmatch(line); m != nil {
		var d time.Duration
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
			var n int
			_, _ = fmt.Sscan(m[i+1], &n)
			d += time.Duration(n) * unit
		}
		k.pass(d)
		return
	}
	if who, what, ok := strings.Cut(line, ":"); ok {
		if name, ok := strings.CutSuffix(who, " 收到"); ok {
			k.holds(where+" "+name+" got", wordsOf(k.pushes(k.openid(name))), wanted(what)...)
			return
		}
		if _, known := openids[who]; known {
			k.reply = k.say(openids[who], what)
			return
		}
	}
	words := strings.Fields(line)
	switch {
	case words[0] == "离职" && len(words) == 2:
		must(k.t, k.store.Leave(k.ctx, community, k.staffNamed(words[1])))
		must(k.t, k.desk.Refresh(k.ctx))
		k.pump()
	case words[0] == "签约" && len(words) == 2:
		k.shape += "property: {company: " + words[1] + ", categories: [sanitation, parking, greening, facilities, property_service],\n" +
			"  score: {base: 100, overdue: -2, unsatisfied: -2, repeat: -1, repeat_days: 30, praised: 2, patrol_done: 1},\n" +
			"  patrol: {every: 7, items: [扫楼道, 扫院落, 扫死角, 清杂物, 清小广告, 排查隐患]}}\n"
		k.apply(k.shape)
	case words[0] == "划归" && len(words) == 4:
		k.rezone(words[1], words[2], words[3])
	case len(words) == 2 && words[1] == "发照片":
		k.reply = k.photo(k.openid(words[0]))
	case len(words) == 2 && words[1] == "关注":
		_, err := k.sim.Follow(k.ctx, k.openid(words[0]), "")
		must(k.t, err)
	case len(words) == 2 && words[1] == "取消关注":
		_, err := k.sim.Unfollow(k.ctx, k.openid(words[0]))
		must(k.t, err)
	case len(words) >= 3 && words[1] == "点":
		k.reply = k.tap(k.openid(words[0]), strings.Join(words[2:], " "))
	case len(words) == 3 && words[1] == "扫课码":
		r, err := k.sim.Scan(k.ctx, k.openid(words[0]), "class_"+words[2])
		must(k.t, err)
		k.reply = r.Text
	case len(words) >= 4 && words[1] == "扫码":
		r, err := k.sim.Scan(k.ctx, k.openid(words[0]), "b:"+strings.Join(words[2:], ":"))
		must(k.t, err)
		k.reply = r.Text
	default:
		k.t.Fatalf("%s: %q is no line of a talk", where, line)
	}
}

func (k *talking) staffNamed(name string) workflow.PersonID {
	k.t.Helper()
	found, err := k.store.FindPerson(k.ctx, community, name)
	must(k.t, err)
	if len(found) != 1 {
		k.t.Fatalf("%d people are called %q", len(found), name)
	}
	return found[0].ID
}

// rezone gives a building of the first estate to another grid.
func (k *talking) rezone(estate, building, grid string) {
	k.t.Helper()
	lines := strings.Split(k.shape, "\n")
	for i, l := range lines {
		if strings.Contains(l, "code: "+grid+",") {
			lines[i] = strings.Replace(l, `buildings: "`, fmt.Sprintf(`buildings: "%s:%s, `, estate, building), 1)
		} else if strings.Contains(l, `buildings: "`+estate+":1-20") {
			var n int
			_, _ = fmt.Sscan(building, &n)
			lines[i] = strings.Replace(l, estate+":1-20", fmt.Sprintf("%s:1-%d, %s:%d-20", estate, n-1, estate, n+1), 1)
		}
	}
	k.shape = strings.Join(lines, "\n")
	k.apply(k.shape)
	must(k.t, k.desk.Refresh(k.ctx))
	k.pump()
}

// wanted are the words of 「编号 1001|张建国|!刘芳」.
func wanted(s string) []string {
	var out []string
	for w := range strings.SplitSeq(s, "|") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}
