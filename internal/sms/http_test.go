package sms

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const webhookSecret = "a-secret-of-the-city-and-its-provider"

// provider is a stand-in for one: it remembers the last request and answers as it is told.
type provider struct {
	*httptest.Server
	status int
	answer string
	got    *http.Request
	body   string
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.got, p.body = r, string(body)
		w.WriteHeader(p.status)
		_, _ = io.WriteString(w, p.answer)
	}))
	t.Cleanup(p.Close)
	return p
}

// account is a carrier of a preset at this provider.
func (p *provider) account(t *testing.T, preset, from string) *HTTP {
	t.Helper()
	described, err := LoadProvider(preset)
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHTTP(HTTPConfig{Provider: described, URL: strings.Replace(p.URL, "http://", "http://AC1:s%20ecret@", 1), From: from,
		StatusURL: "https://id.example.org/sms/status", WebhookSecret: webhookSecret})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPresetsSpeakAsDocumented(t *testing.T) {
	t.Parallel()

	m := text("Seu codigo é \"123456\" & nada mais.\n@id.example.org #123456")
	for preset, c := range map[string]struct {
		path, auth, answer, id string
		status                 int
		words                  func(t *testing.T, body string) (to, from, text, callback string)
	}{
		"twilio": {"/2010-04-01/Accounts/AC1/Messages.json", "Basic QUMxOnMgZWNyZXQ=",
			`{"account_sid":"AC1","sid":"SM87105da94bff44b999e4e6eb90d8eb6a","status":"queued","error_code":null}`, "SM87105da94bff44b999e4e6eb90d8eb6a", 201,
			func(t *testing.T, body string) (string, string, string, string) {
				form, err := url.ParseQuery(body)
				if err != nil || form.Get("ValidityPeriod") == "" {
					t.Errorf("%s: %v", body, err)
				}
				return form.Get("To"), form.Get("From"), form.Get("Body"), form.Get("StatusCallback")
			}},
		"infobip": {"/sms/3/messages", "App s ecret",
			`{"bulkId":"2034072219640523072","messages":[{"messageId":"2250be2d4219-3af1-78856-aabe-1362af1edfd2","status":{"groupId":1,"groupName":"PENDING","id":26,"name":"PENDING_ACCEPTED","description":"Message sent to next instance"},"destination":"5511987654321"}]}`,
			"2250be2d4219-3af1-78856-aabe-1362af1edfd2", 200,
			func(t *testing.T, body string) (string, string, string, string) {
				var sent struct {
					Messages []struct {
						Sender       string
						Destinations []struct{ To, MessageID string }
						Content      struct{ Text string }
						Options      struct{ ValidityPeriod struct{ Amount int } }
						Webhooks     struct{ Delivery struct{ URL string } }
					}
				}
				if err := json.Unmarshal([]byte(body), &sent); err != nil {
					t.Fatal(err)
				}
				one := sent.Messages[0]
				if one.Destinations[0].MessageID != m.ID.String() || one.Options.ValidityPeriod.Amount != 11 {
					t.Errorf("%s", body)
				}
				return "+" + one.Destinations[0].To, one.Sender, one.Content.Text, one.Webhooks.Delivery.URL
			}},
		"zenvia": {"/v2/channels/sms/messages", "",
			`{"id":"0f1b4ac2-8b1c-4c47-9c7a-0c2f0e8d0a11","from":"CIDADE","to":"5511987654321","direction":"OUT","channel":"sms","contents":[{"type":"text","text":"x"}]}`,
			"0f1b4ac2-8b1c-4c47-9c7a-0c2f0e8d0a11", 200,
			func(t *testing.T, body string) (string, string, string, string) {
				var sent struct {
					From, To string
					Contents []struct{ Type, Text string }
				}
				if err := json.Unmarshal([]byte(body), &sent); err != nil {
					t.Fatal(err)
				}
				return "+" + sent.To, sent.From, sent.Contents[0].Text, ""
			}},
	} {
		p := newProvider(t)
		p.status, p.answer = c.status, c.answer
		h := p.account(t, preset, "CIDADE")
		receipt, err := h.Send(t.Context(), m)
		if err != nil || receipt.ID != c.id || h.Name() != preset {
			t.Errorf("%s: %+v, %v", preset, receipt, err)
			continue
		}
		to, from, words, callback := c.words(t, p.body)
		if to != maria.E164() || from != "CIDADE" || words != m.Text || p.got.URL.Path != c.path || p.got.Header.Get("Authorization") != c.auth {
			t.Errorf("%s: %s %v\n%s", preset, p.got.URL.Path, p.got.Header, p.body)
		}
		if preset == "zenvia" && p.got.Header.Get("X-Api-Token") != "s ecret" {
			t.Errorf("zenvia: %v", p.got.Header)
		}
		if preset != "zenvia" && callback != "https://id.example.org/sms/status?key="+messageKey(webhookSecret, m.ID)+"&ref="+m.ID.String() {
			t.Errorf("%s calls back to %s", preset, callback)
		}
	}
}

func TestTwilioTakesAMessagingService(t *testing.T) {
	t.Parallel()

	p := newProvider(t)
	p.status, p.answer = 201, `{"sid":"SM1"}`
	if _, err := p.account(t, "twilio", "MG123").Send(t.Context(), text("x")); err != nil {
		t.Fatal(err)
	}
	if form, err := url.ParseQuery(p.body); err != nil || form.Get("MessagingServiceSid") != "MG123" || form.Has("From") {
		t.Error(p.body, err)
	}
}

func TestAnswersAreSorted(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		preset string
		status int
		answer string
		want   error // nil: in doubt
		code   string
	}{
		"twilio, no such number":    {"twilio", 400, `{"code":21211,"message":"The 'To' number +5511987654321 is not a valid phone number.","status":400}`, ErrRefused, "http 400 21211"},
		"twilio, has unsubscribed":  {"twilio", 400, `{"code":21610,"status":400}`, ErrRefused, "http 400 21610"},
		"twilio, wrong token":       {"twilio", 401, `{"code":20003,"status":401}`, ErrNotTaken, "http 401 20003"},
		"twilio, too many":          {"twilio", 429, `{"code":20429,"status":429}`, ErrNotTaken, "http 429 20429"},
		"twilio, is down":           {"twilio", 503, `<html>`, ErrNotTaken, "http 503"},
		"twilio, breaks":            {"twilio", 500, `{"code":20500}`, nil, "http 500 20500"},
		"a gateway between":         {"zenvia", 504, ``, nil, "http 504"},
		"moved":                     {"zenvia", 307, ``, nil, "http 307"},
		"another success":           {"zenvia", 202, `{"id":"1"}`, nil, "http 202"},
		"infobip, wrong key":        {"infobip", 401, `{"errorCode":"E401","description":"Unauthorized"}`, ErrNotTaken, "http 401 E401"},
		"infobip, bad request":      {"infobip", 400, `{"errorCode":"E400","description":"Bad request","violations":[]}`, ErrRefused, "http 400 E400"},
		"infobip, rejected in a OK": {"infobip", 200, `{"messages":[{"messageId":"1","status":{"groupName":"REJECTED","name":"REJECTED_DESTINATION"}}]}`, ErrRefused, "REJECTED"},
		"zenvia, validation":        {"zenvia", 400, `{"code":"VALIDATION_ERROR","message":"Validation error"}`, ErrRefused, "http 400 VALIDATION_ERROR"},
	} {
		p := newProvider(t)
		p.status, p.answer = c.status, c.answer
		_, err := p.account(t, c.preset, "CIDADE").Send(t.Context(), text("x"))
		if c.want == nil && !inDoubt(err) || c.want != nil && !errors.Is(err, c.want) || reasonOf(err) != c.code {
			t.Errorf("%s: %v, reason %q", name, err, reasonOf(err))
		}
		if err == nil || strings.Contains(err.Error(), "98765") || strings.Contains(err.Error(), "ecret") {
			t.Errorf("%s: says too much: %v", name, err)
		}
	}
}

