package ida

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/idp/ida/idatest"
)

// decoded is an answer as the service reads it, checked against the schema.
func decoded(t testing.TB, answer any) any {
	t.Helper()
	if answer == nil {
		return nil
	}
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if faults := idatest.Faults(v); len(faults) > 0 {
		t.Fatalf("%s\n%s", strings.Join(faults, "\n"), text)
	}
	return v
}
