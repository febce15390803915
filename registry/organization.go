package registry

import (
	"context"
	"errors"
	"time"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

// AttestOrganization files what a source says of the organization of a CNPJ, whose record begins with
// it where the city has none. Where the policy does not let the source bring in a CNPJ, nothing
// happens and known is false: the number of an organization is no citizen's to say.
func (s *Store) AttestOrganization(ctx context.Context, tx pg.Tx, cnpj brdoc.CNPJ, source string, fields Fields, now time.Time) (known bool, err error) {
	policy, err := s.Policy(ctx, tx, now)
	if err != nil {
		return false, err
	}
	if _, may := policy.May(pmcc.Include, record.CNPJ, source); !may {
		return false, nil
	}
	p, err := s.ByCNPJ(ctx, tx, cnpj)
	if errors.Is(err, ErrNotFound) {
		p, err = s.Create(ctx, tx, Person{CNPJ: cnpj, Fields: from(fields, source)}, now)
		if err == nil {
			return true, audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, ID: source},
				Action: "registry.attest", Person: p.ID, Fields: append([]string{"cnpj"}, namesOf(fields)...)})
		}
		if errors.Is(err, ErrCPFTaken) { // since we looked
			p, err = s.ByCNPJ(ctx, tx, cnpj)
		}
	}
	if err != nil {
		return false, err
	}
	return true, s.Attest(ctx, tx, p, source, fields, now)
}
