package certauth

import (
	"errors"
	"fmt"
)

// Reason is why a certificate signs nobody in. It is an error; message certificate.why.<reason> tells
// it to citizens. A cause for the log may be joined to it: [ReasonOf].
type Reason string

// The reasons.
const (
	NoCertificate Reason = "none"       // the browser showed none
	Unreadable    Reason = "unreadable" // it cannot be read, or says what the program does not understand
	Untrusted     Reason = "untrusted"  // it does not chain to a pinned root
	Expired       Reason = "expired"
	NotYetValid   Reason = "not_yet"
	Revoked       Reason = "revoked"
	Unchecked     Reason = "unchecked" // whether it was revoked cannot be known now
	NotPersonal   Reason = "machine"   // equipment, a web server, time stamps, an authority
	IsSeal        Reason = "seal"      // an electronic seal: a company's, of no person
	NotForSigning Reason = "policy"    // no signature policy of ICP-Brasil (A1 to A4), or its key may not sign
	BadNumber     Reason = "number"    // no CPF that can be, or two that differ
)

// Reasons lists all.
var Reasons = []Reason{NoCertificate, Unreadable, Untrusted, Expired, NotYetValid, Revoked, Unchecked, NotPersonal, IsSeal, NotForSigning, BadNumber}

// Error is the reason's name.
func (r Reason) Error() string { return "certificate: " + string(r) }

// because joins a reason with its cause, which must hold no personal data.
func (r Reason) because(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{r}, args...)...)
}

// ReasonOf is the reason in an error; ok is false for errors of ours.
func ReasonOf(err error) (r Reason, ok bool) {
	ok = errors.As(err, &r)
	return r, ok
}
