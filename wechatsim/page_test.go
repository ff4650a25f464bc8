package wechatsim

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

type (
	css    = chromedp.CSS
	step   = chromedp.Action[chromedp.Void]
	viewer struct { // a browser that looks at the page
		context.Context
		t *testing.T
	}
)

// newViewer starts a headless chromium of this size for the test.
func newViewer(t *testing.T, width, height int) *viewer {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true))
	ctx, cancelTime := context.WithTimeout(context.Background(), 60*time.Second)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("browser: %v", err)
		}
		cancel()
		cancelAllocator()
		cancelTime()
	})
	v := &viewer{ctx, t}
	v.do("start", chromedp.EmulateViewport(int64(width), int64(height)))
	return v
}

func (v *viewer) do(what string, steps ...step) {
	v.t.Helper()
	if err := chromedp.Do(v.Context, steps...); err != nil {
		v.picture("failed")
		v.t.Fatalf("%s: %v", what, err)
	}
}

// count evaluates a script that gives a number.
func (v *viewer) count(script string) int {
	v.t.Helper()
	n, err := chromedp.Run(v.Context, chromedp.Evaluate[int](script))
	if err != nil {
		v.t.Fatalf("%s: %v", script, err)
	}
	return n
}

// picture leaves a screenshot in the directory WECHATSIM_SHOTS, if it is set.
func (v *viewer) picture(name string) {
	v.t.Helper()
	dir := os.Getenv("WECHATSIM_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(v.Context, chromedp.CaptureScreenshot())
	if err != nil {
		v.t.Logf("picture %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		v.t.Error(err)
	}
}

// on names things of the nth phone.
func on(n int, selector string) css { return css(fmt.Sprintf("#phone-%d %s", n, selector)) }

// said waits for words in the chat of the nth phone.
func said(n int, words string) step {
	return chromedp.WaitVisible(fmt.Sprintf(`//*[@id="phone-%d"]//*[contains(@class,"log")]//*[contains(text(),%q)]`, n, words))
}

// enter presses the key as a keyboard does: what the page prevents on keydown
// types nothing. (SendKeys sends the character in any case.)
func enter(sel css) step {
	return chromedp.Steps(chromedp.Focus(sel), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"}
		if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, key); err != nil {
			return err
		}
		key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, key)
		return err
	}))
}

// write types words into a field and presses Enter.
func write(sel css, words string) step {
	return chromedp.Steps(chromedp.SendKeys(sel, words), enter(sel))
}

// tile presses a button of the panel behind the plus.
func tile(n int, kind string) step {
	return chromedp.Steps(chromedp.Click(on(n, ".plus")), chromedp.WaitVisible(on(n, ".tile."+kind)), chromedp.Click(on(n, ".tile."+kind)))
}

// desk makes the webhook answer as a desk would, with every kind of answer.
func (b *bench) desk() {
	b.hook.replyWith(func(w http.ResponseWriter, g got) {
		words := "收到您的话了。"
		switch {
		case g.Msg.Content == "坏":
			put(w, "{}")
			return
		case g.Msg.BizMsgMenuID != "":
			words = "好的:" + g.Msg.Content
		case strings.Contains(g.Msg.Content, "灯") || strings.Contains(g.Msg.Recognition, "灯"):
			words = "您好，楼道灯不亮的事记下了，工单 1024。\n请问在哪里？点一下就行：\n" +
				`<a href="weixin://bizmsgmenu?msgmenucontent=12号楼3单元&msgmenuid=1">1. 12号楼3单元</a>` + "\n" +
				`<a href="weixin://bizmsgmenu?msgmenucontent=别处&msgmenuid=2">2. 别处</a>`
		case g.Msg.MsgType == "image":
			words = "照片收到了，已附在工单 1024 上。"
		case g.Msg.MsgType == "location":
			words = "位置收到了：" + g.Msg.Label
		case g.Msg.MsgType == "event" && g.Msg.Event != "CLICK" && g.Msg.Event != "SCAN" && g.Msg.Event != "subscribe":
			put(w, "success")
			return
		case g.Msg.MsgType == "event":
			words = "事件：" + g.Msg.Event + " " + g.Msg.EventKey
		}
		put(w, sealedReply(b.t, b.Account, textReply(g, words)))
	})
}

