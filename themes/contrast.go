package themes

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// pairs are the colours that meet on a page, with the least contrast each needs:
// 4.5 for text (WCAG 2.2 §1.4.3), 3 for borders and focus (§1.4.11, §2.4.13).
var pairs = []struct {
	front, back string
	least       float64
}{
	{"--ink", "--paper", 4.5}, {"--ink", "--ground", 4.5}, {"--ink", "--tint", 4.5}, {"--ink", "--err-soft", 4.5},
	{"--ink-soft", "--paper", 4.5}, {"--ink-soft", "--ground", 4.5}, {"--ink-soft", "--tint", 4.5},
	{"--heading", "--paper", 4.5}, {"--brand-ink", "--brand", 4.5},
	{"--accent", "--paper", 4.5}, {"--accent", "--ground", 4.5}, {"--accent", "--tint", 4.5},
	{"--accent-ink", "--accent", 4.5}, {"--accent-ink", "--accent-dark", 4.5}, {"--accent-dark", "--tint", 4.5},
	{"--link", "--paper", 4.5}, {"--link", "--ground", 4.5}, {"--link", "--tint", 4.5},
	{"--err", "--paper", 4.5}, {"--err", "--err-soft", 4.5},
	{"--line", "--paper", 3}, {"--line", "--tint", 3}, {"--ring", "--paper", 3}, {"--ring", "--ground", 3},
	{"--ring", "--focus", 3}, {"--focus", "--brand", 3},
}

// contrast reports every pair of the theme that is too close to be read.
func (t tokens) contrast(file string) error {
	var errs []error
	for _, p := range pairs {
		if got := ratio(t[p.front], t[p.back]); got < p.least {
			errs = append(errs, fmt.Errorf("%s: %s %s on %s %s has contrast %.2f, needs %.1f",
				file, p.front, t[p.front], p.back, t[p.back], got, p.least))
		}
	}
	return errors.Join(errs...)
}

// ratio is the contrast of two #rrggbb colours, 1 to 21; 0 when one of them is no colour.
//
// WCAG 2.2, definition of contrast ratio.
func ratio(a, b string) float64 {
	if !colour.MatchString(a) || !colour.MatchString(b) {
		return 0
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of a #rrggbb colour, 0 to 1.
func luminance(c string) float64 {
	r, g, b := channels(c)
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func linear(v uint8) float64 {
	s := float64(v) / 255
	if s <= 0.04045 {
		return s / 12.92
	}
	return math.Pow((s+0.055)/1.055, 2.4)
}

func channels(c string) (r, g, b uint8) {
	n, _ := strconv.ParseUint(c[1:], 16, 32) // the caller matched colour
	return uint8(n >> 16), uint8(n >> 8), uint8(n)
}

// darker gives a #rrggbb colour at three quarters of its light.
func darker(c string) string {
	r, g, b := channels(c)
	shade := func(v uint8) int { return int(v) * 3 / 4 }
	return fmt.Sprintf("#%02x%02x%02x", shade(r), shade(g), shade(b))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
