package token_test

import (
	"github.com/loginunico/loginunico/internal/pg"
	"net/http"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/idp/token"
)

func TestMain(m *testing.M) { idptest.Main(m) }

const portal = `
id: portal
name: {pt-BR: Portal}
department: Governo
contact: portal@example.org
grants: [authorization_code, refresh_token, client_credentials]
redirect_uris: [https://portal.example.org/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`

const maria = "529.982.247-25"

// A used refresh token must be remembered as long as its grant lives, or a thief could use it; and
// no longer, or the table would only grow.
func TestPurgeKeepsWhatStillSaysSomething(t *testing.T) {
	t.Parallel()
	city := idptest.Start(t, []string{portal})
	city.Person(maria, 1, map[string]string{"name": "Maria Aparecida da Silva"})
	service := token.New(city.DB, pg.Share(city.DB), city.Box, city.Keys, city.Issuer, city.Now)
	online := city.Tokens(city.Request("portal", nil), maria)
	kept := city.Tokens(city.Request("portal", map[string][]string{"scope": {"openid offline_access"}, "prompt": {"consent"}}), maria)
	used := kept.Text("refresh_token")
	refresh := func(token string) idptest.Answer {
		return city.Call("/oauth/token", "portal", map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	}
	newest := refresh(used)
	own := city.Call("/oauth/token", "portal", map[string][]string{"grant_type": {"client_credentials"}})
	city.Call("/oauth/revoke", "portal", map[string][]string{"token": {own.Text("access_token")}})

	purge := func(want map[string]int) {
		t.Helper()
		drain(t, city)
		if _, err := service.Purge(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		for table, n := range want {
			var rows int
			if err := city.DB.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil || rows != n {
				t.Errorf("%s holds %d rows, want %d (%v)", table, rows, n, err)
			}
		}
	}
	purge(map[string]int{"oauth_grant": 2, "oauth_token": 3, "revoked_token": 1})
	city.Advance(12*time.Hour + 25*time.Hour) // the session's grant ended a day ago
	purge(map[string]int{"oauth_grant": 1, "oauth_token": 2, "revoked_token": 0})
	if a := refresh(online.Text("refresh_token")); a.Status != http.StatusBadRequest {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := refresh(used); a.Text("error") != "invalid_grant" {
		t.Errorf("RFC 9700 §4.14.2: a used refresh token is forgotten: %d %s", a.Status, a.Body)
	}
	if a := refresh(newest.Text("refresh_token")); a.Text("error") != "invalid_grant" {
		t.Errorf("RFC 9700 §4.14.2: its reuse ended nothing: %d %s", a.Status, a.Body)
	}
	city.Advance(92 * 24 * time.Hour)
	purge(map[string]int{"oauth_grant": 0, "oauth_token": 0})
}

// Answers hold personal values: an access token that says nothing any more must not keep them,
// though its row stays for the reuse of its refresh token to be noticed.
func TestAnswersGoWithTheirAccessToken(t *testing.T) {
	t.Parallel()
	city := idptest.Start(t, []string{portal})
	city.Person(maria, 1, map[string]string{"name": "Maria Aparecida da Silva"})
	service := token.New(city.DB, pg.Share(city.DB), city.Box, city.Keys, city.Issuer, city.Now)
	holding := func() (rows int) {
		t.Helper()
		if err := city.DB.QueryRow(t.Context(), "SELECT count(*) FROM oauth_token WHERE answers IS NOT NULL").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	first := city.Tokens(city.Request("portal", nil), maria)
	second := city.Call("/oauth/token", "portal", map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {first.Text("refresh_token")}})
	if n := holding(); n != 1 {
		t.Errorf("after a rotation %d tokens hold answers, want the new one alone", n)
	}
	for _, a := range []idptest.Answer{first, second} { // the rotated one counts until it expires
		if name := city.Userinfo(a.Text("access_token")).Text("name"); name != "Maria Aparecida da Silva" {
			t.Errorf("userinfo says %q", name)
		}
	}
	if _, err := service.Purge(t.Context(), 100); err != nil || holding() != 1 {
		t.Errorf("a live token lost its answers: %v", err)
	}
	city.Advance(token.AccessLifetime + time.Second)
	if _, err := service.Purge(t.Context(), 100); err != nil || holding() != 0 {
		t.Errorf("an expired token still holds answers: %v", err)
	}
}
