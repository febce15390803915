package generate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
)

// Options say what to invent.
type Options struct {
	Records int64    // of all sources together; at least 1
	Seed    uint64   // same seed, same files
	Sources []string // names; empty is all. The others count, but are not written
	Gzip    bool     // each file as FILE.csv.gz
	Truth   bool     // truth.csv too
	Delta   float64  // 0: first delivery; else per cent of its people in a second one
	Workers int      // 0: one for each processor
}

// Report counts what was written.
type Report struct {
	Records int64            // of all sources, those not written among them
	People  int64            // behind them
	Source  map[string]int64 // records of each source
	Bytes   int64
}

// ErrOptions says what is wrong with the options.
var ErrOptions = errors.New("generate")

// recordsPerHousehold is the mean of what a household leaves; TestProportions holds it.
const recordsPerHousehold = 5.3205

// absent: the person is not in this delivery.
const absent news = 255

// plan is a run: options made ready.
type plan struct {
	world
	wanted  [outputs]bool
	gzip    bool
	records int64 // at most
	until   uint64
	old     uint64 // delta: households before are of the first delivery
	fresh   uint64 // delta: households from here to until are new
	delta   float64
	workers int
}

func (o Options) plan() (p plan, err error) {
	if o.Records < 1 || o.Records > 500_000_000 {
		return p, fmt.Errorf("%w: records: 1 to 500 million, not %d", ErrOptions, o.Records)
	}
	if o.Delta < 0 || o.Delta > 100 || math.IsNaN(o.Delta) {
		return p, fmt.Errorf("%w: delta: 0 to 100 per cent, not %g", ErrOptions, o.Delta)
	}
	p = plan{world: newWorld(o.Seed), gzip: o.Gzip, records: o.Records, delta: o.Delta, workers: o.Workers}
	for _, name := range o.Sources {
		i := slices.IndexFunc(sources, func(s *source) bool { return s.name == name })
		if i < 0 {
			return p, fmt.Errorf("%w: source %q: there are %v", ErrOptions, name, Names())
		}
		p.wanted[i] = true
	}
	for i := range sources {
		p.wanted[i] = p.wanted[i] || len(o.Sources) == 0
	}
	p.wanted[truthFile] = o.Truth
	if p.workers <= 0 {
		p.workers = runtime.GOMAXPROCS(0)
	}
	p.span()
	return p, nil
}

// span is the households there are. A first delivery ends where it has its records, which is well
// before the last of them; a second one keeps away from where that may have been.
func (p *plan) span() {
	mean := float64(p.records) / recordsPerHousehold
	slack := 4*math.Sqrt(mean) + 4
	p.until = uint64(mean*1.05 + slack)
	if p.delta > 0 {
		p.old = uint64(max(mean-slack, 1))
		p.fresh = uint64(mean + slack)
		p.until = p.fresh + uint64(math.Ceil(mean*p.delta/100*0.02))
		p.records = math.MaxInt64
	}
}

// newsOf is what a second delivery says of each of a household; false: nothing at all.
func (p *plan) newsOf(h uint64, news *[household]news) (any bool) {
	if h >= p.old {
		return h >= p.fresh // newcomers come whole, as in a first delivery
	}
	for i := range news {
		r := mixed(p.seed, h*household+uint64(i), 'A')
		news[i] = absent
		if float64(r.below(1_000_000)) >= p.delta*10_000 {
			continue
		}
		any = true
		switch k := r.below(100); {
		case k < 50:
			news[i] = nothing
		case k < 87:
			news[i] = seen
		case k < 97:
			news[i] = moved
		default:
			news[i] = died
		}
	}
	return any
}

// deliver writes a chunk to the files and counts it.
func (p plan) deliver(c *chunk, out [outputs]io.Writer, rep *Report) error {
	for i, b := range c.out {
		if out[i] == nil || len(b) == 0 {
			continue
		}
		n, err := out[i].Write(b)
		rep.Bytes += int64(n)
		if err != nil {
			return err
		}
	}
	rep.Records += c.total
	rep.People += c.people
	for i, n := range c.records {
		rep.Source[sources[i].name] += n
	}
	return nil
}
