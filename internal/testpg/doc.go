// Package testpg gives each test a migrated PostgreSQL database of its own.
//
//	db := testpg.New(t)   // *pg.Pool; the database is dropped when the test ends
//
// A database is a clone of a template that is named by the hash of the migrations and made once:
// about 35 ms to clone, use and drop in memory, 300 ms and more on disk. The server is
//
//   - the one at LOGINUNICO_TEST_DATABASE_URL (a superuser's or CREATEDB's address), else
//   - one private cluster shared by all packages of a run, in /dev/shm where that is large
//     enough, without fsync. A keeper process (this test binary, started once more) holds it
//     while any test process lives and for a few seconds longer, then removes it.
//
// `make test` runs the suite under internal/testpg/with, which starts the cluster before and
// stops it after, so that nothing is left when the command returns.
package testpg
