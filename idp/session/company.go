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
	set, err := s.CompaniesOf(of)
	if err != nil {
		return nil, err
	}
	return set.With(said, s.now()).Seal(s.box, of.ID), nil
}

// CompaniesOf is what a session knows of companies.
func (s *Service) CompaniesOf(one Session) (company.Set, error) {
	return company.OpenSet(s.box, one.Companies, one.ID)
}

// Choose remembers for which company the citizen acts, for the next visit of this session. Where the
// session knows others meanwhile, it changes nothing.
//
//	choice  a CNPJ of the set, or company.Without
func (s *Service) Choose(ctx context.Context, db pg.DB, one Session, choice string) error {
	set, err := s.CompaniesOf(one)
	if err != nil {
		return err
	}
	set.Choice = choice
	return choose(ctx, db, one.ID, one.Companies, set.Seal(s.box, one.ID))
}
