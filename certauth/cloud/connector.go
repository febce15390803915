package cloud

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loginunico/loginunico/certauth/cms"
	"github.com/loginunico/loginunico/internal/fail"
)

// Why nobody came back from a PSC. The cause of the last two is for the log.
var (
	ErrTrip        = fail.New(fail.Expired, "cloud_trip")         // no such trip of this browser, or used, or too old
	ErrOften       = fail.New(fail.Throttled, "cloud_often")      // this visit has begun too many
	ErrWaiting     = fail.New(fail.Conflict, "cloud_waiting")     // the telephone was not answered yet
	ErrDenied      = fail.New(fail.Forbidden, "cloud_denied")     // the citizen refused
	ErrUnavailable = fail.New(fail.Internal, "cloud_unavailable") // the PSC is slow, fails or cannot be reached
	ErrRefused     = fail.New(fail.Invalid, "cloud_refused")      // what it said does not hold
)

// Sealer keeps what a trip must know; *secret.Box is the one there is.
type Sealer interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
}

// Connector is the city's side of its PSCs.
type Connector struct {
	providers []Provider
	redirect  string
	box       Sealer
	now       func() time.Time
	http      *http.Client
	busy      chan struct{} // one for each citizen who waits for a PSC now
}

const mostWaiting = 64

// New connects the city to its PSCs.
//
//	redirect  where they send browsers back to, as registered
func New(providers []Provider, redirect string, box Sealer, now func() time.Time) *Connector {
	return &Connector{providers: providers, redirect: redirect, box: box, now: now, http: newHTTPClient(providers), busy: make(chan struct{}, mostWaiting)}
}

// Providers are those to choose from, in the order of the city's file.
func (c *Connector) Providers() []Provider { return slices.Clone(c.providers) }

// Provider finds one by its id.
func (c *Connector) Provider(id string) (Provider, bool) {
	i := slices.IndexFunc(c.providers, func(p Provider) bool { return p.ID == id })
	if i < 0 {
		return Provider{}, false
	}
	return c.providers[i], true
}

// because joins what the citizen is told with the cause, for the log.
func because(told error, cause string) error { return fmt.Errorf("%w: %s", told, cause) }

// Refusal is what an error response of a PSC means. RFC 6749 §4.1.2.1; DOC-ICP-17.01 has user_denied
// too.
func Refusal(code string) error {
	if code == "access_denied" || code == "user_denied" {
		return ErrDenied
	}
	return because(ErrUnavailable, "authorization error")
}

// waits counts somebody who waits for a PSC, until done is called. ErrUnavailable where too many do: each
// holds a connection there, and whoever presses a button on and on must not hold them all.
func (c *Connector) waits() (done func(), err error) {
	select {
	case c.busy <- struct{}{}:
		return func() { <-c.busy }, nil
	default:
		return nil, because(ErrUnavailable, "too many wait for it")
	}
}

// push begins an authorisation on the citizen's telephone.
func (c *Connector) push(ctx context.Context, p Provider, authorize string) (string, error) {
	done, err := c.waits()
	if err != nil {
		return "", err
	}
	defer done()
	var found struct {
		Code string `json:"code"`
	}
	if err := c.get(ctx, authorize, "", &found); err != nil {
		return "", err
	}
	if found.Code == "" || len(found.Code) > 256 {
		return "", because(ErrRefused, "no code of a push")
	}
	return found.Code, nil
}

// answered asks about a push. 202 is "not yet".
func (c *Connector) answered(ctx context.Context, t Trip) (string, error) {
	done, err := c.waits()
	if err != nil {
		return "", err
	}
	defer done()
	var found struct {
		Token    string `json:"authorizationToken"`
		Redirect string `json:"redirectUrl"`
	}
	err = c.get(ctx, t.Provider.Authentications+"?"+url.Values{"code": {t.Push}}.Encode(), "", &found)
	switch {
	case err != nil:
		return "", err
	case found.Token == "":
		return "", because(ErrRefused, "a push without token")
	}
	return found.Token, nil
}

// Finish redeems the code of a trip, has the text signed, and returns the certificate whose key has
// signed it. Whether that counts, and whose it is, is for the caller.
//
// Errors: ErrUnavailable, ErrRefused.
func (c *Connector) Finish(ctx context.Context, t Trip, code string) (*x509.Certificate, error) {
	done, err := c.waits()
	if err != nil {
		return nil, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, wholeTrip)
	defer cancel()
	token, alias, err := c.redeem(ctx, t, code)
	if err != nil {
		return nil, err
	}
	if t.Provider.Format == CMS {
		return c.signCMS(ctx, t, token, alias)
	}
	all, err := c.certificates(ctx, t.Provider, token, alias)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if alias == "" || one.alias == alias {
			return c.signRAW(ctx, t, token, one)
		}
	}
	return nil, because(ErrRefused, "the certificate that was chosen is not there")
}

