package generate

import (
	"context"
	"io"
	"math"
	"sync"
)

// job is one chunk to be made. The queue holds them in the order of the file; done has the chunk
// when a worker is through with it.
type job struct {
	number uint64
	done   chan *chunk
}

// run writes everything to out, in the order of the households whoever makes them.
func (p plan) run(ctx context.Context, out [outputs]io.Writer) (rep Report, err error) {
	making, stop := context.WithCancel(ctx)
	spare := sync.Pool{New: func() any { return new(chunk) }}
	jobs, queue := make(chan job), make(chan job, 2*p.workers)
	var workers sync.WaitGroup
	for range p.workers {
		workers.Go(func() { p.work(jobs, &spare) })
	}
	workers.Go(func() { p.number(making, jobs, queue) })
	rep.Source = map[string]int64{}
	for j := range queue {
		c := <-j.done
		if left := p.records - rep.Records; c.total > left { // the last one: once more, up to here
			newWriter(p).fill(c, j.number*perChunk, (j.number+1)*perChunk, left)
		}
		if err = p.deliver(c, out, &rep); err != nil || rep.Records == p.records {
			break
		}
		spare.Put(c)
	}
	stop()
	for range queue { // whoever numbers the jobs may be waiting
	}
	workers.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return rep, err
}

// work makes chunks until there are no more jobs.
func (p plan) work(jobs <-chan job, spare *sync.Pool) {
	w := newWriter(p)
	for j := range jobs {
		c := spare.Get().(*chunk)
		w.fill(c, j.number*perChunk, min((j.number+1)*perChunk, p.until), math.MaxInt64)
		j.done <- c
	}
}

// number hands out the chunks in their order; the queue's length is how far workers may be ahead.
func (p plan) number(ctx context.Context, jobs, queue chan<- job) {
	defer close(jobs)
	defer close(queue)
	for k := uint64(0); k*perChunk < p.until; k++ {
		j := job{k, make(chan *chunk, 1)}
		select {
		case queue <- j:
			jobs <- j
		case <-ctx.Done():
			return
		}
	}
}
