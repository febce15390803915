package httpx

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the counters every request moves. Labels are route patterns, methods and statuses:
// never anything a visitor typed.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	series   sync.Map // series → *counted: finding one by its labels costs more than moving it
}

type series struct {
	route, method string
	status        int
}

type counted struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

// NewMetrics registers the counters.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_http_requests_total",
			Help: "Requests answered, by route pattern, method and status."}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "loginunico_http_request_seconds",
			Help: "Time to answer, in seconds, by route pattern.", Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}},
			[]string{"route"}),
	}
	reg.MustRegister(m.requests, m.seconds)
	return m
}

func (m *Metrics) observe(method, route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = "none"
	}
	switch method {
	case "GET", "POST", "HEAD", "OPTIONS":
	default:
		method = "other" // methods are free text: an attacker must not grow the label set
	}
	one := m.of(series{route, method, status})
	one.requests.Inc()
	one.seconds.Observe(took.Seconds())
}

func (m *Metrics) of(s series) *counted {
	if found, ok := m.series.Load(s); ok {
		return found.(*counted)
	}
	one := &counted{m.requests.WithLabelValues(s.route, s.method, strconv.Itoa(s.status)), m.seconds.WithLabelValues(s.route)}
	m.series.Store(s, one)
	return one
}
