package rp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	logoutEvent  = "http://schemas.openid.net/event/backchannel-logout"
	logoutCookie = "demo_logout"
)

// logout signs out here first, then asks the provider to end its session too; the provider
// brings the person back to post_logout_redirect_uri with our state.
//
// OpenID Connect RP-Initiated Logout 1.0 §2.
func (a *app) logout(w http.ResponseWriter, r *http.Request, s Service) {
	v, ok := a.sessions.get(r, s.ID)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.sessions.drop(v.key)
	http.SetCookie(w, &http.Cookie{Name: cookieName(s.ID), Path: "/", MaxAge: -1})
	p, err := a.provider.get()
	if err != nil || p.EndSession == "" || v.rawIDToken == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	state := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: logoutCookie, Value: state, Path: "/", MaxAge: 600, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(a.BaseURL, "https:")})
	http.Redirect(w, r, p.EndSession+"?"+url.Values{
		"id_token_hint":            {v.rawIDToken}, // says who and which service, so that nobody has to be asked
		"client_id":                {s.ID},
		"post_logout_redirect_uri": {a.BaseURL + "/"},
		"state":                    {state},
		"ui_locales":               {a.lang(r)},
	}.Encode(), http.StatusSeeOther)
}

// backFromLogout tells whether the provider has just brought this browser back from signing out.
func backFromLogout(w http.ResponseWriter, r *http.Request) bool {
	cookie, err := r.Cookie(logoutCookie)
	if err != nil || cookie.Value == "" || r.URL.Query().Get("state") != cookie.Value {
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: logoutCookie, Path: "/", MaxAge: -1})
	return true
}

// backchannel hears from the provider, server to server, that somebody signed out: elsewhere, by
// an operator, or because the account was closed. 200 tells it that we have heard; a token that
// comes twice, since our answer may have been lost, is heard again and does nothing.
//
// OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8.
func (a *app) backchannel(w http.ResponseWriter, r *http.Request, s Service) {
	p, err := a.provider.get()
	if err != nil {
		http.Error(w, "provider unknown yet", http.StatusServiceUnavailable) // it will try again
		return
	}
	t, err := a.readLogoutToken(r.Context(), p, s, r.PostFormValue("logout_token"))
	if err != nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_request", "error_description": err.Error()})
		return
	}
	ended := a.sessions.endByProvider(s.ID, t)
	slog.InfoContext(r.Context(), "back-channel logout", "service", s.ID, "sessions", ended)
	w.WriteHeader(http.StatusOK)
}

// logoutToken is a logout token that passed every check.
type logoutToken struct {
	jti, subject, sid string
	expires           time.Time
}

// readLogoutToken checks a logout token. The library looks at signature, iss, aud, exp, jti, the
// absence of nonce, and that sub or sid is there; type, issue time and the event are ours.
//
// OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6.
func (a *app) readLogoutToken(ctx context.Context, p *provider, s Service, raw string) (logoutToken, error) {
	t, err := a.verifier(p, s).VerifyLogout(ctx, raw)
	if err != nil {
		return logoutToken{}, err
	}
	if typ := typeOf(raw); typ != "logout+jwt" {
		return logoutToken{}, fmt.Errorf("typ is %q, want logout+jwt", typ) // an ID token will not do
	}
	// The library reads a missing iat as the Unix epoch or as zero; either is far too old.
	if age := a.Now().Sub(t.IssuedAt); age < -clockSkew || age > time.Hour {
		return logoutToken{}, errors.New("iat is missing or too far from now")
	}
	var body struct {
		Events map[string]map[string]any `json:"events"`
	}
	if err := t.Claims(&body); err != nil || body.Events[logoutEvent] == nil {
		return logoutToken{}, errors.New("events lacks the logout event as an object")
	}
	return logoutToken{jti: t.TokenID, subject: t.Subject, sid: t.SessionID, expires: t.Expiry}, nil
}

// typeOf reads the typ header; "application/" may be left out (RFC 7515 §4.1.9).
func typeOf(raw string) string {
	var header struct {
		Type string `json:"typ"`
	}
	_ = json.Unmarshal([]byte(decodeJWT(raw).Header), &header)
	return strings.TrimPrefix(strings.ToLower(header.Type), "application/")
}
