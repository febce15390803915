package themes

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestEveryPageIsSoundInEveryLanguageAndCity(t *testing.T) {
	t.Parallel()
	for _, city := range cities {
		r := load(t, city)
		for _, lang := range Languages {
			for _, s := range samples() {
				s.frame.Lang = lang
				t.Run(city+"/"+lang+"/"+s.name, func(t *testing.T) {
					out, err := r.Render(s.frame, s.view)
					if err != nil {
						t.Fatal(err)
					}
					for _, fault := range faults(string(out), lang) {
						t.Error(fault)
					}
				})
			}
		}
	}
}

// Without this the checks above could pass because they see nothing.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	whole := `<!doctype html><html lang="en"><head><title>T</title></head><body><main><h1>A</h1>%s</main></body></html>`
	for name, body := range map[string]string{
		"not closed":      `<div><p>x</div>`,
		"second h1":       `<h1>B</h1>`,
		"inline style":    `<p style="color:red">x</p>`,
		"style element":   `<style>p{}</style>`,
		"inline script":   `<script>x()</script>`,
		"handler":         `<p onclick="x()">x</p>`,
		"no label":        `<input type="text" id="a" name="a">`,
		"label to none":   `<label for="b">B</label>`,
		"describes none":  `<label for="a">A</label><input type="text" id="a" aria-describedby="gone">`,
		"same id":         `<p id="a">x</p><p id="a">y</p>`,
		"filtered":        `<a href="#ZgotmplZ">x</a>`,
		"image no alt":    `<img src="/x">`,
		"no value":        `<p>&lt;no value&gt;</p>`,
		"message id":      `<p>problem.cpf</p>`,
		"empty heading":   `<h2> </h2>`,
		"unnamed button":  `<button id="x"></button>`,
		"form validates":  `<form method="post"><label for="a">A</label><input id="a" type="text"></form>`,
		"tab order":       `<p tabindex="3">x</p>`,
		"javascript link": `<a href="javascript:x()">x</a>`,
	} {
		if len(faults(fmt.Sprintf(whole, body), "en")) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
	if got := faults(fmt.Sprintf(whole, `<p>fine</p>`), "en"); len(got) != 0 {
		t.Errorf("a sound page has faults: %v", got)
	}
}

func TestUnknownMessageStopsThePage(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for name, s := range map[string]sample{
		"claim":       {"", Frame{}, Profile{Fields: []Field{{Name: "shoe_size"}}}},
		"failure":     {"", Frame{}, Failure{Code: "strange"}},
		"problem":     {"", withProblem("strange", nil), Identify{}},
		"placeholder": {"", withProblem("throttled", nil), Identify{}},
		"level":       {"", Frame{}, Account{Level: 6}},
		"page":        {"", Frame{}, Static{Name: "outra"}},
		"link":        {"", Frame{}, Failure{Code: "expired", ReturnURL: "javascript:alert(1)"}},
	} {
		if out, err := r.Render(s.frame, s.view); err == nil || out != nil {
			t.Errorf("%s: got %d bytes and error %v, want an error alone", name, len(out), err)
		}
	}
}

func TestPasswordsNeverComeBack(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for _, view := range []View{Password{CPF: "529.982.247-25"}, Register{CPF: "1", Email: "a@b"}} {
		n := find(t, r, service(), view, func(n *html.Node) bool { return attr(n, "type") == "password" })
		if _, ok := lookup(n, "value"); ok {
			t.Errorf("%T: the password field carries a value", view)
		}
	}
}

func TestOptionalDataIsNeverTicked(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for _, s := range consentSamples() {
		n := find(t, r, s.frame, s.view, func(n *html.Node) bool { return attr(n, "type") == "checkbox" })
		if _, ok := lookup(n, "checked"); ok || attr(n, "name") != "optional" || attr(n, "value") != "cns" {
			t.Errorf("%s: checkbox %v", s.name, n.Attr)
		}
	}
}

