package generate

import "strings"

// The invented city. Its IBGE code has the state's prefix (41, Paraná) and a right check digit, and
// no municipality has it; the CEPs are in the range of the demo's other addresses.
const (
	cityName  = "Vila Esperança"
	cityState = "PR"
	cityCode  = "4199998"
)

// birthplaces are IBGE codes of municipalities, the likeliest first.
var birthplaces = []string{
	cityCode, cityCode, cityCode, cityCode, cityCode, cityCode, "4106902", "4106902", "3550308", "4113700", "4115200",
	"4119905", "4104808", "4108304", "4205407", "4209102", "4314902", "3304557", "3106200", "2927408", "2611606", "2304400",
	"5300108", "5208707", "1302603", "1501402",
}

var states = []string{"PR", "PR", "PR", "PR", "PR", "SP", "SC", "RS", "MG", "BA"}

var districts = []string{
	"Centro", "Vila Nova", "Jardim das Flores", "São José", "Boa Vista", "Alto da Glória", "Jardim América", "Vila Operária",
	"Santa Cândida", "Cidade Industrial", "Água Verde", "Bom Retiro", "Jardim Esperança", "Santo Antônio", "Parque das Nações",
	"Vila São Pedro", "Campo Comprido", "Barreirinha", "Conjunto Solar", "Jardim Itália", "Lagoa Azul", "Morro Alto",
}

var (
	ways = []string{"Rua", "Rua", "Rua", "Rua", "Avenida", "Travessa", "Alameda", "Praça"}
	// short is how registers that save columns write them.
	short = map[string]string{"Rua": "R.", "Avenida": "Av.", "Travessa": "Tv.", "Alameda": "Al.", "Praça": "Pç."}

	honoured = []string{"", "", "", "", "Doutor ", "Professora ", "Coronel ", "Padre ", "Engenheiro "}
	flowers  = strings.Fields("das:Acácias Brasil das:Palmeiras dos:Ipês das:Hortênsias dos:Jacarandás das:Araucárias da:Independência " +
		"da:República Tiradentes XV:de:Novembro Sete:de:Setembro Marechal:Deodoro Dom:Pedro:II Santos:Dumont Rui:Barbosa " +
		"da:Liberdade das:Camélias dos:Pinheiros Paraná Bahia Amazonas Tocantins do:Comércio da:Matriz da:Estação do:Rosário")
)

// complements of an address. Some hold what a separated file must quote.
var complements = []string{
	"", "", "", "", "", "", "", "casa 2", "fundos", "apto 101", "apto 302", "apto 1204 bloco B", "sobreloja", "bloco C apto 12", "casa A",
	"apto 33; bloco 2", `casa "de cima"`, "sobrado,\nentrada lateral", "lote 7, quadra 12",
}

// A street lies in one district and has one CEP.
type street struct {
	name, brief [forms]string // "Rua das Acácias", "R. das Acácias"
	district    uint8
	cep         uint32
}

// streets of the city; the first two are where Maria and Ana of the demo live.
func laidOut() []street {
	all := []street{newStreet("Rua", "das Acácias", 0, 80010000), newStreet("Avenida", "Brasil", 1, 80020100)}
	r := mixed(0x72756173)
	add := func(name string) {
		n := len(all)
		all = append(all, newStreet(ways[r.below(len(ways))], name, r.below(len(districts)), uint32(80030000+n*10)))
	}
	for _, f := range flowers[2:] {
		add(strings.ReplaceAll(f, ":", " "))
	}
	for range 900 {
		given, family := classicMen, surnames[r.below(len(surnames))]
		if r.chance(3500) {
			given = classicWomen
		}
		_, family, _ = cutParticle(family)
		add(honoured[r.below(len(honoured))] + given[r.below(len(given))] + " " + family)
	}
	return all
}

func newStreet(way, name string, district int, cep uint32) street {
	return street{name: formsOf(way + " " + name), brief: formsOf(short[way] + " " + name), district: uint8(district), cep: cep}
}

// home is one address of the city.
type home struct {
	street     uint16
	number     uint16
	complement uint8
}

func (c *city) home(r *rng) home {
	return home{street: uint16(r.below(len(c.streets))), number: uint16(r.between(1, 2400)), complement: uint8(r.below(len(complements)))}
}
