package record

import "slices"

// titleCapitals is appendText and title in one pass for what most bases deliver: words in capitals,
// without and with the accents of Portuguese. ok is false, and nothing appended, for any other text.
func titleCapitals(dst, raw []byte) (out []byte, ok bool) {
	if len(raw) > maxName {
		return dst, false
	}
	out = slices.Grow(dst, len(raw))[:len(dst)+len(raw)]
	start := len(dst)
	at, word, letters := start, -1, false // where to write, where the word at hand begins
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c >= 'A' && c <= 'Z':
			if word < 0 {
				word = at
			} else {
				c |= 0x20
			}
			out[at] = c
			at++
		case c == 0xC3 && i+1 < len(raw) && raw[i+1] >= 0x80 && raw[i+1] <= 0x9E && raw[i+1] != 0x97: // À to Þ, without ×
			i++
			out[at], out[at+1] = c, raw[i]
			if word < 0 {
				word = at
			} else {
				out[at+1] += 0x20
			}
			at += 2
		case c >= ' ' && c < 0x7F && (c < 'a' || c > 'z'):
			letters = letters || word >= 0
			endWord(out, start, word, at, c)
			word = -1
			if c != ' ' || at > start && out[at-1] != ' ' {
				out[at] = c
				at++
			}
		default:
			return dst, false
		}
	}
	letters = letters || word >= 0
	endWord(out, start, word, at, ' ')
	return out[:at], letters
}

// endWord writes a particle small and a regnal number in capitals, when the text goes on with next.
func endWord(out []byte, start, word, at int, next byte) {
	if word <= start || at-word > 3 || next != ' ' && next != '-' || out[word-1] != ' ' && out[word-1] != '-' {
		return
	}
	switch text := out[word:at]; string(text) {
	case "Da", "De", "Do", "Das", "Dos", "E":
		text[0] |= 0x20
	case "Ii", "Iii":
		copy(text, "III")
	}
}
