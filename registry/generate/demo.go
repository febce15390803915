package generate

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
)

// The demo city has so many records of people without a name in the project's pages.
const (
	demoRecords = 320
	demoSeed    = 80010000
)

// known is one of the people the demo's pages speak of, with the data they sign in with, and the
// bases that have them. They occur in no other generated set.
type known struct {
	person
	bases []string
}

// Demo is the small base that `make run` loads: deploy/demo/registry/*.csv by their names. Among
// the people are those of the demo's logins.
func Demo() map[string][]byte {
	p, err := Options{Records: demoRecords, Seed: demoSeed, Workers: 1}.plan()
	if err != nil {
		panic(err) // the options are ours
	}
	var files [outputs]bytes.Buffer
	var out [outputs]io.Writer
	for i := range sources {
		out[i] = &files[i]
	}
	if _, err := p.writeTo(context.Background(), out); err != nil {
		panic(err) // buffers take everything
	}
	for i := range sources {
		files[i].Write(p.wellKnown(i))
	}
	named := map[string][]byte{}
	for i := range sources {
		named[p.fileName(i)] = files[i].Bytes()
	}
	return named
}

// wellKnown are the records of the demo's people in one source, without a mistake in them.
func (p plan) wellKnown(i int) []byte {
	l := line{city: p.city, base: sources[i], quoted: sources[i].quotesAll}
	for n, k := range p.demoPeople() {
		if !slices.Contains(k.bases, sources[i].name) {
			continue
		}
		v := view{person: &k.person, base: sources[i], key: uint64(9_000_000_001 + n), written: k.name, mothers: k.mother,
			fathers: k.father, born: k.birth, on: day(20260900 + i + 1), tel: k.phone, lives: k.home, email: k.mail,
			status: k.marital, situation: regular, given: givenRight, line: lineWhole}
		v.cpfLen = bareCPF(v.cpfText[:], k.cpf, nil)
		l.write(&v)
	}
	return l.b
}

// demoPeople are the demo's logins as cmd/loginunico makes them. João has told the city his name
// and nothing else, and only the property tax knows him.
func (c *city) demoPeople() []known {
	acacias, brasil := home{street: 0, number: 120}, home{street: 1, number: 900}
	nowhere := home{street: 2, number: 10}
	all := []known{
		{person{cpf: 52998224725, woman: true, birth: 19580514, name: c.called("Maria Aparecida da Silva"), mother: c.called("Aparecida da Silva"),
			phone: 41987654321, mail: "maria@example.org", cns: 898001160656771, home: acacias},
			[]string{"receita", "saude", "assistencia", "fazenda", "habitacao"}},
		{person{cpf: 11144477735, name: c.called("João Batista Souza"), mail: "joao@example.org", home: nowhere}, []string{"fazenda"}},
		{person{cpf: 39053344705, woman: true, birth: 19900902, name: c.called("Ana Lúcia Ferreira"), social: c.called("Ana Ferreira"),
			mother: c.called("Lúcia Ferreira"), phone: 41991234567, mail: "ana@example.org", home: brasil},
			[]string{"receita", "saude", "educacao", "assistencia"}},
		{person{cpf: 16899535009, woman: true, birth: 19850321, name: c.called("Carla Mendes"), mail: "carla@example.org", home: nowhere},
			[]string{"receita", "saude", "fazenda"}},
		{person{cpf: 93541134780, birth: 19791130, name: c.called("Paulo Rocha"), mail: "paulo@example.org", home: nowhere},
			[]string{"receita", "fazenda"}},
		{person{cpf: 71460238508, birth: 19820708, name: c.called("Luciano Barbosa"), mail: "luciano@example.org", home: nowhere},
			[]string{"receita", "saude"}},
		{person{cpf: 28630517417, woman: true, birth: 19760225, name: c.called("Helena Martins"), mail: "helena@example.org", home: nowhere},
			[]string{"receita", "fazenda"}},
	}
	for i := range all {
		all[i].n, all[i].marital = uint64(1_000_000_000+i)*household, unknown
	}
	return all
}

// called is a name made of words that the lists have.
func (c *city) called(name string) (f fullName) {
	for text := range strings.FieldsSeq(name) {
		w, ok := c.known[text]
		if !ok {
			panic("generate: no word " + text)
		}
		f.add(w)
	}
	return f
}
