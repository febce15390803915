package match

import "strings"

// dateDigits takes a date as sources write it to yyyymmdd:
//
//	1985-03-20, 1985-03-20T00:00:00Z, 19850320   as they stand
//	20/03/1985, 20.03.1985, 20-3-85              day first; two digits of year are 1900 on
//
// What is no date keeps its digits, which still compare. The days that systems put for "unknown"
// (1 January 1900, year 0001, 9999) give "".
func dateDigits(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, "T "); i > 0 {
		s = s[:i]
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	d := strings.Join(parts, "")
	if len(parts) == 3 && len(parts[0]) <= 2 {
		year := parts[2]
		if len(year) == 2 {
			year = "19" + year
		}
		d = year + pad2(parts[1]) + pad2(parts[0])
	} else if len(parts) == 3 {
		d = parts[0] + pad2(parts[1]) + pad2(parts[2])
	}
	if d == "19000101" || strings.HasPrefix(d, "0001") || strings.HasPrefix(d, "9999") || strings.Trim(d, "0") == "" {
		return ""
	}
	return d
}

func pad2(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// compareDates tells how two dates of dateDigits agree.
//
//	Swapped   day and month exchanged
//	Close     one digit wrong, or two neighbours exchanged
//	Partial   two of day, month and year
func compareDates(a, b string) Agreement {
	switch {
	case a == "" || b == "":
		return Missing
	case a == b:
		return Exact
	case len(a) == 8 && len(b) == 8 && a[:4] == b[:4] && a[4:6] == b[6:] && a[6:] == b[4:6]:
		return Swapped
	case oneSlip(a, b):
		return Close
	case len(a) == 8 && len(b) == 8 && b2i(a[:4] == b[:4])+b2i(a[4:6] == b[4:6])+b2i(a[6:] == b[6:]) == 2:
		return Partial
	}
	return Different
}
