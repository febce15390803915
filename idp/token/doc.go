// Package token turns an approved authorization into tokens, and answers what a token is worth.
//
//	Issue      a grant and its single-use code, at the end of a flow
//	Exchange   code → access token, ID token, refresh token   (OAuth 2.1 §4.1.3, OIDC Core §3.1.3)
//	Refresh    rotation with reuse detection                  (RFC 9700 §4.14)
//	Service    client_credentials, signed and not stored      (RFC 6749 §4.4)
//	Userinfo, Introspect, Revoke                              (OIDC Core §5.3, RFC 7662, RFC 7009)
//	AuditReleases  one event per token, seconds later         (LGPD art. 37)
//
// Everything a person's token can do hangs on one row, oauth_grant: revoke it and all its tokens
// are dead at once. Access tokens are RFC 9068 JWTs, and yet each is a row too, found by the id in
// its jti and proved by the SHA-256 of its whole text: knowing the text proves it is ours (no
// signature to verify again) and the row tells whether it still counts.
//
//	grant ──┬── code (used once)
//	        └── token, token, … each: access hash, refresh hash (used once)
//
// What a code or refresh token stands for is remembered for a while by the process that gave it out
// ([memory]); any other reads it. Either way the statement that writes the tokens finds a changed
// person, grant, session or consent, and then it is read anew.
//
// What a token tells of the person is that of the moment it is asked: the trust level from the
// evidence, roles from the appointment that holds, the claims from the registry, cut to what the grant may release. The answers are made
// with the token and kept sealed beside it; a version that the database counts up with every
// change says whether they still hold ([answers]).
package token
