package keys_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loginunico/loginunico/idp/keys"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
)

// process makes rings that share one database, one KEK and one clock, as processes do.
type process struct {
	db    *pg.Pool
	box   *secret.Box
	clock *testclock.Clock
}

func newProcess(t testing.TB) *process {
	t.Helper()
	kek, err := secret.LoadKEK(filepath.Join(t.TempDir(), "kek"), true)
	if err != nil {
		t.Fatal(err)
	}
	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	return &process{db: db, box: box, clock: testclock.At("2026-11-21T12:00:00Z")}
}

func (p *process) ring(t testing.TB) *keys.Ring {
	t.Helper()
	r, err := keys.New(t.Context(), p.db, p.box, p.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(t testing.TB, r *keys.Ring, alg string) string {
	t.Helper()
	token, err := r.Sign(alg, "JWT", []byte(`{"sub":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func rotate(t testing.TB, r *keys.Ring, alg string, immediate bool) string {
	t.Helper()
	kid, err := r.Rotate(t.Context(), alg, immediate)
	if err != nil {
		t.Fatal(err)
	}
	return kid
}

// header is a token's decoded header.
func header(t testing.TB, token string) map[string]string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	h := map[string]string{}
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

func publicSet(t testing.TB, r *keys.Ring) *jose.JSONWebKeySet {
	t.Helper()
	set := new(jose.JSONWebKeySet)
	if err := json.Unmarshal(r.JWKS(), set); err != nil {
		t.Fatal(err)
	}
	return set
}

func isPublished(t testing.TB, r *keys.Ring, kid string) bool {
	t.Helper()
	return len(publicSet(t, r).Key(kid)) == 1
}

func TestSignedTokenVerifiesHereAndByTheJWKS(t *testing.T) {
	t.Parallel()

	r := newProcess(t).ring(t)
	for _, alg := range keys.Algs() {
		for _, typ := range []string{"JWT", "at+jwt", "logout+jwt", `odd"typ`} {
			token, err := r.Sign(alg, typ, []byte(`{"sub":"x"}`))
			if err != nil {
				t.Fatal(err)
			}
			h := header(t, token)
			if h["alg"] != alg || h["typ"] != typ || len(h) != 3 {
				t.Errorf("header %v", h)
			}
			if payload, got, err := r.Verify(token, typ); err != nil || string(payload) != `{"sub":"x"}` || got != alg {
				t.Errorf("%s %s: %s %s %v", alg, typ, payload, got, err)
			}
			jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := jws.Verify(publicSet(t, r).Key(h["kid"])[0]); err != nil {
				t.Errorf("%s %s by go-jose: %v", alg, typ, err)
			}
		}
	}
	if _, err := r.Sign("HS256", "JWT", nil); !errors.Is(err, keys.ErrAlg) {
		t.Errorf("HS256: %v", err)
	}
}

func TestES256SignaturesAlwaysHave64Bytes(t *testing.T) { // RFC 7518 §3.4: leading zeros stay
	t.Parallel()

	r := newProcess(t).ring(t)
	for i := range 1000 { // one in 128 has a short r or s
		token, err := r.Sign(keys.ES256, "JWT", fmt.Appendf(nil, `{"jti":%d}`, i))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Verify(token, "JWT"); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if signature := token[strings.LastIndexByte(token, '.')+1:]; len(signature) != 86 {
			t.Fatalf("%d characters", len(signature))
		}
	}
}

func TestOtherTokensAreRefused(t *testing.T) { // RFC 8725 §3.1, §3.11
	t.Parallel()

	p := newProcess(t)
	r, foreign := p.ring(t), newProcess(t).ring(t)
	good := sign(t, r, keys.ES256)
	parts := strings.Split(good, ".")
	kid := header(t, good)["kid"]
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	signed := func(key jose.SigningKey, kid string) string {
		signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", kid))
		if err != nil {
			t.Fatal(err)
		}
		jws, err := signer.Sign([]byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		text, err := jws.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	publicDER, err := x509.MarshalPKIXPublicKey(publicSet(t, r).Key(kid)[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"empty":              "",
		"garbage":            "a.b.c",
		"unsigned":           encode(`{"alg":"none","kid":"`+kid+`","typ":"JWT"}`) + "." + parts[1] + ".",
		"HMAC of the public": signed(jose.SigningKey{Algorithm: jose.HS256, Key: publicDER}, kid),
		"other alg":          encode(`{"alg":"RS256","kid":"`+kid+`","typ":"JWT"}`) + "." + parts[1] + "." + parts[2],
		"other payload":      parts[0] + "." + encode(`{"sub":"y"}`) + "." + parts[2],
		"other issuer's key": sign(t, foreign, keys.ES256),
		"no kid":             encode(`{"alg":"ES256","typ":"JWT"}`) + "." + parts[1] + "." + parts[2],
		"line break":         good[:40] + "\n" + good[40:],
		"JSON":               `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
	} {
		if _, _, err := r.Verify(token, "JWT"); !errors.Is(err, keys.ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := r.Verify(good, "at+jwt"); !errors.Is(err, keys.ErrToken) {
		t.Errorf("an ID token passed as an access token: %v", err)
	}
	if _, _, err := r.Verify(good, "jwt"); err != nil {
		t.Errorf("typ is compared without case: %v", err)
	}
}

func TestProcessesThatStartTogetherShareTheFirstKeys(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	var wg sync.WaitGroup
	rings := make([]*keys.Ring, 4)
	for i := range rings {
		wg.Go(func() {
			var err error
			if rings[i], err = keys.New(t.Context(), p.db, p.box, p.clock.Now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range rings {
		if !bytes.Equal(r.JWKS(), rings[0].JWKS()) || len(publicSet(t, r).Keys) != 2 {
			t.Fatalf("%s", r.JWKS())
		}
	}
}

func TestJWKSHoldsNoPrivateMember(t *testing.T) {
	t.Parallel()

	r := newProcess(t).ring(t)
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(r.JWKS(), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	allowed := map[string][]string{"EC": {"alg", "crv", "kid", "kty", "use", "x", "y"}, "RSA": {"alg", "e", "kid", "kty", "n", "use"}}
	for _, k := range set.Keys {
		var members []string
		for name := range k {
			members = append(members, name)
		}
		slices.Sort(members)
		if !slices.Equal(members, allowed[k["kty"].(string)]) || k["use"] != "sig" {
			t.Errorf("members %v", members)
		}
	}
}

func TestKidIsTheThumbprint(t *testing.T) { // RFC 7638
	t.Parallel()

	for _, k := range publicSet(t, newProcess(t).ring(t)).Keys {
		sum, err := k.Thumbprint(crypto.SHA256)
		if err != nil || base64.RawURLEncoding.EncodeToString(sum) != k.KeyID {
			t.Errorf("%s: %v", k.KeyID, err)
		}
	}
}

func TestPrivateKeysAreSealedAndBoundToTheirRow(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	p.ring(t)
	var sealed []byte
	if err := p.db.QueryRow(t.Context(), `SELECT private_key FROM signing_key WHERE alg = 'ES256'`).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	if _, err := x509.ParsePKCS8PrivateKey(sealed[13:]); err == nil || len(sealed) < 100 {
		t.Error("stored in clear")
	}
	const exchange = `UPDATE signing_key a SET private_key = b.private_key FROM signing_key b WHERE b.kid <> a.kid`
	if _, err := p.db.Exec(t.Context(), exchange); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.New(t.Context(), p.db, p.box, p.clock.Now); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("exchanged rows: %v", err)
	}
}

func TestNewKeyIsPublishedBeforeItSigns(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	r := p.ring(t)
	before := sign(t, r, keys.ES256)
	first, etag := header(t, before)["kid"], r.ETag()
	second := rotate(t, r, keys.ES256, false)
	if !isPublished(t, r, second) || r.ETag() == etag {
		t.Error("the new key is not published")
	}
	p.clock.Advance(keys.Overlap - time.Second)
	if kid := header(t, sign(t, r, keys.ES256))["kid"]; kid != first {
		t.Error("the new key signs too early")
	}
	p.clock.Advance(time.Second)
	if kid := header(t, sign(t, r, keys.ES256))["kid"]; kid != second {
		t.Error("the new key does not sign")
	}
	p.clock.Advance(keys.Lifetime - time.Second)
	if !isPublished(t, r, first) {
		t.Error("the old key left before its tokens expired")
	}
	p.clock.Advance(time.Second)
	if isPublished(t, r, first) || !isPublished(t, r, second) {
		t.Error("the old key is still published")
	}
	if _, _, err := r.Verify(before, "JWT"); err != nil {
		t.Errorf("an id_token_hint of a retired key: %v", err)
	}
	if keys.Overlap < 2*keys.MaxAge {
		t.Error("a relying party may miss the new key")
	}
}

func TestStatesFollowTheLifeOfAKey(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	r := p.ring(t)
	rotate(t, r, keys.ES256, false)
	for _, step := range []struct {
		after time.Duration
		want  []keys.State
	}{
		{0, []keys.State{keys.Pending, keys.Signing}},
		{keys.Overlap, []keys.State{keys.Signing, keys.Published}},
		{keys.Lifetime, []keys.State{keys.Signing, keys.Retired}},
	} {
		p.clock.Advance(step.after)
		infos, err := r.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []keys.State
		for _, i := range infos {
			if i.Alg == keys.ES256 {
				got = append(got, i.State)
			} else if i.State != keys.Signing {
				t.Errorf("RS256 is %s", i.State)
			}
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("after %v: %v", step.after, got)
		}
	}
}

func TestImmediateRotationSignsAtOnceAndDropsAWaitingKey(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	r := p.ring(t)
	first := header(t, sign(t, r, keys.ES256))["kid"]
	waiting := rotate(t, r, keys.ES256, false)
	now := rotate(t, r, keys.ES256, true)
	if kid := header(t, sign(t, r, keys.ES256))["kid"]; kid != now || isPublished(t, r, waiting) || !isPublished(t, r, first) {
		t.Errorf("%s signs", kid)
	}
	p.clock.Advance(keys.Overlap)
	if kid := header(t, sign(t, r, keys.ES256))["kid"]; kid != now {
		t.Error("the dropped key signs")
	}
	p.clock.Advance(keys.Lifetime - keys.Overlap)
	if isPublished(t, r, first) {
		t.Error("the first key's end still counts from the dropped key")
	}
	if _, err := r.Rotate(t.Context(), "none", true); !errors.Is(err, keys.ErrAlg) {
		t.Errorf("none: %v", err)
	}
}

func TestWithdrawnKeyVerifiesNothingAndIsReplaced(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	r := p.ring(t)
	token := sign(t, r, keys.ES256)
	kid := header(t, token)["kid"]
	if err := r.Withdraw(t.Context(), kid); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Verify(token, "JWT"); !errors.Is(err, keys.ErrToken) || isPublished(t, r, kid) {
		t.Errorf("withdrawn key verifies: %v", err)
	}
	replacement := header(t, sign(t, r, keys.ES256))["kid"]
	if err := r.Withdraw(t.Context(), kid); !errors.Is(err, keys.ErrKeyNotFound) {
		t.Errorf("again: %v", err)
	}
	third := rotate(t, r, keys.ES256, true)
	if err := r.Withdraw(t.Context(), replacement); err != nil {
		t.Fatal(err)
	}
	if kid := header(t, sign(t, r, keys.ES256))["kid"]; kid != third {
		t.Error("withdrawing a key that signs no more rotated the one that does")
	}
}

func TestConcurrentRotationsLeaveOneNewestKey(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	rings := []*keys.Ring{p.ring(t), p.ring(t)}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := rings[i%2].Rotate(t.Context(), keys.ES256, i%3 == 0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var open int
	const newest = `SELECT count(*) FROM signing_key WHERE alg = 'ES256' AND signs_until IS NULL`
	if err := p.db.QueryRow(t.Context(), newest).Scan(&open); err != nil || open != 1 {
		t.Errorf("%d keys without an end, %v", open, err)
	}
	for _, r := range rings {
		if err := r.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := header(t, sign(t, rings[0], keys.ES256)), header(t, sign(t, rings[1], keys.ES256)); a["kid"] != b["kid"] {
		t.Error("two processes sign with two keys")
	}
}

func TestRotateDueRotatesOnceAndForgetsRetiredKeys(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	r, other := p.ring(t), p.ring(t)
	token := sign(t, r, keys.ES256)
	const maxAge = 30 * 24 * time.Hour
	due := func(r *keys.Ring) int {
		kids, err := r.RotateDue(t.Context(), maxAge)
		if err != nil {
			t.Fatal(err)
		}
		return len(kids)
	}
	if n := due(r); n != 0 {
		t.Errorf("%d rotated too early", n)
	}
	p.clock.Advance(maxAge)
	if n, m := due(r), due(other); n != 2 || m != 0 {
		t.Errorf("%d and %d rotated", n, m)
	}
	p.clock.Advance(keys.Overlap + keys.Lifetime + keys.Retention - time.Second)
	due(r)
	if _, _, err := r.Verify(token, "JWT"); err != nil {
		t.Errorf("forgotten too early: %v", err)
	}
	p.clock.Advance(2 * time.Second)
	due(r)
	if _, _, err := r.Verify(token, "JWT"); !errors.Is(err, keys.ErrToken) {
		t.Errorf("still known: %v", err)
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()

	r := newProcess(t).ring(t)
	out := fmt.Sprintf("%v %+v", r, r)
	for _, word := range []string{"PrivateKey", "Primes", "D:"} {
		if strings.Contains(out, word) {
			t.Errorf("%s in %.300s", word, out)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	r := newProcess(b).ring(b)
	claims := []byte(`{"iss":"https://login.example.org","sub":"` + strings.Repeat("x", 43) + `","aud":"saude-agenda","exp":1795262400}`)
	for _, alg := range keys.Algs() {
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Sign(alg, "at+jwt", claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	r := newProcess(f).ring(f)
	good := sign(f, r, keys.ES256)
	f.Add(good)
	f.Add(sign(f, r, keys.RS256))
	f.Add(good[:len(good)-1])
	// RFC 7515 appendix A.5, unsigned
	f.Add("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.")
	f.Fuzz(func(t *testing.T, token string) {
		payload, _, err := r.Verify(token, "JWT")
		if err == nil && string(payload) != `{"sub":"x"}` {
			t.Fatalf("%q passed with %q", token, payload)
		}
		if err != nil && (!errors.Is(err, keys.ErrToken) || payload != nil) {
			t.Fatalf("%v beside %q", err, payload)
		}
	})
}
