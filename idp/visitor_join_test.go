package idp_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

// guest is a visitor with something to lose: two services know them, one of them while they are
// away.
type guest struct {
	tourist
	guia, museu idptest.Request
	sub, other  string // at guia, at museu
	refresh     string // of guia
	idToken     string
}

func newGuest(t *testing.T, city *idptest.City) guest {
	t.Helper()
	s := guest{tourist: newTourist(t, city), guia: everything(city, "guia", "scope", "openid profile phone offline_access"),
		museu: everything(city, "museu", "scope", "openid documents")}
	p := s.register(s.guia, rosa, "1984-05-06")
	tokens := city.Exchange(s.guia, p.Params().Get("code"))
	s.refresh, s.idToken = tokens.Text("refresh_token"), tokens.Text("id_token")
	s.sub, _ = idptest.Claims(t, s.idToken)["sub"].(string)
	p = at(t, s.Form(at(t, s.Open(s.museu), "/cadastro/dados"), with("document_kind", "passport", "document_country", "PY", "passport", "ab-123 456")), "/consentimento")
	s.other = s.userinfo(s.museu, s.Allow(p)).Text("sub")
	if s.sub == "" || s.other == "" || s.refresh == "" {
		t.Fatalf("%q, %q, %q", s.sub, s.other, s.refresh)
	}
	return s
}

// keeps fails unless the services see, in this browser, who they saw before, without asking anew.
func (s guest) keeps(b *idptest.Browser, guiaSub string) {
	s.t.Helper()
	for _, c := range []struct {
		r   idptest.Request
		sub string
	}{{s.guia, guiaSub}, {s.museu, s.other}} {
		p := b.Open(c.r)
		if p.Params().Get("code") == "" {
			s.t.Fatalf("%s asks anew: %s (%d)\n%s", c.r.ClientID, p.URL, p.Status, p.Main())
		}
		if got := (tourist{b, s.t}).userinfo(c.r, p).Text("sub"); got != c.sub {
			s.t.Errorf("%s sees %s, not %s", c.r.ClientID, got, c.sub)
		}
	}
	renewed := s.City.Call("/oauth/token", "guia", with("grant_type", "refresh_token", "refresh_token", s.refresh))
	if renewed.Status != http.StatusOK || idptest.Claims(s.t, renewed.Text("id_token"))["sub"] != s.sub {
		s.t.Errorf("the grant that outlives sessions: %d %s", renewed.Status, renewed.Body)
	}
	if info := s.City.Userinfo(renewed.Text("access_token")); info.Text("sub") != s.sub || info.Text("phone_number") != paraguay {
		s.t.Errorf("userinfo by it: %s", info.Body)
	}
}

func TestAVisitorWhoGetsACPFLosesNothing(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia, museu, biblioteca})
	s := newGuest(t, city)
	elsewhere := newTourist(t, city) // a second browser of the visitor's
	elsewhere.come(s.guia, paraguay, typedParaguay)
	r := everything(city, "biblioteca")
	p := s.Open(everything(city, "biblioteca", "prompt", "none"))
	if got := p.Params().Get("error"); got != "interaction_required" {
		t.Errorf("prompt=none: %s", got)
	}
	p = at(t, s.Open(r), "/entrar/sem-cpf")
	holds(t, p, "Biblioteca", rosa)
	p = at(t, s.Form(p, with("account", "join")), "/entrar")
	lacks(t, p, "Sin CPF")
	p = at(t, s.Get(of(p, "/cadastro")), "/cadastro")
	p = at(t, s.Form(p, with("cpf", joao, "email", novoEmail, "password", idptest.Password)), "/cadastro/codigo")
	p = at(t, s.Form(p, with("code", city.Code(novoEmail))), "/consentimento") // the name came along
	p = s.Allow(p)
	if got := s.userinfo(r, p); got.Text("name") != rosa || got.Text("email") != novoEmail {
		t.Errorf("the new account: %s", got.Body)
	}
	s.keeps(s.Browser, s.sub)
	holds(t, s.Get("/conta"), "***.444.777-**", rosa, "**/**/1984", "***456")
	lacks(t, s.Get("/conta"), "Sin CPF")
	holds(t, s.Get("/conta/aplicacoes"), "Guía del Visitante", "Museo", "Biblioteca")
	if p = elsewhere.Get("/conta"); p.URL.Path != "/entrar" {
		t.Errorf("the visitor's other browser is still signed in: %s", p.URL)
	}
	b := city.Browser(t) // by CPF, in a browser of its own
	if p = b.SignIn(b.Open(r), joao, idptest.Password); p.Params().Get("code") == "" {
		t.Fatalf("at %s", p.URL)
	}
	s.keeps2(b)

	// The number alone opens nothing of theirs any more, and says nothing but where to go.
	phone := newTourist(t, city)
	p = at(t, phone.come(s.guia, paraguay, typedParaguay), "/entrar/visitante/confirmar")
	holds(t, p, "entra con CPF", of(p, "/entrar"))
	lacks(t, p, "Rosa", "444.777", `name="name"`)
	if p = phone.Post(of(p, "/entrar/visitante/confirmar"), with("name", rosa, "birthdate", "1984-05-06")); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("name and birth date open the account: %d at %s", p.Status, p.URL)
	}
	if p = phone.Post(of(p, "/entrar/visitante/confirmar"), with("who", "new")); p.URL.Path != "/cadastro/dados" {
		t.Errorf("somebody new: %d at %s", p.Status, p.URL)
	}
	lacks(t, p, "Rosa")
}

