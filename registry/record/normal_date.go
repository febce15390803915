package record

import "strconv"

// Layout is how a source writes dates.
type Layout uint8

// The layouts. A time of day behind the date is passed over, a day or month of one digit read, and
// "-" or "." taken for "/".
const (
	AnyLayout      Layout = iota // each of the others; they cannot be taken for one another
	DayMonthYear                 // 02/01/2006
	YearMonthDay                 // 2006-01-02
	DayMonthDigits               // 02012006
	YearDigits                   // 20060102
)

// ParseLayout reads a layout in Go's notation; ok is false for one that is not among them.
func ParseLayout(text string) (layout Layout, ok bool) {
	for i, known := range [...]string{DayMonthYear: "02/01/2006", YearMonthDay: "2006-01-02", DayMonthDigits: "02012006", YearDigits: "20060102"} {
		if known == text && text != "" {
			return Layout(i), true
		}
	}
	return AnyLayout, false
}

// Dates lie between these days; only the end of a benefit and the like may lie in the future.
const (
	firstDay = 1880_01_01
	lastDay  = 2200_12_31
)

// pastDate is a date up to today, as ISO 8601.
func pastDate(n Normalizer, dst, raw []byte) ([]byte, why) {
	return n.date(dst, raw, n.today)
}

func anyDate(n Normalizer, dst, raw []byte) ([]byte, why) {
	return n.date(dst, raw, lastDay)
}

func (n Normalizer) date(dst, raw []byte, latest int) ([]byte, why) {
	day, wrong := parseDay(raw, n.layout)
	switch {
	case wrong != fine:
		return dst, wrong
	case day < firstDay:
		return dst, early
	case day > latest:
		return dst, future
	}
	return appendDay(dst, day), fine
}

// Day reads a date up to today: year, month, day. The error is one of Birthdate's reasons.
func (n Normalizer) Day(raw []byte) (year, month, day int, err error) {
	number, wrong := parseDay(raw, n.layout)
	switch {
	case wrong == fine && number < firstDay:
		wrong = early
	case wrong == fine && number > n.today:
		wrong = future
	}
	if wrong != fine {
		return 0, 0, 0, reasons[Birthdate][wrong]
	}
	return number / 10000, number / 100 % 100, number % 100, nil
}

func dayNumber(y, m, d int) int { return y*10000 + m*100 + d }

func appendDay(dst []byte, day int) []byte {
	dst = strconv.AppendInt(dst, int64(day/10000), 10) // 4 digits from 1880 on
	m, d := day/100%100, day%100
	return append(dst, '-', '0'+byte(m/10), '0'+byte(m%10), '-', '0'+byte(d/10), '0'+byte(d%10))
}

// parseDay reads a date in one of the layouts as a day number.
func parseDay(raw []byte, layout Layout) (int, why) {
	var groups, lengths [3]int
	count := 0
	for i, c := range raw {
		switch {
		case c >= '0' && c <= '9':
			if lengths[count]++; lengths[count] > 8 {
				return 0, invalid
			}
			groups[count] = groups[count]*10 + int(c-'0')
			continue
		case lengths[count] == 0:
			return 0, invalid
		case (c == '/' || c == '-' || c == '.') && count < 2:
			count++
			continue
		case (c == 'T' || c == ' ') && timeOfDay(raw[i+1:]):
		default:
			return 0, invalid
		}
		break
	}
	if count == 0 {
		return parseDigits(groups[0], lengths[0], layout)
	}
	return parseGroups(groups, lengths, count, layout)
}

// timeOfDay accepts what stands behind the date in an export of a database.
func timeOfDay(raw []byte) bool {
	for _, c := range raw {
		if (c < '0' || c > '9') && c != ':' && c != '.' && c != 'Z' && c != '+' && c != '-' && c != ' ' {
			return false
		}
	}
	return true
}

// parseDigits reads 8 digits. In the years there are, the first four of day, month, year are never a
// year and the last four of year, month, day neither.
func parseDigits(v, length int, layout Layout) (int, why) {
	if length == 6 {
		return 0, twoDigitYear
	}
	if length == 7 && layout == DayMonthDigits { // a spreadsheet took its zero
		length = 8
	}
	if length != 8 {
		return 0, invalid
	}
	byYear, wrongYear := checkDay(v/10000, v/100%100, v%100)
	byDay, wrongDay := checkDay(v%10000, v/10000%100, v/1000000)
	switch {
	case layout == YearDigits, layout == AnyLayout && wrongYear == fine && byYear >= firstDay:
		return byYear, wrongYear
	case layout == DayMonthDigits, layout == AnyLayout:
		return byDay, wrongDay
	}
	return 0, invalid
}

func parseGroups(groups, lengths [3]int, count int, layout Layout) (int, why) {
	switch {
	case count != 2 || lengths[1] > 2:
		return 0, invalid
	case lengths[0] == 4 && lengths[2] <= 2 && lengths[2] > 0 && (layout == AnyLayout || layout == YearMonthDay):
		return checkDay(groups[0], groups[1], groups[2])
	case lengths[2] == 4 && lengths[0] <= 2 && (layout == AnyLayout || layout == DayMonthYear):
		return checkDay(groups[2], groups[1], groups[0])
	case lengths[0] <= 2 && lengths[2] == 2:
		return 0, twoDigitYear
	}
	return 0, invalid
}

func checkDay(y, m, d int) (int, why) {
	if m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return 0, invalid
	}
	return dayNumber(y, m, d), fine
}

func daysIn(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
