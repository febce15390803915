package outbox

import (
	"embed"
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"time"
)

//go:embed pages.html outbox.css
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"pieces": pieces,
	"when":   func(t time.Time) string { return t.Local().Format("02/01/2006 15:04:05") },
}).ParseFS(files, "pages.html"))

// Handler is the viewer. It answers only requests that come from, and are addressed to, this
// machine; the latter so that no foreign web page can read along through a name it controls.
func (o *Outbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", o.list)
	mux.HandleFunc("GET /messages/{id}", o.show)
	mux.HandleFunc("GET /api/messages", o.api)
	mux.HandleFunc("POST /clear", o.clear)
	mux.HandleFunc("GET /outbox.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "outbox.css")
	})
	return loopbackOnly(http.NewCrossOriginProtection().Handler(mux))
}

func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackPeer(r.RemoteAddr) || !loopbackHost(r.Host) {
			http.Error(w, "the outbox is for this machine alone", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func loopbackPeer(addr string) bool {
	peer, err := netip.ParseAddrPort(addr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport // without port
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func (o *Outbox) list(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	render(w, http.StatusOK, "list", map[string]any{"To": to, "Messages": o.Messages(to)})
}

func (o *Outbox) show(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	m, found := o.byID(id)
	if err != nil || !found {
		render(w, http.StatusNotFound, "gone", nil)
		return
	}
	render(w, http.StatusOK, "message", m)
}

func (o *Outbox) api(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"messages": o.Messages(r.URL.Query().Get("to"))})
}

func (o *Outbox) clear(w http.ResponseWriter, r *http.Request) {
	o.Clear()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func render(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, page, data) // a reader who left is no error
}

// piece is a run of text, or a link.
type piece struct {
	Text string
	Link bool
}

var link = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)]`)

// pieces cuts a text at its links, so that the page can make them clickable.
func pieces(text string) []piece {
	var cut []piece
	for {
		at := link.FindStringIndex(text)
		if at == nil {
			return append(cut, piece{Text: text})
		}
		cut = append(cut, piece{Text: text[:at[0]]}, piece{Text: text[at[0]:at[1]], Link: true})
		text = text[at[1]:]
	}
}
