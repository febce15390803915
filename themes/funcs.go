package themes

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"
)

// pageNames are the templates, one per View.
var pageNames = []string{
	"identify", "password", "second_step", "govbr_why", "govbr_account", "certificate", "certificate_why", "certificate_account", "certificate_ways", "cloud_wait", "cloud_why", "signature", "code", "register", "profile", "company", "consent", "select_account", "level_too_low",
	"recover", "recover_code", "recover_link", "recover_question", "recover_desk", "new_password",
	"visitor_phone", "visitor_code", "visitor_who", "visitor_cpf", "not_employee",
	"logout", "logged_out", "account", "level", "security", "security_history", "change", "app_setup", "spare_codes", "sign_in_again", "not_me",
	"applications", "failure", "form_post", "static",
}

// languageNames are the language links, each in its own language.
var languageNames = []struct{ Code, Name string }{{"pt-BR", "Português"}, {"es", "Español"}, {"en", "English"}}

// tabs are the pages of the account, in order.
var tabs = []tab{{"account", "/conta", "account.title"}, {"security", "/conta/seguranca", "security.title"},
	{"applications", "/conta/aplicacoes", "applications.title"}}

type tab struct{ Page, Path, Title string }

// parsePages parses every page once per language, because the functions know their language.
func (r *Renderer) parsePages() (map[string]map[string]*template.Template, error) {
	all := map[string]map[string]*template.Template{}
	for _, lang := range Languages {
		all[lang] = map[string]*template.Template{}
		for _, name := range pageNames {
			t, err := template.New(name).Funcs(r.funcs(r.catalogs[lang])).
				ParseFS(base, "templates/layout.html", "templates/"+name+".html")
			if err != nil {
				return nil, err
			}
			r.fold(t, r.catalogs[lang])
			all[lang][name] = t
		}
	}
	return all, nil
}

func (r *Renderer) funcs(c *catalog) template.FuncMap {
	return template.FuncMap{
		"t":               c.say,
		"text":            c.text,
		"level":           func(n int) (string, error) { return c.text(fmt.Sprintf("level.%d", n), nil) },
		"show":            c.show,
		"date":            func(t time.Time) string { return c.day(t.In(r.city.zone)) },
		"field":           c.field,
		"profilefield":    c.profileField,
		"countryfield":    c.countryField,
		"documentkinds":   c.documentKinds,
		"documentcountry": c.documentCountry,
		"documentnumber":  c.documentNumber,
		"moment":          func(t time.Time) string { return r.Moment(c.lang, t) },
		"tabs":            func() []tab { return tabs },
		"sections":        c.sections,
		"asset":           r.url,
		"accent":          r.accentURL,
		"outside":         outside,
		"repeated":        repeated,
		"languages":       func() any { return languageNames },
		"levels":          func() []int { return []int{1, 2, 3, 4, 5} },
		"next":            nextLevel,
	}
}

// say is t in the templates: message id, then placeholders as name, value.
func (c *catalog) say(id string, args ...any) (string, error) {
	if len(args) == 0 {
		return c.text(id, nil)
	}
	values, err := pairsOf(args)
	if err != nil {
		return "", fmt.Errorf("message %q: %w", id, err)
	}
	return c.text(id, values)
}

// nextLevel is the trust level above n; 0 when there is none.
func nextLevel(n int) int {
	if n >= 5 {
		return 0
	}
	return n + 1
}

// repeated tells that the summary's own sentence is the only field's message, to be said once.
func repeated(p *Problem) bool { return len(p.Fields) == 1 && p.Fields[0].Code == p.Code }

// outside lets a registered address through to href and action. html/template knows only http,
// https and mailto; an app's own scheme has a dot in it (RFC 8252 §7.1), which javascript: has not.
func outside(address string) (template.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("link: %w", err)
	}
	switch {
	case u.Scheme == "http", u.Scheme == "https", strings.Contains(u.Scheme, "."):
		return template.URL(u.String()), nil
	case u.Scheme == "" && strings.HasPrefix(address, "/"):
		return template.URL(u.String()), nil
	}
	return "", fmt.Errorf("link: scheme %q is not allowed", u.Scheme)
}

// section is one part of a page of text.
type section struct {
	Title             string
	Paragraphs, Items []string
}

// sections gathers static.<name>.<n>.title, .<m> and .item<m>, counted from 1.
func (c *catalog) sections(name string) []section {
	var all []section
	for n := 1; ; n++ {
		id := fmt.Sprintf("static.%s.%d", name, n)
		title, ok := c.ready[id+".title"]
		if !ok {
			return all
		}
		all = append(all, section{title, c.list(id + "."), c.list(id + ".item")})
	}
}

func (c *catalog) list(prefix string) []string {
	var all []string
	for n := 1; ; n++ {
		text, ok := c.ready[fmt.Sprintf("%s%d", prefix, n)]
		if !ok {
			return all
		}
		all = append(all, text)
	}
}
