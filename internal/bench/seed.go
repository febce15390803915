package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

const (
	serviceID     = "bench"
	serviceSecret = "bench-secret-of-a-private-database"
	redirectURI   = "http://localhost:9/bench/callback"
	apiScope      = "bench.read"
	password      = "Vila-Esperanca-2026"
)

const manifest = `
id: ` + serviceID + `
name: {pt-BR: Medição, es: Medición, en: Measurement}
department: Secretaria Municipal de Governo
contact: medicao@example.org
policy_uri: https://example.org/privacidade
redirect_uris: [` + redirectURI + `]
auth: client_secret_basic
subject: pairwise
min_level: 1
languages: [pt-BR, es, en]
grants: [authorization_code, refresh_token, client_credentials]
api_scopes: [` + apiScope + `]
claims:
  - {name: name, required: true, purpose: {pt-BR: Medir, es: Medir, en: Measure}, basis: public_policy}
  - {name: birthdate, required: false, purpose: {pt-BR: Medir, es: Medir, en: Measure}, basis: consent}
  - {name: email, required: true, purpose: {pt-BR: Medir, es: Medir, en: Measure}, basis: public_policy}
`

// kind of citizen: by the cost of the stored password hash.
type kind int

const (
	ordinary kind = iota // as the provider hashes
	light                // argon2id with 8 KiB and one pass
)

// cpfOf invents the CPF of the n-th citizen of a kind.
func cpfOf(k kind, n int) brdoc.CPF {
	digits := fmt.Sprintf("%09d", 700_000_000+int(k)*1000+n)
	for len(digits) < 11 {
		sum := 0
		for i, d := range digits {
			sum += int(d-'0') * (len(digits) + 1 - i)
		}
		digits += fmt.Sprint(sum * 10 % 11 % 10)
	}
	return brdoc.CPF(digits)
}

// settle registers the service and the citizens of every worker, each with a remembered consent.
func (p *phase) settle(ctx context.Context) error {
	kek, err := secret.LoadKEK(filepath.Join(p.dataDir(p.database()), "kek"), true)
	if err != nil {
		return err
	}
	box, err := secret.Open(ctx, p.db, kek)
	if err != nil {
		return err
	}
	if _, err := client.NewRegistry(p.db, time.Now).Apply(ctx, []byte(manifest), serviceSecret); err != nil {
		return err
	}
	full, err := factor.NewHasher(1).Hash(ctx, password)
	if err != nil {
		return err
	}
	hashes := [2]string{ordinary: full, light: lightHash()}
	people := registry.NewStore(box)
	for n := range maxWorkers {
		for k, hash := range hashes {
			if err := p.settleOne(ctx, people, kind(k), n, hash); err != nil {
				return fmt.Errorf("citizen: %w", err)
			}
		}
	}
	return nil
}

func lightHash() string {
	salt := []byte("a salt of 16 byt")
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, b64(salt), b64(argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)))
}

func (p *phase) settleOne(ctx context.Context, people *registry.Store, k kind, n int, hash string) error {
	now := time.Now()
	fields := registry.Fields{}
	for name, text := range map[string]string{"name": "Medida da Silva", "birthdate": "1980-01-02", "email": "medida@example.org",
		"phone_number": "+5541999990000", "address": "Rua das Acácias, 120, Centro, Vila Esperança, 80010-000"} {
		fields[name] = registry.Value{Text: text, Source: registry.SourceSelf, At: now, Confirmed: &now}
	}
	return pg.InTx(ctx, p.db, func(tx pg.Tx) error {
		person, err := people.Create(ctx, tx, registry.Person{CPF: cpfOf(k, n), Fields: fields}, now)
		if err != nil {
			return err
		}
		if err := factor.SetPassword(ctx, tx, person.ID, hash, now); err != nil {
			return err
		}
		for _, kind := range []trust.Kind{trust.SelfDeclared, trust.RegistryMatch} {
			if err := people.Lifetimes.Record(ctx, tx, person.ID, trust.Evidence{Kind: kind, Source: "bench", Method: "seed",
				Verifier: "bench", VerifiedAt: now}); err != nil {
				return err
			}
		}
		if k == light {
			if err := p.pastConsents(ctx, tx, person.ID); err != nil {
				return err
			}
		}
		_, err = consent.Grant(ctx, tx, consent.Decision{PersonID: person.ID, ClientID: serviceID, Shown: []string{"name", "birthdate", "email"},
			Allowed: []string{"name", "birthdate", "email"}, Offline: true, Purposes: map[string]string{}, Bases: map[string]string{},
			ManifestVersion: 1, Language: "pt-BR"}, now)
		return err
	})
}
