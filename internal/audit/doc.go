// Package audit remembers who read or changed what of whom, when, why and under which legal basis,
// in a way that shows when somebody has tampered with it. docs/audit.md tells operators the same.
//
//	Record ──► Writer: one batch per commit ──┐
//	                                          ├─► audit_event   (partitions of a month)
//	AppendTx ──► a batch of its own ──────────┤
//	RecordTx ──► audit_pending ── within 1 s ─┘   audit_batch   seq, root of the events, hash of seq-1, hash
//	                                                  │
//	                          Seal, once a day ───────┴─► audit_root   ES256 over the day's last hash
//	                                                          │
//	                                       Export: kept by somebody else ──► Verify
//
// A Writer joins what concurrent requests record into batches: while one is being committed, the
// next gathers, and each caller is answered after the commit that holds its events. Nothing waits
// when nothing is under way. An error reaches every caller of the batch: what cannot be audited
// must not happen.
//
// There is one chain for all processes. A batch is appended under an advisory lock, which is held
// for one commit; each process waits in it with one batch, so that more processes make larger
// batches, not a longer queue. Several chains joined once a day would append faster but would show
// a cut only at the day's end, and the order of events across processes not at all.
//
// Retention is not here: no event is ever deleted. An event's root is stored apart from it, so that
// a month's partition may one day go and the chain still hold.
package audit
