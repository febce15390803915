// Package ida is OpenID Identity Assurance: what a service may ask to have verified about a person,
// and what the city can say of it.
//
//	Parse     verified_claims of the claims parameter → [Request]     (OpenID Connect for Identity Assurance 1.0 §5.3–5.6)
//	Sets      person and evidence → [Set], who verified what and how  (OpenID Identity Assurance Schema Definition 1.0 §5)
//	Answer    the sets that an ask lets through, cut to what it asks  (OpenID Connect for Identity Assurance 1.0 §5.7)
//	Metadata  what discovery says of all this                         (§8)
//
// It decides nothing about permission: whether a claim may leave is said by the caller, which knows
// manifest, consent and level. A verified claim never has another value than the same claim
// unverified: it is the same value, with a statement of who vouches for it.
//
// What a person says of themselves is verified by nobody and is in no set.
package ida
