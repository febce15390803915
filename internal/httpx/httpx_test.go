package httpx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/httpx"
)

// shell serves a few routes and keeps the log.
type shell struct {
	*echo.Echo
	log bytes.Buffer
}

func newShell(change ...func(*httpx.Options)) *shell {
	s := &shell{}
	o := httpx.Options{Log: slog.New(slog.NewJSONHandler(&s.log, nil)), MaxBody: 64, CrossSite: []string{"/token"},
		Failure: func(c echo.Context, status int, code string, args map[string]any) error {
			return c.HTML(status, fmt.Sprintf("<h1>%s</h1>%v<p>%s</p>", code, args, httpx.Reference(c)))
		}}
	for _, f := range change {
		f(&o)
	}
	s.Echo = httpx.New(o)
	s.GET("/panic", func(echo.Context) error { panic("529.982.247-25 is in here") })
	s.GET("/abort", func(echo.Context) error { panic(http.ErrAbortHandler) })
	s.GET("/late", func(c echo.Context) error { _ = c.String(http.StatusOK, "said"); return errors.New("too late") })
	s.GET("/secret", func(echo.Context) error { return errors.New("relation person does not exist") })
	s.GET("/fail/:kind", func(c echo.Context) error {
		kinds := map[string]fail.Kind{"invalid": fail.Invalid, "unauthenticated": fail.Unauthenticated, "forbidden": fail.Forbidden,
			"not_found": fail.NotFound, "conflict": fail.Conflict, "throttled": fail.Throttled, "expired": fail.Expired, "too_large": fail.TooLarge}
		return fmt.Errorf("around: %w", fail.New(kinds[c.Param("kind")], "my_code").With(map[string]any{"N": 7}))
	})
	s.GET("/ip", func(c echo.Context) error { return c.String(http.StatusOK, c.RealIP()) })
	read := func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, string(body))
	}
	s.POST("/page", read)
	s.POST("/token", read)
	s.Any("/any/:id", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	return s
}

func (s *shell) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestAPanicBecomesAPageWithAReference(t *testing.T) {
	t.Parallel()

	s := newShell()
	w := s.do(http.MethodGet, "/panic?cpf=52998224725", "")
	reference := w.Header().Get("X-Request-Id")
	if w.Code != http.StatusInternalServerError || len(reference) != 12 || !strings.Contains(w.Body.String(), reference) || !strings.Contains(w.Body.String(), "<h1>internal</h1>") {
		t.Errorf("%d %s %s", w.Code, reference, w.Body)
	}
	log := s.log.String()
	if !strings.Contains(log, reference) || !strings.Contains(log, "httpx_test.go") {
		t.Errorf("the log does not lead to the fault: %s", log)
	}
	if strings.Contains(log, "529.982.247-25") || strings.Contains(log, "52998224725") {
		t.Errorf("the log holds personal data: %s", log)
	}
	if w := s.do(http.MethodGet, "/ip", ""); w.Code != http.StatusOK {
		t.Errorf("after a panic: %d", w.Code)
	}
}

func TestAnAbortedAnswerStaysAborted(t *testing.T) {
	t.Parallel()

	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("recovered %v", p)
		}
	}()
	newShell().do(http.MethodGet, "/abort", "")
	t.Error("net/http was not told")
}

func TestEveryErrorHasItsStatusAndCode(t *testing.T) {
	t.Parallel()

	s := newShell()
	for path, want := range map[string]struct {
		status int
		code   string
	}{
		"/fail/invalid": {400, "my_code"}, "/fail/unauthenticated": {401, "my_code"}, "/fail/forbidden": {403, "my_code"},
		"/fail/not_found": {404, "my_code"}, "/fail/conflict": {409, "my_code"}, "/fail/expired": {410, "my_code"},
		"/fail/too_large": {413, "my_code"}, "/fail/throttled": {429, "my_code"},
		"/secret": {500, "internal"}, "/nowhere": {404, "not_found"}, "/page": {405, "method"},
	} {
		w := s.do(http.MethodGet, path, "")
		if w.Code != want.status || !strings.Contains(w.Body.String(), "<h1>"+want.code+"</h1>") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "relation person") {
			t.Error("the cause is on the page")
		}
	}
	if !strings.Contains(s.log.String(), "relation person does not exist") {
		t.Error("the cause is not in the log")
	}
	if w := s.do(http.MethodGet, "/late", ""); w.Code != http.StatusOK || w.Body.String() != "said" {
		t.Errorf("an answer begun was answered again: %d %s", w.Code, w.Body)
	}
}

