package idp_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/idp/idptest"
)

const provas = `
id: provas
name: {pt-BR: Painel, es: Panel, en: Panel}
department: Secretaria de Cultura
contact: provas@example.org
redirect_uris: [http://localhost:9/provas/callback]
min_level: 2
claims:
  - {name: name, required: true, purpose: {pt-BR: Saber quem é}, basis: public_policy}
  - {name: govbr, required: true, purpose: {pt-BR: Saber como provou}, basis: public_policy}
`

// Every habit and fault of gov.br, one by one: either the right facts arrive, or the page says why not.
func TestEachHabitOfGovBRGivesTheRightFactsOrAReason(t *testing.T) {
	t.Parallel()

	const whole = `gold [401 2025-05-02T12:30:00Z] [901 2026-02-11T12:30:00Z]`
	levels := "/confiabilidades/v3/contas/39053344705/niveis"
	seals := "/confiabilidades/v3/contas/39053344705/confiabilidades"
	claim := func(name string, v any) govbrtest.Modes {
		return govbrtest.Modes{IDToken: func(claims map[string]any) { claims[name] = v }}
	}
	cases := []struct {
		name   string
		modes  govbrtest.Modes
		rotate bool
		want   string // level and seals of Ana, or the reason; "left": the visit goes on where it was
	}{
		{"as the manual shows", govbrtest.Modes{}, false, whole},
		{"RS512", govbrtest.Modes{RS512: true}, false, whole},
		{"a hyphen in sub", govbrtest.Modes{HyphenSub: true}, false, whole},
		{"no slash in iss", govbrtest.Modes{NoSlash: true}, false, whole},
		{"a key changed under its kid", govbrtest.Modes{}, true, whole},
		{"a refusal without a body is of wrong secrets alone", govbrtest.Modes{EmptyRefusal: true}, false, whole},
		{"slow, but in time", govbrtest.Modes{Slow: map[string]time.Duration{"/token": 50 * time.Millisecond}}, false, whole},
		{"an access token of other claims is not looked into", govbrtest.Modes{AccessToken: func(claims map[string]any) { clear(claims) }}, false, whole},
		{"level and seals by the API", govbrtest.Modes{NoReliability: true}, false, whole},
		{"the API of levels fails", govbrtest.Modes{NoReliability: true, Fail: map[string]int{levels: 500}}, false, strings.Replace(whole, "gold", "bronze", 1)},
		{"the API of seals answers without end", govbrtest.Modes{NoReliability: true, Huge: map[string]bool{seals: true}}, false, "gold"},
		{"the API redirects", govbrtest.Modes{NoReliability: true, Redirect: map[string]string{levels: "/", seals: "/"}}, false, "bronze"},
		{"silver", claim("reliability_info", map[string]any{"level": "silver", "reliabilities": []any{map[string]any{"id": "602", "updatedAt": "2025-07-02T14:17:16.001-0300"}}}),
			false, "silver [602 2025-07-02T17:17:16Z]"},
		{"an unknown level", claim("reliability_info", map[string]any{"level": "platinum"}), false, "bronze"},
		{"a seal without a date", claim("reliability_info", map[string]any{"level": "gold", "reliabilities": []any{map[string]any{"id": "701"}}}), false, "gold"},
		{"booleans", claim("email_verified", true), false, whole},
		{"scope as a string", claim("scope", "openid"), false, whole},
		{"kid in the payload", claim("kid", "rsa2"), false, whole},
		{"the manual's CNPJ", claim("cnpj", "12.345.678/0001-00"), false, whole},
		{"amr of tomorrow", claim("amr", []string{"iris_2027"}), false, whole},

		{"it lands on a static page", govbrtest.Modes{}, false, "left"},
		{"the token endpoint fails", govbrtest.Modes{Fail: map[string]int{"/token": http.StatusBadGateway}}, false, "unavailable"},
		{"the token endpoint refuses", govbrtest.Modes{Fail: map[string]int{"/token": http.StatusUnauthorized}}, false, "unavailable"},
		{"a body without end", govbrtest.Modes{Huge: map[string]bool{"/token": true}}, false, "unavailable"},
		{"a redirect elsewhere", govbrtest.Modes{Redirect: map[string]string{"/token": "http://127.0.0.1:1/"}}, false, "unavailable"},
		{"new keys that cannot be had", govbrtest.Modes{Fail: map[string]int{"/jwk": http.StatusServiceUnavailable}}, true, "unavailable"},
		{"a changed token", govbrtest.Modes{Forge: changedName}, false, "unavailable"},
		{"no token", govbrtest.Modes{Forge: func(string) string { return "" }}, false, "unavailable"},
		{"another issuer", claim("iss", "https://sso.acesso.gov.br/"), false, "unavailable"},
		{"another client's", claim("aud", "outra.example.org"), false, "unavailable"},
		{"another trip's", claim("nonce", "x"), false, "unavailable"},
		{"old", claim("exp", 1), false, "unavailable"},
		{"two CPFs", claim("sub", "52998224725"), false, "cpf"},
		{"a CPF of wrong digits", claim("preferred_username", "39053344700"), false, "cpf"},
		{"no CPF", claim("preferred_username", nil), false, "cpf"},
		{"a sign-in of a week ago", claim("auth_time", 1), false, whole}, // the service does not mind
	}
	city := idptest.Start(t, []string{provas}, idptest.WithGovBR())
	r := city.Request("provas", with("scope", "openid profile govbr"))
	seen := map[string]bool{}
	for _, c := range cases {
		if c.want == "left" {
			c.modes.Static = city.Issuer + "/entrar/govbr/retorno"
		}
		for i := range reflect.TypeFor[govbrtest.Modes]().NumField() {
			if !reflect.ValueOf(c.modes).Field(i).IsZero() {
				seen[reflect.TypeFor[govbrtest.Modes]().Field(i).Name] = true
			}
		}
		t.Run(c.name, func(t *testing.T) {
			city.Advance(time.Minute) // keys are asked for no more often
			if c.rotate {
				city.GovBR.Rotate()
			}
			city.GovBR.Set(c.modes)
			b := city.Browser(t)
			p := b.ByGovBR(b.Open(r), ana)
			city.GovBR.Set(govbrtest.Modes{})
			switch {
			case c.want == "left":
				at(t, p, "/entrar")
			case !strings.Contains(c.want, "bronze") && !strings.Contains(c.want, "silver") && !strings.Contains(c.want, "gold"):
				refused(t, p, c.want)
				if isInTo(city, b, r) {
					t.Error("somebody is signed in")
				}
			default:
				if p.Location == nil {
					p = b.Allow(at(t, p, "/consentimento"))
				}
				info := city.Userinfo(city.Exchange(r, p.Params().Get("code")).Text("access_token"))
				if got := accountOf(info); got != c.want || info.Text("name") != "Ana Ferreira" {
					t.Errorf("%q of %q, want %q", got, info.Text("name"), c.want)
				}
			}
		})
	}
	for i := range reflect.TypeFor[govbrtest.Modes]().NumField() {
		if name := reflect.TypeFor[govbrtest.Modes]().Field(i).Name; !seen[name] {
			t.Errorf("no case switches %s", name)
		}
	}
	keepsNoTokens(t, city)
}

