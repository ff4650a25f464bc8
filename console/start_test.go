package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
)

// A telephone's bar has what matters most, and the rest behind one tap; a desk has
// room for all.
func TestATelephonesBarIsShort(t *testing.T) {
	h := newHouse(t)
	shown := func(b *browsertest.Browser) int {
		t.Helper()
		n, err := chromedp.Run(b.Context, chromedp.Evaluate[int](`[...document.querySelectorAll('.nav a')].filter(a => a.checkVisibility()).length`))
		h.must(err)
		return n
	}
	phone := h.tab("east/admin", browsertest.PhoneWidth, browsertest.PhoneHeight)
	phone.Go(h.url + "/c/east/")
	phone.FitsItsWidth()
	if n := shown(phone); n != bar {
		t.Errorf("the bar has %d entries", n)
	}
	if n, err := chromedp.Run(phone.Context, chromedp.Evaluate[int](`[...document.querySelectorAll('.nav a')].filter(a => a.checkVisibility() && (a.getBoundingClientRect().right > innerWidth || a.scrollWidth > a.clientWidth)).length`)); err != nil || n > 0 {
		t.Errorf("%d entries of the bar are cut off (%v)", n, err)
	}
	phone.Do("the rest", browsertest.Chooses("更多"), browsertest.Says("管理"), browsertest.Says("自己的"))
	phone.FitsItsWidth()
	phone.Picture("menu-phone")
	phone.Do("one of it", chromedp.Click(`//main//a[.="试派单"]`), chromedp.WaitVisible(`//h1[.="试派单"]`), chromedp.WaitVisible(`//nav//a[.="更多" and @aria-current="page"]`))
	desk := h.tab("east/admin", browsertest.DeskWidth, browsertest.DeskHeight)
	desk.Go(h.url + "/c/east/admin/try")
	if n := shown(desk); n < 12 {
		t.Errorf("a desk has %d entries", n)
	}
	desk.Picture("menu-desk")
	for who, first := range map[string]string{"resident": "/c/east/my", "worker": "/c/east/work", "committee": "/c/east/today", "admin": "/c/east/admin/people", "member": "/c/east/lessons"} {
		if a := h.as("east/" + who).get("/c/east/"); a.status != http.StatusSeeOther || a.to() != first {
			t.Errorf("the %s begins at %s", who, a.to())
		}
	}
	if a := h.as("east/member").get("/c/east/menu"); strings.Count(a.body, `cell_access" href="/c/east/lessons"`) != 1 {
		t.Error("the menu of a member has the lessons twice, or not at all")
	}
	h.as("east/resident").get("/c/east/my").mustSay(t, http.StatusOK, "我的事项", "心愿墙", ">更多<", "but not", "管理")
}
