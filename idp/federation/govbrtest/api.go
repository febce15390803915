package govbrtest

import (
	"net/http"
	"slices"
	"strings"
)

// bearer finds whose access token it is and whether it covers a scope; under the lock.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request, scope string) (request, *Person, bool) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	one, known := s.tokens[token]
	if !ok || !known {
		problem(w, http.StatusUnauthorized, "ACCESSTOKEN_MUSTBEVALID", "O access token deve ser válido")
		return one, nil, false
	}
	if !one.has(scope) {
		problem(w, http.StatusForbidden, "ACCESSTOKEN_SCOPE_MUSTCONTAINSEXPECTEDSCOPE", "O access token não tem o escopo "+scope)
		return one, nil, false
	}
	p := s.person(one.cpf)
	return one, p, p != nil
}

// own lets an access token ask about its own CPF alone.
func (s *Server) own(w http.ResponseWriter, r *http.Request, scope, cpf string) (*Person, bool) {
	_, p, ok := s.bearer(w, r, scope)
	if ok && p.CPF != cpf {
		problem(w, http.StatusForbidden, "ACCESSTOKEN_MUSTBEVALID", "O access token é de outra pessoa")
		return nil, false
	}
	return p, ok
}

// levels lists the account's level and those below, each since when.
func (s *Server) levels(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.own(w, r, "govbr_confiabilidades", r.PathValue("cpf"))
	if !ok {
		return
	}
	since := s.Now()
	if len(p.Seals) > 0 {
		since = p.Seals[len(p.Seals)-1].At
	}
	answer(w, http.StatusOK, []map[string]string{{"id": numbers[p.Level], "dataAtualizacao": since.In(brasilia).Format(layout)}})
}

func (s *Server) seals(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.own(w, r, "govbr_confiabilidades", r.PathValue("cpf")); ok {
		answer(w, http.StatusOK, p.sealList("dataAtualizacao"))
	}
}

func (s *Server) companies(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.own(w, r, "govbr_empresa", r.URL.Query().Get("filtrar-por-participante"))
	if !ok {
		return
	}
	list := []map[string]string{}
	for _, c := range p.Companies {
		list = append(list, map[string]string{"cnpj": c.CNPJ, "razaoSocial": c.Name, "dataCriacao": c.Since.In(brasilia).Format(layout)})
	}
	answer(w, http.StatusOK, list)
}

func (s *Server) participant(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.own(w, r, "govbr_empresa", r.PathValue("cpf"))
	if !ok {
		return
	}
	i := slices.IndexFunc(p.Companies, func(c Company) bool { return c.CNPJ == r.PathValue("cnpj") })
	if i < 0 {
		problem(w, http.StatusNotFound, "not_found", "Participante não encontrado")
		return
	}
	c := p.Companies[i]
	one := map[string]string{"cpf": p.CPF, "cadastrador": "false", "dataCriacao": c.Since.In(brasilia).Format(layout)}
	if !c.Until.IsZero() {
		one["dataExpiracao"] = c.Until.In(brasilia).Format(layout)
	}
	if c.Role != "" {
		one["atuacao"] = c.Role
	}
	if c.By != "" {
		one["cpfCadastrador"] = c.By
	}
	answer(w, http.StatusOK, one)
}

func (s *Server) x509info(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, p, ok := s.bearer(w, r, "govbr_recupera_certificadox509")
	if !ok {
		return
	}
	if !slices.Contains(p.amr(), "x509") {
		problem(w, http.StatusNotFound, "not_found", "Sem certificado")
		return
	}
	kind := "device"
	if !slices.Contains(p.amr(), "x509_token") {
		kind = "cloud"
	}
	answer(w, http.StatusOK, map[string]any{"provider": "standin", "amr": p.amr(), "certificate": "", "type": kind})
}

// raise is the page that takes an account to a higher level: niveis=(2/3) asks for any of them. Without
// anything it lists the accounts, for a newcomer.
func (s *Server) raise(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	live, ok := s.session(r)
	if len(q) == 0 {
		page(w, http.StatusOK, homePage, map[string]any{"People": s.people})
		return
	}
	if q.Get("client_id") != s.client.ID || !ok {
		refusal(w, http.StatusBadRequest, "invalid_client")
		return
	}
	page(w, http.StatusOK, raisePage, map[string]any{"Person": s.person(live.cpf), "Levels": strings.Trim(q.Get("niveis"), "()")})
}

// raised returns to the registered address, not to the one that was asked for.
func (s *Server) raised(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	live, ok := s.session(r)
	if !ok || len(s.client.RedirectURIs) == 0 {
		refusal(w, http.StatusBadRequest, "invalid_request")
		return
	}
	p := s.person(live.cpf)
	p.Level = "gold"
	p.Seals = append(p.Seals, Seal{"901", s.Now()})
	http.Redirect(w, r, s.client.RedirectURIs[0], http.StatusFound)
}
