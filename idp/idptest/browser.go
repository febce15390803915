package idptest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/secret"
)

// Browser is one citizen's browser without JavaScript: it keeps cookies and follows redirects
// only as long as they stay in the city.
type Browser struct {
	City *City
	HTTP *http.Client
	t    testing.TB
}

// Browser opens a new one.
func (c *City) Browser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{City: c, t: t, HTTP: &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: 4},
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if !strings.HasPrefix(r.URL.String(), c.Issuer) {
				return http.ErrUseLastResponse
			}
			return nil
		}}}
}

// Page is what the browser shows after its redirects.
type Page struct {
	Status   int
	URL      *url.URL // where it ended in the city
	Header   http.Header
	Body     string
	Location *url.URL // where it was sent outside the city; nil when it was not
}

// Get opens a path or URL.
func (b *Browser) Get(target string) Page {
	b.t.Helper()
	return b.do(must(http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.absolute(target), nil))(b.t))
}

// Post sends a form as a browser on a page of the city does.
func (b *Browser) Post(target string, form url.Values) Page {
	b.t.Helper()
	for name, values := range form {
		if sensitive[name] {
			used.add(values...)
		}
	}
	r := must(http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.absolute(target), strings.NewReader(form.Encode())))(b.t)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.City.Issuer)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

var sensitive = map[string]bool{"cpf": true, "email": true, "password": true, "code": true, "token": true, "refresh_token": true,
	"client_secret": true, "client_assertion": true, "name": true, "phone_number": true, "phone": true, "passport": true, "birthdate": true, "login_hint": true, "t": true, "answer": true}

func (b *Browser) absolute(target string) string {
	if strings.HasPrefix(target, "/") {
		return b.City.Issuer + target
	}
	return target
}

func (b *Browser) do(r *http.Request) Page {
	b.t.Helper()
	res, err := b.HTTP.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body := must(io.ReadAll(res.Body))(b.t)
	p := Page{Status: res.StatusCode, URL: res.Request.URL, Header: res.Header, Body: string(body)}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		p.Location = must(res.Location())(b.t)
		if code := p.Params().Get("code"); code != "" {
			used.add(code)
		}
	}
	return p
}

// Params are the authorization response of a redirect, by query or fragment.
func (p Page) Params() url.Values {
	if p.Location == nil {
		return url.Values{}
	}
	params := p.Location.Query()
	if fragment, err := url.ParseQuery(p.Location.Fragment); err == nil {
		maps.Copy(params, fragment)
	}
	return params
}

// Form sends the page's first form with these values.
func (b *Browser) Form(p Page, values url.Values) Page {
	b.t.Helper()
	action := p.Action()
	if action == "" {
		b.t.Fatalf("no form on %s (%d):\n%s", p.URL, p.Status, p.Main())
	}
	return b.Post(action, values)
}

// Main is the part of the page that is its own.
func (p Page) Main() string {
	_, rest, _ := strings.Cut(p.Body, "<main")
	text, _, _ := strings.Cut(rest, "</main>")
	return text
}

// Action is where the page's first form goes; "" without one.
func (p Page) Action() string {
	action := formAction.FindStringSubmatch(p.Body)
	if action == nil {
		return ""
	}
	return strings.ReplaceAll(action[1], "&amp;", "&")
}

var formAction = regexp.MustCompile(`<form[^>]*method="post"[^>]*action="([^"]+)"`)

// Request is an authorization request under way.
type Request struct {
	ClientID, RedirectURI, Verifier string
	Params                          url.Values
}

