package pmcc

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/loginunico/loginunico/registry/record"
)

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
		if c.citizen {
			c.declare(chain[start:end], records)
		}
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

// declare keeps the citizen's latest word on a field, or what they brought from gov.br: that where
// they said nothing of it, and for the name, which it proves.
func (c *Computer) declare(chain []int32, records []Record) {
	at := c.latest(chain, records, SourceSelf)
	if proven := c.latest(chain, records, SourceGovBR); proven >= 0 && (at < 0 || c.candidates[proven].Field == record.Name) {
		at = proven
	}
	if at < 0 || c.candidates[at].Excluded {
		return
	}
	cand := &c.candidates[at]
	c.golden.Declared = append(c.golden.Declared, Value{Field: cand.Field, Key: cand.Key, Text: cand.Text, Record: int(cand.rec),
		Confirmed: cand.Confirmed, Effective: c.heads[cand.rec].effective})
}

// latest is a source's last word among these candidates; -1 without one.
func (c *Computer) latest(chain []int32, records []Record, source string) int32 {
	for _, at := range slices.Backward(chain) {
		if records[c.candidates[at].rec].Source == source {
			return at
		}
	}
	return -1
}
