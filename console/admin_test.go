package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
)

func TestTheAdministratorsPages(t *testing.T) {
	h := newHouse(t)
	id := h.people["east/worker"].ID
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		b := h.tab("east/admin", size[0], size[1])
		for _, page := range []string{"people", "people/new", "people/" + itoa(int64(id)), "community", "community/grids", "words", "words/help", "try", "failures", "audit"} {
			b.Go(h.url + "/c/east/admin/" + page)
			b.FitsItsWidth()
			b.Picture("admin-" + strings.ReplaceAll(page, "/", "-") + "-" + name)
		}
	}
}

// A change is shown first, then applied; a bad one changes nothing, and neither
// does one of what somebody else has changed meanwhile.
func TestTheDocumentIsChangedPartByPart(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	path := "/c/east/admin/community/hotline"
	b.get(path).mustSay(t, http.StatusOK, "0531-5550100")
	form := func(on, text, agreed string) url.Values {
		return url.Values{"on": {on}, "text": {text}, "agreed": {agreed}}
	}
	b.post(path, form("1", `"0531-7654321"`, "")).mustSay(t, http.StatusOK, "会变这些", "0531-7654321", "就这样改")
	shape, _ := h.desk.Shape(east)
	if shape.Community.Hotline != "0531-5550100" {
		t.Error("looking at a change applies it")
	}
	if a := b.post(path, form("1", `"0531-7654321"`, "yes")); a.to() != "/c/east/admin/community?said=applied" {
		t.Errorf("applying leads to %d %s", a.status, a.to())
	}
	if shape, _ = h.desk.Shape(east); shape.Community.Hotline != "0531-7654321" {
		t.Errorf("the hotline is %s", shape.Community.Hotline)
	}
	b.post(path, form("1", `"0531-1"`, "yes")).mustSay(t, http.StatusConflict, "别人改过")
	b.post("/c/east/admin/community/grids", form("2", `[{code: G1, name: 一, buildings: "东园:1-9"}]`, "yes")).mustSay(t, http.StatusUnprocessableEntity, "没有改,因为", "「网格」第 1 项:没有「东园:1-9」这些楼", "东园 1号楼还没有归哪个网格")
	b.post("/c/east/admin/community/estates", form("2", `[{name: 西园, buildings: 4}]`, "yes")).mustSay(t, http.StatusUnprocessableEntity, "没有改,因为")
	b.post("/c/east/admin/community/code", form("2", "west", "yes")).mustSay(t, http.StatusNotFound)
	if shape, _ = h.desk.Shape(east); shape.Community.Hotline != "0531-7654321" || len(shape.Community.Grids) != 2 {
		t.Error("a bad document changed something")
	}
	if other, _ := h.desk.Shape(west); other.Community.Hotline != "0531-5550100" {
		t.Error("another community was changed")
	}
}

// Figures and texts that cannot be are refused at their field, in Chinese; a rule for
// whom nobody is warns.
func TestFiguresAndTextsAreChecked(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	at := func(part string) string { return "/c/east/admin/community/" + part }
	value := func(v string) url.Values { return url.Values{"on": {"1"}, "value": {v}} }
	rule := func(key, v string) url.Values {
		return url.Values{"on": {"1"}, "index": {"-1"}, "do": {"save"}, "name": {"绿化"}, "role": {"volunteer"}, key: {v}}
	}
	for _, c := range []struct {
		part string
		form url.Values
		says string
	}{
		{"households/form", value("1e9"), "请写一个整数"},
		{"households/form", value("-5"), "数目不合适"},
		{"hotline/form", value("abc"), "「abc」不是电话"},
		{"hotline/form", value(strings.Repeat("1", 500)), "不是电话"},
		{"subdistrict/form", value(strings.Repeat("很", 51)), "最多 50 个字"},
		{"estates/form", url.Values{"on": {"1"}, "name": {"东园"}, "buildings": {"4"}, "households": {"很多"}}, "请写一个整数"},
		{"assignment/form", rule("max_lead", "abc"), "请写一个整数"},
		{"assignment/form", rule("max_load", "-1"), "数目不合适"},
		{"households", url.Values{"on": {"1"}, "text": {"many"}}, "「户数」:「many」写得不对"},
		{"points", url.Values{"on": {"1"}, "text": {"odd: 1"}}, "没有「odd」"},
		{"grids", url.Values{"on": {"1"}, "text": {"[{code: G1"}}, "没看懂"},
	} {
		a := b.post(at(c.part), c.form)
		a.mustSay(t, http.StatusUnprocessableEntity, c.says, "but not", "unmarshal", "yaml:")
	}
	b.post(at("assignment/form"), rule("team", "没有的队")).mustSay(t, http.StatusOK, "现在没有人能接这一条", "没有的队")
}

