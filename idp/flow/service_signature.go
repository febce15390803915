package flow

import (
	"context"
	"crypto/x509"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/cloud"
	"github.com/loginunico/loginunico/certauth/tosign"
	"github.com/loginunico/loginunico/internal/brdoc"
)

// Signatures are the ways of a certificate that no handshake shows: it signs a text of ours.
type Signatures struct {
	Texts    *tosign.Texts
	Cloud    *cloud.Connector // nil: the city is registered at no PSC
	Verifier *certauth.Verifier
}

// Purge forgets texts and trips that are over.
func (s *Signatures) Purge(ctx context.Context, d *Dependencies) error {
	if err := s.Texts.Purge(ctx, d.DB); err != nil || s.Cloud == nil {
		return err
	}
	return s.Cloud.Purge(ctx, d.DB)
}

// shows is what a certificate that has signed shows: the same questions as in a handshake, at the
// server's time. A certauth.Reason where it signs nobody in.
func (s *Signatures) shows(ctx context.Context, cert *x509.Certificate) (certauth.Shown, error) {
	proof, err := s.Verifier.Verify(ctx, cert)
	if err != nil {
		return certauth.Shown{}, err
	}
	return certauth.ShownBy(proof), nil
}

// clouds are the PSCs to choose from.
func (d *Dependencies) clouds() []cloud.Provider {
	if d.Signatures.Cloud == nil {
		return nil
	}
	return d.Signatures.Cloud.Providers()
}

// signerOf is who is to sign, as far as the visit knows.
func (d *Dependencies) signerOf(v *visit) brdoc.CPF { return v.typedCPF(d.Box) }

// certificateWaysURL is the way to [Signatures] from a page of a visit; "" where there are none.
func (d *Dependencies) certificateWaysURL(v *visit) string {
	if d.Signatures == nil {
		return ""
	}
	return v.url(pathCertificateWays)
}