func TestAllowAndDenyLookTheSame(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	s := consentSamples()[0]
	allow := find(t, r, s.frame, s.view, func(n *html.Node) bool { return attr(n, "id") == "allow" })
	deny := find(t, r, s.frame, s.view, func(n *html.Node) bool { return attr(n, "id") == "deny" })
	if attr(allow, "class") != attr(deny, "class") || allow.Parent != nil && allow.Parent.Data != deny.Parent.Data {
		t.Errorf("classes %q and %q", attr(allow, "class"), attr(deny, "class"))
	}
	if attr(allow, "value") != "allow" || attr(deny, "value") != "deny" || attr(deny, "name") != "decision" {
		t.Errorf("values %v and %v", allow.Attr, deny.Attr)
	}
}

func TestProblemComesFirstAndBesideTheField(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	f := withProblem("cpf", nil, FieldProblem{Field: "cpf", Code: "cpf"})
	out, err := r.Render(f, Identify{Action: "/entrar", CPF: "529.982.247-24"})
	if err != nil {
		t.Fatal(err)
	}
	page, said := string(out), r.Text("pt-BR", "problem.cpf", nil)
	if !strings.Contains(page, "<title>Erro: ") {
		t.Error("the title does not begin with Erro:")
	}
	if sum := strings.Index(page, `class="sum"`); sum < 0 || sum > strings.Index(page, "<h1") {
		t.Error("the summary is not above the heading")
	}
	if n := strings.Count(page, said); n != 2 {
		t.Errorf("%q is said %d times, want in the summary and beside the field", said, n)
	}
	in := find(t, r, f, Identify{CPF: "529.982.247-24"}, func(n *html.Node) bool { return attr(n, "id") == "cpf" })
	if attr(in, "aria-describedby") != "cpf-hint cpf-problem" || attr(in, "aria-invalid") != "true" || attr(in, "value") != "529.982.247-24" {
		t.Errorf("input %v", in.Attr)
	}
}

func TestBirthdateKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for typed, want := range map[string]string{"": "date", "1980-12-31": "date", "31/12/80": "text", "1980-13-31": "text"} {
		in := find(t, r, Frame{}, Profile{Fields: []Field{{Name: "birthdate", Value: typed}}},
			func(n *html.Node) bool { return attr(n, "id") == "birthdate" })
		if attr(in, "type") != want || attr(in, "value") != typed {
			t.Errorf("%q: type %s, value %q; want type %s", typed, attr(in, "type"), attr(in, "value"), want)
		}
	}
}

func TestLanguageLinksKeepThePage(t *testing.T) {
	t.Parallel()
	out, err := load(t, DefaultCity).Render(Frame{Lang: "en", Path: "/entrar?a=1&b=á"}, Identify{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<html lang="en">`,
		`href="/idioma?lang=es&amp;volta=%2fentrar%3fa%3d1%26b%3d%c3%a1" lang="es" hreflang="es"`,
		`href="/contraste?volta=%2fentrar%3fa%3d1%26b%3d%c3%a1"`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("page lacks %s", want)
		}
	}
}

func TestDatesAreLocal(t *testing.T) {
	t.Parallel()
	s := accountSamples()[0]
	for lang, want := range map[string]string{"pt-BR": "20/11/2026", "en": "20 November 2026"} {
		s.frame.Lang = lang
		out, err := load(t, DefaultCity).Render(s.frame, s.view)
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: no %s (error %v)", lang, want, err)
		}
	}
}

func TestPolicyLetsFormsEndOnlyWhereTheyMay(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	plain := r.CSP(Frame{})
	if !strings.HasSuffix(plain, "; form-action 'self'") || strings.Contains(plain, "unsafe") {
		t.Errorf("policy %s", plain)
	}
	got := r.CSP(Frame{FormAction: []string{
		"http://localhost:8090", "br.example.app:", "https://a.example; script-src *", "*", "javascript:", "https:", "https://a b", "'unsafe-inline'",
	}})
	if got != plain+" http://localhost:8090 br.example.app:" {
		t.Errorf("policy %s", got)
	}
}
