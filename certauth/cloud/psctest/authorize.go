package psctest

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/loginunico/loginunico/internal/secret"
)

func alias(h *Holder) string { return "slot-" + h.CPF[:3] + h.CPF[9:] }

// authorize shows the page, or rings the telephone.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a := &request{id: secret.Token(), state: q.Get("state"), challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri"), hint: q.Get("login_hint")}
	a.push = a.redirect == "push://"
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case q.Get("client_id") != s.client.ID || !a.push && a.redirect != s.client.RedirectURI:
		fault(w, http.StatusBadRequest, "invalid_client")
		return
	case q.Get("response_type") != "code" || q.Get("scope") != "single_signature" || q.Get("code_challenge_method") != "S256" || len(a.challenge) != 43 || a.push && a.hint == "":
		fault(w, http.StatusBadRequest, "invalid_request")
		return
	case a.push && s.holder(a.hint) == nil:
		fault(w, http.StatusBadRequest, "user_not_found")
		return
	}
	s.rung++
	a.n = s.rung
	s.asked[a.id] = a
	if a.push {
		answer(w, http.StatusOK, map[string]string{"code": a.id})
		return
	}
	people := s.holders
	if h := s.holder(a.hint); h != nil {
		people = []Holder{*h}
	}
	show(w, consentPage, map[string]any{"ID": a.id, "Client": s.client.ID, "People": people, "Push": false})
}

// decide is what the citizen presses, on the page or on the telephone.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.asked[r.PostFormValue("id")]
	if a == nil || a.denied || a.holder != nil {
		fault(w, http.StatusBadRequest, "invalid_request")
		return
	}
	back := url.Values{"state": {a.state}}
	if h := s.holder(r.PostFormValue("cpf")); h != nil && (!a.push || h.CPF == a.hint) {
		a.holder, a.code = h, secret.Token()
		s.codes[a.code] = a
		back.Set("code", a.code)
	} else {
		a.denied = true
		back.Set("error", "user_denied")
	}
	if a.push {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	delete(s.asked, a.id)
	http.Redirect(w, r, a.redirect+"?"+back.Encode(), http.StatusSeeOther)
}

func (s *Server) authentications(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.asked[r.URL.Query().Get("code")]
	switch {
	case a == nil || !a.push:
		fault(w, http.StatusNotFound, "invalid_request")
	case a.denied:
		fault(w, http.StatusForbidden, "user_denied")
	case a.holder == nil:
		answer(w, http.StatusAccepted, map[string]string{"status": "pending"})
	default:
		answer(w, http.StatusOK, map[string]string{"authorizationToken": a.code, "redirectUrl": "push://?code=" + a.id + "&state=NONE"})
	}
}

// token is RFC 6749 §4.1.3 with RFC 7636 §4.6.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.PostFormValue("client_id") != s.client.ID || r.PostFormValue("client_secret") != s.client.Secret {
		fault(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	a := s.codes[r.PostFormValue("code")]
	delete(s.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if a == nil || r.PostFormValue("grant_type") != "authorization_code" || base64.RawURLEncoding.EncodeToString(sum[:]) != a.challenge ||
		!a.push && r.PostFormValue("redirect_uri") != a.redirect {
		fault(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	access := secret.Token()
	s.tokens[access] = a
	answer(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 600, "scope": "single_signature",
		"authorized_identification": a.holder.CPF, "authorized_identification_type": "CPF", "slot_alias": alias(a.holder)})
}

// telephones shows every telephone that rings, the latest first.
func (s *Server) telephones(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ringing []map[string]any
	latest := slices.SortedFunc(maps.Values(s.asked), func(a, b *request) int { return b.n - a.n })
	for _, a := range latest {
		if h := s.holder(a.hint); a.push && a.holder == nil && !a.denied && h != nil {
			ringing = append(ringing, map[string]any{"ID": a.id, "CPF": h.CPF, "Name": h.Name})
		}
	}
	show(w, telephonePage, map[string]any{"Client": s.client.ID, "Ringing": ringing, "People": s.holders})
}

func show(w http.ResponseWriter, page *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = page.Execute(w, data) // the browser may be gone
}

const head = `<!doctype html><html lang="pt-BR"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{template "title" .}} · PSC de mentira</title>
<style>body{font:18px/1.5 sans-serif;margin:0;color:#222}main{max-width:30rem;margin:2rem auto;padding:0 1rem}
header{background:#123c2f;color:#fff;padding:.6rem 1rem}button{font:inherit;padding:.5rem .8rem;margin:.2rem 0;width:100%;box-sizing:border-box;text-align:left}</style></head>
<body><header><strong>Certificado em nuvem</strong> de mentira: só existe nesta demonstração</header><main><h1>{{template "title" .}}</h1>`

const foot = `</main></body></html>`

func parse(text string) *template.Template { return template.Must(template.New("page").Parse(text)) }

var consentPage = parse(`{{define "title"}}Autorizar uma assinatura{{end}}` + head + `
<p><strong>{{.Client}}</strong> pede uma assinatura com o seu certificado. Quem assina?</p>
<form method="post" action="/decide"><input type="hidden" name="id" value="{{.ID}}">
{{range .People}}<button id="holder-{{.CPF}}" name="cpf" value="{{.CPF}}">{{.Name}} <small>(e-CPF A3 em nuvem)</small></button>
{{end}}<button id="deny" name="cpf" value="">Negar</button></form>` + foot)

var telephonePage = parse(`{{define "title"}}Celulares desta demonstração{{end}}` + head + `
{{range .Ringing}}<form method="post" action="/decide"><input type="hidden" name="id" value="{{.ID}}">
<p><strong>{{.Name}}</strong>: {{$.Client}} pede uma assinatura.</p>
<button id="allow-{{.CPF}}" name="cpf" value="{{.CPF}}">Autorizar</button><button id="deny-{{.CPF}}" name="cpf" value="">Negar</button></form>
{{else}}<p>Nenhum celular toca agora. Há certificados de:</p><ul>{{range .People}}<li>{{.Name}}</li>{{end}}</ul>{{end}}` + foot)
