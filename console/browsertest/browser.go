// Package browsertest is the room of the real browser that tests look at pages
// with: Chromium, driven by chromedp. Pictures are left where
// WISHDESK_TEST_SHOTS names a directory, for people to look at.
//
// What must never come in: product code; only tests import it.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Step is something that somebody does in a browser, or waits for.
type Step = chromedp.Action[chromedp.Void]

// Browser is one open tab.
type Browser struct {
	context.Context
	t testing.TB
}

// The sizes at which pages are looked at, in CSS pixels.
const (
	PhoneWidth  = 390
	PhoneHeight = 844
	DeskWidth   = 1280
	DeskHeight  = 860
)

// Open starts a browser of a size; it ends with the test. Whatever the pages'
// policy refuses or their scripts fail at fails the test.
func Open(t testing.TB, width, height int) *Browser {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("force-prefers-reduced-motion", true))
	ctx, cancelTime := context.WithTimeout(context.Background(), 4*time.Minute)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancel := chromedp.NewContext(ctx)
	b := &Browser{ctx, t}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("browser: %v", err)
		}
		cancel()
		cancelAllocator()
		cancelTime()
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height))); err != nil { // starts the browser: it lives as long as this context
		t.Fatal(err)
	}
	complaints, done := chromedp.Console(ctx), make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range complaints {
			if err != nil {
				return
			}
			if m.IsException() || m.Source == "security" || m.Type == chromedp.ConsoleError && m.Source != "network" {
				t.Errorf("the browser complains at %s: %s", m.URL, m.Text)
			}
		}
	}()
	t.Cleanup(func() { // before the one above
		cancelTime()
		<-done
	})
	return b
}

// Do takes steps one after the other, each within a minute.
func (b *Browser) Do(what string, steps ...Step) {
	b.t.Helper()
	for _, s := range steps {
		ctx, cancel := context.WithTimeout(b.Context, time.Minute)
		err := chromedp.Do(ctx, s)
		for try := 0; err != nil && strings.Contains(err.Error(), "Could not find node") && try < 5; try++ {
			err = chromedp.Do(ctx, s) // the page read itself anew in that moment
		}
		cancel()
		if err != nil {
			b.Picture("failed")
			b.t.Fatalf("%s: %v", what, err)
		}
	}
}

// Holds fails the test where something is not so on the page: a JavaScript
// expression.
func (b *Browser) Holds(expression string) {
	b.t.Helper()
	if yes, err := chromedp.Run(b.Context, chromedp.Evaluate[bool](expression)); err != nil || !yes {
		b.Picture("failed")
		b.t.Errorf("%s: not so: %s (%v)", b.page(), expression, err)
	}
}

// Cookie gives the browser a cookie of an address.
func (b *Browser) Cookie(address, name, value string) {
	b.t.Helper()
	b.Do("cookie", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: address})
		return err
	}))
}

// Go opens a page, which fails the test where it is refused.
func (b *Browser) Go(address string) {
	b.t.Helper()
	b.Do("open "+address, chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("body[data-page]")))
	if page, err := chromedp.Run(b.Context, chromedp.Evaluate[string](`document.body.dataset.page`)); err != nil || page == "refused" {
		b.Picture("failed")
		b.t.Errorf("%s is refused (%v)", address, err)
	}
}

// Says is the step that waits until words can be seen on the page.
func Says(words string) Step {
	return chromedp.WaitVisible(fmt.Sprintf(`//body//*[contains(normalize-space(.),%q)]`, words))
}

// Follows is the step that waits until the page is told of changes.
func Follows() Step { return chromedp.WaitReady(chromedp.CSS(`body[data-following=yes]`)) }

// Presses is the step that presses the first button or link that says so.
func Presses(words string) Step {
	return chromedp.Click(fmt.Sprintf(`(//main//button[normalize-space(.)=%[1]q] | //main//a[normalize-space(.)=%[1]q] | //main//summary[normalize-space(.)=%[1]q] | //main//label[normalize-space(.)=%[1]q])[1]`, words))
}

// Fills is the step that writes words into a field, by its name.
func Fills(name, words string) Step {
	return chromedp.SendKeys(chromedp.CSS(fmt.Sprintf(`[name=%q]`, name)), words)
}

// FitsItsWidth fails the test where the page must be moved sideways to be read, on a
// telephone any part of it: nobody looks for what stands beyond the edge.
func (b *Browser) FitsItsWidth() {
	b.t.Helper()
	for _, w := range b.tooWide() {
		b.t.Errorf("%s is too wide: %s", b.page(), w)
	}
}

func (b *Browser) tooWide() []string {
	wide, err := chromedp.Run(b.Context, chromedp.Evaluate[[]string](tooWide))
	if err != nil {
		b.t.Fatalf("%s cannot be measured: %v", b.page(), err)
	}
	return wide
}

// tooWide gives what is wider than the room that it has, and by how many pixels.
const tooWide = `(() => {
  const wide = [], page = document.documentElement, phone = page.clientWidth < 700;
  const judge = (e, what) => { const over = e.scrollWidth - e.clientWidth; if (over > 1) wide.push(what + ' by ' + over); };
  judge(page, 'the page');
  if (phone) for (const e of document.querySelectorAll('main *')) {
    if (!e.closest('details:not([open]) > :not(summary)') && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX) && !e.matches('input, select, textarea, .hidden, [class*=icon]') && e.clientWidth > 1)
      judge(e, e.tagName.toLowerCase() + ' ' + e.className + ' ' + e.textContent.trim().slice(0, 20));
  }
  return wide;
})()`

