package factor

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// channelClass is what addresses are sealed under.
const channelClass = secret.Contact

// ChannelKind is what sort of address it is.
type ChannelKind string

// The kinds.
const (
	MailChannel  ChannelKind = "mail"
	PhoneChannel ChannelKind = "phone"
)

// Address is a mail address or an E.164 number, checked by the caller. It hides itself.
type Address string

// Text is the address itself.
func (a Address) Text() string { return string(a) }

// Masked keeps what its owner recognises it by: m***@e***.org, +55***4321.
func (a Address) Masked() string {
	s := string(a)
	if local, domain, ok := strings.Cut(s, "@"); ok && local != "" && domain != "" {
		return local[:1] + "***@" + domain[:1] + "***" + domain[max(1, strings.LastIndexByte(domain, '.')):]
	}
	if len(s) < 8 {
		return "***"
	}
	return s[:3] + "***" + s[len(s)-4:]
}

// Format writes Masked for every verb.
func (a Address) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.Masked()) }

// LogValue is Masked.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.Masked()) }

// Channel is a confirmed address of a person.
type Channel struct {
	ID          uuid.UUID // zero for the main one, which belongs to the registry
	Kind        ChannelKind
	Main        bool
	Address     Address
	ConfirmedAt time.Time
}

// Way is the way a message to this address goes.
func (c Channel) Way() Way {
	switch {
	case c.Kind == PhoneChannel:
		return WaySMS
	case c.Main:
		return WayMail
	}
	return WayAlternativeMail
}

// Destination is where one message goes.
type Destination struct {
	Way     Way
	Address Address
}

// Dispatch is one message to send: what the person is asked for, in words that are the caller's.
type Dispatch struct {
	To    Destination
	Code  string // six digits, or twelve where many were asked for
	Token string // of the link; "" where there is none
}

// Courier enqueues a message in the transaction given.
type Courier func(ctx context.Context, tx pg.Tx, d Dispatch) error

// Channels keeps alternative mails and phones.
type Channels struct {
	box registry.Sealer
	now func() time.Time
}

// NewChannels seals under box.
func NewChannels(box registry.Sealer, now func() time.Time) *Channels {
	return &Channels{box: box, now: now}
}

// Add sends a code to a new address, which counts once the code comes back. Of each kind one waits
// at a time: the next one takes its place. Errors: ErrTooManyFactors, the courier's.
func (c *Channels) Add(ctx context.Context, tx pg.Tx, person uuid.UUID, kind ChannelKind, a Address, send Courier) (uuid.UUID, error) {
	id, code := pg.NewID(), secret.Code()
	sealed := c.box.Class(channelClass).Seal([]byte(a.Text()), channelAAD(person, id))
	fresh, err := insertChannel(ctx, tx, person, id, kind, sealed, c.hash(id, code), c.now())
	if err != nil || !fresh {
		return uuid.Nil, orElse(err, ErrTooManyFactors)
	}
	to := Destination{Way: Channel{Kind: kind}.Way(), Address: a}
	return id, send(ctx, tx, Dispatch{To: to, Code: code})
}

// Pending is an address that waits for its code. Error: ErrFactorNotFound.
func (c *Channels) Pending(ctx context.Context, db pg.DB, person, id uuid.UUID) (Channel, error) {
	one := Channel{ID: id}
	sealed, err := pendingChannel(ctx, db, person, id, &one.Kind)
	if err != nil {
		return one, err
	}
	plain, err := c.box.Class(channelClass).Open(sealed, channelAAD(person, id))
	one.Address = Address(plain)
	return one, err
}

// Confirm tries the code of an address once; left is how many tries remain.
func (c *Channels) Confirm(ctx context.Context, db pg.DB, person, id uuid.UUID, typed string) (ok bool, left int, err error) {
	return confirmChannel(ctx, db, person, id, c.hash(id, Digits(typed)), c.now())
}

// Remove takes an address away. Error: ErrFactorNotFound.
func (c *Channels) Remove(ctx context.Context, db pg.DB, person, id uuid.UUID) error {
	return deleteChannel(ctx, db, person, id)
}

// hash is keyed, as six digits need it.
func (c *Channels) hash(id uuid.UUID, code string) []byte {
	return c.box.Index("channel", append(id[:], code...))
}

// PurgeChannels forgets addresses that were not confirmed in time.
func PurgeChannels(ctx context.Context, db pg.DB, now time.Time) error {
	return purgeChannels(ctx, db, now.Add(-EnrolLifetime))
}

// channelAAD binds an address to its row.
func channelAAD(person, id uuid.UUID) []byte {
	return append(append([]byte("channel"), person[:]...), id[:]...)
}
