package certauth_test

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
)

// realPKI has keys of the sizes that ICP-Brasil's have.
func realPKI(b *testing.B) *icptest.PKI {
	b.Helper()
	return must(icptest.New(icptest.Options{AuthorityBits: 4096, PersonBits: 2048}))(b)
}

// BenchmarkVerify is what a certificate costs beside its handshake: a chain of four, the holder,
// without revocation.
func BenchmarkVerify(b *testing.B) {
	pki := realPKI(b)
	v := &certauth.Verifier{From: source{set(b, pki)}, Revocation: revocations{}, Now: func() time.Time { return pki.Now }}
	leaf := pki.Issue(icptest.ECPF("MARIA", cpf)).Cert
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), leaf); err != nil {
			b.Fatal(err)
		}
	}
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
