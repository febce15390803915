package session

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	cookieOnward   = "depois"
	onwardLifetime = 10 * time.Minute
)

// UseUpstream has browsers that signed in by gov.br sign out there too: end is the address of its
// logout, which comes back to [PathGoodbye] and carries nothing.
func (s *Service) UseUpstream(end string) { s.upstream = end }

// Upstream is where the browser of a session that has ended goes first; "" for most.
func (s *Service) Upstream(one *Known) string {
	if one == nil || !slices.Contains(one.AMR, "govbr") {
		return ""
	}
	return s.upstream
}

// UpstreamOrigin is for the policy of a page whose form ends a session, since browsers apply it to
// the redirects that follow. nil for most.
func (s *Service) UpstreamOrigin(one *Known) []string {
	u, err := url.Parse(s.Upstream(one))
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}

// Onward keeps where a browser goes when it is back at [PathGoodbye]: gov.br returns to that address
// alone. Sealed, so that nobody but us says where.
func (s *Service) Onward(target string) *http.Cookie {
	plain := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(onwardLifetime).Unix()))
	cookie := HostCookie(cookieOnward, base64.RawURLEncoding.EncodeToString(s.box.Seal(append(plain, target...), []byte("session/onward"))), s.secure)
	cookie.MaxAge = int(onwardLifetime.Seconds())
	return cookie
}

// goesOnward reads what Onward kept; "" for nothing, and for what is too old.
func (s *Service) goesOnward(r *http.Request) string {
	cookie, err := r.Cookie(cookieName(cookieOnward, s.secure))
	if err != nil {
		return ""
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return ""
	}
	plain, err := s.box.Open(sealed, []byte("session/onward"))
	if err != nil || len(plain) < 8 || s.now().Unix() > int64(binary.BigEndian.Uint64(plain)) {
		return ""
	}
	return string(plain[8:])
}
