package rp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const levelEvent = "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change"

// levelChange is an event that passed every check: how surely the city knows a person has changed.
type levelChange struct {
	Token      jwt // opened for display
	From, To   int
	At         time.Time
	ReasonUser map[string]string // by language
	jti        string
	subject    string
}

// events hears from the provider, server to server, that a person's trust level has changed. 202
// tells it that we have heard; one that comes twice, since our answer may have been lost, does
// nothing the second time. A real service would now look whether the person may still do what they
// do here. This one shows the event, and leaves refreshing the tokens to a button.
//
// RFC 8935 §2.1 to §2.4.
func (a *app) events(w http.ResponseWriter, r *http.Request, s Service) {
	p, err := a.provider.get()
	if err != nil {
		http.Error(w, "provider unknown yet", http.StatusServiceUnavailable) // it will try again
		return
	}
	c, err := a.readEvent(r.Context(), p, s, r)
	if err != nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"err": "invalid_request", "description": err.Error()})
		return
	}
	told := a.sessions.hear(s.ID, c)
	slog.InfoContext(r.Context(), "level changed", "service", s.ID, "sessions", told)
	w.WriteHeader(http.StatusAccepted)
}

// readEvent checks a Security Event Token. The library looks at signature, iss and aud; the rest is
// ours: the type, by which it is no ID token, what must be there and what must not, and the event.
//
// RFC 8417 §2.2, §2.3; Shared Signals Framework 1.0 §4.1; CAEP 1.0 §3.4.
func (a *app) readEvent(ctx context.Context, p *provider, s Service, r *http.Request) (levelChange, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/secevent+jwt" {
		return levelChange{}, errors.New("the body is no application/secevent+jwt")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return levelChange{}, err
	}
	check := p.Verifier(&oidc.Config{ClientID: s.ID, SupportedSigningAlgs: []string{s.SigningAlg}, SkipExpiryCheck: true, Now: a.Now})
	t, err := check.Verify(ctx, string(body))
	if err != nil {
		return levelChange{}, err
	}
	var set struct {
		JTI     string `json:"jti"`
		Issued  int64  `json:"iat"`
		Subject struct {
			Format string `json:"format"`
			Issuer string `json:"iss"`
			Sub    string `json:"sub"`
		} `json:"sub_id"`
		Expires int64 `json:"exp"`
		Events  map[string]struct {
			Current   string            `json:"current_level"`
			Previous  string            `json:"previous_level"`
			Timestamp int64             `json:"event_timestamp"`
			User      map[string]string `json:"reason_user"`
		} `json:"events"`
	}
	if err := t.Claims(&set); err != nil {
		return levelChange{}, err
	}
	event, ok := set.Events[levelEvent]
	to, err := strconv.Atoi(event.Current)
	switch {
	case typeOf(string(body)) != "secevent+jwt":
		return levelChange{}, errors.New("typ is not secevent+jwt") // an ID token will not do
	case set.JTI == "" || set.Issued <= 0 || t.IssuedAt.After(a.Now().Add(clockSkew)):
		return levelChange{}, errors.New("jti or iat is missing, or iat lies ahead")
	case t.Subject != "" || set.Expires != 0:
		return levelChange{}, errors.New("sub or exp is there, which no event has")
	case set.Subject.Format != "iss_sub" || set.Subject.Issuer != a.Issuer || set.Subject.Sub == "":
		return levelChange{}, errors.New("sub_id is no subject of this provider")
	case !ok || err != nil:
		return levelChange{}, fmt.Errorf("events has no %s with a level", levelEvent)
	}
	from, _ := strconv.Atoi(event.Previous)
	return levelChange{Token: decodeJWT(string(body)), From: from, To: to, At: time.Unix(event.Timestamp, 0), ReasonUser: event.User,
		jti: set.JTI, subject: set.Subject.Sub}, nil
}

// Said is the reason in a language, in Portuguese where that is missing.
func (c levelChange) Said(lang string) string {
	if text := c.ReasonUser[lang]; text != "" {
		return text
	}
	return c.ReasonUser["pt-BR"]
}

// hear keeps an event with every session of its person, unless they know one that is newer: tries may
// overtake each other. It returns how many.
func (s *sessions) hear(service string, c levelChange) (told int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, v := range s.byKey {
		if v.service != service || !v.signedIn || v.subject != c.subject || v.change.jti == c.jti || v.change.At.After(c.At) {
			continue
		}
		v.change = c
		s.byKey[key] = v
		told++
	}
	return told
}
