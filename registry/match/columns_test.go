package match_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/registry/match"
)

func TestColumnsSayWhereThingsAre(t *testing.T) {
	t.Parallel()

	file := "\ufeffcod;NOME; DT_NASC;obs;MAE\n7; João da Silva ;1/2/1980;x, y;Maria\n"
	got, err := match.ReadCSV(strings.NewReader(file), match.Columns{"cod": "id", "NOME": "name", "DT_NASC": "birthdate", "MAE": "mother_name"})
	want := []match.Subject{{ID: "7", Name: "João da Silva", Birthdate: "1/2/1980", MotherName: "Maria"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestEveryFaultInTheColumnsIsNamed(t *testing.T) {
	t.Parallel()

	_, err := match.ReadCSV(strings.NewReader("a,b\n1,2\n"), match.Columns{"a": "naem", "c": "name"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`column "a": no field "naem"`, `no column "c"`, "no column is the id"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestLineWithTooFewValuesIsAnError(t *testing.T) {
	t.Parallel()

	for _, file := range []string{"", "id,name\n1\n", "id,name\n\"1,2\n"} {
		if got, err := match.ReadCSV(strings.NewReader(file), match.Columns{"id": "id"}); err == nil {
			t.Errorf("%q gives %+v and no error", file, got)
		}
	}
}

func TestModelOfAnotherMakeIsRefused(t *testing.T) {
	t.Parallel()

	for file, want := range map[string]string{
		`{`:             "unexpected end",
		`{"version":9}`: "model version 9, want 1",
		`{"version":1,"fields":{"shoe_size":{}}}`:                                 "no field",
		`{"version":1,"fields":{"cpf":{"exact":{"m":2,"u":0.1}}}}`:                "cpf",
		`{"version":1,"fields":{"cpf":{"missing":{"m":0.5,"u":0.1}}}}`:            "missing",
		`{"version":1,"names":{"surname":{"other":0.1,"share":{"SILVA":1.5}}}}`:   "SILVA",
		`{"version":1,"names":{"surname":{"other":0,"share":{"SILVA":0.16}}}}`:    "other",
		`{"version":1,"names":{"shoe_size":{"other":0.1,"share":{"SILVA":0.1}}}}`: "shoe_size",
	} {
		if _, err := match.ReadModel([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
}

// Whatever a file holds, reading and comparing its people neither fails nor depends on the order.
func FuzzReadCSV(f *testing.F) {
	f.Add("id,name,birth,cpf\n1,João da Silva Júnior,1/2/1980,52998224725\n2,Mª,1980-13-45,1\n")
	f.Add("id;name;birth;cpf\n1; ;;\n\"2\";x x x;T;\n")
	f.Add("\ufeffid,name,birth,cpf\n")
	columns := match.Columns{"id": "id", "name": "name", "birth": "birthdate", "cpf": "cpf"}
	f.Fuzz(func(t *testing.T, file string) {
		people, err := match.ReadCSV(strings.NewReader(file), columns)
		if err != nil {
			return
		}
		md := match.Default()
		for i := range people[:min(len(people), 20)] {
			a, b := match.Prepare(people[i]), match.Prepare(people[0])
			if x, y := md.Score(a, b).Weight, md.Score(b, a).Weight; x != y {
				t.Errorf("%+v, %+v: %g one way, %g the other", people[i], people[0], x, y)
			}
			for _, k := range a.FileKeys() {
				if strings.HasSuffix(k, "|") {
					t.Errorf("%+v has the empty key %q", people[i], k)
				}
			}
		}
	})
}