// redeem is DOC-ICP-17.01 §6.3. The client's secret goes into the form, as it is told there.
func (c *Connector) redeem(ctx context.Context, t Trip, code string) (token, alias string, err error) {
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {t.Provider.ClientID}, "client_secret": {t.Provider.Secret},
		"code": {code}, "code_verifier": {t.Verifier}, "redirect_uri": {c.redirect}}
	if t.Provider.Push {
		form.Del("redirect_uri")
	}
	var got struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		Alias       string `json:"slot_alias"`
	}
	if err := c.postForm(ctx, t.Provider.Base+"/oauth/token", form, &got); err != nil {
		return "", "", err
	}
	if got.AccessToken == "" || !strings.EqualFold(got.TokenType, "Bearer") {
		return "", "", because(ErrRefused, "the token response is incomplete")
	}
	return got.AccessToken, got.Alias, nil
}

type kept struct {
	alias string
	cert  *x509.Certificate
}

// certificates are those of the citizen who has authorised. DOC-ICP-17.01 §6.4
func (c *Connector) certificates(ctx context.Context, p Provider, token, alias string) ([]kept, error) {
	to := p.Base + "/oauth/certificate-discovery"
	if alias != "" {
		to += "?" + url.Values{"certificate_alias": {alias}}.Encode()
	}
	var got struct {
		Certificates []struct {
			Alias       string `json:"alias"`
			Certificate string `json:"certificate"`
		} `json:"certificates"`
	}
	if err := c.get(ctx, to, token, &got); err != nil {
		return nil, err
	}
	var all []kept
	for _, one := range got.Certificates {
		cert, err := parseCertificate(one.Certificate)
		if err != nil {
			continue // of another kind, perhaps; the one that is needed is missed below
		}
		all = append(all, kept{one.Alias, cert})
	}
	if len(all) == 0 {
		return nil, because(ErrRefused, "no certificate that can be read")
	}
	return all, nil
}

// parseCertificate reads PEM, or DER in base64: PSCs send both.
func parseCertificate(text string) (*x509.Certificate, error) {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return x509.ParseCertificate(block.Bytes)
	}
	der, err := decode64(text)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// signature is one entry of a signature request. DOC-ICP-17.01 §6.5
type signature struct {
	ID        string `json:"id"`
	Alias     string `json:"alias"`
	Hash      string `json:"hash"`
	Algorithm string `json:"hash_algorithm"`
	Format    string `json:"signature_format"`
	Content   string `json:"base64_content,omitempty"`
}

const oidSHA256 = "2.16.840.1.101.3.4.2.1"

// sign has the text signed and returns what the PSC gives for it.
func (c *Connector) sign(ctx context.Context, t Trip, token, alias string) ([]byte, error) {
	sum := sha256.Sum256([]byte(t.Text))
	one := signature{ID: "1", Alias: "Login", Algorithm: oidSHA256, Format: t.Provider.Format, Hash: base64.StdEncoding.EncodeToString(sum[:])}
	if t.Provider.Hash == Hex {
		one.Hash = hex.EncodeToString(sum[:])
	}
	body := map[string]any{"hashes": []signature{one}}
	if alias != "" {
		body["certificate_alias"] = alias
	}
	var got struct {
		Signatures []struct {
			ID  string `json:"id"`
			Raw string `json:"raw_signature"`
		} `json:"signatures"`
	}
	if err := c.postJSON(ctx, t.Provider.Base+"/oauth/signature", token, body, &got); err != nil {
		return nil, err
	}
	if len(got.Signatures) != 1 || got.Signatures[0].ID != one.ID || got.Signatures[0].Raw == "" {
		return nil, because(ErrRefused, "not one signature")
	}
	return []byte(got.Signatures[0].Raw), nil
}

func (c *Connector) signRAW(ctx context.Context, t Trip, token string, one kept) (*x509.Certificate, error) {
	raw, err := c.sign(ctx, t, token, one.alias)
	if err != nil {
		return nil, err
	}
	bytes, err := decode64(string(raw))
	if err != nil {
		return nil, because(ErrRefused, "a signature that does not read")
	}
	if !holds(one.cert.PublicKey, t.Text, bytes) {
		return nil, because(ErrRefused, "the signature does not hold")
	}
	return one.cert, nil
}

// holds checks a raw signature of the text's SHA-256.
func holds(key crypto.PublicKey, text string, signature []byte) bool {
	sum := sha256.Sum256([]byte(text))
	switch key := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, sum[:], signature)
	}
	return false
}

func (c *Connector) signCMS(ctx context.Context, t Trip, token, alias string) (*x509.Certificate, error) {
	message, err := c.sign(ctx, t, token, alias)
	if err != nil {
		return nil, err
	}
	cert, err := cms.Verify(message, t.Text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return cert, nil
}

func decode64(text string) ([]byte, error) {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \r\n\t", r) {
			return -1
		}
		return r
	}, text)
	return base64.StdEncoding.DecodeString(clean)
}

func (c *Connector) postJSON(ctx context.Context, to, token string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return c.do(r, token, into)
}

func (c *Connector) postForm(ctx context.Context, to string, form url.Values, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(r, "", into)
}

func (c *Connector) get(ctx context.Context, to, token string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return err
	}
	return c.do(r, token, into)
}

var errElsewhere = errors.New("cloud: a request to a host that is not configured")
