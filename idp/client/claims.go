package client

import (
	"slices"
	"strings"
)

// Scopes that carry no claims of their own.
const (
	ScopeOpenID  = "openid"
	ScopeOffline = "offline_access"
)

// ScopeEmployee asks for what somebody is to the city: internal services only.
const ScopeEmployee = "employee"

// scopeClaims is the contract's table, in the order pages and discovery show it. OIDC Core §5.4.
var scopeClaims = []struct {
	scope  string
	claims []string
}{
	{"profile", []string{"name", "birthdate", "gender", "locale", "updated_at"}},
	{"civil_name", []string{"civil_name"}},
	{"email", []string{"email", "email_verified"}},
	{"phone", []string{"phone_number", "phone_number_verified"}},
	{"address", []string{"address"}},
	{"cpf", []string{"cpf"}},
	{"documents", []string{"rg", "voter_id", "cns", "nis", "passport"}},
	{"family", []string{"mother_name", "mother_cpf", "father_name", "father_cpf"}},
	{"cnpj", []string{"cnpj", "company_name", "company_role"}},
	{ScopeEmployee, []string{"roles", "department"}},
	{"govbr", []string{"govbr"}},
	{"trust", []string{"trust_evidence"}},
}

// principals gives the claim that a claim says something about; whoever gets the one gets the other.
var principals = map[string]string{
	"email_verified":        "email",
	"phone_number_verified": "phone_number",
}

// alwaysReleased need no manifest entry: they describe the sign-in, not the person.
var alwaysReleased = []string{"sub", "acr", "amr", "auth_time", "trust_level"}

// Scopes lists every scope with claims, in the contract's order.
func Scopes() []string {
	scopes := make([]string, len(scopeClaims))
	for i, s := range scopeClaims {
		scopes[i] = s.scope
	}
	return scopes
}

// ClaimsOf lists the claims of one scope; nil for a scope without claims or unknown.
func ClaimsOf(scope string) []string {
	for _, s := range scopeClaims {
		if s.scope == scope {
			return slices.Clone(s.claims)
		}
	}
	return nil
}

// ScopeOf is the scope that asks for a claim; "" when no such claim exists.
func ScopeOf(claim string) string {
	for _, s := range scopeClaims {
		if slices.Contains(s.claims, claim) {
			return s.scope
		}
	}
	return ""
}

// PrincipalOf is the claim whose consent and manifest entry decide over claim: email for
// email_verified, phone_number for phone_number_verified, else the claim itself.
func PrincipalOf(claim string) string {
	if p, ok := principals[claim]; ok {
		return p
	}
	return claim
}

// TellsEmployment says whether a claim is about somebody's work for the city. It leaves while they hold
// that office, in a strong session, and rests on law, never on consent.
func TellsEmployment(claim string) bool { return ScopeOf(claim) == ScopeEmployee }

// StaffOnly says whether the service is for employees of the city alone: it requires to know what
// they are.
func (m *Manifest) StaffOnly() bool {
	return slices.ContainsFunc(m.Claims, func(c Claim) bool { return c.Required && TellsEmployment(c.Name) })
}

// Claim is the manifest's entry that covers a claim, the entry of its principal included.
func (m *Manifest) Claim(name string) (Claim, bool) {
	name = PrincipalOf(name)
	i := slices.IndexFunc(m.Claims, func(c Claim) bool { return c.Name == name })
	if i < 0 {
		return Claim{}, false
	}
	return m.Claims[i], true
}

// ScopeClaims lists the claims of one scope that the manifest covers, in the contract's order.
func (m *Manifest) ScopeClaims(scope string) []string {
	return slices.DeleteFunc(ClaimsOf(scope), func(name string) bool {
		_, covered := m.Claim(name)
		return !covered
	})
}

// Scopes lists what the service may ask for: openid, each scope of which it has a claim, and
// offline_access where it may refresh. One for employees alone may not have that: nobody acts for the
// city who is not there.
func (m *Manifest) Scopes() []string {
	scopes := []string{ScopeOpenID}
	for _, s := range scopeClaims {
		if len(m.ScopeClaims(s.scope)) > 0 {
			scopes = append(scopes, s.scope)
		}
	}
	if m.HasGrant(GrantRefreshToken) && !m.StaffOnly() {
		scopes = append(scopes, ScopeOffline)
	}
	return scopes
}

// claimFault says why a name cannot stand in a manifest's claims; "" when it can.
func claimFault(name string) string {
	switch {
	case slices.Contains(alwaysReleased, name):
		return "is in every token already; leave it out"
	case PrincipalOf(name) != name:
		return "comes with " + PrincipalOf(name) + "; leave it out"
	case ScopeOf(name) == "":
		return "is no claim; the claims are " + strings.Join(listable(), ", ")
	}
	return ""
}

func listable() []string {
	var names []string
	for _, s := range scopeClaims {
		for _, c := range s.claims {
			if PrincipalOf(c) == c {
				names = append(names, c)
			}
		}
	}
	return names
}
