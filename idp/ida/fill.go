package ida

import (
	"encoding/json"
	"slices"
	"time"
)

// filler fills an ask's template with what there is, and remembers until when that stands.
type filler struct {
	at    time.Time
	until time.Time
}

// fill gives the value of one element as asked; said is nil where it is left out, matches false where
// a constraint is not met: by another value, or by none.
func (f *filler) fill(form *element, want *Want, data any) (said any, matches bool) {
	if data == nil {
		return nil, !want.demands()
	}
	switch value := data.(type) {
	case map[string]any:
		out, ok := f.object(form, want, value)
		if out == nil {
			return nil, ok
		}
		return out, ok
	case []any:
		return f.list(form, want, value)
	}
	return f.leaf(want.Constraint, data)
}

// object has the members that were asked for and those that make it valid. It is nil, and so left out,
// where one of the latter is missing. §5.7.5
func (f *filler) object(form *element, want *Want, data map[string]any) (out map[string]any, matches bool) {
	out = map[string]any{}
	for name, w := range want.Members {
		if name == "evidence" && form == verification || form.members[name].kind == claims {
			continue // answered apart
		}
		said, ok := f.fill(form.members[name], w, data[name])
		if !ok {
			return nil, false
		}
		if said != nil {
			out[name] = said
		}
	}
	for _, name := range form.need {
		if out[name] != nil {
			continue
		}
		if data[name] == nil {
			return nil, !want.demands()
		}
		out[name], _ = f.leaf(Constraint{}, data[name])
	}
	if len(out) == 0 {
		return nil, true
	}
	return out, true
}

// list has the entries that one of the wanted lets through.
func (f *filler) list(form *element, want *Want, data []any) (said any, matches bool) {
	var out []any
	for _, entry := range data {
		for _, w := range want.Entries {
			if filled, ok := f.fill(form.entry, w, entry); ok && filled != nil {
				out = append(out, filled)
				break
			}
		}
	}
	if len(out) == 0 {
		return nil, !want.demands()
	}
	return out, true
}

// leaf is a text or a date.
func (f *filler) leaf(c Constraint, data any) (said any, matches bool) {
	var text string
	var end time.Time // the last second that the value names
	switch value := data.(type) {
	case string:
		text = value
	case moment:
		end = time.Time(value)
		text = end.UTC().Format(time.RFC3339)
	case day:
		text = time.Time(value).UTC().Format(time.DateOnly)
		end = lastSecond(text)
	}
	if c.Values != nil && !slices.ContainsFunc(c.Values, func(v json.RawMessage) bool {
		var wanted string
		return json.Unmarshal(v, &wanted) == nil && wanted == text
	}) {
		return nil, false
	}
	return text, f.young(c, end)
}

// young says whether a date is of the age asked for, counted from its last second to now. §5.5.2
func (f *filler) young(c Constraint, end time.Time) bool {
	if c.MaxAge == nil || end.IsZero() {
		return c.MaxAge == nil
	}
	over := end.Add(time.Second * time.Duration(min(*c.MaxAge, int64(1)<<33))) // 270 years: Duration holds no more
	if f.at.After(over) {
		return false
	}
	if f.until.IsZero() || over.Before(f.until) {
		f.until = over
	}
	return true
}

// lastSecond is the end of a day; the zero time for what is none.
func lastSecond(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}
	}
	return at.Add(24*time.Hour - time.Second)
}
