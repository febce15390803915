package keys_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/loginunico/loginunico/idp/keys"
)

// TestRelyingPartyFollowsARotationWithoutRestart uses a client that no one here wrote: it must accept
// every token while one process rotates and another, which publishes the JWKS, only reloads.
func TestRelyingPartyFollowsARotationWithoutRestart(t *testing.T) {
	t.Parallel()

	p := newProcess(t)
	signing, publishing := p.ring(t), p.ring(t)
	var fetched atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(publishing.JWKS())
	}))
	t.Cleanup(server.Close)
	verifier := oidc.NewVerifier(server.URL, oidc.NewRemoteKeySet(context.Background(), server.URL), &oidc.Config{
		ClientID: "portal", SupportedSigningAlgs: keys.Algs(), Now: p.clock.Now,
	})
	idToken := func(alg string) string {
		now := p.clock.Now().Unix()
		claims := fmt.Appendf(nil, `{"iss":%q,"aud":"portal","sub":"x","iat":%d,"exp":%d}`, server.URL, now, now+600)
		token, err := signing.Sign(alg, "JWT", claims)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	accepts := func(when, token string) {
		t.Helper()
		if _, err := verifier.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	for _, alg := range keys.Algs() {
		old := idToken(alg)
		accepts("first key", old)
		rotate(t, signing, alg, false)
		if err := publishing.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		accepts("during the overlap", idToken(alg))
		p.clock.Advance(keys.Overlap - 1)
		accepts("a token of the old key, nearly expired", old)
		p.clock.Advance(1)
		fresh := idToken(alg)
		if header(t, fresh)["kid"] == header(t, old)["kid"] {
			t.Error("the key did not change")
		}
		accepts("new key", fresh)
	}
	if fetched.Load() < 2 {
		t.Error("the relying party never fetched the new keys")
	}
}
