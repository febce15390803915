// Package client is a city service as an OAuth client: its manifest, the registry of all of them,
// and the proof that a request comes from one.
//
//	Parse          YAML manifest → Manifest, or every fault with its line
//	Registry       all services in memory; Apply stores a new version, Load refreshes
//	MatchRedirect  exact comparison of redirect URIs
//	Authenticator  client authentication at the token, revocation and introspection endpoints
//
// The table of scopes and claims (claims.go) is here, because a manifest speaks of claims. What a
// citizen allowed is consent's; what a claim's value is, the registry's. This package has no routes.
package client
