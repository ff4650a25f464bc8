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
	t *testing.T
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
func Open(t *testing.T, width, height int) *Browser {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("force-prefers-reduced-motion", true))
	ctx, cancelTime := context.WithTimeout(context.Background(), 150*time.Second)
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

// Do takes steps one after the other, each within 30 s.
func (b *Browser) Do(what string, steps ...Step) {
	b.t.Helper()
	for _, s := range steps {
		ctx, cancel := context.WithTimeout(b.Context, 30*time.Second)
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

// FitsItsWidth fails the test where the page must be moved sideways to be read.
func (b *Browser) FitsItsWidth() {
	b.t.Helper()
	over, err := chromedp.Run(b.Context, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	if err != nil || over > 0 {
		b.t.Errorf("the page is %d pixels too wide (%v)", over, err)
	}
}

// Chooses is the step that opens a page of the main menu.
func Chooses(name string) Step {
	return chromedp.Click(fmt.Sprintf(`//nav//a[normalize-space(.)=%q]`, name))
}

// Picture leaves a picture of what can be seen, if a person wants one; Whole one
// of all of the page.
func (b *Browser) Picture(name string) { b.picture(name, chromedp.CaptureScreenshot()) }

// Whole leaves a picture of all of the page, if a person wants one.
func (b *Browser) Whole(name string) { b.picture(name, chromedp.FullScreenshot(100)) }

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
