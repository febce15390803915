package certauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/certauth/revocation"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/testpg"
)

// long is how many certificates the longest lists of ICP-Brasil name.
const long = 300_000

// BenchmarkVerify is what a certificate costs beside its handshake: a chain of four by keys of
// ICP-Brasil's sizes, its holder, and whether the lists of its authorities name it, the lowest of them
// with 300 000 entries; and the same without revocation. held-MB is what the service holds on the heap.
func BenchmarkVerify(b *testing.B) {
	lists := httptest.NewUnstartedServer(nil)
	pki := must(icptest.New(icptest.Options{AuthorityBits: 4096, PersonBits: 2048, CRL: []string{"http://" + lists.Listener.Addr().String() + "/{ca}.crl"}}))(b)
	repository := icptest.NewRepository(time.Now, pki.Root, pki.Level1, pki.Issuing)
	for range long {
		repository.Revoke(pki.Issuing, icptest.Serial())
	}
	lists.Config.Handler = repository
	lists.Start()
	b.Cleanup(lists.Close)
	before := heap()
	checks := listed(b, source{set(b, pki)})
	leaf := pki.Issue(icptest.ECPF("MARIA", cpf)).Cert
	v := &certauth.Verifier{From: source{set(b, pki)}, Revocation: checks, Now: time.Now}
	if _, err := v.Verify(b.Context(), leaf); err != nil { // the first of its authority has its list fetched
		b.Fatal(err)
	}
	held := heap() - before
	for name, r := range map[string]certauth.Revocation{"lists": checks, "chain-alone": revocations{}} {
		v := &certauth.Verifier{From: source{set(b, pki)}, Revocation: r, Now: time.Now}
		b.Run(name, func(b *testing.B) {
			measured(b, func() {
				if _, err := v.Verify(b.Context(), leaf); err != nil {
					b.Fatal(err)
				}
			})
			b.ReportMetric(float64(held)/1e6, "held-MB")
		})
	}
}

// listed is revocation as serve sets it up, without its jobs' clock.
func listed(b *testing.B, from certauth.Source) *revocation.Service {
	b.Helper()
	db := testpg.New(b)
	s := must(revocation.New(revocation.Settings{DB: db, Dir: b.TempDir(), Private: true, From: from, Now: time.Now}))(b)
	q := jobs.New(db, slog.New(slog.DiscardHandler))
	jobs.Add(q, time.Minute, func(context.Context, revocation.Changed, int) error { return nil })
	s.Schedule(q)
	if err := errors.Join(q.Open(), s.Load(b.Context())); err != nil {
		b.Fatal(err)
	}
	return s
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkSignIn is a whole sign-in at the host beside the bare handshake, client's part included, in
// one run.
func BenchmarkSignIn(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		web := icptest.Must(icptest.New(icptest.Options{})).Issue(icptest.SSL("localhost")).TLS(true)
		l := must(tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{web}, SessionTicketsDisabled: true}))(b)
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
			}
		}()
		measured(b, func() { exchange(b, l.Addr(), &tls.Config{InsecureSkipVerify: true}) })
	})
	b.Run("certificate", func(b *testing.B) {
		h := newHost(b, icptest.Options{AuthorityBits: 2048, PersonBits: 2048}, certauth.HintAll, false)
		client := h.client(with(h.pki.Issue(icptest.ECPF("MARIA", cpf))))
		measured(b, func() {
			if _, err := h.take(h.goes(client, h.begin())); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// measured adds the CPU time of this process, both sides, to what a benchmark tells.
func measured(b *testing.B, do func()) {
	b.Helper()
	b.ReportAllocs()
	before := processTime(b)
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64((processTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func exchange(b *testing.B, to net.Addr, config *tls.Config) {
	c := must(tls.Dial("tcp", to.String(), config))(b)
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
}