func TestProviderThatIsNotReachedHasNothing(t *testing.T) {
	t.Parallel()

	p := newProvider(t)
	h := p.account(t, "zenvia", "CIDADE")
	p.Close()
	if _, err := h.Send(t.Context(), text("x")); !errors.Is(err, ErrNotTaken) {
		t.Errorf("nobody listens: %v", err)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer silent.Close()
	h.base, h.client.Timeout = silent.URL, 100*time.Millisecond
	if _, err := h.Send(t.Context(), text("x")); !inDoubt(err) {
		t.Errorf("no answer: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()

	elsewhere := newProvider(t)
	p := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer p.Close()
	h := elsewhere.account(t, "zenvia", "CIDADE")
	h.base = p.URL
	if _, err := h.Send(t.Context(), text("x")); !inDoubt(err) || elsewhere.got != nil {
		t.Errorf("%v, %v", err, elsewhere.got)
	}
}

func TestAccountsAreHTTPS(t *testing.T) {
	t.Parallel()

	described, err := LoadProvider("zenvia")
	if err != nil {
		t.Fatal(err)
	}
	for raw, ok := range map[string]bool{
		"https://:token@api.zenvia.com": true, "https://:token@api.zenvia.com/": true, "http://:t@127.0.0.1:9": true, "http://:t@localhost:9": true,
		"http://:token@api.zenvia.com": false, "https://:hunter22%zz@api": false, "api.zenvia.com": false, "https://:hunter22@api?x=1": false, "": false,
	} {
		h, err := NewHTTP(HTTPConfig{Provider: described, URL: raw})
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%q: %v", raw, err)
		}
		if err == nil && (strings.Contains(h.base, "token") || strings.HasSuffix(h.base, "/")) {
			t.Errorf("%q: base %q", raw, h.base)
		}
	}
}

func TestDescriptionsAreChecked(t *testing.T) {
	t.Parallel()

	const good = `
name: acme
url: "{{.Base}}/send"
headers: {Content-Type: application/json}
body: '{"to":{{json .To}},"text":{{json .Text}}}'
success: [200]
id: /id
status: {auth: {kind: hmac, header: X-Signature, prefix: "sha256=", encoding: hex, timestamp: X-Timestamp}, format: json, id: /id, state: /state, states: {ok: delivered}}
`
	if _, err := ParseProvider([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"an unknown key":      {"success:", "sucess: [1]\nsuccess:", "line 6"},
		"no success":          {"success: [200]", "", "success: is missing"},
		"no pointer":          {"id: /id\n", "id: id\n", `id: "id" is not a JSON pointer`},
		"a reserved name":     {"acme", "smpp", "name:"},
		"text not escaped":    {"{{json .Text}}", `"{{.Text}}"`, "does not give the text back"},
		"escaped for a form":  {"{{json .Text}}", `"{{form .Text}}"`, "does not give the text back"},
		"another type":        {"application/json", "text/plain", "does not give the text back"},
		"an unknown field":    {"{{json .To}}", "{{json .Phone}}", "Phone"},
		"a template's syntax": {"{{json .To}}", "{{json .To", "template: body"},
		"another host":        {"{{.Base}}/send", "https://evil.example/", "must begin with {{.Base}}"},
		"a state that is no":  {"ok: delivered", "ok: sent", `"sent" is not delivered`},
		"an unknown proof":    {"kind: hmac", "kind: basic", "neither query nor hmac"},
		"no timestamp":        {", timestamp: X-Timestamp", "", "hmac needs header and timestamp"},
		"no encoding":         {"encoding: hex", "encoding: ''", "neither hex nor base64"},
		"no format":           {"format: json", "format: xml", "neither json nor form"},
		"no states":           {"states: {ok: delivered}", "states: {}", "state and states are missing"},
		"no YAML":             {"name:", "\tname:", "yaml"},
	} {
		if _, err := ParseProvider([]byte(strings.Replace(good, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := LoadProvider("acme"); err == nil || !strings.Contains(err.Error(), "infobip, twilio, zenvia") {
		t.Errorf("%v", err)
	}
}

func TestPointersAreThoseOf6901(t *testing.T) {
	t.Parallel()

	var tree any
	if err := decode([]byte(`{"foo":["bar","baz"],"":"empty","a/b":1,"m~n":8,"big":12345678901234567890,"no":null,"o":{}}`), &tree); err != nil {
		t.Fatal(err)
	}
	for pointer, want := range map[string]string{"/foo/0": "bar", "/foo/1": "baz", "/": "empty", "/a~1b": "1", "/m~0n": "8", "/big": "12345678901234567890",
		"/foo/2": "", "/foo/-1": "", "/foo/x": "", "/foo/0/x": "", "/no": "", "/o": "", "/foo": "", "": "", "/none/0": ""} {
		if got := at(tree, pointer); got != want {
			t.Errorf("%q: %q, want %q", pointer, got, want)
		}
	}
}

func FuzzProviderAnswers(f *testing.F) {
	for _, name := range Presets() {
		f.Add(name, 200, []byte(`{"messages":[{"messageId":"1","status":{"groupName":"PENDING"}}]}`))
		f.Add(name, 201, []byte(`{"sid":"SM1","results":[{"messageId":"1","status":{"groupName":"DELIVERED"}}]}`))
		f.Add(name, 400, []byte(`MessageSid=SM1&MessageStatus=delivered`))
	}
	f.Fuzz(func(t *testing.T, name string, status int, body []byte) {
		if !slices.Contains(Presets(), name) {
			return
		}
		described, err := LoadProvider(name)
		if err != nil {
			t.Fatal(err)
		}
		h := &HTTP{HTTPConfig: HTTPConfig{Provider: described}}
		if receipt, err := h.read(status, body); err != nil && receipt.ID != "" {
			t.Fatalf("%+v, %v", receipt, err)
		}
		ends, err := h.statuses(body)
		for _, s := range ends {
			if err != nil || !s.State.Final() || s.Carrier != name {
				t.Fatal(fmt.Sprint(s), err)
			}
		}
	})
}
