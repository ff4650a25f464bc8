package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/ledger"
)

// giving has the east give points for deeds.
func (h *house) giving() {
	h.t.Helper()
	text := fmt.Sprintf(document, east, "东社区") + "rewards: {wish: 20, help: 10, patrol: 5, report: 3}\n"
	doc, err := workflow.ParseCommunity(strings.NewReader(text))
	h.must(err)
	_, err = h.store.ApplyCommunity(h.t.Context(), doc, []byte(text), "钱敏")
	h.must(err)
	h.must(h.desk.Refresh(h.t.Context()))
}

// earns gives somebody points for a wish.
func (h *house) earns(who string, points int) {
	h.t.Helper()
	h.must(h.store.Commit(h.t.Context(), desk.Change{Community: east, Earned: []ledger.Entry{
		{Cause: newToken(), Person: h.people[who].ID, Why: ledger.ForWish, Points: points, Number: 1001, At: h.clock.Now()},
	}}))
}

// spending gives the east points, rewards and a fund with something in each.
func (h *house) spending() {
	h.t.Helper()
	h.giving()
	for i, r := range []ledger.Reward{{Name: "洗衣液", Price: 20, Stock: 12}, {Name: "理发券", Price: 15, Stock: 30}, {Name: "米面油", Price: 60, Stock: 0}} {
		_, err := h.store.AddReward(h.t.Context(), east, fmt.Sprint(i), r)
		h.must(err)
	}
	h.earns("east/resident", 20)
	h.earns("east/resident", 20)
	h.earns("east/volunteer", 60)
	h.must(h.store.Rank(h.t.Context(), east, h.people["east/volunteer"].ID, true))
	_, _, err := h.desk.Order(h.t.Context(), east, h.people["east/resident"].ID, 2, 1, "spending")
	h.must(err)
	by := h.people["east/committee"].ID
	h.must(h.store.Commit(h.t.Context(), desk.Change{Community: east, Fund: []ledger.Line{
		{Cause: "1", On: "2026-10-08", Item: "共建单位捐款", Words: "北村小学捐给社区的重阳节慰问款", Fen: 5000_00, Paper: "p1", By: by, At: h.clock.Now()},
		{Cause: "2", On: "2026-10-20", Item: "慰问困难老人", Words: "重阳节给独居老人买米面 24 份", Fen: -1280_50, Paper: "p2", By: by, At: h.clock.Now()},
		{Cause: "3", On: "2026-11-20", Words: "发票开成了两份,这一份不算", Strikes: 2, By: by, At: h.clock.Now()},
		{Cause: "4", On: "2026-11-20", Item: "慰问困难老人", Words: "重阳节给独居老人买米面 12 份", Fen: -640_25, Paper: "p4", By: by, At: h.clock.Now()},
	}}))
}

var codeShown = regexp.MustCompile(`<b>([0-9]{3} [0-9]{3})</b>`)

