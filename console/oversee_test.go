package console

import (
	"bytes"
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
)

// A committee member finds what is late, reads its story, gives it to somebody
// else, and takes the list along: by the menu and buttons alone.
func TestTheCommitteeFindsReassignsAndExports(t *testing.T) {
	h := newHouse(t)
	h.lively()
	late, err := h.store.Overdue(t.Context(), east, "", 10)
	h.must(err)
	if len(late) == 0 {
		t.Fatal("nothing is late")
	}
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		b := h.tab("east/committee", size[0], size[1])
		for _, page := range []string{"today", "overdue", "work", "search?q=%E4%BA%8B&state=open", "t/" + number(late[0])} {
			b.Go(h.url + "/c/east/" + page)
			b.FitsItsWidth()
			name := strings.NewReplacer("/", "-", "?", "-", "%", "", "&", "-", "=", "-").Replace(page) + "-" + name
			b.Picture(name)
			b.Whole(name + "-whole")
		}
	}
	b := h.tab("east/committee", browsertest.DeskWidth, browsertest.DeskHeight)
	b.Go(h.url + "/c/east/")
	b.Do("what is late", browsertest.Chooses("超时"), browsertest.Says("超时未办"))
	b.Do("open it", chromedp.Click(chromedp.CSS(`a[href$="/t/`+number(late[0])+`"]`)), browsertest.Says("经过"), browsertest.Says("没有办结"))
	b.Do("to whom", chromedp.SendKeys(chromedp.CSS("#to"), "秦霞"), browsertest.Presses("指派"), browsertest.Says("已指派"))
	after, err := h.store.Ticket(t.Context(), east, late[0].Number)
	if h.must(err); after.Owner != h.people["east/worker"].ID {
		t.Errorf("it is with %d", after.Owner)
	}
	if got := strings.Join(h.logged(east), " "); !strings.Contains(got, "ticket.look ticket.tell ticket.look") {
		t.Errorf("the audit log says %s", got)
	}

	b.Do("look for it", browsertest.Chooses("查找"), browsertest.Fills("q", number(late[0])), browsertest.Presses("查找"),
		chromedp.WaitVisible(chromedp.CSS(`#found a[href$="/t/`+number(late[0])+`"]`)))
	found := opened(t, b.Downloads("the table of what was found", browsertest.Presses("下载表格")))
	if rows, err := found.GetRows(found.GetSheetName(0)); err != nil || len(rows) < 2 || !slices.Contains(rows[1], number(late[0])) {
		t.Errorf("the table has %q (%v)", rows, err)
	}
	b.Do("the week", browsertest.Chooses("周报"), browsertest.Says("响应率"))
	if sheets := opened(t, b.Downloads("the week's table", browsertest.Presses("下载表格"))).GetSheetList(); len(sheets) < 10 {
		t.Errorf("the week has the sheets %v", sheets)
	}
}

// opened is a spreadsheet that the browser saved.
func opened(t *testing.T, data []byte) *excelize.File {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

// What nobody claimed in time is late until somebody has it, and history from then on.
func TestAnAssignedWishIsNotLateAnyMore(t *testing.T) {
	h := newHouse(t)
	wish := h.file(east, "想有人教我下棋", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	missed := func(c workflow.Clock) workflow.Ticket {
		t.Helper()
		got, err := h.store.Ticket(t.Context(), east, wish.Number)
		h.must(err)
		due, ok := got.Due[c]
		if !ok {
			t.Fatalf("%s does not run: %v", c, got.Due)
		}
		h.clock.Advance(due.Sub(h.clock.Now()))
		return h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdTick, Actor: workflow.System(), Clock: c})
	}
	at, late := "/c/east/t/"+number(wish), `href="/c/east/t/`+number(wish)+`"`
	shows := func(isLate bool) {
		t.Helper()
		b := h.as("east/committee")
		if isLate {
			b.get(at).mustSay(t, http.StatusOK, "已超时 ", "没人认领", "but not", "曾经超时")
			b.get("/c/east/overdue").mustSay(t, http.StatusOK, late)
		} else {
			b.get(at).mustSay(t, http.StatusOK, "曾经超时:没人认领", "but not", "已超时")
			b.get("/c/east/overdue").mustSay(t, http.StatusOK, "but not", late)
		}
		events, err := h.store.Events(t.Context(), east, wish.Number)
		h.must(err)
		got, err := h.store.Ticket(t.Context(), east, wish.Number)
		h.must(err)
		if again := workflow.Replay(east, wish.Number, events); got.IsLate() != isLate || !again.LateSince.Equal(got.LateSince) {
			t.Errorf("late %v since %v, by its events %v", got.IsLate(), got.LateSince, again.LateSince)
		}
	}
	missed(workflow.ClockUnclaimed)
	shows(true)
	partner := workflow.By(h.people["east/partner"])
	h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdClaim, Actor: partner, Unit: "北村小学"})
	shows(false)
	h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdReturn, Actor: partner, Text: "出差了"})
	shows(false)
	missed(workflow.ClockTray) // what has risen goes there
	shows(true)
	h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdAssign, Actor: workflow.By(h.people["east/committee"]), To: h.people["east/worker"].ID, Why: workflow.WhyByHand})
	shows(false)
	if got := missed(workflow.ClockResponse); !got.LateSince.Equal(h.clock.Now()) {
		t.Errorf("late since %v, want since the second promise was missed, %v", got.LateSince, h.clock.Now())
	}
	h.as("east/committee").get(at).mustSay(t, http.StatusOK, "没人接单", "曾经超时:没人认领")
}

