package load_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/yamlform"
	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/record"
)

var (
	littleEndian = binary.LittleEndian
	bigEndian    = binary.BigEndian
)

const fullMapping = `source: fazenda
name: Cadastro imobiliário da Secretaria da Fazenda
kind: person
encoding: windows-1252
separator: ";"
quote: '"'
header: true
key: [INSCRICAO]
effective: {column: ATUALIZADO, layout: 02/01/2006}
invalid_cpf: without_cpf
values:
  gender: {M: male, F: female, "": undisclosed}
  benefit/iptu_isento: {1: active}
fields:
  cpf: CPF
  name: NOME
  gender: SEXO
  birthdate: {column: NASC, layout: 02/01/2006}
  rg: {parts: [RG, ORGAO, UF]}
  address: {street: [TIPO, LOGRADOURO], number: NUMERO, complement: COMPL, district: BAIRRO, city: CIDADE, state: UF_END, cep: CEP, ibge_code: IBGE}
  phone_number: {columns: [DDD, FONE]}
  benefit/iptu_isento: {parts: [DESDE, "", SITUACAO], layout: 02/01/2006}
`

func TestAMappingMayUseEveryForm(t *testing.T) {
	t.Parallel()

	m := mapping(t, fullMapping)
	if m.Source != "fazenda" || m.Kind != load.Person || m.Encoding != load.Windows1252 || m.Separator != ';' || m.Quote != '"' ||
		!m.Header || !m.KeepFalse || m.Effective.Layout != record.DayMonthYear || m.Identifier() != record.CPF {
		t.Errorf("%+v", m)
	}
	head := "INSCRICAO;ATUALIZADO;CPF;NOME;SEXO;NASC;RG;ORGAO;UF;TIPO;LOGRADOURO;NUMERO;COMPL;BAIRRO;CIDADE;UF_END;CEP;IBGE;DDD;FONE;DESDE;SITUACAO\n"
	text := head + "77;20/10/2026;529.982.247-25;ANA;F;1/2/1980;1.234.567-8;SSP;PR;RUA;DAS FLORES;12;;CENTRO;VILA ESPERANÇA;PR;80010-000;410690;41;99999-1234;01/01/2020;1\n" +
		"78;31/12/2030;52998224726;BIA;;30/02/1980;;SSP;PR;;;;;;;;1;;41;123;;\n"
	got := lines(t, fullMapping, string(latin1(text)))
	equal(t, got, []string{
		"2 valid [77] 2026-10-20 cpf=52998224725 name=Ana gender=female birthdate=1980-02-01 rg=12345678|SSP|PR phone_number=+5541999991234 " +
			"address=Rua das Flores|12||Centro|Vila Esperança|PR|80010000|4106902 benefit/iptu_isento=2020-01-01||active",
		"3 without_cpf [78] name=Bia gender=undisclosed -effective_invalid -cpf_check_digit -birthdate_invalid -phone_number_invalid -address_cep_invalid",
	})
}

func TestAnOrganizationIsKnownByItsCNPJ(t *testing.T) {
	t.Parallel()

	got := lines(t, strings.Replace(with("kind: organization"), "cpf: CPF", "cnpj: CPF", 1),
		"ID;CPF;NOME\n1;12.ABC.345/01DE-35;PADARIA DO JOÃO LTDA\n2;12ABC34501DE36;FALSA\n3;;SEM\n")
	equal(t, got, []string{
		"2 valid [1] cnpj=12ABC34501DE35 name=Padaria do João Ltda",
		"3 invalid_cpf cnpj_check_digit 2;12ABC34501DE36;FALSA",
		"4 without_cpf [3] name=Sem",
	})
}

func TestAKeyOfSeveralColumnsCannotBeTakenForAnother(t *testing.T) {
	t.Parallel()

	text := strings.Replace(minimal, "key: [ID]", "key: [ID, CPF]", 1)
	got := lines(t, strings.Replace(text, "  cpf: CPF\n", "", 1), "ID;CPF;NOME\n1; 23;ANA\n12;3;ANA\n;3;ANA\n;;ANA\n")
	equal(t, got, []string{
		"2 without_cpf [1|23] name=Ana", "3 without_cpf [12|3] name=Ana", "4 without_cpf [|3] name=Ana", "5 inconsistent key_empty ;;ANA",
	})
}

