package main

import (
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
)

// office is an operator's environment with three people.
func office(t *testing.T) {
	t.Helper()
	operate(t)
	if err := manage(t.Context(), func(s *stack) error {
		for cpf, name := range map[brdoc.CPF]string{"16899535009": "Carla Mendes", "93541134780": "Paulo Rocha", "39053344705": "Ana Ferreira"} {
			fields := registry.Fields{"name": {Text: name, Source: registry.SourceSelf, At: time.Now()}}
			if _, err := s.people.Create(t.Context(), s.db, registry.Person{CPF: cpf, Fields: fields}, time.Now()); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAnEmployeeIsAppointedChangedShownAndEndedByCommand(t *testing.T) {
	office(t)
	const ana = "390.533.447-05"
	if out := done(t, "staff", "appoint", "-cpf", carla, "-department", "Saúde", "-roles", "supervisor, attendant", "-from", "2026-01-01",
		"-until", "2099-12-31", "-reason", "Portaria 1", "-actor", "rh1"); out != "appointed: attendant,supervisor of Saúde, from 2026-01-01 00:00 until 2100-01-01 00:00\n" {
		t.Errorf("%s", out)
	}
	if out := done(t, "staff", "appoint", "-cpf", carla, "-department", "Fazenda", "-roles", "attendant", "-reason", "Portaria 2"); !strings.HasPrefix(out, "changed: attendant of Fazenda, from ") {
		t.Errorf("%s", out)
	}
	done(t, "staff", "appoint", "-cpf", paulo, "-department", "TI", "-roles", "operator", "-reason", "Portaria 3")
	if s := invoke(t, "staff", "appoint", "-cpf", ana, "-department", "CGM", "-roles", "auditor", "-reason", "Portaria 4"); s.code != exitFailed || !strings.Contains(s.err, "-seconded") {
		t.Errorf("%+v", s)
	}
	done(t, "staff", "appoint", "-cpf", ana, "-department", "CGM", "-roles", "auditor", "-reason", "Portaria 4", "-seconded", paulo, "-from", "2099-01-01T00:00:00-03:00")
	list := done(t, "staff", "list", "-reason", "conferência mensal")
	for _, want := range []string{"***.995.350-**", "Carla Mendes", "Fazenda", "Paulo Rocha", "from 2099-01-01 00:00", "Portaria 4"} {
		if !strings.Contains(list, want) {
			t.Errorf("no %s in\n%s", want, list)
		}
	}
	if strings.Contains(list, "Saúde") {
		t.Errorf("what is over is listed:\n%s", list)
	}
	if out := done(t, "staff", "end", "-cpf", carla, "-reason", "a pedido", "-actor", "rh2"); out != "ended: attendant of Fazenda\n" {
		t.Errorf("%s", out)
	}
	if s := invoke(t, "staff", "end", "-cpf", carla, "-reason", "a pedido"); s.code != exitFailed || !strings.Contains(s.err, "nothing to end") {
		t.Errorf("%+v", s)
	}
	if show := done(t, "staff", "show", "-cpf", carla, "-reason", "conferência"); !strings.Contains(show, "Saúde") || !strings.Contains(show, `by rh1: "Portaria 1"`) || !strings.Contains(show, `by rh2: "a pedido"`) {
		t.Errorf("%s", show)
	}
	err := manage(t.Context(), func(s *stack) error {
		var got string
		err := s.db.QueryRow(t.Context(), `SELECT string_agg(action || ' ' || coalesce(purpose, ''), '; ' ORDER BY at, id) FROM audit_pending WHERE action LIKE 'staff.%'`, pg.Args{}).Scan(&got)
		want := "staff.appoint Portaria 1; staff.change Portaria 2; staff.appoint Portaria 3; staff.appoint Portaria 4; staff.read conferência mensal; staff.end a pedido; staff.read conferência"
		if got != want {
			t.Errorf("audit:\n%s\nwant\n%s", got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoAppointmentIsRefusedInWords(t *testing.T) {
	office(t)
	all := func(change map[string]string) []string {
		given := map[string]string{"cpf": carla, "department": "Saúde", "roles": "attendant", "reason": "Portaria 1"}
		for name, value := range change {
			given[name] = value
		}
		args := []string{"staff", "appoint"}
		for name, value := range given {
			args = append(args, "-"+name, value)
		}
		return args
	}
	for want, change := range map[string]map[string]string{
		"-cpf: the number is false":            {"cpf": "1"},
		"-cpf: the registry knows nobody":      {"cpf": "111.444.777-35"},
		"-seconded: the registry knows nobody": {"seconded": "111.444.777-35"},
		"-department: 1 to 120":                {"department": strings.Repeat("x", 121)},
		"-roles: one or more":                  {"roles": "mayor"},
		"-reason: is missing":                  {"reason": strings.Repeat("x", 501)},
		"-from: \"amanhã\" is no day":          {"from": "amanhã"},
		"-until: an appointment ends after":    {"until": "2020-01-01"},
		"with the word of another one":         {"roles": "operator", "seconded": carla},
	} {
		if s := invoke(t, all(change)...); s.code != exitFailed || !strings.Contains(s.err, want) {
			t.Errorf("%v: %+v", change, s)
		}
	}
	for _, args := range [][]string{all(map[string]string{"reason": " "}), {"staff", "end", "-cpf", carla}, {"staff", "list"}, {"staff", "show", "-reason", "x"}, {"staff", "list", "x"}} {
		if s := invoke(t, args...); s.code != exitUsage {
			t.Errorf("%v: %+v", args, s)
		}
	}
	if err := manage(t.Context(), func(s *stack) error {
		all, err := staff.All(t.Context(), s.db, time.Now())
		if len(all) != 0 {
			t.Errorf("something was kept: %+v", all)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
