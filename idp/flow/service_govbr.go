package flow

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// govbrRenews is how often a gov.br account that says the same is written down again. How long it
// counts is for [trust.Lifetimes] to say.
const govbrRenews = 30 * 24 * time.Hour

// The reasons why nobody was signed in by gov.br; message govbr.why.<reason> tells each.
const (
	whyDenied      = "denied"      // they refused there
	whyUnavailable = "unavailable" // gov.br fails, or says what does not hold
	whyCPF         = "cpf"         // its CPF cannot be, or has changed
	whyClosed      = "closed"      // the Receita has cancelled the CPF, or its holder has died
	whyOther       = "other"       // somebody else than the visit expects
	whyOld         = "old"         // the service wants a new sign-in, and gov.br remembered an old one
)

var whys = []string{whyDenied, whyUnavailable, whyCPF, whyClosed, whyOther, whyOld}

// why is the reason to tell for an error of the connector; "" for errors of ours.
func why(err error) string {
	switch {
	case errors.Is(err, federation.ErrDenied):
		return whyDenied
	case errors.Is(err, federation.ErrCPF):
		return whyCPF
	case errors.Is(err, federation.ErrUnavailable), errors.Is(err, federation.ErrRefused):
		return whyUnavailable
	}
	return ""
}

// arrival is somebody who came back from gov.br into a visit.
type arrival struct {
	federation.Account
	at      time.Time        // when they signed in, for the session; a fresh sign-in is now
	person  *registry.Person // nil: the city knows nobody of the CPF
	mine    bool             // they are signed in to that account already
	account bool             // it has ways in, which a displacement would end
	ends    bool             // the proof displaces it
	first   bool             // gov.br says it of them for the first time
}

// clocks of gov.br and of the city may differ by so much.
const govbrSkew = time.Minute

// meet compares who came back with whom the visit expects and with what the city knows. It returns
// the reason where nobody may be signed in.
func (d *Dependencies) meet(ctx context.Context, v *visit, began time.Time, a federation.Account) (in arrival, reason string, err error) {
	in = arrival{Account: a, at: d.Now()}
	if a.AuthTime.Before(began.Add(-govbrSkew)) {
		in.at = a.AuthTime
	}
	if cpf := v.typedCPF(d.Box); cpf != "" && cpf != a.CPF {
		return in, whyOther, nil
	}
	if v.Request.Needs(v.client).stale(Facts{StartedAt: v.CreatedAt, AuthTime: in.at}) {
		return in, whyOld, nil
	}
	if in.at.IsZero() {
		in.at = d.Now() // nobody needs to know
	}
	p, err := d.People.ByCPF(ctx, d.DB, a.CPF)
	if errors.Is(err, registry.ErrNotFound) {
		return in, "", nil
	}
	if err != nil {
		return in, "", err
	}
	if reason = closed(p); reason != "" {
		return in, reason, nil
	}
	if p.CPF != a.CPF {
		return in, whyCPF, nil
	}
	in.person, in.mine = &p, v.known != nil && v.known.PersonID == p.ID
	return in, "", d.weigh(ctx, &in)
}

// closed says why a record is nobody's to sign in to any more.
func closed(p registry.Person) string {
	gone := []string{"cancelled", "null", "deceased"}
	if p.Fields["death"].Text != "" || slices.Contains(gone, p.Fields["situation"].Text) {
		return whyClosed
	}
	return ""
}

// weigh says what the proof does to the account of the person.
func (d *Dependencies) weigh(ctx context.Context, in *arrival) error {
	all, err := trust.Of(ctx, d.DB, in.person.ID)
	if err != nil {
		return err
	}
	has, err := factor.EnrolledOf(ctx, d.DB, d.Box, in.person.ID)
	if err != nil {
		return err
	}
	in.ends = factor.Decide(all, govbrEvidence(in.Account, d.Now()), in.mine, d.Now()) == factor.Displaces
	in.account = has.Password || len(has.Passkeys) > 0
	in.first = !slices.ContainsFunc(all, func(e trust.Evidence) bool { return e.Kind == trust.GovBR && e.LiveAt(d.Now()) })
	return nil
}

// govbrEvidence is what gov.br proves: level and seals, each with its date. Companies stay out:
// evidence is not sealed, and they are personal.
func govbrEvidence(a federation.Account, now time.Time) trust.Evidence {
	seals := []any{}
	for _, s := range a.Seals {
		seals = append(seals, map[string]any{"id": s.ID, "updated_at": s.UpdatedAt.Format(time.RFC3339Nano)})
	}
	return trust.Evidence{Kind: trust.GovBR, Source: registry.SourceGovBR, Method: "oidc", Verifier: "loginunico", VerifiedAt: now,
		Attributes: map[string]any{"level": string(a.Level), "selos": seals}}
}

// errAskFirst: the proof would end an account that somebody has opened, perhaps this citizen.
var errAskFirst = errors.New("the citizen decides first")