// Who comes too late is told what happened, and of what is over nobody has it.
func TestTheLoserIsToldWhy(t *testing.T) {
	h := newHouse(t)
	wish := h.file(east, "想有人教我下棋", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdClaim, Actor: workflow.By(h.people["east/partner"]), Unit: "北村小学"})
	for _, who := range []string{"volunteer", "committee"} {
		h.as("east/"+who).post("/c/east/t/"+number(wish)+"/do/claim", nil).mustSay(t, http.StatusConflict, "已经有人认领了", "but not", "这一步已经办过了")
	}
	ticket := h.file(east, "楼道灯不亮了")
	worker := h.people["east/worker"]
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(worker)}, workflow.Command{Name: workflow.CmdCancel, Actor: workflow.By(h.people["east/resident"])})
	h.as("east/worker").post("/c/east/t/"+number(ticket)+"/do/resolve", url.Values{"words": {"修好了"}}).mustSay(t, http.StatusConflict, "它现在是「已撤销」", "but not", "在您手上")
}

// Who changes the category leaves the place as it is: its fields begin with it.
func TestReclassifyingKeepsTheDoor(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了", func(c *workflow.Command) { c.Place.Detail = "门口" })
	b, at := h.as("east/committee"), "/c/east/t/"+number(ticket)
	b.get(at).mustSay(t, http.StatusOK, `<option selected>东园</option>`, `name="building" inputmode="numeric" value="1"`, `name="unit" inputmode="numeric" value="3"`, `value="402"`)
	form := url.Values{"category": {"sanitation"}, "estate": {"东园"}, "building": {"1"}, "unit": {"3"}, "room": {"402"}}
	if a := b.post(at+"/do/classify", form); a.status != http.StatusSeeOther {
		t.Fatalf("classifying: %d %s", a.status, a.body)
	}
	got, err := h.store.Ticket(t.Context(), east, ticket.Number)
	if h.must(err); got.Category != "sanitation" || got.Place != ticket.Place {
		t.Errorf("it is %s at %+v, was at %+v", got.Category, got.Place, ticket.Place)
	}
	h.as("east/worker").get("/c/east/rounds").mustSay(t, http.StatusOK, "but not", `value="402"`)
}

// What cannot be looked for is said beside its field, and the rest stays.
func TestABadSearchKeepsItsForm(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/committee")
	b.get("/c/east/search?q=灯&grid=G2&from=2026-11-23&until=2026-11-20").mustSay(t, http.StatusUnprocessableEntity, `data-page="search"`, `value="灯"`, `<option value="G2" selected>`, `value="2026-11-23"`,
		`比开始的还早,请改一下。</p><input type="date" id="until" name="until" aria-invalid="true" aria-describedby="refused" value="2026-11-20"`)
	b.get("/c/east/search?q=0").mustSay(t, http.StatusUnprocessableEntity, `请再看一眼。</p><input type="search" id="q"`)
}

// An address that can be of nothing is no fault of ours.
func TestAnAddressOfNothing(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	for _, path := range []string{"/c/east/media/%00", "/c/%00/my", "/c/east/admin/words/%00", "/c/east/media/%ff"} {
		b.get(path).mustSay(t, http.StatusNotFound, "没有这一页")
	}
}

