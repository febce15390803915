package load_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/load"
)

// layout is a source's file: its mapping and what stands around its values.
type layout struct{ name, mapping, open, between, close string }

// layouts are two extremes of what sources deliver, with the same 20 columns.
var layouts = []layout{
	{"plain utf-8", layoutMapping("utf-8", `""`), "", ";", "\n"},
	{"quoted windows-1252", layoutMapping("windows-1252", `'"'`), `"`, `";"`, "\"\r\n"},
}

func layoutMapping(encoding, quote string) string {
	return `source: fazenda
name: Cadastro imobiliário
encoding: ` + encoding + `
quote: ` + quote + `
key: [INSCRICAO]
effective: {column: ATUALIZADO, layout: 02/01/2006}
values:
  gender: {M: male, F: female, "": undisclosed}
  marital_status: {S: single, C: married, V: widowed}
fields:
  cpf: CPF
  name: NOME
  social_name: SOCIAL
  gender: SEXO
  birthdate: {column: NASC, layout: 02/01/2006}
  birthplace: NATURAL
  marital_status: CIVIL
  mother_name: MAE
  mother_cpf: CPF_MAE
  rg: {parts: [RG, ORGAO, UF]}
  voter_id: TITULO
  phone_number: {columns: [DDD, FONE]}
  email: EMAIL
  address: {street: LOGRADOURO, number: NUMERO, district: BAIRRO, cep: CEP}
`
}

const layoutColumns = "INSCRICAO ATUALIZADO CPF NOME SOCIAL SEXO NASC NATURAL CIVIL MAE CPF_MAE RG ORGAO UF TITULO DDD FONE EMAIL LOGRADOURO NUMERO BAIRRO CEP"

// file invents n records, the published share of them false or without CPF.
func (l layout) file(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	first := strings.Fields("MARIA JOSÉ ANA JOÃO ANTÔNIO FRANCISCA CARLOS PAULO APARECIDA LÚCIA CONCEIÇÃO")
	last := strings.Fields("SILVA SANTOS OLIVEIRA SOUZA PEREIRA GONÇALVES ARAÚJO CARVALHO D'ÁVILA")
	name := func() string {
		return first[random.IntN(len(first))] + " " + first[random.IntN(len(first))] + " DA " + last[random.IntN(len(last))] + " " + last[random.IntN(len(last))]
	}
	var b bytes.Buffer
	write := func(values ...string) { b.WriteString(l.open + strings.Join(values, l.between) + l.close) }
	write(strings.Fields(layoutColumns)...)
	for i := range n {
		number, email, social := cpfOf(random.IntN(999_999_999)), "", ""
		switch share := random.IntN(1000); {
		case share < 36:
			number = ""
		case share < 61:
			number = "12345678901"
		case share < 300:
			email = "pessoa." + strconv.Itoa(i) + "@example.org"
		case share < 310:
			social = name()
		}
		write(strconv.Itoa(i), "21/10/2026", number, name(), social, "MF"[i%2:i%2+1], fmt.Sprintf("%02d/%02d/%d", 1+i%28, 1+i%12, 1930+i%90),
			"4106902", "SCV"[i%3:i%3+1], name(), "", strconv.Itoa(1_000_000+i), "SSP", "PR", "", "41", "9"+strconv.Itoa(80_000_000+i%10_000_000),
			email, "RUA "+name(), strconv.Itoa(i%3000), "CENTRO", "80010-"+fmt.Sprintf("%03d", i%1000))
	}
	if strings.Contains(l.mapping, "windows-1252") {
		return latin1(b.String())
	}
	return b.Bytes()
}

func latin1(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		out = append(out, byte(r))
	}
	return out
}

// cpfOf gives nine digits their check digits.
func cpfOf(body int) string {
	digits := fmt.Sprintf("%09d", body)
	for n := 10; n <= 11; n++ {
		sum := 0
		for i, c := range digits {
			sum += int(c-'0') * (n - i)
		}
		digits += strconv.Itoa(sum * 10 % 11 % 10)
	}
	return digits
}

// BenchmarkFloor reads the same bytes with encoding/csv and does nothing with them: the figure to hold
// those of BenchmarkParse against on any machine.
func BenchmarkFloor(b *testing.B) {
	for _, l := range layouts {
		data := l.file(100_000)
		b.Run(l.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			measure(b, func() (records int) {
				r := csv.NewReader(bytes.NewReader(data))
				r.Comma, r.ReuseRecord, r.LazyQuotes = ';', true, true
				for {
					if _, err := r.Read(); err != nil {
						return records
					}
					records++
				}
			})
		})
	}
}

// measure reports records per second and CPU time per million of them.
func measure(b *testing.B, run func() (records int)) {
	var at syscall.Rusage
	cpu := func() float64 {
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &at); err != nil {
			b.Fatal(err)
		}
		return time.Duration(at.Utime.Nano() + at.Stime.Nano()).Seconds()
	}
	start, records := cpu(), 0
	for b.Loop() {
		records += run()
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric((cpu()-start)/float64(records)*1e6, "cpu-s/M")
}

// BenchmarkParse parses and sorts out, as a load does: one reader, workers that share its blocks.
func BenchmarkParse(b *testing.B) {
	for _, l := range layouts {
		m, data := mapping(b, l.mapping), l.file(100_000)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", l.name, workers), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				measure(b, func() int {
					return parseAll(b, load.NewReader(bytes.NewReader(data), m, 1<<20, load.MaxRecord), workers)
				})
			})
		}
	}
}

// parseAll returns the number of records, rejected ones included.
func parseAll(t testing.TB, r *load.Reader, workers int) int {
	free, full := make(chan *load.Block, workers+1), make(chan *load.Block, workers+1)
	for range workers + 1 {
		free <- &load.Block{}
	}
	counts := make([]int, workers)
	var done sync.WaitGroup
	for w := range workers {
		done.Go(func() {
			p := load.NewParser(effective, now)
			for b := range full {
				if err := p.Parse(b, func(*load.Parsed) error { counts[w]++; return nil }, func(*load.Reject) error { counts[w]++; return nil }); err != nil {
					t.Error(err)
				}
				free <- b
			}
		})
	}
	for {
		b := <-free
		if err := r.Next(b); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			break
		}
		full <- b
	}
	close(full)
	done.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}
