package token

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// answers are what userinfo and introspection say about one access token. They are made with the
// token and lie sealed beside it, so that asking costs one small read; the versions they were made
// from say whether they still hold. Every change of the person or the evidence counts up the one
// (the database does, in the same transaction), every applied manifest the other: an answer of
// another version is made anew, so no answer is older than what it tells.
//
// They hold personal values, so they go when the token is rotated away or has expired.
//
// Time alone cannot make them wrong: a token ends before the evidence of its level does, and before
// what its person is to the city changes.
type answers struct {
	person        int64  // version of the person and evidence
	client        int64  // version of the manifest
	clientID      string // whose token it is
	audience      []string
	userinfo      []byte // JSON; empty: the token was issued without openid
	introspection []byte // JSON
	needed        int    // the acr without which userinfo says nothing; 0: it says what it has
}

const (
	answersHead = 8 + 8 + 4 + 4 // versions, and the lengths of the first two parts
	neededAt    = 24            // the bit of the second length from which needed stands
)

// seal packs answers for their token.
func (s *Service) seal(a answers, accessHash []byte) []byte {
	whose := a.clientID + "\n" + strings.Join(a.audience, "\n") // neither holds a line break
	plain := make([]byte, answersHead, answersHead+len(whose)+len(a.userinfo)+len(a.introspection))
	binary.BigEndian.PutUint64(plain, uint64(a.person))
	binary.BigEndian.PutUint64(plain[8:], uint64(a.client))
	binary.BigEndian.PutUint32(plain[16:], uint32(len(whose)))
	binary.BigEndian.PutUint32(plain[20:], uint32(len(a.userinfo))|uint32(a.needed)<<neededAt)
	plain = append(append(append(plain, whose...), a.userinfo...), a.introspection...)
	return s.box.Seal(plain, accessHash)
}

// unseal reads what seal packed; ok is false for anything else.
func (s *Service) unseal(sealed, accessHash []byte) (a answers, ok bool) {
	plain, err := s.box.Open(sealed, accessHash)
	if err != nil || len(plain) < answersHead {
		return a, false
	}
	rest, whose, third := plain[answersHead:], int(binary.BigEndian.Uint32(plain[16:])), binary.BigEndian.Uint32(plain[20:])
	info := int(third & (1<<neededAt - 1))
	if whose > len(rest) || info > len(rest)-whose {
		return a, false
	}
	names := strings.Split(string(rest[:whose]), "\n")
	return answers{person: int64(binary.BigEndian.Uint64(plain)), client: int64(binary.BigEndian.Uint64(plain[8:])),
		clientID: names[0], audience: names[1:], userinfo: rest[whose : whose+info], introspection: rest[whose+info:], needed: int(third >> neededAt)}, true
}

// about returns the answers for a live access token and the client it was issued to: those made
// before while they hold, else new ones. Error: ErrInvalidToken for every other token.
func (s *Service) about(ctx context.Context, clients Clients, access string) (answers, *client.Client, error) {
	now, id, hash := s.now(), rowOfAccess(access), secret.Hash(access)
	sealed, version, err := answersByAccess(ctx, s.shared.Reads, id, hash, now)
	if pg.NoRows(err) {
		return answers{}, nil, ErrInvalidToken
	}
	if err != nil {
		return answers{}, nil, err
	}
	if a, ok := s.unseal(sealed, hash); ok && a.person == version {
		if c, known := clients.Get(a.clientID); known && a.client == int64(c.Version) {
			return a, c, nil
		}
	}
	return s.anew(ctx, clients, id, hash, now)
}

// anew makes the answers from all there is.
func (s *Service) anew(ctx context.Context, clients Clients, id uuid.UUID, accessHash []byte, now time.Time) (answers, *client.Client, error) {
	h, t, err := holderByAccess(ctx, s.db, s.box, id, accessHash)
	if pg.NoRows(err) {
		return answers{}, nil, ErrInvalidToken
	}
	if err != nil {
		return answers{}, nil, err
	}
	c, known := clients.Get(h.ClientID)
	if !known {
		return answers{}, nil, ErrInvalidToken
	}
	a, err := s.answers(c, h, *t, now)
	return a, c, err
}

// answers makes both answers for a token of this scope and audience.
func (s *Service) answers(c *client.Client, h *holder, t issued, now time.Time) (answers, error) {
	level, _ := h.assess(c, now, AccessLifetime)
	assurance, office := h.assurance(level), h.office(c, s.issuer, t.Scope, t.Audience, level, now)
	introspection, err := json.Marshal(Introspection{Active: true, Issuer: s.issuer, Subject: h.Subject, Audience: t.Audience,
		ClientID: h.ClientID, Scope: t.Scope, Type: "Bearer", Expires: t.AccessExpiresAt.Unix(), IssuedAt: t.IssuedAt.Unix(),
		Roles: office.Roles, Department: office.Department, assurance: assurance})
	a := answers{person: h.Version, client: int64(c.Version), clientID: h.ClientID, audience: t.Audience, introspection: introspection}
	if err != nil || !slices.Contains(strings.Fields(t.Scope), client.ScopeOpenID) {
		return a, err
	}
	if a.needed = h.short(c, level); a.needed > 0 {
		return a, nil
	}
	fixed := userinfo{Subject: h.Subject, assurance: assurance}
	if c.UserinfoAlg != "" {
		fixed.Issuer, fixed.Audience = s.issuer, h.ClientID
	}
	a.userinfo, err = merge(fixed, h.release(c, h.within(t.Scope), level, now))
	return a, err
}
