package recovery_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
)

// tries is how often each kind of account is tried.
const tries = 200

// sample are the times of one kind of account, in the order they were taken.
type sample []time.Duration

// apart is the two-sample Kolmogorov–Smirnov statistic: the widest gap, 0 to 1, between the shares of
// the samples that took no longer than some time.
func apart(a, b sample) (d float64) {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	for i, j := 0, 0; i < len(a) && j < len(b); {
		t := min(a[i], b[j])
		for i < len(a) && a[i] == t {
			i++
		}
		for j < len(b) && b[j] == t {
			j++
		}
		d = max(d, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return d
}

// bound is what apart stays under, but for one time in a hundred thousand, where two samples of this
// size are of one distribution: c(α)·√(2/n), with c = √(−ln(α/2)/2).
func bound(n int) float64 {
	const alpha = 1e-5
	return math.Sqrt(-math.Log(alpha/2)/2) * math.Sqrt(2/float64(n))
}

func TestTheStatisticTellsSamplesApartAndTheSameOnesNot(t *testing.T) {
	t.Parallel()
	var even, odd, later sample
	for i := range tries {
		even, odd = append(even, time.Duration(2*i)), append(odd, time.Duration(2*i+1))
		later = append(later, time.Duration(2*i+120)) // by less than a third of the spread
	}
	if d := apart(even, odd); d > bound(tries) {
		t.Errorf("alike: %v", d)
	}
	if d := apart(even, later); d <= bound(tries) {
		t.Errorf("not alike: %v", d)
	}
	if d := apart(even, even); d != 0 {
		t.Errorf("the same: %v", d)
	}
}

// caller is one browser without a network between it and the city.
type caller struct {
	city    *idptest.City
	cookies map[string]*http.Cookie
}

func (c *caller) call(method, path string, form url.Values) *http.Response {
	r := httptest.NewRequest(method, c.city.Issuer+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.RemoteAddr = fmt.Sprintf("10.0.0.%d:1", len(c.cookies)) // the limits are another test's
	for _, cookie := range c.cookies {
		r.AddCookie(cookie)
	}
	res := c.city.Serve(r)
	for _, cookie := range res.Cookies() {
		c.cookies[cookie.Name] = cookie
	}
	return res
}

// location follows a redirect by hand.
func location(t testing.TB, res *http.Response, path string) string {
	t.Helper()
	to, err := res.Location()
	if err != nil || to.Path != path {
		t.Fatalf("%d, %v, want %s", res.StatusCode, to, path)
	}
	return to.RequestURI()
}

// ways to find out about a CPF: each prepares a browser, and returns the request that is measured.
var probes = map[string]func(t testing.TB, c *caller, cpf string, n int) func() *http.Response{
	"recovery": func(_ testing.TB, c *caller, cpf string, _ int) func() *http.Response {
		c.call(http.MethodGet, "/recuperar", nil)
		return func() *http.Response { return c.call(http.MethodPost, "/recuperar", with("cpf", cpf, "way", "mail")) }
	},
	"a wrong password": func(t testing.TB, c *caller, cpf string, _ int) func() *http.Response {
		page := location(t, c.call(http.MethodGet, "/conta", nil), "/entrar")
		page = location(t, c.call(http.MethodPost, page, with("cpf", cpf)), "/entrar/senha")
		return func() *http.Response { return c.call(http.MethodPost, page, with("password", "not-the-password")) }
	},
	"registration": func(t testing.TB, c *caller, cpf string, n int) func() *http.Response {
		page := location(t, c.call(http.MethodGet, "/conta", nil), "/entrar")
		page = strings.Replace(page, "/entrar", "/cadastro", 1)
		form := with("cpf", cpf, "email", fmt.Sprintf("alguem%d@example.org", n), "password", idptest.Password)
		return func() *http.Response { return c.call(http.MethodPost, page, form) }
	},
}

// generous limits keep the probes from meeting one: what is measured is the answer, not the refusal.
var generous = factor.Limits{Window: time.Hour, Pair: 1e6, CPF: 1e6, Address: 1e6, Global: 1e6, Mails: 1e6}

func TestKnownAndUnknownAccountsTakeTheSameTimeAndTheSameStatements(t *testing.T) {
	for name, probe := range probes { // one after the other: they are measured
		t.Run(name, func(t *testing.T) {
			city := start(t, idptest.WithLimits(generous), idptest.WithRealHashes())
			took, statements := map[string]sample{}, map[string]int{}
			for n := range tries + 5 {
				pair := []string{maria, joao}
				if n%2 == 1 {
					slices.Reverse(pair) // whoever comes second finds things warmer
				}
				for _, cpf := range pair {
					request := probe(t, &caller{city, map[string]*http.Cookie{}}, cpf, n)
					city.Statements()
					begun := time.Now()
					res := request()
					if n < 5 { // plans and caches are made
						continue
					}
					took[cpf] = append(took[cpf], time.Since(begun))
					statements[cpf] += len(city.Statements())
					if want := map[string]int{"a wrong password": http.StatusUnprocessableEntity}[name]; want != 0 && res.StatusCode != want {
						t.Fatalf("%d", res.StatusCode)
					}
				}
			}
			d := apart(took[maria], took[joao])
			t.Logf("D = %.3f (bound %.3f), medians %v and %v, %d statements each", d, bound(tries), median(took[maria]), median(took[joao]), statements[maria]/tries)
			if d > bound(tries) {
				t.Errorf("known and unknown are told apart by their times: D = %.3f", d)
			}
			if statements[maria] != statements[joao] || statements[maria]%tries != 0 || statements[maria] == 0 {
				t.Errorf("%d statements for the known, %d for the unknown", statements[maria], statements[joao])
			}
		})
	}
}

func median(s sample) time.Duration {
	s = slices.Clone(s)
	slices.Sort(s)
	return s[len(s)/2]
}
