package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

const parts0 = "/c/east/admin/community/"

// agree sends the preview's own form: the text that was shown.
func (b *browser) agree(section string, preview answer) answer {
	b.t.Helper()
	_, rest, found := strings.Cut(preview.body, `<textarea name="text" class="hidden"`)
	_, rest, _ = strings.Cut(rest, ">")
	text, _, _ := strings.Cut(rest, "</textarea>")
	_, on, _ := strings.Cut(preview.body, `name="on" value="`)
	on, _, _ = strings.Cut(on, `"`)
	if !found {
		b.t.Fatalf("there is nothing to agree to: %d %.600s", preview.status, preview.body)
	}
	unescape := strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&amp;", "&", "&lt;", "<", "&gt;", ">", "&#43;", "+")
	return b.post(parts0+section, url.Values{"on": {on}, "agreed": {"yes"}, "text": {unescape.Replace(text)}})
}

func TestGridsAreChangedByAForm(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮", func(c *workflow.Command) { c.Place.Building = 2 })
	b := h.as("east/admin")
	b.get(parts0+"grids").mustSay(t, http.StatusOK, "第一网格", "东园:1-2", "直接改原文")
	form := url.Values{"on": {"1"}, "code": {"G1", "G2", ""}, "name": {"第一网格", "第二网格", ""}, "kind": {"residential", "residential", "residential"}, "buildings": {"东园:1", "东园:2-4", ""}}
	preview := b.post(parts0+"grids/form", form)
	preview.mustSay(t, http.StatusOK, "会变这些", "改成:第二网格:东园:2-4", "原来:第一网格:东园:1-2", "有 1 件没办完的事跟着楼栋换网格", number(ticket)+" 号")
	if shape := h.shape(east); shape.Community.GridOf("东园", 2) != "G1" {
		t.Fatal("a preview applies it")
	}
	if a := b.agree("grids", preview); a.to() != "/c/east/admin/community?said=applied" {
		t.Fatalf("agreeing: %d %s", a.status, a.body)
	}
	if shape := h.shape(east); shape.Community.GridOf("东园", 2) != "G2" || len(shape.Community.Grids) != 2 {
		t.Errorf("the grids are %+v", shape.Community.Grids)
	}
	if n, err := h.desk.Follow(t.Context(), east); err != nil || n != 1 {
		t.Errorf("%d tickets follow (%v)", n, err)
	}
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || got.Place.Grid != "G2" || got.Owner != h.people["east/colleague"].ID {
		t.Errorf("the ticket is in %s with %d (%v)", got.Place.Grid, got.Owner, err)
	}

	b.post(parts0+"grids/form", form).mustSay(t, http.StatusConflict, "别人改过")
	form.Set("on", "2")
	form["buildings"] = []string{"东园:1", "东园:2-9", ""}
	b.post(parts0+"grids/form", form).mustSay(t, http.StatusUnprocessableEntity, "没有改,因为")
	form["buildings"] = []string{"东园:1", "东园:2-4", ""}
	form["gone"] = []string{"0"}
	b.post(parts0+"grids/form", form).mustSay(t, http.StatusUnprocessableEntity, "没有改,因为") // a building without a grid
	form.Del("gone")
	form["code"], form["name"], form["buildings"] = []string{"G1", "G2", "S1"}, []string{"第一网格", "第二网格", "医院网格"}, []string{"东园:1", "东园:2-3", "东园:4"}
	form["kind"] = []string{"residential", "residential", "special"}
	if a := b.agree("grids", b.post(parts0+"grids/form", form)); a.status != http.StatusSeeOther {
		t.Fatalf("a new grid: %d %s", a.status, a.body)
	}
	if g, ok := h.shape(east).Community.Grid("S1"); !ok || g.Kind != "special" {
		t.Errorf("the new grid is %+v", g)
	}
}

