package govbrtest

import "time"

// Person is one gov.br account.
type Person struct {
	CPF        string // 11 digits
	Name       string
	SocialName string
	Email      string // "": none, or not verified: gov.br leaves it out
	Phone      string // digits with area code; "" as above
	Level      string // bronze, silver or gold
	Seals      []Seal
	AMR        []string // of a sign-in; empty: passwd, captcha
	SignedInAt time.Time
	Companies  []Company

	// With the certificate of a company gov.br tells which.
	CNPJ, CNPJName string
}

// Seal is one proof (selo, confiabilidade) that an account has.
type Seal struct {
	ID string // as in testdata/selos.tsv
	At time.Time
}

// Company is a company that a person takes part in.
type Company struct {
	CNPJ, Name string
	Role       string // SOCIO, CONTADOR, REPRESENTANTE_LEGAL, NAO_ATUANTE; "": a collaborator
	By         string // CPF of who added a collaborator
	Since      time.Time
	Until      time.Time // zero: gov.br does not say
}

// layout is how gov.br writes times: an offset without a colon, which RFC 3339 does not allow.
const layout = "2006-01-02T15:04:05.000-0700"

var brasilia = time.FixedZone("-03", -3*60*60)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 9, 30, 0, 0, brasilia) }

// numbers of the levels in the API.
var numbers = map[string]string{"bronze": "1", "silver": "2", "gold": "3"}

// Demo are the accounts of the demo city, all invented: João is bronze, Carla silver, Maria, Ana and
// Paulo gold. Ana stands for two companies, Carla for one. Rita has an account and is unknown to the city.
func Demo() []Person {
	return []Person{
		{CPF: "52998224725", Name: "Maria Aparecida da Silva", Email: "maria@example.org", Phone: "41987654321", Level: "gold",
			Seals: []Seal{{"101", day(2024, 3, 4)}, {"602", day(2024, 3, 4)}, {"701", day(2025, 8, 19)}}},
		{CPF: "11144477735", Name: "João Batista Souza", Email: "joao@example.org", Level: "bronze",
			Seals: []Seal{{"201", day(2026, 1, 15)}}},
		{CPF: "39053344705", Name: "Ana Lúcia Ferreira", SocialName: "Ana Ferreira", Email: "ana@example.org", Phone: "41991234567", Level: "gold",
			Seals: []Seal{{"401", day(2025, 5, 2)}, {"901", day(2026, 2, 11)}}, AMR: []string{"passwd", "captcha", "mfa", "otp"},
			Companies: []Company{{CNPJ: "11222333000181", Name: "FERREIRA DOCES LTDA", Role: "SOCIO", Since: day(2021, 6, 1), Until: day(2099, 12, 31)},
				{CNPJ: "12ABC34501DE35", Name: "PADARIA DA VILA LTDA", Role: "CONTADOR", Since: day(2026, 8, 3), Until: day(2099, 12, 31)}}},
		{CPF: "16899535009", Name: "Carla Mendes", Email: "carla@example.org", Level: "silver", Seals: []Seal{{"626", day(2025, 11, 3)}},
			Companies: []Company{{CNPJ: "19131243000197", Name: "MENDES CONSERTOS LTDA", Role: "REPRESENTANTE_LEGAL", Since: day(2019, 2, 11)}}},
		{CPF: "93541134780", Name: "Paulo Rocha", Email: "paulo@example.org", Level: "gold", Seals: []Seal{{"801", day(2025, 9, 9)}},
			AMR: []string{"x509", "x509_neoid"}},
		{CPF: "71428793860", Name: "Rita de Cássia Nogueira", Email: "rita@example.org", Phone: "41988887777", Level: "silver",
			Seals: []Seal{{"605", day(2026, 4, 20)}}},
	}
}
