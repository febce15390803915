package certauth

import (
	"bytes"
	"context"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/loginunico/loginunico/internal/jobs"
)

// Bundle is where new authorities come from.
type Bundle struct {
	URL string // https; "" is nowhere
	// HashURL is a text that begins with, or holds, the SHA-512 of the bundle in hexadecimal; with it an
	// unchanged bundle is not fetched again. "" fetches every time.
	HashURL string
	// CAFile holds certificates, PEM, that the server's may chain to besides the system's: ITI's does not
	// send its intermediate. What is fetched is judged by the pins, whoever sent it.
	CAFile string
}

// Check says what is wrong with the settings.
func (b Bundle) Check() error {
	for _, text := range []string{b.URL, b.HashURL} {
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return fmt.Errorf("%q is not an https address", text)
		}
	}
	if b.URL == "" && b.HashURL != "" {
		return errors.New("the address of a hash, and none of a bundle")
	}
	_, err := b.roots()
	return err
}

func (b Bundle) roots() (*x509.CertPool, error) {
	if b.CAFile == "" {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	body, err := os.ReadFile(b.CAFile)
	if err == nil && !pool.AppendCertsFromPEM(body) {
		err = fmt.Errorf("%s holds no certificate", b.CAFile)
	}
	return pool, err
}

// errSame: the bundle is the one that is published.
var errSame = errors.New("certauth: the bundle has not changed")

const (
	fetchTimeout = 2 * time.Minute
	mostHash     = 4 << 10
)

// Refresh fetches the bundle and publishes it where it is new. changed is false where it is not.
func (s *Store) Refresh(ctx context.Context, b Bundle) (c Change, changed bool, err error) {
	roots, err := b.roots()
	if err != nil {
		return c, false, err
	}
	client := &http.Client{Timeout: fetchTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	last, _, err := s.Published(ctx)
	if err != nil {
		return c, false, err
	}
	body, digest, err := fetchBundle(ctx, client, b, last.Digest)
	if errors.Is(err, errSame) {
		s.metrics.update(err)
		return c, false, sameAuthorities(ctx, s.db, s.now())
	}
	if err != nil {
		s.metrics.update(err)
		return c, false, err
	}
	from, unread, err := Read(b.URL, body)
	if err != nil {
		s.metrics.update(err)
		return c, false, err
	}
	c, err = s.Update(ctx, b.URL, digest, from, false)
	c.Skipped = append(unread, c.Skipped...)
	return c, err == nil, err
}

func fetchBundle(ctx context.Context, client *http.Client, b Bundle, last []byte) (body, digest []byte, err error) {
	var told []byte
	if b.HashURL != "" {
		text, err := get(ctx, client, b.HashURL, mostHash)
		if err != nil {
			return nil, nil, err
		}
		if told = hashIn(string(text)); told == nil {
			return nil, nil, errors.New("certauth: the hash file holds no SHA-512")
		}
		if bytes.Equal(told, last) {
			return nil, nil, errSame
		}
	}
	if body, err = get(ctx, client, b.URL, MostSource); err != nil {
		return nil, nil, err
	}
	sum := sha512.Sum512(body)
	switch {
	case told != nil && !bytes.Equal(told, sum[:]):
		return nil, nil, errors.New("certauth: the bundle does not have the hash that is told of it")
	case bytes.Equal(last, sum[:]):
		return nil, nil, errSame
	}
	return body, sum[:], nil
}

// hashIn is the first SHA-512 in a text such as sha512sum writes.
func hashIn(text string) []byte {
	for word := range strings.FieldsSeq(text) {
		if raw, err := hex.DecodeString(word); err == nil && len(raw) == sha512.Size {
			return raw
		}
	}
	return nil
}

func get(ctx context.Context, client *http.Client, from string, most int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("certauth: %s answered %d", from, answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = errTooLarge
	}
	return body, err
}

type refreshJob struct{}

// Kind names the job.
func (refreshJob) Kind() string { return "icp_authorities" }

// Schedule has the queue look for new authorities once a day. A bundle that lacks authorities which
// are valid now is refused and told in log and metrics: somebody has to look, and to force it by hand.
func (s *Store) Schedule(q *jobs.Queue, b Bundle, log *slog.Logger) {
	jobs.Add(q, 2*fetchTimeout, func(ctx context.Context, _ refreshJob, _ int) error {
		if b.URL == "" {
			return nil
		}
		c, changed, err := s.Refresh(ctx, b)
		switch {
		case errors.Is(err, ErrShrinks), errors.Is(err, ErrNoRoot): // trying again does not help
			log.ErrorContext(ctx, "authorities of ICP-Brasil refused", "error", err.Error(), "change", c.String())
			return nil
		case err == nil && changed:
			log.InfoContext(ctx, "authorities of ICP-Brasil", "change", c.String())
		}
		return err
	})
	if b.URL != "" {
		q.Every(24*time.Hour, refreshJob{})
	}
}
