package token

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/idp/keys"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// Service issues tokens and answers for them.
type Service struct {
	db     *pg.Pool
	shared *pg.Shared
	box    registry.Sealer
	keys   *keys.Ring
	issuer string
	now    func() time.Time
	recent *memory
	people *registry.Store // names of sources

	assurance ida.Settings
}

// New serves tokens of one issuer.
func New(db *pg.Pool, shared *pg.Shared, box registry.Sealer, ring *keys.Ring, issuer string, now func() time.Time) *Service {
	return &Service{db: db, shared: shared, box: box, keys: ring, issuer: issuer, now: now, recent: newMemory(), people: registry.NewStore(box)}
}

// Response is a token endpoint's success. RFC 6749 §5.1, OIDC Core §3.1.3.3.
type Response struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
}

// Issue writes a grant in the flow's transaction and returns its code: 256 random bits, stored as
// SHA-256, good once and for [CodeLifetime]. of is the person of the grant as the flow knows them.
// A second grant of the same ID breaks a unique key, at the latest with the COMMIT, and so does one that is
// not [Grant.Alone] though it says so its NOT NULL.
func (s *Service) Issue(ctx context.Context, tx pg.DB, c *client.Client, g Grant, of Snapshot) (code string, err error) {
	if g.Subject == "" {
		if g.Subject, err = subjectOf(ctx, tx, g.PersonID, c.Sector, secret.Token()); err != nil {
			return "", err
		}
	}
	g.sealedCompany = g.Company.Seal(s.box, g.ID)
	code = secret.Handle(g.ID, secret.Unguessable)
	now, hash := s.now(), secret.Hash(code)
	if err = insertGrant(ctx, tx, g, hash, now); err == nil {
		s.recent.keep(hash, holder{Grant: g.closed(), Snapshot: of, CodeExpiresAt: now.Add(CodeLifetime), Upheld: true}, now)
	}
	return code, err
}

// CodeRequest is a token request with grant_type=authorization_code.
type CodeRequest struct {
	Code, RedirectURI, Verifier string
	Resources                   []string // RFC 8707; empty: what was authorized
}

// Exchange redeems a code, once.
//
// A code that meets this function a second time ends the grant it was issued for, and with it
// the tokens of the first redemption. OAuth 2.1 §4.1.3; RFC 9700 §4.5.
// Errors: *Error with invalid_grant or invalid_target.
func (s *Service) Exchange(ctx context.Context, c *client.Client, r CodeRequest) (*Response, error) {
	hash := secret.Hash(r.Code)
	h, err := s.recent.take(hash, s.box, s.now()), error(nil)
	for range tries {
		recalled := h != nil
		if !recalled {
			h, err = holderByCode(ctx, s.shared.Reads, s.box, rowOf(r.Code), hash)
		}
		if pg.NoRows(err) {
			return nil, invalidGrant("the code is unknown or expired")
		}
		if err != nil {
			return nil, err
		}
		res, err := s.redeem(ctx, c, r, h)
		if res != nil || (err != nil && !(recalled && errors.Is(err, errLevelFell))) { // it may have come back since
			return res, err
		}
		h = nil
	}
	return nil, errRestless
}

// tries are how often a redemption or rotation begins anew because what it read has changed
// before it could write. The next reading tells whether it may.
const tries = 4

var errRestless = errors.New("grant and person changed again and again while a token was made for them")

// redeem is one try; nil without error: what it knew has changed.
func (s *Service) redeem(ctx context.Context, c *client.Client, r CodeRequest, h *holder) (*Response, error) {
	now := s.now()
	if err := h.redeemable(c, r, now); err != nil {
		if errors.Is(err, errReused) {
			return nil, s.reused(ctx, h, now)
		}
		return nil, err
	}
	audience, err := s.audience(h.Resources, r.Resources)
	if err != nil {
		return nil, err
	}
	if err := s.detail(ctx, h); err != nil {
		return nil, err
	}
	res, stored, err := s.mint(c, h, h.Scope, audience, h.Nonce, now)
	if err != nil {
		return nil, err
	}
	won, err := redeemCode(ctx, s.shared.Writes, h, stored, now)
	if err != nil || !won {
		return nil, err
	}
	s.remember(h, stored, now)
	return res, nil
}

// remember keeps what the refresh token just stored stands for.
func (s *Service) remember(h *holder, t newToken, now time.Time) {
	if t.RefreshHash != nil {
		s.recent.keep(t.RefreshHash, holder{Grant: h.Grant.closed(), Snapshot: h.Snapshot}, now)
	}
}

var errReused = errors.New("used before")

// redeemable checks everything but the race. The client is compared before the rest, so that
// another client learns nothing about a code that is not its own.
func (h *holder) redeemable(c *client.Client, r CodeRequest, now time.Time) error {
	switch {
	case h.ClientID != c.ID:
		return invalidGrant("the code is unknown or expired")
	case h.CodeUsedAt != nil:
		return errReused
	case !now.Before(h.CodeExpiresAt) || !h.live(now) || !h.Upheld:
		return invalidGrant("the code is unknown or expired")
	case h.RedirectURI != r.RedirectURI:
		return invalidGrant("redirect_uri is not the one of the authorization request")
	case !verifies(h.CodeChallenge, r.Verifier):
		return invalidGrant("code_verifier does not match the code_challenge")
	}
	return nil
}

func (s *Service) reused(ctx context.Context, h *holder, now time.Time) error {
	if err := revokeGrant(ctx, s.db, h.ID, "reuse", now); err != nil {
		return err
	}
	return invalidGrant("it was used before; every token of this authorization has been revoked")
}

