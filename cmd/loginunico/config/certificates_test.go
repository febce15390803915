package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/cmd/loginunico/config"
)

// keyFor writes a certificate for hosts, with its key.
func keyFor(t *testing.T, hosts ...string) (cert, key string) {
	t.Helper()
	p := icptest.SSL(hosts[0])
	p.Hosts = hosts
	certPEM, keyPEM, err := icptest.Must(icptest.New(icptest.Options{})).Issue(p).PEM()
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, body := range map[string][]byte{cert: certPEM, key: keyPEM} {
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTheDemoAsksForCertificatesUnlessToldNotTo(t *testing.T) {
	set(t, map[string]string{"CERT_LISTEN": "127.0.0.1:18443"})
	if c, err := config.Load(true); err != nil || c.CertURL != "https://localhost:18443" || len(c.Certificates.Pins) != 3 {
		t.Errorf("%+v, %v", c, err)
	}
	set(t, map[string]string{"CERT_LISTEN": ""})
	if c, err := config.Load(true); err != nil || c.CertificatesOn() {
		t.Errorf("it was told not to: %v", err)
	}
	set(t, production(t))
	if c, err := config.Load(false); err != nil || c.CertificatesOn() {
		t.Errorf("production asks by itself: %v", err)
	}
}

func TestACertificateHostIsANameOfItsOwn(t *testing.T) {
	cert, key := keyFor(t, "certificado.example.org")
	both, bothKey := keyFor(t, "certificado.example.org", "login.example.org")
	other, otherKey := keyFor(t, "www.example.org")
	good := map[string]string{"CERT_LISTEN": "0.0.0.0:8443", "CERT_URL": "https://certificado.example.org", "CERT_TLS_CERT": cert, "CERT_TLS_KEY": key}
	pin := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		change map[string]string
		fault  string // "" when it is right
	}{
		"as documented":               {nil, ""},
		"with a listener for old":     {map[string]string{"CERT_OLD_LISTEN": "0.0.0.0:8444", "CERT_OLD_URL": "https://certificado.example.org:8444"}, ""},
		"behind a socket alone":       {map[string]string{"CERT_LISTEN": "", "CERT_TLS_CERT": "", "CERT_TLS_KEY": "", "CERT_PROXY_LISTEN": "unix:/run/c.sock"}, ""},
		"behind a pinned proxy":       {map[string]string{"CERT_PROXY_LISTEN": "10.0.0.1:8445", "CERT_PROXY_PIN": pin}, ""},
		"a proxy without a pin":       {map[string]string{"CERT_PROXY_LISTEN": "10.0.0.1:8445"}, "CERT_PROXY_PIN"},
		"a pin that is none":          {map[string]string{"CERT_PROXY_LISTEN": "10.0.0.1:8445", "CERT_PROXY_PIN": "ab"}, "CERT_PROXY_PIN"},
		"the issuer's host":           {map[string]string{"CERT_URL": "https://login.example.org:8443"}, "CERT_URL"},
		"not https":                   {map[string]string{"CERT_URL": "http://certificado.example.org"}, "CERT_URL"},
		"with a path":                 {map[string]string{"CERT_URL": "https://certificado.example.org/x"}, "CERT_URL"},
		"good for both hosts":         {map[string]string{"CERT_TLS_CERT": both, "CERT_TLS_KEY": bothKey}, "CERT_TLS_CERT"},
		"of another host":             {map[string]string{"CERT_TLS_CERT": other, "CERT_TLS_KEY": otherKey}, "CERT_TLS_CERT"},
		"no key":                      {map[string]string{"CERT_TLS_KEY": ""}, "CERT_TLS_CERT"},
		"an address for old alone":    {map[string]string{"CERT_OLD_URL": "https://certificado.example.org:8444"}, "CERT_OLD_LISTEN"},
		"no listener, and the rest":   {map[string]string{"CERT_LISTEN": ""}, "CERT_LISTEN"},
		"roots by name":               {map[string]string{"CERT_ROOTS": "ICP-Brasil v5"}, "CERT_ROOTS"},
		"names of some":               {map[string]string{"CERT_NAMES": "some"}, "CERT_NAMES"},
		"a bundle without encryption": {map[string]string{"CERT_BUNDLE_URL": "http://example.org/a.zip"}, "CERT_BUNDLE_URL"},
		"a port that is taken":        {map[string]string{"CERT_OLD_LISTEN": "0.0.0.0:8443", "CERT_OLD_URL": "https://certificado.example.org:8444"}, "CERT_OLD_LISTEN"},
	} {
		settings := production(t)
		for _, more := range []map[string]string{good, c.change} {
			for name, value := range more {
				settings[name] = value
			}
		}
		set(t, settings)
		_, err := config.Load(false)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), "LOGINUNICO_"+c.fault+" ") && !strings.Contains(err.Error(), "LOGINUNICO_"+c.fault+":") {
			t.Errorf("%s: %v, want a fault of %q", name, err, c.fault)
		}
	}
}
