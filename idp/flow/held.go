package flow

import (
	"context"
	"slices"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/registry/trust"
	"github.com/loginunico/loginunico/themes"
)

// Held is the notice for a session that a recovery holds back, with what confirms it; nil for every
// other session.
//
//	confirmURL  where to sign in with more; left out where the person has nothing to do it with
func (d *Dependencies) Held(ctx context.Context, s session.Session, confirmURL string) (*themes.Held, error) {
	if !slices.Contains(s.AMR, trust.Recovered) {
		return nil, nil
	}
	has, err := factor.EnrolledOf(ctx, d.DB, d.Box, s.PersonID)
	if err != nil {
		return nil, err
	}
	held := new(themes.Held)
	for _, by := range has.Lifting() {
		if by == factor.ByGovBR && d.GovBR == nil || by == factor.ByCertificate && d.Certificates == nil {
			continue
		}
		held.Ways = append(held.Ways, string(by))
		if by == factor.ByPasskey || by == factor.ByTOTP || by == factor.ByGovBR || by == factor.ByCertificate {
			held.ConfirmURL = confirmURL
		}
	}
	return held, nil
}
