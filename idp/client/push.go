package client

import (
	"net/http"
	"time"
)

// NewHTTPClient is what services are told things with, at the addresses of their manifests: logout
// tokens and events. No redirects, since they would carry a token elsewhere, no proxy, 10 seconds.
func NewHTTPClient() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 2},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
