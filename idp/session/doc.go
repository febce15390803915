// Package session is the single sign-on session: one browser, one person, one sid.
//
// It owns the session cookie and its row, RP-initiated logout and the jobs of back-channel
// logout. How a person proved who they are belongs to idp/factor; what a session may reach, to
// registry/trust. Routes: /sair (end_session_endpoint), GET and POST.
//
//	cookie ──SHA-256──► session row ──► person, evidence, latest consent: one statement
//	end ──► grants of the session end ──► one job per service that takes part
package session