// Refresh rotates a refresh token. One that comes back after its rotation ends the grant: either
// the client or a thief holds a copy, and nobody can tell which. RFC 9700 §4.14.2.
// Errors: *Error with invalid_grant, invalid_scope or invalid_target.
func (s *Service) Refresh(ctx context.Context, c *client.Client, token, scope string, resources []string) (*Response, error) {
	hash := secret.Hash(token)
	h, t, err := s.recent.take(hash, s.box, s.now()), new(issued), error(nil)
	for range tries {
		recalled := h != nil
		if !recalled {
			h, t, err = holderByRefresh(ctx, s.shared.Reads, s.box, rowOf(token), hash)
		}
		if pg.NoRows(err) || (err == nil && h.ClientID != c.ID) {
			return nil, invalidGrant("the refresh token is unknown")
		}
		if err != nil {
			return nil, err
		}
		if t.RefreshUsedAt != nil {
			return nil, s.reused(ctx, h, s.now())
		}
		res, err := s.rotate(ctx, c, rowOf(token), hash, h, scope, resources)
		if res != nil || (err != nil && !(recalled && errors.Is(err, errLevelFell))) {
			return res, err
		}
		h = nil
	}
	return nil, errRestless
}

// rotate is one try; nil without error: what it knew has changed.
func (s *Service) rotate(ctx context.Context, c *client.Client, id uuid.UUID, used []byte, h *holder, scope string, resources []string) (*Response, error) {
	now := s.now()
	if !h.live(now) {
		return nil, invalidGrant("the authorization has ended")
	}
	scope, err := narrow(h.Scope, scope)
	if err != nil {
		return nil, err
	}
	audience, err := s.audience(h.Resources, resources)
	if err != nil {
		return nil, err
	}
	if err := s.detail(ctx, h); err != nil {
		return nil, err
	}
	res, stored, err := s.mint(c, h, scope, audience, "", now)
	if err != nil {
		return nil, err
	}
	won, err := rotate(ctx, s.shared.Writes, h, id, used, stored, now)
	if err != nil || !won {
		return nil, err
	}
	s.remember(h, stored, now)
	return res, nil
}

// audience decides for whom an access token is: what was asked of what was authorized, else all
// of it, else the provider itself. RFC 8707 §2.2, RFC 9068 §3.
func (s *Service) audience(granted, asked []string) ([]string, error) {
	if len(asked) == 0 {
		asked = granted
	}
	for _, r := range asked {
		if !slices.Contains(granted, r) {
			return nil, invalidTarget("resource was not part of the authorization")
		}
	}
	if len(asked) == 0 {
		return []string{s.issuer}, nil
	}
	return asked, nil
}

// EndOf ends the tokens of a person for one service, in the caller's transaction.
func (s *Service) EndOf(ctx context.Context, tx pg.DB, person uuid.UUID, clientID, reason string) error {
	return revokeOf(ctx, tx, person, clientID, reason, s.now())
}

// EndTokens ends all tokens of a person, those that outlive sessions too, in the caller's transaction.
func (s *Service) EndTokens(ctx context.Context, tx pg.DB, person uuid.UUID, reason string) error {
	return revokeAll(ctx, tx, person, reason, s.now())
}

// EndOpenedBy ends the grants of a person that were made in a session of a way in, a fact of its amr,
// those that outlive sessions too, in the caller's transaction.
func (s *Service) EndOpenedBy(ctx context.Context, tx pg.DB, person uuid.UUID, fact, reason string) error {
	return revokeOpenedBy(ctx, tx, person, fact, reason, s.now())
}

// EndAccess ends the access tokens of a person, in the caller's transaction, and none of the grants:
// what they say has changed, and a refresh brings tokens that say what is so.
func (s *Service) EndAccess(ctx context.Context, tx pg.DB, person uuid.UUID) error {
	return revokeAccess(ctx, tx, person, s.now())
}

// Carry gives what one person had opened to another, who has turned out to be the same: the subs by
// which services know them, and every grant. A service that knows both under two subs sees that of
// the second from now on; the other one stays as it is, and [Service.SubjectNow] reads it.
func (s *Service) Carry(ctx context.Context, tx pg.DB, from, to uuid.UUID) error {
	if err := carrySubjects(ctx, tx, from, to); err != nil {
		return err
	}
	return carryGrants(ctx, tx, from, to)
}

// SubjectNow is the sub in use of whom a sub names: another one where that person was known twice.
func (s *Service) SubjectNow(ctx context.Context, sub string) (string, error) {
	return subjectNow(ctx, s.shared.Reads, sub)
}

// EndSession ends the tokens that rest on a session and says whom to tell.
func (s *Service) EndSession(ctx context.Context, tx pg.DB, person, session uuid.UUID) ([]client.Party, error) {
	return revokeSession(ctx, tx, person, session, s.now())
}

// LastUses says when each service last received a token about a person, by client_id.
func (s *Service) LastUses(ctx context.Context, person uuid.UUID) (map[string]time.Time, error) {
	return lastUses(ctx, s.db, person)
}

// lookBack is how far back a purge looks for answers that an earlier one has left.
const lookBack = 7 * 24 * time.Hour

// Purge removes what can say nothing any more, at most limit grants; it returns how many.
func (s *Service) Purge(ctx context.Context, limit int) (int64, error) {
	now := s.now()
	before := now.Add(-24 * time.Hour)
	if err := forgetAnswers(ctx, s.db, now); err != nil {
		return 0, err
	}
	if err := purgeRevoked(ctx, s.db, before); err != nil {
		return 0, err
	}
	return purgeTokens(ctx, s.db, before, limit)
}
