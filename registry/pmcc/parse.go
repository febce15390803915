package pmcc

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/loginunico/loginunico/internal/yamlform"
	"github.com/loginunico/loginunico/registry/record"
)

// MaxPolicy is the size of a policy file in bytes, at most.
const MaxPolicy = 256 << 10

const unranked = 1 << 20

var sourcePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{1,30}$`)

// Parse reads a policy.
//
//	name  file name, for messages
//	data  YAML, one document; docs/registry.md describes it
//
// The only error is *yamlform.Faults, with everything that is wrong.
func Parse(name string, data []byte) (*Policy, error) {
	p := &Policy{byName: map[string]int{}}
	r := &reader{p: p, lists: map[string][]string{}}
	err := yamlform.Read(name, data, MaxPolicy, r.vocabulary, r.check)
	if err != nil {
		return nil, err
	}
	return p, nil
}

type reader struct {
	p     *Policy
	lists map[string][]string
	nodes []fieldNode // read after sources and lists, which may stand below them
}

type fieldNode struct {
	n    *yaml.Node
	path string
}

func (r *reader) vocabulary(d *yamlform.Decoder) map[string]yamlform.Field {
	return map[string]yamlform.Field{
		"version": d.Int(&r.p.Version, 1, 1<<30, "a version, 1 or more"),
		"title":   d.Text(&r.p.Title, yamlform.AtMost(200)),
		"approved": func(n *yaml.Node, path string) {
			d.Object(n, path, map[string]yamlform.Field{
				"by": d.Text(&r.p.ApprovedBy, yamlform.AtMost(200)),
				"on": d.Text(&r.p.ApprovedOn, isDay),
			})
		},
		"sources": d.Each(func(id string, n *yaml.Node, path string) { r.readSource(d, id, n, path) }),
		"lists": d.Each(func(id string, n *yaml.Node, path string) {
			var texts []string
			d.Texts(&texts, yamlform.AtMost(200))(n, path)
			r.lists[id] = texts
		}),
		"fields": d.Each(func(_ string, n *yaml.Node, path string) { r.nodes = append(r.nodes, fieldNode{n, path}) }),
	}
}

func isDay(text string) string {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return "must be a day like 2026-10-01"
	}
	return ""
}

func (r *reader) readSource(d *yamlform.Decoder, id string, n *yaml.Node, path string) {
	s := Source{ID: id}
	if !sourcePattern.MatchString(id) {
		d.Fault(n.Line, path, "value", "must be 2 to 31 lower-case letters, digits and _, a letter first")
	}
	d.Object(n, path, map[string]yamlform.Field{
		"name":       d.Text(&s.Name, yamlform.AtMost(200)),
		"confidence": d.Int(&s.Confidence, 0, 100, "a confidence, 0 to 100"),
	})
	d.Require(path+".name", path+".confidence")
	r.p.byName[id] = len(r.p.Sources)
	r.p.Sources = append(r.p.Sources, s)
}

func (r *reader) check(d *yamlform.Decoder) {
	d.Require("version", "title", "sources", "fields")
	if len(r.p.Sources) > 0 && r.p.source(SourceSelf) < 0 {
		d.FaultAt("sources", "required", "the source %s, the citizen, is missing", SourceSelf)
	}
	r.p.silent = r.newField()
	for _, fn := range r.nodes {
		r.readField(d, fn)
	}
}

func (r *reader) readField(d *yamlform.Decoder, fn fieldNode) {
	name := strings.TrimPrefix(fn.path, "fields.")
	field := fieldNamed(name)
	if field == 0 {
		d.Fault(fn.n.Line, fn.path, "unknown_field", "is no field of the registry")
		return
	}
	fp := r.newField()
	wins, rank := string(ByRank), []string(nil)
	known := r.knownSource
	fields := map[string]yamlform.Field{
		"why":    d.Text(&fp.why, yamlform.AtMost(500)),
		"wins":   d.Text(&wins, yamlform.OneOf(string(ByRank), string(ByNewest), string(ByConfidence))),
		"rank":   d.Texts(&rank, known),
		"refuse": d.List(func(n *yaml.Node, path string) { r.readRefusal(d, fp, n, path) }),
	}
	for op := range ops {
		fields[op.String()] = d.List(func(n *yaml.Node, path string) { r.readRight(d, field, fp, op, n, path) })
	}
	d.Object(fn.n, fn.path, fields)
	d.Require(fn.path+".why", fn.path+".include")
	fp.wins = Wins(wins)
	for place, id := range rank {
		fp.rank[r.p.source(id)] = place
	}
	for i := range r.p.Rules {
		if r.p.Rules[i].Field == field {
			r.p.Rules[i].Why = fp.why
		}
	}
	r.p.fields[field] = fp
}

// newField gives nobody any right and every source the same rank.
func (r *reader) newField() *fieldPolicy {
	fp := &fieldPolicy{wins: ByRank, rank: slices.Repeat([]int{unranked}, len(r.p.Sources))}
	for op := range fp.rights {
		fp.rights[op] = make([]right, len(r.p.Sources))
	}
	return fp
}

// fieldNamed is a field by its bare name, without a key; 0 for none.
func fieldNamed(name string) record.Field {
	for _, f := range record.All() {
		if f.String() == name {
			return f
		}
	}
	return 0
}

func (r *reader) knownSource(text string) string {
	if r.p.source(text) < 0 {
		return strconv.Quote(text) + " is not among the sources"
	}
	return ""
}

// readRight reads "receita" or {source: self, min_level: 3, human: true}.
func (r *reader) readRight(d *yamlform.Decoder, f record.Field, fp *fieldPolicy, op Op, n *yaml.Node, path string) {
	rule, before := Rule{Field: f, Op: op}, d.Count()
	if n.Kind == yaml.ScalarNode {
		rule.Source, _ = d.Scalar(n, path, []yamlform.Rule{r.knownSource})
	} else {
		d.Object(n, path, map[string]yamlform.Field{
			"source":    d.Text(&rule.Source, r.knownSource),
			"min_level": d.Int(&rule.MinLevel, 1, 5, "a trust level, 1 to 5"),
			"human":     d.Boolean(&rule.Human),
		})
		d.Require(path + ".source")
	}
	if d.Count() > before {
		return
	}
	if rule.MinLevel > 0 && rule.Source != SourceSelf {
		d.Fault(n.Line, path, "value", "only %s has a trust level", SourceSelf)
		return
	}
	if rule.Human && op == Exclude {
		d.Fault(n.Line, path, "value", "an exclusion does not wait: a human removes the value by hand")
		return
	}
	at := &fp.rights[op][r.p.source(rule.Source)]
	if at.allowed {
		d.Fault(n.Line, path, "duplicate", "%s is in the list already", rule.Source)
		return
	}
	*at = right{allowed: true, human: rule.Human, minLevel: uint8(rule.MinLevel), rule: uint16(len(r.p.Rules))}
	r.p.Rules = append(r.p.Rules, rule)
}

// readRefusal reads a list's name, "after_today", "one_letter", or {equals|matches|before|shorter: …}.
func (r *reader) readRefusal(d *yamlform.Decoder, fp *fieldPolicy, n *yaml.Node, path string) {
	if n.Kind == yaml.ScalarNode {
		name, ok := d.Scalar(n, path, nil)
		switch texts, listed := r.lists[name]; {
		case !ok:
		case listed:
			fp.refuse = append(fp.refuse, refuseTexts("placeholder", texts))
		case name == "after_today", name == "one_letter":
			fp.refuse = append(fp.refuse, refusal{code: name})
		default:
			d.Fault(n.Line, path, "value", "is neither a list of this file nor after_today or one_letter")
		}
		return
	}
	var equals, matches, before string
	least := 0
	d.Object(n, path, map[string]yamlform.Field{
		"equals":  d.Text(&equals),
		"matches": d.Text(&matches, isPattern),
		"before":  d.Text(&before, isDay),
		"shorter": d.Int(&least, 1, 200, "a number of bytes, 1 to 200"),
	})
	switch {
	case equals != "":
		fp.refuse = append(fp.refuse, refuseTexts("equals", []string{equals}))
	case matches != "" && isPattern(matches) == "":
		fp.refuse = append(fp.refuse, refusal{code: "matches", pattern: regexp.MustCompile(matches)})
	case before != "":
		fp.refuse = append(fp.refuse, refusal{code: "before", date: before})
	case least > 0:
		fp.refuse = append(fp.refuse, refusal{code: "short", least: least})
	}
}

func isPattern(text string) string {
	if _, err := regexp.Compile(text); err != nil {
		return "is no regular expression (RE2)"
	}
	return ""
}

// refuseTexts refuses texts, in any case and with any accents: an accented letter has two bytes where
// the plain one has one.
func refuseTexts(code string, texts []string) refusal {
	r := refusal{code: code, texts: make(map[string]bool, len(texts))}
	for _, t := range texts {
		plain := string(appendFolded(nil, []byte(t)))
		r.texts[plain] = true
		r.longest = max(r.longest, 2*len(plain))
		if n := len(plain); n >= 2 {
			r.heads.add(plain[0], plain[1])
			r.tails.add(plain[n-2], plain[n-1])
		}
	}
	return r
}
