package pmcc

import (
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/loginunico/loginunico/registry/record"
)

// SourceSelf is the citizen; a policy names it like any other source.
const SourceSelf = "self"

// SourceGovBR is the citizen's gov.br account: what they bring from it they say of themselves, with a
// proof.
const SourceGovBR = "govbr"

// Op is what a source may do to a field.
type Op uint8

// The operations, in the order a policy lists them.
const (
	Include Op = iota // give the field its first value
	Change            // put another value in place of one
	Exclude           // take the value away
	ops
)

// String is the operation's key in the policy.
func (o Op) String() string { return [...]string{"include", "change", "exclude"}[o] }

// Wins says which of two values that may stand does.
type Wins string

// The ways to win.
const (
	ByRank       Wins = "rank"       // the source that stands earlier in rank; within one source the newer
	ByNewest     Wins = "newest"     // the later effective date; of one date the better rank
	ByConfidence Wins = "confidence" // the higher confidence; of one confidence the newer
)

// Policy is one version of the PMCC, valid. It is shared: never change one.
type Policy struct {
	Version    int
	Title      string
	ApprovedBy string
	ApprovedOn string // ISO 8601
	Sources    []Source
	Rules      []Rule // numbered by their place; a value names its rule by version and number

	byName map[string]int
	fields [256]*fieldPolicy
	silent *fieldPolicy // of fields the policy does not speak of: nobody may
}

// Source is one origin of records.
type Source struct {
	ID         string
	Name       string
	Confidence int // 0 to 100, of a value it gives alone
}

// Rule is one right.
type Rule struct {
	Field    record.Field
	Op       Op
	Source   string
	MinLevel int    // trust level the citizen needs; 0: none
	Human    bool   // somebody must approve
	Why      string // the field's reason
}

type fieldPolicy struct {
	wins   Wins
	why    string
	rank   []int        // by source; unranked is last
	rights [ops][]right // by source
	refuse []refusal
}

type right struct {
	allowed  bool
	human    bool
	minLevel uint8
	rule     uint16
}

// refusal is one sort of value that never enters.
type refusal struct {
	code    string // placeholder, equals, matches, before, after, short
	texts   map[string]bool
	longest int   // bytes of a text that folds into one of them, at most
	heads   pairs // what they begin with,
	tails   pairs // and end with: nearly every text is known by them to be none
	pattern *regexp.Regexp
	date    string
	least   int
}

// source is the number of a source; -1 for one the policy does not name.
func (p *Policy) source(id string) int {
	if n, ok := p.byName[id]; ok {
		return n
	}
	return -1
}

// Source returns a source by id; ok is false for one the policy does not name.
func (p *Policy) Source(id string) (s Source, ok bool) {
	n := p.source(id)
	if n < 0 {
		return s, false
	}
	return p.Sources[n], true
}

// Rule explains the decision a value carries; ok is false for a number of another version.
func (p *Policy) Rule(n int) (r Rule, ok bool) {
	if n < 0 || n >= len(p.Rules) {
		return r, false
	}
	return p.Rules[n], true
}

// String is the rule in one line: "name: change by receita".
func (r Rule) String() string {
	s := fmt.Sprintf("%s: %s by %s", r.Field, r.Op, r.Source)
	if r.MinLevel > 0 {
		s += fmt.Sprintf(" from level %d", r.MinLevel)
	}
	if r.Human {
		s += ", approved by a human"
	}
	return s
}

// May says what a source may do to a field: whether at all, from which trust level on, and whether
// somebody must approve.
func (p *Policy) May(op Op, f record.Field, source string) (Rule, bool) {
	n := p.source(source)
	if n < 0 || p.fields[f] == nil || !p.fields[f].rights[op][n].allowed {
		return Rule{}, false
	}
	return p.Rules[p.fields[f].rights[op][n].rule], true
}

// refused is the code of the first refusal a text meets; "" when it may enter.
func (f *fieldPolicy) refused(text []byte, now string) string {
	for i := range f.refuse {
		if f.refuse[i].meets(text, now) {
			return f.refuse[i].code
		}
	}
	return ""
}

func (r *refusal) meets(text []byte, now string) bool {
	switch r.code {
	case "placeholder", "equals":
		if n := len(text); n > r.longest || n >= 2 && (!r.heads.has(text[0], text[1]) || !r.tails.has(text[n-2], text[n-1])) {
			return false
		}
		var few [64]byte // lists hold short texts; a longer one is in none
		return r.texts[string(appendFolded(few[:0], text))]
	case "matches":
		return r.pattern.Match(text)
	case "before":
		return string(text) < r.date
	case "after_today":
		return string(text) > now
	case "short":
		return len(text) < r.least
	case "one_letter":
		return allOneLetter(text)
	}
	return false
}

// pairs is a set of pairs of letters, of each the last five bits, in which a and A are one. Pairs
// with a byte beyond ASCII are in every set.
type pairs [32]uint32

func (p *pairs) add(a, b byte) { p[a&31] |= 1 << (b & 31) }

func (p *pairs) has(a, b byte) bool { return (a|b)&0x80 != 0 || p[a&31]&(1<<(b&31)) != 0 }

// allOneLetter finds XXXX, 000000, "aaa aaa".
func allOneLetter(text []byte) bool {
	var first byte
	for _, c := range text {
		if c == ' ' {
			continue
		}
		if first == 0 {
			first = c
		}
		if c != first {
			return false
		}
	}
	return len(text) > 1
}

// appendFolded appends a text without case and accents, as refusal lists compare.
func appendFolded(dst, text []byte) []byte {
	for _, r := range string(text) {
		dst = utf8.AppendRune(dst, record.Fold(r))
	}
	return dst
}

// Today is the day that after_today compares with.
func Today(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// Fields lists the fields the policy speaks of, by number.
func (p *Policy) Fields() []record.Field {
	return slices.DeleteFunc(record.All(), func(f record.Field) bool { return p.fields[f] == nil })
}
