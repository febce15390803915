package rp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const acrPrefix = "urn:loginunico:nivel:"

// clockSkew is how far two well-kept clocks may disagree.
const clockSkew = time.Minute

// login sends the browser to the provider. Three random values tie the way there to the way back:
//
//	state     in the URL and in this browser's session: the answer belongs to this browser
//	nonce     inside the signed ID token: the token was made for this trip
//	verifier  kept here, its hash sent ahead (PKCE): the code is useless to a thief
//
// OpenID Connect Core §3.1.2.1, RFC 7636.
func (a *app) login(w http.ResponseWriter, r *http.Request, s Service) {
	p, err := a.provider.get()
	if err != nil {
		a.fail(w, r, s, http.StatusBadGateway, "provider_down", err)
		return
	}
	v, ok := a.sessions.get(r, s.ID)
	if !ok {
		v = a.sessions.start(s.ID)
		a.setCookie(w, v)
	}
	trip := login{nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), level: askedLevel(r, s),
		fresh: r.FormValue("prompt") == "login", asked: askVerified(p, s), started: a.Now()}
	state := rand.Text()
	a.sessions.begin(v.key, state, trip)
	options := []oauth2.AuthCodeOption{
		oidc.Nonce(trip.nonce),
		oauth2.S256ChallengeOption(trip.verifier),
		oauth2.SetAuthURLParam("acr_values", acrPrefix+strconv.Itoa(trip.level)),
		oauth2.SetAuthURLParam("ui_locales", a.lang(r)),
	}
	if trip.asked != "" {
		options = append(options, oauth2.SetAuthURLParam("claims", trip.asked))
	}
	if trip.fresh {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	http.Redirect(w, r, a.oauth(p, s).AuthCodeURL(state, options...), http.StatusSeeOther)
}

// askedLevel is the level to ask for: the service's own, or a higher one the visitor chose.
func askedLevel(r *http.Request, s Service) int {
	level, err := strconv.Atoi(r.FormValue("level"))
	if err != nil || level > 5 {
		return s.MinLevel
	}
	return max(level, s.MinLevel)
}

// callback receives the browser back, with a code or an error, and believes neither before
// state and iss are checked.
//
// OpenID Connect Core §3.1.2.5 to §3.1.3.7, RFC 9207 §2.4.
func (a *app) callback(w http.ResponseWriter, r *http.Request, s Service) {
	p, err := a.provider.get()
	if err != nil {
		a.fail(w, r, s, http.StatusBadGateway, "provider_down", err)
		return
	}
	q := r.URL.Query()
	v, _ := a.sessions.get(r, s.ID)
	trip, ok := a.sessions.take(v.key, q.Get("state"))
	if !ok {
		a.fail(w, r, s, http.StatusBadRequest, "bad_state", errors.New("state is unknown in this browser, used or expired"))
		return
	}
	if err := checkIssuer(p, a.Issuer, q); err != nil {
		a.fail(w, r, s, http.StatusBadRequest, "bad_iss", err)
		return
	}
	if code := q.Get("error"); code != "" {
		a.failProvider(w, r, s, code, q.Get("error_description"))
		return
	}
	in, err := a.redeem(r.Context(), p, s, trip, q.Get("code"))
	if err != nil {
		a.failRedeem(w, r, s, err)
		return
	}
	a.tryUserinfo(r.Context(), p, s, &in)
	in.asked = indent([]byte(trip.asked))
	a.setCookie(w, a.sessions.signIn(v, in))
	http.Redirect(w, r, "/"+s.ID, http.StatusSeeOther) // the code leaves the address bar
}

// checkIssuer foils mix-up attacks, where an answer of one provider is passed off as another's.
func checkIssuer(p *provider, issuer string, q url.Values) error {
	if !q.Has("iss") && !p.IssReturned {
		return nil
	}
	if got := q["iss"]; len(got) != 1 || got[0] != issuer {
		return fmt.Errorf("iss is %q, want %q", got, issuer)
	}
	return nil
}

// redeem trades the code for tokens and checks the ID token. This request goes from server to
// server, with our secret and the PKCE verifier.
func (a *app) redeem(ctx context.Context, p *provider, s Service, trip login, code string) (session, error) {
	token, err := a.oauth(p, s).Exchange(a.toProvider(ctx), code, oauth2.VerifierOption(trip.verifier))
	if err != nil {
		return session{}, err
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := a.verifier(p, s).Verify(ctx, raw)
	if err != nil {
		return session{}, err
	}
	// The library has checked signature, iss, aud and exp. The rest is ours:
	if verified.Nonce != trip.nonce {
		return session{}, errors.New("the ID token's nonce is not the one we sent")
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
			return session{}, fmt.Errorf("at_hash: %w", err)
		}
	}
	claims, err := readClaims(verified)
	if err != nil {
		return session{}, err
	}
	if err := claims.check(s, trip, verified.Audience); err != nil {
		return session{}, err
	}
	return session{subject: verified.Subject, sid: claims.SID, token: token, rawIDToken: raw, idToken: decodeJWT(raw)}, nil
}

// idClaims are the claims a service decides by.
type idClaims struct {
	ACR             string `json:"acr"`
	AuthTime        int64  `json:"auth_time"`
	SID             string `json:"sid"`
	AuthorizedParty string `json:"azp"`
}

func readClaims(t *oidc.IDToken) (idClaims, error) {
	var c idClaims
	err := t.Claims(&c)
	return c, err
}

// check makes the decisions that are the service's own, however good the provider is.
func (c idClaims) check(s Service, trip login, audience []string) error {
	if (len(audience) > 1 || c.AuthorizedParty != "") && c.AuthorizedParty != s.ID {
		return fmt.Errorf("the ID token was issued to %q", c.AuthorizedParty)
	}
	// This provider meets acr_values or refuses; another may take them for a wish (§3.1.2.1). Whoever
	// needs a level has to look at what came back.
	if level := levelOf(c.ACR); level < trip.level {
		return errLevel{got: level, want: trip.level}
	}
	if trip.fresh && time.Unix(c.AuthTime, 0).Before(trip.started.Add(-clockSkew)) {
		return errors.New("we asked for a fresh sign-in, but auth_time is older")
	}
	return nil
}

// errLevel says that the person was signed in below what the service needs.
type errLevel struct{ got, want int }

func (e errLevel) Error() string { return fmt.Sprintf("acr says level %d, we need %d", e.got, e.want) }

// levelOf reads the level from acr; 0 when it is not one of ours.
func levelOf(acr string) int {
	level, ok := strings.CutPrefix(acr, acrPrefix)
	if !ok || !slices.Contains([]string{"1", "2", "3", "4", "5"}, level) {
		return 0
	}
	return int(level[0] - '0')
}
