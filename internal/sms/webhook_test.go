package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/testclock"
)

// hears is a webhook whose statuses are kept.
type hears struct {
	http.Handler
	clock *testclock.Clock
	got   []Status
	err   error
}

func newHears(t *testing.T, described *Provider) *hears {
	t.Helper()
	h, err := NewHTTP(HTTPConfig{Provider: described, URL: "https://a:b@api.example.org", StatusURL: "https://id.example.org/sms/status", WebhookSecret: webhookSecret})
	if err != nil {
		t.Fatal(err)
	}
	w := &hears{clock: testclock.At("2026-11-21T12:00:00Z")}
	w.Handler = h.Webhook(func(_ context.Context, s Status) error { w.got = append(w.got, s); return w.err }, w.clock.Now)
	return w
}

func preset(t *testing.T, name string) *Provider {
	t.Helper()
	p, err := LoadProvider(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// post calls it, and returns the answer's status and what was heard.
func (w *hears) post(query, body string, headers ...string) (int, []Status) {
	w.got = nil
	r := httptest.NewRequest(http.MethodPost, "/sms/status?"+query, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, r)
	return recorder.Code, w.got
}

func TestDocumentedStatusesAreHeard(t *testing.T) {
	t.Parallel()

	const infobip = `{"results":[{"bulkId":"B1","messageId":"M1","to":"5511987654321","sentAt":"2026-11-21T12:00:00.000+0000","smsCount":1,` +
		`"status":{"groupId":3,"groupName":%q,"id":5,"name":"x","description":"x"},"error":{"groupId":0,"groupName":"OK","id":0,"name":%q,"permanent":false}}]}`
	const zenvia = `{"id":"E1","timestamp":"2026-11-21T12:00:00Z","type":"MESSAGE_STATUS","subscriptionId":"S1","channel":"sms","messageId":"Z1","contentIndex":0,` +
		`"messageStatus":{"timestamp":"2026-11-21T12:00:00Z","code":%q,"description":"x","causes":[{"channelErrorCode":"1","reason":"no route"}]}}`
	twilio := func(status, code string) string {
		return url.Values{"MessageSid": {"SM1"}, "MessageStatus": {status}, "ErrorCode": {code}, "To": {maria.E164()}, "AccountSid": {"AC1"}}.Encode()
	}
	for _, c := range []struct {
		preset, body, id string
		state            State // "" changes nothing
		reason           string
	}{
		{"twilio", twilio("queued", ""), "", "", ""}, {"twilio", twilio("sending", ""), "", "", ""}, {"twilio", twilio("sent", ""), "", "", ""},
		{"twilio", twilio("delivered", ""), "SM1", Delivered, "delivered"}, {"twilio", twilio("read", ""), "SM1", Delivered, "read"},
		{"twilio", twilio("undelivered", "30003"), "SM1", Failed, "undelivered 30003"}, {"twilio", twilio("failed", "30007"), "SM1", Failed, "failed 30007"},
		{"twilio", twilio("canceled", ""), "SM1", Expired, "canceled"},
		{"infobip", fmt.Sprintf(infobip, "PENDING", "NO_ERROR"), "", "", ""}, {"infobip", fmt.Sprintf(infobip, "ACCEPTED", "NO_ERROR"), "", "", ""},
		{"infobip", fmt.Sprintf(infobip, "DELIVERED", "NO_ERROR"), "M1", Delivered, "DELIVERED NO_ERROR"},
		{"infobip", fmt.Sprintf(infobip, "UNDELIVERABLE", "EC_ABSENT_SUBSCRIBER"), "M1", Failed, "UNDELIVERABLE EC_ABSENT_SUBSCRIBER"},
		{"infobip", fmt.Sprintf(infobip, "REJECTED", "x"), "M1", Failed, "REJECTED x"}, {"infobip", fmt.Sprintf(infobip, "EXPIRED", "x"), "M1", Expired, "EXPIRED x"},
		{"zenvia", fmt.Sprintf(zenvia, "SENT"), "", "", ""}, {"zenvia", fmt.Sprintf(zenvia, "DELIVERED"), "Z1", Delivered, "DELIVERED no route"},
		{"zenvia", fmt.Sprintf(zenvia, "NOT_DELIVERED"), "Z1", Failed, "NOT_DELIVERED no route"}, {"zenvia", fmt.Sprintf(zenvia, "REJECTED"), "Z1", Failed, "REJECTED no route"},
	} {
		w := newHears(t, preset(t, c.preset))
		status, got := w.post("key="+webhookSecret, c.body)
		if status != http.StatusNoContent || (len(got) == 1) != (c.state != "") || c.state == "" && len(got) > 0 {
			t.Errorf("%s: %d, %+v", c.body, status, got)
			continue
		}
		if want := (Status{Carrier: c.preset, ID: c.id, State: c.state, Reason: c.reason}); c.state != "" && got[0] != want {
			t.Errorf("%+v, want %+v", got[0], want)
		}
	}
}

func TestOnlyTheProviderIsHeard(t *testing.T) {
	t.Parallel()

	w := newHears(t, preset(t, "twilio"))
	body, id := "MessageSid=SM1&MessageStatus=delivered", uuid.New()
	for name, query := range map[string]string{
		"nothing": "", "a wrong key": "key=x", "an empty key": "key=", "a beginning": "key=" + webhookSecret[:10],
		"another message's key": url.Values{"ref": {id.String()}, "key": {messageKey(webhookSecret, uuid.New())}}.Encode(),
		"a key of no message":   "key=" + messageKey(webhookSecret, id),
		"no message":            url.Values{"ref": {"x"}, "key": {messageKey(webhookSecret, uuid.Nil)}}.Encode(),
	} {
		if status, got := w.post(query, body); status != http.StatusUnauthorized || len(got) > 0 {
			t.Errorf("%s: %d, %+v", name, status, got)
		}
	}
	status, got := w.post(url.Values{"ref": {id.String()}, "key": {messageKey(webhookSecret, id)}}.Encode(), body)
	if status != http.StatusNoContent || len(got) != 1 || got[0].Ref != id || got[0].ID != "" {
		t.Errorf("a message's own key: %d, %+v; want that message and no other", status, got)
	}
	if status, got := w.post("ref="+id.String()+"&key="+webhookSecret, body); status != http.StatusNoContent || got[0].Ref != uuid.Nil || got[0].ID != "SM1" {
		t.Errorf("the subscription's key: %d, %+v", status, got)
	}
}

func TestSignedStatusesAreOfNow(t *testing.T) {
	t.Parallel()

	for _, encoding := range []string{"hex", "base64"} {
		described, err := ParseProvider([]byte(`
name: acme
url: "{{.Base}}/send"
headers: {Content-Type: application/json}
body: '{"text":{{json .Text}}}'
success: [200]
status: {auth: {kind: hmac, header: X-Signature, prefix: "v1=", encoding: ` + encoding + `, timestamp: X-Timestamp}, format: json, id: /id, state: /state, states: {ok: delivered}}
`))
		if err != nil {
			t.Fatal(err)
		}
		w := newHears(t, described)
		sign := func(at time.Time, secret, body string) []string {
			stamp := strconv.FormatInt(at.Unix(), 10)
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(stamp + "." + body))
			signature := hex.EncodeToString(mac.Sum(nil))
			if encoding == "base64" {
				signature = base64.StdEncoding.EncodeToString(mac.Sum(nil))
			}
			return []string{"X-Timestamp", stamp, "X-Signature", "v1=" + signature}
		}
		const body = `{"id":"1","state":"ok"}`
		now := w.clock.Now()
		good := sign(now, webhookSecret, body)
		for name, c := range map[string]struct {
			body    string
			headers []string
			want    int
		}{
			"signed now":          {body, good, 204},
			"4 minutes ago":       {body, sign(now.Add(-4*time.Minute), webhookSecret, body), 204},
			"6 minutes ago":       {body, sign(now.Add(-6*time.Minute), webhookSecret, body), 401},
			"6 minutes ahead":     {body, sign(now.Add(6*time.Minute), webhookSecret, body), 401},
			"another secret":      {body, sign(now, "x", body), 401},
			"another body":        {`{"id":"2","state":"ok"}`, good, 401},
			"another time":        {body, []string{"X-Timestamp", strconv.FormatInt(now.Unix()+1, 10), "X-Signature", good[3]}, 401},
			"no prefix":           {body, []string{"X-Timestamp", good[1], "X-Signature", strings.TrimPrefix(good[3], "v1=")}, 401},
			"no signature":        {body, []string{"X-Timestamp", good[1]}, 401},
			"nothing":             {body, nil, 401},
			"signed, but no JSON": {"x", sign(now, webhookSecret, "x"), 400},
		} {
			if status, got := w.post("", c.body, c.headers...); status != c.want || (status == 204) != (len(got) == 1) {
				t.Errorf("%s, %s: %d, %+v", encoding, name, status, got)
			}
		}
		if status, got := w.post("ref="+uuid.NewString(), body, good...); status != 204 || got[0].Ref != uuid.Nil {
			t.Errorf("a message that the signature does not cover: %d, %+v", status, got)
		}
		if status, _ := w.post("key="+webhookSecret, body); status != 401 {
			t.Errorf("the secret in the URL instead of a signature: %d", status)
		}
	}
}

func TestStatusThatIsNotKeptIsAskedForAgainByHTTP(t *testing.T) {
	t.Parallel()

	w := newHears(t, preset(t, "infobip"))
	w.err = errors.New("no database")
	if status, _ := w.post("key="+webhookSecret, `{"results":[{"messageId":"1","status":{"groupName":"DELIVERED"}}]}`); status != http.StatusServiceUnavailable {
		t.Errorf("not kept: %d", status)
	}
	for body, want := range map[string]int{"": 400, "[]": 400, `"x"`: 400, "{}": 400, `{"results":{}}`: 400, `{"results":[]}`: 204, `{"results":[1,null,{}]}`: 204} {
		if status, got := w.post("key="+webhookSecret, body); status != want || len(got) > 0 {
			t.Errorf("%q: %d, %+v", body, status, got)
		}
	}
	if status, _ := w.post("key="+webhookSecret, strings.Repeat(" ", maxAnswer+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", status)
	}
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/sms/status?key="+webhookSecret, nil))
	if recorder.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", recorder.Code)
	}
}

func TestWebhookWithoutASecretHearsNobody(t *testing.T) {
	t.Parallel()

	h, err := NewHTTP(HTTPConfig{Provider: preset(t, "twilio"), URL: "https://a:b@api.example.org", StatusURL: "https://id.example.org/sms/status"})
	if err != nil {
		t.Fatal(err)
	}
	w := &hears{Handler: h.Webhook(func(context.Context, Status) error { t.Error("heard"); return nil }, time.Now)}
	if status, _ := w.post("key=", "MessageSid=SM1&MessageStatus=delivered"); status != http.StatusUnauthorized {
		t.Error(status)
	}
	if got := h.statusURL(uuid.New()); got != "" {
		t.Errorf("it gives out %s", got)
	}
}

func TestStatusOfAProviderMovesItsMessage(t *testing.T) {
	t.Parallel()

	h := newHouse(t, func(int) (Receipt, error) { return Receipt{"SM1"}, nil })
	account, err := NewHTTP(HTTPConfig{Provider: preset(t, "twilio"), URL: "https://a:b@api.example.org", WebhookSecret: webhookSecret})
	if err != nil {
		t.Fatal(err)
	}
	account.Provider.Name = h.carrier.Name()
	if err := h.work(h.ask("code/1")); err != nil {
		t.Fatal(err)
	}
	w := &hears{Handler: account.Webhook(h.Hear, h.clock.Now)}
	if status, _ := w.post("key="+webhookSecret, "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005"); status != http.StatusNoContent {
		t.Fatal(status)
	}
	h.want("code/1", Failed, "undelivered 30005")
}
