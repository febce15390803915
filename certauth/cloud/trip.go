package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Lifetime is how long a citizen may take at the PSC.
const Lifetime = 10 * time.Minute

// mostTrips are those of one visit in ten minutes.
const mostTrips = 6

// Trip is one way to a PSC and back.
type Trip struct {
	Interaction uuid.UUID // the visit it belongs to
	Provider    Provider
	secrets
	state []byte // hashed
}

type secrets struct {
	Verifier string `json:"code_verifier"`    // RFC 7636 §4.1
	Text     string `json:"text"`             // what is to be signed
	Signer   string `json:"signer,omitempty"` // CPF, in digits, of who was asked to; "": whoever agrees
	Push     string `json:"push,omitempty"`
}

func sealedFor(state []byte) []byte { return append([]byte("cloud/trip/"), state...) }

// Begin starts a trip of a visit in a browser to a provider.
//
//	browser  SHA-256 of the browser's cookie
//	cpf      who is to sign, "" where it is not known yet; by push it must be
//	text     what is to be signed
//
// It returns where the browser goes; "" by push: then the citizen looks at their telephone, and
// [Connector.Ready] takes the trip on. Errors: ErrUnavailable, ErrRefused, ErrOften.
func (c *Connector) Begin(ctx context.Context, db pg.DB, provider string, interaction uuid.UUID, browser []byte, cpf brdoc.CPF, text string) (string, error) {
	p, ok := c.Provider(provider)
	if !ok || p.Push && cpf == "" {
		return "", ErrRefused
	}
	now := c.now()
	n, err := begunSince(ctx, db, interaction, browser, now.Add(-Lifetime))
	if err != nil {
		return "", err
	}
	if n >= mostTrips {
		return "", ErrOften
	}
	state, s := secret.Token(), secrets{Verifier: secret.Token(), Text: text, Signer: cpf.Digits()}
	to := c.authorizeURL(p, state, s.Verifier, cpf)
	if p.Push {
		if s.Push, err = c.push(ctx, p, to); err != nil {
			return "", err
		}
		to = ""
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	hash := secret.Hash(state)
	return to, insertTrip(ctx, db, hash, p.ID, interaction, browser, c.box.Seal(plain, sealedFor(hash)), now, now.Add(Lifetime))
}

// authorizeURL asks for one signature. DOC-ICP-17.01 §6.2; RFC 7636 §4.3
func (c *Connector) authorizeURL(p Provider, state, verifier string, cpf brdoc.CPF) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {p.ClientID}, "redirect_uri": {c.redirect}, "state": {state}, "scope": {"single_signature"},
		"lifetime": {strconv.Itoa(int(Lifetime.Seconds()))}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	if p.Push {
		q.Set("redirect_uri", pushURI)
	}
	if cpf != "" {
		q.Set("login_hint", cpf.Digits())
	}
	return p.Base + "/oauth/authorize?" + q.Encode()
}

// pushURI asks for a push instead of a redirect.
const pushURI = "push://"

// Take uses up the trip of a state, in the browser that began it. Error: ErrTrip.
func (c *Connector) Take(ctx context.Context, db pg.DB, state string, browser []byte) (Trip, error) {
	if len(state) != len(secret.Token()) {
		return Trip{}, ErrTrip
	}
	return c.take(ctx, db, secret.Hash(state), browser)
}

func (c *Connector) take(ctx context.Context, db pg.DB, state, browser []byte) (t Trip, err error) {
	provider, interaction, sealed, err := takeTrip(ctx, db, state, browser, c.now())
	if pg.NoRows(err) {
		return t, ErrTrip
	}
	if err != nil {
		return t, err
	}
	t.Interaction = interaction
	return t, c.open(&t, provider, state, sealed)
}

func (c *Connector) open(t *Trip, provider string, state, sealed []byte) error {
	var ok bool
	if t.Provider, ok = c.Provider(provider); !ok {
		return ErrTrip // the city has left it since
	}
	t.state = state
	plain, err := c.box.Open(sealed, sealedFor(state))
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, &t.secrets)
}

// Ready asks whether the citizen has answered on their telephone; then it uses the trip up and returns
// the code for [Connector.Finish]. Errors: ErrWaiting when they have not yet, ErrDenied, ErrTrip,
// ErrUnavailable, ErrRefused.
func (c *Connector) Ready(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte) (t Trip, code string, err error) {
	state, provider, sealed, err := pushOf(ctx, db, interaction, browser, c.now())
	if pg.NoRows(err) {
		return t, "", ErrTrip
	}
	if err != nil {
		return t, "", err
	}
	if err := c.open(&t, provider, state, sealed); err != nil {
		return t, "", err
	}
	if t.Push == "" {
		return t, "", ErrTrip
	}
	if code, err = c.answered(ctx, t); err != nil {
		return t, "", err
	}
	t, err = c.take(ctx, db, state, browser)
	return t, code, err
}

// Purge forgets trips that are over.
func (c *Connector) Purge(ctx context.Context, db pg.DB) error { return purgeTrips(ctx, db, c.now()) }
