package themes

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"regexp"
	"strings"
)

//go:embed templates/*.html messages/*.json static/* all:city
var base embed.FS

// DefaultCity is the theme of a new installation.
const DefaultCity = "vila-esperanca"

// Renderer renders every page of one city. What it keeps of them changes no answer; it is safe for
// concurrent use.
type Renderer struct {
	city     City
	catalogs map[string]*catalog                      // by language
	pages    map[string]map[string]*template.Template // by language, then page
	assets   map[string]*asset                        // by plain name: "app.css"
	hashed   map[string]*asset                        // by served name: "app.0123456789ab.css"
	tokens   tokens
	shapes   *shapes
}

// Load prepares the pages of one city.
//
//	overlayDir  directory of city folders that add to or replace the embedded ones; "" none
//	city        folder name, a–z 0–9 and dashes; "" is DefaultCity
//
// The error joins every fault found, each with its file and, in stylesheets, its line.
func Load(overlayDir, city string) (*Renderer, error) {
	if city == "" {
		city = DefaultCity
	}
	files, err := openCity(overlayDir, city)
	if err != nil {
		return nil, err
	}
	r := &Renderer{shapes: newShapes()}
	var errCity, errTokens, errMessages, errAssets error
	r.city, errCity = readCity(files)
	r.tokens, errTokens = readTokens(files)
	r.city.Brand = r.tokens["--brand"]
	r.catalogs, errMessages = readMessages(files, r.city)
	errAssets = r.readAssets(files)
	if err := errors.Join(errCity, errTokens, errMessages, errAssets); err != nil {
		return nil, fmt.Errorf("theme %s: %w", city, err)
	}
	r.pages, err = r.parsePages()
	return r, err
}

// City gives the names and contacts of the city, for mails and logs.
func (r *Renderer) City() City { return r.city }

// page is what the templates see.
type page struct {
	F    Frame
	V    View
	Page string
	City City
}

// Render gives one whole page as HTML, in UTF-8. A language outside Languages reads as the default.
// A missing message or placeholder is an error: a citizen never sees a message id.
func (r *Renderer) Render(f Frame, v View) ([]byte, error) {
	f.Lang = known(f.Lang)
	of, cpf, ok := r.shapes.shaped(f, v)
	if !ok {
		return r.render(f, v)
	}
	pieces := r.shapes.find(of)
	if pieces == nil {
		marked := f
		marked.Path = strings.Replace(f.Path, f.Visit, r.shapes.visit, 1)
		html, err := r.render(marked, of.view)
		if err != nil {
			return nil, err
		}
		pieces = r.shapes.keep(of, html)
	}
	return join(pieces, f.Visit, cpf), nil
}

func (r *Renderer) render(f Frame, v View) ([]byte, error) {
	t, ok := r.pages[f.Lang][v.page()]
	if !ok {
		return nil, fmt.Errorf("page %s: no template", v.page())
	}
	var buf bytes.Buffer
	buf.Grow(8 << 10)
	if err := t.ExecuteTemplate(&buf, "layout", page{F: f, V: v, Page: v.page(), City: r.city}); err != nil {
		return nil, fmt.Errorf("page %s in %s: %w", v.page(), f.Lang, err)
	}
	return buf.Bytes(), nil
}

// formTarget is a CSP source for form-action: an origin, or a private-use scheme (RFC 8252 §7.1).
var formTarget = regexp.MustCompile(`^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|[a-z][a-z0-9+-]*\.[a-z0-9.+-]*:)$`)

// CSP gives the Content-Security-Policy of a page (CSP Level 3). Entries of f.FormAction that are
// no origin and no private-use scheme are left out, so that no caller can widen the policy.
func (r *Renderer) CSP(f Frame) string {
	var b strings.Builder
	b.WriteString("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	for _, target := range f.FormAction {
		if formTarget.MatchString(target) {
			b.WriteString(" " + target)
		}
	}
	return b.String()
}
