package client

import (
	"net/url"
	"slices"
	"strings"

	"github.com/loginunico/loginunico/registry/staff"
)

// check looks at what fields say together, and fills in the defaults that depend on others.
func (m *Manifest) check(d *decoder) {
	for _, key := range []string{"id", "name", "department", "contact"} {
		d.required("", key)
	}
	if !d.Given("languages") {
		m.Languages = []string{languages[0]}
	}
	d.notEmpty("languages", m.Languages)
	m.checkGrants(d)
	m.checkAPIScopes(d)
	m.checkAuth(d)
	m.checkSector(d)
	m.checkInternal(d)
	m.checkStaffOnly(d)
}

func (m *Manifest) checkGrants(d *decoder) {
	if !d.Given("grants") {
		m.Grants = []string{GrantAuthorizationCode, GrantRefreshToken}
	}
	d.notEmpty("grants", m.Grants)
	d.notEmpty("redirect_uris", m.RedirectURIs)
	code := m.HasGrant(GrantAuthorizationCode)
	if code && !d.Given("redirect_uris") {
		d.FaultAt("redirect_uris", "required", "is missing; grant %s needs one", GrantAuthorizationCode)
	}
	if m.HasGrant(GrantRefreshToken) && !code {
		d.FaultAt("grants", "value", "%s needs %s", GrantRefreshToken, GrantAuthorizationCode)
	}
	if m.HasGrant(GrantClientCredentials) && m.Auth == AuthNone {
		d.FaultAt("grants", "value", "%s needs a client that authenticates; auth is none", GrantClientCredentials)
	}
}

// checkAPIScopes keeps scopes about a person out of tokens that are about a service.
func (m *Manifest) checkAPIScopes(d *decoder) {
	if len(m.APIScopes) > 0 && !m.HasGrant(GrantClientCredentials) {
		d.FaultAt("api_scopes", "value", "is for the grant %s", GrantClientCredentials)
	}
	personal := append(Scopes(), ScopeOpenID, ScopeOffline)
	for _, scope := range m.APIScopes {
		if slices.Contains(personal, scope) {
			d.FaultAt("api_scopes", "value", "%s asks about a person; %s has none", scope, GrantClientCredentials)
		}
	}
}

// notEmpty faults a list that was given and has nothing in it.
func (d *decoder) notEmpty(path string, list []string) {
	if d.Given(path) && len(list) == 0 && !d.Faulty(path) {
		d.FaultAt(path, "required", "must not be empty")
	}
}

func (m *Manifest) checkAuth(d *decoder) {
	if m.Auth == AuthPrivateKeyJWT && !d.Given("jwks") {
		d.FaultAt("jwks", "required", "is missing; auth %s needs the public keys", AuthPrivateKeyJWT)
	}
	m.checkSchemes(d, "redirect_uris", m.RedirectURIs)
	m.checkSchemes(d, "post_logout_redirect_uris", m.PostLogoutRedirectURIs)
}

func (m *Manifest) checkSchemes(d *decoder, path string, uris []string) {
	for _, uri := range uris {
		if m.Auth != AuthNone && !isWeb(uri) {
			d.FaultAt(path, "value", "%s has a private-use scheme, which is for auth none (RFC 8252 §7.1)", uri)
		}
	}
}

// checkSector derives the sector of pairwise subjects: OIDC Core §8.1.
func (m *Manifest) checkSector(d *decoder) {
	if m.Subject == SubjectPublic {
		if m.Sector != "" {
			d.FaultAt("sector", "value", "is for pairwise subjects")
		}
		return
	}
	if m.Sector != "" || !m.HasGrant(GrantAuthorizationCode) || d.Faulty("redirect_uris") {
		return
	}
	hosts := redirectHosts(m.RedirectURIs)
	if len(hosts) == 1 {
		m.Sector = hosts[0]
		return
	}
	d.FaultAt("sector", "required", "is missing; the redirect_uris have %d hosts, and pairwise subjects need one sector", len(hosts))
}

// redirectHosts lists the different hosts of http and https URIs, without ports.
func redirectHosts(uris []string) []string {
	var hosts []string
	for _, uri := range uris {
		if u, err := url.Parse(uri); err == nil && isWeb(uri) {
			hosts = append(hosts, strings.ToLower(u.Hostname()))
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// checkInternal keeps what is for the city's own staff within the city.
func (m *Manifest) checkInternal(d *decoder) {
	for i, c := range m.Claims {
		if TellsEmployment(c.Name) && !m.Internal {
			d.FaultAt(indexed("claims", i)+".name", "internal", "%s is for internal services only; set internal: true", c.Name)
		}
		if TellsEmployment(c.Name) && c.Basis == BasisConsent {
			d.FaultAt(indexed("claims", i)+".basis", "basis", "%s rests on the law that makes the service work for the city, not on consent", c.Name)
		}
		if c.Name == "civil_name" && !m.Internal {
			d.FaultAt(indexed("claims", i)+".name", "internal", "civil_name is for internal services only (Decreto 8.727/2016); set internal: true")
		}
	}
}

// checkStaffOnly gives a service for employees alone the level from which they act for the city.
func (m *Manifest) checkStaffOnly(d *decoder) {
	switch {
	case !m.StaffOnly():
	case !d.Given("min_level"):
		m.MinLevel = staff.Level
	case m.MinLevel < staff.Level && !d.Faulty("min_level"):
		d.FaultAt("min_level", "value", "is %d at least where roles or department are required", staff.Level)
	}
}
