package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

// The services of a city's own staff.
const (
	// gestao is for employees alone.
	gestao = `
id: gestao
name: {pt-BR: Gestão do Atendimento}
department: Secretaria de Administração
contact: gestao@example.org
internal: true
redirect_uris: [https://gestao.example.org/callback]
resources: [https://fila.example.org/, https://painel.example.com/]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
  - {name: roles, required: true, purpose: {pt-BR: Saber o que você pode fazer}, basis: public_policy}
  - {name: department, required: true, purpose: {pt-BR: Mostrar a fila do seu órgão}, basis: public_policy}
`
	// apoio is for citizens and employees.
	apoio = `
id: apoio
name: {pt-BR: Apoio}
department: Secretaria de Administração
contact: apoio@example.org
internal: true
redirect_uris: [https://apoio.example.org/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
  - {name: roles, purpose: {pt-BR: Mostrar as ferramentas de servidor}, basis: public_policy}
`
	// fila is an API of the city's own, quadro one of somebody else's.
	fila = `
id: fila
name: {pt-BR: API da Fila}
department: Administração
contact: fila@example.org
internal: true
grants: [client_credentials]
resource_uri: https://fila.example.org/
`
	quadro = `
id: quadro
name: {pt-BR: Quadro}
department: Fornecedor
contact: quadro@example.com
grants: [client_credentials]
resource_uri: https://painel.example.com/
`
)

const (
	carla   = "168.995.350-09"
	luciano = "714.602.385-08"
	helena  = "286.305.174-17"
	otto    = "048.276.190-34"
)

func staffCity(t *testing.T) *idptest.City {
	t.Helper()
	return idptest.Start(t, []string{gestao, apoio, fila, quadro, agenda, recurso})
}

// employee settles an attendant of level 4 who has an authenticator app.
func employee(city *idptest.City, cpf string, change ...func(*staff.Appointment)) (uuid.UUID, *idptest.App) {
	person := city.Person(cpf, 4, map[string]string{"name": "Carla Mendes", "email": "carla@example.org", "birthdate": "1985-03-21"})
	a := staff.Appointment{Person: person, Roles: []staff.Role{staff.Attendant, staff.Supervisor}}
	for _, c := range change {
		c(&a)
	}
	city.Employ(a)
	return person, city.App(person)
}

// enter signs in with password and app, allows what is asked, and returns the code.
func enter(t *testing.T, b *idptest.Browser, r idptest.Request, cpf string, app *idptest.App, optional ...string) string {
	t.Helper()
	p := at(t, b.SignIn(b.Open(r), cpf, idptest.Password), "/entrar/segunda-etapa")
	p = b.Form(p, with("code", app.Next()))
	if p.Location == nil && p.URL.Path == "/consentimento" {
		p = b.Allow(p, optional...)
	}
	if page(p) != "code" {
		t.Fatalf("at %s %v\n%s", page(p), p.Location, p.Main())
	}
	return p.Params().Get("code")
}

func asEmployee(city *idptest.City, service string, more ...string) idptest.Request {
	return city.Request(service, merged(with("scope", "openid profile employee"), with(more...)))
}

// saidOf is what the places that speak of a person say of their roles.
func saidOf(t *testing.T, city *idptest.City, service string, tokens idptest.Answer) map[string]map[string]any {
	t.Helper()
	access := tokens.Text("access_token")
	return map[string]map[string]any{
		"ID token": idptest.Claims(t, tokens.Text("id_token")), "access token": idptest.Claims(t, access),
		"userinfo": members(t, city.Userinfo(access)), "introspection": members(t, city.Call("/oauth/introspect", service, with("token", access))),
	}
}

// silent fails where any of them says something.
func silent(t *testing.T, all map[string]map[string]any) {
	t.Helper()
	for where, claims := range all {
		if claims["sub"] == nil && claims["active"] == nil {
			t.Errorf("%s says nothing at all: %v", where, claims)
		}
		if claims["roles"] != nil || claims["department"] != nil {
			t.Errorf("%s: %v", where, claims)
		}
	}
}

