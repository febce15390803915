package revocation

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of what is read. The longest lists of ICP-Brasil have tens of MB.
const (
	MostBytes   = 96 << 20
	mostEntries = 4_000_000
	mostName    = 16 << 10
	mostEntry   = 4 << 10
	mostTail    = 64 << 10 // extensions, signature
)

// Why a list is refused, besides ErrFormat and ErrSignature.
var (
	ErrIssuer = errors.New("the list is not this CA's")
	ErrScope  = errors.New("the list does not say of all certificates whether they are revoked")
	ErrTime   = errors.New("the list is not of this time")
	ErrOlder  = errors.New("an older list than the one we have")
)

// Scope is which certificates of its CA a list speaks of.
type Scope byte

// RFC 5280 §5.2.5
const (
	AllCertificates Scope = iota
	UserCertificates
	CACertificates
)

// covers says whether a list of this scope answers for a certificate.
func (s Scope) covers(c *x509.Certificate) bool {
	return s == AllCertificates || (s == CACertificates) == (c.IsCA && c.BasicConstraintsValid)
}

// CRL is a list that was read and whose signature holds.
type CRL struct {
	ThisUpdate, NextUpdate time.Time
	Number                 *big.Int // never negative
	Scope                  Scope
	records                []record // sorted
}

// Len is how many certificates it names.
func (c *CRL) Len() int { return len(c.records) }

// Read reads a DER list of size bytes from its CA, entry by entry: it costs 24 bytes of memory for
// each. What it returns is signed by the CA's key and is a complete list of the CA's own certificates,
// for all reasons; whether it is of this time is for [CRL.Current].
//
//	urls  where the certificate says that its list is; a list that names its own place must name one of them
//
// Errors: ErrFormat, ErrSignature, ErrIssuer, ErrScope.
//
// RFC 5280 §5.1, §5.2, §6.3.3 (b), (c), (e)–(g)
func Read(r io.Reader, size int64, ca *x509.Certificate, urls []string) (*CRL, error) {
	if size > MostBytes {
		return nil, malformed("%d bytes are too many", size)
	}
	if ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return nil, ErrIssuer // §6.3.3 (f)
	}
	s := &stream{r: bufio.NewReaderSize(r, 64<<10)}
	outer, err := s.open(size)
	if err != nil {
		return nil, err
	}
	if outer.tag != tagSequence || outer.end != size {
		return nil, malformed("it is longer or shorter than it says")
	}
	p := &reader{stream: s, ca: ca, urls: urls, end: outer.end}
	if err := p.signed(); err != nil {
		return nil, err
	}
	if err := p.signature(); err != nil {
		return nil, err
	}
	slices.SortFunc(p.crl.records, compareRecords)
	return &p.crl, nil
}

// Current says whether a list may be taken now: it was issued, and its successor is not due.
// ErrTime otherwise.
func (c *CRL) Current(now time.Time) error {
	if now.Add(skew).Before(c.ThisUpdate) || !now.Before(c.NextUpdate) {
		return ErrTime
	}
	return nil
}

// skew is how far a CA's clock may be ahead of ours.
const skew = 5 * time.Minute

const (
	tagSequence = byte(cbasn1.SEQUENCE)
	tagInteger  = byte(cbasn1.INTEGER)
	tagExplicit = 0xa0 // [0] EXPLICIT
)

// reader takes a list apart.
type reader struct {
	*stream
	ca        *x509.Certificate
	urls      []string
	end       int64 // of the whole
	algorithm []byte
	scheme    scheme
	sum       []byte
	crl       CRL
}

// signed reads TBSCertList. What comes before the algorithm is summed once that is known.
func (p *reader) signed() error {
	tbs, err := p.open(p.end)
	if err != nil || tbs.tag != tagSequence {
		return errors.Join(err, malformed("no list in it"))
	}
	tbs.header = bytes.Clone(tbs.header)
	version, err := p.whole(tagInteger, tbs.end, 1, nil)
	if err != nil || len(version) != 3 || version[2] != 1 {
		return errors.Join(err, malformed("it is not version 2"))
	}
	if p.algorithm, err = p.whole(tagSequence, tbs.end, 1<<10, nil); err != nil {
		return err
	}
	if p.scheme, err = schemeOf(p.algorithm); err != nil {
		return err
	}
	p.stream.sum = p.scheme.hash.New()
	p.stream.sum.Write(slices.Concat(tbs.header, version, p.algorithm))
	if err := p.head(tbs.end); err != nil {
		return err
	}
	if p.peek(tbs.end) == tagSequence {
		if err := p.entries(tbs.end); err != nil {
			return err
		}
	}
	tail, err := p.whole(tagExplicit, tbs.end, mostTail, nil)
	if err != nil {
		return err
	}
	if p.at != tbs.end {
		return malformed("more than a list in it")
	}
	p.sum, p.stream.sum = p.stream.sum.Sum(nil), nil
	return p.extensions(tail)
}

// head reads the issuer and the two times. nextUpdate is not optional in RFC 5280 §5.1.2.5.
func (p *reader) head(end int64) error {
	issuer, err := p.whole(tagSequence, end, mostName, nil)
	if err != nil {
		return err
	}
	if !sameName(issuer, p.ca.RawSubject) {
		return ErrIssuer
	}
	if p.crl.ThisUpdate, err = p.time(end); err != nil {
		return err
	}
	if p.crl.NextUpdate, err = p.time(end); err != nil {
		return err
	}
	if !p.crl.NextUpdate.After(p.crl.ThisUpdate) {
		return ErrTime
	}
	return nil
}

func (p *reader) time(end int64) (time.Time, error) {
	raw, err := p.whole(0, end, 32, nil)
	if err != nil {
		return time.Time{}, err
	}
	in := cryptobyte.String(raw)
	t, ok := readTime(&in)
	if !ok || !in.Empty() {
		return t, malformed("its time does not read")
	}
	return t, nil
}

// entries reads revokedCertificates, which must not be empty where it is there (§5.1.2.6); an empty
// one is read all the same, since some CAs write it.
func (p *reader) entries(end int64) error {
	list, err := p.open(end)
	if err != nil {
		return err
	}
	p.crl.records = make([]record, 0, min(list.length/36, mostEntries)) // an entry rarely has less
	var buf []byte
	for p.at < list.end {
		if len(p.crl.records) == mostEntries {
			return malformed("more than %d entries", mostEntries)
		}
		if buf, err = p.whole(tagSequence, list.end, mostEntry, buf); err != nil {
			return err
		}
		one, err := readEntry(buf)
		if err != nil {
			return err
		}
		p.crl.records = append(p.crl.records, one)
	}
	return nil
}

var (
	oidReason = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidNumber = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidIDP    = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidDelta  = asn1.ObjectIdentifier{2, 5, 29, 27}
)

// signature reads what follows the list and checks it. The algorithm is told twice (§5.1.1.2).
func (p *reader) signature() error {
	algorithm, err := p.whole(tagSequence, p.end, 1<<10, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(algorithm, p.algorithm) {
		return malformed("two algorithms")
	}
	bits, err := p.whole(byte(cbasn1.BIT_STRING), p.end, 8<<10, nil)
	if err != nil {
		return err
	}
	in, signature := cryptobyte.String(bits), []byte(nil)
	if p.at != p.end || !in.ReadASN1BitStringAsBytes(&signature) {
		return malformed("its signature does not read")
	}
	return p.scheme.verify(p.ca.PublicKey, p.sum, signature)
}
