package token

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/idp/ida"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

// assurance is said in every token and answer about a person.
type assurance struct {
	ACR        string   `json:"acr"`
	AMR        []string `json:"amr"`
	AuthTime   int64    `json:"auth_time"`
	TrustLevel int      `json:"trust_level"`
}

func (h *holder) assurance(level int) *assurance {
	return &assurance{ACR: trust.ACR(level, h.Cap), AMR: h.AMR, AuthTime: h.AuthTime.Unix(), TrustLevel: level}
}

// accessClaims are the claims of an at+jwt. RFC 9068 §2.2.
type accessClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	ClientID string   `json:"client_id"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	JWTID    string   `json:"jti"`
	Scope    string   `json:"scope,omitempty"`

	Roles []staff.Role `json:"roles,omitempty"` // §2.2.3.1
	*assurance
}

// idTokenClaims are the claims of an ID token beside those the client asked to find in it.
// OIDC Core §2; sid is Back-Channel Logout §2.1.
type idTokenClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	Expires   int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	Nonce     string `json:"nonce,omitempty"`
	AtHash    string `json:"at_hash"`
	SessionID string `json:"sid"`
	*assurance
}

// audience is one string where there is one, an array where there are more (RFC 7519 §4.1.3).
type audience []string

func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// merge encodes a fixed part once and puts the released claims behind it, without decoding again.
// Protocol members win: a released claim of the same name is left out.
func merge(fixed any, released map[string]any, taken ...string) ([]byte, error) {
	body, err := json.Marshal(fixed)
	if err != nil {
		return nil, err
	}
	for _, name := range taken {
		delete(released, name)
	}
	if len(released) == 0 {
		return body, nil
	}
	rest, err := json.Marshal(released)
	if err != nil {
		return nil, err
	}
	return append(append(body[:len(body)-1], ','), rest[1:]...), nil
}

// atHash is the left half of the SHA-256 of the access token. OIDC Core §3.1.3.6; SHA-256 is right
// for ES256 and RS256 alike.
func atHash(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// release computes the claims of a grant that may leave now: asked for, still in the service's
// manifest, and at the level the manifest wants for each. Consent was applied when the grant was
// made and ends the grant when it is withdrawn.
func (h *holder) release(c *client.Client, names []string, level int, now time.Time) map[string]any {
	out, person := make(map[string]any, len(names)+2), h.Person.Seen(level)
	for _, m := range c.Claims {
		if !slices.Contains(names, m.Name) || level < m.MinLevel {
			continue
		}
		value, ok := h.value(c, &person, m.Name, level, now)
		if !ok {
			continue
		}
		out[m.Name] = value
		if m.Name == "email" || m.Name == "phone_number" {
			out[m.Name+"_verified"], _ = person.Claim(m.Name + "_verified")
		}
	}
	return out
}

// value is one claim of the person; trust_evidence and govbr come from the evidence, those of a company
// from the grant and nowhere else, roles and department from the appointment that holds, the rest from
// the registry.
func (h *holder) value(c *client.Client, person *registry.Person, name string, level int, now time.Time) (any, bool) {
	if client.TellsEmployment(name) {
		return h.employment(c, name, level, now)
	}
	if slices.Contains(company.Claims, name) {
		if !h.Company.Live(now) {
			return nil, false
		}
		return h.Company.Claim(name)
	}
	switch name {
	case govbrClaim:
		return ida.GovBR(h.Evidence, now)
	case "trust_evidence":
		return h.trustEvidence(now), true
	}
	return person.Claim(name)
}

// trustEvidence lists the live evidence: what sort, who holds the fact, since and until when.
func (h *holder) trustEvidence(now time.Time) any {
	type item struct {
		Kind       trust.Kind `json:"kind"`
		Source     string     `json:"source"`
		VerifiedAt string     `json:"verified_at"`
		ExpiresAt  string     `json:"expires_at,omitempty"`
	}
	items := []item{}
	for _, e := range h.Evidence {
		if !e.LiveAt(now) {
			continue
		}
		it := item{Kind: e.Kind, Source: e.Source, VerifiedAt: e.VerifiedAt.UTC().Format(time.RFC3339)}
		if !e.ExpiresAt.IsZero() {
			it.ExpiresAt = e.ExpiresAt.UTC().Format(time.RFC3339)
		}
		items = append(items, it)
	}
	return items
}

// narrow returns the scope of a request cut from what was granted: the whole when nothing is
// asked, else every asked scope must have been granted. RFC 6749 §6.
func narrow(granted, asked string) (string, error) {
	if asked == "" {
		return granted, nil
	}
	had := strings.Fields(granted)
	for _, s := range strings.Fields(asked) {
		if !slices.Contains(had, s) {
			return "", invalidScope("scope goes beyond what was granted")
		}
	}
	return strings.Join(strings.Fields(asked), " "), nil
}
