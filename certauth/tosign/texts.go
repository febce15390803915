package tosign

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/certauth/cms"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Lifetime is how long a text may wait for its signature.
const Lifetime = 15 * time.Minute

// mostTries of one text: programs differ, and citizens try; each costs a signature to check.
const mostTries = 10

var (
	// ErrGone: no such text of this browser and visit, or it was signed, or tried too often, or is too old.
	ErrGone = fail.New(fail.Expired, "challenge_gone")
	// ErrSignature: what came is no signature of the text; the cause is one of certauth/cms.
	ErrSignature = fail.New(fail.Invalid, "challenge_signature")
)

// Texts gives texts to sign.
type Texts struct {
	issuer string
	now    func() time.Time
}

// New gives texts for sign-ins at an issuer.
func New(issuer string, now func() time.Time) *Texts { return &Texts{issuer, now} }

// Text is what is to be signed: one line of ASCII, which no editor or encoding changes, with 256
// random bits.
//
//	Entrar em https://id.example.org - 2026-11-21T12:00:00Z - 5n0VYgV0m0Wc0WfZ4gQeS6Vd3l3bq2mYxjXyVh9pRzA
func (t *Texts) Text() (text, nonce string) {
	nonce = secret.Token()
	return fmt.Sprintf("Entrar em %s - %s - %s", t.issuer, t.now().Format(time.RFC3339), nonce), nonce
}

// Current is the text of a visit in a browser, a new one where there is none.
//
//	browser  SHA-256 of the browser's cookie
func (t *Texts) Current(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte) (string, error) {
	now := t.now()
	text, err := current(ctx, db, interaction, browser, now)
	if !pg.NoRows(err) {
		return text, err
	}
	text, nonce := t.Text()
	return text, insert(ctx, db, secret.Hash(nonce), interaction, browser, text, now, now.Add(Lifetime))
}

// Answer reads a signature of the current text and returns the certificate that made it. It uses
// nothing up but one try: that is for [Texts.Use], once the certificate is accepted.
//
// Errors: ErrGone, ErrSignature.
func (t *Texts) Answer(ctx context.Context, db pg.DB, interaction uuid.UUID, browser, signature []byte) (text string, cert *x509.Certificate, err error) {
	text, err = try(ctx, db, interaction, browser, t.now())
	if pg.NoRows(err) {
		return "", nil, ErrGone
	}
	if err != nil {
		return "", nil, err
	}
	cert, err = cms.Verify(signature, text)
	if err != nil {
		return text, nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return text, cert, nil
}

// Use uses a text up. ErrGone for the second of two.
func (t *Texts) Use(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, text string) error {
	ok, err := use(ctx, db, interaction, browser, text, t.now())
	if err == nil && !ok {
		return ErrGone
	}
	return err
}

// Purge forgets texts that are over.
func (t *Texts) Purge(ctx context.Context, db pg.DB) error { return purge(ctx, db, t.now()) }
