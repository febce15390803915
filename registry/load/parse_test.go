package load_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/registry/load"
)

func TestTriageSortsRecordsOut(t *testing.T) {
	t.Parallel()

	got := lines(t, minimal, "ID;CPF;NOME\n"+
		"1;529.982.247-25;MARIA DA SILVA\n"+
		"2;;JOÃO SOUZA\n"+
		"3;52998224726;FALSO\n"+
		"4;   .   .   -  ;SEM NUMERO\n"+
		"5;11144477735\n"+
		";11144477735;SEM CHAVE\n"+
		"7;11144477735;\n"+
		"8;11144477735;\"aberta\n"+
		"9;11144477735;NUL\x00\n"+
		"10;11144477735;B\xff\n"+
		"11;11144477735;NO\x07ME\n"+
		"\n"+
		"13;11144477735;ANA;\n"+
		"14;111;ANA\n"+
		"15;1;2;3;4")
	want := []string{
		"2 valid [1] cpf=52998224725 name=Maria da Silva",
		"3 without_cpf [2] name=João Souza",
		"4 invalid_cpf cpf_check_digit 3;52998224726;FALSO",
		"5 without_cpf [4] name=Sem Numero",
		"6 inconsistent columns 5;11144477735",
		"7 inconsistent key_empty ;11144477735;SEM CHAVE",
		"8 inconsistent name_empty 7;11144477735;",
		"9 inconsistent quote_unusable 8;11144477735;\"aberta",
		"10 inconsistent nul_byte 9;11144477735;NUL\x00",
		"11 inconsistent undecodable 10;11144477735;B\uFFFD",
		"12 inconsistent name_characters 11;11144477735;NO\x07ME",
		"14 valid [13] cpf=11144477735 name=Ana",
		"15 invalid_cpf cpf_invalid 14;111;ANA",
		"16 inconsistent columns 15;1;2;3;4",
	}
	equal(t, got, want)
}

func TestTheFirstErrorOfACallbackEndsABlock(t *testing.T) {
	t.Parallel()

	b := &load.Block{}
	if err := load.NewReader(strings.NewReader("ID;CPF;NOME\n1;;ANA\n;;X\n3;;BIA\n"), mapping(t, minimal), 1<<20, load.MaxRecord).Next(b); err != nil {
		t.Fatal(err)
	}
	full, p := errors.New("the disk is full"), load.NewParser(effective, now)
	records := 0
	count := func(*load.Parsed) error { records++; return nil }
	if err := p.Parse(b, count, func(*load.Reject) error { return full }); !errors.Is(err, full) || records != 1 {
		t.Errorf("%d records, %v", records, err)
	}
	if err := p.Parse(b, func(*load.Parsed) error { return full }, nil); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

func TestANumberThatMeansNoneIsTranslatedToNone(t *testing.T) {
	t.Parallel()

	got := lines(t, with(`values: {cpf: {"00000000000": ""}}`), "ID;CPF;NOME\n1; 00000000000 ;ANA\n2;11111111111;BIA\n")
	equal(t, got, []string{"2 without_cpf [1] name=Ana", "3 invalid_cpf cpf_invalid 2;11111111111;BIA"})
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