func TestRolesLeaveToInternalServicesInAStrongSessionAlone(t *testing.T) {
	t.Parallel()
	city := staffCity(t)
	_, app := employee(city, carla)
	city.Employ(staff.Appointment{Person: city.Person(luciano, 4, map[string]string{"name": "Luciano", "email": "l@example.org"}), Roles: []staff.Role{staff.Attendant}})
	weak := city.Person(helena, 3, map[string]string{"name": "Helena", "email": "h@example.org"})
	city.Employ(staff.Appointment{Person: weak, Roles: []staff.Role{staff.Attendant}})
	weakApp := city.App(weak)
	says := func(claims map[string]any, roles []string, department any) bool {
		return slices.Equal(texts(claims["roles"]), roles) && claims["department"] == department
	}
	both := []string{"attendant", "supervisor"}

	t.Run("RFC 9068 §2.2.3.1, RFC 7643 §4.1.2 and §4.3: two factors at level 4", func(t *testing.T) {
		r := asEmployee(city, "gestao")
		all := saidOf(t, city, "gestao", city.Exchange(r, enter(t, city.Browser(t), r, carla, app)))
		for where, department := range map[string]any{"access token": nil, "userinfo": idptest.Department, "introspection": idptest.Department} {
			if !says(all[where], both, department) {
				t.Errorf("%s: %v", where, all[where])
			}
		}
		if !says(all["ID token"], nil, nil) {
			t.Errorf("OIDC Core §5.4: not asked for in the ID token: %v", all["ID token"])
		}
	})
	t.Run("OIDC Core §5.5 in the ID token by the claims parameter", func(t *testing.T) {
		r := asEmployee(city, "gestao", "claims", `{"id_token":{"roles":null,"department":null}}`)
		tokens := city.Exchange(r, enter(t, city.Browser(t), r, carla, app))
		if id := idptest.Claims(t, tokens.Text("id_token")); !says(id, both, idptest.Department) {
			t.Errorf("%v", id)
		}
	})
	t.Run("without the scope nothing is told", func(t *testing.T) {
		r := city.Request("gestao", with("scope", "openid profile"))
		silent(t, saidOf(t, city, "gestao", city.Exchange(r, enter(t, city.Browser(t), r, carla, app))))
	})
	t.Run("a scope narrowed away by a refresh takes them along", func(t *testing.T) {
		r := asEmployee(city, "gestao")
		tokens := city.Exchange(r, enter(t, city.Browser(t), r, carla, app))
		silent(t, saidOf(t, city, "gestao", refresh(city, "gestao", tokens.Text("refresh_token"), "scope", "openid profile")))
	})
	t.Run("a password alone carries none, and asks for none", func(t *testing.T) {
		r := asEmployee(city, "apoio", "claims", `{"id_token":{"roles":null}}`)
		b := city.Browser(t)
		p := at(t, b.SignIn(b.Open(r), luciano, idptest.Password), "/consentimento")
		if strings.Contains(p.Body, "papéis") {
			t.Errorf("asked about roles that will not leave\n%s", p.Main())
		}
		silent(t, saidOf(t, city, "apoio", city.Exchange(r, b.Allow(p, "roles").Params().Get("code"))))
	})
	t.Run("a person of level 3 has none, however strong the session", func(t *testing.T) {
		r := asEmployee(city, "apoio")
		silent(t, saidOf(t, city, "apoio", city.Exchange(r, enter(t, city.Browser(t), r, helena, weakApp, "roles"))))
		b, r := city.Browser(t), asEmployee(city, "gestao")
		p := at(t, b.SignIn(b.Open(r), helena, idptest.Password), "/entrar/segunda-etapa")
		p = at(t, b.Form(p, with("code", weakApp.Next())), "/entrar/nivel")
		holds(t, p, "para quem trabalha na cidade", "O seu nível agora é 3")
		isRedirectError(t, city, b.Form(p, nil), "unmet_authentication_requirements")
	})
	t.Run("where roles are optional the employee chooses", func(t *testing.T) {
		r := asEmployee(city, "apoio")
		b := city.Browser(t)
		silent(t, saidOf(t, city, "apoio", city.Exchange(r, enter(t, b, r, carla, app))))
		p := at(t, b.Open(asEmployee(city, "apoio", "prompt", "consent")), "/consentimento")
		holds(t, p, "Atendente, Supervisor de atendimento", "política pública")
		if strings.Contains(p.Main(), "checked") {
			t.Error("ticked beforehand")
		}
		r = asEmployee(city, "apoio", "prompt", "consent")
		all := saidOf(t, city, "apoio", city.Exchange(r, b.Allow(at(t, b.Open(r), "/consentimento"), "roles").Params().Get("code")))
		if !says(all["userinfo"], both, nil) || !says(all["access token"], both, nil) {
			t.Errorf("%v", all)
		}
	})
	t.Run("other services ignore the scope", func(t *testing.T) {
		r := city.Request("agenda", with("scope", "openid profile email employee", "claims", `{"id_token":{"roles":null},"userinfo":{"department":null}}`))
		tokens := city.Exchange(r, enter(t, city.Browser(t), r, carla, app))
		if strings.Contains(tokens.Text("scope"), "employee") {
			t.Errorf("granted %q", tokens.Text("scope"))
		}
		silent(t, saidOf(t, city, "agenda", tokens))
	})
	t.Run("RFC 8707 §2 an API hears of them only if it is the city's own", func(t *testing.T) {
		for uri, c := range map[string]struct {
			api   string
			roles []string
		}{"https://fila.example.org/": {"fila", both}, "https://painel.example.com/": {"quadro", nil}} {
			r := asEmployee(city, "gestao", "resource", uri)
			tokens := city.Exchange(r, enter(t, city.Browser(t), r, carla, app))
			access := tokens.Text("access_token")
			heard := members(t, city.Call("/oauth/introspect", c.api, with("token", access)))
			if heard["active"] != true || !slices.Equal(texts(heard["roles"]), c.roles) || (heard["department"] != nil) != (c.roles != nil) {
				t.Errorf("%s hears %v", c.api, heard)
			}
			if in := idptest.Claims(t, access); !slices.Equal(texts(in["roles"]), c.roles) {
				t.Errorf("the token for %s tells %v", c.api, in)
			}
		}
	})
	t.Run("OIDC Core §11 what outlives the session tells none", func(t *testing.T) {
		r := asEmployee(city, "apoio", "scope", "openid profile employee offline_access", "prompt", "consent")
		silent(t, saidOf(t, city, "apoio", city.Exchange(r, enter(t, city.Browser(t), r, carla, app, "roles"))))
		r = asEmployee(city, "gestao", "scope", "openid profile employee offline_access")
		tokens := city.Exchange(r, enter(t, city.Browser(t), r, carla, app))
		if got := texts(city.Userinfo(tokens.Text("access_token")).JSON("roles")); len(got) != 2 || tokens.Text("scope") != "openid profile employee" {
			t.Errorf("a service for employees alone is granted %q, and hears %v", tokens.Text("scope"), got)
		}
	})
}

