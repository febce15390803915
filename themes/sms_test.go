package themes

import (
	"regexp"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/sms"
)

// Santa Bárbara d'Oeste has as long a name and host as cities usually have. Others are told at their
// start which texts they must shorten.
const (
	longHost = "login.santabarbara.sp.gov.br"
	longName = "Santa Bárbara d’Oeste"
	token    = "q3Ow1kYm0VtB5cXzN8aLdg" // as long as a link's
)

// bound is the last line of a text with a code.
var bound = regexp.MustCompile(`\n@[a-z0-9.-]+ #[0-9]{6}([0-9]{6})?$`)

func TestEveryTextIsOneSegmentOfTheGSMAlphabetInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, city := range cities {
		look := load(t, city)
		for _, lang := range Languages {
			ids := look.IDs("sms.")
			if len(ids) < 10 {
				t.Fatalf("%s: only %d texts", lang, len(ids))
			}
			for _, id := range ids {
				words := look.catalogs[lang].messages[id].Other
				// The city's name may have accents, which are folded; our own words do without.
				if _, ok := sms.GSM7(words); !ok {
					t.Errorf("%s: %s leaves the GSM alphabet: %s", lang, id, words)
				}
				for _, code := range []string{"123456", "123456789012"} {
					checkText(t, look, lang, id, code)
				}
			}
		}
	}
}

func checkText(t *testing.T, look *Renderer, lang, id, code string) {
	t.Helper()
	link := "https://" + longHost + "/n/" + token
	if id == "sms.displaced" {
		link = "https://" + longHost + "/privacidade" // there is nothing to deny
	}
	words, err := look.Message(lang, id, map[string]any{"CityShort": longName, "Code": code, "Minutes": 10, "Link": link})
	if err != nil {
		t.Fatal(err)
	}
	hasCode := strings.Contains(words, code)
	if hasCode {
		words = sms.WithCode(words, longHost, code)
	}
	words = sms.Fold(words)
	if units, most := sms.Length(words); most != 160 || units > most {
		t.Errorf("%s: %s has %d of %d: %s", lang, id, units, most, words)
	}
	if bound.MatchString(words) != hasCode || strings.Count(words, "\n") > 1 {
		t.Errorf("%s: %s does not end with its code's line, or ends so without a code: %q", lang, id, words)
	}
}
