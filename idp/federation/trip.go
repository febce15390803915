package federation

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// Lifetime is how long a citizen may take at gov.br, where opening an account takes a while.
const Lifetime = 30 * time.Minute

// Deciding is how long what gov.br said is kept while the citizen decides about an account.
const Deciding = 10 * time.Minute

// Trip is one way to gov.br and back.
type Trip struct {
	Interaction uuid.UUID // the visit it belongs to
	At          time.Time // when it began
	secrets
	hash []byte // of its state
}

type secrets struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"code_verifier"` // RFC 7636 §4.1: 43 characters
	// Companies says that the trip asks which companies the person stands for.
	Companies bool `json:"companies,omitempty"`
}

func sealedFor(hash []byte, what string) []byte { return append([]byte("govbr/"+what+"/"), hash...) }

// Begin starts a trip of a visit in a browser and returns where the browser goes.
//
//	browser    SHA-256 of the browser's cookie
//	companies  ask which companies the person stands for, where the city may
func (c *Connector) Begin(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte, companies bool) (string, error) {
	state, s := secret.Token(), secrets{Nonce: secret.Token(), Verifier: secret.Token(), Companies: companies && c.Companies()}
	plain, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	hash := secret.Hash(state)
	now := c.now()
	err = insertTrip(ctx, db, hash, interaction, browser, c.box.Seal(plain, sealedFor(hash, "trip")), now, now.Add(Lifetime))
	return c.authorizeURL(state, s), err
}

// Take uses up the trip of a state, in the browser that began it: of two callbacks one finds it, and
// another browser's finds nothing and uses nothing up. Error: ErrTrip.
func (c *Connector) Take(ctx context.Context, db pg.DB, state string, browser []byte) (t Trip, err error) {
	if len(state) != len(secret.Token()) {
		return t, ErrTrip
	}
	t.hash = secret.Hash(state)
	var sealed []byte
	t.Interaction, t.At, sealed, err = takeTrip(ctx, db, t.hash, browser, c.now())
	if pg.NoRows(err) {
		return t, ErrTrip
	}
	if err != nil {
		return t, err
	}
	plain, err := c.box.Open(sealed, sealedFor(t.hash, "trip"))
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(plain, &t.secrets)
}

// Left is the visit of the latest trip that a browser has not come back from: after opening an
// account gov.br lands on a static page, and the code never comes. Error: ErrTrip.
func (c *Connector) Left(ctx context.Context, db pg.DB, browser []byte) (uuid.UUID, error) {
	id, err := leftTrip(ctx, db, browser, c.now())
	if pg.NoRows(err) {
		return id, ErrTrip
	}
	return id, err
}

// Keep holds on to who came back, sealed, while the citizen decides.
func (c *Connector) Keep(ctx context.Context, db pg.DB, t Trip, a Account) error {
	plain, err := json.Marshal(kept{a, a.CPF.Digits()})
	if err != nil {
		return err
	}
	return keepAccount(ctx, db, t.hash, c.box.Seal(plain, sealedFor(t.hash, "account")), c.now().Add(Deciding))
}

// Kept is who came back in a visit of this browser and waits for the citizen's decision.
// Error: ErrTrip.
func (c *Connector) Kept(ctx context.Context, db pg.DB, interaction uuid.UUID, browser []byte) (t Trip, a Account, err error) {
	var sealed []byte
	t.hash, t.At, sealed, err = keptAccount(ctx, db, interaction, browser, c.now())
	if pg.NoRows(err) {
		return t, a, ErrTrip
	}
	if err != nil {
		return t, a, err
	}
	t.Interaction = interaction
	plain, err := c.box.Open(sealed, sealedFor(t.hash, "account"))
	if err != nil {
		return t, a, err
	}
	var k kept
	err = json.Unmarshal(plain, &k)
	k.CPF = brdoc.CPF(k.Digits)
	return t, k.Account, err
}

// kept is an account as it is sealed: a CPF does not marshal itself.
type kept struct {
	Account
	Digits string `json:"cpf"`
}

// Decide uses up what was kept, in the transaction of what the citizen decided. Error: ErrTrip for
// the second of two.
func (c *Connector) Decide(ctx context.Context, db pg.DB, t Trip) error {
	ok, err := decideTrip(ctx, db, t.hash, c.now())
	if err == nil && !ok {
		return ErrTrip
	}
	return err
}

// Purge forgets trips that are over.
func (c *Connector) Purge(ctx context.Context, db pg.DB) error { return purgeTrips(ctx, db, c.now()) }
