package sms

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// WithCode ends a text with the line that binds a code to the site it is for, so that phones offer
// to fill it in there and nowhere else.
//
//	host  of the page, without scheme and port: login.cidade.example
//	code  as it is typed: 123456
//
// Origin-bound one-time codes delivered via SMS, W3C WICG: the last line is "@host #code".
func WithCode(text, host, code string) string {
	return strings.TrimRight(text, "\n") + "\n@" + host + " #" + code
}

var boundForm = regexp.MustCompile(`\n@[^ \n]+ #[^ \n]+$`)

// bound says whether a text ends as WithCode ends it.
func bound(text string) bool { return boundForm.MatchString(text) }

// plain are characters that editors put into texts, in the GSM alphabet.
var plain = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "‘", "'", "’", "'", "`", "'",
	"–", "-", "—", "-", "‐", "-", "\u2011", "-", "…", "...", "\u00a0", " ", "\u202f", " ", "\u2009", " ",
	"º", "o", "ª", "a", "°", "o", "\t", " ", "\r\n", "\n")

// Fold writes a text in the GSM alphabet where only accents and typography stand in the way: one ã
// more than doubles the price. A text that would need more (another script, a symbol) stays whole.
func Fold(text string) string {
	var b strings.Builder
	for _, r := range plain.Replace(norm.NFC.String(text)) {
		if _, ok := GSM7(string(r)); ok {
			b.WriteRune(r)
			continue
		}
		for _, d := range norm.NFD.String(string(r)) {
			if !unicode.Is(unicode.Mn, d) {
				b.WriteRune(d)
			}
		}
	}
	if _, ok := GSM7(b.String()); !ok {
		return text
	}
	return b.String()
}

// Check says why a message cannot be sent, as ErrMessage; nil when it can.
func (m Message) Check() error {
	switch n, segment := Length(m.Text); {
	case m.To == "":
		return fmt.Errorf("%w: no number", ErrMessage)
	case m.Text == "" || !printable(m.Text):
		return fmt.Errorf("%w: no text, or control characters in it", ErrMessage)
	case n > segment:
		return fmt.Errorf("%w: %d of %d characters", ErrMessage, n, segment)
	}
	return nil
}
