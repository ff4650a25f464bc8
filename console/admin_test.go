package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

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
	b.post(path, form("1", `"1"`, "yes")).mustSay(t, http.StatusConflict, "别人改过")
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

func TestACommunitysOwnWords(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	path := "/c/east/admin/words/consult"
	b.post(path, url.Values{"text": {"请打 {{.Hotline}} 问问。"}}).mustSay(t, http.StatusOK, "请打 0531-5550100 问问。")
	b.post(path, url.Values{"text": {"请打 {{.Hotline"}}).mustSay(t, http.StatusUnprocessableEntity, "role=\"alert\"")
	if a := b.post(path, url.Values{"text": {"请打 {{.Hotline}} 问问。"}, "agreed": {"yes"}}); a.to() != "/c/east/admin/words?said=applied" {
		t.Errorf("keeping it leads to %d %s", a.status, a.to())
	}
	shape, _ := h.desk.Shape(east)
	if shape.Community.Wording["consult"] != "请打 {{.Hotline}} 问问。" {
		t.Errorf("own words: %v", shape.Community.Wording)
	}
	if a := b.post(path, url.Values{"text": {""}, "agreed": {"yes"}}); a.status != http.StatusSeeOther {
		t.Errorf("taking it back: %d", a.status)
	}
	if shape, _ = h.desk.Shape(east); len(shape.Community.Wording) != 0 {
		t.Errorf("own words after they were taken back: %v", shape.Community.Wording)
	}
}

func TestTheStaffIsKept(t *testing.T) {
	h := newHouse(t)
	worker := h.people["east/worker"]
	path := "/c/east/admin/people/" + itoa(int64(worker.ID))
	b := h.as("east/admin")
	b.get(path).mustSay(t, http.StatusOK, "秦霞", "but not", worker.Phone)
	b.post(path+"/phone", nil).mustSay(t, http.StatusOK, worker.Phone)
	b.post(path, url.Values{"name": {"秦"}, "kind": {"worker"}}).mustSay(t, http.StatusUnprocessableEntity, "姓名要")
	b.post(path, url.Values{"name": {"秦霞"}, "kind": {"worker"}, "grid": {"G9"}}).mustSay(t, http.StatusUnprocessableEntity, "没填对")
	b.post(path, url.Values{"name": {"秦霞"}, "kind": {"emperor"}}).mustSay(t, http.StatusUnprocessableEntity)
	if a := b.post(path, url.Values{"name": {"秦小霞"}, "kind": {"worker"}, "grid": {"G1"}, "full_time": {"yes"}, "skills": {"水电、门锁"}}); a.status != http.StatusSeeOther {
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
