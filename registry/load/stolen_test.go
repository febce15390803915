package load_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/generate"
)

// haystack finds many needles of 8 bytes or more in one walk.
type haystack struct {
	bits    []uint64
	needles map[uint64][]needle
	n       int
}

type needle struct{ what, text string }

const bitsLog = 22

func newHaystack() *haystack {
	return &haystack{bits: make([]uint64, 1<<(bitsLog-6)), needles: map[uint64][]needle{}}
}

func bitOf(v uint64) uint64 { return v * 0x9e3779b97f4a7c15 >> (64 - bitsLog) }

// look adds a needle; short ones, and short numbers, lie in any haystack.
func (h *haystack) look(what, text string) {
	if len(text) < 8 || len(text) < 11 && strings.Trim(text, "0123456789") == "" {
		return
	}
	v := binary.LittleEndian.Uint64([]byte(text))
	if slices.Contains(h.needles[v], needle{what, text}) {
		return
	}
	h.needles[v] = append(h.needles[v], needle{what, text})
	h.bits[bitOf(v)>>6] |= 1 << (bitOf(v) & 63)
	h.n++
}

// in lists what of the needles is in data, each sort once.
func (h *haystack) in(data []byte) (found []string) {
	if len(data) < 8 {
		return nil
	}
	v := binary.LittleEndian.Uint64(data) << 8
	for i := 0; i+8 <= len(data); i++ {
		v = v>>8 | uint64(data[i+7])<<56
		if h.bits[bitOf(v)>>6]>>(bitOf(v)&63)&1 == 0 {
			continue
		}
		for _, n := range h.needles[v] {
			end := i + len(n.text)
			if end > len(data) || string(data[i:end]) != n.text || byChance(data, i, end) || slices.Contains(found, n.what) {
				continue
			}
			found = append(found, n.what)
		}
	}
	return found
}

// byChance says whether what was found is a piece of something longer, which has every short number
// somewhere: digits amid digits or hex, and a number in hex that does not stand alone. A column of
// bytes, which a dump writes as \x and hex, holds a number whole or within its eight bytes, and those
// are looked for by their own form.
func byChance(data []byte, from, to int) bool {
	text := string(data[from:to])
	before, after := from > 0 && isHex(data[from-1]), to < len(data) && isHex(data[to])
	switch {
	case strings.Trim(text, "0123456789") == "":
		return before && after
	case len(text) < 14 && strings.Trim(text, "0123456789abcdef") == "":
		return before || after || from > 0 && data[from-1] == 'x' || len(text) < 9 // a UUID begins with eight
	}
	return false
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// secretForms adds the ways in which a text could lie about.
func (h *haystack) secretForms(what, text string) {
	if len(text) < 8 {
		return
	}
	for form, t := range map[string]string{"": text, " in capitals": strings.ToUpper(text), " in small letters": strings.ToLower(text)} {
		h.look(what+form, t)
		h.look(what+form+", hex", hex.EncodeToString([]byte(t)))
		h.look(what+form+", HEX", strings.ToUpper(hex.EncodeToString([]byte(t))))
		for skip := range 3 { // wherever it begins among the bytes that are encoded
			coded := base64.RawStdEncoding.EncodeToString(append(make([]byte, skip), t...))
			h.look(what+form+", base64", coded[(skip*8+5)/6:len(coded)-1])
		}
	}
}

// secretNumber adds what a document could become by somebody who thinks that hashing hides it.
func (h *haystack) secretNumber(what, digits string) {
	for _, text := range []string{digits, formatted(digits)} {
		h.secretForms(what, text)
		s256, s1, m5 := sha256.Sum256([]byte(text)), sha1.Sum([]byte(text)), md5.Sum([]byte(text))
		for _, sum := range [][]byte{s256[:], s1[:], m5[:]} {
			h.look(what+", hashed", string(sum))
			h.look(what+", hashed, hex", hex.EncodeToString(sum))
			h.look(what+", hashed, base64", base64.RawStdEncoding.EncodeToString(sum))
			h.look(what+", hashed, as a UUID", uuid.UUID(sum[:16]).String())
			for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} { // the digests of 64 bits
				h.look(what+", hashed, as a number", strconv.FormatInt(int64(order.Uint64(sum)), 10))
			}
		}
	}
	if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
		number := binary.BigEndian.AppendUint64(nil, n)
		h.look(what+", as a number", string(number))
		h.look(what+", as a number, hex", hex.EncodeToString(number))
		h.look(what+", as a number, hex", strconv.FormatUint(n, 16))
	}
}

func formatted(digits string) string {
	switch len(digits) {
	case 11:
		return brdoc.CPF(digits).Formatted()
	case 14:
		return brdoc.CNPJ(digits).Formatted()
	}
	return digits
}

// secrets are what a thief looks for: everything that the registry knows of everybody, by opening
// what the thief cannot. unique leaves out what two people may share, or two tests.
func (w *town) secrets() (all, unique *haystack) {
	w.t.Helper()
	all, unique = newHaystack(), newHaystack()
	for _, id := range w.ids(`SELECT id FROM person`) {
		p, err := w.store.ByID(w.t.Context(), w.db, id)
		w.must(err)
		for _, fields := range []registry.Fields{p.Fields, p.Declared} {
			for name, v := range fields {
				switch base, _, _ := strings.Cut(name, "/"); base {
				case "cpf", "cnpj", "mother_cpf", "father_cpf", "cns", "nis", "voter_id", "passport":
					all.secretNumber(base, v.Text)
					unique.secretNumber(base, v.Text)
				case "phone_number", "phone_alternative":
					for _, h := range []*haystack{all, unique} {
						h.secretForms(base, strings.TrimPrefix(v.Text, "+"))
						h.secretForms(base, strings.TrimPrefix(v.Text, "+55"))
					}
				case "email":
					all.secretForms(base, v.Text)
					unique.secretForms(base, v.Text)
				case "name", "social_name", "mother_name", "father_name", "rg", "address", "relation":
					for _, part := range strings.Split(v.Text, "\x1f") {
						all.secretForms(base, part)
					}
				}
			}
		}
	}
	return all, unique
}