func TestAPageThatCannotBeShownStillGivesTheReference(t *testing.T) {
	t.Parallel()

	s := newShell(func(o *httpx.Options) {
		o.Failure = func(echo.Context, int, string, map[string]any) error { return errors.New("no template") }
	})
	w := s.do(http.MethodGet, "/secret", "")
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestCrossSitePostsAreRefusedWhereCookiesAct(t *testing.T) {
	t.Parallel()

	s := newShell()
	for name, tc := range map[string]struct {
		path   string
		header []string
		want   int
	}{
		"a form of ours":                   {"/page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"}, 200},
		"an old browser's form of ours":    {"/page", []string{"Origin", "http://example.com"}, 200},
		"a form of another site":           {"/page", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		"a form of a sibling host":         {"/page", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://other.example.com"}, 403},
		"an old browser's form of another": {"/page", []string{"Origin", "https://evil.example"}, 403},
		"an opaque origin":                 {"/page", []string{"Origin", "null"}, 403},
		"the token endpoint":               {"/token", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://spa.example"}, 200},
		"a server, which has no cookies":   {"/page", nil, 200},
	} {
		if w := s.do(http.MethodPost, tc.path, "x", tc.header...); w.Code != tc.want {
			t.Errorf("%s: %d, want %d", name, w.Code, tc.want)
		}
	}
}

func TestABodyThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()

	s := newShell()
	if w := s.do(http.MethodPost, "/page", strings.Repeat("x", 64)); w.Code != http.StatusOK {
		t.Errorf("64 bytes: %d", w.Code)
	}
	if w := s.do(http.MethodPost, "/page", strings.Repeat("x", 65)); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "too_large") {
		t.Errorf("65 bytes: %d %s", w.Code, w.Body)
	}
}

func TestForwardedAddressesCountFromTrustedProxiesAlone(t *testing.T) {
	t.Parallel()

	trusted := func(prefixes ...string) func(*httpx.Options) {
		return func(o *httpx.Options) {
			for _, p := range prefixes {
				o.TrustedProxies = append(o.TrustedProxies, netip.MustParsePrefix(p))
			}
		}
	}
	for _, tc := range []struct {
		name    string
		trusted func(*httpx.Options)
		forward string
		want    string
	}{
		{"nobody is trusted", trusted(), "203.0.113.9", "192.0.2.1"},
		{"somebody else is", trusted("10.0.0.0/8"), "203.0.113.9", "192.0.2.1"},
		{"private networks are not by themselves", trusted("192.0.2.0/24"), "203.0.113.9, 10.1.1.1", "10.1.1.1"},
		{"our proxy", trusted("192.0.2.0/24"), "203.0.113.9", "203.0.113.9"},
		{"what the visitor wrote before it", trusted("192.0.2.0/24"), "1.1.1.1, 203.0.113.9", "203.0.113.9"},
		{"two proxies of ours", trusted("192.0.2.0/24", "198.51.100.0/24"), "1.1.1.1, 203.0.113.9, 198.51.100.7", "203.0.113.9"},
		{"rubbish", trusted("192.0.2.0/24"), "rubbish", "192.0.2.1"},
	} {
		if w := newShell(tc.trusted).do(http.MethodGet, "/ip", "", "X-Forwarded-For", tc.forward); w.Body.String() != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, w.Body, tc.want)
		}
	}
}

func TestMetricsCarryPatternsNeverValues(t *testing.T) {
	t.Parallel()

	reg := prometheus.NewRegistry()
	s := newShell(func(o *httpx.Options) { o.Metrics = httpx.NewMetrics(reg) })
	s.do(http.MethodGet, "/any/52998224725?cpf=52998224725", "")
	s.do(http.MethodGet, "/nowhere/52998224725", "")
	for n := range 50 {
		s.do(fmt.Sprintf("VERB%d", n), "/any/1", "")
	}
	s.do(http.MethodGet, "/panic", "")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprint(families)
	for _, want := range []string{`"/any/:id"`, `"none"`, `"other"`, `"500"`, `"404"`, "loginunico_http_request_seconds"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not in %s", want, all)
		}
	}
	if strings.Contains(all, "52998224725") || strings.Contains(all, "VERB") {
		t.Errorf("labels hold what a visitor typed: %s", all)
	}
}

func TestEveryAnswerCarriesItsSecurityHeaders(t *testing.T) {
	t.Parallel()

	for secure, hsts := range map[bool]string{true: "max-age=31536000; includeSubDomains", false: ""} {
		h := newShell(func(o *httpx.Options) { o.Secure = secure }).do(http.MethodGet, "/nowhere", "").Header()
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" || h.Get("Strict-Transport-Security") != hsts {
			t.Errorf("%v", h)
		}
	}
}