func TestEveryFaultOfAMappingIsNamedWithItsLine(t *testing.T) {
	t.Parallel()

	_, err := load.ParseMapping("bad.yaml", []byte(`source: Fazenda
encoding: ebcdic
separator: ";;"
quote: "“"
kind: city
header: maybe
colour: red
effective: {layout: 01/02/2006}
invalid_cpf: keep
values:
  gender: {M: man}
  cns: {a: b}
fields:
  cnpj: CNPJ
  shoe_size: PE
  benefit: B
  benefit/bpc: STATUS
  rg: {parts: [A, B, C, D]}
  gender: {column: SEXO, layout: 2006}
  address: {}
  name: {columns: []}
  birthdate: [NASC]
`))
	var faults *yamlform.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error %v", err)
	}
	var got []string
	for _, f := range faults.List {
		got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Path, f.Code))
		if f.Message == "" || !strings.Contains(err.Error(), fmt.Sprintf("bad.yaml:%d: ", f.Line)) {
			t.Errorf("%+v", f)
		}
	}
	equal(t, got, []string{
		"1 source value", "1 name required", "1 key required", "2 encoding value",
		"3 separator value", "4 quote value", "5 kind value", "6 header type",
		"7 colour unknown_key", "8 effective.layout value", "8 effective.column required", "9 invalid_cpf value",
		"11 values.gender value", "12 values.cns value", "14 fields.cnpj value", "15 fields.shoe_size value",
		"16 fields.benefit value", "17 fields.benefit/bpc value", "18 fields.rg.parts value", "19 fields.gender.layout value",
		"20 fields.address required", "21 fields.name.columns required", "22 fields.birthdate type",
	})
}

func TestMappingRules(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		text, path, code string
		line             int
	}{
		"source in capitals":        {with("source: Base"), "source", "value", 1},
		"no name":                   {strings.Replace(minimal, "name: Uma base\n", "", 1), "name", "required", 1},
		"unknown encoding":          {with("encoding: ebcdic"), "encoding", "value", 1},
		"separator of two":          {with(`separator: ";;"`), "separator", "value", 1},
		"separator beyond ASCII":    {with(`separator: "§"`), "separator", "value", 1},
		"quote of two":              {with(`quote: "''"`), "quote", "value", 1},
		"quote is the separator":    {with(`quote: ";"`), "quote", "value", 1},
		"unknown kind":              {with("kind: city"), "kind", "value", 1},
		"header":                    {with(`header: "true"`), "header", "type", 1},
		"columns with a header":     {with("columns: 3"), "columns", "value", 1},
		"columns":                   {with("columns: 0"), "columns", "value", 1},
		"unknown key":               {with("colour: red"), "colour", "unknown_key", 1},
		"effective without column":  {with("effective: {layout: 2006-01-02}"), "effective.column", "required", 1},
		"American layout":           {with("effective: {column: A, layout: 01/02/2006}"), "effective.layout", "value", 1},
		"policy":                    {with("invalid_cpf: keep"), "invalid_cpf", "value", 1},
		"no key":                    {with("key: []"), "key", "required", 1},
		"value the field lacks":     {minimal + "values: {name: {A: \"\\x01\"}}\n", "values.name", "value", 8},
		"table without field":       {minimal + "values: {gender: {M: male}}\n", "values.gender", "value", 8},
		"table that is none":        {minimal + "values: {name: x}\n", "values.name", "type", 8},
		"unknown field":             {minimal + "  shoe_size: PE\n", "fields.shoe_size", "value", 8},
		"keyed field without key":   {minimal + "  benefit: B\n", "fields.benefit", "value", 8},
		"benefit in one column":     {minimal + "  benefit/bpc: B\n", "fields.benefit/bpc", "value", 8},
		"too many parts":            {minimal + "  rg: {parts: [A, B, C, D]}\n", "fields.rg.parts", "value", 8},
		"part of another field":     {minimal + "  rg: {street: A}\n", "fields.rg.street", "unknown_key", 8},
		"no column":                 {minimal + "  address: {}\n", "fields.address", "required", 8},
		"layout":                    {minimal + "  birthdate: {column: N, layout: 02/01/06}\n", "fields.birthdate.layout", "value", 8},
		"list for a field":          {minimal + "  birthdate: [NASC]\n", "fields.birthdate", "type", 8},
		"field twice":               {minimal + "  name: OUTRO\n", "fields.name", "duplicate", 8},
		"a person's CNPJ":           {minimal + "  cnpj: CNPJ\n", "fields.cnpj", "value", 8},
		"anchor":                    {minimal + "  rg: &a RG\n", "fields.rg", "alias", 8},
		"null":                      {minimal + "  rg: ~\n", "fields.rg", "type", 8},
		"name in headerless file":   {with("header: false"), "", "value", 5},
		"second document":           {minimal + "---\na: b\n", "", "documents", 8},
		"not YAML":                  {minimal + "  rg: [\n", "", "yaml", 8},
		"empty":                     {"", "", "required", 1},
		"list":                      {"- a", "", "type", 1},
		"too large":                 {minimal + "#" + strings.Repeat("x", load.MaxMapping), "", "too_large", 0},
		"control character in path": {with(`"a\eb": 1`), `"a\x1bb"`, "unknown_key", 1},
	} {
		_, err := load.ParseMapping("m.yaml", []byte(c.text))
		var faults *yamlform.Faults
		if !errors.As(err, &faults) {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !slices.ContainsFunc(faults.List, func(f yamlform.Fault) bool { return f.Path == c.path && f.Code == c.code && f.Line == c.line }) {
			t.Errorf("%s: %+v", name, faults.List)
		}
	}
}
