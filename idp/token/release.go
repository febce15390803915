package token

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
)

// release is one token of a person that was issued to a service, as the audit is told of it.
type release struct {
	holder
	token    issued
	byCode   bool        // else by a refresh token
	consents []uuid.UUID // decisions that it rests on, oldest first, and what each said
	versions []int
	bases    []map[string]string // claim → legal basis
	purposes []map[string]string // claim → why
}

// AuditReleases tells the audit of up to limit tokens it does not know of yet, with one event each,
// and returns how many they were. The list and the events change in one transaction: however many
// processes do it at once and wherever one is killed, each token has one event.
//
// An event names what its token opens, and what of that with a statement of who verified it, which is what the person allowed: whether the service then
// asks at userinfo, and whether the city has a value at that moment, costs no write.
func (s *Service) AuditReleases(ctx context.Context, limit int) (n int, err error) {
	err = pg.InTx(ctx, s.db, func(tx pg.Tx) error {
		releases, err := takeReleases(ctx, tx, limit)
		if err != nil {
			return err
		}
		n = len(releases)
		events := make([]audit.Event, n)
		for i := range releases {
			events[i] = releases[i].event()
		}
		return audit.RecordTx(ctx, tx, events...)
	})
	return n, err
}

// always are the claims that every token of a person says.
var always = []string{"sub", "trust_level"}

func (r *release) event() audit.Event {
	verified := r.Verified.Claims()
	claims := slices.Concat(r.within(r.token.Scope), r.IDTokenClaims, verified)
	slices.Sort(claims)
	claims = slices.Compact(claims)
	through := "refresh_token"
	if r.byCode {
		through = "authorization_code"
	}
	detail := map[string]string{"through": through, "grant": r.ID.String(), "until": r.token.AccessExpiresAt.UTC().Format(time.RFC3339)}
	if len(verified) > 0 {
		detail["verified"] = clip(strings.Join(verified, ","), 500)
	}
	if last := len(r.consents) - 1; last >= 0 {
		detail["consent"], detail["manifest"] = r.consents[last].String(), strconv.Itoa(r.versions[last])
	}
	bases, of := latest(r.bases), map[string][]string{}
	for _, c := range claims {
		of[bases[c]] = append(of[bases[c]], c)
	}
	delete(of, "")
	for basis, claims := range of {
		detail["basis."+basis] = clip(strings.Join(claims, ","), 500)
	}
	purposes, why := latest(r.purposes), []string{}
	for _, c := range claims {
		if p := purposes[c]; p != "" && !slices.Contains(why, p) {
			why = append(why, p)
		}
	}
	return audit.Event{At: r.token.IssuedAt, Actor: audit.Actor{Kind: audit.Client, ID: r.ClientID}, Action: "claims.released", Person: r.PersonID,
		Fields: slices.Concat(always, claims), Purpose: clip(strings.Join(why, "; "), 500),
		LegalBasis: clip(strings.Join(slices.Sorted(maps.Keys(of)), ","), 100), Detail: detail}
}

// latest is what the last decision about each claim said of it.
func latest(said []map[string]string) map[string]string {
	all := map[string]string{}
	for _, one := range said {
		maps.Copy(all, one)
	}
	return all
}

// clip shortens a text to so many bytes of whole characters.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len("…")], "") + "…"
}