func (w *town) dump() []byte {
	w.t.Helper()
	var bin string
	w.must(w.db.QueryRow(w.t.Context(), `SELECT setting FROM pg_config WHERE name = 'BINDIR'`).Scan(&bin))
	cmd := exec.Command(filepath.Join(bin, "pg_dump"), "--dbname="+w.db.Config().ConnString())
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	w.must(err)
	return text
}

// files are the raw bytes of the database's tables and indexes, as they lie on the server's disk.
func (w *town) files() (all []byte) {
	w.t.Helper()
	_, err := w.db.Exec(w.t.Context(), `CHECKPOINT`)
	w.must(err)
	rows, err := w.db.Query(w.t.Context(), `
		SELECT pg_read_binary_file(pg_relation_filepath(c.oid))
		  FROM pg_class c
		 WHERE pg_relation_filepath(c.oid) IS NOT NULL AND c.relnamespace <> 'pg_catalog'::regnamespace AND pg_relation_size(c.oid) > 0`)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var file []byte
		w.must(rows.Scan(&file))
		all = append(append(all, file...), make([]byte, 16)...)
	}
	w.must(rows.Err())
	return all
}

// walSince are the segments of the write-ahead log from a place on.
func (w *town) walSince(lsn string) (all []byte) {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), `
		SELECT pg_read_binary_file('pg_wal/' || name)
		  FROM pg_ls_waldir()
		 WHERE name BETWEEN pg_walfile_name($1::text::pg_lsn) AND pg_walfile_name(pg_current_wal_lsn()) AND length(name) = 24
		 ORDER BY name`, lsn)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var segment []byte
		w.must(rows.Scan(&segment))
		all = append(all, segment...)
	}
	w.must(rows.Err())
	return all
}

func TestAStolenDatabaseTellsNothingOfAnybody(t *testing.T) {
	t.Parallel()

	w := newTown(t, generate.Options{Records: 1000, Seed: uint64(os.Getpid())}) // other tests' people are no needles
	var lsn string
	w.must(w.db.QueryRow(t.Context(), `SELECT pg_current_wal_lsn()::text`).Scan(&lsn))
	w.run(w.job())
	for _, id := range w.ids(`SELECT id FROM person WHERE NOT undocumented ORDER BY id LIMIT 20`) { // who also come to the door
		w.must(pg.InTx(t.Context(), w.db, func(tx pg.Tx) error {
			return w.store.Update(t.Context(), tx, id, registry.Fields{"name": {Text: "Vitalina Quitéria Xaxim"}, "email": {Text: "vitalina.quiteria@example.org"},
				"address": {Text: "Travessa dos Jequitibás, 4711"}, "passport": {Text: "ZX98765432"}}, 3, today)
		}))
	}
	all, unique := w.secrets()
	if all.n < 30_000 || unique.n < 20_000 {
		t.Fatalf("only %d and %d needles", all.n, unique.n)
	}
	for place, lies := range map[string]struct {
		data    []byte
		needles *haystack
	}{
		"dump": {w.dump(), all}, "files": {w.files(), all},
		"log": {w.walSince(lsn), unique}, // other tests write it too
	} {
		if len(lies.data) < 1<<20 {
			t.Errorf("%s: only %d bytes", place, len(lies.data))
		}
		if found := lies.needles.in(lies.data); len(found) > 0 {
			t.Errorf("%s tells: %v", place, found)
		}
	}
	w.leak(all)
}

// leak puts one CPF where it must not be and looks whether the search sees it: in the files that
// were loaded all of it is seen.
func (w *town) leak(h *haystack) {
	w.t.Helper()
	id := w.ids(`SELECT id FROM person WHERE NOT undocumented AND kind = 'natural' LIMIT 1`)[0]
	p, err := w.store.ByID(w.t.Context(), w.db, id)
	w.must(err)
	_, err = w.db.Exec(w.t.Context(), `CREATE TABLE leak AS SELECT $1::bytea AS raw, $2::text AS text`, []byte(p.CPF.Digits()), strings.ToUpper(p.Fields["name"].Text))
	w.must(err)
	for place, want := range map[string]struct {
		data []byte
		what []string
	}{
		"dump":  {w.dump(), []string{"cpf, hex", "name in capitals"}},
		"files": {w.files(), []string{"cpf", "name in capitals"}},
		"csv":   {w.csv(), []string{"cpf", "name", "mother_name", "email", "cns", "cnpj", "address", "voter_id"}},
	} {
		found := h.in(want.data)
		for _, what := range want.what {
			if !slices.Contains(found, what) {
				w.t.Errorf("%s: the search does not see %s, only %v", place, what, found)
			}
		}
	}
}

func (w *town) csv() []byte {
	w.t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, "*.csv"))
	w.must(err)
	var all bytes.Buffer
	for _, path := range paths {
		text, err := os.ReadFile(path)
		w.must(err)
		all.Write(bytes.ReplaceAll(text, []byte{0}, nil)) // one is UTF-16
	}
	return all.Bytes()
}
