package ida

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Verified is one object of verified_claims in an answer.
type Verified struct {
	Verification map[string]any `json:"verification"`
	Claims       map[string]any `json:"claims"`
}

// Given is what may be told to a service of a person.
type Given struct {
	Sets  []Set
	Value func(claim string) (any, bool) // as the service would get it unverified; false: it may not have it
	// Number says whether the service may have what names the person everywhere, such as the number
	// of a certificate: it may where it may have the CPF.
	Number bool
	// Same says whether a value, as JSON, is the one of a constraint: [Comparer].
	Same func(wanted json.RawMessage, value []byte) bool
	At   time.Time
}

// Answer is what of the asks can be told: nothing (nil), one object, or a list where there are more.
// Each ask is answered under every trust framework that fulfils it, once. until is the instant from
// which the answer may be another one, because something then is older than the service wants; zero:
// never.
//
// What a service did not ask for is not in it. A constraint on verification that is not met leaves
// out the whole object, one on a claim that claim, and an object without a claim is left out too.
//
// OpenID Connect for Identity Assurance 1.0 §5.4 to §5.7.
func (g *Given) Answer(asks []Ask) (answer any, until time.Time) {
	var all []Verified
	f := filler{at: g.At}
	for _, ask := range asks {
		var done []string
		for i := range g.Sets {
			set := &g.Sets[i]
			if slices.Contains(done, set.Framework) {
				continue
			}
			if v, _, ok := g.one(&f, ask, set); ok {
				all, done = append(all, v), append(done, set.Framework)
			}
		}
	}
	switch len(all) {
	case 0:
		return nil, f.until
	case 1:
		return all[0], f.until
	}
	return all, f.until
}

// one answers an ask from a set, and says which entries of it that rests on.
func (g *Given) one(f *filler, ask Ask, set *Set) (v Verified, kept []*Entry, ok bool) {
	want := *ask.Verification
	data := map[string]any{"trust_framework": set.Framework, "time": moment(set.Time)}
	if set.Level != "" {
		data["assurance_level"] = set.Level
	}
	filled, matches := f.object(verification, &want, data)
	if !matches {
		return v, nil, false
	}
	entries, kept, matches := g.evidence(f, want.Members["evidence"], set)
	if !matches {
		return v, nil, false
	}
	v = Verified{Verification: filled, Claims: g.claims(f, ask, kept)}
	if want.Members["evidence"] != nil {
		v.Verification["evidence"] = derive(entries, v.Claims)
	}
	return v, kept, len(v.Claims) > 0
}

// Attester is who vouches for a claim: a trust framework, and the source of the registry where the
// service asks what the evidence was.
type Attester struct{ Framework, Source string }

// Attesters says who would vouch for each claim of an answer, for the page that asks the citizen.
func (g *Given) Attesters(r *Request) map[string][]Attester {
	all := map[string][]Attester{}
	f := filler{at: g.At}
	for _, ask := range slices.Concat(r.Userinfo, r.IDToken) {
		for i := range g.Sets {
			v, kept, ok := g.one(&f, ask, &g.Sets[i])
			if !ok {
				continue
			}
			for name := range v.Claims {
				for _, e := range kept {
					if a := (Attester{Framework: g.Sets[i].Framework}); slices.Contains(e.Claims, name) {
						if ask.Verification.Members["evidence"] != nil && e.Type == ElectronicRecord {
							a.Source = e.Source
						}
						if !slices.Contains(all[name], a) {
							all[name] = append(all[name], a)
						}
					}
				}
			}
		}
	}
	return all
}

// told is an entry of evidence in an answer: what it came from, what was asked, and what is said.
type told struct {
	entry *Entry
	want  *Want
	said  map[string]any
}

// evidence cuts a set's evidence to what is asked: each entry by the first that lets it through.
// kept is all of it where none is asked for. No entry left is a requirement that is not met.
func (g *Given) evidence(f *filler, want *Want, set *Set) (said []told, kept []*Entry, matches bool) {
	for i := range set.Entries {
		e := &set.Entries[i]
		if want == nil {
			kept = append(kept, e)
			continue
		}
		if e.Type == ElectronicSignature && !g.Number {
			continue
		}
		for _, w := range want.Entries {
			if _, mine := f.leaf(w.Members["type"].Constraint, e.Type); !mine {
				continue // of another form
			}
			if filled, ok := f.object(entryForm(e.Type), w, e.data); ok && filled != nil {
				said, kept = append(said, told{e, w, filled}), append(kept, e)
				break
			}
		}
	}
	return said, kept, len(kept) > 0
}

// claims are those asked for that some kept entry verifies, whose value will do.
func (g *Given) claims(f *filler, ask Ask, kept []*Entry) map[string]any {
	out := map[string]any{}
	for name, c := range ask.Claims {
		if !slices.ContainsFunc(kept, func(e *Entry) bool { return slices.Contains(e.Claims, name) }) {
			continue
		}
		if value, ok := g.Value(name); ok && g.suits(f, c, value) {
			out[name] = value
		}
	}
	return out
}

// suits says whether the value of a claim will do.
func (g *Given) suits(f *filler, c Constraint, value any) bool {
	if c.Values != nil {
		have, err := json.Marshal(value)
		if err != nil || !slices.ContainsFunc(c.Values, func(v json.RawMessage) bool { return g.Same(v, have) }) {
			return false
		}
	}
	text, _ := value.(string)
	return c.MaxAge == nil || f.young(c, lastSecond(text))
}

// derive gives the entries of evidence for the claims that are told, each with those that came from it
// where that is asked for. Of an entry for other claims nothing is said: a service that asks for a
// name need not learn at which clinic the person is.
func derive(entries []told, released map[string]any) []any {
	out := []any{}
	for _, t := range entries {
		derived := map[string]any{}
		for _, name := range t.entry.Claims {
			if value, ok := released[name]; ok {
				derived[name] = value
			}
		}
		if len(derived) == 0 {
			continue
		}
		if asked := t.want.Members["derived_claims"]; asked != nil {
			maps.DeleteFunc(derived, func(name string, _ any) bool { return len(asked.Members) > 0 && asked.Members[name] == nil })
			if len(derived) > 0 {
				t.said["derived_claims"] = derived
			}
		}
		out = append(out, t.said)
	}
	return out
}

func sameData(a, b map[string]any) bool { return reflect.DeepEqual(a, b) }
