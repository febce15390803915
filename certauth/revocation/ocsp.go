package revocation

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1" // a responder's key is named by it (RFC 6960 §4.2.1)
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Bounds of OCSP.
const (
	mostAnswer = 64 << 10
	mostAsked  = 2                  // addresses of one certificate
	mostAge    = 7 * 24 * time.Hour // of an answer that nothing binds to our question
	mostStaple = 24 * time.Hour     // of one that the client has chosen to bring
)

func errOCSP(why string) error { return fmt.Errorf("an OCSP response that %s", why) }

var oidNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

// stapled judges a response that came with the certificate.
func (s *Service) stapled(c, ca *x509.Certificate, staple []byte) answer {
	none := answer{status: unknown, by: "none"}
	if len(staple) == 0 || len(staple) > mostAnswer {
		return none
	}
	a, err := s.judge(staple, c, ca, nil)
	if err != nil {
		s.metrics.answered("refused")
		return none
	}
	a.by = "staple"
	return a
}

// online asks the responders that a certificate names, one after the other, while somebody waits.
func (s *Service) online(ctx context.Context, c, ca *x509.Certificate) answer {
	ctx, cancel := context.WithTimeout(ctx, quickly)
	defer cancel()
	asked := 0
	for _, address := range c.OCSPServer {
		if !fetchable(address) || asked == mostAsked {
			continue
		}
		asked++
		a, outcome, err := s.askResponder(ctx, address, c, ca)
		s.metrics.answered(outcome)
		if err == nil && a.status != unknown {
			return a
		}
	}
	return answer{status: unknown, by: "none"}
}

func (s *Service) askResponder(ctx context.Context, address string, c, ca *x509.Certificate) (a answer, outcome string, err error) {
	nonce := make([]byte, 32)
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	question, err := ocspRequest(c, ca, nonce)
	if err != nil {
		return a, "refused", err
	}
	body, err := s.post(ctx, address, question)
	if err != nil {
		return a, "unreachable", err
	}
	a, err = s.judge(body, c, ca, nonce)
	if err != nil {
		return a, "refused", err
	}
	a.by = "ocsp"
	return a, string(a.status), nil
}

// post is RFC 6960 appendix A.1.
func (s *Service) post(ctx context.Context, address string, question []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/ocsp-request")
	res, err := s.quick.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	if err == nil && (res.StatusCode != http.StatusOK || len(body) > mostAnswer) {
		err = fmt.Errorf("status %d, %d bytes", res.StatusCode, len(body))
	}
	return body, err
}

// judge reads a response and decides whether it may be believed.
//
//	nonce  what was sent; nil for a response that nobody asked for
//
// RFC 6960 §3.2: it is about this certificate (1), the signature holds (2), the signer is the one
// meant (3) and authorised (4), thisUpdate (5) and nextUpdate (6) fit now; a nonce that comes back
// is ours (§4.4.1).
func (s *Service) judge(der []byte, c, ca *x509.Certificate, nonce []byte) (a answer, err error) {
	r, err := ocsp.ParseResponseForCert(der, c, ca)
	if err != nil {
		return a, err
	}
	echoed, err := responseData(r.TBSResponseData, c, ca)
	if err != nil {
		return a, err
	}
	if echoed != nil && nonce != nil && !bytes.Equal(echoed, nonce) {
		return a, errOCSP("answers another question")
	}
	if err := s.signer(r, ca); err != nil {
		return a, err
	}
	most := mostAge
	if nonce == nil {
		most = mostStaple
	}
	if err := s.timely(r, echoed != nil && nonce != nil, most); err != nil {
		return a, err
	}
	switch r.Status {
	case ocsp.Good:
		a.status = good
	case ocsp.Revoked:
		a.status, a.Revocation = revoked, Revocation{At: r.RevokedAt, Reason: Reason(r.RevocationReason)}
	default:
		a.status = unknown
	}
	return a, nil
}

// timely: a response that is bound to the question by its nonce may leave nextUpdate out.
func (s *Service) timely(r *ocsp.Response, bound bool, most time.Duration) error {
	now := s.now()
	switch {
	case now.Add(skew).Before(r.ThisUpdate):
		return errOCSP("is of the future")
	case r.NextUpdate.IsZero() && !bound, !r.NextUpdate.IsZero() && !now.Before(r.NextUpdate), !bound && now.Sub(r.ThisUpdate) > most:
		return errOCSP("is past its time")
	}
	return nil
}

// signer checks who has signed: the CA itself, or a responder whose certificate the CA has signed for
// this purpose, that holds now, and that was not revoked or need not be asked about.
// RFC 6960 §4.2.2.2. golang.org/x/crypto/ocsp has checked both signatures; SHA-1 is no signature here.
func (s *Service) signer(r *ocsp.Response, ca *x509.Certificate) error {
	switch r.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
	default:
		return errOCSP("is signed by an algorithm that we do not trust")
	}
	by := ca
	if d := r.Certificate; d != nil && !d.Equal(ca) {
		by = d
		if err := s.delegate(d, ca); err != nil {
			return err
		}
	}
	key := sha1.Sum(keyBits(by))
	if !bytes.Equal(r.ResponderKeyHash, key[:]) && !(r.RawResponderName != nil && sameName(r.RawResponderName, by.RawSubject)) {
		return errOCSP("names another responder than has signed it")
	}
	return nil
}

func (s *Service) delegate(d, ca *x509.Certificate) error {
	now := s.now()
	switch {
	case !slices.Contains(d.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return errOCSP("is signed by who may not")
	case now.Before(d.NotBefore) || now.After(d.NotAfter):
		return errOCSP("is signed by a responder whose certificate is past its time")
	case d.CheckSignatureFrom(ca) != nil:
		return errOCSP("is signed by another CA's responder")
	}
	for _, e := range d.Extensions {
		if e.Id.Equal(oidNoCheck) {
			return nil
		}
	}
	p, ok := pointOf(d, ca)
	if !ok {
		return errOCSP("is signed by a responder that nobody can ask about")
	}
	if a, err := s.look(p, d); err != nil || a.status != good {
		return errOCSP("is signed by a responder that may be revoked")
	}
	return nil
}