func newDeskBench(t *testing.T) *bench {
	b := newBench(t, func(o *Options) {
		o.Account.Name, o.ServerAddr, o.Clock = "毕家洼西区心愿台", "http://127.0.0.1:8080", nil
	})
	b.desk()
	b.wantCode("menu", b.call(pathMenuCreate, map[string]any{"button": []any{
		map[string]any{"type": "click", "name": "我的进度", "key": "PROGRESS"},
		map[string]any{"name": "心愿", "sub_button": []any{
			map[string]any{"type": "view", "name": "看心愿墙", "url": b.hook.URL + "/wall"},
			map[string]any{"type": "click", "name": "许个愿", "key": "WISH"}}},
	}}), 0)
	return b
}

func (b *bench) pushMenu(openid string) {
	b.t.Helper()
	b.wantCode("push", b.call(pathCustomSend, map[string]any{"touser": openid, "msgtype": "msgmenu", "msgmenu": map[string]any{
		"head_content": "新工单 1024\n毕家洼西区12号楼3单元，楼道灯不亮。\n请 1 小时内回应。", "tail_content": "也可以回“接单 1024”。",
		"list": []MenuItem{{"1", "接单 1024"}, {"2", "转派 1024"}, {"3", "退单 1024"}},
	}}), 0)
}

func TestPhonesPage(t *testing.T) {
	b := newDeskBench(t)
	// The worker wrote before, so that pushes may be sent.
	must(b.SendText(ctxOf(t), worker, "待办"))(t)
	v := newViewer(t, 1400, 900)
	v.do("open", chromedp.Navigate(b.api.URL+"/"), chromedp.WaitVisible(css(`body[data-live=yes]`)))
	v.picture("1-open")
	v.do("type", write(on(0, "textarea"), "12号楼3单元的楼道灯又不亮了,黑灯瞎火的"), said(0, "工单 1024"))
	if n := v.count(`document.querySelector('#phone-0 textarea').value.length`); n != 0 {
		t.Errorf("%d characters stay in the field after sending", n)
	}
	v.do("tap a link of a reply", chromedp.Click(on(0, ".theirs .link")), said(0, "好的:12号楼3单元"))
	if g := b.hook.lastOne(t); g.Msg.BizMsgMenuID != "1" || g.Msg.Content != "12号楼3单元" {
		t.Errorf("the tap arrived as %+v", g.Msg)
	}
	v.do("photo", tile(0, "dark"), said(0, "照片收到了"), chromedp.WaitVisible(on(0, ".photo img")))

	b.pushMenu(worker)
	v.do("push arrives", said(1, "接单 1024"))
	v.picture("2-push")
	v.do("tap a menu", chromedp.Click(on(1, ".items .link")), said(1, "好的:接单 1024"))

	xss := `<img src=x onerror="document.title='broken'"><b>x</b>`
	v.do("markup", chromedp.SetValue(on(0, "textarea"), xss), chromedp.Click(on(0, ".send")), said(0, "onerror"), said(0, "收到您的话了"))
	if n := v.count(`document.querySelectorAll('.log b, .log img[src=x]').length + (document.title === 'broken' ? 1 : 0)`); n != 0 {
		t.Error("what was typed became markup")
	}
	v.do("no answer", write(on(0, "textarea"), "坏"), said(0, UnavailableText))
	v.do("voice", tile(0, "mic"), write(on(0, ".ask input"), "灯坏了"), said(0, "听写：灯坏了"))
	v.do("place", tile(0, "pin"), chromedp.Click(on(0, ".choices button")), said(0, "位置收到了：毕家洼西区12号楼"))
	v.do("scan", tile(0, "scan"), write(on(0, ".ask input"), "b-12"), said(0, "事件：SCAN b-12"))
	v.do("menu", chromedp.Click(on(0, ".menu > button")), said(0, "事件：CLICK PROGRESS"))
	v.picture("3-talk")
	b.wantCode("notice", b.call(pathTemplateSend, map[string]any{
		"touser": "oCommittee00000000000000001", "template_id": "demo-escalated", "url": b.hook.URL + "/t/1024",
		"data": map[string]any{
			"character_string1": map[string]string{"value": "1024"}, "thing2": map[string]string{"value": "楼道灯不亮"},
			"thing3": map[string]string{"value": "毕家洼西区12号楼3单元"}, "time4": map[string]string{"value": "2026年3月2日 15:01"}},
	}), 0)
	v.do("notice", said(2, "督办提醒"), chromedp.WaitVisible(on(2, ".card .detail")))
	v.picture("3-talk")
	v.do("the chat outlives a reload", chromedp.Reload(), chromedp.WaitVisible(css(`body[data-live=yes]`)), said(0, "事件：SCAN b-12"), said(1, "好的:接单 1024"))
}

