package revocation

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/loginunico/loginunico/certauth"
)

// responder is an OCSP responder, whose ways a test changes.
type responder struct {
	status  int
	by      authority // who signs
	of      authority // whose certificates
	embed   bool
	this    time.Time
	next    time.Time
	nonce   func(asked []byte) []byte // what comes back; nil: none
	serial  int64                     // not 0: answers about another certificate
	hash    crypto.Hash
	respond func(der []byte) []byte
	asked   int
}

func (o *responder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked++
	body, _ := io.ReadAll(r.Body)
	q, err := ocsp.ParseRequest(body) // of golang.org/x/crypto: what we ask is well-formed
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	template := ocsp.Response{Status: o.status, SerialNumber: q.SerialNumber, ThisUpdate: o.this, NextUpdate: o.next, RevokedAt: noon, RevocationReason: 1,
		IssuerHash: o.hash}
	if o.serial != 0 {
		template.SerialNumber.SetInt64(o.serial)
	}
	if o.embed {
		template.Certificate = o.by.cert
	}
	der, err := ocsp.CreateResponse(o.of.cert, o.by.cert, template, o.by.key)
	if err != nil {
		panic(err)
	}
	if o.nonce != nil {
		der = o.withNonce(der, o.nonce(nonceOf(body)))
	}
	if o.respond != nil {
		der = o.respond(der)
	}
	_, _ = w.Write(der)
}

func nonceOf(request []byte) []byte {
	i := bytes.Index(request, []byte{0x04, 0x22, 0x04, 0x20})
	return request[i+4:]
}

// withNonce signs a response anew, with a nonce, which golang.org/x/crypto/ocsp does not know.
func (o *responder) withNonce(der, nonce []byte) []byte {
	var outer struct {
		Status   asn1.Enumerated
		Response struct {
			Type     asn1.ObjectIdentifier
			Response []byte
		} `asn1:"explicit,tag:0"`
	}
	var basic struct {
		Data      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
		Certs     []asn1.RawValue `asn1:"explicit,tag:0,optional"`
	}
	_, _ = asn1.Unmarshal(der, &outer)
	_, _ = asn1.Unmarshal(outer.Response.Response, &basic)
	value, _ := asn1.Marshal(nonce)
	extensions, _ := asn1.Marshal([]pkix.Extension{{Id: oidNonce, Value: value}})
	explicit, _ := asn1.Marshal(asn1.RawValue{Class: 2, Tag: 1, IsCompound: true, Bytes: extensions})
	data, _ := asn1.Marshal(asn1.RawValue{Tag: 16, IsCompound: true, Bytes: append(basic.Data.Bytes, explicit...)})
	basic.Data = asn1.RawValue{FullBytes: data}
	h := crypto.SHA256.New()
	h.Write(data)
	signature, _ := o.by.key.Sign(nil, h.Sum(nil), crypto.SHA256)
	basic.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	outer.Response.Response, _ = asn1.Marshal(basic)
	der, _ = asn1.Marshal(outer)
	return der
}

