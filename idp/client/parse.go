package client

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// MaxManifest is the size of a manifest in bytes, at most.
const MaxManifest = 64 << 10

// maxFaults is how many faults are told at once: a file with more is something else than a manifest.
const maxFaults = 100

var (
	idPattern     = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	accentPattern = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	scopePattern  = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,64}$`)
	yamlLine      = regexp.MustCompile(`line (\d+)`)
)

// Parse reads a manifest.
//
//	name  file name, for messages
//	data  YAML, one document, at most MaxManifest bytes
//
// The only error is *Faults, with everything that is wrong.
func Parse(name string, data []byte) (*Manifest, error) {
	d := &decoder{lines: map[string]int{}}
	m := defaults()
	if root := d.document(data); root != nil {
		d.object(root, "", m.fields(d))
		m.check(d)
	}
	if len(d.faults) > 0 {
		faults := &Faults{Name: name, List: d.faults}
		faults.sort()
		faults.List = faults.List[:min(len(faults.List), maxFaults)]
		return nil, faults
	}
	return m, nil
}

// document is the root of the only document; nil, with a fault, when there is none.
func (d *decoder) document(data []byte) *yaml.Node {
	if len(data) > MaxManifest {
		d.fault(0, "", "too_large", "has %d bytes; at most %d", len(data), MaxManifest)
		return nil
	}
	var doc, second yaml.Node
	reader := yaml.NewDecoder(bytes.NewReader(data))
	if err := reader.Decode(&doc); err != nil {
		d.yamlFault(err)
		return nil
	}
	if err := reader.Decode(&second); !errors.Is(err, io.EOF) {
		d.fault(max(1, second.Line), "", "documents", "one file holds one service; nothing may follow the first document")
		return nil
	}
	return doc.Content[0]
}

func (d *decoder) yamlFault(err error) {
	if errors.Is(err, io.EOF) {
		d.fault(1, "", "required", "is empty")
		return
	}
	line := 1
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if at := yamlLine.FindStringSubmatch(text); at != nil {
		line = number(at[1])
		text = strings.TrimPrefix(text, at[0]+": ")
	}
	d.fault(line, "", "yaml", "is not YAML: %s", text)
}

func number(digits string) int {
	n := 0
	for _, r := range digits {
		n = min(10*n+int(r-'0'), MaxManifest)
	}
	return n
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
		"id":                        d.text(&m.ID, matches(idPattern, "must be 2 to 63 lower-case letters, digits and hyphens, a letter first")),
		"name":                      d.localized(&m.Name, atMost(maxShort)),
		"department":                d.text(&m.Department, atMost(maxShort)),
		"contact":                   d.text(&m.Contact, contact),
		"policy_uri":                d.text(&m.PolicyURI, webURI),
		"redirect_uris":             d.texts(&m.RedirectURIs, redirectURI),
		"post_logout_redirect_uris": d.texts(&m.PostLogoutRedirectURIs, redirectURI),
		"backchannel_logout_uri":    d.text(&m.BackchannelLogoutURI, webURI),
		"auth":                      d.text(&m.Auth, authMethod),
		"jwks":                      d.jwks(&m.JWKS),
		"subject":                   d.text(&m.Subject, oneOf(SubjectPairwise, SubjectPublic)),
		"sector":                    d.text(&m.Sector, hostName),
		"min_level":                 d.level(&m.MinLevel),
		"foreigners":                d.boolean(&m.Foreigners),
		"internal":                  d.boolean(&m.Internal),
		"languages":                 d.texts(&m.Languages, oneOf(languages...)),
		"grants":                    d.texts(&m.Grants, oneOf(Grants()...)),
		"id_token_alg":              d.text(&m.IDTokenAlg, oneOf(ES256, RS256)),
		"userinfo_alg":              d.text(&m.UserinfoAlg, oneOf(ES256, RS256)),
		"resource_uri":              d.text(&m.ResourceURI, resourceURI),
		"resources":                 d.texts(&m.Resources, resourceURI),
		"api_scopes":                d.texts(&m.APIScopes, matches(scopePattern, "must be one scope: letters, digits and . _ : / -")),
		"claims":                    d.list(m.claim(d)),
		"theme": func(n *yaml.Node, path string) {
			d.object(n, path, map[string]field{
				"accent": d.text(&m.Theme.Accent, matches(accentPattern, `must be a colour like "#0b6e4f"`)),
			})
		},
	}
}

// claim reads one entry of claims.
func (m *Manifest) claim(d *decoder) field {
	return func(n *yaml.Node, path string) {
		c := Claim{MinLevel: 1}
		d.object(n, path, map[string]field{
			"name":      d.text(&c.Name, claimFault),
			"required":  d.boolean(&c.Required),
			"purpose":   d.localized(&c.Purpose, atMost(maxLong)),
			"basis":     d.text(&c.Basis, oneOf(bases...)),
			"min_level": d.level(&c.MinLevel),
		})
		for _, key := range []string{"name", "purpose", "basis"} {
			d.required(path, key)
		}
		if slices.ContainsFunc(m.Claims, func(o Claim) bool { return o.Name == c.Name && c.Name != "" }) {
			d.faultAt(path, "duplicate", "%s is in the list already", c.Name)
		}
		if !c.Required && c.Basis != "" && c.Basis != BasisConsent {
			d.faultAt(path+".basis", "basis", "a claim that is not required rests on consent; make it required or write consent")
		}
		m.Claims = append(m.Claims, c)
	}
}

// required faults a key that was not in the file.
func (d *decoder) required(path, key string) {
	if at := join(path, key); d.lines[at] == 0 {
		d.faultAt(at, "required", "is missing")
	}
}

func matches(pattern *regexp.Regexp, wrong string) rule {
	return func(text string) string {
		if pattern.MatchString(text) {
			return ""
		}
		return wrong
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
	return oneOf(AuthBasic, AuthPost, AuthPrivateKeyJWT, AuthNone)(text)
}
