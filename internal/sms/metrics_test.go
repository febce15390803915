package sms

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/loginunico/loginunico/internal/phone"
)

func TestMetricsKeepTheirNames(t *testing.T) {
	t.Parallel()

	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	m.asked("BR", "allowed")
	m.asked("", "allowed")
	m.ended("smpp", "BR", Sent)
	m.code("BR", "sent")
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
	want := []string{"loginunico_sms_asked_total country,outcome", "loginunico_sms_carrier_up carrier", "loginunico_sms_codes_total country,outcome",
		"loginunico_sms_messages_total carrier,country,state",
		"loginunico_sms_send_seconds carrier"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q: alarms are built on them", got, want)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("%+v, %v", problems, err)
	}
	var none *Metrics
	none.asked("BR", "allowed")
	none.ended("smpp", "BR", Sent)
	none.code("BR", "sent")
	none.took("smpp", time.Second)
	none.Up("smpp", true)
}

// TestEveryEndIsCountedWithItsCountry follows codes to each end, and a notice that is no code.
func TestEveryEndIsCountedWithItsCountry(t *testing.T) {
	t.Parallel()

	h := newHouse(t, func(n int) (Receipt, error) {
		switch n {
		case 2:
			return Receipt{}, &Fault{ErrRefused, "no"}
		case 3:
			return Receipt{}, &Fault{nil, "perhaps"}
		}
		return Receipt{"c" + strconv.Itoa(n)}, nil
	})
	for n := range 3 {
		if err := h.work(h.ask("code/" + strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
	}
	for key, to := range map[string]phone.Number{"notice": argentina(1), "decoy": ""} {
		id, err := h.request(Request{Key: key, Purpose: "notice", To: to, Text: "Sua senha mudou.", Expires: h.clock.Now().Add(time.Minute)})
		if err != nil || h.work(id) != nil {
			t.Fatal(err)
		}
	}
	h.ask("code/late")
	h.clock.Advance(time.Hour)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Answered(maria)
	h.counted(map[string]float64{"BR sent": 1, "BR failed": 1, "BR sending": 1, "AR sent": 1, "BR expired": 2, "BR code sent": 1, "BR code answered": 1})
}

// TestAlarmsAreBuiltOnMetricsThatExist reads the rules that the documentation gives.
func TestAlarmsAreBuiltOnMetricsThatExist(t *testing.T) {
	t.Parallel()

	reg := prometheus.NewRegistry()
	m := NewMetrics(reg)
	m.asked("BR", "allowed")
	m.ended("smpp", "BR", Sent)
	m.code("BR", "sent")
	m.took("smpp", time.Second)
	m.Up("smpp", true)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/messages.md")
	if err != nil {
		t.Fatal(err)
	}
	told := regexp.MustCompile(`loginunico_sms_[a-z_]+`).FindAllString(string(page), -1)
	for _, f := range families {
		if !slices.Contains(told, f.GetName()) {
			t.Errorf("%s is not told", f.GetName())
		}
		told = slices.DeleteFunc(told, func(name string) bool { return name == f.GetName() })
	}
	if len(told) > 0 {
		t.Errorf("there are no metrics %q", told)
	}
}
