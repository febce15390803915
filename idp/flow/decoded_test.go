package flow

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

func TestARequestIsReadFromItsRowAsItWasWritten(t *testing.T) {
	t.Parallel()
	db, age := testpg.New(t), 60
	for round := range 2 { // the second reads what is remembered
		for i := range 2 * len(decodedRequests.places) {
			want := Request{ClientID: "portal", State: fmt.Sprint(i), Scope: []string{"openid", fmt.Sprint(-i)}, MaxAge: &age}
			var got Request
			if i%64 != 0 { // most without the database
				text := fmt.Sprintf(`{"client_id":"portal","state":"%d","scope":["openid","%d"],"max_age":60}`, i, -i)
				if err := got.ScanBytes([]byte(text)); err != nil {
					t.Fatal(err)
				}
			} else if err := db.QueryRow(t.Context(), `SELECT @request::jsonb`, pg.Args{"request": want}).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("round %d: %+v, want %+v", round, got, want)
			}
		}
	}
}

func TestARequestThatIsNoJSONIsAnError(t *testing.T) {
	t.Parallel()
	var r Request
	for range 2 { // the second time it must not be found as decoded
		if r.ScanBytes([]byte(`{"client_id":`)) == nil {
			t.Error("read")
		}
	}
}
