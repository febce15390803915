package sms

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

func text(words string) Message {
	return Message{ID: uuid.New(), To: maria, Text: words, Expires: time.Now().Add(10*time.Minute + 500*time.Millisecond)}
}

type submitted struct {
	From, To, Text                 string
	Ton, Coding, Receipt, Validity int // Validity in seconds from now
}

func TestSMPPServerReadsWhatIsSubmitted(t *testing.T) {
	t.Parallel()

	for _, secure := range []bool{false, true} {
		server := startSMSC(t, secure)
		carrier := server.carrier(nil)
		var bound struct {
			Version int
			Type    string
		}
		server.Wait("bind", &bound)
		if bound.Version != 0x34 || bound.Type != "OTP" {
			t.Errorf("bound as %+v", bound)
		}
		for words, coding := range map[string]int{
			"Seu codigo é 123456 [~€].\n@login.example.org #123456": 0,
			"Код 123456. Никому не говорите.":                       8,
			strings.Repeat("é", 160):                                0,
		} {
			receipt, err := carrier.Send(t.Context(), text(words))
			if err != nil || !strings.HasPrefix(receipt.ID, "id-") {
				t.Fatalf("%q: %+v, %v", words, receipt, err)
			}
			var got submitted
			server.Wait("submit", &got)
			if got.Validity < 570 || got.Validity > 601 {
				t.Errorf("good for %d seconds, want 600", got.Validity)
			}
			if want := (submitted{"PREFEITURA", "5511987654321", words, 5, coding, 1, got.Validity}); got != want {
				t.Errorf("TLS %v: %+v, want %+v", secure, got, want)
			}
		}
	}
}

func TestReceiptsMoveTheTrail(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	heard := make(chan Status, 1)
	server.carrier(nil, func(_ context.Context, s Status) error { heard <- s; return nil })
	server.Wait("bind", nil)
	const appendixB = "id:7220bb6b-1 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:%s err:%s text:id:9 stat:UNDELIV"
	for name, c := range map[string]struct {
		receipt string
		want    Status
	}{
		"delivered":            {fmt.Sprintf(`{"text":"`+appendixB+`"}`, "DELIVRD", "000"), Status{ID: "7220bb6b-1", State: Delivered, Reason: "DELIVRD 000"}},
		"undeliverable":        {fmt.Sprintf(`{"text":"`+appendixB+`"}`, "UNDELIV", "0c4"), Status{ID: "7220bb6b-1", State: Failed, Reason: "UNDELIV 0c4"}},
		"expired":              {`{"text":"ID:a1 STAT:expired"}`, Status{ID: "a1", State: Expired, Reason: "expired"}},
		"rejected":             {`{"text":"id:a1 stat:REJECTD err:011"}`, Status{ID: "a1", State: Failed, Reason: "REJECTD 011"}},
		"TLVs alone":           {`{"text":"","id":"t1","state":2}`, Status{ID: "t1", State: Delivered}},
		"TLVs beside a text":   {`{"text":"id:0001 stat:UNDELIV err:001","id":"t1","state":3}`, Status{ID: "t1", State: Expired, Reason: "UNDELIV 001"}},
		"in the payload":       {`{"text":"","payload":"id:p1 stat:DELETED"}`, Status{ID: "p1", State: Failed, Reason: "DELETED"}},
		"underscores and tags": {`{"text":"id:a_b@c stat:DELIVRD err:000 Text:Seu codigo"}`, Status{ID: "a_b@c", State: Delivered, Reason: "DELIVRD 000"}},
	} {
		server.Tell(`{"receipt":` + c.receipt + `}`)
		got := <-heard
		c.want.Carrier = "smpp"
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		wantAnswer(t, server, 0)
	}
	for name, receipt := range map[string]string{
		"on its way":       `{"text":"id:a1 stat:ENROUTE err:000"}`,
		"of nothing":       `{"text":"stat:DELIVRD"}`,
		"a person's reply": `{"text":"id:a1 stat:DELIVRD","esm_class":0}`,
		"no form at all":   `{"text":"\u0000\u00ff: stat"}`,
	} {
		server.Tell(`{"receipt":` + receipt + `}`)
		wantAnswer(t, server, 0)
		if len(heard) != 0 {
			t.Errorf("%s: %+v", name, <-heard)
		}
	}
}

