package revocation

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/url"
	"slices"
	"time"
)

// pointID is the SHA-256 of the CA's key and of the addresses, in order.
type pointID [32]byte

func (p pointID) String() string { return hex.EncodeToString(p[:]) }

// point is where the list of a CA for some of its certificates is fetched.
type point struct {
	id   pointID
	ca   *x509.Certificate
	urls []string // sorted; all lead to the same list
}

// Bounds of what a certificate may name.
const (
	mostURLs   = 8
	mostURL    = 1 << 10
	mostPoints = 64 // of one CA: one that splits its lists has a few
)

// IssuerKey is what tells CAs apart, wherever they are kept: the SHA-256 of the SubjectPublicKeyInfo.
// Names are no key: homologation chains bear those of production.
func IssuerKey(ca *x509.Certificate) [32]byte { return sha256.Sum256(ca.RawSubjectPublicKeyInfo) }

// pointOf is the distribution point of a certificate; false when it names none that can be fetched.
//
// The several points of an extension are read as several ways to one list, which they are in
// ICP-Brasil. Where a CA means several lists, each says so of itself and is refused: [ErrScope].
// RFC 5280 §4.2.1.13
func pointOf(c, ca *x509.Certificate) (point, bool) {
	p := point{ca: ca}
	for _, text := range c.CRLDistributionPoints {
		if fetchable(text) && len(p.urls) < mostURLs {
			p.urls = append(p.urls, text)
		}
	}
	slices.Sort(p.urls)
	p.urls = slices.Compact(p.urls)
	h := sha256.New()
	key := IssuerKey(ca)
	h.Write(key[:])
	for _, u := range p.urls {
		h.Write([]byte(u))
		h.Write([]byte{0})
	}
	h.Sum(p.id[:0])
	return p, len(p.urls) > 0
}

func fetchable(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= mostURL && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.Fragment == ""
}

// Learn notes the distribution points of a chain that was verified up to a pinned root, so that their
// lists are fetched from now on. It fetches nothing.
//
//	chain  leaf first, each signed by the next
func (s *Service) Learn(ctx context.Context, chain []*x509.Certificate) error {
	for i := range len(chain) - 1 {
		if p, ok := pointOf(chain[i], chain[i+1]); ok {
			if err := s.learn(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// sightings are written down this seldom.
const sighting = 24 * time.Hour

func (s *Service) learn(ctx context.Context, p point) error {
	now := s.now()
	s.mu.Lock()
	fresh := now.Sub(s.seen[p.id]) < sighting
	s.mu.Unlock()
	if fresh {
		return nil
	}
	key := IssuerKey(p.ca)
	if err := keepPoint(ctx, s.db, p, key[:], now); err != nil {
		return err
	}
	s.mu.Lock()
	s.seen[p.id] = now
	s.mu.Unlock()
	return nil
}
