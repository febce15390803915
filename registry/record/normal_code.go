package record

import (
	"bytes"
	"strings"

	"golang.org/x/text/language"
)

// The words of the enumerations.
var (
	genders         = []string{"female", "male", "undisclosed", "other"}
	maritalStatuses = []string{"single", "married", "divorced", "widowed", "union", "separated"}
	situations      = []string{"regular", "suspended", "cancelled", "null", "deceased"}
)

func gender(_ Normalizer, dst, raw []byte) ([]byte, why) { return word(dst, raw, genders) }
func maritalStatus(_ Normalizer, dst, raw []byte) ([]byte, why) {
	return word(dst, raw, maritalStatuses)
}
func situation(_ Normalizer, dst, raw []byte) ([]byte, why) { return word(dst, raw, situations) }

func word(dst, raw []byte, words []string) ([]byte, why) {
	for _, w := range words {
		if len(w) == len(raw) && strings.EqualFold(w, string(raw)) {
			return append(dst, w...), fine
		}
	}
	return dst, unknown
}

// states are the 27, two letters each.
const states = "ACALAMAPBACEDFESGOMAMGMSMTPAPBPEPIPRRJRNRORRRSSCSESPTO"

// countries are the codes of ISO 3166-1 alpha-2, two letters each.
const countries = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW"

func state(_ Normalizer, dst, raw []byte) ([]byte, why)   { return pair(dst, raw, states) }
func country(_ Normalizer, dst, raw []byte) ([]byte, why) { return pair(dst, raw, countries) }

// pair accepts two letters that stand in the table at an even place.
func pair(dst, raw []byte, table string) ([]byte, why) {
	if len(raw) != 2 {
		return dst, unknown
	}
	a, b := raw[0]&^0x20, raw[1]&^0x20
	for i := 0; i < len(table); i += 2 {
		if table[i] == a && table[i+1] == b {
			return append(dst, a, b), fine
		}
	}
	return dst, unknown
}

// locale is a BCP 47 tag in its canonical form.
func locale(_ Normalizer, dst, raw []byte) ([]byte, why) {
	if len(raw) > maxShort {
		return dst, long
	}
	tag, err := language.Parse(string(raw))
	if err != nil || tag == language.Und {
		return dst, invalid
	}
	return append(dst, tag.String()...), fine
}

// legalNature is a code of the Receita's table of legal natures: 206-2.
func legalNature(_ Normalizer, dst, raw []byte) ([]byte, why) {
	return strip(dst, raw, 4, 4, false)
}

func passport(_ Normalizer, dst, raw []byte) ([]byte, why) { return strip(dst, raw, 5, 20, true) }

// rgNumber keeps digits and letters (a check digit X, a series): there is no national rule.
func rgNumber(_ Normalizer, dst, raw []byte) ([]byte, why) { return strip(dst, raw, 2, 20, true) }

// strip keeps digits, and letters in upper case, and drops what stands between them. Zeros alone
// are how a system writes that there is none.
func strip(dst, raw []byte, least, most int, letters bool) ([]byte, why) {
	start, zeros := len(dst), true
	for _, c := range raw {
		switch {
		case c >= '0' && c <= '9':
		case letters && alphanumeric(c):
			c &^= 0x20
		case c == '.' || c == '-' || c == '/' || c == ' ':
			continue
		default:
			return dst[:start], invalid
		}
		zeros = zeros && c == '0'
		dst = append(dst, c)
	}
	n := len(dst) - start
	switch {
	case n == 0:
		return dst, fine
	case n < least || n > most || zeros:
		return dst[:start], invalid
	}
	return dst, fine
}

// issuer is the authority that issued an RG: SSP, DETRAN.
func issuer(n Normalizer, dst, raw []byte) ([]byte, why) {
	start := len(dst)
	dst, wrong := short(n, dst, raw)
	if wrong != fine {
		return dst, wrong
	}
	for i, c := range dst[start:] {
		if c >= 0x80 {
			return append(dst[:start], bytes.ToUpper(dst[start:])...), fine
		}
		if c >= 'a' && c <= 'z' {
			dst[start+i] = c &^ 0x20
		}
	}
	return dst, fine
}

// splitIssuer takes the state off an issuer written SSP/PR or SSP-PR when it has no place of its own.
func splitIssuer(into, parts [][]byte) [][]byte {
	if len(parts) < 2 || len(parts) > 2 && len(bytes.TrimSpace(parts[2])) > 0 {
		return parts
	}
	text := bytes.TrimSpace(parts[1])
	at := len(text) - 3
	if at < 1 || text[at] != '/' && text[at] != '-' && text[at] != ' ' {
		return parts
	}
	var dst [2]byte
	if _, wrong := pair(dst[:0], text[at+1:], states); wrong != fine {
		return parts
	}
	into[0], into[1], into[2] = parts[0], text[:at], text[at+1:]
	return into[:3]
}
