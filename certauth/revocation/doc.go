// Package revocation answers whether a certificate's CA has taken it back. It knows certificates and
// CAs, and no people: whatever presents a chain may ask.
//
//	Check(chain) ─► list of its distribution point ─► good | revoked
//	                 └ none, or past its time ─► stapled response ─► OCSP ─► policy: refuse, or the stale list for some hours
//
// Lists are fetched ahead. A distribution point is known once a certificate that chains to the pinned
// roots has named it: the CAs' own certificates as they are published, a citizen's when the first of its CA comes.
// Addresses of any other certificate are never followed.
//
//	crl*.go, der.go, digest.go a DER list is read entry by entry and its signature checked on the way
//	list.go                    the compact list: 24 bytes for a revoked certificate, sorted, asked where it lies
//	point.go, refresh.go       distribution points, and the job that fetches before nextUpdate
//	ocsp.go, ocsp_der.go       OCSP, with nonce
//	check.go                   the order above, and what to do when nobody answers
//
// The compact list lies in PostgreSQL, where one statement replaces it and never by an older one;
// each process keeps a copy in its own data directory, checked by its SHA-256, and asks that. A lost
// directory costs one read.
//
// After a list has changed, a job [Changed] is inserted in the same transaction; who keeps certificates
// works it (see [Service.Revoked]).
package revocation
