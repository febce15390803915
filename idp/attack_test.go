package idp_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Whoever has a device of their own begins with it, types somebody's CPF, guesses once, and signs in
// by the device: that must not give the tries back.
func TestADeviceOfSomebodyElsesGivesNoTriesBack(t *testing.T) {
	t.Parallel()

	limits := factor.DefaultLimits
	limits.Pair, limits.CPF = 2, 4
	city := idptest.Start(t, []string{biblioteca}, idptest.WithLimits(limits))
	city.Person(maria, 3, mariaFields())
	thief := city.Device(city.Person(joao, 3, map[string]string{"name": "João Batista", "email": "joao@example.com"}), true)
	for n := range limits.Pair + 1 {
		b := city.Browser(t)
		p := at(t, b.Open(everything(city, "biblioteca")), "/entrar")
		options := b.Post(of(p, "/entrar/chave/opcoes"), nil) // of anybody's device
		p = at(t, b.Form(p, url.Values{"cpf": {maria}}), "/entrar/senha")
		if q := b.Form(p, url.Values{"password": {"Nao-e-esta-senha-2026"}}); n == limits.Pair {
			at(t, q, "/entrar/codigo")
			return
		}
		at(t, b.Post(of(p, "/entrar/chave"), url.Values{"credential": {thief.Answer(t, options.Body)}}), "/consentimento")
	}
}

// A password that somebody else knew may be half of a sign-in when its owner gets a new one.
func TestARightPasswordIsHalfOfNothingOnceThereIsAnother(t *testing.T) {
	t.Parallel()

	for name, second := range map[string]func(app *idptest.App) url.Values{
		"without the code": func(*idptest.App) url.Values { return url.Values{"without": {"1"}} },
		"with the code":    func(app *idptest.App) url.Values { return url.Values{"code": {app.Next()}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			city := idptest.Start(t, []string{biblioteca})
			person := city.Person(maria, 3, mariaFields())
			app := city.App(person)
			b := city.Browser(t)
			p := halfway(t, b, everything(city, "biblioteca"))
			city.Advance(time.Second)
			recovered(t, city)
			at(t, b.Form(p, second(app)), "/entrar/senha")
			at(t, b.Get("/conta"), "/entrar")
		})
	}
}

var recoveryCode = regexp.MustCompile(`página: (\d{6})\b`)

// nextCode is the one in the letter that Maria has yet to receive: those of before are asked for first.
func nextCode(t *testing.T, city *idptest.City) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var asked int
	if err := city.DB.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE kind = 'recovery'`).Scan(&asked); err != nil {
		t.Fatal(err)
	}
	for read := uint64(0); ; {
		letter, err := city.Outbox.Wait(ctx, "maria@example.org", read)
		if err != nil {
			t.Fatal(err)
		}
		read = letter.ID
		if code := recoveryCode.FindStringSubmatch(letter.Text); code != nil {
			if asked--; asked == 0 {
				return code[1]
			}
		}
	}
}

// recovered lets Maria back in by mail, in a browser of her own that stays signed in.
func recovered(t *testing.T, city *idptest.City) *idptest.Browser {
	t.Helper()
	b := city.Browser(t)
	p := at(t, b.Form(b.Get("/recuperar"), url.Values{"cpf": {maria}, "way": {"mail"}}), "/recuperar/codigo")
	p = at(t, b.Form(p, url.Values{"code": {nextCode(t, city)}}), "/recuperar/senha")
	at(t, b.Form(p, url.Values{"password": {"Um-Novo-Comeco-2026"}}), "/conta")
	return b
}

// The owner was recovered; then somebody else recovers too, and has set the password of now. The
// owner's app, in the owner's older session, says nothing of it.
func TestASessionOfAnEarlierRecoveryConfirmsNoLaterOne(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{strings.Replace(biblioteca, "department:", "min_level: 3\ndepartment:", 1)})
	person := city.Person(maria, 3, mariaFields())
	app := city.App(person)
	owner := recovered(t, city)
	city.Advance(time.Minute)
	recovered(t, city)

	p := at(t, owner.Open(everything(city, "biblioteca")), "/entrar/nivel")
	p = at(t, owner.Get(of(p, "/entrar/reforco")), "/entrar/reforco")
	if p = owner.Form(p, url.Values{"code": {app.Next()}}); p.Status != http.StatusOK {
		t.Errorf("the app: %d at %s", p.Status, p.URL)
	}
	if held, err := factor.HoldOf(t.Context(), city.DB, person); err != nil || !held.Live() {
		t.Errorf("the later recovery is confirmed: %+v, %v", held, err)
	}
}

// One request answers the code of a number that one has, while another of the same visit types a
// number that one has not: nothing of the second may count as proven.
func TestANumberTypedWhileAnotherIsProvenIsNotProven(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	newTourist(t, city).register(everything(city, "guia"), rosa, "1984-05-06")
	b := newTourist(t, city)
	p := b.ask(everything(city, "guia"), "PY", typedParaguay)
	form := with("code", city.TextCode(paraguay), "recent", "1")

	release := holdNumbers(t, city)
	answered := make(chan idptest.Page)
	go func() { answered <- b.Form(p, form) }()
	waits(t, city)
	at(t, b.Post(of(p, "/entrar/visitante"), with("country", "UY", "phone", "094 123 456")), "/entrar/visitante/codigo")
	release()
	if q := <-answered; q.URL.Path == "/entrar/visitante/confirmar" {
		t.Errorf("the answer went on to %s\n%s", q.URL, q.Main())
	}
	at(t, b.Get(of(p, "/entrar/visitante/confirmar")), "/entrar/visitante/codigo")
}

// holdNumbers keeps the visitors' numbers busy until they are released.
func holdNumbers(t *testing.T, city *idptest.City) (release func()) {
	t.Helper()
	held, done, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	ctx := context.WithoutCancel(t.Context())
	go func() {
		ended <- pg.InTx(ctx, city.DB, func(tx pg.Tx) error {
			_, err := tx.Exec(ctx, `LOCK TABLE visitor IN ACCESS EXCLUSIVE MODE`)
			close(held)
			<-done
			return err
		})
	}()
	<-held
	return func() {
		close(done)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// waits returns when some transaction waits for a lock.
func waits(t *testing.T, city *idptest.City) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for waiting := 0; waiting == 0; <-tick.C {
		err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
			WHERE d.datname = current_database() AND NOT l.granted`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever has taken over a number that a visitor once had must not get into the account that the
