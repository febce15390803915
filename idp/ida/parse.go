package ida

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Limits of a request beside that of the whole claims parameter.
const (
	mostAsks    = 10
	mostEntries = 20
	mostValues  = 50
	mostClaims  = 60
	mostHidden  = 100            // values of claims in one request: each is kept as a digest
	mostMaxAge  = int64(1) << 40 // seconds; times of that age do not exist
)

// Parse reads a verified_claims member of userinfo or id_token: one object or a list of them. Members
// that the specification does not define are ignored, purpose among them, which it has no more.
//
//	member  "userinfo" or "id_token", for messages
//
// Errors say where and what, in ASCII without quotes, and repeat nothing of the request.
//
// OpenID Connect for Identity Assurance 1.0 §5.3 to §5.6.
func Parse(member string, raw json.RawMessage) ([]Ask, error) {
	path := member + ".verified_claims"
	entries := []json.RawMessage{raw}
	if raw = bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '[' {
		if json.Unmarshal(raw, &entries) != nil || len(entries) == 0 || len(entries) > mostAsks {
			return nil, fmt.Errorf("%s must be an object or a list of 1 to %d", path, mostAsks)
		}
	}
	asks := make([]Ask, len(entries))
	for i, entry := range entries {
		at := path
		if len(entries) > 1 {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		if err := asks[i].parse(entry, at); err != nil {
			return nil, err
		}
	}
	if values(asks) > mostHidden {
		return nil, fmt.Errorf("%s names more than %d values of claims", path, mostHidden)
	}
	return asks, nil
}

func values(asks []Ask) (n int) {
	for _, a := range asks {
		for _, c := range a.Claims {
			n += len(c.Values)
		}
	}
	return n
}

// claimName is what a claim can be called; another one exists nowhere, and is ignored.
var claimName = regexp.MustCompile(`^[A-Za-z0-9_.:/#-]{1,100}$`)

func (a *Ask) parse(raw json.RawMessage, path string) (err error) {
	all, err := members(raw, path)
	if err != nil {
		return err
	}
	for _, need := range []string{"verification", "claims"} {
		if all[need] == nil {
			return fmt.Errorf("%s.%s is missing", path, need)
		}
	}
	if a.Verification, err = verification.parse(all["verification"], path+".verification"); err != nil {
		return err
	}
	if a.Verification.Members["trust_framework"] == nil {
		return fmt.Errorf("%s.verification.trust_framework is missing", path)
	}
	a.Claims, err = parseClaims(all["claims"], path+".claims")
	return err
}

// parseClaims reads which claims are asked for; null asks for none. §5.3
func parseClaims(raw json.RawMessage, path string) (map[string]Constraint, error) {
	asked := map[string]Constraint{}
	if isNull(raw) {
		return asked, nil
	}
	all, err := members(raw, path)
	if err != nil {
		return nil, err
	}
	if len(all) > mostClaims {
		return nil, fmt.Errorf("%s has more than %d claims", path, mostClaims)
	}
	for name, one := range all {
		if !claimName.MatchString(name) {
			continue
		}
		c, err := parseConstraint(one, path, false)
		if err != nil {
			return nil, err
		}
		if name != "birthdate" { // max_age is for dates
			c.MaxAge = nil
		}
		asked[name] = c
	}
	return asked, nil
}

// parse reads what is asked of an element.
func (e *element) parse(raw json.RawMessage, path string) (*Want, error) {
	switch {
	case e.kind == list:
		return e.parseList(raw, path)
	case e.kind == claims:
		return parseDerived(raw, path)
	case e.kind == object:
		return e.parseObject(raw, path)
	case e.bare && len(raw) > 0 && raw[0] == '"':
		raw = json.RawMessage(`{"value":` + string(raw) + `}`)
	}
	c, err := parseConstraint(raw, path, true)
	if e.kind != date {
		c.MaxAge = nil
	}
	return &Want{Constraint: c}, err
}

// parseObject reads a composite element; null asks for what a valid one needs.
func (e *element) parseObject(raw json.RawMessage, path string) (*Want, error) {
	w := &Want{Members: map[string]*Want{}}
	if isNull(raw) {
		return w, nil
	}
	all, err := members(raw, path)
	if err != nil {
		return nil, err
	}
	for name, one := range all {
		form, known := e.members[name]
		if !known {
			continue
		}
		if w.Members[name], err = form.parse(one, path+"."+name); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (e *element) parseList(raw json.RawMessage, path string) (*Want, error) {
	var entries []json.RawMessage
	if json.Unmarshal(raw, &entries) != nil || len(entries) == 0 || len(entries) > mostEntries {
		return nil, fmt.Errorf("%s must be a list of 1 to %d objects", path, mostEntries)
	}
	w := &Want{}
	for i, entry := range entries {
		form, at := e.entry, fmt.Sprintf("%s[%d]", path, i)
		if form == nil { // evidence
			typ, err := typeAsked(entry, at)
			if err != nil {
				return nil, err
			}
			form = entryForm(typ)
		}
		one, err := form.parse(entry, at)
		if err != nil {
			return nil, err
		}
		w.Entries = append(w.Entries, one)
	}
	return w, nil
}

// typeAsked is the type of an entry of evidence: exactly one, by value. §5.4
func typeAsked(raw json.RawMessage, path string) (string, error) {
	all, err := members(raw, path)
	if err != nil {
		return "", err
	}
	if all["type"] == nil || isNull(all["type"]) {
		return "", fmt.Errorf("%s.type is missing: it has a value", path)
	}
	constraint, err := members(all["type"], path+".type")
	if err != nil {
		return "", err
	}
	var typ string
	if constraint["values"] != nil || json.Unmarshal(constraint["value"], &typ) != nil || typ == "" {
		return "", fmt.Errorf("%s.type must have one value", path)
	}
	return typ, nil
}

// parseDerived reads derived_claims: null asks for all of them.
func parseDerived(raw json.RawMessage, path string) (*Want, error) {
	asked, err := parseClaims(raw, path)
	w := &Want{Members: map[string]*Want{}}
	for name := range asked {
		w.Members[name] = &Want{}
	}
	return w, err
}

// parseConstraint reads null, or an object with value, values, max_age. Everything else in it, such as
// essential, changes nothing here: what is not met is left out either way (§5.7.1). Of value and
// values together both must be met.
//
//	onlyText  values can be nothing else
func parseConstraint(raw json.RawMessage, path string, onlyText bool) (c Constraint, err error) {
	if isNull(raw) {
		return c, nil
	}
	all, err := members(raw, path)
	if err != nil {
		return c, err
	}
	if values := all["values"]; values != nil {
		if json.Unmarshal(values, &c.Values) != nil || len(c.Values) == 0 || len(c.Values) > mostValues {
			return c, fmt.Errorf("%s: values must be a list of 1 to %d", path, mostValues)
		}
	}
	if value := all["value"]; value != nil && !isNull(value) {
		if c.Values == nil {
			c.Values = []json.RawMessage{value}
		}
		c.Values = slices.DeleteFunc(slices.Clone(c.Values), func(v json.RawMessage) bool { return !bytes.Equal(canonical(v), canonical(value)) })
	}
	if age := all["max_age"]; age != nil && !isNull(age) {
		c.MaxAge = new(int64)
		if json.Unmarshal(age, c.MaxAge) != nil || *c.MaxAge < 0 || *c.MaxAge > mostMaxAge {
			return c, fmt.Errorf("%s: max_age must be a number of seconds", path)
		}
	}
	for i, v := range c.Values {
		if !onlyText {
			break
		}
		if c.Values[i], err = printable(v); err != nil {
			return c, fmt.Errorf("%s: value and values hold strings without control characters", path)
		}
	}
	return c, nil
}

var errPrintable = errors.New("not printable")

// printable is a string in the form that a database keeps: jsonb has no U+0000 and no half of a pair.
func printable(raw json.RawMessage) (json.RawMessage, error) {
	var text *string
	if json.Unmarshal(raw, &text) != nil || text == nil || strings.ContainsFunc(*text, unicode.IsControl) {
		return nil, errPrintable
	}
	return json.Marshal(*text)
}

func members(raw json.RawMessage, path string) (all map[string]json.RawMessage, err error) {
	if json.Unmarshal(raw, &all) != nil || all == nil {
		return nil, fmt.Errorf("%s must be an object", path)
	}
	return all, nil
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }
