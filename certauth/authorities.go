package certauth

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"
)

// Authorities are the certificates of the authorities that chain to the pins. They never change; a
// new set is a new value.
type Authorities struct {
	all       []*authority
	bySubject map[string][]*authority
	byKey     map[string][]*authority
}

type authority struct {
	Candidate
	parent *authority // nil for a root
}

// longest is how many certificates a chain may have. ICP-Brasil's have three or four.
const longest = 6

// NewAuthorities takes what chains to the pins from a source and says of everything else why not.
//
// An authority's parent is found by the name or by the key identifier, because names are respelt
// (AC SAFEWEB CD V12 names its issuer in another string type), and confirmed by the signature.
func NewAuthorities(pins []Pin, from []Candidate, now time.Time) (*Authorities, []Skipped) {
	a := &Authorities{bySubject: map[string][]*authority{}, byKey: map[string][]*authority{}}
	var skipped []Skipped
	var open []Candidate
	seen := map[Pin]bool{}
	for _, c := range from {
		mark := Pin(sha256.Sum256(c.Cert.Raw))
		if seen[mark] {
			continue
		}
		seen[mark] = true
		switch why := unfit(c.Cert, now); {
		case why != "":
			skipped = append(skipped, Skipped{c.Name, why})
		case slices.Contains(pins, mark):
			a.add(&authority{Candidate: c})
		default:
			open = append(open, c)
		}
	}
	open = a.grow(open)
	for _, c := range open {
		why := "does not chain to a pinned root"
		if bytes.Equal(c.Cert.RawIssuer, c.Cert.RawSubject) {
			why = "a root that is not pinned"
		}
		skipped = append(skipped, Skipped{c.Name, why})
	}
	return a, skipped
}

// unfit says why a certificate is no authority that could count; "" when nothing is wrong with it.
func unfit(c *x509.Certificate, now time.Time) string {
	switch {
	case c.PublicKey == nil:
		return "its key is of a kind that this program cannot verify"
	case !c.IsCA || !c.BasicConstraintsValid:
		return "is not an authority's"
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return "may not sign certificates"
	case now.After(c.NotAfter):
		return "has expired"
	case now.Before(c.NotBefore):
		return "is not valid yet"
	}
	return ""
}

// grow adds all that is signed by what is there, level by level, and returns what is left over.
func (a *Authorities) grow(open []Candidate) []Candidate {
	for range longest {
		var left []Candidate
		for _, c := range open {
			if parent := a.issuer(c.Cert); parent != nil {
				a.add(&authority{c, parent})
			} else {
				left = append(left, c)
			}
		}
		if len(left) == len(open) {
			break
		}
		open = left
	}
	return open
}

func (a *Authorities) add(one *authority) {
	a.all = append(a.all, one)
	subject, key := string(one.Cert.RawSubject), string(one.Cert.SubjectKeyId)
	a.bySubject[subject] = append(a.bySubject[subject], one)
	if key != "" {
		a.byKey[key] = append(a.byKey[key], one)
	}
}

// issuer is the authority that signed a certificate; nil when none of these did.
func (a *Authorities) issuer(c *x509.Certificate) *authority {
	var tried []*authority
	for _, one := range append(slices.Clone(a.byKey[string(c.AuthorityKeyId)]), a.bySubject[string(c.RawIssuer)]...) {
		if slices.Contains(tried, one) {
			continue
		}
		if c.CheckSignatureFrom(one.Cert) == nil {
			return one
		}
		tried = append(tried, one)
	}
	return nil
}

// Chain is a certificate with the authorities above it, up to a pinned root, as they are valid at an
// instant. Errors: Untrusted, Expired, NotYetValid, Unreadable.
//
// The path is found here and judged by crypto/x509 (RFC 5280 §6): dates, constraints, lengths,
// critical extensions. What a certificate is for is not asked: see [HolderOf].
func (a *Authorities) Chain(leaf *x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	chain := []*x509.Certificate{leaf}
	one := a.issuer(leaf)
	for ; one != nil && len(chain) < longest; one = one.parent {
		chain = append(chain, one.Cert)
	}
	switch {
	case one != nil: // what is cut off would be judged by nobody
		return nil, Untrusted.because("a chain of more than %d", longest)
	case len(chain) < 2:
		return nil, Untrusted.because("no authority of the set has signed it")
	case now.After(leaf.NotAfter):
		return nil, Expired
	case now.Before(leaf.NotBefore):
		return nil, NotYetValid
	case len(leaf.UnhandledCriticalExtensions) > 0:
		return nil, Unreadable.because("critical extension %v", leaf.UnhandledCriticalExtensions[0])
	}
	return chain, judge(chain, now)
}

// judge verifies a path that is already found. Parents are given the name by which their children
// know them, since crypto/x509 compares names byte by byte.
func judge(chain []*x509.Certificate, now time.Time) error {
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for i, parent := range chain[1:] {
		known := parent
		if child := chain[i]; !bytes.Equal(child.RawIssuer, parent.RawSubject) {
			respelt := *parent
			respelt.RawSubject = child.RawIssuer
			known = &respelt
		}
		if i == len(chain)-2 {
			o.Roots.AddCert(known)
		} else {
			o.Intermediates.AddCert(known)
		}
	}
	if _, err := chain[0].Verify(o); err != nil {
		return Untrusted.because("%w", err)
	}
	return nil
}

// All are the certificates of the set, parents before their children.
func (a *Authorities) All() []*x509.Certificate {
	all := make([]*x509.Certificate, len(a.all))
	for i, one := range a.all {
		all[i] = one.Cert
	}
	return all
}

// Path is an authority of the set with those above it; nil for a certificate that is not in it.
func (a *Authorities) Path(ca *x509.Certificate) (path []*x509.Certificate) {
	for _, one := range a.bySubject[string(ca.RawSubject)] {
		if one.Cert.Equal(ca) {
			for ; one != nil; one = one.parent {
				path = append(path, one.Cert)
			}
			return path
		}
	}
	return nil
}

// Len is how many there are.
func (a *Authorities) Len() int { return len(a.all) }

// named are the authorities whose names a TLS server sends; where all is false only roots and what they
// signed.
func (a *Authorities) named(all bool) (certs []*x509.Certificate) {
	for _, one := range a.all {
		if all || one.parent == nil || one.parent.parent == nil {
			certs = append(certs, one.Cert)
		}
	}
	return certs
}
