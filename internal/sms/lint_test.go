package sms_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/themes"
)

// longest are a city's name and host as long as real ones are: Santa Bárbara d'Oeste.
var longest = map[string]any{"CityShort": "Santa Bárbara d’Oeste", "Code": "123456", "Minutes": 10,
	"Link": "https://login.santabarbara.sp.gov.br/conta/seguranca"}

const longestHost = "login.santabarbara.sp.gov.br"

// textIDs are the ids of the messages that are sent as texts, and whether they hold a code.
func textIDs(t *testing.T, lang string) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile("../../themes/messages/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for id, m := range all {
		if strings.HasPrefix(id, "sms.") {
			words, _ := m.(string)
			ids[id] = strings.Contains(words, "{{.Code}}")
			// The city's name may have accents, which are folded; our own words need none.
			if _, ok := sms.GSM7(words); !ok {
				t.Errorf("%s: %s leaves the GSM alphabet: %s", lang, id, words)
			}
		}
	}
	if len(ids) < 5 {
		t.Fatalf("%s has %d texts", lang, len(ids))
	}
	return ids
}

// bound is the last line of a text with a code.
var bound = regexp.MustCompile(`\n@[a-z0-9.-]+ #[0-9]{6}$`)

func TestEveryTextIsOneSegmentOfTheGSMAlphabetInEveryLanguage(t *testing.T) {
	t.Parallel()

	for _, city := range []string{"vila-esperanca", "serra-verde"} {
		look, err := themes.Load("", city)
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range themes.Languages {
			for id, code := range textIDs(t, lang) {
				words, err := look.Message(lang, id, longest)
				if err != nil {
					t.Fatal(err)
				}
				if code {
					words = sms.WithCode(words, longestHost, "123456")
				}
				words = sms.Fold(words)
				if units, most := sms.Length(words); most != 160 || units > 160 || sms.Segments(words) != 1 {
					t.Errorf("%s: %s has %d of %d: %s", lang, id, units, most, words)
				}
				if bound.MatchString(words) != code || strings.Count(words, "\n") > 1 {
					t.Errorf("%s: %s does not end with its code's line, or ends so without a code: %q", lang, id, words)
				}
			}
		}
	}
}
