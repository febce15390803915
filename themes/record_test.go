package themes

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestConsentRecordSaysWhatThePageSaid(t *testing.T) {
	t.Parallel()
	for _, city := range cities {
		r := load(t, city)
		for _, lang := range Languages {
			for _, s := range consentSamples() {
				s.frame.Lang = lang
				record, err := r.ConsentText(s.frame, s.view.(Consent))
				if err != nil {
					t.Fatal(err)
				}
				page := pageText(t, r, s)
				for _, part := range strings.FieldsFunc(record, func(c rune) bool { return c == '\n' || c == '·' }) {
					for _, said := range strings.Split(strings.TrimPrefix(strings.TrimSpace(part), "- "), ". ") {
						if !strings.Contains(page, said) {
							t.Errorf("%s %s: the page does not say %q", lang, s.name, said)
						}
					}
				}
			}
		}
	}
}

func TestConsentRecordHoldsNoValues(t *testing.T) {
	t.Parallel()
	s := consentSamples()[0]
	record, err := load(t, DefaultCity).ConsentText(s.frame, s.view.(Consent))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.view.(Consent).Required {
		if strings.Contains(record, c.Value) {
			t.Errorf("the record holds %s", c.Value)
		}
	}
	if want := "- CPF. Para quê: Achar seu cadastro. Base legal: obrigação prevista em lei\n"; !strings.Contains(record, want) {
		t.Errorf("record lacks %q:\n%s", want, record)
	}
}

func TestConsentRecordNeedsEveryMessage(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for name, v := range map[string]Consent{
		"claim": {Level: 1, Required: []ConsentClaim{{Name: "shoe_size"}}},
		"basis": {Level: 1, Optional: []ConsentClaim{{Name: "name", Basis: "whim"}}},
		"level": {Level: 9},
	} {
		if text, err := r.ConsentText(service(), v); err == nil {
			t.Errorf("%s: no error, text %q", name, text)
		}
	}
}

// pageText gives the words of a page, spaces evened.
func pageText(t *testing.T, r *Renderer, s sample) string {
	t.Helper()
	out, err := r.Render(s.frame, s.view)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(content(root)), " ")
}
