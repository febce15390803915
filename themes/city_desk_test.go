package themes

import (
	"slices"
	"strings"
	"testing"
)

func TestTheNearestDeskComesFirst(t *testing.T) {
	t.Parallel()

	c := load(t, DefaultCity).City()
	for address, want := range map[string]string{
		"":                "Posto Centro, Posto Vila Nova, Rua da Cidadania Norte",
		"Rua sem CEP":     "Posto Centro, Posto Vila Nova, Rua da Cidadania Norte",
		"R. A, 80020-999": "Posto Vila Nova, Posto Centro, Rua da Cidadania Norte",
		"R. A, 80310020":  "Rua da Cidadania Norte, Posto Centro, Posto Vila Nova",
		"R. A, 01000-000": "Posto Centro, Posto Vila Nova, Rua da Cidadania Norte",
	} {
		var names []string
		for i, d := range c.DesksFor(DeskRegistry, address, "es") {
			names = append(names, d.Name)
			if d.Near != (i == 0 && strings.Contains(address, "80")) || !strings.Contains(d.Hours, "Lunes") {
				t.Errorf("%q: %+v", address, d)
			}
		}
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("%q: %s, want %s", address, got, want)
		}
	}
	if got := c.DesksFor(DeskBiometrics, "80020-999", "pt-BR"); len(got) != 2 || slices.ContainsFunc(got, func(d DeskView) bool { return d.Name == "Posto Vila Nova" }) {
		t.Errorf("%+v", got)
	}
	if got := load(t, "serra-verde").City().DesksFor(DeskBiometrics, "", "pt-BR"); len(got) != 0 {
		t.Errorf("a city without desks: %+v", got)
	}
}

func TestEveryFaultOfADeskIsNamed(t *testing.T) {
	t.Parallel()

	theme, err := base.ReadFile("city/serra-verde/theme.json")
	if err != nil {
		t.Fatal(err)
	}
	desks := `"desks": [{"name": "", "address": " ", "cep": "8001", "hours": {"en": "always", "fr": "x"}, "does": ["coffee"]}, {"name": "A", "address": "B", "hours": {"pt-BR": "C"}}], "name"`
	_, err = Load(overlay(t, "porto-novo", map[string]string{"theme.json": strings.Replace(string(theme), `"name"`, desks, 1)}), "porto-novo")
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"desks[0].name is empty", "desks[0].address is empty", "desks[0].hours.pt-BR is empty", `desks[0].hours: "fr"`, `desks[0].cep: "8001"`,
		`desks[0].does: "coffee"`, "desks[1].does is empty"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}
