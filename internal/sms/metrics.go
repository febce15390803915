package sms

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are for alarms: how fast texts are asked for and where to, what becomes of them, and
// whether the carrier is there. Their names and labels are stable; nothing personal is in them. A nil
// *Metrics counts nothing.
type Metrics struct {
	askedTotal *prometheus.CounterVec
	messages   *prometheus.CounterVec
	codes      *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	boundGauge *prometheus.GaugeVec
}

// NewMetrics registers the counters.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		askedTotal: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_sms_asked_total",
			Help: "Texts asked for, by country (ISO 3166-1, none for a decoy) and outcome: allowed, not_served, or the cap that was reached."},
			[]string{"country", "outcome"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_sms_messages_total",
			Help: "Texts by carrier, country and the state they came to; sending is in doubt, queued is to be tried again."},
			[]string{"carrier", "country", "state"}),
		codes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_sms_codes_total",
			Help: "Texts with a code by country and outcome: sent, when the carrier took it, and answered, when the code was typed in right."},
			[]string{"country", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "loginunico_sms_send_seconds",
			Help: "Time for the carrier to answer one text, in seconds.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"carrier"}),
		boundGauge: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "loginunico_sms_carrier_up",
			Help: "1 while this process is bound to the carrier's SMPP server, else 0."}, []string{"carrier"}),
	}
	reg.MustRegister(m.askedTotal, m.messages, m.codes, m.seconds, m.boundGauge)
	return m
}

func (m *Metrics) asked(country, outcome string) {
	if m != nil {
		m.askedTotal.WithLabelValues(cmp.Or(country, "none"), outcome).Inc()
	}
}

// ended counts a state that a message came to; "" is none.
func (m *Metrics) ended(carrier, country string, state State) {
	if m != nil && state != "" {
		m.messages.WithLabelValues(carrier, cmp.Or(country, "none"), string(state)).Inc()
	}
}

func (m *Metrics) code(country, outcome string) {
	if m != nil {
		m.codes.WithLabelValues(cmp.Or(country, "none"), outcome).Inc()
	}
}

func (m *Metrics) took(carrier string, d time.Duration) {
	if m != nil {
		m.seconds.WithLabelValues(carrier).Observe(d.Seconds())
	}
}

// Up notes whether a carrier's link stands.
func (m *Metrics) Up(carrier string, up bool) {
	if m == nil {
		return
	}
	value := 0.0
	if up {
		value = 1
	}
	m.boundGauge.WithLabelValues(carrier).Set(value)
}
