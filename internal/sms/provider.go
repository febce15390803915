package sms

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

//go:embed presets/*.yaml
var presets embed.FS

// Provider describes an HTTP API in a YAML file, so that a city's contract needs no code. url, headers
// and body are text/template over [submission]; the other texts are JSON pointers (RFC 6901), into
// forms too.
type Provider struct {
	Name    string            `yaml:"name"`
	URL     string            `yaml:"url"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
	Success []int             `yaml:"success"`
	// NotTaken are HTTP statuses after which the provider surely does not have the message and may
	// take it later; other 4xx are refusals, and everything else is in doubt.
	NotTaken []int   `yaml:"not_taken"`
	ID       string  `yaml:"id"`      // the provider's name for the message, in a successful answer
	Error    string  `yaml:"error"`   // its code, in another
	Refused  Refused `yaml:"refused"` // a refusal inside a successful answer
	Status   Webhook `yaml:"status"`

	url, body *template.Template
	headers   map[string]*template.Template
}

// Refused is where an answer tells of a refusal, and by which words.
type Refused struct {
	At     string   `yaml:"at"`
	Values []string `yaml:"values"`
}

// Webhook says how a provider tells of statuses.
type Webhook struct {
	Auth   Auth             `yaml:"auth"`
	Format string           `yaml:"format"` // json or form
	List   string           `yaml:"list"`   // where several come at once; the other pointers start there
	ID     string           `yaml:"id"`
	State  string           `yaml:"state"`
	Reason string           `yaml:"reason"`
	States map[string]State `yaml:"states"` // words that are an end; others change nothing
}

// Auth says how a provider proves that a status is its own.
//
// query: the parameter key is the webhook secret, or, in the URL given with one message, that
// message's own key. hmac: a header is prefix and HMAC-SHA256, under the webhook secret, of another
// header's seconds since 1970, a full stop, and the body; the URL given with a message has its key too.
type Auth struct {
	Kind      string `yaml:"kind"`      // query or hmac
	Header    string `yaml:"header"`    // hmac: X-Signature
	Prefix    string `yaml:"prefix"`    // hmac: sha256=
	Encoding  string `yaml:"encoding"`  // hmac: hex or base64
	Timestamp string `yaml:"timestamp"` // hmac: X-Timestamp
}

var notTaken = []int{401, 402, 403, 404, 408, 425, 429, 503}

// Presets lists the providers that are built in.
func Presets() []string {
	entries, _ := presets.ReadDir("presets") // embedded: it is there
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	return names
}

// LoadProvider reads a preset by its name, or a file. The error names everything that is wrong.
func LoadProvider(nameOrPath string) (*Provider, error) {
	raw, err := presets.ReadFile("presets/" + nameOrPath + ".yaml")
	if err != nil {
		if raw, err = os.ReadFile(nameOrPath); err != nil {
			return nil, fmt.Errorf("%q is neither a file nor one of %s", nameOrPath, strings.Join(Presets(), ", "))
		}
	}
	return ParseProvider(raw)
}

// ParseProvider reads a description and tries it: a template that forgets to escape is refused here.
func ParseProvider(raw []byte) (*Provider, error) {
	p := &Provider{NotTaken: notTaken}
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(p); err != nil {
		return nil, err
	}
	return p, errors.Join(p.check(), p.compile())
}

var providerName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,29}$`)

