package testnode

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// Program is one that runs until its test ends.
type Program struct {
	t      testing.TB
	in     io.WriteCloser
	events chan map[string]json.RawMessage
}

// Start runs a program, "smsc" or "sink", and tells it its first line.
func Start(t testing.TB, name string, first any) *Program {
	t.Helper()
	dir, err := installed(name)
	if err != nil {
		missing(t, name, err)
	}
	run := exec.CommandContext(t.Context(), "node", name+".mjs")
	run.Dir, run.Stderr = dir, os.Stderr
	in, errIn := run.StdinPipe()
	out, errOut := run.StdoutPipe()
	if err := errors.Join(errIn, errOut, run.Start()); err != nil {
		missing(t, name, err)
	}
	p := &Program{t: t, in: in, events: make(chan map[string]json.RawMessage, 100)}
	t.Cleanup(func() { _ = in.Close(); _ = run.Wait() })
	go p.read(out)
	p.Say(first)
	return p
}

func missing(t testing.TB, name string, err error) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") != "" {
		t.Fatal(err)
	}
	t.Skipf("*** SKIPPED: the independent server %s is NOT tested against: %v ***", name, err)
}

func (p *Program) read(out io.Reader) {
	defer close(p.events)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var event map[string]json.RawMessage
		if json.Unmarshal(lines.Bytes(), &event) == nil {
			p.events <- event
		}
	}
}

// Ignore reads past everything that the program tells from now on: many things, and nobody waits.
func (p *Program) Ignore() {
	go func() {
		for range p.events {
		}
	}()
}

// Say gives the program one line, any value that is JSON.
func (p *Program) Say(v any) {
	p.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(text, '\n')); err != nil {
		p.t.Fatal(err)
	}
}

// Tell gives a command, JSON, and waits until the program has heard it.
func (p *Program) Tell(command string) {
	p.t.Helper()
	p.Say(json.RawMessage(command))
	p.Wait("done", nil)
}

// Wait skips to the next event of a kind and reads it; into may be nil.
func (p *Program) Wait(kind string, into any) {
	p.t.Helper()
	raw := p.next(time.After(20*time.Second), kind)[kind]
	if into != nil && json.Unmarshal(raw, into) != nil {
		p.t.Fatalf("%s: %s", kind, raw)
	}
}

// WaitEach reads on until an event of each kind has come, in whatever order: an old connection may be
// told closed after the new one was bound.
func (p *Program) WaitEach(kinds ...string) {
	p.t.Helper()
	for late := time.After(20 * time.Second); len(kinds) > 0; {
		event := p.next(late, kinds...)
		kinds = slices.DeleteFunc(kinds, func(kind string) bool { return event[kind] != nil })
	}
}

// next skips to an event of one of these kinds.
func (p *Program) next(late <-chan time.Time, kinds ...string) map[string]json.RawMessage {
	p.t.Helper()
	for {
		select {
		case event, ok := <-p.events:
			if !ok {
				p.t.Fatalf("the server ended before %v", kinds)
			}
			if slices.ContainsFunc(kinds, func(kind string) bool { return event[kind] != nil }) {
				return event
			}
		case <-late:
			p.t.Fatalf("no %v from the server", kinds)
		}
	}
}
