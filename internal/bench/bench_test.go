package main

import (
	"math"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
)

func TestInventedCPFsAreValidAndDistinct(t *testing.T) {
	t.Parallel()

	seen := map[brdoc.CPF]bool{}
	for _, k := range []kind{ordinary, light} {
		for n := range maxWorkers {
			cpf, err := brdoc.ParseCPF(cpfOf(k, n).Digits())
			if err != nil || seen[cpf] {
				t.Fatalf("kind %d, %d: %v, seen %v", k, n, err, seen[cpf])
			}
			seen[cpf] = true
		}
	}
}

func TestFloorIsTheSumOfItsParts(t *testing.T) {
	t.Parallel()

	r := &report{}
	for i, name := range floorNames {
		r.keep(result{Name: name, Workers: 8, CPUServer: 1, CPUPostgres: float64(i)}, 0, 1)
	}
	got := r.floorCPU(1, composition{rotate: 1, sign: 1, static: -1}, 0, 8)
	if want := float64(1+rotate) + (1 + sign) - 1; math.Abs(got-want) > 1e-9 {
		t.Fatalf("got %g, want %g", got, want)
	}
}

func TestCheapestRoundCounts(t *testing.T) {
	t.Parallel()

	r := &report{}
	for i, cpu := range []float64{3, 2, 4} {
		r.keep(result{Name: "refresh rotation", Workers: 8, CPUServer: cpu}, 0, i+1)
	}
	r.keep(result{Name: "refresh rotation", Workers: 8, CPUServer: 1}, 1000, 1) // another database
	if one, ok := r.find("refresh rotation", 0, 8); !ok || one.cpu() != 2 {
		t.Fatal(r.results)
	}
}

func TestTargetAboveTheFloorIsNotReached(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		cpu     float64
		reached bool
	}{{1.4, false}, {1.2, true}} { // userinfo: 1.3 times one SELECT
		r := &report{Options: options{rounds: 1}}
		for _, name := range floorNames {
			r.keep(result{Name: name, Workers: judged, CPUServer: 1}, 0, 1)
		}
		r.keep(result{Name: "userinfo", Workers: judged, CPUServer: c.cpu}, 0, 1)
		if r.reached() != c.reached {
			t.Errorf("%g: reached %v", c.cpu, r.reached())
		}
	}
}

func TestALoginIsJudgedWithoutItsHash(t *testing.T) {
	t.Parallel()

	r := &report{Options: options{rounds: 1}}
	for i, name := range floorNames {
		r.keep(result{Name: name, Workers: judged, CPUServer: map[int]float64{static: 0.25, cheapHash: 0.5}[i] + 1}, 0, 1)
	}
	r.keep(result{Name: "login, net of hash", Workers: judged, CPUServer: 12}, 0, 1)
	if l := r.lines(0, judged)[0]; l.Hash != 0.25 || l.net() != 11.75 || l.Floor != 5.75 || l.Ratio != 11.75/5.75 {
		t.Fatalf("%+v", l)
	}
}

func TestTheRatioIsTheMedianOfTheRounds(t *testing.T) {
	t.Parallel()

	r := &report{Options: options{rounds: 3}}
	for i, c := range []struct{ floor, cpu float64 }{{1, 1.2}, {2, 2.2}, {1.5, 3}} { // × 1.2, 1.1, 2
		r.keep(result{Name: "handler+select", Workers: judged, CPUServer: c.floor}, 0, i+1)
		r.keep(result{Name: "userinfo", Workers: judged, CPUServer: c.cpu}, 0, i+1)
	}
	if l := r.lines(0, judged)[0]; l.Ratio != 1.2 || l.cpu() != 1.2 || l.Floor != 1 {
		t.Fatalf("%+v", l)
	}
}

func TestWrongUsageIsRefused(t *testing.T) {
	t.Parallel()

	for _, args := range [][]string{{"-workers", "0"}, {"-workers", "8,x"}, {"-workers", "65"}, {"-rounds", "0"}, {"-time", "0s"}, {"more"}} {
		if _, err := parseFlags(args); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
	o, err := parseFlags([]string{"-quick", "-strict"})
	if err != nil || !o.strict || o.rows != 0 || o.rounds != 1 || o.time != time.Second {
		t.Fatal(o, err)
	}
}
