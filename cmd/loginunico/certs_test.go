package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTheAuthoritiesAreUpdatedAndListed(t *testing.T) {
	audited(t)
	if s := invoke(t, "certs", "list"); s.code != exitFailed || !strings.Contains(s.err, "certs update") {
		t.Errorf("before the first: %d %s", s.code, s.err)
	}
	source := filepath.Join("..", "..", "certauth", "testdata", "ACcompactado.zip")
	out := done(t, "certs", "update", source)
	if !strings.HasSuffix(out, "\n167 authorities published\n") || strings.Count(out, "skipped ") != 6 || strings.Count(out, "new ") != 167 {
		t.Errorf("%s", out)
	}
	if out := done(t, "certs", "update", source); strings.Contains(out, "new ") {
		t.Errorf("the same again: %s", out)
	}
	list := done(t, "certs", "list")
	for _, want := range []string{"AC SAFEWEB CD V12", "Autoridade Certificadora Raiz Brasileira v5", "from " + source} {
		if !strings.Contains(list, want) {
			t.Errorf("%q is not in\n%s", want, list)
		}
	}
	one := filepath.Join("..", "..", "certauth", "testdata", "problem")
	if s := invoke(t, "certs", "update", one); s.code != exitFailed || !strings.Contains(s.err, "pinned roots") {
		t.Errorf("a source without roots: %d %s", s.code, s.err)
	}
	if s := invoke(t, "certs", "update"); s.code != exitUsage || s.err == "" {
		t.Errorf("no source: %d", s.code)
	}
}
