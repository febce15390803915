package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Message is one letter to one person.
type Message struct {
	ID      string // names the letter across retries: letters, digits, ".", "_", "-"; at most 100
	To      string // bare address: maria@exemplo.org
	Subject string // one line
	Text    string // plain text, lines ended by \n
}

// Sender carries messages.
//
// Errors: ErrMessage and ErrRefused are final; anything else is worth another try.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// ErrMessage says that the message itself cannot be sent, by anyone.
var ErrMessage = errors.New("unsendable message")

// ErrRefused says that the server refused this message for good (SMTP 5xx).
var ErrRefused = errors.New("refused by the mail server")

var idForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// check refuses what would end up as more, or other, headers than we meant.
func (m Message) check() error {
	switch {
	case !idForm.MatchString(m.ID):
		return fmt.Errorf("%w: ID", ErrMessage)
	case !bareAddress(m.To):
		return fmt.Errorf("%w: recipient", ErrMessage)
	case m.Subject == "" || !oneLine(m.Subject):
		return fmt.Errorf("%w: subject", ErrMessage)
	case m.Text == "" || !utf8.ValidString(m.Text) || strings.ContainsRune(m.Text, 0):
		return fmt.Errorf("%w: text", ErrMessage)
	}
	return nil
}

// bareAddress tells whether s is one addr-spec, without a display name (RFC 5322 §3.4.1).
func bareAddress(s string) bool {
	a, err := netmail.ParseAddress(s)
	return err == nil && a.Address == s && a.Name == "" && oneLine(s) && len(s) <= 254
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}