func TestARewardFromTheOrderToTheDesk(t *testing.T) {
	h := newHouse(t)
	admin, neighbour, worker := h.as("east/admin"), h.as("east/neighbour"), h.as("east/worker")
	const points, rewards = "/c/east/points", "/c/east/rewards"
	neighbour.get(points).mustSay(t, http.StatusOK, "还没有开积分")
	h.giving()
	neighbour.get(points).mustSay(t, http.StatusOK, "圆一个邻居的心愿,20 分", "还没上架")
	for field, bad := range map[string][2]string{"title": {"", "请写名称"}, "price": {"0", "请写名称"}, "stock": {"很多", "请写名称"}} {
		f := admin.form(rewards, "title", "洗衣液", "price", "15", "stock", "2")
		f.Set(field, bad[0])
		admin.post(rewards, f).mustSay(t, http.StatusUnprocessableEntity, bad[1])
	}
	add := admin.form(rewards, "title", "洗衣液", "price", "15", "stock", "2")
	for range 2 {
		if a := admin.post(rewards, add); a.to() != rewards+"?said=reward_added" {
			t.Fatalf("adding leads to %d %s %.500s", a.status, a.to(), a.body)
		}
	}
	order := points + "/order/1"
	neighbour.post(order, neighbour.form(points)).mustSay(t, http.StatusConflict, "积分还不够")
	h.earns("east/neighbour", 40)
	neighbour.get(points).mustSay(t, http.StatusOK, "<b>40</b>", "圆了邻居的心愿(1001 号)", "还有 2 份", "换洗衣液", "年底清零")

	form := neighbour.form(points)
	a := neighbour.post(order, form)
	a.mustSay(t, http.StatusOK, "换好了:洗衣液", "<b>25</b>", "<b>15</b>")
	first := codeShown.FindStringSubmatch(a.body)[1]
	again := neighbour.post(order, form) // two taps: one order, and the code that was seen last counts
	again.mustSay(t, http.StatusOK, "换好了:洗衣液", "<b>25</b>")
	code := codeShown.FindStringSubmatch(again.body)[1]
	neighbour.get(points).mustSay(t, http.StatusOK, "等您来领的", "but not", code)

	look := func(code string) answer {
		return worker.post(rewards+"/look", worker.form(rewards, "code", code))
	}
	look("12").mustSay(t, http.StatusUnprocessableEntity, "没有这个兑换码")
	if first != code {
		look(first).mustSay(t, http.StatusUnprocessableEntity, "没有这个兑换码")
	}
	look(code).mustSay(t, http.StatusOK, "请交给", "洗衣液", "已经交给他了")
	if a := worker.post(rewards+"/hand", worker.form(rewards, "code", code)); a.to() != rewards+"?said=handed" {
		t.Fatalf("handing over leads to %d %s", a.status, a.to())
	}
	look(code).mustSay(t, http.StatusUnprocessableEntity, "没有这个兑换码")
	neighbour.get(points).mustSay(t, http.StatusOK, "<b>25</b>", "还有 1 份", "but not", "等您来领的")

	// What somebody does not want any more is as if it had not been ordered.
	second := neighbour.post(order, neighbour.form(points))
	second.mustSay(t, http.StatusOK, "<b>10</b>", "不要了,退 15 分")
	cancel := regexp.MustCompile(`/points/cancel/\d+`).FindString(second.body)
	worker.post("/c/east"+cancel, worker.form(points)).mustSay(t, http.StatusConflict, "已经领走了")
	for i := range 2 {
		if a := neighbour.post("/c/east"+cancel, neighbour.form(points)); i == 0 && a.to() != points+"?said=order_cancelled" || i == 1 && a.status != http.StatusConflict {
			t.Fatalf("cancelling leads to %d %s", a.status, a.to())
		}
	}
	look(codeShown.FindStringSubmatch(second.body)[1]).mustSay(t, http.StatusUnprocessableEntity, "没有这个兑换码")
	neighbour.get(points).mustSay(t, http.StatusOK, "<b>25</b>", "还有 1 份", "不要了,退回", "but not", "等您来领的")

	// Somebody ordered one while the administrator counted.
	h.earns("east/worker", 20)
	own := worker.post(order, worker.form(points))
	stale := admin.form(rewards, "was", "1", "stock", "9")
	admin.post(rewards+"/1", stale).mustSay(t, http.StatusConflict, "份数变了")
	mine := codeShown.FindStringSubmatch(own.body)[1]
	worker.post(rewards+"/hand", worker.form(rewards, "code", mine)).mustSay(t, http.StatusForbidden, "role=\"alert\"")
	if a := admin.post(rewards+"/1", admin.form(rewards, "was", "0", "stock", "9", "ended", "yes")); a.to() != rewards+"?said=changed" {
		t.Fatalf("taking it from the list leads to %d %s", a.status, a.to())
	}
	neighbour.get(points).mustSay(t, http.StatusOK, "but not", "换洗衣液</button>")
	neighbour.post(order, neighbour.form(points)).mustSay(t, http.StatusConflict, "已经下架")

	neighbour.post(points+"/rank", neighbour.form(points, "yes", "yes"))
	worker.get(points).mustSay(t, http.StatusOK, "第 1</span>", "一位邻居", "40 分")
	neighbour.post(points+"/rank", neighbour.form(points, "yes", "no"))
	worker.get(points).mustSay(t, http.StatusOK, "榜上还没有人")
	if log := h.logged(east); !slices.Contains(log, "rewards.hand") || !slices.Contains(log, "rewards.look") {
		t.Errorf("the audit log has %v", log)
	}
}

