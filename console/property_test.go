package console

import (
	"bytes"
	"fmt"
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
	"github.com/jonboulle/clockwork"
	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/property"
)

// contract gives the property company the contract for the whole community, long ago.
func (h *house) contract(code string) {
	h.t.Helper()
	before, err := postgres.Open(h.t.Context(), h.journal, postgres.Options{Clock: clockwork.NewFakeClockAt(h.clock.Now().AddDate(0, -2, 0))})
	h.must(err)
	defer before.Close()
	h.sign(code, before, "  score: {base: 100, answered_late: -1, overdue: -2, unsatisfied: -3, reopened: -2, repeat: -1, repeat_days: 30, praised: 2, patrol_done: 1, patrol_missed: -1}\n")
}

// sign gives the company the contract, scored as it says, by a store with its own clock.
func (h *house) sign(code string, store *postgres.Store, score string) {
	h.t.Helper()
	text := strings.Replace(fmt.Sprintf(document, code, "东社区"), "buildings: 4", "buildings: 4, property_contract: true", 1) + `
property:
  company: 红色物业
  categories: [facilities, sanitation]
  patrol: {every: 10, items: [扫楼道, 清杂物]}
` + score
	doc, err := workflow.ParseCommunity(strings.NewReader(text))
	h.must(err)
	_, err = store.ApplyCommunity(h.t.Context(), doc, []byte(text), "钱敏")
	h.must(err)
	h.must(h.desk.Refresh(h.t.Context()))
}

// served is a ticket of the company that ends with a bad verdict.
func (h *house) served(text string, building int) workflow.Ticket {
	h.t.Helper()
	t := h.file(east, text, func(c *workflow.Command) {
		c.Category, c.Place = "facilities", workflow.Place{Estate: "东园", Building: building, Grid: "G1"}
	})
	company := workflow.By(h.people["east/property"])
	if t.Owner != company.Person {
		h.t.Fatalf("the company does not have it: %+v", t)
	}
	h.clock.Advance(10 * time.Minute)
	h.tell(east, t.Number, workflow.Command{Name: workflow.CmdAccept, Actor: company}, workflow.Command{Name: workflow.CmdResolve, Actor: company, Text: "换好了"})
	return h.tell(east, t.Number, workflow.Command{Name: workflow.CmdRate, Actor: workflow.By(h.people["east/resident"]), Rating: workflow.Unsatisfied, Text: "又灭了"})
}

