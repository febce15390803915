package flow

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/loginunico/loginunico/themes"
)

// respondURL puts an authorization response into the redirect URI, by query or fragment.
// OAuth 2.0 Multiple Response Type Encoding Practices §2.1.
func respondURL(r Request, params url.Values) string {
	if r.ResponseMode == "fragment" {
		return r.RedirectURI + "#" + params.Encode()
	}
	sep := "?"
	if strings.Contains(r.RedirectURI, "?") {
		sep = "&" // RFC 6749 §3.1.2: a registered query is kept
	}
	return r.RedirectURI + sep + params.Encode()
}

// complete adds what every response carries, errors included: state and iss. RFC 9207 §2.
func complete(issuer string, r Request, params url.Values) url.Values {
	if r.State != "" {
		params.Set("state", r.State)
	}
	params.Set("iss", issuer)
	return params
}

// formPost is the response as a page that posts itself to the service, or by its button without
// JavaScript. OAuth 2.0 Form Post Response Mode §2.
func formPost(r Request, params url.Values) themes.FormPost {
	fields := make(map[string]string, len(params))
	for name := range params {
		fields[name] = params.Get(name)
	}
	return themes.FormPost{RedirectURI: r.RedirectURI, Fields: fields}
}

// formActions lists where a form inside this authorization may end up: Chromium applies
// form-action to every redirect after a POST, so the service's origin must be in it.
func formActions(uri string) []string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return nil
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return []string{u.Scheme + ":"}
	}
	return []string{u.Scheme + "://" + u.Host}
}

const seeOther = http.StatusSeeOther // RFC 9700 §4.12: a POST must never be repeated at the target
