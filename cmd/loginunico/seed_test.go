package main

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/loginunico/loginunico/cmd/loginunico/config"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/record"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

// demoCity is a seeded city.
func demoCity(t *testing.T) *stack {
	t.Helper()
	cfg := &config.Config{DatabaseURL: testpg.URL(t), DatabaseConns: 4, DemoRPListen: "127.0.0.1:8090", KEKFile: filepath.Join(t.TempDir(), "kek"),
		DataDir: t.TempDir()}
	s, err := open(t.Context(), cfg, slog.New(slog.DiscardHandler), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.db.Close)
	if err := s.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheDemosPeopleHaveTheLevelsOfTheirStories(t *testing.T) {
	t.Parallel()

	s := demoCity(t)
	for _, p := range demoPeople() {
		person, settled, err := factor.Find(t.Context(), s.db, s.box, p.cpf, time.Now())
		if err != nil || !settled {
			t.Fatalf("%s: %v, %v", p.label, settled, err)
		}
		evidence, err := trust.Of(t.Context(), s.db, person.ID)
		if err != nil {
			t.Fatal(err)
		}
		if level := trust.Level(evidence, time.Now()); level != p.level {
			t.Errorf("%s: level %d, want %d", p.label, level, p.level)
		}
		for _, e := range evidence {
			if e.Kind == trust.RegistryMatch && e.Source != "registry" {
				t.Errorf("%s: level 3 is by %s, not found in the city's bases", p.label, e.Source)
			}
		}
		whole, err := s.people.ByID(t.Context(), s.db, person.ID)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range p.fields {
			if seen := whole.Seen(p.level).Fields[name].Text; !record.SameText([]byte(seen), []byte(text)) { // bases write without accents
				t.Errorf("%s: %s is seen as %q, want %q", p.label, name, seen, text)
			}
		}
	}
}

func TestADemoThatStartsAgainKeepsWhatIsThere(t *testing.T) {
	t.Parallel()

	s := demoCity(t)
	before, err := load.Loads(t.Context(), s.db, 10)
	if err != nil || len(before) != 1 || before[0].Records < 300 {
		t.Fatalf("%+v, %v", before, err)
	}
	ana, err := s.people.ByCPF(t.Context(), s.db, "39053344705")
	if err != nil || ana.DisplayName() != "Ana Ferreira" || ana.Fields["name"].Source == registry.SourceSelf {
		t.Errorf("%+v, %v", ana.Fields, err)
	}
	if err := s.seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := load.Loads(t.Context(), s.db, 10)
	if err != nil || len(after) != 1 {
		t.Errorf("%+v, %v", after, err)
	}
	again, err := s.people.ByCPF(t.Context(), s.db, "39053344705")
	if err != nil || !again.UpdatedAt.Equal(ana.UpdatedAt) {
		t.Errorf("settled twice: %v, %v", again.UpdatedAt, err)
	}
}

func TestTheDemosEmployeesAreInOfficeUntilANewcomerDismissesThem(t *testing.T) {
	t.Parallel()

	s := demoCity(t)
	attendants := 0
	for _, p := range demoPeople() {
		person, err := s.people.ByCPF(t.Context(), s.db, p.cpf)
		if err != nil {
			t.Fatal(err)
		}
		e, err := staff.Require(t.Context(), s.db, person.ID, time.Now(), staff.Roles()...)
		if (err == nil) != (p.post != nil) || err == nil && (e.Department != p.post.Department || !slices.Equal(e.Roles, p.post.Roles)) {
			t.Errorf("%s is %+v, %v", p.label, e, err)
		}
		if e.Has(staff.Attendant, staff.Supervisor) {
			attendants++
		}
	}
	if attendants < 2 {
		t.Errorf("%d people can let a citizen back in", attendants)
	}
	carla, err := s.people.ByCPF(t.Context(), s.db, "16899535009")
	if err == nil {
		err = pg.InTx(t.Context(), s.db, func(tx pg.Tx) error {
			_, err := staff.End(t.Context(), tx, carla.ID, staff.Decision{Actor: "newcomer", Reason: "to see"}, time.Now())
			return err
		})
	}
	if err == nil {
		err = s.seed(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if e, err := staff.Require(t.Context(), s.db, carla.ID, time.Now(), staff.Roles()...); !errors.Is(err, staff.ErrNoStaff) {
		t.Errorf("a demo that starts again has appointed her anew: %+v, %v", e, err)
	}
}
