package generate

import (
	"testing"

	"github.com/loginunico/loginunico/internal/brdoc"
)

func TestNobodyHasTheCPFOfADemoPerson(t *testing.T) {
	t.Parallel()

	for cpf := range reserved {
		offset := uint64(0)
		body := cpf / 100
		n := body * inverseOf(387420489) % bodies
		if n*387420489%bodies != body {
			t.Fatal("the inverse is wrong")
		}
		if got := cpfOf(offset, n); got != noCPF {
			t.Errorf("person %d has %d", n, got)
		}
		if got := cpfOf(offset, n+1); !validCPF(got) {
			t.Errorf("person %d has %d", n+1, got)
		}
	}
}

// inverseOf is the inverse modulo 10⁹ (φ(10⁹) = 4·10⁸).
func inverseOf(n uint64) uint64 {
	result, power := uint64(1), n%bodies
	for e := uint64(400_000_000 - 1); e > 0; e >>= 1 {
		if e&1 == 1 {
			result = result * power % bodies
		}
		power = power * power % bodies
	}
	return result
}

func TestDocumentsHaveTheirCheckDigits(t *testing.T) {
	t.Parallel()

	r := mixed(1)
	for range 5000 {
		if n := nisOf(&r); weighed(n, 11, []int{3, 2, 9, 8, 7, 6, 5, 4, 3, 2, 1})%11 > 1 {
			t.Fatalf("NIS %d", n) // a sum of 1 is a check digit of 10, written 0
		}
		if n := cnsOf(&r); weighed(n, 15, []int{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1})%11 != 0 {
			t.Fatalf("CNS %d", n)
		}
		n := voterOf(&r)
		d1 := weighed(n/10000, 8, []int{2, 3, 4, 5, 6, 7, 8, 9}) % 11 % 10
		d2 := (6*8 + d1*9) % 11 % 10
		if n/100%100 != 6 || int(n%100) != d1*10+d2 {
			t.Fatalf("título %d", n)
		}
	}
	letters := 0
	for n := range uint64(700) {
		cnpj := cnpjOf(12345, n)
		if _, err := brdoc.ParseCNPJ(string(cnpj[:])); err != nil {
			t.Fatalf("CNPJ %s", cnpj)
		}
		letters += at(cnpj[0] >= 'A')
	}
	if letters != 100 {
		t.Errorf("%d of 700 CNPJs have letters", letters)
	}
	for _, code := range append(birthplaces, cityCode) {
		if sum := ibgeSum(code); sum%10 != 0 {
			t.Errorf("IBGE code %s", code)
		}
	}
}

// ibgeSum adds the digits of each digit × 1, 2, 1, 2, 1, 2 and the check digit.
func ibgeSum(code string) (sum int) {
	for i, c := range []byte(code) {
		d := int(c-'0') * (1 + i%2)
		sum += d/10 + d%10
	}
	return sum
}

func weighed(n uint64, width int, weights []int) (sum int) {
	for i := width - 1; i >= 0; i-- {
		sum += int(n%10) * weights[i]
		n /= 10
	}
	return sum
}
