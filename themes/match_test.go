package themes

import (
	"strings"
	"testing"
)

func TestFirstSourceWithALanguageDecides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ uiLocales, cookie, account, header, want string }{
		{"", "", "", "", "pt-BR"},
		{"es en", "en", "pt-BR", "en", "es"},
		{"fr", "en", "es", "es", "en"},
		{"fr-CA de", "", "es", "en", "es"},
		{"", "", "", "fr, es-AR;q=0.8, en;q=0.5", "es"},
		{"", "", "", "en;q=0.4, es-AR;q=0.8", "es"},
		{"", "", "", "es;q=0, en;q=0.1", "en"},
		{"pt", "", "", "en", "pt-BR"},
		{"pt-PT", "", "", "en", "pt-BR"},
		{"es-419", "", "", "en", "es"},
		{"en-GB", "", "", "", "en"},
		{"", "", "", "*", "pt-BR"},
		{"", "", "", "fr", "pt-BR"},
		{"not_a!tag en", "", "", "", "en"},
		{strings.Repeat("es ", 400), "en", "", "", "en"},
	} {
		if got := Match(c.uiLocales, c.cookie, c.account, c.header); got != c.want {
			t.Errorf("Match(%.20q, %q, %q, %q) = %s, want %s", c.uiLocales, c.cookie, c.account, c.header, got, c.want)
		}
	}
}

func FuzzMatchAnswersALanguageOfOurs(f *testing.F) {
	f.Add("es en", "pt-BR", "en-US,en;q=0.5")
	f.Fuzz(func(t *testing.T, uiLocales, cookie, header string) {
		if got := Match(uiLocales, cookie, "", header); known(got) != got {
			t.Errorf("Match gave %q", got)
		}
	})
}
