package idptest

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/sms"
)

// Countries are those that a city sends texts to; Portugal, say, it does not.
const Countries = "BR,AR,UY,PY,US"

// texts is the city's service; its carrier's link ends with the test.
func (c *City) texts(queue *jobs.Queue, o options) *sms.Service {
	if o.carrier == nil {
		o.carrier = c.Outbox
	}
	if o.numbers == nil {
		o.numbers = must(sms.ParseLimits(""))(c.t)
	}
	s := sms.New(sms.Options{DB: c.DB, Box: c.Box, Queue: queue, Carrier: o.carrier, Countries: must(phone.ParseCountries(Countries))(c.t),
		Limits: o.numbers, Metrics: sms.NewMetrics(c.metrics), Log: logger(), Now: c.Now})
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	c.t.Cleanup(func() { cancel(); running.Wait() })
	return s
}

// Answered is how many codes by text to a country's numbers were typed in right, as the metrics tell it.
func (c *City) Answered(country string) (n float64) {
	c.t.Helper()
	for _, family := range must(c.metrics.Gather())(c.t) {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if family.GetName() == "loginunico_sms_codes_total" && labels["country"] == country && labels["outcome"] == "answered" {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// Text waits for a text to a number in E.164 and returns the newest. No text is returned twice, so
// who asks again waits for the next.
func (c *City) Text(number string) string {
	c.t.Helper()
	used.add(number, strings.TrimPrefix(number, "+"))
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	last, _ := c.read.LoadOrStore(number, uint64(0))
	m, err := c.Outbox.Wait(ctx, number, last.(uint64))
	if err != nil {
		c.t.Fatalf("no text to %s: %v", number, err)
	}
	if newer, ok := c.Outbox.Last(number); ok {
		m = newer
	}
	c.read.Store(number, m.ID)
	return m.Text
}

// TextCode waits for a text as Text does and returns the code of its last line, "@host #code".
func (c *City) TextCode(number string) string {
	c.t.Helper()
	text := c.Text(number)
	_, code, found := strings.Cut(text[strings.LastIndexByte(text, '\n')+1:], " #")
	if !found {
		c.t.Fatalf("no code in %q", text)
	}
	used.add(code)
	return code
}
