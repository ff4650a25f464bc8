package console

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
)

// Photos stand with what they show: how it was under the matter, how it is under the
// result, the others at their step.
func TestPhotosStandWithWhatTheyShow(t *testing.T) {
	h := newHouse(t)
	worker := h.people["east/worker"]
	by := func(id string, p workflow.Person) []workflow.Media {
		return []workflow.Media{{ID: id, Type: "image", By: p.ID}}
	}
	ticket := h.file(east, "楼道灯不亮了", func(c *workflow.Command) { c.Media = by("before", h.people["east/resident"]) })
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(worker)},
		workflow.Command{Name: workflow.CmdNote, Actor: workflow.By(worker), Text: "正在换", Media: by("halfway", worker)},
		workflow.Command{Name: workflow.CmdResolve, Actor: workflow.By(worker), Text: "换好了", Media: by("after", worker)})
	for who, path := range map[string]string{"worker": "t/", "resident": "my/"} {
		page := h.as("east/" + who).get("/c/east/" + path + number(ticket))
		matter, rest, ok := strings.Cut(page.body, "办结照片</dt>")
		if !ok {
			t.Fatalf("%s: no photos of the result: %s", who, page.body)
		}
		result, story, _ := strings.Cut(rest, "经过")
		for id, at := range map[string]string{"before": matter, "after": result, "halfway": story} {
			if !strings.Contains(at, "media/"+id) || strings.Count(page.body, `<img src="/c/east/media/`+id) != 1 {
				t.Errorf("%s: %s stands elsewhere: %s", who, id, page.body)
			}
		}
	}
}

// Two matters of other categories or in other buildings are merged only by who has seen
// that: what the other one is stands on the page. A wish and an incident never are.
func TestUnlikeMattersAreMergedOnlyIfMeant(t *testing.T) {
	h := newHouse(t)
	light := h.file(east, "楼道灯不亮了")
	trash := h.file(east, "垃圾没人清", func(c *workflow.Command) { c.Category = "sanitation" })
	far := h.file(east, "二号楼也不亮", func(c *workflow.Command) { c.Place.Building = 2 })
	wish := h.file(east, "想要一台轮椅", func(c *workflow.Command) { c.Kind, c.Category, c.Severity = workflow.Wish, "elderly", workflow.Major })
	b := h.as("east/committee")
	at := "/c/east/t/" + number(light)
	merge := func(into workflow.Ticket, more ...string) answer {
		return b.post(at+"/do/merge", b.form(at, append([]string{"into", number(into)}, more...)...))
	}
	merge(trash).mustSay(t, http.StatusUnprocessableEntity, "垃圾没人清", "确实是同一件")
	merge(far).mustSay(t, http.StatusUnprocessableEntity, "二号楼也不亮", "确实是同一件")
	if a := merge(wish, "same", "yes"); a.status == http.StatusSeeOther || !strings.Contains(a.body, "一件是诉求,一件是心愿") {
		t.Errorf("a light into a wish: %d %s", a.status, a.body)
	}
	if a := merge(far, "same", "yes"); a.status != http.StatusSeeOther {
		t.Errorf("meant: %d %s", a.status, a.body)
	}
}

