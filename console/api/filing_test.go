package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
)

// A filing goes the ordinary way.
func TestAFiling(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name, body string
		want       map[string]any
		owner      bool
	}{
		{"understood", `{"text": "东园2号楼楼道灯不亮了"}`, map[string]any{"state": "assigned", "kind": "incident", "category": "facilities", "severity": "minor", "source": "api", "group": "worker"}, true},
		{"said", `{"text": "看一下", "category": "noise", "severity": "major", "place": {"estate": "东区", "building": 3, "unit": 2, "room": "501"}}`,
			map[string]any{"state": "assigned", "kind": "incident", "category": "noise", "severity": "major"}, true},
		{"a landmark", `{"text": "垃圾没人收", "category": "sanitation", "place": {"landmark": "广场"}}`, map[string]any{"category": "sanitation"}, true},
		{"a wish", `{"text": "想学用手机", "kind": "wish", "reporter": {"name": "赵小燕", "phone": "13912340000"}}`, map[string]any{"kind": "wish", "stand": "wall"}, false},
		{"of another kind than it sounds", `{"text": "楼道灯不亮了", "category": "elderly"}`, map[string]any{"kind": "wish", "category": "elderly"}, false},
		{"nobody knows what", `{"text": "嗯嗯那个什么", "place": {"estate": "东园", "building": 1}}`, map[string]any{"kind": "incident", "stand": "tray"}, false},
		{"an emergency without a place", `{"text": "着火了快来人"}`, map[string]any{"severity": "emergency", "emergency_call": "119"}, true},
	} {
		a := h.file(c.body)
		if a.status != http.StatusCreated {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
			continue
		}
		for name, want := range c.want {
			if got := a.of(name); got != want {
				t.Errorf("%s: %s is %v, want %v: %s", c.name, name, got, want, a.body)
			}
		}
		number := int64(a.of("number").(float64))
		if want := fmt.Sprintf("/api/v1/communities/east/tickets/%d", number); a.header.Get("Location") != want {
			t.Errorf("%s: Location %s", c.name, a.header.Get("Location"))
		}
		ticket, err := h.store.Ticket(t.Context(), east, number)
		h.must(err)
		if (ticket.Owner != 0) != c.owner {
			t.Errorf("%s: owner %d", c.name, ticket.Owner)
		}
		if strings.Contains(c.body, "赵小燕") {
			p, err := h.store.Person(t.Context(), east, ticket.Reporter)
			h.must(err)
			if p.Name != "赵小燕" || p.Phone != "13912340000" {
				t.Errorf("%s: it is %+v's", c.name, p)
			}
		} else if ticket.Reporter != 0 {
			t.Errorf("%s: it is somebody's: %d", c.name, ticket.Reporter)
		}
		events := h.get(fmt.Sprintf("tickets/%d/events", number), "read")
		if all, _ := events.of("events").([]any); len(all) == 0 || all[0].(map[string]any)["actor"] != "software" {
			t.Errorf("%s: its story: %s", c.name, events.body)
		}
	}
	if got := h.logged(); len(got) != 7 || !strings.HasPrefix(got[0], fmt.Sprintf("api.ticket.file 0 key %d, once filing-", h.ids["file"])) {
		t.Errorf("the audit log says %q", got)
	}
}

// The same Idempotency-Key of the same key is one ticket, however often and at once.
func TestAFilingSentTwiceIsOne(t *testing.T) {
	h := newHouse(t)
	const body = `{"text": "东园2号楼楼道灯不亮了", "severity": "minor"}`
	send := func(body string) answer {
		return h.ask(http.MethodPost, "tickets", "file", body, "Idempotency-Key", "the-same-one")
	}
	var together sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		together.Go(func() { answers[i] = send(body) })
	}
	together.Wait()
	var made []int
	for _, a := range answers {
		made = append(made, a.status)
		if a.of("number") != answers[0].of("number") {
			t.Errorf("%s and %s", a.body, answers[0].body)
		}
	}
	slices.Sort(made)
	if made[len(made)-1] != http.StatusCreated || made[len(made)-2] != http.StatusOK || h.count() != 1 {
		t.Errorf("statuses %v, %d tickets", made, h.count())
	}
	number := int64(answers[0].of("number").(float64))
	h.tell(number, workflow.Command{Name: workflow.CmdAccept, Actor: by(h.worker)})
	if a := send(body); a.status != http.StatusOK || a.of("state") != "accepted" {
		t.Errorf("again, later: %d %s", a.status, a.body)
	}
	for _, other := range []string{`{"text": "东园2号楼电梯坏了"}`, `{"text": "东园2号楼楼道灯不亮了", "severity": "major"}`, `{"text": "东园2号楼楼道灯不亮了", "kind": "wish"}`, `{"text": "东园2号楼楼道灯不亮了", "place": {"estate": "东园", "building": 3}}`} {
		send(other).refused(t, other, codeMismatch)
	}
	if h.count() != 1 {
		t.Errorf("%d tickets", h.count())
	}
}

