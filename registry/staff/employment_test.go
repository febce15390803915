package staff_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/staff"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestAnAppointmentHoldsFromItsFirstInstantUntilItIsOver(t *testing.T) {
	t.Parallel()

	day := 24 * time.Hour
	post := func(from, until, ended time.Duration) staff.Employment {
		e := staff.Employment{Department: "Saúde", Roles: []staff.Role{staff.Attendant}, From: noon.Add(from)}
		if until != 0 {
			e.Until = noon.Add(until)
		}
		if ended != 0 {
			e.EndedAt = noon.Add(ended)
		}
		return e
	}
	for name, c := range map[string]struct {
		all   []staff.Employment
		live  bool
		until time.Duration // 0: never
	}{
		"nothing":                          {nil, false, 0},
		"without end":                      {[]staff.Employment{post(-day, 0, 0)}, true, 0},
		"with a planned end":               {[]staff.Employment{post(-day, day, 0)}, true, day},
		"this instant":                     {[]staff.Employment{post(0, day, 0)}, true, day},
		"over this instant":                {[]staff.Employment{{From: noon.Add(-day), Until: noon}}, false, 0},
		"ended":                            {[]staff.Employment{post(-2*day, day, -day)}, false, 0},
		"ended after its planned end":      {[]staff.Employment{post(-3*day, -2*day, -day)}, false, 0},
		"starts tomorrow":                  {[]staff.Employment{post(day, 3*day, 0)}, false, day},
		"ended before it starts":           {[]staff.Employment{post(day, 3*day, -day)}, false, 0},
		"one after the other":              {[]staff.Employment{post(-2*day, 0, -day), post(-day, 2*day, 0)}, true, 2 * day},
		"the next one":                     {[]staff.Employment{post(-day, 2*day, 0), post(2*day, 0, 0)}, true, 2 * day},
		"the next one, after a pause":      {[]staff.Employment{post(-day, day, 0), post(2*day, 0, 0)}, true, day},
		"the next one, and nothing now":    {[]staff.Employment{post(-2*day, -day, 0), post(2*day, 0, 0)}, false, 2 * day},
		"of two to come the one before":    {[]staff.Employment{post(3*day, 0, 0), post(day, 2*day, 0)}, false, day},
		"one to come that was called off ": {[]staff.Employment{post(-day, 0, 0), post(day, 0, -time.Hour)}, true, 0},
	} {
		a := staff.Assess(c.all, noon)
		until := time.Duration(0)
		if !a.Until.IsZero() {
			until = a.Until.Sub(noon)
		}
		if a.Live != c.live || until != c.until || a.Live && !a.Now.LiveAt(noon) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// What is said of an instant stands until the instant that is said with it.
func TestAnAssessmentStandsUntilItSays(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		var all []staff.Employment
		at := noon.AddDate(0, 0, -r.IntN(50))
		for range r.IntN(5) { // one after the other, as the table wants them
			e := staff.Employment{From: at.AddDate(0, 0, r.IntN(20))}
			at = e.From.AddDate(0, 0, 1+r.IntN(30))
			if e.Until = at; r.IntN(3) == 0 {
				e.EndedAt = e.From.AddDate(0, 0, r.IntN(40)-20)
			}
			all = append(all, e)
		}
		a := staff.Assess(all, noon)
		if !a.Until.IsZero() && !a.Until.After(noon) {
			t.Fatalf("%+v has changed before it was said", a)
		}
		for day := range 200 {
			later := noon.AddDate(0, 0, day)
			b := staff.Assess(all, later)
			same := b.Live == a.Live && b.Now.From.Equal(a.Now.From)
			switch stands := a.Until.IsZero() || later.Before(a.Until); {
			case stands && !same:
				t.Fatalf("%+v at noon, %+v on %v: %+v", a, b, later, all)
			case !stands && later.Equal(a.Until) && same:
				t.Fatalf("nothing changes at %v: %+v", later, all)
			}
		}
	}
}

func TestWhatSpeaksForTheCity(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		level, cap int
		amr        []string
		want       bool
	}{
		"password and app":                    {4, 4, []string{"pwd", "otp", "mfa"}, true},
		"passkey":                             {5, 4, []string{"hwk", "user", "mfa"}, true},
		"certificate":                         {5, 5, []string{"x509"}, true},
		"gov.br that asked for two":           {4, 4, []string{"govbr", "mfa"}, true},
		"gov.br gold alone":                   {4, 4, []string{"govbr", "gold"}, false},
		"password":                            {4, 3, []string{"pwd"}, false},
		"password in a city that trusts it":   {4, 4, []string{"pwd"}, false},
		"a person of level 3":                 {3, 4, []string{"pwd", "otp", "mfa"}, false},
		"a session that a recovery opened":    {4, 1, []string{"pwd", "otp", "mfa", "recovered"}, false},
		"that, where the city forgot its row": {4, 4, []string{"pwd", "otp", "mfa", "recovered"}, false},
	} {
		if got := staff.Speaks(c.level, c.cap, c.amr); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
