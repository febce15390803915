package sms

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/phone"
)

// Message is one text to one phone.
type Message struct {
	ID      uuid.UUID // names the text across tries; a carrier that can, passes it on
	To      phone.Number
	Text    string    // UTF-8, one segment, see [Segments]
	Expires time.Time // nobody should deliver it later
}

// Receipt is what a carrier says when it has taken a message.
type Receipt struct {
	ID string // the carrier's name for it; "" where it gives none, and then no status can follow
}

// Carrier takes texts to phones. Its methods may be called by several goroutines.
type Carrier interface {
	// Name tells carriers apart in the trail and in metrics: "smpp", "twilio", "outbox".
	Name() string
	// Send hands over one message, once.
	//
	// Errors: ErrMessage and ErrRefused are permanent. ErrNotTaken is temporary: the carrier surely
	// does not have the message. After any other error it may have it, and nobody may send it again.
	Send(ctx context.Context, m Message) (Receipt, error)
}

var (
	// ErrMessage says that the text itself cannot be sent, by anyone.
	ErrMessage = errors.New("unsendable text")
	// ErrRefused says that the carrier refused this message for good.
	ErrRefused = errors.New("refused by the carrier")
	// ErrNotTaken says that the carrier does not have the message, and may take it later.
	ErrNotTaken = errors.New("not taken by the carrier")
)

// Fault is a carrier's error with the carrier's own code for it, for the trail.
type Fault struct {
	Kind error  // ErrMessage, ErrRefused, ErrNotTaken, or nil where it is in doubt
	Code string // "smpp 0x0000000b", "http 429"; nothing personal
}

func (f *Fault) Error() string {
	if f.Kind == nil {
		return "in doubt: " + f.Code
	}
	return f.Kind.Error() + ": " + f.Code
}

// Unwrap is the kind.
func (f *Fault) Unwrap() error { return f.Kind }

// State is where a message is.
type State string

// The states. The last three are ends.
const (
	Queued    State = "queued"    // waits for its job, or for another try
	Sending   State = "sending"   // handed over, without an answer yet or ever
	Sent      State = "sent"      // the carrier has it
	Delivered State = "delivered" // the phone has it
	Failed    State = "failed"
	Expired   State = "expired" // its time was over before the carrier, or the phone, had it
)

// Final says whether nothing can follow.
func (s State) Final() bool { return s == Delivered || s == Failed || s == Expired }

// Status is what a carrier tells about a message afterwards.
type Status struct {
	Carrier string
	ID      string    // of the Receipt
	Ref     uuid.UUID // Message.ID, from a carrier that gives it back; else zero
	State   State     // Delivered, Failed or Expired; others change nothing
	Reason  string    // the carrier's own word or code, nothing personal; cut at 60 bytes
}

// Listener hears statuses. After an error the carrier should be asked to tell again.
type Listener func(ctx context.Context, s Status) error

// cut keeps a carrier's words short and printable.
func cut(reason string) string {
	clean := make([]rune, 0, len(reason))
	for _, r := range reason {
		if r > 0x7E || r < ' ' {
			r = '?'
		}
		if clean = append(clean, r); len(clean) == 60 {
			break
		}
	}
	return string(clean)
}