// Every form that is refused comes back on its own page as it was sent, with what is
// wrong beside the field.
func TestARefusedFormComesBackAsItWasSent(t *testing.T) {
	h := newHouse(t)
	ticket, other := h.file(east, "楼道灯不亮了"), h.file(east, "水管漏了")
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker})
	my, at := "/c/east/my/"+number(ticket), "/c/east/t/"+number(ticket)
	long := strings.Repeat("长", mostOf["words"]+1)
	const invalid = `aria-invalid="true" aria-describedby="refused" autofocus=""`
	for name, c := range map[string]struct {
		who, page, to string
		form          []string
		status        int
		says          []string
	}{
		"nothing to add":          {"resident", my, my + "/add", []string{"words", " "}, 422, []string{"请写一句话再发送", `name="words" maxlength="1000" placeholder="想到什么就说什么" ` + invalid}},
		"too long to add":         {"resident", my, my + "/add", []string{"words", long}, 422, []string{long, "最多写 1000 个字"}},
		"a round nowhere":         {"volunteer", "/c/east/rounds", "/c/east/rounds", []string{"kind", "patrol", "outcome", "found", "words", "井盖破了"}, 422, []string{">井盖破了</textarea>", `value="found" checked=""`, "请写清在哪儿", `name="building" inputmode="numeric" ` + invalid}},
		"a round in no building":  {"volunteer", "/c/east/rounds", "/c/east/rounds", []string{"kind", "visit", "outcome", "found", "words", "井盖破了", "estate", "东园", "building", "9"}, 422, []string{">井盖破了</textarea>", `value="visit" checked=""`, "东园没有这栋楼", `<option selected="">东园</option>`, `value="9" ` + invalid}},
		"resolved without a word": {"worker", at, at + "/do/resolve", []string{"words", ""}, 422, []string{"请写一句话再发送", `id="resolve" name="words" maxlength="1000" rows="2" ` + invalid}},
		"merged into nothing":     {"committee", at, at + "/do/merge", []string{"into", "九千"}, 422, []string{`value="九千" ` + invalid, "请写另一件的编号"}},
		"merged into none":        {"committee", at, at + "/do/merge", []string{"into", "9999"}, 422, []string{`value="9999" ` + invalid, "没有 9999 号"}},
		"a clock":                 {"admin", parts0 + "clocks", parts0 + "clocks/form", []string{"on", "1", "minor.response", "半天吧", "tray", "3小时"}, 422, []string{`value="半天吧" ` + invalid, "时间没看懂", `value="3小时"`}},
		"a member":                {"admin", "/c/east/admin/people/new", "/c/east/admin/people/new", []string{"name", "王", "kind", "worker", "grid", "G2", "skills", "水暖"}, 422, []string{"姓名要 2 到 20 个字", `value="水暖"`, `<option value="G2" selected="">`, `<option value="worker" selected="">`}},
		"own data":                {"resident", "/c/east/me", "/c/east/me", []string{"name", "孙大娘", "phone", "123"}, 422, []string{`value="孙大娘"`, `value="123"`, "电话请写"}},
		"nothing of own data":     {"resident", "/c/east/me", "/c/east/me", nil, 422, []string{"还没有填要改的"}},
		"no building":             {"resident", "/c/east/me", "/c/east/me", []string{"estate", "东园", "unit", "2"}, 422, []string{"请写几号楼"}},
		"a text":                  {"admin", "/c/east/admin/words/unknown_type", "/c/east/admin/words/unknown_type", []string{"text", "看不懂{{.Nobody}}"}, 422, []string{"看不懂{{.Nobody}}</textarea>", `id="refused"`}},
		"a verdict twice":         {"resident", my, my + "/reopen", []string{"words", "没修好"}, 409, []string{`id="refused"`}},
	} {
		b := h.as("east/" + c.who)
		a := b.post(c.to, b.form(c.page, c.form...))
		a.mustSay(t, c.status, append(c.says, "but not", `data-page="refused"`, "<h1>没有办成</h1>")...)
		if t.Failed() {
			t.Fatalf("%s: %s", name, a.body)
		}
	}
	for _, n := range []int64{ticket.Number, other.Number} {
		if got, err := h.store.Ticket(t.Context(), east, n); err != nil || got.State != workflow.Accepted && got.State != workflow.Assigned {
			t.Errorf("%d is %s (%v)", n, got.State, err)
		}
	}
	b := h.as("east/resident")
	form := b.form(my, "words", "")
	form.Set("by", "1001") // another's page
	b.post(my+"/add", form).mustSay(t, 422, "没有办成")
	form.Set("at", "https://evil.example/c/east/my")
	b.post(my+"/add", form).mustSay(t, 422, "没有办成", "but not", "evil")
	form = b.form(my, "words", "还是不亮")
	form.Set("at", "/c/east/live")
	form.Set("rating", "")
	b.post(my+"/rate", form).mustSay(t, 422, "没有办成", "您刚才写的", "还是不亮")
}

