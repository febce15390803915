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

// readTime reads a Time as §5.1.2.4 has it: to the second, in UTC, up to 2049 with two digits of the
// year. A long list has one in each entry; cryptobyte's reader allocates for every one.
func readTime(in *cryptobyte.String) (time.Time, bool) {
	var text cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&text, &tag) {
		return time.Time{}, false
	}
	year := 0
	switch {
	case tag == cbasn1.UTCTime && len(text) == 13:
		if year = two(text[0:]); year < 50 {
			year += 100
		}
		year, text = year+1900, text[2:]
	case tag == cbasn1.GeneralizedTime && len(text) == 15:
		year, text = 100*two(text[0:])+two(text[2:]), text[4:]
	default:
		return time.Time{}, false
	}
	month, day, hour, minute, second := two(text), two(text[2:]), two(text[4:]), two(text[6:]), two(text[8:])
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	ok := text[10] == 'Z' && year > 0 && t.Month() == time.Month(month) && t.Day() == day && t.Hour() == hour && t.Minute() == minute && t.Second() == second
	return t, ok
}

// two reads two digits; a number far below zero where they are none.
func two(b []byte) int {
	if b[0] < '0' || b[0] > '9' || b[1] < '0' || b[1] > '9' {
		return -10000
	}
	return int(b[0]-'0')*10 + int(b[1]-'0')
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

// readEntry reads one revoked certificate. A critical extension that we do not know may change what
// the entry means, as certificateIssuer of an indirect list does: ErrScope (§5.3).
func readEntry(der []byte) (r record, err error) {
	in := cryptobyte.String(der)
	var seq, serial, list cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return r, malformed("an entry does not read")
	}
	if !seq.ReadASN1(&serial, cbasn1.INTEGER) || !minimal(serial) {
		return r, malformed("a serial number does not read")
	}
	at, ok := readTime(&seq)
	if !ok {
		return r, malformed("a revocation's time does not read")
	}
	reason := Unspecified
	if !seq.Empty() {
		if !seq.ReadASN1(&list, cbasn1.SEQUENCE) || !seq.Empty() {
			return r, malformed("an entry has more than extensions")
		}
		if reason, err = readReason(list); err != nil {
			return r, err
		}
	}
	return newRecord(serial, at, reason), nil
}

// minimal says whether the content of an INTEGER has no octet too many. X.690 §8.3.2
func minimal(content []byte) bool {
	return len(content) == 1 || len(content) > 1 && !(content[0] == 0 && content[1] < 0x80) && !(content[0] == 0xff && content[1] >= 0x80)
}

// onlyReason is what the extensions of nearly every entry begin with: reasonCode, not critical.
var onlyReason = []byte{0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01}

func readReason(list cryptobyte.String) (reason Reason, err error) {
	if len(list) == len(onlyReason)+1 && bytes.HasPrefix(list, onlyReason) && list[len(onlyReason)] <= 10 {
		return Reason(list[len(onlyReason)]), nil
	}
	return reason, eachExtension(list, func(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) error {
		if !oid.Equal(oidReason) {
			return unknownExtension(critical)
		}
		var n int
		if !value.ReadASN1Enum(&n) || n < 0 || n > 10 {
			return malformed("a reason does not read")
		}
		reason = Reason(n)
		return nil
	})
}

func unknownExtension(critical bool) error {
	if critical {
		return ErrScope
	}
	return nil
}

// eachExtension reads Extensions; one that comes twice is malformed (RFC 5280 §4.2).
func eachExtension(list cryptobyte.String, each func(asn1.ObjectIdentifier, bool, cryptobyte.String) error) error {
	var seen []string
	for !list.Empty() {
		var one, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&oid) ||
			one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) || !one.ReadASN1(&value, cbasn1.OCTET_STRING) || !one.Empty() {
			return malformed("an extension does not read")
		}
		if name := oid.String(); slices.Contains(seen, name) {
			return malformed("an extension comes twice")
		} else if seen = append(seen, name); len(seen) > 32 {
			return malformed("too many extensions")
		}
		if err := each(oid, critical, value); err != nil {
			return err
		}
	}
	return nil
}

// extensions reads those of the list. RFC 5280 §5.2
func (p *reader) extensions(tail []byte) error {
	in := cryptobyte.String(tail)
	var explicit, list cryptobyte.String
	if !in.ReadASN1(&explicit, cbasn1.Tag(0).ContextSpecific().Constructed()) || !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() {
		return malformed("its extensions do not read")
	}
	err := eachExtension(list, func(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) error {
		switch {
		case oid.Equal(oidNumber):
			p.crl.Number = new(big.Int)
			if !value.ReadASN1Integer(p.crl.Number) || !value.Empty() || p.crl.Number.Sign() < 0 || p.crl.Number.BitLen() > 160 {
				return malformed("its number does not read")
			}
			return nil
		case oid.Equal(oidIDP):
			return p.distribution(value)
		case oid.Equal(oidDelta): // a delta by itself says nothing of the rest (§5.2.4)
			return ErrScope
		}
		return unknownExtension(critical)
	})
	if err == nil && p.crl.Number == nil {
		return malformed("it has no number") // §5.2.3
	}
	return err
}

// distribution reads IssuingDistributionPoint. Lists for some reasons, for attribute certificates
// and of several CAs are refused, since they leave the question open. RFC 5280 §5.2.5
func (p *reader) distribution(value cryptobyte.String) error {
	var seq cryptobyte.String
	if !value.ReadASN1(&seq, cbasn1.SEQUENCE) || !value.Empty() {
		return malformed("its distribution point does not read")
	}
	var point, reasons cryptobyte.String
	var named, some bool
	if !seq.ReadOptionalASN1(&point, &named, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return malformed("its distribution point does not read")
	}
	flags := [6]bool{} // by tag; 0 and 3 are none
	for tag := 1; tag <= 5; tag++ {
		if tag == 3 {
			if !seq.ReadOptionalASN1(&reasons, &some, cbasn1.Tag(3).ContextSpecific()) {
				return malformed("its reasons do not read")
			}
			continue
		}
		if !seq.ReadOptionalASN1(&reasons, &flags[tag], cbasn1.Tag(tag).ContextSpecific()) ||
			flags[tag] && (len(reasons) != 1 || reasons[0] != 0xff) {
			return malformed("a flag of its distribution point does not read")
		}
	}
	switch user, ca, indirect, attribute := flags[1], flags[2], flags[4], flags[5]; {
	case !seq.Empty():
		return malformed("its distribution point has more than there is")
	case some, indirect, attribute, user && ca:
		return ErrScope
	case user:
		p.crl.Scope = UserCertificates
	case ca:
		p.crl.Scope = CACertificates
	}
	if named && !p.mine(point) {
		return ErrScope
	}
	return nil
}

// mine says whether the name of a distribution point is one of the certificate's. Names relative to
// the issuer's are not known here. RFC 5280 §6.3.3 (b) (2) (i)
func (p *reader) mine(point cryptobyte.String) bool {
	var names, uri cryptobyte.String
	if !point.ReadASN1(&names, cbasn1.Tag(0).ContextSpecific().Constructed()) || !point.Empty() {
		return false
	}
	for !names.Empty() {
		var tag cbasn1.Tag
		if !names.ReadAnyASN1(&uri, &tag) {
			return false
		}
		if tag == cbasn1.Tag(6).ContextSpecific() && slices.Contains(p.urls, string(uri)) {
			return true
		}
	}
	return false
}

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
