package testbrowser

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js
var axeSource string

// axeRun tests the page against WCAG 2.2 A and AA and returns one line per element at fault.
const axeRun = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
	.then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + "\n  " + n.html + "\n  " + n.any.concat(n.all, n.none).map(c => c.message).join("\n  "))))`

// Axe fails the test, element by element, where axe-core finds the page against WCAG 2.2 AA. What
// it cannot see, a crushed field or an overflow, is for NoOverflow, Shot and eyes.
func (b *Browser) Axe() {
	b.t.Helper()
	b.do("axe-core", chromedp.Evaluate[chromedp.Void](axeSource))
	for _, fault := range run(b, "axe-core", chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise)) {
		b.t.Errorf("%s: %s", b.URL(), fault)
	}
}

// NoOverflow fails the test when the page scrolls sideways at width CSS pixels; WCAG 2.2 §1.4.10
// asks for 320. The tab keeps its width.
func (b *Browser) NoOverflow(width int64) {
	b.t.Helper()
	b.resize(width)
	defer b.resize(1280)
	if over := Eval[float64](b, fmt.Sprintf("document.documentElement.scrollWidth - %d", width)); over > 0 {
		b.t.Errorf("%s overflows %d px by %v px", b.URL(), width, over)
	}
}

// Shot keeps a picture of the whole page, width CSS pixels wide, as NAME-WIDTH.png in
// LOGINUNICO_SHOTS or .data/shots of the project, and returns its path.
func (b *Browser) Shot(name string, width int64) string {
	b.t.Helper()
	b.resize(width)
	defer b.resize(1280)
	whole := true
	picture := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole})
	dir, err := shots()
	if err != nil {
		b.t.Fatal(err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width))
	if err := os.WriteFile(path, picture.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
	return path
}

func shots() (string, error) {
	dir := os.Getenv("LOGINUNICO_SHOTS")
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, ".data", "shots")
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// moduleRoot is the directory of go.mod; tests run in their package's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no go.mod above the working directory: %w", err)
}

// resize makes the page width CSS pixels wide, a telephone's below 600.
func (b *Browser) resize(width int64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 800, DeviceScaleFactor: 1, Mobile: width < 600,
	})
}

// call sends one command of the DevTools protocol.
func call[P, R any](b *Browser, cmd cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, cmd, params)
	if err != nil {
		b.t.Fatalf("%v: %v", cmd, err)
	}
	return r
}
