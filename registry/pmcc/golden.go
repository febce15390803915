package pmcc

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry/record"
)

// Record is one stored record of a source, as the computation sees it.
type Record struct {
	ID      uuid.UUID // UUIDv7: later versions of one record are larger
	Source  string
	Key     int64 // digest of the source's own key; equal for the versions of one record
	Content record.Content
}

// Received is when the record came in.
func (r Record) Received() time.Time { return record.TimeOf(r.ID) }

// Action is what a human decided about one field of one person.
type Action string

// The actions. Set and Remove hold until a later one; Approve and Refuse answer a [Pending].
const (
	Set     Action = "set"
	Remove  Action = "remove"
	Release Action = "release" // ends a Set or Remove: the policy decides again
	Approve Action = "approve"
	Refuse  Action = "refuse"
)

// Override is one decision of a human; of several about one field the largest ID counts.
type Override struct {
	ID     uuid.UUID
	Action Action
	Field  record.Field
	Key    string
	Text   string    // Set
	Record uuid.UUID // Approve, Refuse: the record that waits
}

// Value is a current value and what let it in.
type Value struct {
	Field      record.Field
	Key, Text  []byte
	Record     int   // place among the records; Manual for an override
	Rule       int   // number in [Policy.Rules]; meaningless for Manual
	Confidence int   // 0 to 100
	Confirmed  int64 // seconds since 1970; 0: not
	Effective  int64 // seconds since 1970
}

// Manual stands in Value.Record for a value a human set.
const Manual = -1

// Pending is a value that waits for a human.
type Pending struct {
	Field     record.Field
	Key, Text []byte
	Record    int
	Rule      int
}

// Refusal is a value that did not enter, and why: no_right, unknown_source, level, lost (another
// value wins), pending, refused_by_human, or the code of a refusal of the policy.
type Refusal struct {
	Field  record.Field
	Record int
	Code   string
}

// Golden is what the registry holds of one person. Its slices belong to the computer that made it
// and last until its next computation; keys and texts lie in the records' contents.
type Golden struct {
	Values    []Value // by field and key
	Declared  []Value // what the citizen says of themselves, whatever the policy makes of it
	Pending   []Pending
	Refused   []Refusal
	Conflicts []record.Field // two sources disagree
}

// Computer applies a policy. It keeps its working memory between computations and serves one
// goroutine.
type Computer struct {
	policy *Policy
	golden Golden

	order      []int // standing records by source, key, effective date
	heads      []recordHead
	candidates []candidate
	first      [record.Fields]int32 // field → its candidates
	witness    []int32              // source → the run of values it last spoke for, see [Computer.speaksAnew]
	run        int32
	citizen    bool  // some record is the citizen's own, or what they brought from gov.br
	dayNumber  int64 // since 1970, of the record before, and its text
	today      string
}

type recordHead struct {
	source    int
	level     uint8
	effective int64
	day       string // of receipt, for after_today
}

type candidate struct {
	record.Value
	rec  int32
	next int32
}

// NewComputer applies p.
func NewComputer(p *Policy) *Computer {
	return &Computer{policy: p, witness: make([]int32, len(p.Sources))}
}

// Compute decides the values of one person. Error: record.ErrContent.
func (c *Computer) Compute(records []Record, overrides []Override) (*Golden, error) {
	records = c.standing(records)
	c.reset(len(records))
	if err := c.read(records); err != nil {
		return nil, err
	}
	c.withdraw(records)
	for f := 1; f < len(c.first); f++ {
		if c.first[f] >= 0 {
			c.decide(record.Field(f), records, overrides)
		}
	}
	c.override(overrides)
	return &c.golden, nil
}

// standing leaves out the versions of a record that a later one made void. The rest keep their
// places only where nothing was left out, so void versions are blanked, not removed.
func (c *Computer) standing(records []Record) []Record {
	void := false
	for i := range records { // a hundred bytes each, not copied
		void = void || records[i].Content.IsVoid()
	}
	if !void {
		return records
	}
	all := slices.Clone(records)
	for i := range all {
		for j := range records {
			if v := &records[j]; v.Content.IsVoid() && v.Source == all[i].Source && v.Key == all[i].Key && bytes.Compare(all[i].ID[:], v.ID[:]) < 0 {
				all[i].Content = v.Content // no values
			}
		}
	}
	return all
}

func (c *Computer) reset(n int) {
	g := &c.golden
	g.Values, g.Declared, g.Pending, g.Refused, g.Conflicts = g.Values[:0], g.Declared[:0], g.Pending[:0], g.Refused[:0], g.Conflicts[:0]
	c.candidates, c.citizen = c.candidates[:0], false
	c.heads = slices.Grow(c.heads[:0], n)[:n]
	for i := range c.first {
		c.first[i] = -1
	}
}

// read takes every value of every record into the chain of its field.
func (c *Computer) read(records []Record) error {
	for i := range records {
		head, values, err := records[i].Content.Open()
		if err != nil {
			return err
		}
		c.citizen = c.citizen || records[i].Source == SourceSelf || records[i].Source == SourceGovBR
		c.heads[i] = recordHead{source: c.policy.source(records[i].Source), level: uint8(head.Level), effective: head.Effective}
		for {
			c.candidates = append(c.candidates, candidate{rec: int32(i)})
			at := len(c.candidates) - 1
			last := &c.candidates[at]
			if !values.Into(&last.Value) {
				c.candidates = c.candidates[:at]
				break
			}
			last.next = c.first[last.Field]
			c.first[last.Field] = int32(at)
		}
		if err := values.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Computer) add(v record.Value, rec int) {
	c.candidates = append(c.candidates, candidate{Value: v, rec: int32(rec), next: c.first[v.Field]})
	c.first[v.Field] = int32(len(c.candidates) - 1)
}

// withdraw lets a newer version of a record take away what only its older one had.
func (c *Computer) withdraw(records []Record) {
	if len(records) < 2 {
		return
	}
	c.order = c.order[:0]
	for i := range records {
		if !records[i].Content.IsVoid() { // it takes nothing away from versions that came after it
			c.order = append(c.order, i)
		}
	}
	slices.SortFunc(c.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(c.heads[a].source, c.heads[b].source), cmp.Compare(records[a].Key, records[b].Key),
			cmp.Compare(c.heads[a].effective, c.heads[b].effective), bytes.Compare(records[a].ID[:], records[b].ID[:]))
	})
	for i := 1; i < len(c.order); i++ {
		older, newer := c.order[i-1], c.order[i]
		if c.heads[older].source == c.heads[newer].source && records[older].Key == records[newer].Key && records[older].Source == records[newer].Source {
			c.withdrawn(records, older, newer)
		}
	}
}

func (c *Computer) withdrawn(records []Record, older, newer int) {
	_, was, _ := records[older].Content.Open() // read before without an error
	for v, ok := was.Next(); ok; v, ok = was.Next() {
		if !v.Excluded && !holds(records[newer].Content, v.Field, v.Key) {
			c.add(record.Value{Field: v.Field, Key: v.Key, Excluded: true}, newer)
		}
	}
}

func holds(content record.Content, f record.Field, key []byte) bool {
	_, values, _ := content.Open()
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		if v.Field == f && bytes.Equal(v.Key, key) {
			return true
		}
	}
	return false
}