// A refused form's page has the address of the page on which the form stands: one goes
// back to it, reads it anew, and follows on it what changes.
func TestARefusedFormsPageIsFoundAgain(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker})
	at := "/c/east/my/" + number(ticket)
	b := h.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + at)
	refused := []browsertest.Step{browsertest.Fills("words", " "), browsertest.Presses("发送"), browsertest.Says("请写一句话再发送")}
	here := `location.pathname === "` + at + `" && document.body.dataset.page === "my_ticket"`
	b.Do("refused", refused...)
	b.Holds(here)
	b.Do("read anew", chromedp.Reload(), chromedp.WaitReady(chromedp.CSS(`body:not([data-address])`)))
	b.Holds(here)
	b.Do("refused again", refused...)
	b.Do("elsewhere and back", chromedp.Navigate(h.url+"/c/east/wall"), chromedp.WaitReady(chromedp.CSS(`body[data-page=wall]`)), chromedp.NavigateBack(), chromedp.WaitReady(chromedp.CSS(`body[data-page=my_ticket]`)))
	b.Holds(here)
	b.Do("refused once more", append(refused, browsertest.Follows())...)
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "灯换好了"})
	b.Do("told", browsertest.Presses("有新变化,点这里刷新"), browsertest.Says("办得怎么样?"))
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdRate, Actor: workflow.By(h.people["east/resident"]), Rating: workflow.Satisfied})
	b.Do("followed", chromedp.WaitNotPresent(`//main//*[contains(text(),"办得怎么样?")]`))
	b.Usable()
}

// The rows of a table come back each in its place.
func TestRefusedRowsComeBackInTheirPlaces(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	for wrong, says := range map[string]string{
		"东园3-4":           "「东园3-4」没看懂,请写成「小区名:几-几」",
		"西园:1-2":          "没有叫「西园」的小区",
		"东园:3-9":          "没有「东园:3-9」这些楼",
		"东园:2-4":          "东园 2号楼已经归别的网格了",
		"东园:3-4,东园:七号到八号": "「东园:七号到八号」没看懂",
	} {
		form := b.form(parts0+"grids", "on", "1")
		for field, values := range map[string][]string{"code": {"", "G1", "G2"}, "name": {"空的", "第一网格", "新名字"}, "kind": {"residential", "residential", "special"}, "buildings": {"", "东园:1-2", wrong}} {
			form[field] = values
		}
		a := b.post(parts0+"grids/form", form)
		a.mustSay(t, 422, says, `value="新名字"`, `value="`+wrong+`"`, "没有改", `<option value="special" selected="">`, "小区名:从几-到几", "东园:1-4")
		_, after, _ := strings.Cut(a.body, `value="`+wrong+`"`)
		if !strings.HasPrefix(after, ` aria-invalid="true"`) {
			t.Errorf("%s: the field is not marked: %.200s", wrong, after)
		}
	}
	form := b.form(parts0+"grids", "on", "1")
	form["code"], form["name"], form["kind"], form["buildings"] = []string{"G1", "G2", ""}, []string{"第一网格", "第二网格", ""}, []string{"residential", "residential", "residential"}, []string{"东园：1到3号楼", "东园:4栋；", ""}
	preview := b.post(parts0+"grids/form", form)
	preview.mustSay(t, 200, "改成:第一网格:东园:1-3", `value="东园:1-3"`) // the form, not its text alone
	b.agree("grids", preview)
	if a := b.agree("grids", preview); a.to() != "/c/east/admin/community?said=applied" {
		t.Errorf("agreed to twice: %d %.300s", a.status, a.body)
	}
	if got := h.shape(east).Community.Grids; got[0].Buildings != "东园:1-3" || got[1].Buildings != "东园:4" {
		t.Errorf("the grids are %+v", got)
	}
	stale := b.form(parts0+"hotline", "on", "1", "value", "0531-7654321")
	b.post(parts0+"hotline/form", stale).mustSay(t, 409, "刚才有别人改过设置", `value="0531-7654321"`, `name="on" value="2"`)
}