func TestEstatesClocksAndOthersByForms(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	b.agree("hotline", b.post(parts0+"hotline/form", url.Values{"on": {"1"}, "value": {"0531-1112222"}}))
	b.agree("clocks", b.post(parts0+"clocks/form", url.Values{"on": {"2"}, "minor.response": {"30分钟"}, "major.resolve": {"5天"}, "tray": {"2 小时"}}))
	b.agree("open311", b.post(parts0+"open311/form", url.Values{"on": {"3"}, "value": {"keys"}}))
	b.agree("landmarks", b.post(parts0+"landmarks/form", url.Values{"on": {"4"}, "name": {"小广场"}, "aliases": {"广场、空地"}, "estate": {"东园"}, "grid": {"G2"}}))
	b.agree("categories", b.post(parts0+"categories/form", url.Values{"on": {"5"}, "code": {"facilities", "greening", "lighting"}, "label": {"修修补补", "", ""}, "kind": {"incident", "incident", "incident"}, "off": {"greening"}, "new_label": {"照明"}}))
	c := h.shape(east).Community
	taxonomy := h.console.o.Taxonomy.For(c)
	if c.Hotline != "0531-1112222" || c.Clocks.Minor.Response != 30*time.Minute || c.Clocks.Minor.Resolve != 48*time.Hour || c.Clocks.Major.Resolve != 120*time.Hour || c.Clocks.Tray != 2*time.Hour ||
		c.Open311 != workflow.OpenToKeys || len(c.Landmarks) != 1 || len(c.Landmarks[0].Aliases) != 2 {
		t.Errorf("the community is %+v", c)
	}
	if taxonomy.Label("facilities") != "修修补补" || !taxonomy.Off("greening") || taxonomy.Label("lighting") != "照明" || taxonomy.KindOf("lighting") != workflow.Incident {
		t.Errorf("the categories are %+v", c.Categories)
	}
	if a := b.post(parts0+"clocks/form", url.Values{"on": {"6"}, "minor.response": {"快一点"}}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "时间没看懂") {
		t.Errorf("no time: %d %s", a.status, a.body)
	}
	b.post(parts0+"clocks/form", url.Values{"on": {"6"}}).mustSay(t, http.StatusOK, "没有变化")
	if a := b.post(parts0+"wording/form", url.Values{"on": {"6"}}); a.status != http.StatusNotFound {
		t.Errorf("a part without a form: %d", a.status)
	}
	b.agree("estates", b.post(parts0+"estates/form", url.Values{"on": {"6"}, "name": {"东园", ""}, "aliases": {"东院", ""}, "buildings": {"4", ""}, "households": {"88", ""}, "contract": {"yes", "no"}}))
	if e, _ := h.shape(east).Community.Estate("东院"); e.Households != 88 || !e.PropertyContract {
		t.Errorf("the estate is %+v", e)
	}
}

func TestRulesAreMovedAndChanged(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	b.get(parts0+"assignment").mustSay(t, http.StatusOK, "所有的事 → 网格员、专职、不比同网格多 8 件以上(因为:专职网格员在岗)")
	preview := b.post(parts0+"assignment/form", url.Values{"on": {"1"}, "index": {"4"}, "do": {"up"}})
	preview.mustSay(t, http.StatusOK, "改成:4. 所有的事 → 网格员、专职")
	b.agree("assignment", preview)
	rules := h.shape(east).Community.Assignment
	if len(rules) != 8 || rules[3].Name != workflow.WhyGrid || rules[4].Name != workflow.WhySkill || rules[3].To.FullTime == nil || !*rules[3].To.FullTime || rules[3].To.MaxLead != 8 {
		t.Fatalf("the rules are %+v", rules)
	}
	for _, back := range []string{"up", "down"} { // which changes nothing but the order of what stands there
		on := map[string]string{"up": "2", "down": "3"}[back]
		index := map[string]string{"up": "4", "down": "3"}[back]
		preview = b.post(parts0+"assignment/form", url.Values{"on": {on}, "index": {index}, "do": {back}})
		preview.mustSay(t, http.StatusOK, "原来:4. ", "改成:4. ", "~ ", "就这样改", "but not", "没有变化")
		b.agree("assignment", preview)
		if r := h.shape(east).Community.Assignment; (r[3].Name == workflow.WhySkill) != (back == "up") {
			t.Fatalf("%s: the rules are %+v", back, r)
		}
	}
	b.get("/c/east/admin/versions/4").mustSay(t, http.StatusOK, "改成:4. 所有的事 → 网格员、专职", "~ ")
	b.get("/c/east/admin/versions/3").mustSay(t, http.StatusOK, "放回第 3 版", "改成:4. ", "but not", "和现在用的一样")
	b.get(parts0+"assignment?rule=new").mustSay(t, http.StatusOK, "加一条")
	b.agree("assignment", b.post(parts0+"assignment/form", url.Values{"on": {"4"}, "index": {"-1"}, "do": {"save"}, "name": {"绿化找园林队"}, "category": {"greening"}, "grid": {"G1"}, "role": {"volunteer"}, "team": {"园林队"}, "off_duty": {"yes"}}))
	rules = h.shape(east).Community.Assignment
	if last := rules[len(rules)-1]; last.Name != "绿化找园林队" || last.If.Category[0] != "greening" || last.If.Grid[0] != "G1" || last.To.Team != "园林队" || !last.To.OffDuty {
		t.Errorf("the new rule is %+v", last)
	}
	b.get(parts0+"assignment").mustSay(t, http.StatusOK, "园林绿化、第一网格 → 园林队志愿者、不在上岗时间也派(因为:绿化找园林队)")
	b.agree("assignment", b.post(parts0+"assignment/form", url.Values{"on": {"5"}, "index": {"8"}, "do": {"remove"}}))
	if n := len(h.shape(east).Community.Assignment); n != 8 {
		t.Errorf("%d rules", n)
	}
	for _, bad := range []url.Values{{"index": {"99"}, "do": {"up"}}, {"index": {"x"}, "do": {"up"}}, {"index": {"-1"}, "do": {"remove"}}, {"index": {"1"}, "do": {"dance"}}} {
		bad.Set("on", "6")
		if a := b.post(parts0+"assignment/form", bad); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, a.status)
		}
	}
	b.post(parts0+"assignment/form", url.Values{"on": {"6"}, "index": {"-1"}, "do": {"save"}, "name": {"谁"}, "role": {"king"}}).mustSay(t, http.StatusUnprocessableEntity, "没有改,因为")
}

