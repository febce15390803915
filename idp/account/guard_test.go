package account_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/account"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/pg"
)

// things are one of each kind that a person may have.
type things struct{ passkey, app, mail, phone, pendingMail, pendingPhone, pendingApp uuid.UUID }

func (h *house) things(person uuid.UUID) (all things) {
	h.t.Helper()
	h.Device(person, true)
	h.App(person)
	all.mail, all.phone = h.address(person, factor.MailChannel, "um@example.org"), h.address(person, factor.PhoneChannel, mobile)
	e, err := factor.EnrolledOf(h.t.Context(), h.DB, h.Box, person)
	h.must(err)
	all.passkey, all.app = e.Passkeys[0].ID, e.Authenticators[0].ID
	h.must(pg.InTx(h.t.Context(), h.DB, func(tx pg.Tx) (err error) {
		channels := factor.NewChannels(h.Box, h.Now)
		if all.pendingMail, err = channels.Add(h.t.Context(), tx, person, factor.MailChannel, "dois@example.org", nobody); err != nil {
			return err
		}
		all.pendingPhone, err = channels.Add(h.t.Context(), tx, person, factor.PhoneChannel, "+5511987650000", nobody)
		return err
	}))
	apps := factor.NewAuthenticators(h.Box, factor.NewThrottle(h.DB, nil, h.Box, factor.DefaultLimits, h.Now), "Vila", h.Now)
	setup, err := apps.Enrol(h.t.Context(), h.DB, person, "conta", "Outro")
	h.must(err)
	all.pendingApp = setup.ID
	return all
}

// forms are the addresses of all forms, about these things, with what one types into them.
func (a things) forms() map[string]url.Values {
	return map[string]url.Values{
		form("/senha"): {"password": {another}}, form("/aparelho"): {"name": {"X"}, "credential": {"{}"}}, form("/aparelho/opcoes"): nil,
		form("/aparelho/nome", a.passkey): {"name": {"X"}}, form("/aparelho/remover", a.passkey): {"last": {"yes"}},
		form("/aplicativo"): {"name": {"X"}}, form("/aplicativo/codigo", a.pendingApp): {"code": {"123456"}},
		form("/aplicativo/nome", a.app): {"name": {"X"}}, form("/aplicativo/remover", a.app): nil, form("/codigos"): nil,
		form("/email"): {"email": {"novo@example.org"}}, form("/email/codigo", a.pendingMail): {"code": {"123456"}}, form("/email/remover", a.mail): nil,
		form("/telefone"): {"country": {"BR"}, "phone": {"11 98765-1111"}}, form("/telefone/codigo", a.pendingPhone): {"code": {"123456"}},
		form("/telefone/remover", a.phone): nil,
	}
}

func nobody(context.Context, pg.Tx, factor.Dispatch) error { return nil }

// state is all that a change could change.
func (h *house) state(person uuid.UUID) (s string) {
	h.t.Helper()
	h.must(h.DB.QueryRow(h.t.Context(), `
		SELECT concat((SELECT json_agg(p) FROM password p WHERE person_id = $1), (SELECT json_agg(k ORDER BY id) FROM passkey k WHERE person_id = $1),
		              (SELECT json_agg(a ORDER BY id) FROM totp a WHERE person_id = $1), (SELECT json_agg(c ORDER BY place) FROM recovery_code c WHERE person_id = $1),
		              (SELECT json_agg(c ORDER BY id) FROM channel c WHERE person_id = $1),
		              (SELECT json_agg(e ORDER BY id) FROM factor_event e WHERE person_id = $1 AND kind <> 'signed_in'),
		              (SELECT json_agg(s.ended_at ORDER BY id) FROM session s WHERE person_id = $1),
		              (SELECT count(*) FROM webauthn_challenge), (SELECT count(*) FROM river_job WHERE kind IN ('mail', 'sms')))`, person).Scan(&s))
	return s
}

// nothing makes sure that what is done changes nothing of a person.
func (h *house) nothing(person uuid.UUID, what string, do func()) {
	h.t.Helper()
	before := h.state(person)
	do()
	after := h.state(person)
	for i := range min(len(before), len(after)) {
		if before[i] != after[i] {
			h.t.Errorf("%s has changed something: %.200s\nbecame %.200s", what, before[max(0, i-100):], after[max(0, i-100):])
			return
		}
	}
	if len(before) != len(after) {
		h.t.Errorf("%s has changed something: %d bytes became %d", what, len(before), len(after))
	}
}

