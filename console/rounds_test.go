package console

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// ownIn are the hidden fields of the forms that a page brings.
var ownIn = regexp.MustCompile(`name="at" value="([^"]+)"/?><input type="hidden" name="by" value="([^"]+)"/?><input type="hidden" name="once" value="([^"]+)"`)

// form is what a page's form sends: where it stands, whose it is, its own name, and
// what is filled in.
func (b *browser) form(path string, fields ...string) url.Values {
	b.t.Helper()
	m := ownIn.FindStringSubmatch(html.UnescapeString(b.get(path).body))
	if m == nil {
		b.t.Fatalf("%s has no form", path)
	}
	v := url.Values{"at": {m[1]}, "by": {m[2]}, "once": {m[3]}}
	for pair := range slices.Chunk(fields, 2) {
		v.Set(pair[0], pair[1])
	}
	return v
}

// care puts somebody on the care list of a community.
func (h *house) care(code, name, grid string, building int) workflow.Care {
	h.t.Helper()
	c := workflow.Care{
		Community: code, Name: name, Phone: "13900001111", Kind: workflow.LivingAlone, Note: "腿脚不便", Every: 14,
		Place: workflow.Place{Estate: "东园", Building: building, Unit: 1, Room: "101", Grid: grid}, NextVisit: h.clock.Now().Add(-time.Hour),
	}
	_, err := h.store.PutCare(h.t.Context(), c)
	h.must(err)
	found, err := h.store.CareNamed(h.t.Context(), code, name)
	h.must(err)
	return found[0]
}

func TestAPatrolAndWhatItFinds(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/worker")
	const path = "/c/east/rounds"
	rounds := func(who string) []workflow.Round {
		all, err := h.store.RoundsBy(t.Context(), east, h.people["east/"+who].ID, 50)
		h.must(err)
		return all
	}
	if a := b.post(path, b.form(path, "kind", "patrol", "outcome", "well")); a.to() != path+"?said=round.well" {
		t.Fatalf("all is well: %d %s", a.status, a.body)
	}
	if all := rounds("worker"); len(all) != 1 || all[0].Text != "一切正常" || all[0].Place.Grid != "G1" || all[0].Number != 0 {
		t.Errorf("the patrol: %+v", all)
	}

	h.clock.Advance(time.Minute)
	found := b.form(path, "kind", "patrol", "outcome", "found", "words", "楼道灯不亮", "estate", "东园", "building", "2")
	for range 2 { // the same form twice is one
		if a := b.post(path, found); a.to() != path+"?said=round.found" {
			t.Fatalf("found: %d %s", a.status, a.body)
		}
	}
	all := rounds("worker")
	if len(all) != 2 || all[0].Number == 0 {
		t.Fatalf("after a find: %+v", all)
	}
	ticket, err := h.store.Ticket(t.Context(), east, all[0].Number)
	if h.must(err); ticket.Source != workflow.SourcePatrol || ticket.Reporter != 0 || ticket.Place.Building != 2 || ticket.Category != "facilities" || ticket.Owner == 0 {
		t.Errorf("what was found: %+v", ticket)
	}
	b.get(path).mustSay(t, http.StatusOK, "楼道灯不亮", "登记为 "+number(ticket)+" 号")

	// A worker is not asked again: what they found is the likeliest, not nothing.
	h.clock.Advance(time.Minute)
	if a := b.post(path, b.form(path, "kind", "visit", "outcome", "found", "words", "老人说水管漏水", "estate", "东园", "building", "2")); a.to() != path+"?said=round.found" {
		t.Fatalf("found: %d %s", a.status, a.body)
	}
	if ticket, err = h.store.Ticket(t.Context(), east, rounds("worker")[0].Number); err != nil || ticket.Category != "utilities" {
		t.Errorf("a pipe that leaks is %s (%v)", ticket.Category, err)
	}

	h.clock.Advance(time.Minute)
	if a := b.post(path, b.form(path, "kind", "patrol", "outcome", "fixed", "words", "楼道堆了纸箱,当场清走了", "estate", "东园", "building", "1")); a.to() != path+"?said=round.fixed" {
		t.Fatalf("fixed: %d %s", a.status, a.body)
	}
	if ticket, err = h.store.Ticket(t.Context(), east, rounds("worker")[0].Number); err != nil || ticket.State != workflow.Closed || ticket.Owner != h.people["east/worker"].ID {
		t.Errorf("what was fixed is %s with %d (%v)", ticket.State, ticket.Owner, err)
	}

	before := len(rounds("worker"))
	for name, bad := range map[string]struct {
		form   url.Values
		status int
	}{
		"no words":      {b.form(path, "kind", "patrol", "outcome", "found", "estate", "东园", "building", "2"), http.StatusUnprocessableEntity},
		"no such house": {b.form(path, "kind", "patrol", "outcome", "found", "words", "灯坏了", "estate", "东园", "building", "99"), http.StatusUnprocessableEntity},
		"no outcome":    {b.form(path, "kind", "patrol", "words", "灯坏了"), http.StatusUnprocessableEntity},
		"no kind":       {b.form(path, "outcome", "well"), http.StatusUnprocessableEntity},
		"no name":       {url.Values{"kind": {"patrol"}, "outcome": {"well"}, "once": {""}}, http.StatusUnprocessableEntity},
	} {
		if a := b.post(path, bad.form); a.status != bad.status {
			t.Errorf("%s: %d, want %d", name, a.status, bad.status)
		}
	}
	if len(rounds("worker")) != before {
		t.Error("a bad form is recorded")
	}

	v := h.as("east/volunteer")
	v.get(path).mustSay(t, http.StatusOK, "一切正常", "but not", "当场办好了", "要走访的")
	if a := v.post(path, v.form(path, "kind", "patrol", "outcome", "fixed", "words", "清走了", "estate", "东园", "building", "1")); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a volunteer fixes: %d", a.status)
	}
	v.post(path, v.form(path, "kind", "patrol", "outcome", "found", "words", "有人乱停车")).mustSay(t, http.StatusUnprocessableEntity, "在哪儿")
	h.as("east/leader").get(path).mustSay(t, http.StatusOK, "网格里最近七天", "秦霞")
}

