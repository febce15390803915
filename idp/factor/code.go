package factor

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// Codes of a sign-in: six digits, good for CodeLifetime and CodeTries tries; an earlier one stays good
// when another is sent.
const (
	CodeLifetime = 10 * time.Minute
	CodeTries    = 5
)

// Purpose is what a mail code is asked for.
type Purpose string

// The purposes.
const (
	ForRegister Purpose = "register"
	ForUnlock   Purpose = "unlock"
	ForVisitor  Purpose = "visitor" // goes by text message
)

// Codes sends and checks mail codes.
type Codes struct {
	box   registry.Sealer
	queue *jobs.Queue
	now   func() time.Time
}

// NewCodes sends through the queue.
func NewCodes(box registry.Sealer, queue *jobs.Queue, now func() time.Time) *Codes {
	return &Codes{box: box, queue: queue, now: now}
}

// Letter is one mail to send; the text is ready in the reader's language.
type Letter struct {
	To      brdoc.Email
	Subject string
	Text    string
}

// Send stores a code for an interaction and enqueues its letter in the caller's transaction.
//
//	about  what the code proves, such as the address it goes to: what was typed may change while a
//	       code is on its way, and then it must prove nothing else
//
// write makes the letter from the code. A decoy stores a code nobody is told: what happens for an
// unknown account must cost and look the same.
func (c *Codes) Send(ctx context.Context, tx pg.Tx, interaction uuid.UUID, purpose Purpose, about string, decoy bool, write func(code string) Letter) error {
	code, err := c.Make(ctx, tx, interaction, purpose, about, decoy)
	if err != nil {
		return err
	}
	return c.Post(ctx, tx, write(code))
}

// Make stores a code that the caller sends; the one it returns of a decoy is good for nothing.
func (c *Codes) Make(ctx context.Context, tx pg.Tx, interaction uuid.UUID, purpose Purpose, about string, decoy bool) (code string, err error) {
	code = secret.Code()
	stored := code
	if decoy {
		stored = secret.Token()
	}
	return code, insertCode(ctx, tx, interaction, purpose, c.hash(interaction, about, stored), c.now())
}

// Post enqueues a letter; an empty one is enqueued too, so that the answer takes as long.
func (c *Codes) Post(ctx context.Context, tx pg.Tx, l Letter) error {
	body, err := json.Marshal(mail.Message{ID: pg.NewID().String(), To: l.To.Address(), Subject: l.Subject, Text: l.Text})
	if err != nil {
		return err
	}
	return c.queue.Insert(ctx, tx, Mail{Sealed: c.box.Seal(body, []byte("mail"))})
}

// Check tries a code once; left is how many tries remain. One conditional UPDATE counts the try
// and uses the code up, so a right code works once however many ask at the same time.
func (c *Codes) Check(ctx context.Context, db pg.DB, interaction uuid.UUID, purpose Purpose, about, typed string) (ok bool, left int, err error) {
	return tryCode(ctx, db, interaction, purpose, c.hash(interaction, about, typed), c.now())
}

// hash is keyed: six digits alone would be found from a dump in a second.
func (c *Codes) hash(interaction uuid.UUID, about, code string) []byte {
	return c.box.Index("code", append(append(interaction[:], code...), "\x00"+about...))
}

// Mail is the job that sends one letter. The message is sealed, because jobs lie in a table.
type Mail struct {
	Sealed []byte `json:"sealed"`
}

// Kind names the job.
func (Mail) Kind() string { return "mail" }

// Deliver makes the worker of [Mail] on a carrier.
func Deliver(box registry.Sealer, carrier mail.Sender) func(context.Context, Mail, int) error {
	return func(ctx context.Context, job Mail, _ int) error {
		plain, err := box.Open(job.Sealed, []byte("mail"))
		if err != nil {
			return err
		}
		var m mail.Message
		if err := json.Unmarshal(plain, &m); err != nil || m.To == "" {
			return err
		}
		err = carrier.Send(ctx, m)
		if errors.Is(err, mail.ErrMessage) || errors.Is(err, mail.ErrRefused) {
			return river.JobCancel(err) // final: another try would fail alike
		}
		return err
	}
}

// PurgeCodes forgets codes that have expired.
func PurgeCodes(ctx context.Context, db pg.DB, now time.Time) error {
	return purgeCodes(ctx, db, now.Add(-time.Hour))
}
