package match

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
)

// modelVersion is of the fields, agreements and their meaning. A stored model of another version
// is refused, since its weights were learnt for other questions.
const modelVersion = 1

// modelFile is a model as stored: probabilities under the fields' and agreements' names.
type modelFile struct {
	Version int                              `json:"version"`
	Source  string                           `json:"source"` // what it was learnt from
	Prior   float64                          `json:"prior"`  // log2 odds
	Kin     float64                          `json:"kin"`    // log2 odds
	Elder   float64                          `json:"elder"`  // log2 odds
	Fields  map[string]map[string]likelihood `json:"fields"`
	Names   map[string]nameShares            `json:"names"`
}

// likelihood is how likely an agreement is between records of one person (M) and of strangers (U).
type likelihood struct {
	M float64 `json:"m"`
	U float64 `json:"u"`
}

type nameShares struct {
	Other float64            `json:"other"` // the share of a name not listed
	Share map[string]float64 `json:"share"` // by name, or by its sound
}

//go:embed default.json
var defaultFile []byte

var defaultModel = sync.OnceValues(func() (*Model, error) { return ReadModel(defaultFile) })

// Default is the model that comes with the program: names and their shares as in Brazil (IBGE,
// Censo 2022), error rates learnt from a generated base, odds of a base of a million people. A city
// does better with its own, by [Learn] over a part of its base.
func Default() *Model {
	md, err := defaultModel()
	if err != nil {
		panic("embedded default.json: " + err.Error()) // a test reads it
	}
	return md
}

// For is the model for looking one subject up in a base of so many people, where half of those
// looked up are known and each has three of their family in it.
func (md *Model) For(people int) *Model {
	out := *md
	n := max(float64(people), 2)
	out.prior, out.kin, out.elder = math.Log2(0.5/n), math.Log2(3/n), math.Log2(sonsNamed/n)
	return &out
}

// ReadModel reads a model that [Model.MarshalJSON] wrote, or one written by hand.
//
// Errors: JSON's own; another version; every unknown field or agreement and every probability
// outside 0 to 1, all at once.
func ReadModel(data []byte) (*Model, error) {
	var in modelFile
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	if in.Version != modelVersion {
		return nil, fmt.Errorf("model version %d, want %d", in.Version, modelVersion)
	}
	md := &Model{source: in.Source, prior: in.Prior, kin: in.Kin, elder: in.Elder, m: startM, u: startU}
	names, err := in.frequencies()
	if err = errors.Join(err, in.tables(md)); err != nil {
		return nil, err
	}
	md.setNames(names)
	md.settle()
	return md, nil
}

func (in *modelFile) tables(md *Model) error {
	var faults []error
	for name, levels := range in.Fields {
		f := slices.Index(fieldNames[:], name)
		if f < 0 {
			faults = append(faults, fmt.Errorf("no field %q", name))
			continue
		}
		for level, p := range levels {
			g := slices.Index(agreementNames[:], level)
			if g < int(Different) || !(p.M > 0 && p.M <= 1) || !(p.U > 0 && p.U <= 1) {
				faults = append(faults, fmt.Errorf("%s, %q: no such agreement, or m and u not above 0 and at most 1", name, level))
				continue
			}
			md.m[f][g], md.u[f][g] = p.M, p.U
		}
	}
	return errors.Join(faults...)
}

func (in *modelFile) frequencies() (out [numFields]frequencies, err error) {
	for name, q := range in.Names {
		f := slices.Index(fieldNames[:], name)
		if f < 0 || !(q.Other > 0 && q.Other < 1) {
			return out, fmt.Errorf("names of %q: no such field, or other not between 0 and 1", name)
		}
		out[f] = frequencies{share: map[string]float64{}, other: q.Other}
		for _, n := range slices.Sorted(maps.Keys(q.Share)) {
			if s := q.Share[n]; !(s > 0 && s < 1) {
				return out, fmt.Errorf("names of %q: %q has share %g", name, n, s)
			}
			out[f].share[Phonetic(n)] += q.Share[n] // LUIZ and LUIS are one
		}
	}
	return out, nil
}

// MarshalJSON writes the model so that [ReadModel] reads the same one.
func (md *Model) MarshalJSON() ([]byte, error) {
	out := modelFile{Version: modelVersion, Source: md.source, Prior: md.prior, Kin: md.kin, Elder: md.elder,
		Fields: map[string]map[string]likelihood{}, Names: map[string]nameShares{}}
	for f := range numFields {
		levels := map[string]likelihood{}
		for g := Different; g < numAgreements; g++ {
			levels[g.String()] = likelihood{md.m[f][g], md.u[f][g]}
		}
		out.Fields[f.String()] = levels
		if md.names[f].share != nil {
			out.Names[f.String()] = nameShares{md.names[f].other, md.names[f].share}
		}
	}
	return json.Marshal(out)
}
