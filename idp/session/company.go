package session

import (
	"context"

	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/internal/pg"
)

// companies seals what a session knows of companies after a sign-in; nil where it says nothing.
func (s *Service) companies(of Session, said company.Said) ([]byte, error) {
	if said.Nothing() {
		return nil, nil
	}
	set, err := company.OpenSet(s.box, of.Companies, of.ID)
	if err != nil {
		return nil, err
	}
	return set.With(said, s.now()).Seal(s.box, of.ID), nil
}

// Choose remembers for which company the citizen acts, for the next visit of this session. Where the
// session knows others meanwhile, it changes nothing.
//
//	choice  a CNPJ of the set, or company.Without
func (s *Service) Choose(ctx context.Context, db pg.DB, of *Known, choice string) error {
	set := of.Acts
	set.Choice = choice
	return choose(ctx, db, of.ID, of.Companies, set.Seal(s.box, of.ID))
}
