package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/staff"
	"github.com/loginunico/loginunico/registry/trust"
)

const demoPassword = "Vila-Esperanca-2026"

// demoPerson is one invented inhabitant.
type demoPerson struct {
	cpf    brdoc.CPF
	label  string
	level  int
	fields map[string]string
	post   *staff.Appointment // nil: no employee of the city
}

func demoPeople() []demoPerson {
	const desk = "Secretaria Municipal de Atendimento ao Cidadão"
	return []demoPerson{
		{cpf: "52998224725", label: "Maria Aparecida da Silva", level: 3, fields: map[string]string{"name": "Maria Aparecida da Silva", "birthdate": "1958-05-14",
			"gender": "female", "email": "maria@example.org", "phone_number": "+5541987654321", "mother_name": "Aparecida da Silva",
			"address": "Rua das Acácias, 120, Centro, Vila Esperança, 80010-000", "cns": "898001160656771"}},
		{cpf: "11144477735", label: "João Batista Souza", level: 1, fields: map[string]string{"name": "João Batista Souza", "email": "joao@example.org"}},
		{cpf: "39053344705", label: "Ana Lúcia Ferreira, social name Ana Ferreira", level: 4, fields: map[string]string{"name": "Ana Lúcia Ferreira",
			"social_name": "Ana Ferreira", "birthdate": "1990-09-02", "gender": "female", "email": "ana@example.org",
			"phone_number": "+5541991234567", "mother_name": "Lúcia Ferreira", "address": "Avenida Brasil, 900, Vila Nova, Vila Esperança, 80020-100"}},
		{cpf: "16899535009", label: "Carla Mendes, attendant", level: 4, post: postOf(desk, staff.Attendant),
			fields: map[string]string{"name": "Carla Mendes", "birthdate": "1985-03-21", "email": "carla@example.org"}},
		{cpf: "71460238508", label: "Luciano Barbosa, attendant and supervisor", level: 4, post: postOf(desk, staff.Attendant, staff.Supervisor),
			fields: map[string]string{"name": "Luciano Barbosa", "birthdate": "1982-07-08", "email": "luciano@example.org"}},
		{cpf: "93541134780", label: "Paulo Rocha, operator", level: 4, post: postOf("Secretaria Municipal de Tecnologia", staff.Operator),
			fields: map[string]string{"name": "Paulo Rocha", "birthdate": "1979-11-30", "email": "paulo@example.org"}},
		{cpf: "28630517417", label: "Helena Martins, auditor", level: 4, post: postOf("Controladoria-Geral do Município", staff.Auditor),
			fields: map[string]string{"name": "Helena Martins", "birthdate": "1976-02-25", "email": "helena@example.org"}},
	}
}

func postOf(department string, roles ...staff.Role) *staff.Appointment {
	return &staff.Appointment{Department: department, Roles: roles}
}

// seed makes the demo city's services and people. What is there already stays as it is, so that
// what a newcomer changed survives a restart.
func (s *stack) seed(ctx context.Context) error {
	services := demo.Services()
	for _, id := range demo.IDs() {
		if _, err := s.clients.Apply(ctx, s.atHome(services[id]), "demo-"+id); err != nil {
			return fmt.Errorf("demo service %s: %w", id, err)
		}
	}
	if err := s.seedBases(ctx); err != nil {
		return fmt.Errorf("demo bases: %w", err)
	}
	if err := s.seedPeople(ctx); err != nil {
		return err
	}
	return s.seedStaff(ctx)
}

// demoLoad is what the load of the demo's bases is called.
const demoLoad = "Vila Esperança"

// seedBases loads the city's source bases, once: what a newcomer corrects in them stays.
func (s *stack) seedBases(ctx context.Context) error {
	if done, err := load.Loaded(ctx, s.db, demoLoad); done || err != nil {
		return err
	}
	job := load.Job{Name: demoLoad, AsOf: time.Now().UTC().Truncate(24 * time.Hour), TempDir: s.cfg.DataDir, Workers: 2, Now: time.Now}
	for _, name := range demo.Sources() {
		m, err := load.ParseMapping(name+".yaml", demo.Mapping(name))
		if err != nil {
			return err
		}
		in, err := load.Open("-", bytes.NewReader(demo.Records(name)))
		if err != nil {
			return err
		}
		job.Sources = append(job.Sources, load.Source{Mapping: m, Input: in})
	}
	_, err := s.loadRecords(ctx, job)
	return err
}

