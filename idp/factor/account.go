package factor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// ErrHasAccount: the CPF got its account between the form and the code.
var ErrHasAccount = fail.New(fail.Conflict, "has_account")

// Registration is what waits for the mail code before it becomes an account. It is kept sealed.
type Registration struct {
	CPF    string `json:"cpf"`
	Email  string `json:"email"`
	Hash   string `json:"hash"`
	Exists bool   `json:"exists"` // the CPF has an account: the code sent is a decoy
}

// Find returns the person whose account a CPF is, with what they declared and nothing else the city
// knows, since nobody has signed in yet; ok is false for a CPF that is open to registration: nobody
// has an account of it, and nobody has proven it (see [Claimable]).
func Find(ctx context.Context, db pg.DB, box registry.Sealer, cpf brdoc.CPF, now time.Time) (p registry.Person, ok bool, err error) {
	id, sealed, err := accountOf(ctx, db, registry.DocumentKeys(box, cpf.Digits()), proofs, now)
	if pg.NoRows(err) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	p, err = registry.Unseal(box, id, sealed)
	return p.Seen(0), err == nil, err
}

// PersonOf returns whose account a CPF is, and somebody who is nobody for a CPF without one, so that
// what follows need not tell them apart.
func PersonOf(ctx context.Context, db pg.DB, box registry.Sealer, cpf brdoc.CPF) (uuid.UUID, error) {
	id, err := accountID(ctx, db, registry.DocumentKeys(box, cpf.Digits()))
	if pg.NoRows(err) {
		return pg.NewID(), nil
	}
	return id, err
}

// Register opens the account of a confirmed registration in the caller's transaction: the person
// when the registry has no record of the CPF, the password, the confirmed mail, and the evidence
// of level 1. Errors: those of [Claimable].
func Register(ctx context.Context, tx pg.Tx, people *registry.Store, r Registration, now time.Time) (uuid.UUID, error) {
	cpf, err := brdoc.ParseCPF(r.CPF)
	if err != nil {
		return uuid.Nil, err
	}
	mail := registry.Fields{"email": {Text: r.Email, Source: registry.SourceSelf, At: now, Confirmed: &now}}
	p, err := people.Create(ctx, tx, registry.Person{CPF: cpf, Fields: mail}, now)
	if err == registry.ErrCPFTaken {
		p, err = claim(ctx, tx, people, cpf, mail, now)
	}
	if err != nil {
		return uuid.Nil, err
	}
	if fresh, err := insertPassword(ctx, tx, p.ID, r.Hash, now); err != nil || !fresh {
		return uuid.Nil, orElse(err, ErrHasAccount)
	}
	return p.ID, people.Lifetimes.Record(ctx, tx, p.ID, trust.Evidence{Kind: trust.SelfDeclared, Source: registry.SourceSelf, Method: "mail_code",
		Verifier: "loginunico", VerifiedAt: now})
}

// claim takes a person of the registry for somebody who says that they are the one.
func claim(ctx context.Context, tx pg.Tx, people *registry.Store, cpf brdoc.CPF, mail registry.Fields, now time.Time) (registry.Person, error) {
	p, err := people.ByCPF(ctx, tx, cpf)
	if err != nil {
		return p, err
	}
	if err := Claimable(ctx, tx, p.ID, now); err != nil {
		return p, err
	}
	mail["cpf"] = registry.Value{Text: cpf.Digits()} // its source may have taken the number back
	return p, people.Update(ctx, tx, p.ID, mail, trust.SelfDeclared.Level(), now)
}

// SetPassword gives a person their first password, for the demo's seeds; it changes nothing for
// one who has a password.
func SetPassword(ctx context.Context, db pg.DB, person uuid.UUID, hash string, now time.Time) error {
	_, err := insertPassword(ctx, db, person, hash, now)
	return err
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
