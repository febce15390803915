package load

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

// chunkSize is how many records one transaction files: enough to make COPY and commit cheap, few
// enough that a kill loses little. A small load has smaller ones, so that nobody is left waiting for
// whoever files the last.
const (
	chunkSize     = 20_000
	smallestChunk = 4_000
	chunksAtLeast = 16
)

// chunkFor is the size of the chunks of so many records; the same for the same records, whoever loads.
func chunkFor(records int64) int {
	return int(min(max(records/chunksAtLeast, smallestChunk), chunkSize))
}

// layout names how records are cut into chunks. A load interrupted by a release that cut otherwise
// begins anew, as a load that looks for every record, and finds those filed before.
const layout = 3

// BulkLoader files chunks in a database. PostgreSQL's is registry.Bulk, by COPY; engines that
// distribute rows differ in just this: whether COPY freezes, what it costs to find many keys, when
// a transaction must be tried again. One serves one goroutine.
type BulkLoader interface {
	// File files a chunk whole or not at all, once however often it is called for a load.
	File(ctx context.Context, c registry.Chunk) (registry.Tally, error)
}

// Job is one load.
type Job struct {
	Sources []Source
	Name    string    // what was asked for, for the report
	AsOf    time.Time // since when a record is so that does not say it; a day
	Rejects string    // path of the file for what is rejected, see [keepRejects]; "" keeps none
	TempDir string    // for the buckets: about as much room as the files take unpacked
	Workers int       // 0: as many as there are processors
	Chunk   int       // how many records a transaction files, about; 0: up to 20,000
	Now     func() time.Time
	Actor   audit.Actor // who loads; the zero Actor is the program itself
	// Progress is called about once a second, from one goroutine; nil: nobody listens.
	Progress func(Progress)
	// NewLoader makes the loader of one worker; nil: PostgreSQL's.
	NewLoader func(ctx context.Context) (BulkLoader, error)
}

// Source is the files of one source.
type Source struct {
	Mapping *Mapping
	Input   *Input
}

// Run loads: it reads, sorts out and sorts the files' records, and files them chunk by chunk. Run
// again with the same files it goes on after the last chunk that was committed, and when all were,
// changes nothing. Loads of different sources run at once; of one source, one after another.
//
// Errors: of a file that cannot be read, of a source the policy does not name ([ErrNoSource]), of
// the database. What was committed stays.
func Run(ctx context.Context, db *pg.Pool, box *secret.Box, store *registry.Store, job Job) (*Report, error) {
	if db.Config().MaxConns <= heldConnections {
		return nil, errPool
	}
	if job.Workers == 0 {
		job.Workers = runtime.GOMAXPROCS(0)
	}
	if job.NewLoader == nil {
		job.NewLoader = func(ctx context.Context) (BulkLoader, error) { return store.NewBulk(ctx, db, job.Now) }
	}
	r := &run{Job: job, db: db, box: box, store: store, report: newReport(job), started: job.Now()}
	if err := r.checkSources(ctx); err != nil {
		return nil, err
	}
	unlock, err := lockSources(ctx, db, r.names)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return r.run(ctx)
}

// ErrNoSource: the policy does not name the source.
var ErrNoSource = errors.New("is no source of the policy")

type run struct {
	Job
	db      *pg.Pool
	box     *secret.Box
	store   *registry.Store
	names   []string
	spill   *spill
	report  *Report
	started time.Time

	mu       sync.Mutex
	sum      [2]uint64 // of what was read, in no order
	accepted atomic.Int64
	filed    atomic.Int64
	phase    atomic.Int32
}

func (r *run) checkSources(ctx context.Context) error {
	if len(r.box.IndexVersions()) > 1 {
		return registry.ErrRekeying
	}
	policy, err := r.store.Policy(ctx, r.db, r.Now())
	if err != nil {
		return err
	}
	for _, s := range r.Sources {
		if _, ok := policy.Source(s.Mapping.Source); !ok {
			return fmt.Errorf("%s %w, version %d", s.Mapping.Source, ErrNoSource, policy.Version)
		}
		r.names = append(r.names, s.Mapping.Source)
	}
	r.report.Policy = policy.Version
	return nil
}

func (r *run) run(ctx context.Context) (*Report, error) {
	var err error
	if r.spill, err = newSpill(r.TempDir); err != nil {
		return nil, err
	}
	defer func() { _ = r.spill.close() }()
	stop := r.watch()
	defer stop()
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	if r.Chunk == 0 {
		r.Chunk = chunkFor(r.accepted.Load())
	}
	r.phase.Store(1)
	load, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.file(ctx, load); err != nil {
		return nil, err
	}
	r.report.Seconds = r.Now().Sub(r.started).Seconds()
	return r.report, r.finish(ctx, load)
}

