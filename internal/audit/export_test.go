package audit

// What a forger would compute.

// HashOf is an event's hash.
func HashOf(e Event) []byte {
	s := new(encoding).sumOf(&e)
	return s[:]
}

// Forge is the batch row that events would have had: its marks, root and hash.
func Forge(seq int64, prev []byte, events []Event) (marks, root, hash []byte) {
	b := head{Seq: seq - 1, Hash: prev}.next(events, events[0].At)
	return b.Marks, b.Root, b.Hash
}