// From a month's first line to its closing, and beyond: what is objected to with success
// after that stands in the month that is open then.
func TestAMonthOfThePropertyCompany(t *testing.T) {
	h := newHouse(t)
	h.contract(east)
	bad := h.served("楼道灯不亮了", 1)
	const path, month = "/c/east/property", "/c/east/property/2026-11"
	company, committee := h.as("east/property"), h.as("east/committee")
	if a := company.get(path); a.to() != month {
		t.Fatalf("it leads to %q", a.to())
	}

	// An inspection with something that is not well.
	before := company.form(month, "where", "东园|2", "words", "")
	before.Set("wrong", "清杂物")
	company.post(path+"/inspect", before).mustSay(t, http.StatusUnprocessableEntity, "写一句话")
	found := company.form(month, "where", "东园|2", "wrong", "清杂物", "words", "楼道里堆了纸箱子")
	for range 2 { // the same form twice is one
		if a := company.post(path+"/inspect", found); a.to() != month+"?said=inspect.found" {
			t.Fatalf("inspected: %d %s", a.status, a.body)
		}
	}
	rounds, err := h.store.RoundsBy(t.Context(), east, h.people["east/property"].ID, 9)
	if h.must(err); len(rounds) != 1 || rounds[0].Kind != workflow.Inspection || rounds[0].Number == 0 || !slices.Equal(rounds[0].Wrongs(), []string{"清杂物"}) || len(rounds[0].Checks) != 2 {
		t.Fatalf("rounds: %+v", rounds)
	}
	ticket, err := h.store.Ticket(t.Context(), east, rounds[0].Number)
	if h.must(err); ticket.Place.Building != 2 || ticket.Category != "sanitation" {
		t.Errorf("what was found: %+v", ticket)
	}
	// Words about a trouble are one, whether it was ticked or not; words that all is
	// well are none.
	for words, to := range map[string]string{"二楼楼道灯不亮了": "inspect.found", "都挺好,一切正常": "inspect.well"} {
		if a := company.post(path+"/inspect", company.form(month, "where", "东园|2", "words", words)); a.to() != month+"?said="+to {
			t.Errorf("%s: %d %s", words, a.status, a.to())
		}
	}
	// What stands on no checklist is not let pass as well.
	if a := company.post(path+"/inspect", company.form(month, "where", "东园|2", "wrong", "擦玻璃", "words", "没擦")); a.status != http.StatusUnprocessableEntity {
		t.Errorf("what is not on the list: %d %s", a.status, a.to())
	}
	if a := company.post(path+"/inspect", company.form(month, "where", "西园|2")); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a building that is not theirs: %d", a.status)
	}
	for _, who := range []string{"east/committee", "east/worker"} {
		if a := h.as(who).post(path+"/inspect", url.Values{"where": {"东园|1"}}); a.status != http.StatusForbidden {
			t.Errorf("%s inspects: %d", who, a.status)
		}
	}

	// The company objects to the verdict; once.
	company.get(month).mustSay(t, http.StatusOK, "居民不满意", "-3", number(bad)+" 号", "还没结账", "3</b><span>这一轮还没巡的楼")
	key := ""
	sheet, err := h.desk.Sheet(t.Context(), east, property.Month{Year: 2026, Month: time.November})
	h.must(err)
	for _, l := range sheet.Lines {
		if l.Cause == property.Unsatisfied {
			key = l.Key
		}
	}
	object := company.form(month+"?line="+url.QueryEscape(key), "line", key, "words", "灯是居民自己弄坏的")
	if a := company.post(month+"/object", object); a.to() != month+"?said=objected" {
		t.Fatalf("objected: %d %s", a.status, a.body)
	}
	h.told(workflow.TellObjected, "east/committee", "灯是居民自己弄坏的")
	object.Set("words", "再说一遍")
	company.post(month+"/object", object).mustSay(t, http.StatusConflict, "已经办过了")
	object.Set("line", "no such line")
	if a := company.post(month+"/object", object); a.status != http.StatusNotFound {
		t.Errorf("no line: %d", a.status)
	}
	committee.post(month+"/close", nil).mustSay(t, http.StatusConflict, "还没过完")

	// The month ends, with buildings that were missed, and is closed.
	h.clock.Advance(time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC).Sub(h.clock.Now()))
	committee = h.as("east/committee") // the sessions have ended, too
	committee.get(month).mustSay(t, http.StatusOK, "漏了巡检", "结账以后不能再改", "灯是居民自己弄坏的", "作出决定")
	closing := committee.form(month)
	for range 2 {
		if a := committee.post(month+"/close", closing); a.status != http.StatusSeeOther && a.status != http.StatusConflict {
			t.Fatalf("closed: %d %s", a.status, a.body)
		}
	}
	closed := committee.get(month)
	closed.mustSay(t, http.StatusOK, "已结账", "but not", "结账以后不能再改")

	// The committee upholds the objection: November stays, December has the line.
	settle := committee.form(month, "line", key, "outcome", "upheld", "words", "看过照片,属实")
	if a := committee.post(month+"/settle", settle); a.to() != month+"?said=settled" {
		t.Fatalf("settled: %d %s", a.status, a.body)
	}
	settle.Set("outcome", "refused")
	committee.post(month+"/settle", settle).mustSay(t, http.StatusConflict, "已经办过了")
	h.told(workflow.TellSettled, "east/property", "看过照片,属实")
	committee.get(month).mustSay(t, http.StatusOK, "异议成立", "看过照片,属实")
	committee.get("/c/east/property/2026-12").mustSay(t, http.StatusOK, "异议成立", "&#43;3", "2026-11 的「居民不满意」")

	// Both months as tables.
	for m, want := range map[string][]string{
		"2026-11": {"居民不满意", "漏了巡检", "东园 1号楼", "异议\n物业考核 红色物业 2026-11", "居民不满意 东园 1号楼 -3 曹颖 2026-11-23 10:10 灯是居民自己弄坏的 异议成立 看过照片,属实 曹一鸣 2026-12-01 09:00"},
		"2026-12": {"异议成立", "2026-11 居民不满意"},
	} {
		a := committee.get(path + "/" + m + "/book")
		book, err := excelize.OpenReader(bytes.NewReader([]byte(a.body)))
		h.must(err)
		var all []string
		for _, sheet := range book.GetSheetList() {
			all = append(all, sheet)
			rows, err := book.GetRows(sheet)
			h.must(err)
			for _, row := range rows {
				all = append(all, strings.Join(row, " "))
			}
		}
		for _, w := range want {
			if !strings.Contains(strings.Join(all, "\n"), w) {
				t.Errorf("the table of %s lacks %q:\n%s", m, w, strings.Join(all, "\n"))
			}
		}
		h.must(book.Close())
	}
	if got := strings.Join(h.logged(east), " "); !strings.Contains(got, "property.object") || !strings.Contains(got, "property.close") || !strings.Contains(got, "property.settle") || !strings.Contains(got, "property.export") {
		t.Errorf("the audit log says %s", got)
	}
	for _, p := range []string{"/c/east/property/2026-13", "/c/east/property/2027-05", "/c/east/property/x"} {
		if a := committee.get(p); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", p, a.status)
		}
	}
}

