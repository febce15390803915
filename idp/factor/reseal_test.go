package factor_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/visitor"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// Every way in works on under new keys, when the old ones are gone for good.
func TestARotatedKeyLeavesNoWayInBehind(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	app := h.counts()
	h.reach(factor.MailChannel, "outra@example.org")
	h.must(h.SetQuestion(t.Context(), h.db, h.person, "Escola?", "São José"))
	_, told := h.announce(factor.SignedIn)
	index := bytes.Repeat([]byte{7}, 32) // of a visitor's number
	number := h.box.Class(secret.Contact).Seal([]byte(phoneOfMaria), append([]byte("visitor/"), index...))
	h.exec(`INSERT INTO visitor (number_index, index_version, person_id, number, confirmed_at, last_used_at) VALUES ($1, 1, $2, $3, now(), now())`, index, h.person, number)
	for _, purpose := range []secret.Purpose{secret.General, secret.Contact} {
		_, err := secret.Rotate(t.Context(), h.db, secret.KEK{}, purpose)
		h.must(err)
	}
	h.must(h.box.Reload(t.Context()))
	want := int64(3 + len(told)) // app, address, question, and a link for each address
	if n, err := factor.Reseal(t.Context(), h.db, h.box); n != want || err != nil {
		t.Errorf("%d sealed again, want %d, %v", n, want, err)
	}
	if n, err := factor.Reseal(t.Context(), h.db, h.box); n != 0 || err != nil {
		t.Errorf("a second run found %d, %v", n, err)
	}
	for _, want := range []int64{1, 0} {
		if n, err := visitor.Reseal(t.Context(), h.db, h.box); n != want || err != nil {
			t.Errorf("%d numbers sealed again, want %d, %v", n, want, err)
		}
	}
	// The addresses in the registry are under the city's own re-sealing.
	_, err := registry.NewStore(h.box).Reseal(t.Context(), h.db)
	h.must(err)
	h.exec(`UPDATE data_key SET active_from = now() - interval '9 days', created_at = now() - interval '10 days'`)
	retired, err := registry.RetireOld(t.Context(), h.db, secret.KEK{}, false, time.Now())
	if err != nil || len(retired) != 2 {
		t.Fatalf("retired %+v, %v", retired, err)
	}
	h.must(h.box.Reload(t.Context()))
	h.must(h.db.QueryRow(t.Context(), `SELECT number FROM visitor`).Scan(&number))
	if plain, err := h.box.Class(secret.Contact).Open(number, append([]byte("visitor/"), index...)); string(plain) != phoneOfMaria {
		t.Errorf("the number is %q, %v", plain, err)
	}
	if ok, _ := app.check(app.code()); !ok {
		t.Error("the app does not sign in")
	}
	if e := h.enrolled(); len(e.Mails) != 2 || !e.Question {
		t.Errorf("%+v", e)
	}
	if _, err := h.notMe(told[0].Token, new(ender)); err != nil {
		t.Errorf("the link that was sent: %v", err)
	}
}

// What waits is not sealed again, so the general key must outlive it.
func TestAnOldGeneralKeyStaysAsLongAsALetterMayWait(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	for _, purpose := range []secret.Purpose{secret.General, secret.Contact} {
		_, err := secret.Rotate(t.Context(), h.db, secret.KEK{}, purpose)
		h.must(err)
	}
	h.exec(`UPDATE data_key SET active_from = now() - interval '7 days', created_at = now() - interval '8 days'`)
	retired, err := registry.RetireOld(t.Context(), h.db, secret.KEK{}, false, time.Now())
	if err != nil || len(retired) != 1 || retired[0].Purpose != secret.Contact {
		t.Errorf("retired %+v, %v", retired, err)
	}
}
