package review

import (
	"context"
	"time"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
)

// Why a judgement is not taken. The registry has more: registry.ErrSamePerson, registry.ErrTwoAccounts …
var (
	ErrKeptApart = fail.New(fail.Conflict, "kept_apart")        // somebody said that they are two
	ErrUnsigned  = fail.New(fail.Invalid, "judgement_unsigned") // without who judges and why
)

// legalBasis of keeping one record per person: LGPD art. 7, III, and art. 23.
const legalBasis = "public_policy"

// Judgement is who judges, and why. Both are kept and audited; neither may hold personal data.
type Judgement struct {
	Actor    string // an operator, up to 100 bytes
	Reason   string // up to 500 bytes
	Overrule bool   // also what somebody decided before
}

func (j Judgement) check() error {
	if j.Actor == "" || j.Actor == registry.Machine || j.Reason == "" || len(j.Actor) > 100 || len(j.Reason) > 500 {
		return ErrUnsigned
	}
	return nil
}

// Waiting is a pair that a human must judge.
type Waiting struct {
	A, B    registry.PersonID
	Weight  float64 // log2 odds that they are one person
	Parts   Parts
	FoundAt time.Time
}

// Waiting lists the pairs to be judged, likeliest first, at most n. It holds no personal data.
func (m *Matcher) Waiting(ctx context.Context, db pg.DB, n int) ([]Waiting, error) {
	return waiting(ctx, db, n)
}

// Comparison is two people side by side.
type Comparison struct {
	A, B      registry.Person
	Result    match.Result
	KeptApart bool
}

// Compare reads two people for somebody who judges whether they are one. The read is audited.
// Errors: ErrUnsigned, registry.ErrNotFound.
func (m *Matcher) Compare(ctx context.Context, db pg.Beginner, a, b registry.PersonID, by Judgement, now time.Time) (c Comparison, err error) {
	if err := by.check(); err != nil {
		return c, err
	}
	err = pg.InTx(ctx, db, func(tx pg.Tx) error {
		if c.A, err = m.store.ByID(ctx, tx, a); err != nil {
			return err
		}
		if c.B, err = m.store.ByID(ctx, tx, b); err != nil {
			return err
		}
		parted, err := apart(ctx, tx, a, []registry.PersonID{b})
		if err != nil {
			return err
		}
		c.KeptApart = len(parted) > 0
		model, err := m.forBase(ctx, tx)
		if err != nil {
			return err
		}
		c.Result = model.Score(match.Prepare(SubjectOf(c.A)), match.Prepare(SubjectOf(c.B)))
		return audit.RecordTx(ctx, tx, event("registry.read", c.A, b, by, now), event("registry.read", c.B, a, by, now))
	})
	return c, err
}

// event says what was done about a person because of another. A read names the fields read.
func event(action string, p registry.Person, other registry.PersonID, by Judgement, now time.Time) audit.Event {
	e := audit.Event{At: now, Actor: audit.Actor{Kind: audit.Operator, ID: by.Actor}, Action: action, Person: p.ID, Purpose: by.Reason,
		LegalBasis: legalBasis, Detail: map[string]string{"other": other.String()}}
	for field := range p.Fields {
		e.Fields = append(e.Fields, field)
	}
	return e
}

// Merge joins two people because a human says so; who stays is returned. Of many who judge one
// pair at once, one is heard.
//
// Errors: ErrUnsigned, ErrKeptApart unless overruled, and those of registry.Store.Merge.
func (m *Matcher) Merge(ctx context.Context, db pg.Beginner, a, b registry.PersonID, by Judgement, now time.Time) (stays registry.PersonID, err error) {
	err = m.decideTx(ctx, db, a, b, by, func(tx pg.Tx) error {
		stays, err = m.store.Merge(ctx, tx, a, b, by.Actor, by.Reason, nil, now)
		if err != nil {
			return err
		}
		goes := b
		if stays == b {
			goes = a
		}
		if err := note(ctx, tx, []registry.PersonID{a, b}, true); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, event("registry.merge", registry.Person{ID: stays}, goes, by, now))
	})
	return stays, err
}

// Apart remembers that two people are two, so that no run proposes them again. Errors: ErrUnsigned,
// ErrKeptApart, registry.ErrSamePerson when they are one by now, registry.ErrNotFound.
func (m *Matcher) Apart(ctx context.Context, db pg.Beginner, a, b registry.PersonID, by Judgement, now time.Time) error {
	by.Overrule = false
	return m.decideTx(ctx, db, a, b, by, func(tx pg.Tx) error {
		if err := m.store.KeepApart(ctx, tx, a, b, by.Actor, by.Reason, now); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, event("registry.apart", registry.Person{ID: a}, b, by, now))
	})
}

// decideTx holds a pair that is still to be decided while do decides it.
func (m *Matcher) decideTx(ctx context.Context, db pg.Beginner, a, b registry.PersonID, by Judgement, do func(tx pg.Tx) error) error {
	if err := by.check(); err != nil {
		return err
	}
	return again(func() error {
		return pg.InTx(ctx, db, func(tx pg.Tx) error {
			both, err := lockPair(ctx, tx, a, b)
			switch {
			case err != nil:
				return err
			case a == b || len(both) == 2 && !(both[a].root && both[b].root):
				return registry.ErrSamePerson
			case len(both) < 2:
				return registry.ErrNotFound
			}
			parted, err := apart(ctx, tx, a, []registry.PersonID{b})
			switch {
			case err != nil:
				return err
			case len(parted) > 0 && !by.Overrule:
				return ErrKeptApart
			case len(parted) > 0:
				if err := reopen(ctx, tx, a, b); err != nil {
					return err
				}
			}
			return do(tx)
		})
	})
}

// Undo takes back the merge of a person into another, whoever merged them; they are kept apart from
// then on. Errors: ErrUnsigned, registry.ErrNotMerged, registry.ErrNotFound.
func (m *Matcher) Undo(ctx context.Context, db pg.Beginner, person registry.PersonID, by Judgement, now time.Time) error {
	if err := by.check(); err != nil {
		return err
	}
	return again(func() error {
		return pg.InTx(ctx, db, func(tx pg.Tx) error {
			stays, err := standsFor(ctx, tx, person)
			if err != nil {
				return err
			}
			if err := m.store.Unmerge(ctx, tx, person, by.Actor, by.Reason, now); err != nil {
				return err
			}
			if err := note(ctx, tx, []registry.PersonID{person, stays}, true); err != nil {
				return err
			}
			return audit.RecordTx(ctx, tx, event("registry.unmerge", registry.Person{ID: person}, stays, by, now))
		})
	})
}
