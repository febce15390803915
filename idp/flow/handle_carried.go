package flow

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/internal/pg"
)

// A visit that knows nothing but what was asked and which CPF was typed is carried by its own
// browser, sealed in a cookie. The first fact that anything depends on (a session, a mail code, a
// registration, an end without a code) makes a row of it in the same transaction, and the cookie
// goes. Most sign-ins have no row at all: the grant, which has the visit's id, is their end. Who only
// opens the first page writes nothing.
//
// A browser that keeps a copy of its cookie gains nothing: it could as well ask anew. A visit that has
// a row, or a grant, is not answered by its cookie, and no fact of the row is believed from one.
const (
	cookieVisit = "visita-"
	mostCarried = 3    // visits at once in one browser; more are rows from the start
	mostBytes   = 1800 // of a request: sealed, and in base64, it is 2500 of the 4096 that browsers keep
)

func visitCookie(id uuid.UUID) string {
	return cookieVisit + base64.RawURLEncoding.EncodeToString(id[:])
}

// carriedAs binds a sealed visit to its browser.
func carriedAs(browser []byte) []byte { return append([]byte("visit/"), browser...) }

const carriedHead = 16 + 8 + 8 + 2 + 2 // id, created, expires, and the lengths of client_id and CPF

// pack is an interaction without the facts that need a row; text is its request in JSON.
func pack(in Interaction, text []byte) []byte {
	out := make([]byte, carriedHead, carriedHead+len(in.ClientID)+len(in.CPF)+len(text))
	copy(out, in.ID[:])
	binary.BigEndian.PutUint64(out[16:], uint64(in.CreatedAt.UnixMicro()))
	binary.BigEndian.PutUint64(out[24:], uint64(in.ExpiresAt.UnixMicro()))
	binary.BigEndian.PutUint16(out[32:], uint16(len(in.ClientID)))
	binary.BigEndian.PutUint16(out[34:], uint16(len(in.CPF)))
	return append(append(append(out, in.ClientID...), in.CPF...), text...)
}

// unpack reads what pack wrote; ok is false for anything else.
func unpack(packed []byte) (in Interaction, text []byte, ok bool) {
	if len(packed) < carriedHead {
		return in, nil, false
	}
	client, cpf := int(binary.BigEndian.Uint16(packed[32:])), int(binary.BigEndian.Uint16(packed[34:]))
	rest := packed[carriedHead:]
	if client+cpf > len(rest) {
		return in, nil, false
	}
	copy(in.ID[:], packed)
	in.CreatedAt = time.UnixMicro(int64(binary.BigEndian.Uint64(packed[16:]))).UTC()
	in.ExpiresAt = time.UnixMicro(int64(binary.BigEndian.Uint64(packed[24:]))).UTC()
	in.ClientID, text = string(rest[:client]), rest[client+cpf:]
	if cpf > 0 {
		in.CPF = rest[client : client+cpf]
	}
	return in, text, json.Unmarshal(text, &in.Request) == nil
}

// carriage is a visit as its browser carries it.
type carriage struct {
	in   Interaction
	text []byte // the request's JSON
}

// carry gives a new visit to its browser; false when it needs a row from the start.
func (h *Handler) carry(c echo.Context, v *visit) (bool, error) {
	if v.SessionID != nil || v.known != nil || carriedVisits(c.Request()) >= mostCarried {
		return false, nil
	}
	text, err := json.Marshal(v.Request)
	if err != nil || len(text) > mostBytes {
		return false, err
	}
	v.carried = text
	h.give(c, v)
	return true, nil
}

func carriedVisits(r *http.Request) (n int) {
	for _, line := range r.Header["Cookie"] {
		n += strings.Count(line, cookieVisit)
	}
	return n
}

// give sets the cookie of a carried visit.
func (h *Handler) give(c echo.Context, v *visit) {
	value := base64.RawURLEncoding.EncodeToString(h.Box.Seal(pack(v.Interaction, v.carried), carriedAs(v.BrowserHash)))
	h.carriages.keep(value, carriage{Interaction{ID: v.ID, BrowserHash: v.BrowserHash, ClientID: v.ClientID, Request: v.Request,
		CreatedAt: v.CreatedAt, ExpiresAt: v.ExpiresAt, CPF: v.CPF}, v.carried})
	cookie := session.HostCookie(visitCookie(v.ID), value, h.Secure)
	cookie.MaxAge = int(v.ExpiresAt.Sub(h.Now()).Seconds())
	c.SetCookie(cookie)
}

// carried reads the visit that this browser carries under an id; ok is false when it carries none.
func (h *Handler) carried(c echo.Context, id uuid.UUID, browser []byte) (in Interaction, text []byte, ok bool) {
	cookie, err := c.Cookie(session.HostCookie(visitCookie(id), "x", h.Secure).Name)
	if err != nil {
		return in, nil, false
	}
	one, ok := h.carriages.find(cookie.Value)
	if !ok || !bytes.Equal(one.in.BrowserHash, browser) {
		if one, ok = h.opened(cookie.Value, browser); !ok {
			return in, nil, false
		}
		h.carriages.keep(cookie.Value, one)
	}
	return one.in, one.text, one.in.ID == id && h.Now().Before(one.in.ExpiresAt)
}

// opened reads a visit's cookie; ok is false for one that is not of this browser, or was changed.
func (h *Handler) opened(value string, browser []byte) (one carriage, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return one, false
	}
	packed, err := h.Box.Open(sealed, carriedAs(browser))
	if err != nil {
		return one, false
	}
	one.in, one.text, ok = unpack(packed)
	one.in.BrowserHash = browser
	return one, ok
}

// dropWhenSettled takes the cookie back with the answer, once the visit is a row. After a failure
// of ours nothing was written, and the citizen tries again with it.
func (h *Handler) dropWhenSettled(c echo.Context, v *visit) {
	c.Response().Before(func() {
		if v.settled && c.Response().Status < http.StatusInternalServerError {
			c.SetCookie(session.HostCookie(visitCookie(v.ID), "", h.Secure))
		}
	})
}

// settle makes a row of a carried visit, in the transaction of the first fact that needs one.
// There may be a row already, if the browser kept the cookie.
func (v *visit) settle(ctx context.Context, db pg.DB) error {
	if v.carried == nil || v.settled {
		return nil
	}
	v.settled = true
	return settle(ctx, db, v.Interaction)
}

// finish ends the visit, once, whether it is a row yet or not.
func (v *visit) finish(ctx context.Context, db pg.DB, now time.Time) error {
	if v.carried == nil || v.settled {
		return finish(ctx, db, v.ID, now)
	}
	v.settled = true
	return finishCarried(ctx, db, v.Interaction, now)
}
