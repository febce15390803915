// Package pgcluster runs a private PostgreSQL from the machine's own binaries: the demo's database
// and, with other settings, the tests'. Production uses a server of its own and never this.
//
// A cluster lives in one directory:
//
//	lock          held by the process that started the cluster, for as long as it lives
//	data/         PGDATA, made by initdb in data.new/ and renamed when complete
//	postgres.log  the server's messages
//
// It listens on a unix socket only, in that directory or, where the path would pass the 107 bytes
// of a socket address, under /tmp. The server runs as an unprivileged user: root hands it to
// postgres, or nobody, even where that user could not walk, such as below root's home.
//
// It is told to stop when the process that started it dies, however it dies; a server left behind
// all the same is stopped by the next Start, and PostgreSQL recovers.
package pgcluster
