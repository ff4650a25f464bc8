package main

import (
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/wechatsim"
	"github.com/wishdesk/wishdesk/workflow"
)

// demoStores are stores with the demo's community in them, and the
// environment by which commands find them.
func demoStores(t *testing.T) (env []string, store *postgres.Store) {
	t.Helper()
	url, cache := storetest.Postgres(t), storetest.Redis(t)
	env = []string{"WISHDESK_POSTGRES=" + url, "WISHDESK_REDIS=" + cache, "USER=wang"}
	must(t, postgres.Migrate(t.Context(), url))
	s, err := settings.Load(configs.Read("defaults.yaml"), "", env)
	must(t, err)
	_, err = demo.Load(t.Context(), s, clockwork.NewRealClock(), slog.New(slog.DiscardHandler))
	must(t, err)
	store, err = postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	t.Cleanup(store.Close)
	return env, store
}

func writeTable(t *testing.T, rows ...[]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mailbox.csv")
	f, err := os.Create(path)
	must(t, err)
	w := csv.NewWriter(f)
	must(t, w.WriteAll(rows))
	must(t, f.Close())
	return path
}

func wall(t *testing.T, store *postgres.Store) []workflow.Ticket {
	t.Helper()
	out, err := store.Wall(t.Context(), demo.Community, 0, 100)
	must(t, err)
	return out
}

// A whole mailbox: errors by row and column and nothing entered, then the good
// rows alone, then all; the same file twice makes nothing twice.
func TestImportAMailbox(t *testing.T) {
	env, store := demoStores(t)
	run := func(want int, args ...string) string {
		t.Helper()
		out, errs, status := wishdesk(t, env, "", append([]string{"import"}, args...)...)
		if status != want {
			t.Fatalf("%v: status %d, want %d: %s%s", args, status, want, out, errs)
		}
		return out + errs
	}
	head := []string{"编号", "类型", "姓名", "联系电话", "地址", "内容", "类别", "来源"}
	bad := writeTable(t, head,
		[]string{"1", "心愿", "王桂英", "13800138000", "毕家洼西区12号楼3单元402", "想学用智能手机", "助老", "心愿信箱"},
		[]string{"2", "心愿", "", "1380013", "怡园99号楼", "想有个伴聊天", "管道排水", ""},
		[]string{"3", "诉求", "李满仓", "", "", "楼道灯坏了", "", ""},
		[]string{"4", "投诉", "周玉兰", "", "", "", "没有这类", ""},
	)
	holds(t, "checked", run(2, bad, "--community", demo.Community),
		"第 3 行「姓名」:没有写姓名", "第 3 行「电话」", "1380013", "第 3 行「地点」", "99号楼", "第 3 行「类别」",
		"第 4 行「地点」:诉求要写地点", "第 5 行「类型」", "心愿 或 诉求", "第 5 行「内容」", "第 5 行「类别」", "1 行可以登记", "nothing was entered", "100%")
	if n := len(wall(t, store)); n != 0 {
		t.Fatalf("%d wishes on the wall although the table was at fault", n)
	}
	holds(t, "dry run", run(0, bad, "--community", demo.Community, "--partial", "--dry-run"), "!登记了")
	holds(t, "partial", run(0, bad, "--community", demo.Community, "--partial"), "登记了 1 行")
	good := writeTable(t, head,
		[]string{"1", "心愿", "王桂英", "13800138000", "毕家洼西区12号楼3单元402", "想学用智能手机", "助老", "心愿信箱"},
		[]string{"", "", "王桂英", "13800138000", "毕家洼西区12号楼3单元402", "希望楼前装一排长椅", "", "心愿墙"},
		[]string{"", "诉求", "李满仓", "", "怡园小区3号楼2单元101", "下水道堵了", "", "走访"},
		[]string{"", "诉求", "李满仓", "", "怡园小区3号楼2单元101", "下水道堵了", "", "走访"},
	)
	holds(t, "the rest", run(0, good, "--community", demo.Community, "--by", "冯欣怡"), "4 行可以登记", "登记了 2 行;2 行以前登记过")
	holds(t, "again", run(0, good, "--community", demo.Community), "登记了 0 行;4 行以前登记过")
	wishes := wall(t, store)
	if len(wishes) != 2 || wishes[0].Reporter != wishes[1].Reporter || wishes[0].Source != workflow.SourceMailbox {
		t.Fatalf("on the wall: %+v", wishes)
	}
	who, err := store.Person(t.Context(), demo.Community, wishes[0].Reporter)
	must(t, err)
	if who.Name != "王桂英" || who.Phone != "13800138000" || who.Home.Room != "402" || who.OpenID != "" {
		t.Errorf("the resident: %+v", who)
	}
	near, err := store.Near(t.Context(), demo.Community, workflow.Place{Estate: "怡园小区", Building: 3}, "drainage", time.Now().Add(-time.Hour), 10)
	must(t, err)
	if len(near) != 1 || near[0].Owner == 0 || near[0].FiledBy == 0 {
		t.Errorf("the incident: %+v", near)
	}

	form := filepath.Join(t.TempDir(), "form.xlsx")
	holds(t, "template", run(0, "--template", form), "is written")
	holds(t, "not over a file", run(2, "--template", form), "is there already")
	holds(t, "an empty form", run(2, form, "--community", demo.Community), "no rows")
	holds(t, "no table", run(2, "import_test.go", "--community", demo.Community), "姓名")
	holds(t, "nobody", run(2, good, "--community", demo.Community, "--by", "无此人"), "0 people")
}