func TestACommunitysOwnWords(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	path := "/c/east/admin/words/consult"
	b.post(path, url.Values{"text": {"请打 {{.Hotline}} 问问。"}}).mustSay(t, http.StatusOK, "请打 0531-5550100 问问。")
	b.post(path, url.Values{"text": {"请打 {{.Hotline"}}).mustSay(t, http.StatusUnprocessableEntity, "role=\"alert\"")
	if a := b.post(path, b.seen(path, url.Values{"text": {"请打 {{.Hotline}} 问问。"}, "agreed": {"yes"}})); a.to() != "/c/east/admin/words?said=applied" {
		t.Errorf("keeping it leads to %d %s", a.status, a.to())
	}
	shape, _ := h.desk.Shape(east)
	if shape.Community.Wording["consult"] != "请打 {{.Hotline}} 问问。" {
		t.Errorf("own words: %v", shape.Community.Wording)
	}
	if a := b.post(path, b.seen(path, url.Values{"text": {""}, "agreed": {"yes"}})); a.status != http.StatusSeeOther {
		t.Errorf("taking it back: %d", a.status)
	}
	if shape, _ = h.desk.Shape(east); len(shape.Community.Wording) != 0 {
		t.Errorf("own words after they were taken back: %v", shape.Community.Wording)
	}
}

// seen adds to a form what the page says of what it was made of.
func (b *browser) seen(path string, form url.Values) url.Values {
	b.t.Helper()
	m := onIn.FindStringSubmatch(b.get(path).body)
	if m == nil {
		b.t.Fatalf("%s does not say what it was made of", path)
	}
	form.Set("on", m[1])
	return form
}

var onIn = regexp.MustCompile(`name="on" value="([^"]*)"`)

// Of two who change the same, the second sees first what the first one did.
func TestTwoAdministrators(t *testing.T) {
	h := newHouse(t)
	p := h.people["east/worker"]
	seen := p
	p.Roles = []workflow.Role{{Kind: workflow.RoleWorker, Grid: "G1", FullTime: true}, {Kind: workflow.RolePartyMember, Branch: "第一支部"}}
	h.must(h.store.ChangePerson(t.Context(), seen, p))
	h.must(h.desk.Refresh(t.Context()))
	one, two := h.as("east/admin"), h.as("east/admin")
	path := "/c/east/admin/people/" + itoa(int64(p.ID))
	late := one.seen(path, url.Values{"part": {"0"}, "name": {"秦霞"}, "kind": {"worker"}, "grid": {"G2"}, "full_time": {"yes"}})
	if a := two.post(path, two.seen(path, url.Values{"part": {"0"}, "do": {"remove"}})); a.status != http.StatusSeeOther {
		t.Fatalf("taking a part away: %d %s", a.status, a.body)
	}
	if a := one.post(path, late); a.status != http.StatusConflict {
		t.Errorf("what is no more is changed: %d", a.status)
	}
	if got := h.shape(east).Roster.ByID(p.ID).Roles; len(got) != 1 || got[0].Branch != "第一支部" {
		t.Errorf("the parts are %+v", got)
	}
	// The same in the same moment, at replicas that have not heard of each other.
	if err := h.store.ChangePerson(t.Context(), p, p); !errors.Is(err, desk.ErrStale) {
		t.Errorf("on what was before: %v", err)
	}

	words := "/c/east/admin/words/slow_down"
	late = one.seen(words, url.Values{"text": {"慢一点,乙。"}, "agreed": {"yes"}})
	if a := two.post(words, two.seen(words, url.Values{"text": {"慢一点,甲。"}, "agreed": {"yes"}})); a.status != http.StatusSeeOther {
		t.Fatalf("a text: %d %s", a.status, a.body)
	}
	if a := one.post(words, late); a.status != http.StatusConflict || h.shape(east).Community.Wording["slow_down"] != "慢一点,甲。" {
		t.Errorf("a text that another changed: %d, now %q", a.status, h.shape(east).Community.Wording["slow_down"])
	}
}