func TestAVersionIsPutBack(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	b.agree("hotline", b.post(parts0+"hotline/form", url.Values{"on": {"1"}, "value": {"0531-9"}}))
	h.clock.Advance(time.Hour)
	b.agree("grids", b.post(parts0+"grids/form", url.Values{"on": {"2"}, "code": {"G1", "G2"}, "name": {"第一网格", "第二网格"}, "kind": {"residential", "residential"}, "buildings": {"东园:1", "东园:2-4"}}))
	const path = "/c/east/admin/versions"
	b.get(path).mustSay(t, http.StatusOK, "第 3 版", "第 1 版", "现在用的", "钱敏")
	b.get(path+"/3").mustSay(t, http.StatusOK, "改成:第二网格:东园:2-4", "but not", "放回第")
	b.get(path+"/1").mustSay(t, http.StatusOK, "放回第 1 版", "改成:第一网格:东园:1-2")
	if a := b.post(path+"/1", url.Values{"on": {"2"}}); a.status == http.StatusSeeOther {
		t.Error("a stale look puts it back")
	}
	if a := b.post(path+"/1", url.Values{"on": {"3"}}); a.to() != "/c/east/admin/community?said=applied" {
		t.Fatalf("putting back: %d %s", a.status, a.body)
	}
	if c := h.shape(east).Community; c.Hotline != "0531-5550100" || c.GridOf("东园", 2) != "G1" {
		t.Errorf("it is %s, %s", c.Hotline, c.GridOf("东园", 2))
	}
	b.get(path).mustSay(t, http.StatusOK, "第 4 版")
	for _, bad := range []string{"9", "0", "x"} {
		if a := b.get(path + "/" + bad); a.status != http.StatusNotFound {
			t.Errorf("version %s: %d", bad, a.status)
		}
	}
}

