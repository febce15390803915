package sms

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// HTTPConfig is one city's account with a provider.
type HTTPConfig struct {
	Provider *Provider
	URL      string // https://account:secret@host; the user is .Account, the password .Secret
	From     string
	// StatusURL is where Webhook is mounted, https://issuer/sms/status; "" where nothing is.
	StatusURL     string
	WebhookSecret string
	Timeout       time.Duration // for one request; 15 s
}

// HTTP is a carrier by a provider's HTTP API.
type HTTP struct {
	HTTPConfig
	base, account, secret string
	client                *http.Client
}

// maxAnswer is how much of an answer or of a webhook's body is read.
const maxAnswer = 64 << 10

// NewHTTP checks the account's URL: https, but for this machine.
func NewHTTP(c HTTPConfig) (*HTTP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want https://account:secret@host") // the error of Parse would repeat the secret
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && !ip.IsLoopback()) {
		return nil, errors.New("must be https")
	}
	h := &HTTP{HTTPConfig: c, account: u.User.Username()}
	h.secret, _ = u.User.Password()
	u.User = nil
	h.base = strings.TrimSuffix(u.String(), "/")
	h.client = &http.Client{Timeout: cmp.Or(c.Timeout, 15*time.Second),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // a redirect would carry number and text elsewhere
	return h, nil
}

// Name is the provider's.
func (h *HTTP) Name() string { return h.Provider.Name }

// Send makes one request and reads its answer.
func (h *HTTP) Send(ctx context.Context, m Message) (Receipt, error) {
	if err := m.Check(); err != nil {
		return Receipt{}, err
	}
	req, err := h.request(ctx, m)
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	var written atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }}
	answer, err := h.client.Do(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	switch {
	case err != nil && !written.Load():
		return Receipt{}, &Fault{ErrNotTaken, "http not reached"}
	case err != nil:
		return Receipt{}, &Fault{nil, "http no answer"}
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // what is cut short is no JSON
	return h.read(answer.StatusCode, body)
}

func (h *HTTP) request(ctx context.Context, m Message) (*http.Request, error) {
	left := max(time.Until(m.Expires), time.Second)
	r, err := h.Provider.render(submission{Base: h.base, Account: h.account, Secret: h.secret, From: h.From, ID: m.ID.String(), To: m.To.E164(),
		Digits: m.To.Digits(), Text: m.Text, StatusURL: h.statusURL(m.ID), Seconds: int(left / time.Second), Minutes: int(left/time.Minute) + 1})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader([]byte(r.body)))
	if err != nil {
		return nil, err
	}
	for name, value := range r.headers {
		req.Header.Set(name, value)
	}
	return req, nil
}

// statusURL is the webhook's for one message, with a key that is good for that message alone: URLs
// stand in logs of others.
func (h *HTTP) statusURL(id uuid.UUID) string {
	if h.StatusURL == "" || h.WebhookSecret == "" || h.Provider.Status.Auth.Kind == "" {
		return ""
	}
	return h.StatusURL + "?" + url.Values{"ref": {id.String()}, "key": {messageKey(h.WebhookSecret, id)}}.Encode()
}

func messageKey(secret string, id uuid.UUID) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("sms/status/" + id.String()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// read sorts an answer.
func (h *HTTP) read(status int, body []byte) (Receipt, error) {
	var tree any
	_ = decode(body, &tree) // an answer that is no JSON has no id and no code
	if !slices.Contains(h.Provider.Success, status) {
		code := strings.TrimSpace("http " + strconv.Itoa(status) + " " + at(tree, h.Provider.Error))
		switch {
		case slices.Contains(h.Provider.NotTaken, status):
			return Receipt{}, &Fault{ErrNotTaken, code}
		case status >= 400 && status < 500:
			return Receipt{}, &Fault{ErrRefused, code}
		}
		return Receipt{}, &Fault{nil, code}
	}
	if word := at(tree, h.Provider.Refused.At); word != "" && slices.Contains(h.Provider.Refused.Values, word) {
		return Receipt{}, &Fault{ErrRefused, word}
	}
	return Receipt{at(tree, h.Provider.ID)}, nil
}

func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // a long id must not become 1e+18
	return d.Decode(into)
}

// find follows a JSON pointer (RFC 6901); nil where it leads nowhere.
func find(tree any, pointer string) any {
	if pointer == "" {
		return tree
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch t := tree.(type) {
		case map[string]any:
			tree = t[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(t) {
				return nil
			}
			tree = t[i]
		default:
			return nil
		}
	}
	return tree
}

// at is the text or number at a pointer; "" where there is none.
func at(tree any, pointer string) string {
	if pointer == "" {
		return ""
	}
	switch v := find(tree, pointer).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
