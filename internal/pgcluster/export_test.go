package pgcluster

// Forget leaves c's server running as if the process that started it had died unheard: its lock
// is free, nobody watches it. Stop on c still works.
func Forget(c *Cluster) {
	_ = c.place.lock.Close()
}
