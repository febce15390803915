package govbrtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/internal/brdoc"
)

const (
	callback = "https://login.example.org/entrar/govbr/retorno"
	verifier = "um-verificador-com-quarenta-e-tres-caracteres"
)

// documented is the account of the manual's example.
var documented = govbrtest.Person{CPF: "12345678900", Name: "Nome Cidadão", SocialName: "Nome Social Cidadão", Email: "email@email.com",
	Phone: "99999999999", Level: "gold", AMR: []string{"passwd", "captcha", "mfa", "otp_offline"}, SignedInAt: time.Unix(1755801679, 0),
	Seals: []govbrtest.Seal{{ID: "601", At: at("2025-07-02T17:17:16.001Z")}, {ID: "626", At: at("2025-07-02T17:17:16.001Z")},
		{ID: "901", At: at("2025-08-19T19:41:24.853Z")}}}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

type fixture struct {
	*govbrtest.Server
	t *testing.T
}

func newFixture(t *testing.T, c govbrtest.Client, people ...govbrtest.Person) fixture {
	t.Helper()
	s := govbrtest.New("", c, people...)
	stop, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return fixture{s, t}
}

func client(id string) govbrtest.Client {
	return govbrtest.Client{ID: id, Secret: "segredo", RedirectURIs: []string{callback}, LogoutURIs: []string{"https://login.example.org/sair/pronto"}}
}

func (f fixture) authorize(scope string, more url.Values) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {"teste.login"}, "redirect_uri": {callback}, "scope": {scope}, "state": {"s"},
		"nonce": {"nonce_teste_login"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	maps.Copy(q, more)
	return f.Base + "/authorize?" + q.Encode()
}

