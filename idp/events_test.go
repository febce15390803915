package idp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/events"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/registry/trust"
)

// receiver is a service's endpoint for events: it answers by script and keeps what it was sent.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	script []string // status and body, the last one for ever
	got    chan string
}

func receive(t *testing.T, script ...string) *receiver {
	rc := &receiver{script: script, got: make(chan string, 50)}
	rc.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc.mu.Lock()
		defer rc.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		status, answer, _ := strings.Cut(rc.script[0], " ")
		if status == "302" {
			w.Header().Set("Location", rc.URL+"/elsewhere")
		}
		w.WriteHeader(map[string]int{"202": 202, "200": 200, "302": 302, "400": 400, "503": 503}[status])
		_, _ = io.WriteString(w, answer)
		if len(rc.script) > 1 {
			rc.script = rc.script[1:]
		}
		rc.got <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("Accept") + "\n" + string(body)
	}))
	t.Cleanup(rc.Close)
	return rc
}

// next waits for one push and returns its token.
func (rc *receiver) next(t *testing.T) string {
	t.Helper()
	select {
	case sent := <-rc.got:
		token, ok := strings.CutPrefix(sent, "POST /eventos application/secevent+jwt application/json\n")
		if !ok {
			t.Fatalf("RFC 8935 §2.1: sent as %s", sent)
		}
		return token
	case <-time.After(time.Minute):
		t.Fatal("no event came")
		return ""
	}
}

func hears(id string, rc *receiver, more string) string {
	return `
id: ` + id + `
name: {pt-BR: Serviço}
department: Governo
contact: servico@example.org
redirect_uris: [https://` + id + `.example.org/callback]
events_uri: ` + rc.URL + `/eventos
` + more + `
claims:
  - {name: name, required: true, purpose: {pt-BR: Chamar você}, basis: public_policy}
`
}

// change is the event of a token, whose signature and frame it checks.
func change(t *testing.T, city *idptest.City, token, service, sub string) map[string]any {
	t.Helper()
	claims, h := verified(t, jwks(t, city), token), header(t, token)
	if h["typ"] != "secevent+jwt" {
		t.Errorf("RFC 8417 §2.3: header %v", h)
	}
	if claims["iss"] != city.Issuer || claims["aud"] != service || claims["jti"] == nil || claims["iat"] == nil {
		t.Errorf("RFC 8417 §2.2: %v", claims)
	}
	for _, never := range []string{"sub", "exp", "nonce", "txn", "person"} {
		if claims[never] != nil {
			t.Errorf("SSF 1.0 §4.1: %s in %v", never, claims)
		}
	}
	subject, _ := claims["sub_id"].(map[string]any)
	if len(subject) != 3 || subject["format"] != "iss_sub" || subject["iss"] != city.Issuer || subject["sub"] != sub {
		t.Errorf("RFC 9493 §3.2.3: %v, want sub %s", claims["sub_id"], sub)
	}
	all, _ := claims["events"].(map[string]any)
	event, ok := all[events.AssuranceLevelChange].(map[string]any)
	if !ok || len(all) != 1 {
		t.Fatalf("RFC 8417 §2.2: %v", claims["events"])
	}
	return event
}