// Residents of one name in many rows become one person, however many rows are
// entered side by side.
func TestImportMakesNobodyTwice(t *testing.T) {
	env, store := demoStores(t)
	rows := [][]string{{"姓名", "内容"}}
	for i := range 120 {
		rows = append(rows, []string{fmt.Sprintf("居民%c", '甲'+rune(i%3)), fmt.Sprintf("想要第 %d 本书", i)})
	}
	if out, errs, status := wishdesk(t, env, "", "import", writeTable(t, rows...), "--community", demo.Community); status != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	for i := range 3 {
		found, err := store.Residents(t.Context(), demo.Community, fmt.Sprintf("居民%c", '甲'+rune(i)), "")
		must(t, err)
		if len(found) != 1 {
			t.Errorf("%d people of one name", len(found))
		}
	}
}

func TestCareList(t *testing.T) {
	env, _ := demoStores(t)
	run := func(want int, args ...string) string {
		t.Helper()
		out, errs, status := wishdesk(t, env, "", append([]string{"care"}, args...)...)
		if status != want {
			t.Fatalf("%v: status %d, want %d: %s%s", args, status, want, out, errs)
		}
		return out + errs
	}
	head := []string{"姓名", "电话", "地点", "类型", "几天一次", "备注"}
	holds(t, "faults", run(2, "import", "--community", demo.Community, writeTable(t, head,
		[]string{"赵奶奶", "12", "毕家洼西区", "孤寡", "0", ""})), "第 2 行「电话」", "第 2 行「地点」", "第 2 行「类型」", "第 2 行「几天一次」", "nothing was entered")
	if out := run(0, "list", "--community", demo.Community); strings.Contains(out, "赵奶奶") {
		t.Error("a list at fault was stored")
	}
	list := writeTable(t, head, []string{"赵奶奶", "13800138001", "毕家洼西区30号楼1单元101", "独居", "7天", "腿脚不便"})
	holds(t, "dry run", run(0, "import", "--community", demo.Community, "--dry-run", list), "1 行可以登记", "!登记了")
	holds(t, "stored", run(0, "import", "--community", demo.Community, list), "登记了 1 行")
	holds(t, "again", run(0, "import", "--community", demo.Community, list), "登记了 0 行;1 行以前就有,已按这张表更新")
	out := run(0, "list", "--community", demo.Community)
	holds(t, "list", out, "赵奶奶", "138****8001", "G02", "every 7 days", "孙桂兰", "!13800138001")
	for line := range strings.SplitSeq(out, "\n") {
		if id, _, _ := strings.Cut(line, "\t"); strings.Contains(line, "赵奶奶") {
			run(0, "end", id, "--community", demo.Community)
			run(2, "end", id, "--community", demo.Community)
		}
	}
	holds(t, "ended", run(0, "list", "--community", demo.Community), "!赵奶奶")
}