func TestOCSP(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	now := s.clock.Now()
	signing := func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = false, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	}
	noCheck := func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, extension(oidNoCheck, false, []byte{5, 0}))
	}
	listed := func(c *x509.Certificate) { c.CRLDistributionPoints = []string{s.web.URL + "/ac.crl"} }
	delegate := func(serial int64, change ...func(*x509.Certificate)) authority {
		c := caTemplate("RESPONDEDOR", serial)
		for _, f := range change {
			f(c)
		}
		return s.ac.sub(t, c)
	}
	s.expect(s.chain(5), nil) // the list of responders with a distribution point is there
	other := newRoot(t, "AC DE BAIXO")
	echo := func(asked []byte) []byte { return asked }
	for _, c := range []struct {
		name   string
		change func(*responder)
		want   error
	}{
		{"good", func(*responder) {}, nil},
		{"good, with our nonce", func(o *responder) { o.nonce = echo }, nil},
		{"good, with our nonce and no nextUpdate", func(o *responder) { o.nonce, o.next = echo, time.Time{} }, nil},
		{"good, by SHA-256", func(o *responder) { o.hash = crypto.SHA256 }, nil},
		{"revoked", func(o *responder) { o.status = ocsp.Revoked }, certauth.Revoked},
		{"unknown", func(o *responder) { o.status = ocsp.Unknown }, certauth.Unchecked},
		{"RFC 6960 §4.4.1 another nonce", func(o *responder) { o.nonce = func([]byte) []byte { return make([]byte, 32) } }, certauth.Unchecked},
		{"§4.2.2.1 stale", func(o *responder) { o.next = now.Add(-time.Minute) }, certauth.Unchecked},
		{"§4.2.2.1 of the future", func(o *responder) { o.this = now.Add(time.Hour) }, certauth.Unchecked},
		{"no nextUpdate, no nonce", func(o *responder) { o.next = time.Time{} }, certauth.Unchecked},
		{"old, no nonce", func(o *responder) { o.this, o.next = now.AddDate(0, 0, -8), now.AddDate(0, 0, 8) }, certauth.Unchecked},
		{"§3.2 (1) another certificate", func(o *responder) { o.serial = 99 }, certauth.Unchecked},
		{"§3.2 (1) another CA's certificate", func(o *responder) { o.of = other }, certauth.Unchecked},
		{"§3.2 (2) another key under the CA's name", func(o *responder) { o.by, o.of = other, s.ac }, certauth.Unchecked},
		{"§4.2.2.2 delegated, no check", func(o *responder) { o.by, o.embed = delegate(30, signing, noCheck), true }, nil},
		{"§4.2.2.2 delegated, in the list's scope", func(o *responder) { o.by, o.embed = delegate(31, signing, listed), true }, nil},
		{"§4.2.2.2.1 delegated and revoked", func(o *responder) { o.by, o.embed = delegate(666, signing, listed), true }, certauth.Unchecked},
		{"§4.2.2.2.1 delegated, nobody can say", func(o *responder) { o.by, o.embed = delegate(32, signing), true }, certauth.Unchecked},
		{"§4.2.2.2 without the purpose", func(o *responder) {
			o.by, o.embed = delegate(33, noCheck, func(c *x509.Certificate) { c.IsCA = false }), true
		}, certauth.Unchecked},
		{"§4.2.2.2 a responder of another CA", func(o *responder) {
			c := caTemplate("RESPONDEDOR", 34)
			signing(c)
			noCheck(c)
			o.by, o.embed = s.root.sub(t, c), true
		}, certauth.Unchecked},
		{"cut", func(o *responder) { o.respond = func(der []byte) []byte { return der[:len(der)-4] } }, certauth.Unchecked},
		{"without end", func(o *responder) { o.respond = func([]byte) []byte { return make([]byte, mostAnswer+1) } }, certauth.Unchecked},
		{"try later", func(o *responder) { o.respond = func([]byte) []byte { return ocsp.TryLaterErrorResponse } }, certauth.Unchecked},
	} {
		o := &responder{by: s.ac, of: s.ac, this: now.Add(-time.Minute), next: now.Add(time.Hour), hash: crypto.SHA1}
		c.change(o)
		server := httptest.NewServer(o)
		chain := s.chain(5, func(l *x509.Certificate) { l.CRLDistributionPoints, l.OCSPServer = nil, []string{server.URL} })
		if err := s.Check(t.Context(), chain); !errors.Is(err, c.want) || o.asked != 1 {
			t.Errorf("%s: %v, want %v; asked %d times", c.name, err, c.want, o.asked)
		}
		server.Close()
	}
	o := &responder{}
	server := httptest.NewServer(o)
	defer server.Close()
	s.expect(s.chain(5, func(l *x509.Certificate) { l.OCSPServer = []string{server.URL} }), nil)
	if o.asked != 0 {
		t.Error("a list was there, and OCSP was asked")
	}
}

func TestAStapledResponseCountsWhereNoListDoes(t *testing.T) {
	t.Parallel()

	s := stage(t, 0)
	now := s.clock.Now()
	chain := s.chain(5, func(l *x509.Certificate) { l.CRLDistributionPoints = nil })
	stapled := func(status int, this, next time.Time) []byte {
		return must[[]byte](t)(ocsp.CreateResponse(s.ac.cert, s.ac.cert, ocsp.Response{Status: status, SerialNumber: chain[0].SerialNumber,
			ThisUpdate: this, NextUpdate: next, RevokedAt: noon}, s.ac.key))
	}
	staple := func(status int, next time.Time) []byte { return stapled(status, now.Add(-time.Minute), next) }
	for _, c := range []struct {
		staple []byte
		want   error
	}{
		{staple(ocsp.Good, now.Add(time.Hour)), nil},
		{staple(ocsp.Revoked, now.Add(time.Hour)), certauth.Revoked},
		{staple(ocsp.Good, now.Add(-time.Second)), certauth.Unchecked},
		{staple(ocsp.Good, time.Time{}), certauth.Unchecked},
		{stapled(ocsp.Good, now.Add(-23*time.Hour), now.Add(time.Hour)), nil},
		{stapled(ocsp.Good, now.Add(-25*time.Hour), now.Add(time.Hour)), certauth.Unchecked}, // of the client's choice
		{stapled(ocsp.Good, now.Add(time.Hour), now.Add(2*time.Hour)), certauth.Unchecked},
		{[]byte("x"), certauth.Unchecked},
	} {
		if err := s.Check(certauth.WithStaple(t.Context(), c.staple), chain); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
}

func TestAResponderIsNamedByItsKeyToo(t *testing.T) {
	t.Parallel()

	a := newRoot(t, "AC UM")
	sum := sha1.Sum(keyBits(a.cert))
	s := &Service{now: func() time.Time { return noon }}
	r := &ocsp.Response{SignatureAlgorithm: x509.ECDSAWithSHA256, ResponderKeyHash: sum[:]}
	if err := s.signer(r, a.cert); err != nil {
		t.Error(err)
	}
	r.ResponderKeyHash[0] ^= 1
	if err := s.signer(r, a.cert); err == nil {
		t.Error("another key's name is taken")
	}
	r.SignatureAlgorithm, r.RawResponderName = x509.SHA1WithRSA, a.cert.RawSubject
	if err := s.signer(r, a.cert); err == nil {
		t.Error("SHA-1 is a signature")
	}
}