func TestAServiceForStaffTurnsCitizensAwayHonestly(t *testing.T) {
	t.Parallel()
	city := staffCity(t)
	city.Person(maria, 4, mariaFields())
	former, coming := city.Person(carla, 4, mariaFields()), city.Person(luciano, 4, mariaFields())
	city.Employ(staff.Appointment{Person: former, Roles: []staff.Role{staff.Attendant}})
	city.Dismiss(former)
	city.Employ(staff.Appointment{Person: coming, Roles: []staff.Role{staff.Attendant}, From: city.Now().AddDate(0, 0, 10)})
	for lang, words := range map[string]map[string]string{
		"pt-BR": {maria: "não tem um vínculo de trabalho seu", carla: "terminou em", luciano: "começa em"},
		"es":    {maria: "no tiene ahora un empleo suyo", carla: "terminó el", luciano: "comienza el"},
		"en":    {maria: "you do not work for the city now", carla: "ended on", luciano: "begins on"},
	} {
		r := asEmployee(city, "gestao", "ui_locales", lang)
		for cpf, text := range words {
			b := city.Browser(t)
			p := at(t, b.SignIn(b.Open(r), cpf, idptest.Password), "/entrar/servidor")
			holds(t, p, text)
			isRedirectError(t, city, b.Form(p, nil), "access_denied")
		}
	}
	t.Run("OIDC Core §3.1.2.6 prompt=none", func(t *testing.T) {
		b := city.Browser(t)
		b.SignIn(b.Open(asEmployee(city, "gestao")), maria, idptest.Password)
		isRedirectError(t, city, b.Open(asEmployee(city, "gestao", "prompt", "none")), "access_denied")
	})
	t.Run("an employee whose browser is somebody else's signs in as themselves", func(t *testing.T) {
		city.Employ(staff.Appointment{Person: city.Person(helena, 4, mariaFields()), Roles: []staff.Role{staff.Auditor}})
		b := city.Browser(t)
		p := at(t, b.SignIn(b.Open(asEmployee(city, "gestao")), maria, idptest.Password), "/entrar/servidor")
		p = at(t, b.Post(of(p, "/entrar/servidor"), url.Values{"account": {"other"}}), "/entrar")
		at(t, b.SignIn(p, helena, idptest.Password), "/entrar/nivel")
	})
	t.Run("where roles are optional they are citizens", func(t *testing.T) {
		for _, cpf := range []string{maria, carla, luciano} {
			b, r := city.Browser(t), asEmployee(city, "apoio")
			p := at(t, b.SignIn(b.Open(r), cpf, idptest.Password), "/consentimento")
			silent(t, saidOf(t, city, "apoio", city.Exchange(r, b.Allow(p, "roles").Params().Get("code"))))
		}
	})
}

