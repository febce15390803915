package trust_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry/trust"
)

var leapDay = time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)

func TestEachKindOfEvidenceEndsAsTheCitySays(t *testing.T) {
	t.Parallel()

	certificate := time.Date(2029, 5, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		table string
		kind  trust.Kind
		own   time.Time
		want  time.Time
	}{
		"a word has no end":                {"", trust.SelfDeclared, time.Time{}, time.Time{}},
		"a match has no end":               {"", trust.RegistryMatch, time.Time{}, time.Time{}},
		"gov.br, twelve months":            {"", trust.GovBR, time.Time{}, time.Date(2029, 3, 1, 12, 0, 0, 0, time.UTC)},
		"biometrics, ten years":            {"", trust.BiometricEnrollment, time.Time{}, time.Date(2038, 3, 1, 12, 0, 0, 0, time.UTC)},
		"a certificate, its own end":       {"", trust.ICPCertificate, certificate, certificate},
		"a city that asks every ninety":    {"govbr=90d", trust.GovBR, time.Time{}, leapDay.AddDate(0, 0, 90)},
		"a match that must be made again":  {"registry_match=5y", trust.RegistryMatch, time.Time{}, leapDay.AddDate(5, 0, 0)},
		"an end of its own that is sooner": {"", trust.GovBR, leapDay.AddDate(0, 1, 0), leapDay.AddDate(0, 1, 0)},
		"and one that is later":            {"icp_certificate=30d", trust.ICPCertificate, certificate, leapDay.AddDate(0, 0, 30)},
		"another kind keeps its default":   {"registry_match=5y", trust.GovBR, time.Time{}, leapDay.AddDate(0, 12, 0)},
	} {
		l, err := trust.ParseLifetimes(c.table)
		if err != nil {
			t.Fatal(err)
		}
		end, err := l.End(trust.Evidence{Kind: c.kind, VerifiedAt: leapDay, ExpiresAt: c.own})
		if err != nil || !end.Equal(c.want) {
			t.Errorf("%s: %v %v, want %v", name, end, err, c.want)
		}
	}
}

func TestLifetimesThatAreNoneAreAllNamed(t *testing.T) {
	t.Parallel()

	for _, s := range []string{"govbr", "govbr=", "govbr=12", "govbr=0m", "govbr=-1m", "govbr=+1m", "govbr=1w", "govbr=1001y", "m=12m",
		"govbr=12m,govbr=6m", "govbr=12m,", "rumour=never"} {
		if _, err := trust.ParseLifetimes(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
	_, err := trust.ParseLifetimes("govbr=soon,rumour=1d")
	if err == nil || !strings.Contains(err.Error(), `govbr="soon"`) || !strings.Contains(err.Error(), `"rumour"`) {
		t.Errorf("%v", err)
	}
}

// Rows carry the end, and nothing of a certificate is written that nobody can see end.
func TestEvidenceIsWrittenWithItsEnd(t *testing.T) {
	t.Parallel()

	db, ctx, person := testpg.New(t), t.Context(), pg.NewID()
	var l trust.Lifetimes
	for _, kind := range []trust.Kind{trust.SelfDeclared, trust.GovBR} {
		if err := l.Record(ctx, db, person, trust.Evidence{Kind: kind, VerifiedAt: leapDay}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Record(ctx, db, person, trust.Evidence{Kind: trust.ICPCertificate, VerifiedAt: leapDay}); !errors.Is(err, trust.ErrNoEnd) {
		t.Errorf("a certificate without an end: %v", err)
	}
	all, err := trust.Of(ctx, db, person)
	if err != nil || len(all) != 2 || !all[0].ExpiresAt.IsZero() || !all[1].ExpiresAt.Equal(leapDay.AddDate(0, 12, 0)) {
		t.Errorf("%+v %v", all, err)
	}
	if before, after := trust.Level(all, leapDay.AddDate(0, 12, -1)), trust.Level(all, leapDay.AddDate(0, 12, 0)); before != 2 || after != 1 {
		t.Errorf("level %d, and %d a day later", before, after)
	}
}