func TestSearchFindsByWhatPeopleRemember(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "三单元的楼道灯不亮了，LED 的！我的电话 13800138000")
	other := h.file(east, "垃圾没人清", func(c *workflow.Command) { c.Category, c.Place.Building, c.Place.Grid = "sanitation", 3, "G2" })
	h.file(west, "楼道灯不亮了")
	b := h.as("east/committee")
	find := func(query string, want ...string) {
		t.Helper()
		b.get("/c/east/search?"+query).mustSay(t, http.StatusOK, want...)
	}
	q := func(s string) string { return "q=" + url.QueryEscape(s) }
	find(q("楼道灯"), number(ticket)+" 号", "but not", number(other)+" 号")
	find(q(number(other)), number(other)+" 号", "but not", number(ticket)+" 号")
	find(q("孙桂兰"), number(ticket)+" 号", number(other)+" 号")
	find(q("秦霞"), number(ticket)+" 号")
	find(q("东园3号楼"), number(other)+" 号", "but not", number(ticket)+" 号")
	find(q("")+"&grid=G2", number(other)+" 号", "but not", number(ticket)+" 号")
	find(q("")+"&category=sanitation&state=open", number(other)+" 号", "but not", number(ticket)+" 号")
	find(q("游泳池"), "没有找到")
	for bad, says := range map[string]string{
		q("灯") + "&from=2026-13-01": "日期没看懂", q("灯") + "&until=tomorrow": "日期没看懂", q("灯") + "&from=2026-11-23&until=2026-11-20": "比开始的还早", q("0"): "编号从 1 开始", q("-5"): "编号从 1 开始",
		q("灯") + "&grid=G99": "这里没有", q("灯") + "&state=nowhere": "这里没有", q("灯") + "&category=none": "这里没有", q("灯") + "&before=x": "这里没有",
	} {
		b.get("/c/east/search?"+bad).mustSay(t, http.StatusUnprocessableEntity, says, "but not", `id="found"`, "下载表格")
		for _, table := range []string{"book", "names"} { // and not all there is
			if a := b.post("/c/east/search/"+table+"?"+bad, nil); a.status != http.StatusUnprocessableEntity || strings.Contains(a.header.Get("Content-Type"), "sheet") {
				t.Errorf("a table of %s: %d %s", bad, a.status, a.header.Get("Content-Type"))
			}
		}
	}
	find(q("")+"&until=2026-11-22", "没有找到")
	if got := h.logged(east); got[len(got)-1] != "search" {
		t.Errorf("a search is logged as %v", got[len(got)-1])
	}

	table := func(path string) [][]string {
		t.Helper()
		a := b.post(path, nil)
		book, err := excelize.OpenReader(bytes.NewReader([]byte(a.body)))
		h.must(err)
		defer book.Close()
		rows, err := book.GetRows("诉求和心愿")
		h.must(err)
		return rows
	}
	// The addresses are those that the page has, not our own.
	actions := regexp.MustCompile(`action="([^"]*/search/(?:book|names)[^"]*)"`).FindAllStringSubmatch(b.get("/c/east/search?"+q("楼道灯")+"&state=open").body, -1)
	if len(actions) != 2 {
		t.Fatalf("the page has the tables %v", actions)
	}
	plain := table(html.UnescapeString(actions[0][1]))
	if len(plain) != 2 || plain[1][0] != number(ticket) || plain[1][8] != "2026-11-23 10:00" {
		t.Errorf("the table: %v", plain)
	}
	for _, bad := range []string{"13800138000", "1990000", "402", "孙桂兰"} {
		if strings.Contains(strings.Join(plain[1], " "), bad) {
			t.Errorf("the table without names holds %s: %v", bad, plain[1])
		}
	}
	if got := plain[1][11]; got != "三单元的楼道灯不亮了，LED 的！我的电话 【号码】" {
		t.Errorf("the resident's words are %q in the table", got)
	}
	if named := table(html.UnescapeString(actions[1][1])); !strings.Contains(strings.Join(named[1], " "), "孙桂兰") {
		t.Errorf("the table with names: %v", named)
	}
	if got := strings.Join(h.logged(east), " "); !strings.Contains(got, "search.export search.export.names") {
		t.Errorf("the audit log says %s", got)
	}
}

