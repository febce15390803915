package themes

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // a bare machine may carry no time zones
)

// City is theme.json: who runs this installation and how to reach them.
type City struct {
	Name          string  `json:"name"`       // "Prefeitura de Vila Esperança"
	ShortName     string  `json:"short_name"` // "Vila Esperança"
	Address       string  `json:"address"`
	Phone         string  `json:"phone"`
	Email         string  `json:"email"`
	TimeZone      string  `json:"time_zone"` // IANA name; dates on pages are local
	DPO           Contact `json:"dpo"`       // LGPD art. 41
	Accessibility Contact `json:"accessibility"`
	Desks         []Desk  `json:"desks"` // where people are attended, in the order to show them

	Brand string         `json:"-"` // --brand, for browsers that colour their own frame
	zone  *time.Location // of TimeZone
}

// Contact is a person or desk. Phone may be empty for the DPO.
type Contact struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

// PhoneLink gives the phone as the number of a tel: link (RFC 3966).
func (c City) PhoneLink() string { return phoneLink(c.Phone) }

// PhoneLink gives the phone as the number of a tel: link (RFC 3966).
func (c Contact) PhoneLink() string { return phoneLink(c.Phone) }

func phoneLink(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, phone)
	if len(digits) >= 10 {
		return "+55" + digits
	}
	return digits // a short number such as 156
}

// layered reads each file from the first layer that has it.
type layered []fs.FS

func (l layered) Open(name string) (fs.File, error) {
	for _, layer := range l {
		f, err := layer.Open(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

var cityName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func openCity(overlayDir, city string) (layered, error) {
	if !cityName.MatchString(city) {
		return nil, fmt.Errorf("theme %q: a name has only a-z, 0-9 and dashes", city)
	}
	var layers layered
	if overlayDir != "" {
		if _, err := os.Stat(overlayDir); err != nil {
			return nil, fmt.Errorf("themes directory: %w", err)
		}
		layers = append(layers, os.DirFS(filepath.Join(overlayDir, city)))
	}
	sub, _ := fs.Sub(base, path.Join("city", city))
	layers = append(layers, sub)
	if _, err := fs.Stat(layers, "theme.json"); err != nil {
		return nil, fmt.Errorf("theme %s: %w", city, err)
	}
	return layers, nil
}

func readCity(files fs.FS) (City, error) {
	var c City
	raw, err := fs.ReadFile(files, "theme.json")
	if err != nil {
		return c, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("theme.json: %w", err)
	}
	if c.zone, err = time.LoadLocation(c.TimeZone); err != nil {
		return c, fmt.Errorf("theme.json: time_zone: %w", err)
	}
	return c, c.check()
}

// Zone is the time zone of a city, for commands that show no pages. Its arguments are those of [Load].
func Zone(overlayDir, city string) (*time.Location, error) {
	files, err := openCity(overlayDir, cmp.Or(city, DefaultCity))
	if err != nil {
		return nil, err
	}
	c, err := readCity(files)
	return c.zone, err
}

// check names every field a page would show empty.
func (c City) check() error {
	var errs []error
	for _, f := range []struct{ name, value string }{
		{"name", c.Name}, {"short_name", c.ShortName}, {"address", c.Address}, {"phone", c.Phone},
		{"email", c.Email}, {"time_zone", c.TimeZone}, {"dpo.name", c.DPO.Name}, {"dpo.email", c.DPO.Email},
		{"accessibility.email", c.Accessibility.Email}, {"accessibility.phone", c.Accessibility.Phone},
	} {
		if strings.TrimSpace(f.value) == "" {
			errs = append(errs, fmt.Errorf("theme.json: %s is empty", f.name))
		}
	}
	for i, d := range c.Desks {
		errs = append(errs, d.check(i))
	}
	return errors.Join(errs...)
}

// args are the placeholders every message may use.
func (c City) args() map[string]any {
	return map[string]any{"City": c.Name, "CityShort": c.ShortName, "DPO": c.DPO.Name, "DPOEmail": c.DPO.Email}
}
