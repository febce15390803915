package archtest

import (
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

func TestImportsFollowTheArchitecture(t *testing.T) {
	t.Parallel()

	for _, s := range project(t) {
		for _, fault := range append(misplaced(s), leaked(s)...) {
			t.Error(fault)
		}
	}
}

func TestImportsAgainstTheDirectionAreFound(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		file, imports string
		wrong         string // part of the message; "" when allowed
	}{
		{"cmd/loginunico/serve.go", module + "idp", ""},
		{"cmd/loginunico/demo.go", module + "cmd/demo-rp/rp", ""},
		{"internal/bench/main.go", module + "idp", ""},
		{"idp/idp.go", module + "idp/flow", ""},
		{"idp/flow/next.go", module + "idp/token", ""},
		{"idp/flow/next.go", module + "registry/trust", ""},
		{"idp/token/code.go", module + "idp/client", ""},
		{"consent/store.go", module + "registry", ""},
		{"internal/testpg/testpg.go", module + "migrations", ""},
		{"migrations/up.go", module + "internal/pg", ""},
		{"registry/load/load.go", module + "registry/match", ""},
		{"registry/registry.go", module + "consent", "against the direction"},
		{"internal/pg/pg.go", module + "registry", "against the direction"},
		{"internal/pg/pg.go", module + "internal/bench", "against the direction"},
		{"idp/idp.go", module + "cmd/loginunico", "against the direction"},
		{"idp/idp.go", module + "ticketing", "neighbours"},
		{"consent/consent.go", module + "themes", "neighbours"},
		{"idp/token/code.go", module + "idp/flow", "against the direction"},
		{"idp/client/client.go", module + "idp/token", "against the direction"},
		{"idp/token/code.go", module + "idp/session", "neighbours"},
		{"idp/flow/next.go", module + "idp", "not the reverse"},
		{"idp/novelty/novelty.go", module + "idp/client", "without a layer"},
		{"novelty/novelty.go", module + "internal/pg", "without a layer"},
		{"registry/registry_test.go", module + "idp", ""},
		{"idp/idptest/city.go", module + "idp", ""},
		{"cmd/loginunico/demo.go", module + "idp/federation/govbrtest", ""},
		{"idp/provider.go", module + "idp/idptest", "for tests"},

		{"idp/provider.go", "github.com/zitadel/oidc/v3/pkg/op", ""},
		{"idp/flow/handle_code.go", "github.com/zitadel/oidc/v3/pkg/op", "opclient.go"},
		{"idp/idp_test.go", "github.com/zitadel/oidc/v3/pkg/op", "opclient.go"},
		{"idp/idp_test.go", "github.com/zitadel/oidc/v3/pkg/client/rp", ""},
		{"idp/flow/handle_code.go", "github.com/labstack/echo/v4", ""},
		{"idp/flow/next.go", "github.com/labstack/echo/v4", "handle*"},
		{"internal/httpx/httpx.go", "github.com/labstack/echo/v4/middleware", ""},
		{"idp/token/store_grant.go", "github.com/jackc/pgx/v5", ""},
		{"idp/token/service.go", "github.com/jackc/pgx/v5/pgxpool", "store*.go"},
		{"internal/jobs/jobs.go", "github.com/jackc/pgx/v5", ""},
	} {
		s := parse(t, c.file, "package p\nimport _ "+strconv.Quote(c.imports))
		faults := strings.Join(append(misplaced(s), leaked(s)...), "\n")
		if (c.wrong == "") != (faults == "") || !strings.Contains(faults, c.wrong) {
			t.Errorf("%s imports %s: %q, want %q", c.file, c.imports, faults, c.wrong)
		}
	}
}

// project returns the files of this project.
func project(t *testing.T) []source {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	all, err := tree(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("read %d files below %s; that is not the project", len(all), root)
	}
	return all
}

// parse returns one file of an invented project.
func parse(t *testing.T, name, text string) source {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{name, fset, file}
}