// What a ticket's page shows to whom, and what never.
func TestWhatATicketsPageShows(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "三单元的楼道灯不亮了")
	path := "/c/east/t/" + number(ticket)
	phone := h.people["east/resident"].Phone
	for who, c := range map[string]struct {
		status int
		say    []string
	}{
		"worker":    {200, []string{"楼道灯不亮了", "孙桂兰", "199****0000", "接单", "转派", "but not", phone, "发出的通知", "指派"}},
		"committee": {200, []string{"楼道灯不亮了", "孙桂兰", "指派", "发出的通知", "谁看过", "but not", phone}},
		"leader":    {200, []string{"楼道灯不亮了", "but not", phone}},
		"colleague": {404, []string{"but not", "楼道灯", "孙桂兰"}},
		"property":  {404, []string{"but not", "楼道灯", "孙桂兰"}},
		"officer":   {404, []string{"but not", "楼道灯"}},
		"volunteer": {404, []string{"but not", "楼道灯"}},
		"resident":  {403, []string{"but not", "楼道灯"}},
		"admin":     {403, []string{"but not", "楼道灯"}},
	} {
		t.Run(who, func(t *testing.T) { h.as("east/"+who).get(path).mustSay(t, c.status, c.say...) })
	}
	h.as("west/committee").get(path).mustSay(t, http.StatusSeeOther)
	worker := h.as("east/worker")
	worker.post(path+"/contact", nil).mustSay(t, http.StatusOK, phone)
	if got := h.logged(east); got[len(got)-1] != "phone.look" {
		t.Errorf("looking at a telephone number is logged as %s", got[len(got)-1])
	}
	if a := h.as("east/colleague").post(path+"/do/accept", nil); a.status != http.StatusNotFound {
		t.Errorf("another grid's worker accepts it: %d", a.status)
	}

	wish := h.file(east, "想学用智能手机,我住3单元402", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	h.as("east/volunteer").get("/c/east/t/"+number(wish)).mustSay(t, http.StatusOK, "想学用智能手机", "认领", "but not", "402", "孙桂兰", "3单元")
	if a := h.as("east/volunteer").post("/c/east/t/"+number(wish)+"/contact", nil); a.status != http.StatusForbidden {
		t.Errorf("a volunteer sees the telephone of who wishes: %d", a.status)
	}
}

func TestAWorkerHandlesFromThePage(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "三单元的楼道灯不亮了")
	b := h.tab("east/worker", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/")
	b.Do("one thumb", browsertest.Says("我的工作"), browsertest.Says("楼道灯"))
	b.Picture("work-one-thumb-phone")
	b.FitsItsWidth()
	b.Do("accept", browsertest.Presses("接单"), browsertest.Says("已接单"), chromedp.WaitVisible(`//main//summary[normalize-space(.)="告诉居民进展"]`))
	b.FitsItsWidth()
	b.Picture("worker-ticket-phone")
	b.Whole("worker-ticket-phone-whole")
	b.Do("resolve", chromedp.SendKeys(chromedp.CSS("#resolve"), "灯换好了,您看看"), chromedp.SetUploadFiles(chromedp.CSS(`form[action$="/do/resolve"] input[type=file]`), []string{photo(t)}),
		browsertest.Presses("办结"), browsertest.Says("已办结,请居民评价"))
	got, err := h.store.Ticket(t.Context(), east, ticket.Number)
	if h.must(err); got.State != workflow.Resolved || len(got.Media) != 1 || got.Resolution != "灯换好了,您看看" {
		t.Fatalf("the ticket: %s %q %v", got.State, got.Resolution, got.Media)
	}
	mine := h.as("east/resident")
	mine.get("/c/east/my/"+number(ticket)).mustSay(t, http.StatusOK, "灯换好了", "/media/"+got.Media[0].ID)
	if a := mine.get("/c/east/media/" + got.Media[0].ID); a.status != http.StatusOK || a.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("the photo: %d %s", a.status, a.header.Get("Content-Type"))
	}
	for _, who := range []string{"east/neighbour", "east/colleague", "east/property"} {
		if a := h.as(who).get("/c/east/media/" + got.Media[0].ID); a.status != http.StatusNotFound {
			t.Errorf("%s sees the photo: %d", who, a.status)
		}
	}
}

// guesses is not sure what anything is about.
type guesses struct{ workflow.Understander }

func (g guesses) Understand(ctx context.Context, c *workflow.Community, w workflow.Words) (workflow.Understanding, error) {
	u, err := g.Understander.Understand(ctx, c, w)
	u.Guesses = []workflow.Category{"facilities", "drainage"}
	return u, err
}

