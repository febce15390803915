package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// agent speaks HTTP over connections of its own, kept alive, and keeps cookies where it is a
// citizen's browser.
type agent struct {
	base    string
	http    *http.Client
	cookies map[string]string
}

func newAgent(base string) *agent {
	return &agent{base: base, cookies: map[string]string{}, http: &http.Client{Timeout: time.Minute,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// do sends a request and checks the status. where is the Location of a redirect.
func (a *agent) do(r *http.Request, want int) (body []byte, where string, err error) {
	res, err := a.http.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	if body, err = io.ReadAll(res.Body); err != nil {
		return nil, "", err
	}
	if res.StatusCode != want {
		return nil, "", fmt.Errorf("%s %s: status %d, want %d: %.300s", r.Method, r.URL.Path, res.StatusCode, want, body)
	}
	return body, res.Header.Get("Location"), nil
}

// page is a request of the browser, with its cookies.
func (a *agent) page(method, target string, form url.Values, want int) (where string, err error) {
	if strings.HasPrefix(target, "/") {
		target = a.base + target
	}
	r, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", a.base)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range a.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := a.http.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("%s %s: status %d, want %d: %.300s", method, r.URL.Path, res.StatusCode, want, body)
	}
	for _, c := range res.Cookies() {
		if a.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(a.cookies, c.Name)
		}
	}
	return res.Header.Get("Location"), err
}

// call posts a form as the service; the answer is read into v unless it is nil.
func (a *agent) call(path string, form url.Values, v any) error {
	r, err := http.NewRequest(http.MethodPost, a.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(serviceID, serviceSecret)
	body, _, err := a.do(r, http.StatusOK)
	if err != nil || v == nil {
		return err
	}
	return json.Unmarshal(body, v)
}

// get reads a resource with a token; "" without one.
func (a *agent) get(path, token string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, a.base+path, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	body, _, err := a.do(r, http.StatusOK)
	return body, err
}