func TestVisitsOfTheCareList(t *testing.T) {
	h := newHouse(t)
	own, other := h.care(east, "王桂英", "G1", 1), h.care(east, "李老汉", "G2", 3)
	b := h.as("east/worker")
	const path = "/c/east/rounds"
	b.get(path).mustSay(t, http.StatusOK, "王桂英", "该去了", "腿脚不便", "139****1111", "but not", "李老汉", "13900001111")
	b.post(path+"/"+itoa(own.ID)+"/phone", nil).mustSay(t, http.StatusOK, "13900001111")
	if a := b.post(path+"/"+itoa(other.ID)+"/phone", nil); a.status != http.StatusNotFound {
		t.Errorf("another grid's telephone number: %d", a.status)
	}
	if a := b.post(path, b.form(path, "kind", "visit", "outcome", "well", "words", "身体挺好", "care", itoa(other.ID))); a.status != http.StatusNotFound {
		t.Errorf("a visit of another grid's: %d", a.status)
	}
	if a := b.post(path, b.form(path, "kind", "visit", "outcome", "well", "words", "身体挺好", "care", itoa(own.ID))); a.status != http.StatusSeeOther {
		t.Fatalf("a visit: %d %s", a.status, a.body)
	}
	visited, err := h.store.CareNamed(t.Context(), east, "王桂英")
	if h.must(err); !visited[0].NextVisit.Equal(h.clock.Now().AddDate(0, 0, 14)) {
		t.Errorf("the next visit is %s", visited[0].NextVisit)
	}
	b.get(path).mustSay(t, http.StatusOK, "走访 王桂英", "身体挺好", "but not", "该去了")
	if got := strings.Join(h.logged(east), " "); !strings.Contains(got, "care.look phone.look") {
		t.Errorf("the audit log says %s", got)
	}

	h.care(east, "赵大娘", "G1", 2)
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		tab := h.tab("east/worker", size[0], size[1])
		tab.Go(h.url + path)
		tab.FitsItsWidth()
		tab.Picture("rounds-" + name)
	}
}

