package idp_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
)

// awaitCode waits for a code that is not the one before.
func awaitCode(t *testing.T, city *idptest.City, to, before string) string {
	t.Helper()
	for range 400 {
		if code := city.Code(to); code != before {
			return code
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	t.Fatal("no other code")
	return ""
}

var (
	anyID        = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyReference = regexp.MustCompile(`<code>[0-9a-f]{12}</code>`)
)

// seen is all that somebody who does not own a CPF can tell apart.
func seen(p idptest.Page, cpf string) string {
	header := p.Header.Clone()
	for _, name := range []string{"Date", "X-Request-Id", "Content-Length", "Set-Cookie"} {
		header.Del(name)
	}
	all := fmt.Sprint(p.Status, p.URL.Path, header, len(p.Header.Values("Set-Cookie")), "\n", p.Body)
	all = anyReference.ReplaceAllString(anyID.ReplaceAllString(all, "ID"), "REF")
	return strings.ReplaceAll(all, cpf, "CPF")
}

func TestAKnownAndAnUnknownCPFLookAndCostTheSame(t *testing.T) {
	t.Parallel()

	for name, letters := range map[string]int{"as long as letters are sent": 9, "and after": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limits := factor.Limits{Window: time.Hour, Pair: 2, CPF: 40, Address: 900, Global: 900, Mails: letters}
			city := idptest.Start(t, []string{biblioteca}, idptest.WithLimits(limits))
			city.Person(maria, 3, mariaFields())
			fresh := func() { // nothing counted, and the whole window ahead: pages tell its minutes
				city.Advance(city.Now().Truncate(time.Hour).Add(2 * time.Hour).Sub(city.Now()))
			}
			fresh()
			known := strangersWalk(t, city, maria)
			fresh()
			unknown := strangersWalk(t, city, joao)
			for i := range known {
				if known[i].page != unknown[i].page {
					t.Errorf("step %d: the pages differ\n%s\n---- unknown:\n%s", i, known[i].page, unknown[i].page)
				}
				asks := i > 0 // a typed CPF is kept by its own browser, and asks the database nothing
				if known[i].statements != unknown[i].statements || (known[i].statements != "") != asks {
					t.Errorf("step %d: the statements differ\n%s\n---- unknown:\n%s", i, known[i].statements, unknown[i].statements)
				}
			}
		})
	}
}

// step is one request: what came back, and the SQL it took.
type step struct{ page, statements string }

// strangersWalk tries everything that somebody without its password and mailbox can do with a CPF.
func strangersWalk(t *testing.T, city *idptest.City, cpf string) (steps []step) {
	t.Helper()
	b := city.Browser(t)
	first := at(t, b.Open(everything(city, "biblioteca")), "/entrar")
	city.Statements()
	note := func(p idptest.Page) idptest.Page {
		steps = append(steps, step{seen(p, cpf), strings.Join(city.Statements(), "\n---\n")})
		return p
	}
	password := at(t, note(b.Form(first, with("cpf", cpf))), "/entrar/senha")
	note(b.Form(password, with("password", "not-the-password")))
	note(b.Form(password, with("password", "not-the-password")))
	unlock := at(t, note(b.Form(password, with("password", "not-the-password"))), "/entrar/codigo")
	note(b.Form(unlock, with("code", "000 00a")))
	for range 3 {
		note(b.Post(of(unlock, "/entrar/codigo/novo"), nil))
	}
	register := at(t, note(b.Get(of(first, "/cadastro"))), "/cadastro")
	note(b.Form(register, with("cpf", cpf, "email", novoEmail, "password", idptest.Password)))
	note(b.Get(of(first, "/cadastro/codigo")))
	note(b.Post(of(first, "/cadastro/codigo"), with("code", "000 00a")))
	note(b.Post(of(first, "/cadastro/codigo/novo"), nil))
	for range 5 {
		note(b.Post(of(first, "/cadastro/codigo"), with("code", "000 00a")))
	}
	return steps
}

func TestRegisteringAnothersCPFTellsItsOwnerAndNobodyElse(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	p := b.Get(of(at(t, b.Open(everything(city, "biblioteca")), "/entrar"), "/cadastro"))
	p = at(t, b.Form(p, with("cpf", maria, "email", novoEmail, "password", "Outra-Senha-2026")), "/cadastro/codigo")
	letter := city.Letter("maria@example.org")
	if !strings.Contains(letter, "Você já tem conta") || strings.Contains(letter, novoEmail) || regexp.MustCompile(`\b\d{6}\b`).MatchString(letter) {
		t.Errorf("letter: %s", letter)
	}
	if m, sent := city.Outbox.Last(novoEmail); sent {
		t.Errorf("the stranger got %q", m.Text)
	}
	at(t, b.Form(p, with("code", "000000")), "/cadastro/codigo")
	owner := city.Browser(t)
	at(t, owner.SignIn(owner.Open(everything(city, "biblioteca")), maria, idptest.Password), "/consentimento")
}

func TestTheOwnerOfABusyCPFComesInByMailCode(t *testing.T) {
	t.Parallel()

	limits := factor.DefaultLimits
	limits.CPF = 3
	city := idptest.Start(t, []string{biblioteca}, idptest.WithLimits(limits))
	city.Person(maria, 3, mariaFields())
	usual := city.Browser(t)
	usual.Authorize(everything(city, "biblioteca"), maria)
	for stopped := false; !stopped; {
		attacker := city.Browser(t)
		p := attacker.SignIn(attacker.Open(everything(city, "biblioteca")), maria, "a-guess-of-many")
		stopped = p.URL.Path == "/entrar/codigo"
	}
	stale := city.Code("maria@example.org") // the attacker's last try sent one
	usual.Get("/sair")                      // shows the confirmation and ends nothing
	again := usual.Open(everything(city, "biblioteca", "prompt", "login"))
	if p := usual.Form(at(t, again, "/entrar/senha"), with("password", idptest.Password)); p.Params().Get("code") == "" {
		t.Errorf("the usual browser was stopped at %s", p.URL)
	}
	fresh := city.Browser(t)
	p := at(t, fresh.SignIn(fresh.Open(everything(city, "biblioteca")), maria, idptest.Password), "/entrar/codigo")
	lacks(t, p, "m***@")
	p = at(t, fresh.Form(p, with("code", awaitCode(t, city, "maria@example.org", stale))), "/entrar/senha")
	if p = fresh.Form(p, with("password", idptest.Password)); p.Params().Get("code") == "" {
		t.Errorf("the owner in a new browser was stopped at %s", p.URL)
	}
}
