package themes

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Desk is a place where the city attends people, in theme.json.
type Desk struct {
	Name    string            `json:"name"`
	Address string            `json:"address"`
	CEP     string            `json:"cep"`   // of the address, 80010-000; by it the nearest is found
	Hours   map[string]string `json:"hours"` // by language; pt-BR always
	Phone   string            `json:"phone"` // may be empty
	Does    []string          `json:"does"`  // of DeskDoes
}

// What a desk may do; message desk.<what> says each.
const (
	DeskRegistry   = "registry"   // compares data with a document: level 3
	DeskBiometrics = "biometrics" // enrols face or fingerprints: level 4
	DeskRecovery   = "recovery"   // lets people back into their account
)

// DeskDoes is all that a desk may do.
func DeskDoes() []string { return []string{DeskRegistry, DeskBiometrics, DeskRecovery} }

// DeskView is a desk as a page shows it.
type DeskView struct {
	Name, Address, Hours, Phone, PhoneLink string
	Does                                   []string
	Near                                   bool // the nearest to the reader's address
}

var (
	cepPattern = regexp.MustCompile(`^[0-9]{5}-?[0-9]{3}$`)
	anyCEP     = regexp.MustCompile(`\b([0-9]{5})-?([0-9]{3})\b`)
)

// DesksFor lists the desks that do something, the nearest to an address first: that whose CEP shares
// the most leading digits with one in the address, since Brazil's postal codes are given by region,
// then by city, district and street. Without one they stand as the city lists them.
func (c City) DesksFor(what, address, lang string) []DeskView {
	cep := strings.Join(slices.Concat(anyCEP.FindStringSubmatch(address), []string{"", "", ""})[1:3], "")
	desks := slices.DeleteFunc(slices.Clone(c.Desks), func(d Desk) bool { return !slices.Contains(d.Does, what) })
	slices.SortStableFunc(desks, func(a, b Desk) int { return cmp.Compare(b.shares(cep), a.shares(cep)) })
	all := make([]DeskView, len(desks))
	for i, d := range desks {
		all[i] = DeskView{Name: d.Name, Address: d.Address, Hours: cmp.Or(d.Hours[lang], d.Hours[Languages[0]]), Phone: d.Phone, PhoneLink: phoneLink(d.Phone),
			Does: d.Does, Near: i == 0 && len(desks) > 1 && d.shares(cep) > 0}
	}
	return all
}

// shares counts the leading digits of two postal codes that are the same.
func (d Desk) shares(cep string) (n int) {
	own := strings.Replace(d.CEP, "-", "", 1)
	for n < len(own) && n < len(cep) && own[n] == cep[n] {
		n++
	}
	return n
}

// check names what is wrong with a desk.
func (d Desk) check(i int) error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("theme.json: desks[%d]%s", i, fmt.Sprintf(format, args...)))
	}
	for _, f := range []struct{ name, value string }{{"name", d.Name}, {"address", d.Address}, {"hours.pt-BR", d.Hours[Languages[0]]}} {
		if strings.TrimSpace(f.value) == "" {
			fault(".%s is empty", f.name)
		}
	}
	for lang := range d.Hours {
		if !slices.Contains(Languages, lang) {
			fault(".hours: %q is no language of the pages", lang)
		}
	}
	if d.CEP != "" && !cepPattern.MatchString(d.CEP) {
		fault(".cep: %q is not 80010-000", d.CEP)
	}
	if len(d.Does) == 0 {
		fault(".does is empty")
	}
	for _, what := range d.Does {
		if !slices.Contains(DeskDoes(), what) {
			fault(".does: %q is not one of %s", what, strings.Join(DeskDoes(), ", "))
		}
	}
	return errors.Join(errs...)
}

// Location is the time zone the city's days are of.
func (c City) Location() *time.Location { return c.zone }
