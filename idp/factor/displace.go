package factor

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// Whoever registers a CPF first, by their word alone, holds only a claim to it. The person stays one
// record of the registry; what changes hands is the account: the factors, sessions and consents.

var (
	// ErrDisplaced: somebody has proven the CPF of this account since the session signed in.
	ErrDisplaced = fail.New(fail.Forbidden, "displaced")
	// ErrProven: the CPF was proven by its owner, and is not open to a registration by word alone.
	ErrProven = fail.New(fail.Conflict, "cpf_proven")
)

// Claim is what a proof does to the account it arrives at.
type Claim int

// The outcomes.
const (
	Joins     Claim = iota // the proof adds to the account: it is as good as what the account rests on
	Displaces              // the account ends; whoever brought the proof begins anew
)

// Weight is how surely a kind of evidence ties whoever holds the account to the CPF, 0 to 3.
//
// It is not the trust level: a match in the city's registry says that the data is right, not that
// the person who typed it is the one it is about. It therefore weighs no more than their word.
func Weight(k trust.Kind) int {
	switch k {
	case trust.GovBR:
		return 1
	case trust.BiometricEnrollment:
		return 2
	case trust.ICPCertificate:
		return 3
	}
	return 0
}

// proofs are the kinds that weigh more than a word.
var proofs = []string{string(trust.GovBR), string(trust.BiometricEnrollment), string(trust.ICPCertificate)}

// Decide says what a proof does to an account that rests on this evidence. It is pure.
//
//	mine  the session that brings the proof is signed in to the account: the holder adds to it
//
// Only what is live counts, on both sides. A proof of the same weight joins: gov.br again is the
// same person again.
func Decide(account []trust.Evidence, proof trust.Evidence, mine bool, now time.Time) Claim {
	if mine || !proof.LiveAt(now) || Weight(proof.Kind) <= heaviest(account, now) {
		return Joins
	}
	return Displaces
}

// OfferToJoin says whether a page should first let the newcomer sign in to the account: it rests on
// a proof itself, so that both are likely one person.
func OfferToJoin(account []trust.Evidence, now time.Time) bool { return heaviest(account, now) > 0 }

func heaviest(account []trust.Evidence, now time.Time) (w int) {
	for _, e := range account {
		if e.LiveAt(now) {
			w = max(w, Weight(e.Kind))
		}
	}
	return w
}

// Ender ends what the account of a person has opened. Each does all of it in the transaction given.
type Ender interface {
	SessionEnder
	// EndTokens ends every grant, with those that outlive sessions.
	EndTokens(ctx context.Context, tx pg.Tx, person uuid.UUID) error
	// EndConsents withdraws every consent.
	EndConsents(ctx context.Context, tx pg.Tx, person uuid.UUID) error
	// ForgetDeclared takes back what the holder said of themselves; the bases of the city stay.
	ForgetDeclared(ctx context.Context, tx pg.Tx, person uuid.UUID) error
}

// Displacer brings stronger proofs to accounts.
type Displacer struct {
	box       registry.Sealer
	lifetimes trust.Lifetimes
	ender     Ender
	tell      func(ctx context.Context, tx pg.Tx, to Destination) error
	now       func() time.Time
}

// NewDisplacer writes evidence by lifetimes, ends by ender and tells displaced holders by tell, which enqueues one letter.
func NewDisplacer(box registry.Sealer, lifetimes trust.Lifetimes, ender Ender, tell func(ctx context.Context, tx pg.Tx, to Destination) error, now func() time.Time) *Displacer {
	return &Displacer{box: box, lifetimes: lifetimes, ender: ender, tell: tell, now: now}
}

// Bring records a proof of a person's CPF, which the caller has compared, and, when it is stronger than what their account rests on,
// ends that account first: password, passkeys, apps, codes, addresses, questions, links under way,
// sessions, tokens, consents, and the evidence of its holder's word. Its holder is told at every
// address. What happened stays in the audit and in displacement. In one transaction, under a lock:
// of two proofs at once the second meets what the first has left.
//
//	mine  see [Decide]
func (d *Displacer) Bring(ctx context.Context, tx pg.Tx, person uuid.UUID, proof trust.Evidence, mine bool) (Claim, error) {
	if err := lockFactors(ctx, tx, person); err != nil {
		return Joins, err
	}
	before, err := trust.Of(ctx, tx, person)
	if err != nil {
		return Joins, err
	}
	claim := Decide(before, proof, mine, d.now())
	if claim == Displaces {
		if claim, err = d.displace(ctx, tx, person, before, proof); err != nil {
			return claim, err
		}
	}
	return claim, d.lifetimes.Record(ctx, tx, person, proof)
}

