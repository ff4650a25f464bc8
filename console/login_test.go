package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

var accessEntries = access.Entries{Limit: 1000}

func TestALinkOutOfTheChatLogsInOnce(t *testing.T) {
	h := newHouse(t)
	link, err := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}.LoginLink(t.Context(), east, h.people["east/worker"].ID, "/c/east/my")
	h.must(err)
	path := strings.TrimPrefix(link, h.url)

	preview := h.browser() // what looks at links before people do
	preview.get(path).mustSay(t, http.StatusOK, "进入", "but not", "秦霞")
	preview.get(path)

	b := h.browser()
	a := b.post(path, nil)
	if a.status != http.StatusSeeOther || a.to() != "/c/east/my" {
		t.Fatalf("the link leads to %d %s", a.status, a.to())
	}
	b.get("/c/east/my").mustSay(t, http.StatusOK, "秦霞", "我的事项")
	if a := h.browser().post(path, nil); a.to() != "/c/east/login?failed=used&next=" {
		t.Errorf("a link that was used leads to %s", a.to())
	}
	late, err := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}.LoginLink(t.Context(), east, h.people["east/worker"].ID, "")
	h.must(err)
	h.clock.Advance(LinkLife + time.Second)
	if a := h.browser().post(strings.TrimPrefix(late, h.url), nil); !strings.Contains(a.to(), "failed=stale") {
		t.Errorf("a link that ran out leads to %s", a.to())
	}
}

func TestWeChatLogsInSilently(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	inWeChat := func(path string) answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+path, nil)
		h.must(err)
		req.Header.Set("User-Agent", "Mozilla/5.0 MicroMessenger/8.0")
		return b.do(req)
	}
	a := inWeChat("/c/east/my/1001")
	if a.to() != "/c/east/login?next=%2Fc%2Feast%2Fmy%2F1001" {
		t.Fatalf("who is not logged in is led to %s", a.to())
	}
	a = inWeChat(a.to())
	there, err := url.Parse(a.to())
	h.must(err)
	if there.Host != "wechat.example" || there.Query().Get("redirect_uri") != h.url+"/c/east/login/wechat" {
		t.Fatalf("WeChat's browser is led to %s", a.to())
	}
	state := there.Query().Get("state")
	other := h.browser().get("/c/east/login/wechat?code=o-east-worker&state=" + state) // somebody else's browser
	if !strings.Contains(other.to(), "failed=stale") {
		t.Errorf("another browser's state is taken: %s", other.to())
	}
	a = inWeChat("/c/east/login/wechat?code=o-east-resident&state=" + state)
	if a.to() != "/c/east/my/1001" {
		t.Fatalf("the login leads to %d %s", a.status, a.to())
	}
	if again := inWeChat("/c/east/login/wechat?code=o-east-committee&state=" + state); !strings.Contains(again.to(), "failed=stale") {
		t.Errorf("a state works twice: %s", again.to())
	}
	b.get("/c/east/my").mustSay(t, http.StatusOK, "孙桂兰")
	for code, want := range map[string]string{"snapshot": "failed=wechat", "o-nobody": "failed=stranger"} {
		b = h.browser()
		there, err = url.Parse(inWeChat("/c/east/login").to())
		h.must(err)
		if a := inWeChat("/c/east/login/wechat?code=" + code + "&state=" + there.Query().Get("state")); !strings.Contains(a.to(), want) {
			t.Errorf("code %s leads to %s, want %s", code, a.to(), want)
		}
	}
}

func TestAScanLetsTheDeskIn(t *testing.T) {
	h := newHouse(t)
	desk := h.browser()
	page := desk.get("/c/east/login?next=/c/east/my")
	page.mustSay(t, http.StatusOK, "微信扫一扫", "<svg")
	state := regexp.MustCompile(`hx-get="([^"]+/state)"`).FindStringSubmatch(page.body)[1]
	scan := strings.TrimSuffix(state, "/state")
	if a := desk.get(state); a.status != http.StatusNoContent {
		t.Errorf("before anybody scanned: %d", a.status)
	}
	phone := h.as("east/worker")
	phone.get(scan).mustSay(t, http.StatusOK, "要在电脑上登录吗", "秦霞")
	if a := h.as("west/worker").get(scan); a.status != http.StatusSeeOther {
		t.Errorf("another community's worker sees the code: %d", a.status)
	}
	if a := phone.post(scan, nil); a.to() != "/c/east/agreed" {
		t.Fatalf("agreeing leads to %d %s", a.status, a.to())
	}
	phone.get("/c/east/agreed").mustSay(t, http.StatusOK, "电脑上已经登录")
	if a := h.as("east/committee").post(scan, nil); a.status != http.StatusConflict {
		t.Errorf("a second telephone agrees too: %d", a.status)
	}
	if a := h.browser().get(state); !strings.Contains(a.header.Get("HX-Redirect"), "failed=stale") || strings.Contains(a.header.Get("Set-Cookie"), "wd-in") {
		t.Errorf("a browser that does not hold the secret is let in: %v", a.header)
	}
	if a := desk.get(state); a.header.Get("HX-Redirect") != "/c/east/my" {
		t.Errorf("the desk is led to %q", a.header.Get("HX-Redirect"))
	}
	desk.get("/c/east/my").mustSay(t, http.StatusOK, "秦霞")
	if a := desk.get(state); !strings.Contains(a.header.Get("HX-Redirect"), "failed=stale") {
		t.Errorf("a code works twice: %v", a.header)
	}
	if got := strings.Join(h.logged(east), " "); !strings.Contains(got, "login login.agree login") {
		t.Errorf("the audit log says %s", got)
	}
}

