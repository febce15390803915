package federation

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// How often the keys are asked for: gov.br changes them and keeps the kid, so that an old key is
// noticed by a signature that does not hold, and only a little later by its age.
const (
	keysFresh  = 30 * time.Second // asked for no more often than that
	keysFailed = 3 * time.Second  // and after a failure no more often than that
	keysMaxAge = time.Hour
)

var (
	errKey       = errors.New("no key of that kid")
	errSignature = errors.New("the signature does not hold")
)

// keySet caches the keys of one issuer by kid: the same kid is another key at another issuer.
type keySet struct {
	issuer string
	fetch  func(ctx context.Context) (map[string]*rsa.PublicKey, error)
	now    func() time.Time

	mu      sync.Mutex // held while asking: who waits gets the same answer
	keys    map[string]*rsa.PublicKey
	askedAt time.Time
	failed  error // the last answer, nil when there were keys
}

// verify checks a signature by the key of its kid. Where there is none, or it does not fit, the keys
// are asked for anew, and it is tried once more.
func (s *keySet) verify(ctx context.Context, token *jose.JSONWebSignature, kid string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Sub(s.askedAt) > keysMaxAge {
		s.keys = nil
	}
	payload, err := s.try(token, kid)
	if err == nil {
		return payload, nil
	}
	switch age := s.now().Sub(s.askedAt); {
	case s.failed != nil && age < keysFailed:
		return nil, s.failed
	case s.failed == nil && s.keys != nil && age < keysFresh:
		return nil, err
	}
	keys, failed := s.fetch(ctx)
	s.askedAt, s.failed = s.now(), failed
	if failed != nil {
		return nil, failed
	}
	s.keys = keys
	return s.try(token, kid)
}

func (s *keySet) try(token *jose.JSONWebSignature, kid string) ([]byte, error) {
	key, ok := s.keys[kid]
	if !ok {
		return nil, because(ErrRefused, errKey)
	}
	payload, err := token.Verify(key)
	if err != nil {
		return nil, because(ErrRefused, errSignature)
	}
	return payload, nil
}

const leastBits = 2048

// fetchKeys reads the key set. Its keys have no "use", and name RS256 whatever they sign with.
func (c *Connector) fetchKeys(ctx context.Context) (map[string]*rsa.PublicKey, error) {
	body, err := c.get(ctx, c.settings.Issuer+"/jwk", "")
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(body, &set) != nil {
		return nil, because(ErrUnavailable, errors.New("the key set is no JSON"))
	}
	keys := map[string]*rsa.PublicKey{}
	for _, raw := range set.Keys {
		var one jose.JSONWebKey
		if one.UnmarshalJSON(raw) != nil {
			continue // of a kind we do not know: the others still serve
		}
		if public, ok := one.Key.(*rsa.PublicKey); ok && one.KeyID != "" && public.N.BitLen() >= leastBits && (one.Use == "" || one.Use == "sig") {
			keys[one.KeyID] = public
		}
	}
	if len(keys) == 0 {
		return nil, because(ErrUnavailable, errors.New("the key set has no RSA key"))
	}
	return keys, nil
}