// byGovBR signs in who came back: as a new person, or to the account of the CPF, which the proof
// joins or, where they said so, displaces. One transaction.
//
//	ending  the citizen knows that the account ends
//	e       what else they have just shown
func (d *Dependencies) byGovBR(ctx context.Context, tx pg.Tx, v *visit, a arrival, ending bool, asker notice.Asker, e entry) (in entered, err error) {
	person, err := d.personOf(ctx, tx, a)
	if err != nil {
		return in, err
	}
	claim, err := d.bring(ctx, tx, person, a)
	if err != nil {
		return in, err
	}
	if claim == factor.Displaces && !ending && a.account {
		return in, errAskFirst
	}
	if a.account && a.first && claim == factor.Joins { // before gov.br's own addresses are theirs
		if err := d.Announce(ctx, tx, asker, factor.Event{Person: person.ID, At: d.Now(), Kind: factor.GovBRLinked, Browser: e.browser}); err != nil {
			return in, err
		}
	}
	if err := d.People.Attest(ctx, tx, person, registry.SourceGovBR, govbrFields(a.Account, d.Now()), d.Now()); err != nil {
		return in, err
	}
	if e.hold, err = factor.HoldOf(ctx, tx, person.ID); err != nil {
		return in, err
	}
	if err := d.attestCompanies(ctx, tx, a.Account); err != nil {
		return in, err
	}
	e.companies = saidByGovBR(a.Account)
	e.person, e.authTime, e.proofs = person.ID, a.at, append(e.proofs, factor.Proof{By: factor.ByGovBR, AMR: a.AMR()})
	return d.open(ctx, tx, v, e)
}

// personOf is the person of the CPF, a new one where the city knows nobody.
func (d *Dependencies) personOf(ctx context.Context, tx pg.Tx, a arrival) (registry.Person, error) {
	if a.person != nil {
		return *a.person, nil
	}
	now := d.Now()
	p, err := d.People.Create(ctx, tx, registry.Person{CPF: a.CPF, Fields: govbrFields(a.Account, now)}, now)
	if errors.Is(err, registry.ErrCPFTaken) { // since we looked
		return d.People.ByCPF(ctx, tx, a.CPF)
	}
	return p, err
}

// bring records the proof, unless the newest one says the same and is young.
func (d *Dependencies) bring(ctx context.Context, tx pg.Tx, person registry.Person, a arrival) (factor.Claim, error) {
	proof := govbrEvidence(a.Account, d.Now())
	all, err := trust.Of(ctx, tx, person.ID)
	if err != nil || saidByNewest(all, proof, d.Now()) {
		return factor.Joins, err
	}
	claim, err := d.Displacer.Bring(ctx, tx, person.ID, proof, a.mine)
	if err != nil {
		return claim, err
	}
	outcome := map[factor.Claim]string{factor.Joins: "joined", factor.Displaces: "displaced"}[claim]
	return claim, audit.RecordTx(ctx, tx, audit.Event{At: d.Now(), Actor: audit.Actor{Kind: audit.Person, ID: person.ID.String()},
		Action: "account.govbr", Person: person.ID, Detail: map[string]string{"level": string(a.Level), "outcome": outcome}})
}

// saidByNewest says whether the last live word of gov.br is young and the same: an older one that is
// the same was overtaken.
func saidByNewest(all []trust.Evidence, proof trust.Evidence, now time.Time) bool {
	for _, e := range slices.Backward(all) {
		if e.Kind == trust.GovBR && e.LiveAt(now) {
			return now.Sub(e.VerifiedAt) < govbrRenews && reflect.DeepEqual(e.Attributes, proof.Attributes)
		}
	}
	return false
}

// govbrFields is what gov.br says of a person, as the registry writes it; what it would refuse from
// a form is left out.
func govbrFields(a federation.Account, now time.Time) registry.Fields {
	all := registry.Fields{}
	for _, f := range []struct {
		name, claim, text string
		confirmed         bool
	}{{"name", "name", a.Name, false}, {"social_name", "name", a.SocialName, false}, {"phone_number", "phone_number", a.Phone, true}} {
		text, err := registry.ParseDeclared(f.claim, f.text, now)
		if err != nil {
			continue
		}
		v := registry.Value{Text: text, Source: registry.SourceGovBR, At: now}
		if f.confirmed {
			v.Confirmed = &now
		}
		all[f.name] = v
	}
	if mail, err := parseMail(a.Email); err == nil {
		all["email"] = registry.Value{Text: mail, Source: registry.SourceGovBR, At: now, Confirmed: &now}
	}
	return all
}

// govbrURL is the way to gov.br from a page of a visit; "" where the city does not offer it.
func (d *Dependencies) govbrURL(v *visit) string {
	if d.GovBR == nil {
		return ""
	}
	return v.url(pathGovBR)
}

// govbrReaches is govbrURL where a gov.br account may be enough for what the visit needs: it gives
// a person level 2 and a session a cap of 4 at most.
func (d *Dependencies) govbrReaches(v *visit, level, needed int) string {
	if needed > min(max(level, trust.GovBR.Level()), 4) {
		return ""
	}
	return d.govbrURL(v)
}

// govbrWhy is the page that says why nobody was signed in.
func (d *Dependencies) govbrWhy(v *visit, reason string) themes.GovBRWhy {
	view := themes.GovBRWhy{Reason: reason, AgainURL: v.url(pathGovBR), BackURL: v.url(pathContinue)}
	switch reason {
	case whyOther:
		view.CPF = v.typedCPF(d.Box).Masked()
		view.AgainURL += "&trocar=1"
	case whyOld:
		view.AgainURL += "&trocar=1"
	case whyCPF, whyClosed:
		view.AgainURL = ""
	}
	return view
}
