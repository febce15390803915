package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
)

// Refresh is the job that fetches the lists that are due.
type Refresh struct{}

// Kind names the job.
func (Refresh) Kind() string { return "crl_refresh" }

// Changed is the job that follows a list that has changed. Whoever keeps certificates works it.
type Changed struct {
	Point     string `json:"point"`      // hex, for [Service.Revoked]
	IssuerKey string `json:"issuer_key"` // hex of [IssuerKey]
}

// Kind names the job.
func (Changed) Kind() string { return "crl_changed" }

// How often lists are asked for, and how long one exchange may take.
const (
	tick      = 5 * time.Minute
	asOften   = time.Hour // at least; sooner where nextUpdate is near
	holdClaim = 10 * time.Minute
	wholeList = 2 * time.Minute
)

// Schedule makes a queue refresh the lists, among all processes once.
func (s *Service) Schedule(q *jobs.Queue) {
	s.queue = q
	jobs.Add(q, time.Hour, func(ctx context.Context, _ Refresh, _ int) error { return s.Refresh(ctx) })
	q.Every(tick, Refresh{})
}

// Refresh fetches every list that is due, one after the other. A list that cannot be had is tried
// again by itself; the error is of our own side.
func (s *Service) Refresh(ctx context.Context) error {
	if err := s.learnAuthorities(ctx); err != nil {
		return err
	}
	for {
		now := s.now()
		c, err := claimDue(ctx, s.db, now, now.Add(holdClaim))
		if pg.NoRows(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.renew(ctx, c, s.slow); err != nil {
			return err
		}
	}
}

// learnAuthorities notes where the lists are that speak of the authorities themselves.
func (s *Service) learnAuthorities(ctx context.Context) error {
	if s.from == nil {
		return nil
	}
	set := s.from.Authorities()
	for _, ca := range set.All() {
		if err := s.Learn(ctx, set.Path(ca)); err != nil {
			return err
		}
	}
	return nil
}

// renew fetches a claimed list and keeps it, or what was wrong.
func (s *Service) renew(ctx context.Context, c claim, by *http.Client) error {
	ca, err := x509.ParseCertificate(c.Issuer)
	if err != nil {
		return fmt.Errorf("CA of a distribution point: %w", err)
	}
	outcome, err := s.attempt(ctx, c, ca, by)
	s.metrics.fetched(c.CA, outcome)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	slog.WarnContext(ctx, "revocation list", "ca", c.CA, "outcome", outcome, "error", err.Error())
	now := s.now()
	pause := min(time.Minute<<min(c.Failures, 6), asOften)
	return keepFault(ctx, s.db, c.Point, outcome, now, now.Add(pause))
}

// attempt tries the addresses in turn, that of the last success first. The outcome is one word, for
// metrics and the operator; the error of the last address is for the log.
func (s *Service) attempt(ctx context.Context, c claim, ca *x509.Certificate, by *http.Client) (outcome string, err error) {
	err = errors.New("no address")
	for _, u := range firstOf(c.Fetched, c.URLs) {
		var f fetched
		if f, err = s.fetch(ctx, c, u, ca, by); err == nil {
			if outcome, err = s.keep(ctx, c, f); err == nil {
				return outcome, nil
			}
		}
	}
	return outcomeOf(err), err
}

func firstOf(first *string, all []string) []string {
	if first == nil {
		return all
	}
	out := []string{*first}
	for _, u := range all {
		if u != *first {
			out = append(out, u)
		}
	}
	return out
}

var errStatus = errors.New("the server does not give the list")

func outcomeOf(err error) string {
	for _, known := range []struct {
		err  error
		name string
	}{{ErrSignature, "signature"}, {ErrFormat, "format"}, {ErrIssuer, "issuer"}, {ErrScope, "scope"}, {ErrTime, "time"}, {ErrOlder, "older"}} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	return "unreachable"
}

// fetch reads the list at an address through a file, so that its length costs no memory. A list of
// nil is one that has not changed. RFC 5280 §4.2.1.13; RFC 9110 §13
func (s *Service) fetch(ctx context.Context, c claim, address string, ca *x509.Certificate, by *http.Client) (f fetched, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return f, err
	}
	if c.Fetched != nil && *c.Fetched == address {
		condition(r, "If-None-Match", c.ETag)
		condition(r, "If-Modified-Since", c.LastModified)
	}
	res, err := by.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return f, fmt.Errorf("%w: %w", errStatus, err)
	}
	defer res.Body.Close()
	f = fetched{url: address, etag: short(res.Header.Get("ETag")), modified: short(res.Header.Get("Last-Modified"))}
	switch {
	case res.StatusCode == http.StatusNotModified && c.Fetched != nil:
		return f, nil
	case res.StatusCode != http.StatusOK:
		return f, fmt.Errorf("%w: status %d", errStatus, res.StatusCode)
	}
	f.list, err = s.spool(res.Body, ca, c.URLs)
	if err != nil {
		return f, err
	}
	return f, f.list.Current(s.now())
}

func condition(r *http.Request, header string, value *string) {
	if value != nil && *value != "" {
		r.Header.Set(header, *value)
	}
}

// short leaves out what no server has to say.
func short(header string) string {
	if len(header) > 256 {
		return ""
	}
	return header
}

// spool writes a list to a file that has no name, and reads it from there.
func (s *Service) spool(body io.Reader, ca *x509.Certificate, urls []string) (*CRL, error) {
	file, err := os.CreateTemp(s.dir, "fetched-*.part")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return nil, err
	}
	n, err := io.Copy(file, io.LimitReader(body, MostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStatus, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return Read(file, n, ca, urls)
}

// keep writes down what was fetched, and inserts the job that follows a change.
func (s *Service) keep(ctx context.Context, c claim, f fetched) (string, error) {
	now := s.now()
	if f.list == nil {
		return "same", keepSame(ctx, s.db, c.Point, now, now.Add(s.nextTry(c)))
	}
	var compact bytes.Buffer
	compact.Grow(headerSize + f.list.Len()*recordSize)
	if err := f.list.writeTo(&compact, pointID(c.Point)); err != nil {
		return "", err
	}
	sum := sha256.Sum256(compact.Bytes())
	f.sum = sum[:]
	changed := !bytes.Equal(f.sum, s.sumOf(pointID(c.Point)))
	err := pg.InTx(ctx, s.db, func(tx pg.Tx) error {
		ok, err := keepList(ctx, tx, c.Point, f, compact.Bytes(), now, now.Add(untilNext(f.list.NextUpdate, now)))
		if err != nil || !ok {
			return errors.Join(err, ErrOlder)
		}
		if !changed || s.queue == nil {
			return nil
		}
		ca, err := x509.ParseCertificate(c.Issuer)
		if err != nil {
			return err
		}
		key := IssuerKey(ca)
		return s.queue.Insert(ctx, tx, Changed{Point: hex.EncodeToString(c.Point), IssuerKey: hex.EncodeToString(key[:])})
	})
	return "new", err
}

func (s *Service) sumOf(id pointID) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.lists[id]
	if !ok {
		return nil
	}
	return h.sum[:]
}

// untilNext is hourly, so that what is revoked is known that day, and half way to nextUpdate where
// that comes sooner.
func untilNext(next, now time.Time) time.Duration {
	return max(tick, min(asOften, next.Sub(now)/2))
}

func (s *Service) nextTry(c claim) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.lists[pointID(c.Point)]; ok {
		return untilNext(h.NextUpdate, s.now())
	}
	return tick
}
