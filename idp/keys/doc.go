// Package keys holds the provider's signing keys: it makes and seals them, signs compact JWS,
// verifies what they signed, publishes the JWKS and rotates without a restart.
//
// A key's life, per algorithm (ES256, RS256):
//
//	created ──Overlap──► signs ──next rotation──► published still ──Lifetime──► retired ──Retention──► deleted
//	└──────────── in the JWKS ───────────────────────────────────┘
//	└──────────── verifies our own tokens ──────────────────────────────────────┘
//
// Overlap lets every relying party fetch the new key before it meets a token of it; Lifetime lets
// everything the old one signed expire. Retired keys are not published, but an id_token_hint may
// still carry their signature. State is in PostgreSQL; each process holds a copy, and calls Reload
// on NOTIFY loginunico, payload "signing_key". The route of the JWKS is the provider's.
package keys
