package bot_test

import (
	"fmt"
	"slices"
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
			if e.Person != w.people["zhang"] || e.Object != "chat" {
				t.Errorf("the audit log has %+v", e)
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
	if got := looks(); len(got) != 0 {
		t.Errorf("looks before anybody looked: %v", got)
	}
	w.holds("the ticket", w.say(worker, "1001"), "王桂英 13800138000")
	if got := looks(); !slices.Equal(got, []string{"phone.look 1001"}) {
		t.Errorf("looks: %v", got)
	}
	w.holds("another's", w.say("o-worker-sun", "1001"), "!138")
}
