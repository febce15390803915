// Package certauth says who holds an ICP-Brasil certificate.
//
//	certificate ──► Authorities.Chain   issued below a pinned root?
//	            ──► HolderOf            whose is it: person, company, or nobody's?
//	            ──► Revocation.Check    does it still hold?
//	            ──► Proof
//
// Roots are pinned by the SHA-256 of their certificates, never by name: ICP-Brasil's homologation
// signs under production's names. The authorities below them come from ITI's bundle, are kept in
// PostgreSQL, and count only where they chain to the pins. A chain ends at a pin, or there is none; what a
// client sends beside its own certificate is not used.
//
// [Listener] is the host that asks browsers for a certificate. It shows no page: whatever happens it
// sends the browser back to the provider with a code that is good once, in the browser and the visit
// that went there ([Trips]). What becomes of the person is for idp/flow to decide.
//
// Chain and revocation know nothing of citizens. Standards: RFC 5280, DOC-ICP-04, Resolução CG
// ICP-Brasil 211/2024.
package certauth
