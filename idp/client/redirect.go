package client

import (
	"slices"
	"strings"
)

// MatchRedirect tells whether uri is a registered redirect URI. It compares strings, byte by byte:
// nothing is decoded, folded or normalised (RFC 9700 §4.1.3).
//
// One exception: a native app (auth none) that registered http://127.0.0.1 or http://[::1] may use
// any port (RFC 8252 §7.3); the rest of the URI is still compared byte by byte.
func (m *Manifest) MatchRedirect(uri string) bool {
	return match(m.RedirectURIs, uri, m.Auth == AuthNone)
}

// MatchPostLogoutRedirect is the same for post_logout_redirect_uris (RP-Initiated Logout §3).
func (m *Manifest) MatchPostLogoutRedirect(uri string) bool {
	return match(m.PostLogoutRedirectURIs, uri, m.Auth == AuthNone)
}

func match(registered []string, uri string, native bool) bool {
	if slices.Contains(registered, uri) {
		return true
	}
	if !native {
		return false
	}
	host, rest, ok := withoutLoopbackPort(uri)
	return ok && slices.ContainsFunc(registered, func(r string) bool {
		h, s, ok := withoutLoopbackPort(r)
		return ok && h == host && s == rest
	})
}

// withoutLoopbackPort cuts http://127.0.0.1:PORT/rest into "http://127.0.0.1" and "/rest". ok is
// false for every other URI, and for a port that is none.
func withoutLoopbackPort(uri string) (host, rest string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		after, found := strings.CutPrefix(uri, host)
		if !found {
			continue
		}
		end := strings.IndexAny(after, "/?")
		if end < 0 {
			end = len(after)
		}
		port, hasPort := strings.CutPrefix(after[:end], ":")
		if hasPort && !isPort(port) || !hasPort && end != 0 {
			return "", "", false
		}
		return host, after[end:], true
	}
	return "", "", false
}
