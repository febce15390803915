package registry_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestWhatAPersonStatesIsCheckedAndNormalised(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("á", 100)
	for _, tc := range []struct {
		claim, typed, want string
		err                error
	}{
		{"name", "  Maria \t Aparecida\u00a0da  Silva ", "Maria Aparecida da Silva", nil},
		{"name", "Conceição d'Ávila-Nuñez", "Conceição d'Ávila-Nuñez", nil},
		{"name", "Maria", "", registry.ErrName},
		{"name", "Maria 2", "", registry.ErrName},
		{"name", "<b>Maria Silva", "", registry.ErrName},
		{"name", " \u00a0 ", "", registry.ErrRequired},
		{"name", "Maria\x00 Silva", "", registry.ErrTooLong},
		{"name", "Maria\x7f Silva", "", registry.ErrTooLong},
		{"name", "Maria\u009b Silva", "", registry.ErrTooLong},
		{"name", "Maria \xff Silva", "", registry.ErrTooLong},
		{"name", long + " " + long, "", registry.ErrTooLong},
		{"name", long + " " + long[:198], long + " " + long[:198], nil},
		{"mother_name", "Aparecida", "", registry.ErrName},
		{"father_name", "José da Silva", "José da Silva", nil},
		{"birthdate", "1958-05-14", "1958-05-14", nil},
		{"birthdate", "14/05/1958", "1958-05-14", nil},
		{"birthdate", "4/5/1958", "1958-05-04", nil},
		{"birthdate", "29/02/2024", "2024-02-29", nil},
		{"birthdate", "29/02/2023", "", registry.ErrBirthdate},
		{"birthdate", "31/04/1980", "", registry.ErrBirthdate},
		{"birthdate", "05/14/1958", "", registry.ErrBirthdate},
		{"birthdate", "21/11/2026", "2026-11-21", nil},
		{"birthdate", "22/11/2026", "", registry.ErrBirthdate},
		{"birthdate", "20/11/1896", "", registry.ErrBirthdate},
		{"birthdate", "22/11/1896", "1896-11-22", nil},
		{"birthdate", "14/05/58", "", registry.ErrBirthdate},
		{"birthdate", "ontem", "", registry.ErrBirthdate},
		{"birthdate", "", "", registry.ErrRequired},
		{"gender", "female", "female", nil},
		{"gender", "undisclosed", "undisclosed", nil},
		{"gender", "unknown", "", registry.ErrRequired},
		{"phone_number", "(41) 98765-4321", "+5541987654321", nil},
		{"phone_number", "41 3333.4444", "+554133334444", nil},
		{"phone_number", "+595 981 123456", "+595981123456", nil},
		{"phone_number", "98765-4321", "", registry.ErrPhone},
		{"phone_number", "+0541987654321", "", registry.ErrPhone},
		{"phone_number", "41 9876a-4321", "", registry.ErrPhone},
		{"rg", " 12.345.678-9  SSP/PR ", "12.345.678-9 SSP/PR", nil},
		{"address", "Rua das Acácias,\n120", "Rua das Acácias, 120", nil},
	} {
		got, err := registry.ParseDeclared(tc.claim, tc.typed, now)
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s %q: got %q, %v; want %q, %v", tc.claim, tc.typed, got, err, tc.want, tc.err)
		}
	}
}

func FuzzParseDeclared(f *testing.F) {
	for _, typed := range []string{"Maria da Silva", "14/05/1958", "+5541987654321", "\u202e", "\xff"} {
		f.Add(0, typed)
	}
	claims := registry.Declarable()
	f.Fuzz(func(t *testing.T, n int, typed string) {
		claim := claims[uint(n)%uint(len(claims))]
		once, err := registry.ParseDeclared(claim, typed, now)
		if err != nil {
			if once != "" {
				t.Fatalf("%s %q: a refused value came back", claim, typed)
			}
			return
		}
		if again, err := registry.ParseDeclared(claim, once, now); err != nil || again != once {
			t.Fatalf("%s %q: normalised to %q, and that to %q, %v", claim, typed, once, again, err)
		}
	})
}

