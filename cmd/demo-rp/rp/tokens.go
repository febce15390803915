package rp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// userinfo is the provider's answer about the person, now.
type userinfo struct {
	JSON   string // indented
	Signed bool   // it came as a signed JWT
}

// maxAnswer bounds what is read of the provider's answer.
const maxAnswer = 1 << 20

// fetchUserinfo asks the userinfo endpoint with the access token. The answer must speak of the
// person in the ID token; without that check another person's answer could be slipped in.
//
// OpenID Connect Core §5.3.
func (a *app) fetchUserinfo(ctx context.Context, p *provider, s Service, v session) (userinfo, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.UserInfoEndpoint(), nil)
	if err != nil {
		return userinfo{}, err
	}
	v.token.SetAuthHeader(req)
	resp, err := a.HTTPClient.Do(req)
	if err != nil {
		return userinfo{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return userinfo{}, err
	}
	if challenge := resp.Header.Get("WWW-Authenticate"); resp.StatusCode == http.StatusUnauthorized && strings.Contains(challenge, `error="insufficient_user_authentication"`) {
		return userinfo{}, errStepUp{challengedLevel(challenge)}
	}
	if resp.StatusCode != http.StatusOK {
		return userinfo{}, fmt.Errorf("%s %s", resp.Status, resp.Header.Get("WWW-Authenticate"))
	}
	return a.readUserinfo(ctx, p, s, v.subject, resp.Header.Get("Content-Type"), body)
}

// readUserinfo takes plain JSON, or for a service that registered userinfo_signed_response_alg
// a JWT, whose signature, iss and aud are checked.
func (a *app) readUserinfo(ctx context.Context, p *provider, s Service, subject, contentType string, body []byte) (userinfo, error) {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	signed := mediaType == "application/jwt"
	if signed != (s.UserinfoAlg != "") {
		return userinfo{}, fmt.Errorf("userinfo came as %q, not as registered", mediaType)
	}
	if signed {
		// Like an ID token, but it need not expire.
		check := p.Verifier(&oidc.Config{ClientID: s.ID, SupportedSigningAlgs: []string{s.UserinfoAlg}, SkipExpiryCheck: true})
		t, err := check.Verify(ctx, string(body))
		if err != nil {
			return userinfo{}, err
		}
		var claims json.RawMessage
		if err := t.Claims(&claims); err != nil {
			return userinfo{}, err
		}
		body = claims
	}
	var who struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(body, &who); err != nil {
		return userinfo{}, fmt.Errorf("userinfo: %w", err)
	}
	if who.Subject != subject {
		return userinfo{}, errors.New("userinfo speaks of another person than the ID token")
	}
	return userinfo{JSON: indent(body), Signed: signed}, nil
}

// errStepUp: the API wants a stronger sign-in than the token tells of, and says which. RFC 9470 §3.
type errStepUp struct{ level int }

func (e errStepUp) Error() string {
	return fmt.Sprintf("insufficient_user_authentication: level %d is needed", e.level)
}

// acrValues is the parameter of a challenge that says what would be enough. RFC 9470 §3.
var acrValues = regexp.MustCompile(`acr_values="([^"]*)"`)

// challengedLevel is the lowest level that the challenge takes; 5 where it names none of ours.
func challengedLevel(challenge string) int {
	lowest := 5
	if found := acrValues.FindStringSubmatch(challenge); found != nil {
		for _, acr := range strings.Fields(found[1]) {
			if level := levelOf(acr); level > 0 {
				lowest = min(lowest, level)
			}
		}
	}
	return lowest
}

// tryUserinfo is for a page that can be shown without it: it keeps the answer, or why there is none.
func (a *app) tryUserinfo(ctx context.Context, p *provider, s Service, v *session) {
	info, err := a.fetchUserinfo(ctx, p, s, *v)
	v.userinfo, v.userinfoProblem, v.stepUp = info, "", 0
	if err != nil {
		v.userinfoProblem = err.Error()
	}
	var weak errStepUp
	if errors.As(err, &weak) {
		v.stepUp = weak.level
	}
}

// refetch asks for userinfo again: consent or data may have changed since.
func (a *app) refetch(w http.ResponseWriter, r *http.Request, s Service) {
	a.signedIn(w, r, s, func(p *provider, v session) error {
		a.tryUserinfo(r.Context(), p, s, &v)
		a.sessions.update(v.key, func(kept *session) {
			kept.userinfo, kept.userinfoProblem, kept.stepUp = v.userinfo, v.userinfoProblem, v.stepUp
		})
		return nil
	})
}

// refresh trades the refresh token for new tokens. The provider rotates refresh tokens and takes
// a second use of an old one for theft, so refreshes of one session queue up.
//
// RFC 6749 §6, OpenID Connect Core §12.2.
func (a *app) refresh(w http.ResponseWriter, r *http.Request, s Service) {
	a.signedIn(w, r, s, func(p *provider, v session) error {
		v.refreshing.Lock()
		defer v.refreshing.Unlock()
		v, ok := a.sessions.get(r, s.ID) // whoever was before us may have changed it
		if !ok || !v.signedIn {
			return nil
		}
		fresh, err := a.oauth(p, s).TokenSource(a.toProvider(r.Context()), &oauth2.Token{RefreshToken: v.token.RefreshToken}).Token()
		if err != nil {
			return err
		}
		raw, err := a.checkRefreshed(r.Context(), p, s, v, fresh)
		if err != nil {
			return err
		}
		a.sessions.update(v.key, func(v *session) {
			v.token = fresh
			if raw != "" {
				v.rawIDToken, v.idToken = raw, decodeJWT(raw)
			}
		})
		return nil
	})
}

// checkRefreshed checks the ID token a refresh may bring: still the same person.
func (a *app) checkRefreshed(ctx context.Context, p *provider, s Service, v session, fresh *oauth2.Token) (raw string, err error) {
	raw, _ = fresh.Extra("id_token").(string)
	if raw == "" {
		return "", nil
	}
	t, err := a.verifier(p, s).Verify(ctx, raw)
	if err != nil {
		return "", err
	}
	if t.Subject != v.subject {
		return "", errors.New("the refreshed ID token speaks of another person")
	}
	return raw, nil
}

// signedIn does something for somebody signed in, and goes back to the service's page.
func (a *app) signedIn(w http.ResponseWriter, r *http.Request, s Service, do func(*provider, session) error) {
	v, ok := a.sessions.get(r, s.ID)
	if !ok || !v.signedIn {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	p, err := a.provider.get()
	if err != nil {
		a.fail(w, r, s, http.StatusBadGateway, "provider_down", err)
		return
	}
	if err := do(p, v); err != nil {
		a.failRedeem(w, r, s, err)
		return
	}
	http.Redirect(w, r, "/"+s.ID, http.StatusSeeOther)
}

// jwt is a token opened for display, without any check: header and claims, indented.
type jwt struct {
	Header, Claims string
	values         map[string]any
}

// decodeJWT opens a compact JWS; an opaque token gives the zero value.
func decodeJWT(raw string) jwt {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return jwt{}
	}
	header, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	claims, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	var values map[string]any
	if errors.Join(err1, err2) != nil || json.Unmarshal(claims, &values) != nil {
		return jwt{}
	}
	return jwt{Header: indent(header), Claims: indent(claims), values: values}
}

func indent(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text)
	}
	return b.String()
}