func (p *Provider) check() error {
	var faults []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	want(providerName.MatchString(p.Name) && p.Name != "smpp" && p.Name != "outbox", "name: %q is not a–z, 0–9 and -", p.Name)
	want(len(p.Success) > 0, "success: is missing")
	for name, at := range map[string]string{"id": p.ID, "error": p.Error, "refused.at": p.Refused.At, "status.list": p.Status.List,
		"status.id": p.Status.ID, "status.state": p.Status.State, "status.reason": p.Status.Reason} {
		want(at == "" || at[0] == '/', "%s: %q is not a JSON pointer", name, at)
	}
	a := p.Status.Auth
	want(slices.Contains([]string{"", "query", "hmac"}, a.Kind), "status.auth.kind: %q is neither query nor hmac", a.Kind)
	want(a.Kind != "hmac" || a.Header != "" && a.Timestamp != "", "status.auth: hmac needs header and timestamp")
	want(a.Kind != "hmac" || a.Encoding == "hex" || a.Encoding == "base64", "status.auth.encoding: %q is neither hex nor base64", a.Encoding)
	want(a.Kind == "" || p.Status.State != "" && len(p.Status.States) > 0, "status: state and states are missing")
	want(a.Kind == "" || p.Status.Format == "json" || p.Status.Format == "form", "status.format: %q is neither json nor form", p.Status.Format)
	for word, state := range p.Status.States {
		want(state.Final(), "status.states.%s: %q is not delivered, failed or expired", word, state)
	}
	return errors.Join(faults...)
}

// submission is what the templates see.
type submission struct {
	Base, Account, Secret, From string // of the configuration; Base has no user in it
	ID, To, Digits, Text        string // To with "+", Digits without
	StatusURL                   string // for this message; "" where there is no webhook
	Seconds, Minutes            int    // how long it may still be delivered, at least 1
}

var functions = template.FuncMap{
	"json": func(s string) (string, error) { b, err := json.Marshal(s); return string(b), err },
	"form": url.QueryEscape, "path": url.PathEscape, "hasPrefix": strings.HasPrefix,
	"basic": func(user, password string) string {
		return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	},
}

func (p *Provider) compile() (err error) {
	parse := func(name, text string) *template.Template {
		t, e := template.New(name).Funcs(functions).Parse(text)
		err = errors.Join(err, e)
		return t
	}
	p.url, p.body, p.headers = parse("url", p.URL), parse("body", p.Body), map[string]*template.Template{}
	for name, text := range p.Headers {
		p.headers[name] = parse(name, text)
	}
	if err != nil {
		return err
	}
	return p.try()
}

// nasty breaks every format that it is put into unescaped.
const nasty = "a\"b\\c&d=e%f+g\nh<i>'j"

// try fills the templates with it and reads it back.
func (p *Provider) try() error {
	r, err := p.render(submission{Base: "https://api.example.org", Account: "a", Secret: "s", From: "f", ID: "i", To: "+5511987654321",
		Digits: "5511987654321", Text: nasty, StatusURL: "https://id.example.org/sms/status?key=k", Seconds: 1, Minutes: 1})
	if err != nil {
		return err
	}
	if u, err := url.Parse(r.url); err != nil || u.Host != "api.example.org" {
		return errors.New("url: must begin with {{.Base}}")
	}
	form, errForm := url.ParseQuery(r.body)
	var tree any
	errJSON := json.Unmarshal([]byte(r.body), &tree)
	switch {
	case strings.Contains(r.headers["Content-Type"], "json") && errJSON == nil && holds(tree, nasty):
	case strings.Contains(r.headers["Content-Type"], "form") && errForm == nil && holds(any(form), nasty):
	default:
		return errors.New("body: does not give the text back; is it escaped ({{json .Text}}, {{form .Text}}), and the header Content-Type right?")
	}
	return nil
}

// holds says whether a text is one of the strings of a tree.
func holds(tree any, text string) bool {
	switch t := tree.(type) {
	case string:
		return t == text
	case []any:
		return slices.ContainsFunc(t, func(e any) bool { return holds(e, text) })
	case map[string]any:
		for _, e := range t {
			if holds(e, text) {
				return true
			}
		}
	case url.Values:
		for _, e := range t {
			if slices.Contains(e, text) {
				return true
			}
		}
	}
	return false
}

// rendered is one request's texts.
type rendered struct {
	url, body string
	headers   map[string]string
}

func (p *Provider) render(s submission) (r rendered, err error) {
	fill := func(t *template.Template) string {
		var b strings.Builder
		err = errors.Join(err, t.Execute(&b, s))
		return b.String()
	}
	r = rendered{url: fill(p.url), body: fill(p.body), headers: map[string]string{}}
	for name, t := range p.headers {
		r.headers[name] = fill(t)
	}
	return r, err
}
