package pmcc_test

import (
	"testing"

	"github.com/loginunico/loginunico/registry/pmcc"
	"github.com/loginunico/loginunico/registry/record"
)

func TestThePolicyACityStartsWithIsCompleteAndGivesReasons(t *testing.T) {
	t.Parallel()

	p, err := pmcc.Parse("default.yaml", pmcc.DefaultYAML())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.Fields()); got != len(record.All()) {
		t.Errorf("speaks of %d of %d fields", got, len(record.All()))
	}
	for _, r := range p.Rules {
		if r.Why == "" {
			t.Errorf("%s has no reason", r)
		}
	}
}
