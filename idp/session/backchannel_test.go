package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/session"
)

// signer stands for the key ring: what is signed is checked in the protocol tests.
type signer struct{}

func (signer) Sign(alg, typ string, _ []byte) (string, error) { return alg + "." + typ, nil }

// services is the registry with one service.
type services map[string]*client.Client

func (s services) Get(id string) (*client.Client, bool) { c, ok := s[id]; return c, ok }

func TestANoticeIsTriedAgainUnlessTheServiceAnswered(t *testing.T) {
	t.Parallel()
	const done, again, never = "done", "try again", "given up"
	for name, c := range map[string]struct {
		status int
		want   string
	}{
		"Back-Channel Logout §2.8 200":                       {http.StatusOK, done},
		"Back-Channel Logout §2.8 204, which some send":      {http.StatusNoContent, done},
		"Back-Channel Logout §2.8 400 is final":              {http.StatusBadRequest, never},
		"Back-Channel Logout §2.5 500":                       {http.StatusInternalServerError, again},
		"Back-Channel Logout §2.5 503":                       {http.StatusServiceUnavailable, again},
		"Back-Channel Logout §2.5 404, perhaps a bad deploy": {http.StatusNotFound, again},
		"Back-Channel Logout §2.5 a redirect, not followed":  {http.StatusFound, again},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			followed := false
			mux := http.NewServeMux()
			mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { followed = true })
			mux.HandleFunc("/saida", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				if r.FormValue("logout_token") != "ES256.logout+jwt" {
					t.Errorf("Back-Channel Logout §2.5: sent %q", r.FormValue("logout_token"))
				}
				w.WriteHeader(c.status)
			})
			server := httptest.NewServer(mux)
			defer server.Close()
			if got := outcome(deliver(t, server.URL+"/saida", "servico")); got != c.want || followed {
				t.Errorf("%s (followed a redirect: %v), want %s", got, followed, c.want)
			}
		})
	}
	t.Run("Back-Channel Logout §2.5 nobody listens", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		if got := outcome(deliver(t, server.URL, "servico")); got != again {
			t.Errorf("%s", got)
		}
	})
	t.Run("the service wants no notice any more", func(t *testing.T) {
		if got := outcome(deliver(t, "", "servico")); got != done {
			t.Errorf("%s", got)
		}
	})
	t.Run("the service is gone", func(t *testing.T) {
		if got := outcome(deliver(t, "http://127.0.0.1:9/", "outro")); got != done {
			t.Errorf("%s", got)
		}
	})
}

func deliver(t *testing.T, uri, to string) error {
	t.Helper()
	known := services{"servico": {Manifest: client.Manifest{ID: "servico", IDTokenAlg: client.ES256, BackchannelLogoutURI: uri}}}
	n := &session.Notifier{Issuer: "https://entrar.example.org", Signer: signer{}, Clients: known, HTTP: client.NewHTTPClient(), Now: time.Now}
	return n.Deliver(t.Context(), session.Notice{ClientID: to, Subject: "s", SessionID: "i"}, 1)
}

func outcome(err error) string {
	var cancelled *river.JobCancelError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &cancelled):
		return "given up"
	}
	return "try again"
}

func TestASessionCookieStaysOnItsHostAndOutOfScripts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secure bool
		value  string
		want   string
	}{
		"RFC 6265bis §4.1.3.2 with https":    {true, "v", "__Host-x=v; Path=/; HttpOnly; Secure; SameSite=Lax"},
		"RFC 6265bis §4.1.3.2 without":       {false, "v", "x=v; Path=/; HttpOnly; SameSite=Lax"},
		"RFC 6265bis §5.6 removed":           {true, "", "__Host-x=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		"RFC 6265bis §5.6 removed, no https": {false, "", "x=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := session.HostCookie("x", c.value, c.secure).String(); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}
