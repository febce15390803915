package revocation

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

const long = 300_000 // entries: as long as lists of ICP-Brasil become

// longList is a list of 300 000 entries, 13 MB.
func longList(b *testing.B) (der []byte, a authority, serials []*big.Int) {
	a = newRoot(b, "AC DE MUITOS")
	entries := make([]x509.RevocationListEntry, long)
	serials = make([]*big.Int, long)
	raw := make([]byte, 16)
	for i := range entries {
		_, _ = rand.Read(raw) // never fails
		raw[0] |= 0x40
		serials[i] = new(big.Int).SetBytes(raw)
		entries[i] = x509.RevocationListEntry{SerialNumber: serials[i], RevocationTime: noon, ReasonCode: 1}
	}
	return a.crl(b, entries), a, serials
}

// BenchmarkLongList reads a list as the refresh job does, from a file into a compact one, and beside
// it as crypto/x509 does. held-MB is what is on the heap when it is done, with the list itself.
func BenchmarkLongList(b *testing.B) {
	der, a, _ := longList(b)
	path := filepath.Join(b.TempDir(), "list.der")
	if err := os.WriteFile(path, der, 0o600); err != nil {
		b.Fatal(err)
	}
	size := int64(len(der))
	der = nil
	measure := func(name string, read func(b *testing.B) any) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			before := heap()
			var held any
			for b.Loop() {
				held = read(b)
			}
			b.ReportMetric(float64(heap()-before)/1e6, "held-MB")
			runtime.KeepAlive(held)
		})
	}
	measure("streamed", func(b *testing.B) any {
		f := must[*os.File](b)(os.Open(path))
		defer f.Close()
		c := must[*CRL](b)(Read(f, size, a.cert, nil))
		if c.Len() != long {
			b.Fatal(c.Len())
		}
		return c
	})
	measure("ParseRevocationList", func(b *testing.B) any {
		c := must[*x509.RevocationList](b)(x509.ParseRevocationList(must[[]byte](b)(os.ReadFile(path))))
		if err := c.CheckSignatureFrom(a.cert); err != nil {
			b.Fatal(err)
		}
		return c
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkFind asks a compact list of 300 000 where it lies, for certificates that it names and for
// others, beside the walk through the entries that crypto/x509 gives.
func BenchmarkFind(b *testing.B) {
	der, a, serials := longList(b)
	c := must[*CRL](b)(Read(bytes.NewReader(der), int64(len(der)), a.cert, nil))
	path := filepath.Join(b.TempDir(), "list.crl")
	f := must[*os.File](b)(os.Create(path))
	if err := c.writeTo(f, pointID{}); err != nil {
		b.Fatal(err)
	}
	size := must[int64](b)(f.Seek(0, 1))
	l := must[*List](b)(openList(f, size, pointID{}))
	b.Run("named", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if r, err := l.Find(serials[i%long]); r == nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("other", func(b *testing.B) {
		one := new(big.Int)
		for i := 0; b.Loop(); i++ {
			if r, err := l.Find(one.SetInt64(int64(i))); r != nil || err != nil {
				b.Fatal(err)
			}
		}
	})
	whole := must[*x509.RevocationList](b)(x509.ParseRevocationList(der))
	b.Run("walk", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			found := false
			for _, e := range whole.RevokedCertificateEntries {
				if e.SerialNumber.Cmp(serials[i%long]) == 0 {
					found = true
					break
				}
			}
			if !found {
				b.Fatal("lost")
			}
		}
	})
}
