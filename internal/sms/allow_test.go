package sms

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/phone"
)

const few = "number=3/h,number=4/d,range=6/h,range=9/d,address=8/h,address=20/d,country=10/h,country=12/d,country.BR=14/h,country.BR=30/d"

func newGate(t *testing.T, limits string) *house {
	t.Helper()
	h := newHouse(t, nil)
	var err error
	if h.Limits, err = ParseLimits(limits); err != nil {
		t.Fatal(err)
	}
	return h
}

// brazil is one of many numbers: apart from each other, or ten in one range.
func brazil(n int) phone.Number { return phone.Number(fmt.Sprintf("+551191%07d", n*1000)) }
func inRange(n int) phone.Number {
	return phone.Number(fmt.Sprintf("+5511987654%03d", n))
}
func argentina(n int) phone.Number { return phone.Number(fmt.Sprintf("+54911%08d", 23450000+n*1000)) }

func from(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }

func (h *house) allowed(ask Ask) bool {
	h.t.Helper()
	err := h.Allow(h.t.Context(), h.DB, ask)
	if err != nil && !errors.Is(err, ErrTooMany) {
		h.t.Fatal(err)
	}
	return err == nil
}

func TestEachCapHolds(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		hour, day int
		ask       func(n int) Ask
		other     Ask
	}{
		"one number":     {3, 4, func(n int) Ask { return Ask{maria, from(n)} }, Ask{brazil(1), from(99)}},
		"one range":      {6, 9, func(n int) Ask { return Ask{inRange(n), from(n)} }, Ask{brazil(1), from(99)}},
		"one address":    {8, 20, func(n int) Ask { return Ask{brazil(n), from(1)} }, Ask{brazil(99), from(2)}},
		"one household":  {8, 20, func(n int) Ask { return Ask{brazil(n), netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n+1))} }, Ask{brazil(99), netip.MustParseAddr("2001:db8:0:1::1")}},
		"one country":    {10, 12, func(n int) Ask { return Ask{argentina(n), from(n)} }, Ask{brazil(99), from(99)}},
		"the country":    {14, 30, func(n int) Ask { return Ask{brazil(n), from(n)} }, Ask{argentina(99), from(99)}},
		"decoys of one":  {8, 20, func(int) Ask { return Ask{"", from(1)} }, Ask{"", from(2)}},
		"an old address": {8, 20, func(n int) Ask { return Ask{brazil(n), netip.MustParseAddr("::ffff:10.0.0.1")} }, Ask{brazil(99), from(2)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, n, passed := newGate(t, few), 0, 0
			for hour := 0; passed < c.day; hour++ {
				before := passed
				for h.allowed(c.ask(n)) {
					n, passed = n+1, passed+1
				}
				if got, want := passed-before, min(c.hour, c.day-before); got != want || hour > 3 {
					t.Fatalf("hour %d lets %d pass, want %d", hour, got, want)
				}
				n++
				if !h.allowed(c.other) {
					t.Error("somebody else is held up")
				}
				h.clock.Advance(time.Hour)
			}
			if h.allowed(c.ask(n)) {
				t.Error("the day's cap lets one more pass")
			}
			h.clock.Advance(24 * time.Hour)
			if !h.allowed(c.ask(n + 1)) {
				t.Error("not on the next day either")
			}
		})
	}
}

func TestRefusedAsksUseUpNobodysRoom(t *testing.T) {
	t.Parallel()

	h := newGate(t, few)
	for n := range 100 {
		if h.allowed(Ask{maria, from(n)}) != (n < 3) {
			t.Errorf("ask %d for one number", n)
		}
	}
	for n := range 11 { // 14 an hour for the country
		if !h.allowed(Ask{brazil(n), from(200 + n)}) {
			t.Errorf("the country is used up after %d", n)
		}
	}
}

