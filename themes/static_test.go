package themes

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// get asks the static handler for one address.
func get(t *testing.T, r *Renderer, method, url, encoding string) *http.Response {
	t.Helper()
	req := httptest.NewRequest(method, url, nil)
	req.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	r.Static().ServeHTTP(w, req)
	return w.Result()
}

var fetched = regexp.MustCompile(`(?:src|href)="(/estatico/[^"]+)"`)

func TestFirstPageIsLight(t *testing.T) {
	t.Parallel()
	for _, city := range cities {
		r := load(t, city)
		page, err := r.Render(service(), signInSamples()[0].view)
		if err != nil {
			t.Fatal(err)
		}
		addresses := map[string]bool{}
		for _, m := range fetched.FindAllStringSubmatch(string(page), -1) {
			addresses[m[1]] = true
		}
		requests, bytes := 1+len(addresses), len(compress(page))
		for address := range addresses {
			res := get(t, r, http.MethodGet, address, "gzip")
			body, err := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusOK || err != nil {
				t.Errorf("%s: status %d, %v", address, res.StatusCode, err)
			}
			bytes += len(body)
		}
		if len(addresses) < 3 || requests > 6 || bytes > 30<<10 {
			t.Errorf("%s: %d requests, %d bytes; at most 6 and %d", city, requests, bytes, 30<<10)
		}
		t.Logf("%s: %d requests, %d bytes compressed", city, requests, bytes)
	}
}

func TestScriptStaysSmall(t *testing.T) {
	t.Parallel()
	if n := len(load(t, DefaultCity).assets["app.js"].body); n > 1024 {
		t.Errorf("app.js has %d bytes", n)
	}
}

func TestStaticFilesAreKeptForEver(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	for name, mime := range map[string]string{"app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8", "logo.svg": "image/svg+xml"} {
		a := r.assets[name]
		res := get(t, r, http.MethodGet, staticPath+a.name, "br, gzip")
		for header, want := range map[string]string{
			"Content-Type": mime, "Content-Encoding": "gzip", "Cache-Control": "public, max-age=31536000, immutable",
			"Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		} {
			if got := res.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		unzip, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		packed, _ := io.ReadAll(unzip)
		plain, _ := io.ReadAll(get(t, r, http.MethodGet, staticPath+a.name, "gzip;q=0, identity").Body)
		if !bytes.Equal(packed, plain) || !bytes.Equal(plain, a.body) {
			t.Errorf("%s: the packed and the plain body differ", name)
		}
	}
}

func TestStaticRefusesTheRest(t *testing.T) {
	t.Parallel()
	r := load(t, DefaultCity)
	css := staticPath + r.assets["app.css"].name
	for _, c := range []struct {
		method, url string
		status      int
	}{
		{http.MethodGet, staticPath + "app.css", 404},
		{http.MethodGet, staticPath + "../themes.go", 404},
		{http.MethodGet, staticPath, 404},
		{http.MethodPost, css, 405},
		{http.MethodHead, css, 200},
		{http.MethodGet, staticPath + "accent-0b6e4f.css", 200},
		{http.MethodGet, staticPath + "accent-0B6E4F.css", 404},
		{http.MethodGet, staticPath + "accent-ffff00.css", 404},
		{http.MethodGet, staticPath + "accent-0b6e4f}.css", 404},
	} {
		res := get(t, r, c.method, c.url, "")
		if res.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.url, res.StatusCode, c.status)
		}
		if body, _ := io.ReadAll(res.Body); c.method == http.MethodHead && len(body) > 0 {
			t.Errorf("HEAD has a body")
		}
	}
}

func TestAccentIsUsedOnlyWhereItCanBeRead(t *testing.T) {
	t.Parallel()
	for _, city := range cities {
		r := load(t, city)
		for accent, want := range map[string]string{
			"#0b6e4f": staticPath + "accent-0b6e4f.css", "#0B6E4F": staticPath + "accent-0b6e4f.css",
			"": "", "#ffff00": "", "#888888": "", "red": "", `#0b6e4f;}*{x`: "",
		} {
			if got := r.accentURL(Frame{Service: &Service{Accent: accent}}); got != want {
				t.Errorf("%s: %q gives %q, want %q", city, accent, got, want)
			}
		}
		if got := r.accentURL(Frame{Service: &Service{Accent: "#0b6e4f"}, Contrast: true}); got != "" {
			t.Errorf("high contrast keeps the accent %s", got)
		}
	}
	css := string(load(t, DefaultCity).accentAsset("accent-0b6e4f.css").body)
	if css != ":root{--accent:#0b6e4f;--accent-dark:#08523b;--accent-ink:#ffffff}\n" {
		t.Errorf("stylesheet %s", css)
	}
}

func TestNamesFollowContent(t *testing.T) {
	t.Parallel()
	one, other := load(t, cities[0]), load(t, cities[1])
	if one.assets["app.css"].name == other.assets["app.css"].name {
		t.Error("two cities share a stylesheet name")
	}
	if one.assets["app.js"].name != other.assets["app.js"].name {
		t.Error("the same script has two names")
	}
	if strings.Contains(string(one.assets["app.css"].body), "/*") {
		t.Error("comments are sent to browsers")
	}
}