func TestAssignExplain(t *testing.T) {
	env, _ := demoStores(t)
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"怡园3号楼2单元下水道堵了"}, []string{"管道排水", "第五网格", "冯欣怡", "因为:第五网格、管道排水、专职网格员在岗", "不是这种事"}},
		{[]string{"怡园3号楼2单元下水道堵了", "--community", demo.Community}, []string{"冯欣怡", "手上 0 件"}},
		{[]string{"四院宿舍3号楼没水了"}, []string{"院内水电暖和设施由医院后勤办", "史磊"}},
		{[]string{"师范2号楼门口垃圾好几天没人收"}, []string{"学校片区的卫生绿化由师范后勤办", "于波"}},
		{[]string{"干休所4号楼停暖气了,老人冻得受不了"}, []string{"干休所老干部的急事由管理处办", "蒋守信"}},
		{[]string{"西区3号楼楼道灯不亮了"}, []string{"曹颖", "这里签了物业合同,这类事由物业办"}},
		{[]string{"怡园3号楼楼道灯不亮了"}, []string{"冯欣怡", "不是这种事"}},
		{[]string{"西区3号楼有人私搭彩钢棚", "--at", "2026-11-23T10:00:00+08:00"}, []string{"董明轩", "违法搭建由执法专员办"}},
		{[]string{"西区3号楼有人私搭彩钢棚", "--at", "2026-11-22T10:00:00+08:00"}, []string{"违法搭建由执法专员办:请假了或不在岗", "秦霞"}},
		{[]string{"我想学用智能手机"}, []string{"心愿墙", "!派给"}},
		{[]string{"下水道堵了"}, []string{"先问居民在哪儿"}},
		{[]string{"谢谢你们"}, []string{"不开单"}},
	} {
		out, errs, status := wishdesk(t, env, "", append([]string{"assign", "explain"}, tt.args...)...)
		if status != 0 {
			t.Errorf("%v: status %d: %s", tt.args, status, errs)
		}
		holds(t, tt.args[0], out, tt.want...)
	}
}

func TestPersonLeaves(t *testing.T) {
	env, store := demoStores(t)
	out, errs, status := wishdesk(t, env, "", "person", "leave", "秦霞", "--community", demo.Community)
	if status != 0 {
		t.Fatal(errs)
	}
	holds(t, "left", out, "秦霞", "0 open tickets")
	if _, errs, status = wishdesk(t, env, "", "person", "leave", "秦霞", "--community", demo.Community); status != 2 {
		t.Errorf("left twice: %d %s", status, errs)
	}
	found, err := store.FindPerson(t.Context(), demo.Community, "秦霞")
	must(t, err)
	if len(found) != 1 || found[0].Staff() || found[0].OpenID == "" {
		t.Errorf("who left is lost: %+v", found)
	}
}

