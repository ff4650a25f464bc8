package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
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
