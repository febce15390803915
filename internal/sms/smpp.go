package sms

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp"
	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// SMPPConfig says how an SMSC is reached. Durations and Window have defaults where they are zero.
type SMPPConfig struct {
	Addr                           string // host:port
	SystemID, Password, SystemType string
	From                           string        // what the phone shows: +55…, a short code, or up to 11 letters
	TLS                            *tls.Config   // nil: plain, for a private line alone
	Packed                         bool          // the SMSC wants eight septets in seven octets
	DecimalIDs                     bool          // its receipts write in decimal what its answers wrote in hexadecimal
	Window                         int           // submissions without an answer yet; 10
	Enquire                        time.Duration // silence before enquire_link, 30 s; a link silent for three is dead
	Answer                         time.Duration // for one submission, 15 s
	Backoff                        time.Duration // before the first new try to bind, 1 s; doubles up to a minute
	Metrics                        *Metrics
	Log                            *slog.Logger
}

// SMPP is a carrier by SMPP 3.4, bound as transceiver while Run runs.
type SMPP struct {
	SMPPConfig
	source pdu.Address
	hear   Listener // of Run
	mu     sync.Mutex
	bound  *link         // nil: not bound
	change chan struct{} // closed when bound changes, then replaced
}

// NewSMPP checks what can be checked without the SMSC.
func NewSMPP(c SMPPConfig) (*SMPP, error) {
	c.Window = cmp.Or(c.Window, 10)
	c.Enquire, c.Answer, c.Backoff = cmp.Or(c.Enquire, 30*time.Second), cmp.Or(c.Answer, 15*time.Second), cmp.Or(c.Backoff, time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	source, err := sourceOf(c.From)
	return &SMPP{SMPPConfig: c, source: source, change: make(chan struct{})}, err
}

// numberForm is what an alphanumeric sender is not.
var (
	numberForm = regexp.MustCompile(`^\+?[0-9]{2,15}$`)
	senderForm = regexp.MustCompile(`^[A-Za-z0-9 ._-]{1,11}$`)
)

// sourceOf tells the kinds of sender apart: TON 1 is an international number, 3 a network's short
// code, 5 letters (SMPP 3.4 §5.2.5).
func sourceOf(from string) (pdu.Address, error) {
	ton, npi := byte(5), byte(0)
	switch {
	case from == "":
		return pdu.NewAddressWithTonNpi(0, 0), nil // the SMSC's own
	case numberForm.MatchString(from) && len(strings.TrimPrefix(from, "+")) > 8:
		ton, npi = 1, 1
	case numberForm.MatchString(from):
		ton, npi = 3, 0
	case !senderForm.MatchString(from):
		return pdu.Address{}, errors.New("the sender must be a number, or up to 11 letters and digits")
	}
	return pdu.NewAddressWithTonNpiAddr(ton, npi, strings.TrimPrefix(from, "+"))
}

// Name is "smpp".
func (*SMPP) Name() string { return "smpp" }

// Run keeps the carrier bound until ctx ends, and hands receipts to hear. What goes wrong is logged and
// tried again. It is called once.
func (s *SMPP) Run(ctx context.Context, hear Listener) {
	s.hear = hear
	s.Metrics.Up(s.Name(), false)
	pause := s.Backoff
	for ctx.Err() == nil {
		l, err := s.connect(ctx)
		if err == nil {
			pause = s.Backoff
			s.bind(l)
			s.Log.InfoContext(ctx, "SMPP bound", "server", s.Addr)
			err = l.serve(ctx)
			s.bind(nil)
		}
		if ctx.Err() != nil {
			return
		}
		s.Log.WarnContext(ctx, "SMPP not bound", "server", s.Addr, "error", err.Error(), "again_in", pause.String())
		wait(ctx, pause/2+rand.N(pause)) // so that processes do not come back together
		pause = min(2*pause, time.Minute)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// bind makes l the link that Send uses.
func (s *SMPP) bind(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bound = l
	close(s.change)
	s.change = make(chan struct{})
	s.Metrics.Up(s.Name(), l != nil)
}

// connect dials and binds, within ten seconds.
func (s *SMPP) connect(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	stop := func() bool { return true }
	conn, err := gosmpp.TRXConnector(func(addr string) (net.Conn, error) {
		conn, err := s.dial(ctx, addr)
		if err == nil {
			stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}, gosmpp.Auth{SMSC: s.Addr, SystemID: s.SystemID, Password: s.Password, SystemType: s.SystemType}).Connect()
	if !stop() && err == nil {
		err = ctx.Err() // and the connection is closed
	}
	if err != nil {
		return nil, err
	}
	return newLink(conn, s), nil
}

func (s *SMPP) dial(ctx context.Context, addr string) (net.Conn, error) {
	if s.TLS == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	return (&tls.Dialer{Config: s.TLS}).DialContext(ctx, "tcp", addr)
}

// linkPatience is how long a message waits for the link before its job tries again later: long enough
// for a link that is being bound, and short, because the workers are few.
const linkPatience = 2 * time.Second

// link waits for a link that is bound.
func (s *SMPP) link(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, linkPatience)
	defer cancel()
	for {
		s.mu.Lock()
		l, change := s.bound, s.change
		s.mu.Unlock()
		if l != nil {
			return l, nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, &Fault{ErrNotTaken, "smpp not bound"}
		}
	}
}

// Send submits one message and waits for the SMSC's answer (submit_sm, SMPP 3.4 §4.4).
func (s *SMPP) Send(ctx context.Context, m Message) (Receipt, error) {
	if err := m.Check(); err != nil {
		return Receipt{}, err
	}
	submit, err := s.submission(m, time.Now())
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	l, err := s.link(ctx)
	if err != nil {
		return Receipt{}, err
	}
	answer, err := l.ask(ctx, submit)
	if err != nil {
		return Receipt{}, err
	}
	if status := answer.GetHeader().CommandStatus; status != data.ESME_ROK {
		return Receipt{}, &Fault{kindOf(status), fmt.Sprintf("smpp 0x%08x", uint32(status))}
	}
	taken, ok := answer.(*pdu.SubmitSMResp)
	if !ok {
		return Receipt{}, &Fault{nil, "smpp answer of another kind"}
	}
	return Receipt{s.canonical(taken.MessageID, 16)}, nil
}

// submission writes a message as submit_sm, with a receipt asked for and the end of its validity.
func (s *SMPP) submission(m Message, now time.Time) (*pdu.SubmitSM, error) {
	sm := pdu.NewSubmitSM().(*pdu.SubmitSM)
	to, err := pdu.NewAddressWithTonNpiAddr(1, 1, m.To.Digits())
	sm.SourceAddr, sm.DestAddr, sm.RegisteredDelivery = s.source, to, data.SM_SMSC_RECEIPT_REQUESTED
	sm.ValidityPeriod = validity(m.Expires.Sub(now))
	if err != nil {
		return nil, err
	}
	coded, ok := GSM7(m.Text)
	switch {
	case !ok:
		return sm, sm.Message.SetMessageDataWithEncoding(UCS2(m.Text), data.UCS2)
	case s.Packed:
		coded = Pack(coded)
	}
	return sm, sm.Message.SetMessageDataWithEncoding(coded, data.GSM7BIT)
}

// validity is a relative time (§7.1.1.2), YYMMDDhhmmss000R: from a second to two days.
func validity(left time.Duration) string {
	left = min(max(left, time.Second), 48*time.Hour)
	day := int(left / (24 * time.Hour))
	left -= time.Duration(day) * 24 * time.Hour
	return fmt.Sprintf("0000%02d%02d%02d%02d000R", day, int(left/time.Hour), int(left/time.Minute)%60, int(left/time.Second)%60)
}

// kindOf sorts the SMSC's refusals (§5.1.3). All of them say that it does not have the message.
func kindOf(status data.CommandStatusType) error {
	switch status {
	case data.ESME_RTHROTTLED, data.ESME_RMSGQFUL, data.ESME_RSYSERR, data.ESME_RSUBMITFAIL, data.ESME_RX_T_APPN, data.ESME_RINVBNDSTS:
		return ErrNotTaken
	}
	return ErrRefused
}
