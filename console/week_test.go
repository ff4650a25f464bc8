package console

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// lively gives the east a week with something in every part of its report.
func (h *house) lively() {
	h.t.Helper()
	me := workflow.By(h.people["east/resident"])
	h.clock.Advance(-6 * 24 * time.Hour) // Tuesday of the week before
	for i, c := range []struct {
		category workflow.Category
		building int
		end      string
		text     string
	}{
		{"facilities", 1, "rated", "一楼的楼道灯不亮了,老人上下楼看不见"}, {"facilities", 1, "rated", "单元门关不上,夜里谁都能进"}, {"drainage", 2, "rated", "下水道堵了,厨房返水"},
		{"drainage", 2, "bad", "楼后的污水又冒出来了"}, {"drainage", 2, "rated", "雨水管漏,墙都湿了"}, {"noise", 3, "open", "楼下半夜唱歌,睡不着"},
		{"sanitation", 4, "rated", "垃圾桶满了两天没人清"}, {"parking", 3, "resolved", "有车堵着消防通道"}, {"facilities", 2, "open", "楼道的窗户玻璃碎了,怕掉下来伤人"}, {"greening", 1, "rated", "树枝压着电线了"},
	} {
		t := h.file(east, c.text, func(cmd *workflow.Command) {
			cmd.Category, cmd.Place.Building = c.category, c.building
			cmd.Place.Grid = map[bool]string{true: "G1", false: "G2"}[c.building < 3]
		})
		owner := workflow.By(h.staff(t.Owner))
		h.clock.Advance(time.Duration(10+7*i) * time.Minute)
		if c.end == "open" {
			continue
		}
		h.tell(east, t.Number, workflow.Command{Name: workflow.CmdAccept, Actor: owner})
		h.clock.Advance(time.Duration(1+i) * time.Hour)
		h.tell(east, t.Number, workflow.Command{Name: workflow.CmdResolve, Actor: owner, Text: "办好了"})
		switch c.end {
		case "rated":
			h.tell(east, t.Number, workflow.Command{Name: workflow.CmdRate, Actor: me, Rating: workflow.Satisfied})
		case "bad":
			h.tell(east, t.Number, workflow.Command{Name: workflow.CmdRate, Actor: me, Rating: workflow.Unsatisfied, Text: "又堵了"})
		}
	}
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	h.clock.Advance(now.Add(-27 * time.Hour).Sub(h.clock.Now()))
	h.fire()
	h.clock.Advance(now.Sub(h.clock.Now()))
}

// staff is who has a ticket.
func (h *house) staff(id workflow.PersonID) workflow.Person {
	shape, _ := h.desk.Shape(east)
	return shape.Roster.ByID(id)
}

// fire turns the clocks: what is overdue is noted.
func (h *house) fire() {
	h.t.Helper()
	for range 20 {
		h.must(h.desk.Sweep(h.t.Context(), east))
		done := func(context.Context, string, desk.Task) error { return nil } // nobody sends here
		runner := h.desk.NewRunner("test", 2, map[desk.TaskKind]desk.Handler{desk.TaskPush: done, desk.TaskMedia: done, desk.TaskAdvice: done})
		_, err := runner.Pump(h.t.Context(), east)
		h.must(err)
	}
}

func TestTheCommitteeReadsTheWeek(t *testing.T) {
	h := newHouse(t)
	h.lively()
	if a := h.as("east/committee").get("/c/east/week"); a.to() != "/c/east/week/2026-W47" {
		t.Errorf("the week leads to %s", a.to())
	}
	for who, want := range map[string]int{"east/committee": 200, "east/worker": 403, "east/resident": 403, "east/admin": 403} {
		if a := h.as(who).get("/c/east/week/2026-W47"); a.status != want {
			t.Errorf("%s: %d, want %d", who, a.status, want)
		}
	}
	for _, nowhere := range []string{"2026-W49", "2026-47", "x", "0001-W01", "2011-W52", "2026-W54"} {
		for _, path := range []string{"/c/east/week/" + nowhere, "/c/east/week/" + nowhere + "/book"} {
			h.as("east/committee").get(path).mustSay(t, http.StatusNotFound, "没有这一周的周报", "2026-W47", "东社区心愿台")
		}
	}
	quiet := h.as("east/committee").get("/c/east/week/2012-W01")
	quiet.mustSay(t, http.StatusOK, "这一周还没有数", "but not", "上一周</a>", "data-chart")
	a := h.as("east/committee").get("/c/east/week/2026-W47/book")
	book, err := excelize.OpenReader(bytes.NewReader([]byte(a.body)))
	h.must(err)
	defer book.Close()
	if len(book.GetSheetList()) < 6 {
		t.Errorf("sheets: %v", book.GetSheetList())
	}
	a = h.as("east/committee").get("/c/east/week/2026-W47")
	a.mustSay(t, http.StatusOK, "东社区周报", "解决率", "第一网格", "but not", "孙桂兰", "1990000", "402")

	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		b := h.tab("east/committee", size[0], size[1])
		b.Go(h.url + "/c/east/week/2026-W47")
		b.Do("charts", chromedp.WaitVisible(chromedp.CSS(`.chart[data-drawn=yes] canvas`)))
		b.Picture("week-" + name)
		b.Whole("week-" + name + "-whole")
	}
}
