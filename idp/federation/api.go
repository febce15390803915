package federation

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// askReliability reads level and seals from the API, for a gov.br that leaves them out of the ID
// token. Where the API does not answer, the account is what it surely is: bronze, without seals.
func (c *Connector) askReliability(ctx context.Context, token string, a *Account) {
	base := c.settings.API + "/confiabilidades/v3/contas/" + a.CPF.Digits()
	for _, l := range c.listed(ctx, base+"/niveis?response-type=ids", token) {
		a.Level = higher(a.Level, byNumber[string(l.ID)])
	}
	for _, s := range c.listed(ctx, base+"/confiabilidades?response-type=ids", token) {
		a.seal(string(s.ID), s.UpdatedAt)
	}
}

var byNumber = map[string]Level{"1": Bronze, "2": Silver, "3": Gold}

func higher(a, b Level) Level {
	if a == Gold || b == Gold {
		return Gold
	}
	if a == Silver || b == Silver {
		return Silver
	}
	return Bronze
}

type listed struct {
	ID        number `json:"id"`
	UpdatedAt string `json:"dataAtualizacao"`
}

func (c *Connector) listed(ctx context.Context, url, token string) (all []listed) {
	body, err := c.get(ctx, url, token)
	if err != nil || json.Unmarshal(body, &all) != nil {
		return nil
	}
	return all
}

// Role is what somebody is in a company.
type Role string

// The roles of the API; a participant without one was added by another person.
const (
	Partner        Role = "SOCIO"
	Accountant     Role = "CONTADOR"
	Representative Role = "REPRESENTANTE_LEGAL"
	Inactive       Role = "NAO_ATUANTE"
	Collaborator   Role = ""
)

// Acts says whether a participant of a role may act for the company. Words that we do not know say
// nothing.
func (r Role) Acts() bool {
	return r == Partner || r == Accountant || r == Representative || r == Collaborator
}

// Company is a company that a person takes part in, by gov.br's register.
type Company struct {
	CNPJ  string    `json:"cnpj"` // 14 characters
	Name  string    `json:"name"`
	Role  Role      `json:"role"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"` // zero: without end
}

// mostCompanies are asked about; accountants have more.
const mostCompanies = 20

// companies lists those that the person takes part in and may act for now; more says that there
// are others, which were not looked at. One that gov.br does not tell about is left out.
func (c *Connector) companies(ctx context.Context, token string, cpf brdoc.CPF) (all []Company, more bool, err error) {
	base := c.settings.API + "/empresas/v2/empresas"
	body, err := c.get(ctx, base+"?"+url.Values{"filtrar-por-participante": {cpf.Digits()}}.Encode(), token)
	if err != nil {
		return nil, false, err
	}
	var rows []struct {
		CNPJ string `json:"cnpj"`
		Name string `json:"razaoSocial"`
	}
	if json.Unmarshal(body, &rows) != nil {
		return nil, false, because(ErrRefused, errors.New("companies do not parse"))
	}
	for i, row := range rows {
		if i == mostCompanies {
			return all, true, nil
		}
		cnpj, err := brdoc.ParseCNPJ(row.CNPJ)
		if err != nil {
			continue
		}
		one, ok, err := c.participant(ctx, base+"/"+url.PathEscape(cnpj.Text())+"/participantes/"+cpf.Digits(), token)
		if errors.Is(err, ErrRefused) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		if ok {
			one.CNPJ, one.Name = cnpj.Text(), clip(row.Name)
			all = append(all, one)
		}
	}
	return all, false, nil
}

// participant reads what the person is in one company; ok is false when it is over.
func (c *Connector) participant(ctx context.Context, url, token string) (one Company, ok bool, err error) {
	body, err := c.get(ctx, url, token)
	if err != nil {
		return one, false, err
	}
	var row struct {
		Role  Role   `json:"atuacao"`
		Since string `json:"dataCriacao"`
		Until string `json:"dataExpiracao"`
	}
	if json.Unmarshal(body, &row) != nil {
		return one, false, because(ErrRefused, errors.New("a participant does not parse"))
	}
	one.Role = row.Role
	one.Since, _ = when(row.Since) // nothing depends on it
	if row.Until != "" {
		if one.Until, err = when(row.Until); err != nil {
			return one, false, because(ErrRefused, errors.New("a participant without an end"))
		}
	}
	return one, one.Role.Acts() && (one.Until.IsZero() || c.now().Before(one.Until)), nil
}
