package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/jonboulle/clockwork"

	"github.com/wishdesk/wishdesk/cmd/wishdesk/demo"
	"github.com/wishdesk/wishdesk/configs"
	"github.com/wishdesk/wishdesk/configs/settings"
	"github.com/wishdesk/wishdesk/console/browsertest"
	"github.com/wishdesk/wishdesk/storage/postgres"
	"github.com/wishdesk/wishdesk/storage/storetest"
	"github.com/wishdesk/wishdesk/workflow"
)

// The phones of the page.
const (
	residentPhone = iota
	workerPhone
	committeePhone
)

// openPage is a browser that looks at the three phones.
func openPage(t *testing.T, url string, width, height int) *browsertest.Browser {
	t.Helper()
	b := browsertest.Open(t, width, height)
	b.Do("open", chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS(`body[data-live=yes]`)))
	return b
}

func on(phone int, selector string) chromedp.CSS {
	return chromedp.CSS(fmt.Sprintf("#phone-%d %s", phone, selector))
}

// sees waits for words in the chat of a phone.
func sees(phone int, words string) browsertest.Step {
	return chromedp.WaitVisible(fmt.Sprintf(`//*[@id="phone-%d"]//*[contains(@class,"log")]//*[contains(normalize-space(.),%q)]`, phone, words))
}

// writes types words and presses Enter.
func writes(phone int, words string) browsertest.Step {
	field := on(phone, "textarea")
	return chromedp.Steps(chromedp.SendKeys(field, words), chromedp.Focus(field), chromedp.Func(enter))
}

func enter(ctx context.Context, _ *chromedp.Target) error {
	key := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"}
	if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, key); err != nil {
		return err
	}
	key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
	_, err := chromedp.Call(ctx, input.DispatchKeyEvent, key)
	return err
}

// taps taps the newest thing to tap that says so.
func taps(phone int, label string) browsertest.Step {
	return chromedp.Click(fmt.Sprintf(`(//*[@id="phone-%d"]//*[contains(@class,"link") and normalize-space(.)=%q])[last()]`, phone, label))
}

// sends presses a tile of the panel behind the plus: "dark" and "light" are
// the sample photos.
func sends(phone int, tile string) browsertest.Step {
	return chromedp.Steps(chromedp.Click(on(phone, ".plus")), chromedp.WaitVisible(on(phone, ".tile."+tile)), chromedp.Click(on(phone, ".tile."+tile)))
}

// becomes puts another of the demo's people on a phone.
func becomes(phone int, name string) browsertest.Step {
	return chromedp.Steps(
		chromedp.Click(on(phone, ".who")), chromedp.WaitVisible(chromedp.CSS("#search")),
		chromedp.SendKeys(chromedp.CSS("#search"), name), chromedp.Focus(chromedp.CSS("#search")), chromedp.Func(enter),
		chromedp.WaitNotVisible(chromedp.CSS("#picker")),
		chromedp.WaitVisible(fmt.Sprintf(`//*[@id="phone-%d"]//*[contains(@class,"who")]//*[.=%q]`, phone, name)))
}

// demoOf starts the demo on stores of its own.
func demoOf(t *testing.T, clock clockwork.Clock) (*demoServers, *settings.Settings) {
	t.Helper()
	s := demoSettings(t)
	return demoOn(t, s, clock), s
}

func demoSettings(t *testing.T) *settings.Settings {
	t.Helper()
	s, err := settings.Load(configs.Read("defaults.yaml"), "", nil)
	must(t, err)
	s.Postgres, s.Redis = settings.Secret(storetest.Postgres(t)), settings.Secret(storetest.Redis(t))
	s.Data, s.Addr = t.TempDir(), "127.0.0.1:0"
	return s
}

func demoOn(t *testing.T, s *settings.Settings, clock clockwork.Clock) *demoServers {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	d, err := startDemo(t.Context(), s, "", clock, log)
	must(t, err)
	t.Cleanup(d.stop)
	return d
}

