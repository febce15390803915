package testbrowser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"

	"github.com/chromedp/chromedp"
)

var errNoChromium = errors.New("the browser Chromium is not installed; run: apt-get install -y --no-install-recommends chromium")

var flags = []string{
	"disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
	"disable-component-update", "disable-sync",
}

// off are what nobody looks at here: the first two are chromedp's; for the others Chromium loads pages of
// its own into the address bar of each window, which cost as much as the page under test.
const off = "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"

// whole are the names of Chromium with its windows; headless is the same engine without them, which
// takes a third of the time for a page.
var (
	whole    = []string{"chromium", "chromium-browser", "google-chrome"}
	headless = []string{"chromium-headless-shell", "chrome-headless-shell"}
)

// shared is this process' Chromium, without windows where the machine has it so. It ends with the
// process, which holds the pipe it listens to.
var shared = sync.OnceValues(func() (context.Context, error) {
	path, err := executable(slices.Concat(headless, whole))
	if err != nil {
		return nil, err
	}
	profile, err := temporaryProfile()
	if err != nil {
		return nil, err
	}
	return start(path, profile)
})

// start runs a Chromium that keeps everything in a directory.
func start(path, profile string) (context.Context, error) {
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	opts = append(opts, chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Env("HOME="+profile, "TMPDIR="+profile))
	for _, name := range flags {
		opts = append(opts, chromedp.Flag(name, true))
	}
	opts = append(opts, chromedp.Flag("disable-features", off))
	opts = append(opts, chromedp.Flag("no-sandbox", os.Geteuid() == 0)) // root has no user namespace to drop to
	allocator, _ := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil { // its first context must have no deadline
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return ctx, nil
}

// executable is the first of these programs that the machine has. Error: errNoChromium.
func executable(names []string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}

// temporaryProfile makes a directory that disappears with this process: a shell waits for the end
// of its input, which only we hold open, and removes it. Tests have no hook for that of their own.
func temporaryProfile() (string, error) {
	dir, err := os.MkdirTemp("", "testbrowser")
	if err != nil {
		return "", err
	}
	sweep := `cat; for wait in 0 1 1 1 1; do sleep $wait; rm -rf "$0" && exit; done`
	cmd := exec.Command("sh", "-c", sweep, dir)
	if _, err := cmd.StdinPipe(); err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	go func() { _ = cmd.Wait() }() // never returns; it holds the pipe, which a collected one would close
	return dir, nil
}
