package themes

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// staticPath is where Static is served. Names under it hold a hash of the content, so that a
// browser may keep them for ever.
const staticPath = "/estatico/"

// asset is one file ready to send.
type asset struct {
	name     string // served name: "app.0123456789ab.css"
	mime     string
	body, gz []byte
}

// newAsset compresses at the highest level, once. name is plain: "app.css".
func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	return &asset{
		name: strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
		mime: mime.TypeByExtension(ext),
		body: body,
		gz:   compress(body),
	}
}

func compress(body []byte) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // the level exists
	w.Write(body)                                           // a buffer takes everything
	w.Close()
	return buf.Bytes()
}

// readAssets prepares the stylesheet (base, city, high contrast, in that order), the script, the logo.
func (r *Renderer) readAssets(files fs.FS) error {
	logo, err := fs.ReadFile(files, "logo.svg")
	if err == nil {
		err = checkSVG(logo)
	}
	style, errStyle := base.ReadFile("static/app.css")
	contrast, errContrast := base.ReadFile("static/contrast.css")
	script, errScript := base.ReadFile("static/app.js")
	passkey, errPasskey := base.ReadFile("static/passkey.js")
	codes, errCodes := base.ReadFile("static/codes.js")
	css := append([]byte(r.tokens.css()), append(style, contrast...)...)
	css = comment.ReplaceAll(css, nil)
	r.assets, r.hashed = map[string]*asset{}, map[string]*asset{}
	for name, body := range map[string][]byte{"app.css": css, "app.js": script, "passkey.js": passkey, "codes.js": codes, "logo.svg": logo} {
		a := newAsset(name, body)
		r.assets[name], r.hashed[a.name] = a, a
	}
	return errors.Join(err, errStyle, errContrast, errScript, errPasskey, errCodes)
}

// checkSVG refuses what a picture has no need of: scripts, handlers, foreign content, links out.
func checkSVG(svg []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("logo.svg: %w", err)
		}
		if e, ok := token.(xml.StartElement); ok && !plainSVG(e) {
			line, _ := dec.InputPos()
			return fmt.Errorf("logo.svg:%d: <%s> or one of its attributes is not allowed", line, e.Name.Local)
		}
	}
}

func plainSVG(e xml.StartElement) bool {
	switch strings.ToLower(e.Name.Local) {
	case "script", "foreignobject", "style", "image", "use", "a", "animate", "set", "handler":
		return false
	}
	for _, a := range e.Attr {
		name := strings.ToLower(a.Name.Local)
		if strings.HasPrefix(name, "on") || name == "href" || name == "style" {
			return false
		}
	}
	return true
}

// url gives the address of an asset.
func (r *Renderer) url(name string) (string, error) {
	a, ok := r.assets[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return staticPath + a.name, nil
}

var accentName = regexp.MustCompile(`^accent-([0-9a-f]{6})\.css$`)

// accentURL gives the stylesheet of the service's colour; "" when it has none, when the colour
// cannot be read on this city's pages, or when the citizen chose high contrast.
func (r *Renderer) accentURL(f Frame) string {
	if f.Service == nil || f.Contrast {
		return ""
	}
	accent := strings.ToLower(f.Service.Accent)
	if !r.readable(accent) {
		return ""
	}
	return staticPath + "accent-" + accent[1:] + ".css"
}

// readable tells whether #rrggbb can be text on every surface, and white text can lie on it
// (WCAG 2.2 §1.4.3).
func (r *Renderer) readable(accent string) bool {
	for _, surface := range []string{"#ffffff", r.tokens["--paper"], r.tokens["--ground"], r.tokens["--tint"]} {
		if ratio(accent, surface) < 4.5 {
			return false
		}
	}
	return true
}

// accentAsset gives the stylesheet named accent-rrggbb.css; nil when the colour is refused.
func (r *Renderer) accentAsset(name string) *asset {
	m := accentName.FindStringSubmatch(name)
	if m == nil || !r.readable("#"+m[1]) {
		return nil
	}
	accent := "#" + m[1]
	css := fmt.Sprintf(":root{--accent:%s;--accent-dark:%s;--accent-ink:#ffffff}\n", accent, darker(accent))
	return &asset{name: name, mime: "text/css; charset=utf-8", body: []byte(css)}
}

// Static serves /estatico/: stylesheet, script, logo, accent colours. Mount it at that path, prefix
// kept. Answers are the same for everybody, and a picture opened by itself runs nothing.
func (r *Renderer) Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name := strings.TrimPrefix(req.URL.Path, staticPath)
		a, age := r.hashed[name], "public, max-age=31536000, immutable"
		if a == nil {
			a, age = r.accentAsset(name), "public, max-age=86400" // its name does not follow its content
		}
		switch {
		case a == nil:
			http.NotFound(w, req)
		case req.Method != http.MethodGet && req.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		default:
			a.send(w, req, age)
		}
	})
}

func (a *asset) send(w http.ResponseWriter, req *http.Request, age string) {
	h, body := w.Header(), a.body
	h.Set("Content-Type", a.mime)
	h.Set("Cache-Control", age)
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if a.gz != nil && acceptsGzip(req.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = a.gz
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if req.Method == http.MethodGet {
		w.Write(body)
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3); a weight of zero is a refusal.
func acceptsGzip(header string) bool {
	for _, part := range strings.Split(header, ",") {
		coding, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if !strings.EqualFold(coding, "gzip") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.ToLower(weight), "q="), 64)
		return weight == "" || (err == nil && q > 0)
	}
	return false
}
