package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// lines are the audit log's, newest first.
func (h *house) lines() []access.Entry {
	h.t.Helper()
	all, err := h.store.AuditLog(h.t.Context(), east, accessEntries)
	h.must(err)
	return all
}

// What was refused does not look as if it had been done, and what was only tried
// does not look as if it had changed something.
func TestTheLogTellsWhatCameOfIt(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	worker, admin := h.as("east/worker"), h.as("east/admin")
	path := "/c/east/t/" + number(ticket)
	last := func(what string, want access.Outcome, reason string) {
		t.Helper()
		if e := h.lines()[0]; e.Outcome != want || e.Reason != reason {
			t.Errorf("%s: %s %q %q, want %q %q", what, e.Action, e.Outcome, e.Reason, want, reason)
		}
	}
	worker.post(path+"/do/accept", nil)
	last("accepted", access.Done, "")
	worker.post(path+"/do/accept", nil)
	last("accepted twice", access.Refused, "already_done")
	h.as("east/colleague").get(path)
	last("a ticket that is not theirs", access.Refused, "not_found")
	worker.get(path)
	last("looked at", "", "")
	admin.post("/c/east/admin/words/consult", url.Values{"text": {"请打 {{.Hotline}} 问问。"}})
	last("a text that was tried", access.Tried, "")
	admin.post("/c/east/admin/words/consult", url.Values{"text": {"请打 {{.Hotline"}})
	last("a broken text", access.Refused, "invalid")
	admin.get("/c/east/admin/audit?number="+number(ticket)).mustSay(t, http.StatusOK, "接单", "没有办成:", "but not", "refused", "accept", "已接单")
	admin.get("/c/east/admin/audit").mustSay(t, http.StatusOK, "只看了看会变什么", "没有办成:")
}

// The log names whom a search was for by number, never by what was written; what a table
// held; what somebody was and is; and of which ticket a photo was looked at.
func TestTheLogNamesNobody(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	me := h.people["east/resident"]
	b := h.as("east/committee")
	line := func(what, action, object, reason string, number int64) {
		t.Helper()
		if e := h.lines()[0]; e.Action != action || e.Object != object || e.Reason != reason || e.Number != number {
			t.Errorf("%s: %s %q %q %d, want %s %q %q %d", what, e.Action, e.Object, e.Reason, e.Number, action, object, reason, number)
		}
	}
	person := "person " + itoa(int64(me.ID))
	q := func(text string) string { return "q=" + url.QueryEscape(text) }
	b.get("/c/east/search?" + q("孙桂兰"))
	line("by name", "search", "by_name, "+person, "", 0)
	b.get("/c/east/search?" + q(me.Phone) + "&grid=G1&late=1")
	line("by telephone", "search", "by_phone, "+person+", grid G1, late", "", 0)
	b.get("/c/east/search?" + q("孙桂兰家里漏水"))
	line("by words", "search", "by_words", "", 0)
	b.get("/c/east/search?" + q(number(ticket)))
	line("by number", "search", "by_number", "", ticket.Number)
	if a := b.post("/c/east/search/names?"+q("孙桂兰")+"&state=open&from=2026-01-01", nil); a.status != http.StatusOK {
		t.Fatalf("a table: %d %s", a.status, a.body)
	}
	line("a table", "search.export.names", "by_name, "+person+", state open, from 2026-01-01", "rows 1", 0)

	admin := h.as("east/admin")
	path := "/c/east/admin/people/" + itoa(int64(h.people["east/worker"].ID))
	if a := admin.post(path, admin.seen(path, url.Values{"part": {"1"}, "name": {"秦霞"}, "kind": {"committee"}, "duty": {"yes"}})); a.status != http.StatusSeeOther {
		t.Fatalf("another part: %d %s", a.status, a.body)
	}
	line("a change", "people.change", "person "+itoa(int64(h.people["east/worker"].ID)), "was worker G1 full_time, is worker G1 full_time+committee duty", 0)
	if a := admin.post("/c/east/admin/people/new", url.Values{"name": {"新来的"}, "kind": {"volunteer"}, "team": {"先锋队"}}); a.status != http.StatusSeeOther {
		t.Fatalf("another member: %d %s", a.status, a.body)
	}
	found, err := h.store.FindPerson(t.Context(), east, "新来的")
	h.must(err)
	line("somebody new", "people.add", "", "person "+itoa(int64(found[0].ID))+", is volunteer", 0)
	admin.get("/c/east/admin/audit").mustSay(t, http.StatusOK, "按姓名、孙桂兰", "在办", "共 1 行", "原来是网格员 第一网格 专职", "改成网格员 第一网格 专职 / 社区党委 值班", "新来的、改成志愿者")

	// Whoever is named is found: also who left, and residents.
	h.must(h.store.Leave(t.Context(), east, found[0].ID))
	h.must(h.desk.Refresh(t.Context()))
	h.as("east/resident").post("/c/east/my/"+number(ticket)+"/urge", nil)
	admin.get("/c/east/admin/audit?person="+url.QueryEscape("孙桂兰")).mustSay(t, http.StatusOK, "催办", "but not", "原来是")
	admin.get("/c/east/admin/audit?person="+url.QueryEscape("没有这个人")).mustSay(t, http.StatusOK, "没有记录")

	// A photo stands among what was looked at of its ticket.
	h.must(h.store.Commit(t.Context(), desk.Change{Community: east, Media: []desk.MediaFile{{Community: east, ID: "abc123", Person: me.ID, Number: ticket.Number, Type: "image", Status: desk.MediaStored, MIME: "image/png", CreatedAt: h.clock.Now()}}}))
	b.get("/c/east/media/abc123")
	line("a photo", "media.look", "media abc123", "not_found", ticket.Number)
}