// Where nothing is scored the company's page has its inspections: due, missed and done,
// from the day on which the standard was set.
func TestInspectionsWithoutPoints(t *testing.T) {
	h := newHouse(t)
	h.sign(east, h.store, "")
	const path, month = "/c/east/property", "/c/east/property/2026-11"
	company := h.as("east/property")
	company.get("/c/east/menu").mustSay(t, http.StatusOK, "物业巡检", "but not", "物业考核")
	company.get(month).mustSay(t, http.StatusOK, "物业巡检", "还没巡的 4 栋", "记一次巡检", "这个月还没有巡检", "but not", "得分", "基本分", "下载表格", "漏了", "结账")
	if a := company.post(path+"/inspect", company.form(month, "where", "东园|2", "wrong", "清杂物", "words", "楼道里堆了纸箱子")); a.to() != month+"?said=inspect.found" {
		t.Fatalf("inspected: %d %s", a.status, a.body)
	}
	committee := h.as("east/committee")
	committee.get(month).mustSay(t, http.StatusOK, "还没巡的 3 栋:东园 1、3、4号楼", "没做好:清杂物", "楼道里堆了纸箱子", "曹颖", "登记为", "but not", "记一次巡检")
	for _, p := range []string{month + "/book", "/c/east/property/2027-01"} {
		if a := committee.get(p); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", p, a.status)
		}
	}
	h.clock.Advance(time.Date(2026, 12, 12, 2, 0, 0, 0, time.UTC).Sub(h.clock.Now()))
	h.as("east/committee").get(path+"/2026-12").mustSay(t, http.StatusOK, "还没巡的 4 栋", "上一轮漏了 4 栋")
	h.as("east/committee").get(month).mustSay(t, http.StatusOK, "没做好:清杂物", "but not", "还没巡的")
}

