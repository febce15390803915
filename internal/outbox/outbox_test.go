package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/internal/mail"
)

func TestLetterFromTheRealCarrierReadsAsWritten(t *testing.T) {
	t.Parallel()

	box, sender := open(t)
	want := mail.Message{
		ID:      "0199f3a2-code",
		To:      "maria@exemplo.org",
		Subject: "Seu código de segurança para a Prefeitura de Vila Esperança: atenção à validade",
		Text:    "Olá, Maria.\n\nSeu código é 123456.\n" + strings.Repeat("Não passe a ninguém. ", 10) + "\n",
	}
	if err := sender.Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got, ok := box.Last("MARIA@exemplo.org")
	if !ok {
		t.Fatal("no letter to maria@exemplo.org")
	}
	if got.Subject != want.Subject || strings.TrimRight(got.Text, "\n") != strings.TrimRight(want.Text, "\n") {
		t.Errorf("subject %q, text %q", got.Subject, got.Text)
	}
	if got.MessageID != "0199f3a2-code@cidade.example" || !strings.Contains(got.From, "Vila Esperança") {
		t.Errorf("Message-ID %q, from %q", got.MessageID, got.From)
	}
	if _, ok := box.Last("joao@exemplo.org"); ok {
		t.Error("a letter to somebody who got none")
	}
}

func TestParseReadsWhatOtherProgramsWrite(t *testing.T) {
	t.Parallel()

	const qp = "Content-Transfer-Encoding: quoted-printable\r\n"
	for name, raw := range map[string]string{
		"plain":            "Subject: Atenção\r\n\r\ncódigo 1\r\n",
		"quoted-printable": "Subject: =?utf-8?q?Aten=C3=A7=C3=A3o?=\r\n" + qp + "\r\nc=C3=B3digo=\r\n 1\r\n",
		"base64":           "Subject: =?utf-8?b?QXRlbsOnw6Nv?=\r\nContent-Transfer-Encoding: base64\r\n\r\nY8OzZGln\r\nbyAxCg==\r\n",
		"Latin-1":          "Subject: =?iso-8859-1?q?Aten=E7=E3o?=\r\nContent-Type: text/plain; charset=iso-8859-1\r\n" + qp + "\r\nc=F3digo 1\r\n",
		"Windows-1252":     "Subject: =?windows-1252?q?Aten=E7=E3o?=\r\nContent-Type: text/plain; charset=windows-1252\r\n" + qp + "\r\nc=F3digo 1\r\n",
		"alternative, HTML first": "Subject: Atenção\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
			"--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n" + qp + "\r\nc=C3=B3digo 1\r\n--b--\r\n",
		"mixed with an attachment": "Subject: Atenção\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" +
			"--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\ncódigo 1\r\n--b--\r\n" +
			"--a\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--a--\r\n",
	} {
		m, err := parse(strings.NewReader(raw))
		if err != nil || m.Subject != "Atenção" || strings.TrimSpace(m.Text) != "código 1" {
			t.Errorf("%s: %q, %q, %v", name, m.Subject, m.Text, err)
		}
	}
}

func TestOnlyTheLast200Stay(t *testing.T) {
	t.Parallel()

	box := New()
	for i := range keep + 3 {
		box.add(Message{Subject: fmt.Sprint(i), To: []string{"maria@exemplo.org"}})
	}
	all := box.Messages("")
	if len(all) != keep || all[0].Subject != "202" || all[keep-1].Subject != "3" {
		t.Errorf("%d letters, newest %q, oldest %q", len(all), all[0].Subject, all[len(all)-1].Subject)
	}
}

