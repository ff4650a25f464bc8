package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/desk"
)

// toldMessage is how the tests' messages are kept: the real one is the bot's.
func toldMessage(body []byte) (openid, words string, at time.Time, ok bool) {
	var m struct{ OpenID, Words string }
	err := json.Unmarshal(body, &m)
	return m.OpenID, m.Words, time.Time{}, err == nil
}

// bury has tasks fail for good.
func (h *house) bury(code string, tasks ...desk.Task) {
	h.t.Helper()
	for _, t := range tasks {
		h.must(h.store.DeadLetter(h.t.Context(), code, string(t.Kind), t.Letter(), "it failed", h.clock.Now()))
	}
}

func (h *house) letters(code string) []desk.DeadLetter {
	h.t.Helper()
	all, err := h.store.DeadLetters(h.t.Context(), code, 100)
	h.must(err)
	return all
}

// What failed for good is tried again as it stood on its queue, or given up, by
// the administrator of that community alone.
func TestWhatFailedForGood(t *testing.T) {
	h := newHouse(t)
	message := desk.Task{Kind: desk.TaskMessage, Key: "m:1", Lane: "from:o-east-resident", Body: []byte(`{"OpenID":"o-east-resident","Words":"楼道灯又坏了"}`)}
	h.bury(east, message, desk.Task{Kind: desk.TaskPush, Key: "1001:urgent", Urgent: true}, desk.Task{Kind: desk.TaskTick, Key: "1001"}, desk.Task{Kind: desk.TaskTick, Key: "1002"})
	h.bury(west, desk.Task{Kind: desk.TaskTick, Key: "1001"})
	b, path := h.as("east/admin"), "/c/east/admin/failures"
	b.get(path).mustSay(t, http.StatusOK, "系统没办成的", "孙桂兰", "到期提醒没办成", "1001 号", "but not", "楼道灯又坏了")
	h.as("east/committee").get(path).mustSay(t, http.StatusOK, "都送到了", "but not", "楼道灯又坏了")

	all := h.letters(east)
	id := func(i int) string { return itoa(all[len(all)-1-i].ID) } // the oldest is the first
	if a := b.post(path+"/"+id(0)+"/retry", nil); a.to() != path+"?said=retried" {
		t.Fatalf("retrying leads to %d %s", a.status, a.body)
	}
	if a := b.post(path+"/"+id(0)+"/retry", nil); a.status != http.StatusNotFound {
		t.Errorf("retried twice: %d", a.status)
	}
	if a := b.post(path+"/"+id(3)+"/drop", nil); a.to() != path+"?said=dropped" {
		t.Errorf("giving up leads to %d %s", a.status, a.body)
	}
	h.bury(east, desk.Task{Kind: desk.TaskTick, Key: "1003"}) // came after the page was shown
	if a := b.post(path+"/retry", url.Values{"from": {id(0)}, "until": {id(3)}}); a.status != http.StatusSeeOther {
		t.Errorf("all: %d %s", a.status, a.body)
	}
	if a := b.post(path+"/drop", url.Values{"from": {""}, "until": {"9"}}); a.status != http.StatusUnprocessableEntity || len(h.letters(east)) != 1 {
		t.Errorf("a form without letters: %d, %d left", a.status, len(h.letters(east)))
	}
	if left := h.letters(east); len(left) != 1 || left[0].Task().Key != "1003" {
		t.Errorf("left: %+v", left)
	}
	if len(h.letters(west)) != 1 {
		t.Error("another community's letter is gone")
	}
	got := map[string]desk.Task{}
	tasks, err := h.desk.Drive().Read(t.Context(), east, "test", 10, 0)
	h.must(err)
	for _, task := range tasks {
		got[task.Key] = task
	}
	if len(got) != 3 || got["m:1"].Lane != message.Lane || string(got["m:1"].Body) != string(message.Body) || !got["1001:urgent"].Urgent || got["1001"].Kind != desk.TaskTick {
		t.Errorf("queued: %+v", got)
	}
	if log := strings.Join(h.logged(east), " "); !strings.Contains(log, "failures.retry failures.retry failures.drop failures.retry failures.drop") {
		t.Errorf("the audit log says %s", log)
	}
}

