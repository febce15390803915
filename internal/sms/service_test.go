package sms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testclock"
	"github.com/loginunico/loginunico/internal/testpg"
)

const maria = phone.Number("+5511987654321")

// fakeCarrier answers as it is told, and remembers what it was given.
type fakeCarrier struct {
	mu     sync.Mutex
	got    []Message
	answer func(n int) (Receipt, error) // n counts from 1; nil: takes all
}

func (*fakeCarrier) Name() string { return "fake" }

func (c *fakeCarrier) Send(_ context.Context, m Message) (Receipt, error) {
	c.mu.Lock()
	c.got = append(c.got, m)
	n := len(c.got)
	c.mu.Unlock()
	if c.answer == nil {
		return Receipt{fmt.Sprint("c", n)}, nil
	}
	return c.answer(n)
}

func (c *fakeCarrier) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

// house is a service on a database of its own.
type house struct {
	*Service
	t       *testing.T
	clock   *testclock.Clock
	carrier *fakeCarrier
	log     *bytes.Buffer
	reg     *prometheus.Registry
}

func newHouse(t *testing.T, answer func(int) (Receipt, error)) *house {
	t.Helper()
	h := &house{t: t, clock: testclock.At("2026-11-21T12:00:00Z"), carrier: &fakeCarrier{answer: answer}, log: &bytes.Buffer{}, reg: prometheus.NewRegistry()}
	db := testpg.New(t)
	h.Service = serviceOn(t, db, filepath.Join(t.TempDir(), "kek"), h.carrier)
	h.Now, h.Metrics, h.Log = h.clock.Now, NewMetrics(h.reg), slog.New(slog.NewTextHandler(h.log, nil))
	if err := h.Queue.Open(); err != nil {
		t.Fatal(err)
	}
	return h
}

