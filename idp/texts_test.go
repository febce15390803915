package idp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/sms"
)

const mobile = "+5511987654321"

// send enters one text with a code, as a flow does.
func send(t *testing.T, city *idptest.City, key, code string) {
	t.Helper()
	err := pg.InTx(t.Context(), city.DB, func(tx pg.Tx) error {
		_, err := city.SMS.Send(t.Context(), tx, sms.Request{Key: key, Purpose: "code", To: phone.Number(mobile),
			Text: sms.WithCode("Digite "+code+" para entrar.", "localhost", code), Expires: city.Now().Add(10 * time.Minute)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestATextOfACityReachesThePhone(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, nil)
	for _, code := range []string{"271828", "314159"} {
		send(t, city, "code/"+code, code)
		if got := city.TextCode(mobile); got != code {
			t.Errorf("the phone got %s, want %s", got, code)
		}
	}
}

// provider is an HTTP API that takes every text and remembers where its status is wanted.
func provider(t *testing.T) (at string, statusURL <-chan string) {
	t.Helper()
	wanted := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wanted <- r.FormValue("StatusCallback")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"sid":"SM1"}`))
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http://", "http://AC1:token@", 1), wanted
}

// status tells what became of a message as the provider does: from anywhere, without a cookie.
func status(t *testing.T, at, state string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader(url.Values{"MessageSid": {"SM1"}, "MessageStatus": {state}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://provider.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestAProvidersStatusReachesTheTrailAndNobodyElses(t *testing.T) {
	t.Parallel()

	at, wanted := provider(t)
	described, err := sms.LoadProvider("twilio")
	if err != nil {
		t.Fatal(err)
	}
	carrier, err := sms.NewHTTP(sms.HTTPConfig{Provider: described, URL: at, StatusURL: "https://login.example.org" + sms.StatusPath,
		WebhookSecret: "twenty-four-characters-or-more"})
	if err != nil {
		t.Fatal(err)
	}
	city := idptest.Start(t, nil, idptest.WithCarrier(carrier))
	send(t, city, "code/1", "161803")
	there := <-wanted
	told := city.Issuer + strings.TrimPrefix(there, "https://login.example.org")
	if got := status(t, city.Issuer+sms.StatusPath, "delivered"); got != http.StatusUnauthorized {
		t.Errorf("a status without a key: %d", got)
	}
	if got := status(t, told, "delivered"); got != http.StatusNoContent {
		t.Errorf("the provider's status at %s: %d", sms.StatusPath, got)
	}
	if trail, err := city.SMS.Of(t.Context(), "code/1"); err != nil || trail.State != sms.Delivered {
		t.Errorf("%+v, %v", trail, err)
	}
}

func TestACityWithoutAWebhookHasNoSuchPage(t *testing.T) {
	t.Parallel()

	for name, opts := range map[string][]idptest.Option{"outbox": nil, "no texts": {idptest.WithoutTexts()}} {
		city := idptest.Start(t, nil, opts...)
		if got := status(t, city.Issuer+sms.StatusPath, "delivered"); got != http.StatusNotFound {
			t.Errorf("%s: %d", name, got)
		}
		if (city.SMS == nil) != (name == "no texts") {
			t.Errorf("%s: %v", name, city.SMS)
		}
	}
}

func TestACodeIsCountedAsAnsweredOnceAndWhenItIsRight(t *testing.T) {
	t.Parallel()

	city := idptest.Start(t, []string{guia})
	b := newTourist(t, city)
	p := b.ask(everything(city, "guia"), "PY", typedParaguay)
	code := city.TextCode(paraguay)
	if p = b.Form(p, with("code", "x"+code)); p.Status != http.StatusUnprocessableEntity || city.Answered("PY") != 0 {
		t.Errorf("a wrong code: %d, %v answered", p.Status, city.Answered("PY"))
	}
	at(t, b.Form(p, with("code", code)), "/cadastro/dados")
	if n := city.Answered("PY"); n != 1 {
		t.Errorf("%v codes count as answered", n)
	}
}
