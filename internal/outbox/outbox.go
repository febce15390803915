package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// keep is how many letters and texts stay; older ones leave.
const keep = 200

// Message is one letter or text as a person would read it.
type Message struct {
	ID        uint64    `json:"id"`   // counts up from 1 in order of arrival
	Kind      Kind      `json:"kind"` // mail or sms
	MessageID string    `json:"message_id"`
	From      string    `json:"from"`    // "" of a text
	To        []string  `json:"to"`      // the envelope's recipients, or one number in E.164
	Subject   string    `json:"subject"` // "" of a text
	Text      string    `json:"text"`
	At        time.Time `json:"at"`
}

// Kind tells letters from texts.
type Kind string

// The kinds.
const (
	Mail Kind = "mail"
	SMS  Kind = "sms"
)

// Outbox keeps letters and texts. Its methods may be called by several goroutines.
type Outbox struct {
	mu       sync.Mutex
	messages []Message     // oldest first
	last     uint64        // ID of the newest
	arrived  chan struct{} // closed at each arrival, then replaced
	close    []func() error
}

// New returns an empty outbox that listens nowhere yet.
func New() *Outbox { return &Outbox{arrived: make(chan struct{})} }

// ListenSMTP accepts mail on a free port of 127.0.0.1 until Close.
//
//	addr  host:port for smtp://host:port?tls=none
func (o *Outbox) ListenSMTP() (addr string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("outbox: %w", err)
	}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{outbox: o}, nil
	}))
	srv.Domain = "localhost"
	srv.EnableSMTPUTF8 = true
	srv.MaxMessageBytes = 1 << 20
	srv.MaxRecipients = 10
	srv.ReadTimeout, srv.WriteTimeout = 30*time.Second, 30*time.Second
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()

	o.mu.Lock()
	defer o.mu.Unlock()
	o.close = append(o.close, func() error {
		// A server closed before Serve has begun leaves the listener open, so close both.
		err := errors.Join(ignoreClosed(srv.Close()), ignoreClosed(ln.Close()))
		<-done
		return err
	})
	return ln.Addr().String(), nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

// Close ends the listeners. What was received stays readable.
func (o *Outbox) Close() error {
	o.mu.Lock()
	closers := o.close
	o.close = nil
	o.mu.Unlock()
	var errs []error
	for _, c := range closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// Last returns the newest letter to this address.
//
//	to  bare address, in any case, or a number in E.164; "" for anybody
func (o *Outbox) Last(to string) (Message, bool) {
	all := o.Messages(to)
	if len(all) == 0 {
		return Message{}, false
	}
	return all[0], true
}

// Wait returns the oldest letter to this address with an ID above after, as soon as there is
// one. A test that wants the next letter passes the ID of the last it saw.
//
// Errors: the context's.
func (o *Outbox) Wait(ctx context.Context, to string, after uint64) (Message, error) {
	for {
		o.mu.Lock()
		arrived := o.arrived
		i := slices.IndexFunc(o.messages, func(m Message) bool { return m.ID > after && m.isTo(to) })
		if i >= 0 {
			defer o.mu.Unlock()
			return o.messages[i], nil
		}
		o.mu.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return Message{}, ctx.Err()
		}
	}
}

// Messages returns the letters to this address, newest first; "" for all of them.
func (o *Outbox) Messages(to string) []Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	found := make([]Message, 0, len(o.messages))
	for _, m := range slices.Backward(o.messages) {
		if m.isTo(to) {
			found = append(found, m)
		}
	}
	return found
}

// Clear forgets every letter; IDs go on counting.
func (o *Outbox) Clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.messages = nil
}

func (o *Outbox) byID(id uint64) (Message, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.messages, func(m Message) bool { return m.ID == id })
	if i < 0 {
		return Message{}, false
	}
	return o.messages[i], true
}

// add keeps a message and returns its ID.
func (o *Outbox) add(m Message) uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	m.ID = o.last
	o.messages = append(o.messages, m)
	if over := len(o.messages) - keep; over > 0 {
		o.messages = slices.Delete(o.messages, 0, over)
	}
	close(o.arrived)
	o.arrived = make(chan struct{})
	return o.last
}

func (m Message) isTo(to string) bool {
	return to == "" || slices.ContainsFunc(m.To, func(a string) bool { return strings.EqualFold(a, to) })
}

// session is one SMTP connection.
type session struct {
	outbox *Outbox
	from   string
	to     []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = append(s.to, to); return nil }
func (s *session) Reset()                                      { s.from, s.to = "", nil }
func (s *session) Logout() error                               { return nil }

func (s *session) Data(r io.Reader) error {
	m, err := parse(r)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	m.Kind, m.To, m.At = Mail, s.to, time.Now().UTC()
	if m.From == "" {
		m.From = s.from
	}
	s.outbox.add(m)
	return nil
}
