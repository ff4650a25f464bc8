package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/wording"
)

// The description is OpenAPI 3.1, and describes what there is: every route, both
// ways, every code with its words, and nothing that a person may not ask for.
func TestTheDescriptionIsTrue(t *testing.T) {
	h := newHouse(t)
	if ok, faults := h.check.ValidateDocument(); !ok {
		for _, f := range faults {
			t.Errorf("%s: %s %v", f.Message, f.Reason, f.SchemaValidationErrors)
		}
	}
	var d struct {
		OpenAPI    string                                `json:"openapi"`
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas struct {
				Error struct {
					Properties struct{ Code struct{ Enum []string } }
				}
			}
		}
	}
	a := h.get("/api/v1/openapi.json", "")
	h.must(json.Unmarshal([]byte(a.body), &d))
	if a.status != http.StatusOK || !strings.HasPrefix(d.OpenAPI, "3.1.") {
		t.Errorf("%d, OpenAPI %q", a.status, d.OpenAPI)
	}
	var described, routed []string
	for path, item := range d.Paths {
		for method, body := range item {
			if method == "parameters" {
				continue
			}
			var op struct{ Security *[]any }
			h.must(json.Unmarshal(body, &op))
			described = append(described, strings.ToUpper(method)+" "+path)
			for _, row := range h.api.routes {
				if row.path == path && row.method == strings.ToUpper(method) && (len(row.scopes) == 0) != (op.Security != nil) {
					t.Errorf("%s %s: whether it needs a key is told otherwise", method, path)
				}
			}
		}
	}
	for _, row := range h.api.routes {
		routed = append(routed, row.method+" "+row.path)
	}
	slices.Sort(described)
	slices.Sort(routed)
	if !slices.Equal(described, routed) {
		t.Errorf("described are %v\nrouted %v", described, routed)
	}
	told := slices.Sorted(slices.Values(d.Components.Schemas.Error.Properties.Code.Enum))
	if codes := slices.Sorted(maps.Keys(statuses)); !slices.Equal(told, codes) {
		t.Errorf("codes described are %v\nthere are %v", told, codes)
	}
	words, err := wording.Parse(configs.Read("wording.yaml"))
	h.must(err)
	for code := range statuses {
		if !words.Has("api." + code) {
			t.Errorf("%s has no words", code)
		}
	}
}

// calls are all routes, with a ticket and a week in their paths.
func (h *house) calls(number int64) map[string]func(key string) answer {
	out := map[string]func(key string) answer{}
	for _, row := range h.api.routes {
		path := strings.NewReplacer("{community}", east, "{number}", fmt.Sprint(number), "{week}", "2026-W48").Replace(row.path)
		path = strings.TrimSuffix(Prefix, "/") + path
		out[row.method+" "+row.path] = func(key string) answer {
			h.t.Helper()
			if row.method == http.MethodPost {
				named++
				return h.ask(row.method, path, key, `{"text": "东园2号楼楼道灯不亮了"}`, "Idempotency-Key", fmt.Sprintf("call-%06d", named))
			}
			return h.get(path, key)
		}
	}
	return out
}

