// Package govbrtest is a stand-in for gov.br: its sign-in (OpenID Connect) and its APIs of levels,
// seals and companies, as the integration manual documents them, with every habit that surprises.
//
//	GET  /.well-known/openid-configuration   silent about PKCE, logout and levels
//	GET  /authorize                          sign-in page, then consent page; S256, state, nonce mandatory
//	POST /token                              Basic; no refresh token
//	GET  /jwk                                no "use"; the kid stays when the key changes
//	GET  /userinfo, /userinfo/               booleans where the ID token has strings
//	GET  /logout                             post_logout_redirect_uri alone, registered before
//	GET  /confiabilidades/v3/contas/{cpf}/niveis, …/confiabilidades
//	GET  /empresas/v2/empresas, …/{cnpj}/participantes/{cpf}
//	GET  /api/x509/info
//	GET  /?client_id&niveis=(2/3)            the way up to a higher level
//
// [Server.Set] switches what gov.br does at times: another algorithm, a key changed under its kid, an
// issuer without its slash, a landing on a static page, slow and failing answers. The demo city runs
// it, tests [Server.Listen]. testdata holds the payloads of the manual, and a test keeps the
// stand-in equal to them.
package govbrtest
