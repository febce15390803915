package pmcc

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Beginning and end tell most texts apart from those of a list; they must never tell one that is in it.
func TestAListRefusesItsTextsHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()

	texts := []string{"não informado", "A", "ÃO", "ignorado", "1900-01-01", "sem nome", "n/c"}
	list := refuseTexts("placeholder", texts)
	r := rand.New(rand.NewPCG(1, 156))
	letters := strings.NewReplacer("ã", "a", "Ã", "A")
	for range 2000 {
		text := texts[r.IntN(len(texts))]
		if r.IntN(2) == 0 {
			text = letters.Replace(text)
		}
		switch r.IntN(3) {
		case 0:
			text = strings.ToUpper(text)
		case 1:
			text = strings.ToLower(text)
		}
		if !list.meets([]byte(text), "") {
			t.Fatalf("%q is in no list", text)
		}
	}
	for _, text := range []string{"", "não informada", "ignorad", "1900-01-02", "nome", "Maria", "n/d", "é"} {
		if list.meets([]byte(text), "") {
			t.Errorf("%q is refused", text)
		}
	}
}