// Who may ask for what, by key: the table that people have agreed on. To a key of
// another community it is as if there were none of the kind.
func TestWhoMayAskForWhat(t *testing.T) {
	h := newHouse(t)
	ticket := h.opened("楼道灯坏了")
	const community = "/communities/{community}"
	table := map[string]map[string]int{
		//                                       none, wrong, ended, read, file, personal, other
		"GET /openapi.json":                             row(200, 200, 200, 200, 200, 200, 200),
		"GET " + community:                              row(401, 404, 401, 200, 200, 200, 404),
		"GET " + community + "/categories":              row(401, 404, 401, 200, 200, 200, 404),
		"GET " + community + "/tickets":                 row(401, 404, 401, 200, 403, 200, 404),
		"POST " + community + "/tickets":                row(401, 404, 401, 403, 201, 403, 404),
		"GET " + community + "/tickets/{number}":        row(401, 404, 401, 200, 403, 200, 404),
		"GET " + community + "/tickets/{number}/events": row(401, 404, 401, 200, 403, 200, 404),
		"GET " + community + "/digests/{week}":          row(401, 404, 401, 200, 403, 200, 404),
	}
	codes := map[int]string{401: codeNoKey, 403: codeScope, 404: codeNotFound}
	calls := h.calls(ticket.Number)
	if len(calls) != len(table) {
		t.Errorf("%d routes, %d in the table", len(calls), len(table))
	}
	for route, want := range table {
		for key, status := range want {
			a := calls[route](key)
			if a.status != status {
				t.Errorf("%s with key %q: %d %.200s, want %d", route, key, a.status, a.body, status)
			}
			code := codes[status]
			if key == "ended" && status == http.StatusUnauthorized {
				code = codeKeyEnded
			}
			if code != "" {
				a.refused(t, route+" with key "+key, code)
			}
			if want := status == http.StatusUnauthorized; (a.header.Get("WWW-Authenticate") != "") != (want || status == http.StatusForbidden) {
				t.Errorf("%s with key %q: WWW-Authenticate %q", route, key, a.header.Get("WWW-Authenticate"))
			}
		}
	}
	// A community that is not there answers as one whose key it is not.
	strip := func(a answer) string { return strings.ReplaceAll(a.body, a.header.Get("X-Request-Id"), "") }
	nowhere, notTheirs := h.get("/api/v1/communities/nowhere/tickets", "other"), h.get("tickets", "other")
	if nowhere.status != notTheirs.status || strip(nowhere) != strip(notTheirs) {
		t.Errorf("somebody learns which communities there are: %s, %s", nowhere.body, notTheirs.body)
	}
	// Their own key is as good in their own.
	if a := h.get("/api/v1/communities/west/tickets", "other"); a.status != http.StatusOK || strings.Contains(a.body, `"number"`) {
		t.Errorf("west: %d %s", a.status, a.body)
	}
	h.get(fmt.Sprintf("/api/v1/communities/west/tickets/%d", ticket.Number), "other").refused(t, "a number of another community", codeNotFound)
}

func row(none, wrong, ended, read, file, personal, other int) map[string]int {
	return map[string]int{"": none, "wrong": wrong, "ended": ended, "read": read, "file": file, "personal": personal, "other": other}
}

// A key is taken from the header alone, whole and as it is.
func TestAKeyComesInTheHeader(t *testing.T) {
	h := newHouse(t)
	secret := h.keys["read"]
	for _, header := range []string{"", secret, "Basic " + secret, "Bearer", "Bearer ", "Bearer  " + secret, "Bearer " + secret + " ", "Bearer " + secret + ", x", "Bearer wdk_short", "Bearer wdk_" + strings.Repeat("a", 200)} {
		if strings.TrimSpace(header) == "Bearer "+secret {
			continue // net/http trims what stands around a header
		}
		h.ask(http.MethodGet, "tickets", "", "", "Authorization", header).refused(t, fmt.Sprintf("Authorization %.30q", header), codeNoKey)
	}
	h.get("tickets?access_token="+secret, "").refused(t, "a key in the query", codeNoKey)
	if a := h.ask(http.MethodGet, "tickets", "", "", "Authorization", "bearer "+secret); a.status != http.StatusOK {
		t.Errorf("the scheme's name has no case: %d %s", a.status, a.body)
	}
	if a := h.ask(http.MethodHead, "tickets", "read", ""); a.status != http.StatusOK || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
}

// What is not there, and what cannot be done to what is.
func TestOtherPathsAndMethods(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/api/v1/", "/api/v1/tickets", "/api/v1/communities/east/people", "tickets/0", "tickets/-1", "tickets/+1001", "tickets/1e3", "tickets/999999", "tickets/99999999999999999999", "digests/2026-W54", "digests/2026-47", "digests/2027-W10", "digests/2026-W47?sent=true"} {
		h.get(path, "personal").refused(t, path, codeNotFound)
	}
	for _, call := range [][2]string{{http.MethodDelete, "tickets"}, {http.MethodPut, "tickets/1001"}, {http.MethodPost, "tickets/1001"}, {http.MethodPatch, ""}, {http.MethodOptions, "tickets"}, {http.MethodPost, "/api/v1/openapi.json"}} {
		a := h.ask(call[0], call[1], "personal", "")
		a.refused(t, call[0]+" "+call[1], codeMethod)
		if allow := a.header.Get("Allow"); !strings.Contains(allow, http.MethodGet) || (call[1] == "tickets") != strings.Contains(allow, http.MethodPost) {
			t.Errorf("%s %s: Allow %q", call[0], call[1], allow)
		}
	}
	for path, field := range map[string]string{"?x=1": "x", "categories?sent=true": "sent", "tickets/1001?cursor=1": "cursor", "digests/2026-W47?sent=yes": "sent", "digests/2026-W47?sent=true&sent=true": "sent", "?%zz": "query"} {
		a := h.get(path, "personal")
		a.refused(t, path, codeRequest)
		if message, _ := a.of("message").(string); !strings.Contains(message, field) {
			t.Errorf("%s: %s does not say which", path, message)
		}
	}
}

