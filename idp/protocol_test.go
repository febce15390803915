package idp_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry/trust"
)

// The services of the protocol tests, one for each way to be a client.
const (
	// agenda is confidential, with every grant.
	agenda = `
id: agenda
name: {pt-BR: Agenda da Saúde}
department: Secretaria da Saúde
contact: agenda@example.org
redirect_uris: [https://agenda.example.org/callback, "https://agenda.example.org/callback?tenant=1", "https://agenda.example.org/a%2Fb"]
post_logout_redirect_uris: [https://agenda.example.org/, "https://agenda.example.org/tchau?de=login"]
grants: [authorization_code, refresh_token, client_credentials]
resources: [https://api.example.org/a, https://api.example.org/b]
api_scopes: [agenda.read, agenda.write]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
  - {name: email, required: true, purpose: {pt-BR: Avisar você}, basis: public_policy}
  - {name: cpf, required: true, purpose: {pt-BR: Achar seu prontuário}, basis: public_policy, min_level: 3}
  - {name: birthdate, required: false, purpose: {pt-BR: Idade}, basis: consent}
`
	// vacina shares agenda's sector and authenticates by client_secret_post.
	vacina = `
id: vacina
name: {pt-BR: Vacinas}
department: Secretaria da Saúde
contact: vacina@example.org
auth: client_secret_post
redirect_uris: [https://agenda.example.org/vacina/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`
	// mapa is a public client: a native app and a browser application at once.
	mapa = `
id: mapa
name: {pt-BR: Mapa da Cidade}
department: Turismo
contact: mapa@example.org
auth: none
sector: mapa.example.org
redirect_uris: ["http://127.0.0.1/callback", "http://[::1]:7000/callback", "https://mapa.example.org/callback", "org.example.mapa:/callback"]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`
	// legado wants RSA signatures, on its userinfo too.
	legado = `
id: legado
name: {pt-BR: Sistema Legado}
department: Fazenda
contact: legado@example.org
id_token_alg: RS256
userinfo_alg: RS256
redirect_uris: [https://legado.example.org/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`
	// painel has public subjects and a signed userinfo by ES256.
	painel = `
id: painel
name: {pt-BR: Painel}
department: Governo
contact: painel@example.org
subject: public
userinfo_alg: ES256
redirect_uris: [https://painel.example.org/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`
	// certidao is for level 4.
	certidao = `
id: certidao
name: {pt-BR: Certidões}
department: Fazenda
contact: certidao@example.org
min_level: 4
redirect_uris: [https://certidao.example.org/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`
	// recurso is the resource server of one of agenda's resources.
	recurso = `
id: recurso
name: {pt-BR: API de Prontuários}
department: Saúde
contact: api@example.org
grants: [client_credentials]
resource_uri: https://api.example.org/a
`
	// robo authenticates by private_key_jwt; %JWKS% is its public key.
	robo = `
id: robo
name: {pt-BR: Robô}
department: Governo
contact: robo@example.org
auth: private_key_jwt
jwks: %JWKS%
grants: [authorization_code, refresh_token, client_credentials]
redirect_uris: [https://robo.example.org/callback]
resources: [https://api.example.org/a]
api_scopes: [agenda.read]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`
)

// protocolCity runs a city with all services and two citizens: Maria at level 3, João at 1.
func protocolCity(t *testing.T, more ...string) *idptest.City {
	t.Helper()
	city := idptest.Start(t, append([]string{agenda, vacina, mapa, legado, painel, certidao, recurso}, more...))
	city.Person(maria, 3, mariaFields())
	city.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	return city
}

// with is one parameter more for a request.
func with(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// merged is several sets of parameters in one.
func merged(all ...url.Values) url.Values {
	out := url.Values{}
	for _, v := range all {
		maps.Copy(out, v)
	}
	return out
}

// codeForm redeems a code.
func codeForm(r idptest.Request, code string) url.Values {
	return with("grant_type", "authorization_code", "code", code, "redirect_uri", r.RedirectURI, "code_verifier", r.Verifier)
}

// refresh uses a refresh token.
func refresh(city *idptest.City, client, token string, more ...string) idptest.Answer {
	return city.Call("/oauth/token", client, merged(with("grant_type", "refresh_token", "refresh_token", token), with(more...)))
}

// active asks the introspection endpoint.
func active(city *idptest.City, client, token string) bool {
	a := city.Call("/oauth/introspect", client, with("token", token))
	return a.Status == http.StatusOK && a.JSON("active") == true
}

// isOAuthError checks an endpoint's error: status, code, and that it is JSON that nobody may store.
func isOAuthError(t *testing.T, a idptest.Answer, status int, code string) {
	t.Helper()
	if a.Status != status || a.Text("error") != code {
		t.Errorf("answer: %d %s; want %d %s", a.Status, a.Body, status, code)
	}
	isNotStored(t, a)
}

func isNotStored(t *testing.T, a idptest.Answer) {
	t.Helper()
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", a.Header)
	}
}

