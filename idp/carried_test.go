package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/idptest"
)

// interactions counts rows, and those that are over.
func interactions(t *testing.T, city *idptest.City) (all, finished int) {
	t.Helper()
	if err := city.DB.QueryRow(t.Context(), `SELECT count(*), count(finished_at) FROM interaction`).Scan(&all, &finished); err != nil {
		t.Fatal(err)
	}
	return all, finished
}

// visits are the cookies of the visits a browser carries.
func visits(t *testing.T, b *idptest.Browser) (all []*http.Cookie) {
	t.Helper()
	for _, c := range b.HTTP.Jar.Cookies(issuerURL(t, b)) {
		if strings.Contains(c.Name, "visita-") {
			all = append(all, c)
		}
	}
	return all
}

func issuerURL(t *testing.T, b *idptest.Browser) *url.URL {
	t.Helper()
	u, err := url.Parse(b.City.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// atThePassword is a browser that Maria has used before, which nothing but her password is asked of.
func atThePassword(t *testing.T) (*idptest.City, *idptest.Browser, idptest.Page) {
	t.Helper()
	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	b.Authorize(everything(city, "biblioteca"), maria)
	b.Post("/conta/sair", nil)
	p := at(t, b.Open(everything(city, "biblioteca")), "/entrar")
	p = at(t, b.Form(p, with("cpf", maria)), "/entrar/senha")
	return city, b, p
}

func TestTheGrantOfASignInIsTheEndOfItsVisit(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	b.Authorize(everything(city, "biblioteca"), maria) // with the consent
	b.Post("/conta/sair", nil)
	before, _ := interactions(t, city)

	p := at(t, b.Open(everything(city, "biblioteca")), "/entrar")
	p = at(t, b.Form(p, with("cpf", maria)), "/entrar/senha")
	if all, _ := interactions(t, city); all != before || len(visits(t, b)) != 1 {
		t.Errorf("%d rows before the password, %d cookies", all-before, len(visits(t, b)))
	}
	visit := uuid.MustParse(p.URL.Query().Get("i"))
	if p = b.Form(p, with("password", idptest.Password)); p.Params().Get("code") == "" {
		t.Fatalf("no code at %s", p.URL)
	}
	if all, _ := interactions(t, city); all != before || len(visits(t, b)) != 0 {
		t.Errorf("%d rows, %d cookies", all-before, len(visits(t, b)))
	}
	var client string
	if err := city.DB.QueryRow(t.Context(), `SELECT client_id FROM oauth_grant WHERE id = $1`, visit).Scan(&client); err != nil || client != "biblioteca" {
		t.Errorf("the visit's grant is for %q, %v", client, err)
	}
}

func TestAKeptVisitIsNotAnsweredTwice(t *testing.T) {
	t.Parallel()

	city, b, p := atThePassword(t)
	kept := visits(t, b)
	if first := b.Form(p, with("password", idptest.Password)); first.Params().Get("code") == "" {
		t.Fatalf("no code at %s", first.URL)
	}
	b.Post("/conta/sair", nil)
	b.HTTP.Jar.SetCookies(issuerURL(t, b), kept)
	if again := b.Form(p, with("password", idptest.Password)); again.Location != nil || again.Status != http.StatusGone {
		t.Errorf("the visit was answered again: %d %v", again.Status, again.Location)
	}
	b.HTTP.Jar.SetCookies(issuerURL(t, b), kept)
	b.Form(p, with("password", "not it")) // whatever makes a row of a visit makes none of this one
	if all, finished := interactions(t, city); all != finished {
		t.Errorf("%d visits are open again", all-finished)
	}
	b.HTTP.Jar.SetCookies(issuerURL(t, b), kept)
	if again := b.Get(of(p, "/entrar/cancelar")); again.Location != nil || again.Status != http.StatusGone {
		t.Errorf("the visit was cancelled after its end: %d %v", again.Status, again.Location)
	}
}

func TestAVisitThatWasCancelledIsNotAnsweredByItsKeptCookie(t *testing.T) {
	t.Parallel()

	city, b, p := atThePassword(t)
	kept := visits(t, b)
	b.Get(of(p, "/entrar/cancelar"))
	b.HTTP.Jar.SetCookies(issuerURL(t, b), kept)
	var before, after int
	sql := `SELECT count(*) FROM oauth_grant`
	if err := city.DB.QueryRow(t.Context(), sql).Scan(&before); err != nil {
		t.Fatal(err)
	}
	if again := b.Form(p, with("password", idptest.Password)); again.Location != nil || again.Status != http.StatusGone {
		t.Errorf("the visit was answered after its end: %d %v", again.Status, again.Location)
	}
	if err := city.DB.QueryRow(t.Context(), sql).Scan(&after); err != nil || after != before {
		t.Errorf("%d grants, then %d, %v", before, after, err)
	}
}

func TestACarriedVisitBelongsToItsBrowser(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	b, thief := city.Browser(t), city.Browser(t)
	p := at(t, b.Form(at(t, b.Open(everything(city, "biblioteca")), "/entrar"), with("cpf", maria)), "/entrar/senha")
	at(t, thief.Open(everything(city, "biblioteca")), "/entrar") // has a browser's cookie of its own
	stolen := visits(t, b)
	if len(stolen) != 1 || strings.Contains(stolen[0].Value, "biblioteca") {
		t.Fatalf("visits: %v", stolen)
	}
	thief.HTTP.Jar.SetCookies(issuerURL(t, b), stolen)
	if got := thief.Get(p.URL.RequestURI()); got.Status != http.StatusGone {
		t.Errorf("another browser: %d", got.Status)
	}
	changed := *stolen[0]
	changed.Value = changed.Value[:len(changed.Value)-2] + strings.Map(func(r rune) rune { return 'A' + (r+1)%26 }, changed.Value[len(changed.Value)-2:])
	b.HTTP.Jar.SetCookies(issuerURL(t, b), []*http.Cookie{&changed})
	if got := b.Get(p.URL.RequestURI()); got.Status != http.StatusGone {
		t.Errorf("a changed visit: %d", got.Status)
	}
	b.HTTP.Jar.SetCookies(issuerURL(t, b), stolen)
	at(t, b.Get(p.URL.RequestURI()), "/entrar/senha")
	city.Advance(31 * 60e9)
	b.HTTP.Jar.SetCookies(issuerURL(t, b), stolen)
	if got := b.Get(p.URL.RequestURI()); got.Status != http.StatusGone {
		t.Errorf("after half an hour: %d", got.Status)
	}
}

// Another process opens what this one has sealed; the first time, and then as it remembers it.
func TestACarriedVisitGoesOnAtAnyProcessAndInItsBrowserAlone(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	twin := city.Twin()
	b, thief := city.Browser(t), city.Browser(t)
	p := at(t, b.Form(at(t, b.Open(everything(city, "biblioteca")), "/entrar"), with("cpf", maria)), "/entrar/senha")
	at(t, thief.Open(everything(city, "biblioteca")), "/entrar") // has a browser's cookie of its own
	own, mixed := b.HTTP.Jar.Cookies(issuerURL(t, b)), append(visits(t, b), thief.HTTP.Jar.Cookies(issuerURL(t, b))...)
	for range 3 {
		for _, process := range []string{city.Issuer, twin} {
			if got := statusWith(t, process+p.URL.RequestURI(), own); got != http.StatusOK {
				t.Errorf("its browser at %s: %d", process, got)
			}
			if got := statusWith(t, process+p.URL.RequestURI(), mixed); got != http.StatusGone {
				t.Errorf("another browser at %s: %d", process, got)
			}
		}
	}
}

// statusWith is what a GET with these cookies is answered.
func statusWith(t *testing.T, target string, cookies []*http.Cookie) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestVisitsThatABrowserCannotCarryAreRows(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	var pages []idptest.Page
	for range 5 {
		pages = append(pages, at(t, b.Open(everything(city, "biblioteca")), "/entrar"))
	}
	if all, _ := interactions(t, city); all != 2 || len(visits(t, b)) != 3 {
		t.Errorf("five visits: %d rows, %d cookies", all, len(visits(t, b)))
	}
	large := city.Browser(t)
	pages = append(pages, at(t, large.Open(everything(city, "biblioteca", "state", strings.Repeat("s", 1000), "nonce", strings.Repeat("n", 1000))), "/entrar"))
	if all, _ := interactions(t, city); all != 3 || len(visits(t, large)) != 0 {
		t.Errorf("a large one: %d rows, %d cookies", all, len(visits(t, large)))
	}
	for i, p := range pages[:5] { // each goes on
		at(t, b.Form(p, with("cpf", maria)), "/entrar/senha")
		if t.Failed() {
			t.Fatalf("visit %d", i)
		}
	}
	at(t, large.Form(pages[5], with("cpf", maria)), "/entrar/senha")
}

// Somebody who presses the button twice gets one code and is told that the visit is over.
func TestAVisitThatIsAnsweredManyTimesAtOnceHasOneCode(t *testing.T) {
	t.Parallel()

	city, b, p := atThePassword(t)
	cookies := b.HTTP.Jar.Cookies(issuerURL(t, b))
	answers := make([]idptest.Page, 8) // with more than ten the browser would be asked for a mail code
	var wg sync.WaitGroup
	for i := range answers {
		one := city.Browser(t)
		one.HTTP.Jar.SetCookies(issuerURL(t, b), cookies)
		wg.Go(func() { answers[i] = one.Form(p, with("password", idptest.Password)) })
	}
	wg.Wait()
	codes := 0
	for _, a := range answers {
		switch {
		case a.Params().Get("code") != "":
			codes++
		case a.Status != http.StatusGone:
			t.Errorf("%d %v", a.Status, a.Location)
		}
	}
	var grants, sessions int
	if err := city.DB.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM oauth_grant), (SELECT count(*) FROM session)`).Scan(&grants, &sessions); err != nil {
		t.Fatal(err)
	}
	if codes != 1 || grants != 2 || sessions != 2 { // with those of the first sign-in
		t.Errorf("%d codes, %d grants, %d sessions", codes, grants, sessions)
	}
}
