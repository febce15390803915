package load_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/generate"
	"github.com/loginunico/loginunico/registry/load"
)

// The process that is killed is this test binary once more: it loads the files of a directory into a
// database, says "reading", "filing" and a line for every chunk it has committed, and ends.
const (
	victimDatabase = "LOGINUNICO_TEST_LOAD_DATABASE"
	victimFiles    = "LOGINUNICO_TEST_LOAD_FILES"
)

func TestMain(m *testing.M) {
	if at := os.Getenv(victimDatabase); at != "" {
		if err := beVictim(at, os.Getenv(victimFiles)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func beVictim(at, dir string) error {
	ctx := context.Background()
	db, err := pg.Open(ctx, at, 6)
	if err != nil {
		return err
	}
	box, err := secret.Open(ctx, db, secret.KEK{})
	if err != nil {
		return err
	}
	store := registry.NewStore(box)
	job, err := jobOf(dir, demo.Sources())
	if err != nil {
		return err
	}
	job.TempDir, job.Rejects = dir, filepath.Join(dir, "rejects.txt")
	job.NewLoader = func(ctx context.Context) (load.BulkLoader, error) {
		bulk, err := store.NewBulk(ctx, db, time.Now)
		return telling{bulk}, err
	}
	fmt.Println("reading")
	_, err = load.Run(ctx, db, box, store, job)
	return err
}

// telling says what it has done.
type telling struct{ *registry.Bulk }

func (l telling) File(ctx context.Context, c registry.Chunk) (registry.Tally, error) {
	t, err := l.Bulk.File(ctx, c)
	fmt.Println("filed")
	return t, err
}

func jobOf(dir string, sources []string) (job load.Job, err error) {
	job = load.Job{Name: "test", AsOf: today, Now: time.Now, Workers: 2, Chunk: 8}
	for _, name := range sources {
		m, err := load.ParseMapping(name, demo.Mapping(name))
		if err != nil {
			return job, err
		}
		in, err := load.Open(filepath.Join(dir, name+".csv"), nil)
		if err != nil {
			return job, err
		}
		job.Sources = append(job.Sources, load.Source{Mapping: m, Input: in})
	}
	return job, nil
}

// victim runs the load in a process of its own and kills it as it says the n-th line, or a moment
// after; it reports whether the process had ended before.
func (w *town) victim(lines int, after time.Duration) (ended bool) {
	w.t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimDatabase+"="+w.db.Config().ConnString(), victimFiles+"="+w.dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	w.must(err)
	w.must(cmd.Start())
	said := bufio.NewScanner(out)
	n := 0
	for n < lines && said.Scan() {
		n++
	}
	if n == lines {
		<-time.After(after) // a random moment of what follows
		w.must(cmd.Process.Kill())
	}
	err = cmd.Wait()
	killed := cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled()
	if err != nil && !killed {
		w.t.Fatal(err)
	}
	return !killed
}

func TestALoadKilledAnywhereGoesOnToTheSameEnd(t *testing.T) {
	t.Parallel()

	options := generate.Options{Records: 2500, Seed: 7}
	undisturbed := newTown(t, options)
	report := undisturbed.again()
	want, rejects := undisturbed.picture(), undisturbed.rejects()
	if len(want) < 500 || strings.Count(rejects, "\n") < 10 {
		t.Fatalf("%d people, rejects:\n%s", len(want), rejects)
	}
	var kills atomic.Int32
	t.Run("towns", func(t *testing.T) {
		for n := range 2 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				w := twin(t, undisturbed)
				kills.Add(w.disturb(rand.New(rand.NewPCG(uint64(n), 17))))
				last := w.again()
				w.whole()
				alike(t, "killed and gone on with", want, w.picture())
				if got, want := fmt.Sprintf("%+v", last.Tally), fmt.Sprintf("%+v", report.Tally); got != want {
					t.Errorf("counted %s\nwant    %s", got, want)
				}
				for _, table := range []string{"person", "cpf_index", "source_record", "first_record", "pending_value", "registry_load", "registry_load_chunk"} {
					if got, want := w.count(`SELECT count(*) FROM `+table), undisturbed.count(`SELECT count(*) FROM `+table); got != want {
						t.Errorf("%s: %d rows, want %d", table, got, want)
					}
				}
				if got := w.rejects(); got != rejects {
					t.Errorf("rejects\n%s\nwant\n%s", got, rejects)
				}
			})
		}
	})
	if n := kills.Load(); n < 20 {
		t.Errorf("only %d processes were killed", n)
	}
}