// Who was logged out meanwhile finds what they wrote after logging in again; nobody
// else does.
func TestWhatWasTypedOutlivesTheSession(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	my := "/c/east/my/" + number(ticket)
	login := func(b *browser, who string) {
		link, err := Links{Record: h.store, PublicURL: h.url, Clock: h.clock}.LoginLink(t.Context(), east, h.people[who].ID, "")
		h.must(err)
		b.post(strings.TrimPrefix(link, h.url), nil)
	}
	b := h.as("east/resident")
	form := b.form(my, "words", "灯泡昨晚又灭了", "csrf", b.sign(my))
	h.clock.Advance(13 * time.Hour)
	b.post(my+"/add", form).mustSay(t, 401, "登录过期了", "您刚才写的", "灯泡昨晚又灭了", "/c/east/login?next="+url.QueryEscape(my))
	login(b, "east/neighbour") // of the same telephone
	b.get(my)
	if a := b.get("/c/east/my"); strings.Contains(a.body, "灯泡昨晚又灭了") {
		t.Error("another sees it")
	}
	b.post("/c/east/logout", nil)
	login(b, "east/resident")
	b.get("/c/east/my").mustSay(t, 200, "but not", "灯泡昨晚又灭了")
	b.get(my).mustSay(t, 200, ">灯泡昨晚又灭了</textarea>", "您刚才写的还在这里")
	again := b.form(my, "words", "灯泡昨晚又灭了")
	if a := b.post(my+"/add", again); a.to() != my+"?said=added" {
		t.Fatalf("sent again: %d %s", a.status, a.body)
	}
	b.get(my).mustSay(t, 200, "but not", "您刚才写的还在这里")

	// With photos too, of which the words are kept.
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, field := range [][2]string{{"csrf", b.sign(my)}, {"at", my}, {"by", itoa(int64(h.people["east/resident"].ID))}, {"once", newToken()}, {"words", "看照片"}} {
		h.must(w.WriteField(field[0], field[1]))
	}
	part, err := w.CreateFormFile("photos", "a.jpg")
	h.must(err)
	data, err := os.ReadFile(photo(t))
	h.must(err)
	_, err = part.Write(append(data, make([]byte, 1<<20)...))
	h.must(errors.Join(err, w.Close()))
	h.clock.Advance(13 * time.Hour)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+my+"/add", &body)
	h.must(err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	b.do(req).mustSay(t, 401, "登录过期了", "看照片")
	login(b, "east/resident")
	b.get(my).mustSay(t, 200, ">看照片</textarea>")

	// Logged in again in another tab: the form is of a session that is no more.
	old := b.form(my, "words", "第三回", "csrf", "of-another-session")
	b.post(my+"/add", old).mustSay(t, 403, ">第三回</textarea>", "您重新登录过")
}

// The same form twice is done once, one after the other and at the same moment, and
// both lead to what it made.
func TestAFormSentTwiceIsDoneOnce(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker})
	my, at := "/c/east/my/"+number(ticket), "/c/east/t/"+number(ticket)
	events := func() int {
		all, err := h.store.Events(t.Context(), east, ticket.Number)
		h.must(err)
		return len(all)
	}
	for _, c := range []struct {
		who, page, to string
		form          []string
	}{
		{"resident", my, my + "/add", []string{"words", "二楼也不亮"}},
		{"resident", my, my + "/urge", nil},
		{"worker", at, at + "/do/note", []string{"words", "明天来修"}},
		{"worker", at, at + "/do/call", []string{"words", "扶梯子", "to", itoa(int64(h.people["east/property"].ID))}},
		{"worker", at, at + "/do/resolve", []string{"words", "换好了"}},
		{"resident", my, my + "/rate", []string{"rating", "satisfied"}},
		{"worker", "/c/east/behalf", "/c/east/behalf", []string{"name", "买买提·阿不都热依木", "words", "井盖坏了", "estate", "东园", "building", "1"}},
		{"worker", "/c/east/rounds", "/c/east/rounds", []string{"kind", "patrol", "outcome", "found", "words", "垃圾没清", "estate", "东园", "building", "2"}},
		{"admin", "/c/east/admin/people/new", "/c/east/admin/people/new", []string{"name", "新来的", "kind", "worker", "grid", "G1"}},
	} {
		b := h.as("east/" + c.who)
		form := b.form(c.page, c.form...)
		form.Set("csrf", b.sign(c.to))
		answers := make([]answer, 3)
		var taps sync.WaitGroup
		for i := range answers[:2] {
			taps.Go(func() { answers[i] = b.post(c.to, form) })
		}
		taps.Wait()
		n := events()
		answers[2] = b.post(c.to, form)
		for _, a := range answers {
			if a.status != http.StatusSeeOther || a.to() != answers[0].to() {
				t.Errorf("%s: %d to %q, the first to %q: %.1500s", c.to, a.status, a.to(), answers[0].to(), a.body)
			}
		}
		if events() != n {
			t.Errorf("%s: the third does something", c.to)
		}
		if c.form != nil && c.form[0] == "words" && strings.HasSuffix(c.to, "note") {
			form.Set("words", "后天来修")
			if b.post(c.to, form); events() == n {
				t.Error("written anew it is not told")
			}
		}
	}
	for name, want := range map[string]int{"新来的": 1, "秦霞": 1} {
		n := 0
		for _, p := range h.shape(east).Roster {
			if p.Name == name {
				n++
			}
		}
		if n != want {
			t.Errorf("%s is there %d times", name, n)
		}
	}
	all, err := h.store.Residents(t.Context(), east, "买买提·阿不都热依木", "")
	h.must(err)
	if filed, err := h.store.Reported(t.Context(), east, all[0].ID, true, 9); err != nil || len(all) != 1 || len(filed) != 1 {
		t.Errorf("on behalf: %d people, %d matters (%v)", len(all), len(filed), err)
	}
	if n, err := h.store.Messages(t.Context(), east, h.clock.Now().Add(-time.Hour), h.clock.Now().Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("forms count as messages of people: %d (%v)", n, err) // the entry is one
	}
}

