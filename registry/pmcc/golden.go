package pmcc

import (
	"bytes"
	"cmp"
	"math"
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
	if !slices.ContainsFunc(records, func(r Record) bool { return r.Content.IsVoid() }) {
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
	c.candidates = c.candidates[:0]
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

// decide sorts the candidates of one field and lets them happen, key by key.
func (c *Computer) decide(f record.Field, records []Record, overrides []Override) {
	var few [16]int32
	chain := few[:0]
	for at := c.first[f]; at >= 0; at = c.candidates[at].next {
		chain = append(chain, at)
	}
	fp := c.policy.fields[f]
	if fp == nil {
		fp = c.policy.silent
	}
	if len(chain) > 1 {
		slices.SortFunc(chain, func(a, b int32) int { return c.before(fp, records, a, b) })
	}
	for start := 0; start < len(chain); {
		end := start + 1
		for end < len(chain) && bytes.Equal(c.candidates[chain[end]].Key, c.candidates[chain[start]].Key) {
			end++
		}
		c.happen(f, fp, chain[start:end], records, overrides)
		c.declare(chain[start:end], records)
		start = end
	}
}

// before orders candidates: by key, effective date, the weaker source first, so that of one day the
// stronger has the last word. Of two versions of one record the later delivery follows, and of what
// a citizen says in one second the later word. The order of arrival of other records never counts.
func (c *Computer) before(fp *fieldPolicy, records []Record, a, b int32) int {
	x, y := &c.candidates[a], &c.candidates[b]
	hx, hy := &c.heads[x.rec], &c.heads[y.rec]
	rx, ry := &records[x.rec], &records[y.rec]
	if n := bytes.Compare(x.Key, y.Key); n != 0 {
		return n
	}
	if hx.effective != hy.effective { // most are told apart here
		return cmp.Compare(hx.effective, hy.effective)
	}
	of := cmp.Or(cmp.Compare(fp.rankOf(hy.source), fp.rankOf(hx.source)), cmp.Compare(rx.Source, ry.Source))
	if of == 0 && rx.Source != SourceSelf { // each word of a citizen is a record with a key of its own
		of = cmp.Compare(rx.Key, ry.Key)
	}
	return cmp.Or(of, bytes.Compare(rx.ID[:], ry.ID[:]), cmp.Compare(a, b))
}

func (f *fieldPolicy) rankOf(source int) int {
	if source < 0 {
		return math.MaxInt32
	}
	return f.rank[source]
}

// happen lets the candidates of one field and key take effect one after another.
func (c *Computer) happen(f record.Field, fp *fieldPolicy, chain []int32, records []Record, overrides []Override) {
	var current Value
	has, held, conflict := false, false, false // held: by the word of a human
	for i, at := range chain {
		cand := &c.candidates[at]
		head := &c.heads[cand.rec]
		if head.source < 0 {
			c.refuse(f, cand.rec, "unknown_source")
			continue
		}
		if cand.Excluded {
			if has && c.mayExclude(fp, cand, head, current.Record) {
				has = false
			}
			continue
		}
		if code := fp.refused(cand.Text, c.day(head, records, cand.rec)); code != "" {
			c.refuse(f, cand.rec, code)
			continue
		}
		if has && c.same(f, current.Text, cand.Text) {
			c.corroborate(fp, &current, cand, head, records)
			continue
		}
		if has && current.Record >= 0 && c.heads[current.Record].source != head.source {
			conflict = true
		}
		right, code := c.right(fp, has, &current, head)
		if code == "" && right.human {
			code = c.human(right, chain[:i+1], records, overrides)
		}
		if code == "" && has && !right.human && (held && c.repeats(chain[:i+1]) || !c.wins(fp, &current, head)) {
			code = "lost"
		}
		if code != "" {
			c.refuse(f, cand.rec, code)
			continue
		}
		current, has, held = c.value(f, cand, head, right), true, right.human
		c.run++
		c.witness[head.source] = c.run
	}
	if conflict {
		c.golden.Conflicts = append(c.golden.Conflicts, f)
	}
	if has {
		c.golden.Values = append(c.golden.Values, current)
	}
}

// day is computed only where a refusal asks for it.
func (c *Computer) day(head *recordHead, records []Record, rec int32) string {
	if head.day == "" {
		received := records[rec].Received()
		if day := received.Unix() / (24 * 60 * 60); day != c.dayNumber || c.today == "" {
			c.dayNumber, c.today = day, Today(received)
		}
		head.day = c.today
	}
	return head.day
}

func (c *Computer) same(f record.Field, a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	switch f {
	case record.Name, record.MotherName, record.FatherName, record.SocialName:
		return record.SameText(a, b)
	}
	return false
}

// right finds what lets a candidate in. A source that may include may also correct itself, unless
// the policy gives it a right to change with conditions of its own.
func (c *Computer) right(fp *fieldPolicy, has bool, current *Value, head *recordHead) (right, string) {
	op := Include
	if has {
		op = Change
	}
	r := fp.rights[op][head.source]
	if has && !r.allowed && c.heads[current.Record].source == head.source {
		r = fp.rights[Include][head.source]
	}
	switch {
	case !r.allowed:
		return r, "no_right"
	case head.level < r.minLevel:
		return r, "level"
	}
	return r, ""
}

// human looks for the answer that a right of the last of a chain may want. An answer holds for the
// value, however often its source says it again; a value without an answer is pending, once.
func (c *Computer) human(r right, chain []int32, records []Record, overrides []Override) string {
	cand := &c.candidates[chain[len(chain)-1]]
	answer, asked := c.answer(cand, cand.rec, records, overrides), false
	for _, at := range chain[:len(chain)-1] {
		if answer == "" && c.says(at, cand) {
			answer, asked = c.answer(cand, c.candidates[at].rec, records, overrides), true
		}
	}
	switch answer {
	case Approve:
		return ""
	case Refuse:
		return "refused_by_human"
	}
	if !asked || !c.waits(cand) {
		c.golden.Pending = append(c.golden.Pending, Pending{Field: cand.Field, Key: cand.Key, Text: cand.Text, Record: int(cand.rec), Rule: int(r.rule)})
	}
	return "pending"
}

// answer is the latest to a candidate's field of a record; "" when nobody answered.
func (c *Computer) answer(cand *candidate, rec int32, records []Record, overrides []Override) (answer Action) {
	var last uuid.UUID
	for i := range overrides {
		o := &overrides[i]
		if o.Record == records[rec].ID && o.Field == cand.Field && o.Key == string(cand.Key) && (o.Action == Approve || o.Action == Refuse) &&
			bytes.Compare(o.ID[:], last[:]) >= 0 {
			answer, last = o.Action, o.ID
		}
	}
	return answer
}

// says whether a candidate is the same word of the same source as another.
func (c *Computer) says(at int32, cand *candidate) bool {
	earlier := &c.candidates[at]
	return !earlier.Excluded && c.heads[earlier.rec].source == c.heads[cand.rec].source && c.same(cand.Field, earlier.Text, cand.Text)
}

// waits says whether the same word of the same source waits already.
func (c *Computer) waits(cand *candidate) bool {
	return slices.ContainsFunc(c.golden.Pending, func(p Pending) bool {
		return p.Field == cand.Field && bytes.Equal(p.Key, cand.Key) && c.heads[p.Record].source == c.heads[cand.rec].source && c.same(p.Field, p.Text, cand.Text)
	})
}

// repeats says whether the last of a chain is what its source had said before: no reason to put it
// in place of what a human approved knowing it.
func (c *Computer) repeats(chain []int32) bool {
	last := &c.candidates[chain[len(chain)-1]]
	return slices.ContainsFunc(chain[:len(chain)-1], func(at int32) bool { return c.says(at, last) })
}

func (c *Computer) wins(fp *fieldPolicy, current *Value, head *recordHead) bool {
	holder := c.heads[current.Record].source
	switch fp.wins {
	case ByNewest:
		return true // candidates come in the order of their dates, of one date the stronger last
	case ByConfidence:
		return c.policy.Sources[head.source].Confidence >= current.Confidence
	}
	return fp.rank[head.source] <= fp.rank[holder]
}

func (c *Computer) mayExclude(fp *fieldPolicy, cand *candidate, head *recordHead, holder int) bool {
	r := fp.rights[Exclude][head.source]
	if !r.allowed || head.level < r.minLevel {
		return false
	}
	if c.heads[holder].source == head.source {
		return true // its own
	}
	change := fp.rights[Change][head.source] // to take away what another gave is to change it
	return change.allowed && !change.human && head.level >= change.minLevel && fp.rank[head.source] <= fp.rank[c.heads[holder].source]
}

func (c *Computer) value(f record.Field, cand *candidate, head *recordHead, r right) Value {
	return Value{Field: f, Key: cand.Key, Text: cand.Text, Record: int(cand.rec), Rule: int(r.rule),
		Confidence: c.policy.Sources[head.source].Confidence, Confirmed: cand.Confirmed, Effective: head.effective}
}

// corroborate raises the confidence of a value another source also gives, as of independent
// witnesses, and names the stronger source as its origin. Of two spellings the one with its accents
// stays, whoever wrote it, as long as the city knows who did.
func (c *Computer) corroborate(fp *fieldPolicy, current *Value, cand *candidate, head *recordHead, records []Record) {
	current.Confirmed = max(current.Confirmed, cand.Confirmed)
	holder := c.heads[current.Record].source
	if holder == head.source {
		return
	}
	text := current.Text
	if len(cand.Text) > len(text) && (head.level == 0 || head.level >= trustedSpelling) { // they differ in case and accents at most
		text = cand.Text
	}
	confidence := current.Confidence
	if c.speaksAnew(head.source) {
		confidence = min(confidence+(100-confidence)*c.policy.Sources[head.source].Confidence/100, 99)
	}
	if r := fp.rights[Change][head.source]; r.allowed && !r.human && head.level >= r.minLevel && fp.rank[head.source] < fp.rank[holder] {
		confirmed := current.Confirmed
		*current = c.value(current.Field, cand, head, r)
		current.Confirmed = confirmed
	}
	current.Confidence, current.Text = confidence, text
}

// trustedSpelling is the trust level from which a citizen's spelling of a name the city has counts.
const trustedSpelling = 3

// speaksAnew says whether a source has not yet spoken for the current value, and notes that it has:
// a source that delivers again is no second witness.
func (c *Computer) speaksAnew(source int) bool {
	anew := c.witness[source] != c.run
	c.witness[source] = c.run
	return anew
}

func (c *Computer) refuse(f record.Field, rec int32, code string) {
	c.golden.Refused = append(c.golden.Refused, Refusal{Field: f, Record: int(rec), Code: code})
}

// declare keeps the citizen's latest word on a field.
func (c *Computer) declare(chain []int32, records []Record) {
	for i := len(chain) - 1; i >= 0; i-- {
		cand := &c.candidates[chain[i]]
		if records[cand.rec].Source != SourceSelf {
			continue
		}
		if !cand.Excluded {
			c.golden.Declared = append(c.golden.Declared, Value{Field: cand.Field, Key: cand.Key, Text: cand.Text, Record: int(cand.rec),
				Confirmed: cand.Confirmed, Effective: c.heads[cand.rec].effective})
		}
		return
	}
}

// override lets a human's latest word on a field stand above the policy's.
func (c *Computer) override(overrides []Override) {
	for i := range overrides {
		o := &overrides[i]
		if o.Action != Set && o.Action != Remove || c.outdated(overrides, i) {
			continue
		}
		at, found := slices.BinarySearchFunc(c.golden.Values, o, func(v Value, o *Override) int {
			return cmp.Or(cmp.Compare(v.Field, o.Field), cmp.Compare(string(v.Key), o.Key))
		})
		if found {
			c.golden.Values = slices.Delete(c.golden.Values, at, at+1)
		}
		if o.Action == Set {
			c.golden.Values = slices.Insert(c.golden.Values, at, Value{Field: o.Field, Key: []byte(o.Key), Text: []byte(o.Text),
				Record: Manual, Confidence: 100, Effective: record.TimeOf(o.ID).Unix()})
		}
	}
}

// outdated says whether a later decision about the same field exists.
func (c *Computer) outdated(overrides []Override, i int) bool {
	o := &overrides[i]
	return slices.ContainsFunc(overrides, func(p Override) bool {
		return p.Field == o.Field && p.Key == o.Key && p.Action != Approve && p.Action != Refuse && bytes.Compare(p.ID[:], o.ID[:]) > 0
	})
}
