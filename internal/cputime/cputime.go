// Package cputime reads the CPU time of processes from /proc: what a benchmark counts where wall
// time belongs to whoever else uses the machine.
package cputime

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const tick = time.Second / 100 // USER_HZ, which /proc counts in on every Linux

// stat is what /proc/PID/stat says of one process.
type stat struct {
	parent   int
	own      time.Duration // user and system time of all its threads
	children time.Duration // the same of children that ended and were waited for
}

// readStat parses proc_pid_stat(5); the second field may hold anything but is the last in brackets.
func readStat(pid string) (s stat, err error) {
	raw, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return s, err
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:])) // from field 3, the state
	if len(fields) < 15 {
		return s, fmt.Errorf("/proc/%s/stat has %d fields", pid, len(fields))
	}
	var n [15]int64
	for i := 1; i < len(n); i++ {
		if n[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return s, err
		}
	}
	s.parent = int(n[1])
	s.own, s.children = time.Duration(n[11]+n[12])*tick, time.Duration(n[13]+n[14])*tick
	return s, nil
}

// Process is the CPU time of one process, all threads.
func Process(pid int) (time.Duration, error) {
	s, err := readStat(strconv.Itoa(pid))
	return s.own, err
}

// Family is the CPU time of a process and of all its children, those that ended included.
func Family(pid int) (time.Duration, error) {
	head, err := readStat(strconv.Itoa(pid))
	if err != nil {
		return 0, err
	}
	total := head.own + head.children
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		if s, err := readStat(filepath.Base(dir)); err == nil && s.parent == pid { // others may end meanwhile
			total += s.own + s.children
		}
	}
	return total, nil
}

// Postmaster finds the PostgreSQL server of a data directory.
func Postmaster(data string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	return strconv.Atoi(first)
}
