package flow

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// certificateWhys are the reasons why nobody was signed in by a certificate: its own, and those that
// the city's records give. Message certificate.why.<reason> tells each.
var certificateWhys = append(names(certauth.Reasons), whyCPF, whyClosed, whyOther)

func names(all []certauth.Reason) (texts []string) {
	for _, r := range all {
		texts = append(texts, string(r))
	}
	return texts
}

// bearer is somebody who has shown a certificate in a visit.
type bearer struct {
	certauth.Shown
	method  string           // how: "mtls", "challenge", "cloud"
	person  *registry.Person // nil: the city knows nobody of the CPF
	mine    bool             // they are signed in to that account already
	account bool             // it has ways in, which a displacement would end
	ends    bool             // the proof displaces it
	first   bool             // the first certificate of them
}

// meetBearer compares who has shown a certificate with whom the visit expects and with what the city
// knows. It returns the reason where nobody may be signed in.
func (d *Dependencies) meetBearer(ctx context.Context, v *visit, s certauth.Shown, method string) (b bearer, reason string, err error) {
	b = bearer{Shown: s, method: method}
	cpf := s.Holder.CPF
	if typed := v.typedCPF(d.Box); typed != "" && typed != cpf {
		return b, whyOther, nil
	}
	if !d.Now().Before(s.NotAfter) { // on the way back
		return b, string(certauth.Expired), nil
	}
	p, err := d.People.ByCPF(ctx, d.DB, cpf)
	if errors.Is(err, registry.ErrNotFound) {
		return b, "", nil
	}
	if err != nil {
		return b, "", err
	}
	if reason = closed(p); reason != "" {
		return b, reason, nil
	}
	if p.CPF != cpf {
		return b, whyCPF, nil
	}
	b.person, b.mine = &p, v.known != nil && v.known.PersonID == p.ID
	return b, "", d.weighBearer(ctx, &b)
}

// weighBearer says what the proof does to the account of the person.
func (d *Dependencies) weighBearer(ctx context.Context, b *bearer) error {
	all, err := trust.Of(ctx, d.DB, b.person.ID)
	if err != nil {
		return err
	}
	has, err := factor.EnrolledOf(ctx, d.DB, d.Box, b.person.ID)
	if err != nil {
		return err
	}
	b.ends = factor.Decide(all, b.evidence(d.Now()), b.mine, d.Now()) == factor.Displaces
	b.account = has.Password || len(has.Passkeys) > 0
	b.first = !slices.ContainsFunc(all, func(e trust.Evidence) bool { return e.Kind == trust.ICPCertificate && e.LiveAt(d.Now()) })
	return nil
}

// evidence is what the certificate proves, until its own end. It names the certificate, and neither
// holder nor company: evidence is not sealed.
func (b bearer) evidence(now time.Time) trust.Evidence {
	return trust.Evidence{Kind: trust.ICPCertificate, Source: b.Issuer, Method: b.method, Verifier: "loginunico", VerifiedAt: now, ExpiresAt: b.NotAfter,
		Attributes: map[string]any{"issuer": b.Issuer, "issuer_key": hex.EncodeToString(b.Identity.IssuerKey), "serial": b.Identity.SerialText(),
			"fingerprint": hex.EncodeToString(b.Identity.Fingerprint), "profile": b.Holder.Profile, "not_before": b.NotBefore.Format(time.RFC3339)}}
}

// says whether evidence is of this very certificate and counts. Its fingerprint does not tell: the same
// certificate can be written in other bytes that verify too.
func (b bearer) says(e trust.Evidence, now time.Time) bool {
	return e.Kind == trust.ICPCertificate && e.LiveAt(now) && e.Attributes["issuer_key"] == hex.EncodeToString(b.Identity.IssuerKey) &&
		e.Attributes["serial"] == b.Identity.SerialText()
}

// companies are those of an e-CNPJ, which the session may act for.
func (b bearer) companies() company.Said {
	c := b.Holder.Company
	if c == nil {
		return company.Said{}
	}
	return company.Said{From: company.Certificate,
		Companies: []company.Company{{CNPJ: c.CNPJ, Name: c.Name, Role: company.CertificateHolder, Until: b.NotAfter}}}
}