func TestTheTrayIsFiledInOneTap(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "那个东西又出毛病了", func(c *workflow.Command) { c.Kind, c.Category, c.Severity, c.Place = "", "", "", workflow.Place{} })
	if ticket.Stand != workflow.InTray {
		t.Fatalf("it stands %q", ticket.Stand)
	}
	// One tap files what stands somewhere; where it stands nowhere, the tap asks for it.
	unclear := func(text string, at workflow.Place) workflow.Ticket {
		return h.file(east, text, func(c *workflow.Command) {
			c.Kind, c.Category, c.Severity, c.Place = "", "", "", at
		})
	}
	placed, nowhere := unclear("那个又坏了", workflow.Place{Estate: "东园", Building: 1, Grid: "G1"}), unclear("那个又坏了,真是的", workflow.Place{})
	h.console.o.Understander = guesses{h.console.o.Understander}
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		tab := h.tab("east/worker", size[0], size[1])
		if name == "phone" {
			tab.Go(h.url + "/c/east/t/" + number(placed))
			tab.Do("one tap", browsertest.Presses("管道排水"), browsertest.Says("已归类"))
			continue
		}
		tab = h.tab("east/committee", size[0], size[1])
		tab.Go(h.url + "/c/east/t/" + number(nowhere))
		tab.Do("a tap", browsertest.Presses("管道排水"), browsertest.Says("再选一下在哪儿,就能派单了"))
		tab.FitsItsWidth()
		tab.Picture("tray-guess-" + name)
		tab.Do("the place", chromedp.SetValue(chromedp.CSS("#p-estate"), "东园"), chromedp.SendKeys(chromedp.CSS("#p-building"), "3"),
			chromedp.Click(`//form[contains(@action,"/do/classify")]//button[normalize-space(.)="归类"]`), browsertest.Says("已归类"))
	}
	for _, n := range []int64{placed.Number, nowhere.Number} {
		if got, err := h.store.Ticket(t.Context(), east, n); err != nil || got.Category != "drainage" || got.Owner == 0 {
			t.Errorf("%d is %s with %d (%v)", n, got.Category, got.Owner, err)
		}
	}
	at := "/c/east/t/" + number(ticket)
	w := h.as("east/committee")
	w.post(at+"/do/classify", w.form(at, "category", "drainage")).mustSay(t, 422, `<option value="drainage" selected="">`, "请写清在哪儿", `name="building" inputmode="numeric" aria-invalid="true"`)

	b := h.tab("east/committee", browsertest.DeskWidth, browsertest.DeskHeight)
	b.Go(h.url + "/c/east/work")
	b.Do("the tray", browsertest.Says("等专人归类"), chromedp.Click(chromedp.CSS(`a[href$="/t/`+number(ticket)+`"]`)), browsertest.Says("归类"))
	b.Picture("tray-desk")
	b.Do("file it", chromedp.SendKeys(chromedp.CSS("#c-category"), "设施维修"), chromedp.SendKeys(chromedp.CSS("#p-estate"), "东园"), chromedp.SendKeys(chromedp.CSS("#p-building"), "3"),
		chromedp.Click(`//form[contains(@action,"/do/classify")]//button[normalize-space(.)="归类"]`), browsertest.Says("已归类"))
	got, err := h.store.Ticket(t.Context(), east, ticket.Number)
	if h.must(err); got.Category != "facilities" || got.Place.Building != 3 || got.Owner != h.people["east/colleague"].ID {
		t.Errorf("it is %s at %s with %d", got.Category, got.Place, got.Owner)
	}
}

// By when: what was promised, on every page where somebody reads it, and not when
// somebody is reminded of it.
func TestPagesShowThePromiseNotTheReminder(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "三单元的楼道灯不亮了")
	reminder, promise := ticket.Due[workflow.ClockReminder], ticket.Due[workflow.ClockResponse]
	if _, at, _ := ticket.NextDue(); !at.Equal(reminder) || !reminder.Before(promise) {
		t.Fatalf("the reminder comes first: %v", ticket.Due)
	}
	clock := func(at time.Time) string { return at.In(h.shape(east).Community.Location()).Format("15:04") }
	for page, who := range map[string]string{"work": "worker", "t/" + number(ticket): "committee", "my": "resident", "my/" + number(ticket): "resident", "today": "committee"} {
		t.Run(page, func(t *testing.T) {
			h.as("east/"+who).get("/c/east/"+page).mustSay(t, http.StatusOK, clock(promise), "but not", clock(reminder))
		})
	}

	// While the resident is asked nothing runs out, and nobody reads that it did.
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAsk, Actor: workflow.By(h.people["east/worker"]), Topic: workflow.TopicWorker, Text: "几楼?"})
	h.as("east/worker").get("/c/east/work").mustSay(t, http.StatusOK, "等居民回答", "but not", clock(promise))
	h.as("east/worker").get("/c/east/t/"+number(ticket)).mustSay(t, http.StatusOK, "先不计时", "but not", "今天 "+clock(promise))
}