// A table that does not hold all says so.
func TestATableSaysThatThereIsMore(t *testing.T) {
	h := newHouse(t)
	for range 3 {
		h.file(east, "楼道灯不亮了")
	}
	for most, last := range map[int]string{2: "只列出最近的 2 件", 3: "1001", 4: "1001"} {
		h.console.exported = most
		a := h.as("east/committee").post("/c/east/search/book?state=open", nil)
		book, err := excelize.OpenReader(strings.NewReader(a.body))
		h.must(err)
		rows, err := book.GetRows("诉求和心愿")
		h.must(err)
		if end := rows[len(rows)-1][0]; !strings.HasPrefix(end, last) {
			t.Errorf("a table of %d ends with %q", most, end)
		}
	}
}

// An open page that reads itself anew is one look for an hour; a page that somebody
// opens, or that shows something else, is one of its own.
func TestAnOpenPageIsOneLook(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/committee")
	refresh := func(path string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+path, nil)
		h.must(err)
		req.Header.Set("HX-Request", "true")
		req.Header.Set("HX-Trigger", "today")
		if a := b.do(req); a.status != http.StatusOK {
			t.Fatalf("%s: %d", path, a.status)
		}
	}
	n := func(what string, want int) {
		t.Helper()
		if got := len(h.lines()) - 1; got != want { // the first is the login
			t.Errorf("%s: %d lines, want %d", what, got, want)
		}
	}
	b.get("/c/east/today")
	refresh("/c/east/today")
	refresh("/c/east/today")
	n("a page that stays open", 1)
	b.get("/c/east/today")
	n("opened again", 2)
	refresh("/c/east/overdue")
	refresh("/c/east/overdue?grid=G1")
	refresh("/c/east/overdue?grid=G2")
	refresh("/c/east/overdue?grid=G2")
	n("other grids", 5)
	refresh("/c/east/search?q=1")
	refresh("/c/east/search?q=1")
	n("searches", 7)
	h.clock.Advance(61 * time.Minute)
	refresh("/c/east/today")
	n("an hour later", 8)
}

// The page of the log is in Chinese from its first word to its last, and says whom a
// line is about.
func TestTheLogIsInPeoplesWords(t *testing.T) {
	h := newHouse(t)
	for _, row := range table() {
		if key := "page.action." + row.log; row.log != "" && !h.console.o.Wording.Has(key) {
			t.Errorf("%s has no words for people", key)
		}
	}
	for name := range told {
		if key := "page.deed." + string(name); !h.console.o.Wording.Has(key) {
			t.Errorf("%s has no words for people", key)
		}
	}
	_, err := h.store.PutCare(t.Context(), workflow.Care{Community: east, Name: "宋长河", Phone: "19900000301", Kind: workflow.Disabled,
		Place: workflow.Place{Estate: "东园", Building: 1, Grid: "G1"}, Every: 14, NextVisit: h.clock.Now()})
	h.must(err)
	list, err := h.store.CareList(t.Context(), east)
	h.must(err)
	h.as("east/worker").post("/c/east/rounds/"+itoa(list[0].ID)+"/phone", nil).mustSay(t, http.StatusOK, "19900000301")
	for _, object := range []string{"wechat", "command resolve", "table care", "mailbox 表.xlsx, 3 new, 1 before", "key 3, events", "estate 1", "section grids", "key 4, once 7"} {
		h.must(h.store.Audit(t.Context(), east, access.Entry{At: h.clock.Now(), Action: "ticket.tell", Object: object}))
	}
	b := h.tab("east/admin", browsertest.DeskWidth, browsertest.DeskHeight)
	b.Go(h.url + "/c/east/admin/audit")
	b.Do("whom", browsertest.Says("查看电话"), browsertest.Says("宋长河"), browsertest.Says("外部系统"))
	b.Whole("admin-audit-words")
	text, err := chromedp.Run(b.Context, chromedp.Evaluate[string](`document.querySelector('table').innerText`))
	h.must(err)
	for _, word := range strings.FieldsFunc(strings.ReplaceAll(text, "xlsx", ""), func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
		t.Errorf("%q is for no people:\n%s", word, text)
	}
}

// A browser is told as people know it.
func TestABrowserInWords(t *testing.T) {
	h := newHouse(t)
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile MicroMessenger/8.0.49":                                        "手机微信",
		"Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7.0.20.1781(0x6700143B) NetType/WIFI MiniProgramEnv/Windows WindowsWechat": "电脑微信",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1":                                      "手机浏览器",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36":                                "电脑浏览器",
		"": "说不清是什么的浏览器",
	} {
		q := &request{console: h.console, shape: h.shape(east)}
		if got := q.device(agent); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", agent, got, want)
		}
	}
}
