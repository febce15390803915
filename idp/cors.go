package idp

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/loginunico/loginunico/idp/client"
)

// cors opens an endpoint to the browser applications of public clients, and to no other origin:
// a confidential client's secret has no business in a browser. Credentials are never allowed.
// A nil cors opens nothing.
type cors struct {
	clients *client.Registry
	methods string
}

// handled answers a preflight and otherwise adds the header a browser client needs; it reports
// whether the request is done.
func (c *cors) handled(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if c == nil || origin == "" {
		return false
	}
	w.Header().Add("Vary", "Origin")
	if !c.allowed(origin) {
		return r.Method == http.MethodOptions && refusePreflight(w)
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate")
	if r.Method != http.MethodOptions {
		return false
	}
	w.Header().Set("Access-Control-Allow-Methods", c.methods)
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func refusePreflight(w http.ResponseWriter) bool {
	w.WriteHeader(http.StatusForbidden)
	return true
}

// allowed says whether a public client has a redirect URI at this origin.
func (c *cors) allowed(origin string) bool {
	for _, app := range c.clients.All() {
		if app.Auth == client.AuthNone && slices.ContainsFunc(app.RedirectURIs, func(uri string) bool {
			u, err := url.Parse(uri)
			return err == nil && u.Scheme+"://"+u.Host == origin
		}) {
			return true
		}
	}
	return false
}
