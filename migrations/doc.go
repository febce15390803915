// Package migrations owns the schema: numbered SQL files, embedded, applied forward only.
//
//	NNNN_name.sql   one transaction each
//	first line "-- no transaction"   one statement outside of one, e.g. CREATE INDEX CONCURRENTLY
//
// Up applies what is missing, then River's own tables, under an advisory lock, so that any number
// of processes may start at once. Check tells a server whether it may serve: not on a schema newer
// than itself (ErrNewer), not on one half applied or edited (ErrDirty), not before Up (ErrPending).
//
// The table schema_migration holds one row per file with the SHA-256 of its text; applied_at is
// NULL from the start to the end of a file that runs outside a transaction.
package migrations