// Whose company has no contract sees nothing of it, nor finds it in the menu; and the
// page of the part that says what the company does leaves the rest of it alone.
func TestOtherCompaniesSeeNothing(t *testing.T) {
	h := newHouse(t)
	h.contract(east)
	b := h.as("east/property")
	b.get("/c/east/menu").mustSay(t, http.StatusOK, "物业考核")
	admin := h.as("east/admin")
	admin.agree("property", admin.post(parts0+"property/form", url.Values{"on": {"2"}, "company": {"蓝色物业"}, "services": {"环境卫生"}, "categories": {"facilities"}}))
	h.must(h.desk.Refresh(t.Context()))
	if p := h.shape(east).Community.Property; p.Company != "蓝色物业" || p.Score == nil || p.Score.Unsatisfied != -3 || p.Patrol == nil || len(p.Patrol.Items) != 2 {
		t.Fatalf("the part by its form: %+v", p)
	}
	b.get("/c/east/menu").mustSay(t, http.StatusOK, "巡查走访", "but not", "物业考核")
	for _, path := range []string{"/c/east/property/2026-11", "/c/east/property/2026-11/book"} {
		if a := b.get(path); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// A photo of an inspection is looked at beside it by colleagues, too, when it came with
// a ticket that somebody else has.
func TestColleaguesSeeAnInspectionsPhoto(t *testing.T) {
	h := newHouse(t)
	h.contract(east)
	id, err := h.store.UpsertPerson(t.Context(), "property-2", workflow.Person{Community: east, Name: "方建平", OpenID: "o-east-property-2", Roles: rolesOf["property"], Following: true})
	h.must(err)
	h.people["east/property-2"], err = h.store.Person(t.Context(), east, id)
	h.must(err)
	data, err := os.ReadFile(photo(t))
	h.must(err)
	const month = "/c/east/property/2026-11"
	who := []string{"east/property", "east/property", "east/property-2", "east/property-2"}
	for i, inspector := range who {
		b := h.as(inspector)
		if a := b.sends("/c/east/property/inspect", b.form(month, "where", fmt.Sprintf("东园|%d", i+1), "wrong", "清杂物", "words", "楼道里堆了纸箱子"), data); a.to() != month+"?said=inspect.found" {
			t.Fatalf("inspected: %d %s", a.status, a.body)
		}
	}
	for _, other := range []string{"east/property", "east/property-2", "east/committee"} {
		b := h.as(other)
		shown := regexp.MustCompile(`href="([^"]+/media/[^"]+)"`).FindAllStringSubmatch(b.get(month).body, -1)
		if len(shown) != len(who) {
			t.Fatalf("%s: photos of %d inspections", other, len(shown))
		}
		for _, s := range shown {
			if a := b.get(html.UnescapeString(s[1])); a.status != http.StatusOK {
				t.Errorf("%s: %d", other, a.status)
			}
			if a := h.as("east/resident").get(html.UnescapeString(s[1])); a.status != http.StatusNotFound {
				t.Errorf("a resident: %d", a.status)
			}
		}
	}
}

// The company objects to what takes points: a point that it got would be lost by it.
func TestTheCompanyObjectsToNoGain(t *testing.T) {
	h := newHouse(t)
	h.contract(east)
	const month = "/c/east/property/2026-11"
	b := h.as("east/property")
	for building := range 4 {
		b.post("/c/east/property/inspect", b.form(month, "where", fmt.Sprintf("东园|%d", building+1), "words", ""))
	}
	h.clock.Advance(time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC).Sub(h.clock.Now())) // the turn has ended
	b = h.as("east/property")
	sheet, err := h.desk.Sheet(t.Context(), east, property.Month{Year: 2026, Month: time.November})
	h.must(err)
	i := slices.IndexFunc(sheet.Lines, func(l property.Line) bool { return l.Cause == property.PatrolDone })
	if i < 0 {
		t.Fatalf("all was inspected: %+v", sheet.Lines)
	}
	b.get(month).mustSay(t, http.StatusOK, "一轮全巡到", "but not", "?line="+url.QueryEscape(sheet.Lines[i].Key), "?line="+strings.ToLower(url.QueryEscape(sheet.Lines[i].Key)))
	if a := b.post(month+"/object", b.form(month, "line", sheet.Lines[i].Key, "words", "不要这一分")); a.status != http.StatusNotFound {
		t.Errorf("objected: %d %s", a.status, a.to())
	}
}

// Who follows another company under contract sees its own months, the committee all.
func TestTheCompanyBeforeIsNotTheirs(t *testing.T) {
	h := newHouse(t)
	h.contract(east)
	october := property.Month{Year: 2026, Month: time.October}
	_, err := h.store.CloseSheet(t.Context(), property.Sheet{Community: east, Month: october, MadeAt: h.clock.Now(), ClosedBy: 9, Terms: property.Terms{Company: "前一家物业"}})
	h.must(err)
	for _, p := range []string{"/c/east/property/2026-10", "/c/east/property/2026-10/book"} {
		if a := h.as("east/property").get(p); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", p, a.status)
		}
	}
	h.as("east/committee").get("/c/east/property/2026-10").mustSay(t, http.StatusOK, "前一家物业", "已结账")
	h.as("east/property").get("/c/east/property/2026-11").mustSay(t, http.StatusOK, "红色物业")
}

