package sms

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultLimits leave a careless owner room and make pumping a poor business. Mobile networks put
// hundreds of phones behind one IPv4 address, so that cap is wide.
const DefaultLimits = "number=5/h,number=10/d,range=20/h,range=60/d,address=60/h,address=200/d," +
	"country=100/h,country=500/d,country.BR=3000/h,country.BR=20000/d"

// Limit is the most texts that may be asked for in one window.
type Limit struct {
	What    string        // number, range (a thousand numbers in a row), address, country
	Country string        // of what=country: this one alone; "" the others, each
	Window  time.Duration // an hour or a day of UTC
	Most    int
}

// Limits are caps, one per What, Country and Window.
type Limits []Limit

var limitForm = regexp.MustCompile(`^(number|range|address|country)(?:\.([A-Z]{2}))?=([0-9]{1,9})/([hd])$`)

var windows = map[string]time.Duration{"h": time.Hour, "d": 24 * time.Hour}

// ParseLimits reads a setting, what[.COUNTRY]=MOST/h or /d with commas between; what it does not name
// keeps its default. The error names every part that is wrong.
func ParseLimits(text string) (Limits, error) {
	limits, err := readLimits(nil, DefaultLimits)
	if text == "" || err != nil {
		return limits, err
	}
	return readLimits(limits, text)
}

func readLimits(limits Limits, text string) (Limits, error) {
	var faults []error
	for part := range strings.SplitSeq(text, ",") {
		m := limitForm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil || m[2] != "" && m[1] != "country" {
			faults = append(faults, fmt.Errorf("%q: want number|range|address|country[.BR]=MOST/h or /d", part))
			continue
		}
		most, err := strconv.Atoi(m[3])
		faults = append(faults, err)
		limits = limits.with(Limit{m[1], m[2], windows[m[4]], most})
	}
	return limits, errors.Join(faults...)
}

// with replaces the limit of the same kind.
func (all Limits) with(l Limit) Limits {
	same := func(o Limit) bool { return o.What == l.What && o.Country == l.Country && o.Window == l.Window }
	return append(slices.DeleteFunc(slices.Clone(all), same), l)
}

// of are the limits for a number of a country: its own where it has one, else the general.
func (all Limits) of(country string) Limits {
	own := Limits{}
	for _, l := range all {
		special := slices.ContainsFunc(all, func(o Limit) bool {
			return o.What == l.What && o.Window == l.Window && o.Country == country && o.Country != ""
		})
		if l.Country == country || l.Country == "" && !special {
			own = append(own, l)
		}
	}
	slices.SortStableFunc(own, func(a, b Limit) int { return cmp.Compare(a.What, b.What) })
	return own
}
