package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
)

const (
	citizen = "529.982.247-25"
	carla   = "168.995.350-09"
	paulo   = "935.411.347-80"
)

// desk is an operator's environment with a citizen who has an account, an attendant and a supervisor,
// and somebody who is neither.
func desk(t *testing.T) {
	t.Helper()
	operate(t)
	if err := manage(t.Context(), func(s *stack) error {
		for cpf, hash := range map[brdoc.CPF]string{"52998224725": "$argon2id$x", "16899535009": "", "93541134780": "", "11144477735": ""} {
			p, err := s.people.Create(t.Context(), s.db, registry.Person{CPF: cpf}, time.Now())
			if err == nil && hash != "" {
				err = factor.SetPassword(t.Context(), s.db, p.ID, hash, time.Now())
			}
			if err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	done(t, "staff", "appoint", "-cpf", carla, "-department", "Atendimento", "-roles", "attendant", "-reason", "Portaria 1")
	done(t, "staff", "appoint", "-cpf", paulo, "-department", "Atendimento", "-roles", "supervisor", "-reason", "Portaria 1")
}

func TestACitizenAtADeskIsLetBackInByTwoAttendants(t *testing.T) {
	desk(t)
	id, _, _ := strings.Cut(done(t, "desk", "request", "-cpf", citizen, "-attendant", carla, "-reason", "perdeu o celular", "-actor", "balcao3"), " ")
	if list := done(t, "desk", "list"); !strings.Contains(list, id+"  ***.982.247-**  ***.995.350-**") || !strings.Contains(list, `"perdeu o celular"`) {
		t.Errorf("list:\n%s", list)
	}
	for name, args := range map[string][]string{"who asked": {"-approver", carla, id}, "the citizen": {"-approver", citizen, id}} {
		if s := invoke(t, append([]string{"desk", "approve"}, args...)...); s.code != exitFailed || !strings.Contains(s.err, "neither is the citizen") {
			t.Errorf("approved by %s: %+v", name, s)
		}
	}
	out := done(t, "desk", "approve", "-approver", paulo, id)
	if !regexp.MustCompile(`^([0-9A-Z]{4}-){5}[0-9A-Z]{4}\n.*/recuperar/atendimento`).MatchString(out) {
		t.Errorf("approved: %s", out)
	}
	if s := invoke(t, "desk", "approve", "-approver", paulo, id); s.code != exitFailed || !strings.Contains(s.err, "nothing waits") {
		t.Errorf("approved again: %+v", s)
	}
	if list := done(t, "desk", "list"); strings.Contains(list, id) {
		t.Errorf("it waits still:\n%s", list)
	}
	err := manage(t.Context(), func(s *stack) error {
		var events int
		err := s.db.QueryRow(t.Context(), `SELECT count(*) FROM audit_pending WHERE action LIKE 'recovery.desk%' AND detail ->> 'operator' IN ('balcao3', @login)`,
			pg.Args{"login": login()}).Scan(&events)
		if events != 2 {
			t.Errorf("%d of 2 steps are in the audit with the account that took them", events)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestADeskLetsNobodyBackInWhoCannotBe(t *testing.T) {
	desk(t)
	for want, args := range map[string][]string{
		"neither is the citizen":        {"-cpf", citizen, "-attendant", citizen, "-reason", "x"},
		"nobody has an account":         {"-cpf", paulo, "-attendant", carla, "-reason", "x"},
		"the registry knows nobody":     {"-cpf", "390.533.447-05", "-attendant", carla, "-reason", "x"},
		"-attendant: the number":        {"-cpf", citizen, "-attendant", "1", "-reason", "x"},
		"longer than 500":               {"-cpf", citizen, "-attendant", carla, "-reason", strings.Repeat("x", 501)},
		"-attendant: the registry know": {"-cpf", citizen, "-attendant", "390.533.447-05", "-reason", "x"},
		"-attendant: is no attendant":   {"-cpf", citizen, "-attendant", "111.444.777-35", "-reason", "x"},
	} {
		if s := invoke(t, append([]string{"desk", "request"}, args...)...); s.code != exitFailed || !strings.Contains(s.err, want) {
			t.Errorf("%v: %+v, want %q", args, s, want)
		}
	}
	for _, args := range [][]string{{"request", "-cpf", citizen}, {"approve", "-approver", paulo, "x"}, {"approve", "6a1b2c3d-0000-7000-8000-000000000000"}, {"list", "x"}} {
		if s := invoke(t, append([]string{"desk"}, args...)...); s.code != exitUsage {
			t.Errorf("%v: %+v", args, s)
		}
	}
}
