package browsertest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// On a telephone nothing may stand beyond the edge, not even where it can be moved.
func TestFitsItsWidthFindsWhatIsTooWide(t *testing.T) {
	for _, c := range []struct {
		width int
		body  string
		want  string
	}{
		{PhoneWidth, `<main><p>不宽</p></main>`, ""},
		{PhoneWidth, `<main><div style="width:500px">宽</div></main>`, "the page by"},
		{PhoneWidth, `<main><div style="overflow-x:auto;width:300px"><table style="width:400px"><tr><td>表</table></div></main>`, "div"},
		{DeskWidth, `<main><div style="overflow-x:auto;width:300px"><table style="width:400px"><tr><td>表</table></div></main>`, ""},
	} {
		b := Open(t, c.width, PhoneHeight)
		b.Do("open", chromedp.Navigate("data:text/html;charset=utf-8,"+url.PathEscape("<!doctype html><meta name=viewport content='width=device-width'><html lang=zh><body>"+c.body)))
		if wide := strings.Join(b.tooWide(), "\n"); (wide == "") != (c.want == "") || !strings.Contains(wide, c.want) {
			t.Errorf("%d %s: %q, want %q", c.width, c.body, wide, c.want)
		}
	}
}

// What Usable looks for it finds.
func TestUsableFindsWhatIsWrong(t *testing.T) {
	b := Open(t, PhoneWidth, PhoneHeight)
	look := func(body string) string {
		t.Helper()
		b.Do("open", chromedp.Navigate("data:text/html;charset=utf-8,"+url.PathEscape("<!doctype html><html lang=zh><body style='background:#fff;color:#111'>"+body)))
		return strings.Join(b.faults(), "\n")
	}
	if wrong := look(`<h1>标题</h1><p style="color:#595959">够清楚</p><label for=a>姓名</label><input id=a><button>保存</button><img src="data:," alt="">`); wrong != "" {
		t.Errorf("a good page: %s", wrong)
	}
	for body, want := range map[string]string{
		`<h1>标题</h1><p style="color:#aaa">看不清</p>`:                                  "contrast 2.3",
		`<h1>标题</h1><input name=q>`:                                                 "no label: input q",
		`<h1>标题</h1><button style="width:40px;height:40px"></button>`:               "no name: button",
		`<p>没有标题</p>`:                                                               "0 headlines",
		`<h1>标题</h1><img src="data:,">`:                                             "no alt",
		`<h1>标题</h1><button tabindex=-1>按</button>`:                                 "not by keyboard: button",
		`<h1>标题</h1><button style="height:12px;padding:0;line-height:1">按</button>`: "hard to hit (12)",
	} {
		if wrong := look(body); !strings.Contains(wrong, want) {
			t.Errorf("%s: %q, want %q", body, wrong, want)
		}
	}
}

// What is wider than the paper is found.
func TestPrintFindsWhatIsCutOff(t *testing.T) {
	b := Open(t, DeskWidth, DeskHeight)
	for width, want := range map[string]int{"100%": 0, "680px": 0, "900px": 1} {
		b.Do("open", chromedp.Navigate("data:text/html;charset=utf-8,"+url.PathEscape("<!doctype html><body style='margin:0'><section><h2>表</h2><table style='width:"+width+"'><td>1</table></section>")))
		if over := b.cutOff(); len(over) != want {
			t.Errorf("a table of %s: %v", width, over)
		}
	}
}