func TestWithoutAFreshSignInNothingChanges(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	all := h.things(h.maria)
	h.byPasskey(h.Device(h.maria, true))
	h.signedInAgo(factor.Fresh + factor.EnrolLifetime + time.Minute) // too long for what was begun, too
	for path, typed := range all.forms() {
		h.nothing(h.maria, path, func() {
			p := h.Post(path, typed)
			if p.Status != http.StatusForbidden {
				t.Errorf("%s: %d", path, p.Status)
			}
			if path != form("/aparelho/opcoes") && !strings.Contains(p.Main(), "Confirme que é você") {
				t.Errorf("%s does not say why:\n%s", path, p.Main())
			}
		})
	}
}

// signedInAgo makes every sign-in of Maria older.
func (h *house) signedInAgo(d time.Duration) {
	h.t.Helper()
	_, err := h.DB.Exec(h.t.Context(), `UPDATE session SET auth_time = auth_time - make_interval(secs => $2) WHERE person_id = $1`, h.maria, d.Seconds())
	h.must(err)
}

func TestAWeakSessionChangesNothingHoweverFresh(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	all := h.things(h.maria) // since then the password alone is not the strongest she has
	for path, typed := range all.forms() {
		h.nothing(h.maria, path, func() {
			if p := h.Post(path, typed); p.Status != http.StatusForbidden {
				t.Errorf("%s: %d", path, p.Status)
			}
		})
	}
}

func TestAFreshSignInLeadsBackToTheForm(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	id := h.address(h.maria, factor.MailChannel, spare)
	h.signedInAgo(factor.Fresh + time.Minute)
	p := h.Get(form("/email/remover", id))
	if !strings.Contains(p.Main(), "Confirme que é você") || !strings.Contains(p.Main(), "<li>a senha</li>") {
		t.Fatalf("%s", p.Main())
	}
	p = at(t, h.Form(p, url.Values{"back": {form("/email/remover", id)}}), "/entrar/senha")
	p = at(t, h.Form(p, url.Values{"password": {idptest.Password}}), form("/email/remover"))
	h.done(h.Form(p, nil))
}

func TestAStrongerFactorIsAskedForOnTheWayBack(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	app := h.App(h.maria)
	h.address(h.maria, factor.MailChannel, spare)
	p := h.Post(form("/confirmar"), url.Values{"back": {form("/senha")}})
	p = h.Form(at(t, p, "/entrar/senha"), url.Values{"password": {idptest.Password}})
	p = at(t, h.Form(at(t, p, "/entrar/segunda-etapa"), url.Values{"code": {app.Next()}}), form("/senha"))
	h.done(h.Form(p, url.Values{"password": {another}}))
}

func TestTheWayBackLeadsNowhereElse(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for _, back := range []string{"https://example.org/", "//example.org/conta/seguranca/senha", "/conta/seguranca/../../sair", "/sair", "\\x", "%", form("/senha") + "?id=x&y=z"} {
		p := h.Post(form("/confirmar"), url.Values{"back": {back}})
		p = h.Form(at(t, p, "/entrar/senha"), url.Values{"password": {idptest.Password}})
		if path := p.URL.RequestURI(); path != account.PathSecurity && path != form("/senha") || p.Location != nil {
			t.Errorf("%q leads to %s, %v", back, p.URL, p.Location)
		}
	}
}