// Calls are made and ticked off one by one.
func TestCallsAreTickedOff(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	me := h.people["east/resident"]
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(h.people["east/worker"])})
	h.unreached(ticket.Number, me.ID)
	h.unreached(ticket.Number, h.people["east/worker"].ID)
	open, err := h.desk.AllCalls(t.Context(), east, h.people["east/admin"], 10)
	h.must(err)
	if len(open) != 2 {
		t.Fatalf("%d calls are open: %+v", len(open), open)
	}
	b, path := h.as("east/admin"), "/c/east/admin/failures"
	calls := path + "/calls/" + number(ticket)
	b.get(path).mustSay(t, http.StatusOK, "要打电话告诉的", "孙桂兰", "已告知", "but not", me.Phone)
	key := open[0].Key
	if open[0].Person != me.ID {
		key = open[1].Key
	}
	b.post(calls+"/phone", url.Values{"key": {key}}).mustSay(t, http.StatusOK, me.Phone, "but not", h.people["east/worker"].Phone)
	if a := b.post(calls+"/called", url.Values{"key": {key}}); a.to() != path+"?said=did.called" {
		t.Errorf("ticking off leads to %d %s", a.status, a.body)
	}
	if a := b.post(calls+"/called", url.Values{"key": {key}}); a.status != http.StatusConflict {
		t.Errorf("ticked off twice: %d", a.status)
	}
	b.get(path).mustSay(t, http.StatusOK, "秦霞", "but not", "孙桂兰")
	if a := h.as("west/admin").post("/c/west/admin/failures/calls/"+number(ticket)+"/called", url.Values{"key": {open[1].Key}}); a.status != http.StatusConflict {
		t.Errorf("another community ticks it off: %d", a.status)
	}
}

// Assigned twice is one call, which says what the matter is.
func TestOneCallForTheSame(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	committee := workflow.By(h.people["east/committee"])
	me := h.people["east/resident"]
	for _, to := range []string{"leader", "worker"} {
		h.clock.Advance(time.Minute)
		h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAssign, Actor: committee, To: h.people["east/"+to].ID, Why: workflow.WhyByHand})
	}
	h.unreached(ticket.Number, me.ID)
	open, err := h.desk.AllCalls(t.Context(), east, h.people["east/admin"], 10)
	h.must(err)
	seen := map[workflow.Purpose]int{}
	for _, p := range open {
		seen[p.Purpose]++
	}
	if seen["handler"] != 1 {
		t.Errorf("the calls are %v", seen)
	}
	page := h.as("east/admin").get("/c/east/admin/failures")
	page.mustSay(t, http.StatusOK, "告知谁在办", "设施维修 东园", "有更新的一通电话", "but not", "楼道灯不亮了")
}

// Why nothing arrived is said in Chinese, whatever the log has.
func TestWhyNothingArrived(t *testing.T) {
	h := newHouse(t)
	q := &request{console: h.console, shape: h.shape(east)}
	for _, c := range []struct {
		push desk.Push
		says string
	}{
		{desk.Push{Error: desk.WhyNoChannel}, "微信现在不让发"},
		{desk.Push{Error: desk.WhyUnreachable}, "没有关注"},
		{desk.Push{Error: desk.WhyNotArrived + ": failed:user block"}, "没有送到"},
		{desk.Push{Error: "require subscribe", ErrCode: 43004}, "微信没有收(代码 43004)"},
		{desk.Push{Error: "dial tcp: i/o timeout"}, "没有发成"},
		{desk.Push{}, ""},
	} {
		if got := q.undelivered(c.push); (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%+v: %q", c.push, got)
		}
	}
}

// Calls to people whom somebody may not know do not hide those that they can make.
func TestCallsAreNotHiddenByOthers(t *testing.T) {
	h := newHouse(t)
	me := h.people["east/resident"]
	for range 4 {
		wish := h.file(east, "想要一台轮椅", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
		h.tell(east, wish.Number, workflow.Command{Name: workflow.CmdClaim, Actor: workflow.By(h.people["east/partner"]), Unit: "北村小学"})
		h.unreached(wish.Number, me.ID)
	}
	ticket := h.file(east, "楼道灯不亮了")
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(h.people["east/worker"])})
	h.unreached(ticket.Number, me.ID)
	hidden, err := h.store.ManualPushes(t.Context(), east, desk.Manual{All: true}, 10)
	h.must(err)
	open, err := h.desk.AllCalls(t.Context(), east, h.people["east/admin"], 2)
	h.must(err)
	if len(hidden) != 5 || len(open) != 1 || open[0].Number != ticket.Number {
		t.Errorf("of %d calls the administrator has %+v", len(hidden), open)
	}
}

func TestFailuresAreShown(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "楼道灯不亮了")
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: workflow.By(h.people["east/worker"])})
	h.unreached(ticket.Number, h.people["east/resident"].ID)
	h.bury(east, desk.Task{Kind: desk.TaskMessage, Key: "m:1", Body: []byte(`{"OpenID":"o-east-resident","Words":"楼道灯又坏了,晚上上下楼看不见,麻烦快点来修"}`)}, desk.Task{Kind: desk.TaskTick, Key: "1001"})
	b := h.tab("east/admin", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/admin/failures")
	b.FitsItsWidth()
	b.Whole("failures-phone")
	b = h.tab("east/admin", browsertest.DeskWidth, browsertest.DeskHeight)
	b.Go(h.url + "/c/east/admin/failures")
	b.FitsItsWidth()
	b.Whole("failures-desk")
	b.Do("retry", browsertest.Presses("这 2 件都重试"), browsertest.Says("已重新排上"))
}