// An appointment is told of as long as it holds, and not a second longer.
func TestWhatIsToldOfAnEmployeeIsTrueWhenItIsTold(t *testing.T) {
	t.Parallel()
	city := staffCity(t)
	roles := func(a idptest.Answer) []string { return texts(a.JSON("roles")) }

	t.Run("one that ends in three minutes ends the tokens with it", func(t *testing.T) {
		end := city.Now().Add(3 * time.Minute)
		_, app := employee(city, carla, func(a *staff.Appointment) { a.Until = end })
		r := asEmployee(city, "gestao", "claims", `{"id_token":{"roles":null}}`)
		tokens := city.Exchange(r, enter(t, city.Browser(t), r, carla, app))
		for _, name := range []string{"access_token", "id_token"} {
			if exp, _ := idptest.Claims(t, tokens.Text(name))["exp"].(float64); int64(exp) > end.Unix() {
				t.Errorf("the %s lives until %v, the appointment until %v", name, time.Unix(int64(exp), 0), end)
			}
		}
		city.Advance(3 * time.Minute)
		if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("userinfo after the end: %d %s", a.Status, a.Body)
		}
		silent(t, saidOf(t, city, "gestao", refresh(city, "gestao", tokens.Text("refresh_token"))))
		at(t, city.Browser(t).Open(r), "/entrar")
	})
	t.Run("one that begins in three minutes is told from then on", func(t *testing.T) {
		person, app := employee(city, luciano)
		r := asEmployee(city, "gestao")
		tokens := city.Exchange(r, enter(t, city.Browser(t), r, luciano, app))
		city.Dismiss(person)
		begin := city.Now().Add(3 * time.Minute)
		city.Employ(staff.Appointment{Person: person, Roles: []staff.Role{staff.Operator}, From: begin})
		tokens = refresh(city, "gestao", tokens.Text("refresh_token"))
		silent(t, saidOf(t, city, "gestao", tokens))
		if exp, _ := idptest.Claims(t, tokens.Text("access_token"))["exp"].(float64); int64(exp) > begin.Unix() {
			t.Errorf("a token without the role lives until %v, when it is told from %v", time.Unix(int64(exp), 0), begin)
		}
		city.Advance(3 * time.Minute)
		tokens = refresh(city, "gestao", tokens.Text("refresh_token"))
		if got := roles(city.Userinfo(tokens.Text("access_token"))); !slices.Equal(got, []string{"operator"}) {
			t.Errorf("%v", got)
		}
	})
	t.Run("a dismissal is heard at once, and by what was on its way", func(t *testing.T) {
		person, app := employee(city, helena)
		b, r := city.Browser(t), asEmployee(city, "gestao")
		tokens := city.Exchange(r, enter(t, b, r, helena, app))
		if got := roles(city.Userinfo(tokens.Text("access_token"))); len(got) != 2 {
			t.Fatalf("%v", got)
		}
		later := asEmployee(city, "gestao", "claims", `{"id_token":{"roles":null}}`)
		code := b.Open(later).Params().Get("code")
		city.Employ(staff.Appointment{Person: person, Roles: []staff.Role{staff.Attendant}, Department: "Outra Secretaria"})
		if a := city.Userinfo(tokens.Text("access_token")); len(roles(a)) != 1 || a.Text("department") != "Outra Secretaria" {
			t.Errorf("after a change: %s", a.Body)
		}
		city.Dismiss(person)
		said := saidOf(t, city, "gestao", tokens)
		delete(said, "ID token") // what was signed before stays signed
		delete(said, "access token")
		silent(t, said)
		silent(t, saidOf(t, city, "gestao", city.Exchange(later, code)))
		silent(t, saidOf(t, city, "gestao", refresh(city, "gestao", tokens.Text("refresh_token"))))
		at(t, b.Open(r), "/entrar/servidor")
	})
	t.Run("evidence of level 4 that ends takes them along", func(t *testing.T) {
		person := city.Person(otto, 3, map[string]string{"name": "Otto", "email": "otto@example.org"})
		end := city.Now().Add(3 * time.Minute)
		city.Evidence(person, trust.Evidence{Kind: trust.BiometricEnrollment, Source: "test", Method: "desk", Verifier: "carla", VerifiedAt: city.Now(), ExpiresAt: end})
		city.Employ(staff.Appointment{Person: person, Roles: []staff.Role{staff.Supervisor}})
		app := city.App(person)
		r := asEmployee(city, "apoio", "claims", `{"id_token":{"roles":null}}`)
		tokens := city.Exchange(r, enter(t, city.Browser(t), r, otto, app, "roles"))
		for _, name := range []string{"access_token", "id_token"} {
			in := idptest.Claims(t, tokens.Text(name))
			if exp, _ := in["exp"].(float64); int64(exp) > end.Unix() || !slices.Equal(texts(in["roles"]), []string{"supervisor"}) {
				t.Errorf("%s: %v", name, in)
			}
		}
		city.Advance(3 * time.Minute)
		silent(t, saidOf(t, city, "apoio", refresh(city, "apoio", tokens.Text("refresh_token"))))
	})
}

