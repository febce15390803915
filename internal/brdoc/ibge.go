package brdoc

import "github.com/loginunico/loginunico/internal/fail"

// ErrIBGECode says that a text is not the code of a municipality.
var ErrIBGECode = fail.New(fail.Invalid, "ibge_code_invalid")

// IBGECode is a municipality's code at the IBGE: 2 digits of the state, 4 of the municipality and a
// check digit. It is public and hides nothing. The zero value is "none".
type IBGECode string

// ParseIBGECode reads a code of 7 digits. The only error is ErrIBGECode.
func ParseIBGECode(typed string) (IBGECode, error) {
	var d number
	if d.collect([]byte(typed), false) != 7 || !ibgeState(&d) || d[6] != ibgeDigit(&d) {
		return "", ErrIBGECode
	}
	return IBGECode(d[:7]), nil
}

// IBGECodeBytes appends the 7 digits to dst. To 6 digits, as the health and welfare systems keep
// the code, it adds the check digit. Errors, with dst as it was: ErrIBGECode, ErrCheckDigit.
func IBGECodeBytes(dst, raw []byte) ([]byte, error) {
	var d number
	n := d.collect(raw, false)
	if n != 6 && n != 7 || !ibgeState(&d) {
		return dst, ErrIBGECode
	}
	digit := ibgeDigit(&d)
	if n == 7 && d[6] != digit {
		return dst, ErrCheckDigit
	}
	d[6] = digit
	return append(dst, d[:7]...), nil
}

func ibgeState(d *number) bool {
	_, ok := ibgeStates[string(d[:2])]
	return ok
}

// ibgeExceptions are the nine codes that were given a wrong check digit and kept it.
var ibgeExceptions = map[string]byte{
	"430587": '1', "220191": '9', "220225": '1', "220198": '8', "261153": '3',
	"311783": '6', "315213": '1', "520393": '9', "520396": '2',
}

// ibgeDigit is 10 less the sum of the digits of the products by 1, 2, 1, 2, 1, 2.
func ibgeDigit(d *number) byte {
	if digit, ok := ibgeExceptions[string(d[:6])]; ok {
		return digit
	}
	sum := 0
	for i, c := range d[:6] {
		product := int(c-'0') * (1 + i%2)
		sum += product/10 + product%10
	}
	return '0' + byte((10-sum%10)%10)
}

// Digits is the code itself, 7 digits.
func (c IBGECode) Digits() string { return string(c) }

var ibgeStates = map[string]string{
	"11": "RO", "12": "AC", "13": "AM", "14": "RR", "15": "PA", "16": "AP", "17": "TO",
	"21": "MA", "22": "PI", "23": "CE", "24": "RN", "25": "PB", "26": "PE", "27": "AL", "28": "SE", "29": "BA",
	"31": "MG", "32": "ES", "33": "RJ", "35": "SP", "41": "PR", "42": "SC", "43": "RS",
	"50": "MS", "51": "MT", "52": "GO", "53": "DF",
}

// State is the two letters of the municipality's state; "" for the zero value.
func (c IBGECode) State() string {
	if len(c) != 7 {
		return ""
	}
	return ibgeStates[string(c[:2])]
}
