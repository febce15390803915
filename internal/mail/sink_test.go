package mail

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/testnode"
)

const cityMail = "Município de São José <nao-responda@cidade.example>"

func toSink(t *testing.T, url string) *SMTP {
	t.Helper()
	sender, err := NewSMTP(url, cityMail)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func TestAnotherServerAndReaderGetTheLetterAsWritten(t *testing.T) {
	t.Parallel()

	sink := testnode.StartSink(t)
	m := letter
	m.Text += "\n.\n" + strings.Repeat("Uma linha longa, com acentuação. ", 40) + "\nhttps://login.cidade.example/recuperar/link?t=abc=def\n"
	if err := toSink(t, sink.URL).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := sink.Letter()
	if !got.Secure || got.User != "cidade" || !slices.Equal(got.Envelope, []string{m.To}) || got.To != m.To {
		t.Errorf("%+v", got)
	}
	if got.From != `"Município de São José" <nao-responda@cidade.example>` || got.Subject != m.Subject || strings.TrimRight(got.Text, "\n") != strings.TrimRight(m.Text, "\n") {
		t.Errorf("from %q, %q:\n%s", got.From, got.Subject, got.Text)
	}
	if got.ID != "<0199f3a2-code@cidade.example>" || got.Auto != "auto-generated" || got.HTML || got.Attachments != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAnotherServersRefusalsAreToldApart(t *testing.T) {
	t.Parallel()

	sink := testnode.StartSink(t)
	sender := toSink(t, sink.URL)
	for code, final := range map[string]bool{"550": true, "451": false} {
		sink.Tell(`{"refuse": ` + code + `}`)
		err := sender.Send(t.Context(), letter)
		if err == nil || errors.Is(err, ErrRefused) != final || strings.Contains(err.Error(), "maria") {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := sender.Send(t.Context(), letter); err != nil || sink.Letter().Subject != letter.Subject {
		t.Errorf("a letter after refusals: %v", err)
	}
}

func TestAServerNobodyVouchesForGetsNoPassword(t *testing.T) {
	t.Parallel()

	sink := testnode.StartSink(t)
	url, _, _ := strings.Cut(sink.URL, "&ca=")
	if err := toSink(t, url).Send(t.Context(), letter); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("%v; want an error to try again", err)
	}
	wrong := strings.Replace(sink.URL, "segr%40do", "outro", 1)
	if err := toSink(t, wrong).Send(t.Context(), letter); err == nil || strings.Contains(err.Error(), "outro") {
		t.Errorf("the wrong password: %v", err)
	}
}