// TestADismissalAndManyRedemptionsAtOnceLeaveNoTokenThatTellsARole ends an appointment while tokens
// are made and asked about: what is heard after the dismissal is committed says nothing of it.
func TestADismissalAndManyRedemptionsAtOnceLeaveNoTokenThatTellsARole(t *testing.T) {
	t.Parallel()
	city := staffCity(t)
	person, app := employee(city, carla)
	b, r := city.Browser(t), asEmployee(city, "gestao")
	enter(t, b, r, carla, app)
	const visits = 12
	requests, codes := make([]idptest.Request, visits), make([]string, visits)
	for i := range visits {
		requests[i] = asEmployee(city, "gestao")
		codes[i] = b.Open(requests[i]).Params().Get("code")
	}
	tokens := make([]idptest.Answer, visits)
	var wg sync.WaitGroup
	for i := range visits {
		wg.Go(func() { tokens[i] = city.Exchange(requests[i], codes[i]) })
	}
	city.Dismiss(person)
	wg.Wait()
	for i, a := range tokens {
		if a.Status != http.StatusOK {
			t.Errorf("redemption %d: %d %s", i, a.Status, a.Body)
			continue
		}
		silent(t, map[string]map[string]any{"userinfo": members(t, city.Userinfo(a.Text("access_token"))),
			"introspection": members(t, city.Call("/oauth/introspect", "gestao", with("token", a.Text("access_token"))))})
	}
}