// Usable fails the test where somebody could not use the page who sees badly or has
// no mouse: fields, buttons, links and pictures without a name, more or less than
// one headline, text that stands out too little (WCAG 2.2, 1.4.3: 4.5 to 1, large
// text 3 to 1), things to tap of less than 24 pixels (2.5.8), fields of less than 44,
// what the keyboard cannot reach, cards and words that stick to what is above them.
func (b *Browser) Usable() {
	b.t.Helper()
	for _, w := range b.faults() {
		b.t.Errorf("%s is not for everybody: %s", b.page(), w)
	}
}

func (b *Browser) faults() []string {
	wrong, err := chromedp.Run(b.Context, chromedp.Evaluate[[]string](usable))
	if err != nil {
		b.t.Fatalf("%s cannot be judged: %v", b.page(), err)
	}
	return wrong
}

// page is where the browser is.
func (b *Browser) page() string {
	at, err := chromedp.Run(b.Context, chromedp.Evaluate[string](`location.pathname`))
	if err != nil {
		return "the page"
	}
	return at
}

// usable gives what is wrong with a page.
const usable = `(() => {
  const wrong = [];
  const seen = e => { const r = e.getBoundingClientRect(), s = getComputedStyle(e); return r.width > 1 && r.height > 1 && s.visibility !== 'hidden' && s.display !== 'none' && !e.closest('[aria-hidden=true]'); };
  const what = e => e.tagName.toLowerCase() + ' ' + (e.id || e.name || e.className || '') + ' ' + (e.textContent || '').trim().slice(0, 20);
  const name = e => (e.getAttribute('aria-label') || (e.getAttribute('aria-labelledby') && document.getElementById(e.getAttribute('aria-labelledby'))?.textContent) ||
    [...(e.labels || [])].map(l => l.textContent).join('') || e.getAttribute('title') || e.textContent || e.getAttribute('alt') || e.querySelector?.('img')?.alt || '').trim();
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea')) if (seen(e) && !( e.labels?.length || e.getAttribute('aria-label'))) wrong.push('no label: ' + what(e));
  for (const e of document.querySelectorAll('button, a[href], summary')) if (seen(e) && !name(e)) wrong.push('no name: ' + what(e));
  for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) wrong.push('no alt: ' + e.src);
  if (document.querySelectorAll('h1').length !== 1) wrong.push(document.querySelectorAll('h1').length + ' headlines');
  for (const e of document.querySelectorAll('button, a[href], summary, input, select, textarea')) if (seen(e) && e.tabIndex < 0) wrong.push('not by keyboard: ' + what(e));
  for (const e of document.querySelectorAll('button, a.weui-btn, summary, nav a')) { const r = e.getBoundingClientRect(); if (seen(e) && r.height < 24) wrong.push('hard to hit (' + r.height + '): ' + what(e)); }
  for (const e of document.querySelectorAll('main input:not([type=hidden], [type=checkbox], [type=radio]), main select, main textarea')) { const r = e.getBoundingClientRect(); if (seen(e) && r.height < 44) wrong.push('hard to hit (' + r.height + '): ' + what(e)); }
  for (const e of document.querySelectorAll('main > .hint + .card, main .actions + .words')) { const before = e.previousElementSibling, [a, b] = [before, e].map(e => e.getBoundingClientRect()), gap = b.top - a.bottom; if (seen(e) && seen(before) && Math.abs(a.left - b.left) < 4 && gap < 4) wrong.push('no room (' + gap + ') before ' + what(e)); }
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const colour = s => { const m = s.match(/[\d.]+/g).map(Number); return {rgb: m.slice(0, 3), a: m.length > 3 ? m[3] : 1}; };
  const ground = e => { for (; e; e = e.parentElement) { const s = getComputedStyle(e); if (s.backgroundImage !== 'none') return null; const c = colour(s.backgroundColor); if (c.a === 1) return c.rgb; } return [255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const told = new Set();
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !seen(e) || e.closest('script, style, option, canvas') || e.closest(':disabled')) continue;
    const s = getComputedStyle(e), under = ground(e);
    if (!under) continue;
    const a = light(colour(s.color).rgb), b = light(under), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.66 && +s.fontWeight >= 700;
    const key = s.color + under + large;
    if (ratio < (large ? 3 : 4.5) && !told.has(key)) { told.add(key); wrong.push('contrast ' + ratio.toFixed(2) + ': ' + what(e)); }
  }
  return wrong;
})()`

// Chooses is the step that opens a page of the main menu.
func Chooses(name string) Step {
	return chromedp.Click(fmt.Sprintf(`//nav//a[normalize-space(.)=%q]`, name))
}

// Picture leaves a picture of what can be seen, if a person wants one; Whole one
// of all of the page.
func (b *Browser) Picture(name string) { b.picture(name, chromedp.CaptureScreenshot()) }

// Whole leaves a picture of all of the page, if a person wants one. The menu stands
// at its end, not over its middle.
func (b *Browser) Whole(name string) {
	menu := func(at string) {
		if _, err := chromedp.Run(b.Context, chromedp.Evaluate[bool](`document.querySelectorAll('.nav').forEach(nav => { nav.style.position = `+at+`; }) === undefined`)); err != nil {
			b.t.Logf("picture %s: %v", name, err)
		}
	}
	menu(`innerWidth < 1024 ? 'static' : 'absolute'`)
	b.picture(name, chromedp.FullScreenshot(100))
	menu(`''`)
}

func (b *Browser) picture(name string, take chromedp.Action[[]byte]) {
	dir := os.Getenv("WISHDESK_TEST_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.Context, take)
	if err != nil {
		b.t.Logf("picture %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil { //nolint:gosec // where the tester wants it
		b.t.Error(err)
	}
}
