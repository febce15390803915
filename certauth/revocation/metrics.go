package revocation

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are for alarms: how old each list is, what came of fetching it, and how often nobody could
// say. Labels name CAs and never a citizen. A nil *Metrics counts nothing.
type Metrics struct {
	fetches  *prometheus.CounterVec
	checks   *prometheus.CounterVec
	ocsp     *prometheus.CounterVec
	age      *prometheus.Desc
	left     *prometheus.Desc
	entries  *prometheus.Desc
	failures *prometheus.Desc
	of       *Service
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	labels := []string{"ca", "point"}
	m := &Metrics{
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_crl_fetches_total",
			Help: "Revocation lists asked for, by CA and outcome: new, same, or why not: unreachable, signature, format, issuer, scope, time, older."},
			[]string{"ca", "outcome"}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_revocation_checks_total",
			Help: "Certificates asked about, by who answered (crl, stale, staple, ocsp, none) and outcome: good, revoked, unknown."},
			[]string{"by", "outcome"}),
		ocsp: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loginunico_ocsp_answers_total",
			Help: "Answers of OCSP by outcome: good, revoked, unknown, or why not: unreachable, refused."}, []string{"outcome"}),
		age:      prometheus.NewDesc("loginunico_crl_age_seconds", "Time since the list was issued, in seconds.", labels, nil),
		left:     prometheus.NewDesc("loginunico_crl_left_seconds", "Time until the CA's next list is due, in seconds; below 0 the list is past its time.", labels, nil),
		entries:  prometheus.NewDesc("loginunico_crl_entries", "Certificates that the list names.", labels, nil),
		failures: prometheus.NewDesc("loginunico_crl_failures", "Tries that failed since the last that did not; no list at all has no age.", labels, nil),
	}
	reg.MustRegister(m.fetches, m.checks, m.ocsp, m)
	return m
}

func (m *Metrics) watch(s *Service) {
	if m != nil {
		m.of = s
	}
}

// Describe is of [prometheus.Collector].
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.age, m.left, m.entries, m.failures} {
		out <- d
	}
}

// Collect is of [prometheus.Collector].
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	if m.of == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	all, err := statuses(ctx, m.of.db)
	if err != nil {
		return // the database's own alarms tell
	}
	now := m.of.now()
	for _, st := range all {
		tell := func(d *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, st.CA, pointID(st.Point).String()[:12])
		}
		tell(m.failures, float64(st.Failures))
		if st.Sum == nil {
			continue
		}
		tell(m.age, now.Sub(*st.ThisUpdate).Seconds())
		tell(m.left, st.NextUpdate.Sub(now).Seconds())
		tell(m.entries, float64(*st.Entries))
	}
}

func (m *Metrics) fetched(ca, outcome string) {
	if m != nil {
		m.fetches.WithLabelValues(ca, outcome).Inc()
	}
}

func (m *Metrics) checked(a answer) {
	if m != nil {
		m.checks.WithLabelValues(a.by, string(a.status)).Inc()
	}
}

func (m *Metrics) answered(outcome string) {
	if m != nil {
		m.ocsp.WithLabelValues(outcome).Inc()
	}
}
