package testbrowser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/testbrowser"
)

// The site remembers a name in a cookie, under a policy as strict as ours.
func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		name := ""
		if c, err := r.Cookie("name"); err == nil {
			name, _ = url.QueryUnescape(c.Value)
		}
		page(w, "Entrar", fmt.Sprintf(`<h1>Olá,   %s</h1><p id="lang">%s</p><p id="script">sem script</p>
			<form method="post"><label for="name">Nome</label><input id="name" name="name" value="antigo" required>
			<label for="birthdate">Nascimento</label><input id="birthdate" name="birthdate" inputmode="numeric">
			<button id="continue">Continuar</button></form>
			<script src="/app.js"></script>`, name, r.Header.Get("Accept-Language")))
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "name", Value: url.QueryEscape(r.PostFormValue("name") + "/" + r.PostFormValue("birthdate"))})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /app.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprint(w, `document.getElementById("script").textContent = "com script"`)
	})
	mux.HandleFunc("GET /wide", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		page(w, "Larga", `<h1>Larga</h1><img src="x.png" width="500" height="10"><input>`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func page(w http.ResponseWriter, title, body string) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; form-action 'self'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="pt-BR"><meta name="viewport" content="width=device-width"><title>%s</title><main>%s</main></html>`, title, body)
}

func TestCitizenFillsAFormAndFollowsIt(t *testing.T) {
	t.Parallel()

	base := site(t)
	b := testbrowser.New(t)
	if status := b.Open(base + "/"); status != http.StatusOK {
		t.Fatal(status)
	}
	b.Fill("name", "Maria")
	b.Fill("birthdate", "1980-01-02")
	if b.Value("name") != "Maria" || b.Focused() != "birthdate" {
		t.Fatalf("name %q, focus on %q", b.Value("name"), b.Focused())
	}
	b.DontSee("Maria")
	if status := b.Submit("continue"); status != http.StatusOK {
		t.Fatal(status)
	}
	b.See("Olá, Maria/1980-01-02")
	if got := b.URL() + "|" + b.Title() + "|" + b.Text("#lang") + "|" + b.AwaitURL(base); got != base+"/|Entrar|pt-BR|"+base+"/" {
		t.Fatal(got)
	}
	b.See("com script")
	if !b.Has("main form") || b.Has("main table") {
		t.Fatal("Has")
	}
	b.Axe()
	b.NoOverflow(320)
}

func TestBrowsersShareNothing(t *testing.T) {
	t.Parallel()

	base := site(t)
	one, two := testbrowser.New(t), testbrowser.New(t, testbrowser.Lang("es"))
	one.Open(base + "/")
	one.Fill("name", "Maria")
	one.Submit("continue")
	one.See("Maria")
	two.Open(base + "/")
	two.DontSee("Maria")
	if got := two.Text("#lang"); got != "es" {
		t.Fatal(got)
	}
}

func TestPageWithoutScriptsStillSubmits(t *testing.T) {
	t.Parallel()

	base := site(t)
	b := testbrowser.New(t, testbrowser.NoJS())
	b.Open(base + "/")
	b.See("sem script")
	b.Fill("name", "João")
	b.Submit("continue")
	b.See("Olá, João")
	b.DontSee("com script")
}

func TestFaultsOfAPageAreFound(t *testing.T) {
	t.Parallel()

	base := site(t)
	heard := &listener{TB: t}
	b := testbrowser.New(heard)
	if status := b.Open(base + "/wide"); status != http.StatusTeapot {
		t.Fatal(status)
	}
	b.Axe()
	if all := strings.Join(heard.said, "\n"); !strings.Contains(all, "image-alt") || !strings.Contains(all, "label") {
		t.Fatalf("axe said: %s", all)
	}
	heard.said = nil
	b.NoOverflow(320)
	if all := strings.Join(heard.said, "\n"); !strings.Contains(all, "overflows 320 px") {
		t.Fatalf("NoOverflow said: %s", all)
	}
}

func TestShotIsAPictureOfTheAskedWidth(t *testing.T) {
	t.Setenv("LOGINUNICO_SHOTS", t.TempDir())
	b := testbrowser.New(t)
	b.Open(site(t) + "/")
	picture, err := os.ReadFile(b.Shot("entrar", 360))
	if err != nil || !strings.HasPrefix(string(picture), "\x89PNG") {
		t.Fatal(err, len(picture))
	}
	if width := int(picture[18])<<8 | int(picture[19]); width != 360 { // PNG §11.2.1 IHDR
		t.Fatal(width)
	}
}

// listener hears what a browser would fail its test with.
type listener struct {
	testing.TB
	said []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf(format, args...))
}
