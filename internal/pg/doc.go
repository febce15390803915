// Package pg is the project's door to PostgreSQL: the pool, transactions, identifiers and
// notifications. It owns how a connection is set up; what is asked of it lives in store files.
//
//	Open    a warm pool of fixed size; times arrive in UTC, uuid.UUID travels as 16 bytes
//	DB      what a store function receives: a pool or a transaction alike
//	InTx    one transaction around a function
//	Later   a statement of a transaction that nobody waits for
//	Group   statements asked for at once, in one round trip and one commit
//	NewID   UUIDv7, so that rows of one moment lie together
//	FirstID where the ids of a moment begin, for what goes by age
//	Listen  LISTEN on a connection of its own that survives restarts of the server
//
// A service that only passes the database along imports pg, never pgx.
package pg
