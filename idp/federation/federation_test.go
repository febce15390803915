package federation_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/federation"
	"github.com/loginunico/loginunico/idp/federation/govbrtest"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

const (
	callback = "https://login.example.org/entrar/govbr/retorno"
	maria    = "52998224725"
	ana      = "39053344705"
)

// world is a city's connector and a gov.br for it.
type world struct {
	t      *testing.T
	db     *pg.Pool
	gov    *govbrtest.Server
	c      *federation.Connector
	offset atomic.Int64
	mine   []byte // a browser
}

func newWorld(t *testing.T, change ...func(s *federation.Settings)) *world {
	t.Helper()
	w := &world{t: t, db: testpg.New(t), mine: secret.Hash("a browser")}
	w.gov = govbrtest.New("", govbrtest.Client{ID: "cidade.example.org", Secret: "segredo", RedirectURIs: []string{callback}}, govbrtest.Demo()...)
	w.gov.Now = w.now
	stop, err := w.gov.Listen()
	w.must(err)
	t.Cleanup(stop)
	box, err := secret.Open(t.Context(), w.db, secret.KEK{})
	w.must(err)
	settings := federation.Settings{Issuer: w.gov.Base + "/", ClientID: "cidade.example.org", Secret: "segredo", RedirectURI: callback}
	for _, by := range change {
		by(&settings)
	}
	w.c, err = federation.New(settings, box, w.now)
	w.must(err)
	return w
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// begin starts a trip and has the person of a CPF agree at gov.br.
func (w *world) begin(cpf string) (state, code string) {
	w.t.Helper()
	at, err := w.c.Begin(w.t.Context(), w.db, uuid.New(), w.mine, true)
	w.must(err)
	to, err := w.gov.Visitor().Allow(at, cpf)
	w.must(err)
	u, err := url.Parse(to)
	w.must(err)
	return u.Query().Get("state"), u.Query().Get("code")
}

// come goes to gov.br and back.
func (w *world) come(cpf string) (federation.Account, error) {
	w.t.Helper()
	state, code := w.begin(cpf)
	trip, err := w.c.Take(w.t.Context(), w.db, state, w.mine)
	w.must(err)
	return w.c.Finish(w.t.Context(), trip, code)
}

func TestAGoldAccountComesBackWithItsSealsAndTheirDates(t *testing.T) {
	t.Parallel()

	a, err := newWorld(t).come(ana)
	if err != nil {
		t.Fatal(err)
	}
	want := federation.Account{CPF: ana, Name: "Ana Lúcia Ferreira", SocialName: "Ana Ferreira", Email: "ana@example.org", Phone: "41991234567", Level: federation.Gold}
	if a.CPF != want.CPF || a.Name != want.Name || a.SocialName != want.SocialName || a.Email != want.Email || a.Phone != want.Phone || a.Level != want.Level {
		t.Errorf("%+v", a)
	}
	if len(a.Seals) != 2 || a.Seals[0].ID != "401" || !a.Seals[0].UpdatedAt.Equal(time.Date(2025, 5, 2, 12, 30, 0, 0, time.UTC)) {
		t.Errorf("seals %v", a.Seals)
	}
	if !slices.Equal(a.AMR(), []string{"govbr", "gold", "mfa"}) {
		t.Errorf("amr %v", a.AMR())
	}
	if time.Since(a.AuthTime) > time.Minute {
		t.Errorf("signed in at %v", a.AuthTime)
	}
}

func TestTheHabitsOfGovBRAreAbsorbed(t *testing.T) {
	t.Parallel()

	set := func(name string, v any) func(map[string]any) {
		return func(claims map[string]any) { claims[name] = v }
	}
	for name, c := range map[string]struct {
		modes govbrtest.Modes
		holds func(a federation.Account) bool
	}{
		"RS512":                    {govbrtest.Modes{RS512: true}, nil},
		"issuer without its slash": {govbrtest.Modes{NoSlash: true}, nil},
		"hyphenated sub":           {govbrtest.Modes{HyphenSub: true}, nil},
		"CPF with all its marks":   {govbrtest.Modes{IDToken: set("preferred_username", "390.533.447-05")}, nil},
		"audience as an array":     {govbrtest.Modes{IDToken: set("aud", []string{"cidade.example.org"})}, nil},
		"scope as a string":        {govbrtest.Modes{IDToken: set("scope", "openid profile")}, nil},
		"real booleans":            {govbrtest.Modes{IDToken: set("email_verified", true)}, func(a federation.Account) bool { return a.Email != "" }},
		"an unverified mail":       {govbrtest.Modes{IDToken: set("email_verified", "false")}, func(a federation.Account) bool { return a.Email == "" }},
		"an unverified phone":      {govbrtest.Modes{IDToken: set("phone_number_verified", "False")}, func(a federation.Account) bool { return a.Phone == "" }},
		"an unknown amr": {govbrtest.Modes{IDToken: set("amr", []string{"passwd", "iris_scan_2027"})},
			func(a federation.Account) bool { return slices.Equal(a.AMR(), []string{"govbr", "gold"}) }},
		"its certificate is not ours": {govbrtest.Modes{IDToken: set("amr", []string{"x509", "x509_token", "pwd", "hwk"})},
			func(a federation.Account) bool { return slices.Equal(a.AMR(), []string{"govbr", "gold"}) }},
		"amr as one word": {govbrtest.Modes{IDToken: set("amr", "mfa")}, func(a federation.Account) bool { return slices.Contains(a.AMR(), "mfa") }},
		"the certificate of a company": {govbrtest.Modes{IDToken: func(claims map[string]any) {
			claims["cnpj"], claims["cnpj_certificate_name"] = "12.ABC.345/01DE-35", "PADARIA DA VILA LTDA"
		}}, func(a federation.Account) bool {
			return a.CNPJ == "12ABC34501DE35" && a.CNPJName == "PADARIA DA VILA LTDA"
		}},
		"the manual's CNPJ is none": {govbrtest.Modes{IDToken: set("cnpj", "12.345.678/0001-00")},
			func(a federation.Account) bool { return a.CNPJ == "" }},
		"an unknown level is the lowest": {govbrtest.Modes{IDToken: set("reliability_info", map[string]any{"level": "platinum"})},
			func(a federation.Account) bool { return a.Level == federation.Bronze }},
		"a seal without a date is none": {govbrtest.Modes{IDToken: set("reliability_info", map[string]any{"level": "gold",
			"reliabilities": []any{map[string]any{"id": "701", "updatedAt": "ontem"}, map[string]any{"id": 801, "updatedAt": "2025-08-19T16:41:24.853-0300"}}})},
			func(a federation.Account) bool { return len(a.Seals) == 1 && a.Seals[0].ID == "801" }},
		"no word of when they signed in": {govbrtest.Modes{IDToken: func(claims map[string]any) { delete(claims, "auth_time") }},
			func(a federation.Account) bool { return a.AuthTime.IsZero() }},
		"level and seals by the API": {govbrtest.Modes{NoReliability: true},
			func(a federation.Account) bool {
				return a.Level == federation.Gold && len(a.Seals) == 2 && a.Seals[1].ID == "901"
			}},
		"neither claim nor API": {govbrtest.Modes{NoReliability: true, Fail: map[string]int{"/confiabilidades/v3/contas/" + ana + "/niveis": 500,
			"/confiabilidades/v3/contas/" + ana + "/confiabilidades": 403}},
			func(a federation.Account) bool { return a.Level == federation.Bronze && len(a.Seals) == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.gov.Set(c.modes)
			a, err := w.come(ana)
			if err != nil || a.CPF != ana || (c.holds != nil && !c.holds(a)) {
				t.Errorf("%v: %+v", err, a)
			}
		})
	}
}

func TestWhatDoesNotHoldIsRefused(t *testing.T) {
	t.Parallel()

	set := func(name string, v any) govbrtest.Modes {
		return govbrtest.Modes{IDToken: func(claims map[string]any) { claims[name] = v }}
	}
	resigned := func(header string, by func(payload string) string) govbrtest.Modes {
		return govbrtest.Modes{Forge: func(token string) string {
			parts := strings.Split(token, ".")
			return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + parts[1] + "." + by(token)
		}}
	}
	now := time.Now().Unix()
	for name, c := range map[string]struct {
		modes govbrtest.Modes
		want  error
	}{
		"another issuer":             {set("iss", "https://sso.acesso.gov.br.evil.example/"), federation.ErrRefused},
		"two slashes":                {set("iss", "https://sso.acesso.gov.br//"), federation.ErrRefused},
		"another audience":           {set("aud", "other.example.org"), federation.ErrRefused},
		"a second audience":          {set("aud", []string{"cidade.example.org", "other.example.org"}), federation.ErrRefused},
		"no audience":                {set("aud", []string{}), federation.ErrRefused},
		"another nonce":              {set("nonce", "other"), federation.ErrRefused},
		"no nonce":                   {set("nonce", ""), federation.ErrRefused},
		"expired":                    {set("exp", now-120), federation.ErrRefused},
		"of tomorrow":                {set("iat", now+3600), federation.ErrRefused},
		"of yesterday":               {set("iat", now-86400), federation.ErrRefused},
		"claims of the wrong type":   {set("exp", "tomorrow"), federation.ErrRefused},
		"alg none":                   {resigned(`{"alg":"none","kid":"rsa1"}`, func(string) string { return "" }), federation.ErrRefused},
		"alg HS256":                  {resigned(`{"alg":"HS256","kid":"rsa1"}`, func(string) string { return "c2VjcmV0" }), federation.ErrRefused},
		"alg PS256":                  {resigned(`{"alg":"PS256","kid":"rsa1"}`, signature), federation.ErrRefused},
		"alg RS384":                  {resigned(`{"alg":"RS384","kid":"rsa1"}`, signature), federation.ErrRefused},
		"RS512 for RS256":            {resigned(`{"alg":"RS512","kid":"rsa1"}`, signature), federation.ErrRefused},
		"an unknown kid":             {resigned(`{"alg":"RS256","kid":"rsa2"}`, signature), federation.ErrRefused},
		"a key inside the header":    {govbrtest.Modes{Forge: selfSigned}, federation.ErrRefused},
		"a critical header":          {resigned(`{"alg":"RS256","kid":"rsa1","crit":["b64"],"b64":false}`, signature), federation.ErrRefused},
		"claims changed afterwards":  {govbrtest.Modes{Forge: changed}, federation.ErrRefused},
		"no JWT":                     {govbrtest.Modes{Forge: func(string) string { return "x" }}, federation.ErrRefused},
		"too large":                  {govbrtest.Modes{IDToken: func(claims map[string]any) { claims["x"] = strings.Repeat("x", 40<<10) }}, federation.ErrRefused},
		"sub of another CPF":         {set("sub", maria), federation.ErrCPF},
		"a CPF of wrong digits":      {govbrtest.Modes{IDToken: func(c map[string]any) { c["sub"], c["preferred_username"] = "39053344700", "39053344700" }}, federation.ErrCPF},
		"no CPF":                     {set("preferred_username", ""), federation.ErrCPF},
		"a CPF among other text":     {set("preferred_username", "39053344705@govbr"), federation.ErrCPF},
		"token endpoint fails":       {govbrtest.Modes{Fail: map[string]int{"/token": 500}}, federation.ErrUnavailable},
		"token endpoint is too busy": {govbrtest.Modes{Fail: map[string]int{"/token": 429}}, federation.ErrUnavailable},
		"keys fail":                  {govbrtest.Modes{Fail: map[string]int{"/jwk": 503}}, federation.ErrUnavailable},
		"an answer without end":      {govbrtest.Modes{Huge: map[string]bool{"/token": true}}, federation.ErrUnavailable},
		"a redirect elsewhere":       {govbrtest.Modes{Redirect: map[string]string{"/token": "http://127.0.0.1:1/"}}, federation.ErrUnavailable},
		"keys redirected":            {govbrtest.Modes{Redirect: map[string]string{"/jwk": "/"}}, federation.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.gov.Set(c.modes)
			if a, err := w.come(ana); !errors.Is(err, c.want) || a.CPF != "" {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// signature is that of a token, for another header than it was made for.
func signature(token string) string { return token[strings.LastIndex(token, ".")+1:] }

// selfSigned brings its own key along, which a verifier must not take. RFC 7515 §4.1.3.
func selfSigned(token string) string {
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	signer, _ := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: govbrtest.OtherKey(), KeyID: "rsa1"}},
		&jose.SignerOptions{EmbedJWK: true})
	object, _ := signer.Sign(payload)
	text, _ := object.CompactSerialize()
	return text
}

// changed has another name under the same signature.
func changed(token string) string {
	parts := strings.Split(token, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.ReplaceAll(string(payload), `"name":"`, `"name":"Outra `)))
	return strings.Join(parts, ".")
}

func TestAWrongSecretIsOursToMend(t *testing.T) {
	t.Parallel()

	w := newWorld(t, func(s *federation.Settings) { s.Secret = "errado" })
	for _, m := range []govbrtest.Modes{{}, {EmptyRefusal: true}} {
		w.gov.Set(m)
		if _, err := w.come(ana); !errors.Is(err, federation.ErrRefused) {
			t.Error(err)
		}
	}
}

func TestAKeyChangedUnderItsKidIsFoundAndAskedForRarely(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	come := func(want error) {
		t.Helper()
		if _, err := w.come(maria); !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
	}
	come(nil)
	come(nil)
	if n := w.gov.Calls("/jwk"); n != 1 {
		t.Errorf("asked %d times for keys that fit", n)
	}
	w.offset.Add(int64(time.Minute))
	w.gov.Rotate()
	come(nil)
	if n := w.gov.Calls("/jwk"); n != 2 {
		t.Errorf("asked %d times", n)
	}
	w.gov.Set(govbrtest.Modes{Forge: changed})
	for range 5 {
		come(federation.ErrRefused)
	}
	if n := w.gov.Calls("/jwk"); n != 2 {
		t.Errorf("forged tokens had it ask %d times", n)
	}
	w.gov.Set(govbrtest.Modes{})
	w.offset.Add(int64(2 * time.Hour))
	come(nil)
	if n := w.gov.Calls("/jwk"); n != 3 {
		t.Errorf("old keys: asked %d times", n)
	}
}

func TestTheSameKidOfAnotherIssuerIsAnotherKey(t *testing.T) {
	t.Parallel()

	w, other := newWorld(t), newWorld(t)
	other.gov.Rotate()
	for _, each := range []*world{w, other, w} {
		if _, err := each.come(maria); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASlowGovBREndsInTime(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.gov.Set(govbrtest.Modes{Slow: map[string]time.Duration{"/token": time.Hour}})
	state, code := w.begin(maria)
	trip, err := w.c.Take(t.Context(), w.db, state, w.mine)
	w.must(err)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // the citizen's own request; the connector's limit is 8 s
	defer cancel()
	if _, err := w.c.Finish(ctx, trip, code); !errors.Is(err, federation.ErrUnavailable) {
		t.Error(err)
	}
}

func TestACompanyIsTheOnesThatThePersonActsForNow(t *testing.T) {
	t.Parallel()

	w := newWorld(t, func(s *federation.Settings) {
		s.Scopes = append(slices.Clone(federation.DefaultScopes), federation.ScopeCompanies)
	})
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	w.gov.Change(ana, func(p *govbrtest.Person) {
		p.Companies = append(p.Companies, govbrtest.Company{CNPJ: "11444777000161", Name: "Encerrada", Role: "SOCIO", Since: past, Until: past},
			govbrtest.Company{CNPJ: "19131243000197", Name: "Parada", Role: "NAO_ATUANTE", Since: past, Until: future},
			govbrtest.Company{CNPJ: "33000167000101", Name: "Colaborada", By: maria, Since: past, Until: future})
	})
	a, err := w.come(ana)
	if err != nil || len(a.Companies) != 3 || a.Companies[0].Role != federation.Partner || a.Companies[0].CNPJ != "11222333000181" ||
		a.Companies[1].Role != federation.Accountant || a.Companies[2].Role != federation.Collaborator || !a.Asked || a.Silent || a.More {
		t.Errorf("%v %+v", err, a.Companies)
	}
	if a, err := w.come("16899535009"); err != nil || len(a.Companies) != 1 || a.Companies[0].Role != federation.Representative || !a.Companies[0].Until.IsZero() {
		t.Errorf("without an end: %v %+v", err, a.Companies)
	}
	w.gov.Set(govbrtest.Modes{Fail: map[string]int{"/empresas/v2/empresas/11222333000181/participantes/" + ana: 404}})
	if a, err := w.come(ana); err != nil || len(a.Companies) != 2 || a.Silent {
		t.Errorf("one that gov.br does not tell about: %v %+v", err, a)
	}
	for _, path := range []string{"/empresas/v2/empresas", "/empresas/v2/empresas/11222333000181/participantes/" + ana} {
		w.gov.Set(govbrtest.Modes{Fail: map[string]int{path: 500}})
		if a, err := w.come(ana); err != nil || len(a.Companies) != 0 || !a.Silent {
			t.Errorf("%s fails: %v %+v", path, err, a)
		}
	}
	w.gov.Set(govbrtest.Modes{})
	w.gov.Change(ana, func(p *govbrtest.Person) {
		for range 25 {
			p.Companies = append(p.Companies, p.Companies[0])
		}
	})
	if a, err := w.come(ana); err != nil || !a.More || len(a.Companies) > 20 {
		t.Errorf("very many: %v %d", err, len(a.Companies))
	}
}

func TestCompaniesAreAskedForWhereAServiceNeedsThem(t *testing.T) {
	t.Parallel()

	w := newWorld(t, func(s *federation.Settings) {
		s.Scopes = append(slices.Clone(federation.DefaultScopes), federation.ScopeCompanies)
	})
	for _, companies := range []bool{true, false} {
		at, err := w.c.Begin(t.Context(), w.db, uuid.New(), w.mine, companies)
		w.must(err)
		if got := strings.Contains(at, federation.ScopeCompanies); got != companies {
			t.Errorf("asked %v: %s", got, at)
		}
	}
	without := newWorld(t)
	at, err := without.c.Begin(t.Context(), without.db, uuid.New(), without.mine, true)
	w.must(err)
	if strings.Contains(at, federation.ScopeCompanies) || without.c.Companies() {
		t.Error("a city that may not ask, asks")
	}
}

func TestATripIsUsedOnceAndByItsBrowser(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	state, _ := w.begin(maria)
	for _, bad := range []string{"", "x", strings.Repeat("x", len(state)), state + "x"} {
		if _, err := w.c.Take(t.Context(), w.db, bad, w.mine); !errors.Is(err, federation.ErrTrip) {
			t.Errorf("state %q: %v", bad, err)
		}
	}
	if _, err := w.c.Take(t.Context(), w.db, state, secret.Hash("another browser")); !errors.Is(err, federation.ErrTrip) {
		t.Errorf("another browser: %v", err)
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := w.c.Take(t.Context(), w.db, state, w.mine); err == nil {
				won.Add(1)
			} else if !errors.Is(err, federation.ErrTrip) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 20 callbacks won", won.Load())
	}
	late, _ := w.begin(maria)
	w.offset.Add(int64(federation.Lifetime))
	if _, err := w.c.Take(t.Context(), w.db, late, w.mine); !errors.Is(err, federation.ErrTrip) {
		t.Errorf("too late: %v", err)
	}
}

func TestWhatIsKeptForADecisionIsSealedAndDecidedOnce(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	state, code := w.begin(ana)
	trip, err := w.c.Take(t.Context(), w.db, state, w.mine)
	w.must(err)
	a, err := w.c.Finish(t.Context(), trip, code)
	w.must(err)
	w.must(w.c.Keep(t.Context(), w.db, trip, a))
	var raw []byte
	w.must(w.db.QueryRow(t.Context(), `SELECT account || sealed FROM federation_trip WHERE used_at IS NOT NULL`).Scan(&raw))
	for _, plain := range []string{ana, "ana@example.org", "nonce", code} {
		if strings.Contains(string(raw), plain) {
			t.Errorf("the row shows %q", plain)
		}
	}
	if _, _, err := w.c.Kept(t.Context(), w.db, trip.Interaction, secret.Hash("another browser")); !errors.Is(err, federation.ErrTrip) {
		t.Errorf("another browser: %v", err)
	}
	back, kept, err := w.c.Kept(t.Context(), w.db, trip.Interaction, w.mine)
	if err != nil || kept.CPF != ana || len(kept.Seals) != len(a.Seals) || !kept.Seals[0].UpdatedAt.Equal(a.Seals[0].UpdatedAt) {
		t.Fatalf("%v %+v", err, kept)
	}
	w.must(w.c.Decide(t.Context(), w.db, back))
	if err := w.c.Decide(t.Context(), w.db, back); !errors.Is(err, federation.ErrTrip) {
		t.Errorf("decided again: %v", err)
	}
	w.offset.Add(int64(time.Hour))
	w.must(w.c.Purge(t.Context(), w.db))
	var n int
	w.must(w.db.QueryRow(t.Context(), `SELECT count(*) FROM federation_trip`).Scan(&n))
	if n != 0 {
		t.Errorf("%d trips stay", n)
	}
}

func TestWrongSettingsAreNamedTogether(t *testing.T) {
	t.Parallel()

	_, err := federation.New(federation.Settings{Issuer: "http://sso.acesso.gov.br/", Scopes: []string{"email"}}, nil, time.Now)
	for _, word := range []string{"issuer", "redirect URI", "client id", "openid"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v lacks %q", err, word)
		}
	}
	if !(federation.Settings{Issuer: "http://localhost:8081"}).Local() || (federation.Settings{Issuer: "https://sso.acesso.gov.br"}).Local() {
		t.Error("the stand-in is not told from gov.br")
	}
}

func TestAnAccountDoesNotLogItself(t *testing.T) {
	t.Parallel()

	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "account", federation.Account{CPF: ana, Name: "Ana", Level: federation.Gold})
	if strings.Contains(b.String(), ana) || strings.Contains(b.String(), "Ana") {
		t.Error(b.String())
	}
}

func FuzzIDTokenClaims(f *testing.F) {
	f.Add([]byte(`{"sub":"390533447-05","preferred_username":"39053344705","email_verified":"true","amr":["passwd"],"aud":"x"}`))
	f.Add([]byte(`{"sub":1,"aud":{},"amr":null,"reliability_info":{"reliabilities":[{"id":[],"updatedAt":""}]}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a, err := federation.ReadAccount(payload)
		if err != nil {
			return
		}
		if len(a.CPF) != 11 || len(a.Seals) > 100 || !json.Valid(payload) {
			t.Errorf("%+v", a)
		}
	})
}