func TestWaitReturnsTheLetterThatComesLater(t *testing.T) {
	t.Parallel()

	box := New()
	box.add(Message{Subject: "first", To: []string{"maria@exemplo.org"}})
	go func() {
		box.add(Message{Subject: "somebody else's", To: []string{"joao@exemplo.org"}})
		box.add(Message{Subject: "second", To: []string{"maria@exemplo.org"}})
	}()
	m, err := box.Wait(t.Context(), "maria@exemplo.org", 1)
	if err != nil || m.Subject != "second" {
		t.Errorf("%+v, %v", m, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := box.Wait(ctx, "maria@exemplo.org", m.ID); err == nil {
		t.Error("waiting ended without a letter and without an error")
	}
}

func TestPagesEscapeWhatLettersSay(t *testing.T) {
	t.Parallel()

	box := New()
	box.add(Message{
		Subject: "<script>alert(1)</script>", To: []string{`"><img src=x>`},
		Text: "<b>código</b>\nveja https://cidade.example/x?a=1&b=\"2\" e javascript:alert(1).",
	})
	srv := httptest.NewServer(box.Handler())
	defer srv.Close()
	for _, path := range []string{"/", "/messages/1"} {
		status, body := get(t, srv.URL+path)
		if status != http.StatusOK || strings.Contains(body, "<script>") || strings.Contains(body, "<img") || strings.Contains(body, "<b>") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	_, body := get(t, srv.URL+"/messages/1")
	if !strings.Contains(body, `<a href="https://cidade.example/x?a=1&amp;b=">`) || strings.Contains(body, `href="javascript`) {
		t.Errorf("links of %s", body)
	}
	if status, _ := get(t, srv.URL+"/messages/2"); status != http.StatusNotFound {
		t.Errorf("a letter that is not there: %d", status)
	}
}

func TestAPIFiltersByRecipient(t *testing.T) {
	t.Parallel()

	box := New()
	for _, to := range []string{"maria@exemplo.org", "joao@exemplo.org", "maria@exemplo.org"} {
		box.add(Message{Subject: "s", Text: "t", To: []string{to}})
	}
	srv := httptest.NewServer(box.Handler())
	defer srv.Close()
	for to, want := range map[string]int{"maria@exemplo.org": 2, "": 3, "ana@exemplo.org": 0} {
		_, body := get(t, srv.URL+"/api/messages?to="+to)
		var got struct{ Messages []Message }
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Messages) != want || got.Messages == nil {
			t.Errorf("to=%s: %s, %v", to, body, err)
		}
	}
}

func TestClearForgetsAndRefusesForeignPages(t *testing.T) {
	t.Parallel()

	box := New()
	box.add(Message{To: []string{"maria@exemplo.org"}})
	foreign := request("POST", "/clear")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	if w := serve(box, foreign); w.Code != http.StatusForbidden || len(box.Messages("")) != 1 {
		t.Errorf("from another site: %d, %d letters left", w.Code, len(box.Messages("")))
	}
	if w := serve(box, request("POST", "/clear")); w.Code != http.StatusSeeOther || len(box.Messages("")) != 0 {
		t.Errorf("%d, %d letters left", w.Code, len(box.Messages("")))
	}
}

func TestViewerAnswersThisMachineAlone(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		peer, host string
		want       int
	}{
		{"127.0.0.1:5", "localhost:8025", http.StatusOK},
		{"[::1]:5", "[::1]:8025", http.StatusOK},
		{"192.0.2.7:5", "localhost:8025", http.StatusForbidden},
		{"127.0.0.1:5", "rebound.example:8025", http.StatusForbidden},
		{"127.0.0.1:5", "localhost.evil.example", http.StatusForbidden},
	} {
		r := request("GET", "/")
		r.RemoteAddr, r.Host = c.peer, c.host
		if w := serve(New(), r); w.Code != c.want {
			t.Errorf("%s asking %s: %d, want %d", c.peer, c.host, w.Code, c.want)
		}
	}
}

func TestCloseBeforeAndAfterListeningIsQuiet(t *testing.T) {
	t.Parallel()

	box := New()
	if err := box.Close(); err != nil {
		t.Error(err)
	}
	addr, err := box.ListenSMTP()
	if err != nil || !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Fatal(addr, err)
	}
	for range 2 {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Subject: =?utf-8?q?Aten=C3=A7=C3=A3o?=\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n")
	f.Add("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		m, err := parse(strings.NewReader(raw))
		if err == nil && strings.ToValidUTF8(m.Text, "") != m.Text {
			t.Errorf("text is not UTF-8: %q", m.Text)
		}
	})
}

func letterTo(to string) mail.Message {
	return mail.Message{ID: "0199f3a2-code", To: to, Subject: "Seu código", Text: "Seu código é 123456.\n"}
}

func open(t *testing.T) (*Outbox, *mail.SMTP) {
	t.Helper()
	box := New()
	addr, err := box.ListenSMTP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	sender, err := mail.NewSMTP("smtp://"+addr+"?tls=none", "Prefeitura de Vila Esperança <nao-responda@cidade.example>")
	if err != nil {
		t.Fatal(err)
	}
	return box, sender
}

func request(method, path string) *http.Request {
	r := httptest.NewRequest(method, "http://localhost:8025"+path, nil)
	r.RemoteAddr = "127.0.0.1:5"
	return r
}

func serve(box *Outbox, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	box.Handler().ServeHTTP(w, r)
	return w
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
