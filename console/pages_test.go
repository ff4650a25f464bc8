package console

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/workflow"
)

// tab is a real browser in which somebody is logged in, at a size.
func (h *house) tab(who string, width, height int) *browsertest.Browser {
	h.t.Helper()
	b := browsertest.Open(h.t, width, height)
	m := h.member(who)
	for _, c := range m.client.Jar.Cookies(mustParse(h.url)) {
		b.Cookie(h.url, c.Name, c.Value)
	}
	return b
}

func TestAResidentRatesOnTheirTelephone(t *testing.T) {
	h := newHouse(t)
	ticket := h.file(east, "3单元楼道灯不亮了,晚上上下楼看不见")
	h.file(east, "想学用智能手机", func(c *workflow.Command) { c.Kind, c.Category = workflow.Wish, "elderly" })
	worker := workflow.By(h.people["east/worker"])
	h.tell(east, ticket.Number, workflow.Command{Name: workflow.CmdAccept, Actor: worker}, workflow.Command{Name: workflow.CmdResolve, Actor: worker, Text: "灯已经换好,请您看看"})
	b := h.tab("east/resident", browsertest.PhoneWidth, browsertest.PhoneHeight)
	b.Go(h.url + "/c/east/")
	b.Do("my matters", browsertest.Says("我的事项"), browsertest.Says("已办好,等您评价"))
	b.Picture("my-phone")
	b.Do("open", chromedp.Click(chromedp.CSS(`a[href$="`+number(ticket)+`#rate"]`)), browsertest.Says("办得怎么样?"))
	b.Picture("my-ticket-phone")
	b.Do("rate", browsertest.Presses("满意"), browsertest.Says("谢谢您的评价"))
	if got, err := h.store.Ticket(t.Context(), east, ticket.Number); err != nil || got.State != workflow.Closed || got.Rating != workflow.Satisfied {
		t.Errorf("the ticket is %s, rated %q (%v)", got.State, got.Rating, err)
	}
	b.Picture("my-rated-phone")
}