// Who gave a matter to another and why stands in its story, and so for what else
// takes it from hand to hand.
func TestTheStorySaysWhoAndWhy(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "三单元的楼道灯不亮了")
	page := "/c/east/t/" + number(ticket)
	committee, worker, leader := h.as("east/committee"), h.as("east/worker"), h.as("east/leader")
	send := func(b *browser, command string, form url.Values) {
		t.Helper()
		if a := b.post(page+"/do/"+command, form); a.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %.200s", command, a.status, a.body)
		}
	}
	to := func(who string) []string { return []string{itoa(int64(h.people["east/"+who].ID))} }
	send(committee, "assign", url.Values{"to": to("leader"), "words": {"他离得近"}})
	send(leader, "transfer", url.Values{"to": to("worker"), "words": {"我在开会"}})
	send(worker, "return", url.Values{"words": {"归供电所管"}})
	send(committee, "assign", url.Values{"to": to("worker"), "words": {"先去看看"}})
	send(committee, "escalate", url.Values{"words": {"老人多"}})
	send(worker, "resolve", url.Values{"words": {"换了灯泡"}})
	send(committee, "reopen", url.Values{"words": {"又灭了"}})
	want := []string{"曹一鸣指派给龚莉:他离得近", "龚莉转给秦霞:我在开会", "秦霞退回:归供电所管", "曹一鸣指派给秦霞:先去看看", "曹一鸣督办:老人多", "曹一鸣重办:又灭了"}
	committee.get(page).mustSay(t, http.StatusOK, want...)
	worker.get(page).mustSay(t, http.StatusOK, want...)
}

// A form without what, how bad and where files nothing.
func TestAnEmptyFilingIsRefused(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "三单元的楼道灯不亮了")
	ticket = h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdReturn, Actor: workflow.By(h.people["east/worker"]), Text: "不归我管"})
	h.as("east/committee").post("/c/east/t/"+number(ticket)+"/do/classify", url.Values{"category": {""}, "severity": {""}, "estate": {""}, "building": {""}}).
		mustSay(t, http.StatusUnprocessableEntity, "请选一个")
	got, err := h.store.Ticket(t.Context(), east, ticket.Number)
	if h.must(err); got.Version != ticket.Version || got.Stand != workflow.InTray {
		t.Errorf("it changed: %d %q", got.Version, got.Stand)
	}
	if all, err := h.store.Corrections(t.Context(), east, time.Time{}, 0, 10); err != nil || len(all) != 0 {
		t.Errorf("the model is to learn of %v, %v", all, err)
	}
	h.as("east/committee").post("/c/east/t/"+number(ticket)+"/do/classify", url.Values{"category": {"facilities"}}).mustSay(t, http.StatusSeeOther)
}

// Who sends a form that was made before somebody else changed the ticket reads what
// is true now.
func TestAFormThatCameTooLateSaysHowItStands(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "三单元的楼道灯不亮了")
	page := "/c/east/t/" + number(ticket)
	worker := h.as("east/worker")
	worker.get(page).mustSay(t, http.StatusOK, "接单")
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAssign, Actor: workflow.By(h.people["east/committee"]), To: h.people["east/leader"].ID, Why: workflow.WhyByHand})
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(h.people["east/leader"])})
	for _, command := range []string{"resolve", "accept", "transfer"} {
		form := url.Values{"words": {"灯换好了"}, "to": {itoa(int64(h.people["east/officer"].ID))}}
		worker.post(page+"/do/"+command, form).mustSay(t, http.StatusConflict, "有变化", "龚莉", "but not", "不归您看")
	}
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || got.State != workflow.Accepted || got.Owner != h.people["east/leader"].ID {
		t.Errorf("it is %s with %d (%v)", got.State, got.Owner, err)
	}

	wish := h.file(east, "想学用智能手机", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdClaim, Actor: workflow.By(h.people["east/partner"]), Unit: "北村小学"})
	h.as("east/volunteer").post("/c/east/t/"+number(wish)+"/do/claim", nil).mustSay(t, http.StatusConflict, "已经有人认领了", "but not", "不归您看", "孙桂兰")
}
