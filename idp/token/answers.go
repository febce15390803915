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
// A token ends before the evidence of its level does, and before what its person is to the city
// changes. What else time changes, evidence that ends beside it or a verification that grows older
// than a service wants, is their own end.
type answers struct {
	person        int64     // version of the person and evidence
	client        int64     // version of the manifest
	until         time.Time // when time alone makes them wrong; zero: never
	clientID      string    // whose token it is
	audience      []string
	userinfo      []byte // JSON; empty: the token was issued without openid
	introspection []byte // JSON
	needed        int    // the acr without which userinfo says nothing; 0: it says what it has
}

const (
	answersHead = 8 + 8 + 8 + 4 + 4 // versions, end, and the lengths of the first two parts
	neededAt    = 24                // the bit of the second length from which needed stands
	answersForm = 2                 // bound into the seal: what a release wrote in another form is no answer
)

// answersOf binds answers to their token and form.
func answersOf(accessHash []byte) []byte { return append(slices.Clip(accessHash), answersForm) }

// seal packs answers for their token.
func (s *Service) seal(a answers, accessHash []byte) []byte {
	whose := a.clientID + "\n" + strings.Join(a.audience, "\n") // neither holds a line break
	plain := make([]byte, answersHead, answersHead+len(whose)+len(a.userinfo)+len(a.introspection))
	binary.BigEndian.PutUint64(plain, uint64(a.person))
	binary.BigEndian.PutUint64(plain[8:], uint64(a.client))
	if !a.until.IsZero() {
		binary.BigEndian.PutUint64(plain[16:], uint64(a.until.UnixMicro()))
	}
	binary.BigEndian.PutUint32(plain[24:], uint32(len(whose)))
	binary.BigEndian.PutUint32(plain[28:], uint32(len(a.userinfo))|uint32(a.needed)<<neededAt)
	plain = append(append(append(plain, whose...), a.userinfo...), a.introspection...)
	return s.box.Seal(plain, answersOf(accessHash))
}

// unseal reads what seal packed; ok is false for anything else.
func (s *Service) unseal(sealed, accessHash []byte) (a answers, ok bool) {
	plain, err := s.box.Open(sealed, answersOf(accessHash))
	if err != nil || len(plain) < answersHead {
		return a, false
	}
	rest, whose, third := plain[answersHead:], int(binary.BigEndian.Uint32(plain[24:])), binary.BigEndian.Uint32(plain[28:])
	info := int(third & (1<<neededAt - 1))
	if whose > len(rest) || info > len(rest)-whose {
		return a, false
	}
	names := strings.Split(string(rest[:whose]), "\n")
	if micros := int64(binary.BigEndian.Uint64(plain[16:])); micros != 0 {
		a.until = time.UnixMicro(micros)
	}
	return answers{person: int64(binary.BigEndian.Uint64(plain)), client: int64(binary.BigEndian.Uint64(plain[8:])), until: a.until,
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
	if a, ok := s.unseal(sealed, hash); ok && a.person == version && a.stand(now) {
		if c, known := clients.Get(a.clientID); known && a.client == int64(c.Version) {
			return a, c, nil
		}
	}
	return s.anew(ctx, clients, id, hash, now)
}

// stand says whether time has left the answers as they are.
func (a *answers) stand(now time.Time) bool { return a.until.IsZero() || now.Before(a.until) }

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
	if err := s.detail(ctx, h); err != nil {
		return answers{}, nil, err
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
	released := h.release(c, h.within(t.Scope), level, now)
	a.until = h.stands(now, s.verified(c, h, h.verifiedIn(false), level, now, released))
	a.userinfo, err = merge(fixed, released)
	return a, err
}
