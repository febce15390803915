package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/migrations"
)

// said is what a command left.
type said struct {
	code     int
	out, err string
}

func invoke(t *testing.T, args ...string) said {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), args, &out, &errOut)
	return said{code, out.String(), errOut.String()}
}

// done runs a command that must succeed and returns what it wrote.
func done(t *testing.T, args ...string) string {
	t.Helper()
	s := invoke(t, args...)
	if s.code != exitDone || s.err != "" {
		t.Fatalf("%v: exit %d\n%s%s", args, s.code, s.out, s.err)
	}
	return s.out
}

// operate sets up an operator's environment on an empty database of the test's own.
func operate(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	kek := filepath.Join(dir, "kek")
	for name, value := range map[string]string{"DATABASE_URL": testpg.URL(t), "KEK_FILE": kek, "DATA_DIR": dir} {
		t.Setenv("LOGINUNICO_"+name, value)
	}
	done(t, "kek", kek)
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const biblioteca = `id: biblioteca
name: {pt-BR: Biblioteca}
department: Cultura
contact: biblioteca@example.org
redirect_uris: [https://biblioteca.example.org/cb]
claims:
  - {name: name, required: true, purpose: {pt-BR: Emprestar livros}, basis: public_policy}
`

func TestApplyingAServiceTwiceChangesNothing(t *testing.T) {
	operate(t)
	path := file(t, "biblioteca.yaml", biblioteca)
	out := done(t, "service", "apply", path)
	if !strings.Contains(out, "biblioteca: applied, version 1") || !regexp.MustCompile(`client_secret \(shown this once\): \S{43}\n`).MatchString(out) {
		t.Errorf("first: %s", out)
	}
	if out := done(t, "service", "apply", path); out != "biblioteca: unchanged, version 1\n" {
		t.Errorf("second: %s", out)
	}
	if out := done(t, "service", "show", "biblioteca"); out != biblioteca {
		t.Errorf("shown: %s", out)
	}
	changed := file(t, "biblioteca.yaml", strings.Replace(biblioteca, "Cultura", "Educação", 1))
	if out := done(t, "service", "apply", changed); out != "biblioteca: applied, version 2\n" {
		t.Errorf("a change keeps the secret: %s", out)
	}
	if out := done(t, "service", "list"); !regexp.MustCompile(`biblioteca +2 +1 +client_secret_basic +Educação`).MatchString(out) {
		t.Errorf("list: %s", out)
	}
	one, two := done(t, "service", "secret", "biblioteca"), done(t, "service", "secret", "biblioteca")
	if one == two || !strings.HasPrefix(one, "client_secret (shown this once): ") {
		t.Errorf("secrets: %s%s", one, two)
	}
}

func TestAWrongManifestIsRefusedWithEveryFaultByLine(t *testing.T) {
	operate(t)
	good := file(t, "good.yaml", biblioteca)
	wrong := file(t, "wrong.yaml", strings.NewReplacer("contact: biblioteca@example.org", "contact: nobody", "basis: public_policy", "basis: because",
		"https://biblioteca.example.org/cb", "http://biblioteca.example.org/cb").Replace(biblioteca))
	s := invoke(t, "service", "apply", wrong, filepath.Join(t.TempDir(), "absent.yaml"), good)
	if s.code != exitFailed {
		t.Errorf("exit %d", s.code)
	}
	for _, fault := range []string{wrong + ":4: contact: ", wrong + ":5: redirect_uris[0]: ", wrong + ":7: claims[0].basis: ", "absent.yaml: "} {
		if !strings.Contains(s.err, fault) {
			t.Errorf("%q is not in:\n%s", fault, s.err)
		}
	}
	if !strings.Contains(s.out, "biblioteca: applied, version 1") {
		t.Errorf("the good file was not applied: %s", s.out)
	}
	if out := done(t, "service", "list"); strings.Count(out, "\n") != 2 {
		t.Errorf("half a service was saved:\n%s", out)
	}
}

func TestKeysRotateAndAreListed(t *testing.T) {
	operate(t)
	before := done(t, "keys", "list")
	if strings.Count(before, "ES256") != 1 || strings.Count(before, "RS256") != 1 {
		t.Fatalf("a new database has one key of each kind:\n%s", before)
	}
	out := done(t, "keys", "rotate", "-now", "ES256")
	kid := strings.TrimSpace(strings.TrimPrefix(out, "new key "))
	after := done(t, "keys", "list")
	if kid == "" || !strings.Contains(after, kid) || strings.Contains(before, kid) || strings.Count(after, "ES256") != 2 {
		t.Errorf("%s%s", out, after)
	}
	if s := invoke(t, "keys", "rotate", "HS256"); s.code != exitUsage || !strings.Contains(s.err, "ES256 or RS256") {
		t.Errorf("%+v", s)
	}
}

func TestMigrateBringsAnEmptyDatabaseUpAndThenRests(t *testing.T) {
	t.Setenv("LOGINUNICO_DATABASE_URL", testpg.Empty(t))
	if out := done(t, "migrate"); !strings.Contains(out, "applied 0001_provider") {
		t.Errorf("first: %s", out)
	}
	if out := done(t, "migrate"); out != "nothing to apply\n" {
		t.Errorf("second: %s", out)
	}
}

func TestADatabaseThatIsNotReadyIsRefused(t *testing.T) {
	operate(t)
	t.Setenv("LOGINUNICO_DATABASE_URL", testpg.Empty(t))
	s := invoke(t, "service", "list")
	if s.code != exitFailed || !strings.Contains(s.err, "loginunico migrate") {
		t.Errorf("an empty schema: %+v", s)
	}
	if _, err := migrations.Up(t.Context(), os.Getenv("LOGINUNICO_DATABASE_URL")); err != nil {
		t.Fatal(err)
	}
	done(t, "service", "list")
}

func TestAKeyInUseIsNeverOverwritten(t *testing.T) {
	operate(t)
	path := os.Getenv("LOGINUNICO_KEK_FILE")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := invoke(t, "kek", path)
	after, err := os.ReadFile(path)
	if err != nil || s.code != exitFailed || !bytes.Equal(before, after) {
		t.Errorf("%+v, changed %v", s, !bytes.Equal(before, after))
	}
	done(t, "keys", "list")
	other := filepath.Join(t.TempDir(), "other")
	done(t, "kek", other)
	t.Setenv("LOGINUNICO_KEK_FILE", other)
	if s := invoke(t, "keys", "list"); s.code != exitFailed || s.out != "" {
		t.Errorf("another key opened the database: %+v", s)
	}
}

func TestServeRefusesWhatADemoLeft(t *testing.T) {
	operate(t)
	for name, value := range map[string]string{"ISSUER": "https://login.example.org", "LISTEN": "127.0.0.1:0", "METRICS_LISTEN": "127.0.0.1:0",
		"SMTP_URL": "smtp://mail.example.org:587?tls=starttls"} {
		t.Setenv("LOGINUNICO_"+name, value)
	}
	err := manageWith(t.Context(), 6, func(s *stack) error { return s.seed(t.Context()) })
	if err != nil {
		t.Fatal(err)
	}
	s := invoke(t, "serve")
	for _, id := range []string{"portal", "saude-agenda", "fazenda-certidoes"} {
		if s.code != exitFailed || !strings.Contains(s.err, "loginunico service secret "+id) {
			t.Errorf("%s: %+v", id, s)
		}
	}
}

func TestExitCodesTellWhoIsWrong(t *testing.T) {
	t.Setenv("LOGINUNICO_DATABASE_URL", "")
	os.Unsetenv("LOGINUNICO_DATABASE_URL")
	t.Setenv("LOGINUNICO_DATA_DIR", t.TempDir())
	for _, tc := range []struct {
		args []string
		code int
		err  string
	}{
		{nil, exitUsage, "loginunico: OpenID Connect"},
		{[]string{"serv"}, exitUsage, "loginunico: OpenID Connect"},
		{[]string{"service"}, exitUsage, "service apply"},
		{[]string{"service", "apply"}, exitUsage, "FILE…"},
		{[]string{"service", "show", "a", "b"}, exitUsage, "Usage: loginunico service show ID"},
		{[]string{"keys", "rotate", "-soon", "ES256"}, exitUsage, "-soon"},
		{[]string{"migrate", "up"}, exitUsage, "Usage: loginunico migrate"},
		{[]string{"service", "list"}, exitFailed, "LOGINUNICO_DATABASE_URL is missing"},
		{[]string{"serve"}, exitFailed, "LOGINUNICO_DATABASE_URL: is missing"},
	} {
		if s := invoke(t, tc.args...); s.code != tc.code || !strings.Contains(s.err, tc.err) || s.out != "" {
			t.Errorf("%v: %+v", tc.args, s)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()

	help := done(t, "-h")
	for _, c := range commands() {
		out := done(t, append(strings.Fields(c.name), "-h")...)
		for _, want := range []string{"loginunico " + c.name, c.help, "Exit codes: 0 done, 1 failed, 2 wrong usage."} {
			if !strings.Contains(out, want) {
				t.Errorf("%s -h lacks %q:\n%s", c.name, want, out)
			}
		}
		if !strings.Contains(help, fmt.Sprintf("  %-28s ", strings.TrimSpace(c.name+" "+c.args))) {
			t.Errorf("-h does not list %s:\n%s", c.name, help)
		}
	}
}
