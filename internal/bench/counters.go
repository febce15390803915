package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loginunico/loginunico/internal/cputime"
)

// counters are readings of one moment; the difference of two is what a measurement used.
type counters struct {
	server, postgres time.Duration
	statements       int64
	commits          int64
	syncs            int64
	wal              int64 // bytes
}

func (c counters) minus(before counters) counters {
	return counters{c.server - before.server, c.postgres - before.postgres, c.statements - before.statements,
		c.commits - before.commits, c.syncs - before.syncs, c.wal - before.wal}
}

// read takes a reading: of the process under load and of the whole database server. The reader's
// own connection is to another database, whose statements are not counted.
func (m *machine) read(ctx context.Context, pid int, database string) (c counters, err error) {
	err = m.reader.QueryRow(ctx, `
		SELECT coalesce((SELECT sum(s.calls)::bigint
		                   FROM pg_stat_statements s
		                   JOIN pg_database d ON d.oid = s.dbid
		                  WHERE d.datname = @database), 0),
		       pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
		       (SELECT wal_sync FROM pg_stat_wal),
		       pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint`,
		pgx.NamedArgs{"database": database}).
		Scan(&c.statements, &c.commits, &c.syncs, &c.wal)
	if err != nil {
		return c, err
	}
	if c.server, err = cputime.Process(pid); err != nil {
		return c, err
	}
	c.postgres, err = cputime.Family(m.postmaster)
	return c, err
}
