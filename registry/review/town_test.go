package review_test

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/generate"
	"github.com/loginunico/loginunico/registry/load"
	"github.com/loginunico/loginunico/registry/match"
	"github.com/loginunico/loginunico/registry/review"
)

// town is a registry with a matcher.
type town struct {
	t       testing.TB
	db      *pg.Pool
	box     *secret.Box
	store   *registry.Store
	matcher *review.Matcher
}

func newTown(t testing.TB) *town {
	t.Helper()
	db := testpg.New(t)
	box, err := secret.Open(t.Context(), db, secret.KEK{})
	if err != nil {
		t.Fatal(err)
	}
	store := registry.NewStore(box)
	return &town{t, db, box, store, review.New(box, store, match.Default(), match.DefaultLimits)}
}

func (w *town) run() review.Report {
	w.t.Helper()
	r, err := w.matcher.Run(context.Background(), w.db, review.Options{Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// load files every generated source of a directory but those of organizations.
func (w *town) load(dir string) {
	w.t.Helper()
	job := load.Job{Name: "test", AsOf: time.Now(), TempDir: w.t.TempDir(), Now: time.Now}
	for _, name := range demo.Sources() {
		m, err := load.ParseMapping(name, demo.Mapping(name))
		if err != nil {
			w.t.Fatal(err)
		}
		in, err := load.Open(filepath.Join(dir, name+".csv"), os.Stdin)
		if err != nil {
			w.t.Fatal(err)
		}
		job.Sources = append(job.Sources, load.Source{Mapping: m, Input: in})
	}
	if _, err := load.Run(context.Background(), w.db, w.box, w.store, job); err != nil {
		w.t.Fatal(err)
	}
}

// generated loads a generated town and gives, for each person of the registry, who they really are:
// of a person whose records are several people's (a valid CPF that is somebody else's), "".
func (w *town) generated(o generate.Options) map[registry.PersonID]string {
	w.t.Helper()
	dir := w.t.TempDir()
	if _, err := generate.Files(w.t.Context(), dir, o); err != nil {
		w.t.Fatal(err)
	}
	w.load(dir)
	truth := w.truth(filepath.Join(dir, "truth.csv"))
	rows, err := w.db.Query(w.t.Context(), `SELECT person_id, key FROM record_key`)
	if err != nil {
		w.t.Fatal(err)
	}
	people, unknown := map[registry.PersonID]string{}, 0
	for rows.Next() {
		var person registry.PersonID
		var key int64
		if err := rows.Scan(&person, &key); err != nil {
			w.t.Fatal(err)
		}
		who, ok := truth[key]
		if !ok {
			unknown++
		}
		if was, seen := people[person]; seen && was != who {
			who = ""
		}
		people[person] = who
	}
	if unknown > 0 || rows.Err() != nil {
		w.t.Fatalf("%d records are not in the truth; %v", unknown, rows.Err())
	}
	return people
}

// truth reads who is behind each record, by the digest the registry knows it by.
func (w *town) truth(path string) map[int64]string {
	w.t.Helper()
	d, err := w.store.Digester(w.t.Context(), w.db)
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comma = ';'
	lines, err := in.ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	truth := map[int64]string{}
	for _, line := range lines[1:] {
		var key []byte
		for part := range strings.SplitSeq(line[2], "/") {
			key = append(binary.AppendUvarint(key, uint64(len(part))), part...)
		}
		truth[d.Key(line[1], key)] = line[0]
	}
	return truth
}