// A community never loses its last administrator.
func TestTheLastAdministratorStays(t *testing.T) {
	h := newHouse(t)
	me := h.people["east/admin"]
	b, path := h.as("east/admin"), "/c/east/admin/people/"+itoa(int64(me.ID))
	change := url.Values{"part": {"0"}, "name": {"钱敏"}, "kind": {"committee"}, "duty": {"yes"}}
	b.post(path, b.seen(path, change)).mustSay(t, http.StatusConflict, "总要有一位管理员")
	if err := h.store.Leave(t.Context(), east, me.ID); !errors.Is(err, desk.ErrLastAdmin) {
		t.Errorf("the last one leaves: %v", err)
	}
	if !h.shape(east).Roster.ByID(me.ID).Has(workflow.RoleAdmin) {
		t.Fatal("nobody is administrator")
	}
	other := h.people["east/committee"]
	second := other
	second.Roles = append(slices.Clone(other.Roles), workflow.Role{Kind: workflow.RoleAdmin})
	h.must(h.store.ChangePerson(t.Context(), other, second))
	if a := b.post(path, b.seen(path, change)); a.status != http.StatusSeeOther {
		t.Errorf("one of two: %d %s", a.status, a.body)
	}
}

func TestTheStaffIsKept(t *testing.T) {
	h := newHouse(t)
	worker := h.people["east/worker"]
	path := "/c/east/admin/people/" + itoa(int64(worker.ID))
	b := h.as("east/admin")
	b.get(path).mustSay(t, http.StatusOK, "秦霞", "but not", worker.Phone)
	b.post(path+"/phone", nil).mustSay(t, http.StatusOK, worker.Phone)
	b.post(path, b.seen(path, url.Values{"name": {"秦"}, "kind": {"worker"}, "grid": {"G1"}})).mustSay(t, http.StatusUnprocessableEntity, "姓名要")
	b.post(path, b.seen(path, url.Values{"name": {"秦霞"}, "kind": {"worker"}, "grid": {"G9"}})).mustSay(t, http.StatusUnprocessableEntity, "没填对")
	b.post(path, b.seen(path, url.Values{"name": {"秦霞"}, "kind": {"emperor"}})).mustSay(t, http.StatusUnprocessableEntity)
	if a := b.post(path, b.seen(path, url.Values{"name": {"秦小霞"}, "kind": {"worker"}, "grid": {"G1"}, "full_time": {"yes"}, "skills": {"水电、门锁"}})); a.status != http.StatusSeeOther {
		t.Fatalf("changing: %d %s", a.status, a.body)
	}
	shape, _ := h.desk.Shape(east)
	if p := shape.Roster.ByID(worker.ID); p.Name != "秦小霞" || p.Phone != worker.Phone || p.OpenID != worker.OpenID || len(p.Roles[0].Skills) != 2 {
		t.Errorf("changed to %+v", p)
	}
	b.post(path+"/code", nil).mustSay(t, http.StatusOK, "绑定 ")

	handled := h.as("east/worker")
	if a := b.post(path+"/leave", nil); a.status != http.StatusSeeOther {
		t.Fatalf("leaving: %d %s", a.status, a.body)
	}
	if a := handled.get("/c/east/work"); a.status != http.StatusSeeOther {
		t.Errorf("who left is still logged in: %d", a.status)
	}
	if a := b.post("/c/east/admin/people/"+itoa(int64(h.people["east/admin"].ID))+"/leave", nil); a.status != http.StatusForbidden {
		t.Errorf("an administrator takes themselves from the staff: %d", a.status)
	}
	if a := b.get("/c/east/admin/people/" + itoa(int64(h.people["west/worker"].ID))); a.status != http.StatusNotFound {
		t.Errorf("another community's staff is shown: %d", a.status)
	}
	if a := b.post("/c/east/admin/people/new", url.Values{"name": {"新来的"}, "kind": {"volunteer"}, "team": {"先锋队"}, "phone": {"13800138000"}}); a.status != http.StatusSeeOther {
		t.Errorf("adding: %d %s", a.status, a.body)
	}
	b.get("/c/east/admin/people").mustSay(t, http.StatusOK, "新来的", "先锋队", "but not", "13800138000")
	if got := strings.Join(h.logged(east), " "); !strings.Contains(got, "phone.look") || !strings.Contains(got, "people.change people.code") || !strings.Contains(got, "people.leave") {
		t.Errorf("the audit log says %s", got)
	}
	b.get("/c/east/admin/audit").mustSay(t, http.StatusOK, "办离岗", "查看电话")
}

func TestTheRulesAreTried(t *testing.T) {
	h := newHouse(t)
	b := h.tab("east/admin", browsertest.DeskWidth, browsertest.DeskHeight)
	b.Go(h.url + "/c/east/admin/try")
	b.Do("try", chromedp.SendKeys(chromedp.CSS("#text"), "东园1号楼楼道灯不亮了"), browsertest.Presses("试一试"), browsertest.Says("会这样办"), browsertest.Says("秦霞"))
	b.Picture("admin-try-answer")
}
