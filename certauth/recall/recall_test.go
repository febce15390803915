package recall_test

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/certauth/recall"
	"github.com/loginunico/loginunico/certauth/revocation"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry/trust"
)

// names is a list that names certificates by their serial numbers.
type names map[string]revocation.Revocation

func (n names) Revoked(_ context.Context, _ string, serials []string) (map[string]revocation.Revocation, error) {
	found := map[string]revocation.Revocation{}
	for _, s := range serials {
		if r, ok := n[s]; ok {
			found[s] = r
		}
	}
	return found, nil
}

type source struct{ all *certauth.Authorities }

func (s source) Authorities() *certauth.Authorities { return s.all }

func serial(c *x509.Certificate) string { return string(c.SerialNumber.Bytes()) }

func TestEvidenceFallsWithItsCertificateAndWithTheAuthoritiesAboveIt(t *testing.T) {
	t.Parallel()

	ctx, db, now := t.Context(), testpg.New(t), time.Now().UTC()
	pki := icptest.Must(icptest.New(icptest.Options{Now: now}))
	var candidates []certauth.Candidate
	for _, c := range pki.Authorities() {
		candidates = append(candidates, certauth.Candidate{Name: c.Subject.CommonName, Cert: c})
	}
	authorities, _ := certauth.NewAuthorities([]certauth.Pin{pki.Pin()}, candidates, now)
	maria, rita := pg.NewID(), pg.NewID()
	certs := map[uuid.UUID]*x509.Certificate{maria: pki.Issue(icptest.ECPF("MARIA", "52998224725")).Cert, rita: pki.Issue(icptest.ECPF("RITA", "11144477735")).Cert}
	for person, cert := range certs {
		shown := certauth.ShownBy(certauth.Proof{Chain: icptest.Must(authorities.Chain(cert, now))})
		err := pg.InTx(ctx, db, func(tx pg.Tx) error { return certauth.NoteUse(ctx, tx, person, shown, now) })
		if err != nil {
			t.Fatal(err)
		}
		key, own := hex.EncodeToString(shown.Identity.IssuerKey), shown.Identity.SerialText()
		for _, of := range []map[string]any{{"issuer_key": key, "serial": own, "fingerprint": "other bytes"}, // of the same certificate
			{"issuer_key": key, "serial": "0a"}, {"issuer_key": "0a", "serial": own}} {
			err := trust.Lifetimes{}.Record(ctx, db, person, trust.Evidence{Kind: trust.ICPCertificate, Source: "AC", Method: "mtls", Verifier: "test", VerifiedAt: now,
				ExpiresAt: now.AddDate(1, 0, 0), Attributes: of})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	marks := map[string]string{}
	for person, cert := range certs {
		all := icptest.Must(trust.Of(ctx, db, person))
		i := slices.IndexFunc(all, func(e trust.Evidence) bool { return e.Attributes["fingerprint"] != nil })
		marks[serial(cert)] = all[i].ID.String()
	}
	work := func(ca *x509.Certificate, named ...*x509.Certificate) (taken []string) {
		list := names{}
		for _, c := range named {
			list[serial(c)] = revocation.Revocation{At: now.Add(-time.Hour), Reason: 1}
		}
		r := recall.Recaller{DB: db, Lists: list, From: source{authorities}, Now: func() time.Time { return now },
			Revoke: func(_ context.Context, _ pg.Tx, _, evidence uuid.UUID, reason string) (bool, error) {
				if !strings.HasPrefix(reason, "certificate revoked by its authority on ") {
					t.Errorf("%q", reason)
				}
				taken = append(taken, evidence.String())
				return true, nil
			}}
		key := revocation.IssuerKey(ca)
		if err := r.Work(ctx, revocation.Changed{Point: strings.Repeat("0", 64), IssuerKey: hex.EncodeToString(key[:])}, 1); err != nil {
			t.Fatal(err)
		}
		slices.Sort(taken)
		return taken
	}
	both := []string{marks[serial(certs[maria])], marks[serial(certs[rita])]}
	slices.Sort(both)
	for name, c := range map[string]struct{ got, want []string }{
		"one certificate":                {work(pki.Issuing.Cert, certs[maria]), []string{marks[serial(certs[maria])]}},
		"none":                           {work(pki.Issuing.Cert), nil},
		"another CA's list":              {work(pki.Level1.Cert, certs[maria]), nil},
		"the authority that issued them": {work(pki.Level1.Cert, pki.Issuing.Cert), both},
		"the authority above that":       {work(pki.Root.Cert, pki.Level1.Cert), both},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}