func TestServicesHearOfALevelUnderTheirOwnSubAndAgainUntilTheyAnswer(t *testing.T) {
	t.Parallel()

	plain, rsa, none, refused, left := receive(t, "202"), receive(t, "503", "202"), receive(t, "202"), receive(t, `400 {"err":"access_denied","description":"x"}`), receive(t, "202")
	city := protocolCity(t, hears("ouve", plain, ""), hears("ouvebem", rsa, "id_token_alg: RS256"), hears("alheio", none, ""), hears("recusa", refused, ""), hears("deixado", left, ""))
	person := city.Person(ana, 2, map[string]string{"name": "Ana Ferreira", "email": "ana@example.org"})
	looks(t, city, 1)
	b, subs, tokens := city.Browser(t), map[string]string{}, map[string]idptest.Answer{}
	for _, service := range []string{"ouve", "ouvebem", "recusa", "deixado", "agenda"} {
		r := city.Request(service, nil)
		tokens[service] = city.Exchange(r, b.Authorize(r, ana))
		subs[service], _ = idptest.Claims(t, tokens[service].Text("id_token"))["sub"].(string)
	}
	if subs["ouve"] == subs["ouvebem"] || subs["ouve"] == "" {
		t.Fatalf("subs %v", subs)
	}
	b.Post("/conta/aplicacoes/revogar?servico=deixado", nil)

	// Sessions are over by then; what the citizen allowed is not.
	city.Advance(366 * day)
	looks(t, city, 3)
	var sent []string
	t.Run("CAEP 1.0 §3.4 what an event says", func(t *testing.T) {
		token := plain.next(t)
		sent = append(sent, token)
		e := change(t, city, token, "ouve", subs["ouve"])
		want := map[string]any{"namespace": "urn:loginunico:nivel", "current_level": "1", "previous_level": "2", "change_direction": "decrease", "initiating_entity": "policy"}
		for k, v := range want {
			if e[k] != v {
				t.Errorf("%s is %v, want %v", k, e[k], v)
			}
		}
		all, err := trust.Of(t.Context(), city.DB, person)
		if err != nil || e["event_timestamp"] != float64(all[1].ExpiresAt.Unix()) {
			t.Errorf("§3.4.1 event_timestamp %v: it changed when the evidence expired, %v", e["event_timestamp"], err)
		}
		admin, _ := e["reason_admin"].(map[string]any)
		user, _ := e["reason_user"].(map[string]any)
		if admin["en"] != "evidence expired" || len(user) != 3 || user["pt-BR"] != "Seu nível de confiança na cidade passou de 2 para 1." {
			t.Errorf("§2 reasons %v, %v", admin, user)
		}
	})
	t.Run("RFC 8935 §2.4 a receiver that fails, then recovers, hears the same token again", func(t *testing.T) {
		first, second := rsa.next(t), rsa.next(t)
		sent = append(sent, first, second)
		change(t, city, second, "ouvebem", subs["ouvebem"])
		if idptest.Claims(t, second)["jti"] != idptest.Claims(t, first)["jti"] || header(t, second)["alg"] != "RS256" {
			t.Error("another token")
		}
		if state, attempt := pushed(t, city, "ouvebem"); state != "completed" || attempt != 2 {
			t.Errorf("job %s after %d tries", state, attempt)
		}
	})
	t.Run("RFC 8935 §2.3 400 with an error is final", func(t *testing.T) {
		sent = append(sent, refused.next(t))
		if state, attempt := pushed(t, city, "recusa"); state != "cancelled" || attempt != 1 {
			t.Errorf("job %s after %d tries", state, attempt)
		}
	})
	t.Run("no service hears another's sub", func(t *testing.T) {
		for _, token := range sent {
			claims := idptest.Claims(t, token)
			for service, sub := range subs {
				if service != claims["aud"] && strings.Contains(strings.Join(flat(claims), " "), sub) {
					t.Errorf("%v holds the sub of %s", claims["aud"], service)
				}
			}
			if strings.Contains(strings.Join(flat(claims), " "), person.String()) {
				t.Errorf("%v holds the person's id", claims["aud"])
			}
		}
	})
	t.Run("who rises is told of too", func(t *testing.T) {
		city.Evidence(person, trust.Evidence{Kind: trust.BiometricEnrollment, Source: "desk", Method: "test", Verifier: "test", VerifiedAt: city.Now()})
		looks(t, city, 3)
		e := change(t, city, plain.next(t), "ouve", subs["ouve"])
		if e["current_level"] != "4" || e["previous_level"] != "1" || e["change_direction"] != "increase" || e["initiating_entity"] != "user" {
			t.Errorf("%v", e)
		}
	})
	t.Run("of a level that stays nobody is told", func(t *testing.T) {
		city.Evidence(person, trust.Evidence{Kind: trust.GovBR, Source: "govbr", Method: "test", Verifier: "test", VerifiedAt: city.Now()})
		looks(t, city, 3)
		takeAway(t, city, person, evidenceOf(t, city, person, trust.SelfDeclared), false)
		looks(t, city, 3)
		var jobs int
		if err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'security_event' AND args->>'client_id' = 'ouve'`).Scan(&jobs); err != nil || jobs != 2 {
			t.Errorf("%d events, %v", jobs, err)
		}
	})
	t.Run("who holds nothing of the person hears nothing", func(t *testing.T) {
		var jobs int
		err := city.DB.QueryRow(t.Context(), `SELECT count(*) FROM river_job WHERE kind = 'security_event' AND args->>'client_id' IN ('alheio', 'deixado', 'agenda')`).Scan(&jobs)
		if err != nil || jobs != 0 || len(none.got)+len(left.got) != 0 {
			t.Errorf("%d events, %v", jobs, err)
		}
	})
	t.Run("nor does one that has lost it since", func(t *testing.T) {
		rc := receive(t, "202")
		body := []byte(`{"current_level":"1"}`)
		d := &events.Service{DB: city.DB, Issuer: city.Issuer, Signer: city.Keys, Clients: city.Clients, HTTP: rc.Client(), Now: city.Now}
		err := d.Deliver(t.Context(), events.Delivery{Person: person, ClientID: "deixado", Subject: subs["deixado"], ID: "x", Event: events.AssuranceLevelChange, Body: body}, 1)
		if err != nil || len(left.got)+len(rc.got) != 0 {
			t.Errorf("%v", err)
		}
	})
	t.Run("RFC 8935 §2.2–2.4 every other answer is tried again", func(t *testing.T) {
		for answer, want := range map[string]string{"202": "done", "200": "again", "302": "again", "400": "again", `400 {"err":""}`: "again", "400 <html>": "again",
			`400 {"err":"invalid_key"}`: "never", "503": "again"} {
			rc := receive(t, answer)
			city.Apply(hears("ouve", rc, ""))
			d := &events.Service{DB: city.DB, Issuer: city.Issuer, Signer: city.Keys, Clients: city.Clients, HTTP: client.NewHTTPClient(), Now: city.Now}
			err := d.Deliver(t.Context(), events.Delivery{Person: person, ClientID: "ouve", Subject: subs["ouve"], ID: "x", Event: events.AssuranceLevelChange, Body: []byte(`{}`)}, 1)
			var cancelled *river.JobCancelError
			got := map[bool]string{true: "done", false: "again"}[err == nil]
			if errors.As(err, &cancelled) {
				got = "never"
			}
			if got != want || len(rc.got) != 1 { // a redirect would make it two
				t.Errorf("%s: %s after %d pushes, want %s", answer, got, len(rc.got), want)
			}
		}
	})
	t.Run("an event is no ID token", func(t *testing.T) {
		p := city.Browser(t).Open(city.Request("ouve", with("id_token_hint", sent[0])))
		isRedirectError(t, city, p, "invalid_request")
	})
}

// flat are all texts of a claim set.
func flat(v any) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, one := range v {
			all = append(all, flat(one)...)
		}
	case []any:
		for _, one := range v {
			all = append(all, flat(one)...)
		}
	case string:
		all = append(all, v)
	}
	return all
}

// pushed waits until a service's first event is no longer being worked and returns how it ended.
func pushed(t *testing.T, city *idptest.City, client string) (state string, attempt int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for state == "" || state == "running" || state == "available" || state == "retryable" {
		err := city.DB.QueryRow(ctx, `
			SELECT state, attempt FROM river_job WHERE kind = 'security_event' AND args->>'client_id' = $1 ORDER BY id LIMIT 1`, client).Scan(&state, &attempt)
		if err != nil {
			t.Fatalf("job of %s: %v", client, err)
		}
	}
	return state, attempt
}
