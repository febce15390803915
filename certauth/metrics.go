package certauth

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are for alarms: whether the authorities are there and fresh, and why people with a
// certificate do not get in. Nothing personal is in them. A nil *Metrics counts nothing.
type Metrics struct {
	set     prometheus.Gauge
	updates *prometheus.CounterVec
	shown   *prometheus.CounterVec
	broken  *prometheus.CounterVec
}

// NewMetrics registers the counters.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		set: prometheus.NewGauge(prometheus.GaugeOpts{Name: "loginunico_icp_authorities",
			Help: "Authorities of ICP-Brasil that this process knows."}),
		updates: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_icp_updates_total",
			Help: "Updates of the authorities by outcome: published, same, shrinks (refused), no_root (refused), failed."}, []string{"outcome"}),
		shown: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_certificates_shown_total",
			Help: "Browsers that came to show a certificate, by outcome: accepted, or the reason why not."}, []string{"outcome"}),
		broken: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_certificate_handshakes_failed_total",
			Help: "TLS handshakes with the certificate host that failed, by cause: certificate (cannot be read), other."}, []string{"cause"}),
	}
	reg.MustRegister(m.set, m.updates, m.shown, m.broken)
	return m
}

func (m *Metrics) authorities(n int) {
	if m != nil {
		m.set.Set(float64(n))
	}
}

func (m *Metrics) update(err error) {
	if m == nil {
		return
	}
	outcome := "failed"
	switch {
	case err == nil:
		outcome = "published"
	case errors.Is(err, errSame):
		outcome = "same"
	case errors.Is(err, ErrShrinks):
		outcome = "shrinks"
	case errors.Is(err, ErrNoRoot):
		outcome = "no_root"
	}
	m.updates.WithLabelValues(outcome).Inc()
}

func (m *Metrics) show(err error) {
	if m == nil {
		return
	}
	outcome := "accepted"
	if err != nil {
		outcome = "failed"
	}
	if reason, ok := ReasonOf(err); ok {
		outcome = string(reason)
	}
	m.shown.WithLabelValues(outcome).Inc()
}

func (m *Metrics) handshakeFailed(cause string) {
	if m != nil {
		m.broken.WithLabelValues(cause).Inc()
	}
}
