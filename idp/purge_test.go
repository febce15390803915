package idp_test

import (
	"maps"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/pg"
)

// What is over is found by its age alone, which its id tells: nothing that lives may go with it, and nothing may stay.
func TestThePurgeTakesWhatIsOverByItsAgeAndNothingElse(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	city.Person(maria, 1, map[string]string{"name": "Maria", "email": "maria@example.org"})
	city.Tokens(city.Request("biblioteca", nil), maria)
	after := func(d time.Duration, want map[string]int) {
		t.Helper()
		city.Advance(d)
		err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) error { return city.IDP.Queue.Insert(t.Context(), tx, idp.Purge{}) })
		if err != nil {
			t.Fatal(err)
		}
		for left := 1; left > 0; {
			if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'purge' AND state <> 'completed'`).Scan(&left); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]int{}
		for table := range want {
			var n int
			if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			got[table] = n
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s later there are %v, want %v", d, got, want)
		}
	}
	after(0, map[string]int{"session": 1, "interaction": 1})
	after(80*time.Minute, map[string]int{"session": 1, "interaction": 1})
	after(11*time.Minute, map[string]int{"session": 1, "interaction": 0})
	after(24*time.Hour, map[string]int{"session": 1, "interaction": 0})
	after(11*time.Hour, map[string]int{"session": 0, "interaction": 0})
}
