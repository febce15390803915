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
		r.keep(result{Name: name, Workers: 8, CPUServer: 1, CPUPostgres: float64(i)}, 0)
	}
	got := r.floorCPU(composition{rotate: 1, sign: 1, static: -1}, 0, 8)
	if want := float64(1+rotate) + (1 + sign) - 1; math.Abs(got-want) > 1e-9 {
		t.Fatalf("got %g, want %g", got, want)
	}
}

func TestCheapestRoundCounts(t *testing.T) {
	t.Parallel()

	r := &report{}
	for _, cpu := range []float64{3, 2, 4} {
		r.keep(result{Name: "refresh rotation", Workers: 8, CPUServer: cpu}, 0)
	}
	r.keep(result{Name: "refresh rotation", Workers: 8, CPUServer: 1}, 1000) // another database
	if one, ok := r.find("refresh rotation", 0, 8); !ok || one.cpu() != 2 || len(r.results) != 2 {
		t.Fatal(r.results)
	}
}

func TestTargetAboveTheFloorIsNotReached(t *testing.T) {
	t.Parallel()

	r := &report{}
	for _, name := range floorNames {
		r.keep(result{Name: name, Workers: judged, CPUServer: 1}, 0)
	}
	for _, c := range []struct {
		cpu     float64
		reached bool
	}{{1.4, false}, {1.2, true}} { // userinfo: 1.3 times one SELECT
		r.keep(result{Name: "userinfo", Workers: judged, CPUServer: c.cpu}, 0)
		if r.reached() != c.reached {
			t.Errorf("%g: reached %v", c.cpu, r.reached())
		}
	}
}

func TestALoginIsJudgedWithoutItsHash(t *testing.T) {
	t.Parallel()

	r := &report{}
	for _, name := range floorNames {
		r.keep(result{Name: name, Workers: judged, CPUServer: 1}, 0)
	}
	r.keep(result{Name: "handler+light hash", Workers: judged, CPUServer: 0.5}, 0) // the cheaper round counts
	r.keep(result{Name: "handler", Workers: judged, CPUServer: 0.25}, 0)
	r.keep(result{Name: "login, net of hash", Workers: judged, CPUServer: 12}, 0)
	if l := r.lines(0, judged)[0]; l.Hash != 0.25 || l.net() != 11.75 || l.Floor != 6.75 || l.Ratio != 11.75/6.75 {
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