func TestEveryPartOfAMember(t *testing.T) {
	h := newHouse(t)
	worker := h.people["east/worker"]
	b := h.as("east/admin")
	path := "/c/east/admin/people/" + itoa(int64(worker.ID))
	b.get(path+"?part=1").mustSay(t, http.StatusOK, "再加一样")
	if a := b.post(path, b.seen(path, url.Values{"part": {"1"}, "name": {"秦霞"}, "kind": {"party_member"}, "branch": {"第二支部"}})); a.status != http.StatusSeeOther {
		t.Fatalf("another part: %d %s", a.status, a.body)
	}
	if p := h.shape(east).Roster.ByID(worker.ID); len(p.Roles) != 2 || p.Roles[1].Branch != "第二支部" || !p.Roles[0].FullTime {
		t.Errorf("the parts are %+v", p.Roles)
	}
	b.get(path+"?part=1").mustSay(t, http.StatusOK, "第二支部", "去掉")
	if a := b.post(path, b.seen(path, url.Values{"part": {"0"}, "do": {"remove"}})); a.status != http.StatusSeeOther {
		t.Fatalf("taking one away: %d %s", a.status, a.body)
	}
	if p := h.shape(east).Roster.ByID(worker.ID); len(p.Roles) != 1 || p.Roles[0].Kind != workflow.RolePartyMember {
		t.Errorf("the parts are %+v", p.Roles)
	}
	if a := b.post(path, b.seen(path, url.Values{"part": {"0"}, "do": {"remove"}})); a.status != http.StatusForbidden {
		t.Errorf("the last part: %d", a.status)
	}
	w := h.as("east/worker")
	if a := b.post(path+"/logout", nil); a.status != http.StatusSeeOther {
		t.Errorf("logging them out: %d", a.status)
	}
	if a := w.get("/c/east/my"); a.status != http.StatusSeeOther || !strings.Contains(a.to(), "login") {
		t.Errorf("they are still in: %d %s", a.status, a.to())
	}
}

// Nobody is added twice, nor half: who has the telephone is said, and grid and
// department are chosen, not left.
func TestNobodyIsAddedTwiceOrHalf(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	const path = "/c/east/admin/people/new"
	add := func(name, phone string, more ...string) answer {
		form := url.Values{"name": {name}, "phone": {phone}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return b.post(path, form)
	}
	staff := func() int { return len(h.shape(east).Roster) }
	before := staff()
	b.get(path).mustSay(t, http.StatusOK, `<option value="">请选择</option>`)
	add("新网格", "13800138001", "kind", "worker").mustSay(t, http.StatusUnprocessableEntity, "请选网格")
	add("新专员", "13800138002", "kind", "officer", "grid", "all").mustSay(t, http.StatusUnprocessableEntity, "哪个部门")
	if staff() != before {
		t.Fatalf("half a person was added: %d", staff())
	}
	if a := add("新网格", "13800138001", "kind", "worker", "grid", "all"); a.status != http.StatusSeeOther {
		t.Fatalf("for all grids: %d %s", a.status, a.body)
	}
	if p := h.shape(east).Roster.Named("新网格"); len(p) != 1 || p[0].Roles[0].Grid != "" {
		t.Errorf("for all grids: %+v", p)
	}
	add("新网格", "13800138001", "kind", "worker", "grid", "G1").mustSay(t, http.StatusUnprocessableEntity, "新网格", "这个电话是")
	add("别的人", "13800138001", "kind", "volunteer").mustSay(t, http.StatusUnprocessableEntity, "新网格", "这个电话是")
	add("新网格", "", "kind", "volunteer").mustSay(t, http.StatusUnprocessableEntity, "同名的人,请写上电话")
	if a := add("新网格", "13800138003", "kind", "volunteer"); a.status != http.StatusSeeOther {
		t.Errorf("a namesake with another number: %d %s", a.status, a.body)
	}
	if staff() != before+2 {
		t.Errorf("%d were added", staff()-before)
	}
	member := "/c/east/admin/people/" + itoa(int64(h.people["east/worker"].ID))
	b.post(member, b.seen(member, url.Values{"name": {"秦霞"}, "phone": {"13800138001"}, "kind": {"worker"}, "grid": {"G1"}})).mustSay(t, http.StatusUnprocessableEntity, "这个电话是")
}

func TestTheModelIsTaught(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	const path = "/c/east/admin/model"
	b.get(path).mustSay(t, http.StatusOK, "出厂的模型")
	trained := func(want string) {
		t.Helper()
		if a := b.post(path+"/train", nil); a.to() != path {
			t.Fatalf("training: %d %s", a.status, a.body)
		}
		h.console.training.work.Wait()
		b.get(path).mustSay(t, http.StatusOK, want)
	}
	trained("更正还太少")
	for i := range 40 { // the workers say what 「嘎啦棚」 means here
		w, err := h.desk.Begin(east, true)
		h.must(err)
		w.Change.Samples = append(w.Change.Samples, desk.Sample{
			Number: int64(2000 + i), Text: "嘎啦棚又响了,第" + itoa(int64(i)) + "回", Guess: "facilities", Kind: workflow.Incident, Category: "parking", Severity: workflow.Minor, By: h.people["east/worker"].ID, At: h.clock.Now(),
		})
		h.must(w.Commit(t.Context()))
	}
	b.get(path).mustSay(t, http.StatusOK, "网格员看过 40 件,其中 0 件", "停车管理", "秦霞")
	trained("学好了")
	trained("学好了")
	b.get(path).mustSay(t, http.StatusOK, "第 1 版", "第 2 版", "用这一版")
	if a := b.post(path+"/use", url.Values{"version": {"1"}}); a.to() != path+"?said=model_used" {
		t.Fatalf("using it: %d %s", a.status, a.body)
	}
	if m := h.shape(east).Model; m != 1 {
		t.Errorf("the model in use is %d", m)
	}
	b.get(path).mustSay(t, http.StatusOK, "咱们社区自己的第 1 版", "正在用")
	trained("没有更准")
	if a := b.post(path+"/use", url.Values{"version": {"9"}}); a.status != http.StatusNotFound {
		t.Errorf("no such model: %d", a.status)
	}
	if a := b.post(path+"/use", nil); a.to() != path+"?said=model_ended" || h.shape(east).Model != 0 {
		t.Errorf("ending it: %d, model %d", a.status, h.shape(east).Model)
	}
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		tab := h.tab("east/admin", size[0], size[1])
		for _, page := range []string{"model", "versions", "versions/1", "community/grids", "community/assignment", "community/assignment?rule=2", "community/clocks", "community/categories", "community/landmarks", "community/courtyards", "community/property", "people/" + itoa(int64(h.people["east/worker"].ID)) + "?part=1"} {
			tab.Go(h.url + "/c/east/admin/" + page)
			tab.FitsItsWidth()
			tab.Picture("admin-" + strings.NewReplacer("/", "-", "?", "-", "=", "").Replace(page) + "-" + name)
		}
	}
}

