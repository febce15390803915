package match

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestJaroWinklerGivesThePublishedValues(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		a, b string
		want float64
	}{ // Winkler 1990, 1994
		{"MARTHA", "MARHTA", 0.961}, {"DWAYNE", "DUANE", 0.840}, {"DIXON", "DICKSONX", 0.813}, {"JONES", "JOHNSON", 0.832},
		{"ABROMS", "ABRAMS", 0.922}, {"", "ANA", 0}, {"ANA", "ANA", 1}, {"ABC", "XYZ", 0},
	} {
		if got := jaroWinkler(c.a, c.b); math.Abs(got-c.want) > 0.0006 {
			t.Errorf("%s, %s: %.4f, want %.3f", c.a, c.b, got, c.want)
		}
	}
}

func TestBoundsAreNeverBelowWhatTheyBound(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(1, 1))
	random := func() string {
		b := make([]byte, 1+r.IntN(9))
		for i := range b {
			b[i] = "ABCDE "[r.IntN(6)]
		}
		return Fold(string(b))
	}
	for range 200_000 {
		a, b := random()+"A", random()+"B"
		for _, at := range []float64{similarFrom, closeFrom} {
			if jaroWinkler(a, b) >= at && !canReach(a, b, letters(a), letters(b), at) {
				t.Fatalf("%q and %q reach %g, the bound says no", a, b, at)
			}
		}
		if min(len(a), len(b)) > 3 && oneSlip(a, b) && !canReach(a, b, letters(a), letters(b), similarFrom-slipSlack) {
			t.Fatalf("%q and %q are one slip apart, the bound says no", a, b)
		}
		x, y := textOf(a), textOf(b)
		if d := dice(&x, &y, 0); d >= gramsFrom && dice(&x, &y, gramsFrom) != d {
			t.Fatalf("%q and %q share %g of their trigrams, the bound says less", a, b, d)
		}
	}
}

func TestDatesAgree(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		a, b string
		want Agreement
	}{
		{"1985-03-20", "20/03/1985", Exact}, {"19850320", "1985-03-20T00:00:00Z", Exact}, {"5/3/1985", "1985-03-05", Exact},
		{"20.03.85", "1985-03-20", Exact}, {"1985-03-05", "1985-05-03", Swapped}, {"1985-03-20", "1986-03-20", Close},
		{"1985-03-20", "1958-03-20", Close}, {"1985-03-20", "1985-03-11", Partial}, {"1985-03-20", "1969-03-20", Partial},
		{"1985-03-20", "1971-11-02", Different}, {"", "1985-03-20", Missing}, {"1900-01-01", "1985-03-20", Missing},
		{"0000-00-00", "1985-03-20", Missing}, {"not known", "1985-03-20", Missing}, {"1985", "1985-03-20", Different},
	} {
		if got := compareDates(dateDigits(c.a), dateDigits(c.b)); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

func TestOnlyIssuedCPFsAreValid(t *testing.T) {
	t.Parallel()

	for cpf, want := range map[string]bool{"52998224725": true, "11144477735": true, "52998224724": false, "52998224735": false,
		"11111111111": false, "00000000000": false, "5299822472": false, "": false} {
		if validCPF(cpf) != want {
			t.Errorf("%s valid: %t, want %t", cpf, !want, want)
		}
	}
}