// The whole loop as a newcomer goes through it: complaint with photo,
// assignment pushed, accepted, resolved with photo, rated unsatisfied,
// reopened higher, resolved, rated, closed; and a wish claimed by a partner
// unit and fulfilled.
func TestWholeLoopOnThePhones(t *testing.T) {
	d, s := demoOf(t, clockwork.NewRealClock())
	p := openPage(t, d.simURL, 1400, 900)

	p.Do("photo", sends(residentPhone, "dark"), sees(residentPhone, "照片收到了"))
	p.Do("complaint", writes(residentPhone, "12号楼3单元的下水道又堵了,污水返上来了"), sees(residentPhone, "编号 1001"), sees(residentPhone, "秦霞"))
	p.Do("assignment pushed", sees(workerPhone, "1001"))
	p.Do("work", writes(workerPhone, "待办"), sees(workerPhone, "1 件事"))
	p.Do("accept", writes(workerPhone, "接单"), sees(workerPhone, "已接单 1001"))
	p.Do("resident is told", sees(residentPhone, "已经接手 1001"))
	p.Picture("1-accepted")
	p.Do("photo of the result", sends(workerPhone, "light"), sees(workerPhone, "照片"))
	p.Do("result", writes(workerPhone, "办结 1001 管道疏通了"), sees(workerPhone, "1001 号已办结"))
	p.Do("resident is asked", sees(residentPhone, "办好了:管道疏通了"), chromedp.WaitVisible(`//*[@id="phone-0"]//*[contains(@class,"theirs")]//img`))
	p.Do("unsatisfied", taps(residentPhone, "不满意"), sees(residentPhone, "没让您满意"))
	p.Do("reopened higher", sees(committeePhone, "1001"))
	p.Do("what is wrong", writes(residentPhone, "还是往上返水"), sees(residentPhone, "已经加到 1001"))
	p.Do("committee resolves", writes(committeePhone, "办结 1001 主管道也疏通了"), sees(committeePhone, "1001 号已办结"))
	p.Do("asked again", sees(residentPhone, "主管道也疏通了"))
	p.Picture("2-asked-again")
	p.Do("satisfied", taps(residentPhone, "满意"), sees(residentPhone, "谢谢您的评价"))

	p.Do("wish", writes(residentPhone, "我想学用智能手机,家里没人教"), sees(residentPhone, "挂上心愿墙"))
	p.Do("a partner unit takes the third phone", becomes(committeePhone, partnerOf(t).Name))
	p.Do("wall", writes(committeePhone, "心愿墙"), sees(committeePhone, "智能手机"))
	p.Do("claim", taps(committeePhone, "认领 1002"), sees(committeePhone, "正在办"))
	p.Do("resident is told", sees(residentPhone, "认领了您的心愿"))
	p.Do("fulfilled", writes(committeePhone, "办结 1002 周六上门教会了"), sees(committeePhone, "1002 号已办结"))
	p.Do("asked", sees(residentPhone, "周六上门教会了"))
	p.Do("rated by digit", writes(residentPhone, "1"), sees(residentPhone, "1002 号就办结了"))
	p.Picture("3-fulfilled")

	store, err := postgres.Open(t.Context(), s.Postgres.Reveal(), postgres.Options{})
	must(t, err)
	defer store.Close()
	for number, want := range map[int64]workflow.Ticket{
		1001: {State: workflow.Closed, Rating: workflow.Satisfied, Reopened: 1, Level: workflow.LevelCommittee},
		1002: {State: workflow.Closed, Rating: workflow.Satisfied, Level: workflow.LevelGrid},
	} {
		got, err := store.Ticket(t.Context(), demo.Community, number)
		must(t, err)
		if got.State != want.State || got.Rating != want.Rating || got.Reopened != want.Reopened || got.Level != want.Level {
			t.Errorf("ticket %d: %s, %s, reopened %d, level %d", number, got.State, got.Rating, got.Reopened, got.Level)
		}
	}
}

// The micro grid on the phones: a home registered, several hands on one ticket,
// its story with the reason, filed on behalf, a patrol, the care list, the share
// solved in the grid.
func TestMicroGridOnThePhones(t *testing.T) {
	d, _ := demoOf(t, clockwork.NewRealClock())
	p := openPage(t, d.simURL, 1400, 900)
	p.Do("home", writes(residentPhone, "我家住毕家洼西区12号楼3单元402"), sees(residentPhone, "记住了"))
	p.Do("complaint", writes(residentPhone, "我家楼下的下水道堵了,污水返上来了"), sees(residentPhone, "编号 1001"), sees(residentPhone, "秦霞"))
	p.Do("accept", sees(workerPhone, "1001"), writes(workerPhone, "接单 1001"), sees(workerPhone, "已接单 1001"))
	p.Do("property takes the third phone", becomes(committeePhone, "曹颖"))
	p.Do("called", writes(workerPhone, "协助 1001 物业 抽水"), sees(workerPhone, "已请红色物业 曹颖协助"), sees(committeePhone, "请协助:抽水"),
		writes(committeePhone, "待办"), sees(committeePhone, "请您协助的"))
	p.Do("done", writes(committeePhone, "完成 1001 水抽干了"), sees(committeePhone, "记为完成"), sees(workerPhone, "水抽干了"))
	p.Do("story", writes(workerPhone, "经过 1001"), sees(workerPhone, "因为:第一网格、管道排水、专职网格员在岗"), sees(workerPhone, "曹颖完成:水抽干了"))
	p.Picture("5-hands")
	p.Do("resolved", writes(workerPhone, "办结 1001 疏通了"), sees(residentPhone, "办好了:疏通了"), taps(residentPhone, "满意"), sees(residentPhone, "谢谢您的评价"))
	p.Do("points", sees(workerPhone, "积分 +2"))
	p.Do("on behalf", writes(workerPhone, "代报 王桂英 13800138000 西区3号楼1单元101 楼道灯不亮"), sees(workerPhone, "已替王桂英登记"))
	p.Do("patrol", writes(workerPhone, "巡查 西区5号楼到8号楼 正常"), sees(workerPhone, "今天第 1 次"))
	p.Do("care", writes(workerPhone, "关怀"), sees(workerPhone, "孙桂兰"))
	p.Do("the committee takes the third phone", becomes(committeePhone, "曹一鸣"))
	p.Do("share", writes(committeePhone, "网格"), sees(committeePhone, "第一网格:办结 1 件,网格内 1 件(100%)"))
	p.Picture("6-grid")
}