// read is the first phase: parse, sort out, spill.
func (r *run) read(ctx context.Context) error {
	digester, err := r.store.Digester(ctx, r.db)
	if err != nil {
		return err
	}
	var rejects *Rejects
	if r.Rejects != "" {
		if rejects, err = CreateRejects(partial(r.Rejects), Mark{}); err != nil {
			return err
		}
	}
	sorters := make([]*sorter, r.Workers)
	for n := range sorters {
		sorters[n] = &sorter{spill: r.spill}
	}
	for n, s := range r.Sources {
		if err := r.readSource(ctx, byte(n), s, digester, sorters, rejects); err != nil {
			return err
		}
	}
	for _, s := range sorters {
		if err := s.finish(); err != nil {
			return err
		}
	}
	if rejects == nil {
		return nil
	}
	if err := rejects.Close(); err != nil {
		return err
	}
	r.report.Rejected, err = keepRejects(r.Rejects)
	return err
}

// readSource has one goroutine cut the files into blocks and the workers parse them.
func (r *run) readSource(ctx context.Context, number byte, s Source, digester registry.Digester, sorters []*sorter, rejects *Rejects) error {
	group, ctx := errgroup.WithContext(ctx)
	blocks, spare := make(chan *Block, r.Workers), make(chan *Block, 2*r.Workers)
	for range cap(spare) {
		spare <- new(Block)
	}
	reader := s.Input.Reader(s.Mapping)
	defer func() { _ = reader.Close() }()
	group.Go(func() error {
		defer close(blocks)
		for {
			var b *Block
			select {
			case b = <-spare:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := reader.Next(b); err != nil {
				return unlessEOF(err)
			}
			select {
			case blocks <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	base := r.report.blocks
	for n := range r.Workers {
		group.Go(func() error {
			w := &reading{run: r, sorter: sorters[n], source: s.Mapping.Source, number: number, legal: s.Mapping.Kind == Organization,
				digester: digester, index: r.box.Indexer("cpf"), parser: NewParser(r.AsOf, r.Now()), counts: newCounts()}
			for b := range blocks {
				if err := w.parser.Parse(b, w.take, w.reject); err != nil {
					return err
				}
				if rejects != nil {
					if err := rejects.Write(base+b.Seq, &w.rejected); err != nil {
						return err
					}
				}
				r.countBlock(base + b.Seq + 1)
				spare <- b
			}
			w.finish()
			return nil
		})
	}
	return group.Wait()
}

func unlessEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (r *run) countBlock(n int64) {
	r.mu.Lock()
	r.report.blocks = max(r.report.blocks, n)
	r.mu.Unlock()
}

// reading is one worker of the first phase.
type reading struct {
	run      *run
	sorter   *sorter
	source   string
	number   byte
	legal    bool
	digester registry.Digester
	index    *secret.Indexer
	parser   *Parser
	rejected RejectBatch
	counts   counts
	sum      [2]uint64
	n        int64
	buf      [32]byte
}

func (w *reading) take(p *Parsed) error {
	w.counts.outcomes[p.Outcome]++
	for _, d := range p.Dropped {
		w.counts.dropped[d.Error()]++
	}
	in := registry.Incoming{Legal: w.legal, Source: w.source, Key: w.digester.Key(w.source, p.Key), Digest: w.digestOf(p),
		Line: int64(p.File.Index)<<40 | p.Line, Content: p.Content}
	if len(p.CPF) > 0 {
		in.Document = uuid.UUID(w.index.Sum(w.buf[:0], p.CPF)[:16])
	}
	w.sum[0] += uint64(in.Digest) ^ uint64(in.Key)*0x9e3779b97f4a7c15
	w.sum[1] += uint64(in.Digest)*0xbf58476d1ce4e5b9 ^ uint64(in.Line)
	if w.n++; w.n%4096 == 0 {
		w.run.accepted.Add(4096)
	}
	return w.sorter.add(&in, w.number)
}

// digestOf is what a record is known by when it comes again.
func (w *reading) digestOf(p *Parsed) int64 {
	if p.Dated {
		return w.digester.Content(p.Content)
	}
	return w.digester.Content(p.Content.Undated())
}

func (w *reading) reject(j *Reject) error {
	w.counts.outcomes[j.Outcome]++
	reason := string(j.Code)
	if j.Field.Valid() {
		reason = j.Field.String() + ": " + reason
	}
	w.counts.rejected[reason]++
	if w.run.Rejects != "" {
		w.rejected.Add(j)
	}
	return nil
}

func (w *reading) finish() {
	r := w.run
	r.accepted.Add(w.n % 4096)
	r.mu.Lock()
	r.report.add(w.source, w.counts)
	r.sum[0], r.sum[1] = r.sum[0]+w.sum[0], r.sum[1]+w.sum[1]
	r.mu.Unlock()
}

// digest names what was read: the same records of the same sources and day are the same load, in
// whatever files they came.
func (r *run) digest() []byte {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%d %d %s %s %d ", layout, r.Chunk, strings.Join(r.names, ","), r.AsOf.UTC().Format(time.DateOnly), r.accepted.Load())
	_ = binary.Write(h, binary.BigEndian, r.sum)
	return h.Sum(nil)
}

// file has the index of record keys away while the load is a first one, and there otherwise.
func (r *run) file(ctx context.Context, load started) error {
	if !load.fresh || load.finished {
		if err := registry.EnsureKeys(ctx, r.db); err != nil {
			return err
		}
		return r.fileAll(ctx, load)
	}
	done, abandon, err := registry.BeginFirst(ctx, r.db)
	if err != nil {
		return err
	}
	defer abandon()
	if err := r.fileAll(ctx, load); err != nil {
		return err
	}
	return done(ctx)
}

// fileAll is the second phase: each worker takes some buckets at a time, sorts and files them.
func (r *run) fileAll(ctx context.Context, load started) error {
	if load.finished {
		r.report.Again = true
	}
	group, ctx := errgroup.WithContext(ctx)
	runs := r.spill.runs(r.Chunk)
	var next atomic.Int32
	for range max(1, min(filers(r.Workers), int(r.db.Config().MaxConns)-heldConnections-1)) {
		loader, err := r.NewLoader(ctx)
		if err != nil {
			return err
		}
		group.Go(func() error {
			var b bucket
			for n := int(next.Add(1)) - 1; n < len(runs); n = int(next.Add(1)) - 1 {
				if err := r.spill.read(runs[n], &b, r.names); err != nil {
					return err
				}
				if err := r.fileRun(ctx, loader, load, runs[n].first, b.records); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// filers is how many file at once. Each keeps one processor busy, by turns its own and PostgreSQL's
// work; half as many again fill the moments when both wait for the disk, and more cost switching.
func filers(workers int) int { return workers + (workers+1)/2 }

// Connections is how many connections a load with so many workers uses at once.
func Connections(workers int) int32 { return int32(filers(workers) + heldConnections + 1) }

// heldConnections keep the load's locks from its beginning to its end.
const heldConnections = 2

// errPool: a load that held its locks and had nothing left to work with would wait for itself.
var errPool = fmt.Errorf("a load needs a pool of at least %d connections", heldConnections+1)

// fileRun files the records of some buckets. A chunk's number is the same whoever files it and
// however often, since the buckets are those of the same records.
func (r *run) fileRun(ctx context.Context, loader BulkLoader, load started, n int, records []registry.Incoming) error {
	for number := n << 16; len(records) > 0; number++ {
		size := min(r.Chunk, len(records))
		if len(records) < r.Chunk*3/2 {
			size = len(records) // no crumbs
		}
		for size < len(records) && samePerson(&records[size-1], &records[size]) {
			size++
		}
		tally, err := loader.File(ctx, registry.Chunk{Load: load.id, Number: number, Fresh: load.fresh, Records: records[:size]})
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.report.Tally.Add(tally)
		r.mu.Unlock()
		r.filed.Add(int64(size))
		records = records[size:]
	}
	return nil
}

// samePerson says whether two neighbours must be filed together.
func samePerson(a, b *registry.Incoming) bool {
	if a.Document != uuid.Nil || b.Document != uuid.Nil {
		return a.Document == b.Document
	}
	return a.Key == b.Key
}

// started is the row of a load.
type started struct {
	id              uuid.UUID
	fresh, finished bool
}

func (r *run) begin(ctx context.Context) (s started, err error) {
	err = pg.InTx(ctx, r.db, func(tx pg.Tx) error {
		s, err = beginLoad(ctx, tx, r.names, r.Name, r.digest(), r.AsOf, r.report.Policy, r.Now())
		if err != nil {
			return err
		}
		return r.auditBegin(ctx, tx, s)
	})
	r.report.ID = s.id
	return s, err
}