// displace ends the account, unless there is none: then the proof simply comes first.
func (d *Displacer) displace(ctx context.Context, tx pg.Tx, person uuid.UUID, before []trust.Evidence, proof trust.Evidence) (Claim, error) {
	has, err := EnrolledOf(ctx, tx, d.box, person)
	if err != nil {
		return Joins, err
	}
	ended, err := endFactors(ctx, tx, person)
	if err != nil {
		return Joins, err
	}
	words := byWord(before, d.now())
	if len(words) == 0 && ended.none() && !OfferToJoin(before, d.now()) {
		return Joins, nil
	}
	for _, end := range []func(context.Context, pg.Tx, uuid.UUID) error{d.ender.EndSessions, d.ender.EndTokens, d.ender.EndConsents, d.ender.ForgetDeclared} {
		if err := end(ctx, tx, person); err != nil {
			return Joins, err
		}
	}
	for _, e := range words {
		if _, err := trust.Revoke(ctx, tx, person, e.ID, "displaced", "loginunico", d.now()); err != nil {
			return Joins, err
		}
	}
	for _, c := range append(has.Mails, has.Phones...) {
		if err := d.tell(ctx, tx, Destination{Way: c.Way(), Address: c.Address}); err != nil {
			return Joins, err
		}
	}
	return Displaces, d.remember(ctx, tx, person, heldBy(before, d.now()), proof, ended)
}

// EndFactors takes away everything by which a person could sign in or get back in, where their
// record becomes part of another's, which has ways in of its own.
func EndFactors(ctx context.Context, tx pg.Tx, person uuid.UUID) error {
	if err := lockFactors(ctx, tx, person); err != nil {
		return err
	}
	_, err := endFactors(ctx, tx, person)
	return err
}

// byWord is the live evidence of the holder's word alone.
func byWord(all []trust.Evidence, now time.Time) (words []trust.Evidence) {
	for _, e := range all {
		if e.Kind == trust.SelfDeclared && e.LiveAt(now) {
			words = append(words, e)
		}
	}
	return words
}

// heldBy is the kind of the highest level that the account rested on.
func heldBy(all []trust.Evidence, now time.Time) (k trust.Kind) {
	for _, e := range all {
		if e.LiveAt(now) && e.Kind.Level() > k.Level() {
			k = e.Kind
		}
	}
	return k
}

func (d *Displacer) remember(ctx context.Context, tx pg.Tx, person uuid.UUID, held trust.Kind, proof trust.Evidence, ended endedFactors) error {
	counts, err := json.Marshal(ended)
	if err != nil {
		return err
	}
	if err := insertDisplacement(ctx, tx, person, held, proof, counts, d.now()); err != nil {
		return err
	}
	if _, err := Note(ctx, tx, Event{Person: person, At: d.now(), Kind: Displaced}); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: d.now(), Actor: audit.Actor{Kind: audit.System, ID: "displacement"},
		Action: "account.displace", Person: person, Detail: map[string]string{"by": string(proof.Kind), "source": proof.Source,
			"held_by": string(held), "passkeys": strconv.Itoa(ended.Passkeys), "apps": strconv.Itoa(ended.Apps)}})
}

// Guard lets a change of a person's factors go on: no other one and no displacement happens until
// the transaction ends, and none has happened since the session signed in. Call it first in every
// such transaction. Error: ErrDisplaced.
func Guard(ctx context.Context, tx pg.Tx, person uuid.UUID, authTime time.Time) error {
	if err := lockFactors(ctx, tx, person); err != nil {
		return err
	}
	since, err := displacedSince(ctx, tx, person, authTime)
	if err != nil || !since {
		return err
	}
	return ErrDisplaced
}

// Claimable says whether a CPF may be registered by word alone: nobody has an account of it, and
// nobody has proven it. It holds until the transaction ends. Errors: ErrHasAccount, ErrProven.
func Claimable(ctx context.Context, tx pg.Tx, person uuid.UUID, now time.Time) error {
	if err := lockFactors(ctx, tx, person); err != nil {
		return err
	}
	has, err := hasFactor(ctx, tx, person)
	if err != nil {
		return err
	}
	if has {
		return ErrHasAccount
	}
	all, err := trust.Of(ctx, tx, person)
	if err == nil && heaviest(all, now) > 0 {
		return ErrProven
	}
	return err
}