func TestAsksAtOnceCannotSlipUnderACapTogether(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		ask  func(n int) Ask
		most int
	}{
		"one number":  {func(n int) Ask { return Ask{maria, from(n)} }, 3},
		"one address": {func(n int) Ask { return Ask{brazil(n), from(1)} }, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newGate(t, few)
			var wg sync.WaitGroup
			passed := make([]bool, 60)
			for n := range passed {
				wg.Go(func() {
					err := h.Allow(t.Context(), h.DB, c.ask(n))
					if err != nil && !errors.Is(err, ErrTooMany) {
						t.Error(err)
					}
					passed[n] = err == nil
				})
			}
			wg.Wait()
			total := 0
			for _, ok := range passed {
				if ok {
					total++
				}
			}
			if total != c.most {
				t.Errorf("%d of 60 at once pass, the cap is %d", total, c.most)
			}
		})
	}
}

func TestOnlyTheCitysCountriesGetTexts(t *testing.T) {
	t.Parallel()

	h := newGate(t, "")
	if err := h.Allow(t.Context(), h.DB, Ask{"+12125552368", from(1)}); !errors.Is(err, ErrCountry) {
		t.Errorf("the United States: %v", err)
	}
	if got := testutil.ToFloat64(h.Metrics.askedTotal.WithLabelValues("US", "not_served")); got != 1 {
		t.Errorf("counted %v times", got)
	}
}

func TestWhoMustWaitIsToldHowLong(t *testing.T) {
	t.Parallel()

	h := newGate(t, "number=1/h")
	h.clock.Advance(25 * time.Minute)
	h.allowed(Ask{maria, from(1)})
	err := h.Allow(t.Context(), h.DB, Ask{maria, from(1)})
	if fail.ArgsOf(err)["minutes"] != 36 || fail.KindOf(err) != fail.Throttled {
		t.Errorf("%v %v", err, fail.ArgsOf(err))
	}
	for outcome, want := range map[string]float64{"allowed": 1, "number": 1} {
		if got := testutil.ToFloat64(h.Metrics.askedTotal.WithLabelValues("BR", outcome)); got != want {
			t.Errorf("%s is counted %v times", outcome, got)
		}
	}
}

func TestCountsNameNobodyAndLeave(t *testing.T) {
	t.Parallel()

	h := newGate(t, "")
	h.allowed(Ask{maria, from(1)})
	h.clock.Advance(25 * time.Hour)
	h.allowed(Ask{brazil(1), from(1)})
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := h.DB.QueryRow(t.Context(), `SELECT count(*) FROM sms_count WHERE octet_length(bucket) = 32`).Scan(&rows); err != nil || rows != 8 {
		t.Errorf("%d rows, %v; want the second ask's", rows, err)
	}
}

func TestLimitsAreReadOverTheDefaults(t *testing.T) {
	t.Parallel()

	all, err := ParseLimits("number=2/h, country.BR=7/d ,country.AR=0/h")
	if err != nil {
		t.Fatal(err)
	}
	most := func(country, what string, w time.Duration) int {
		for _, l := range all.of(country) {
			if l.What == what && l.Window == w {
				return l.Most
			}
		}
		return -1
	}
	for _, c := range []struct {
		country, what string
		window        time.Duration
		want          int
	}{{"BR", "number", time.Hour, 2}, {"BR", "number", 24 * time.Hour, 10}, {"BR", "country", time.Hour, 3000}, {"BR", "country", 24 * time.Hour, 7},
		{"AR", "country", time.Hour, 0}, {"AR", "country", 24 * time.Hour, 500}, {"UY", "country", time.Hour, 100}} {
		if got := most(c.country, c.what, c.window); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	for country, want := range map[string]int{"BR": 8, "UY": 8, "": 8} {
		if got := len(all.of(country)); got != want {
			t.Errorf("%q has %d limits", country, got)
		}
	}
	_, err = ParseLimits("number=2,number.BR=3/h,houses=3/h,number=-1/h,")
	if err == nil || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("five wrong parts: %v", err)
	}
	h := newGate(t, "country.AR=0/h")
	if h.allowed(Ask{argentina(1), from(1)}) || !h.allowed(Ask{brazil(1), from(1)}) {
		t.Error("a cap of nothing")
	}
}