// Parts that are a few values, and the ladder, are filled in without their text;
// what is not filled in keeps the values that hold.
func TestValuesAndLaddersByForms(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	b.get(parts0+"quiet").mustSay(t, http.StatusOK, "晚上几点起", `value="21:00"`)
	preview := b.post(parts0+"quiet/form", url.Values{"on": {"1"}, "from": {"22：00"}, "to": {"07:30"}})
	preview.mustSay(t, http.StatusOK, "原来:免打扰·晚上几点起:21:00", "改成:免打扰·晚上几点起:22:00")
	b.agree("quiet", preview)
	b.agree("working", b.post(parts0+"working/form", url.Values{"on": {"2"}, "hours": {"08:30-12:00 14:00—17:30"}, "days": {"1", "2", "3", "4", "5", "6"}, "holidays": {"2026-12-31、2027-01-01"}}))
	b.agree("points", b.post(parts0+"points/form", url.Values{"on": {"3"}, "satisfied": {"3"}, "fair": {"0"}, "unsatisfied": {"-1"}, "thanks": {"5"}}))
	b.agree("digest", b.post(parts0+"digest/form", url.Values{"on": {"4"}, "floor": {"90"}, "least": {"3"}, "hot_days": {"14"}, "hot_times": {"2"}}))
	b.agree("property", b.post(parts0+"property/form", url.Values{"on": {"5"}, "company": {"红色物业"}, "services": {"保洁 保安"}, "categories": {"sanitation", "greening"}}))
	b.agree("alliance", b.post(parts0+"alliance/form", url.Values{"on": {"6"}, "party_branches": {"13"}, "party_members": {"450"}, "partner_units": {"9"}}))
	c := h.shape(east).Community
	if c.Quiet.From != "22:00" || c.Quiet.To != "07:30" || len(c.Working.Hours) != 2 || c.Working.Hours[1] != "14:00-17:30" || len(c.Working.Days) != 6 || len(c.Working.Holidays) != 2 ||
		c.Points != (workflow.Points{Satisfied: 3, Unsatisfied: -1, Thanks: 5}) || c.Digest != (workflow.Weekly{Floor: 90, Least: 3, HotDays: 14, HotTimes: 2}) ||
		len(c.Property.Services) != 2 || len(c.Property.Categories) != 2 || c.Alliance.PartyMembers != 450 {
		t.Errorf("the community is %+v", c)
	}
	b.get(parts0+"property").mustSay(t, http.StatusOK, "红色物业", `value="greening" checked`)
	for part, bad := range map[string]url.Values{
		"quiet": {"from": {"半夜"}, "to": {"07:30"}}, "working": {"hours": {"12:00-08:30"}, "days": {"1"}}, "digest": {"floor": {"900"}, "least": {"3"}, "hot_days": {"14"}, "hot_times": {"2"}}, "points": {"satisfied": {"很多"}},
	} {
		bad.Set("on", "7")
		says := map[string]string{"quiet": "「半夜-07:30」不是几点到几点", "working": "要先开始后结束", "digest": "数目不合适", "points": "请写一个整数"}[part]
		b.post(parts0+part+"/form", bad).mustSay(t, http.StatusUnprocessableEntity, says)
	}

	// The form as it is sent without a change, then with a step more and one less.
	b.get(parts0+"ladder").mustSay(t, http.StatusOK, "没人接单", "到期前", `value="30分钟"`)
	form := ladderAsItIs(&c.Ladder)
	form.Set("on", "7")
	b.post(parts0+"ladder/form", form).mustSay(t, http.StatusOK, "没有变化")
	add := func(ladder, side, time, row string, tell ...string) {
		for k, v := range map[string]string{"row": row, "ladder": ladder, "side": side, "time": time} {
			form.Add(k, v)
		}
		form["tell-"+row] = tell
	}
	add("response", "after", "15分钟", "900", "leader")
	form["time"][len(c.Ladder.Emergency)] = "" // the reminder of a response
	preview = b.post(parts0+"ladder/form", form)
	preview.mustSay(t, http.StatusOK, "改成:没人接单:超过 15分钟,告诉网格长", "原来:没人接单:到期前 30分钟,告诉办事的人")
	b.agree("ladder", preview)
	got := h.shape(east).Community.Ladder
	if len(got.Response) != 4 || got.Response[0].After != 0 || got.Response[1].After != 15*time.Minute || got.Response[1].Tell[0] != workflow.HearsLeader || len(got.Resolve) != 4 {
		t.Errorf("the ladder is %+v", got)
	}
	form = ladderAsItIs(&got)
	form.Set("on", "8")
	add("tray", "before", "15分钟", "901", "leader")
	add("visit", "after", "100小时", "902")
	b.post(parts0+"ladder/form", form).mustSay(t, http.StatusUnprocessableEntity, "「超时提醒」没有归类第 1 项:到期前只能提醒接单", "「超时提醒」结对没有走访第 5 项:没选告诉谁")
}

