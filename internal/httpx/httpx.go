// Package httpx is the HTTP shell around every page and endpoint: request ids, panics, the access
// log, metrics, security headers, cross-site protection and the one place that turns an error
// into an answer. What a page looks like is injected; what an endpoint says is its own.
package httpx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/internal/fail"
)

// Options shape the shell.
type Options struct {
	Log            *slog.Logger
	Secure         bool           // the issuer is https: send HSTS
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; empty: nobody's
	MaxBody        int64          // bytes of a request body; more is 413
	// CrossSite lists paths that take POSTs from other origins by their nature: protocol
	// endpoints, which do not act on cookies alone.
	CrossSite []string
	// Failure renders the error page: code is the message id, status the HTTP status.
	Failure func(c echo.Context, status int, code string, args map[string]any) error
	Metrics *Metrics
}

const keyReference = "reference"

// Reference is the request's id, shown on error pages and written in the log.
func Reference(c echo.Context) string {
	id, _ := c.Get(keyReference).(string)
	return id
}

// New makes an echo with the shell on.
func New(o Options) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientIP(o.TrustedProxies)
	e.HTTPErrorHandler = func(err error, c echo.Context) { o.answer(err, c) }
	crossSite := http.NewCrossOriginProtection()
	for _, path := range o.CrossSite {
		crossSite.AddInsecureBypassPattern(path)
	}
	e.Use(o.shell, o.crossSite(crossSite))
	return e
}

// shell is one middleware instead of six, because each costs on every request.
func (o Options) shell(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		start := time.Now()
		r := c.Request()
		id := reference()
		c.Set(keyReference, id)
		header := c.Response().Header()
		header.Set("X-Request-Id", id)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		if o.Secure {
			header.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(c.Response(), r.Body, o.MaxBody)
		}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				o.Log.ErrorContext(r.Context(), "panic", "reference", id, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				err = fail.New(fail.Internal, "internal")
			}
			if err != nil {
				o.answer(err, c)
			}
			o.observe(c, id, start, err)
			err = nil
		}()
		return next(c)
	}
}

// reference is a new request id: 48 random bits in hex.
func reference() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // crypto/rand never returns an error
	return hex.EncodeToString(b[:])
}

// observe writes the access log and metrics: the route's pattern, never the URL, which may carry
// codes and personal data.
func (o Options) observe(c echo.Context, id string, start time.Time, err error) {
	took, status, route := time.Since(start), c.Response().Status, c.Path()
	o.Metrics.observe(c.Request().Method, route, status, took)
	level := slog.LevelDebug
	if status >= 500 {
		level = slog.LevelError
	} else if err != nil {
		level = slog.LevelInfo
	}
	ctx := c.Request().Context()
	if !o.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("reference", id), slog.String("method", c.Request().Method), slog.String("route", route),
		slog.Int("status", status), slog.Duration("took", took)}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	o.Log.LogAttrs(ctx, level, "request", attrs...)
}

func (o Options) crossSite(p *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := p.Check(c.Request()); err != nil {
				return fail.New(fail.Forbidden, "forbidden")
			}
			return next(c)
		}
	}
}

// answer turns an error into the page of its code. Nothing is answered twice.
func (o Options) answer(err error, c echo.Context) {
	if c.Response().Committed || errors.Is(err, context.Canceled) {
		return
	}
	status, code, args := classify(err)
	if c.Request().Method == http.MethodHead {
		_ = c.NoContent(status)
		return
	}
	if pageErr := o.Failure(c, status, code, args); pageErr != nil {
		o.Log.ErrorContext(c.Request().Context(), "error page", "reference", Reference(c), "error", pageErr.Error())
		_ = c.String(http.StatusInternalServerError, "Internal error. Reference: "+Reference(c))
	}
}

var statuses = map[fail.Kind]int{
	fail.Internal: http.StatusInternalServerError, fail.Invalid: http.StatusBadRequest, fail.Unauthenticated: http.StatusUnauthorized,
	fail.Forbidden: http.StatusForbidden, fail.NotFound: http.StatusNotFound, fail.Conflict: http.StatusConflict,
	fail.Throttled: http.StatusTooManyRequests, fail.Expired: http.StatusGone, fail.TooLarge: http.StatusRequestEntityTooLarge,
}

func classify(err error) (status int, code string, args map[string]any) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, "too_large", nil
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		switch he.Code {
		case http.StatusNotFound:
			return he.Code, "not_found", nil
		case http.StatusMethodNotAllowed:
			return he.Code, "method", nil
		}
		if he.Code < 500 {
			return he.Code, "request", nil
		}
	}
	return statuses[fail.KindOf(err)], fail.CodeOf(err), fail.ArgsOf(err)
}

// clientIP believes X-Forwarded-For only from the proxies the operator named: the rightmost
// address that is not one of them.
func clientIP(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	opts := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range trusted {
		bits := p.Addr().BitLen()
		opts = append(opts, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), bits)}))
	}
	return echo.ExtractIPFromXFFHeader(opts...)
}

// ParamUUID reads a UUID from the query or form. Error: not_found, because an id that does not
// parse names nothing.
func ParamUUID(c echo.Context, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(c.QueryParam(name))
	if err != nil {
		return id, fail.New(fail.NotFound, "not_found")
	}
	return id, nil
}

// NoStore keeps an answer out of every cache.
func NoStore(c echo.Context) {
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Pragma", "no-cache")
}
