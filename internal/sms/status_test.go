package sms

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/phone"
)

func TestStatusBeforeTheCarriersAnswerIsNotLost(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	id := h.ask("code/1")
	if err := h.Hear(t.Context(), Status{Carrier: "fake", ID: "c1", State: Delivered, Reason: "early"}); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Queued, "")
	if err := h.work(id); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Delivered, "early")
	h.counted(map[string]float64{"BR sent": 1, "BR delivered": 1, "BR code sent": 1})
}

func TestAnswerAndStatusAtOnceMeet(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	for n := range 30 {
		key := fmt.Sprint("code/", n)
		id := h.ask(key)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := h.work(id); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := h.Hear(t.Context(), Status{Carrier: "fake", ID: fmt.Sprint("c", n+1), State: Delivered}); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		h.want(key, Delivered, "")
	}
	var early int
	if err := h.DB.QueryRow(t.Context(), `SELECT count(*) FROM sms_early`).Scan(&early); err != nil || early != 0 {
		t.Errorf("%d statuses were left, %v", early, err)
	}
}

// TestStatusOvertakenWhileItIsKeptIsApplied holds the status between its look at the messages and its
// own row, by a row of the same name that another transaction takes back.
func TestStatusOvertakenWhileItIsKeptIsApplied(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	id := h.ask("code/1")
	blocker, err := h.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = blocker.Exec(t.Context(), `INSERT INTO sms_early (carrier, carrier_id, state, reason, at) VALUES ('fake', 'c1', 'failed', '', now())`)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan error, 1)
	go func() { heard <- h.Hear(t.Context(), Status{Carrier: "fake", ID: "c1", State: Delivered}) }()
	for waiting := 0; waiting == 0 && t.Context().Err() == nil; {
		err := h.DB.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := h.work(id); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Sent, "")
	if err := blocker.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-heard; err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Delivered, "")
}

func TestFirstEndHolds(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	if err := h.work(h.ask("code/1")); err != nil {
		t.Fatal(err)
	}
	for _, st := range []Status{
		{Carrier: "other", ID: "c1", State: Failed},                // another carrier's
		{Carrier: "fake", ID: "c2", State: Failed},                 // another message's
		{Carrier: "fake", ID: "", State: Failed},                   // nobody's
		{Carrier: "fake", ID: "c1", State: Sent, Reason: "buffer"}, // no end
		{Carrier: "fake", ID: "c1", State: Failed, Reason: "UNDELIV\nerr:001 código"},
		{Carrier: "fake", ID: "c1", State: Delivered},
		{Carrier: "fake", ID: "c1", State: Expired},
	} {
		if err := h.Hear(t.Context(), st); err != nil {
			t.Fatal(err)
		}
	}
	h.want("code/1", Failed, "UNDELIV?err:001 c?digo")
	var early int
	if err := h.DB.QueryRow(t.Context(), `SELECT count(*) FROM sms_early`).Scan(&early); err != nil || early != 2 {
		t.Errorf("%d statuses wait for their messages, %v", early, err)
	}
}

func TestCarrierThatUsesANameAgainMeansTheNewestMessage(t *testing.T) {
	t.Parallel()

	h := newHouse(t, func(int) (Receipt, error) { return Receipt{"1"}, nil })
	for n := range 3 {
		if err := h.work(h.ask(fmt.Sprint("code/", n))); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(72 * time.Hour)
	}
	status := Status{Carrier: "fake", ID: "1", State: Delivered}
	if err := h.Hear(t.Context(), status); err != nil {
		t.Fatal(err)
	}
	h.want("code/1", Sent, "")
	h.want("code/2", Delivered, "")
	id := h.ask("code/3")
	status.State = Failed
	for range 2 { // of the newest that still lives, and of one to come
		if err := h.Hear(t.Context(), status); err != nil {
			t.Fatal(err)
		}
	}
	h.want("code/1", Failed, "")
	if err := h.Hear(t.Context(), status); err != nil { // code/0 lives too
		t.Fatal(err)
	}
	if err := h.Hear(t.Context(), status); err != nil {
		t.Fatal(err)
	}
	if err := h.work(id); err != nil {
		t.Fatal(err)
	}
	h.want("code/3", Failed, "")
}

func TestOwnerSeesTheTextsOfTheNumber(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	h.ask("code/1")
	h.clock.Advance(time.Minute)
	h.ask("code/2")
	other := Request{Key: "code/3", Purpose: "code", To: "+5511912345678", Text: "x", Expires: h.clock.Now().Add(time.Minute)}
	if _, err := h.request(other); err != nil {
		t.Fatal(err)
	}
	for to, want := range map[phone.Number]int{maria: 2, "+5511912345678": 1, "+5511911111111": 0} {
		got, err := h.History(t.Context(), to, h.clock.Now().Add(-time.Hour))
		if err != nil || len(got) != want {
			t.Errorf("%s: %d texts, %v", to, len(got), err)
		}
		if want == 2 && !got[0].CreatedAt.After(got[1].CreatedAt) {
			t.Error("not newest first")
		}
	}
}

func TestSweepForgetsWhatIsOld(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	if err := h.work(h.ask("code/1")); err != nil {
		t.Fatal(err)
	}
	if err := h.Hear(t.Context(), Status{Carrier: "fake", ID: "unknown", State: Failed}); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(Keep + time.Hour)
	h.ask("code/2")
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var messages, early int
	if err := h.DB.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM sms_message), (SELECT count(*) FROM sms_early)`).Scan(&messages, &early); err != nil {
		t.Fatal(err)
	}
	if messages != 1 || early != 0 {
		t.Errorf("%d messages and %d statuses are left", messages, early)
	}
}
