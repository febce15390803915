package registry

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/record"
)

// Why people are not merged or parted.
var (
	ErrSamePerson  = fail.New(fail.Conflict, "same_person")         // they are one already
	ErrTwoCPFs     = fail.New(fail.Conflict, "two_documents")       // both have a valid CPF or CNPJ, and no human said so
	ErrTwoAccounts = fail.New(fail.Conflict, "two_accounts")        // both sign in; one account must be closed first
	ErrVisitor     = fail.New(fail.Conflict, "visitor")             // comes in by telephone, and joins others by proof alone
	ErrNotMerged   = fail.New(fail.Conflict, "not_merged")          // nothing to undo
	ErrKinds       = fail.New(fail.Conflict, "person_organization") // a person and an organization
)

// Actors who are nobody of the city: automatic decisions, and somebody who signed in as both people.
const (
	Machine = "registry/match"
	Proven  = "idp/flow"
)

// Link is a decision about two people.
type Link struct {
	Person, Other PersonID
	Kind          LinkKind
	Actor, Reason string
	Detail        map[string]any // score and its parts, without values
	At            time.Time
}

// LinkKind says what was decided.
type LinkKind string

// The decisions.
const (
	Merge   LinkKind = "merge"
	Unmerge LinkKind = "unmerge"
	Apart   LinkKind = "apart" // two people, never to be proposed again
)

// Merge makes two people one. The one with an account stays, else the one with a document, else
// the elder record; it is returned. Nothing moves but the ways to find the other: records stay
// where they were filed and the values are computed from both.
//
// Errors: ErrNotFound, ErrSamePerson, ErrKinds, ErrTwoAccounts, for all but [Proven] ErrVisitor, and for
// [Machine] ErrTwoCPFs.
func (s *Store) Merge(ctx context.Context, tx pg.Tx, a, b PersonID, actor, reason string, detail map[string]any, now time.Time) (PersonID, error) {
	stays, goes, err := s.choose(ctx, tx, a, b, actor)
	if err != nil {
		return stays, err
	}
	if err := insertLink(ctx, tx, s.ids.At(now), Link{Person: stays, Other: goes, Kind: Merge, Actor: actor, Reason: reason, Detail: detail}); err != nil {
		return stays, err
	}
	if err := mergeInto(ctx, tx, goes, stays); err != nil {
		return stays, err
	}
	if _, err := s.recompute(ctx, tx, stays, now); err != nil {
		return stays, err
	}
	return stays, closeReview(ctx, tx, a, b, Merge, now)
}

// party is one side of a merge.
type party struct {
	id                  PersonID
	root, account, docs bool
	legal               bool
	visitor             bool // came in by their own word, without a document
}

func (s *Store) choose(ctx context.Context, tx pg.Tx, a, b PersonID, actor string) (stays, goes PersonID, err error) {
	ids := []PersonID{a, b}
	slices.SortFunc(ids, func(x, y PersonID) int { return slices.Compare(x[:], y[:]) })
	if a == b {
		return a, b, ErrSamePerson
	}
	parties, err := lockParties(ctx, tx, ids)
	if err != nil || len(parties) < 2 {
		return a, b, orElse(err, ErrNotFound)
	}
	first, second := parties[0], parties[1]
	switch {
	case !first.root || !second.root:
		return a, b, ErrSamePerson
	case first.legal != second.legal:
		return a, b, ErrKinds
	case (first.visitor || second.visitor) && actor != Proven:
		return a, b, ErrVisitor
	case first.account && second.account:
		return a, b, ErrTwoAccounts
	case first.docs && second.docs && actor == Machine:
		return a, b, ErrTwoCPFs
	case second.account && !first.account, second.docs && !first.docs && !first.account:
		first, second = second, first
	}
	return first.id, second.id, nil
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Unmerge takes back the merge of a person into another: both are computed as if it had never
// been, and the pair is not proposed again. Errors: ErrNotFound, ErrNotMerged.
func (s *Store) Unmerge(ctx context.Context, tx pg.Tx, goes PersonID, actor, reason string, now time.Time) error {
	cluster, err := lock(ctx, tx, goes)
	if err != nil {
		return err
	}
	stays := cluster[0]
	if stays == goes {
		return ErrNotMerged
	}
	if err := insertLink(ctx, tx, s.ids.At(now), Link{Person: stays, Other: goes, Kind: Unmerge, Actor: actor, Reason: reason}); err != nil {
		return err
	}
	followers, err := mergedVia(ctx, tx, stays, goes)
	if err != nil {
		return err
	}
	if err := part(ctx, tx, goes, followers); err != nil {
		return err
	}
	for _, id := range []PersonID{stays, goes} {
		if _, err := s.recompute(ctx, tx, id, now); err != nil {
			return err
		}
	}
	return closeReview(ctx, tx, stays, goes, Apart, now)
}

// KeepApart remembers that two people are two, so that no run proposes them again.
func (s *Store) KeepApart(ctx context.Context, tx pg.Tx, a, b PersonID, actor, reason string, now time.Time) error {
	if err := insertLink(ctx, tx, s.ids.At(now), Link{Person: a, Other: b, Kind: Apart, Actor: actor, Reason: reason}); err != nil {
		return err
	}
	return closeReview(ctx, tx, a, b, Apart, now)
}

// AsOf is a person as the registry knew them at an instant: the records received, the decisions
// taken and the policy in force until then. Error: ErrNotFound where nothing was known yet.
func (s *Store) AsOf(ctx context.Context, db pg.DB, id PersonID, at time.Time) (Person, error) {
	before := record.Floor(at.Add(time.Microsecond)) // what happened in that microsecond had happened
	cluster, err := clusterAt(ctx, db, id, before)
	if err != nil {
		return Person{}, err
	}
	records, overrides, err := s.material(ctx, db, cluster, before)
	if err != nil {
		return Person{}, err
	}
	if len(records) == 0 {
		return Person{}, ErrNotFound
	}
	policy, err := s.Policy(ctx, db, at)
	if err != nil {
		return Person{}, err
	}
	c, err := s.compute(cluster[0], policy, records, overrides)
	if err != nil {
		return Person{}, err
	}
	return c.person, nil
}

// clusterAt finds who was one person at an instant, the one that stood for all first.
func clusterAt(ctx context.Context, db pg.DB, id PersonID, before uuid.UUID) ([]PersonID, error) {
	links, err := linksAround(ctx, db, id, before)
	if err != nil {
		return nil, err
	}
	into := map[PersonID]PersonID{}
	for _, l := range links { // in the order they were taken
		switch l.Kind {
		case Merge:
			into[l.Other] = l.Person
		case Unmerge:
			delete(into, l.Other)
		}
	}
	root := id
	for next, ok := into[root]; ok; next, ok = into[root] {
		root = next
	}
	cluster := []PersonID{root}
	for i := 0; i < len(cluster); i++ {
		for other, to := range into {
			if to == cluster[i] {
				cluster = append(cluster, other)
			}
		}
	}
	return cluster, nil
}
