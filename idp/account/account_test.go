package account_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	vw "github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/loginunico/loginunico/idp/account"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/pg"
)

func TestMain(m *testing.M) { idptest.Main(m) }

const (
	maria   = "529.982.247-25"
	joao    = "111.444.777-35"
	mail    = "maria@example.org"
	spare   = "maria.reserva@example.org"
	mobile  = "+5511987654321"
	another = "Uma-Senha-Bem-Longa-2026"
)

// house is a city with Maria signed in on her security page.
type house struct {
	*idptest.City
	*idptest.Browser
	t     *testing.T
	maria uuid.UUID
}

func newHouse(t *testing.T, opts ...idptest.Option) *house {
	t.Helper()
	h := &house{t: t, City: idptest.Start(t, nil, opts...)}
	h.maria = h.Person(maria, 3, map[string]string{"name": "Maria Aparecida da Silva", "email": mail})
	h.Browser = h.signedIn()
	return h
}

// signedIn is one more browser of Maria's, by password.
func (h *house) signedIn() *idptest.Browser {
	h.t.Helper()
	b := h.City.Browser(h.t)
	at(h.t, b.SignIn(b.Get(account.PathSecurity), maria, idptest.Password), account.PathSecurity)
	return b
}

// at makes sure that a page is where it should be.
func at(t *testing.T, p idptest.Page, path string) idptest.Page {
	t.Helper()
	if p.URL.Path != path {
		t.Fatalf("at %s (%d), want %s\n%s", p.URL, p.Status, path, p.Main())
	}
	return p
}

// form is the address of a form, about a thing where there is an id.
func form(path string, id ...uuid.UUID) string {
	if len(id) > 0 {
		path += "?id=" + id[0].String()
	}
	return account.PathSecurity + path
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) enrolled() factor.Enrolled {
	h.t.Helper()
	e, err := factor.EnrolledOf(h.t.Context(), h.DB, h.Box, h.maria)
	h.must(err)
	return e
}

// address gives a person an address that was confirmed.
func (h *house) address(person uuid.UUID, kind factor.ChannelKind, a factor.Address) uuid.UUID {
	h.t.Helper()
	channels, code := factor.NewChannels(h.Box, h.Now), ""
	var id uuid.UUID
	h.must(pg.InTx(h.t.Context(), h.DB, func(tx pg.Tx) (err error) {
		id, err = channels.Add(h.t.Context(), tx, person, kind, a, func(_ context.Context, _ pg.Tx, d factor.Dispatch) error {
			code = d.Code
			return nil
		})
		return err
	}))
	ok, _, err := channels.Confirm(h.t.Context(), h.DB, person, id, code)
	if err != nil || !ok {
		h.t.Fatal(ok, err)
	}
	return id
}

// count runs a query of one number.
func (h *house) count(sql string, args ...any) (n int) {
	h.t.Helper()
	h.must(h.DB.QueryRow(h.t.Context(), sql, args...).Scan(&n))
	return n
}

// passkey sends the form of a new passkey, with what a device made.
func (h *house) passkey(name string) idptest.Page {
	h.t.Helper()
	options := h.Post(form("/aparelho/opcoes"), nil)
	if !json.Valid([]byte(options.Body)) {
		h.t.Fatalf("no options: %d %s", options.Status, options.URL)
	}
	parsed, err := vw.ParseAttestationOptions(options.Body)
	h.must(err)
	rp := vw.RelyingParty{ID: "localhost", Name: "Vila Esperança", Origin: h.Issuer}
	made := vw.CreateAttestationResponse(rp, vw.NewAuthenticator(), vw.NewCredential(vw.KeyTypeEC2), *parsed)
	return h.Post(form("/aparelho"), url.Values{"name": {name}, "credential": {made}})
}

var secretText = regexp.MustCompile(`<code id="secret">([A-Z2-7 ]+)</code>`)

// app goes through the forms of a new app and returns the page after its code.
func (h *house) app() idptest.Page {
	h.t.Helper()
	p := at(h.t, h.Post(form("/aplicativo"), url.Values{"name": {"Celular"}}), form("/aplicativo/codigo"))
	shown := secretText.FindStringSubmatch(p.Body)
	if shown == nil {
		h.t.Fatalf("no secret on %s", p.Main())
	}
	code, err := totp.GenerateCode(strings.ReplaceAll(shown[1], " ", ""), h.Now())
	h.must(err)
	return h.Form(p, url.Values{"code": {code}})
}

// told waits for the letter that tells of an event, and returns the path of its link.
func (h *house) told(to, what string) string {
	h.t.Helper()
	_, link, ok := strings.Cut(h.letter(to, what), h.Issuer+"/n/")
	if !ok {
		h.t.Fatalf("the letter on %q has no link", what)
	}
	return "/n/" + strings.Fields(link)[0]
}

// letter waits for a letter of this subject.
func (h *house) letter(to, subject string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	for seen := uint64(0); ; {
		m, err := h.Outbox.Wait(ctx, to, seen)
		if err != nil {
			h.t.Fatalf("no letter %q to %s: %v", subject, to, err)
		}
		if strings.Contains(m.Subject, subject) {
			return m.Text
		}
		seen = m.ID
	}
}

// done makes sure that a change went through and the page says so.
func (h *house) done(p idptest.Page) {
	h.t.Helper()
	if at(h.t, p, account.PathSecurity); p.Status != http.StatusOK || !strings.Contains(p.Body, `id="done"`) {
		h.t.Fatalf("%d %s: nothing was done\n%s", p.Status, p.URL, p.Main())
	}
}

// refused makes sure that a form came back with its fault.
func (h *house) refused(p idptest.Page, words string) {
	h.t.Helper()
	if p.Status != http.StatusUnprocessableEntity || !strings.Contains(p.Main(), words) {
		h.t.Errorf("%s: status %d, and not %q in\n%s", p.URL, p.Status, words, p.Main())
	}
}
