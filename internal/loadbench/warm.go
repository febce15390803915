package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// perRecord is about how much file cache a record takes in all: input, buckets, tables, indexes and
// WAL, of the load and of what it is held against.
const perRecord = 2500

// warm has the machine's memory touched once that the measured steps are going to fill. A virtual
// machine gets its memory from its host page by page when it first writes to it, which costs ten
// times what writing does, and whoever comes first pays for all who follow. It takes at most half of
// what is free.
func warm(records int64) error {
	const piece = 64 << 20
	free, err := available()
	if err != nil {
		return err
	}
	for left := min(records*perRecord, free/2); left > 0; left -= piece {
		m, err := syscall.Mmap(-1, 0, piece, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return fmt.Errorf("memory: %w", err)
		}
		defer func() { _ = syscall.Munmap(m) }() // all at the end, or the same would come again
		for i := 0; i < len(m); i += os.Getpagesize() {
			m[i] = 1
		}
	}
	return nil
}

// available is how many bytes of memory are free or can be had at once: proc_meminfo(5).
func available() (bytes int64, err error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), "MemAvailable:")
	if _, err := fmt.Sscan(rest, &bytes); !ok || err != nil {
		return 0, fmt.Errorf("/proc/meminfo has no MemAvailable: %w", err)
	}
	return bytes << 10, nil
}
