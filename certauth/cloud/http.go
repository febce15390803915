package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// How long a PSC may take. The citizen waits, and no connection of ours is held.
const (
	wholeTrip = 25 * time.Second
	oneCall   = 10 * time.Second
	mostBytes = 512 << 10 // of any answer
)

// newHTTPClient reaches the hosts of the providers and no other, follows no redirect, uses no proxy
// and keeps no cookies.
func newHTTPClient(all []Provider) *http.Client {
	origins := map[string]bool{}
	for _, p := range all {
		for _, text := range []string{p.Base, p.Authentications} {
			if u, err := url.Parse(text); err == nil && u.Host != "" {
				origins[u.Scheme+"://"+u.Host] = true
			}
		}
	}
	dial := &net.Dialer{Timeout: 4 * time.Second}
	transport := &http.Transport{DialContext: dial.DialContext, TLSHandshakeTimeout: 4 * time.Second, ResponseHeaderTimeout: oneCall,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10}
	return &http.Client{Timeout: oneCall, Transport: only{origins, transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// only refuses every other place.
type only struct {
	origins map[string]bool
	next    http.RoundTripper
}

func (o only) RoundTrip(r *http.Request) (*http.Response, error) {
	if !o.origins[r.URL.Scheme+"://"+r.URL.Host] {
		return nil, errElsewhere
	}
	return o.next.RoundTrip(r)
}

// do reads the answer to a request. What a PSC says of an error stays out of ours: it may hold
// anything. A refusal of our request is ErrRefused, 202 ErrWaiting, all else ErrUnavailable.
func (c *Connector) do(r *http.Request, token string, into any) error {
	r.Header.Set("Accept", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which may hold a CPF
		}
		return because(ErrUnavailable, err.Error())
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBytes+1))
	switch {
	case err != nil:
		return because(ErrUnavailable, err.Error())
	case len(body) > mostBytes:
		return because(ErrUnavailable, "an answer without end")
	case res.StatusCode == http.StatusAccepted:
		return ErrWaiting
	case res.StatusCode == http.StatusOK || res.StatusCode == http.StatusCreated:
		if json.Unmarshal(body, into) != nil {
			return because(ErrRefused, "an answer that does not read")
		}
		return nil
	case res.StatusCode >= 400 && res.StatusCode < 500 && res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusRequestTimeout:
		var said struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(body, &said) == nil && errors.Is(Refusal(said.Error), ErrDenied) {
			return ErrDenied
		}
		return because(ErrRefused, fmt.Sprintf("status %d", res.StatusCode))
	}
	return because(ErrUnavailable, fmt.Sprintf("status %d", res.StatusCode))
}