// A push to somebody who holds no phone is noticed, and a tap brings them.
func TestPushToSomebodyNotOnDisplay(t *testing.T) {
	b := newDeskBench(t)
	if err := b.Admit(Persona{OpenID: "oSecond", Name: "孙师傅", Role: "兼职网格员", Group: "worker"}); err != nil {
		t.Fatal(err)
	}
	v := newViewer(t, 1400, 900)
	v.do("open", chromedp.Navigate(b.api.URL+"/"), chromedp.WaitVisible(css(`body[data-live=yes]`)))
	must(b.SendText(ctxOf(t), "oSecond", "待办"))(t)
	b.pushMenu("oSecond")
	v.do("chip", chromedp.WaitVisible(css(`#news button[data-openid=oSecond] .badge`)))
	v.picture("4-chip")
	if n := v.count(`Number(document.querySelector('#news .badge').textContent)`); n != 2 {
		t.Errorf("the chip counts %d new messages, want 2", n)
	}
	v.do("bring", chromedp.Click(css(`#news button`)), said(1, "接单 1024"), chromedp.WaitNotPresent(css(`#news button`)))

	v.do("switch back by a search", chromedp.Click(on(1, ".who")), chromedp.WaitVisible(css("#search")))
	v.picture("5-picker")
	v.do("search", write(css("#search"), "李建"), chromedp.WaitNotVisible(css("#picker")))
	if n := v.count(`document.querySelector('#phone-1 .name').textContent === '李建国' ? 1 : 0`); n != 1 {
		t.Error("the search did not put 李建国 on the phone")
	}
	if n := v.count(`document.querySelectorAll('#phone-1 .row').length`); n != 0 {
		t.Errorf("李建国 sees %d messages of somebody else", n)
	}
	v.do("a stranger can only follow", chromedp.Click(on(0, ".who")), write(css("#search"), "新来"),
		chromedp.WaitVisible(on(0, ".join")), chromedp.WaitNotVisible(on(0, ".say")))
	v.picture("6-stranger")
	v.do("follow", chromedp.Click(on(0, ".follow")), said(0, "事件：subscribe"), chromedp.WaitVisible(on(0, ".say")))
}

func TestPageOnAPhone(t *testing.T) {
	b := newDeskBench(t)
	must(b.SendText(ctxOf(t), worker, "待办"))(t)
	v := newViewer(t, 390, 844)
	v.do("open", chromedp.Navigate(b.api.URL+"/"), chromedp.WaitVisible(css(`body[data-live=yes]`)), chromedp.WaitNotVisible(on(1, ".log")))
	v.do("type", write(on(0, "textarea"), "楼道灯不亮"), said(0, "工单 1024"))
	v.picture("7-narrow")
	b.pushMenu(worker)
	v.do("chip", chromedp.WaitVisible(css(`#news button`)))
	v.picture("8-narrow-chip")
	v.do("tab", chromedp.Click(css(`#tabs button:nth-child(2)`)), said(1, "接单 1024"), chromedp.WaitNotPresent(css(`#news button`)))
	v.do("notice", chromedp.Click(on(1, ".plus")), chromedp.WaitVisible(on(1, ".tiles")))
	v.picture("9-narrow-panel")
	if wide := v.count(`document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d pixels wide on a screen of 390", wide)
	}
	if n := v.count(`[...document.querySelectorAll('#phone-1 button')].filter(b => b.checkVisibility() && !(b.textContent.trim() || b.ariaLabel)).length`); n != 0 {
		t.Errorf("%d buttons have no name", n)
	}
}
