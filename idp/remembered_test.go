package idp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// The process that gave out a code or a refresh token remembers what it stands for. That must make
// no difference: not to another process, and not to what a token tells.

func TestEveryProcessRedeemsWhatAnotherGaveOut(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	twin := city.Twin()
	ask := func(address string, form map[string][]string) idptest.Answer {
		return post(t, city, address+"/oauth/token", form, "Authorization", basic("agenda", idptest.Secret("agenda")))
	}
	r := city.Request("agenda", nil)
	a := ask(twin, codeForm(r, city.Browser(t).Authorize(r, maria)))
	var used []string
	for _, address := range []string{city.Issuer, city.Issuer, twin, twin, city.Issuer} {
		if a.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", address, a.Status, a.Body)
		}
		used = append(used, a.Text("refresh_token"))
		a = ask(address, with("grant_type", "refresh_token", "refresh_token", a.Text("refresh_token")))
	}
	isOAuthError(t, ask(city.Issuer, with("grant_type", "refresh_token", "refresh_token", used[2])), http.StatusBadRequest, "invalid_grant")
	isDead(t, city, "agenda", a)
}

func TestTokensTellWhatChangedAfterTheirCode(t *testing.T) {
	t.Parallel()
	city := idptest.Start(t, []string{portal})
	id := city.Person(maria, 1, mariaFields())
	r := city.Request("portal", nil)
	code := city.Browser(t).Authorize(r, maria)

	city.Evidence(id, trust.Evidence{Kind: trust.RegistryMatch, Source: "registry", Method: "match", Verifier: "load", VerifiedAt: city.Now()})
	tokens := city.Exchange(r, code)
	if level := idptest.Claims(t, tokens.Text("access_token"))["trust_level"]; level != 3.0 {
		t.Errorf("evidence after the code: level %v in the token: %s", level, tokens.Body)
	}

	err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) error {
		return registry.NewStore(city.Box).Update(t.Context(), tx, id, registry.Fields{"social_name": {Text: "Maria Silva", Source: registry.SourceSelf, At: city.Now()}}, 3, city.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	tokens = city.Call("/oauth/token", "portal", with("grant_type", "refresh_token", "refresh_token", tokens.Text("refresh_token")))
	if got := city.Userinfo(tokens.Text("access_token")).Text("name"); got != "Maria Silva" {
		t.Errorf("a name after the first tokens: the refreshed one tells %q", got)
	}
}

func TestAConsentWithdrawnAfterTheCodeLeavesItWorthless(t *testing.T) {
	t.Parallel()
	city := idptest.Start(t, []string{portal})
	city.Person(maria, 1, mariaFields())
	r := city.Request("portal", nil)
	code := city.Browser(t).Authorize(r, maria)
	// As a withdrawal leaves it that ran while the grant was being written, and so did not end it.
	if _, err := city.DB.Exec(t.Context(), `
		INSERT INTO consent (person_id, client_id, id, kind, claims, offered, offline, purposes, bases, manifest_version, text_shown, language, decided_at)
		SELECT person_id, client_id, 'ffffffff-ffff-7fff-bfff-ffffffffffff', 'revoked', '{}', offered, offline, purposes, bases, manifest_version, text_shown, language, decided_at
		  FROM consent`); err != nil {
		t.Fatal(err)
	}
	isOAuthError(t, city.Exchange(r, code), http.StatusBadRequest, "invalid_grant")
}

// A token's first part is its row's id, which is no secret: the rest must be that row's too.
func TestTheIDOfARowAloneIsWorthNothing(t *testing.T) {
	t.Parallel()
	city := protocolCity(t)
	r := city.Request("agenda", nil)
	tokens := city.Tokens(r, maria)
	const id = 16 * 8 / 6 // characters of it; the next one holds bits of both
	forge := func(token string) string { return token[:id] + strings.Repeat("A", len(token)-id) }
	code := city.Browser(t).Authorize(r, maria)
	isOAuthError(t, city.Exchange(r, forge(code)), http.StatusBadRequest, "invalid_grant")
	refresh := with("grant_type", "refresh_token", "refresh_token", forge(tokens.Text("refresh_token")))
	isOAuthError(t, city.Call("/oauth/token", "agenda", refresh), http.StatusBadRequest, "invalid_grant")
	city.Call("/oauth/revoke", "agenda", with("token", forge(tokens.Text("refresh_token"))))
	parts := strings.Split(tokens.Text("access_token"), ".")
	if a := city.Userinfo(parts[0] + "." + parts[1] + "." + forge(parts[2])); a.Status != http.StatusUnauthorized {
		t.Errorf("userinfo with another signature: %d", a.Status)
	}
	if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusOK {
		t.Errorf("the token itself: %d %s", a.Status, a.Body)
	}
	if a := city.Exchange(r, code); a.Status != http.StatusOK {
		t.Errorf("the code itself: %d %s", a.Status, a.Body)
	}
}