// How the property company is scored, what it inspects, and which buildings are a
// courtyard are filled in without their text, too; each version is kept.
func TestScoresInspectionsAndCourtyardsByForms(t *testing.T) {
	h := newHouse(t)
	b := h.as("east/admin")
	b.get(parts0+"property").mustSay(t, http.StatusOK, "考核赋分", "全空着就是不考核", "巡检清单", `name="score.base" value="" inputmode="numeric"`)
	filled := func(change ...string) url.Values {
		form := url.Values{
			"on": {"1"}, "company": {"红色物业"}, "services": {"保洁"}, "categories": {"sanitation"},
			"score.base": {"100"}, "score.most": {"105"}, "score.answered_late": {"-1"}, "score.overdue": {"-2"}, "score.unsatisfied": {"-2"}, "score.reopened": {""},
			"score.repeat": {"-1"}, "score.repeat_days": {"30"}, "score.praised": {"1"}, "score.patrol_done": {"1"}, "score.patrol_missed": {"-1"},
			"patrol.every": {"7"}, "patrol.items": {"扫楼道、清杂物 排查隐患"},
		}
		for pair := range slices.Chunk(change, 2) {
			form.Set(pair[0], pair[1])
		}
		return form
	}
	for _, one := range []struct{ field, value, says string }{
		{"score.overdue", "两分", "请写一个整数"},
		{"score.overdue", "-2000", "「物业」超时没办完,一次几分:数目不合适"},
		{"score.most", "90", "「物业」满分(不低于基本分;不封顶写 0):数目不合适"},
		{"score.repeat_days", "", "「物业」几天之内算老地方又坏:数目不合适"},
		{"patrol.every", "40", "「物业」几天巡一轮(1 到 31):数目不合适"},
		{"patrol.items", "", "「物业」巡检清单(用空格隔开):数目不合适"},
		{"patrol.items", "扫楼道 扫楼道", "「物业」巡检清单(用空格隔开):「扫楼道」重复了"},
		{"company", "", "「物业」物业公司:少了必填的"},
	} {
		b.post(parts0+"property/form", filled(one.field, one.value)).mustSay(t, http.StatusUnprocessableEntity, one.says)
	}
	preview := b.post(parts0+"property/form", filled())
	preview.mustSay(t, http.StatusOK, "改成:物业·每月基本分:100", "改成:物业·巡检清单(用空格隔开):扫楼道 清杂物 排查隐患")
	b.agree("property", preview)
	p := h.shape(east).Community.Property
	if p.Score == nil || *p.Score != (workflow.ServiceScore{Base: 100, Most: 105, AnsweredLate: -1, Overdue: -2, Unsatisfied: -2, Repeat: -1, RepeatDays: 30, Praised: 1, PatrolDone: 1, PatrolMissed: -1}) ||
		p.Patrol == nil || p.Patrol.Every != 7 || len(p.Patrol.Items) != 3 {
		t.Fatalf("the part is %+v %+v %+v", p, p.Score, p.Patrol)
	}
	b.get("/c/east/admin/versions/2").mustSay(t, http.StatusOK, "改成:物业·每月基本分:100")
	b.post(parts0+"property/form", filled("on", "2")).mustSay(t, http.StatusOK, "没有变化")
	none := filled("on", "2")
	for name := range none {
		if strings.HasPrefix(name, "score.") {
			none.Set(name, "")
		}
	}
	b.agree("property", b.post(parts0+"property/form", none))
	if p := h.shape(east).Community.Property; p.Score != nil || p.Patrol == nil {
		t.Errorf("nothing is scored: %+v", p)
	}

	yard := func(name, estate, buildings string) url.Values {
		return url.Values{"on": {"3"}, "name": {name}, "estate": {estate}, "buildings": {buildings}}
	}
	for says, bad := range map[string]url.Values{
		"请写这个院叫什么":             yard("", "东园", "1-3"),
		"「院落」第 1 项:少了必填的":      yard("南院", "东园", ""),
		"「院落」第 1 项:没有「3-9」这些楼": yard("南院", "东园", "3-9"),
		"「院落」第 1 项:「前排」写得不对":   yard("南院", "东园", "前排"),
		"「院落」第 1 项:没有叫「北园」的小区": yard("南院", "北园", "1"),
	} {
		b.post(parts0+"courtyards/form", bad).mustSay(t, http.StatusUnprocessableEntity, says)
	}
	preview = b.post(parts0+"courtyards/form", yard("南院", "东园", "1到2号楼、4"))
	preview.mustSay(t, http.StatusOK, "改成:院落 南院:东园 1-2, 4号楼")
	b.agree("courtyards", preview)
	if all := h.shape(east).Community.Courtyards; len(all) != 1 || !slices.Equal(all[0].Numbers(), []int{1, 2, 4}) {
		t.Fatalf("courtyards: %+v", all)
	}
	b.get("/c/east/admin/community").mustSay(t, http.StatusOK, "1 个院")
	gone := yard("南院", "东园", "1-2, 4")
	gone["on"], gone["gone"] = []string{"4"}, []string{"0"}
	gone.Set("name", "") // emptied besides
	b.agree("courtyards", b.post(parts0+"courtyards/form", gone))
	if all := h.shape(east).Community.Courtyards; len(all) != 0 {
		t.Errorf("courtyards: %+v", all)
	}
}

// ladderAsItIs is the form of a ladder as a page sends it untouched.
func ladderAsItIs(l *workflow.Ladder) url.Values {
	form := url.Values{}
	for i, one := range laddersOf(l) {
		for j, r := range one.rungs {
			row := strconv.Itoa(100*i + j)
			side := "after"
			if r.After < 0 {
				side = "before"
			}
			for k, v := range map[string]string{"row": row, "ladder": one.key, "side": side, "time": strconv.Itoa(int(r.After.Abs()/time.Minute)) + "分钟"} {
				form.Add(k, v)
			}
			for _, hearer := range r.Tell {
				form.Add("tell-"+row, string(hearer))
			}
			if r.Rise {
				form.Set("rise-"+row, "yes")
			}
		}
	}
	return form
}
