package generate

// Every source is a table of columns: the layout of its files and the header that names them. The
// mappings in deploy/demo/registry say the same to the loader.

// column is one value of a record.
type column struct {
	head string
	put  func(l *line, v *view)
}

// source is one base of the city.
type source struct {
	name       string
	index      int
	form       form
	dates      dateLayout
	separator  byte
	quotesAll  bool
	header     bool
	mark       string // what the file begins with
	newline    string
	utf16      bool
	columns    []column
	nameColumn int
	keys       []func(*line, *view) // what identifies a record, for the truth file

	// how well it is kept, in 10,000 of its records
	lacksCPF, mistypesCPF, omitsMother, abbreviates, hearsOfDeath, twice int

	cpfStyle    func(dst []byte, cpf uint64, r *rng) int
	undecodable string // what a broken line of kind "encoding" is here
	scatter     uint64 // keys: an odd multiplier
}

// share of the people of a city that each base has, before those in none are counted out.
var (
	adultBases = [6]float64{0.53, 0.46, 0.06, 0.19, 0.44, 0.12}
	childBases = [6]float64{0.42, 0.62, 0.70, 0.27, 0.01, 0.03}
)

// inBases is a table of sets of bases, each as often as chance has it among those in one at least.
func inBases(share [6]float64) (t [4096]uint8) {
	weight := func(set int) float64 {
		p := 1.0
		for s, q := range share {
			if set>>s&1 == 0 {
				q = 1 - q
			}
			p *= q
		}
		return p
	}
	next, sum := 0, 0.0
	for set := 1; set < 64; set++ {
		sum += weight(set) / (1 - weight(0))
		for ; next < int(sum*float64(len(t))+0.5) && next < len(t); next++ {
			t[next] = uint8(set)
		}
	}
	return t
}

// sources in the order of their index; the seventh is of organizations.
var sources = []*source{receita(), saude(), educacao(), assistencia(), fazenda(), habitacao(), empresas()}

const companies = 6 // index of empresas

// Names lists the sources that can be generated.
func Names() []string {
	all := make([]string, len(sources))
	for i, s := range sources {
		all[i] = s.name
	}
	return all
}

// keyOf numbers a person at the source: no two the same, and not in the order of the CPFs.
func (s *source) keyOf(n, again uint64) uint64 { return 1 + (2*n+again)*s.scatter%9_999_999_967 }

// byNumber is the key of most sources.
var byNumber = []func(*line, *view){putKey}

func bareCPF(dst []byte, cpf uint64, _ *rng) int {
	digitsInto(dst[:11], cpf)
	return 11
}

// pointedCPF writes 529.982.247-25 four times of five.
func pointedCPF(dst []byte, cpf uint64, r *rng) int {
	if r.chance(2000) {
		return bareCPF(dst, cpf, r)
	}
	var d [11]byte
	digitsInto(d[:], cpf)
	return copy(dst, []byte{d[0], d[1], d[2], '.', d[3], d[4], d[5], '.', d[6], d[7], d[8], '-', d[9], d[10]})
}

// spreadsheetCPF has lost its leading zeros, up to two of them, as numbers do.
func spreadsheetCPF(dst []byte, cpf uint64, r *rng) int {
	n := bareCPF(dst, cpf, r)
	for lost := 0; lost < 2 && dst[0] == '0'; lost++ {
		copy(dst, dst[1:n])
		n--
	}
	return n
}

func receita() *source {
	return &source{name: "receita", index: 0, form: plainUpper, dates: compactDate, separator: ';', header: true, newline: "\r\n",
		omitsMother: 200, hearsOfDeath: 9000, cpfStyle: bareCPF, undecodable: lineColumns, nameColumn: 1,
		keys: []func(*line, *view){putCPF}, columns: []column{
			{"CPF", putCPF}, {"NOME", putName}, {"DT_NASC", putBirth}, {"SEXO", putSexNumber}, {"NOME_MAE", putMother},
			{"SITUACAO", putSituation}, {"DT_OBITO", putDeath}, {"TITULO", putVoter}, {"MUN_NASC", putOrigin},
			{"LOGRADOURO", putBriefStreet}, {"NUMERO", putNumber}, {"BAIRRO", putDistrict}, {"MUNICIPIO", putCity}, {"UF", putState},
			{"CEP", putCEP}, {"DT_ATUALIZACAO", putOn}}}
}

func saude() *source {
	return &source{name: "saude", index: 1, form: asWritten, dates: isoDate, separator: '|', header: true, newline: "\n",
		lacksCPF: 590, mistypesCPF: 205, omitsMother: 800, abbreviates: 200, hearsOfDeath: 7000, twice: 220,
		cpfStyle: pointedCPF, undecodable: lineEncoding, nameColumn: 3, scatter: 6_700_417,
		keys: byNumber, columns: []column{
			{"prontuario", putKey}, {"cns", putCNS}, {"cpf", putCPF}, {"nome", putName}, {"nome_social", putSocial}, {"sexo", putSex},
			{"nascimento", putBirth}, {"municipio_nascimento", putOrigin}, {"mae", putMother}, {"pai", putFather}, {"obito", putDeath},
			{"telefone", putPhone}, {"logradouro", putStreet}, {"numero", putNumber}, {"complemento", putComplement},
			{"bairro", putDistrict}, {"cidade", putCity}, {"uf", putState}, {"cep", putCEP}, {"ibge", putCode}, {"unidade", putUnit},
			{"atualizado_em", putOn}}}
}

