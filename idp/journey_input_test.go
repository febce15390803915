package idp_test

import (
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/themes"
)

// problems are the messages of one language, from the files that pages use.
func problems(t *testing.T, lang, code string) string {
	t.Helper()
	return strings.NewReplacer("'", "&#39;", `"`, "&#34;").Replace(look(t).Text(lang, "problem."+code, map[string]any{"Left": 4, "Minutes": 10}))
}

// rows counts what a registration or sign-in could leave behind.
func rows(t *testing.T, city *idptest.City) string {
	t.Helper()
	var all string
	err := city.DB.QueryRow(t.Context(), `
		SELECT concat_ws(' ', (SELECT count(*) FROM person), (SELECT count(*) FROM password), (SELECT count(*) FROM evidence),
		       (SELECT count(*) FROM session), (SELECT count(*) FROM consent), (SELECT count(*) FROM mail_code),
		       (SELECT count(*) FROM oauth_grant), (SELECT count(*) FROM river_job WHERE kind = 'mail'),
		       (SELECT md5(string_agg(encode(identity, 'hex') || coalesce(encode(declared, 'hex'), ''), ' ')) FROM person),
		       (SELECT count(*) FROM interaction WHERE registration IS NOT NULL OR cpf IS NOT NULL OR finished_at IS NOT NULL))`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBadInputGetsAClearMessageBesideItsFieldAndLeavesNothing(t *testing.T) {
	t.Parallel()

	const leaked = "Coruja-no-telhado-7"
	city := idptest.Start(t, []string{biblioteca, posto}, idptest.WithBreached(listOf(t, leaked)))
	city.Person(maria, 3, mariaFields())
	long := strings.Repeat("a", 201)
	for _, tc := range []struct {
		name    string
		start   func(*testing.T, *idptest.Browser, idptest.Page) idptest.Page // from the first page to the form
		typed   url.Values
		faults  map[string]string // field → code
		kept    []string          // of the typed values
		dropped []string          // never shown again
	}{
		{"the first page, digits that do not fit", identifyPage, with("cpf", "529.982.247-26"), map[string]string{"cpf": "cpf"}, []string{"529.982.247-26"}, nil},
		{"the first page, nothing", identifyPage, with("cpf", ""), map[string]string{"cpf": "cpf_required"}, nil, nil},
		{"the first page, one digit repeated", identifyPage, with("cpf", "111.111.111-11"), map[string]string{"cpf": "cpf"}, []string{"111.111.111-11"}, nil},
		{"the first page, a script", identifyPage, with("cpf", `"><script>`), map[string]string{"cpf": "cpf"}, []string{"&#34;&gt;&lt;script&gt;"}, []string{"<script>"}},
		{"the first page, a book", identifyPage, with("cpf", long), map[string]string{"cpf": "cpf"}, nil, []string{long}},
		{"the password, nothing", passwordPage, with("password", ""), map[string]string{"password": "password_required"}, []string{maria}, nil},
		{"registration, all wrong", registerPage, with("cpf", "123", "email", "joao@", "password", "123"),
			map[string]string{"cpf": "cpf", "email": "email", "password": "password_short"}, []string{`value="123"`, "joao@"}, nil},
		{"registration, nothing", registerPage, with("cpf", "", "email", "", "password", ""),
			map[string]string{"cpf": "cpf_required", "email": "email", "password": "password_required"}, nil, nil},
		{"registration, a common password", registerPage, with("cpf", joao, "email", novoEmail, "password", "senha123456"),
			map[string]string{"password": "password_common"}, []string{joao, novoEmail}, []string{"senha123456"}},
		{"registration, a leaked password", registerPage, with("cpf", joao, "email", novoEmail, "password", leaked),
			map[string]string{"password": "password_breached"}, []string{joao, novoEmail}, []string{leaked}},
		{"registration, the CPF as password", registerPage, with("cpf", joao, "email", novoEmail, "password", joao),
			map[string]string{"password": "password_is_cpf"}, []string{novoEmail}, nil},
		{"registration, an endless password", registerPage, with("cpf", joao, "email", novoEmail, "password", strings.Repeat("aB3$", 40)),
			map[string]string{"password": "password_long"}, []string{joao, novoEmail}, nil},
		{"missing data, all wrong", profilePage, with("phone_number", "12"), map[string]string{"phone_number": "phone"}, []string{`value="12"`}, nil},
		{"missing data, nothing", profilePage, with("phone_number", " "), map[string]string{"phone_number": "field_required"}, nil, nil},
		{"missing data, a book", profilePage, with("phone_number", long), map[string]string{"phone_number": "field_long"}, nil, []string{long}},
	} {
		for _, lang := range []string{"pt-BR", "es", "en"} {
			t.Run(tc.name+" in "+lang, func(t *testing.T) {
				b := city.Browser(t)
				p := tc.start(t, b, b.Open(everything(city, "posto", "ui_locales", lang)))
				before := rows(t, city)
				answer := b.Form(p, tc.typed)
				if answer.Status != http.StatusUnprocessableEntity {
					t.Fatalf("status %d", answer.Status)
				}
				holds(t, answer, `<html lang="`+lang+`"`, `id="problem" role="alert"`, "<title>"+look(t).Text(lang, "problem.prefix", nil)+" ")
				for field, code := range tc.faults {
					message := problems(t, lang, code)
					name := "" // a message that fits any field is told apart above by the field's name
					if strings.HasPrefix(code, "field_") {
						name = look(t).Text(lang, "claim."+field, nil) + ": "
					}
					holds(t, answer, `<a href="#`+field+`">`+name+message+"</a>", `id="`+field+`-problem"`, field+`-problem"`)
					if n := strings.Count(answer.Body, message); n != 2 {
						t.Errorf("%q stands %d times: once above and once beside the field", message, n)
					}
				}
				if n := strings.Count(answer.Body, `aria-invalid="true"`); n != len(tc.faults) {
					t.Errorf("%d fields are marked, not %d", n, len(tc.faults))
				}
				holds(t, answer, tc.kept...)
				lacks(t, answer, tc.dropped...)
				if after := rows(t, city); after != before {
					t.Errorf("something was half saved: %s, then %s", before, after)
				}
			})
		}
	}
}

// listOf is a list of one leaked password.
func listOf(t *testing.T, password string) *factor.Breached {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pwned.txt")
	if err := os.WriteFile(path, fmt.Appendf(nil, "%X:7\n", sha1.Sum([]byte(password))), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := factor.OpenBreached(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = list.Close() })
	return list
}

var loaded = sync.OnceValues(func() (*themes.Renderer, error) { return themes.Load("", "") })

// look is the city's, read once: it takes longer than any page.
func look(t *testing.T) *themes.Renderer {
	t.Helper()
	r, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func identifyPage(t *testing.T, _ *idptest.Browser, p idptest.Page) idptest.Page {
	return at(t, p, "/entrar")
}

func passwordPage(t *testing.T, b *idptest.Browser, p idptest.Page) idptest.Page {
	return at(t, b.Form(p, with("cpf", maria)), "/entrar/senha")
}

func registerPage(t *testing.T, b *idptest.Browser, p idptest.Page) idptest.Page {
	return at(t, b.Get(of(p, "/cadastro")), "/cadastro")
}

func profilePage(t *testing.T, b *idptest.Browser, p idptest.Page) idptest.Page {
	return at(t, b.SignIn(p, maria, idptest.Password), "/cadastro/dados")
}

// As if the displacement had committed after this request looked at the session.
func TestADisplacedHolderSaysNothingAboutTheNextOne(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{posto})
	person := city.Person(maria, 3, mariaFields())
	b := city.Browser(t)
	p := profilePage(t, b, b.Open(everything(city, "posto")))
	_, err := city.DB.Exec(t.Context(), `INSERT INTO displacement (person_id, id, at, by_kind, by_source, held_by, ended)
		VALUES ($1, gen_random_uuid(), $2, 'govbr', 'govbr', 'self_declared', '{}')`, person, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	before := rows(t, city)
	b.Form(p, with("phone_number", "(41) 99999-8888"))
	if after := rows(t, city); after != before {
		t.Errorf("saved: %s, then %s", before, after)
	}
}

func TestAWrongCodeSaysHowManyTriesAreLeft(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	b := city.Browser(t)
	p := b.Get(of(at(t, b.Open(everything(city, "biblioteca", "ui_locales", "en")), "/entrar"), "/cadastro"))
	p = at(t, b.Form(p, with("cpf", joao, "email", novoEmail, "password", idptest.Password)), "/cadastro/codigo")
	code := city.Code(novoEmail)
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
	if got := b.Form(p, with("code", "")); got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, problems(t, "en", "code_required")) {
		t.Errorf("nothing typed: %d", got.Status)
	}
	got := b.Form(p, with("code", wrong))
	holds(t, got, problems(t, "en", "code"))
	for range factor.CodeTries - 1 {
		got = b.Form(p, with("code", wrong))
	}
	holds(t, got, problems(t, "en", "code_spent"))
	holds(t, b.Form(p, with("code", code)), problems(t, "en", "code_spent"))
	if p = at(t, b.Post(of(p, "/cadastro/codigo/novo"), nil), "/cadastro/codigo"); p.Status != http.StatusOK {
		t.Fatalf("resend: %d", p.Status)
	}
	next := awaitCode(t, city, novoEmail, code)
	at(t, b.Form(p, with("code", " "+next[:3]+"-"+next[3:]+" ")), "/cadastro/dados")
}

func TestAnExpiredPageSaysSoInTheCitizensLanguage(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{biblioteca})
	for lang, title := range map[string]string{"pt-BR": "", "es": "", "en": ""} {
		b := city.Browser(t)
		p := at(t, b.Open(everything(city, "biblioteca", "ui_locales", lang)), "/entrar")
		city.Advance(31 * time.Minute)
		p = b.Form(p, with("cpf", maria))
		title = look(t).Text(lang, "failure.expired.title", nil)
		if p.Status != http.StatusGone || !strings.Contains(p.Body, "<h1>"+title+"</h1>") || !strings.Contains(p.Body, `<html lang="`+lang+`"`) {
			t.Errorf("%s: %d\n%s", lang, p.Status, p.Body)
		}
	}
}
