package load_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/loginunico/loginunico/registry/load"
)

// FuzzBlocksCutAnywhereGiveTheSameRecords is the property everything else rests on: workers see
// blocks, and a record must not depend on where they begin and end.
func FuzzBlocksCutAnywhereGiveTheSameRecords(f *testing.F) {
	for _, s := range []string{
		"1;;ANA\n2;52998224725;\"B\nC\"\n3;;\"D\n4;;E\n", "1;;\"A\"\"B\"\r\n2;;\"x\"y\r\n", "\"\n\"\"\n;\"", "1;;A\r2;;B\r", "\x00\xff\n\n \n;;;",
		"\"1\";\"\";\"ANA\n\"2\";\"\";\"B\"\n", "1;;AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n2;;B\n",
	} {
		for _, size := range []byte{1, 5, 30, 64} {
			f.Add([]byte(s), size, byte(40), byte(0))
			f.Add([]byte(s), size, byte(90), byte(1))
		}
	}
	encodings := []string{"utf-8", "windows-1252", "iso-8859-1", "utf-16le", "utf-16be"}
	f.Fuzz(func(t *testing.T, body []byte, size, limit, encoding byte) {
		name := encodings[int(encoding)%len(encodings)]
		m := mapping(t, with("encoding: "+name))
		header := "ID;CPF;NOME\n"
		switch name {
		case "utf-16le":
			header = utf16Bytes(littleEndian, header)
		case "utf-16be":
			header = utf16Bytes(bigEndian, header)
		}
		file := append([]byte(header), body...)
		most := 20 + int(limit)
		whole, err := parsed(t, load.NewReader(bytes.NewReader(file), m, 1<<20, most))
		if err != nil {
			t.Fatalf("%q: %v", file, err)
		}
		parts, err := parsed(t, load.NewReader(bytes.NewReader(file), m, 1+int(size), most))
		if err != nil || !slices.Equal(whole, parts) {
			t.Fatalf("%q\nin one block    %q\nin blocks of %d %q, %v", file, whole, 1+int(size), parts, err)
		}
	})
}

func FuzzParseMapping(f *testing.F) {
	for _, s := range []string{minimal, fullMapping, "source: &a x", "fields: {cpf: [", "a: {b: c}\n---\n", "values: {gender: {<<: *x}}", "key: [1]\nheader: false"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := load.ParseMapping("fuzz", data)
		if err != nil {
			if m != nil || err.Error() == "" {
				t.Fatalf("%v beside %v", m, err)
			}
			return
		}
		if m.Source == "" || len(m.Key) == 0 || len(m.Fields) == 0 || m.Separator == m.Quote {
			t.Fatalf("%+v", m)
		}
		for i, field := range m.Fields {
			if len(field.Parts) == 0 || i > 0 && field.Field < m.Fields[i-1].Field {
				t.Fatalf("%+v", m.Fields)
			}
		}
	})
}
