package phone

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Countries is a set of countries, by ISO 3166-1 alpha-2 code.
type Countries map[string]bool

// ParseCountries reads a setting: codes with commas between them, "BR,AR,UY", or "*" for all that
// have a numbering plan. The error names every code that is none.
func ParseCountries(text string) (Countries, error) {
	if strings.TrimSpace(text) == "*" {
		return maps.Clone(plans()), nil
	}
	set := Countries{}
	var wrong []string
	for code := range strings.SplitSeq(text, ",") {
		code = strings.TrimSpace(code)
		if !known(code) {
			wrong = append(wrong, fmt.Sprintf("%q", code))
		}
		set[code] = true
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s: want country codes such as BR,AR,UY, or * for all", strings.Join(wrong, ", "))
	}
	return set, nil
}

// World are all countries that have a numbering plan. Do not change it.
func World() Countries { return plans() }

// Allow says whether a number is of one of these countries.
func (c Countries) Allow(n Number) bool { return c[n.Country()] }

// Codes lists the set in order.
func (c Countries) Codes() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c)), func(code string) bool { return !c[code] })
}

// Country is one entry of a form's list.
type Country struct {
	Code    string // ISO 3166-1 alpha-2: BR
	Name    string // in the reader's language: Brasil
	Calling int    // 55
}

// List names the countries of a set for a form, in the alphabet of the reader's language.
//
//	lang  pt-BR, es or en; another BCP 47 tag whose names are unknown reads as en
func (c Countries) List(lang string) []Country {
	tag := language.Make(lang)
	names := display.Regions(tag)
	if names == nil {
		tag, names = language.English, display.Regions(language.English)
	}
	list := make([]Country, 0, len(c))
	for _, code := range c.Codes() {
		list = append(list, Country{code, names.Name(language.MustParseRegion(code)), CallingCode(code)})
	}
	order := collate.New(tag)
	slices.SortStableFunc(list, func(a, b Country) int { return order.CompareString(a.Name, b.Name) })
	return list
}

// CallingCode is a country's, 55 for BR; 0 of what is no country.
func CallingCode(country string) int { return phonenumbers.GetCountryCodeForRegion(country) }

func known(country string) bool { return plans()[country] }

// plans are the countries that have a numbering plan and a name.
var plans = sync.OnceValue(func() Countries {
	set := Countries{}
	for code := range phonenumbers.GetSupportedRegions() {
		if r, err := language.ParseRegion(code); err == nil && r.IsCountry() {
			set[code] = true
		}
	}
	return set
})
