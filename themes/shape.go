package themes

import (
	"bytes"
	"crypto/rand"
	"strings"
	"sync"
	"sync/atomic"
)

// The two pages of every sign-in differ between citizens in the visit's id and the CPF alone. Both
// are written in characters that no escaper of html/template changes anywhere, so such a page is
// rendered once with marks in their place, and then pieced together for each visit.

// maxShapes bounds what is kept: two pages for each service, language and contrast.
const maxShapes = 4096

// shapes are the pages rendered with marks.
type shapes struct {
	visit, cpf string   // the marks: random, so that no service's name can hold one
	kept       sync.Map // shape → []piece
	count      atomic.Int64
}

func newShapes() *shapes { return &shapes{visit: rand.Text(), cpf: rand.Text()} }

// shape is all that such a page depends on, with marks for the visit's id and the CPF.
type shape struct {
	lang     string
	contrast bool
	service  Service // zero: none
	view     View
}

// piece is text and what follows it: the visit's id, the CPF, or nothing at the end.
type piece struct {
	text        []byte
	visit, last bool
}

// shaped tells whether this page may be pieced together, and from which shape; cpf is what it shows.
func (s *shapes) shaped(f Frame, v View) (of shape, cpf string, ok bool) {
	if f.Visit == "" || f.Problem != nil || f.SignedIn != "" || !unescaped(f.Visit) {
		return of, "", false
	}
	of = shape{lang: f.Lang, contrast: f.Contrast}
	if f.Service != nil {
		of.service = *f.Service
	}
	mark := func(url string) string { return strings.Replace(url, f.Visit, s.visit, 1) }
	switch v := v.(type) {
	case Identify:
		of.view = Identify{Action: mark(v.Action), RegisterURL: mark(v.RegisterURL), VisitorURL: mark(v.VisitorURL), VisitorLang: v.VisitorLang,
			CancelURL: mark(v.CancelURL), GovBRURL: mark(v.GovBRURL), CertificateURL: mark(v.CertificateURL),
			Passkey: PasskeyForm{mark(v.Passkey.Action), mark(v.Passkey.OptionsURL)}}
		return of, "", f.Path == v.Action && v.CPF == ""
	case Password:
		of.view = Password{Action: mark(v.Action), CPF: s.cpf, ChangeURL: mark(v.ChangeURL), RegisterURL: mark(v.RegisterURL),
			RecoverURL: mark(v.RecoverURL), GovBRURL: mark(v.GovBRURL), CertificateURL: mark(v.CertificateURL), Reauth: v.Reauth, Passkey: PasskeyForm{mark(v.Passkey.Action), mark(v.Passkey.OptionsURL)}}
		return of, v.CPF, f.Path == v.Action && unescaped(v.CPF)
	}
	return of, "", false
}

// unescaped says whether every context of HTML leaves a text as it is.
func unescaped(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// find returns the pieces of a shape; nil when it is new.
func (s *shapes) find(of shape) []piece {
	if found, ok := s.kept.Load(of); ok {
		return found.([]piece)
	}
	return nil
}

// keep cuts a page rendered with marks.
func (s *shapes) keep(of shape, html []byte) []piece {
	var all []piece
	for {
		at, visit := bytes.Index(html, []byte(s.visit)), true
		if cpf := bytes.Index(html, []byte(s.cpf)); cpf >= 0 && (at < 0 || cpf < at) {
			at, visit = cpf, false
		}
		if at < 0 {
			break
		}
		all = append(all, piece{text: html[:at], visit: visit})
		html = html[at+len(s.visit):] // both marks are of one length
	}
	all = append(all, piece{text: html, last: true})
	if s.count.Add(1) <= maxShapes {
		s.kept.Store(of, all)
	}
	return all
}

// join writes the page of one visit.
func join(all []piece, visit, cpf string) []byte {
	size := 0
	for _, p := range all {
		size += len(p.text) + max(len(visit), len(cpf))
	}
	html := make([]byte, 0, size)
	for _, p := range all {
		html = append(html, p.text...)
		switch {
		case p.last:
		case p.visit:
			html = append(html, visit...)
		default:
			html = append(html, cpf...)
		}
	}
	return html
}
