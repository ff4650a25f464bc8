package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
)

// letters are the parts as they stand in the golden table.
var letters = append([]string{"visitor"}, parts...)

// TestWhoMaySeeWhat asks for every route as every part that somebody can play,
// and as the same part of another community, and compares who is let in with
// the table that people have agreed on (testdata/access.golden): a route that is
// opened to somebody shows there, and so does what the audit log says of it. Who
// is let in may still find that there is no such ticket for them.
func TestWhoMaySeeWhat(t *testing.T) {
	h := newHouse(t)
	reached := ""
	for i := range h.console.routes { // what a handler does is not asked here
		row := &h.console.routes[i]
		row.do = func(_ *Console, q *request) error {
			reached = q.row.pattern
			return nil
		}
	}
	server := httptest.NewServer(h.console.Handler())
	defer server.Close()
	h.url, h.console.o.PublicURL = server.URL, server.URL
	browsers, strangers := map[string]*browser{"visitor": h.browser()}, map[string]*browser{}
	for _, part := range parts {
		browsers[part], strangers[part] = h.member(east+"/"+part), h.member(west+"/"+part)
	}
	var got strings.Builder
	for _, row := range h.console.routes {
		method, pattern, _ := strings.Cut(row.pattern, " ")
		path := filled(pattern)
		letsIn := func(b *browser) bool {
			reached = ""
			if method == http.MethodGet {
				b.get(path)
			} else {
				b.post(path, nil)
			}
			return reached == row.pattern
		}
		var in []string
		for _, part := range letters {
			if letsIn(browsers[part]) {
				in = append(in, part)
			}
			if s := strangers[part]; s != nil && !row.lets(workflow.Person{}) && letsIn(s) {
				t.Errorf("%s: the %s of another community is let in", row.pattern, part)
			}
		}
		audit := row.log
		if audit == "" {
			audit = "-"
		}
		fmt.Fprintf(&got, "%-58s %-16s %s\n", row.pattern, audit, strings.Join(in, " "))
	}
	golden := filepath.Join("testdata", "access.golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		h.must(os.WriteFile(golden, []byte(got.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	h.must(err)
	if got.String() != string(want) {
		t.Errorf("who is let in differs from %s (UPDATE_GOLDEN=1 writes it anew, look at the difference):\n%s", golden, got.String())
	}
}

// filled is the path of a route, of the east.
func filled(pattern string) string {
	return regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(strings.NewReplacer("{community}", east, "{$}", "").Replace(pattern), "1001")
}

// No form changes anything without its session's sign, on any route, nor one that another
// site's page sends; and every answer, refused or not, has the headers that keep it.
func TestEveryFormIsOnesOwn(t *testing.T) {
	h := newHouse(t)
	done := ""
	for i := range h.console.routes {
		h.console.routes[i].do = func(_ *Console, q *request) error {
			done = q.row.pattern
			return nil
		}
	}
	server := httptest.NewServer(h.console.Handler())
	defer server.Close()
	h.url, h.console.o.PublicURL = server.URL, server.URL
	browsers := map[string]*browser{}
	for _, part := range parts {
		browsers[part] = h.member(east + "/" + part)
	}
	forms := 0
	for _, row := range h.console.routes {
		method, pattern, _ := strings.Cut(row.pattern, " ")
		path := filled(pattern)
		var b *browser
		for _, part := range parts {
			if row.lets(h.people[east+"/"+part]) {
				b = browsers[part]
				break
			}
		}
		if b == nil {
			t.Fatalf("%s lets nobody in", row.pattern)
		}
		var a answer
		if method == http.MethodGet {
			a = b.get(path)
		} else {
			forms++
			for _, sign := range []string{"", csrf("another session")} {
				if done = ""; row.bare {
					continue // logs in, by a secret of its own
				}
				if a = b.post(path, url.Values{"csrf": {sign}}); a.status != http.StatusForbidden || done != "" {
					t.Errorf("%s with the sign %q: %d, %q is done", row.pattern, sign, a.status, done)
				}
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+path, strings.NewReader(url.Values{"csrf": {b.sign(path)}}.Encode()))
			h.must(err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", "https://elsewhere.example")
			req.Header.Set("Sec-Fetch-Site", "cross-site")
			done = ""
			if a = b.do(req); a.status != http.StatusForbidden || done != "" {
				t.Errorf("%s from another site: %d, %q is done", row.pattern, a.status, done)
			}
		}
		for name, want := range map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", row.pattern, name, got, want)
			}
		}
		if got := a.header.Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy is %q", row.pattern, got)
		}
	}
	if forms < 30 {
		t.Errorf("only %d forms were tried", forms)
	}
}
