package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// FuzzCookie: whatever a browser says that it is, only a session that was begun here
// opens a page.
func FuzzCookie(f *testing.F) {
	for _, seed := range []string{
		"", "wd-in-east=", "wd-in-east=AAAA", "wd-in-east=" + newToken(), "wd-in-east=\x00", `wd-in-east="a b"`, "wd-in-west=x; wd-in-east=y", "__Host-wd-in-east=z",
		"wd-in-east=" + strings.Repeat("a", 300), "wd-in-east='; DROP TABLE session; --", "=", ";;;", "wd-in-east=心愿",
	} {
		f.Add(seed)
	}
	h := newHouse(f)
	handler := h.console.Handler()
	f.Fuzz(func(t *testing.T, cookie string) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/c/"+east+"/work", nil)
			r.Header["Cookie"] = []string{cookie}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code < 300 || w.Code >= 500 || strings.Contains(w.Body.String(), "1990000") {
				t.Fatalf("%s with %q: %d %s", method, cookie, w.Code, w.Body)
			}
		}
	})
}

// FuzzInside: whatever somebody puts behind next=, a browser stays on this host and in
// this community.
func FuzzInside(f *testing.F) {
	for _, seed := range []string{
		"/c/east/work", "//evil.example/c/east/", "/c/east/../west/", "/c/east//evil.example", `/c/east/\evil.example`, "https://evil.example/c/east/", "/c/east/?next=//x", "/c/east/%2e%2e/west/",
		"javascript:alert(1)", "/c/east/\t", "", "/c/east/t/1#x", "/c/east/;@evil.example", "http:/c/east/",
	} {
		f.Add(seed)
	}
	q := &request{shape: desk.Shape{Community: &workflow.Community{Code: east}}}
	base := mustParse("https://desk.example/c/east/login")
	f.Fuzz(func(t *testing.T, next string) {
		to := q.inside(next)
		u, err := base.Parse(to)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) {
			t.Fatalf("%q leads to %q: %v", next, to, err)
		}
		path, err := url.PathUnescape(u.EscapedPath())
		if err != nil || !strings.HasPrefix(path, "/c/east/") || strings.Contains(path, "/../") || strings.HasSuffix(path, "/..") {
			t.Fatalf("%q leads to %q", next, to)
		}
	})
}
