package consent_test

import (
	"slices"
	"testing"

	"github.com/loginunico/loginunico/consent"
)

func granted(claims, offered []string, offline bool) *consent.Record {
	return &consent.Record{Kind: consent.Granted, Claims: claims, Offered: offered, Offline: offline, Language: "pt-BR"}
}

func TestOnlyWhatIsNewIsAsked(t *testing.T) {
	t.Parallel()

	revoked := &consent.Record{Kind: consent.Revoked}
	for _, tc := range []struct {
		name   string
		latest *consent.Record
		ask    consent.Ask
		claims []string
		first  bool
		off    bool
		any    bool
	}{
		{"never decided", nil, consent.Ask{Claims: []string{"name", "email"}}, []string{"name", "email"}, true, false, true},
		{"never decided, nothing asked", nil, consent.Ask{}, nil, true, false, true},
		{"revoked", revoked, consent.Ask{Claims: []string{"name"}, Offline: true}, []string{"name"}, true, true, true},
		{"all known", granted([]string{"name"}, []string{"name", "email"}, false), consent.Ask{Claims: []string{"email", "name"}}, nil, false, false, false},
		{"refused before is not new", granted(nil, []string{"email"}, false), consent.Ask{Claims: []string{"email"}}, nil, false, false, false},
		{"one is new", granted([]string{"name"}, []string{"name"}, false), consent.Ask{Claims: []string{"name", "cpf"}}, []string{"cpf"}, false, false, true},
		{"offline is new", granted([]string{"name"}, []string{"name"}, false), consent.Ask{Claims: []string{"name"}, Offline: true}, nil, false, true, true},
		{"offline is known", granted([]string{"name"}, []string{"name"}, true), consent.Ask{Offline: true}, nil, false, false, false},
		{"asks for less", granted([]string{"name"}, []string{"name"}, true), consent.Ask{}, nil, false, false, false},
	} {
		need := consent.Compare(tc.latest, tc.ask)
		if !slices.Equal(need.Claims, tc.claims) || need.First != tc.first || need.Offline != tc.off || need.Any() != tc.any {
			t.Errorf("%s: %+v", tc.name, need)
		}
	}
}

func TestOnlyWhatWasAllowedLeaves(t *testing.T) {
	t.Parallel()

	latest := granted([]string{"name", "cpf"}, []string{"name", "cpf", "email"}, false)
	if got := consent.Allowed(latest, []string{"email", "cpf", "phone_number"}); !slices.Equal(got, []string{"cpf"}) {
		t.Errorf("got %v", got)
	}
	for name, none := range map[string]*consent.Record{"never": nil, "revoked": {Kind: consent.Revoked, Claims: []string{"name"}}} {
		if got := consent.Allowed(none, []string{"name"}); len(got) != 0 || got == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestADecisionAddsToTheOneBefore(t *testing.T) {
	t.Parallel()

	latest := granted([]string{"name", "cpf"}, []string{"name", "cpf", "email"}, true)
	for _, tc := range []struct {
		name             string
		latest           *consent.Record
		shown, allowed   []string
		claims, offered  []string
		offline, already bool
	}{
		{"the first", nil, []string{"name", "email"}, []string{"name"}, []string{"name"}, []string{"name", "email"}, false, false},
		{"a new claim", latest, []string{"phone_number"}, []string{"phone_number"}, []string{"phone_number", "name", "cpf"},
			[]string{"phone_number", "name", "cpf", "email"}, false, true},
		{"a new claim refused", latest, []string{"phone_number"}, nil, []string{"name", "cpf"},
			[]string{"phone_number", "name", "cpf", "email"}, false, true},
		{"shown again and taken back", latest, []string{"name", "cpf", "email"}, []string{"name", "email"}, []string{"name", "email"},
			[]string{"name", "cpf", "email"}, false, true},
		{"after a revocation nothing comes back", &consent.Record{Kind: consent.Revoked}, []string{"name"}, []string{"name"},
			[]string{"name"}, []string{"name"}, true, true},
	} {
		r := consent.After(tc.latest, consent.Decision{ClientID: "portal", Shown: tc.shown, Allowed: tc.allowed, Offline: tc.offline,
			ManifestVersion: 7, TextShown: "text", Language: "es"})
		if r.Kind != consent.Granted || !slices.Equal(r.Claims, tc.claims) || !slices.Equal(r.Offered, tc.offered) {
			t.Errorf("%s: claims %v, offered %v", tc.name, r.Claims, r.Offered)
		}
		if r.Offline != tc.already || r.ManifestVersion != 7 || r.TextShown != "text" || r.Language != "es" {
			t.Errorf("%s: %+v", tc.name, r)
		}
	}
}

func FuzzADecisionNeverAllowsWhatWasNotShown(f *testing.F) {
	f.Add(uint8(3), uint8(1), uint8(5), uint8(7), uint8(15))
	f.Fuzz(func(t *testing.T, offered, claims, shown, allowed, ask uint8) {
		all := []string{"name", "email", "cpf", "phone_number", "address", "rg", "nis", "cns"}
		pick := func(bits uint8) (out []string) {
			for i, c := range all {
				if bits>>i&1 == 1 {
					out = append(out, c)
				}
			}
			return out
		}
		latest := granted(pick(claims&offered), pick(offered), false)
		r := consent.After(latest, consent.Decision{Shown: pick(shown), Allowed: pick(allowed & shown)})
		for _, c := range consent.Allowed(&r, pick(ask)) {
			if !slices.Contains(r.Offered, c) || !slices.Contains(pick(ask), c) {
				t.Fatalf("%s leaves; offered %v", c, r.Offered)
			}
		}
		if need := consent.Compare(&r, consent.Ask{Claims: pick(shown | offered)}); need.Any() {
			t.Fatalf("asked again: %+v", need)
		}
	})
}
