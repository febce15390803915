package cputime

import (
	"os"
	"os/exec"
	"testing"
)

func TestCPUOfChildrenThatEndedCounts(t *testing.T) {
	before, err := Family(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), "sh", "-c", `i=0; while [ $i -lt 600000 ]; do i=$((i+1)); done`)
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	after, err := Family(os.Getpid())
	used := child.ProcessState.UserTime() + child.ProcessState.SystemTime()
	if err != nil || used < 5*tick || after-before < used-2*tick {
		t.Fatalf("%v: child used %v, counted %v", err, used, after-before)
	}
}