// disturb kills a dozen processes that load the town's files, some while they read.
func (w *town) disturb(r *rand.Rand) (kills int32) {
	w.t.Helper()
	for n := range 12 {
		lines := 1
		if r.IntN(5) > 0 {
			lines += r.IntN(22 * (n + 1)) // of about 250 chunks; those committed before are soon said
		}
		if w.victim(lines, time.Duration(r.IntN(20_000))*time.Microsecond) {
			break // nothing was left to do
		}
		kills++
		left, err := filepath.Glob(filepath.Join(w.dir, ".loginunico*"))
		w.must(err)
		for _, name := range left { // one made in its last instant has nothing in it
			if info, err := os.Stat(name); err != nil || info.Size() > 0 {
				w.t.Errorf("the killed left %s, %v", name, err)
			}
		}
	}
	return kills
}

// again loads the town's files, or goes on loading them.
func (w *town) again() *load.Report {
	w.t.Helper()
	job, err := jobOf(w.dir, demo.Sources())
	w.must(err)
	job.TempDir, job.Rejects = w.dir, filepath.Join(w.dir, "rejects.txt")
	return w.run(job)
}

func (w *town) rejects() string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "rejects.txt"))
	w.must(err)
	return strings.ReplaceAll(string(text), w.dir, "")
}

// twin is a town with the same files and keys, so that all comes to lie in the same chunks and what
// only a digest orders has the same order; nothing is loaded.
func twin(t *testing.T, of *town) *town {
	t.Helper()
	w := &town{t: t, db: testpg.New(t), dir: t.TempDir()}
	for _, table := range []string{"data_key", "registry_key"} {
		var copied bytes.Buffer
		from, err := of.db.Acquire(t.Context())
		w.must(err)
		_, err = from.Conn().PgConn().CopyTo(t.Context(), &copied, `COPY `+table+` TO STDOUT`)
		w.must(err)
		from.Release()
		into, err := w.db.Acquire(t.Context())
		w.must(err)
		_, err = into.Conn().PgConn().CopyFrom(t.Context(), &copied, `COPY `+table+` FROM STDIN`)
		w.must(err)
		into.Release()
	}
	var err error
	w.box, err = secret.Open(t.Context(), w.db, secret.KEK{})
	w.must(err)
	w.store = registry.NewStore(w.box)
	for _, name := range demo.Sources() {
		w.must(os.Link(filepath.Join(of.dir, name+".csv"), filepath.Join(w.dir, name+".csv")))
	}
	return w
}

// A first load is quick because nobody need be looked up by key. Gone on with after another load of
// its source, it must look.
func TestAFirstLoadGoneOnWithAfterAnotherSeesWhatThatFiled(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(18, 156))
	all := deliveries(r, 1, 60)
	first := delivery{"saude", all[0].text}
	second := delivery{"saude", strings.NewReplacer("Lima", "Reis", ";20", ";19").Replace(first.text)} // an older one
	want := base(t)
	for _, d := range []delivery{first, second} {
		want.run(want.delivered(d))
	}
	w := base(t)
	job := w.delivered(first)
	broken := fmt.Errorf("the cable")
	var filed atomic.Int32
	job.NewLoader = func(ctx context.Context) (load.BulkLoader, error) {
		bulk, err := w.store.NewBulk(ctx, w.db, time.Now)
		return failing{bulk, &filed, broken}, err
	}
	if _, err := load.Run(t.Context(), w.db, w.box, w.store, job); err == nil {
		t.Fatal("the load went to its end")
	}
	w.run(w.delivered(second))
	w.run(w.delivered(first))
	w.whole()
	alike(t, "another load between", want.picture(), w.picture())
}

// failing fails after a few chunks.
type failing struct {
	*registry.Bulk
	filed *atomic.Int32
	err   error
}

func (l failing) File(ctx context.Context, c registry.Chunk) (registry.Tally, error) {
	if l.filed.Add(1) > 10 {
		return registry.Tally{}, l.err
	}
	return l.Bulk.File(ctx, c)
}
