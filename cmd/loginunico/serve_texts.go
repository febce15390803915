package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/themes"
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
func (s *stack) openTexts(queue *jobs.Queue, look *themes.Renderer, open openCarrier, reg prometheus.Registerer) error {
	if open == nil {
		return nil
	}
	if err := checkTexts(look, s.cfg.Issuer); err != nil {
		return err
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

// checkTexts names every text that is longer than one can be, with this city's words and name and the
// links of its issuer: it would be refused when somebody waits for it.
func checkTexts(look *themes.Renderer, issuer string) error {
	u, err := url.Parse(issuer)
	faults := []error{err}
	for _, lang := range themes.Languages {
		for _, id := range look.IDs("sms.") {
			words, err := look.Message(lang, id, map[string]any{"Code": sampleCode, "Minutes": 10, "Link": issuer + longestPath(id)})
			if strings.Contains(words, sampleCode) {
				words = sms.WithCode(words, u.Hostname(), sampleCode)
			}
			if n, most := sms.Length(sms.Fold(words)); n > most {
				err = fmt.Errorf("%s in %s has %d of %d characters with this city's name and issuer: reword it in the theme's strings.%s.json", id, lang, n, most, lang)
			}
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// sampleCode is a code as long as any; no word or link has so many digits.
const sampleCode = "123456789012"

// longestPath is where a text's link leads, with its token.
func longestPath(id string) string {
	if id == "sms.displaced" {
		return "/privacidade" // there is nothing to deny
	}
	return "/n/" + secret.ShortToken()
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
