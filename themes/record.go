package themes

import (
	"fmt"
	"strings"
)

// ConsentText writes what the consent page says, as plain text, for the record of consent: who asks,
// which data and why, on which legal basis, what goes along, where to take it back. It uses the
// page's own messages. The values stay out: the record must not become a second copy of the data.
func (r *Renderer) ConsentText(f Frame, v Consent) (string, error) {
	w := record{c: r.catalogs[known(f.Lang)]}
	if s := f.Service; s != nil {
		intro := "consent.text.intro"
		if v.Again {
			intro = "consent.text.again"
		}
		w.line(strings.Trim(s.Name+" · "+s.Department, " ·"))
		w.say(intro, "Service", s.Name)
	}
	w.claims("consent.text.required", v.Required)
	w.claims("consent.text.optional", v.Optional)
	w.claims("consent.text.known", v.Known)
	level, err := w.c.text(fmt.Sprintf("level.%d", v.Level), nil)
	if err != nil {
		return "", err
	}
	w.say("consent.text.level", "Level", v.Level, "Name", level)
	if v.Offline {
		w.say("consent.text.offline")
	}
	w.say("consent.text.revoke")
	return w.b.String(), w.err
}

// record gathers lines and keeps the first error.
type record struct {
	c   *catalog
	b   strings.Builder
	err error
}

func (w *record) line(text string) { w.b.WriteString(text + "\n") }

func (w *record) text(id string, args ...any) string {
	text, err := w.c.say(id, args...)
	if err != nil && w.err == nil {
		w.err = err
	}
	return text
}

func (w *record) say(id string, args ...any) { w.line(w.text(id, args...)) }

func (w *record) claims(heading string, claims []ConsentClaim) {
	if len(claims) == 0 {
		return
	}
	w.say(heading)
	for _, c := range claims {
		parts := []string{"- " + w.text("claim."+c.Name)}
		for _, a := range c.Confirmed {
			parts = append(parts, w.text("consent.text.confirmed."+a.Who, "Name", a.Name))
		}
		if c.Purpose != "" {
			parts = append(parts, w.text("consent.text.purpose", "Purpose", c.Purpose))
		}
		if c.Basis != "" {
			parts = append(parts, w.text("consent.text.basis", "Basis", w.text("basis."+c.Basis)))
		}
		w.line(strings.Join(parts, ". "))
	}
}
