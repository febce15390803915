package certauth

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// How long a citizen may take to choose a certificate and type its PIN; how long the code is good
// with which the browser comes back by itself; how long what was shown is kept while they decide.
const (
	Lifetime     = 10 * time.Minute
	CodeLifetime = 2 * time.Minute
	Deciding     = 10 * time.Minute
)

// ErrTrip: no such trip of this browser, or it was used, or is too old.
var ErrTrip = fail.New(fail.Expired, "certificate_trip")

// Sealer keeps what was shown; *secret.Box is the one there is.
type Sealer interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
}

// Trip is one way to the certificate host and back.
type Trip struct {
	Interaction uuid.UUID // the visit it belongs to
	hash        []byte    // of its ticket
}

// Shown is a certificate that was accepted, with what the flow needs of its chain.
type Shown struct {
	Holder              Holder
	Identity            Identity
	Issuer              string // name of the authority that issued it
	NotBefore, NotAfter time.Time
	der                 []byte
}

// ShownBy is what a proof shows, however it came: by a handshake, a signed challenge, the cloud.
func ShownBy(p Proof) Shown {
	leaf := p.Chain[0]
	return Shown{p.Holder, IdentityOf(p.Chain), legible(p.Chain[1].Subject.CommonName), leaf.NotBefore.UTC(), leaf.NotAfter.UTC(), leaf.Raw}
}

// Trips send browsers to the certificate host and take what came of it.
//
//	Begin ──► ticket ──► host: used once ──► code ──► Take: used once, by the browser that began
//
// A ticket signs nobody in: what was shown goes to the browser that showed it, as a code, and the code
// is good in the browser that began. Whoever sends another their ticket, or their code, gets nothing.
type Trips struct {
	box             Sealer
	verifier        *Verifier
	now             func() time.Time
	url, compatible string
}

// NewTrips knows the host by its public address, https://host[:port].
//
//	verifier    judges again what was kept, when the citizen has decided
//	compatible  address of the listener for old tokens; "" for none
func NewTrips(box Sealer, verifier *Verifier, url, compatible string, now func() time.Time) *Trips {
	return &Trips{box, verifier, now, url, compatible}
}

// PathShow is where the host asks for a certificate.
const PathShow = "/certificado"

func sealedFor(hash []byte, what string) []byte {
	return append([]byte("certificate/"+what+"/"), hash...)
}

// Compatible says whether there is a listener for old tokens.
func (t *Trips) Compatible() bool { return t.compatible != "" }

// Begin starts a trip of a visit in a browser and returns where the browser goes.
//
//	browser     SHA-256 of the browser's cookie
//	compatible  to the listener for old tokens, where there is one
func (t *Trips) Begin(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, compatible bool) (string, error) {
	ticket, now := secret.Token(), t.now()
	to := t.url
	if compatible && t.compatible != "" {
		to = t.compatible
	}
	err := insertTrip(ctx, db, secret.Hash(ticket), interaction, browser, now, now.Add(Lifetime))
	return to + PathShow + "?" + url.Values{"t": {ticket}}.Encode(), err
}

// enter uses up a ticket at the host and returns the code for the way back. Error: ErrTrip.
func (t *Trips) enter(ctx context.Context, db pg.DB, ticket string) (code string, err error) {
	if len(ticket) != len(secret.Token()) {
		return "", ErrTrip
	}
	code = secret.Token()
	now := t.now()
	ok, err := useTicket(ctx, db, secret.Hash(ticket), secret.Hash(code), now, now.Add(CodeLifetime))
	if err == nil && !ok {
		err = ErrTrip
	}
	return code, err
}

// outcome is what was shown, as it is sealed. The holder is read from the certificate again.
type outcome struct {
	Reason      Reason `json:"reason,omitempty"`
	Certificate []byte `json:"certificate,omitempty"` // DER
	IssuerKey   []byte `json:"issuer_key,omitempty"`
	Issuer      string `json:"issuer,omitempty"`
	Method      string `json:"method,omitempty"` // of what is kept
}

func (s Shown) outcome() outcome {
	return outcome{Certificate: s.der, IssuerKey: s.Identity.IssuerKey, Issuer: s.Issuer}
}

