package review

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
)

// reasonSure is the reason of the machine, in link_decision.
const reasonSure = "registry/match: auto"

// judge decides about one subject and acts.
func (r *run) judge(ctx context.Context, s *subject, candidates []*subject) error {
	r.count.compared.Add(int64(len(candidates)))
	v, err := r.verdict(ctx, s, candidates)
	if err != nil {
		return err
	}
	if v.Action != match.Auto {
		return r.propose(ctx, s, v.Review)
	}
	mutual, err := r.mutual(ctx, s, v)
	if err != nil || !mutual {
		return err
	}
	return r.join(ctx, s, v)
}

// verdict scores the candidates and decides. Those whom a human has parted from the subject are not
// proposed; yet who is as like the subject as the best shows that likeness is not enough here.
func (r *run) verdict(ctx context.Context, s *subject, candidates []*subject) (verdict, error) {
	results := r.score(r.model, s, candidates)
	if len(results) == 0 {
		return r.decide(r.model, nil, nil), nil
	}
	var ids []registry.PersonID
	byID := map[string]registry.PersonID{}
	for _, c := range candidates {
		ids = append(ids, c.ID)
		byID[c.prepared.ID] = c.ID
	}
	parted, err := apart(ctx, r.db, s.ID, ids)
	if err != nil {
		return verdict{}, err
	}
	var open []match.Result
	nearest := 0.0 // the likest of the parted
	for _, x := range results {
		if slices.Contains(parted, byID[x.ID]) {
			nearest = max(nearest, x.Weight)
		} else {
			open = append(open, x)
		}
	}
	v := r.decide(r.model, candidates, open)
	if v.Action == match.Auto && v.Best.Weight-nearest < r.limits.Margin {
		v.Action, v.Review = match.Review, v.worth
	}
	return v, nil
}

// mutual says whether the subject may be joined with its best candidate as the candidate sees it.
//
// Several records without a document may be those of one person with a document, so who has one is
// never asked; but a record without one may belong to either of two people who have. It decides for
// itself, so a subject with a document only brings it on the list. Two without one must want each
// other.
func (r *run) mutual(ctx context.Context, s *subject, v verdict) (bool, error) {
	switch {
	case s.undocumented && !v.best.undocumented:
		return true, nil
	case !s.undocumented && v.best.undocumented:
		return false, r.leave(ctx, s, v)
	case !s.undocumented:
		return false, r.propose(ctx, s, []match.Result{v.Best})
	}
	f, err := r.searchOne(ctx, r.db, r.digester, v.best)
	if err != nil {
		return false, err
	}
	other, err := r.verdict(ctx, v.best, f.of[0])
	if err != nil {
		return false, err
	}
	if other.Action == match.Auto && (other.Best.ID == s.prepared.ID || slices.Contains(other.alsoBest, s.prepared.ID)) {
		return true, nil
	}
	return false, r.propose(ctx, s, []match.Result{v.Best})
}

// leave lets the best candidate, who has no document, decide for itself; the others are proposed.
func (r *run) leave(ctx context.Context, s *subject, v verdict) error {
	others := slices.DeleteFunc(slices.Clone(v.worth), func(x match.Result) bool {
		return x.ID == v.best.prepared.ID && !slices.Contains(s.waiting, v.best.ID)
	})
	if err := r.propose(ctx, s, others); err != nil {
		return err
	}
	return pg.InTx(ctx, r.db, func(tx pg.Tx) error { return note(ctx, tx, []registry.PersonID{v.best.ID}, false) })
}

// join merges by machine, if both are still what was compared; else both are looked at again.
func (r *run) join(ctx context.Context, s *subject, v verdict) error {
	merged, moved := false, false
	err := again(func() error {
		merged, moved = false, false
		return pg.InTx(ctx, r.db, func(tx pg.Tx) error {
			both, err := lockPair(ctx, tx, s.ID, v.best.ID)
			if err != nil {
				return err
			}
			if moved = both[s.ID].version != s.version || both[v.best.ID].version != v.best.version; moved {
				return note(ctx, tx, []registry.PersonID{s.ID, v.best.ID}, true)
			}
			parted, err := apart(ctx, tx, s.ID, []registry.PersonID{v.best.ID})
			if err != nil || len(parted) > 0 {
				return err
			}
			merged = true
			return r.mergeTx(ctx, tx, s, v)
		})
	})
	switch {
	case refusal(err):
		r.count.refused.Add(1)
		return r.propose(ctx, s, []match.Result{v.Best})
	case err == nil && merged:
		r.count.merged.Add(1)
	}
	return err
}

// refusal says whether the registry will not have two people joined by a machine.
func refusal(err error) bool {
	return errors.Is(err, registry.ErrTwoCPFs) || errors.Is(err, registry.ErrTwoAccounts) || errors.Is(err, registry.ErrKinds) ||
		errors.Is(err, registry.ErrVisitor)
}

func (r *run) mergeTx(ctx context.Context, tx pg.Tx, s *subject, v verdict) error {
	now := r.Now()
	detail := map[string]any{"weight": v.Best.Weight, "margin": v.Margin, "parts": partsOf(v.Best)}
	stays, err := r.store.Merge(ctx, tx, s.ID, v.best.ID, registry.Machine, reasonSure, detail, now)
	if err != nil {
		return err
	}
	if err := note(ctx, tx, []registry.PersonID{s.ID, v.best.ID}, true); err != nil {
		return err
	}
	goes := s.ID
	if stays == goes {
		goes = v.best.ID
	}
	return audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: audit.Actor{Kind: audit.System, ID: registry.Machine}, Action: "registry.merge",
		Person: stays, Purpose: reasonSure, LegalBasis: legalBasis,
		Detail: map[string]string{"other": goes.String(), "weight": strconv.FormatFloat(v.Best.Weight, 'f', 1, 64)}})
}

// propose puts pairs before a human, instead of those of the subject that wait now.
func (r *run) propose(ctx context.Context, s *subject, pairs []match.Result) error {
	if len(pairs) == 0 && len(s.waiting) == 0 {
		return nil
	}
	ids, scores, parts := []registry.PersonID{}, []float64{}, []string{}
	for _, p := range pairs {
		id, err := uuid.Parse(p.ID)
		if err != nil {
			return err
		}
		text, err := json.Marshal(partsOf(p))
		if err != nil {
			return err
		}
		ids, scores, parts = append(ids, id), append(scores, p.Weight), append(parts, string(text))
	}
	var fresh int64
	err := again(func() (err error) {
		return pg.InTx(ctx, r.db, func(tx pg.Tx) error {
			if err := holdOff(ctx, tx, s.ID); err != nil {
				return err
			}
			fresh, err = renewReviews(ctx, tx, s.ID, ids, scores, parts, r.Now())
			return err
		})
	})
	r.count.reviews.Add(fresh)
	return err
}
