package cms

// Bounds of a message. One signature with its chain takes some 6 KB, with a time stamp and
// revocation data some 50.
const (
	MostBytes    = 96 << 10
	mostDepth    = 32
	mostElements = 4096
)

// bounded says whether bytes are exactly one BER element, no deeper and in no more parts than a
// signature has. The library reads BER by recursion, copies every level, and stops where the first
// element ends. X.690 §8.1
func bounded(ber []byte) bool {
	left := mostElements
	n, ok := walk(ber, 0, &left)
	return ok && n == len(ber)
}

// walk returns the length of the element that ber begins with.
func walk(ber []byte, depth int, left *int) (int, bool) {
	if *left--; *left < 0 || depth > mostDepth || len(ber) < 2 || ber[0]&0x1f == 0x1f {
		return 0, false
	}
	constructed := ber[0]&0x20 != 0
	at, length, indefinite := 2, int(ber[1]), ber[1] == 0x80
	if n := int(ber[1]) - 0x80; n > 0 {
		if n > 3 || len(ber) < 2+n || ber[2] == 0 { // 3 octets are more than MostBytes
			return 0, false
		}
		at, length = 2+n, 0
		for _, b := range ber[2 : 2+n] {
			length = length<<8 | int(b)
		}
	}
	if indefinite {
		return endless(ber, at, depth, left)
	}
	end := at + length
	if end > len(ber) {
		return 0, false
	}
	for constructed && at < end {
		n, ok := walk(ber[at:end], depth+1, left)
		if !ok {
			return 0, false
		}
		at += n
	}
	return end, true
}

// endless walks an element of indefinite length up to its end-of-contents octets (§8.1.3.6). An empty
// one is left to nobody: the library reads it otherwise.
func endless(ber []byte, at, depth int, left *int) (int, bool) {
	if ber[0]&0x20 == 0 {
		return 0, false
	}
	for first := true; ; first = false {
		if len(ber)-at >= 2 && ber[at] == 0 && ber[at+1] == 0 {
			return at + 2, !first
		}
		n, ok := walk(ber[at:], depth+1, left)
		if !ok {
			return 0, false
		}
		at += n
	}
}