// seedPeople opens the accounts of those who have none.
func (s *stack) seedPeople(ctx context.Context) error {
	var hash string
	for _, p := range demoPeople() {
		_, settled, err := factor.Find(ctx, s.db, s.box, p.cpf, time.Now())
		if err != nil {
			return err
		}
		if settled {
			continue
		}
		if hash == "" {
			if hash, err = factor.NewHasher(1).Hash(ctx, demoPassword); err != nil {
				return err
			}
		}
		if err := s.settle(ctx, p, hash, time.Now()); err != nil {
			return fmt.Errorf("demo person %s: %w", p.label, err)
		}
	}
	return nil
}

// seedStaff appoints who works for the city, and who never did in the demo before: whom a newcomer has
// dismissed stays so. The operator comes first and agrees to the auditor.
func (s *stack) seedStaff(ctx context.Context) error {
	var operator registry.PersonID
	for _, p := range demoPeople() {
		if p.post == nil {
			continue
		}
		err := pg.InTx(ctx, s.db, func(tx pg.Tx) error {
			person, err := s.people.ByCPF(ctx, tx, p.cpf)
			if err != nil {
				return err
			}
			if slices.Contains(p.post.Roles, staff.Operator) {
				operator = person.ID
			}
			if before, err := staff.Of(ctx, tx, person.ID); err != nil || len(before) > 0 {
				return err
			}
			a := *p.post
			a.Person = person.ID
			if slices.Contains(a.Roles, staff.Auditor) {
				a.Seconded = operator
			}
			_, err = staff.Appoint(ctx, tx, a, staff.Decision{Actor: "demo", Reason: "Vila Esperança"}, time.Now())
			return err
		})
		if err != nil {
			return fmt.Errorf("demo employee %s: %w", p.label, err)
		}
	}
	return nil
}

// atHome is a demo manifest with the address at which the sample service listens here.
func (s *stack) atHome(manifest []byte) []byte {
	return bytes.ReplaceAll(manifest, []byte("http://localhost:8090/"), []byte(local(s.cfg.DemoRPListen)+"/"))
}

// settle opens one person's account, with what they declare, a password and the evidence of their
// level. Whom the city's bases know gets the evidence of level 3 by that, as any citizen does.
func (s *stack) settle(ctx context.Context, p demoPerson, hash string, now time.Time) error {
	fields := registry.Fields{}
	for name, text := range p.fields {
		fields[name] = registry.Value{Text: text, Source: registry.SourceSelf, At: now}
	}
	mail := fields["email"]
	mail.Confirmed = &now
	fields["email"] = mail
	return pg.InTx(ctx, s.db, func(tx pg.Tx) error {
		person, err := s.people.Create(ctx, tx, registry.Person{CPF: p.cpf, Fields: fields}, now)
		if errors.Is(err, registry.ErrCPFTaken) {
			if person, err = s.people.ByCPF(ctx, tx, p.cpf); err == nil {
				err = s.people.Update(ctx, tx, person.ID, fields, trust.SelfDeclared.Level(), now)
			}
		}
		if err != nil {
			return err
		}
		if err := factor.SetPassword(ctx, tx, person.ID, hash, now); err != nil {
			return err
		}
		return s.attest(ctx, tx, person.ID, p.level, now)
	})
}

// demoProof is what a demo person's evidence proves beside its level: biometrics came with a document.
var demoProof = map[trust.Kind]map[string]any{trust.BiometricEnrollment: {"document_type": "idcard", "document_issuer": "SSP PR"}}

// attest gives a demo person what evidence their level still lacks, and lets their words count as
// those of somebody known so well.
func (s *stack) attest(ctx context.Context, tx pg.Tx, id registry.PersonID, level int, now time.Time) error {
	has, err := trust.Of(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, kind := range []trust.Kind{trust.SelfDeclared, trust.RegistryMatch, trust.BiometricEnrollment} {
		if kind.Level() > level || slices.ContainsFunc(has, func(e trust.Evidence) bool { return e.Kind == kind }) {
			continue
		}
		if err := s.people.Lifetimes.Record(ctx, tx, id, trust.Evidence{Kind: kind, Source: "demo", Method: "seed", Verifier: "demo", VerifiedAt: now,
			Attributes: demoProof[kind]}); err != nil {
			return err
		}
	}
	if level < trust.RegistryMatch.Level() {
		return nil
	}
	person, err := s.people.ByID(ctx, tx, id)
	if err != nil {
		return err
	}
	return s.people.Vouch(ctx, tx, person, level, now)
}