func (o outcome) shown() (s Shown, err error) {
	if o.Reason != "" {
		return s, o.Reason
	}
	cert, err := x509.ParseCertificate(o.Certificate)
	if err != nil {
		return s, err
	}
	s = Shown{Identity: identity(cert, o.IssuerKey), Issuer: o.Issuer, NotBefore: cert.NotBefore.UTC(), NotAfter: cert.NotAfter.UTC(), der: cert.Raw}
	s.Holder, err = HolderOf(cert)
	return s, err
}

func (t *Trips) seal(o outcome, hash []byte, what string) ([]byte, error) {
	plain, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return t.box.Seal(plain, sealedFor(hash, what)), nil
}

func (t *Trips) open(sealed, hash []byte, what string) (o outcome, err error) {
	plain, err := t.box.Open(sealed, sealedFor(hash, what))
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(plain, &o)
}

// note seals what the host has seen for who takes the code.
//
//	reason  "" for a proof
func (t *Trips) note(ctx context.Context, db pg.DB, code string, p Proof, reason Reason) error {
	o := outcome{Reason: reason}
	if reason == "" {
		o = ShownBy(p).outcome()
	}
	hash := secret.Hash(code)
	sealed, err := t.seal(o, hash, "outcome")
	if err != nil {
		return err
	}
	return noteOutcome(ctx, db, hash, sealed)
}

// Take uses up a code, in the browser that began its trip, and says what was shown. Errors: ErrTrip;
// a [Reason], with the trip.
func (t *Trips) Take(ctx context.Context, db pg.DB, code string, browser []byte) (trip Trip, s Shown, err error) {
	if len(code) != len(secret.Token()) {
		return trip, s, ErrTrip
	}
	hash := secret.Hash(code)
	trip, sealed, err := takeOutcome(ctx, db, hash, browser, t.now())
	if pg.NoRows(err) {
		return trip, s, ErrTrip
	}
	if err != nil {
		return trip, s, err
	}
	o, err := t.open(sealed, hash, "outcome")
	if err == nil {
		s, err = o.shown()
	}
	return trip, s, err
}

// Keep holds on to what was shown in a visit, sealed, while the citizen decides. It is for every way by
// which a certificate comes.
//
//	method  which way, to be told by Kept
func (t *Trips) Keep(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, s Shown, method string) error {
	hash, now := secret.Hash(secret.Token()), t.now()
	o := s.outcome()
	o.Method = method
	sealed, err := t.seal(o, hash, "kept")
	if err != nil {
		return err
	}
	return insertKept(ctx, db, hash, interaction, browser, sealed, now, now.Add(Deciding))
}

// Kept is what was shown in a visit of this browser and waits for the citizen's decision. It is judged
// again: a certificate may have been revoked meanwhile, and the list that says so is followed already.
// Errors: ErrTrip; a [Reason].
func (t *Trips) Kept(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte) (trip Trip, s Shown, method string, err error) {
	trip, sealed, err := keptOutcome(ctx, db, interaction, browser, t.now())
	if pg.NoRows(err) {
		return trip, s, "", ErrTrip
	}
	if err != nil {
		return trip, s, "", err
	}
	o, err := t.open(sealed, trip.hash, "kept")
	if err != nil {
		return trip, s, "", err
	}
	leaf, err := x509.ParseCertificate(o.Certificate)
	if err != nil {
		return trip, s, "", err
	}
	proof, err := t.verifier.Verify(ctx, leaf)
	if err != nil {
		return trip, s, "", err
	}
	return trip, ShownBy(proof), o.Method, nil
}

// Decide uses up what was kept, in the transaction of what the citizen decided. Error: ErrTrip for
// the second of two.
func (t *Trips) Decide(ctx context.Context, db pg.DB, trip Trip) error {
	ok, err := decideTrip(ctx, db, trip.hash, t.now())
	if err == nil && !ok {
		return ErrTrip
	}
	return err
}

// Purge forgets trips that are over.
func (t *Trips) Purge(ctx context.Context, db pg.DB) error { return purgeTrips(ctx, db, t.now()) }

// NoteUse keeps, in the transaction of the sign-in, that a person has signed in with a certificate.
func NoteUse(ctx context.Context, tx pg.Tx, person uuid.UUID, s Shown, now time.Time) error {
	return noteUse(ctx, tx, person, s, now)
}
