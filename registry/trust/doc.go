// Package trust answers how surely the city knows a person.
//
// It owns the evidence table and two pure functions: [Assess], the trust level 1 to 5 that a set
// of evidence gives at an instant, and [Caps.Of], the strongest level a browser session may claim
// by the way it signed in. A token's acr is the lower of the two; the level itself is never
// stored, so it can be recomputed for any past day.
//
// Evidence is immutable: a row is written, may be revoked once, and is never edited otherwise; the
// table itself refuses anything else.
//
// Attributes say what a kind proves beside its level; idp/ida tells them to services. They lie
// unsealed, so no name and no number of a document is among them:
//
//	govbr                 level bronze, silver or gold; selos [{id, updated_at}], RFC 3339
//	biometric_enrollment  document_type, if one was seen: idcard, passport, driving_permit, …
//	                      document_issuer; check_method pvp (by a person), else a machine
//	icp_certificate       issuer, serial, fingerprint, profile, not_before
package trust
