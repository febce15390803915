package testbrowser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const (
	patience = 15 * time.Second      // for one step
	interval = 20 * time.Millisecond // between two looks at the page
)

// Browser is one citizen's browser: its own cookies, one tab, 1280 × 800, Portuguese.
// Its methods are for one goroutine.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Option changes a browser before its first page.
type Option func(*Browser)

// NoJS switches the page's scripts off.
func NoJS() Option {
	return func(b *Browser) {
		call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
}

// Lang sets the language the browser asks for, a BCP 47 list as in Accept-Language.
func Lang(accept string) Option {
	return func(b *Browser) { b.SetLang(accept) }
}

// New returns a fresh browser that is closed when the test ends.
func New(t testing.TB, opts ...Option) *Browser {
	t.Helper()
	chromium, err := shared()
	if errors.Is(err, errNoChromium) && os.Getenv("REQUIRE_ALL") != "1" {
		t.Skipf("*** SKIPPED, NOT TESTED: %v ***", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return open(t, chromium, []chromedp.ContextOption{chromedp.WithNewBrowserContext()}, opts...)
}

// open makes a tab ready.
func open(t testing.TB, chromium context.Context, how []chromedp.ContextOption, opts ...Option) *Browser {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chromium, how...)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as its first context: no deadline
		t.Fatal(err)
	}
	b := &Browser{t: t, ctx: ctx}
	b.resize(1280)
	b.SetLang("pt-BR")
	for _, opt := range opts {
		opt(b)
	}
	return b
}

// Context is the tab's, for what this package does not offer (chromedp, virtual passkeys).
func (b *Browser) Context() context.Context { return b.ctx }

// SetLang changes the language the browser asks for from the next page on.
func (b *Browser) SetLang(accept string) {
	b.t.Helper()
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": accept}})
}

// Open goes to url and waits until the page is loaded. It returns the HTTP status.
func (b *Browser) Open(url string) int {
	b.t.Helper()
	return b.respond("open "+url, chromedp.Navigate(url))
}

// Submit clicks the element with this id and waits until the page it leads to, after any
// redirects, is loaded. It returns that page's HTTP status.
func (b *Browser) Submit(id string) int {
	b.t.Helper()
	return b.respond("submit "+id, chromedp.Click(chromedp.ID(id)))
}

// Click clicks the element with this id and waits for nothing: follow it with See.
func (b *Browser) Click(id string) {
	b.t.Helper()
	b.do("click "+id, chromedp.Click(chromedp.ID(id)))
}

// ClickCSS clicks the first element that matches.
func (b *Browser) ClickCSS(css string) {
	b.t.Helper()
	b.do("click "+css, chromedp.Click(chromedp.CSS(css)))
}

// Follow clicks the first element that matches, a link, and waits until the page it leads to, after
// any redirects, is loaded. It returns that page's HTTP status.
func (b *Browser) Follow(css string) int {
	b.t.Helper()
	return b.respond("follow "+css, chromedp.Click(chromedp.CSS(css)))
}

// Fill empties the field with this id and types value into it, key by key; "" leaves it empty.
func (b *Browser) Fill(id, value string) {
	b.t.Helper()
	field := chromedp.ID(id)
	b.do("empty "+id, chromedp.WaitVisible(field), chromedp.Clear(field))
	if value != "" {
		// Not by SendKeys: it reads the attributes, which Clear has just changed, without their lock.
		b.do("type into "+id, chromedp.Focus(field), chromedp.KeyEvent(value))
	}
}

// Choose picks the option with this value of the list with this id, as a visitor does with the keys.
func (b *Browser) Choose(id, value string) {
	b.t.Helper()
	b.do("choose in "+id, chromedp.WaitVisible(chromedp.ID(id)))
	if !Eval[bool](b, fmt.Sprintf(`(list => { list.value = %s; list.dispatchEvent(new Event("change", {bubbles: true})); return list.value === %s })(document.getElementById(%s))`,
		quote(value), quote(value), quote(id))) {
		b.t.Fatalf("%s offers no %q\n%s", id, value, b.where())
	}
}

// Press sends keys to the focused element; see package kb for those without a letter.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.do("press keys", chromedp.KeyEvent(keys))
}

// See waits until the page shows text; any run of white space in either counts as one space.
func (b *Browser) See(text string) {
	b.t.Helper()
	if !b.until(func() bool { return b.shows(text) }) {
		b.t.Fatalf("never saw %q\n%s", text, b.where())
	}
}

// DontSee fails when the page, as it stands, shows text.
func (b *Browser) DontSee(text string) {
	b.t.Helper()
	if b.shows(text) {
		b.t.Fatalf("saw %q\n%s", text, b.where())
	}
}

// URL is the tab's address.
func (b *Browser) URL() string {
	b.t.Helper()
	return run(b, "address", chromedp.Location())
}

// AwaitURL waits until the tab's address begins with prefix, and returns it.
func (b *Browser) AwaitURL(prefix string) string {
	b.t.Helper()
	if !b.until(func() bool { at, err := b.location(); return err == nil && strings.HasPrefix(at, prefix) }) {
		b.t.Fatalf("never came to %s\n%s", prefix, b.where())
	}
	return b.URL()
}

// Title is the page's.
func (b *Browser) Title() string {
	b.t.Helper()
	return run(b, "title", chromedp.Title())
}

// Text waits for the first element that matches css and returns its visible text.
func (b *Browser) Text(css string) string {
	b.t.Helper()
	return strings.TrimSpace(run(b, "text of "+css, chromedp.Text(chromedp.CSS(css))))
}

// Value returns what stands in the field with this id.
func (b *Browser) Value(id string) string {
	b.t.Helper()
	return run(b, "value of "+id, chromedp.Value(chromedp.ID(id)))
}

// Has says whether an element matches css on the page as it stands.
func (b *Browser) Has(css string) bool {
	b.t.Helper()
	return Eval[bool](b, "!!document.querySelector("+quote(css)+")")
}

// Focused is the id of the element that has the focus; "" where that has none.
func (b *Browser) Focused() string {
	b.t.Helper()
	return Eval[string](b, `document.activeElement ? document.activeElement.id : ""`)
}

// Eval evaluates a JavaScript expression in the page, whatever its Content-Security-Policy.
func Eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	return run(b, expression, chromedp.Evaluate[T](expression))
}

func (b *Browser) shows(text string) bool {
	const visible = `(document.body ? document.body.innerText : "").replace(/\s+/g, " ")`
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	all, err := chromedp.Run(ctx, chromedp.Evaluate[string](visible)) // fails between two pages
	return err == nil && strings.Contains(all, strings.Join(strings.Fields(text), " "))
}

func (b *Browser) location() (string, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Location())
}

// until looks again and again; false when patience ends first.
func (b *Browser) until(done func() bool) bool {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for limit := time.After(patience); !done(); {
		select {
		case <-limit:
			return false
		case <-b.ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// where describes the page for a failed test's reader.
func (b *Browser) where() string {
	at, err := b.location()
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		text = err.Error()
	}
	return fmt.Sprintf("at %s:\n%s", at, text)
}

func (b *Browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	run(b, what, chromedp.Steps(steps...))
}

// respond runs steps that lead to another page, and returns its status.
func (b *Browser) respond(what string, steps ...chromedp.Action[chromedp.Void]) int {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.where())
	}
	return int(r.Status)
}

func run[T any](b *Browser, what string, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.where())
	}
	return v
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return string(text)
}
