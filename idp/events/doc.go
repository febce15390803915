// Package events tells services what has changed about a person they know, as Security Event Tokens
// (RFC 8417) pushed to the address of their manifest (RFC 8935).
//
// One event there is: the trust level has changed ([AssuranceLevelChange]). Who hears it, under
// which sub, is decided in the transaction of the change, a job for each service; whether they may
// still hear it is looked at again before each try. Streams that services manage themselves, and
// polling (RFC 8936), have their place here: they replace [Service.receivers] and the push.
//
//	idp/evidence ── Tell, in its transaction ──► Delivery, a job ── Deliver ──► events_uri
//
// No two services hear the same identifier: sub is pairwise, jti is each token's own, and there is
// no txn, by which they could compare notes.
package events
