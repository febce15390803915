package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/cloud"
	"github.com/loginunico/loginunico/certauth/revocation"
	"github.com/loginunico/loginunico/certauth/tosign"
	"github.com/loginunico/loginunico/idp"
	"github.com/loginunico/loginunico/idp/flow"
	"github.com/loginunico/loginunico/internal/jobs"
)

// certificates is what signs people in by ICP-Brasil certificates.
type certificates struct {
	store    *certauth.Store
	lists    *revocation.Service
	verifier *certauth.Verifier
	trips    *certauth.Trips
	metrics  *certauth.Metrics

	signatures *flow.Signatures
}

// openCertificates prepares them and adds their jobs to the queue, which is not open yet; nil where the
// city has none. [certificates.load] must follow before anybody is served.
func (s *stack) openCertificates(queue *jobs.Queue, reg prometheus.Registerer) (err error) {
	if !s.cfg.CertificatesOn() {
		return nil
	}
	c := &certificates{metrics: certauth.NewMetrics(reg)}
	c.store = certauth.NewStore(s.db, s.cfg.Certificates.Pins, c.metrics, time.Now)
	c.lists, err = revocation.New(revocation.Settings{DB: s.db, Dir: s.cfg.DataDir, From: c.store, Stale: s.cfg.CertStale, Private: s.demo,
		Metrics: revocation.NewMetrics(reg), Now: time.Now})
	if err != nil {
		return err
	}
	c.verifier = &certauth.Verifier{From: c.store, Revocation: c.lists, Now: time.Now}
	c.trips = certauth.NewTrips(s.box, c.verifier, s.cfg.CertURL, s.cfg.CertOldURL, time.Now)
	c.store.Schedule(queue, s.cfg.Certificates.Bundle, s.log)
	c.signatures = &flow.Signatures{Texts: tosign.New(s.cfg.Issuer, time.Now), Verifier: c.verifier}
	if len(s.cfg.Clouds) > 0 {
		c.signatures.Cloud = cloud.New(s.cfg.Clouds, s.cfg.Issuer+flow.PathCloudBack, s.box, time.Now)
	}
	s.certs = c
	return nil
}

// tripsOf are nil where the city asks for no certificates.
func (c *certificates) tripsOf() *certauth.Trips {
	if c == nil {
		return nil
	}
	return c.trips
}

// signaturesOf are nil where the city asks for no certificates.
func (c *certificates) signaturesOf() *flow.Signatures {
	if c == nil {
		return nil
	}
	return c.signatures
}

// follow has the provider fetch the lists, and take away what rests on certificates that they name.
func (c *certificates) follow(p *idp.Provider) {
	if c != nil {
		p.Recall(c.lists, c.store)
	}
}

// load reads what is published and what is revoked.
func (c *certificates) load(ctx context.Context) error {
	if c == nil {
		return nil
	}
	if err := c.store.Reload(ctx); err != nil {
		return err
	}
	return c.lists.Load(ctx)
}

// reloads are the caches that notifications name.
func (c *certificates) reloads(all map[string]func(context.Context) error) {
	if c != nil {
		all[certauth.Notified], all["crl"] = c.store.Reload, c.lists.Load
	}
}

// certificateServers are the listeners that ask for certificates, open.
func (s *stack) certificateServers() (all []server, err error) {
	if s.certs == nil {
		return nil, nil
	}
	host := certauth.Listener{URL: s.cfg.CertURL, Return: s.cfg.Issuer + flow.PathCertificateBack, Trips: s.certs.trips,
		Verifier: s.certs.verifier, DB: s.db, Log: s.log, Metrics: s.certs.metrics}
	old := host
	old.URL = s.cfg.CertOldURL
	defer func() {
		if err != nil {
			for _, one := range all {
				_ = one.listener.Close()
			}
		}
	}()
	for _, l := range []struct {
		name, addr string
		of         *certauth.Listener
		hints      certauth.Hints
		old        bool
	}{{"LOGINUNICO_CERT_LISTEN", s.cfg.CertListen, &host, s.cfg.Certificates.Hints, false},
		{"LOGINUNICO_CERT_OLD_LISTEN", s.cfg.CertOldListen, &old, certauth.HintNone, true}} {
		if l.addr == "" {
			continue
		}
		listener, err := net.Listen("tcp", l.addr)
		if err != nil {
			return all, fmt.Errorf("%s: %w", l.name, err)
		}
		srv, config := l.of.Server(*s.cfg.Certificates.Own, l.hints, l.old)
		all = append(all, server{srv, tls.NewListener(listener, config), "", ""})
	}
	if s.cfg.CertProxyListen == "" {
		return all, nil
	}
	one, err := s.proxyServer(&host)
	return append(all, one), err
}

// proxyServer listens for the proxy that does the handshakes.
func (s *stack) proxyServer(host *certauth.Listener) (server, error) {
	if path := s.cfg.ProxySocket(); path != "" {
		listener, err := listenUnix(path)
		srv, _ := host.BehindProxy(nil, certauth.Pin{})
		return server{srv, listener, "", ""}, err
	}
	listener, err := net.Listen("tcp", s.cfg.CertProxyListen)
	if err != nil {
		return server{}, fmt.Errorf("LOGINUNICO_CERT_PROXY_LISTEN: %w", err)
	}
	srv, config := host.BehindProxy(s.cfg.Certificates.Own, s.cfg.Certificates.Proxy)
	return server{srv, tls.NewListener(listener, config), "", ""}, nil
}

// listenUnix opens a socket for this user and group alone, in the place of one that a process left
// behind which was killed.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		if conn, err := net.Dial("unix", path); err == nil {
			_ = conn.Close()
			return nil, fmt.Errorf("LOGINUNICO_CERT_PROXY_LISTEN: %s is in use", path)
		}
		_ = os.Remove(path)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("LOGINUNICO_CERT_PROXY_LISTEN: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}
