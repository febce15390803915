package client

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Client authentication methods (OIDC Core §9). tls_client_auth and self_signed_tls_client_auth
// are not offered yet.
const (
	AuthBasic         = "client_secret_basic"
	AuthPost          = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt"
	AuthNone          = "none"
)

// Grant types.
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// Grants lists every grant type there is.
func Grants() []string {
	return []string{GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials}
}

// Subject types (OIDC Core §8).
const (
	SubjectPairwise = "pairwise"
	SubjectPublic   = "public"
)

// Signature algorithms a service may choose.
const (
	ES256 = "ES256"
	RS256 = "RS256"
)

// BasisConsent is the legal basis of every optional claim (LGPD art. 7, I).
const BasisConsent = "consent"

// bases are the legal bases of LGPD art. 7, items I to X, in that order.
var bases = []string{
	BasisConsent, "legal_obligation", "public_policy", "research", "contract",
	"legal_proceedings", "vital_interest", "health", "legitimate_interest", "credit",
}

// languages the provider speaks; the first is the one every text must have.
var languages = []string{"pt-BR", "es", "en"}

// Text is one text in several languages: "pt-BR" always, "es" and "en" perhaps.
type Text map[string]string

// Localized is the text in lang (BCP 47), else in its base language, else in pt-BR.
func (t Text) Localized(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	for _, l := range []string{lang, base} {
		if text, ok := t[l]; ok {
			return text
		}
	}
	return t[languages[0]]
}

// Manifest is one service, valid and with defaults filled in. It is shared: never change one.
type Manifest struct {
	ID                     string // client_id
	Name                   Text
	Department             string
	Contact                string // mail address or URL
	PolicyURI              string // "" when there is none
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	BackchannelLogoutURI   string // "": not told
	EventsURI              string // "": hears no events
	Auth                   string // AuthBasic …
	JWKS                   jose.JSONWebKeySet
	Subject                string   // SubjectPairwise or SubjectPublic
	Sector                 string   // host; "" for public subjects
	MinLevel               int      // 1 to 5
	LevelPurpose           Text     // why it needs MinLevel; nil when the manifest does not say
	Foreigners             bool     // visitors by international phone
	Internal               bool     // may receive civil_name, roles and department
	Languages              []string // of the service's own pages, never empty
	Grants                 []string
	IDTokenAlg             string   // ES256 or RS256
	UserinfoAlg            string   // "" is plain JSON
	ResourceURI            string   // "": not a resource server (RFC 8707)
	Resources              []string // resource identifiers it may ask tokens for
	APIScopes              []string // what client_credentials may ask for
	Claims                 []Claim
	Theme                  Theme
}

// Claim is one claim a service receives, and why.
type Claim struct {
	Name     string
	Required bool // without it the service cannot be used
	Purpose  Text
	Basis    string // BasisConsent when not Required
	MinLevel int    // trust level from which it is asked for, 1 to 5
}

// Theme is how the service looks on our pages.
type Theme struct {
	Accent string // "#rrggbb" or ""
}

// HasGrant tells whether the service may use a grant type.
func (m *Manifest) HasGrant(grant string) bool { return slices.Contains(m.Grants, grant) }

// HasSecret tells whether the service authenticates by a shared secret.
func (m *Manifest) HasSecret() bool { return m.Auth == AuthBasic || m.Auth == AuthPost }

// LogValue is the id.
func (m *Manifest) LogValue() slog.Value { return slog.StringValue(m.ID) }