// The community and its categories are as its document and the taxonomy say.
func TestTheCommunity(t *testing.T) {
	h := newHouse(t)
	a := h.get("", "file")
	if a.of("name") != "东社区" || a.of("buildings") != 4.0 || a.of("promises", "minor", "response_s") != 3600.0 || a.of("promises", "wish", "response_s") != 72*3600.0 {
		t.Errorf("the community: %s", a.body)
	}
	var of struct{ Categories []categoryShape }
	h.must(json.Unmarshal([]byte(h.get("categories", "read").body), &of))
	if i := slices.IndexFunc(of.Categories, func(c categoryShape) bool { return c.Code == "elderly" }); i < 0 || of.Categories[i] != (categoryShape{"elderly", "助老", "wish", "一老一小", true}) {
		t.Errorf("categories: %+v", of.Categories)
	}
	if n := len(h.api.o.Taxonomy.IncidentCategories) + len(h.api.o.Taxonomy.WishCategories); len(of.Categories) != n {
		t.Errorf("%d categories, want %d", len(of.Categories), n)
	}
}

// Who asks too often is told when to come again, and nobody else with them.
func TestTooOften(t *testing.T) {
	h := newHouse(t)
	use := func(what, key string, n int) {
		for range n {
			_, err := h.drive.Allow(t.Context(), east, fmt.Sprintf("api:%s:%d", what, h.ids[key]), 1, n, time.Minute)
			h.must(err)
		}
	}
	use("file", "file", filingsPerMinute)
	a := h.file(`{"text": "东园2号楼楼道灯不亮了"}`)
	a.refused(t, "the 61st filing", codeTooMany)
	if a.header.Get("Retry-After") != "60" || h.count() != 0 {
		t.Errorf("headers %v, %d tickets", a.header, h.count())
	}
	use("week", "read", weeksPerMinute)
	h.get("digests/2026-W47", "read").refused(t, "the 21st digest", codeTooMany)
	use("all", "read", perMinute)
	h.get("tickets", "read").refused(t, "the 601st request", codeTooMany)
	if a := h.get("tickets", "personal"); a.status != http.StatusOK {
		t.Errorf("another key: %d %s", a.status, a.body)
	}
}

// With the record away it is said that nothing was done; with the drive away all
// goes on.
func TestStoresAway(t *testing.T) {
	h := newHouse(t)
	h.redis.Cut()
	if a := h.get("tickets", "read"); a.status != http.StatusOK {
		t.Errorf("without Redis: %d %s", a.status, a.body)
	}
	if a := h.file(`{"text": "东园2号楼楼道灯不亮了"}`); a.status != http.StatusCreated {
		t.Errorf("filing without Redis: %d %s", a.status, a.body)
	}
	h.redis.Heal()
	h.postgres.Cut()
	for route, call := range h.calls(1001) {
		a := call("file")
		if route == "GET /openapi.json" {
			continue
		}
		a.refused(t, route+" without PostgreSQL", codeUnavailable)
		if strings.Contains(a.body, "postgres") || strings.Contains(a.body, "sock") || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %s %v", route, a.body, a.header)
		}
	}
	h.postgres.Heal()
	if n := h.count(); n != 1 {
		t.Errorf("%d tickets, want the one of before", n)
	}
}

