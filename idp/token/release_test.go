package token_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/idp/token"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
)

const posto = `
id: posto
name: {pt-BR: Posto}
department: Saúde
contact: posto@example.org
grants: [authorization_code, refresh_token]
redirect_uris: [https://posto.example.org/callback]
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
  - {name: cpf, required: true, purpose: {pt-BR: Achar o prontuário}, basis: public_policy}
  - {name: email, required: true, purpose: {pt-BR: Lembrar da consulta}, basis: consent}
`

// releases are the events of a city, each once told, with those that wait for their batch.
func releases(t *testing.T, city *idptest.City) (all []audit.Event) {
	t.Helper()
	rows, err := city.DB.Query(t.Context(), `
		SELECT DISTINCT person_id FROM audit_event WHERE action = 'claims.released'
		UNION SELECT person_id FROM audit_pending WHERE action = 'claims.released'`)
	if err != nil {
		t.Fatal(err)
	}
	var people []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		people = append(people, id)
	}
	rows.Close()
	for _, id := range people {
		for at := (audit.Cursor{}); ; {
			events, next, err := audit.Of(t.Context(), city.DB, id, audit.Page{After: at, Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, slices.DeleteFunc(events, func(e audit.Event) bool { return e.Action != "claims.released" })...)
			if at = next; at == (audit.Cursor{}) {
				break
			}
		}
	}
	return all
}

func serviceOf(city *idptest.City) *token.Service {
	return token.New(city.DB, pg.Share(city.DB), city.Box, city.Keys, city.Issuer, city.Now)
}

// drain tells the audit of everything; rows that another worker has locked it leaves to that one.
func drain(t *testing.T, city *idptest.City) {
	t.Helper()
	service, left := serviceOf(city), 1
	for left > 0 {
		if _, err := service.AuditReleases(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM token_unaudited`).Scan(&left); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAReleaseIsAuditedWithWhoWhatWhyAndUnderWhichBasis(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{posto})
	person := city.Person(maria, 3, map[string]string{"name": "Maria Aparecida da Silva", "email": "maria@example.org"})
	a := city.Tokens(city.Request("posto", map[string][]string{"scope": {"openid profile cpf email"}}), maria)
	narrowed := city.Call("/oauth/token", "posto", map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {a.Text("refresh_token")}, "scope": {"openid profile"}})
	if narrowed.Status != http.StatusOK {
		t.Fatal(narrowed.Body)
	}
	drain(t, city)
	events := releases(t, city)
	if len(events) != 2 {
		t.Fatalf("%+v", events)
	}
	refresh, code := events[0], events[1]
	for _, e := range events {
		if e.Actor != (audit.Actor{Kind: audit.Client, ID: "posto"}) || e.Person != person || e.Detail["consent"] == "" || e.Detail["grant"] == "" || e.Detail["manifest"] != "1" {
			t.Errorf("%+v", e)
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{"Maria", "52998224725", "529.982", "maria@example.org", a.Text("access_token"), a.Text("refresh_token")} {
			if strings.Contains(string(text), value) {
				t.Errorf("%q stands in %s", value, text)
			}
		}
	}
	if got := strings.Join(code.Fields, " "); got != "cpf email name sub trust_level" || code.Detail["through"] != "authorization_code" {
		t.Errorf("by code: %s, %v", got, code.Detail)
	}
	if code.LegalBasis != "consent,public_policy" || code.Detail["basis.public_policy"] != "cpf,name" || code.Detail["basis.consent"] != "email" {
		t.Errorf("bases %q, %v", code.LegalBasis, code.Detail)
	}
	if code.Purpose != "Achar o prontuário; Lembrar da consulta; Chamar você" {
		t.Errorf("purpose %q", code.Purpose)
	}
	if got := strings.Join(refresh.Fields, " "); got != "name sub trust_level" || refresh.Detail["through"] != "refresh_token" || refresh.LegalBasis != "public_policy" {
		t.Errorf("by refresh: %s, %+v", got, refresh)
	}
}

func TestEveryStatementThatStoresATokenPutsItOnTheAuditsList(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("store*.go")
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, literal := range strings.Split(string(text), "`") {
			if !strings.Contains(literal, "INSERT INTO oauth_token ") {
				continue
			}
			if stored++; !strings.Contains(literal, "INSERT INTO token_unaudited ") {
				t.Errorf("%s: %s", name, literal)
			}
		}
	}
	if stored < 2 {
		t.Errorf("%d statements", stored)
	}
}

