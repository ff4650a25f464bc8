package console

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
)

// noPages are the routes that are asked for but bring no page of their own.
var noPages = []string{
	"GET /c/{community}/{$}", "GET /c/{community}/login/wechat", "GET /c/{community}/login/scan/{token}/state", "GET /c/{community}/live", "GET /c/{community}/media/{media}",
	"GET /c/{community}/lessons/{lesson}/voice", "GET /c/{community}/fund/{number}/paper", "GET /c/{community}/property", "GET /c/{community}/property/{month}/book",
	"GET /c/{community}/week", "GET /c/{community}/week/{week}/book", "GET /c/{community}/admin/import/{table}/template",
}

// whole are the pages of which all is shown, not the first screen alone.
var whole = []string{"topic-committee", "points", "fund", "week", "ticket", "story", "today", "tray", "change"}

// TestEveryPageIsForEverybody opens every page of the table at the width of a phone
// and of a desk: it fits, and somebody can use it who sees badly or has no mouse.
// With WISHDESK_TEST_SHOTS=docs/pages it makes the pictures of docs/pages.md.
func TestEveryPageIsForEverybody(t *testing.T) {
	h := newHouse(t)
	h.lively()
	h.care(east, "王桂英", "G1", 1)
	h.care(east, "赵大娘", "G1", 2)
	h.lessons()
	resident, worker := h.people["east/resident"], workflow.By(h.people["east/worker"])
	done := h.file(east, "三楼的灯一闪一闪的,要坏了")
	h.tell(east, done.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdNote, Actor: worker, Text: "下午带电工来"})
	h.clock.Advance(40 * time.Minute)
	h.tell(east, done.Number, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "灯换好了,请您看看"})
	fresh := h.file(east, "楼道里堆了纸箱子,怕着火")
	h.file(east, "想学用智能手机挂号", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	h.file(east, "盼着楼下装个长椅", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "public_project" })
	h.file(east, "那个东西又响了", func(c *workflow.Command) { c.Category, c.Topic = "", workflow.TopicWhat })
	unclear := h.file(east, "那个又坏了,真是的", func(c *workflow.Command) { c.Kind, c.Category, c.Severity = "", "", "" })
	h.console.o.Understander = guesses{h.console.o.Understander}
	w := h.as("east/worker")
	const rounds = "/c/east/rounds"
	w.post(rounds, w.form(rounds, "kind", "patrol", "outcome", "well", "words", "1、2号楼楼道、消防通道都看了,一切正常"))
	a := h.as("east/admin")
	a.agree("hotline", a.post(parts0+"hotline/form", map[string][]string{"on": {"1"}, "value": {"0531-5550199"}}))
	h.spending()
	h.unreached(done.Number, resident.ID)
	h.must(h.store.DeadLetter(t.Context(), east, "media", []byte("m1 {}"), "media: 45009", h.clock.Now()))
	late, err := h.store.Overdue(t.Context(), east, "", 1)
	h.must(err)
	ballot, talked := h.topicsToSee()
	link, err := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}.LoginLink(t.Context(), east, resident.ID, "")
	h.must(err)

	h.contract(east)
	h.served("楼门的弹簧断了,一关就响", 2)
	c := h.as("east/property")
	const property = "/c/east/property/2026-11"
	c.post("/c/east/property/inspect", c.form(property, "where", "东园|3", "words", ""))

	seen := map[string]bool{}
	scan := regexp.MustCompile(`hx-get="/c/east/([^"]+)/state"`).FindStringSubmatch(h.browser().get("/c/east/login").body)[1]
	bad := h.table("心愿信箱.xlsx", []any{"2026-001", "心愿", "王桂英", "1380013", "东园9号楼3单元402", "想学用智能手机", "助老", "心愿信箱"})
	good := h.table("心愿信箱.xlsx", []any{"2026-001", "心愿", "王桂英", "13800138000", "东园1号楼3单元402", "想学用智能手机", "助老", "心愿信箱"})
	check := func(file, says string) []browsertest.Step {
		return []browsertest.Step{chromedp.SetUploadFiles(chromedp.CSS(`form[action$="/mailbox"] input[name=table]`), []string{file}), chromedp.Click(chromedp.CSS(`form[action$="/mailbox"] button`)), browsertest.Says(says)}
	}
	pages := []struct {
		name, who, pattern, path string
		steps                    []browsertest.Step // what is done there before it is looked at
	}{
		{"login", "", "login", "login", nil},
		{"login-link", "", "login/link/{token}", strings.TrimPrefix(link, h.url+"/c/east/"), nil},
		{"my", "resident", "my", "my", nil},
		{"my-ticket", "resident", "my/{number}", "my/" + number(done), nil},
		{"withdraw", "resident", "my/{number}/withdraw", "my/" + number(fresh) + "/withdraw", nil},
		{"wall", "neighbour", "wall", "wall", nil},
		{"topics", "resident", "topics", "topics", nil},
		{"topic", "resident", "topics/{number}", ballot, nil},
		{"topic-committee", "committee", "topics/{number}", talked, nil},
		{"points", "resident", "points", "points", nil},
		{"fund", "committee", "fund", "fund", nil},
		{"rewards", "admin", "rewards", "rewards", nil},
		{"me", "resident", "me", "me", nil},
		{"agreed", "resident", "agreed", "agreed", nil},
		{"work", "worker", "work", "work", nil},
		{"done", "worker", "work/done", "work/done", nil},
		{"ticket", "worker", "t/{number}", "t/" + number(fresh), nil},
		{"rounds", "worker", "rounds", "rounds", nil},
		{"lessons", "member", "lessons", "lessons", nil},
		{"lesson", "member", "lessons/{lesson}", "lessons/1101", nil},
		{"branch", "committee", "branch", "branch", nil},
		{"lesson-form", "committee", "branch/lessons/{lesson}", "branch/lessons/1101", nil},
		{"class-code", "committee", "branch/lessons/{lesson}/code", "branch/lessons/1101/code", nil},
		{"behalf", "worker", "behalf", "behalf", nil},
		{"property", "property", "property/{month}", "property/2026-11", nil},
		{"overdue", "committee", "overdue", "overdue", nil},
		{"story", "committee", "t/{number}", "t/" + number(late[0]), nil},
		{"today", "committee", "today", "today", nil},
		{"search", "committee", "search", "search?q=%E6%A5%BC%E9%81%93", nil},
		{"week", "committee", "week/{week}", "week/2026-W47", nil},
		{"people", "admin", "admin/people", "admin/people", nil},
		{"member", "admin", "admin/people/{person}", "admin/people/" + itoa(int64(h.people["east/worker"].ID)), nil},
		{"new-member", "admin", "admin/people/new", "admin/people/new", nil},
		{"community", "admin", "admin/community", "admin/community", nil},
		{"grids", "admin", "admin/community/{section}", "admin/community/grids", nil},
		{"rules", "admin", "admin/community/{section}", "admin/community/assignment?rule=2", nil},
		{"clocks", "admin", "admin/community/{section}", "admin/community/clocks", nil},
		{"categories", "admin", "admin/community/{section}", "admin/community/categories", nil},
		{"estates", "admin", "admin/community/{section}", "admin/community/estates", nil},
		{"landmarks", "admin", "admin/community/{section}", "admin/community/landmarks", nil},
		{"ladder", "admin", "admin/community/{section}", "admin/community/ladder", nil},
		{"working", "admin", "admin/community/{section}", "admin/community/working", nil},
		{"versions", "admin", "admin/versions", "admin/versions", nil},
		{"version", "admin", "admin/versions/{version}", "admin/versions/1", nil},
		{"try", "admin", "admin/try", "admin/try", nil},
		{"words", "admin", "admin/words", "admin/words?group=page", nil},
		{"word", "admin", "admin/words/{key}", "admin/words/help", nil},
		{"codes", "admin", "admin/codes", "admin/codes", nil},
		{"import", "admin", "admin/import", "admin/import", nil},
		{"model", "admin", "admin/model", "admin/model", nil},
		{"failures", "admin", "admin/failures", "admin/failures", nil},
		{"audit", "admin", "admin/audit", "admin/audit", nil},
		{"menu", "admin", "menu", "menu", nil},

		// what stands between two pages
		{"scan", "resident", "login/scan/{token}", scan, nil},
		{"refused", "worker", "today", "today", nil},
		{"wrong", "resident", "me", "me", []browsertest.Step{browsertest.Fills("phone", "138001"), chromedp.Submit(chromedp.CSS("#phone")), chromedp.WaitVisible(chromedp.CSS(".wrong"))}},
		{"tray", "worker", "t/{number}", "t/" + number(unclear), nil},
		{"tried", "admin", "admin/try", "admin/try", []browsertest.Step{browsertest.Fills("text", "东园1号楼楼道灯不亮了"), browsertest.Presses("试一试"), browsertest.Says("会这样办")}},
		{"change", "admin", "admin/community/{section}", "admin/community/clocks", []browsertest.Step{chromedp.SetValue(chromedp.CSS("input[name='minor.response']"), "30分钟"), browsertest.Presses("看看会变什么"), browsertest.Says("会变这些")}},
		{"import-faults", "admin", "admin/import", "admin/import", check(bad, "什么都没有登记")},
		{"imported", "admin", "admin/import", "admin/import", check(good, "检查好了")},
	}
	for width, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		tabs := map[string]*browsertest.Browser{"": browsertest.Open(t, size[0], size[1])}
		for _, page := range pages {
			seen["GET /c/{community}/"+page.pattern] = true
			b, open := tabs[page.who]
			if !open {
				b = h.tab("east/"+page.who, size[0], size[1])
				tabs[page.who] = b
			}
			if page.name == "refused" {
				b.Do("open", chromedp.Navigate(h.url+"/c/east/"+page.path), browsertest.Says("没有办成"))
			} else {
				b.Go(h.url + "/c/east/" + page.path)
			}
			b.Do(page.name, page.steps...)
			if page.name == "week" {
				b.Do("charts", chromedp.WaitVisible(chromedp.CSS(`.chart[data-drawn=yes] canvas`)))
			}
			b.FitsItsWidth()
			b.Usable()
			if slices.Contains(whole, page.name) {
				b.Whole(page.name + "-" + width)
			} else {
				b.Picture(page.name + "-" + width)
			}
		}
	}
	for _, row := range h.console.routes {
		if strings.HasPrefix(row.pattern, http.MethodGet) && !seen[row.pattern] && !slices.Contains(noPages, row.pattern) {
			t.Errorf("%s has no picture", row.pattern)
		}
	}
}

// The pages are listed alike in both languages, each picture once.
func TestThePagesAreListedAlike(t *testing.T) {
	list := regexp.MustCompile(`(?m)^(##) |pages/([a-z-]+\.png)`)
	read := func(file string) (out []string) {
		doc, err := os.ReadFile(filepath.Join("../docs", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list.FindAllStringSubmatch(string(doc), -1) {
			out = append(out, m[1]+m[2])
		}
		return out
	}
	english, chinese := read("pages.md"), read("pages.zh-CN.md")
	if !slices.Equal(english, chinese) {
		t.Errorf("listed in English:\n%q\nin Chinese:\n%q", english, chinese)
	}
	files, err := filepath.Glob("../docs/pages/*.png")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d pictures: %v", len(files), err)
	}
	for _, f := range files {
		if name := filepath.Base(f); len(slices.DeleteFunc(slices.Clone(english), func(s string) bool { return s != name })) != 1 {
			t.Errorf("%s is not listed once", name)
		}
	}
}