// visitor has joined since.
func TestAVisitorsNumberRecoversNoAccount(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia, museu})
	person := city.Person(maria, 3, mariaFields())
	s := newGuest(t, city)
	p := at(t, s.Post("/conta/cpf", nil), "/entrar/sem-cpf")
	at(t, s.SignIn(at(t, s.Form(p, with("account", "join")), "/entrar"), maria, idptest.Password), "/conta")
	has, err := factor.EnrolledOf(t.Context(), city.DB, city.Box, person)
	if err != nil || len(has.Phones) != 0 || len(has.Mails) != 1 {
		t.Errorf("the account is recovered by %v and %v, %v", has.Mails, has.Phones, err)
	}
}

// A service is told the id of a session, as its sid, and a session's cookie begins with it: without the
// rest that opens nothing, and after the session has ended nothing does.
func TestWhoKnowsASIDHoldsNoSession(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{portal})
	city.Person(maria, 1, mariaFields())
	b := city.Browser(t)
	r := city.Request("portal", nil)
	sid := idptest.Claims(t, city.Exchange(r, b.Authorize(r, maria)).Text("id_token"))["sid"].(string)
	cookie := ""
	for _, c := range b.HTTP.Jar.Cookies(issuerURL(t, b)) {
		if c.Name == "loginunico" {
			cookie = c.Value
		}
	}
	id := secret.HandleID(cookie, secret.Unguessable)
	if id.String() != sid {
		t.Fatalf("the session is %s, its cookie leads to %s", sid, id)
	}
	shown := func(value string) string {
		other := city.Browser(t)
		other.HTTP.Jar.SetCookies(issuerURL(t, b), []*http.Cookie{{Name: "loginunico", Value: value}})
		return other.Get("/conta").URL.Path
	}
	for name, value := range map[string]string{"the id and bits of its own": secret.Handle(id, secret.Unguessable), "the id and fewer": secret.Handle(id, secret.Unique),
		"cut short": cookie[:60], "as releases before had it": secret.Token(), "20 KB": strings.Repeat("A", 20_000)} {
		if path := shown(value); path != "/entrar" {
			t.Errorf("%s shows %s", name, path)
		}
	}
	if path := shown(cookie); path != "/conta" {
		t.Fatalf("the cookie itself shows %s", path)
	}
	b.Post("/conta/sair", nil)
	if path := shown(cookie); path != "/entrar" {
		t.Errorf("after the session's end it shows %s", path)
	}
}