// Two processes and four more workers, of which many are killed in the middle, while tokens are issued: each token has
// one event, and the chain holds.
func TestEachTokenHasOneEventWhateverIsKilled(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{posto})
	city.Twin()
	city.Person(maria, 3, map[string]string{"name": "Maria Aparecida da Silva", "email": "maria@example.org"})
	writer, err := audit.NewWriter(t.Context(), city.DB, slog.New(slog.NewTextHandler(io.Discard, nil)), city.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	issued, end := make(chan struct{}), sync.WaitGroup{}
	for n := range 4 {
		end.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 5))
			service := serviceOf(city)
			for {
				select {
				case <-issued:
					return
				default:
				}
				ctx, kill := context.WithTimeout(t.Context(), time.Duration(r.IntN(4000))*time.Microsecond)
				_, _ = service.AuditReleases(ctx, 1+r.IntN(5)) // killed as a rule; what it did must be whole
				kill()
			}
		})
	}
	a := city.Tokens(city.Request("posto", map[string][]string{"scope": {"openid profile cpf email offline_access"}, "prompt": {"consent"}}), maria)
	for range 60 {
		if a = city.Call("/oauth/token", "posto", map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {a.Text("refresh_token")}}); a.Status != http.StatusOK {
			t.Fatal(a.Body)
		}
	}
	close(issued)
	end.Wait()
	drain(t, city)
	if err := writer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for _, e := range releases(t, city) {
		at[e.Detail["grant"]+e.At.String()]++
	}
	rows, err := city.DB.Query(t.Context(), `SELECT grant_id, issued_at FROM oauth_token`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tokens := 0
	for ; rows.Next(); tokens++ {
		var grant uuid.UUID
		var when time.Time
		if err := rows.Scan(&grant, &when); err != nil {
			t.Fatal(err)
		}
		if n := at[grant.String()+when.UTC().String()]; n != 1 {
			t.Errorf("the token of %v has %d events", when, n)
		}
	}
	if tokens != 61 || len(at) != 61 {
		t.Errorf("%d tokens, %d events", tokens, len(at))
	}
	report, err := audit.Verify(t.Context(), city.DB, audit.Options{})
	if err != nil {
		t.Error(fmt.Sprintf("%+v", report), err)
	}
}

// Somebody has taken it and stands still: nobody else may forget what the event will say.
func TestNoTokenIsPurgedBeforeTheAuditKnowsOfIt(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{posto})
	city.Person(maria, 3, map[string]string{"name": "Maria Aparecida da Silva", "email": "maria@example.org"})
	city.Tokens(city.Request("posto", nil), maria)
	tx, err := city.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for held := 0; held == 0; { // the city's own job may be faster
		if _, err := city.DB.Exec(t.Context(), `INSERT INTO token_unaudited SELECT id FROM oauth_token`); err != nil {
			t.Fatal(err)
		}
		if err := tx.QueryRow(t.Context(), `WITH held AS (SELECT FROM token_unaudited FOR UPDATE) SELECT count(*) FROM held`).Scan(&held); err != nil {
			t.Fatal(err)
		}
	}
	city.Advance(48 * time.Hour)
	purged := func() (tokens int) {
		t.Helper()
		if _, err := serviceOf(city).Purge(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM oauth_token`).Scan(&tokens); err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	if n := purged(); n != 1 {
		t.Errorf("%d tokens are left while the audit does not know", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	drain(t, city)
	if n := purged(); n != 0 {
		t.Errorf("%d tokens are left when it does", n)
	}
}
