package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/console/codes"
	"github.com/wishdesk/wishdesk/workflow"
)

// printer stands for WeChat's codes.
type printer struct {
	asked atomic.Int64
	away  atomic.Int64 // from the how manyth question on it does not answer, 0 = never
	none  atomic.Bool  // the community has no account
}

func (p *printer) of(string) (codes.Platform, bool) { return p, !p.none.Load() }

func (*printer) ID() string { return "wx-test" }

func (*printer) Scene(_ *workflow.Community, at workflow.Place) string {
	return at.Estate + strconv.Itoa(at.Building) + ":" + strconv.Itoa(at.Unit)
}

func (p *printer) Code(_ context.Context, scene string) (string, error) {
	if n, away := p.asked.Add(1), p.away.Load(); away > 0 && n >= away {
		return "", errors.New("no answer")
	}
	return "http://weixin.example/q/" + url.QueryEscape(scene), nil
}

// A sheet is made of the buildings that were chosen; a code is asked for once.
func TestBuildingCodes(t *testing.T) {
	h := newHouse(t)
	b, path := h.as("east/admin"), "/c/east/admin/codes"
	b.get(path).mustSay(t, http.StatusOK, "东园(4 栋)", "一共 <b>4</b> 个码,要 <b>1</b> 张", "but not", "做过")
	b.get(path+"?estate=1&units=5&chosen=yes&building=2&building=3").mustSay(t, http.StatusOK, "一共 <b>10</b> 个码,要 <b>2</b> 张")
	b.get(path+"?chosen=yes").mustSay(t, http.StatusOK, "还没有选楼")
	if n := h.codes.asked.Load(); n != 0 {
		t.Fatalf("looking asks WeChat for %d codes", n)
	}
	two := url.Values{"units": {"0"}, "building": {"1", "3"}}
	a := b.post(path+"/1", two)
	a.mustSay(t, http.StatusOK, "东园 1号楼", "东园 3号楼", "第一网格", "第二网格", "1 张 A4 纸", "but not", "东园 2号楼", "<script")
	if policy := a.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("the sheet's policy is %s", policy)
	}
	if n := strings.Count(a.body, "<section>"); n != 2 || h.codes.asked.Load() != 2 {
		t.Errorf("%d codes on the sheet, %d asked for", n, h.codes.asked.Load())
	}
	b.get(path).mustSay(t, http.StatusOK, "其中 2 个以前做过")
	if again := b.post(path+"/1", two); again.body != a.body || h.codes.asked.Load() != 2 {
		t.Errorf("the second sheet is another; %d asked for", h.codes.asked.Load())
	}
	h.as("west/admin").get("/c/west/admin/codes").mustSay(t, http.StatusOK, "but not", "做过")

	h.codes.away.Store(h.codes.asked.Load() + 1)
	b.post(path+"/1", url.Values{"building": {"2"}}).mustSay(t, http.StatusServiceUnavailable, "没有做成", "but not", "<section>")
	b.get(path).mustSay(t, http.StatusOK, "其中 2 个以前做过")
	h.codes.none.Store(true)
	b.post(path+"/1", two).mustSay(t, http.StatusConflict, "还没有接上公众号")
	b.post(path+"/1", url.Values{"building": {"9"}}).mustSay(t, http.StatusUnprocessableEntity, "请至少选一栋楼")
	if a := b.post(path+"/2", two); a.status != http.StatusNotFound {
		t.Errorf("no such estate: %d", a.status)
	}
	if log := strings.Join(h.logged(east), " "); strings.Count(log, "codes.make") != 6 {
		t.Errorf("the audit log says %s", log)
	}
}

func TestBuildingCodesAreChosen(t *testing.T) {
	h := newHouse(t)
	for name, size := range map[string][2]int{"phone": {browsertest.PhoneWidth, browsertest.PhoneHeight}, "desk": {browsertest.DeskWidth, browsertest.DeskHeight}} {
		b := h.tab("east/admin", size[0], size[1])
		b.Go(h.url + "/c/east/admin/codes")
		b.FitsItsWidth()
		b.Do("choose", browsertest.Says("一共 4 个码"), browsertest.Presses("2 号楼"), browsertest.Says("一共 3 个码"))
		b.Whole("codes-" + name)
		b.Do("none", browsertest.Presses("全不选"), browsertest.Says("还没有选楼"), browsertest.Presses("全选"), browsertest.Says("一共 4 个码"))
		b.Do("units", chromedp.SetValue(chromedp.CSS("#units"), "3"), chromedp.Submit(chromedp.CSS("#choose")), browsertest.Says("一共 12 个码,要 2 张"))
	}
	// The sheet's own style is let in, and nothing that the browser complains of.
	b := h.tab("east/admin", browsertest.DeskWidth, browsertest.DeskHeight)
	b.Go(h.url + "/c/east/admin/codes")
	if _, err := chromedp.Run(b.Context, chromedp.Evaluate[bool](`document.getElementById("sheet").removeAttribute("target") === undefined`)); err != nil {
		t.Fatal(err)
	}
	b.Do("make", browsertest.Presses("做好,打开来打印"), browsertest.Says("沿虚线剪开"))
	if display, err := chromedp.Run(b.Context, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("main")).display`)); err != nil || display != "grid" {
		t.Errorf("the sheet is shown as %q, %v", display, err)
	}
}
