package psctest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var hidden = regexp.MustCompile(`name="id" value="([^"]+)"`)

// Allow is a citizen without a browser, who agrees, and returns where the PSC sends them then.
func (s *Server) Allow(authorize, cpf string) (string, error) { return s.press(authorize, cpf) }

// Deny refuses.
func (s *Server) Deny(authorize string) (string, error) { return s.press(authorize, "") }

func (s *Server) press(page, cpf string) (string, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(page)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", err
	}
	id := hidden.FindSubmatch(body)
	if id == nil {
		return "", fmt.Errorf("the PSC answered %d: %s", res.StatusCode, body)
	}
	res, err = client.Post(s.Base+"/decide", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"id": {string(id[1])}, "cpf": {cpf}}.Encode()))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	return res.Header.Get("Location"), nil
}

// Answer is a citizen who answers their telephone; it must ring.
func (s *Server) Answer(cpf string) error {
	_, err := s.press(s.Base+"/", cpf)
	return err
}
