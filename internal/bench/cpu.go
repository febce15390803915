package main

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

// procStat is what /proc/PID/stat says of one process.
type procStat struct {
	parent   int
	own      time.Duration // user and system time of all its threads
	children time.Duration // the same of children that ended and were waited for
}

// readStat parses proc_pid_stat(5); the second field may hold anything but is the last in brackets.
func readStat(pid string) (s procStat, err error) {
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

// processCPU is the CPU time of one process, all threads.
func processCPU(pid int) (time.Duration, error) {
	s, err := readStat(strconv.Itoa(pid))
	return s.own, err
}

// familyCPU is the CPU time of a process and of all its children, those that ended included.
func familyCPU(pid int) (time.Duration, error) {
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

// postmaster finds the server of a data directory.
func postmaster(data string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	return strconv.Atoi(first)
}

// describeMachine names the machine's class: processor and cores, nothing that identifies it.
func describeMachine() string {
	model := "unknown processor"
	raw, _ := os.ReadFile("/proc/cpuinfo") // without it the name is unknown
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return model
}
