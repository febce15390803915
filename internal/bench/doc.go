// Package main measures what the provider costs, beside the least it could cost.
//
// It starts a PostgreSQL of its own with durable settings, the built provider as a process of its
// own, and drives it over real HTTP on loopback with keep-alive, a fixed number of workers each
// sending its next request when the last one was answered. What is reported per operation:
//
//	CPU         CPU time of the provider and of every PostgreSQL process, from /proc: not the load
//	            generator's, and not the machine's speed in requests per second
//	statements  statements PostgreSQL ran, BEGIN and COMMIT among them (pg_stat_statements)
//	commits     transactions that wrote (transaction ids used)
//	syncs       WAL syncs (pg_stat_wal); commits of concurrent requests share them
//	signatures  how many the operation makes, by design
//
// Each is divided by its floor, measured in the same run on the same machine by the same load: a
// small echo server (serve_floor.go) that does nothing but what the operation cannot do without.
// [composition] says what each floor is made of. The ratio means the same on a slow machine and
// on a fast one; the other figures do not.
//
// The server has written WAL before, so that its segments lie ready to be written over.
//
// All of it runs on an empty database and on one with a million rows, 20,000 past consents of each
// citizen who is judged and refresh chains 3,000 long. The two are measured one after the other, so a
// change of the machine's load between them is in their ratio.
//
// Of several rounds the cheapest counts: whatever else a machine does only adds. The ratio is taken in
// each round, where an operation and its floor are measured within a minute or so, and is the median of
// the rounds: the cheapest of each could be of different minutes of a machine that has others to serve.
package main
