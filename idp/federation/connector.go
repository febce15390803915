package federation

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loginunico/loginunico/internal/fail"
)

// Why nobody came back from gov.br. The cause of the last three is for the log.
var (
	ErrTrip        = fail.New(fail.Expired, "govbr_trip")         // no such trip of this browser, or used, or too old
	ErrDenied      = fail.New(fail.Forbidden, "govbr_denied")     // the citizen refused at gov.br
	ErrUnavailable = fail.New(fail.Internal, "govbr_unavailable") // gov.br is slow, fails or cannot be reached
	ErrRefused     = fail.New(fail.Invalid, "govbr_refused")      // what it said does not hold
	ErrCPF         = fail.New(fail.Invalid, "govbr_cpf")          // it named no CPF that can be, or two
)

// Sealer keeps what a trip must know; *secret.Box is the one there is.
type Sealer interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
}

// Connector is the city's side of gov.br.
type Connector struct {
	settings Settings
	box      Sealer
	now      func() time.Time
	http     *http.Client
	keys     *keySet
	busy     chan struct{} // one for each citizen who waits for gov.br now
}

const mostWaiting = 64

// New connects the city to gov.br. Its error names every wrong setting.
func New(s Settings, box Sealer, now func() time.Time) (*Connector, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	c := &Connector{settings: s, box: box, now: now, http: newHTTPClient(s), busy: make(chan struct{}, mostWaiting)}
	c.keys = &keySet{issuer: s.Issuer, fetch: c.fetchKeys, now: now}
	return c, nil
}

// authorizeURL begins a trip at gov.br. All of it is mandatory there; PKCE though its discovery
// document does not tell of it.
func (c *Connector) authorizeURL(state string, t secrets) string {
	sum := sha256.Sum256([]byte(t.Verifier))
	return c.settings.Issuer + "/authorize?" + url.Values{"response_type": {"code"}, "client_id": {c.settings.ClientID},
		"redirect_uri": {c.settings.RedirectURI}, "scope": {strings.Join(c.scopes(t.Companies), " ")}, "state": {state}, "nonce": {t.Nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}.Encode()
}

// scopes are what a trip asks for: which companies somebody stands for only where it is needed.
func (c *Connector) scopes(companies bool) []string {
	return slices.DeleteFunc(slices.Clone(c.settings.Scopes), func(s string) bool { return s == ScopeCompanies && !companies })
}

// Companies says whether the city is registered to ask for companies.
func (c *Connector) Companies() bool { return slices.Contains(c.settings.Scopes, ScopeCompanies) }

// LogoutURL ends the session at gov.br and comes back to the registered address. gov.br knows this
// one parameter.
func (c *Connector) LogoutURL() string {
	if c.settings.LogoutURI == "" {
		return c.settings.Issuer + "/logout"
	}
	return c.settings.Issuer + "/logout?" + url.Values{"post_logout_redirect_uri": {c.settings.LogoutURI}}.Encode()
}

// Origin is gov.br's, for policies that name who a browser may be sent to.
func (c *Connector) Origin() string { return c.settings.Issuer }

// Refusal is what an error response of gov.br means. RFC 6749 §4.1.2.1
func Refusal(code string) error {
	if code == "access_denied" || code == "login_required" || code == "consent_required" {
		return ErrDenied
	}
	return because(ErrUnavailable, errors.New("authorization error"))
}

// because joins what the citizen is told with the cause, for the log.
func because(told, cause error) error { return fmt.Errorf("%w: %w", told, cause) }

// Finish redeems the code of a trip and says who came back.
//
// Errors: ErrUnavailable, ErrRefused, ErrCPF.
func (c *Connector) Finish(ctx context.Context, t Trip, code string) (Account, error) {
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	default:
		return Account{}, because(ErrUnavailable, errors.New("too many wait for it"))
	}
	ctx, cancel := context.WithTimeout(ctx, wholeTrip)
	defer cancel()
	tokens, err := c.redeem(ctx, code, t.Verifier)
	if err != nil {
		return Account{}, err
	}
	claims, err := c.verify(ctx, tokens.IDToken, t.Nonce)
	if err != nil {
		return Account{}, err
	}
	a, err := claims.account()
	if err != nil {
		return Account{}, err
	}
	if claims.Reliability == nil && slices.Contains(c.settings.Scopes, "govbr_confiabilidades") {
		c.askReliability(ctx, tokens.AccessToken, &a)
	}
	if t.Companies {
		a.Asked = true
		if a.Companies, a.More, err = c.companies(ctx, tokens.AccessToken, a.CPF); err != nil { // the sign-in does not depend on it
			slog.WarnContext(ctx, "gov.br: companies", "error", err.Error())
			a.Companies, a.More, a.Silent = nil, false, true
		}
	}
	return a, nil
}

type tokenResponse struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
	TokenType   string `json:"token_type"`
}

// redeem exchanges a code. gov.br gives no refresh token.
func (c *Connector) redeem(ctx context.Context, code, verifier string) (t tokenResponse, err error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.settings.RedirectURI}, "code_verifier": {verifier}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.settings.Issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return t, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(c.settings.ClientID), url.QueryEscape(c.settings.Secret))
	body, err := c.do(r)
	if err != nil {
		return t, err
	}
	if json.Unmarshal(body, &t) != nil || t.IDToken == "" || t.AccessToken == "" || !strings.EqualFold(t.TokenType, "Bearer") {
		return t, because(ErrRefused, errors.New("the token response is incomplete"))
	}
	return t, nil
}
