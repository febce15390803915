package testbrowser

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// policies are read by every Chromium that starts on the machine, root's to write.
const policies = "/etc/chromium/policies/managed"

// Store is what a browser's own store of certificates holds.
type Store struct {
	Authority []byte // PEM: of websites
	PKCS12    []byte // the citizen's; nil for none
	Password  string // of it
	Host      string // https://host:port at which it is chosen without asking
}

// WithStore is [New] with a Chromium and an NSS store of its own, filled by certutil and pk12util. It chooses
// the certificate by a policy, because nobody can click the browser's own window.
func WithStore(t testing.TB, s Store) *Browser {
	t.Helper()
	path, err := executable(whole) // the other has neither policies nor stores
	if errors.Is(err, errNoChromium) && os.Getenv("REQUIRE_ALL") != "1" {
		t.Skipf("*** SKIPPED, NOT TESTED: %v ***", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	profile, err := temporaryProfile()
	if err != nil {
		t.Fatal(err)
	}
	s.fill(t, profile)
	if s.PKCS12 != nil {
		s.choose(t)
	}
	chromium, err := start(path, profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(chromium) })
	return open(t, chromium, nil)
}

func (s Store) fill(t testing.TB, home string) {
	t.Helper()
	store := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	file := func(name string, body []byte) string {
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(command ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v (apt-get install -y libnss3-tools)\n%s", strings.Join(command, " "), err, out)
		}
	}
	run("certutil", "-N", "-d", "sql:"+store, "--empty-password")
	run("certutil", "-A", "-d", "sql:"+store, "-n", "web", "-t", "C,,", "-i", file("authority.pem", s.Authority))
	if s.PKCS12 != nil {
		run("pk12util", "-i", file("citizen.p12", s.PKCS12), "-d", "sql:"+store, "-W", s.Password, "-K", "")
	}
}

// choose writes the policy for this host, which is no other test's.
func (s Store) choose(t testing.TB) {
	t.Helper()
	rule, err := json.Marshal(map[string]any{"pattern": s.Host, "filter": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"AutoSelectCertificateForUrls": []string{string(rule)}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(policies, "loginunico-test.json")
	err = os.MkdirAll(policies, 0o755)
	if err == nil {
		err = os.WriteFile(path, body, 0o644)
	}
	if errors.Is(err, os.ErrPermission) && os.Getenv("REQUIRE_ALL") != "1" {
		t.Skipf("*** SKIPPED, NOT TESTED: only root may choose a certificate for Chromium: %v ***", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(path) })
}
