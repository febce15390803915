// Package outbound fetches what an address in somebody else's document points at.
//
// Such an address may lead anywhere, into the city's own network too. A client of this package
// connects to public addresses alone, judged after the name was resolved, so that a name that
// resolves differently the second time gains nothing; it uses no proxy, keeps no cookies, follows few
// redirects and each under the same rule, and ends in time.
package outbound

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Settings of a client.
type Settings struct {
	Timeout   time.Duration // of a whole exchange
	Redirects int           // how many are followed
	Private   bool          // this machine and private networks too: for demo and tests
}

// ErrPrivate: the address is not a public one.
var ErrPrivate = errors.New("outbound: not a public address")

// NewClient makes a client. The size of an answer is for the caller to bound.
func NewClient(s Settings) *http.Client {
	dial := &net.Dialer{Timeout: min(s.Timeout, 5*time.Second)}
	if !s.Private {
		dial.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !Public(at.Addr()) {
				return ErrPrivate
			}
			return nil
		}
	}
	return &http.Client{Timeout: s.Timeout,
		Transport: &http.Transport{DialContext: dial.DialContext, TLSHandshakeTimeout: min(s.Timeout, 5*time.Second),
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > s.Redirects || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
				return http.ErrUseLastResponse
			}
			return nil
		}}
}

// special are the networks of the IANA special-purpose registries (RFC 6890) that netip does not
// name, and those that embed IPv4 addresses.
var special = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")

func prefixes(all ...string) (out []netip.Prefix) {
	for _, text := range all {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// Public says whether an address is one of the public internet.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
