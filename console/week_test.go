package console

import (
	"bytes"
	"context"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
	"github.com/wishdesk/wishdesk/workflow/digest"
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
		w, err := h.desk.Begin(east, true) // the message that it came by
		h.must(err)
		w.Change.Delivery = &desk.Delivery{ID: newToken(), Person: h.people["east/resident"].ID, Type: "text", Text: c.text, At: h.clock.Now()}
		h.must(w.Commit(h.t.Context()))
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

// A week that was sent is shown as it was sent; counted anew it shows what has
// changed since. A running week is counted again after half a minute.
func TestTheWeekIsShownAsItWasSent(t *testing.T) {
	h := newHouse(t)
	h.lively()
	h.must(h.desk.Weekly(t.Context(), east))
	mine, err := h.desk.Journal().Reported(t.Context(), east, h.people["east/resident"].ID, true, 50)
	h.must(err)
	i := slices.IndexFunc(mine, func(t workflow.Ticket) bool { return t.State == workflow.Closed })
	h.tell(east, mine[i].Number, workflow.Command{Name: workflow.CmdReopen, Actor: workflow.By(h.people["east/resident"]), Text: "还堵着"})
	tile := func(path, name, is string) {
		t.Helper()
		h.as("east/committee").get("/c/east/week/"+path).mustSay(t, http.StatusOK, "<b>"+is+"</b><span>"+name)
	}
	tile("2026-W47", "办结", "7")
	tile("2026-W47?now", "办结", "6")
	for path, want := range map[string]string{"2026-W47/book": "7", "2026-W47/book?now": "6"} {
		book, err := excelize.OpenReader(strings.NewReader(h.as("east/committee").get("/c/east/week/" + path).body))
		h.must(err)
		rows, err := book.GetRows("总览")
		h.must(err)
		for _, row := range rows {
			if len(row) > 1 && row[0] == "办结" && row[1] != want {
				t.Errorf("%s says %s, want %s", path, row[1], want)
			}
		}
		h.must(book.Close())
	}

	tile("2026-W48", "受理诉求", "0")
	h.file(east, "楼道灯又不亮了", func(*workflow.Command) {})
	h.clock.Advance(29 * time.Second)
	tile("2026-W48", "受理诉求", "0")
	h.clock.Advance(time.Second)
	tile("2026-W48", "受理诉求", "1")
	h.as("east/committee").get("/c/east/week/2026-W48").mustSay(t, http.StatusOK, "这一周还没有过完")
}

// The week prints on A4: every table and picture within the paper's width, also
// with long times of all three weeks beside each other.
func TestTheWeekPrintsOnA4(t *testing.T) {
	h := newHouse(t)
	h.lively()
	d, err := h.desk.Digest(t.Context(), east, digest.Week{Year: 2026, Number: 47})
	h.must(err)
	for i := range d.Now.Units {
		slow := digest.Times{N: 12, Median: 20*86400 + 23*3600, P90: 120*86400 + 11*3600}
		d.Now.Units[i].ResponseTimes, d.Now.Units[i].HandlingTimes = slow, slow
	}
	d.Before.Units, d.YearAgo.Units = d.Now.Units, d.Now.Units
	_, err = h.desk.Journal().KeepDigest(t.Context(), d)
	h.must(err)
	b := h.tab("east/committee", browsertest.DeskWidth, browsertest.DeskHeight)
	b.Go(h.url + "/c/east/week/2026-W47")
	b.Do("charts", chromedp.WaitVisible(chromedp.CSS(`.chart[data-drawn=yes] canvas`)))
	pdf := b.Print("week")
	box := regexp.MustCompile(`/MediaBox\s*\[0 0 ([0-9.]+) ([0-9.]+)\]`).FindAllSubmatch(pdf, -1)
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(box) == 0 {
		t.Fatalf("no pages in %d bytes", len(pdf))
	}
	for i, size := range box {
		width, _ := strconv.ParseFloat(string(size[1]), 64)
		height, _ := strconv.ParseFloat(string(size[2]), 64)
		if math.Abs(width-595) > 2 || math.Abs(height-842) > 2 { // A4 in points
			t.Errorf("page %d is %g by %g", i+1, width, height)
		}
	}
	if len(box) > 9 {
		t.Errorf("a quiet week takes %d pages", len(box))
	}
}
