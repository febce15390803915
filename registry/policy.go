package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry/pmcc"
)

// ErrPolicyVersion: a version of the policy is never changed, a new one has a higher number.
// ErrNoPolicy: there is no such version.
var (
	ErrPolicyVersion = fail.New(fail.Conflict, "policy_version")
	ErrNoPolicy      = fail.New(fail.NotFound, "policy_not_found")
)

// appliedPolicy is a row of pmcc_version, or the default as if it were one.
type appliedPolicy struct {
	Version int
	Digest  []byte // SHA-256 of the text
	At      time.Time
}

// PolicyText is the YAML of a version as it was applied; of version 0, the newest. Error: ErrNoPolicy.
func (s *Store) PolicyText(ctx context.Context, db pg.DB, version int) ([]byte, error) {
	if version == 0 {
		last, err := lastPolicy(ctx, db)
		if err != nil {
			return nil, err
		}
		version = last.Version
	}
	text, err := policyText(ctx, db, version)
	switch {
	case !pg.NoRows(err):
		return []byte(text), err
	case version == pmcc.Default().Version:
		return pmcc.DefaultYAML(), nil
	}
	return nil, ErrNoPolicy
}

// PolicyVersion is a version of the policy, to explain a value by the rule of then. Error: ErrNoPolicy.
func (s *Store) PolicyVersion(ctx context.Context, db pg.DB, version int) (*pmcc.Policy, error) {
	p, err := s.policy(ctx, db, version)
	switch {
	case !pg.NoRows(err):
		return p, err
	case version == pmcc.Default().Version:
		return pmcc.Default(), nil
	}
	return nil, ErrNoPolicy
}

// SourceNames gives what a version of the policy calls a source; one that it does not name keeps its id.
func (s *Store) SourceNames(ctx context.Context, db pg.DB, version int) (func(source string) string, error) {
	p, err := s.PolicyVersion(ctx, db, version)
	if err != nil && !errors.Is(err, ErrNoPolicy) {
		return nil, err
	}
	return func(source string) string {
		if p != nil {
			if named, ok := p.Source(source); ok {
				return named.Name
			}
		}
		return source
	}, nil
}

// ApplyPolicy puts a policy in force, for good: every process goes by it from its next transaction
// on, and a look at an earlier instant by the version of then. The same bytes again change nothing.
// The people are decided anew by [Store.Recompute].
//
// Errors: *yamlform.Faults; ErrPolicyVersion where the version is not above the newest.
func (s *Store) ApplyPolicy(ctx context.Context, tx pg.Tx, name string, text []byte, actor audit.Actor, now time.Time) (p *pmcc.Policy, changed bool, err error) {
	if p, err = pmcc.Parse(name, text); err != nil {
		return nil, false, err
	}
	if err := pg.Lock(ctx, tx, "pmcc", "version"); err != nil {
		return nil, false, err
	}
	same, err := s.MayFollow(ctx, tx, p, text)
	if err != nil || same {
		return p, false, err
	}
	digest := sha256.Sum256(text)
	if err := insertPolicy(ctx, tx, appliedPolicy{p.Version, digest[:], now}, text); err != nil {
		return p, false, err
	}
	return p, true, audit.RecordTx(ctx, tx, audit.Event{At: now, Actor: actor, Action: "registry.policy.apply", Purpose: p.Title,
		Detail: map[string]string{"version": strconv.Itoa(p.Version), "sha256": hex.EncodeToString(digest[:])}})
}

// MayFollow says whether a policy can be applied now: same is true where it is the newest, byte by
// byte. Error: ErrPolicyVersion.
func (s *Store) MayFollow(ctx context.Context, db pg.DB, p *pmcc.Policy, text []byte) (same bool, err error) {
	last, err := lastPolicy(ctx, db)
	if err != nil {
		return false, err
	}
	digest := sha256.Sum256(text)
	switch {
	case p.Version > last.Version:
		return false, nil
	case p.Version == last.Version && bytes.Equal(digest[:], last.Digest):
		return true, nil
	}
	return false, fmt.Errorf("%w: %d is not above %d, the newest", ErrPolicyVersion, p.Version, last.Version)
}

// KeepPolicy writes the program's default down as the city's policy where it has none: the default
// of a later release must not change, unseen, what the city goes by and what its values' rules mean.
func (s *Store) KeepPolicy(ctx context.Context, db pg.DB) error {
	digest := sha256.Sum256(pmcc.DefaultYAML())
	return keepPolicy(ctx, db, appliedPolicy{Version: pmcc.Default().Version, Digest: digest[:]}, pmcc.DefaultYAML())
}

// lastPolicy is the newest version; the default where none was applied.
func lastPolicy(ctx context.Context, db pg.DB) (appliedPolicy, error) {
	last, err := newestApplied(ctx, db)
	if pg.NoRows(err) {
		digest := sha256.Sum256(pmcc.DefaultYAML())
		return appliedPolicy{Version: pmcc.Default().Version, Digest: digest[:]}, nil
	}
	return last, err
}
