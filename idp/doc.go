// Package idp is the OpenID Provider: it puts its parts together and mounts their routes.
//
//	flow        from a service's request to its code: sign-in, registration, consent
//	factor      what proves a person: password, mail codes; throttling
//	visitor     people without a CPF, by their telephone number
//	session     single sign-on, logout, back-channel logout
//	token       codes, tokens, userinfo, introspection, revocation
//	client      the service as an OAuth client: manifest, registry, authentication
//	keys        signing keys and JWKS
//	account     the citizen's own pages
//	recovery    back in without the password
//	notice      letters and texts: codes, what has changed, "não fui eu"
//	page        how pages are shown
//
// This package itself holds the protocol's edge: discovery, the hardening before the token
// endpoints, and provider.go, the only user of zitadel/oidc's op. docs/flows.md draws it all.
package idp