// A sheet of codes: one lasting code of WeChat's for each building, readable
// on paper.
func TestQRSheet(t *testing.T) {
	env, _ := demoStores(t)
	sim, err := wechatsim.New(wechatsim.Options{Account: wechatsim.Account{
		AppID: prodApp, AppSecret: prodSecret, Token: prodToken, EncodingAESKey: prodKey, Mode: wechatsim.Safe, WebhookURL: "http://127.0.0.1:1/", Name: "x",
	}})
	must(t, err)
	defer sim.Close()
	api := httptest.NewServer(sim.Handler())
	defer api.Close()
	config := settingsFile(t, strings.Replace(goodAccount, "%s", api.URL, 1))
	file := filepath.Join(t.TempDir(), "codes.html")
	run := func(want int, args ...string) string {
		t.Helper()
		out, errs, status := wishdesk(t, env, "", append([]string{"qr", "--config", config, "--community", demo.Community, "--out", file}, args...)...)
		if status != want {
			t.Fatalf("%v: status %d, want %d: %s%s", args, status, want, out, errs)
		}
		return out + errs
	}
	holds(t, "no such estate", run(2, "--estate", "无此小区"), "无此小区")
	holds(t, "units", run(0, "--estate", "师范学校旧址片区", "--units", "2"), "10 codes")
	holds(t, "one estate", run(0, "--estate", "怡园小区"), "16 codes")
	page, err := os.ReadFile(file)
	must(t, err)
	if n := strings.Count(string(page), "<section>"); n != 16 {
		t.Errorf("%d codes on the sheet", n)
	}
	holds(t, "the sheet", string(page), "怡园小区 16号楼", "第五网格", "微信扫一扫:报事、许愿", "!<script")
	holds(t, "without an account", func() string {
		_, errs, status := wishdesk(t, env, "", "qr", "--community", demo.Community, "--out", file)
		if status != 2 {
			t.Errorf("status %d", status)
		}
		return errs
	}(), "no account")

	p := browsertest.Open(t, 800, 1130) // A4
	p.Do("open", chromedp.Navigate("file://"+file), chromedp.WaitVisible(chromedp.CSS(`section svg`)))
	p.Picture("codes")
	for script, want := range map[string]int{
		`document.documentElement.scrollWidth - innerWidth`:                                               0,
		`[...document.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 120).length`: 16,
	} {
		if n, err := chromedp.Run(p.Context, chromedp.Evaluate[int](script)); err != nil || n != want {
			t.Errorf("%s: %d %v, want %d", script, n, err, want)
		}
	}
}

// A second sheet that counts its rows from 1 again is another sheet.
func TestImportOfASecondSheet(t *testing.T) {
	env, store := demoStores(t)
	for i, people := range [][2]string{{"王桂英", "李满仓"}, {"周玉兰", "赵长河"}} {
		file := writeTable(t, []string{"序号", "姓名", "内容"}, []string{"1", people[0], "想学太极拳"}, []string{"2", people[1], "想学太极拳"})
		out, errs, status := wishdesk(t, env, "", "import", file, "--community", demo.Community)
		if status != 0 || !strings.Contains(out, "登记了 2 行") {
			t.Fatalf("sheet %d: %s%s", i+1, out, errs)
		}
	}
	if n := len(wall(t, store)); n != 4 {
		t.Errorf("%d wishes on the wall, want 4", n)
	}
}

// Two imports never run at once: one of them says so.
func TestImportsOneAfterTheOther(t *testing.T) {
	env, store := demoStores(t)
	file := writeTable(t, []string{"姓名", "内容"}, []string{"王桂英", "想学太极拳"})
	release, ok, err := store.Alone(t.Context(), "import:"+demo.Community)
	must(t, err)
	if !ok {
		t.Fatal("somebody imports already")
	}
	_, errs, status := wishdesk(t, env, "", "import", file, "--community", demo.Community)
	if status != 2 || !strings.Contains(errs, "under way") {
		t.Errorf("status %d: %s", status, errs)
	}
	release()
	if _, errs, status = wishdesk(t, env, "", "import", file, "--community", demo.Community); status != 0 {
		t.Errorf("after it: %s", errs)
	}
}

// Codes hang on doors: an estate keeps its place in the list.
func TestEstatesKeepTheirPlace(t *testing.T) {
	env, _ := demoStores(t)
	doc := string(demo.Document())
	a, b := strings.Index(doc, "  - name: 怡园小区"), strings.Index(doc, "  - name: 北村新居")
	c := strings.Index(doc, "  - name: 铁路宿舍")
	swapped := doc[:a] + doc[b:c] + doc[a:b] + doc[c:]
	file := filepath.Join(t.TempDir(), "c.yaml")
	must(t, os.WriteFile(file, []byte(swapped), 0o600))
	_, errs, status := wishdesk(t, env, "", "community", "apply", file)
	if status != 2 || !strings.Contains(errs, "怡园小区") || !strings.Contains(errs, "--renumber") {
		t.Errorf("status %d: %s", status, errs)
	}
	if _, errs, status = wishdesk(t, env, "", "community", "apply", file, "--renumber"); status != 0 {
		t.Errorf("asked for: %s", errs)
	}
}
