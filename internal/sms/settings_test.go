package sms

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/testnode"
)

func TestCarrierIsMadeOfItsURL(t *testing.T) {
	t.Parallel()

	_, cert := testnode.Certificate(t, "smsc.example")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]SMPPConfig{
		"smpp://cidade:s%40gredo@smsc.example":                                    {Addr: "smsc.example:3550", Password: "s@gredo", Window: 10},
		"smpp://cidade:x@smsc.example:9000?tls=tls&ca=" + ca + "&system_type=OTP": {Addr: "smsc.example:9000", Password: "x", SystemType: "OTP", Window: 10},
		"smpp://cidade:x@10.0.0.7?tls=none&window=50&packed=1&ids=decimal":        {Addr: "10.0.0.7:2775", Password: "x", Window: 50, Packed: true, DecimalIDs: true},
		"smpp://cidade:x@[2001:db8::1]?tls=none":                                  {Addr: "[2001:db8::1]:2775", Password: "x", Window: 10},
	} {
		carrier, err := Settings{URL: raw, From: "CIDADE"}.Open(nil, nil)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		got := carrier.(*SMPP).SMPPConfig
		if got.Addr != want.Addr || got.Password != want.Password || got.SystemID != "cidade" || got.SystemType != want.SystemType ||
			got.Window != want.Window || got.Packed != want.Packed || got.DecimalIDs != want.DecimalIDs || (got.TLS == nil) != strings.Contains(raw, "none") {
			t.Errorf("%s: %+v", raw, got)
		}
	}
	carrier, err := Settings{URL: "https://AC1:token@api.twilio.com", Provider: "twilio", From: "+15550100123", Issuer: "https://id.example.org",
		WebhookSecret: webhookSecret}.Open(nil, nil)
	if err != nil || carrier.Name() != "twilio" || carrier.(*HTTP).StatusURL != "https://id.example.org/sms/status" {
		t.Errorf("%+v, %v", carrier, err)
	}
}

func TestWrongCarriersAreRefusedWithoutTheirSecret(t *testing.T) {
	t.Parallel()

	for want, s := range map[string]Settings{
		"want smpp://":           {URL: ""},
		"want smpp:// ":          {URL: "ftp://a:hunter22@smsc"},
		"want smpp://  ":         {URL: "smpp://a:hunter22%zz@smsc"},
		"unknown parameter":      {URL: "smpp://a:hunter22@smsc?tsl=none"},
		"tls=":                   {URL: "smpp://a:hunter22@smsc?tls=starttls"},
		"window=":                {URL: "smpp://a:hunter22@smsc?window=0"},
		"no such file":           {URL: "smpp://a:hunter22@smsc?ca=/nowhere"},
		"no certificates":        {URL: "smpp://a:hunter22@smsc?ca=/dev/null"},
		"the sender must be":     {URL: "smpp://a:hunter22@smsc", From: "Prefeitura Municipal"},
		"needs a provider":       {URL: "https://a:hunter22@api.example.org"},
		"neither a file nor one": {URL: "https://a:hunter22@api.example.org", Provider: "acme"},
		"want 24 or more":        {URL: "https://a:hunter22@api.example.org", Provider: "zenvia", WebhookSecret: "hunter22"},
		"must be https":          {URL: "http://a:hunter22@api.example.org", Provider: "zenvia"},
	} {
		_, err := s.Open(nil, nil)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestServiceMountsWhatItsCarrierHas(t *testing.T) {
	t.Parallel()

	h := newHouse(t, nil)
	if h.Webhook() != nil {
		t.Error("a carrier without statuses has a webhook")
	}
	h.Run(t.Context()) // returns: there is no link
	carrier, err := Settings{URL: "https://AC1:token@api.twilio.com", Provider: "twilio", WebhookSecret: webhookSecret}.Open(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Carrier = carrier
	recorder := httptest.NewRecorder()
	h.Webhook().ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, StatusPath+"?key="+webhookSecret, strings.NewReader("MessageSid=1&MessageStatus=failed")))
	if recorder.Code != http.StatusNoContent {
		t.Errorf("%d", recorder.Code)
	}
}

func TestServiceKeepsTheLinkAndHearsItsReceipts(t *testing.T) {
	t.Parallel()

	server := startSMSC(t, false)
	h := newHouse(t, nil)
	carrier, err := Settings{URL: "smpp://cidade:segredo@" + server.addr + "?tls=none", From: "CIDADE"}.Open(h.Metrics, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Carrier = carrier
	go h.Run(t.Context())
	server.Wait("bind", nil)
	server.Tell(`{"next":{"id":"m1","early":{"text":"id:m1 stat:DELIVRD err:000"}}}`)
	id := h.ask("code/1")
	if err := h.work(id); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, server, 0)
	h.want("code/1", Delivered, "DELIVRD 000")
}