func TestTheFundIsOpenToAll(t *testing.T) {
	h := newHouse(t)
	const fund = "/c/east/fund"
	keeper, neighbour := h.as("east/committee"), h.as("east/neighbour")
	neighbour.get(fund).mustSay(t, http.StatusOK, "还没有账目", "but not", "<h2>记一笔")
	photo, err := os.ReadFile(photo(t))
	h.must(err)
	line := func(fields ...string) url.Values {
		f := keeper.form(fund, "side", "in", "sum", "5,000", "day", "2026-11-20", "item", "捐款", "text", "北村小学捐款")
		for pair := range slices.Chunk(fields, 2) {
			f.Set(pair[0], pair[1])
		}
		return f
	}
	for _, c := range [][3]string{{"side", "", "请选一个"}, {"sum", "很多", "金额请写成"}, {"sum", "-3", "金额请写成"}, {"day", "2026-11-24", "日期、科目、说明"}, {"item", "", "日期、科目、说明"}, {"text", "", "日期、科目、说明"}} {
		keeper.sends(fund, line(c[0], c[1]), photo).mustSay(t, http.StatusUnprocessableEntity, c[2])
	}
	keeper.sends(fund, line(), nil).mustSay(t, http.StatusUnprocessableEntity, "请拍一张单据")
	in := line()
	for range 2 {
		if a := keeper.sends(fund, in, photo); a.to() != fund+"?said=fund_added" {
			t.Fatalf("entering leads to %d %s %.500s", a.status, a.to(), a.body)
		}
	}
	keeper.sends(fund, line("side", "out", "sum", "1200.50", "item", "慰问", "text", "重阳节米面"), photo)
	// More than there is goes out only by who is sure of it.
	much := line("side", "out", "sum", "5000000", "item", "慰问", "text", "多写了三个零")
	keeper.sends(fund, much, photo).mustSay(t, http.StatusUnprocessableEntity, "账上只有 3,799.50 元了", `name="sure"`)
	page := neighbour.get(fund)
	page.mustSay(t, http.StatusOK, "but not", "多写了三个零")
	page.mustSay(t, http.StatusOK, "5,000.00", "1,200.50", "3,799.50", "北村小学捐款", "第 2 笔", "曹一鸣记", "but not", "第 3 笔", "这一笔记错了")
	if a := neighbour.get(fund + "/1/paper"); a.status != http.StatusOK || a.header.Get("Content-Type") != "image/jpeg" || len(a.body) == 0 {
		t.Errorf("the paper: %d %s", a.status, a.header.Get("Content-Type"))
	}
	if a := h.as("west/neighbour").get("/c/west/fund/1/paper"); a.status != http.StatusNotFound {
		t.Errorf("another community sees it: %d", a.status)
	}
	strike := fund + "/2/strike"
	keeper.sends(strike, keeper.form(fund), nil).mustSay(t, http.StatusUnprocessableEntity)
	if a := keeper.sends(strike, keeper.form(fund, "text", "写错了金额"), nil); a.to() != fund+"?said=fund_struck" {
		t.Fatalf("striking leads to %d %s %.500s", a.status, a.to(), a.body)
	}
	keeper.sends(strike, keeper.form(fund, "text", "再来"), nil).mustSay(t, http.StatusConflict, "已经更正过")
	neighbour.get(fund).mustSay(t, http.StatusOK, "已由第 3 笔更正", "更正第 2 笔", "写错了金额", "+1,200.50", "<b>5,000.00</b>")
	neighbour.get(fund+"?year=2025").mustSay(t, http.StatusOK, "2025 年", "北村小学捐款")
	if a := neighbour.sends(fund, line(), photo); a.status != http.StatusForbidden {
		t.Errorf("a resident enters a line: %d", a.status)
	}
	much.Set("sure", "yes")
	if a := keeper.sends(fund, much, photo); a.to() != fund+"?said=fund_added" {
		t.Errorf("who is sure enters more than there is: %d %s", a.status, a.to())
	}
	if errs := errors.Join(h.desk.Books(t.Context(), east), h.desk.Books(t.Context(), west)); errs != nil {
		t.Error(errs)
	}
}
