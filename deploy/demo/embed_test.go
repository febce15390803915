package demo

import (
	"bytes"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

type manifest struct {
	ID           string            `yaml:"id"`
	Name         map[string]string `yaml:"name"`
	Department   string            `yaml:"department"`
	Contact      string            `yaml:"contact"`
	PolicyURI    string            `yaml:"policy_uri"`
	RedirectURIs []string          `yaml:"redirect_uris"`
	AfterLogout  []string          `yaml:"post_logout_redirect_uris"`
	Backchannel  string            `yaml:"backchannel_logout_uri"`
	Events       string            `yaml:"events_uri"`
	Auth         string            `yaml:"auth"`
	Subject      string            `yaml:"subject"`
	Sector       string            `yaml:"sector"`
	MinLevel     int               `yaml:"min_level"`
	LevelPurpose map[string]string `yaml:"level_purpose"`
	Foreigners   bool              `yaml:"foreigners"`
	Internal     bool              `yaml:"internal"`
	Languages    []string          `yaml:"languages"`
	Grants       []string          `yaml:"grants"`
	IDTokenAlg   string            `yaml:"id_token_alg"`
	UserinfoAlg  string            `yaml:"userinfo_alg"`
	Claims       []struct {
		Name     string            `yaml:"name"`
		Required bool              `yaml:"required"`
		Purpose  map[string]string `yaml:"purpose"`
		Basis    string            `yaml:"basis"`
		MinLevel int               `yaml:"min_level"`
	} `yaml:"claims"`
	Theme map[string]string `yaml:"theme"`
}

func TestDemoServicesAskForTheirLevels(t *testing.T) {
	t.Parallel()

	levels := map[string]int{}
	for id, m := range manifests(t) {
		levels[id] = m.MinLevel
		if m.ID != id {
			t.Errorf("%s.yaml has the id %q", id, m.ID)
		}
	}
	want := map[string]int{"portal": 1, "saude-agenda": 2, "fazenda-certidoes": 3,
		"assistencia-cadastro": 4, "empresa-alvara": 5, "turismo-guia": 1, "empresa-nota": 2, "gestao-atendimento": 4}
	if len(levels) != len(want) {
		t.Errorf("services %v", levels)
	}
	for id, level := range want {
		if levels[id] != level {
			t.Errorf("%s asks for level %d, want %d", id, levels[id], level)
		}
	}
}

// An optional claim rests on consent, so that "no" is an answer; each purpose speaks each language.
func TestDemoClaimsHavePurposesInEveryLanguage(t *testing.T) {
	t.Parallel()

	for id, m := range manifests(t) {
		for _, lang := range []string{"pt-BR", "es", "en"} {
			if m.MinLevel > 1 && m.LevelPurpose[lang] == "" {
				t.Errorf("%s does not say in %s why it needs level %d", id, lang, m.MinLevel)
			}
		}
		for _, c := range m.Claims {
			if !c.Required && c.Basis != "consent" {
				t.Errorf("%s: optional claim %s rests on %q", id, c.Name, c.Basis)
			}
			for _, lang := range []string{"pt-BR", "es", "en"} {
				if c.Purpose[lang] == "" || m.Name[lang] == "" {
					t.Errorf("%s: %s or the name lacks %s", id, c.Name, lang)
				}
			}
		}
		base := "http://localhost:8090/" + id
		if !slices.Equal(m.RedirectURIs, []string{base + "/callback"}) || m.Backchannel != base+"/backchannel" {
			t.Errorf("%s: URIs %v, %s", id, m.RedirectURIs, m.Backchannel)
		}
	}
}

// All of them live on one host in the demo; without a sector of their own they would know a person by
// the same sub (OpenID Connect Core §8.1).
func TestDemoServicesHaveTheirOwnSectors(t *testing.T) {
	t.Parallel()

	owner := map[string]string{}
	for id, m := range manifests(t) {
		if other, taken := owner[m.Sector]; taken || m.Sector == "" {
			t.Errorf("%s has the sector %q of %q", id, m.Sector, other)
		}
		owner[m.Sector] = id
	}
}

func manifests(t *testing.T) map[string]manifest {
	t.Helper()
	parsed := map[string]manifest{}
	for _, id := range IDs() {
		dec := yaml.NewDecoder(bytes.NewReader(Services()[id]))
		dec.KnownFields(true)
		var m manifest
		if err := dec.Decode(&m); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		parsed[id] = m
	}
	return parsed
}
