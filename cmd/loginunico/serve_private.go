package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/loginunico/loginunico/registry/load"
)

// shownLoads is how many loads the page lists.
const shownLoads = 100

// privateHandler answers on LOGINUNICO_METRICS_LISTEN, for those who run the city: metrics, and what
// became of the registry's loads. Numbers only; nothing of anybody is said there.
func (s *stack) privateHandler(reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /loads", s.getLoads)
	mux.HandleFunc("GET /loads/{id}", s.getLoad)
	return mux
}

func (s *stack) getLoads(w http.ResponseWriter, req *http.Request) {
	loads, err := load.Loads(req.Context(), s.db, shownLoads)
	s.sendPage(w, req, err, func(w io.Writer) error { return load.WriteList(w, loads) })
}

func (s *stack) getLoad(w http.ResponseWriter, req *http.Request) {
	r, err := reportOf(req.Context(), s.db, req.PathValue("id"))
	s.sendPage(w, req, err, r.WritePage)
}

// sendPage sends a page whole or not at all.
func (s *stack) sendPage(w http.ResponseWriter, req *http.Request, err error, write func(io.Writer) error) {
	var page bytes.Buffer
	if err == nil {
		err = write(&page)
	}
	switch {
	case errors.Is(err, errNoReport):
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	case err != nil:
		s.log.ErrorContext(req.Context(), "loads", "error", err.Error())
		http.Error(w, "the registry's loads cannot be read now; the log says why", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = page.WriteTo(w) // whoever went away is told nothing
}