func educacao() *source {
	return &source{name: "educacao", index: 2, form: inLatin1, dates: slashedDate, separator: ';', header: true, newline: "\r\n",
		lacksCPF: 1080, mistypesCPF: 205, omitsMother: 300, abbreviates: 200, hearsOfDeath: 500, twice: 150,
		cpfStyle: pointedCPF, undecodable: lineColumns, nameColumn: 1, scatter: 2_147_483_647,
		keys: byNumber, columns: []column{
			{"MATRICULA", putKey}, {"NOME", putName}, {"NOME_SOCIAL", putSocial}, {"CPF", putCPF}, {"NASCIMENTO", putBirth},
			{"SEXO", putSex}, {"MAE", putMother}, {"CPF_MAE", putMotherCPF}, {"PAI", putFather}, {"CPF_PAI", putFatherCPF},
			{"DDD", putAreaCode}, {"FONE", putSubscriber}, {"EMAIL", putMail}, {"ENDERECO", putStreet}, {"NUMERO", putNumber},
			{"COMPLEMENTO", putComplement}, {"BAIRRO", putDistrict}, {"CIDADE", putCity}, {"UF", putState}, {"CEP", putPointedCEP},
			{"ESCOLA", putSchool}, {"ATUALIZADO", putOn}}}
}

func assistencia() *source {
	return &source{name: "assistencia", index: 3, form: plainUpper, dates: dayFirstDate, separator: ',', quotesAll: true, header: true,
		mark: "\ufeff", newline: "\r\n", lacksCPF: 480, mistypesCPF: 205, omitsMother: 100, abbreviates: 100, hearsOfDeath: 3000, twice: 120,
		cpfStyle: bareCPF, undecodable: lineEncoding, nameColumn: 4, scatter: 1_000_003,
		keys: []func(*line, *view){putFamilyKey, putOrder}, columns: []column{
			{"COD_FAMILIAR", putFamilyKey}, {"ORDEM", putOrder}, {"NIS", putNIS}, {"CPF", putCPF}, {"NOME", putName}, {"NOME_SOCIAL", putSocial},
			{"SEXO", putSexNumber}, {"DT_NASC", putBirth}, {"MAE", putMother}, {"PAI", putFather}, {"ESTADO_CIVIL", putMarital},
			{"RG", putRG}, {"ORGAO", putIssuer}, {"UF_RG", putRGState}, {"TITULO", putVoter}, {"CONJUGE", putSpouse}, {"CPF_CONJUGE", putSpouseCPF},
			{"LOGRADOURO", putStreet}, {"NUMERO", putNumber}, {"COMPLEMENTO", putComplement}, {"BAIRRO", putDistrict},
			{"MUNICIPIO", putCity}, {"UF", putState}, {"CEP", putCEP}, {"IBGE", putCode}, {"TELEFONE", putPhone},
			{"PBF_DESDE", putAided}, {"PBF_ATE", putEnded}, {"PBF_SITUACAO", putAidStatus}, {"BPC_DESDE", putElder},
			{"DT_ATUALIZACAO", putOn}}}
}

func fazenda() *source {
	return &source{name: "fazenda", index: 4, form: plainUpper, dates: slashedDate, separator: ';', header: true, newline: "\r\n",
		lacksCPF: 130, mistypesCPF: 205, omitsMother: 10000, abbreviates: 700, hearsOfDeath: 1000, twice: 300,
		cpfStyle: spreadsheetCPF, undecodable: lineColumns, nameColumn: 2, scatter: 99_999_989,
		keys: byNumber, columns: []column{
			{"INSCRICAO", putKey}, {"CPF", putCPF}, {"NOME", putName}, {"NASC", putBirth}, {"SEXO", putSex}, {"RG", putRG}, {"ORGAO", putIssuer},
			{"UF_RG", putRGState}, {"DDD", putAreaCode}, {"FONE", putSubscriber}, {"EMAIL", putMail}, {"LOGRADOURO", putBriefStreet},
			{"NUMERO", putNumber}, {"COMPL", putComplement}, {"BAIRRO", putDistrict}, {"CIDADE", putCity}, {"UF_END", putState},
			{"CEP", putPointedCEP}, {"IBGE", putCode}, {"ISENTO_DESDE", putExempt}, {"ISENTO_ATE", putNothing},
			{"ISENTO_SITUACAO", putExemptStatus}, {"ATUALIZADO", putOn}}}
}

func habitacao() *source {
	return &source{name: "habitacao", index: 5, form: inLatin1, dates: isoDate, separator: '\t', newline: "\n",
		lacksCPF: 330, mistypesCPF: 205, omitsMother: 2500, abbreviates: 300, hearsOfDeath: 800, twice: 150,
		cpfStyle: pointedCPF, undecodable: lineColumns, nameColumn: 2, scatter: 433_494_437,
		keys: byNumber, columns: []column{
			{"1", putKey}, {"2", putCPF}, {"3", putName}, {"4", putBirth}, {"5", putMarital}, {"6", putMother}, {"7", putSpouse},
			{"8", putSpouseCPF}, {"9", putRG}, {"10", putIssuer}, {"11", putRGState}, {"12", putPhone}, {"13", putStreet}, {"14", putNumber},
			{"15", putDistrict}, {"16", putCity}, {"17", putState}, {"18", putCEP}, {"19", putOn}}}
}