// A city may let one factor carry level 4. It does not make an employee of who shows it.
func TestOneFactorOfLevelFourIsNoSecondFactor(t *testing.T) {
	t.Parallel()
	city := idptest.Start(t, []string{gestao, apoio}, idptest.WithCaps("pwd=4,pwd+otp=4,hwk+mfa=4,swk+mfa=4"))
	person, _ := employee(city, carla)
	city.Employ(staff.Appointment{Person: city.Person(luciano, 4, mariaFields()), Roles: []staff.Role{staff.Attendant}})
	b := city.Browser(t)
	p := at(t, b.SignIn(b.Open(asEmployee(city, "gestao")), luciano, idptest.Password), "/entrar/nivel")
	holds(t, p, "Falta confirmar com a biometria")
	isRedirectError(t, city, b.Open(asEmployee(city, "gestao", "prompt", "none")), "unmet_authentication_requirements")
	r := asEmployee(city, "apoio")
	silent(t, saidOf(t, city, "apoio", city.Exchange(r, b.Allow(b.Open(r), "roles").Params().Get("code"))))

	device, other := city.Device(person, true), city.Browser(t)
	r = asEmployee(city, "gestao")
	p = shows(t, other, at(t, other.Open(r), "/entrar"), device)
	if p.Location == nil {
		p = other.Allow(at(t, p, "/consentimento"))
	}
	if got := texts(city.Userinfo(city.Exchange(r, p.Params().Get("code")).Text("access_token")).JSON("roles")); len(got) != 2 {
		t.Errorf("a passkey is two factors, and tells %v", got)
	}
}

func TestRolesCostTheHotPathsNoStatement(t *testing.T) {
	t.Parallel()
	city := staffCity(t)
	city.Person(maria, 3, mariaFields())
	_, app := employee(city, carla)
	cost := func(b *idptest.Browser, service string, r func() idptest.Request) (n [4]int) {
		one := r()
		city.Statements()
		code := b.Open(one).Params().Get("code")
		n[0] = len(city.Statements())
		tokens := city.Exchange(one, code)
		n[1] = len(city.Statements())
		city.Userinfo(tokens.Text("access_token"))
		n[2] = len(city.Statements())
		refresh(city, service, tokens.Text("refresh_token"))
		n[3] = len(city.Statements())
		return n
	}
	citizen, clerk := city.Browser(t), city.Browser(t)
	enter(t, clerk, asEmployee(city, "gestao"), carla, app)
	citizen.Authorize(city.Request("agenda", nil), maria)
	a := cost(citizen, "agenda", func() idptest.Request { return city.Request("agenda", nil) })
	b := cost(clerk, "gestao", func() idptest.Request { return asEmployee(city, "gestao") })
	if a != b || a[2] != 1 {
		t.Errorf("statements of authorize, code, userinfo and refresh: %v without roles, %v with", a, b)
	}
}