// A list goes by what is asked, in pages that do not move when tickets come in.
func TestTheList(t *testing.T) {
	h := newHouse(t)
	for i := range 7 {
		h.clock.Advance(time.Minute)
		h.opened(fmt.Sprintf("第%d盏灯坏了", i))
	}
	numbers := func(a answer) []int64 {
		var page struct{ Tickets []struct{ Number int64 } }
		h.must(json.Unmarshal([]byte(a.body), &page))
		var out []int64
		for _, t := range page.Tickets {
			out = append(out, t.Number)
		}
		return out
	}
	all := numbers(h.get("tickets", "read"))
	var paged []int64
	next := ""
	for page := 0; ; page++ {
		a := h.get("tickets?state=assigned,accepted&limit=3"+next, "read")
		paged = append(paged, numbers(a)...)
		cursor, more := a.of("next_cursor").(string)
		if !more {
			break
		}
		if page > 5 {
			t.Fatal("it has no end")
		}
		next = "&cursor=" + cursor
		h.clock.Advance(time.Second)
		h.opened("又一盏灯坏了") // stands before what was read
	}
	if len(all) != 7 || !slices.Equal(all, paged) || !slices.IsSortedFunc(all, func(a, b int64) int { return int(b - a) }) {
		t.Errorf("all at once %v, by pages %v", all, paged)
	}

	h.clock.Advance(time.Hour)
	wish := h.opened("想要一条长椅", func(c *workflowCommand) { c.Kind, c.Category = "wish", "public_project" })
	grave := h.opened("东园3号楼着火了", func(c *workflowCommand) {
		c.Category, c.Severity, c.Danger, c.Place.Building, c.Place.Grid = "safety", "emergency", "fire", 3, "G2"
	})
	asOf := h.clock.Now().Add(-time.Minute).Format(time.RFC3339)
	for query, want := range map[string][]int64{
		"kind=wish":                             {wish.Number},
		"category=public_project":               {wish.Number},
		"grid=G2":                               {grave.Number},
		"severity=emergency":                    {grave.Number},
		"category=safety,public_project":        {max(grave.Number, wish.Number), min(grave.Number, wish.Number)},
		"changed_since=" + asOf:                 {max(grave.Number, wish.Number), min(grave.Number, wish.Number)},
		"filed_from=" + asOf + "&kind=incident": {grave.Number},
		"level=2":                               nil,
		"state=cancelled":                       nil,
		"kind=incident,wish&limit=1":            {max(grave.Number, wish.Number)},
	} {
		if got := numbers(h.get("tickets?"+query, "read")); !slices.Equal(got, want) {
			t.Errorf("%s gives %v, want %v", query, got, want)
		}
	}
	// What changed is what something happened to, whenever it was filed.
	h.clock.Advance(2 * time.Hour)
	since := h.clock.Now().Format(time.RFC3339)
	h.tell(all[6], workflowCommand{Name: "accept", Actor: by(h.worker)})
	a := h.get("tickets?changed_since="+since, "read")
	if got := numbers(a); !slices.Equal(got, all[6:]) {
		t.Errorf("changed are %v, want %v", got, all[6:])
	}
	if as, _ := a.of("as_of").(string); as != h.clock.Now().Add(-time.Minute).Format(time.RFC3339) {
		t.Errorf("as_of %s", as)
	}

	cursor := h.get("tickets?limit=1", "read").of("next_cursor").(string)
	for query, field := range map[string]string{
		"state=open": "state", "state=assigned,assigned": "state", "state=": "state", "state=assigned&state=closed": "state", "kind=consult": "kind", "category=x": "category", "grid=G9": "grid",
		"severity=minor,major": "severity", "level=0": "level", "level=4": "level", "level=+1": "level", "late=false": "late", "limit=0": "limit", "limit=201": "limit", "limit=1e1": "limit",
		"filed_from=2026-11-23": "filed_from", "filed_from=2026-11-23T00:00:00": "filed_from", "filed_until=9999-12-31T23:00:00-05:00": "filed_until",
		"filed_from=2026-11-23T00:00:00Z&filed_until=2026-11-23T00:00:00Z": "filed_until", "changed_since=2026-10-01T00:00:00Z": "changed_since", "changed_since=2030-01-01T00:00:00Z": "changed_since",
		"cursor=x": "cursor", "cursor=" + cursor + "&kind=wish": "cursor", "cursor=" + cursorOf(424242, nil): "cursor", "page=2": "page", "q=灯": "q", "%00=1": "query",
	} {
		a := h.get("tickets?"+query, "read")
		a.refused(t, query, codeRequest)
		if message, _ := a.of("message").(string); !strings.Contains(message, field) {
			t.Errorf("%s: %s does not name %s", query, message, field)
		}
	}
	if a := h.get("tickets?limit=2&cursor="+cursor, "read"); a.status != http.StatusOK {
		t.Errorf("a page of another length: %d %s", a.status, a.body)
	}
}

// late=true finds those with a missed promise.
func TestTheLateOnes(t *testing.T) {
	h := newHouse(t)
	ticket := h.opened("楼道灯坏了")
	h.clock.Advance(2 * time.Hour)
	h.tell(ticket.Number, workflowCommand{Name: "tick", Actor: system(), Clock: "response"})
	h.opened("又一盏灯坏了")
	a := h.get("tickets?late=true", "read")
	if strings.Count(a.body, `"number"`) != 1 || !strings.Contains(a.body, `"missed":["response"]`) {
		t.Errorf("late ones: %s", a.body)
	}
}
