package factor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// ChallengeLifetime is how long a browser may take for one ceremony.
const ChallengeLifetime = 5 * time.Minute

// maxCeremony bounds what a browser sends back; attestations with chains are a few kilobytes.
const maxCeremony = 64 << 10

var (
	// ErrCeremony: the browser's answer does not hold. Why is for the log: it names nobody.
	ErrCeremony = fail.New(fail.Unauthenticated, "passkey")
	// ErrChallenge: no such ceremony was begun by this browser, or it took too long, or it is over.
	ErrChallenge = fail.New(fail.Expired, "passkey_challenge")
	// ErrCloned: the key has counted backwards, so there may be two of it: tell the owner.
	ErrCloned = fail.New(fail.Forbidden, "passkey_cloned")
	// ErrPasskeyTaken: this key is registered already.
	ErrPasskeyTaken = fail.New(fail.Conflict, "passkey_taken")
	// ErrLastWayIn: without this one the person could not sign in any more.
	ErrLastWayIn = fail.New(fail.Conflict, "last_way_in")
)

// RelyingParty is who passkeys are made for. ID is a domain: a passkey lives and dies with it, so
// it must not change as long as the city exists.
type RelyingParty struct {
	ID      string   // "entrar.exemplo.gov.br", or a parent domain
	Name    string   // the city's, as devices show it
	Origins []string // "https://entrar.exemplo.gov.br"
}

// Passkey is one key of a person.
type Passkey struct {
	ID             uuid.UUID  `json:"id"`
	Name           string     `json:"name"`
	AAGUID         uuid.UUID  `json:"aaguid"` // the authenticator's model; zero: it does not say
	BackupEligible bool       `json:"backup_eligible"`
	BackedUp       bool       `json:"backed_up"` // synchronised to other devices of the owner
	CreatedAt      time.Time  `json:"created_at"`
	UsedAt         *time.Time `json:"used_at"`
}

// Passkeys runs the ceremonies of WebAuthn Level 3.
type Passkeys struct {
	web *webauthn.WebAuthn
	now func() time.Time
}

// NewPasskeys checks the relying party: an ID that is a domain, and at least one origin.
func NewPasskeys(rp RelyingParty, now func() time.Time) (*Passkeys, error) {
	web, err := webauthn.New(&webauthn.Config{
		RPID: rp.ID, RPDisplayName: rp.Name, RPOrigins: rp.Origins,
		AttestationPreference: protocol.PreferNoAttestation, // the city trusts no maker more than another
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired},
		Timeouts: webauthn.TimeoutsConfig{Login: browserWaits, Registration: browserWaits},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return &Passkeys{web: web, now: now}, nil
}

// browserWaits is told to the browser; what counts is the challenge's row.
var browserWaits = webauthn.TimeoutConfig{Timeout: ChallengeLifetime, TimeoutUVD: ChallengeLifetime}

// owner is a person as the library wants one.
type owner struct {
	person  uuid.UUID
	handle  []byte
	account string
	display string
	keys    []webauthn.Credential
}

func (o *owner) WebAuthnID() []byte                         { return o.handle }
func (o *owner) WebAuthnName() string                       { return o.account }
func (o *owner) WebAuthnDisplayName() string                { return o.display }
func (o *owner) WebAuthnCredentials() []webauthn.Credential { return o.keys }

// BeginRegistration starts to make a passkey for a person who is signed in in this browser.
//
//	browser  SHA-256 of the browser cookie: nobody else can finish
//	account  what the device calls the account, as the masked CPF
//	display  whose it is, as the social name
//
// It returns the JSON that navigator.credentials.create wants. Keys that the person has are
// excluded. Error: ErrTooManyFactors.
func (p *Passkeys) BeginRegistration(ctx context.Context, db pg.DB, browser []byte, person uuid.UUID, account, display string) (json.RawMessage, error) {
	handle := make([]byte, 32)
	_, _ = rand.Read(handle) // never fails
	o, err := ownerOf(ctx, db, person, handle, p.now())
	if err != nil {
		return nil, err
	}
	if len(o.keys) >= MaxFactors {
		return nil, ErrTooManyFactors
	}
	o.account, o.display = account, display
	options, session, err := p.web.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.keys).CredentialDescriptors()))
	if err != nil {
		return nil, fmt.Errorf("passkey registration: %w", err)
	}
	return p.begin(ctx, db, "register", browser, &person, session, options)
}

// FinishRegistration keeps the passkey that a browser made. Errors: ErrFactorName, ErrChallenge,
// ErrCeremony, ErrPasskeyTaken.
//
// WebAuthn Level 3 §7.1.
func (p *Passkeys) FinishRegistration(ctx context.Context, db pg.DB, browser []byte, person uuid.UUID, name string, response []byte) (Passkey, error) {
	name, err := factorName(name)
	if err != nil {
		return Passkey{}, err
	}
	if len(response) > maxCeremony {
		return Passkey{}, ErrCeremony
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return Passkey{}, ceremony(err)
	}
	session, _, err := p.take(ctx, db, "register", browser, &person, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return Passkey{}, err
	}
	c, err := p.web.CreateCredential(&owner{person: person, handle: session.UserID}, *session, parsed)
	if err != nil {
		return Passkey{}, ceremony(err)
	}
	return insertPasskey(ctx, db, person, name, c, p.now())
}

