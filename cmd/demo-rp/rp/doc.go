// Package rp is a sample city service: what a developer reads to integrate with Login Único.
//
// It signs people in with OpenID Connect through coreos/go-oidc and golang.org/x/oauth2, and adds
// the checks those libraries leave to the service. Read in this order:
//
//	login.go        send the person away, and receive them back (callback)
//	session.go      what a service remembers, and when it forgets
//	tokens.go       userinfo and refresh
//	verified.go     asking who vouches for the data, and reading the answer
//	logout.go       sign out here and there; back-channel logout
//	events.go       hear that a person's trust level has changed
//	provider.go     discovery, keys, one OAuth configuration per service
//	services.go     the demo services, read from their manifests
//	pages.go        showing all of it; of no interest to a real service
//
// Routes, for each service id:
//
//	GET  /                     every service, with who is signed in
//	GET  /{id}                 what the service learned
//	GET  /{id}/login           start; ?level=4 asks for more, ?prompt=login for a fresh sign-in
//	GET  /{id}/callback        come back (the redirect_uri)
//	POST /{id}/userinfo        ask the provider again
//	POST /{id}/refresh         new tokens
//	POST /{id}/logout          sign out here, then at the provider
//	POST /{id}/backchannel     the provider says somebody signed out
//	POST /{id}/events          the provider says a level has changed
package rp