func TestSessionsAreFreshAndEnd(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	u, err := url.Parse(h.url)
	h.must(err)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "wd-in-east", Value: "chosen-by-somebody-else", Path: "/"}})
	link, err := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}.LoginLink(t.Context(), east, h.people["east/resident"].ID, "")
	h.must(err)
	b.post(strings.TrimPrefix(link, h.url), nil)
	before := b.sign("/c/east/")
	if before == csrf("chosen-by-somebody-else") {
		t.Error("a login keeps the session that the browser came with")
	}
	b.get("/c/east/my").mustSay(t, http.StatusOK, "我的事项")
	h.clock.Advance(11 * time.Hour)
	b.get("/c/east/my").mustSay(t, http.StatusOK, "我的事项")
	h.clock.Advance(11 * time.Hour)
	b.get("/c/east/my").mustSay(t, http.StatusOK, "我的事项")
	h.clock.Advance(13 * time.Hour)
	if a := b.get("/c/east/my"); !strings.HasPrefix(a.to(), "/c/east/login") {
		t.Errorf("after 13 idle hours: %d %s", a.status, a.to())
	}

	b = h.as("east/resident")
	copied := *b.client
	if a := b.post("/c/east/logout", nil); a.to() != "/c/east/login" {
		t.Errorf("logging out leads to %d %s", a.status, a.to())
	}
	stolen := &browser{h, &copied}
	if a := stolen.get("/c/east/my"); !strings.HasPrefix(a.to(), "/c/east/login") {
		t.Errorf("a session lives on after the logout: %d", a.status)
	}

	b = h.as("east/worker")
	h.must(h.store.Leave(t.Context(), east, h.people["east/worker"].ID))
	h.must(h.desk.Refresh(t.Context()))
	ticket := h.file(east, "楼道灯不亮了")
	if a := b.get("/c/east/my/" + number(ticket)); a.status != http.StatusNotFound {
		t.Errorf("who left the staff still reads a ticket: %d", a.status)
	}
}

func TestNoAddressFromOutsideIsFollowed(t *testing.T) {
	h := newHouse(t)
	q := &request{console: h.console}
	q.shape, _ = h.desk.Shape(east)
	for next, want := range map[string]string{
		"/c/east/my":                     "/c/east/my",
		"/c/east/my?x=1":                 "/c/east/my?x=1",
		"/c/east/":                       "/c/east/",
		"":                               "/c/east/",
		"/c/west/my":                     "/c/east/",
		"https://evil.example/c/east/my": "/c/east/",
		"//evil.example/c/east/my":       "/c/east/",
		"/\\evil.example":                "/c/east/",
		"/c/east/../../evil":             "/c/east/",
		"/c/east/%2e%2e/x":               "/c/east/",
		"javascript:alert(1)":            "/c/east/",
		"/c/east/\r\nSet-Cookie: a=b":    "/c/east/",
	} {
		if got := q.inside(next); got != want {
			t.Errorf("next=%q leads to %q, want %q", next, got, want)
		}
	}
}

func TestFormsOfOtherSitesChangeNothing(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "换好了"})
	b := h.as("east/resident")
	path := "/c/east/my/" + number(ticket) + "/rate"
	send := func(sign, origin, site string) int {
		form := url.Values{"rating": {"satisfied"}, "csrf": {sign}, "once": {newToken()}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+path, strings.NewReader(form.Encode()))
		h.must(err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		if site != "" {
			req.Header.Set("Sec-Fetch-Site", site)
		}
		return b.do(req).status
	}
	good := b.sign(path)
	for name, c := range map[string]struct{ sign, origin, site string }{
		"another site's form":          {good, "https://evil.example", "cross-site"},
		"an old browser's":             {good, "https://evil.example", ""},
		"without its sign":             {"", h.url, "same-origin"},
		"with another session's sign":  {h.as("east/neighbour").sign(path), h.url, "same-origin"},
		"another page of the same top": {good, "https://other.127.0.0.1", "same-site"},
	} {
		if status := send(c.sign, c.origin, c.site); status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || got.State != workflow.Resolved {
		t.Fatalf("the ticket: %s %v", got.State, err)
	}
	if status := send(good, h.url, "same-origin"); status != http.StatusSeeOther {
		t.Errorf("their own form: %d", status)
	}
}

func TestEveryAnswerHasSafeHeaders(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/resident")
	for _, path := range []string{"/c/east/my", "/c/east/login", "/c/east/my/999999", "/c/nowhere/my", "/c/east/nothing"} {
		a := b.get(path)
		policy := a.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %s", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: kept by caches: %q", path, a.header.Get("Cache-Control"))
		}
	}
	link, err := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}.LoginLink(t.Context(), east, h.people["east/resident"].ID, "")
	h.must(err)
	cookie := h.browser().post(strings.TrimPrefix(link, h.url), nil).header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q lacks %s", cookie, want)
		}
	}
	overTLS := &Console{o: Options{PublicURL: "https://desk.example"}}
	if name := overTLS.cookieName("in", east); !strings.HasPrefix(name, "__Host-") || !overTLS.secure() {
		t.Errorf("over TLS the cookie is %s", name)
	}
}