// BeginLogin starts a sign-in by passkey.
//
//	expected  whose passkey it must be, after a CPF was typed; nil: whoever it is
//
// The options are the same whoever is expected and whether there is such an account: passkeys are
// discoverable, so that no list of keys has to tell an account's existence. For an account that
// does not exist, expect a person who is nobody.
func (p *Passkeys) BeginLogin(ctx context.Context, db pg.DB, browser []byte, expected *uuid.UUID) (json.RawMessage, error) {
	uv := protocol.VerificationRequired
	if expected != nil {
		uv = protocol.VerificationPreferred // a key without a PIN still proves something, at a lower cap
	}
	options, session, err := p.web.BeginDiscoverableLogin(webauthn.WithUserVerification(uv))
	if err != nil {
		return nil, fmt.Errorf("passkey sign-in: %w", err)
	}
	return p.begin(ctx, db, "login", browser, expected, session, options)
}

// FinishLogin checks what a browser answered and says who it is.
//
// Call it on the pool and not in a transaction that an error would roll back: a challenge is used
// up all the same. Errors: ErrChallenge, ErrCeremony, ErrCloned; with the last it says whose key it
// is and which, for the caller to announce [PasskeyCloned].
//
// WebAuthn Level 3 §7.2.
func (p *Passkeys) FinishLogin(ctx context.Context, db pg.DB, browser, response []byte) (uuid.UUID, Proof, error) {
	if len(response) > maxCeremony {
		return uuid.Nil, Proof{}, ErrCeremony
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return uuid.Nil, Proof{}, ceremony(err)
	}
	session, expected, err := p.take(ctx, db, "login", browser, nil, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return uuid.Nil, Proof{}, err
	}
	var key *heldPasskey
	var broken error // the library would bury it
	_, c, err := p.web.ValidatePasskeyLogin(func(id, _ []byte) (webauthn.User, error) {
		var o *owner
		o, key, broken = passkeyOf(ctx, db, id)
		if broken == nil && o == nil || broken == nil && expected != nil && o.person != *expected {
			return nil, errors.New("nobody's key, or somebody else's")
		}
		return o, broken
	}, *session, parsed)
	switch {
	case broken != nil:
		return uuid.Nil, Proof{}, broken
	case err != nil:
		return uuid.Nil, Proof{}, ceremony(err)
	}
	return p.count(ctx, db, key, c, parsed.Response.AuthenticatorData)
}

// count accepts a sign count that went up, or stays 0 where the authenticator has none, as those
// that synchronise do. One statement decides, so that a copied key cannot slip by at the same time.
func (p *Passkeys) count(ctx context.Context, db pg.DB, key *heldPasskey, c *webauthn.Credential, data protocol.AuthenticatorData) (uuid.UUID, Proof, error) {
	used, err := usePasskey(ctx, db, key, data.Counter, data.Flags.HasBackupState(), p.now())
	if err != nil {
		return uuid.Nil, Proof{}, err
	}
	if !used {
		return key.person, Proof{Factor: key.id}, ErrCloned
	}
	return key.person, Proof{By: ByPasskey, AMR: passkeyAMR(c.Flags.BackupEligible, data.Flags.HasUserVerified()), Factor: key.id, Enrolled: key.createdAt}, nil
}

// passkeyAMR is what a passkey adds to a session. RFC 8176 §2: hwk is a key bound to hardware, swk
// one that software may copy, as a key that is backed up is; user, that somebody was present; mfa,
// that the device asked for biometrics or a PIN too.
func passkeyAMR(backupEligible, verified bool) []string {
	amr := []string{"hwk", "user"}
	if backupEligible {
		amr[0] = "swk"
	}
	if verified {
		amr = append(amr, "mfa")
	}
	return amr
}

// begin keeps a challenge and gives the options their JSON.
func (p *Passkeys) begin(ctx context.Context, db pg.DB, purpose string, browser []byte, person *uuid.UUID, session *webauthn.SessionData, options any) (json.RawMessage, error) {
	kept, err := json.Marshal(session)
	if err != nil {
		return nil, err
	}
	if err := insertChallenge(ctx, db, secret.Hash(session.Challenge), purpose, browser, person, kept, p.now().Add(ChallengeLifetime)); err != nil {
		return nil, err
	}
	return json.Marshal(options)
}

// take uses a challenge up. Error: ErrChallenge.
func (p *Passkeys) take(ctx context.Context, db pg.DB, purpose string, browser []byte, person *uuid.UUID, challenge string) (*webauthn.SessionData, *uuid.UUID, error) {
	kept, expected, err := useChallenge(ctx, db, secret.Hash(challenge), purpose, browser, person, p.now())
	if err != nil {
		return nil, nil, err
	}
	var session webauthn.SessionData
	return &session, expected, json.Unmarshal(kept, &session)
}

// ceremony is ErrCeremony with the library's reason, which speaks of bytes and flags alone.
func ceremony(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%w: %s", ErrCeremony, e.Details)
	}
	return ErrCeremony
}

// PurgeChallenges forgets ceremonies that are over.
func PurgeChallenges(ctx context.Context, db pg.DB, now time.Time) error {
	return purgeChallenges(ctx, db, now.Add(-time.Hour))
}
