package session

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/secret"
)

// Notice is the job that tells one service that a session is over.
type Notice struct {
	ClientID  string `json:"client_id"`
	Subject   string `json:"sub"`
	SessionID string `json:"sid"`
}

// Kind names the job.
func (Notice) Kind() string { return "backchannel_logout" }

// Signer signs logout tokens; *keys.Ring is the one there is.
type Signer interface {
	Sign(alg, typ string, claims []byte) (string, error)
}

// Clients finds a service by its client_id.
type Clients interface {
	Get(id string) (*client.Client, bool)
}

// Notifier delivers logout tokens.
type Notifier struct {
	Issuer  string
	Signer  Signer
	Clients Clients
	HTTP    *http.Client
	Now     func() time.Time
}

// Deliver sends one logout token; an error means try again.
//
// A service that is gone, or wants no notice, ends the job. Back-Channel Logout §2.4–2.5, §2.8:
// 200 or 204 is success; 400 is the service's final no.
func (n *Notifier) Deliver(ctx context.Context, notice Notice, _ int) error {
	c, ok := n.Clients.Get(notice.ClientID)
	if !ok || c.BackchannelLogoutURI == "" {
		return nil
	}
	token, err := n.token(c, notice)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackchannelLogoutURI,
		strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	if err != nil {
		return river.JobCancel(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := n.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return nil
	case http.StatusBadRequest:
		return river.JobCancel(fmt.Errorf("service %s refused the logout token", c.ID))
	}
	return fmt.Errorf("service %s answered %d to a logout token", c.ID, res.StatusCode)
}

// token makes a logout token: no nonce, two minutes, a new jti at each try. §2.4.
func (n *Notifier) token(c *client.Client, notice Notice) (string, error) {
	now := n.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": n.Issuer, "sub": notice.Subject, "aud": c.ID, "sid": notice.SessionID, "jti": secret.Token(),
		"iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	})
	if err != nil {
		return "", err
	}
	return n.Signer.Sign(c.IDTokenAlg, "logout+jwt", claims)
}
