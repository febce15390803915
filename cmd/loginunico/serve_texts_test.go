package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/themes"
)

// linked is a carrier that takes texts while its link stands, and only when it is told to.
type linked struct {
	bound, asked, answer chan struct{}
	link                 context.Context // Run's
	sent                 error
}

func (*linked) Name() string { return "linked" }

func (l *linked) Run(ctx context.Context, _ sms.Listener) {
	l.link = ctx
	close(l.bound)
	<-ctx.Done()
}

func (l *linked) Send(context.Context, sms.Message) (sms.Receipt, error) {
	<-l.bound
	close(l.asked)
	<-l.answer
	l.sent = l.link.Err()
	return sms.Receipt{ID: "1"}, l.sent
}

func TestShutdownFinishesTheTextUnderWayAndThenUnbinds(t *testing.T) {
	t.Parallel()

	l := &linked{bound: make(chan struct{}), asked: make(chan struct{}), answer: make(chan struct{})}
	r := serveForTest(t, func(*sms.Metrics) (sms.Carrier, error) { return l, nil })
	texts := r.stack.texts
	err := pg.InTx(t.Context(), r.stack.db, func(tx pg.Tx) error {
		_, err := texts.Send(t.Context(), tx, sms.Request{Key: "code/1", Purpose: "code", To: "+5511987654321", Text: "Teste", Expires: time.Now().Add(time.Minute)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	<-l.asked
	r.stop()
	awaitRefusal(t, r.at)
	close(l.answer)
	if err := <-r.stopped; err != nil {
		t.Errorf("serve ended with %v", err)
	}
	if l.sent != nil || l.link.Err() == nil {
		t.Errorf("the link was cut under the text: %v; or stands yet: %v", l.sent, l.link.Err() == nil)
	}
	if trail, err := texts.Of(t.Context(), "code/1"); err != nil || trail.State != sms.Sent {
		t.Errorf("%+v, %v", trail, err)
	}
}

func TestTextsThatCannotBeSentAreNamedAtTheStart(t *testing.T) {
	t.Parallel()

	look, err := themes.Load("", "vila-esperanca")
	if err != nil {
		t.Fatal(err)
	}
	if err := checkTexts(look, "https://login.vilaesperanca.sp.gov.br"); err != nil {
		t.Errorf("a city of usual length: %v", err)
	}
	err = checkTexts(look, "https://"+strings.Repeat("identidade.", 8)+"gov.br")
	if err == nil || !strings.Contains(err.Error(), "sms.changed.password in pt-BR has ") || !strings.Contains(err.Error(), "strings.es.json") {
		t.Errorf("a host too long for any text: %v", err)
	}
}
