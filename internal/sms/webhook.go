package sms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/secret"
)

// replayWindow is how far a signed status' time may be from ours. Within it a repeated one changes
// nothing: the first end of a message holds.
const replayWindow = 5 * time.Minute

// Webhook hears the provider's statuses, POST /sms/status. Answers: 204, 400 for what cannot be read,
// 401 for what is not proven, 405, 413, and 503 where it could not be kept and should come again.
func (h *HTTP) Webhook(hear Listener, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(h.webhook(r, body, hear, now()))
	})
}

func (h *HTTP) webhook(r *http.Request, body []byte, hear Listener, now time.Time) (status int) {
	ref, ok := h.proven(r, body, now)
	if !ok {
		return http.StatusUnauthorized
	}
	statuses, err := h.statuses(body)
	if err != nil {
		return http.StatusBadRequest
	}
	for _, s := range statuses {
		if ref != uuid.Nil {
			s.Ref, s.ID = ref, ""
		}
		if err := hear(r.Context(), s); err != nil {
			return http.StatusServiceUnavailable
		}
	}
	return http.StatusNoContent
}

// proven checks whose status it is. ref is the message whose URL was called, where its key says so;
// then the status is of that message, whatever the body names.
func (h *HTTP) proven(r *http.Request, body []byte, now time.Time) (ref uuid.UUID, ok bool) {
	if h.WebhookSecret == "" {
		return ref, false
	}
	key := r.URL.Query().Get("key")
	id, err := uuid.Parse(r.URL.Query().Get("ref"))
	own := err == nil && same(key, messageKey(h.WebhookSecret, id))
	if own {
		ref = id
	}
	switch auth := h.Provider.Status.Auth; auth.Kind {
	case "query":
		return ref, own || same(key, h.WebhookSecret)
	case "hmac":
		return ref, auth.signed(r.Header, body, h.WebhookSecret, now)
	}
	return ref, false
}

// same compares in a time that tells nothing of either.
func same(a, b string) bool { return secret.Equal(secret.Hash(a), secret.Hash(b)) }

func (a Auth) signed(header http.Header, body []byte, key string, now time.Time) bool {
	stamp := header.Get(a.Timestamp)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > replayWindow {
		return false
	}
	given, ok := strings.CutPrefix(header.Get(a.Header), a.Prefix)
	var mac []byte
	if a.Encoding == "base64" {
		mac, err = base64.StdEncoding.DecodeString(given)
	} else {
		mac, err = hex.DecodeString(given)
	}
	want := hmac.New(sha256.New, []byte(key))
	want.Write([]byte(stamp + "."))
	want.Write(body)
	return ok && err == nil && hmac.Equal(mac, want.Sum(nil))
}

var errStatusForm = errors.New("not a status as the provider describes it")

// statuses reads the ends that a body tells of.
func (h *HTTP) statuses(body []byte) ([]Status, error) {
	tree, err := h.tree(body)
	if err != nil {
		return nil, err
	}
	entries := []any{tree}
	if at := h.Provider.Status.List; at != "" {
		list, ok := find(tree, at).([]any)
		if !ok {
			return nil, errStatusForm
		}
		entries = list
	}
	ends := []Status{}
	for _, e := range entries {
		w := h.Provider.Status
		if state, ok := w.States[at(e, w.State)]; ok {
			ends = append(ends, Status{Carrier: h.Name(), ID: at(e, w.ID), State: state, Reason: strings.TrimSpace(at(e, w.State) + " " + at(e, w.Reason))})
		}
	}
	return ends, nil
}

func (h *HTTP) tree(body []byte) (any, error) {
	if h.Provider.Status.Format == "form" {
		form, err := url.ParseQuery(string(body))
		tree := map[string]any{}
		for name := range form {
			tree[name] = form.Get(name)
		}
		return tree, err
	}
	var tree any
	err := decode(body, &tree)
	if _, object := tree.(map[string]any); err == nil && !object {
		err = errStatusForm
	}
	return tree, err
}
