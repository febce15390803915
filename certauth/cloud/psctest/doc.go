// Package psctest is a stand-in for a trust service provider (PSC): certificates that it keeps in
// the cloud sign for their holders, by the protocol of DOC-ICP-17.01, with what PSCs add to it.
//
//	GET  /v0/oauth/authorize               who are you, do you agree; S256 mandatory; push:// asks a telephone
//	POST /v0/oauth/token                   secret in the form; a code is good once, with its verifier
//	GET  /v0/oauth/certificate-discovery   the holder's certificates
//	POST /v0/oauth/signature               RAW or CMS, of a hash in base64 or hexadecimal; single_signature is one
//	GET  /valid/api/v1/trusted-services/authentications   was the telephone answered? 202: not yet
//	GET  /                                 the telephones, with what waits to be answered
//
// [Server.Set] switches what a PSC does at times: slow and failing answers, another one's signature,
// another's certificate, a hash it does not take. The demo city runs it, tests [Server.Listen].
package psctest
