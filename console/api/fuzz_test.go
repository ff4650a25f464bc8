package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// reader is a request of a small community, without stores: enough to read what
// comes in.
func reader(t testing.TB) *request {
	t.Helper()
	c, err := workflow.ParseCommunity(strings.NewReader(strings.NewReplacer("%s\nname", "east\nname", "%s\nhotline", "东社区\nhotline").Replace(document)))
	if err != nil {
		t.Fatal(err)
	}
	taxonomy := &workflow.Taxonomy{
		IncidentCategories: map[workflow.Category]string{"noise": "噪音扰民", workflow.OtherIncident: "其他诉求"},
		WishCategories:     map[workflow.Category]string{"elderly": "助老", workflow.OtherWish: "其他心愿"},
	}
	return &request{api: &API{o: Options{Taxonomy: taxonomy}}, shape: desk.Shape{Community: c}, now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}
}

// FuzzListQuery: whatever stands in the query, what is asked of the record is within
// bounds, and its cursor leads back to itself.
func FuzzListQuery(f *testing.F) {
	for _, seed := range []string{
		"", "state=assigned,closed&kind=wish&limit=3", "category=noise&grid=G1,G2&severity=major&level=2&late=true",
		"filed_from=2026-11-01T00:00:00Z&filed_until=2026-11-02T00:00:00%2B08:00", "changed_since=2026-11-22T00:00:00.5Z",
		"cursor=" + cursorOf(1001, nil), "cursor=MTAwMQ", "limit=200&limit=1", "%zz", "state=%00", "kind=incident,wish",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q := reader(t)
		asked, err := parameters(raw, listParameters)
		if err == nil {
			var query desk.Query
			if query, err = q.listQuery(asked); err == nil {
				if query.Limit < 1 || query.Limit > 200 || query.Before < 0 || query.Level < 0 || query.Level > 3 || query.Changed.After(q.now) ||
					!query.Until.IsZero() && !query.From.Before(query.Until) {
					t.Fatalf("%q asks for %+v", raw, query)
				}
				asked["cursor"] = cursorOf(4711, asked)
				if n, err := after(asked); err != nil || n != 4711 {
					t.Fatalf("%q: the cursor leads to %d, %v", raw, n, err)
				}
			}
		}
		if err != nil {
			told(t, err)
		}
	})
}

// FuzzFiling: whatever stands in the body, it is refused with a field that can be
// shown, or is a filing.
func FuzzFiling(f *testing.F) {
	for _, seed := range []string{
		`{"text": "东园2号楼灯坏了"}`, `{"text": "a", "place": {"estate": "东园", "building": 1, "unit": 2, "room": "501"}}`, `{"text": "a", "place": {"landmark": "小广场"}}`,
		`{"text": "a", "reporter": {"name": "孙桂兰", "phone": "13800138000"}}`, `{"text": "a", "text": "b"}`, `{"place": {"x": [{}, 1]}}`, `[[[[`, `{"text": 1e400}`, `{"text": "\ud800"}`, `null`, "\xff", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		q := reader(t)
		var in filing
		err := decode(body, &in)
		if err == nil && in.Place != nil {
			var p workflow.Place
			if p, err = in.Place.in(q.shape.Community); err == nil && !p.Known() {
				t.Fatalf("%q is nowhere: %+v", body, p)
			}
		}
		if err != nil {
			told(t, err)
		}
	})
}

// told fails where a refusal is none of ours, or repeats what somebody wrote.
func told(t *testing.T, err error) {
	t.Helper()
	r := refusalOf(err)
	if s := statuses[r.code]; s != http.StatusBadRequest && s != http.StatusUnprocessableEntity {
		t.Fatalf("%v is %d", err, s)
	}
	if r.field == "" || len(r.field) > 200 || !utf8.ValidString(r.field) || url.PathEscape(r.field) != r.field {
		t.Fatalf("the refusal names %q", r.field)
	}
}
