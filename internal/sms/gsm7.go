package sms

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Sizes of what a phone shows as one text: septets and UTF-16 units, alone and in a chain, whose
// parts lose six octets to their header (3GPP TS 23.040 §9.2.3.24.1).
const (
	segmentGSM, chainedGSM   = 160, 153
	segmentUCS2, chainedUCS2 = 70, 67
)

// basic is the GSM 7 bit default alphabet in order (3GPP TS 23.038 §6.2.1); 0x1B, here NUL, escapes.
const basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x00ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"

const escape = 0x1B

// extension needs two septets a character (§6.2.1.1).
var extension = map[rune]byte{'\f': 0x0A, '^': 0x14, '{': 0x28, '}': 0x29, '\\': 0x2F, '[': 0x3C, '~': 0x3D, ']': 0x3E, '|': 0x40, '€': 0x65}

var septets = func() map[rune]byte {
	of, place := make(map[rune]byte, 128), byte(0)
	for _, r := range basic {
		if r != 0 {
			of[r] = place
		}
		place++
	}
	return of
}()

// GSM7 encodes a text in the GSM 7 bit default alphabet, one septet an octet, the high bit 0: what
// SMPP carries as data_coding 0. ok is false where the alphabet lacks a character.
func GSM7(text string) (unpacked []byte, ok bool) {
	unpacked = make([]byte, 0, len(text))
	for _, r := range text {
		if s, ok := septets[r]; ok {
			unpacked = append(unpacked, s)
		} else if s, ok := extension[r]; ok {
			unpacked = append(unpacked, escape, s)
		} else {
			return nil, false
		}
	}
	return unpacked, true
}

// Pack puts eight septets into seven octets (3GPP TS 23.038 §6.1.2.1.1). Seven spare bits at the end
// would read as one more "@", so they hold a carriage return (§6.1.2.3.1).
func Pack(unpacked []byte) []byte {
	if len(unpacked)%8 == 7 {
		unpacked = append(unpacked[:len(unpacked):len(unpacked)], '\r')
	}
	packed := make([]byte, (len(unpacked)*7+7)/8)
	for i, s := range unpacked {
		bit := i * 7
		packed[bit/8] |= s << (bit % 8)
		if bit%8 > 1 {
			packed[bit/8+1] |= s >> (8 - bit%8)
		}
	}
	return packed
}

// UCS2 encodes a text as SMPP's data_coding 8: UTF-16, big-endian.
func UCS2(text string) []byte {
	units := utf16.Encode([]rune(text))
	octets := make([]byte, 0, 2*len(units))
	for _, u := range units {
		octets = append(octets, byte(u>>8), byte(u))
	}
	return octets
}

// Length is a text's size, and the most that one segment holds: in septets, 160, where the GSM
// alphabet suffices, else in UTF-16 units, 70.
func Length(text string) (units, segment int) {
	if coded, ok := GSM7(text); ok {
		return len(coded), segmentGSM
	}
	return len(utf16.Encode([]rune(text))), segmentUCS2
}

// Segments is how many texts are paid for. An escape sequence or a surrogate pair is never cut.
func Segments(text string) int {
	n, segment := Length(text)
	if n <= segment {
		return 1
	}
	room, used, parts := chainedUCS2, 0, 1
	if segment == segmentGSM {
		room = chainedGSM
	}
	for _, r := range text {
		size := width(r, segment)
		if used+size > room {
			used, parts = 0, parts+1
		}
		used += size
	}
	return parts
}

func width(r rune, segment int) int {
	if segment == segmentUCS2 {
		return utf16.RuneLen(r)
	}
	if _, ok := extension[r]; ok {
		return 2
	}
	return 1
}

// printable says whether a text holds nothing but characters and line feeds.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && (r < ' ' || r >= 0x7F && r < 0xA0 || r == '\u2028' || r == '\u2029')
	})
}
