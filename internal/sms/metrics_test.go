package sms

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsKeepTheirNames(t *testing.T) {
	t.Parallel()

	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	m.asked("BR", "allowed")
	m.asked("", "allowed")
	m.ended("smpp", Sent)
	m.expired("smpp", 2)
	m.took("smpp", time.Second)
	m.Up("smpp", true)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range families {
		labels := []string{}
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		got = append(got, f.GetName()+" "+strings.Join(labels, ","))
	}
	want := []string{"loginunico_sms_asked_total country,outcome", "loginunico_sms_carrier_up carrier", "loginunico_sms_messages_total carrier,state",
		"loginunico_sms_send_seconds carrier"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q: alarms are built on them", got, want)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("%+v, %v", problems, err)
	}
	var none *Metrics
	none.asked("BR", "allowed")
	none.ended("smpp", Sent)
	none.expired("smpp", 1)
	none.took("smpp", time.Second)
	none.Up("smpp", true)
}
