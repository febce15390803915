package themes

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/*.golden from the pages as they are")

// hash is the part of an asset's name that follows its content; the pages' own words do not.
var hash = regexp.MustCompile(`\.[0-9a-f]{12}\.`)

func TestPagesAreAsAgreed(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for name, s := range map[string]sample{"identify": signInSamples()[0], "consent": consentSamples()[0]} {
		got, err := r.Render(s.frame, s.view)
		if err != nil {
			t.Fatal(err)
		}
		got = hash.ReplaceAll(got, []byte(".HASH."))
		file := "testdata/" + name + ".golden"
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs; run with -update and read the diff", file)
		}
	}
}
