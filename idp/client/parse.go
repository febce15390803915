package client

import (
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/yamlform"
)

// MaxManifest is the size of a manifest in bytes, at most.
const MaxManifest = 64 << 10

var (
	idPattern     = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	accentPattern = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	scopePattern  = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,64}$`)
)

// Parse reads a manifest.
//
//	name  file name, for messages
//	data  YAML, one document, at most MaxManifest bytes
//
// The only error is *yamlform.Faults, with everything that is wrong.
func Parse(name string, data []byte) (*Manifest, error) {
	m := defaults()
	err := yamlform.Read(name, data, MaxManifest,
		func(d *yamlform.Decoder) map[string]field { return m.fields(&decoder{d}) },
		func(d *yamlform.Decoder) { m.check(&decoder{d}) })
	if err != nil {
		return nil, err
	}
	return m, nil
}

func defaults() *Manifest {
	return &Manifest{
		Auth:       AuthBasic,
		Subject:    SubjectPairwise,
		MinLevel:   1,
		IDTokenAlg: ES256,
	}
}

// fields is the manifest's vocabulary.
func (m *Manifest) fields(d *decoder) map[string]field {
	return map[string]field{
		"id":                        d.Text(&m.ID, yamlform.Matches(idPattern, "must be 2 to 63 lower-case letters, digits and hyphens, a letter first")),
		"name":                      d.localized(&m.Name, yamlform.AtMost(maxShort)),
		"department":                d.Text(&m.Department, yamlform.AtMost(maxShort)),
		"contact":                   d.Text(&m.Contact, contact),
		"policy_uri":                d.Text(&m.PolicyURI, webURI),
		"redirect_uris":             d.Texts(&m.RedirectURIs, redirectURI),
		"post_logout_redirect_uris": d.Texts(&m.PostLogoutRedirectURIs, redirectURI),
		"backchannel_logout_uri":    d.Text(&m.BackchannelLogoutURI, webURI),
		"events_uri":                d.Text(&m.EventsURI, webURI),
		"auth":                      d.Text(&m.Auth, authMethod),
		"jwks":                      d.jwks(&m.JWKS),
		"subject":                   d.Text(&m.Subject, yamlform.OneOf(SubjectPairwise, SubjectPublic)),
		"sector":                    d.Text(&m.Sector, hostName),
		"min_level":                 d.level(&m.MinLevel),
		"level_purpose":             d.localized(&m.LevelPurpose, yamlform.AtMost(maxLong)),
		"foreigners":                d.Boolean(&m.Foreigners),
		"internal":                  d.Boolean(&m.Internal),
		"languages":                 d.Texts(&m.Languages, yamlform.OneOf(languages...)),
		"grants":                    d.Texts(&m.Grants, yamlform.OneOf(Grants()...)),
		"id_token_alg":              d.Text(&m.IDTokenAlg, yamlform.OneOf(ES256, RS256)),
		"userinfo_alg":              d.Text(&m.UserinfoAlg, yamlform.OneOf(ES256, RS256)),
		"resource_uri":              d.Text(&m.ResourceURI, resourceURI),
		"resources":                 d.Texts(&m.Resources, resourceURI),
		"api_scopes":                d.Texts(&m.APIScopes, yamlform.Matches(scopePattern, "must be one scope: letters, digits and . _ : / -")),
		"claims":                    d.List(m.claim(d)),
		"theme": func(n *yaml.Node, path string) {
			d.Object(n, path, map[string]field{
				"accent": d.Text(&m.Theme.Accent, yamlform.Matches(accentPattern, `must be a colour like "#0b6e4f"`)),
			})
		},
	}
}

// claim reads one entry of claims.
func (m *Manifest) claim(d *decoder) field {
	return func(n *yaml.Node, path string) {
		c := Claim{MinLevel: 1}
		d.Object(n, path, map[string]field{
			"name":      d.Text(&c.Name, claimFault),
			"required":  d.Boolean(&c.Required),
			"purpose":   d.localized(&c.Purpose, yamlform.AtMost(maxLong)),
			"basis":     d.Text(&c.Basis, yamlform.OneOf(bases...)),
			"min_level": d.level(&c.MinLevel),
		})
		for _, key := range []string{"name", "purpose", "basis"} {
			d.required(path, key)
		}
		if slices.ContainsFunc(m.Claims, func(o Claim) bool { return o.Name == c.Name && c.Name != "" }) {
			d.FaultAt(path, "duplicate", "%s is in the list already", c.Name)
		}
		if !c.Required && c.Basis != "" && c.Basis != BasisConsent && !TellsEmployment(c.Name) {
			d.FaultAt(path+".basis", "basis", "a claim that is not required rests on consent; make it required or write consent")
		}
		m.Claims = append(m.Claims, c)
	}
}

// contact is a mail address or a page.
func contact(text string) string {
	if _, err := brdoc.ParseEmail(text); err == nil {
		return ""
	}
	if webURI(text) == "" {
		return ""
	}
	return "must be a mail address or an https URL"
}

func authMethod(text string) string {
	if text == "tls_client_auth" || text == "self_signed_tls_client_auth" {
		return "is not yet offered; use " + AuthPrivateKeyJWT
	}
	return yamlform.OneOf(AuthBasic, AuthPost, AuthPrivateKeyJWT, AuthNone)(text)
}