// isRedirectError checks an authorization error at the service: its code, the state, iss, and no code.
func isRedirectError(t *testing.T, city *idptest.City, p idptest.Page, code string) {
	t.Helper()
	params := p.Params()
	if p.Location == nil || params.Get("error") != code || params.Get("state") != "state-1" || params.Get("iss") != city.Issuer || params.Has("code") {
		t.Errorf("answer: %d %v; want %s, with state and iss\n%.300s", p.Status, p.Location, code, p.Body)
	}
}

// post sends a form with headers of the test's own; no authentication but what they hold.
func post(t *testing.T, city *idptest.City, target string, form url.Values, headers ...string) idptest.Answer {
	t.Helper()
	return request(t, city, http.MethodPost, target, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// request sends anything; a target without scheme is a path of the city.
func request(t *testing.T, city *idptest.City, method, target, body string, headers ...string) idptest.Answer {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = city.Issuer + target
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return city.Do(r)
}

func basic(id, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(password)))
}

// header decodes a JWT's header.
func header(t *testing.T, token string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	var h map[string]any
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

// jwks fetches the key set as a service does.
func jwks(t *testing.T, city *idptest.City) jose.JSONWebKeySet {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(request(t, city, http.MethodGet, "/.well-known/jwks.json", "").Body), &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// verified checks a JWT with a key of the set and returns its claims.
func verified(t *testing.T, set jose.JSONWebKeySet, token string) map[string]any {
	t.Helper()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	found := set.Key(jws.Signatures[0].Header.KeyID)
	if len(found) != 1 {
		t.Fatalf("kid %q is not in the JWKS", jws.Signatures[0].Header.KeyID)
	}
	if _, err := jws.Verify(found[0].Key); err != nil {
		t.Fatal(err)
	}
	return idptest.Claims(t, token)
}

// roboKey makes a service's key and the manifest that registers it.
func roboKey(t *testing.T) (jose.JSONWebKey, string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: "k1", Algorithm: "ES256", Use: "sig"}
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	return key, strings.Replace(robo, "%JWKS%", string(public), 1)
}

// assertion signs a client assertion; nil removes a claim.
func assertion(t *testing.T, city *idptest.City, key jose.JSONWebKey, more map[string]any) string {
	t.Helper()
	now := city.Now().Unix()
	claims := map[string]any{"iss": "robo", "sub": "robo", "aud": city.Issuer, "iat": now, "exp": now + 60, "jti": uuid.NewString()}
	for name, v := range more {
		if claims[name] = v; v == nil {
			delete(claims, name)
		}
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// byAssertion adds private_key_jwt to a form.
func byAssertion(form url.Values, assertion string) url.Values {
	return merged(form, with("client_assertion_type", assertionType, "client_assertion", assertion))
}

// count says how often each value appears.
func count[T comparable](all []T) map[T]int {
	n := map[T]int{}
	for _, v := range all {
		n[v]++
	}
	return n
}

func audienceOf(claims map[string]any) []string {
	if one, ok := claims["aud"].(string); ok {
		return []string{one}
	}
	var all []string
	list, _ := claims["aud"].([]any)
	for _, a := range list {
		text, _ := a.(string)
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// through takes a citizen from a request to whatever ends it.
func through(b *idptest.Browser, r idptest.Request, cpf string) idptest.Page {
	p := b.Open(r)
	if p.Location == nil && strings.HasPrefix(p.URL.Path, "/entrar") {
		p = b.SignIn(p, cpf, idptest.Password)
	}
	if p.Location == nil && p.URL.Path == "/consentimento" {
		p = b.Allow(p)
	}
	return p
}

// leftHalf is at_hash of a token: OIDC Core §3.1.3.6.
func leftHalf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// registryMatchUntil is evidence for level 3 that expires.
func registryMatchUntil(from, until time.Time) trust.Evidence {
	return trust.Evidence{Kind: trust.RegistryMatch, Source: "test", Method: "test", Verifier: "test", VerifiedAt: from, ExpiresAt: until}
}

// decoded reads JSON.
func decoded[T any](t *testing.T, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// respelled writes an ES256 token so that its signature still verifies and its text is another:
// with s negated (ECDSA is malleable), and with bits set that base64url leaves unused.
func respelled(t *testing.T, token string) map[string]string {
	t.Helper()
	cut := strings.LastIndex(token, ".") + 1
	signature, err := base64.RawURLEncoding.DecodeString(token[cut:])
	if err != nil || len(signature) != 64 {
		t.Fatalf("no ES256 signature: %v", err)
	}
	s := new(big.Int).SetBytes(signature[32:])
	negated := slices.Clone(signature)
	new(big.Int).Sub(elliptic.P256().Params().N, s).FillBytes(negated[32:])
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return map[string]string{
		"s negated":   token[:cut] + base64.RawURLEncoding.EncodeToString(negated),
		"unused bits": token[:len(token)-1] + string(alphabet[last|1]),
	}
}
