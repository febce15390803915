package keys

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// published is the JWKS as it stands until a moment.
type published struct {
	body  []byte
	etag  string
	until time.Time // zero: as long as the keys stay as they are
}

// JWKS is the public key set (RFC 7517 §5), encoded: keys that sign, will sign, or have signed what
// may still be valid. The bytes are shared: do not change them.
func (r *Ring) JWKS() []byte { return r.published().body }

// ETag is a strong entity tag of JWKS, quotes included.
func (r *Ring) ETag() string { return r.published().etag }

func (r *Ring) published() *published {
	now, set := r.now(), r.keys.Load()
	if p := set.jwks.Load(); p != nil && (p.until.IsZero() || now.Before(p.until)) {
		return p
	}
	p := set.publish(now)
	set.jwks.Store(p)
	return p
}

// publish encodes the keys that stand in the JWKS at a moment.
func (s *keySet) publish(at time.Time) *published {
	set, p := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}, &published{}
	for _, k := range s.all {
		if !k.row.published(at) {
			continue
		}
		set.Keys = append(set.Keys, k.public)
		if gone := k.row.GoneAt; gone != nil && (p.until.IsZero() || gone.Before(p.until)) {
			p.until = *gone
		}
	}
	body, err := json.Marshal(set)
	if err != nil {
		panic(err) // public keys that were parsed always encode
	}
	sum := sha256.Sum256(body)
	p.body, p.etag = body, `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`
	return p
}