// What cannot be filed changes nothing, and the words name the field.
func TestFilingsThatAreRefused(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("长", longestText+1)
	for _, c := range []struct{ body, code, field string }{
		{``, codeMediaType, ""},
		{`{`, codeRequest, "body"},
		{`[]`, codeRequest, "body"},
		{`null`, codeInvalid, "text"},
		{`{} {}`, codeRequest, "body"},
		{`{"text": 5}`, codeRequest, "text"},
		{`{"text": "a", "text": "b"}`, codeRequest, "text"},
		{`{"TEXT": "东园2号楼灯坏了"}`, codeRequest, "TEXT"},
		{`{"text": "东园2号楼灯坏了", "owner": 5}`, codeRequest, "owner"},
		{`{"text": "东园2号楼灯坏了", "place": {"grid": "G1"}}`, codeRequest, "place.grid"},
		{`{"text": "东园2号楼灯坏了", "place": {"estate": "东园", "building": "2"}}`, codeRequest, "place.building"},
		{`{"text": "东园2号楼灯坏了", "place": [1]}`, codeRequest, "place"},
		{"{\"text\": \"\xff\"}", codeRequest, "body"},
		{`{"text": ""}`, codeInvalid, "text"},
		{`{"text": " \u0000 \n"}`, codeInvalid, "text"},
		{`{"text": "` + long + `"}`, codeInvalid, "text"},
		{`{"text": "东园2号楼灯坏了", "kind": "praise"}`, codeInvalid, "kind"},
		{`{"text": "东园2号楼灯坏了", "category": "nothing"}`, codeInvalid, "category"},
		{`{"text": "东园2号楼灯坏了", "category": "elderly", "kind": "incident"}`, codeInvalid, "category"},
		{`{"text": "东园2号楼灯坏了", "severity": "grave"}`, codeInvalid, "severity"},
		{`{"text": "灯坏了", "place": {}}`, codeInvalid, "place.estate"},
		{`{"text": "灯坏了", "place": {"estate": "西园", "building": 1}}`, codeInvalid, "place.estate"},
		{`{"text": "灯坏了", "place": {"estate": "东园"}}`, codeInvalid, "place.building"},
		{`{"text": "灯坏了", "place": {"estate": "东园", "building": 5}}`, codeInvalid, "place.building"},
		{`{"text": "灯坏了", "place": {"estate": "东园", "building": 1, "unit": 100}}`, codeInvalid, "place.unit"},
		{`{"text": "灯坏了", "place": {"estate": "东园", "building": 1, "room": "一二三四五六七八九十一"}}`, codeInvalid, "place.room"},
		{`{"text": "灯坏了", "place": {"landmark": "大广场"}}`, codeInvalid, "place.landmark"},
		{`{"text": "灯坏了", "place": {"landmark": "小广场", "building": 1}}`, codeInvalid, "place"},
		{`{"text": "灯坏了"}`, codeNeedsPlace, ""},
		{`{"text": "东园2号楼灯坏了", "reporter": {}}`, codeInvalid, "reporter.name"},
		{`{"text": "东园2号楼灯坏了", "reporter": {"name": "孙桂兰", "phone": "不知道"}}`, codeInvalid, "reporter.phone"},
		{`{"text": "` + strings.Repeat("a", bodyLimit) + `"}`, codeTooLarge, ""},
	} {
		a := h.file(c.body)
		a.refused(t, fmt.Sprintf("%.60s", c.body), c.code)
		if message, _ := a.of("message").(string); !strings.Contains(message, c.field) {
			t.Errorf("%.60s: %s does not name %s", c.body, message, c.field)
		}
	}
	const body = `{"text": "东园2号楼灯坏了"}`
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", "multipart/form-data; boundary=x", ";"} {
		h.file(body, "Content-Type", kind).refused(t, "Content-Type "+kind, codeMediaType)
	}
	h.file(body, "Content-Encoding", "gzip").refused(t, "a body that is packed", codeMediaType)
	for _, once := range []string{"", "short", strings.Repeat("a", 101), "with space", "唯一的名字唯一"} {
		h.file(body, "Idempotency-Key", once).refused(t, "Idempotency-Key "+once, codeRequest)
	}
	if n := h.count(); n != 0 {
		t.Errorf("%d tickets were filed", n)
	}
	if a := h.file(body, "Content-Type", "application/json; charset=UTF-8"); a.status != http.StatusCreated {
		t.Errorf("with a charset: %d %s", a.status, a.body)
	}
}