func wantAnswer(t *testing.T, server *smsc, status int) {
	t.Helper()
	var got struct{ Status int }
	if server.Wait("answered", &got); got.Status != status {
		t.Errorf("the receipt is answered with 0x%x, want 0x%x", got.Status, status)
	}
}

func TestReceiptThatIsNotKeptIsAskedForAgain(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	server.carrier(nil, func(context.Context, Status) error { return errors.New("no database") })
	server.Wait("bind", nil)
	server.Tell(`{"receipt":{"text":"id:1 stat:DELIVRD"}}`)
	wantAnswer(t, server, 0x64)
}

func TestRefusalsAreSorted(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	carrier := server.carrier(nil)
	for status, want := range map[int]error{0x58: ErrNotTaken, 0x14: ErrNotTaken, 0x08: ErrNotTaken, 0x0B: ErrRefused, 0x0A: ErrRefused, 0x62: ErrRefused, 0x400: ErrRefused} {
		server.Tell(fmt.Sprintf(`{"next":{"status":%d}}`, status))
		_, err := carrier.Send(t.Context(), text("x"))
		if !errors.Is(err, want) || !strings.Contains(err.Error(), fmt.Sprintf("smpp 0x%08x", status)) || strings.Contains(err.Error(), "98765") {
			t.Errorf("0x%x: %v", status, err)
		}
	}
	if _, err := carrier.Send(t.Context(), text(strings.Repeat("a", 161))); !errors.Is(err, ErrMessage) {
		t.Errorf("161 characters: %v", err)
	}
}

// inDoubt says that nobody may send again.
func inDoubt(err error) bool {
	return err != nil && !errors.Is(err, ErrNotTaken) && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrMessage)
}

func TestSubmissionWithoutAnAnswerIsInDoubt(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	carrier := server.carrier(func(c *SMPPConfig) { c.Answer = 2 * time.Second })
	server.Tell(`{"next":{"silent":true}}`)
	if _, err := carrier.Send(t.Context(), text("x")); !inDoubt(err) {
		t.Errorf("silence: %v", err)
	}
	server.Tell(`{"next":{"close":true}}`)
	if _, err := carrier.Send(t.Context(), text("x")); !inDoubt(err) {
		t.Errorf("the connection is cut: %v", err)
	}
	server.WaitEach("closed", "bind")
	if _, err := carrier.Send(t.Context(), text("x")); err != nil {
		t.Errorf("and after it: %v", err)
	}
}

func TestLinkComesBack(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	carrier := server.carrier(nil)
	server.Wait("bind", nil)
	for _, fault := range []string{`{"drop":true}`, `{"unbind":true}`} {
		server.Tell(fault)
		server.WaitEach("closed", "bind")
		if _, err := carrier.Send(t.Context(), text("x")); err != nil {
			t.Errorf("after %s: %v", fault, err)
		}
	}
	server.Tell(`{"refuse":true}`)
	server.Tell(`{"drop":true}`)
	server.Wait("closed", nil)
	server.Wait("closed", nil) // a bind that was refused
	server.Tell(`{"refuse":false}`)
	server.Wait("bind", nil)
	if _, err := carrier.Send(t.Context(), text("x")); err != nil {
		t.Errorf("after refused binds: %v", err)
	}
}