func TestFilingForSomebody(t *testing.T) {
	h := newHouse(t)
	const path = "/c/east/behalf"
	b := h.as("east/worker")
	b.post(path, b.form(path, "name", "王桂英", "words", "楼道灯不亮了")).mustSay(t, http.StatusUnprocessableEntity, "请写清在哪儿", "王桂英", "楼道灯不亮了")
	b.post(path, b.form(path, "name", "王桂英", "phone", "123", "words", "灯不亮", "estate", "东园", "building", "1")).mustSay(t, http.StatusUnprocessableEntity, "电话请写")
	form := b.form(path, "name", "王桂英", "phone", "139 0000 2222", "words", "楼道灯不亮了", "estate", "东园", "building", "1", "unit", "2", "room", "301")
	to := b.post(path, form).to()
	if !strings.Contains(to, "said=filed_behalf") {
		t.Fatalf("filing leads to %q", to)
	}
	if again := b.post(path, form).to(); again != to {
		t.Errorf("the same form again leads to %q", again)
	}
	known, err := h.store.Residents(t.Context(), east, "王桂英", "13900002222")
	if h.must(err); len(known) != 1 || known[0].Home.Room != "301" {
		t.Fatalf("whom it is for: %+v", known)
	}
	all, err := h.store.Reported(t.Context(), east, known[0].ID, true, 9)
	if h.must(err); len(all) != 1 || all[0].Source != workflow.SourceBehalf || all[0].Owner == 0 {
		t.Fatalf("filed: %+v", all)
	}

	// They have no WeChat: somebody else than who did the work calls them.
	ticket := all[0]
	by := workflow.By(h.shape(east).Roster.ByID(ticket.Owner))
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: by}, workflow.Command{Name: workflow.CmdResolve, Actor: by, Text: "灯换好了"})
	at := "/c/east/t/" + number(ticket)
	if a := h.as("east/worker").post(at+"/phoned", url.Values{"rating": {"satisfied"}}); by.Person == h.people["east/worker"].ID && a.status != http.StatusForbidden {
		t.Errorf("who did the work asks: %d", a.status)
	}
	h.as("east/worker").get(at).mustSay(t, http.StatusOK, "but not", "电话回访")
	h.unreached(ticket.Number, known[0].ID)
	c := h.as("east/committee")
	c.get("/c/east/work").mustSay(t, http.StatusOK, "要打电话告诉的", "139****2222", "but not", "13900002222")
	c.post("/c/east/work/calls/"+number(ticket), nil).mustSay(t, http.StatusOK, "打 13900002222")
	c.get(at).mustSay(t, http.StatusOK, "电话回访")
	if a := c.post(at+"/phoned", url.Values{"rating": {"fair"}, "words": {"慢了点"}}); a.to() != at+"?said=did.phoned" {
		t.Fatalf("a verdict on the telephone: %d %s", a.status, a.body)
	}
	if ticket, err = h.store.Ticket(t.Context(), east, ticket.Number); err != nil || ticket.State != workflow.Closed || ticket.Rating != workflow.Fair {
		t.Errorf("it is %s, %s (%v)", ticket.State, ticket.Rating, err)
	}
	c.get("/c/east/work").mustSay(t, http.StatusOK, "but not", "要打电话告诉的")
	own := h.file(east, "2号楼灯坏了")
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, own.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "好了"})
	c.post("/c/east/t/"+number(own)+"/phoned", url.Values{"rating": {"satisfied"}}).mustSay(t, http.StatusConflict, "请他自己评价")

	tab := h.tab("east/worker", browsertest.PhoneWidth, browsertest.PhoneHeight)
	tab.Go(h.url + path)
	tab.FitsItsWidth()
	tab.Picture("behalf-phone")
	tab.Do("file", chromedp.SendKeys(chromedp.CSS("#name"), "王桂英"), chromedp.SendKeys(chromedp.CSS("#words"), "家里没暖气了"),
		chromedp.SetValue(chromedp.CSS("#p-estate"), "东园"), chromedp.SendKeys(chromedp.CSS("#p-building"), "1"), browsertest.Presses("登记"), browsertest.Says("已替居民登记"))
}

