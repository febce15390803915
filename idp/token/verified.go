package token

import (
	"context"
	"slices"
	"time"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/registry/trust"
)

// govbrClaim is told by the evidence's attributes.
const govbrClaim = "govbr"

// Assure says by which names the city attests verified claims; without it there are none.
func (s *Service) Assure(settings ida.Settings) { s.assurance = settings }

// detail reads the evidence with its attributes where the grant releases something that they tell:
// one statement more, which nobody else pays. What is read later than the person is not older; where
// it is newer, so is the person's version, and whoever writes tokens by it is told.
func (s *Service) detail(ctx context.Context, h *holder) (err error) {
	if h.detailed || h.Verified == nil && !slices.Contains(h.Claims, govbrClaim) {
		return nil
	}
	if h.Evidence, err = trust.Of(ctx, s.shared.Reads, h.PersonID); err != nil || h.Verified == nil {
		h.detailed = err == nil
		return err
	}
	h.sources, err = s.people.SourceNames(ctx, s.db, h.Person.Policy)
	h.detailed = err == nil
	return err
}

// verified adds verified_claims to what a grant releases, and returns the instant from which the
// answer may be another; zero: never. Each claim in it goes through what every claim goes through:
// asked for and allowed when the grant was made, still in the manifest, and at its level.
//
// OpenID Connect for Identity Assurance 1.0 §5.2, §5.7.
func (s *Service) verified(c *client.Client, h *holder, asks []ida.Ask, level int, now time.Time, out map[string]any) (until time.Time) {
	if len(asks) == 0 {
		return until
	}
	person := h.Person.Seen(level)
	value := func(name string) (any, bool) {
		if m, ok := c.Claim(name); !ok || level < m.MinLevel {
			return nil, false
		}
		return person.Claim(name)
	}
	_, number := value("cpf")
	given := ida.Given{Sets: s.assurance.Sets(person, h.Evidence, h.sources, now), Value: value,
		Number: number && (slices.Contains(h.Claims, "cpf") || slices.Contains(h.Verified.Claims(), "cpf")), At: now,
		Same: ida.Comparer(s.box)}
	answer, until := given.Answer(asks)
	if answer != nil {
		out["verified_claims"] = answer
	}
	return until
}

// verifiedIn are the asks for userinfo or the ID token.
func (h *holder) verifiedIn(idToken bool) []ida.Ask {
	switch {
	case h.Verified == nil:
		return nil
	case idToken:
		return h.Verified.IDToken
	}
	return h.Verified.Userinfo
}

// stands is the instant until which an answer stays true by itself: time ends evidence that it tells
// of, even where the level stays. Zero: nothing will.
func (h *holder) stands(now, until time.Time) time.Time {
	for _, e := range h.Evidence {
		if end := e.ExpiresAt; e.LiveAt(now) && !end.IsZero() && (until.IsZero() || end.Before(until)) {
			until = end
		}
		if begin := e.VerifiedAt; begin.After(now) && (until.IsZero() || begin.Before(until)) {
			until = begin
		}
	}
	return until
}
