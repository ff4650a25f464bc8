package browsertest

import (
	"context"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// What of A4 is left between the margins of 14 mm, in CSS pixels.
const (
	paperWidth  = 688
	paperHeight = 1017
)

// wide are the tables and pictures that reach over the paper's edge.
const wide = `[...document.querySelectorAll('table, figure, canvas, .stats')].filter((e) => {
	const box = e.closest('.scroll') || document.documentElement, r = e.getBoundingClientRect();
	return r.width > 0 && (r.right > innerWidth + 1 || r.right > box.getBoundingClientRect().right + 1);
}).map((e) => (e.closest('section, figure')?.querySelector('h2')?.textContent || e.tagName) + ': ' + Math.round(e.getBoundingClientRect().right))`

// Print prints the page as the paper that its style asks for, and fails the test
// where something is cut off at the paper's edge. The PDF is left beside the
// pictures, if a person wants them.
func (b *Browser) Print(name string) []byte {
	b.t.Helper()
	if over := b.cutOff(); len(over) > 0 {
		b.t.Errorf("%s does not fit on paper of %d: %v", b.page(), paperWidth, over)
	}
	yes := true
	pdf, err := chromedp.Run(b.Context, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		r, err := cdp.Call(ctx, t, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: &yes, PrintBackground: &yes})
		return r.Data, err
	})
	if err != nil {
		b.t.Fatalf("%s cannot be printed: %v", b.page(), err)
	}
	if dir := os.Getenv("WISHDESK_TEST_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o600); err != nil { //nolint:gosec // where the tester wants it
			b.t.Error(err)
		}
	}
	return pdf
}

// cutOff lays the page out as on paper and names what reaches over its edge.
func (b *Browser) cutOff() []string {
	b.t.Helper()
	media := func(kind string) Step {
		return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind})
			return err
		})
	}
	b.Do("paper", media("print"), chromedp.EmulateViewport(paperWidth, paperHeight))
	over, err := chromedp.Run(b.Context, chromedp.Evaluate[[]string](wide))
	if err != nil {
		b.t.Fatalf("%s cannot be laid out as on paper: %v", b.page(), err)
	}
	b.Do("screen", media(""))
	return over
}
