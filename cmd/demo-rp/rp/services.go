package rp

import (
	"fmt"
	"slices"

	"github.com/loginunico/loginunico/deploy/demo"
	"go.yaml.in/yaml/v3"
)

// Service is one client of the provider, as its developer configures it.
type Service struct {
	ID          string            // the client_id
	Name        map[string]string // by language: pt-BR, es, en
	Secret      string
	AuthMethod  string   // client_secret_basic, client_secret_post or none
	Scopes      []string // with openid
	Claims      []string // of the manifest: what it asks to have verified
	MinLevel    int      // 1 to 5; the service refuses anybody below
	SigningAlg  string   // of ID tokens and logout tokens: ES256 or RS256
	UserinfoAlg string   // "" when userinfo is plain JSON
}

// scopeOf tells which scope brings a claim. What is not here comes with openid.
var scopeOf = map[string]string{
	"name": "profile", "birthdate": "profile", "gender": "profile", "locale": "profile", "updated_at": "profile",
	"civil_name": "civil_name",
	"email":      "email", "email_verified": "email",
	"phone_number": "phone", "phone_number_verified": "phone",
	"address": "address", "cpf": "cpf",
	"rg": "documents", "voter_id": "documents", "cns": "documents", "nis": "documents", "passport": "documents",
	"mother_name": "family", "mother_cpf": "family", "father_name": "family", "father_cpf": "family",
	"cnpj": "cnpj", "company_name": "cnpj", "company_role": "cnpj",
	"roles": "employee", "department": "employee",
	"govbr": "govbr", "trust_evidence": "trust",
}

// DemoServices returns the demo city's services, lowest level first, with their demo secrets.
func DemoServices() ([]Service, error) {
	var services []Service
	for _, id := range demo.IDs() {
		s, err := fromManifest(demo.Services()[id])
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", id, err)
		}
		s.Secret = "demo-" + s.ID
		services = append(services, s)
	}
	slices.SortStableFunc(services, func(a, b Service) int { return a.MinLevel - b.MinLevel })
	return services, nil
}

// fromManifest takes from a service manifest what its own developer would type into a
// configuration file.
func fromManifest(text []byte) (Service, error) {
	var m struct {
		ID          string            `yaml:"id"`
		Name        map[string]string `yaml:"name"`
		Auth        string            `yaml:"auth"`
		MinLevel    int               `yaml:"min_level"`
		IDTokenAlg  string            `yaml:"id_token_alg"`
		UserinfoAlg string            `yaml:"userinfo_alg"`
		Claims      []struct {
			Name string `yaml:"name"`
		} `yaml:"claims"`
	}
	if err := yaml.Unmarshal(text, &m); err != nil {
		return Service{}, err
	}
	s := Service{ID: m.ID, Name: m.Name, AuthMethod: m.Auth, MinLevel: max(m.MinLevel, 1),
		SigningAlg: m.IDTokenAlg, UserinfoAlg: m.UserinfoAlg, Scopes: []string{"openid"}}
	for _, c := range m.Claims {
		s.Claims = append(s.Claims, c.Name)
		if scope := scopeOf[c.Name]; scope != "" && !slices.Contains(s.Scopes, scope) {
			s.Scopes = append(s.Scopes, scope)
		}
	}
	return s, nil
}

// name is the service's name in a language, or failing that in Portuguese, or its id.
func (s Service) name(lang string) string {
	for _, l := range []string{lang, "pt-BR"} {
		if n := s.Name[l]; n != "" {
			return n
		}
	}
	return s.ID
}