// Request makes a valid authorization request of a service; more replaces its parameters, an
// empty value removes one.
func (c *City) Request(clientID string, more url.Values) Request {
	c.t.Helper()
	app, ok := c.Clients.Get(clientID)
	if !ok {
		c.t.Fatalf("no service %s", clientID)
	}
	r := Request{ClientID: clientID, RedirectURI: app.RedirectURIs[0], Verifier: secret.Token()}
	sum := sha256.Sum256([]byte(r.Verifier))
	r.Params = url.Values{"client_id": {clientID}, "redirect_uri": {r.RedirectURI}, "response_type": {"code"},
		"scope": {"openid profile email"}, "state": {"state-1"}, "nonce": {"nonce-1"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
	for name, values := range more {
		if r.Params[name] = values; len(values) == 1 && values[0] == "" {
			r.Params.Del(name)
		}
	}
	return r
}

// Open sends the browser to the authorization endpoint.
func (b *Browser) Open(r Request) Page {
	b.t.Helper()
	return b.Get("/oauth/authorize?" + r.Params.Encode())
}

// SignIn goes through CPF and password from an authorization request's first page.
func (b *Browser) SignIn(p Page, cpf, password string) Page {
	b.t.Helper()
	return b.Form(b.Form(p, url.Values{"cpf": {cpf}}), url.Values{"password": {password}})
}

// Allow approves the consent page with these optional claims.
func (b *Browser) Allow(p Page, optional ...string) Page {
	b.t.Helper()
	return b.Form(p, url.Values{"decision": {"allow"}, "optional": optional})
}

// Authorize takes a citizen with an account all the way to a code.
func (b *Browser) Authorize(r Request, cpf string) string {
	b.t.Helper()
	p := b.Open(r)
	if p.Location == nil && strings.HasPrefix(p.URL.Path, "/entrar") {
		p = b.SignIn(p, cpf, Password)
	}
	if p.Location == nil && p.URL.Path == "/consentimento" {
		p = b.Allow(p)
	}
	code := p.Params().Get("code")
	if code == "" {
		b.t.Fatalf("no code: %d %s %v\n%s", p.Status, p.URL, p.Location, p.Main())
	}
	return code
}

// Answer is what an endpoint for services said.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// JSON reads a member of the answer; nil when it is not there.
func (a Answer) JSON(member string) any {
	var all map[string]any
	if json.Unmarshal([]byte(a.Body), &all) != nil {
		return nil
	}
	return all[member]
}

// Text is a string member of the answer.
func (a Answer) Text(member string) string {
	s, _ := a.JSON(member).(string)
	return s
}

// Call posts a form to an endpoint as a service with its secret (client_secret_basic); an empty
// clientID sends no authentication.
func (c *City) Call(path, clientID string, form url.Values) Answer {
	c.t.Helper()
	r := must(http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.Issuer+path, strings.NewReader(form.Encode())))(c.t)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if clientID != "" {
		r.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(Secret(clientID)))
	}
	return c.Do(r)
}

// Do sends any request and reads the answer; tokens in it are remembered for [Main].
func (c *City) Do(r *http.Request) Answer {
	c.t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: string(must(io.ReadAll(res.Body))(c.t))}
	for _, member := range []string{"access_token", "refresh_token", "id_token", "email", "cpf", "name", "phone_number"} {
		used.add(a.Text(member))
	}
	return a
}

// Exchange redeems a code with client_secret_basic.
func (c *City) Exchange(r Request, code string) Answer {
	c.t.Helper()
	return c.Call("/oauth/token", r.ClientID, url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {r.RedirectURI}, "code_verifier": {r.Verifier}})
}

// Tokens signs somebody in to a service in a new browser and returns the token response.
func (c *City) Tokens(r Request, cpf string) Answer {
	c.t.Helper()
	a := c.Exchange(r, c.Browser(c.t).Authorize(r, cpf))
	if a.Status != http.StatusOK {
		c.t.Fatalf("token endpoint: %d %s", a.Status, a.Body)
	}
	return a
}

// Userinfo asks with an access token.
func (c *City) Userinfo(access string) Answer {
	c.t.Helper()
	r := must(http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.Issuer+"/userinfo", nil))(c.t)
	r.Header.Set("Authorization", "Bearer "+access)
	return c.Do(r)
}

// Claims decodes a JWT's payload without checking it.
func Claims(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	var claims map[string]any
	if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(parts[1]))(t), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