func serviceOn(t *testing.T, db *pg.Pool, kekFile string, c Carrier) *Service {
	t.Helper()
	s, err := openService(t.Context(), db, kekFile, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openService(ctx context.Context, db *pg.Pool, kekFile string, c Carrier) (*Service, error) {
	kek, err := secret.LoadKEK(kekFile, true)
	if err != nil {
		return nil, err
	}
	box, err := secret.Open(ctx, db, kek)
	if err != nil {
		return nil, err
	}
	limits, err := ParseLimits("")
	log := slog.New(slog.DiscardHandler)
	return New(Options{DB: db, Box: box, Queue: jobs.New(db, log), Carrier: c, Countries: phone.Countries{"BR": true, "AR": true},
		Limits: limits, Log: log, Now: time.Now}), err
}

// ask enters a request of ten minutes.
func (h *house) ask(key string) uuid.UUID {
	h.t.Helper()
	id, err := h.request(Request{Key: key, Purpose: "code", To: maria, Text: WithCode("Seu codigo: 123456.", "login.example.org", "123456"),
		Expires: h.clock.Now().Add(10 * time.Minute)})
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

func (h *house) request(r Request) (id uuid.UUID, err error) {
	err = pg.InTx(h.t.Context(), h.DB, func(tx pg.Tx) error {
		id, err = h.Send(h.t.Context(), tx, r)
		return err
	})
	return id, err
}

// work does a message's job once.
func (h *house) work(id uuid.UUID) error { return h.deliver(h.t.Context(), Job{id}, 1) }

func (h *house) want(key string, state State, reason string) Trail {
	h.t.Helper()
	got, err := h.Of(h.t.Context(), key)
	if err != nil || got.State != state || got.Reason != reason {
		h.t.Errorf("%s is %s (%q), %v; want %s (%q)", key, got.State, got.Reason, err, state, reason)
	}
	if (got.EndedAt != nil) != got.State.Final() {
		h.t.Errorf("%s is %s and ended at %v", key, got.State, got.EndedAt)
	}
	return got
}

// sealedRows counts the messages that still hold number and text.
func (h *house) sealedRows() (n int) {
	h.t.Helper()
	if err := h.DB.QueryRow(h.t.Context(), `SELECT count(*) FROM sms_message WHERE sealed IS NOT NULL`).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// counted compares the metrics of messages ("BR sent") and codes ("BR code sent") with what they should be.
func (h *house) counted(want map[string]float64) {
	h.t.Helper()
	got := map[string]float64{}
	families, err := h.reg.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range families {
		word := map[string]string{"loginunico_sms_messages_total": " ", "loginunico_sms_codes_total": " code "}[f.GetName()]
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if word != "" {
				got[labels["country"]+word+labels["state"]+labels["outcome"]] = m.GetCounter().GetValue()
			}
		}
	}
	if !maps.Equal(got, want) {
		h.t.Errorf("counted %v, want %v", got, want)
	}
}

func TestMessageGoesFromRequestToDelivery(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	id := h.ask("code/1")
	h.want("code/1", Queued, "")
	if err := h.work(id); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Sent, "")
	if m := h.carrier.got[0]; m.To != maria || m.ID != id || m.Text != "Seu codigo: 123456.\n@login.example.org #123456" || !m.Expires.Equal(h.clock.Now().Add(10*time.Minute)) {
		t.Errorf("%+v %q", m, m.Text)
	}
	if n := h.sealedRows(); n != 0 {
		t.Errorf("%d sent messages still hold their text", n)
	}
	for range 2 {
		if err := h.Hear(t.Context(), Status{Carrier: "fake", ID: "c1", State: Delivered, Reason: "DELIVRD"}); err != nil {
			t.Fatal(err)
		}
	}
	h.want("code/1", Delivered, "DELIVRD")
	h.counted(map[string]float64{"BR sent": 1, "BR delivered": 1, "BR code sent": 1})
}

func TestOneRequestIsSentOnce(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	ids := make([]uuid.UUID, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() { ids[i] = h.ask("code/1") })
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("one key has messages %s and %s", ids[0], id)
		}
		wg.Go(func() {
			if err := h.work(id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var queued int
	if err := h.DB.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'sms'`).Scan(&queued); err != nil {
		t.Fatal(err)
	}
	if n := h.carrier.sent(); n != 1 || queued != 1 {
		t.Errorf("%d sendings, %d jobs", n, queued)
	}
}

func TestRequestThatRollsBackSendsNothing(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	undone := errors.New("undone")
	err := pg.InTx(t.Context(), h.DB, func(tx pg.Tx) error {
		if _, err := h.Send(t.Context(), tx, Request{Key: "k", Purpose: "code", To: maria, Text: "x", Expires: h.clock.Now().Add(time.Minute)}); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	if _, err := h.Of(t.Context(), "k"); !pg.NoRows(err) {
		t.Errorf("a trail of nothing: %v", err)
	}
}

func TestWrongRequestsAreToldAtOnce(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	good := Request{Key: "k", Purpose: "code", To: maria, Text: "x", Expires: h.clock.Now().Add(time.Minute)}
	for name, c := range map[string]struct {
		change func(*Request)
		want   error
	}{
		"no key":             {func(r *Request) { r.Key = "" }, ErrRequest},
		"a long key":         {func(r *Request) { r.Key = strings.Repeat("k", 201) }, ErrRequest},
		"no purpose":         {func(r *Request) { r.Purpose = "" }, ErrRequest},
		"a free purpose":     {func(r *Request) { r.Purpose = "Maria's code" }, ErrRequest},
		"expired":            {func(r *Request) { r.Expires = h.clock.Now() }, ErrRequest},
		"no text":            {func(r *Request) { r.Text = "" }, ErrMessage},
		"161 characters":     {func(r *Request) { r.Text = strings.Repeat("a", 161) }, ErrMessage},
		"71 that are no GSM": {func(r *Request) { r.Text = strings.Repeat("Ж", 71) }, ErrMessage},
		"a control":          {func(r *Request) { r.Text = "a\x1b[0m" }, ErrMessage},
		"no UTF-8":           {func(r *Request) { r.Text = "a\xff" }, ErrMessage},
	} {
		r := good
		c.change(&r)
		if _, err := h.request(r); !errors.Is(err, c.want) || strings.Contains(err.Error(), "98765") {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Text = strings.Repeat("ç", 160)
	if _, err := h.request(good); err != nil {
		t.Errorf("160 that can be folded: %v", err)
	}
}

func TestTextThatIsNotTakenIsTriedAgainUntilItsEnd(t *testing.T) {
	t.Parallel()

	busy := &Fault{ErrNotTaken, "http 429"}
	h := newHouse(t, func(n int) (Receipt, error) { return Receipt{}, busy })
	id := h.ask("code/1")
	var waited time.Duration
	var snooze *river.JobSnoozeError
	for errors.As(h.work(id), &snooze) {
		h.want("code/1", Queued, "http 429")
		if h.sealedRows() != 1 {
			t.Fatal("nothing is left to send")
		}
		waited += snooze.Duration
		h.clock.Advance(snooze.Duration)
	}
	h.want("code/1", Expired, "http 429")
	if n := h.carrier.sent(); n < 15 || n > 30 || waited > 10*time.Minute || h.sealedRows() != 0 {
		t.Errorf("%d tries in %v", n, waited)
	}
}

func TestTextIsTakenAtLast(t *testing.T) {
	t.Parallel()

	h := newHouse(t, func(n int) (Receipt, error) {
		if n < 3 {
			return Receipt{}, fmt.Errorf("dialling: %w", ErrNotTaken)
		}
		return Receipt{"c3"}, nil
	})
	id := h.ask("code/1")
	for range 2 {
		if err := h.work(id); !errors.As(err, new(*river.JobSnoozeError)) {
			t.Fatal(err)
		}
	}
	if err := h.work(id); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Sent, "")
}

func TestRefusedTextFailsForGood(t *testing.T) {
	t.Parallel()

	for kind, reason := range map[error]string{ErrRefused: "smpp 0x0000000b", ErrMessage: "length"} {
		h := newHouse(t, func(int) (Receipt, error) { return Receipt{}, &Fault{kind, reason} })
		id := h.ask("code/1")
		for range 2 {
			if err := h.work(id); err != nil {
				t.Fatal(err)
			}
		}
		h.want("code/1", Failed, reason)
		if n := h.carrier.sent(); n != 1 || h.sealedRows() != 0 {
			t.Errorf("%d sendings", n)
		}
	}
}

func TestTextInDoubtIsNotSentAgain(t *testing.T) {
	t.Parallel()

	h := newHouse(t, func(int) (Receipt, error) { return Receipt{}, context.DeadlineExceeded })
	first, second := h.ask("code/1"), h.ask("code/2")
	for range 3 {
		for _, id := range []uuid.UUID{first, second} {
			if err := h.work(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.want("code/1", Sending, "in_doubt")
	if n := h.carrier.sent(); n != 2 || h.sealedRows() != 0 {
		t.Errorf("%d sendings of two messages", n)
	}
	if err := h.Hear(t.Context(), Status{Carrier: "fake", ID: "c9", Ref: first, State: Delivered}); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Delivered, "") // its carrier knew our name for it
	h.clock.Advance(11 * time.Minute)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.want("code/2", Expired, "in_doubt")
	if strings.Contains(h.log.String(), "98765") || !strings.Contains(h.log.String(), "in doubt") {
		t.Error(h.log)
	}
}

func TestExpiredTextIsNotSent(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	id := h.ask("code/1")
	h.clock.Advance(10 * time.Minute)
	if err := h.work(id); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Expired, "")
	if h.carrier.sent() != 0 || h.sealedRows() != 0 {
		t.Error("sent, or still sealed")
	}
}

func TestDecoyIsWorkedAndNotSent(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	id, err := h.request(Request{Key: "code/1", Purpose: "code", Expires: h.clock.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.work(id); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Expired, "decoy")
	if h.carrier.sent() != 0 {
		t.Error("a text to nobody")
	}
}

func TestQueueSendsWhatCommits(t *testing.T) {
	t.Parallel()

	sent := make(chan struct{}, 1)
	h := newHouse(t, func(int) (Receipt, error) { sent <- struct{}{}; return Receipt{"c1"}, nil })
	if err := h.Queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.ask("code/1")
	select {
	case <-sent:
	case <-time.After(20 * time.Second):
		t.Error("nothing was sent")
	}
	if err := h.Queue.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Sent, "") // a stopping queue lets its jobs note what they have done
}

func TestQueueTriesAgainWhatIsNotTaken(t *testing.T) {
	t.Parallel()

	sent := make(chan int, 3)
	h := newHouse(t, func(n int) (Receipt, error) {
		sent <- n
		if n == 1 {
			return Receipt{}, &Fault{ErrNotTaken, "http 503"}
		}
		return Receipt{"c2"}, nil
	})
	if err := h.Queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.ask("code/1")
	for want := range 2 {
		select {
		case <-sent:
		case <-time.After(30 * time.Second):
			t.Fatalf("%d sendings, want 2", want)
		}
	}
	if err := h.Queue.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Sent, "")
}
