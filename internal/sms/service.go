package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
)

// Sealer hides numbers and texts; a *secret.Box is one.
type Sealer interface {
	Seal(plaintext, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
	Index(domain string, value []byte) []byte
	IndexVersion() int16
	IndexVersions() []int16
	IndexAt(version int16, domain string, value []byte) []byte
}

// Options are what a Service needs. Metrics may be nil.
type Options struct {
	DB        *pg.Pool
	Box       Sealer
	Queue     *jobs.Queue // not open yet: New adds its workers
	Carrier   Carrier
	Countries phone.Countries
	Limits    Limits
	Metrics   *Metrics
	Log       *slog.Logger
	Now       func() time.Time
}

// Service sends texts and keeps their trail.
type Service struct {
	Options
}

// sendTimeout bounds one try; the carriers' own bounds are below it.
const sendTimeout = 30 * time.Second

// workers is how many texts of one process may be at the carrier at once: its jobs wait for nothing
// else, and letters do not wait for them.
const workers = 10

// New makes the service and adds its jobs to the queue.
func New(o Options) *Service {
	s := &Service{o}
	jobs.AddApart(o.Queue, workers, sendTimeout+10*time.Second, s.deliver)
	jobs.Add(o.Queue, time.Minute, func(ctx context.Context, _ Sweep, _ int) error { return s.Sweep(ctx) })
	o.Queue.Every(time.Minute, Sweep{})
	return s
}

// Run keeps the carrier's link, where it has one, until ctx ends; else it returns at once.
func (s *Service) Run(ctx context.Context) {
	if bound, ok := s.Carrier.(interface {
		Run(ctx context.Context, hear Listener)
	}); ok {
		bound.Run(ctx, s.Hear)
	}
}

// StatusPath is where the server mounts Webhook.
const StatusPath = "/sms/status"

// Webhook is the carrier's, heard into the trail; nil where it has none.
func (s *Service) Webhook() http.Handler {
	if told, ok := s.Carrier.(interface {
		Webhook(hear Listener, now func() time.Time) http.Handler
	}); ok {
		return told.Webhook(s.Hear, s.Now)
	}
	return nil
}

// Request asks for one text.
type Request struct {
	// Key names what the text is for: "recovery/<id of the code>". However often a request of one key
	// is made, one text is sent. It is kept, so nothing personal may be in it.
	Key     string
	Purpose string       // for the trail and the owner: "code", "recovery"; a–z and _
	To      phone.Number // "" is a decoy: it costs the same and sends nothing
	Text    string       // as Text of the theme gave it, with WithCode where there is a code
	Expires time.Time    // the code's own end: later nobody sends it
}

// ErrRequest says that a request is wrong in itself; the code that made it is.
var ErrRequest = errors.New("sms request")

var purposeForm = regexp.MustCompile(`^[a-z][a-z_]{0,29}$`)

func (r Request) check(now time.Time) error {
	switch {
	case r.Key == "" || len(r.Key) > 200:
		return fmt.Errorf("%w: key of %d bytes", ErrRequest, len(r.Key))
	case !purposeForm.MatchString(r.Purpose):
		return fmt.Errorf("%w: purpose %q", ErrRequest, r.Purpose)
	case !r.Expires.After(now):
		return fmt.Errorf("%w: expired at birth", ErrRequest)
	}
	if r.To == "" {
		return nil
	}
	return Message{To: r.To, Text: r.Text}.Check()
}

// Job is the queue's: send one message.
type Job struct {
	ID uuid.UUID `json:"id"`
}

// Kind names the job.
func (Job) Kind() string { return "sms" }

// content is what is sealed of a message.
type content struct {
	To   string `json:"to"`
	Text string `json:"text"`
}

// Send enters a text and its job in the caller's transaction. A second request of a key is the
// first: its message's id comes back, and nothing is sent again. The text is folded, see [Fold], and
// must then be one segment.
//
// Errors: ErrRequest, ErrMessage, the database's.
func (s *Service) Send(ctx context.Context, tx pg.Tx, r Request) (uuid.UUID, error) {
	r.Text = Fold(r.Text)
	if err := r.check(s.Now()); err != nil {
		return uuid.Nil, err
	}
	m := row{id: pg.NewID(), expires: r.Expires, country: r.To.Country()}
	plain, err := json.Marshal(content{r.To.E164(), r.Text})
	if err != nil {
		return uuid.Nil, err
	}
	m.sealed = s.Box.Seal(plain, aad(m.id))
	m.index, m.version = s.Box.Index(numberDomain, []byte(r.To)), s.Box.IndexVersion()
	fresh, err := insertMessage(ctx, tx, m, r.Key, r.Purpose, s.Now())
	if err != nil {
		return uuid.Nil, err
	}
	if !fresh {
		return idOf(ctx, tx, r.Key)
	}
	return m.id, s.Queue.Insert(ctx, tx, Job{m.id})
}

// Answered counts that the code of a text was typed in right: tell it once for each code. Codes that
// are sent and never answered are the mark of pumping.
func (s *Service) Answered(to phone.Number) { s.Metrics.code(to.Country(), "answered") }

const numberDomain = "sms/number"

func aad(id uuid.UUID) []byte { return append([]byte("sms/"), id[:]...) }

// open reads what was sealed.
func (s *Service) open(m row) (Message, error) {
	plain, err := s.Box.Open(m.sealed, aad(m.id))
	if err != nil {
		return Message{}, err
	}
	var c content
	if err := json.Unmarshal(plain, &c); err != nil {
		return Message{}, err
	}
	return Message{ID: m.id, To: phone.Number(c.To), Text: c.Text, Expires: m.expires}, nil
}
