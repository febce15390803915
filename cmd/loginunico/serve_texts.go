package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/sms"
)

// carriers take letters and texts to people.
type carriers struct {
	mail  mail.Sender
	texts openCarrier // nil: the city sends no texts
}

// openCarrier makes the carrier of texts, which counts what it does.
type openCarrier func(*sms.Metrics) (sms.Carrier, error)

// ownCarrier is the one that the city's settings name; nil where they name none.
func (s *stack) ownCarrier() openCarrier {
	if s.cfg.SMS.URL == "" {
		return nil
	}
	return func(m *sms.Metrics) (sms.Carrier, error) { return s.cfg.SMS.Open(m, s.log) }
}

// openTexts makes the service that sends texts and adds its jobs to the queue, which is not open yet.
func (s *stack) openTexts(queue *jobs.Queue, open openCarrier, reg prometheus.Registerer) error {
	if open == nil {
		return nil
	}
	metrics := sms.NewMetrics(reg)
	carrier, err := open(metrics)
	if err != nil {
		return err
	}
	s.texts = sms.New(sms.Options{DB: s.db, Box: s.box, Queue: queue, Carrier: carrier, Countries: s.cfg.TextCountries,
		Limits: s.cfg.TextLimits, Metrics: metrics, Log: s.log, Now: time.Now})
	return nil
}

// keepLink holds the carrier's link, where it has one, until release is called.
func (s *stack) keepLink(ctx context.Context) (release func()) {
	if s.texts == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { s.texts.Run(ctx) })
	return func() { cancel(); running.Wait() }
}
