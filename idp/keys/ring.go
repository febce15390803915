package keys

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Times of a key's life. Overlap is twice what relying parties may cache the JWKS for, with room
// for clocks; Lifetime is at least that of the longest-lived token.
const (
	MaxAge    = 5 * time.Minute // Cache-Control: max-age of the JWKS
	Overlap   = 10 * time.Minute
	Lifetime  = time.Hour
	Retention = 90 * 24 * time.Hour
)

var (
	// ErrToken says that a text is not a token of ours, of this type. It does not say why.
	ErrToken = fail.New(fail.Unauthenticated, "token_invalid")
	// ErrAlg says that we have no such algorithm.
	ErrAlg = fail.New(fail.Invalid, "alg_unknown")
	// ErrKeyNotFound says that no key has this kid.
	ErrKeyNotFound = fail.New(fail.NotFound, "key_not_found")
)

// Ring is all signing keys in memory. It is safe for concurrent use; Sign and Verify take no lock
// and no statement.
type Ring struct {
	db   *pg.Pool
	box  *secret.Box
	now  func() time.Time
	load sync.Mutex // one Reload at a time, so that an older reading never replaces a newer one
	keys atomic.Pointer[keySet]
}

type keySet struct {
	all   []*key // the one that signs latest first
	byKID map[string]*key
	jwks  atomic.Pointer[published]
}

// New loads the keys, making the first of each algorithm; processes that start together agree.
func New(ctx context.Context, db *pg.Pool, box *secret.Box, now func() time.Time) (*Ring, error) {
	r := &Ring{db: db, box: box, now: now}
	if err := r.createFirst(ctx); err != nil {
		return nil, fmt.Errorf("first signing keys: %w", err)
	}
	if err := r.Reload(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the keys again. After an error all stays as it was.
func (r *Ring) Reload(ctx context.Context) error {
	r.load.Lock()
	defer r.load.Unlock()
	rows, err := signingKeys(ctx, r.db)
	if err != nil {
		return fmt.Errorf("load signing keys: %w", err)
	}
	set := &keySet{byKID: map[string]*key{}}
	for _, row := range rows {
		k, err := r.opened(row)
		if err != nil {
			return err
		}
		set.all = append(set.all, k)
		set.byKID[row.KID] = k
	}
	r.keys.Store(set)
	return nil
}

// opened reuses the key that is in memory: parsing an RSA key costs more than the rest of Reload.
func (r *Ring) opened(row keyRow) (*key, error) {
	if set := r.keys.Load(); set != nil {
		if k, ok := set.byKID[row.KID]; ok {
			row.PrivateKey = nil
			return &key{row: row, private: k.private, public: k.public, headers: k.headers}, nil
		}
	}
	return open(r.box, row)
}

// Sign makes a compact JWS with the key that signs now.
//
//	alg     ES256 or RS256
//	typ     the typ header: "JWT", "at+jwt" …
//	claims  the payload, JSON
//
// Errors: ErrAlg.
func (r *Ring) Sign(alg, typ string, claims []byte) (string, error) {
	k := r.keys.Load().signer(alg, r.now())
	if k == nil {
		return "", fmt.Errorf("sign with %q: %w", alg, ErrAlg)
	}
	return k.sign(typ, claims)
}

// signer is the newest key of alg whose time has come; nil when there is none.
func (s *keySet) signer(alg string, at time.Time) *key {
	for _, k := range s.all {
		if k.row.Alg == alg && !k.row.SignsFrom.After(at) {
			return k
		}
	}
	return nil
}

var accepted = []jose.SignatureAlgorithm{jose.ES256, jose.RS256}

// Verify checks the signature of one of our tokens and returns its payload and algorithm. It
// accepts keys that no longer sign, and looks at no claim: exp, iss and aud are the caller's.
//
//	typ  what the typ header must be (RFC 8725 §3.11), in any case
//
// The only error is ErrToken.
func (r *Ring) Verify(token, typ string) (payload []byte, alg string, err error) {
	if strings.ContainsAny(token, "\r\n") { // which Go's base64 ignores: one token, one spelling
		return nil, "", ErrToken
	}
	jws, err := jose.ParseSignedCompact(token, accepted)
	if err != nil {
		return nil, "", ErrToken
	}
	header := jws.Signatures[0].Protected
	given, _ := header.ExtraHeaders[jose.HeaderType].(string)
	k, known := r.keys.Load().byKID[header.KeyID]
	if !known || !strings.EqualFold(given, typ) || header.Algorithm != k.row.Alg {
		return nil, "", ErrToken
	}
	if payload, err = jws.Verify(k.public.Key); err != nil {
		return nil, "", ErrToken
	}
	return payload, k.row.Alg, nil
}

// Algs lists the signature algorithms, for discovery.
func Algs() []string { return slices.Clone(algs) }
