package review

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
)

const (
	filePage  = 500 // people whose keys one transaction files
	judgePage = 100 // people whose candidates are looked up together
)

// Options of a run.
type Options struct {
	Limit   int64 // people to judge, at most; 0: all
	Workers int   // 0: one per processor
	Now     func() time.Time
	// Progress is called about once a second, from one goroutine; nil: nobody listens.
	Progress func(Report)
}

// Report counts what a run did.
type Report struct {
	Changed  int64 `json:"changed"`  // people new or changed since the last run
	Filed    int64 `json:"filed"`    // people whose keys were filed anew
	Judged   int64 `json:"judged"`   // people whose candidates were looked at
	Compared int64 `json:"compared"` // pairs
	Narrowed int64 `json:"narrowed"` // look-ups in blocks too large to compare all of them
	Looked   int64 `json:"looked"`   // pairs looked at there, by trigrams
	Cut      int64 `json:"cut"`      // pairs alike there that were passed over, because there were too many
	Wide     int64 `json:"wide"`     // blocks too large even for that, not looked into
	Merged   int64 `json:"merged"`   // joined by the machine
	Reviews  int64 `json:"reviews"`  // pairs put before a human
	Refused  int64 `json:"refused"`  // merges that the registry refused; they are among the reviews
	Left     int64 `json:"left"`     // people that wait for the next run
}

// run is a run under way.
type run struct {
	*Matcher
	Options
	db       *pg.Pool
	digester registry.Digester
	model    *match.Model
	changed  int64
	count    struct{ filed, judged, compared, narrowed, looked, cut, wide, merged, reviews, refused atomic.Int64 }
}

// Run looks at everybody who is new or changed since the last run: people without a document first.
// It joins those of whom a machine may be sure and puts before a human what else looks like one
// person. A run that was ended goes on with the next; of two at once, one waits for the other.
// Memory does not grow with the base.
func (m *Matcher) Run(ctx context.Context, db *pg.Pool, o Options) (Report, error) {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	r := &run{Matcher: m, Options: o, db: db}
	unlock, err := onlyRun(ctx, db)
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	if r.digester, err = m.store.Digester(ctx, db); err != nil {
		return Report{}, err
	}
	if r.model, err = m.forBase(ctx, db); err != nil {
		return Report{}, err
	}
	stop := r.watch()
	err = r.all(ctx)
	stop()
	report := r.report()
	if err == nil {
		report.Left, err = countTodo(ctx, db)
	}
	return report, err
}

// all goes on until nobody is left: who was joined is looked at again, for what the two records
// say together.
func (r *run) all(ctx context.Context) error {
	if err := r.noteChanged(ctx); err != nil {
		return err
	}
	for before := int64(-1); before != r.done() && !r.enough(); {
		before = r.done()
		if err := r.pages(ctx, filePage, r.fileNext, r.filePage); err != nil {
			return err
		}
		if err := r.narrow(ctx); err != nil {
			return err
		}
		for _, undocumented := range []bool{true, false} {
			next := func(ctx context.Context, after registry.PersonID, n int) ([]registry.PersonID, error) {
				return unjudged(ctx, r.db, undocumented, after, n)
			}
			if err := r.pages(ctx, judgePage, next, r.judgePage); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteChanged puts on the list who changed since the last run.
func (r *run) noteChanged(ctx context.Context) error {
	return pg.InTx(ctx, r.db, func(tx pg.Tx) error {
		since, err := progress(ctx, tx)
		if err != nil {
			return err
		}
		upto, err := horizon(ctx, tx)
		if err != nil {
			return err
		}
		if r.changed, err = noteChanged(ctx, tx, since); err != nil {
			return err
		}
		return setProgress(ctx, tx, upto)
	})
}

// done grows with everybody looked at.
func (r *run) done() int64 { return r.count.filed.Load() + r.count.judged.Load() }

func (r *run) enough() bool { return r.Limit > 0 && r.count.judged.Load() >= r.Limit }

// pages hands pages of people, in the order of their ids, to the workers.
func (r *run) pages(ctx context.Context, size int, next func(context.Context, registry.PersonID, int) ([]registry.PersonID, error),
	work func(context.Context, []registry.PersonID) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.Workers)
	var after registry.PersonID
	for !r.enough() && ctx.Err() == nil {
		page, err := next(ctx, after, size)
		if err != nil {
			_ = group.Wait() // the error of the database is the one to tell
			return err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1]
		group.Go(func() error { return work(ctx, page) })
	}
	return group.Wait()
}

func (r *run) fileNext(ctx context.Context, after registry.PersonID, n int) ([]registry.PersonID, error) {
	return unfiled(ctx, r.db, after, n)
}

func (r *run) filePage(ctx context.Context, page []registry.PersonID) error {
	if err := r.file(ctx, r.db, r.digester, page); err != nil {
		return err
	}
	r.count.filed.Add(int64(len(page)))
	return nil
}

// judgePage looks up the candidates of a page of people together, then decides about each.
func (r *run) judgePage(ctx context.Context, page []registry.PersonID) error {
	people, err := r.peopleOf(ctx, r.db, page)
	if err != nil {
		return err
	}
	subjects := make([]*subject, len(people))
	for i, k := range people {
		subjects[i] = prepare(r.digester, k)
	}
	slices.SortFunc(subjects, func(a, b *subject) int { return slices.Compare(a.ID[:], b.ID[:]) })
	beside, err := openReviews(ctx, r.db, page)
	if err != nil {
		return err
	}
	near, err := nearOf(ctx, r.db, page)
	if err != nil {
		return err
	}
	for _, s := range subjects {
		s.near = near[s.ID]
		for _, p := range beside {
			switch s.ID {
			case p.a:
				s.waiting = append(s.waiting, p.b)
			case p.b:
				s.waiting = append(s.waiting, p.a)
			}
		}
	}
	f, err := r.search(ctx, r.db, r.digester, subjects)
	if err != nil {
		return err
	}
	for i, s := range subjects {
		if err := r.judge(ctx, s, f.of[i]); err != nil {
			return err
		}
	}
	r.count.judged.Add(int64(len(page)))
	return judged(ctx, r.db, page)
}

func (r *run) report() Report {
	c := &r.count
	return Report{Changed: r.changed, Filed: c.filed.Load(), Judged: c.judged.Load(), Compared: c.compared.Load(), Wide: c.wide.Load(),
		Narrowed: c.narrowed.Load(), Looked: c.looked.Load(), Cut: c.cut.Load(), Merged: c.merged.Load(), Reviews: c.reviews.Load(), Refused: c.refused.Load()}
}

// watch tells the progress until stop is called.
func (r *run) watch() (stop func()) {
	if r.Progress == nil {
		return func() {}
	}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				r.Progress(r.report())
			case <-ended:
				return
			}
		}
	}()
	return func() { close(ended); <-done }
}
