package main

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
	"github.com/loginunico/loginunico/registry/review"
)

// otacilia adds somebody whom two sources write alike, and returns her id.
func otacilia(t *testing.T, source, cpf string) (id registry.PersonID) {
	t.Helper()
	fields := registry.Fields{}
	for name, text := range map[string]string{"name": "Otacília Zampieri Kowalczuk", "birthdate": "1958-05-14", "mother_name": "Perpétua Zampieri", "phone_number": "+5541987654321"} {
		fields[name] = registry.Value{Text: text, Source: source}
	}
	err := manage(t.Context(), func(s *stack) error {
		p, err := s.people.Create(t.Context(), s.db, registry.Person{CPF: brdoc.CPF(cpf), Fields: fields}, time.Now())
		id = p.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestDuplicatesAreFoundShownJoinedAndParted(t *testing.T) {
	operate(t)
	one, two := otacilia(t, "receita", "52998224725").String(), otacilia(t, "fazenda", "11144477735").String()
	loose := otacilia(t, "saude", "").String()

	if out := done(t, "registry", "match", "run"); !regexp.MustCompile(`(?m)^ *3 +people new or changed$`).MatchString(out) || !regexp.MustCompile(`(?m)^ *0 +joined by machine$`).MatchString(out) {
		t.Errorf("run: %s", out)
	}
	list := done(t, "registry", "match", "list")
	if strings.Count(list, "\n") != 4 || !strings.Contains(list, "each has a valid CPF of their own") || strings.Contains(list, "Otac") {
		t.Errorf("list: %s", list)
	}
	shown := done(t, "registry", "match", "show", "-reason", "fila de revisão", one, loose)
	for _, want := range []string{"Otacília Zampieri Kowalczuk [receita ", "[saude ", "mother_name", "are the same", "times likelier of one person, the name being rare", "that they are one person: "} {
		if !strings.Contains(shown, want) {
			t.Errorf("show lacks %q:\n%s", want, shown)
		}
	}
	merged := done(t, "registry", "match", "merge", "-reason", "mesma pessoa", loose, one)
	if !strings.HasPrefix(merged, "one person: "+one) || !strings.Contains(merged, "match undo -reason TEXT "+loose) {
		t.Errorf("merge: %s", merged)
	}
	if out := done(t, "registry", "match", "apart", "-reason", "documentos de duas", "-actor", "carla", one, two); out != "two people\n" {
		t.Errorf("apart: %s", out)
	}
	for _, again := range [][]string{{"apart", "-reason", "x", one, two}, {"merge", "-reason", "x", one, two}, {"merge", "-reason", "x", one, loose}} {
		if s := invoke(t, append([]string{"registry", "match"}, again...)...); s.code != exitFailed || s.out != "" {
			t.Errorf("%v: %+v", again, s)
		}
	}
	if out := done(t, "registry", "match", "undo", "-reason", "engano", loose); out != "two people again, as they were before\n" {
		t.Errorf("undo: %s", out)
	}
	var report review.Report
	if err := json.Unmarshal([]byte(done(t, "registry", "match", "run", "-json")), &report); err != nil || report.Merged != 0 || report.Left != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestMatchNamesWrongUsage(t *testing.T) {
	t.Parallel()

	id := "01a20107-22bb-7b92-8974-1ed82737e42b"
	for _, args := range [][]string{{}, {"find"}, {"run", "-limit", "-1"}, {"run", "x"}, {"show", id, id}, {"merge", "-reason", "x", id}, {"apart", "-reason", " ", id, id},
		{"undo", "-reason", "x", "maria"}, {"apart", "-reason", "x", "-overrule", id, id}} {
		if s := invoke(t, append([]string{"registry", "match"}, args...)...); s.code != exitUsage || s.out != "" {
			t.Errorf("%v: %+v", args, s)
		}
	}
}

func TestEveryWayToAgreeAndEveryBarHasWords(t *testing.T) {
	t.Parallel()

	for a := match.Different; a <= match.Exact; a++ {
		if agreementWords[a.String()] == "" {
			t.Errorf("%s has no words", a)
		}
	}
	for _, b := range []match.Bar{match.CPFsDiffer, match.GivenNamesDiffer, match.NamesConflict, match.SuffixesDiffer, match.GendersDiffer} {
		if barWords[b] == "" {
			t.Errorf("%s has no words", b)
		}
	}
}

func TestMatchingIsMeasuredOnALabelledFile(t *testing.T) {
	t.Parallel()

	file := "../../registry/match/testdata/febrl3.csv"
	columns := "rec_id=id,given_name=given_name,surname=surname,street_number=number,address_1=street,address_2=complement,suburb=district,postcode=postcode,state=state,date_of_birth=birthdate"
	var out bytes.Buffer
	if err := runRegistryMatch(t.Context(), []string{"measure", "-columns", columns, file}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "wrong 0") || !strings.Contains(out.String(), "F1 0.999") {
		t.Error(out.String())
	}
	for _, wrong := range [][]string{{"measure", file}, {"measure", "-columns", "rec_id=nobody", file}, {"measure", "-columns", columns, "-truth", "(", file},
		{"measure", "-columns", columns, "-truth", "x([0-9]+)", file}} {
		if err := runRegistryMatch(t.Context(), wrong, io.Discard); err == nil {
			t.Errorf("%v was taken", wrong)
		}
	}
}
