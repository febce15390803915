// Package company says for which company somebody acts in a session.
//
// Whom a person may act for is no fact of that person: gov.br or a certificate says it at a sign-in, it
// counts for twelve hours at most, and it ends with the session. So it lives sealed in the session
// ([Set]: what was said, and which one the citizen chose last), and in each grant made in it
// ([Company]); the claims cnpj, company_name and company_role come from the grant alone.
//
//	sign-in ──► Said ──► session: Set ──► (the citizen chooses) ──► grant: Company ──► claims
//
// Whoever opens a session hands a [Said] to idp/session; nothing else writes companies.
package company