// Who writes of danger reads first whom to call, as in the chat, whatever they ticked.
func TestDangerOnAPageNamesWhomToCall(t *testing.T) {
	h := newHouse(t)
	worker, resident := h.as("east/worker"), h.as("east/resident")
	own := h.file(east, "楼道灯坏了")
	for _, tt := range []struct {
		b           *browser
		path, leads string
		form        url.Values
		call        string
	}{
		{worker, "/c/east/behalf", "/c/east/t/", url.Values{"name": {"王桂英"}, "words": {"家里着火了,有人困在里面"}, "estate": {"东园"}, "building": {"1"}}, "119"},
		{worker, "/c/east/rounds", "/c/east/rounds?said=round.found", url.Values{"kind": {"patrol"}, "outcome": {"well"}, "words": {"着火了"}}, "119"},
		{worker, "/c/east/rounds", "/c/east/rounds?said=round.found", url.Values{"kind": {"patrol"}, "outcome": {"found"}, "words": {"有人打架,动刀子了"}}, "110"},
		{resident, "/c/east/my/" + number(own) + "/add", "/c/east/my/", url.Values{"words": {"现在冒烟着火了"}}, "119"},
	} {
		a := tt.b.post(tt.path, tt.form)
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.to(), tt.leads) {
			t.Errorf("%s leads to %d %s: %s", tt.path, a.status, a.to(), a.body)
			continue
		}
		tt.b.get(a.to()).mustSay(t, http.StatusOK, "【紧急】请马上打 "+tt.call+"!人先离开危险的地方。")
	}
	a := worker.post("/c/east/rounds", url.Values{"kind": {"patrol"}, "outcome": {"well"}, "words": {"都好"}})
	worker.get(a.to()).mustSay(t, http.StatusOK, "记下了", "but not", "【紧急】")
}

// News of danger that a resident adds to a matter on its page is an emergency of its own,
// as in the chat; what goes on about an emergency belongs to it.
func TestDangerAddedOnAPageIsAnEmergency(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/resident")
	own := h.file(east, "楼道灯坏了")
	path := "/c/east/my/" + number(own)
	open := func() []workflow.Ticket {
		t.Helper()
		all, err := h.store.Reported(t.Context(), east, own.Reporter, false, 10)
		h.must(err)
		return all
	}
	b.post(path+"/add", url.Values{"words": {"灯现在一闪一闪的"}})
	if all := open(); len(all) != 1 {
		t.Fatalf("what is no danger filed %d", len(all)-1)
	}
	picture, err := os.ReadFile(photo(t))
	h.must(err)
	a := b.upload(path+"/add", picture, "楼道里着火了,快来人")
	all := open()
	if len(all) != 2 {
		t.Fatalf("a fire left %d matters: %d %s", len(all), a.status, a.body)
	}
	fire := all[0]
	if fire.Severity != workflow.Emergency || fire.Danger != "fire" || fire.Place.Building != 1 || fire.Place.Room != "" || len(fire.Media) != 1 {
		t.Errorf("the fire is %s, %s, in %s, with %d photos", fire.Severity, fire.Danger, fire.Place, len(fire.Media))
	}
	if all[1].Version != own.Version+1 {
		t.Errorf("it was added to the lamp as well")
	}
	burns := "/c/east/my/" + number(fire)
	if a.to() != burns+"?said=cried&danger=fire" {
		t.Errorf("it leads to %s", a.to())
	}
	b.get(a.to()).mustSay(t, http.StatusOK, "【紧急】请马上打 119", "已经单独登记", "紧急")
	pushes, err := h.store.PushesOf(t.Context(), east, fire.Number)
	h.must(err)
	if !slices.ContainsFunc(pushes, func(p desk.Push) bool { return p.Purpose == workflow.TellDanger }) {
		t.Errorf("nobody is told of the fire: %v", pushes)
	}
	for from, words := range map[string]string{path: "着火了,火更大了", burns: "着火了,楼上有人出不来"} {
		if a := b.post(from+"/add", url.Values{"words": {words}}); !strings.HasPrefix(a.to(), burns+"?said=") || len(open()) != 2 {
			t.Errorf("from %s it leads to %s, and leaves %d matters", from, a.to(), len(open()))
		}
	}
}

