package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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
		path := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(strings.NewReplacer("{community}", east, "{$}", "").Replace(pattern), "1001")
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
