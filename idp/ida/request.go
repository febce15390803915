package ida

import (
	"encoding/json"
	"slices"
)

// Request is what a service asks to have verified, by where it wants to find it. A grant keeps it as
// JSON, so the members' names must stay.
type Request struct {
	Userinfo []Ask `json:"userinfo,omitempty"`
	IDToken  []Ask `json:"id_token,omitempty"`
}

// Ask is one object of verified_claims: some claims, and how they must have been verified.
type Ask struct {
	Verification *Want                 `json:"verification"`
	Claims       map[string]Constraint `json:"claims"`
}

// Want is one element below verification, as asked: what will do, and at once which of its members
// shall be in the answer. Entries are those of a list; whatever one of them lets through will do.
type Want struct {
	Constraint
	Members map[string]*Want `json:"members,omitempty"`
	Entries []*Want          `json:"entries,omitempty"`
}

// Constraint says which values will do. The zero value is any.
type Constraint struct {
	Values []json.RawMessage `json:"values,omitzero"`  // one of these; nil: any; empty: none
	MaxAge *int64            `json:"max_age,omitzero"` // seconds since a date or time
}

// Text is the request as a grant keeps it; nil for none.
func (r *Request) Text() ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	return json.Marshal(r)
}

// Read is a request as [Request.Text] wrote it; nil for none.
func Read(text []byte) (*Request, error) {
	if len(text) == 0 {
		return nil, nil
	}
	r := new(Request)
	return r, json.Unmarshal(text, r)
}

// Claims lists the claims asked for in any ask, sorted.
func (r *Request) Claims() []string {
	if r == nil {
		return nil
	}
	var names []string
	for _, a := range slices.Concat(r.Userinfo, r.IDToken) {
		for name := range a.Claims {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Cut is the request without the claims that may not leave; nil where none is left.
func (r *Request) Cut(may func(claim string) bool) *Request {
	if r == nil {
		return nil
	}
	cut := &Request{Userinfo: cutAll(r.Userinfo, may), IDToken: cutAll(r.IDToken, may)}
	if len(cut.Userinfo)+len(cut.IDToken) == 0 {
		return nil
	}
	return cut
}

func cutAll(asks []Ask, may func(claim string) bool) (left []Ask) {
	for _, a := range asks {
		claims := map[string]Constraint{}
		for name, c := range a.Claims {
			if may(name) {
				claims[name] = c
			}
		}
		if len(claims) > 0 {
			left = append(left, Ask{a.Verification, claims})
		}
	}
	return left
}

// demands says whether an element narrows anything, itself or below.
func (w *Want) demands() bool {
	if w.Values != nil || w.MaxAge != nil {
		return true
	}
	for _, m := range w.Members {
		if m.demands() {
			return true
		}
	}
	return slices.ContainsFunc(w.Entries, (*Want).demands)
}
