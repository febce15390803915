package idp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/url"

	"github.com/loginunico/loginunico/idp/client"
)

type clientKey struct{}

// endpoint is what the token, revocation and introspection endpoints share, before any of them
// looks at its request.
type endpoint struct {
	auth *client.Authenticator
	cors *cors
	log  *slog.Logger
}

// harden lets through POSTs of one well-formed form from an authenticated client, and no other
// request.
//
//	POST only                        RFC 6749 §3.2
//	nothing in the query             RFC 6749 §2.3.1: secrets must not be in the URI
//	no parameter twice               RFC 6749 §3.2; resource may be (RFC 8707 §2)
//	no-store                         RFC 6749 §5.1
//	401 with WWW-Authenticate        RFC 6749 §5.2
//
// The credentials are taken out of the request before it goes on.
func (e *endpoint) harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		if e.cors.handled(w, r) {
			return
		}
		if status, why := wellFormed(w, r); status != 0 {
			oauthError(w, status, "invalid_request", why)
			return
		}
		c, err := e.auth.Authenticate(r.Context(), r)
		if err != nil {
			e.refuse(w, r, err)
			return
		}
		for _, used := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
			r.PostForm.Del(used)
		}
		r.PostForm.Set("client_id", c.ID)
		r.Form = r.PostForm
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, c)))
	})
}

func wellFormed(w http.ResponseWriter, r *http.Request) (status int, why string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return http.StatusMethodNotAllowed, "only POST"
	}
	if r.URL.RawQuery != "" {
		return http.StatusBadRequest, "parameters belong in the body, not in the URI"
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return http.StatusBadRequest, "the body must be application/x-www-form-urlencoded"
	}
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return http.StatusRequestEntityTooLarge, "the body is too large"
		}
		return http.StatusBadRequest, "the body is not a form"
	}
	if twice(r.PostForm) {
		return http.StatusBadRequest, "a parameter appears twice"
	}
	return 0, ""
}

func twice(form url.Values) bool {
	for name, values := range form {
		if len(values) > 1 && name != "resource" {
			return true
		}
	}
	return false
}

func (e *endpoint) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refused *client.AuthError
	if !errors.As(err, &refused) {
		e.log.ErrorContext(r.Context(), "client authentication", "error", err.Error())
		oauthError(w, http.StatusInternalServerError, "server_error", "something failed on our side")
		return
	}
	status := http.StatusBadRequest
	if refused.Code == client.CodeInvalidClient {
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="loginunico", charset="UTF-8"`)
	}
	oauthError(w, status, refused.Code, refused.Description)
}

func oauthError(w http.ResponseWriter, status int, code, why string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": why})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that went away is no error of ours
}
