package pg

import (
	"runtime"
	"time"
)

// ListenQuiet is Listen with another length of silence.
var ListenQuiet = listen

// SetPatience is for a new group.
func SetPatience(g *Group, d time.Duration) { g.patience = d }

// AwaitWaiting returns when so many statements wait for the next batch.
func AwaitWaiting(g *Group, n int) {
	for {
		g.mu.Lock()
		waiting := len(g.waiting)
		g.mu.Unlock()
		if waiting == n {
			return
		}
		runtime.Gosched()
	}
}
