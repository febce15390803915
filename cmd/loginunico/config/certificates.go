package config

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/loginunico/loginunico/certauth"
)

// Certificates are the settings of the host that asks for certificates, read.
type Certificates struct {
	Pins   []certauth.Pin
	Hints  certauth.Hints
	Bundle certauth.Bundle
	Proxy  certauth.Pin     // of the proxy's own certificate
	Own    *tls.Certificate // the host's; nil in the demo, which makes one
}

// CertificatesOn says whether citizens may sign in by certificate.
func (c *Config) CertificatesOn() bool { return c.CertListen != "" || c.CertProxyListen != "" }

// ProxySocket is the path of the unix socket that the proxy uses; "" for TCP.
func (c *Config) ProxySocket() string {
	path, ok := strings.CutPrefix(c.CertProxyListen, "unix:")
	if !ok {
		return ""
	}
	return path
}

const demoCertListen = "127.0.0.1:8443"

// followCertListen gives the demo its host, unless it was told not to have one.
func (c *Config) followCertListen() {
	if _, told := os.LookupEnv("LOGINUNICO_CERT_LISTEN"); !told {
		c.CertListen = demoCertListen
	}
	if _, port, err := net.SplitHostPort(c.CertListen); err == nil && c.CertURL == "" {
		c.CertURL = "https://localhost:" + port
	}
}

// checkCertificates reads what the certificate host needs. It has a name and a certificate of its own:
// browsers would else bring its connections together with the provider's.
func (c *Config) checkCertificates(demo bool, fault faulter) {
	var err error
	if c.Certificates.Pins, err = certauth.ParsePins(cmp.Or(c.CertRoots, certauth.DefaultRoots)); err != nil {
		fault("CERT_ROOTS", "%v", err)
	}
	if c.Certificates.Hints, err = certauth.ParseHints(c.CertNames); err != nil {
		fault("CERT_NAMES", "%v", err)
	}
	c.Certificates.Bundle = certauth.Bundle{URL: c.CertBundleURL, HashURL: c.CertBundleHash, CAFile: c.CertBundleCA}
	if err := c.Certificates.Bundle.Check(); err != nil {
		fault("CERT_BUNDLE_URL", "%v", err)
	}
	if !c.CertificatesOn() {
		if c.CertURL+c.CertOldListen+c.CertOldURL+c.CertTLSCert+c.CertTLSKey != "" {
			fault("CERT_LISTEN", "is missing, and other settings of certificates are there")
		}
		return
	}
	host := c.certHost("CERT_URL", c.CertURL, demo, fault)
	if (c.CertOldListen == "") != (c.CertOldURL == "") {
		fault("CERT_OLD_LISTEN", "goes with LOGINUNICO_CERT_OLD_URL: set both or none")
	} else if c.CertOldURL != "" {
		c.certHost("CERT_OLD_URL", c.CertOldURL, demo, fault)
	}
	c.checkCertKey(demo, host, fault)
	c.checkCertProxy(fault)
}

// certHost is the name in an address of the certificate host.
func (c *Config) certHost(name, text string, demo bool, fault faulter) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		fault(name, "%q is not https://host[:port]", text)
		return ""
	}
	if issuer, err := url.Parse(c.Issuer); err == nil && !demo && strings.EqualFold(issuer.Hostname(), u.Hostname()) {
		fault(name, "is the issuer's host: certificates need a host of their own")
	}
	return u.Hostname()
}

func (c *Config) checkCertKey(demo bool, host string, fault faulter) {
	if c.CertTLSCert == "" && c.CertTLSKey == "" && (demo || c.CertListen == "" && c.ProxySocket() != "") {
		return
	}
	own, err := tls.LoadX509KeyPair(c.CertTLSCert, c.CertTLSKey)
	if err != nil {
		fault("CERT_TLS_CERT", "%v", err)
		return
	}
	c.Certificates.Own = &own
	leaf, err := x509.ParseCertificate(own.Certificate[0])
	if err != nil || c.CertListen == "" {
		return
	}
	if err := leaf.VerifyHostname(host); err != nil {
		fault("CERT_TLS_CERT", "%v", err)
	}
	if issuer, err := url.Parse(c.Issuer); err == nil && !demo && leaf.VerifyHostname(issuer.Hostname()) == nil {
		fault("CERT_TLS_CERT", "is good for the issuer's host too: browsers would bring both hosts' requests over one connection")
	}
}

func (c *Config) checkCertProxy(fault faulter) {
	switch {
	case c.CertProxyListen == "", c.ProxySocket() != "":
		return
	case c.CertProxyPin == "":
		fault("CERT_PROXY_PIN", "is missing: over TCP the proxy shows a certificate, and this is its SHA-256")
		return
	}
	if _, _, err := net.SplitHostPort(c.CertProxyListen); err != nil {
		fault("CERT_PROXY_LISTEN", "%q is neither unix:/path nor host:port", c.CertProxyListen)
	}
	pins, err := certauth.ParsePins(c.CertProxyPin)
	if err != nil || len(pins) != 1 {
		fault("CERT_PROXY_PIN", "is not the SHA-256 of a certificate in hexadecimal")
		return
	}
	c.Certificates.Proxy = pins[0]
}
