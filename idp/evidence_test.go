package idp_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/evidence"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

const day = 24 * time.Hour

var operatorPaulo = audit.Actor{Kind: audit.Operator, ID: "paulo"}

// looks runs the job in as many processes at once.
func looks(t *testing.T, city *idptest.City, processes int) {
	t.Helper()
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			if err := city.IDP.Keeper().Look(t.Context(), evidence.Look{}, 1); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// actions counts what the audit has of a person, by action.
func actions(t *testing.T, city *idptest.City, person registry.PersonID) map[string]int {
	t.Helper()
	all, _, err := audit.Of(t.Context(), city.DB, person, audit.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, e := range all {
		n[e.Action]++
	}
	return n
}

// letters waits until all mail has left and counts what an address got, by subject.
func letters(t *testing.T, city *idptest.City, to string) map[string]int {
	t.Helper()
	for waiting := 1; waiting > 0; {
		err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'mail' AND state NOT IN ('completed', 'cancelled', 'discarded')`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	n := map[string]int{}
	for _, m := range city.Outbox.Messages(to) {
		n[m.Subject]++
	}
	return n
}

// told looks and gives the letters of one address.
func toldTo(t *testing.T, city *idptest.City, to string) map[string]int {
	t.Helper()
	looks(t, city, 1)
	return letters(t, city, to)
}

const (
	fellTo1 = "Seu nível de confiança agora é 1"
	ending  = "Seu nível de confiança vai cair em breve"
)

func TestAFallIsToldOnceHoweverManyProcessesLookAndHoweverLate(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	people := map[string]registry.PersonID{}
	for i, cpf := range []string{maria, joao, ana, "168.995.350-09", "935.411.347-80"} {
		mail := string(rune('a'+i)) + "@example.org"
		people[mail] = city.Person(cpf, 2, map[string]string{"name": "Pessoa", "email": mail})
	}
	looks(t, city, 4)
	rose := map[string]int{}
	for mail, person := range people {
		rose[mail] = actions(t, city, person)["trust.level"]
	}
	city.Advance(400 * day) // the city stood still for a month and more: nobody was warned
	looks(t, city, 8)
	looks(t, city, 8)
	for mail, person := range people {
		if n := letters(t, city, mail); !reflect.DeepEqual(n, map[string]int{fellTo1: 1}) {
			t.Errorf("%s got %v", mail, n)
		}
		if n := actions(t, city, person); n["trust.level"] != rose[mail]+1 {
			t.Errorf("the audit has %v, and had %d", n, rose[mail])
		}
	}
	letter := city.Letter("a@example.org")
	for _, want := range []string{"de 2 para 1", "Conta gov.br: valia até", "entre uma vez com sua conta gov.br", city.Issuer + "/conta/nivel"} {
		if !strings.Contains(letter, want) {
			t.Errorf("the letter lacks %q:\n%s", want, letter)
		}
	}
}

func TestALevelThatWillFallIsWarnedOfOnceInTheReadersLanguage(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 2, map[string]string{"name": "Maria", "email": "maria@example.org", "locale": "es"})
	carried := city.Person(joao, 3, map[string]string{"name": "João", "email": "joao@example.org"})
	renewed := city.Person(ana, 2, map[string]string{"name": "Ana", "email": "ana@example.org"})
	looks(t, city, 1)
	rose := actions(t, city, carried)["trust.level"]
	city.Advance(330 * day)
	if n := toldTo(t, city, "maria@example.org"); len(n) != 0 {
		t.Errorf("35 days before: %v", n)
	}
	city.Advance(8 * day)
	for range 2 {
		looks(t, city, 4)
		city.Advance(day)
	}
	if n := toldTo(t, city, "maria@example.org"); !reflect.DeepEqual(n, map[string]int{"Su nivel de confianza va a bajar pronto": 1}) {
		t.Errorf("27 days before: %v", n)
	}
	city.Evidence(renewed, trust.Evidence{Kind: trust.GovBR, Source: "govbr", Method: "test", Verifier: "test", VerifiedAt: city.Now()})
	city.Advance(40 * day)
	if n := toldTo(t, city, "maria@example.org"); n["Su nivel de confianza ahora es 1"] != 1 || len(n) != 2 {
		t.Errorf("after the fall: %v", n)
	}
	if n := toldTo(t, city, "ana@example.org"); !reflect.DeepEqual(n, map[string]int{ending: 1}) {
		t.Errorf("who has signed in by gov.br again: %v", n)
	}
	if n := toldTo(t, city, "joao@example.org"); len(n) != 0 || actions(t, city, carried)["trust.level"] != rose {
		t.Errorf("whose level other evidence carries: %v, %v", n, actions(t, city, carried))
	}
	city.Advance(300 * day)
	if n := toldTo(t, city, "ana@example.org"); n[ending] != 2 {
		t.Errorf("the year after: %v", n)
	}
}

// takeAway takes a person's evidence of a kind away.
func takeAway(t *testing.T, city *idptest.City, person registry.PersonID, id uuid.UUID, sessions bool) (done bool) {
	t.Helper()
	err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) (err error) {
		done, err = city.IDP.Revoker().Revoke(t.Context(), tx, evidence.Revocation{Person: person, Evidence: id, Reason: "protocolo 123", Actor: operatorPaulo, EndSessions: sessions})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestRevokedEvidenceLowersTheLevelAtOnceAndOnce(t *testing.T) {
	t.Parallel()

	city := protocolCity(t)
	person := city.Person(ana, 3, map[string]string{"name": "Ana Ferreira", "email": "ana@example.org"})
	looks(t, city, 1)
	tokens := city.Tokens(city.Request("agenda", nil), ana)
	held := evidenceOf(t, city, person, trust.RegistryMatch)
	if gov := evidenceOf(t, city, person, trust.GovBR); !takeAway(t, city, person, gov, false) {
		t.Fatal("not revoked")
	}
	isAlive(t, city, "agenda", tokens) // the level is the same
	tokens = city.Tokens(city.Request("agenda", nil), ana)

	done := make([]bool, 6)
	var wg sync.WaitGroup
	for i := range done {
		wg.Go(func() { done[i] = takeAway(t, city, person, held, false) })
	}
	wg.Wait()
	if n := len(done) - strings.Count(strings.Trim(strings.Join(words(done), ","), ","), "false"); n != 1 {
		t.Errorf("%d of 6 calls ended it", n)
	}
	if a := city.Userinfo(tokens.Text("access_token")); a.Status != http.StatusUnauthorized {
		t.Errorf("a token outlives its evidence: %d %s", a.Status, a.Body)
	}
	if active(city, "agenda", tokens.Text("access_token")) {
		t.Error("introspection calls it active")
	}
	next := refresh(city, "agenda", tokens.Text("refresh_token"))
	if claims := idptest.Claims(t, next.Text("access_token")); claims["trust_level"] != 1.0 {
		t.Errorf("the next token tells %v", claims)
	}
	n := actions(t, city, person)
	if n["evidence.revoke"] != 2 {
		t.Errorf("the audit has %v", n)
	}
	all, err := trust.Of(t.Context(), city.DB, person)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.ID == held && (e.RevokedReason != "protocolo 123" || e.RevokedBy != "operator:paulo") {
			t.Errorf("revoked because %q by %q", e.RevokedReason, e.RevokedBy)
		}
	}
	var common, looks int
	err = city.DB.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE queue = 'default'), count(*) FROM river_job WHERE kind = 'evidence_look'`).Scan(&common, &looks)
	if err != nil || common > 0 || looks == 0 {
		t.Errorf("%d of %d looks wait among the letters with sign-in codes, %v", common, looks, err)
	}
	if letter := city.Letter("ana@example.org"); !strings.Contains(letter, "de 3 para 1") || !strings.Contains(letter, "por decisão da cidade") || strings.Contains(letter, "protocolo") {
		t.Errorf("%s", letter)
	}
	if n := letters(t, city, "ana@example.org"); n[fellTo1] != 1 {
		t.Errorf("%v", n)
	}
}

func words(all []bool) (out []string) {
	for _, b := range all {
		out = append(out, map[bool]string{true: "true", false: "false"}[b])
	}
	return out
}

func TestARevokedCertificateEndsWhatItOpenedAndNothingElse(t *testing.T) {
	t.Parallel()

	city := protocolCity(t)
	person := city.Person(ana, 5, map[string]string{"name": "Ana Ferreira", "email": "ana@example.org"})
	byPassword, r := city.Browser(t), city.Request("agenda", nil)
	stays := city.Exchange(r, byPassword.Authorize(r, ana))
	byCertificate, r := city.Browser(t), city.Request("agenda", nil)
	ends := city.Exchange(r, byCertificate.Authorize(r, ana))
	if _, err := city.DB.Exec(t.Context(), `UPDATE session SET amr = '{x509}' WHERE id = $1`, idptest.Claims(t, ends.Text("id_token"))["sid"]); err != nil {
		t.Fatal(err)
	}
	if !takeAway(t, city, person, evidenceOf(t, city, person, trust.ICPCertificate), true) {
		t.Fatal("not revoked")
	}
	isDead(t, city, "agenda", ends)
	if isSignedIn(city, byCertificate) || !isSignedIn(city, byPassword) {
		t.Error("the wrong session has ended")
	}
	if next := refresh(city, "agenda", stays.Text("refresh_token")); idptest.Claims(t, next.Text("access_token"))["trust_level"] != 4.0 {
		t.Errorf("%s", next.Body)
	}
}

func TestARevocationWantsAReasonAndTheRightPerson(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	person, other := city.Person(ana, 2, nil), city.Person(joao, 2, nil)
	held := evidenceOf(t, city, person, trust.GovBR)
	for name, c := range map[string]struct {
		v    evidence.Revocation
		want error
	}{
		"no reason":      {evidence.Revocation{Person: person, Evidence: held, Actor: operatorPaulo}, evidence.ErrReason},
		"two lines":      {evidence.Revocation{Person: person, Evidence: held, Actor: operatorPaulo, Reason: "a\nb"}, evidence.ErrReason},
		"too long":       {evidence.Revocation{Person: person, Evidence: held, Actor: operatorPaulo, Reason: strings.Repeat("a", 501)}, evidence.ErrReason},
		"another's":      {evidence.Revocation{Person: other, Evidence: held, Actor: operatorPaulo, Reason: "a"}, evidence.ErrNotFound},
		"no such number": {evidence.Revocation{Person: person, Evidence: pg.NewID(), Actor: operatorPaulo, Reason: "a"}, evidence.ErrNotFound},
	} {
		err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) error {
			_, err := city.IDP.Revoker().Revoke(t.Context(), tx, c.v)
			return err
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := actions(t, city, person); n["evidence.revoke"] != 0 {
		t.Errorf("%v", n)
	}
}

// Whoever has proven a CPF begins anew, and hears nothing of a level that the one before had.
func TestWhoTakesAnAccountOverIsNotToldOfTheLevelBefore(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	person := city.Person(maria, 1, map[string]string{"name": "Quem Chegou Antes", "email": "antes@example.org"})
	city.Evidence(person, registryMatchUntil(city.Now(), city.Now().Add(day)))
	looks(t, city, 1)
	city.Advance(2 * day)
	bring(t, city, person, trust.GovBR)
	if n := toldTo(t, city, "antes@example.org"); n["Seu nível de confiança agora é 2"] != 0 {
		t.Errorf("%v", n)
	}
	if n := actions(t, city, person); n["trust.level"] != 1 { // the match began to count
		t.Errorf("%v", n)
	}
}

// A past day is told as it was then, on the rows of a database: whatever is written, revoked, expires
// and is noticed later.
func TestALevelOfAPastDayIsTheSameWhateverCameLater(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	person := city.Person(maria, 1, map[string]string{"name": "Maria", "email": "maria@example.org"})
	r := rand.New(rand.NewPCG(11, 29))
	kinds := []trust.Kind{trust.GovBR, trust.RegistryMatch, trust.BiometricEnrollment, trust.ICPCertificate}
	type view struct {
		at time.Time
		x  trust.Explanation
	}
	var seen []view
	fell := 0
	for range 60 {
		city.Advance(time.Duration(1+r.IntN(20)) * day)
		all, err := trust.Of(t.Context(), city.DB, person)
		if err != nil {
			t.Fatal(err)
		}
		switch r.IntN(3) {
		case 0:
			e := trust.Evidence{Kind: kinds[r.IntN(len(kinds))], Source: "test", Method: "test", Verifier: "test", VerifiedAt: city.Now()}
			e.ExpiresAt = e.VerifiedAt.Add(time.Duration(1+r.IntN(90)) * day)
			city.Evidence(person, e)
		case 1:
			if e := all[r.IntN(len(all))]; e.Kind != trust.SelfDeclared {
				takeAway(t, city, person, e.ID, false)
			}
		}
		looks(t, city, 2)
		if all, err = trust.Of(t.Context(), city.DB, person); err != nil {
			t.Fatal(err)
		}
		at := city.Now()
		if n := len(seen); n > 0 && trust.Level(all, at) < seen[n-1].x.Level {
			fell++
		}
		seen = append(seen, view{at, trust.Explain(all, at)})
	}
	all, err := trust.Of(t.Context(), city.DB, person)
	if err != nil {
		t.Fatal(err)
	}
	if fell < 3 {
		t.Fatalf("the level fell %d times: nothing was tried", fell)
	}
	for _, v := range seen {
		x := trust.Explain(all, v.at)
		if x.Level != v.x.Level || trust.Level(all, v.at) != v.x.Level || !x.Until.Equal(v.x.Until) ||
			!reflect.DeepEqual(ids(x.Because), ids(v.x.Because)) || !reflect.DeepEqual(ids(x.Beside), ids(v.x.Beside)) || !reflect.DeepEqual(x.Raise, v.x.Raise) {
			t.Fatalf("%s was told as %+v, and is told as %+v", v.at, v.x, x)
		}
	}
}

func ids(all []trust.Evidence) (out []uuid.UUID) {
	for _, e := range all {
		out = append(out, e.ID)
	}
	return out
}
