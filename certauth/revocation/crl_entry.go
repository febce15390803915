package revocation

import (
	"bytes"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// readTime reads a Time as §5.1.2.4 has it: to the second, in UTC, up to 2049 with two digits of the
// year. A long list has one in each entry; cryptobyte's reader allocates for every one.
func readTime(in *cryptobyte.String) (time.Time, bool) {
	var text cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&text, &tag) {
		return time.Time{}, false
	}
	year := 0
	switch {
	case tag == cbasn1.UTCTime && len(text) == 13:
		if year = two(text[0:]); year < 50 {
			year += 100
		}
		year, text = year+1900, text[2:]
	case tag == cbasn1.GeneralizedTime && len(text) == 15:
		year, text = 100*two(text[0:])+two(text[2:]), text[4:]
	default:
		return time.Time{}, false
	}
	month, day, hour, minute, second := two(text), two(text[2:]), two(text[4:]), two(text[6:]), two(text[8:])
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	ok := text[10] == 'Z' && year > 0 && t.Month() == time.Month(month) && t.Day() == day && t.Hour() == hour && t.Minute() == minute && t.Second() == second
	return t, ok
}

// two reads two digits; a number far below zero where they are none.
func two(b []byte) int {
	if b[0] < '0' || b[0] > '9' || b[1] < '0' || b[1] > '9' {
		return -10000
	}
	return int(b[0]-'0')*10 + int(b[1]-'0')
}

// readEntry reads one revoked certificate. A critical extension that we do not know may change what
// the entry means, as certificateIssuer of an indirect list does: ErrScope (§5.3).
func readEntry(der []byte) (r record, err error) {
	in := cryptobyte.String(der)
	var seq, serial, list cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return r, malformed("an entry does not read")
	}
	if !seq.ReadASN1(&serial, cbasn1.INTEGER) || !minimal(serial) {
		return r, malformed("a serial number does not read")
	}
	at, ok := readTime(&seq)
	if !ok {
		return r, malformed("a revocation's time does not read")
	}
	reason := Unspecified
	if !seq.Empty() {
		if !seq.ReadASN1(&list, cbasn1.SEQUENCE) || !seq.Empty() {
			return r, malformed("an entry has more than extensions")
		}
		if reason, err = readReason(list); err != nil {
			return r, err
		}
	}
	return newRecord(serial, at, reason), nil
}

// minimal says whether the content of an INTEGER has no octet too many. X.690 §8.3.2
func minimal(content []byte) bool {
	return len(content) == 1 || len(content) > 1 && !(content[0] == 0 && content[1] < 0x80) && !(content[0] == 0xff && content[1] >= 0x80)
}

// onlyReason is what the extensions of nearly every entry begin with: reasonCode, not critical.
var onlyReason = []byte{0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01}

func readReason(list cryptobyte.String) (reason Reason, err error) {
	if len(list) == len(onlyReason)+1 && bytes.HasPrefix(list, onlyReason) && list[len(onlyReason)] <= 10 {
		return Reason(list[len(onlyReason)]), nil
	}
	return reason, eachExtension(list, func(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) error {
		if !oid.Equal(oidReason) {
			return unknownExtension(critical)
		}
		var n int
		if !value.ReadASN1Enum(&n) || n < 0 || n > 10 {
			return malformed("a reason does not read")
		}
		reason = Reason(n)
		return nil
	})
}
