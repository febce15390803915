package govbrtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Visitor is a citizen's browser at gov.br, for tests without a real one.
type Visitor struct {
	s    *Server
	http *http.Client
}

// Visitor opens a browser. It shows the service nothing: redirects away from gov.br are returned.
func (s *Server) Visitor() *Visitor {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &Visitor{s, &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if origin(r.URL.String()) != s.Base {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// Allow signs in as the person of a CPF, agrees, and returns where gov.br sends the browser then.
func (v *Visitor) Allow(authorize, cpf string) (string, error) {
	return v.answer(authorize, cpf, "allow")
}

// Deny signs in and refuses.
func (v *Visitor) Deny(authorize, cpf string) (string, error) {
	return v.answer(authorize, cpf, "deny")
}

var hidden = regexp.MustCompile(`name="id" value="([^"]+)"`)

func (v *Visitor) answer(authorize, cpf, decision string) (string, error) {
	res, body, err := v.do(http.NewRequest(http.MethodGet, authorize, nil))
	for _, step := range []struct {
		path string
		form url.Values
	}{{"/login", url.Values{"cpf": {cpf}}}, {"/consent", url.Values{"decision": {decision}}}} {
		id := hidden.FindStringSubmatch(body)
		if err != nil || id == nil || !strings.Contains(body, `action="`+step.path+`"`) {
			continue
		}
		step.form.Set("id", id[1])
		r, bad := http.NewRequest(http.MethodPost, v.s.Base+step.path, strings.NewReader(step.form.Encode()))
		if bad == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, body, err = v.do(r, bad)
	}
	if err != nil {
		return "", err
	}
	to := res.Header.Get("Location")
	if to == "" {
		return "", fmt.Errorf("gov.br answered %d: %s", res.StatusCode, body)
	}
	return to, nil
}

func (v *Visitor) do(r *http.Request, err error) (*http.Response, string, error) {
	if err != nil {
		return nil, "", err
	}
	res, err := v.http.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	var b strings.Builder
	_, err = io.Copy(&b, io.LimitReader(res.Body, 1<<20))
	return res, b.String(), err
}
