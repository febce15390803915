package load

import (
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry"
)

// Report says what a load did. It holds counts and no personal data.
type Report struct {
	ID       uuid.UUID          `json:"id"`
	Name     string             `json:"name"`
	AsOf     string             `json:"as_of"`
	Policy   int                `json:"policy"`
	Again    bool               `json:"again,omitempty"` // everything had been loaded before
	Started  time.Time          `json:"started_at"`
	Seconds  float64            `json:"seconds"`
	Sources  map[string]*Triage `json:"sources"`
	Tally    registry.Tally     `json:"registry"`
	Rejected string             `json:"rejects_file,omitempty"`

	blocks int64
}

// Triage is what became of the records of one source before the registry saw them.
type Triage struct {
	Outcomes map[Outcome]int64 `json:"outcomes"` // valid, without_cpf, invalid_cpf, inconsistent
	Rejected map[string]int64  `json:"rejected"` // reason → records
	Dropped  map[string]int64  `json:"dropped"`  // reason → values left out of records that were taken
}

type counts struct {
	outcomes          map[Outcome]int64
	rejected, dropped map[string]int64
}

func newCounts() counts {
	return counts{map[Outcome]int64{}, map[string]int64{}, map[string]int64{}}
}

func newReport(job Job) *Report {
	return &Report{Name: job.Name, AsOf: job.AsOf.UTC().Format(time.DateOnly), Started: job.Now().UTC(), Sources: map[string]*Triage{}}
}

// add adds what one worker counted.
func (r *Report) add(source string, c counts) {
	t := r.Sources[source]
	if t == nil {
		t = &Triage{map[Outcome]int64{}, map[string]int64{}, map[string]int64{}}
		r.Sources[source] = t
	}
	addInto(t.Outcomes, c.outcomes)
	addInto(t.Rejected, c.rejected)
	addInto(t.Dropped, c.dropped)
}

func addInto[K comparable](into, from map[K]int64) {
	for k, n := range maps.All(from) {
		into[k] += n
	}
}

// Progress is how far a load has come.
type Progress struct {
	Filing  bool // the second phase
	Read    int64
	Size    int64 // bytes; -1: unknown
	Records int64 // accepted so far
	Filed   int64
	Rate    float64 // records a second in this phase
	Left    time.Duration
}

// watch calls Progress once a second until stop.
func (r *run) watch() (stop func()) {
	if r.Progress == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		phaseStart, filing := time.Now(), false
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				p := r.progress()
				if p.Filing && !filing {
					phaseStart, filing = time.Now(), true
				}
				p.estimate(time.Since(phaseStart))
				r.Progress(p)
			}
		}
	}()
	return func() { close(done); <-ended }
}

func (r *run) progress() Progress {
	p := Progress{Filing: r.phase.Load() == 1, Records: r.accepted.Load(), Filed: r.filed.Load()}
	for _, s := range r.Sources {
		p.Read += s.Input.Done()
		if size := s.Input.Size(); size < 0 || p.Size < 0 {
			p.Size = -1
		} else {
			p.Size += size
		}
	}
	return p
}

// estimate goes by the rate of the phase: the time left is that of this phase alone.
func (p *Progress) estimate(spent time.Duration) {
	done, of := float64(p.Read), float64(p.Size)
	p.Rate = float64(p.Records) / spent.Seconds()
	if p.Filing {
		done, of = float64(p.Filed), float64(p.Records)
		p.Rate = float64(p.Filed) / spent.Seconds()
	}
	if done > 0 && of >= done {
		p.Left = time.Duration(float64(spent) * (of - done) / done)
	}
}

// Read is how many records the files held, taken or not.
func (r *Report) Read() (n int64) {
	for _, t := range r.Sources {
		for _, records := range t.Outcomes {
			n += records
		}
	}
	return n
}
