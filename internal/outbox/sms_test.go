package outbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/sms"
)

const maria = phone.Number("+5511987654321")

func TestOutboxIsACarrierOfTexts(t *testing.T) {
	t.Parallel()

	box := New()
	var carrier sms.Carrier = box
	m := sms.Message{ID: uuid.New(), To: maria, Text: sms.WithCode("Digite 123456 para entrar.", "localhost", "123456"), Expires: time.Now().Add(time.Minute)}
	receipt, err := carrier.Send(t.Context(), m)
	if err != nil || receipt.ID != "1" || carrier.Name() != "outbox" {
		t.Fatalf("%+v, %v", receipt, err)
	}
	got, ok := box.Last(maria.E164())
	if !ok || got.Kind != SMS || got.Text != m.Text || got.MessageID != m.ID.String() || got.ID != 1 {
		t.Errorf("%+v", got)
	}
	m.Text = strings.Repeat("a", 161)
	if _, err := carrier.Send(t.Context(), m); !errors.Is(err, sms.ErrMessage) || len(box.Messages("")) != 1 {
		t.Errorf("a text that no carrier would take: %v", err)
	}
}

func TestViewerShowsLettersAndTextsTogether(t *testing.T) {
	t.Parallel()

	box, sender := open(t)
	if err := sender.Send(t.Context(), letterTo("maria@exemplo.org")); err != nil {
		t.Fatal(err)
	}
	if _, err := box.Send(t.Context(), sms.Message{To: maria, Text: "<b>123456</b>\n@localhost #123456"}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(box.Handler())
	defer srv.Close()
	for path, want := range map[string][]string{
		"/":                     {"2 mensagens", "SMS: &lt;b&gt;123456&lt;/b&gt;", "Seu código"},
		"/?to=%2B5511987654321": {"1 mensagem para &#43;5511987654321"},
		"/messages/2":           {"<h1>SMS</h1>", `href="/?to=%2b5511987654321"`, "@localhost #123456"},
	} {
		status, body := get(t, srv.URL+path)
		for _, text := range want {
			if status != http.StatusOK || !strings.Contains(body, text) {
				t.Errorf("%s: %d, no %q in\n%s", path, status, text, body)
			}
		}
	}
	_, body := get(t, srv.URL+"/api/messages?to=%2B5511987654321")
	var got struct{ Messages []Message }
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Messages) != 1 || got.Messages[0].Kind != SMS {
		t.Errorf("%s, %v", body, err)
	}
	if _, body = get(t, srv.URL+"/api/messages?to=maria@exemplo.org"); !strings.Contains(body, `"kind":"mail"`) {
		t.Error(body)
	}
}
