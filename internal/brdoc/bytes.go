package brdoc

import (
	"unicode/utf8"

	"github.com/loginunico/loginunico/internal/fail"
)

// ErrCheckDigit says that a number has the right shape and wrong check digits: somebody mistyped it,
// or made it up.
var ErrCheckDigit = fail.New(fail.Invalid, "check_digit")

// The functions of this file are for loads of tens of millions of records: they append the bare
// number to dst without allocating, and restore the leading zeros that spreadsheets lose, which
// the Parse functions, made for what one person types, do not.

// maxNumber is the length of the longest number.
const maxNumber = 15

// number is a bare number under construction.
type number [maxNumber + 1]byte

// collect fills d with the digits (and letters, in upper case) of raw and returns how many there
// are; -1 for any other character but a separator, or for too many.
func (d *number) collect(raw []byte, letters bool) int {
	if len(raw) > maxTyped {
		return -1
	}
	n := 0
	for i := 0; i < len(raw); {
		c := raw[i]
		i++
		switch {
		case c >= '0' && c <= '9':
		case letters && c >= 'A' && c <= 'Z':
		case letters && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c == '.' || c == '-' || c == '/' || c == ' ':
			continue
		default:
			r, size := utf8.DecodeRune(raw[i-1:])
			if !isSeparator(r) {
				return -1
			}
			i += size - 1
			continue
		}
		if n == maxNumber {
			return -1
		}
		d[n] = c
		n++
	}
	return n
}

// pad shifts n characters to the end of size and fills up with zeros.
func (d *number) pad(n, size int) {
	copy(d[size-n:size], d[:n])
	for i := range size - n {
		d[i] = '0'
	}
}

// Blank says whether raw holds nothing at all, or only the separators of an empty form.
func Blank(raw []byte) bool {
	var d number
	return d.collect(raw, false) == 0
}

// CPFBytes appends the 11 digits of a CPF, as any source may write it, to dst. 9 or 10 digits are
// a number that lost its zeros. Errors, with dst as it was: ErrCPF, ErrCheckDigit.
func CPFBytes(dst, raw []byte) ([]byte, error) {
	var d number
	n := d.collect(raw, false)
	if n < 9 || n > 11 {
		return dst, ErrCPF
	}
	if n < 11 {
		d.pad(n, 11)
	}
	if same(d[:11]) {
		return dst, ErrCPF
	}
	if !cpfDigits(&d) {
		return dst, ErrCheckDigit
	}
	return append(dst, d[:11]...), nil
}

// cpfDigits is checkDigit twice in one pass.
func cpfDigits(d *number) bool {
	first, second := 0, 0
	for i := range 9 {
		v := int(d[i] - '0')
		first += v * (10 - i)
		second += v * (11 - i)
	}
	a := remainder(first)
	return d[9] == '0'+byte(a) && d[10] == '0'+byte(remainder(second+2*a))
}

// remainder is the Receita's rule: 11 less the remainder by 11, and 0 for 10 and 11.
func remainder(sum int) int {
	if r := sum % 11; r >= 2 {
		return 11 - r
	}
	return 0
}

// CNPJBytes appends the 14 characters of a CNPJ to dst, letters in upper case. 12 or 13 digits are
// a number that lost its zeros. Errors, with dst as it was: ErrCNPJ, ErrCheckDigit.
func CNPJBytes(dst, raw []byte) ([]byte, error) {
	var d number
	n := d.collect(raw, true)
	if n < 12 || n > 14 || n < 14 && !numeric(d[:n]) {
		return dst, ErrCNPJ
	}
	if n < 14 {
		d.pad(n, 14)
	}
	if !numeric(d[12:14]) || same(d[:14]) {
		return dst, ErrCNPJ
	}
	if d[12] != checkDigit(d[:12], cnpjWeights) || d[13] != checkDigit(d[:13], cnpjWeights) {
		return dst, ErrCheckDigit
	}
	return append(dst, d[:14]...), nil
}

// exact collects a number of just n digits; ok is false for anything else and for one digit
// throughout.
func (d *number) exact(raw []byte, n int) (ok bool) {
	return d.collect(raw, false) == n && !same(d[:n])
}

func same(b []byte) bool {
	for _, c := range b {
		if c != b[0] {
			return false
		}
	}
	return true
}

func numeric(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
