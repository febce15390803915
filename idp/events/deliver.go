package events

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/pg"
)

// typeSET is the typ header and, behind "application/", the media type. RFC 8417 §2.3.
const typeSET = "secevent+jwt"

// Delivery is the job that pushes one event to one service. A token that is sent again says the
// same under the same jti, so that its receiver can tell.
type Delivery struct {
	Person   uuid.UUID       `json:"person"` // never sent
	ClientID string          `json:"client_id"`
	Subject  string          `json:"sub"`
	ID       string          `json:"jti"`
	IssuedAt int64           `json:"iat"`
	Event    string          `json:"event"`
	Body     json.RawMessage `json:"body"`
}

// Kind names the job.
func (Delivery) Kind() string { return "security_event" }

// Signer signs; *keys.Ring is the one there is.
type Signer interface {
	Sign(alg, typ string, claims []byte) (string, error)
}

// Service decides who hears events, and delivers them.
type Service struct {
	DB      *pg.Pool
	Issuer  string
	Signer  Signer
	Clients Clients
	Queue   Enqueuer
	HTTP    *http.Client // of [client.NewHTTPClient]
	Now     func() time.Time
}

// Deliver pushes one event; an error means try again.
//
// A service that is gone, wants no events or holds nothing of this person any more ends the job.
// RFC 8935 §2.2: 202 is success. §2.3: 400 with a JSON object that has err is the receiver's final
// no. Everything else is tried again.
func (s *Service) Deliver(ctx context.Context, d Delivery, _ int) error {
	c, ok := s.Clients.Get(d.ClientID)
	if !ok || c.EventsURI == "" {
		return nil
	}
	entitled, err := receivers(ctx, s.DB, d.Person, []*client.Client{c}, s.Now(), s.Now())
	if err != nil || !slices.Contains(entitled, client.Party{ClientID: d.ClientID, Subject: d.Subject}) {
		return err
	}
	token, err := s.token(c, d)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.EventsURI, strings.NewReader(token))
	if err != nil {
		return river.JobCancel(err)
	}
	req.Header.Set("Content-Type", "application/"+typeSET)
	req.Header.Set("Accept", "application/json")
	res, err := s.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusAccepted:
		return nil
	case http.StatusBadRequest:
		if code := refusal(res.Body); code != "" {
			return river.JobCancel(fmt.Errorf("service %s refused an event: %s", c.ID, code))
		}
	}
	return fmt.Errorf("service %s answered %d to an event", c.ID, res.StatusCode)
}

// errs are the error codes that receivers may answer with. RFC 8935 §2.4.
var errs = []string{"invalid_request", "invalid_key", "invalid_issuer", "invalid_audience", "authentication_failed", "access_denied"}

// refusal reads the err of an answer; "" when it has none. What is not of the registry is not
// repeated: it would end in the log.
func refusal(body io.Reader) string {
	var answer struct {
		Err string `json:"err"`
	}
	text, err := io.ReadAll(io.LimitReader(body, 4<<10))
	if err != nil || json.Unmarshal(text, &answer) != nil || answer.Err == "" {
		return ""
	}
	if !slices.Contains(errs, answer.Err) {
		return "with a code of its own"
	}
	return answer.Err
}

// token makes the SET. Shared Signals Framework 1.0 §4.1: typ, no sub, no exp; aud is the client_id.
// The subject is an iss_sub identifier, RFC 9493 §3.2.3.
func (s *Service) token(c *client.Client, d Delivery) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": s.Issuer, "aud": c.ID, "jti": d.ID, "iat": d.IssuedAt,
		"sub_id": map[string]string{"format": "iss_sub", "iss": s.Issuer, "sub": d.Subject},
		"events": map[string]json.RawMessage{d.Event: d.Body},
	})
	if err != nil {
		return "", err
	}
	return s.Signer.Sign(c.IDTokenAlg, typeSET, claims)
}