func TestMessageWithoutALinkIsNotTaken(t *testing.T) {
	t.Parallel()

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.Addr().String()
	_ = closed.Close()
	carrier, err := NewSMPP(SMPPConfig{Addr: addr, From: "12345"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := carrier.Send(ctx, text("x")); !errors.Is(err, ErrNotTaken) {
		t.Error(err)
	}
}

func TestServerOfAnotherNameIsNotBoundTo(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, true)
	carrier, err := NewSMPP(SMPPConfig{Addr: server.addr, TLS: &tls.Config{RootCAs: server.pool, ServerName: "other.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := carrier.connect(t.Context()); !errors.As(err, new(x509.HostnameError)) {
		t.Error(err)
	}
}

func TestSilentLinkIsAskedAndGivenUp(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	server.carrier(func(c *SMPPConfig) { c.Enquire = 30 * time.Millisecond })
	for range 5 { // longer than a link may be silent
		server.Wait("enquire", nil)
	}
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	carrier, err := NewSMPP(SMPPConfig{Addr: deaf.Addr().String(), Enquire: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	bound := make(chan net.Conn, 1)
	go func() { // takes the bind, then says nothing more
		conn, err := deaf.Accept()
		if err == nil {
			header := make([]byte, 16)
			_, _ = io.ReadFull(conn, header)
			_, _ = conn.Write([]byte{0, 0, 0, 17, 0x80, 0, 0, 9, 0, 0, 0, 0, header[12], header[13], header[14], header[15], 0})
			bound <- conn
		}
	}()
	l, err := carrier.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer (<-bound).Close()
	if err := l.serve(t.Context()); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

func TestWindowHoldsBackAndManyAreSent(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	carrier := server.carrier(func(c *SMPPConfig) { c.Window = 3 })
	ids := make(chan string, 200)
	var all sync.WaitGroup
	for range cap(ids) {
		all.Go(func() {
			receipt, err := carrier.Send(t.Context(), text("x"))
			if err != nil {
				t.Error(err)
			}
			ids <- receipt.ID
		})
	}
	server.Ignore()
	all.Wait()
	close(ids)
	different := map[string]bool{}
	for id := range ids {
		different[id] = true
	}
	if len(different) != cap(ids) {
		t.Errorf("%d names for %d messages", len(different), cap(ids))
	}
	server.Say(json.RawMessage(`{"next":{"silent":true}}`))
	narrow := server.carrier(func(c *SMPPConfig) { c.Window, c.Answer = 1, 200*time.Millisecond })
	first := make(chan error, 1)
	go func() { _, err := narrow.Send(t.Context(), text("x")); first <- err }()
	second := make(chan error, 1)
	go func() { _, err := narrow.Send(t.Context(), text("x")); second <- err }()
	a, b := <-first, <-second
	if !inDoubt(a) && !inDoubt(b) {
		t.Errorf("%v, %v: want the silent one in doubt", a, b)
	}
}

func TestPackedAlphabetAndDecimalNames(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	heard := make(chan Status, 1)
	carrier := server.carrier(func(c *SMPPConfig) { c.Packed, c.DecimalIDs, c.From = true, true, "+551130000000" },
		func(_ context.Context, s Status) error { heard <- s; return nil })
	server.Tell(`{"next":{"id":"1f"}}`)
	receipt, err := carrier.Send(t.Context(), text("12345678"))
	if err != nil || receipt.ID != "31" {
		t.Errorf("%+v, %v", receipt, err)
	}
	var got submitted
	if server.Wait("submit", &got); got.Ton != 1 || got.From != "551130000000" || len([]rune(got.Text)) != 7 {
		t.Errorf("%+v: want 8 septets in 7 octets", got)
	}
	server.Tell(`{"receipt":{"text":"id:0000000031 stat:DELIVRD"}}`)
	if s := <-heard; s.ID != receipt.ID {
		t.Errorf("%+v", s)
	}
}

func TestSendersAreChecked(t *testing.T) {
	t.Parallel()

	for from, ton := range map[string]byte{"": 0, "PREFEITURA": 5, "28528": 3, "+5511987654321": 1, "551130000000": 1} {
		if source, err := sourceOf(from); err != nil || source.Ton() != ton {
			t.Errorf("%q: TON %d, %v", from, source.Ton(), err)
		}
	}
	for _, from := range []string{"Prefeitura de", "São João", "+55 11", "1"} {
		_, err := sourceOf(from)
		if (err == nil) != (from == "1") {
			t.Errorf("%q: %v", from, err)
		}
	}
}

func TestValidityIsRelativeAndBounded(t *testing.T) {
	t.Parallel()

	for left, want := range map[time.Duration]string{
		10 * time.Minute: "000000001000000R", 90 * time.Second: "000000000130000R", -time.Hour: "000000000001000R",
		100 * time.Hour: "000002000000000R", 25*time.Hour + time.Second: "000001010001000R",
	} {
		if got := validity(left); got != want {
			t.Errorf("%v: %s, want %s", left, got, want)
		}
	}
}
