package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// Downloads takes a step that has the browser save a file, waits until it is whole,
// and gives what is in it.
func (b *Browser) Downloads(what string, press Step) []byte {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Context, 30*time.Second)
	defer cancel()
	dir, yes := b.t.TempDir(), true
	saved := chromedp.BrowserEvents(ctx, browser.DownloadProgress)
	if _, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, DownloadPath: dir, EventsEnabled: &yes,
	}); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	b.Do(what, press)
	for e, err := range saved {
		if err != nil {
			b.Picture("failed")
			b.t.Fatalf("%s: nothing was saved: %v", what, err)
		}
		switch e.State {
		case browser.DownloadProgressStateCompleted:
			data, err := os.ReadFile(filepath.Join(dir, filepath.Base(e.GUID))) //nolint:gosec // a directory of the test
			if err != nil {
				b.t.Fatalf("%s: %v", what, err)
			}
			return data
		case browser.DownloadProgressStateCanceled:
			b.t.Fatalf("%s: the browser gave it up", what)
		}
	}
	b.t.Fatalf("%s: nothing was saved", what)
	return nil
}