// Back in the browser, and sent again: it is there once.
func TestGoingBackFilesOnce(t *testing.T) {
	h := newHouse(t)
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		tab := h.tab("east/worker", size[0], size[1])
		tab.Go(h.url + "/c/east/behalf")
		write := []browsertest.Step{
			chromedp.SetValue(chromedp.CSS("#name"), "王桂英"), chromedp.SetValue(chromedp.CSS("#words"), "家里没暖气了 "+name),
			chromedp.SetValue(chromedp.CSS("#p-estate"), "东园"), chromedp.SetValue(chromedp.CSS("#p-building"), "77"), browsertest.Presses("登记"), browsertest.Says("东园没有这栋楼"),
		}
		tab.Do("in a building that is none", write...)
		tab.FitsItsWidth()
		tab.Usable()
		tab.Picture("refused-" + name)
		tab.Go(h.url + "/c/east/behalf")
		write[3] = chromedp.SetValue(chromedp.CSS("#p-building"), "1")
		write[5] = browsertest.Says("已替居民登记")
		tab.Do("in one that is", write...)
		first, err := chromedp.Run(tab.Context, chromedp.Evaluate[string](`location.pathname`))
		h.must(err)
		tab.Do("back", chromedp.NavigateBack(), chromedp.WaitReady(chromedp.CSS(`body[data-page=behalf]`)))
		tab.Do("and again", write...)
		second, err := chromedp.Run(tab.Context, chromedp.Evaluate[string](`location.pathname`))
		if h.must(err); first != second || !strings.HasPrefix(first, "/c/east/t/") {
			t.Errorf("the second leads to %s, the first to %s", second, first)
		}
	}
}

// What is not there is said in our look, with a way home.
func TestUnknownPagesLeadHome(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/resident")
	for path, c := range map[string]struct {
		status int
		says   []string
	}{
		"/c/east/nothing":     {404, []string{"没有这一页", "东社区心愿台", `href="/c/east/"`, "我的事项"}},
		"/c/east/my/1/urge":   {405, []string{"不能直接打开", `href="/c/east/"`}},
		"/c/nowhere/my":       {404, []string{"没有", "心愿台", `href="/"`}},
		"/c/":                 {404, []string{"没有这一页", `href="/"`}},
		"/c/east/my/99999999": {404, []string{"没有这一页", `href="/c/east/"`}},
	} {
		a := b.get(path)
		a.mustSay(t, c.status, append(c.says, `data-page="refused"`, "desk.")...)
		if t.Failed() {
			t.Fatalf("%s: %s", path, a.body)
		}
	}
	b.post("/c/east/me", url.Values{"name": {strings.Repeat("长", bodyLimit)}}).mustSay(t, 413, `data-page="refused"`, `href="/c/east/"`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/c/east/me", nil)
	h.must(err)
	req.Header.Set("Origin", "https://evil.example")
	b.do(req).mustSay(t, 403, `data-page="refused"`)
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		tab := h.tab("east/resident", size[0], size[1])
		tab.Do("nowhere", chromedp.Navigate(h.url+"/c/east/nothing"), browsertest.Says("没有这一页"))
		tab.Usable()
		tab.FitsItsWidth()
		tab.Picture("nowhere-" + name)
	}
}

// Only whose matter it is is asked how it was.
func TestStaffAreNotAskedForTheVerdict(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "好了"})
	h.as("east/worker").get("/c/east/work").mustSay(t, 200, "等居民评价", "but not", "等您评价")
	h.as("east/committee").get("/c/east/t/"+number(ticket)).mustSay(t, 200, "等居民评价", "but not", "等您评价")
	h.as("east/resident").get("/c/east/my").mustSay(t, 200, "等您评价")
}