func known() registry.Person {
	text := func(s string) registry.Value { return registry.Value{Text: s, Source: registry.SourceSelf, At: now} }
	return registry.Person{CPF: brdoc.CPF("52998224725"), UpdatedAt: now, Fields: registry.Fields{
		"name": text("Maria Aparecida da Silva"), "social_name": text("Cida Silva"), "birthdate": text("1958-05-14"),
		"gender": text("female"), "phone_number": text("+5541987654321"), "mother_name": text("Aparecida da Silva"),
		"address": text("Rua das Acácias, 120"), "cns": text("898001160656771"), "rg": text("123"),
		"email": {Text: "maria@example.org", Source: registry.SourceSelf, At: now, Confirmed: &now},
	}}
}

func TestClaimsLeaveInTheirStandardsShape(t *testing.T) {
	t.Parallel()

	p := known()
	for claim, want := range map[string]any{
		"name": "Cida Silva", "civil_name": "Maria Aparecida da Silva", "cpf": "52998224725", "birthdate": "1958-05-14",
		"email": "maria@example.org", "email_verified": true, "phone_number_verified": false,
		"address": map[string]string{"formatted": "Rua das Acácias, 120"}, "updated_at": now.Unix(),
	} {
		if got, ok := p.Claim(claim); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", claim, got, ok)
		}
	}
	for _, claim := range []string{"name", "civil_name", "cpf", "email", "email_verified", "address", "updated_at", "nis"} {
		if got, ok := (registry.Person{}).Claim(claim); ok {
			t.Errorf("%s of nobody is %v", claim, got)
		}
	}
	delete(p.Fields, "social_name")
	if p.DisplayName() != "Maria Aparecida da Silva" {
		t.Errorf("without a social name: %q", p.DisplayName())
	}
}

func TestMaskedValuesTellTheirOwnerAndNobodyElse(t *testing.T) {
	t.Parallel()

	p := known()
	for claim, want := range map[string]string{
		"name": "Cida Silva", "cpf": "***.982.247-**", "birthdate": "**/**/1958", "phone_number": "***321",
		"mother_name": "***lva", "address": "Rua da***", "cns": "***771", "rg": "***", "nis": "", "gender": "female",
		"email": "m***@e***.org",
	} {
		if got := p.Masked(claim); got != want {
			t.Errorf("%s: got %q, want %q", claim, got, want)
		}
	}
}

func TestASealedPersonOpensUnderTheirOwnIDOnly(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	p := known()
	p, err = registry.NewStore(box).Create(t.Context(), db, p, now)
	if err != nil {
		t.Fatal(err)
	}
	var sealed registry.Sealed
	if err := db.QueryRow(t.Context(), `SELECT sealed FROM known_person WHERE id = $1`, p.ID).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	for _, column := range sealed {
		if bytes.Contains(column, []byte("maria")) || bytes.Contains(column, []byte("52998224725")) {
			t.Error("a column is readable")
		}
	}
	back, err := registry.Unseal(box, p.ID, sealed)
	if err != nil || back.CPF != p.CPF || back.Fields["name"].Text != p.Fields["name"].Text || back.Fields["email"].Confirmed == nil {
		t.Errorf("%+v %v", back, err)
	}
	if moved, err := registry.Unseal(box, pg.NewID(), sealed); err == nil {
		t.Errorf("a row copied to another id opened: %v", moved.ID)
	}
}

func TestTwoEditsAtOnceBothStay(t *testing.T) {
	t.Parallel()

	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	people := registry.NewStore(box)
	p, err := people.Create(t.Context(), db, registry.Person{CPF: "52998224725"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := people.Create(t.Context(), db, registry.Person{CPF: "52998224725"}, now); !errors.Is(err, registry.ErrCPFTaken) {
		t.Errorf("a second record of one CPF: %v", err)
	}
	claims := registry.Declarable()
	done := make(chan error)
	for _, claim := range claims {
		text := claim
		if claim == "birthdate" {
			text = "1958-05-14"
		}
		go func() {
			done <- pg.InTx(t.Context(), db, func(tx pg.Tx) error {
				return people.Update(t.Context(), tx, p.ID, registry.Fields{claim: {Text: text}}, 3, now)
			})
		}()
	}
	for range claims {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	p, err = people.ByCPF(t.Context(), db, "52998224725")
	if err != nil {
		t.Fatal(err)
	}
	if lost := slices.DeleteFunc(slices.Clone(claims), p.Has); len(lost) > 0 {
		t.Errorf("lost: %v", lost)
	}
	if _, err := people.ByCPF(t.Context(), db, "11144477735"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("an unknown CPF: %v", err)
	}
	if _, err := people.ByID(t.Context(), db, pg.NewID()); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
}
