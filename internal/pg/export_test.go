package pg

import "runtime"

// ListenQuiet is Listen with another length of silence.
var ListenQuiet = listen

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
