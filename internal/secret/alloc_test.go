package secret_test

import (
	"fmt"
	"testing"

	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
)

// Not parallel: allocations are counted for the whole process.
func TestTheLoadersCallsAllocateNothing(t *testing.T) {
	box := open(t, testpg.New(t), newKEK(t))
	c, x := box.Class(secret.Contact), box.Indexer("person.cpf")
	plain, aad, dst := make([]byte, 200), make([]byte, 24), make([]byte, 0, 300)
	if n := testing.AllocsPerRun(1000, func() { dst = c.AppendSeal(dst[:0], plain, aad) }); n >= 1 {
		t.Errorf("AppendSeal: %v", n)
	}
	if n := testing.AllocsPerRun(1000, func() { dst = x.Sum(dst[:0], plain[:11]) }); n >= 1 {
		t.Errorf("Sum: %v", n)
	}
}

func BenchmarkCipher(b *testing.B) {
	c := open(b, testpg.New(b), newKEK(b)).Class(secret.Contact)
	aad := make([]byte, 24)
	for _, size := range []int{24, 200} {
		plain, dst := make([]byte, size), make([]byte, 0, size+secret.Overhead)
		sealed := c.Seal(plain, aad)
		for _, op := range []struct {
			name string
			do   func()
		}{
			{"Seal", func() { c.Seal(plain, aad) }},
			{"AppendSeal", func() { dst = c.AppendSeal(dst[:0], plain, aad) }},
			{"Open", func() { _, _ = c.Open(sealed, aad) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", op.name, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					op.do()
				}
			})
		}
	}
}

func BenchmarkIndexer(b *testing.B) {
	x := open(b, testpg.New(b), newKEK(b)).Indexer("person.cpf")
	value, dst := []byte("52998224725"), make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		dst = x.Sum(dst[:0], value)
	}
}

func BenchmarkIndex(b *testing.B) {
	box, value := open(b, testpg.New(b), newKEK(b)), []byte("52998224725")
	b.ReportAllocs()
	for b.Loop() {
		box.Index("person.cpf", value)
	}
}