// A push that reaches nobody is a telephone call, which is ticked off.
func TestACallIsTickedOff(t *testing.T) {
	h := newHouse(t)
	made, _, err := h.desk.Enter(t.Context(), east, desk.Entry{ID: "paper", Name: "赵大爷", Phone: "13900003333", Command: workflow.Command{
		Actor: workflow.By(h.people["east/leader"]), Text: "灯坏了", Kind: workflow.Incident, Category: "facilities", Severity: workflow.Minor, Source: workflow.SourceMailbox,
		Place: workflow.Place{Estate: "东园", Building: 1, Grid: "G1"},
	}})
	h.must(err)
	worker := workflow.By(h.people["east/worker"])
	called := h.tell(east, made, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdNote, Actor: worker, Text: "明天来修"})
	h.unreached(made, called.Reporter)
	b := h.as("east/worker")
	b.get("/c/east/work").mustSay(t, http.StatusOK, "要打电话告诉的", "已告知")
	if a := h.as("east/colleague").post("/c/east/t/"+itoa(made)+"/called", nil); a.status != http.StatusNotFound {
		t.Errorf("another grid's worker ticks it off: %d", a.status)
	}
	if a := b.post("/c/east/t/"+itoa(made)+"/called", nil); a.to() != "/c/east/work?said=did.called" {
		t.Fatalf("ticked off: %d %s", a.status, a.body)
	}
	b.get("/c/east/work").mustSay(t, http.StatusOK, "but not", "要打电话告诉的")
}

func TestAPairVisits(t *testing.T) {
	h := newHouse(t)
	wish := h.file(east, "想有人常来看看", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdClaim, Actor: worker, Unit: "第一网格"})
	b := h.as("east/worker")
	at := "/c/east/t/" + number(wish)
	b.get(at).mustSay(t, http.StatusOK, "结对,定期去看看", "but not", "记下走访")
	b.post(at+"/do/pair", url.Values{"days": {"99"}}).mustSay(t, http.StatusUnprocessableEntity)
	if a := b.post(at+"/do/pair", url.Values{"days": {"14"}}); a.to() != at+"?said=did.pair" {
		t.Fatalf("pairing: %d %s", a.status, a.body)
	}
	b.get(at).mustSay(t, http.StatusOK, "每 14 天去一次", "记下走访")
	if a := b.post(at+"/do/visit", url.Values{"words": {"聊了一下午"}}); a.to() != at+"?said=did.visit" {
		t.Fatalf("a visit: %d %s", a.status, a.body)
	}
	b.get(at).mustSay(t, http.StatusOK, "聊了一下午")
}

func TestSomebodysOwnData(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/resident")
	const path = "/c/east/me"
	b.get(path).mustSay(t, http.StatusOK, "孙桂兰", "3单元", "but not", "19900000000")
	b.post(path, url.Values{"phone": {"12"}}).mustSay(t, http.StatusUnprocessableEntity, "电话请写")
	b.post(path, url.Values{"name": {"孙"}}).mustSay(t, http.StatusUnprocessableEntity, "姓名要")
	b.post(path, url.Values{"estate": {"东园"}, "building": {"9"}}).mustSay(t, http.StatusUnprocessableEntity, "东园没有这栋楼")
	if a := b.post(path, url.Values{"name": {"孙大娘"}, "phone": {"13900004444"}, "estate": {"东园"}, "building": {"3"}, "unit": {"2"}, "room": {"201"}}); a.to() != path+"?said=changed" {
		t.Fatalf("changing: %d %s", a.status, a.body)
	}
	got, err := h.store.Person(t.Context(), east, h.people["east/resident"].ID)
	if h.must(err); got.Name != "孙大娘" || got.Phone != "13900004444" || got.Home.Grid != "G2" || got.Home.Room != "201" {
		t.Errorf("they are %+v", got)
	}
	if a := h.as("east/worker").post(path, url.Values{"name": {"假名字"}, "estate": {"东园"}, "building": {"1"}}); a.status != http.StatusSeeOther {
		t.Errorf("a worker's home: %d", a.status)
	}
	if got, err = h.store.Person(t.Context(), east, h.people["east/worker"].ID); err != nil || got.Name != "秦霞" || got.Home.Building != 1 {
		t.Errorf("a worker is now %+v (%v)", got, err)
	}
	tab := h.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	tab.Go(h.url + path)
	tab.FitsItsWidth()
	tab.Picture("me-phone")
}
