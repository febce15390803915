package flow

import (
	"context"
	"slices"
	"time"

	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// attest says beside each claim of the consent page who vouches for it, where the service wants it
// verified: the citizen sees what the service would see. Whoever does not ask costs nothing.
func (h *Handler) attest(ctx context.Context, v *visit, view *themes.Consent) error {
	if v.Request.Verified == nil {
		return nil
	}
	proofs, err := trust.Of(ctx, h.Shared.Reads, v.known.PersonID)
	if err != nil {
		return err
	}
	nameOf, err := h.People.SourceNames(ctx, h.DB, v.known.Person.Policy)
	if err != nil {
		return err
	}
	level, person := v.known.Level(h.Now()), v.known.Person
	given := ida.Given{Sets: h.Assurance.Sets(person, proofs, nameOf, h.Now()), Number: true, At: h.Now(), Same: ida.Comparer(h.Box),
		Value: func(name string) (any, bool) {
			if m, ok := v.client.Claim(name); !ok || level < m.MinLevel {
				return nil, false
			}
			return person.Claim(name)
		}}
	attesters := given.Attesters(v.Request.Verified)
	for _, lines := range [][]themes.ConsentClaim{view.Required, view.Optional, view.Known} {
		for i := range lines {
			for _, a := range attesters[lines[i].Name] {
				lines[i].Confirmed = append(lines[i].Confirmed, h.attester(a, nameOf))
			}
		}
	}
	return nil
}

// attester names who vouches: a source of the registry by its name, else the page has the words.
func (h *Handler) attester(a ida.Attester, nameOf func(string) string) themes.Attester {
	switch {
	case a.Framework == h.Assurance.GovBR:
		return themes.Attester{Who: "govbr"}
	case a.Framework == h.Assurance.ICPBrasil:
		return themes.Attester{Who: "icp"}
	case a.Source != "":
		return themes.Attester{Who: "source", Name: nameOf(a.Source)}
	}
	return themes.Attester{Who: "city"}
}

// proven is the trust level whose name says what goes out by a claim that evidence tells; 0 where it
// is another claim, or there is nothing to tell.
func (v *visit) proven(claim string, now time.Time) int {
	govbr := slices.ContainsFunc(v.known.Evidence, func(e trust.Evidence) bool { return e.Kind == trust.GovBR && e.LiveAt(now) })
	switch {
	case claim == "trust_evidence":
		return v.known.Level(now)
	case claim == "govbr" && govbr:
		return trust.GovBR.Level()
	}
	return 0
}