// On a desk the login shows a code; a demo phone scans it and agrees, and the desk is
// in as who holds the phone. The phone keeps its own login, apart from the desk's.
func TestADemoPhoneLogsTheDeskIn(t *testing.T) {
	d, _ := demoOf(t, clockwork.NewRealClock())
	desk := browsertest.Open(t, browsertest.DeskWidth, browsertest.DeskHeight)
	address := chromedp.CSS("#code-address")
	desk.Do("the desk's login", chromedp.Navigate(d.serverURL+"/c/"+demo.Community+"/"), chromedp.WaitVisible(chromedp.CSS("svg.code")),
		chromedp.Click(chromedp.CSS("details summary")), chromedp.WaitVisible(address))
	desk.Picture("7-login")
	code, err := chromedp.Run(desk.Context, chromedp.Text(address))
	must(t, err)

	p := openPage(t, d.simURL, 1400, 900)
	// What opens in a new tab opens here: the browser of the phone.
	p.Do("here", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.open = address => { location.href = address }, true`))
		return err
	}))
	field := on(committeePhone, ".panel input[name=text]")
	p.Do("scan", chromedp.Click(on(committeePhone, ".plus")), chromedp.WaitVisible(on(committeePhone, ".tile.scan")), chromedp.Click(on(committeePhone, ".tile.scan")),
		chromedp.WaitVisible(field), chromedp.SendKeys(field, code), chromedp.Focus(field))
	p.Picture("8-scan")
	p.Do("agree", chromedp.Func(enter), chromedp.WaitVisible(`//h1[contains(.,"要在电脑上登录吗")]`))
	p.Picture("9-agree")
	p.Do("agreed", chromedp.Click(`//main//button[normalize-space(.)="登录"]`), chromedp.WaitVisible(`//h1[not(contains(.,"要在电脑上登录吗"))]`))
	desk.Do("in", chromedp.WaitVisible(`//*[contains(@class,"who") and normalize-space(.)="曹一鸣"]`), chromedp.WaitVisible(`//h1[.="今天"]`))
	desk.Picture("10-in")
	p.Do("the phone's own pages", chromedp.Click(chromedp.CSS("a.where")), chromedp.WaitVisible(`//h1[.="今天"]`))
}

// partnerOf is the first partner unit's contact in the demo.
func partnerOf(t *testing.T) demo.Person {
	t.Helper()
	people, err := demo.People()
	must(t, err)
	for _, p := range people {
		if p.Group == "partner" {
			return p
		}
	}
	t.Fatal("the demo has no partner unit")
	return demo.Person{}
}

// The page works on a phone, one chat at a time.
func TestPhonesPageOnAPhone(t *testing.T) {
	d, _ := demoOf(t, clockwork.NewRealClock())
	p := openPage(t, d.simURL, browsertest.PhoneWidth, browsertest.PhoneHeight)
	p.Do("emergency", writes(residentPhone, "怡园3号楼2单元着火了,快来人"), sees(residentPhone, "【紧急】"), sees(residentPhone, "119"))
	p.Picture("4-narrow")
}

// The committee has something to look at from the first minute on.
func TestThePastOnThePages(t *testing.T) {
	clock := clockwork.NewRealClock()
	s := demoSettings(t)
	must(t, demo.Prepare(t.Context(), s, clock, slog.New(slog.DiscardHandler)))
	d := demoOn(t, s, clock)
	p := openPage(t, d.simURL, browsertest.DeskWidth, browsertest.DeskHeight)
	p.Do("the committee's phone opens its pages", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`location.href = '/sim/open?openid=demo-committee-2&url=' + encodeURIComponent('`+d.serverURL+"/c/"+demo.Community+"/"+`'), true`))
		return err
	}), chromedp.WaitVisible(`//h1[.="今天"]`))
	p.Picture("past-today")
	for path, seen := range map[string]string{
		"week": `//*[contains(text(),"去年同周")]`, "wall": `//main//section[2]`, "search?state=closed&q=": `//*[@id="found"]//li[20]`, "overdue": `//h1`,
	} {
		p.Do(path, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`location.href = '/c/`+demo.Community+"/"+path+`', true`))
			return err
		}), chromedp.WaitVisible(seen))
		p.Picture("past-" + strings.SplitN(path, "?", 2)[0])
	}
}
