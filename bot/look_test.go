package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wishdesk/wishdesk/workflow/access"
)

// A list of work hides telephone numbers; who asks for the ticket by its number
// sees it, and that they looked stands in the audit log.
func TestATelephoneIsShownOnlyWhereItIsAskedFor(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.whole = true }).awake()
	looks := func() []string {
		t.Helper()
		all, err := w.store.AuditLog(w.ctx, community, access.Entries{Limit: 50})
		must(t, err)
		var out []string
		for _, e := range all {
			if e.Person != w.people["zhang"] || !strings.HasSuffix(e.Object, "chat") {
				t.Errorf("the audit log has %+v", e)
			}
			if command := strings.TrimSuffix(e.Object, "chat"); command != "" {
				e.Action += " " + strings.TrimSuffix(command, ", ")
			}
			out = append(out, fmt.Sprint(e.Action, " ", e.Number))
		}
		slices.Reverse(out)
		return out
	}
	w.holds("filed", w.say(worker, "代报 王桂英 13800138000 西区12号楼3单元402 楼道灯不亮"), "1001")
	w.pump()
	w.say(worker, "接单 1001")
	w.say(worker, "办结 1001 灯换好了")
	w.pump()
	w.holds("the list", w.say(worker, "待办"), "请打电话告知", "王桂英 138****8000", "!13800138000")
	want := []string{"ticket.behalf 1001", "ticket.tell command accept 1001", "ticket.tell command resolve 1001", "work.look 0"}
	if got := looks(); !slices.Equal(got, want) {
		t.Errorf("looks before anybody looked: %v", got)
	}
	w.holds("the ticket", w.say(worker, "1001"), "王桂英 13800138000")
	if got := looks(); !slices.Equal(got, append(want, "phone.look 1001")) {
		t.Errorf("looks: %v", got)
	}
	w.holds("another's", w.say("o-worker-sun", "1001"), "!138")
}

// What is done by chat to others' matters, and what is shown of them, stands in the audit
// log like what is done on the pages; what is one's own does not.
func TestDeedsByChatAreInTheAuditLog(t *testing.T) {
	w := newWorld(t, func(s *settings) { s.whole = true }).awake()
	w.holds("filed", w.say(neighbour, "西区12号楼3单元402楼道灯不亮"), "1001")
	w.holds("filed too", w.say(resident, "西区12号楼1单元电梯坏了"), "1002")
	w.pump()
	w.say(neighbour, "补充 1001 晚上看不见")
	w.say(neighbour, "1001")
	lines := func() []string {
		t.Helper()
		all, err := w.store.AuditLog(w.ctx, community, access.Entries{Limit: 50})
		must(t, err)
		var out []string
		for _, e := range all {
			out = append(out, fmt.Sprint(e.Action, " ", e.Number, " ", e.Object))
		}
		slices.Reverse(out)
		return out
	}
	if got := lines(); len(got) != 0 {
		t.Fatalf("one's own matter: %q", got)
	}
	w.say(worker, "接单 1001")
	w.say(worker, "督办 1001")
	w.say(worker, "经过 1001")
	w.say(worker, "并案 1002 1001 一起的")
	w.say(worker, "已告知 1001")
	got := strings.Join(lines(), "\n")
	for _, want := range []string{"ticket.tell 1001 command accept, chat", "ticket.tell 1001 command escalate, chat", "ticket.look 1001 chat", "ticket.tell 1002 command merge, chat", "ticket.called 1001 chat"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
