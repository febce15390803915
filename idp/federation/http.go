package federation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// How long gov.br may take. The citizen waits, and no connection of ours is held.
const (
	wholeTrip = 20 * time.Second
	oneCall   = 8 * time.Second
	mostBytes = 256 << 10 // of any answer
)

// newHTTPClient reaches the hosts of the settings and no other, follows no redirect, uses no proxy
// and keeps no cookies.
func newHTTPClient(s Settings) *http.Client {
	dial := &net.Dialer{Timeout: 4 * time.Second}
	transport := &http.Transport{DialContext: dial.DialContext, TLSHandshakeTimeout: 4 * time.Second, ResponseHeaderTimeout: oneCall,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10}
	return &http.Client{Timeout: oneCall, Transport: only{origins(s), transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// origins are the places that requests may go to.
func origins(s Settings) map[string]bool {
	all := map[string]bool{}
	for _, text := range []string{s.Issuer, s.API} {
		if u, err := url.Parse(text); err == nil {
			all[u.Scheme+"://"+u.Host] = true
		}
	}
	return all
}

// only refuses every other place.
type only struct {
	origins map[string]bool
	next    http.RoundTripper
}

var errElsewhere = errors.New("federation: a request to a host that is not configured")

func (o only) RoundTrip(r *http.Request) (*http.Response, error) {
	if !o.origins[r.URL.Scheme+"://"+r.URL.Host] {
		return nil, errElsewhere
	}
	return o.next.RoundTrip(r)
}

// do returns the body of an answer 200. What gov.br says of an error stays out of ours: it may hold
// anything. A refusal of our request is ErrRefused, all else ErrUnavailable.
func (c *Connector) do(r *http.Request) ([]byte, error) {
	r.Header.Set("Accept", "application/json")
	res, err := c.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which may hold a CPF
		}
		return nil, because(ErrUnavailable, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBytes+1))
	switch {
	case err != nil:
		return nil, because(ErrUnavailable, err)
	case len(body) > mostBytes:
		return nil, because(ErrUnavailable, errors.New("an answer without end"))
	case res.StatusCode == http.StatusOK:
		return body, nil
	case res.StatusCode >= 400 && res.StatusCode < 500 && res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusRequestTimeout:
		return nil, because(ErrRefused, fmt.Errorf("status %d", res.StatusCode))
	}
	return nil, because(ErrUnavailable, fmt.Errorf("status %d", res.StatusCode))
}

func (c *Connector) get(ctx context.Context, url, token string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return c.do(r)
}
