package console

import (
	"net/http"
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
	"GET /c/{community}/week", "GET /c/{community}/week/{week}/book", "GET /c/{community}/admin/import/{table}/template",
}

// TestEveryPageIsForEverybody opens every page of the table at the width of a phone
// and of a desk: it fits, and somebody can use it who sees badly or has no mouse.
// With WISHDESK_TEST_SHOTS=docs/pages it makes the pictures of docs/pages.md.
func TestEveryPageIsForEverybody(t *testing.T) {
	h := newHouse(t)
	h.lively()
	h.care(east, "王桂英", "G1", 1)
	h.care(east, "赵大娘", "G1", 2)
	resident, worker := h.people["east/resident"], workflow.By(h.people["east/worker"])
	done := h.file(east, "三楼的灯一闪一闪的,要坏了")
	h.tell(east, done.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdNote, Actor: worker, Text: "下午带电工来"})
	h.clock.Advance(40 * time.Minute)
	h.tell(east, done.Number, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "灯换好了,请您看看"})
	fresh := h.file(east, "楼道里堆了纸箱子,怕着火")
	h.file(east, "想学用智能手机挂号", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	h.file(east, "盼着楼下装个长椅", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "public_project" })
	h.file(east, "那个东西又响了", func(c *workflow.Command) { c.Category, c.Topic = "", workflow.TopicWhat })
	w := h.as("east/worker")
	const rounds = "/c/east/rounds"
	w.post(rounds, w.form(rounds, "kind", "patrol", "outcome", "well", "words", "1、2号楼楼道、消防通道都看了,一切正常"))
	a := h.as("east/admin")
	a.agree("hotline", a.post(parts0+"hotline/form", map[string][]string{"on": {"1"}, "value": {"0531-5550199"}}))
	h.unreached(done.Number, resident.ID)
	h.must(h.store.DeadLetter(t.Context(), east, "media", []byte("m1 {}"), "media: 45009", h.clock.Now()))
	late, err := h.store.Overdue(t.Context(), east, "", 1)
	h.must(err)
	link, err := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}.LoginLink(t.Context(), east, resident.ID, "")
	h.must(err)

	seen := map[string]bool{}
	pages := []struct{ name, who, pattern, path string }{
		{"login", "", "login", "login"},
		{"login-link", "", "login/link/{token}", strings.TrimPrefix(link, h.url+"/c/east/")},
		{"my", "resident", "my", "my"},
		{"my-ticket", "resident", "my/{number}", "my/" + number(done)},
		{"withdraw", "resident", "my/{number}/withdraw", "my/" + number(fresh) + "/withdraw"},
		{"wall", "neighbour", "wall", "wall"},
		{"me", "resident", "me", "me"},
		{"agreed", "resident", "agreed", "agreed"},
		{"work", "worker", "work", "work"},
		{"done", "worker", "work/done", "work/done"},
		{"ticket", "worker", "t/{number}", "t/" + number(fresh)},
		{"rounds", "worker", "rounds", "rounds"},
		{"behalf", "worker", "behalf", "behalf"},
		{"overdue", "committee", "overdue", "overdue"},
		{"story", "committee", "t/{number}", "t/" + number(late[0])},
		{"today", "committee", "today", "today"},
		{"search", "committee", "search", "search?q=%E6%A5%BC%E9%81%93"},
		{"week", "committee", "week/{week}", "week/2026-W47"},
		{"people", "admin", "admin/people", "admin/people"},
		{"member", "admin", "admin/people/{person}", "admin/people/" + itoa(int64(h.people["east/worker"].ID))},
		{"new-member", "admin", "admin/people/new", "admin/people/new"},
		{"community", "admin", "admin/community", "admin/community"},
		{"grids", "admin", "admin/community/{section}", "admin/community/grids"},
		{"rules", "admin", "admin/community/{section}", "admin/community/assignment?rule=2"},
		{"clocks", "admin", "admin/community/{section}", "admin/community/clocks"},
		{"categories", "admin", "admin/community/{section}", "admin/community/categories"},
		{"estates", "admin", "admin/community/{section}", "admin/community/estates"},
		{"landmarks", "admin", "admin/community/{section}", "admin/community/landmarks"},
		{"ladder", "admin", "admin/community/{section}", "admin/community/ladder"},
		{"working", "admin", "admin/community/{section}", "admin/community/working"},
		{"versions", "admin", "admin/versions", "admin/versions"},
		{"version", "admin", "admin/versions/{version}", "admin/versions/1"},
		{"try", "admin", "admin/try", "admin/try"},
		{"words", "admin", "admin/words", "admin/words?group=page"},
		{"word", "admin", "admin/words/{key}", "admin/words/help"},
		{"codes", "admin", "admin/codes", "admin/codes"},
		{"import", "admin", "admin/import", "admin/import"},
		{"model", "admin", "admin/model", "admin/model"},
		{"failures", "admin", "admin/failures", "admin/failures"},
		{"audit", "admin", "admin/audit", "admin/audit"},
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
			b.Go(h.url + "/c/east/" + page.path)
			if page.name == "week" {
				b.Do("charts", chromedp.WaitVisible(chromedp.CSS(`.chart[data-drawn=yes] canvas`)))
			}
			b.FitsItsWidth()
			b.Usable()
			b.Picture(page.name + "-" + width)
		}
	}
	for _, row := range h.console.routes {
		if strings.HasPrefix(row.pattern, http.MethodGet) && !seen[row.pattern] && !slices.Contains(noPages, row.pattern) && !regexp.MustCompile(`/login/scan/`).MatchString(row.pattern) {
			t.Errorf("%s has no picture", row.pattern)
		}
	}
}
