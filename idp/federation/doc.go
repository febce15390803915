// Package federation signs people in by their gov.br account.
//
//	Begin ──► row of a trip, URL of gov.br ──► (citizen) ──► Take: the trip, once ──► Finish: who, how surely
//
// A trip belongs to one browser and one visit: its state finds it, its nonce and PKCE verifier are
// sealed in it, and one conditional UPDATE uses it up. [Connector.Finish] redeems the code, checks the ID
// token and says who came back: a CPF, what gov.br knows, the level and seals of the account. The
// access token is gone when it returns.
//
// gov.br differs from what OpenID Connect libraries expect; each difference is met here and shown by
// the stand-in (govbrtest): PKCE that discovery does not tell of, an issuer with and without its
// slash, one kid for changing keys, strings for booleans, times that RFC 3339 does not know. What
// to do with the person is for idp/flow to decide.
package federation
