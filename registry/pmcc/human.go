package pmcc

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry/record"
)

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