// byCertificate signs in who has shown a certificate: as a new person, or to the account of the CPF,
// which the proof joins or, where they said so, displaces. One transaction.
//
//	ending  the citizen knows that the account ends
//	e       what else they have just shown
func (d *Dependencies) byCertificate(ctx context.Context, tx pg.Tx, v *visit, b bearer, ending bool, asker notice.Asker, e entry) (in entered, err error) {
	person, err := d.bearerOf(ctx, tx, b)
	if err != nil {
		return in, err
	}
	claim, err := d.bringCertificate(ctx, tx, person, b)
	if err != nil {
		return in, err
	}
	if claim == factor.Displaces && !ending && b.account {
		return in, errAskFirst
	}
	if b.account && b.first && claim == factor.Joins {
		if err := d.Announce(ctx, tx, asker, factor.Event{Person: person.ID, At: d.Now(), Kind: factor.CertificateLinked, Browser: e.browser}); err != nil {
			return in, err
		}
	}
	if err := certauth.NoteUse(ctx, tx, person.ID, b.Shown, d.Now()); err != nil {
		return in, err
	}
	if fields := certificateFields(b.Holder, d.Now()); len(fields) > 0 {
		if err := d.People.Attest(ctx, tx, person, registry.SourceICP, fields, d.Now()); err != nil {
			return in, err
		}
	}
	if e.hold, err = factor.HoldOf(ctx, tx, person.ID); err != nil {
		return in, err
	}
	e.person, e.companies = person.ID, b.companies()
	e.proofs = append(e.proofs, factor.Proof{By: factor.ByCertificate, AMR: []string{"x509"}})
	return d.open(ctx, tx, v, e)
}

// bearerOf is the person of the CPF, a new one where the city knows nobody.
func (d *Dependencies) bearerOf(ctx context.Context, tx pg.Tx, b bearer) (registry.Person, error) {
	if b.person != nil {
		return *b.person, nil
	}
	p, err := d.People.Create(ctx, tx, registry.Person{CPF: b.Holder.CPF}, d.Now())
	if errors.Is(err, registry.ErrCPFTaken) { // since we looked
		return d.People.ByCPF(ctx, tx, b.Holder.CPF)
	}
	return p, err
}

// bringCertificate records the proof, once for each certificate.
func (d *Dependencies) bringCertificate(ctx context.Context, tx pg.Tx, person registry.Person, b bearer) (factor.Claim, error) {
	all, err := trust.Of(ctx, tx, person.ID)
	if err != nil || slices.ContainsFunc(all, func(e trust.Evidence) bool { return b.says(e, d.Now()) }) {
		return factor.Joins, err
	}
	claim, err := d.Displacer.Bring(ctx, tx, person.ID, b.evidence(d.Now()), b.mine)
	if err != nil {
		return claim, err
	}
	outcome := map[factor.Claim]string{factor.Joins: "joined", factor.Displaces: "displaced"}[claim]
	return claim, audit.RecordTx(ctx, tx, audit.Event{At: d.Now(), Actor: audit.Actor{Kind: audit.Person, ID: person.ID.String()},
		Action: "account.certificate", Person: person.ID, Detail: map[string]string{"profile": b.Holder.Profile, "method": b.method, "outcome": outcome}})
}

// certificateFields is what a certificate says of its holder, as the registry writes it; the policy
// decides what becomes of it.
func certificateFields(h certauth.Holder, now time.Time) registry.Fields {
	all := registry.Fields{}
	for name, text := range map[string]string{"name": h.Name, "birthdate": h.BirthDate} {
		if text, err := registry.ParseDeclared(name, text, now); err == nil {
			all[name] = registry.Value{Text: text, At: now}
		}
	}
	return all
}

// certificateURL is the way to sign in by certificate from a page of a visit; "" where the city does
// not offer it.
func (d *Dependencies) certificateURL(v *visit) string {
	if d.Certificates == nil {
		return ""
	}
	return v.url(pathCertificate)
}

// certificateWhy is the page that says why nobody was signed in.
func (d *Dependencies) certificateWhy(v *visit, reason string) themes.CertificateWhy {
	view := themes.CertificateWhy{Reason: reason, AgainURL: v.url(pathCertificateGo), WaysURL: d.certificateWaysURL(v), BackURL: v.url(pathContinue)}
	switch certauth.Reason(reason) {
	case whyOther:
		view.CPF = v.typedCPF(d.Box).Masked()
	case certauth.NoCertificate, certauth.Unreadable:
		if d.Certificates.Compatible() {
			view.OldURL = v.url(pathCertificateGo) + "&antigo=1"
		}
	case whyCPF, whyClosed:
		view.AgainURL = ""
	}
	return view
}
