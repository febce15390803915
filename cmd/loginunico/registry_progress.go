package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/loginunico/loginunico/registry/load"
)

// meter shows how a load comes on: one line that renews itself on a terminal, else a line every ten
// seconds.
type meter struct {
	out      io.Writer
	terminal bool
	every    time.Duration
	last     time.Time
}

func newMeter(out *os.File) *meter {
	info, err := out.Stat()
	if err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return &meter{out: out, terminal: true}
	}
	return &meter{out: out, every: 10 * time.Second, last: time.Now()}
}

func (m *meter) show(p load.Progress) {
	if time.Since(m.last) < m.every {
		return
	}
	m.last = time.Now()
	m.line(progressLine(p))
}

func (m *meter) line(text string) {
	if m.terminal {
		fmt.Fprintf(m.out, "\r\x1b[K%s\r", text)
		return
	}
	fmt.Fprintln(m.out, text)
}

// clear leaves a terminal's line to what comes next.
func (m *meter) clear() {
	if m.terminal {
		m.line("")
	}
}

func progressLine(p load.Progress) string {
	line := fmt.Sprintf("reading: %d records", p.Records)
	switch {
	case p.Filing:
		line = fmt.Sprintf("filing: %d of %d records", p.Filed, p.Records)
	case p.Size > 0:
		line += fmt.Sprintf(", %d %% of %d MB", 100*p.Read/p.Size, p.Size/1_000_000)
	}
	line += fmt.Sprintf(", %.0f records/s", p.Rate)
	if p.Left > 0 {
		line += ", " + p.Left.Round(time.Second).String() + " left"
		if !p.Filing {
			line += " to read"
		}
	}
	return line
}

// people is a meter of people, of about how many there are; several goroutines may tell it.
func (m *meter) people(done string) func(n, of int64) {
	start := time.Now()
	var mu sync.Mutex
	return func(n, of int64) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(m.last) < max(m.every, time.Second/5) {
			return
		}
		m.last = time.Now()
		line := fmt.Sprintf("%d people %s, %.0f a second", n, done, float64(n)/time.Since(start).Seconds())
		if of > n {
			left := time.Duration(float64(time.Since(start)) * float64(of-n) / float64(n))
			line += fmt.Sprintf(", about %s left", left.Round(time.Second))
		}
		m.line(line)
	}
}
