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
	token     issued
	grantedAt time.Time
	byCode    bool // else by a refresh token
}

// pair is whose data a release opens, and to whom.
type pair struct {
	person uuid.UUID
	client string
}

func (r *release) pair() pair { return pair{r.PersonID, r.ClientID} }

// decision is what a person allowed a service, as a release rests on it.
type decision struct {
	id       uuid.UUID
	at       time.Time
	manifest int
	bases    map[string]string // claim → legal basis
	purposes map[string]string // claim → why
}

// AuditReleases tells the audit of up to limit tokens it does not know of yet, with one event each,
// and returns how many they were. The list and the events change in one transaction: however many
// processes do it at once and wherever one is killed, each token has one event.
//
// An event names what its token opens, and what of that with a statement of who verified it, which is
// what the person allowed: whether the service then asks at userinfo, and whether the city has a value
// at that moment, costs no write.
func (s *Service) AuditReleases(ctx context.Context, limit int) (n int, err error) {
	err = pg.InTx(ctx, s.db, func(tx pg.Tx) error {
		releases, err := takeReleases(ctx, tx, limit)
		if n = len(releases); err != nil || n == 0 {
			return err
		}
		decisions, err := decisionsOf(ctx, tx, pairsOf(releases))
		if err != nil {
			return err
		}
		events := make([]audit.Event, n)
		for i := range releases {
			events[i] = releases[i].event(decisions[releases[i].pair()])
		}
		return audit.AppendTx(ctx, tx, s.now(), events...)
	})
	return n, err
}

func pairsOf(releases []release) []pair {
	seen := map[pair]bool{}
	for i := range releases {
		seen[releases[i].pair()] = true
	}
	return slices.Collect(maps.Keys(seen))
}

// always are the claims that every token of a person says.
var always = []string{"sub", "trust_level"}

// event is told with the decisions of the person about the service, oldest first. Those after the
// token was issued are another's.
func (r *release) event(decisions []decision) audit.Event {
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
	last := len(decisions) - 1
	for last >= 0 && decisions[last].at.After(r.token.IssuedAt) && decisions[last].at.After(r.grantedAt) {
		last--
	}
	if decisions = decisions[:last+1]; last >= 0 {
		detail["consent"], detail["manifest"] = decisions[last].id.String(), strconv.Itoa(decisions[last].manifest)
	}
	of, why := map[string][]string{}, []string{}
	for _, c := range claims {
		basis, purpose := said(decisions, c)
		if basis != "" {
			of[basis] = append(of[basis], c)
		}
		if purpose != "" && !slices.Contains(why, purpose) {
			why = append(why, purpose)
		}
	}
	for basis, claims := range of {
		detail["basis."+basis] = clip(strings.Join(claims, ","), 500)
	}
	return audit.Event{At: r.token.IssuedAt, Actor: audit.Actor{Kind: audit.Client, ID: r.ClientID}, Action: "claims.released", Person: r.PersonID,
		Fields: slices.Concat(always, claims), Purpose: clip(strings.Join(why, "; "), 500),
		LegalBasis: clip(strings.Join(slices.Sorted(maps.Keys(of)), ","), 100), Detail: detail}
}

// said is what the last decision about a claim said of it; "" where none did.
func said(decisions []decision, claim string) (basis, purpose string) {
	for _, d := range slices.Backward(decisions) {
		if basis == "" {
			basis = d.bases[claim]
		}
		if purpose == "" {
			purpose = d.purposes[claim]
		}
		if basis != "" && purpose != "" {
			break
		}
	}
	return basis, purpose
}

// clip shortens a text to so many bytes of whole characters.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len("…")], "") + "…"
}