func TestOtherPeoplesThingsAreNotFound(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	person := h.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	all := h.things(person)
	var session uuid.UUID
	h.must(h.DB.QueryRow(t.Context(), `INSERT INTO session (id, cookie_hash, person_id, auth_time, amr, cap, created_at, last_seen_at, expires_at)
		VALUES (gen_random_uuid(), sha256('x'), $1, now(), '{pwd}', 3, now(), now(), now() + interval '1 hour') RETURNING id`, person).Scan(&session))
	for path, typed := range all.forms() {
		if !strings.Contains(path, "?id=") {
			continue
		}
		h.nothing(person, path, func() {
			if p := h.Get(path); p.Status != http.StatusNotFound {
				t.Errorf("GET %s: %d", path, p.Status)
			}
			if p := h.Post(path, typed); p.Status != http.StatusNotFound {
				t.Errorf("POST %s: %d", path, p.Status)
			}
		})
	}
	for _, path := range []string{form("/sair", session), form("/sair", uuid.New()), form("/sair") + "?id=x", form("/email/remover", uuid.Nil), form("/telefone/codigo", all.pendingMail)} {
		h.nothing(person, path, func() {
			if p := h.Post(path, nil); p.Status != http.StatusNotFound {
				t.Errorf("POST %s: %d", path, p.Status)
			}
		})
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	all := h.things(h.maria)
	h.byPasskey(h.Device(h.maria, true))
	_, err := h.DB.Exec(t.Context(), `INSERT INTO not_me (token_hash, person_id, event_id, way, address, expires_at)
		VALUES (sha256('token'), $1, $1, 'mail', '\x00', now() + interval '1 day')`, h.maria)
	h.must(err)
	paths := []string{form("/sair-dos-outros"), form("/sair", all.app), form("/confirmar"), "/n/token"}
	for path := range all.forms() {
		paths = append(paths, path)
	}
	for _, path := range paths {
		for name, headers := range map[string][2]string{"Sec-Fetch-Site": {"Sec-Fetch-Site", "cross-site"}, "Origin": {"Origin", "https://evil.example"}} {
			h.nothing(h.maria, path, func() {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.Issuer+path, strings.NewReader("password="+another))
				h.must(err)
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set(headers[0], headers[1])
				res, err := h.HTTP.Do(r)
				h.must(err)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusForbidden {
					t.Errorf("%s with a foreign %s: %d", path, name, res.StatusCode)
				}
			})
		}
	}
}

func TestWhoIsNotSignedInComesBackToTheForm(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	for _, path := range []string{form(""), form("/senha"), form("/historico"), form("/email/remover", uuid.New())} {
		b := h.City.Browser(t)
		p := b.SignIn(at(t, b.Get(path), "/entrar"), maria, idptest.Password)
		if want, _, _ := strings.Cut(path, "?"); p.URL.Path != want && path != form("/historico") {
			t.Errorf("%s leads back to %s", path, p.URL)
		}
		if p := h.City.Browser(t).Post(path, nil); p.URL.Path == path && p.Status == http.StatusOK {
			t.Errorf("POST %s without a session: %d", path, p.Status)
		}
	}
}

const portal = `
id: portal
name: {pt-BR: Portal do Cidadão}
department: Secretaria de Governo
contact: portal@example.org
redirect_uris: [http://localhost:9/portal/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você pelo nome}, basis: public_policy}
`

func TestEndingASessionEndsItsTokensAndTellsTheService(t *testing.T) {
	t.Parallel()

	for name, path := range map[string]string{"this one": "/sair", "all others": "/sair-dos-outros"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			told := make(chan string, 1)
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				told <- r.FormValue("logout_token")
			}))
			t.Cleanup(service.Close)
			h := newHouse(t)
			h.Apply(portal + "backchannel_logout_uri: " + service.URL + "/backchannel\n")
			r := h.Request("portal", nil)
			tokens := h.Tokens(r, maria) // in a browser of its own
			page := h.Get(account.PathSecurity)
			sid, _ := idptest.Claims(t, tokens.Text("id_token"))["sid"].(string)
			if n := strings.Count(page.Body, `id="end-0`); n != 2 || strings.Count(page.Body, "Este aparelho") != 1 || !strings.Contains(page.Body, sid) {
				t.Fatalf("%d sessions:\n%s", n, page.Main())
			}
			at(t, h.Post(form(path)+"?id="+sid, nil), account.PathSecurity)
			if answer := h.Userinfo(tokens.Text("access_token")); answer.Status != http.StatusUnauthorized {
				t.Errorf("the access token still works: %d", answer.Status)
			}
			select {
			case token := <-told:
				if idptest.Claims(t, token)["sid"] != sid {
					t.Errorf("%s", token)
				}
			case <-time.After(20 * time.Second):
				t.Error("the service was not told")
			}
			if p := h.Get(account.PathSecurity); strings.Contains(p.Body, sid) || !strings.Contains(p.Main(), "Saída em outros aparelhos") {
				t.Errorf("%s", p.Main())
			}
		})
	}
}

func TestEndingOnesOwnSessionSignsOut(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	var id uuid.UUID
	h.must(h.DB.QueryRow(t.Context(), `SELECT id FROM session WHERE person_id = $1`, h.maria).Scan(&id))
	at(t, h.Post(form("/sair", id), nil), "/sair/pronto")
	at(t, h.Get(account.PathSecurity), "/entrar")
}
