package federation

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Settings of the city's registration at gov.br.
type Settings struct {
	Issuer      string   // https://sso.acesso.gov.br/, with or without its slash
	API         string   // "" is the issuer with api. for sso.
	ClientID    string   // a domain
	Secret      string   // of the client
	RedirectURI string   // as registered, to the letter
	LogoutURI   string   // where gov.br returns after its logout, as registered; "" leaves the citizen there
	Scopes      []string // empty: DefaultScopes
}

// DefaultScopes are what a sign-in needs: who, and how surely gov.br knows it.
var DefaultScopes = []string{"openid", "email", "phone", "profile", "govbr_confiabilidades", "govbr_confiabilidades_idtoken"}

// ScopeCompanies lets [Connector.Finish] ask which companies the person stands for.
const ScopeCompanies = "govbr_empresa"

// On says whether the city uses gov.br.
func (s Settings) On() bool { return s.Issuer != "" }

// complete fills in what follows from the rest. Its error names every fault.
func (s Settings) complete() (Settings, error) {
	var faults []error
	s.Issuer = strings.TrimSuffix(s.Issuer, "/")
	issuer, err := address(s.Issuer)
	if err != nil {
		faults = append(faults, fmt.Errorf("issuer: %w", err))
	} else if s.API == "" {
		api := *issuer
		api.Host = strings.Replace(api.Host, "sso.", "api.", 1)
		s.API = api.String()
	}
	s.API = strings.TrimSuffix(s.API, "/")
	if _, err := address(s.API); err != nil && issuer != nil {
		faults = append(faults, fmt.Errorf("API: %w", err))
	}
	if _, err := url.ParseRequestURI(s.RedirectURI); err != nil {
		faults = append(faults, errors.New("redirect URI: not a URL"))
	}
	if s.ClientID == "" || s.Secret == "" {
		faults = append(faults, errors.New("client id and secret are both needed"))
	}
	if len(s.Scopes) == 0 {
		s.Scopes = DefaultScopes
	}
	if !slices.Contains(s.Scopes, "openid") {
		faults = append(faults, errors.New("scopes lack openid"))
	}
	return s, errors.Join(faults...)
}

// address reads scheme://host[:port]. Plain http is for the stand-in on this machine alone.
func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not https://host", text)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("%q is not https", text)
	}
	return u, nil
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// Local says whether these settings lead to a stand-in on this machine, which production refuses.
func (s Settings) Local() bool {
	for _, text := range []string{s.Issuer, s.API} {
		if u, err := url.Parse(text); err == nil && loopback(u.Hostname()) {
			return true
		}
	}
	return false
}
