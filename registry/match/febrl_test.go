package match_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/registry/match"
)

// febrlColumns is FEBRL's layout, without soc_sec_id: with it the task would be trivial.
var febrlColumns = match.Columns{
	"rec_id": "id", "given_name": "given_name", "surname": "surname", "street_number": "number",
	"address_1": "street", "address_2": "complement", "suburb": "district", "postcode": "postcode",
	"state": "state", "date_of_birth": "birthdate",
}

// febrl reads FEBRL 3 and whom each record is of (rec-1496-dup-2 is of person 1496).
func febrl(t testing.TB) ([]match.Subject, map[string]string) {
	t.Helper()
	f, err := os.Open("testdata/febrl3.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := match.ReadCSV(f, febrlColumns)
	if err != nil {
		t.Fatal(err)
	}
	truth := map[string]string{}
	for _, r := range records {
		truth[r.ID] = strings.Split(r.ID, "-")[1]
	}
	return records, truth
}

func TestFEBRL3IsLinkedWithoutTheSocialSecurityNumber(t *testing.T) {
	t.Parallel()

	records, truth := febrl(t)
	pairs, _ := match.Link(records)
	q := match.Evaluate(truth, pairs)
	t.Logf("FEBRL 3: P %.4f, R %.4f, F1 %.4f (%d of 6538 pairs, %d wrong)", q.Precision, q.Recall, q.F1, q.Found, q.Wrong)
	if q.Found+q.Missed != 6538 {
		t.Fatalf("true pairs: %d, want 6538", q.Found+q.Missed)
	}
	if q.Precision < 0.9998 || q.Recall < 0.9989 || q.F1 < 0.9994 {
		t.Errorf("want P ≥ 0.9998, R ≥ 0.9989, F1 ≥ 0.9994")
	}
}

// The originals in one file and the duplicates in another: a record has up to five partners.
func TestFEBRL3IsLinkedAcrossTwoFiles(t *testing.T) {
	t.Parallel()

	records, truth := febrl(t)
	var originals, copies []match.Subject
	truthA, truthB := map[string]string{}, map[string]string{}
	for _, r := range records {
		if strings.HasSuffix(r.ID, "-org") {
			originals, truthA[r.ID] = append(originals, r), truth[r.ID]
		} else {
			copies, truthB[r.ID] = append(copies, r), truth[r.ID]
		}
	}
	pairs, _ := match.LinkTwo(originals, copies)
	q := match.EvaluateTwo(truthA, truthB, pairs)
	t.Logf("FEBRL 3 across: P %.4f, R %.4f, F1 %.4f (%d found, %d wrong, %d missed)", q.Precision, q.Recall, q.F1, q.Found, q.Wrong, q.Missed)
	if q.F1 < 0.997 {
		t.Errorf("F1 %.4f, want ≥ 0.997", q.F1)
	}
}

func TestOrderOfTheFileDoesNotMatter(t *testing.T) {
	t.Parallel()

	records, _ := febrl(t)
	records = records[:1500]
	want, _ := match.Link(records)
	turned := slices.Clone(records)
	slices.Reverse(turned)
	if got, _ := match.Link(turned); !slices.Equal(got, want) {
		t.Errorf("the reversed file gives other pairs: %d, want %d", len(got), len(want))
	}
}