func isInTo(city *idptest.City, b *idptest.Browser, r idptest.Request) bool {
	return b.Open(city.Request(r.ClientID, merged(r.Params, with("prompt", "none")))).Params().Get("error") != "login_required"
}

// accountOf is the claim govbr in one line.
func accountOf(info idptest.Answer) string {
	all, _ := info.JSON("govbr").(map[string]any)
	text := fmt.Sprint(all["level"])
	selos, _ := all["selos"].([]any)
	for _, s := range selos {
		one, _ := s.(map[string]any)
		text += fmt.Sprintf(" [%v %v]", one["id"], one["updated_at"])
	}
	return text
}

// changedName has another name under the same signature.
func changedName(token string) string {
	parts := strings.Split(token, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.ReplaceAll(string(payload), `"name":"`, `"name":"Outra `)))
	return strings.Join(parts, ".")
}

// keepsNoTokens searches every table for what gov.br has given out; [idptest.Main] searches the log.
func keepsNoTokens(t *testing.T, city *idptest.City) {
	t.Helper()
	tokens := city.GovBR.Tokens()
	if len(tokens) < 40 {
		t.Fatalf("gov.br gave out %d tokens", len(tokens))
	}
	rows, _ := city.DB.Query(t.Context(), `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 20 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	held := 0
	for _, table := range tables {
		var all string
		if err := city.DB.QueryRow(t.Context(), `SELECT coalesce(string_agg(x::text, E'\n'), '') FROM `+table+` x`).Scan(&all); err != nil {
			t.Fatal(err)
		}
		held += len(all)
		for _, token := range tokens {
			parts := strings.Split(token, ".")
			if signature := parts[len(parts)-1]; len(signature) > 20 && (strings.Contains(all, signature) || strings.Contains(all, hex.EncodeToString([]byte(signature)))) {
				t.Errorf("%s holds a token of gov.br", table)
			}
		}
	}
	if held < 10_000 {
		t.Errorf("the tables hold %d bytes", held)
	}
}
