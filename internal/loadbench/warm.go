package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// A virtual machine gets its memory from its host page by page when it first writes to it, which
// costs ten times what writing does, and hosts take back what is free. A server that has run for a day
// has paid for its memory: its buffers, its segments of WAL, the page cache. So before anything is
// measured, raw COPY included, PostgreSQL's buffers are filled once and as much WAL is written as will be
// recycled; and a process holds memory that it has written to, and lets go of it as fast as others
// take what is free, so that they find pages that the host has given already.

// perRecord is about how much file cache a record takes in all: buckets, tables, indexes and WAL, of
// the load and of what it is held against.
const perRecord = 3000

// warm does that; cool ends the process that holds memory.
func (b *bench) warm(ctx context.Context) (cool func(), err error) {
	if err := b.warmServer(ctx); err != nil {
		return nil, err
	}
	free, err := meminfo("MemFree:")
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	holder := exec.CommandContext(ctx, self, "-hold", strconv.FormatInt(min(b.records*perRecord, free*2/3), 10))
	holder.Stderr = os.Stderr
	ready, err := holder.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := holder.Start(); err != nil {
		return nil, err
	}
	cool = func() {
		_ = holder.Process.Kill()
		_ = holder.Wait()
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		cool()
		return nil, fmt.Errorf("hold memory: %w", err)
	}
	return cool, nil
}

// warmServer has PostgreSQL touch its buffers and leave WAL segments to be written over.
func (b *bench) warmServer(ctx context.Context) error {
	const page, message = 8 << 10, 1 << 20
	pages, messages := min(b.records*1000, 1900<<20)/page, min(b.records*1000, 4<<30)/message
	if _, err := b.db.Exec(ctx, fmt.Sprintf(`
		DO $$
		BEGIN
		  CREATE UNLOGGED TABLE warm (filling text);
		  ALTER TABLE warm ALTER COLUMN filling SET STORAGE PLAIN;
		  INSERT INTO warm SELECT repeat('x', 8000) FROM generate_series(1, %d);
		  DROP TABLE warm;
		  FOR i IN 1..%d LOOP
		    PERFORM pg_logical_emit_message(false, 'warm', repeat('x', %d));
		  END LOOP;
		END $$`, pages, messages, message), pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	_, err := b.db.Exec(ctx, `CHECKPOINT`, pgx.QueryExecModeSimpleProtocol)
	return err
}

// hold is the process that holds memory: it says when it has it, and lets go of a piece whenever less
// is free than was.
func hold(ctx context.Context, bytes int64, ready io.Writer) error {
	const piece = 32 << 20
	var pieces [][]byte
	for ; bytes > 0; bytes -= piece {
		m, err := syscall.Mmap(-1, 0, piece, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return fmt.Errorf("memory: %w", err)
		}
		for i := 0; i < len(m); i += os.Getpagesize() {
			m[i] = 1
		}
		pieces = append(pieces, m)
	}
	if _, err := ready.Write([]byte{'\n'}); err != nil {
		return err
	}
	most := int64(0)
	for len(pieces) > 0 && ctx.Err() == nil {
		free, err := meminfo("MemFree:")
		if err != nil {
			return err
		}
		if most = max(most, free); free > most-piece {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if err := syscall.Munmap(pieces[len(pieces)-1]); err != nil {
			return err
		}
		pieces = pieces[:len(pieces)-1]
	}
	<-ctx.Done()
	return nil
}

// meminfo is a figure of proc_meminfo(5), in bytes.
func meminfo(name string) (bytes int64, err error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), name)
	if _, err := fmt.Sscan(rest, &bytes); !ok || err != nil {
		return 0, fmt.Errorf("/proc/meminfo has no %s %w", name, err)
	}
	return bytes << 10, nil
}