// The page at the width of a phone and of a desk.
func TestThePropertyPageFits(t *testing.T) {
	h := newHouse(t)
	h.contract(east)
	h.served("楼道灯不亮了", 1)
	h.served("单元门关不上", 2)
	b := h.as("east/property")
	const month = "/c/east/property/2026-11"
	b.post("/c/east/property/inspect", b.form(month, "where", "东园|3", "words", ""))
	sheet, err := h.desk.Sheet(t.Context(), east, property.Month{Year: 2026, Month: time.November})
	if h.must(err); len(sheet.Lines) == 0 {
		t.Fatal("no line to object to")
	}
	b.post(month+"/object", b.form(month, "line", sheet.Lines[0].Key, "words", "灯是居民自己弄坏的"))
	k := h.as("east/committee")
	k.post(month+"/settle", k.form(month, "line", sheet.Lines[0].Key, "outcome", "refused", "words", "看过照片"))
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		for _, who := range []string{"property", "committee"} {
			tab := h.tab("east/"+who, size[0], size[1])
			tab.Go(h.url + month)
			tab.FitsItsWidth()
			// What was objected, and the answer, each begin a line of their own.
			begin, err := chromedp.Run(tab.Context, chromedp.Evaluate[int](`new Set([...document.querySelectorAll(".weui-cell__bd > .words")].map(w => w.getClientRects()[0].top)).size`))
			all, err2 := chromedp.Run(tab.Context, chromedp.Evaluate[int](`[...document.querySelectorAll(".weui-cell__bd > .words")].filter(w => w.getBoundingClientRect().left === w.parentElement.getBoundingClientRect().left).length`))
			if err != nil || err2 != nil || begin != 2 || all != 2 {
				t.Errorf("%s: lines of the objection: %d, %d of them from the left: %v %v", name, begin, all, err, err2)
			}
			tab.Usable()
			tab.Whole("property-" + who + "-" + name)
		}
	}
}

// told holds that one push of a purpose is owed to somebody, with what was said.
func (h *house) told(purpose workflow.Purpose, who, words string) {
	h.t.Helper()
	owed, err := h.store.PushesOf(h.t.Context(), east, 0) // about no ticket
	h.must(err)
	owed = slices.DeleteFunc(owed, func(p desk.Push) bool { return p.Purpose != purpose })
	if len(owed) != 1 || owed[0].Person != h.people[who].ID || !strings.Contains(owed[0].Facts.Text+owed[0].Facts.Said, words) {
		h.t.Errorf("%s is told of %q by %+v", who, words, owed)
	}
}
