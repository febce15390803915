// Package recall takes back what certificates have proven once their authorities take them back.
//
//	list of a CA has changed ─► revocation.Changed ─► certificates that people have used, of this CA
//	                                                    └► named by the list ─► their evidence is revoked
//
// The evidence of a certificate of an authority that was itself revoked, or of one below it, goes too.
// What follows (level, sessions, tokens, who is told) is for whoever revokes evidence: [Recaller.Revoke].
package recall