// keeps2 is keeps where the refresh token has been used already.
func (s guest) keeps2(b *idptest.Browser) {
	s.t.Helper()
	for r, sub := range map[*idptest.Request]string{&s.guia: s.sub, &s.museu: s.other} {
		if got := (tourist{b, s.t}).userinfo(*r, b.Open(*r)).Text("sub"); got != sub {
			s.t.Errorf("%s sees %s, not %s", r.ClientID, got, sub)
		}
	}
}

// A service that knew both under two subs sees the account's from now on, and may still name the
// person by the other.
func TestAVisitorJoinsAnAccountThatTheServiceKnows(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia, museu})
	city.Person(maria, 3, mariaFields())
	home := city.Browser(t)
	r := everything(city, "guia", "scope", "openid profile phone")
	p := at(t, home.SignIn(home.Open(r), maria, idptest.Password), "/consentimento")
	account := (tourist{home, t}).userinfo(r, home.Allow(p)).Text("sub")
	s := newGuest(t, city)
	if account == s.sub {
		t.Fatal("one sub for two people")
	}
	p = at(t, s.Get("/conta"), "/conta")
	holds(t, p, `action="/conta/cpf"`)
	p = at(t, s.Post("/conta/cpf", nil), "/entrar/sem-cpf")
	p = at(t, s.Form(p, with("account", "join")), "/entrar")
	p = at(t, s.SignIn(p, maria, idptest.Password), "/conta")
	holds(t, p, "Maria Aparecida da Silva", "**/**/1958", "***456") // what she had said stays; the passport is new
	s.keeps(s.Browser, account)
	hinted := everything(city, "guia", "scope", "openid profile phone", "id_token_hint", s.idToken)
	if p = s.Open(hinted); p.Params().Get("code") == "" {
		t.Errorf("named by the visitor's sub: %s %v", p.URL, p.Params())
	}
	if p = home.Open(everything(city, "guia", "id_token_hint", s.idToken, "prompt", "none", "scope", "openid")); p.Params().Get("code") == "" {
		t.Errorf("named by the visitor's sub in the account's browser: %v", p.Params())
	}
	var verifiers []string
	err := city.DB.QueryRow(t.Context(), `
		SELECT array_agg(e.method ORDER BY e.method)
		  FROM evidence e
		  JOIN subject s ON s.person_id = e.person_id
		 WHERE s.sub = $1 AND e.revoked_at IS NULL`, account).Scan(&verifiers)
	if err != nil || !slices.Contains(verifiers, "sms_code") {
		t.Errorf("evidence of %v, %v", verifiers, err)
	}
	if claims := idptest.Claims(t, city.Tokens(r, maria).Text("id_token")); claims["trust_level"] != 3.0 {
		t.Errorf("the account's level: %v", claims)
	}
}

func TestWhoSignsInAsSomebodyElseJoinsNobody(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		name string
		act  func(s guest, p idptest.Page) idptest.Page
	}{
		{"asks for another account", func(s guest, p idptest.Page) idptest.Page { return s.Form(p, with("account", "other")) }},
		{"asks to join, and signs out in another tab", func(s guest, p idptest.Page) idptest.Page {
			next := s.Form(p, with("account", "join"))
			s.Post("/conta/sair", nil)
			return next
		}},
		{"goes around the question", func(s guest, p idptest.Page) idptest.Page {
			s.Post(of(p, "/entrar"), with("cpf", maria))
			return at(t, s.Form(at(t, s.Get(of(p, "/entrar/senha")), "/entrar/sem-cpf"), with("account", "other")), "/entrar")
		}},
	} {
		city := idptest.Start(t, []string{guia, museu, biblioteca})
		city.Person(maria, 3, mariaFields())
		s, r := newGuest(t, city), everything(city, "biblioteca")
		p := at(t, tc.act(s, at(t, s.Open(r), "/entrar/sem-cpf")), "/entrar")
		p = s.SignIn(p, maria, idptest.Password)
		if p.URL.Path == "/consentimento" {
			p = s.Allow(p)
		}
		if p.Params().Get("code") == "" {
			t.Fatalf("%s: at %s", tc.name, p.URL)
		}
		var merged int
		if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM person WHERE merged_into IS NOT NULL`).Scan(&merged); err != nil || merged != 0 {
			t.Fatalf("%s: %d joined, %v", tc.name, merged, err)
		}
		b := newTourist(t, city)
		if got := b.userinfo(s.guia, b.come(s.guia, paraguay, typedParaguay, "lang", "es")).Text("sub"); got != s.sub {
			t.Errorf("%s: the visitor is somebody else", tc.name)
		}
	}
}

// gov.br proves the CPF, and the visitor joins whoever it is: here somebody whom the city did not know.
func TestAVisitorJoinsByGovBR(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia, museu, needing("2")}, idptest.WithGovBR())
	s, r := newGuest(t, city), everything(city, "biblioteca")
	p := at(t, s.Form(at(t, s.Open(r), "/entrar/sem-cpf"), with("account", "join")), "/entrar")
	p = at(t, s.ByGovBR(p, rita), "/consentimento")
	if got := s.userinfo(r, s.Allow(p)); got.Status != http.StatusOK || got.JSON("trust_level") != 2.0 {
		t.Errorf("the account: %s", got.Body)
	}
	s.keeps(s.Browser, s.sub)
	holds(t, s.Get("/conta"), "***.287.938-**")
	if person := personOf(t, city, rita); person.Fields["passport"].Text == "" || len(proofsOf(t, city, rita)) != 1 {
		t.Errorf("%d proofs, %v", len(proofsOf(t, city, rita)), person.Fields)
	}
}