func (f fixture) code(scope, cpf string) string {
	f.t.Helper()
	to, err := f.Visitor().Allow(f.authorize(scope, nil), cpf)
	if err != nil {
		f.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("state") != "s" {
		f.t.Fatalf("%s %v", to, err)
	}
	return u.Query().Get("code")
}

// redeem asks the token endpoint and returns status and body.
func (f fixture) redeem(code, secret, verifier string) (int, string) {
	f.t.Helper()
	r, err := http.NewRequest(http.MethodPost, f.Base+"/token", strings.NewReader(url.Values{"grant_type": {"authorization_code"},
		"code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("teste.login", secret)
	return f.do(r)
}

func (f fixture) do(r *http.Request) (int, string) {
	f.t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (f fixture) get(path, token string) (int, string) {
	f.t.Helper()
	r, err := http.NewRequest(http.MethodGet, f.Base+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return f.do(r)
}

const allScopes = "openid email phone profile govbr_confiabilidades govbr_confiabilidades_idtoken govbr_empresa govbr_recupera_certificadox509"

// tokens signs somebody in and returns the token response.
func (f fixture) tokens(scope, cpf string) map[string]any {
	f.t.Helper()
	status, body := f.redeem(f.code(scope, cpf), "segredo", verifier)
	if status != http.StatusOK {
		f.t.Fatalf("%d %s", status, body)
	}
	return object(f.t, []byte(body))
}

func object(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var all map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return all
}

func payload(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	return object(t, text)
}

func golden(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return object(t, text)
}

// manual makes the stand-in speak as the manual's staging server at the manual's moment.
func manual(t *testing.T) fixture {
	t.Helper()
	f := newFixture(t, client("teste.login"), documented)
	f.Now = func() time.Time { return time.Unix(1755806806, 0) }
	f.Profile = "https://servicos.staging.acesso.gov.br/"
	return f
}

// asStaging writes the addresses of the manual.
func (f fixture) asStaging(claims map[string]any) map[string]any {
	for name, v := range claims {
		if text, ok := v.(string); ok {
			claims[name] = strings.Replace(text, f.Base, "https://sso.staging.acesso.gov.br", 1)
		}
	}
	return claims
}

func same(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	delete(got, "jti") // random
	delete(want, "jti")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func TestTheStandInSaysWhatTheManualSays(t *testing.T) {
	t.Parallel()

	f := manual(t)
	f.Set(govbrtest.Modes{HyphenSub: true})
	tokens := f.tokens("phone openid profile email govbr_confiabilidades_idtoken", documented.CPF)
	same(t, "id_token", f.asStaging(payload(t, tokens["id_token"].(string))), golden(t, "id_token.payload.json"))

	f = manual(t)
	c := client("teste.login")
	f.Register(c)
	f.Change(documented.CPF, func(p *govbrtest.Person) { p.CNPJ = "12.345.678/0001-00" })
	f.Set(govbrtest.Modes{AccessToken: func(claims map[string]any) { claims["aud"] = "h-client.teste.gov.br" }})
	f.Now = func() time.Time { return time.Unix(1755806806, 0) }
	access := payload(t, f.tokens("phone openid profile email govbr_confiabilidades_idtoken", documented.CPF)["access_token"].(string))
	same(t, "access_token", f.asStaging(access), golden(t, "access_token.payload.json"))
}

func TestDiscoveryIsSilentAboutPKCEAndLogout(t *testing.T) {
	t.Parallel()

	f := manual(t)
	_, body := f.get("/.well-known/openid-configuration", "")
	got := f.asStaging(object(t, []byte(body)))
	same(t, "discovery", got, golden(t, "discovery.reconstructed.json"))
	for _, silent := range []string{"code_challenge_methods_supported", "end_session_endpoint", "acr_values_supported"} {
		if got[silent] != nil {
			t.Errorf("it tells of %s", silent)
		}
	}
}

func TestTheKeySetHasTheManualsMembersAndItsKidStays(t *testing.T) {
	t.Parallel()

	f := manual(t)
	first := f.keySet()
	f.Rotate()
	second := f.keySet()
	want := golden(t, "jwk.staging.json")["keys"].([]any)[0].(map[string]any)
	if got, all := slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, all) {
		t.Errorf("members %v, want %v", got, all)
	}
	for _, member := range []string{"kty", "e", "kid", "alg"} {
		if first[member] != want[member] || second[member] != want[member] {
			t.Errorf("%s is %v, then %v; the manual has %v", member, first[member], second[member], want[member])
		}
	}
	if first["n"] == second["n"] {
		t.Error("the key did not change")
	}
}

func (f fixture) keySet() map[string]any {
	f.t.Helper()
	res, err := http.Post(f.Base+"/jwk", "", nil) // GET and POST are documented
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return object(f.t, body)["keys"].([]any)[0].(map[string]any)
}

func TestTheTokenResponseHasNoRefreshTokenAndItsCodeIsLongAndSingle(t *testing.T) {
	t.Parallel()

	f := manual(t)
	code := f.code("openid", documented.CPF)
	if parts := strings.Split(code, "."); len(parts) != 5 || len(code) < 400 {
		t.Errorf("the code has %d parts and %d characters", len(parts), len(code))
	}
	_, body := f.redeem(code, "segredo", verifier)
	got := object(t, []byte(body))
	if members := slices.Sorted(maps.Keys(got)); !slices.Equal(members, []string{"access_token", "expires_in", "id_token", "scope", "token_type"}) ||
		got["token_type"] != "Bearer" || got["expires_in"] != json.Number("3599") {
		t.Errorf("%s", body)
	}
	if status, body := f.redeem(code, "segredo", verifier); status != http.StatusBadRequest || object(t, []byte(body))["error"] != "invalid_grant" {
		t.Errorf("the code again: %d %s", status, body)
	}
}

func TestAuthorizeWantsEveryMandatoryParameter(t *testing.T) {
	t.Parallel()

	f := manual(t)
	for name, bad := range map[string]url.Values{"client_id": {"client_id": {"other"}}, "redirect_uri": {"redirect_uri": {callback + "/"}},
		"nonce": {"nonce": {""}}, "state": {"state": {""}}, "code_challenge": {"code_challenge": {""}},
		"code_challenge_method": {"code_challenge_method": {"plain"}}} {
		if to, err := f.Visitor().Allow(f.authorize("openid", bad), documented.CPF); err == nil {
			t.Errorf("without %s it goes to %s", name, to)
		}
	}
	if status, _ := f.redeem(f.code("openid", documented.CPF), "segredo", strings.Repeat("x", 43)); status != http.StatusBadRequest {
		t.Errorf("another verifier: %d", status)
	}
}

func TestAWrongSecretIsRefusedInBothDocumentedWays(t *testing.T) {
	t.Parallel()

	f := manual(t)
	if status, body := f.redeem("x", "errado", verifier); status != http.StatusUnauthorized || object(t, []byte(body))["error_description"] != "Bad credentials" {
		t.Errorf("%d %s", status, body)
	}
	f.Set(govbrtest.Modes{EmptyRefusal: true})
	if status, body := f.redeem("x", "errado", verifier); status != http.StatusUnauthorized || body != "" {
		t.Errorf("%d %q", status, body)
	}
}

func TestUnverifiedContactsAreAbsentAndUserinfoHasBooleans(t *testing.T) {
	t.Parallel()

	f := manual(t)
	token := f.tokens(allScopes, documented.CPF)["access_token"].(string)
	for _, path := range []string{"/userinfo", "/userinfo/"} {
		if _, body := f.get(path, token); object(t, []byte(body))["email_verified"] != true {
			t.Errorf("%s: %s", path, body)
		}
	}
	f.Change(documented.CPF, func(p *govbrtest.Person) { p.Email, p.Phone = "", "" })
	claims := payload(t, f.tokens(allScopes, documented.CPF)["id_token"].(string))
	for _, absent := range []string{"email", "email_verified", "phone_number", "phone_number_verified"} {
		if _, has := claims[absent]; has {
			t.Errorf("it has %s", absent)
		}
	}
}

func TestAPIsOfLevelsSealsAndCompanies(t *testing.T) {
	t.Parallel()

	f := newFixture(t, client("teste.login"), govbrtest.Demo()...)
	token := f.tokens(allScopes, "39053344705")["access_token"].(string)
	for path, want := range map[string]string{
		"/confiabilidades/v3/contas/39053344705/niveis?response-type=ids":          `[{"dataAtualizacao":"2026-02-11T09:30:00.000-0300","id":"3"}]`,
		"/confiabilidades/v3/contas/39053344705/confiabilidades?response-type=ids": `[{"dataAtualizacao":"2025-05-02T09:30:00.000-0300","id":"401"},{"dataAtualizacao":"2026-02-11T09:30:00.000-0300","id":"901"}]`,
		"/empresas/v2/empresas?filtrar-por-participante=39053344705": `[{"cnpj":"11222333000181","dataCriacao":"2021-06-01T09:30:00.000-0300","razaoSocial":"FERREIRA DOCES LTDA"},` +
			`{"cnpj":"12ABC34501DE35","dataCriacao":"2026-08-03T09:30:00.000-0300","razaoSocial":"PADARIA DA VILA LTDA"}]`,
		"/empresas/v2/empresas/11222333000181/participantes/39053344705": `{"atuacao":"SOCIO","cadastrador":"false","cpf":"39053344705","dataCriacao":"2021-06-01T09:30:00.000-0300",` +
			`"dataExpiracao":"2099-12-31T09:30:00.000-0300"}`,
	} {
		if status, body := f.get(path, token); status != http.StatusOK || body != want {
			t.Errorf("%s: %d\n got %s\nwant %s", path, status, body, want)
		}
	}
	for path, code := range map[string]string{"/empresas/v2/empresas?filtrar-por-participante=52998224725": "ACCESSTOKEN_MUSTBEVALID",
		"/confiabilidades/v3/contas/52998224725/niveis": "ACCESSTOKEN_MUSTBEVALID"} {
		if status, body := f.get(path, token); status < 400 || object(t, []byte(body))["error"] != code || !strings.Contains(body, `"erro_description"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, body := f.get("/empresas/v2/empresas?filtrar-por-participante=39053344705", f.tokens("openid", "39053344705")["access_token"].(string)); !strings.Contains(body, "ACCESSTOKEN_SCOPE_MUSTCONTAINSEXPECTEDSCOPE") {
		t.Errorf("without the scope: %s", body)
	}
}

func TestLogoutFollowsRegisteredAddressesAlone(t *testing.T) {
	t.Parallel()

	f := manual(t)
	v := f.Visitor()
	if _, err := v.Allow(f.authorize("openid", nil), documented.CPF); err != nil || f.Sessions() != 1 {
		t.Fatal(err)
	}
	registered := f.Base + "/logout?post_logout_redirect_uri=" + url.QueryEscape("https://login.example.org/sair/pronto")
	if to, err := v.Allow(f.Base+"/logout?post_logout_redirect_uri=https://evil.example", ""); err == nil {
		t.Errorf("sent to %s", to)
	}
	if to, err := v.Allow(registered, ""); err != nil || to != "https://login.example.org/sair/pronto" || f.Sessions() != 0 {
		t.Errorf("%s %v, %d sessions", to, err, f.Sessions())
	}
}

func TestTheDemosSealsAreOfTheManualAndItsCPFsAreValid(t *testing.T) {
	t.Parallel()

	file, err := os.Open("testdata/selos.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.Comma = '\t'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, row := range rows {
		known[row[0]] = true
	}
	levels := map[string]bool{}
	for _, p := range govbrtest.Demo() {
		if _, err := brdoc.ParseCPF(p.CPF); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		levels[p.Level] = true
		for _, seal := range p.Seals {
			if !known[seal.ID] {
				t.Errorf("%s has a seal %s", p.Name, seal.ID)
			}
		}
	}
	if len(levels) != 3 {
		t.Errorf("levels %v", levels)
	}
}
