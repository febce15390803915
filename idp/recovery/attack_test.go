package recovery_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

// direct sends a form to the city without a network, from any address, with these cookies.
func direct(city *idptest.City, path string, form url.Values, from string, cookies []*http.Cookie) *http.Response {
	r := httptest.NewRequest(http.MethodPost, city.Issuer+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.RemoteAddr = from
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return city.Serve(r)
}

// cookiesOf are those of a browser.
func cookiesOf(t *testing.T, b *idptest.Browser) []*http.Cookie {
	t.Helper()
	return b.HTTP.Jar.Cookies(must(url.Parse(b.City.Issuer))(t))
}

// atOnce runs something fifty times at once and counts how often it won.
func atOnce(won func() bool) (n int32) {
	var wins atomic.Int32
	var wg sync.WaitGroup
	ready := make(chan struct{})
	for range 50 {
		wg.Go(func() {
			<-ready
			if won() {
				wins.Add(1)
			}
		})
	}
	close(ready)
	wg.Wait()
	return wins.Load()
}

func TestOneCodeUsedManyTimesAtOnceIsTakenOnceAndGivesOnePassword(t *testing.T) {
	t.Parallel()

	city := start(t)
	b := city.Browser(t)
	page := ask(t, b, maria, "mail").URL.RequestURI()
	form, cookies := with("code", mailboxOf(city, mariasMail).code(t)), cookiesOf(t, b)
	to := func(path string, form url.Values, want string) func() bool {
		return func() bool {
			return strings.HasPrefix(direct(city, path, form, "192.0.2.1:1", cookies).Header.Get("Location"), want)
		}
	}
	proven := 0
	count := func(sql string) (n int) {
		if err := city.DB.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// Whoever comes after the first is in the browser that has proven it, and is shown the next page:
	// what counts is that the code was taken once.
	atOnce(to(page, form, "/recuperar/senha"))
	if proven = count(`SELECT tries FROM recovery`); proven != 1 {
		t.Errorf("the code was taken %d times", proven)
	}
	password := strings.Replace(page, "codigo", "senha", 1)
	if n := atOnce(to(password, with("password", fresh), "/conta")); n != 1 {
		t.Errorf("%d of 50 set the password", n)
	}
	if n := count(`SELECT count(*) FROM session WHERE ended_at IS NULL`); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestOneLinkUsedInManyBrowsersAtOnceIsTakenByOne(t *testing.T) {
	t.Parallel()

	city := start(t)
	ask(t, city.Browser(t), maria, "mail")
	token := strings.TrimPrefix(mailboxOf(city, mariasMail).link(t), "/recuperar/link?t=")
	if n := atOnce(func() bool {
		return direct(city, "/recuperar/link", with("t", token), "192.0.2.1:1", nil).StatusCode == http.StatusSeeOther
	}); n != 1 {
		t.Errorf("%d of 50 browsers took it", n)
	}
}

func TestTheCodeAndTheLinkOfOneRecoveryAtOnceLetOneBrowserOn(t *testing.T) {
	t.Parallel()

	city := start(t)
	b := city.Browser(t)
	page := ask(t, b, maria, "mail").URL.RequestURI()
	box := mailboxOf(city, mariasMail)
	token := strings.TrimPrefix(box.link(t), "/recuperar/link?t=")
	code, cookies := mailboxOf(city, mariasMail).code(t), cookiesOf(t, b)
	var turn atomic.Int32
	n := atOnce(func() bool {
		if turn.Add(1) == 1 {
			return strings.HasPrefix(direct(city, page, with("code", code), "192.0.2.1:1", cookies).Header.Get("Location"), "/recuperar/senha")
		}
		return direct(city, "/recuperar/link", with("t", token), "192.0.2.2:1", nil).StatusCode == http.StatusSeeOther
	})
	if n != 1 {
		t.Errorf("%d browsers went on", n)
	}
}

// attacks is how many codes are guessed, each from an address of its own: ten for each recovery begun,
// of which the first five are looked at.
const (
	attacks = 10_000
	begin   = attacks / 10
)

func TestTenThousandWrongCodesFromAsManyAddressesKeepTheOwnerNeitherOutNorWaiting(t *testing.T) {
	t.Parallel()

	city := start(t)
	usual := city.Browser(t)
	at(t, usual.SignIn(usual.Get("/conta"), maria, idptest.Password), "/conta")
	var begun, guessed, wrong atomic.Int64
	var wg sync.WaitGroup
	turns := make(chan int)
	for range 8 {
		wg.Go(func() {
			for n := range turns {
				attack(city, n, &begun, &guessed, &wrong)
			}
		})
	}
	for n := range begin {
		turns <- n
	}
	close(turns)
	wg.Wait()
	if begun.Load() != begin || guessed.Load() != attacks || wrong.Load() != attacks {
		t.Fatalf("%d recoveries begun, %d codes tried, %d refused", begun.Load(), guessed.Load(), wrong.Load())
	}
	worked(t, city)
	if p := usual.Get("/conta"); p.URL.Path != "/conta" {
		t.Errorf("the owner's session ended: at %s", p.URL)
	}
	if !signsIn(t, city, maria, idptest.Password) {
		t.Error("the owner cannot sign in")
	}
	b := city.Browser(t)
	p := ask(t, b, maria, "mail")
	worked(t, city)
	last, _ := city.Outbox.Last(mariasMail)
	code := codeIn.FindString(last.Text)
	if len(code) != 12 {
		t.Errorf("a code of %d digits after so many", len(code))
	}
	p = at(t, b.Form(p, with("code", code)), "/recuperar/senha")
	at(t, b.Form(p, with("password", fresh)), "/conta")
	if !signsIn(t, city, maria, fresh) {
		t.Error("the owner cannot sign in with the new password")
	}
}

// attack begins one recovery of Maria's and tries ten codes at it, each from an address of its own.
func attack(city *idptest.City, n int, begun, guessed, wrong *atomic.Int64) {
	from := func(i int) string { return fmt.Sprintf("10.%d.%d.%d:1", i, n/250, n%250+1) }
	res := direct(city, "/recuperar", with("cpf", maria, "way", "mail"), from(0), nil)
	page, err := res.Location()
	if err != nil || page.Path != "/recuperar/codigo" {
		return
	}
	begun.Add(1)
	for i := range 10 {
		res := direct(city, page.RequestURI(), with("code", fmt.Sprintf("%06d", n*10+i)), from(i+1), res.Cookies())
		guessed.Add(1)
		if res.StatusCode == http.StatusUnprocessableEntity {
			wrong.Add(1)
		}
	}
}
