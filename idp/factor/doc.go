// Package factor is what proves a person: the ways in, the ways back, and what the owner is told.
//
//	password, throttle   the first factor and its limits
//	code                 codes by mail within a sign-in
//	totp, totp_codes     authenticator apps, ten recovery codes
//	passkey              WebAuthn: registration and sign-in ceremonies
//	recovery…            back in by mail, text message, secret question, or at a desk
//	enrolled…            what a person has, what happened to it, "it was not me"
//	strength…            what a proof is worth, what a recovery holds back, what a change asks for
//	displace             a stronger proof of a CPF ends the account of a weaker claim
//
// It keeps no state of its own: challenges, counters and codes live in PostgreSQL, so that any
// process may finish what another began. It shows no page and sends no message: letters and texts
// are handed to the caller's queue in the caller's transaction. docs/factors.md says in which order
// pages call it.
package factor
