package load_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/registry/generate"
	"github.com/loginunico/loginunico/registry/load"
)

func TestAReportSaysTheSameAsTextPageAndJSON(t *testing.T) {
	t.Parallel()

	w := newTown(t, generate.Options{Records: 3000, Seed: 3})
	job := w.job()
	job.Rejects = filepath.Join(t.TempDir(), "town.rejected.csv")
	r := w.run(job)
	var text, page strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WritePage(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Records by source", "different documents (CPF or CNPJ)", "false CPF", "Rejected records", "cpf: cpf_check_digit",
		"Values left out", "address: no_right", "Fields in which sources disagree", "3,000", job.Rejects, r.ID.String()} {
		if !strings.Contains(text.String(), want) || !strings.Contains(page.String(), want) {
			t.Errorf("%q is not in text or page:\n%s", want, &text)
		}
	}
	kept, err := load.ReportOf(t.Context(), w.db, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	given, _ := json.Marshal(r) // counts and texts
	stored, _ := json.Marshal(kept)
	if string(given) != string(stored) || r.Read() != 3000 {
		t.Errorf("kept %s\ngiven %s", stored, given)
	}
}

func TestLoadsAreListedTheNewestFirstWithWhatTheyFiled(t *testing.T) {
	t.Parallel()

	w := newTown(t, generate.Options{Records: 500, Seed: 4})
	first, second := w.run(w.job("fazenda")), w.run(w.job("saude", "receita"))
	loads, err := load.Loads(t.Context(), w.db, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(loads) != 2 || loads[0].ID != second.ID || loads[1].ID != first.ID || loads[1].Records != first.Tally.Records || loads[0].Finished == nil {
		t.Errorf("%+v", loads)
	}
	var page strings.Builder
	if err := load.WriteList(&page, loads); err != nil || !strings.Contains(page.String(), `href="/loads/`+first.ID.String()) {
		t.Errorf("%v\n%s", err, &page)
	}
	for name, want := range map[string]bool{"test": true, "another": false} {
		if done, err := load.Loaded(t.Context(), w.db, name); err != nil || done != want {
			t.Errorf("%s: %v, %v", name, done, err)
		}
	}
}

func TestALoadLeavesTwoEventsWhateverItsSize(t *testing.T) {
	t.Parallel()

	w := newTown(t, generate.Options{Records: 800, Seed: 5})
	job := w.job()
	job.Actor = audit.Actor{Kind: audit.Operator, ID: "paulo"}
	r := w.run(job)
	rows, err := w.db.Query(t.Context(), `SELECT event::text FROM (SELECT to_jsonb(p) AS event, id FROM audit_pending p) e ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var events []string
	for rows.Next() {
		var event string
		if err := rows.Scan(&event); err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	if len(events) != 2 || !strings.Contains(events[0], "registry.load.begin") || !strings.Contains(events[1], "registry.load.end") ||
		!strings.Contains(events[1], r.ID.String()) || !strings.Contains(events[1], "paulo") {
		t.Errorf("%q", events)
	}
}

// Each delivery has its rejects, and one made again does not have them twice.
func TestRejectsOfAnotherLoadAreNeverOverwritten(t *testing.T) {
	t.Parallel()

	w := newTown(t, generate.Options{Records: 2000, Seed: 6})
	path := filepath.Join(t.TempDir(), "fazenda.csv.rejected.csv")
	deliver := func() string {
		job := w.job("fazenda")
		job.Rejects = path
		return w.run(job).Rejected
	}
	if name := deliver(); name != path {
		t.Fatalf("the first: %q", name)
	}
	first, err := os.ReadFile(path)
	if err != nil || len(first) < 100 {
		t.Fatalf("%d bytes, %v", len(first), err)
	}
	if err := os.WriteFile(path+".partial", []byte("what a load left that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if name := deliver(); name != path {
		t.Errorf("the same again: %q", name)
	}
	w.dir = t.TempDir()
	w.generate(generate.Options{Records: 2000, Seed: 6, Delta: 40})
	second := strings.Replace(path, "rejected.csv", "rejected.2.csv", 1)
	if name := deliver(); name != second {
		t.Errorf("another: %q", name)
	}
	kept, err := os.ReadFile(path)
	if err != nil || string(kept) != string(first) {
		t.Errorf("the first was changed: %v", err)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, second: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if left, _ := filepath.Glob(path + "*partial*"); len(left) > 0 { // the pattern is well-formed
		t.Errorf("left %v", left)
	}
}
