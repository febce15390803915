package client

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// redirectURI is the rule for redirect URIs: OAuth 2.1 §2.3.1, RFC 8252 §7. Absolute, https; http on
// this machine alone; or a private-use scheme with a dot.
func redirectURI(text string) string {
	u, wrong := absolute(text)
	switch {
	case wrong != "":
		return wrong
	case isWeb(text):
		return secureWeb(u)
	case !strings.Contains(u.Scheme, "."):
		return "must be https, or a private-use scheme that is a reversed domain name (com.example.app:/callback)"
	case u.Opaque != "" || u.Path == "" && u.Host == "":
		return "needs a path after the scheme: " + u.Scheme + ":/callback"
	}
	return ""
}

// webURI is the rule for addresses we show or call: https, or http on this machine.
func webURI(text string) string {
	u, wrong := absolute(text)
	switch {
	case wrong != "":
		return wrong
	case !isWeb(text):
		return "must be https"
	}
	return secureWeb(u)
}

// resourceURI is the rule for resource identifiers, RFC 8707 §2: absolute, without a fragment.
func resourceURI(text string) string {
	u, wrong := absolute(text)
	switch {
	case wrong != "":
		return wrong
	case isWeb(text):
		return secureWeb(u)
	case u.Opaque == "" && u.Host == "" && u.Path == "":
		return "names nothing"
	}
	return ""
}

// absolute refuses everything that two parsers might read differently.
func absolute(text string) (*url.URL, string) {
	if len(text) > maxURI {
		return nil, "is longer than " + strconv.Itoa(maxURI) + " characters"
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}", c) >= 0 {
			return nil, "holds a character that does not belong in a URI; percent-encode it, and write domains in ASCII"
		}
	}
	if strings.Contains(text, "*") {
		return nil, "must not hold a wildcard"
	}
	if strings.Contains(text, "#") {
		return nil, "must not have a fragment"
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, "is not a URI"
	}
	if u.Scheme == "" {
		return nil, "must be absolute"
	}
	if u.User != nil || strings.Contains(u.Host, "@") {
		return nil, "must not hold a user name"
	}
	return u, ""
}

func isWeb(uri string) bool {
	scheme, _, _ := strings.Cut(uri, ":")
	return strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")
}

func secureWeb(u *url.URL) string {
	host := u.Hostname()
	if wrong := hostOrAddress(host); wrong != "" {
		return wrong
	}
	if _, port, found := strings.Cut(strings.TrimPrefix(u.Host, "["+host+"]"), ":"); found && !isPort(port) {
		return "has a port that is none"
	}
	if u.Scheme == "http" && !isLoopback(host) {
		return "must be https; http is for this machine alone (localhost, 127.0.0.1, [::1])"
	}
	return ""
}

// hostOrAddress checks the host of a URI, without brackets.
func hostOrAddress(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	if wrong := hostName(strings.ToLower(host)); wrong != "" {
		return "has no valid host"
	}
	return ""
}

// hostName is the rule for a host alone: lower-case ASCII labels, RFC 1123 §2.1; no port.
func hostName(text string) string {
	if len(text) > 253 {
		return "is longer than a host name"
	}
	for label := range strings.SplitSeq(text, ".") {
		if !isLabel(label) {
			return "must be a host name in lower case, without scheme, port or path"
		}
	}
	return ""
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// isLoopback tells whether a host is this machine (RFC 6761 §6.3 for names under localhost).
func isLoopback(host string) bool {
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// isPort accepts 1 to 65535 without leading zeros.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == text
}

func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
