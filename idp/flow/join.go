package flow

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// joined joins a visitor who asked for it, and is signed in to this day, to the person whom this
// browser has just proven, where that is somebody with a CPF.
func (d *Dependencies) joined(ctx context.Context, tx pg.Tx, visitor, person uuid.UUID) error {
	p, err := d.People.ByID(ctx, tx, person)
	if err != nil || p.CPF == "" || visitor == person {
		return err
	}
	return d.join(ctx, tx, visitor, person)
}

// join makes a visitor and the person of a CPF one, in the caller's transaction, after both have
// been proven in one browser. The person of the CPF stays, and with them everything the visitor
// had: records, evidence, subs, decisions, grants that outlive sessions. What ends are the visitor's
// sessions and factors, since they were those of level 1, and the number as a way in of its own.
//
// Whatever proves a CPF comes here: password and registration today, gov.br and certificate later.
func (d *Dependencies) join(ctx context.Context, tx pg.Tx, visitor, person uuid.UUID) error {
	for _, step := range []func(ctx context.Context, tx pg.Tx, from, to uuid.UUID) error{
		d.endVisitor, d.endNumber, d.Visitors.Follow, d.carryEvidence, d.carryDecisions, d.merge} {
		if err := step(ctx, tx, visitor, person); err != nil {
			return fmt.Errorf("visitor %s joins %s: %w", visitor, person, err)
		}
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: d.Now(), Actor: audit.Actor{Kind: audit.Person, ID: person.String()},
		Action: "account.join", Person: person, Detail: map[string]string{"visitor": visitor.String()}})
}

// endVisitor ends sessions, of which services are told under the sub they know, and ways in.
func (d *Dependencies) endVisitor(ctx context.Context, tx pg.Tx, visitor, _ uuid.UUID) error {
	if err := d.Sessions.EndSessions(ctx, tx, visitor); err != nil {
		return err
	}
	return factor.EndFactors(ctx, tx, visitor)
}

// endNumber keeps the visitor's number as something they said. Confirmed it would be a way back into
// the account, for whoever has the number later, and nobody asked its owner whether it may be.
func (d *Dependencies) endNumber(ctx context.Context, tx pg.Tx, visitor, _ uuid.UUID) error {
	p, err := d.People.ByID(ctx, tx, visitor)
	if err != nil || p.Declared["phone_number"].Confirmed == nil {
		return err
	}
	return d.People.Unconfirm(ctx, tx, visitor, "phone_number", d.Now())
}

// carryEvidence repeats what the visitor's word rests on. Anything stronger was proven of another
// record, not of this CPF, and must be proven again.
func (d *Dependencies) carryEvidence(ctx context.Context, tx pg.Tx, visitor, person uuid.UUID) error {
	all, err := trust.Of(ctx, tx, visitor)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Kind == trust.SelfDeclared && e.LiveAt(d.Now()) {
			if err := d.People.Lifetimes.Record(ctx, tx, person, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Dependencies) carryDecisions(ctx context.Context, tx pg.Tx, visitor, person uuid.UUID) error {
	if err := consent.Carry(ctx, tx, visitor, person, d.Now()); err != nil {
		return err
	}
	return d.Tokens.Carry(ctx, tx, visitor, person)
}

// merge joins the records. What the person of the CPF had declared goes before what the visitor had,
// as if said last: a join adds what was not known, and changes nothing.
func (d *Dependencies) merge(ctx context.Context, tx pg.Tx, visitor, person uuid.UUID) error {
	before, err := d.People.ByID(ctx, tx, person)
	if err != nil {
		return err
	}
	stays, err := d.People.Merge(ctx, tx, visitor, person, registry.Proven, "the citizen signed in as both", nil, d.Now())
	if err == nil && stays != person {
		err = fmt.Errorf("%s stays", stays)
	}
	if err != nil || len(before.Declared) == 0 {
		return err
	}
	evidence, err := trust.Of(ctx, tx, person)
	if err != nil {
		return err
	}
	return d.People.Vouch(ctx, tx, before, trust.Level(evidence, d.Now()), d.Now())
}
